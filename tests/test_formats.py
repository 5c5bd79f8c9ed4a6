from __future__ import annotations

import json
import pickle
import struct
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mason.errors import JSONError, LoadError, MasonError, UnknownFormatError
from mason.formats import readings, recognise, suffixes

plain: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def head(major: int, number: int) -> bytes:
    for low, size in ((24, ">B"), (25, ">H"), (26, ">I")):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << (8 << (low - 24)):
            return bytes([major << 5 | low]) + struct.pack(size, number)
    return bytes([major << 5 | 27]) + struct.pack(">Q", number)


def cbor(value: Any) -> bytes:
    """A writer of a few lines, for values without tags."""
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        raw = value if value >= 0 else -1 - value
        size = max(1, (raw.bit_length() + 7) // 8)
        if size <= 8:
            return head(0 if value >= 0 else 1, raw)
        return bytes([0xC2 + (value < 0)]) + head(2, size) + raw.to_bytes(size, "big")
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


@pytest.mark.parametrize(
    ("name", "format", "packing"),
    [
        ("a.json", "json", ""),
        ("a.cbor", "cbor", ""),
        ("a.pkl", "pickle", ""),
        ("a.pickle", "pickle", ""),
        ("DIR/A.JSON", "json", ""),
        ("a.json.gz", "json", ".gz"),
        ("a.cbor.bz2", "cbor", ".bz2"),
        ("a.pkl.xz", "pickle", ".xz"),
        ("a.json.ZST", "json", ".zst"),
        ("a.gz", None, ".gz"),
        ("a.txt", None, ""),
        ("a.txt.gz", None, ".gz"),
        ("a.json/b", None, ""),
        (".json", None, ""),
        ("", None, ""),
        ("<stdin>", None, ""),
    ],
)
def test_a_name_says_format_and_compression(name: str, format: str | None, packing: str) -> None:
    assert suffixes(name) == (format, packing)


@given(plain, st.sampled_from([None, 1]), st.text(" \t\r\n", max_size=3))
def test_json_is_recognised(value: Any, indent: int | None, space: str) -> None:
    data = (space + json.dumps(value, ensure_ascii=False, indent=indent) + space).encode()
    assert "json" in readings(data)
    if readings(data) == ["json"]:
        assert recognise(data) == "json"
    else:  # a bare number of up to three bytes
        assert len(data) <= 3 and data.strip().lstrip(b"-")[:1].isdigit()
        assert recognise(data, prefer="json") == "json"


@given(plain | st.binary(max_size=300))
def test_cbor_is_recognised(value: Any) -> None:
    data = cbor(value)
    assert "cbor" in readings(data)
    if readings(data) != ["cbor"]:
        # a short negative number that looks like digits
        assert type(value) is int and -1 - 0x3939 <= value < 0
        assert recognise(data, prefer="cbor") == "cbor"


@given(plain | st.sets(st.integers()), st.integers(0, 5))
def test_pickles_are_recognised(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    assert "pickle" in readings(data)
    if readings(data) != ["pickle"]:
        # short numbers of the oldest protocol are CBOR strings, too: b"I-100000\n.", b"F0.25\n."
        assert protocol == 0 and data[0] & 0x1F == len(data) - 1
        assert recognise(data, prefer="pickle") == "pickle"


@pytest.mark.parametrize("data", [b"cos\nsystem\n(S'id'\ntR.", b"(lp0\n.", b"]q\x00.", b"I5\n."])
def test_hand_written_pickles_are_recognised(data: bytes) -> None:
    assert recognise(data) == "pickle"


@pytest.mark.parametrize(
    ("data", "two"),
    [
        (b"5", "json or cbor"),
        (b"80", "json or cbor"),
        (b"912", "json or cbor"),
        (b"I-100000\n.", "cbor or pickle"),
    ],
)
def test_what_could_be_two_formats_is_not_guessed(data: bytes, two: str) -> None:
    with pytest.raises(UnknownFormatError, match=two) as caught:
        recognise(data)
    assert "format=" in (caught.value.hint or "")
    assert recognise(data, "json") == "json"
    assert recognise(data, "cbor") == "cbor"
    first, _, second = two.split()
    assert recognise(data, prefer=cast(Any, first)) == first
    assert recognise(data, prefer=cast(Any, second)) == second


def test_a_preference_decides_nothing_that_is_certain() -> None:
    assert recognise(b"[5]", prefer="cbor") == "json"
    assert recognise(b"\x81\x05", prefer="json") == "cbor"


@pytest.mark.parametrize(
    "data",
    [
        b"[",
        b"{",
        b'{"a',
        b"[1, }",
        b"{a: 1}",
        b'"abc',
        b"truest of all, and longer than a head" * 4,
    ],
)
def test_broken_json_is_left_to_the_reader_that_can_say_where(data: bytes) -> None:
    if data.startswith(b"truest"):
        assert readings(data) == []
    else:
        assert recognise(data) == "json"


@pytest.mark.parametrize(
    "data",
    [b"hello", b"PK\x03\x04....", b"\xff", b"<html>", b"\x00\x01\x02\x03", b"\x1c", b"\xdf" * 9],
)
def test_what_is_nothing_known_is_said_so(data: bytes) -> None:
    with pytest.raises(UnknownFormatError, match="not JSON, CBOR or pickle"):
        recognise(data)


@pytest.mark.parametrize("data", [b"", ""])
def test_nothing_is_said_to_be_nothing(data: bytes | str) -> None:
    with pytest.raises(UnknownFormatError, match="empty"):
        recognise(data)
    assert recognise(data, "json") == "json"  # its reader says what is missing


@pytest.mark.parametrize("format", ["yaml", "JSON", "", 3])
def test_a_format_that_does_not_exist_is_refused(format: Any) -> None:
    with pytest.raises(UnknownFormatError, match="no format is called") as caught:
        recognise(b"{}", format)
    assert "json, cbor, pickle" in (caught.value.hint or "")


def test_text_is_json() -> None:
    assert recognise('{"a": 1}') == recognise("5") == recognise("hello") == "json"
    with pytest.raises(LoadError, match="cbor is binary"):
        recognise("a", "cbor")


@pytest.mark.parametrize("text", ['{"a": 1}', "[]", '"é"', "12", "true"])
@pytest.mark.parametrize(
    "encoding",
    ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"],
)
@pytest.mark.parametrize("format", [None, "json"])
def test_json_in_another_encoding_is_refused_by_name(
    text: str, encoding: str, format: str | None
) -> None:
    with pytest.raises(JSONError, match="this looks like") as caught:
        recognise(text.encode(encoding), format)
    assert "RFC 8259" in (caught.value.hint or "")
    assert caught.value.offset == 0


def test_a_byte_order_mark_in_a_text_is_refused() -> None:
    with pytest.raises(json.JSONDecodeError, match="byte order mark") as caught:
        recognise("\ufeff{}")
    assert 'encoding="utf-8-sig"' in str(caught.value)


@given(st.binary(max_size=40), st.sampled_from([None, "json", "cbor", "pickle"]))
def test_any_bytes_have_a_format_or_a_mason_error(data: bytes, format: str | None) -> None:
    try:
        found = recognise(data, format)
    except MasonError:
        return
    assert found == (format or found)
    assert recognise(memoryview(data), format) == recognise(bytearray(data), format) == found


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_no_document_of_three_bytes_is_taken_for_another(one: int, two: int, three: int) -> None:
    data = bytes([one, two, three])
    for value in _json(data):
        assert "json" in readings(data) or value != value
    if cbor_items(data) == 3:
        assert "cbor" in readings(data)


def _json(data: bytes) -> list[Any]:
    try:
        return [json.loads(data.decode("utf-8", "strict"), parse_constant=lambda _: {}[0])]
    except (ValueError, KeyError):
        return []


def cbor_items(data: bytes) -> int | None:
    """The length of the first item of the kinds that say their length."""
    major, low = data[0] >> 5, data[0] & 31
    if major in (4, 5, 6) or low > 27:
        return None
    extra = 1 << (low - 24) if low >= 24 else 0
    number = int.from_bytes(data[1 : 1 + extra], "big") if extra else low
    return 1 + extra + (number if major in (2, 3) else 0)
