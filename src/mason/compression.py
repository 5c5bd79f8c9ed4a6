"""Compression by suffix: `.gz .bz2 .xz`, and `.zst` where a module for it is installed.

Strategy: one row per kind. Data is inflated a piece at a time and counted, so that a few bytes that
stand for gigabytes cost no more than `Limits` allow; what dumping would compress further than that,
it refuses. Files of several members (`cat a.gz b.gz`) are read to the end, and data that stops
early or goes on with something else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mason.errors import DumpError, LimitError, LoadError, MasonError

if TYPE_CHECKING:
    from mason.limits import Limits

_CHUNK = 1 << 20


# what makes a decompressor of one member, and what that raises
_Started: TypeAlias = tuple[Callable[[], Any], type[Exception]]


class Compression(NamedTuple):
    """Tell how one kind of compression is known, made and undone.

    The functions import what they need. `start` gives what makes a decompressor, one for each
    member, and the error it raises; `feed` hands it a piece and gives what comes out in parts of a
    bounded size; `padding` says that zeros may follow a member; `step` is the most to feed at once.
    """

    name: str
    magic: tuple[bytes, ...]
    pack: Callable[[bytes], bytes]
    start: Callable[[], _Started]
    feed: Callable[[Any, memoryview], Iterator[bytes]]
    padding: bool = False
    step: int = 1 << 16


def _gzip_pack(data: bytes) -> bytes:
    import zlib

    # as the command gzip, but without a time: the same value gives the same bytes
    return zlib.compress(data, 6, 31)


def _gzip_start() -> _Started:
    import zlib

    return lambda: zlib.decompressobj(31), zlib.error


def _bz2_pack(data: bytes) -> bytes:
    import bz2

    return bz2.compress(data)


def _bz2_start() -> _Started:
    import bz2

    return bz2.BZ2Decompressor, OSError


def _xz_pack(data: bytes) -> bytes:
    import lzma

    return lzma.compress(data)


def _xz_start() -> _Started:
    import lzma

    # xz -9 needs 65 MiB; a header may ask for 4 GiB
    return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=256 << 20), lzma.LZMAError


def _zstd_pack(data: bytes) -> bytes:
    zstd: Any = _zstd_module()
    if hasattr(zstd, "CompressionParameter"):
        return bytes(zstd.compress(data, options={zstd.CompressionParameter.checksum_flag: 1}))
    return bytes(zstd.ZstdCompressor(write_checksum=True).compress(data))


def _zstd_start() -> _Started:
    zstd: Any = _zstd_module()
    if hasattr(zstd, "CompressionParameter"):
        return zstd.ZstdDecompressor, zstd.ZstdError
    return zstd.ZstdDecompressor().decompressobj, zstd.ZstdError


def _zstd_module() -> Any:
    try:
        return import_module("compression.zstd")
    except ImportError:
        return import_module("zstandard")


def _feed(member: Any, piece: memoryview) -> Iterator[bytes]:
    if not hasattr(member, "needs_input"):  # the package `zstandard`: no way to stop in the middle
        yield member.decompress(piece)
        return
    yield member.decompress(piece, _CHUNK)
    while not member.eof and not member.needs_input:
        yield member.decompress(b"", _CHUNK)


def _zlib_feed(member: Any, piece: memoryview) -> Iterator[bytes]:
    output = member.decompress(piece, _CHUNK)
    yield output
    while not member.eof and (member.unconsumed_tail or len(output) == _CHUNK):
        output = member.decompress(member.unconsumed_tail, _CHUNK)
        yield output


# a level, and then the first block or the end of no blocks at all
_BZ2_MAGIC = tuple(
    b"BZh%d" % n + mark for n in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")
)

# Each magic is long enough that no JSON, CBOR or pickle document begins with it.
COMPRESSIONS = {
    ".gz": Compression(
        "gzip", (b"\x1f\x8b\x08",), _gzip_pack, _gzip_start, _zlib_feed, padding=True
    ),
    ".bz2": Compression("bzip2", _BZ2_MAGIC, _bz2_pack, _bz2_start, _feed),
    ".xz": Compression("xz", (b"\xfd7zXZ\x00",), _xz_pack, _xz_start, _feed, padding=True),
    # fed little at once: `zstandard` cannot stop in the middle, and 4 bytes may become 128 KiB
    ".zst": Compression(
        "zstandard", (b"\x28\xb5\x2f\xfd",), _zstd_pack, _zstd_start, _feed, step=1024
    ),
}


def require(suffix: str, error: type[MasonError]) -> None:
    """Raise `error` where the module for the compression of a suffix is not installed."""
    if suffix == ".zst":
        try:
            _zstd_module()
        except ImportError:
            message = "no module for zstandard compression"
            raise error(message, hint="pip install zstandard") from None


def pack(data: bytes, suffix: str, limits: Limits) -> bytes:
    """Return data compressed as its suffix says; "" leaves it as it is.

    Raises `DumpError` where the result is so small that loading with the same limits would refuse
    to inflate it.
    """
    if not suffix:
        return data
    packed = COMPRESSIONS[suffix].pack(data)
    if not limits.allows_inflated(len(data), len(packed)):
        message = f"{len(data):,} bytes compress to {len(packed):,}, which loading refuses"
        hint = "limits=mason.Limits(inflated=...), in bytes, here and where it is loaded"
        raise DumpError(message, hint=hint)
    return packed


def is_packed(data: bytes) -> bool:
    """Tell whether the content of a file says that it is compressed."""
    return any(data.startswith(compression.magic) for compression in COMPRESSIONS.values())


def unpack(data: bytes, suffix: str, limits: Limits) -> bytes:
    """Return data decompressed if its content says that it is compressed.

    With a `suffix` it must be: "" demands nothing.

    Raises `LoadError` for damaged data, `LimitError` where it inflates beyond `limits`.
    """
    for known, compression in COMPRESSIONS.items():
        if data.startswith(compression.magic):
            require(known, LoadError)
            return b"".join(_inflate(data, compression, limits))
    if suffix:
        kind = COMPRESSIONS[suffix].name
        raise LoadError(f"the name ends in {suffix}, and the content is not {kind} data", offset=0)
    return data


def _inflate(data: bytes, compression: Compression, limits: Limits) -> Iterator[bytes]:
    """Decompress all members, giving up as soon as there is more than `limits` allow."""
    start, failure = compression.start()
    most, size, position = _most(limits, len(data)), 0, 0
    zeros = re.compile(rb"\0*")
    while position < len(data):
        member = start()
        # little at first: of many small members each would copy what lies behind it
        step = 512
        while not member.eof:
            if position >= len(data):
                raise LoadError(f"the {compression.name} data is cut short", offset=position)
            piece = memoryview(data)[position : position + step]
            position += len(piece)
            step = min(2 * step, compression.step)
            try:
                for output in compression.feed(member, piece):
                    size += len(output)
                    if most is not None and size > most:
                        raise _inflates_too_far(most)
                    yield output
            except failure as error:
                message = f"the {compression.name} data is damaged: {error}"
                raise LoadError(message, offset=position) from None
        position -= len(member.unused_data)
        if compression.padding and (found := zeros.match(data, position)):
            position = found.end()


def _most(limits: Limits, compressed: int) -> int | None:
    bounds = [
        bound for bound in (limits.bytes, limits.inflated_most(compressed)) if bound is not None
    ]
    return min(bounds, default=None)


def _inflates_too_far(most: int) -> LimitError:
    hint = "if you know the file: limits=mason.Limits(inflated=...) in bytes"
    return LimitError(f"the data decompresses to more than {most:,} bytes", hint=hint)
