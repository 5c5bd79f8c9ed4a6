from __future__ import annotations

import bz2
import gzip
import importlib.util
import lzma
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mason.compression import COMPRESSIONS, pack, require, unpack
from mason.errors import DumpError, LimitError, LoadError
from mason.limits import Limits

HAS_ZSTD = sys.version_info >= (3, 14) or importlib.util.find_spec("zstandard") is not None
KINDS = [".gz", ".bz2", ".xz", *([".zst"] if HAS_ZSTD else [])]
LIMITS = Limits()
FREE = Limits(inflated=None)

each_kind = pytest.mark.parametrize("kind", KINDS)


@each_kind
@given(data=st.binary(max_size=2000))
def test_what_is_packed_is_unpacked(kind: str, data: bytes) -> None:
    packed = pack(data, kind, LIMITS)
    assert packed != data
    assert unpack(packed, kind, LIMITS) == data
    assert unpack(packed, "", LIMITS) == data  # the content says it


def test_without_a_suffix_data_stays_as_it_is() -> None:
    assert pack(b"{}", "", LIMITS) == unpack(b"{}", "", LIMITS) == b"{}"


@pytest.mark.parametrize(
    ("kind", "read"), [(".gz", gzip.decompress), (".bz2", bz2.decompress), (".xz", lzma.decompress)]
)
def test_others_read_what_is_packed(kind: str, read: Callable[[bytes], bytes]) -> None:
    assert read(pack(b"[1]" * 99, kind, LIMITS)) == b"[1]" * 99


@each_kind
def test_the_same_data_gives_the_same_bytes(kind: str) -> None:
    first = pack(b"[1]", kind, LIMITS)
    assert pack(b"[1]", kind, LIMITS) == first
    if kind == ".gz":
        assert first[4:8] == bytes(4)  # where gzip puts the time


@each_kind
def test_files_of_several_members_are_read_to_the_end(kind: str) -> None:
    members = [b"", b"[1,", b"2" * 100_000, b"", b"]"]
    data = b"".join(pack(member, kind, LIMITS) for member in members)
    assert unpack(data, kind, LIMITS) == b"".join(members)


@pytest.mark.parametrize("kind", [".gz", ".xz"])
def test_zeros_may_follow(kind: str) -> None:
    data = pack(b"[1]", kind, LIMITS)
    assert unpack(data + bytes(512), kind, LIMITS) == b"[1]"
    assert unpack(data + bytes(512) + data, kind, LIMITS) == b"[1][1]"


@each_kind
@pytest.mark.parametrize("junk", [b"x", b"junk" * 500])
def test_nothing_else_may_follow(kind: str, junk: bytes) -> None:
    with pytest.raises(LoadError, match=r"damaged|cut short"):
        unpack(pack(b"[1]", kind, LIMITS) + junk, kind, LIMITS)


@each_kind
def test_data_cut_at_any_byte_is_an_error(kind: str) -> None:
    data = pack(bytes(range(256)) * 3, kind, LIMITS)
    for end in range(len(data)):
        with pytest.raises(LoadError, match=r"cut short|damaged|not .* data"):
            unpack(data[:end], kind, LIMITS)


@each_kind
@given(st.data())
def test_damaged_data_is_an_error_or_what_it_was(kind: str, data: st.DataObject) -> None:
    content = b'{"key": [1, 2, 3]}' * 20
    packed = bytearray(pack(content, kind, LIMITS))
    position = data.draw(st.integers(0, len(packed) - 1))
    packed[position] ^= data.draw(st.integers(1, 255))
    try:
        found = unpack(bytes(packed), kind, LIMITS)
    except LoadError:
        return
    assert found == content  # bits that say nothing of the content: the time, the system


@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_any_bytes_behind_the_magic_give_data_or_a_load_error(kind: str, rest: bytes) -> None:
    magic = pack(b"", kind, LIMITS)[: 10 if kind == ".bz2" else 6]
    try:
        unpack(magic + rest, kind, LIMITS)
    except LoadError:
        pass


@each_kind
def test_the_name_demands_what_the_content_is_not(kind: str) -> None:
    with pytest.raises(LoadError, match=f"ends in {kind}, and the content is not"):
        unpack(b'{"a": 1}', kind, LIMITS)


# --- bombs


def bomb(kind: str, size: int) -> bytes:
    zeros = bytes(1 << 20)
    return pack(zeros * (size >> 20), kind, FREE)


@each_kind
def test_data_that_inflates_too_far_is_given_up_early(kind: str) -> None:
    limits = Limits(inflated=1 << 20, ratio=2)
    data = bomb(kind, 256 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(LimitError, match=r"more than 1,048,576 bytes|more than") as caught:
            unpack(data, kind, limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "limits=" in (caught.value.hint or "")
    assert peak < 48 << 20


@each_kind
def test_many_members_are_bounded_together(kind: str) -> None:
    member = bomb(kind, 1 << 20)
    limits = Limits(inflated=3 << 20, ratio=0)
    assert len(unpack(member * 3, kind, limits)) == 3 << 20
    with pytest.raises(LimitError):
        unpack(member * 4, kind, limits)


@each_kind
def test_the_bound_is_exact(kind: str) -> None:
    data = b"a" * 5000
    packed = pack(data, kind, LIMITS)
    assert unpack(packed, kind, Limits(inflated=5000, ratio=0)) == data
    with pytest.raises(LimitError):
        unpack(packed, kind, Limits(inflated=4999, ratio=0))
    assert unpack(packed, kind, Limits(inflated=0, ratio=5000 / len(packed) + 1e-9)) == data
    with pytest.raises(LimitError):
        unpack(packed, kind, Limits(inflated=0, ratio=4998 / len(packed)))
    assert unpack(packed, kind, Limits(inflated=0, ratio=None)) == data
    with pytest.raises(LimitError):
        unpack(packed, kind, Limits(bytes=4999))


@each_kind
def test_dumping_refuses_what_loading_would(kind: str) -> None:
    strict = Limits(inflated=1000, ratio=3)
    with pytest.raises(DumpError, match="which loading refuses") as caught:
        pack(bytes(100_000), kind, strict)
    assert "limits=" in (caught.value.hint or "")
    packed = pack(bytes(100_000), kind, LIMITS)
    assert unpack(packed, kind, LIMITS) == bytes(100_000)


def test_an_xz_header_cannot_ask_for_gigabytes() -> None:
    # LZMA2 with a dictionary of 4 GiB - 1, the most that the format has
    header = b"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46"
    block = b"\x02\x00\x21\x01\x28\x00\x00\x00"
    data = header + block + zlib.crc32(block).to_bytes(4, "little") + bytes(64)
    with pytest.raises(LoadError, match=r"[Mm]emory usage limit"):
        unpack(data, ".xz", LIMITS)


@each_kind
@pytest.mark.uninstrumented
def test_many_small_members_take_linear_time(kind: str) -> None:
    member = pack(b"a", kind, LIMITS)

    def seconds(count: int) -> float:
        data = member * count
        start = time.process_time()
        assert len(unpack(data, kind, LIMITS)) == count
        return time.process_time() - start

    few, many = min(seconds(500) for _ in range(5)), min(seconds(8000) for _ in range(3))
    assert many < few * 16 * 5  # quadratic: 256 times


# --- modules that may be missing


def test_a_missing_module_is_said_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    with pytest.raises(DumpError, match="no module for zstandard") as caught:
        require(".zst", DumpError)
    assert "pip install zstandard" in (caught.value.hint or "")
    with pytest.raises(LoadError, match="no module for zstandard"):
        unpack(b"\x28\xb5\x2f\xfd....", "", LIMITS)


@pytest.mark.parametrize("kind", ["", ".gz", ".bz2", ".xz"])
def test_the_others_are_always_there(kind: str) -> None:
    require(kind, DumpError)


def test_every_magic_is_that_of_real_data() -> None:
    for kind in KINDS:
        for content in (b"", b"abc"):
            packed = pack(content, kind, LIMITS)
            assert [k for k, c in COMPRESSIONS.items() if packed.startswith(c.magic)] == [kind]
