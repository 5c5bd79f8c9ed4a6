"""Arrays in an inert tree: lists of numbers, bytes, `array.array`, and the typed arrays of CBOR.

Strategy: whatever is an array of numbers becomes its shape, its dtype and one flat sequence, by the
standard library's `struct`; nothing is looked at deeper than `_MOST_DIMENSIONS`. Two arrays are
compared element by element, bit by bit or within a tolerance, into one summary.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from mason.document import Record, Tag

FEWEST = 16  # numbers; shorter lists are compared as lists
_MOST_DIMENSIONS = 8
_FIRST = 3  # differences that are shown
_BLOCK = 4096  # elements compared at once while they are equal

# RFC 8746, section 2: tag -> dtype, format of struct
_TYPED = {
    64: ("uint8", ">B"), 65: ("uint16", ">H"), 66: ("uint32", ">I"), 67: ("uint64", ">Q"),
    68: ("uint8", ">B"), 69: ("uint16", "<H"), 70: ("uint32", "<I"), 71: ("uint64", "<Q"),
    72: ("int8", ">b"), 73: ("int16", ">h"), 74: ("int32", ">i"), 75: ("int64", ">q"),
    77: ("int16", "<h"), 78: ("int32", "<i"), 79: ("int64", "<q"),
    80: ("float16", ">e"), 81: ("float32", ">f"), 82: ("float64", ">d"),
    84: ("float16", "<e"), 85: ("float32", "<f"), 86: ("float64", "<d"),
}  # fmt: skip
_ROW_MAJOR, _COLUMN_MAJOR, _HOMOGENEOUS = 40, 1040, 41
_CODES = {
    "b": "int8", "B": "uint8", "h": "int16", "H": "uint16", "i": "int32", "I": "uint32",
    "l": "int64", "L": "uint64", "q": "int64", "Q": "uint64", "f": "float32", "d": "float64",
}  # fmt: skip


class Array(NamedTuple):
    """Hold an array: `flat` has its elements in the order of rows, or of columns."""

    dtype: str
    shape: tuple[int, ...]
    flat: Sequence[Any]
    by_columns: bool = False

    def __str__(self) -> str:
        return f"{self.dtype} [{', '.join(map(str, self.shape))}]"

    def place(self, at: int) -> list[int]:
        """Return the indices of the element at a place in `flat`."""
        indices = []
        for size in self.shape if self.by_columns else reversed(self.shape):
            at, index = divmod(at, size)
            indices.append(index)
        return indices if self.by_columns else indices[::-1]


class Tolerance(NamedTuple):
    """Hold how much floats may differ: `abs(a - b) <= atol + rtol * abs(b)`, as in numpy."""

    rtol: float = 0.0
    atol: float = 0.0

    def allows(self, a: Any, b: Any) -> bool:
        """Tell whether two numbers are close; only floats and complex numbers are."""
        if type(a) is not type(b) or type(a) not in (float, complex) or not any(self):
            return False
        if not (_is_finite(a) and _is_finite(b)):
            return bool(a == b)
        try:
            return bool(abs(a - b) <= self.atol + self.rtol * abs(b))
        except OverflowError:  # the absolute value of a complex number
            return False


def as_array(value: Any, shared: set[int]) -> Array | None:
    """Return an array of numbers or bytes as one; None for whatever else.

    A row that `shared` holds by its id is an object of its own: what holds it is no array.
    """
    kind = type(value)
    if kind in (bytes, bytearray):
        return Array("bytes", (len(value),), value)
    if kind is list or kind is tuple:
        return _rectangular(value, shared)
    if kind is Tag:
        return _tagged(value)
    return _array_record(value) if kind is Record else None


def _rectangular(value: Any, shared: set[int]) -> Array | None:
    shape = [len(value)]
    level: Sequence[Any] = value
    while level and type(level[0]) in (list, tuple):
        kind, size = type(level[0]), len(level[0])
        regular = all(
            type(row) is kind and len(row) == size and id(row) not in shared for row in level
        )
        if not regular or len(shape) == _MOST_DIMENSIONS:
            return None
        shape.append(size)
        level = list(chain.from_iterable(level))
    dtype = _dtype(level)
    return Array(dtype, tuple(shape), level) if dtype else None


def _dtype(flat: Sequence[Any]) -> str:
    """Return what all elements are, "" where that is no number."""
    kinds = set(map(type, flat))
    if kinds == {int, float}:
        return "int and float"
    return kinds.pop().__name__ if len(kinds) == 1 and kinds <= {int, float, bool, complex} else ""


def _array_record(record: Record) -> Array | None:
    """Return the content of an `array.array`."""
    items = record.items
    code, flat = items.get("$new"), items.get("$list")
    if record.name != "array:array" or type(code) is not list or type(flat) is not list:
        return None
    if items.keys() != {"$new", "$list"} or len(code) != 1 or type(code[0]) is not str:
        return None
    dtype = _CODES.get(code[0])
    return Array(dtype, (len(flat),), flat) if dtype and _dtype(flat) in ("int", "float") else None


def _tagged(tag: Tag) -> Array | None:
    """Return the array that tags of RFC 8746 say."""
    if tag.number not in (_ROW_MAJOR, _COLUMN_MAJOR):
        return _typed(tag)
    held = tag.value
    if type(held) is not list or len(held) != 2 or type(held[0]) is not list:
        return None
    sizes, content = held
    array = _typed(content)
    if array is None or not all(type(size) is int and size > 0 for size in sizes):
        return None
    if not 0 < len(sizes) <= _MOST_DIMENSIONS or math.prod(sizes) != len(array.flat):
        return None
    return Array(array.dtype, tuple(sizes), array.flat, tag.number == _COLUMN_MAJOR)


def _typed(value: Any) -> Array | None:
    if type(value) is Tag and value.number == _HOMOGENEOUS:
        value = value.value
    if type(value) is list:
        dtype = _dtype(value)
        return Array(dtype, (len(value),), value) if dtype else None
    if type(value) is not Tag or value.number not in _TYPED or type(value.value) is not bytes:
        return None
    dtype, format = _TYPED[value.number]
    count, rest = divmod(len(value.value), struct.calcsize(format))
    if rest:
        return None
    flat = struct.unpack(f"{format[0]}{count}{format[1]}", value.value)
    return Array(dtype, (count,), flat)


# --- comparing two


def summary(a: Array, b: Array, tolerance: Tolerance) -> dict[str, Any] | None:
    """Return how two arrays differ, as plain data; None when they do not."""
    detail: dict[str, Any] = {
        "dtype": [a.dtype, b.dtype],
        "shape": [list(a.shape), list(b.shape)],
        "differ": None,
        "size": len(a.flat),
    }
    if a.shape == b.shape and a.by_columns == b.by_columns:
        detail |= _elements(a, b, tolerance)
        if a.dtype == b.dtype and not detail["differ"]:
            return None
    return detail


def _elements(a: Array, b: Array, tolerance: Tolerance) -> dict[str, Any]:
    count = 0
    first: list[dict[str, Any]] = []
    absolute, relative = (-1.0, -1), (-1.0, -1)  # each with where
    alike = a.dtype == b.dtype
    for at, x, y in _unequal(a.flat, b.flat):
        if (not alike and x == y) or tolerance.allows(x, y):
            continue
        count += 1
        if len(first) < _FIRST:
            first.append(_shown(a, at, x, y))
        apart = _distance(x, y)
        if apart > absolute[0]:
            absolute = apart, at
        share = _share(apart, y)
        if share > relative[0]:
            relative = share, at
    found: dict[str, Any] = {"differ": count, "first": first}
    for name, (apart, at) in (("largest_absolute", absolute), ("largest_relative", relative)):
        known = at >= 0 and a.dtype != "bytes"
        found[name] = (
            {"difference": plain(apart), **_shown(a, at, a.flat[at], b.flat[at])} if known else None
        )
    return found


def _unequal(xs: Sequence[Any], ys: Sequence[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Give the elements that are not the same bit by bit."""
    raw = type(xs) in (bytes, bytearray)
    for start in range(0, len(xs), _BLOCK):
        left, right = xs[start : start + _BLOCK], ys[start : start + _BLOCK]
        if raw and left == right:
            continue
        for at, (x, y) in enumerate(zip(left, right, strict=True), start):
            if x is not y and not _same(x, y):
                yield at, x, y


def _same(x: Any, y: Any) -> bool:
    if type(x) is not type(y):
        return False
    if x == y:
        return bool(x) or type(x) is int or repr(x) == repr(y)  # 0.0 and -0.0 are two
    return bool(x != x and y != y) and _bits(x) == _bits(y)


def _bits(number: Any) -> bytes:
    parts = (number.real, number.imag) if type(number) is complex else (number,)
    return struct.pack(f"{len(parts)}d", *parts)


def _distance(x: Any, y: Any) -> float:
    try:
        apart = float(abs(x - y))
    except (OverflowError, ValueError):  # ints beyond floats
        return math.inf
    return apart if apart == apart else -1.0  # of a NaN there is none


def _share(apart: float, of: Any) -> float:
    try:
        return float(apart / abs(of)) if of else -1.0
    except OverflowError:
        return -1.0


def _is_finite(number: Any) -> bool:
    parts = (number.real, number.imag) if type(number) is complex else (number,)
    return all(map(math.isfinite, parts))


def _shown(array: Array, at: int, x: Any, y: Any) -> dict[str, Any]:
    return {"at": array.place(at), "a": plain(x), "b": plain(y)}


def plain(number: Any) -> Any:
    """Return a number as JSON can hold it: a text for what is not finite, complex, or huge."""
    if type(number) is bool or (type(number) is int and number.bit_length() <= 64):
        return number
    if type(number) is int:
        return f"int of {number.bit_length()} bits"
    return number if type(number) is float and math.isfinite(number) else str(number)
