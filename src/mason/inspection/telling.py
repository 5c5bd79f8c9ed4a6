"""What a line of a diff says of two values: short texts that show where they differ."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from mason.document import Record
from mason.inspection.inert import EVIDENT, identity_of, shown_name, size_of, text_of, type_of
from mason.inspection.words import brief

_ROOM = 60  # characters of a text that are shown whole
_BEFORE, _AFTER = 15, 35  # what is shown of a longer one around the first difference
_BLOCK = 4096
_KEYS = 6  # keys that are shown of a dictionary


def described(value: Any, *, typed: bool = False) -> str:
    """Return a value in a few words: `'a'`, `Decimal 12.50`, `list of 3`; `typed`: `int 1`, too."""
    size, kind = size_of(value), type_of(value)
    if size is not None:
        return f"{kind} of {size:,}"
    text = text_of(value)
    told = value is None or (kind in EVIDENT and not typed) or text.startswith(f"{kind} of ")
    return text if told else f"{kind} {text}"


def named(value: Any) -> str:
    """Return a value in a few words, with what tells it from others: `shop:Order of 5, id 7`."""
    text = described(value)
    held = value.items if type(value) is Record else value
    name = identity_of(held) if type(held) is dict else None
    return text if name is None else f"{text}, {name} {described(held[name])}"


def told_apart(a: Any, b: Any) -> tuple[str, str]:
    """Return two atoms in a few words that differ where the atoms do."""
    long = type(a) is type(b) and type(a) in (str, bytes) and max(len(a), len(b)) > _ROOM
    if long:
        at = _first_difference(a, b)
        return _around(a, at), _around(b, at)
    one, other = described(a), described(b)
    return (one, other) if one != other else (one, f"another {other}")


def keys_told(a: list[Any], b: list[Any], number: Callable[[Any], int]) -> tuple[str, str]:
    """Return the keys of two dictionaries from where their order differs on."""
    both = enumerate(zip(a, b, strict=True))
    start = next(at for at, (x, y) in both if number(x) != number(y))
    return _keys(a, start), _keys(b, start)


def _keys(keys: list[Any], start: int) -> str:
    shown = [described(key) for key in islice(keys, start, start + _KEYS)]
    before = "… " if start else ""
    after = ", …" if start + _KEYS < len(keys) else ""
    return f"{before}{', '.join(shown)}{after}"


def _first_difference(a: Any, b: Any) -> int:
    """Return where two texts differ first, block by block: most of it is compared in C."""
    most = min(len(a), len(b))
    start = 0
    while start < most and a[start : start + _BLOCK] == b[start : start + _BLOCK]:
        start += _BLOCK
    for at in range(start, min(start + _BLOCK, most)):
        if a[at] != b[at]:
            return at
    return most


def _around(text: Any, at: int) -> str:
    start = max(0, at - _BEFORE)
    part = text[start : at + _AFTER]
    before = "…" if start else ""
    after = "…" if start + len(part) < len(text) else ""
    unit = "characters" if type(text) is str else "bytes"
    return f"{before}{brief(part)}{after} ({len(text):,} {unit})"


def array_told(kind: str, detail: dict[str, Any]) -> str:
    """Return what a summary of two arrays says, in words."""
    differ, size = detail["differ"], detail["size"]
    if differ is None:
        return ""
    if not differ:
        return f"all {size:,} elements are equal"
    facts = [f"{differ:,} of {size:,} {'bytes' if kind == 'bytes' else 'elements'} differ"]
    first = detail["first"][0]
    facts.append(f"first {first['at']}: {first['a']} → {first['b']}")
    for name in ("absolute", "relative"):
        most = detail[f"largest_{name}"]
        if most is not None:
            facts.append(f"largest {name} {_number(most['difference'])} at {most['at']}")
    return shown_name("; ".join(facts)) if len("; ".join(facts)) > 1000 else "; ".join(facts)


def _number(number: Any) -> str:
    return f"{number:.3g}" if type(number) is float else str(number)
