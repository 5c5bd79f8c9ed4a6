"""What dataclasses and attrs declare, and the methods that they generate.

Both are looked at only when they are loaded already; a class of theirs cannot exist otherwise.
"""

from __future__ import annotations

import sys
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from mason.adapters.anatomy import Line, find, inner_code, names_of

_HASH = "_attrs_cached_hash"
_FIELD_PARTS = ("_field_type", "default", "default_factory", "hash", "compare")


class Declared(NamedTuple):
    """Hold what a class declares.

    `fields` are the names in order; a missing field gets its value from `defaults`, or from the
    function in `factories` (in a tuple of one: a function of the instance); `dropped` attributes
    are not written and get the value given here on load. `hashed` are the fields that the hash and
    the comparison look at where the library generated both, None where the class says it itself.
    """

    fields: tuple[str, ...]
    defaults: dict[str, Any]
    factories: dict[str, Any]
    dropped: dict[str, Any]
    hashed: tuple[str, ...] | None


def declared_fields(line: Line) -> Declared | None:
    """Return what a dataclass or attrs class declares, or None where the class is neither."""
    return _of_attrs(line) or _of_dataclass(line)


def generated_methods() -> tuple[object, ...]:
    """Return the `__getstate__` and `__setstate__` that dataclasses and attrs write themselves.

    Each is given as the function or as its code. They say no more than the slots do.
    """
    dataclasses, attr = sys.modules.get("dataclasses"), sys.modules.get("attr")
    found: list[object] = []
    for name in ("_dataclass_getstate", "_dataclass_setstate"):
        function = getattr(dataclasses, name, None)
        found += [function] if type(function) is FunctionType else []
    builder = getattr(getattr(attr, "_make", None), "_ClassBuilder", None)
    maker = getattr(builder, "_make_getstate_setstate", None)
    for name in ("slots_getstate", "slots_setstate"):
        found += inner_code(maker, name) if type(maker) is FunctionType else ()
    return tuple(found)


def named_tuple_code() -> tuple[CodeType, ...]:
    """Return the code of the `__getnewargs__` that `collections.namedtuple` gives its classes."""
    collections = sys.modules.get("collections")
    return inner_code(collections.namedtuple, "__getnewargs__") if collections else ()


def _of_dataclass(line: Line) -> Declared | None:
    """Leave out class variables and `InitVar`s: they are listed, but no instance holds them."""
    dataclasses = sys.modules.get("dataclasses")
    found = find(line, "__dataclass_fields__") if dataclasses else None
    if dataclasses is None or found is None or type(found[1]) is not dict:
        return None
    names: list[str] = []
    hashed: list[str] = []
    defaults, factories = {}, {}
    for name, field in found[1].items():
        if type(name) is not str or not issubclass(type(field), dataclasses.Field):
            return None
        kind, default, factory, in_hash, in_eq = (
            names_of(dataclasses.Field)[part].__get__(field) for part in _FIELD_PARTS
        )
        if kind is not dataclasses._FIELD:
            continue
        names.append(name)
        if default is not dataclasses.MISSING:
            defaults[name] = default
        elif factory is not dataclasses.MISSING:
            factories[name] = factory
        if in_hash or (in_hash is None and in_eq):
            hashed.append(name)
    own = _generated(line, found[0], "<string>")
    return Declared(tuple(names), defaults, factories, {}, tuple(hashed) if own else None)


def _of_attrs(line: Line) -> Declared | None:
    attr = sys.modules.get("attr")
    found = find(line, "__attrs_attrs__") if attr else None
    if attr is None or found is None or not issubclass(type(found[1]), tuple):
        return None
    defaults, factories = {}, {}
    own = list(tuple.__iter__(found[1]))
    if any(type(one) is not attr.Attribute for one in own):
        return None
    for one in own:
        if type(one.default) is attr.Factory:
            make = one.default.factory
            factories[one.name] = (make,) if one.default.takes_self else make
        elif one.default is not attr.NOTHING:
            defaults[one.name] = one.default
    dropped = {_HASH: None} if _keeps_hash(line) else {}
    hashed = None
    if _generated(line, found[0], "<attrs generated") and not any(one.eq_key for one in own):
        hashed = tuple(
            one.name for one in own if one.hash is True or (one.hash is None and one.eq is True)
        )
    return Declared(tuple(one.name for one in own), defaults, factories, dropped, hashed)


def _generated(line: Line, owner: type, source: str) -> bool:
    """Tell whether `__hash__` and `__eq__` are those that a library wrote for that very class."""
    for name in ("__hash__", "__eq__"):
        found = find(line, name)
        if found is None or found[0] is not owner or type(found[1]) is not FunctionType:
            return False
        if not found[1].__code__.co_filename.startswith(source):
            return False
    return True


def _keeps_hash(line: Line) -> bool:
    """Tell whether attrs keeps the hash in the instance; it differs in every process."""
    found = find(line, "__hash__")
    if found is None or type(found[1]) is not FunctionType:
        return False
    return _HASH in found[1].__code__.co_names
