from __future__ import annotations

import bz2
import codecs
import errno
import gzip
import io
import json
import os
import pathlib
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mason.compression import is_packed
from mason.errors import DumpError, JSONError, LimitError, LoadError, UnknownFormatError
from mason.files import read_source, write_destination
from mason.limits import Limits

LIMITS = Limits()
TEXT = '{"größe": "\U0001f600"}'
RAW = TEXT.encode()
CBOR = b"\xa1\x61a\x01"
CONTENT: dict[str, bytes] = {"json": RAW, "cbor": CBOR, "pickle": b"\x80\x04]."}

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX files")
not_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do everything"
)


def read(source: Any, format: str | None = None, **limits: Any) -> tuple[bytes | str, str]:
    return read_source(source, format, Limits(**limits))


def write(destination: Any, format: str | None = None, **options: Any) -> list[tuple[str, bool]]:
    """Write the content of the format, and return what was asked of the one who renders it."""
    asked: list[tuple[str, bool]] = []

    def render(format: str, want_text: bool) -> bytes | str:
        asked.append((format, want_text))
        return TEXT if want_text else options.pop("content", CONTENT[format])

    limits = options.pop("limits", LIMITS)
    durable = options.pop("durable", False)
    write_destination(destination, render, format, durable=durable, limits=limits)
    return asked


def refuse(format: str, want_text: bool) -> bytes:
    raise DumpError("a lock cannot be written")


def never(format: str, want_text: bool) -> bytes:
    raise AssertionError("rendered before the destination was known to fit")


def listing(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# --- paths: which format


@pytest.mark.parametrize(
    ("name", "format"), [("a.json", "json"), ("a.cbor", "cbor"), ("a.pkl", "pickle")]
)
@pytest.mark.parametrize("kind", [str, Path])
def test_the_suffix_says_the_format(tmp_path: Path, name: str, format: str, kind: Any) -> None:
    path = kind(tmp_path / name)
    assert write(path) == [(format, False)]
    assert (tmp_path / name).read_bytes() == CONTENT[format]
    assert read(path) == (CONTENT[format], format)


def test_the_format_given_leads_over_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    assert write(path, "cbor") == [("cbor", False)]
    assert read(path, "cbor") == (CBOR, "cbor")


@pytest.mark.parametrize("format", ["json", "cbor", "pickle"])
def test_without_a_suffix_the_content_says_the_format(tmp_path: Path, format: str) -> None:
    path = tmp_path / "data"
    path.write_bytes(CONTENT[format])
    assert read(path) == (CONTENT[format], format)


def test_without_a_suffix_a_dump_asks_for_the_format(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match=r"a file named 'data.txt'") as caught:
        write_destination(tmp_path / "data.txt", never, None, limits=LIMITS)
    assert 'format="json"' in (caught.value.hint or "")
    assert listing(tmp_path) == []
    assert write(tmp_path / "data.txt", "cbor") == [("cbor", False)]


def test_content_that_is_nothing_known_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"hello")
    with pytest.raises(UnknownFormatError):
        read(path)


@pytest.mark.parametrize("function", [read, write])
def test_a_format_that_does_not_exist_is_refused_first(function: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match="yaml"):
        function(tmp_path / "none.json", "yaml")


# --- paths: what is no path


@pytest.mark.parametrize("url", ["https://example.org/a.json", "s3://b/a.json", "file:///a.json"])
def test_a_url_is_never_opened(url: str) -> None:
    with pytest.raises(LoadError, match="URL") as loaded:
        read(url)
    with pytest.raises(DumpError, match="URL"):
        write_destination(url, never, None, limits=LIMITS)
    assert "no network" in (loaded.value.hint or "")


@pytest.mark.parametrize("thing", [None, 3, object(), ["a.json"]])
def test_what_is_neither_path_nor_file_is_a_type_error(thing: Any) -> None:
    with pytest.raises(TypeError, match=f"not {type(thing).__name__}"):
        read(thing)
    with pytest.raises(TypeError, match=f"not {type(thing).__name__}"):
        write_destination(thing, never, "json", limits=LIMITS)


def test_data_given_for_a_path_is_pointed_to_loads(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"mason\.loads"):
        read(b"{}")
    for text in ('{"a": 1}', "[" + "1," * 500 + "1]"):
        with pytest.raises(OSError) as caught:
            read(text)
        assert "mason.loads" in "".join(caught.value.__notes__)


def test_the_errors_of_the_file_system_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.json")
    with pytest.raises(IsADirectoryError):
        read(tmp_path)
    with pytest.raises(FileNotFoundError):
        write_destination(tmp_path / "no" / "a.json", never, None, limits=LIMITS)
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(IsADirectoryError):
        write_destination(tmp_path / "folder.json", never, None, limits=LIMITS)


# --- paths: compression


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
@pytest.mark.parametrize("name", ["a.json", "a.cbor"])
def test_the_suffix_says_the_compression(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / (name + suffix)
    ((format, _),) = write(path)
    assert path.read_bytes() != CONTENT[format]
    assert read(path) == (CONTENT[format], format)
    # a name says nothing once the file is renamed; the content does
    renamed = path.rename(tmp_path / "renamed")
    assert read(renamed) == (CONTENT[format], format)


def test_the_compression_is_that_of_the_tools(tmp_path: Path) -> None:
    write(tmp_path / "a.json.gz")
    with gzip.open(tmp_path / "a.json.gz") as stream:
        assert stream.read() == RAW
    write(tmp_path / "a.json.bz2")
    assert bz2.decompress((tmp_path / "a.json.bz2").read_bytes()) == RAW


def test_a_file_that_a_download_tool_decompressed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(RAW)
    assert read(path) == (RAW, "json")
    path.write_bytes(b"\x00\x00")
    with pytest.raises(LoadError, match=r"ends in \.gz"):
        read(path)


def test_a_compressed_bomb_is_a_limit_error(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b"[" + b" " * (1 << 20) + b"]"))
    assert len(read(path)[0]) == (1 << 20) + 2
    with pytest.raises(LimitError):
        read(path, inflated=1000, ratio=20)


def test_dumping_a_bomb_is_refused_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(b"before")
    with pytest.raises(DumpError, match="loading refuses"):
        write(path, content=bytes(100_000), limits=Limits(inflated=1000, ratio=2))
    assert path.read_bytes() == b"before"
    assert listing(tmp_path) == ["a.json.gz"]


# --- paths: nothing changes unless everything does


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "a.json"
    path.write_bytes(b"before")
    return path


def test_a_value_that_cannot_be_written_leaves_the_file_as_it_was(target: Path) -> None:
    with pytest.raises(DumpError):
        write_destination(target, refuse, None, limits=LIMITS)
    assert target.read_bytes() == b"before"
    assert listing(target.parent) == ["a.json"]


@pytest.mark.parametrize("call", ["write", "close", "replace", "fsync", "fchmod"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "no space"), KeyboardInterrupt()])
def test_a_failure_at_any_step_leaves_the_file_as_it_was(
    target: Path, monkeypatch: pytest.MonkeyPatch, call: str, error: BaseException
) -> None:
    if not hasattr(os, call):
        pytest.skip(f"no os.{call}")
    with monkeypatch.context() as patched:
        patched.setattr(os, call, _failing_once(getattr(os, call), error, after=call == "close"))
        with pytest.raises(type(error)):
            write(target, durable=True)
    assert target.read_bytes() == b"before"
    assert listing(target.parent) == ["a.json"]


def _failing_once(
    function: Callable[..., Any], error: BaseException, after: bool
) -> Callable[..., Any]:
    failed: list[bool] = []

    def failing(*arguments: Any) -> Any:
        if failed:
            return function(*arguments)
        failed.append(True)
        if after:
            function(*arguments)
        raise error

    return failing


@pytest.mark.parametrize("most", [1, 7])
def test_what_the_system_takes_in_parts_is_written_whole(
    target: Path, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    whole = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: whole(descriptor, data[:most]))
        write(target)
    assert target.read_bytes() == RAW


def test_a_reader_never_sees_half_a_file(target: Path) -> None:
    with target.open("rb") as opened:
        write(target)
        assert opened.read() == b"before"  # who has it open keeps what was there
    assert target.read_bytes() == RAW


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o777])
def test_the_permissions_of_the_file_are_kept(target: Path, mode: int) -> None:
    target.chmod(mode)
    write(target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_gets_the_usual_permissions(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "new.json")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.json").stat().st_mode) == 0o666 & ~umask


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
def test_the_owner_is_kept_where_that_is_allowed(target: Path) -> None:
    os.chown(target, 1234, 4321)
    target.chmod(0o4750)
    write(target)
    status = target.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 4321, 0o4750)


@posix
@not_root
def test_a_file_that_is_read_only_is_not_replaced(target: Path) -> None:
    target.chmod(0o444)
    with pytest.raises(PermissionError):
        write_destination(target, never, None, limits=LIMITS)
    assert target.read_bytes() == b"before"


@posix
def test_a_folder_that_takes_no_new_file_is_explained(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*arguments: Any) -> int:
        raise PermissionError(errno.EACCES, "denied")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", closed)
        with pytest.raises(PermissionError) as caught:
            write(target)
    assert "beside the target" in "".join(caught.value.__notes__)


@posix
def test_symbolic_links_are_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "real" / "a.cbor").write_bytes(b"before")
    (tmp_path / "links" / "one.json").symlink_to("../real/a.cbor")
    (tmp_path / "two.json").symlink_to(tmp_path / "links" / "one.json")
    write(tmp_path / "two.json")
    assert (tmp_path / "two.json").is_symlink()
    assert (tmp_path / "links" / "one.json").is_symlink()
    assert (tmp_path / "real" / "a.cbor").read_bytes() == RAW  # the name given says the format
    assert listing(tmp_path / "real") == ["a.cbor"]
    assert listing(tmp_path / "links") == ["one.json"]


@posix
def test_a_link_to_nothing_makes_its_target(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("b.json")
    write(tmp_path / "a.json")
    assert (tmp_path / "a.json").is_symlink()
    assert (tmp_path / "b.json").read_bytes() == RAW


@posix
def test_links_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to("b.json")
    (tmp_path / "b.json").symlink_to("a.json")
    with pytest.raises(OSError) as caught:
        write_destination(tmp_path / "a.json", never, None, limits=LIMITS)
    assert caught.value.errno == errno.ELOOP


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 250 + ".json")
    write(path)
    assert read(path) == (RAW, "json")


def test_a_path_relative_to_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.json")
    assert read("a.json") == (RAW, "json")
    assert listing(tmp_path) == ["a.json"]


def test_threads_may_write_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    contents = [str([i] * 20_000).encode() for i in range(4)]

    def go(content: bytes) -> None:
        for _ in range(10):
            write_destination(path, lambda *_: content, None, limits=LIMITS)

    threads = [threading.Thread(target=go, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert listing(tmp_path) == ["a.json"]


# --- paths: durable


@posix
def test_durable_waits_for_the_disk(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[bool, int]] = []

    def record(descriptor: int) -> None:
        status = os.fstat(descriptor)
        synced.append((stat.S_ISDIR(status.st_mode), status.st_size))

    monkeypatch.setattr(os, "fsync", record)
    write(target)
    assert synced == []
    write(target, durable=True)
    assert synced[0] == (False, len(RAW))  # the file when it is whole, then the folder
    assert [folder for folder, _ in synced] == [False, True]


def test_durable_syncs_a_file_object(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda d: sizes.append(os.fstat(d).st_size))
    with target.open("wb") as stream:
        write(stream, durable=True)
        assert sizes == [len(RAW)]
    with target.open("w", encoding="utf-8") as stream:
        write(stream, durable=True)
        assert sizes == [len(RAW)] * 2


@posix
def test_durable_is_refused_where_it_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(DumpError, match="durable"):
        write_destination(io.BytesIO(), never, "json", durable=True, limits=LIMITS)
    with pytest.raises(DumpError, match="durable"):
        write_destination("/dev/null", never, "json", durable=True, limits=LIMITS)
    first, second = os.pipe()
    os.close(first)
    with os.fdopen(second, "wb") as stream, pytest.raises(DumpError, match="durable"):
        write_destination(stream, never, "json", durable=True, limits=LIMITS)


# --- pipes and devices


@posix
def test_a_device_is_written_directly() -> None:
    write("/dev/null", "json")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OSError) as caught:
        write("/dev/full", "json")
    assert caught.value.errno == errno.ENOSPC


@posix
def test_a_fifo_is_written_and_read_directly(tmp_path: Path) -> None:
    path = tmp_path / "pipe.cbor"
    os.mkfifo(path)
    found: list[Any] = []
    content = b"\x5a\x00\x0f\x42\x40" + bytes(1_000_000)  # more than a pipe holds
    thread = threading.Thread(target=lambda: found.append(read(path)))
    thread.start()
    write(path, content=content)
    thread.join()
    assert found == [(content, "cbor")]
    assert stat.S_ISFIFO(path.stat().st_mode)


@posix
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link.json"])
def test_standard_output_keeps_what_is_written_before_and_after(tmp_path: Path, name: str) -> None:
    (tmp_path / "link.json").symlink_to("/dev/stdout")
    program = (
        "import os\nfrom mason.files import write_destination\nfrom mason.limits import Limits\n"
        "print('before', flush=True)\n"
        f"write_destination({name!r}, lambda *_: b'[1]', 'json', limits=Limits())\n"
        "print('after', flush=True)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with open(tmp_path / "out", "wb") as out:
        command = [sys.executable, "-c", program]
        subprocess.run(command, stdout=out, check=True, cwd=tmp_path, env=environment)
    assert (tmp_path / "out").read_text() == "before\n[1]after\n"
    piped = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, cwd=tmp_path, env=environment
    )
    assert piped.stdout == b"before\n[1]after\n"


@posix
def test_a_pipe_that_nobody_reads_is_a_broken_pipe() -> None:
    first, second = os.pipe()
    os.close(first)
    with os.fdopen(second, "wb", buffering=0) as stream, pytest.raises(BrokenPipeError):
        write(stream, "json")


# --- file objects: what they take and give


def test_json_goes_into_a_text_file_as_text_and_into_a_binary_one_as_utf8() -> None:
    text, binary = io.StringIO(), io.BytesIO()
    assert write(text, "json") == [("json", True)]
    assert write(binary, "json") == [("json", False)]
    assert text.getvalue().encode() == binary.getvalue() == RAW


def test_a_text_file_without_a_name_gets_json() -> None:
    assert write(io.StringIO()) == [("json", True)]
    with pytest.raises(UnknownFormatError, match="without a telling name"):
        write_destination(io.BytesIO(), never, None, limits=LIMITS)


def test_the_name_of_a_file_object_says_its_format(tmp_path: Path) -> None:
    for name, format in [("a.json", "json"), ("a.cbor", "cbor"), ("a.pkl", "pickle")]:
        with open(tmp_path / name, "wb") as stream:
            assert write(stream) == [(format, False)]
        with open(tmp_path / name, "rb") as stream:
            assert read(stream) == (CONTENT[format], format)
    with open(tmp_path / "a.txt", "wb") as stream:
        assert write(stream, "cbor") == [("cbor", False)]
    with open(tmp_path / "a.txt", "rb") as stream:
        assert read(stream) == (CBOR, "cbor")


def test_a_file_opened_by_its_descriptor_has_no_name(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "a.json", os.O_RDWR | os.O_CREAT)
    with os.fdopen(descriptor, "wb") as stream:
        with pytest.raises(UnknownFormatError):
            write_destination(stream, never, None, limits=LIMITS)
        write(stream, "json")


@pytest.mark.parametrize("name", ["a.cbor", "a.pkl", "a.json.gz"])
def test_what_is_binary_does_not_go_into_a_text_file(tmp_path: Path, name: str) -> None:
    with open(tmp_path / name, "w", encoding="utf-8") as stream:
        with pytest.raises(TypeError, match=r"is binary, and .* text \(mode 'w'\)") as caught:
            write_destination(stream, never, None, limits=LIMITS)
        assert isinstance(caught.value, DumpError)
        assert "'wb'" in (caught.value.hint or "")
    with pytest.raises(DumpError, match="cbor is binary"):
        write_destination(io.StringIO(), never, "cbor", limits=LIMITS)


def test_what_is_binary_is_not_read_from_a_text_file(tmp_path: Path) -> None:
    (tmp_path / "a.cbor").write_bytes(CBOR)
    with open(tmp_path / "a.cbor", encoding="latin-1") as stream:
        with pytest.raises(LoadError, match="cbor is binary") as caught:
            read(stream)
        assert "'rb'" in (caught.value.hint or "")
    (tmp_path / "a").write_bytes(b"\xa1\x61\xff\x01")
    with (
        open(tmp_path / "a", encoding="utf-8") as stream,
        pytest.raises(LoadError, match="cannot be read as text"),
    ):
        read(stream)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-16", "shift-jis"])
def test_a_text_file_of_any_encoding_gets_the_same_json(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.json"
    with open(path, "w", encoding=encoding) as stream:
        write(stream)
    assert json.loads(path.read_text(encoding)) == json.loads(TEXT)
    if encoding != "utf-16":
        assert json.loads(read(path)[0]) == json.loads(TEXT)
    with open(path, encoding=encoding) as stream:
        assert json.loads(read(stream)[0]) == json.loads(TEXT)


def by_codecs(path: Path, mode: str, encoding: str) -> Any:
    """Return what `codecs.open` does, which Python 3.14 warns of."""
    found = codecs.lookup(encoding)
    return codecs.StreamReaderWriter(path.open(mode), found.streamreader, found.streamwriter)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_text_files_of_codecs_are_text_files(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.json"
    opened: list[Callable[[], Any]] = [
        lambda: by_codecs(path, "wb", encoding),
        lambda: codecs.getwriter(encoding)(path.open("wb")),
    ]
    for make in opened:
        with make() as stream:
            assert write(stream) == [("json", True)]
            with pytest.raises(DumpError, match="takes text"):
                write(stream, "cbor")
        assert json.loads(path.read_text(encoding)) == json.loads(TEXT)
        with by_codecs(path, "rb", encoding) as stream:
            assert json.loads(read(stream)[0]) == json.loads(TEXT)


def test_a_text_file_in_utf8_gets_the_characters_themselves(tmp_path: Path) -> None:
    for encoding in ("utf-8", "UTF8", "utf_8"):
        with open(tmp_path / "a.json", "w", encoding=encoding) as stream:
            write(stream)
        assert (tmp_path / "a.json").read_bytes() == RAW


def test_lone_surrogates_in_a_text_are_given_as_they_are() -> None:
    assert read(io.StringIO('["\ud800"]')) == ('["\ud800"]', "json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_json_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(TEXT, encoding)
    with pytest.raises(JSONError, match="looks like"):
        read(path)


def test_json_text_with_a_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JSONError, match="byte order mark"):
        read(io.StringIO("\ufeff[1]"))


def test_a_file_object_is_read_from_where_it_stands() -> None:
    stream = io.BytesIO(b"header\n" + RAW)
    stream.readline()
    assert read(stream) == (RAW, "json")
    text = io.StringIO("header\n" + TEXT)
    text.readline()
    assert read(text) == (TEXT, "json")


def test_a_file_object_is_written_where_it_stands_and_stays_open() -> None:
    stream = io.BytesIO()
    stream.write(b"header\n")
    write(stream, "json")
    write(stream, "json")
    assert stream.getvalue() == b"header\n" + RAW + RAW


def test_a_value_that_cannot_be_written_leaves_a_file_object_as_it_was() -> None:
    for stream in (io.BytesIO(b"before"), io.StringIO("before")):
        with pytest.raises(DumpError):
            write_destination(stream, refuse, "json", limits=LIMITS)
        assert stream.tell() == 0


def test_files_that_decompress_themselves_are_not_decompressed_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    with gzip.open(path, "wb") as binary:
        write(binary)
    assert gzip.decompress(path.read_bytes()) == RAW
    with gzip.open(path, "rb") as binary:
        assert read(binary) == (RAW, "json")
    with gzip.open(path, "wt", encoding="utf-8") as text:
        assert write(text) == [("json", True)]
    with gzip.open(path, "rt", encoding="utf-8") as text:
        assert read(text) == (TEXT, "json")


def test_a_plain_file_named_gz_is_what_its_name_says(tmp_path: Path) -> None:
    path = tmp_path / "a.cbor.gz"
    for buffering in (-1, 0):
        with open(path, "wb", buffering=buffering) as stream:
            write(stream)
        assert gzip.decompress(path.read_bytes()) == CBOR
        with open(path, "rb") as stream:
            assert read(stream) == (CBOR, "cbor")
    assert read(path) == (CBOR, "cbor")


@pytest.mark.parametrize(
    "kind",
    [tempfile.TemporaryFile, tempfile.NamedTemporaryFile, tempfile.SpooledTemporaryFile],
)
@pytest.mark.parametrize("options", [{}, {"mode": "w+", "encoding": "utf-8"}])
def test_temporary_files_of_all_kinds(kind: Callable[..., Any], options: dict[str, str]) -> None:
    with kind(**options) as stream:
        write(stream, "json")
        stream.seek(0)
        assert read(stream) == (TEXT if options else RAW, "json")


def test_an_entry_of_a_zip_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        with archive.open("a.json", "w") as stream:
            write(stream, "json")
        with archive.open("b.cbor", "w") as stream:
            write(stream, "cbor")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        with archive.open("a.json") as entry:
            assert read(entry) == (RAW, "json")
        assert read(zipfile.Path(archive, "b.cbor").open("rb")) == (CBOR, "cbor")


# --- file objects that are not from the standard library


class Sink:
    """A file object that says nothing about itself."""

    def __init__(self, takes: type, answer: Any = None) -> None:
        self.takes, self.answer, self.got = takes, answer, []

    def write(self, data: Any) -> Any:
        if not isinstance(data, (self.takes, memoryview)):
            raise TypeError(f"not {type(data)}")
        self.got.append(data)
        return self.answer


@pytest.mark.parametrize("takes", [str, bytes])
@pytest.mark.parametrize("answer", [None, "ok", True, -1, 10**9])
def test_an_object_that_only_has_write_gets_what_it_takes(takes: type, answer: Any) -> None:
    sink = Sink(takes, answer)
    write(sink, "json")
    assert sink.got == [TEXT if takes is str else RAW]


def test_an_object_that_only_has_write_gets_binary_formats_as_bytes() -> None:
    sink = Sink(bytes)
    write(sink, "cbor")
    assert sink.got == [CBOR]
    with pytest.raises(TypeError):
        write(Sink(str), "cbor")


class Trickle(io.RawIOBase):
    """A raw file that takes and gives a few bytes at a time, as pipes and sockets may."""

    def __init__(self, data: bytes = b"", most: int = 3) -> None:
        self.data, self.most, self.got = data, most, b""

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece, self.data = self.data[: self.most], self.data[self.most :]
        buffer[: len(piece)] = piece
        return len(piece)

    def write(self, data: Any) -> int:
        piece = bytes(data[: self.most])
        self.got += piece
        return len(piece)


@given(st.binary(max_size=50).filter(lambda data: not is_packed(data)), st.integers(1, 60))
def test_raw_files_that_take_or_give_a_part_are_written_and_read_whole(
    data: bytes, most: int
) -> None:
    stream = Trickle(most=most)
    write_destination(stream, lambda *_: data, "cbor", limits=LIMITS)
    assert stream.got == data
    assert read_source(Trickle(data, most), "cbor", LIMITS)[0] == data
    assert read_source(Trickle(data, most), "cbor", Limits(bytes=50))[0] == data


def test_the_root_folder_is_named_as_what_it_is() -> None:
    with pytest.raises(UnknownFormatError, match="a file named '/'"):
        write_destination("/", lambda *_: b"", None)


def test_a_raw_file_that_takes_nothing_is_an_error() -> None:
    with pytest.raises(DumpError, match="took 0 of 4 bytes"):
        write(Trickle(most=0), "cbor")


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_read_may_give_other_kinds_of_bytes(kind: Any) -> None:
    class Source:
        def read(self) -> Any:
            return kind(RAW)

    assert read(Source()) == (RAW, "json")


@pytest.mark.parametrize("given", [3, [b"{}"], object()])
def test_read_that_gives_something_else_is_a_type_error(given: Any) -> None:
    class Source:
        def read(self) -> Any:
            return given

    with pytest.raises(TypeError, match=r"read\(\) returned"):
        read(Source())


def test_streams_that_cannot_seek_are_read() -> None:
    first, second = socket.socketpair()
    with first, second:
        first.sendall(RAW)
        first.shutdown(socket.SHUT_WR)
        with second.makefile("rb") as stream:
            assert read(stream) == (RAW, "json")


@posix
@pytest.mark.parametrize("mode", ["rb", "r"])
@pytest.mark.parametrize("buffering", [0, -1])
@pytest.mark.parametrize("sent", [b"", b'{"half":'])
def test_a_source_that_has_not_all_its_data_yet_is_not_at_its_end(
    mode: str, buffering: int, sent: bytes
) -> None:
    if mode == "r" and buffering == 0:
        pytest.skip("text is always buffered")
    first, second = os.pipe()
    os.set_blocking(first, False)
    os.write(second, sent)
    try:
        with open(first, mode, buffering=buffering) as stream:
            with pytest.raises(LoadError, match="non-blocking") as caught:
                read(stream)
            assert "set_blocking" in (caught.value.hint or "")
    finally:
        os.close(second)


@posix
def test_a_non_blocking_source_that_is_complete_is_read() -> None:
    first, second = os.pipe()
    os.set_blocking(first, False)
    os.write(second, RAW)
    os.close(second)
    with open(first, "rb") as stream:
        assert read(stream) == (RAW, "json")


@posix
@pytest.mark.parametrize("buffering", [0, -1])
def test_a_destination_that_would_block_is_an_error_not_a_loss(buffering: int) -> None:
    first, second = os.pipe()
    os.set_blocking(second, False)
    # what stays in the buffer has nowhere to go when the file is closed
    with suppress(BrokenPipeError), open(second, "wb", buffering=buffering) as stream:
        with pytest.raises(DumpError, match="non-blocking and took") as caught:
            write(stream, "cbor", content=bytes(10_000_000))
        os.close(first)
    assert "set_blocking" in (caught.value.hint or "")


@posix
def test_a_terminal_is_asked_once() -> None:
    class Terminal(io.StringIO):
        asked = 0

        def read(self, size: int | None = -1) -> str:
            self.asked += 1
            return super().read(size)

    stream = Terminal("[1]")
    assert read(stream) == ("[1]", "json")
    assert stream.asked == 1


# --- limits


def sources(tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "a.json").write_bytes(RAW)
    yield tmp_path / "a.json"
    yield io.BytesIO(RAW)
    yield io.StringIO("x" * len(RAW))
    yield Trickle(RAW)


def test_no_more_is_read_than_the_limit(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        assert len(read(source, "json", bytes=len(RAW))[0]) == len(RAW)
    for source in sources(tmp_path):
        with pytest.raises(LimitError, match=f"more than {len(RAW) - 1} bytes"):
            read(source, "json", bytes=len(RAW) - 1)


@posix
def test_a_source_without_end_is_stopped() -> None:
    with pytest.raises(LimitError):
        read("/dev/zero", "cbor", bytes=1 << 20)


def test_a_large_limit_costs_nothing(tmp_path: Path) -> None:
    for source in sources(tmp_path):
        assert len(read(source, "json", bytes=1 << 50)[0]) == len(RAW)


def test_the_limit_holds_for_what_is_decompressed(tmp_path: Path) -> None:
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'"' + b"a" * 10_000 + b'"'))
    assert len(read(path, bytes=10_002)[0]) == 10_002
    with pytest.raises(LimitError):
        read(path, bytes=10_001)


@given(st.binary(max_size=60), st.sampled_from([None, "json", "cbor", "pickle"]))
def test_any_bytes_are_data_or_a_mason_error(data: bytes, format: str | None) -> None:
    try:
        found, _ = read_source(io.BytesIO(data), format, LIMITS)
    except (LoadError, UnknownFormatError):
        return
    assert isinstance(found, bytes)


def test_pathlib_and_os_paths_of_bytes(tmp_path: Path) -> None:
    class Bytes:
        def __fspath__(self) -> bytes:
            return os.fsencode(tmp_path / "a.json")

    write(Bytes())
    assert read(Bytes()) == read(pathlib.Path(tmp_path / "a.json")) == (RAW, "json")
