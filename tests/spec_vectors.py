"""The vectors of spec/vectors: read from their files, and held against what mason reads.

The language of the trees is described in spec/vectors/README.md.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

VECTORS = Path(__file__).parent.parent / "spec" / "vectors"
Vector = dict[str, Any]


@cache
def in_file(name: str) -> tuple[Vector, ...]:
    """Return the vectors of a file."""
    return tuple(json.loads((VECTORS / f"{name}.json").read_bytes())["vectors"])


def params(*names: str, having: str = "name", lacking: str = "") -> list[Any]:
    """Return the vectors of files as parameters of a test."""
    return [
        pytest.param(vector, id=f"{name}: {vector['name']}")
        for name in names
        for vector in in_file(name)
        if having in vector and lacking not in vector
    ]


def expand(text: Any) -> str:
    """Return a text, written out where it is told by repetition."""
    if isinstance(text, str):
        return text
    return "".join(part * count for part, count in text["repeat"])


def texts(vector: Vector) -> list[str]:
    """Return all JSON spellings of a vector."""
    spellings = [vector[key] for key in ("json", "json_typed") if key in vector]
    return [expand(text) for text in spellings + vector.get("json_also", [])]


def binaries(vector: Vector) -> list[bytes]:
    """Return all CBOR spellings of a vector."""
    spellings = [vector["cbor"]] if "cbor" in vector else []
    return [bytes.fromhex(expand(text)) for text in spellings + vector.get("cbor_also", [])]


def parts(tree: Any) -> Iterator[Any]:
    """Go through a description."""
    line = [tree]
    while line:
        tree = line.pop()
        yield tree
        line += tree if isinstance(tree, list) else tree.values() if isinstance(tree, dict) else ()


def kinds(tree: Any) -> set[str]:
    """Return the kinds that a description names."""
    return {key for part in parts(tree) if isinstance(part, dict) for key in part}


def _names(tree: Any) -> list[tuple[str, str, str]]:
    dicts = [part for part in parts(tree) if isinstance(part, dict)]
    return [part[key].partition(":") for part in dicts for key in ("record", "name") if key in part]


def modules(tree: Any) -> set[str]:
    """Return the modules of the classes and functions that a description names."""
    return {module for module, _, _ in _names(tree)}


def classes(tree: Any, module: str) -> set[str]:
    """Return the classes and functions of a module that a description names."""
    return {name for home, _, name in _names(tree) if home == module}


def has_order(tree: Any) -> bool:
    """Tell whether there is one order to write a tree in: a set of several elements has none."""
    sets = (part for part in parts(tree) if isinstance(part, dict))
    return all(len(part.get(kind, ())) < 2 for part in sets for kind in ("set", "frozenset"))


# --- a description held against a value


@dataclass
class Met:
    """What was met so far: the shared values by number, and every container by identity."""

    numbers: dict[int, Any] = field(default_factory=dict)
    containers: dict[int, Any] = field(default_factory=dict)

    def copy(self) -> Met:
        return Met(dict(self.numbers), dict(self.containers))

    def take(self, other: Met) -> None:
        self.numbers, self.containers = other.numbers, other.containers


def difference(tree: Any, value: Any, met: Met | None = None, path: str = "$") -> str | None:
    """Return where and how a value is not what a description says; None where it is."""
    met = Met() if met is None else met
    if isinstance(tree, dict) and "same" in tree:
        same = met.numbers.get(tree["same"]) is value
        return None if same else f"{path}: not the shared value {tree['same']}"
    if isinstance(tree, dict) and "shared" in tree:
        if tree["shared"] in met.numbers:
            return f"{path}: the number {tree['shared']} is there twice"
        met.numbers[tree["shared"]] = value
        tree = tree["value"]
    kind = "list" if isinstance(tree, list) else next(iter(tree)) if isinstance(tree, dict) else ""
    if kind in CONTAINERS:
        return _container(kind, tree, value, met, path)
    expected, got = (tree[kind], kind) if kind else (tree, ""), describe(value)
    if kind == "text":
        expected = ("".join(tree["text"]), "plain")
    elif kind == "int":
        expected = (int(expand(tree["int"]), 0), "int")
        got = (value, "int") if type(value) is int else got
    elif kind in ("decimal", "fraction"):
        expected = (expand(tree[kind]), kind)
    elif not kind:
        expected = (tree, "plain")
    return None if _equal(expected, got) else f"{path}: {str(got)[:200]}, not {str(expected)[:200]}"


def _equal(one: tuple[Any, str], other: tuple[Any, str]) -> bool:
    return one == other and type(one[0]) is type(other[0])


def describe(value: Any) -> tuple[Any, str]:
    """Return the content and kind of an atom in the language of the trees."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value, "plain"
    if kind in ATOMS:
        return ATOMS[kind](value), kind.__name__.lower()
    return f"a {kind.__name__}", "other"


def _float(value: float) -> str:
    (bits,) = struct.unpack(">Q", struct.pack(">d", value))
    if value == value:
        return {"inf": "Infinity", "-inf": "-Infinity"}.get(repr(value), repr(value))
    return "NaN" if bits == 0x7FF8 << 48 else f"NaN({bits:016x})"


def _datetime(value: datetime) -> str:
    """Return the text of the notation, with a mark for what a plain text cannot say."""
    zone, text = value.tzinfo, value.isoformat() + ("?" if value.fold else "")
    if zone is None:
        return text
    if type(zone) is timezone:
        return text if str(zone) == str(timezone(zone.utcoffset(None))) else f"{text}?"
    return f"{text}[{getattr(zone, 'key', '?')}]"


ATOMS: dict[type, Any] = {
    float: _float,
    complex: lambda value: [_float(value.real), _float(value.imag)],
    bytes: bytes.hex,
    Decimal: str,
    Fraction: lambda value: f"{value.numerator}/{value.denominator}",
    datetime: _datetime,
    date: date.isoformat,
    time: lambda value: value.isoformat() + ("?" if value.fold else ""),
    timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    UUID: str,
}
CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "dict": dict,
    "set": set,
    "frozenset": frozenset,
    "bytearray": bytearray,
    "record": "Record",
    "tag": "Tag",
    "name": "Name",
    "simple": "Simple",
}


def _container(kind: str, tree: Any, value: Any, met: Met, path: str) -> str | None:
    expected = CONTAINERS[kind]
    if expected not in (type(value), type(value).__name__):
        return f"{path}: a {type(value).__name__}, not a {kind}"
    if not (kind in ("name", "simple") or (kind in ("tuple", "frozenset") and not value)):
        if id(value) in met.containers:
            return f"{path}: a {kind} that was met before"
        met.containers[id(value)] = value
    content = tree if kind == "list" else tree[kind]
    if kind == "bytearray":
        return None if value.hex() == content else f"{path}: {value!r}"
    if kind in ("name", "simple"):
        found = value.name if kind == "name" else value.number
        return None if found == content else f"{path}: {found!r}, not {content!r}"
    if kind in ("set", "frozenset"):
        return _set(content, list(value), met, path)
    if kind == "record":
        content = [content, tree["items"]]
    return _ordered(content, _contents(kind, value), met, path)


def _contents(kind: str, value: Any) -> list[Any]:
    """Return what a container holds, one beside the other as in its description."""
    if kind == "dict":
        return [[key, item] for key, item in value.items()]
    if kind == "tag":
        return [value.number, value.value]
    if kind == "record":
        return [value.name, [[key, item] for key, item in value.items.items()]]
    return list(value)


def _ordered(trees: list[Any], values: list[Any], met: Met, path: str) -> str | None:
    if len(trees) != len(values):
        return f"{path}: {len(values)} parts, not {len(trees)}"
    for index, (tree, value) in enumerate(zip(trees, values, strict=True)):
        if why := difference(tree, value, met, f"{path}[{index}]"):
            return why
    return None


def _set(trees: list[Any], values: list[Any], met: Met, path: str) -> str | None:
    """Match the elements in some order; what is shared may leave only one."""
    if not trees or len(trees) != len(values):
        return None if len(trees) == len(values) else f"{path}: {len(values)} elements"
    why = None
    for index, value in enumerate(values):
        attempt = met.copy()
        why = difference(trees[0], value, attempt, f"{path}{{{index}}}")
        why = why or _set(trees[1:], values[:index] + values[index + 1 :], attempt, path)
        if why is None:
            met.take(attempt)
            return None
    return why
