"""Subclasses of list, dict, set, str, int and their like: content, and attributes beside it.

No method of the subclass runs, in either direction: content is taken and put in through the
methods of the type in C itself. What can hold itself is made empty first and filled later; the
rest is made of its finished content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MemberDescriptorType
from typing import Any, NamedTuple

from mason._core import Plan
from mason.adapters import contents
from mason.adapters.anatomy import (
    Line,
    check_layout,
    check_protocol,
    dict_reader,
    slots_of,
)
from mason.adapters.contents import Slots, exact
from mason.errors import Refused


class Content(NamedTuple):
    """Say how the content of one type in C is taken and put back.

    `put` fills an empty object in place; where it is None the object is made of its content by
    `kind.__new__`.
    """

    kind: type
    slot: str
    take: Callable[[Any], Any]
    given: type = list  # what the slot holds
    put: Callable[[Any, Any], None] | None = None


def _watched(elements: Iterable[Any]) -> list[Any]:
    found = list(elements)
    contents.watch_keys(found)
    return found


def _put_set(target: Any, elements: list[Any]) -> None:
    contents.fill_set(target, elements, set.update)


_CONTENTS: dict[type, Content] = {
    row.kind: row
    for row in (
        Content(list, "$list", list.copy, put=list.extend),
        Content(set, "$set", lambda x: _watched(set.__iter__(x)), put=_put_set),
        Content(bytearray, "$bytes", lambda x: bytes(bytearray.copy(x)), bytes, bytearray.extend),
        Content(tuple, "$tuple", lambda x: list(tuple.__iter__(x))),
        Content(frozenset, "$frozenset", lambda x: _watched(frozenset.__iter__(x))),
        Content(str, "$str", str.__str__, str),
        Content(int, "$int", int.__int__, int),
        Content(float, "$float", float.__float__, float),
        Content(bytes, "$bytes", lambda x: bytes.__getitem__(x, slice(None)), bytes),
    )
}
_KINDS = (dict, *_CONTENTS)


class _Attributes(NamedTuple):
    """Reach the attributes of an instance past everything that its class defines."""

    own_dict: Callable[[Any], dict[str, Any]] | None
    slots: dict[str, MemberDescriptorType]

    def take(self, obj: Any) -> Slots:
        found = dict(self.own_dict(obj)) if self.own_dict else {}
        for name, slot in self.slots.items():
            if name in found:
                raise Refused(f"has {name!r} twice, in a slot and in its __dict__")
            try:
                found[name] = slot.__get__(obj)
            except AttributeError:  # a slot that was never set, or was deleted
                continue
        return contents.escaped(found)

    def put(self, obj: Any, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            if name in self.slots:
                self.slots[name].__set__(obj, value)
            elif self.own_dict:
                self.own_dict(obj)[name] = value
            else:
                raise Refused(f"has no place for an attribute {name!r}")


def content_of(line: Line) -> type | None:
    """Return the type in C whose subclass this is, of those whose content can be written."""
    return next((cls for cls in line for kind in _KINDS if cls is kind), None)


def subclass_plan(
    line: Line, content: type, name: str, own: tuple[object, ...], hooked: bool
) -> Plan:
    """Return the plan of a subclass of such a type; raise `Refused` where it cannot be exact."""
    check_protocol(line, own, content)
    slots = slots_of(line)
    check_layout(line, len(slots), content)
    attributes = _Attributes(dict_reader(line), slots)
    directions = (
        _of_dict(line[0], attributes)
        if content is dict
        else _of_row(line[0], _CONTENTS[content], attributes)
    )
    return Plan("parts", cls=line[0], name=name, hooked=hooked, **directions)


def _of_row(cls: type, row: Content, attributes: _Attributes) -> dict[str, Any]:
    def take(obj: Any) -> Slots:
        return {row.slot: row.take(obj), **attributes.take(obj)}

    if row.put:
        return {"take": take, **_filled(cls, row, row.put, attributes)}
    return {"take": take, "make": _maker(cls, row, attributes)}


def _of_dict(cls: type, attributes: _Attributes) -> dict[str, Any]:
    def take(obj: Any) -> Slots:
        slot, content = contents.mapping(list(dict.items(obj)))
        return {slot: content, **attributes.take(obj)}

    def fill(obj: Any, slots: Slots) -> None:
        contents.fill_mapping(obj, contents.given_pairs(slots))
        attributes.put(obj, contents.attributes(slots, "$dict", "$map"))

    return {"take": take, "shell": lambda: dict.__new__(cls), "fill": fill}


def _filled(
    cls: type, row: Content, put: Callable[[Any, Any], None], attributes: _Attributes
) -> dict[str, Any]:
    kind: Any = row.kind

    def fill(obj: Any, slots: Slots) -> None:
        put(obj, exact(slots.get(row.slot), row.given))
        attributes.put(obj, contents.attributes(slots, row.slot))

    return {"shell": lambda: kind.__new__(cls), "fill": fill}


def _maker(cls: type, row: Content, attributes: _Attributes) -> Callable[[Slots], Any]:
    kind: Any = row.kind

    def make(slots: Slots) -> Any:
        content = exact(slots.get(row.slot), row.given)
        if kind is frozenset:
            contents.judge_keys(content)
        made = kind.__new__(cls, content)
        if kind is frozenset and frozenset.__len__(made) != len(content):
            raise Refused("two of its elements are equal")
        attributes.put(made, contents.attributes(slots, row.slot))
        return made

    return make
