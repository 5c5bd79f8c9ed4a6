"""What an object holds, read without running a line of its code.

Strategy: an object goes in, a `State` comes out: its native content (items, pairs, members, a
value), its attributes, and whether that is all there is. Everything is read through descriptors
that live in the types themselves (`type.__dict__["__mro__"]`, the member descriptors of slots,
`dict.items`), never through the object's or its class's own words: `__getattribute__`, `__eq__`,
`__hash__`, `__iter__`, properties, `__class__` and metaclasses stay untouched. For the same reason
classes are looked up by `id`: a metaclass may define `__hash__`. Whether all was seen is decided by
counting bytes: a class whose instances are larger than its slots explain has native content that
nobody here can read.
"""

from __future__ import annotations

import struct
import sys
import types
from typing import Any

from mason.inspection.classes import (
    Getter,
    descends,
    dict_offset_of,
    flags_of,
    holder_of,
    item_size_of,
    line_of,
    lookup,
    members_of,
    module_and_name,
    parent_of,
    size_of,
    weak_offset_of,
)
from mason.inspection.natives import Native, State, native

_POINTER = struct.calcsize("P")
_MANAGED_DICT = 1 << 4  # Py_TPFLAGS_MANAGED_DICT: the __dict__ lies outside the instance's own size

# attrs keeps a computed hash here; it is a cache, differs between processes, and is never written
_CACHED_HASH = "_attrs_cached_hash"


class Kind:
    """Know how the instances of one class are read; made once per class by `Kinds`."""

    __slots__ = ("atom", "cls", "content", "holder", "names", "opaque", "shared", "slots")

    def __init__(self, cls: type) -> None:
        self.cls = cls  # kept: Kinds finds a class by its id
        self.names: tuple[str, ...] = ()
        self.slots: list[tuple[str, Getter]] = []
        self.holder: Getter | None = None
        self.opaque = ""
        exact = native(cls)
        self.atom = exact.atom if exact else _named(cls)
        self.shared = exact.shared if exact else True
        self.content = exact.content if exact else None
        if exact is None and self.atom is None:
            self._inherit()

    def _inherit(self) -> None:
        layout, seen = _layout(self.cls)
        self.content = layout.content
        self.names = _field_names(self.cls)
        self.slots = _slots(self.cls)
        self.holder = holder_of(self.cls)
        if not seen or layout.below == "opaque":
            self.opaque = "native content"
        elif self.holder is None and dict_offset_of(self.cls):
            self.opaque = "attributes behind a __dict__ of its own"

    def read(self, obj: Any) -> State:
        """Return the state of an instance of exactly this class."""
        state = State()
        state.opaque = self.opaque
        if self.content is not None:
            self.content(obj, state)
        if state.items is not None and len(self.names) == len(state.items):
            state.names = self.names
        for name, get in self.slots:
            try:
                state.attributes[name] = get(obj)
            except AttributeError:  # the slot is empty
                pass
        if self.holder is not None:
            _add_attributes(self.holder(obj), state)
        if _CACHED_HASH in state.attributes and lookup(self.cls, "__attrs_attrs__") is not None:
            del state.attributes[_CACHED_HASH]
        return state


class Kinds:
    """Give the `Kind` of a class, each made once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, Kind] = {}

    def of(self, cls: type) -> Kind:
        """Return how instances of `cls` are read."""
        kind = self._known.get(id(cls))
        if kind is None:
            kind = self._known[id(cls)] = Kind(cls)
        return kind

    def key(self, obj: Any) -> Any:
        """Return a key that equal atoms of equal type share, None when `obj` is no atom."""
        cls = type(obj)
        atom = self.of(cls).atom
        key = None if atom is None else atom(obj)
        return None if key is None else (id(cls), key)


def _named(cls: type) -> Getter | None:
    """Return `id` for classes, modules and enum members: they are told by identity."""
    if descends(cls, type) or descends(cls, types.ModuleType):
        return id
    enum = sys.modules.get("enum")
    if enum is not None and descends(type(cls), enum.EnumMeta):
        return id
    return None


def _layout(cls: type) -> tuple[Native, bool]:
    """Return the native type below `cls`, and whether slots and `__dict__` are all above it."""
    seen = True
    here = cls
    while True:
        found = native(here)
        if found is not None and found.below != "slots":
            return found, seen
        parent = parent_of(here)
        seen = seen and _explained(here, parent)
        here = parent


def _explained(cls: type, parent: type) -> bool:
    size = size_of(parent) + _POINTER * len(_own_slots(cls))
    if dict_offset_of(cls) and not dict_offset_of(parent) and not flags_of(cls) & _MANAGED_DICT:
        size += _POINTER
    if weak_offset_of(cls) > 0 and not weak_offset_of(parent):
        size += _POINTER
    return bool(size_of(cls) == size and item_size_of(cls) == item_size_of(parent))


def _own_slots(cls: type) -> list[tuple[str, Any]]:
    own: dict[int, tuple[str, Any]] = {}
    for name, member in members_of(cls).items():
        if type(member) is not types.MemberDescriptorType or member.__objclass__ is not cls:
            continue
        if type(name) is str and name != "__dict__":
            own.setdefault(id(member), (name, member))
    return list(own.values())


def _slots(cls: type) -> list[tuple[str, Getter]]:
    """Return the readers of all slots; one that a subclass hides is named by its class."""
    found: dict[str, Getter] = {}
    for owner in line_of(cls):
        known = native(owner)
        if known is not None and known.below == "content":
            continue
        for name, member in _own_slots(owner):
            shown = name if name not in found else f"{module_and_name(owner)[1]}.{name}"
            found[shown] = member.__get__
    return list(found.items())


def _field_names(cls: type) -> tuple[str, ...]:
    fields = lookup(cls, "_fields") if descends(cls, tuple) else None
    if type(fields) is not tuple or not all(type(name) is str for name in fields):
        return ()
    return fields


def _add_attributes(held: Any, state: State) -> None:
    if held is None:
        return
    if type(held) is not dict or not all(type(name) is str for name in held):
        state.attributes["__dict__"] = held  # odd, so compared as the value it is
        return
    state.holder = held
    for name, value in held.items():
        state.attributes[name if name not in state.attributes else f"__dict__.{name}"] = value
