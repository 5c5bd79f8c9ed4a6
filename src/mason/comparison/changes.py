"""What came back as something else, in words: alike changes are one, with the number of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mason.comparison.parts import parts
from mason.comparison.results import Change
from mason.errors import shown
from mason.inspection.sameness import Difference
from mason.inspection.state import Kinds
from mason.paths import Step, format_path, parse_path

_LOOKED_AT = 20
_UNSEEN: Any = object()
_ROOM = 60


def in_words(obj: Any, found: Iterable[Difference]) -> list[Change]:
    """Return the differences of what came back from `obj`, one for all that say the same."""
    kinds = Kinds()
    first: dict[str, Difference] = {}
    others: dict[str, list[str]] = {}
    for one in found:
        # a look at the object takes its time, so that not all of many have one
        text = _text(one, obj if len(first) < _LOOKED_AT else _UNSEEN, kinds)
        if text in first:
            others[text].append(shown(one.path))
        else:
            first[text], others[text] = one, []
    return [
        Change(shown(one.path), one.kind, text, 1 + len(others[text]), tuple(others[text]))
        for text, one in first.items()
    ]


def _text(one: Difference, obj: Any, kinds: Kinds) -> str:
    a, b = shown(one.a, _ROOM), shown(one.b, _ROOM)
    match one.kind:
        case "type":
            return _turned(_type(one.a), _type(one.b))
        case "key":
            return f"key {a} → {b}"
        case "sharing":
            lost = one.a.startswith("the object at ") and not one.b.startswith("the object at ")
            return "sharing lost" if lost else "other sharing"
        case "order":
            return "order of keys"
        case "size":
            return f"{a} elements → {b}"
        case "missing":
            role = "part" if obj is _UNSEEN else _role(one.path, obj, kinds)
            return f"{role} lost: {_last(one.path)}"
        case "extra":
            return f"new: {_last(one.path)}"
        case "members":
            return "members of a set"
        case "cannot tell":
            return f"cannot tell: {a}"
    if one.a.startswith("nan ") and one.b.startswith("nan "):
        return "NaN → another NaN"
    return _turned(a, b)


def _turned(a: str, b: str) -> str:
    return f"another {a}" if a == b else f"{a} → {b}"


def _type(text: str) -> str:
    """Return the type out of what `difference` says of an object of another type."""
    if text.startswith("float nan"):
        return "NaN"
    if text.startswith("NoneType"):
        return "null"
    name, of, size = text.rpartition(" of ")
    if of and size.isdecimal():
        return shown(name, _ROOM)
    return shown(text.partition(" ")[0].partition("(")[0], _ROOM)


def _role(path: str, obj: Any, kinds: Kinds) -> str:
    """Say what stands at a path of an object: an attribute, an entry, an element."""
    role = ""
    for step in parse_path(path):
        part = next((part for part in parts(obj, kinds) if part.step == step), None)
        if part is None:
            break
        obj, role = part.value, part.role
    return {"attribute": "attribute", "value": "entry"}.get(role, "element")


def _last(path: str) -> str:
    steps = parse_path(path)
    if not steps:
        return path
    last: Step = steps[-1]
    return shown(str(last.at) if last.kind == "key" else format_path(steps[-1:])[1:], _ROOM)
