"""What a value of an inert tree is made of, sorted by what a comparison does with it.

Strategy: elements have an order, entries have keys and an order, members and fields have no order,
and an atom has a key: hashable, equal for what is the same (bit by bit, type by type) and for
nothing else. A file must not make a dictionary slow, so whatever of a key a file could choose to
collide (CPython hashes numbers without a salt) is text in it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from mason.document import OWN_SEQUENCES, OWN_SETS, Name, Record, Simple, Tag
from mason.inspection.inert import is_value, may_be_shared
from mason.inspection.state import Kinds

_SMALL = 60  # bits; CPython's hash of an int within 61 bits is the int itself
_kinds = Kinds()

Rename = Callable[[str], str]


class Parts:
    """Hold what one value is made of; what it has not is None."""

    __slots__ = (
        "atom",
        "entries",
        "family",
        "fields",
        "items",
        "keyed",
        "members",
        "shared",
        "type",
    )

    def __init__(self, family: str, type: str, shared: bool) -> None:
        self.family = family  # values of one family are compared even where their types differ
        self.type = type
        self.shared = shared  # whether it is an object of its own, that two places may hold
        self.atom: Any = None
        self.items: list[Any] | None = None
        self.entries: list[tuple[Any, Any]] | None = None
        self.keyed: dict[Any, Any] = {}  # the entries again, to be looked up
        self.members: list[Any] | None = None
        self.fields: dict[str, Any] = {}  # by the names of an instance's slots

    def size(self) -> int:
        """Return how many parts there are."""
        ordered = len(self.items or ()) + 2 * len(self.entries or ())
        return ordered + len(self.members or ()) + len(self.fields)


def parts(value: Any, rename: Rename) -> Parts:
    """Return what a value is made of; `rename` gives the name under which a class is compared."""
    kind = type(value)
    if kind is Record:
        return _record(value, rename)
    shared = may_be_shared(value)
    if kind is list or kind is tuple:
        found = Parts("sequence", kind.__name__, shared)
        found.items = value if kind is list else list(value)
        found.atom = atom_key(value, rename)
    elif kind is dict:
        found = Parts("mapping", "dict", shared)
        found.entries, found.keyed = list(value.items()), value
    elif kind is set or kind is frozenset:
        found = Parts("set", kind.__name__, shared)
        found.members = list(value)
        found.atom = atom_key(value, rename)
    elif kind is Tag:
        found = Parts("tag", f"tag {value.number}", shared)
        found.items = [value.value]
    else:
        found = Parts("atom", kind.__name__, shared)
        found.atom = atom_key(value, rename)
    return found


def atom_key(value: Any, rename: Rename) -> Any:
    """Return the key of an atom, None for whatever has parts."""
    kind = type(value)
    if kind is str:
        return ("str", value)
    if kind is int:
        return ("int", value if value.bit_length() <= _SMALL else hex(value))
    if kind is bool or kind is bytes:
        return (kind.__name__, value)
    if kind is float:
        return ("float", struct.pack("<d", value))
    if kind is list or kind is dict:
        return None
    if kind is Record:
        return _value_key(value, rename) if is_value(value) else None
    if kind is Tag or kind is set:
        return None
    if kind is bytearray:
        return ("bytearray", bytes(value))
    if kind is Name:
        return ("name", rename(value.name))
    if kind is Simple:
        return ("simple", value.number)
    return _standard_key(value)


def _standard_key(value: Any) -> Any:
    kind = type(value)
    if kind in (tuple, frozenset):
        return (kind.__name__,) if not value else None
    if kind.__name__ == "Decimal":
        return ("Decimal", str(value))
    if kind.__name__ == "Fraction":
        return ("Fraction", f"{value.numerator:x}/{value.denominator:x}")
    known = _kinds.key(value)  # a class of the standard library: the reader makes no others
    return (kind.__name__, repr(value) if known is None else known[1])


def _value_key(record: Record, rename: Rename) -> Any:
    held = ((slot, atom_key(part, rename)) for slot, part in sorted(record.items.items()))
    return ("value", rename(record.name), *held)


def _record(record: Record, rename: Rename) -> Parts:
    found = Parts("instance", rename(record.name), True)
    if is_value(record):
        found.atom = _value_key(record, rename)
        return found
    for slot, part in record.items.items():
        if slot in OWN_SEQUENCES and type(part) is list and found.items is None:
            found.items = part
        elif slot in OWN_SETS and type(part) is list and found.members is None:
            found.members = part
        elif slot == "$dict" and type(part) is dict and found.entries is None:
            found.entries = list(part.items())
        elif slot == "$map" and found.entries is None and _are_pairs(part):
            found.entries = [(key, value) for key, value in part]
        else:
            found.fields[slot] = part
    _join_extra(found.fields)
    return found


def _join_extra(fields: dict[str, Any]) -> None:
    """Put attributes that a class does not declare among the others: they are attributes, too."""
    extra = fields.get("$extra")
    if type(extra) is not dict or not all(type(name) is str for name in extra):
        return
    names = {f"${name}" if name.startswith("$") else name: name for name in extra}
    if names.keys().isdisjoint(fields):
        del fields["$extra"]
        fields.update((slot, extra[name]) for slot, name in names.items())


def _are_pairs(part: Any) -> bool:
    """Tell whether a slot holds what it should: nobody has looked at an inert instance yet."""
    return type(part) is list and all(type(pair) is list and len(pair) == 2 for pair in part)
