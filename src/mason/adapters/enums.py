"""Enum members, found again by name, and combinations of flags, by value.

Strategy: no code of the enum class runs. `enum` keeps its members in plain dicts of the class,
which are read directly; `cls(value)` is never called, since it would run `_missing_` (and a
metaclass). A combination of flags that has no name is made by the `_missing_` of `enum.Flag`
itself, only where the class changes nothing that this function uses, and only when the value
comes back as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

from mason._core import Plan
from mason.adapters.anatomy import (
    Line,
    Protocol,
    dict_reader,
    find,
    inner_code,
    is_among,
    is_native,
    names_of,
    qualname_of,
    spelled,
)
from mason.adapters.contents import Slots, bad
from mason.errors import Refused

_PLAIN = (str, int, float, bool, type(None))
_WIDEST = 4096  # bits of a combination: each is looped over
# what the stock `Flag._missing_` asks of the class, and of its members
_STOCK = (
    "_missing_",
    "_iter_member_",
    "_iter_member_by_value_",
    "_iter_member_by_def_",
    "_numeric_repr_",
)
_ASKED = ("__getattribute__", "__getattr__", "__setattr__", "__delattr__", "__hash__", "__eq__")


def enum_plan(line: Line, name: str, hooked: bool, generated: tuple[object, ...]) -> Plan | None:
    """Return the plan of an enum class, or None; refuse an enum with rules of its own."""
    enum = sys.modules.get("enum")
    if enum is None or not issubclass(type(line[0]), enum.EnumMeta):
        return None
    _check_protocol(enum, line, generated)
    members = names_of(line[0]).get("_member_map_")
    if type(members) is not dict:
        raise Refused("is an enum that does not keep its members in a dict")
    make = _maker(line, members, _finder(line), _combiner(enum, line))
    take = _taker(line, members, make)
    return Plan(
        "enum", cls=line[0], name=name, hooked=hooked, take=take, make=make, members=members
    )


def _check_protocol(enum: Any, line: Line, generated: tuple[object, ...]) -> None:
    """Refuse enum classes that say themselves how they are pickled."""
    own = (*_reductions(enum), *generated)
    for cls in line:
        if is_native(cls) or _is_of_enum(enum, cls):
            continue
        for name in Protocol:
            if name in names_of(cls) and not is_among(names_of(cls)[name], own):
                raise Refused(
                    f"is an enum that defines {name} (in {spelled(cls)}), which is not followed yet"
                )


def _reductions(enum: Any) -> list[object]:
    """Return what `enum` itself puts into classes as `__reduce_ex__`."""
    names = ("pickle_by_enum_name", "pickle_by_global_name", "_reduce_ex_by_global_name")
    unpicklable = getattr(enum, "_make_class_unpicklable", None)
    return [
        names_of(enum.Enum).get("__reduce_ex__"),
        *(found for name in names if (found := getattr(enum, name, None))),
        *(inner_code(unpicklable, "_break_on_call_reduce") if unpicklable else ()),
    ]


def _is_of_enum(enum: Any, cls: type) -> bool:
    return vars(enum).get(qualname_of(cls)) is cls


# ---------------------------------------------------------------------------------------- writing


def _taker(
    line: Line, members: dict[str, Any], make: Callable[[Slots], Any]
) -> Callable[[Any], Slots]:
    own_dict = dict_reader(line)

    def take(member: Any) -> Slots:
        own: Mapping[str, Any] = own_dict(member) if own_dict else {}
        name, value = own.get("_name_"), own.get("_value_")
        if type(name) is str and members.get(name) is member:
            return {"$enum": name, "value": value} if _is_plain(value) else {"$enum": name}
        if type(value) is not int or make({"$enum": value}) is not member:
            raise Refused("is a member that its class does not list")
        return {"$enum": value}

    return take


def _is_plain(value: object) -> bool:
    if type(value) is float:
        return value - value == 0  # neither infinite nor NaN
    return any(type(value) is kind for kind in _PLAIN)


# ---------------------------------------------------------------------------------------- reading


def _maker(
    line: Line,
    members: dict[str, Any],
    find_value: Callable[[int], Any],
    combine: Callable[[int], Any] | None,
) -> Callable[[Slots], Any]:
    own_dict = dict_reader(line)

    def make(slots: Slots) -> Any:
        wanted = slots.get("$enum")
        if len(slots) != 1 + ("value" in slots):
            bad("it takes $enum and value")
        if type(wanted) is str:
            if wanted in members:
                return members[wanted]
            raise Refused(f"has no member {wanted[:100]!a}", "was it renamed since?")
        if type(wanted) is not int:
            bad("$enum is the name of a member or a number")
        found = find_value(wanted)
        if found is None and combine is not None:
            found = combine(wanted)
        own = own_dict(found) if type(found) is line[0] and own_dict else {}
        # a dict finds True and 1.0 under 1, and some flags drop bits that they do not know
        if type(own.get("_value_")) is not int or own["_value_"] != wanted:
            raise Refused("has no member of that value", "was it removed since?")
        return found

    return make


def _finder(line: Line) -> Callable[[int], Any]:
    """Return what finds a member by its number; values of foreign classes are not asked."""
    values = names_of(line[0]).get("_value2member_map_")
    if type(values) is not dict:
        return lambda wanted: None
    if all(any(type(value) is kind for kind in _PLAIN) for value in values):
        return values.get
    return lambda wanted: next(
        (
            member
            for value, member in list(values.items())
            if type(value) is int and value == wanted
        ),
        None,
    )


def _combiner(enum: Any, line: Line) -> Callable[[int], Any] | None:
    """Return what makes a combination of flags, where that runs no code but enum's own."""
    cls = line[0]
    if type(cls) is not enum.EnumMeta or enum.Flag not in line or not _is_stock(enum, line):
        return None
    mask = names_of(cls).get("_flag_mask_")
    widest = max(_WIDEST, mask.bit_length()) if type(mask) is int else _WIDEST
    missing = names_of(enum.Flag)["_missing_"].__func__

    def combine(value: int) -> Any:
        if value.bit_length() > widest:
            raise Refused(f"is a combination of more than {widest:,} flags")
        try:
            return missing(cls, value)
        except ValueError:  # flags that the class does not have
            return None

    return combine


def _is_stock(enum: Any, line: Line) -> bool:
    """Tell whether making a combination would run only code of `enum` and of the interpreter."""
    kind = names_of(line[0]).get("_member_type_")
    if kind is not object and kind is not int:
        return False
    own = [_plain_function(value) for value in names_of(enum.Flag).values()]
    for name in _STOCK:
        found = find(line, name)
        if found is None or not any(_plain_function(found[1]) is one for one in own):
            return False
    owners = [found[0] for name in _ASKED if (found := find(line, name))]
    return all(is_native(owner) or _is_of_enum(enum, owner) for owner in owners)


def _plain_function(value: object) -> object:
    if type(value) is classmethod or type(value) is staticmethod or type(value) is MethodType:
        return value.__func__
    return value
