"""What a contender lost: the object that came back beside the one that went in.

Strategy: `mason.same` is the judge where it is there. Which mark is due, and the whole verdict
where it is not, is found by walking both objects side by side on an explicit stack: another type is
T, another value in the same type is W, another pattern of sharing is I. Atoms (numbers, text, dates
…) have no identity worth keeping.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any


def marks(original: Any, returned: Any) -> str:
    """Return "" when `returned` is the same as `original`, else what it lost: T, I, W."""
    same = _judge()
    if same is not None and same(original, returned):
        return ""
    found = "".join(sorted(set(_differences(original, returned)), key="TIW".index))
    return found or (
        "" if same is None else "W"
    )  # "W": the judge saw something that this walk did not


def _judge() -> Any:
    """Return `mason.same`, or None without it."""
    try:
        import mason
    except ImportError:
        return None
    return getattr(mason, "same", None)


def _differences(original: Any, returned: Any) -> Iterator[str]:
    """Yield a letter for every difference."""
    there: dict[int, int] = {}
    back: dict[int, int] = {}
    stack = [(original, returned)]
    while stack:
        left, right = stack.pop()
        if type(left) is not type(right):
            yield "T"
        parts = _parts(left)
        if parts is None:
            if type(left) is type(right) and not _equal(left, right):
                yield "W"
            continue
        if id(left) in there or id(right) in back:
            if there.get(id(left)) != id(right) or back.get(id(right)) != id(left):
                yield "I"
            if id(left) in there:
                continue
        there[id(left)], back[id(right)] = id(right), id(left)
        others = _parts(right)
        if others is None:
            continue
        if len(parts) != len(others):
            yield "W"
        stack.extend(zip(parts, others, strict=False))


def _parts(value: Any) -> list[Any] | None:
    """Return what `value` holds, in order, or None for an atom."""
    if isinstance(value, dict):
        return [part for item in value.items() for part in item]
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, enum.Enum):
        return None
    fields = _fields(value)
    return None if fields is None else [part for item in fields.items() for part in item]


def _fields(value: Any) -> dict[str, Any] | None:
    """Return the fields of an instance of one of our classes, or None for anything else."""
    if type(value).__module__ != "benchmarks.records":
        return None
    names = [*getattr(value, "__dict__", ()), *getattr(type(value), "__slots__", ())]
    return {name: getattr(value, name) for name in names if name != "__weakref__"}


def _equal(left: Any, right: Any) -> bool:
    """Tell whether two atoms of one type are the same value."""
    if isinstance(left, float):
        return repr(left) == repr(right)
    return bool(left == right)
