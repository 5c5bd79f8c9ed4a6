"""Which format a document has: what its name says, and what its content proves.

Strategy: only JSON texts, arrays, maps, tags and pickles are told apart by how they begin. Every
other CBOR item says by its head how long it is, and a document is exactly one item, so `{"a":1}`
can be no CBOR and `(lp0` no CBOR either. What remains valid in two formats (`b"5"` is JSON 5 and
CBOR -22) is an error, not a guess.
"""

from __future__ import annotations

import os
import re
from typing import Any, Literal, TypeAlias, cast, get_args

from mason.errors import JSONError, LoadError, UnknownFormatError, load_error, shown

Format: TypeAlias = Literal["json", "cbor", "pickle"]
Bytes: TypeAlias = bytes | bytearray | memoryview

_SUFFIXES: dict[str, Format] = {
    ".json": "json",
    ".cbor": "cbor",
    ".pkl": "pickle",
    ".pickle": "pickle",
}
_PACKED = (".gz", ".bz2", ".xz", ".zst")
# CBOR's arrays, maps and tags with their count or number in the first byte; 0x80 begins pickles
_COUNTED = frozenset(bytes([major << 5 | low]) for major in (4, 5, 6) for low in range(24)) - {
    b"\x80"
}


def suffixes(name: str) -> tuple[Format | None, str]:
    """Return the format that a name says, and the suffix of its compression."""
    name, packing = os.path.basename(name).lower(), ""
    stem, suffix = os.path.splitext(name)
    if suffix in _PACKED:
        stem, suffix, packing = *os.path.splitext(stem), suffix
    return _SUFFIXES.get(suffix), packing


def check_format(format: str | None) -> None:
    """Raise `UnknownFormatError` for a format that mason does not have."""
    if format is not None and format not in get_args(Format):
        known = ", ".join(get_args(Format))
        raise UnknownFormatError(
            f"no format is called {shown(str(format))!r}", hint=f"formats: {known}"
        )


def recognise(
    data: bytes | bytearray | memoryview | str,
    format: str | None = None,
    prefer: Format | None = None,
) -> Format:
    """Return the format of a document: `format`, or what the content proves.

    `prefer` decides where it could be two; only bare numbers of up to three bytes and a few
    contrived texts are valid in two formats. Raises `UnknownFormatError` where the content could be
    two formats (`b"5"` is JSON 5 and CBOR -22) or none, a `LoadError` for text that is to be binary
    and for JSON in another encoding than UTF-8.
    """
    check_format(format)
    if isinstance(data, str) and format not in (None, "json"):
        message = f"{format} is binary, and the source gives text"
        raise LoadError(message, hint="open it with mode 'rb'")
    possible: list[str] = (
        [format] if format else ["json"] if isinstance(data, str) else readings(data)
    )
    if possible in (["json"], []):
        _check_encoding(data)
    if not len(data) and not format:
        raise UnknownFormatError("the source is empty")
    if prefer in possible:
        return prefer
    if len(possible) != 1:
        what = f"can be {' or '.join(possible)}" if possible else "is not JSON, CBOR or pickle"
        hint = 'format="json" tells where it stops being JSON'
        if possible:
            hint = f'say it: format="{possible[0]}"'
        raise UnknownFormatError(f"cannot tell the format: the content {what}", hint=hint)
    return cast(Format, possible[0])


def format_of(data: str | Bytes, format: Format | None) -> Format:
    """Return the format of a document in memory, at a glance where that is enough.

    Raises TypeError for what is neither str nor bytes; else as `recognise`.
    """
    if format is None or format == "json":
        if isinstance(data, str):
            return "json"
        if isinstance(data, bytes) and len(data) > 1 and data[0] in b"[{" and data[1] > 0x20:
            return "json"  # in CBOR an impossible length would follow
    if (format is None or format == "cbor") and isinstance(data, bytes) and data[:1] in _COUNTED:
        return "cbor"  # no text begins so, and no pickle
    found: Any = data  # what callers pass is not always what the annotation says
    if isinstance(found, str | bytes | bytearray | memoryview):
        return recognise(found, format)
    more = ""
    if hasattr(found, "read") or hasattr(found, "__fspath__"):
        more = " (files and paths: mason.load and mason.read)"
    raise TypeError(f"a document in memory is str or bytes, not {type(found).__name__}{more}")


def explain(error: JSONError, data: str | Bytes, call: str) -> None:
    """Say more of a text that is no JSON from its first character on, where the mistake is known.

    It is looked at now, not before: every text that is JSON would pay for it.
    """
    if not isinstance(data, str) or error.offset != 0:
        return
    if data.startswith("\ufeff"):
        try:
            recognise(data, "json")
        except LoadError as better:
            raise better from None
    if "\n" not in data and suffixes(data) != (None, ""):
        error.hint = f"if it is the name of a file: mason.{call}({shown(data)!r})"


def readings(data: bytes | bytearray | memoryview) -> list[str]:
    """Return the formats that data may be in, by how it begins, ends and how long it is."""
    head, last, size = bytes(data[:64]), bytes(data[-1:]), len(data)
    answers = {
        "json": _may_be_json(head, size),
        "cbor": _may_be_cbor(head, size),
        "pickle": _may_be_pickle(head, last),
    }
    return [format for format, possible in answers.items() if possible]


def _may_be_json(head: bytes, size: int) -> bool:
    text = head.lstrip(b" \t\r\n")
    if text[:1] in (b"{", b"[", b'"'):
        if len(text) == 1:
            return text != b'"' or size > 1
        return text[1] >= 0x20 or text[1] in b"\t\r\n"  # in CBOR the bytes of a length follow
    if size <= len(head):
        return re.fullmatch(rb"true\s*|false\s*|null\s*|-?[0-9][0-9.eE+-]*\s*", text) is not None
    return re.match(rb"-?[0-9]|(true|false|null)\s", text) is not None or not text


def _may_be_cbor(head: bytes, size: int) -> bool:
    """Tell whether the first item may be the whole; only arrays, maps and tags do not say."""
    if not head:
        return False
    major, low = head[0] >> 5, head[0] & 31
    if low in (28, 29, 30) or (low == 31 and major not in (2, 3, 4, 5)):
        return False
    if low == 31:
        return True
    extra = 1 << (low - 24) if low >= 24 else 0
    if major in (4, 5, 6):
        return not _may_be_pickle(head, b"") and size >= 1 + extra
    length = int.from_bytes(head[1 : 1 + extra], "big") if extra else low
    return size == 1 + extra + (length if major in (2, 3) else 0)


def _may_be_pickle(head: bytes, last: bytes) -> bool:
    if head[:1] == b"\x80":  # from protocol 2 on; CBOR's empty array has nothing behind it
        return len(head) > 1 and head[1] <= 5
    return last == b"." and len(head) > 1 and head[:1] in b"()]}ILFSVNcKJMGXUT"


def _check_encoding(data: bytes | bytearray | memoryview | str) -> None:
    """Refuse JSON that is not plain UTF-8 (RFC 8259, section 8.1), naming what it looks like."""
    if isinstance(data, str):
        encoding = "utf-8-sig" if data[:1] == "\ufeff" else None
    else:
        encoding = _encoding(bytes(data[:4]))
    if encoding is not None:
        what = "UTF-8 with a byte order mark" if encoding == "utf-8-sig" else encoding.upper()
        way = f'mason.loads(data.decode("{encoding}"))'
        if isinstance(data, str):
            way = f'open the file with encoding="{encoding}"'
        hint = f"JSON is UTF-8 without a byte order mark (RFC 8259): {way}"
        raise load_error("syntax", f"this looks like {what}", hint, 0, None, data)


def _encoding(head: bytes) -> str | None:
    """Name the encoding of JSON that is not plain UTF-8; it begins with two ASCII characters."""
    if head[:3] == b"\xef\xbb\xbf":
        return "utf-8-sig"
    if head in (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff"):
        return "utf-32"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    zeros = tuple(byte == 0 for byte in head)
    return {
        (True, True, True, False): "utf-32-be",
        (False, True, True, True): "utf-32-le",
        (True, False, True, False): "utf-16-be",
        (False, True, False, True): "utf-16-le",
        (True, False): "utf-16-be",
        (False, True): "utf-16-le",
    }.get(zeros)
