"""Where documents come from and go to: paths and file objects, their format, their compression.

Strategy: whole documents, never streams. Reading gives the data (decompressed, within `Limits`) and
its format: what the caller says, else what the suffix says, else what the content proves; two
possible readings are an error, not a guess. Writing renders first and touches the destination last,
so that a value that cannot be written leaves no trace: a path gets a temporary file beside its real
target, then one rename. Pipes, devices and file objects cannot be renamed over and are written
directly. A name that ends in `.gz` holds gzip data whether it was given as a path or as a file
opened by `open`; other file objects (`gzip.open`, sockets, zip entries) get the plain document.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from json import dumps
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, cast

from mason.compression import COMPRESSIONS, is_packed, pack, require, unpack
from mason.errors import (
    DumpError,
    LimitError,
    LoadError,
    MasonError,
    UnknownFormatError,
    shown,
)
from mason.formats import Format, check_format, readings, recognise, suffixes

if TYPE_CHECKING:
    from mason.limits import Limits


class Readable(Protocol):
    """Stand for a file object, text or binary, to read from."""

    def read(self) -> str | bytes:
        """Return everything up to the end."""


class Writable(Protocol):
    """Stand for a file object, text or binary, to write to."""

    def write(self, data: Any, /) -> Any:
        """Take a str or bytes."""


Path: TypeAlias = "str | os.PathLike[str] | os.PathLike[bytes]"
Render: TypeAlias = Callable[[Format, bool], "bytes | str"]

_PIECE = 1 << 20
# what `codecs.open` and `codecs.getwriter` give: text files with the mode of the file beneath
_ENCODERS = (codecs.StreamReaderWriter, codecs.StreamWriter)
_BESIDE = "mason writes a new file beside the target; a file object is written in place"


def read_source(
    source: Path | Readable, format: str | None, limits: Limits | None = None
) -> tuple[bytes | str, Format]:
    """Read a path or a file object (from where it stands) and return its document and format.

    The document is a str if the file object gives text. Raises `UnknownFormatError` where nothing
    tells the format, `LimitError` beyond `limits.bytes` and where decompression exceeds its bounds,
    `LoadError` for damaged compressed data, text encodings that JSON does not have, URLs; OSError
    as the file system does.
    """
    check_format(format)
    path = _path(source, "read", LoadError)
    most = None if limits is None else limits.bytes
    if path is None:
        name, data = _name_of(source), _drain(cast(Readable, source), most)
    else:
        name, data = path, _read_path(path, most)
    named, packing = suffixes(name)
    if isinstance(data, bytes):
        # many a download tool decompresses and keeps the name: fine where the content is what it
        # should be
        packing = "" if (format or named) in readings(data) else packing
        if packing or is_packed(data):
            data = unpack(data, packing, limits or _default_limits())
    return data, recognise(data, format or named)


def write_destination(
    destination: Path | Writable,
    render: Render,
    format: str | None,
    *,
    durable: bool = False,
    limits: Limits | None = None,
) -> None:
    """Write what `render(format, want_text)` returns to a path (atomically) or a file object.

    `render` is called once, when the destination and format are known to fit and before anything is
    touched; what it raises leaves the destination as it was. `durable` waits until the disk has the
    data. Raises `UnknownFormatError`, `DumpError` (binary format into a text file, compression
    beyond `limits`, URLs), OSError as the file system does.
    """
    check_format(format)
    path = _path(destination, "write", DumpError)
    if path is None:
        _write_object(cast(Writable, destination), render, format, durable, limits)
        return
    named, packing = suffixes(path)
    chosen = _chosen(format or named, f"a file named {shown(os.path.basename(path) or path)!r}")
    require(packing, DumpError)
    target = _Target.of(path)
    if durable and target.direct:
        raise DumpError("durable=True needs a regular file, not a pipe or a device")
    target.write(_packed(_as_bytes(render(chosen, False)), packing, limits), durable)


def _packed(data: bytes, packing: str, limits: Limits | None) -> bytes:
    return pack(data, packing, limits or _default_limits()) if packing else data


def _default_limits() -> Limits:
    # a dataclass, so importing it takes a while; only compression needs its numbers here
    from mason.limits import Limits

    return Limits()


# --- names and file objects


def _path(thing: object, verb: str, error: type[MasonError]) -> str | None:
    """Return a path as str, None for a file object; refuse whatever else people pass."""
    if isinstance(thing, (str, os.PathLike)):
        path = os.fsdecode(thing)
        if _is_url(path):
            hint = "mason opens no network connection: fetch it first, then pass the file"
            raise error(f"a URL is not a path: {shown(path)!r}", hint=hint)
        return path
    if not hasattr(thing, verb):
        what = "reads paths" if verb == "read" else "writes to paths"
        message = f"mason {what} and file objects, not {type(thing).__name__}"
        if isinstance(thing, (bytes, bytearray, memoryview)):
            message += " (data in memory: mason.loads and mason.reads)"
        raise TypeError(message)
    return None


def _is_url(path: str) -> bool:
    scheme, found, _ = path.partition("://")
    return bool(found) and re.fullmatch("[A-Za-z][A-Za-z0-9+.-]*", scheme) is not None


def _name_of(stream: object) -> str:
    name = getattr(stream, "name", None)  # an int where the file was opened by its descriptor
    return os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else ""


def _chosen(format: str | None, what: str) -> Format:
    if format is None:
        hint = 'say it: format="json" or format="cbor"; or end the name in .json or .cbor'
        raise UnknownFormatError(f"cannot tell the format for {what}", hint=hint)
    return cast(Format, format)


def _takes_text(stream: object) -> bool | None:
    """Tell whether a file object takes str (True) or bytes (False); None where it does not say."""
    if isinstance(stream, (io.TextIOBase, *_ENCODERS)):
        return True
    if isinstance(stream, (io.RawIOBase, io.BufferedIOBase)):
        return False
    mode, encoding = getattr(stream, "mode", None), getattr(stream, "encoding", None)
    if isinstance(mode, str) and "b" in mode:
        return False
    return True if isinstance(encoding, str) else None


def _is_file_itself(stream: object) -> bool:
    """Tell whether a file object is what `open` gives, not `gzip.open` or a wrapper."""
    inner = getattr(stream, "buffer", stream) if isinstance(stream, io.TextIOBase) else stream
    return type(inner) in (io.BufferedWriter, io.BufferedRandom, io.FileIO)


def _descriptor(stream: object) -> int | None:
    try:
        number = stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
    return number if isinstance(number, int) else None


# --- reading


def _read_path(path: str, most: int | None) -> bytes:
    try:
        with open(path, "rb", buffering=0) as stream:
            return cast(bytes, _drain(stream, most))
    except OSError as error:  # no such file, or a name that is too long
        if path.lstrip()[:1] in ("{", "["):
            error.add_note("to load a text that you hold, not a file: mason.loads")
        raise


def _drain(stream: Any, most: int | None) -> bytes | str:
    """Read a file object to its end; a read that gives nothing *yet* is an error, not an end."""
    pieces: list[Any] = []
    size = 0
    # read() of a blocking stream gives all at once, and asking a terminal again would wait for a
    # second Ctrl-D
    once = most is None and not _is_nonblocking(stream)
    while True:
        piece = _piece(stream, None if most is None else min(most + 1 - size, _PIECE))
        pieces.append(piece)
        size += len(piece)
        if most is not None and size > most:
            message = f"the source holds more than {most:,} bytes"
            raise LimitError(message, hint="if that is meant: limits=mason.Limits(bytes=...)")
        if once or not piece:
            return type(piece)().join(pieces)


def _piece(stream: Any, most: int | None) -> bytes | str:
    try:
        piece = stream.read() if most is None else stream.read(most)
    except UnicodeDecodeError as error:
        hint = "documents are UTF-8 or binary: open the file with mode 'rb'"
        raise LoadError(f"the source cannot be read as text: {error}", hint=hint) from None
    except TypeError:  # of a text file, when the file beneath has nothing yet
        if not _is_nonblocking(stream):
            raise
        piece = None
    if piece is None:
        hint = "make it blocking: os.set_blocking(f.fileno(), True)"
        raise LoadError("the source is non-blocking and has not all its data yet", hint=hint)
    if isinstance(piece, (str, bytes)):
        return piece
    if isinstance(piece, (bytearray, memoryview)):
        return bytes(piece)
    raise TypeError(f"read() returned {type(piece).__name__}, not str or bytes")


def _is_nonblocking(stream: object) -> bool:
    descriptor = _descriptor(stream)
    try:
        return descriptor is not None and not os.get_blocking(descriptor)
    except OSError:
        return False


# --- writing


class _Target(NamedTuple):
    """Say where the bytes for a path really go, symbolic links followed."""

    path: str
    status: os.stat_result | None  # None: not there yet
    descriptor: int | None  # of this process, when the path is /dev/stdout or the like

    @property
    def direct(self) -> bool:
        there = self.status is not None and not stat.S_ISREG(self.status.st_mode)
        return there or self.descriptor is not None

    @classmethod
    def of(cls, path: str) -> _Target:
        real = path
        for _ in range(40):
            folder = os.path.realpath(os.path.dirname(real))
            real = os.path.join(folder, os.path.basename(real))
            # /dev/stdout leads here: the file behind it is open, so a rename over it would lose
            # what comes later
            if folder == f"/proc/{os.getpid()}/fd" and os.path.basename(real).isdecimal():
                return cls(real, None, int(os.path.basename(real)))
            if not os.path.islink(real):
                break
            real = os.path.join(folder, os.readlink(real))
        else:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        if not os.path.isdir(folder):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        status = os.stat(real) if os.path.lexists(real) else None
        if status is not None and stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if status is not None and not os.access(real, os.W_OK):  # a rename would not ask
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return cls(real, status, None)

    def write(self, data: bytes, durable: bool) -> None:
        if not self.direct:
            self._put_in_place(data, durable)
            return
        flags = os.O_WRONLY | getattr(os, "O_NOCTTY", 0)
        descriptor = (
            os.open(self.path, flags) if self.descriptor is None else os.dup(self.descriptor)
        )
        try:
            _write_descriptor(descriptor, data)
        finally:
            os.close(descriptor)

    def _put_in_place(self, data: bytes, durable: bool) -> None:
        folder = os.path.dirname(self.path)
        # not made from the target's name, which may be as long as names can be
        temporary = os.path.join(folder, f".mason-{os.urandom(8).hex()}.tmp")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = None
        try:
            descriptor = os.open(temporary, flags, 0o666 if self.status is None else 0o600)
            if self.status is not None:
                _take_permissions(descriptor, self.status)
            _write_descriptor(descriptor, data)
            if durable:
                os.fsync(descriptor)
            # forgotten before it is closed: an interrupt in between must not close it twice
            closing, descriptor = descriptor, None
            os.close(closing)
            os.replace(temporary, self.path)
        except BaseException as error:  # KeyboardInterrupt, too
            if isinstance(error, PermissionError):
                error.add_note(_BESIDE)
            with suppress(OSError):
                if descriptor is not None:
                    os.close(descriptor)
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            _sync_folder(folder)


def _take_permissions(descriptor: int, status: os.stat_result) -> None:
    """Give a new file the mode, and where we may the owner, of the one it replaces."""
    if not hasattr(os, "fchmod"):  # Windows
        return
    mine = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
        with suppress(OSError):
            os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _sync_folder(folder: str) -> None:
    if os.name == "nt":  # there a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_descriptor(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # node, say, makes the pipe of a child's stdout non-blocking
            import select

            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll()


def _write_object(
    stream: Writable, render: Render, format: str | None, durable: bool, limits: Limits | None
) -> None:
    named, packing = suffixes(_name_of(stream))
    text = _takes_text(stream)
    chosen = _chosen(
        format or named or ("json" if text else None), "a file object without a telling name"
    )
    packing = packing if _is_file_itself(stream) else ""
    if text and (packing or chosen != "json"):
        what = COMPRESSIONS[packing].name if packing else chosen
        message = f"{what} is binary, and the destination takes text (mode {_mode_of(stream)!r})"
        raise DumpError(message, hint="open it with mode 'wb'")
    require(packing, DumpError)
    if durable:
        _check_durable(stream)
    data = render(chosen, text is not False and chosen == "json")
    if isinstance(data, str):
        _write_text(stream, data, certain=text is True)
    else:
        _write_binary(stream, _packed(data, packing, limits))
    if durable:
        stream.flush()  # type: ignore[attr-defined]
        os.fsync(cast(int, _descriptor(stream)))


def _mode_of(stream: object) -> str:
    mode = getattr(stream, "mode", "w")
    return mode if isinstance(mode, str) else "w"


def _check_durable(stream: object) -> None:
    descriptor = _descriptor(stream)
    if descriptor is None or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise DumpError("durable=True needs a regular file: there is none behind this file object")


def _write_text(stream: Any, text: str, certain: bool) -> None:
    encoding = getattr(stream, "encoding", None)
    if encoding is None and isinstance(stream, codecs.StreamWriter):
        encoding = "unknown"  # it has one, and does not say which
    if isinstance(encoding, str) and encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
        # open("x.json", "w") is cp1252 on many a machine: JSON's own escapes fit everywhere
        text = re.sub("[^\0-\x7f]+", lambda match: dumps(match[0])[1:-1], text)
    try:
        count = _offer(stream, text)
    except TypeError:
        if certain:
            raise
        _write_binary(stream, text.encode())  # a file object that did not say what it takes
        return
    while type(count) is int and 0 < count < len(text):
        text = text[count:]
        count = _offer(stream, text)


def _write_binary(stream: Any, data: bytes) -> None:
    """Write everything: raw files may take less than they are offered, and say so."""
    rest: bytes | memoryview = data
    while rest:
        count = _offer(stream, rest)
        if not count and isinstance(stream, io.RawIOBase):
            raise _would_block(len(data) - len(rest), len(data))
        if type(count) is not int or not 0 < count < len(rest):
            return  # it took everything, or does not count
        rest = memoryview(rest)[count:]


def _offer(stream: Any, data: str | bytes | memoryview) -> object:
    try:
        return stream.write(data)
    except BlockingIOError as error:
        taken = getattr(error, "characters_written", 0)
        raise _would_block(taken, len(data)) from error


def _would_block(taken: int, size: int) -> DumpError:
    hint = "make it blocking: os.set_blocking(f.fileno(), True)"
    return DumpError(
        f"the destination is non-blocking and took {taken:,} of {size:,} bytes", hint=hint
    )


def _as_bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data
