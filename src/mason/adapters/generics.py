"""Generic aliases such as `Box[int]`, which instances of generic dataclasses remember.

They are rebuilt by the constructors of `typing` and `types` alone: `__class_getitem__` of a class
never runs. Aliases nested in each other are hashed by recursion, so their size is limited. An alias
of a class that is kept by name (`unknown="keep"`) is kept too: `typing` takes nothing but classes.
"""

from __future__ import annotations

import types
import typing
from abc import ABCMeta
from typing import Any

from mason._core import Name, Plan, Record
from mason.adapters.anatomy import is_class, line_of, names_of
from mason.adapters.builtin_types import TYPES, name_of
from mason.adapters.contents import Slots, arguments, bad, exact, only
from mason.errors import Refused

_TypingAlias: Any = typing._GenericAlias  # type: ignore[attr-defined]
_ProtocolMeta = type(typing.Protocol)
_TYPING, _BUILTIN = "typing:GenericAlias", "types:GenericAlias"
_NODES = 100  # types in one alias, each counted as often as it is met
_origin_of = names_of(types.GenericAlias)["__origin__"].__get__
_args_of = names_of(types.GenericAlias)["__args__"].__get__
_is_unpacked = names_of(types.GenericAlias)["__unpacked__"].__get__


# ------------------------------------------------------------------------------------- writing


def _take_typing(alias: Any) -> Slots:
    own = vars(alias)
    if own.get("_name") or not own.get("_inst"):
        raise Refused("is a type expression", "write a reference to a class")
    return _taken(own.get("__origin__"), own.get("__args__"))


def _take_builtin(alias: types.GenericAlias) -> Slots:
    if _is_unpacked(alias):
        raise Refused("is a type expression", "write a reference to a class")
    return _taken(_origin_of(alias), _args_of(alias))


def _taken(origin: Any, args: Any) -> Slots:
    _check(origin, exact(args, tuple))
    return {"$new": [_spelled(origin), [_spelled(one) for one in args]]}


def _spelled(part: Any) -> Any:
    return name_of(part) or part


# ------------------------------------------------------------------------------------- reading


def _make_typing(slots: Slots) -> Any:
    origin, args = _given(slots)
    if _is_kept(origin, args):
        return Record(_TYPING, slots)
    _check(origin, args)
    if typing.Generic not in line_of(origin):
        raise Refused("is an alias of a class that is not generic")
    return _TypingAlias(origin, args)


def _make_builtin(slots: Slots) -> Any:
    origin, args = _given(slots)
    if _is_kept(origin, args):
        return Record(_BUILTIN, slots)
    _check(origin, args)
    return types.GenericAlias(origin, args)


def _given(slots: Slots) -> tuple[Any, tuple[Any, ...]]:
    only(slots, "$new")
    origin, args = arguments(slots, 2, 2)
    made = tuple(_resolved(one) for one in exact(args, list))
    return _resolved(origin), made


def _is_kept(origin: Any, args: tuple[Any, ...]) -> bool:
    """Tell whether one of its classes is there by name only; what else there is must be right."""
    inert = [type(one) is Name or _is_kept_alias(one) for one in (origin, *args)]
    if not any(inert):
        return False
    rest = [one for one, is_inert in zip((origin, *args), inert, strict=True) if not is_inert]
    _check(list if inert[0] else origin, tuple(rest))
    return True


def _is_kept_alias(part: Any) -> bool:
    return type(part) is Record and part.name in (_TYPING, _BUILTIN)


def _resolved(part: Any) -> Any:
    if type(part) is not str:
        return part
    if part not in TYPES:
        bad("the type is unknown")
    return TYPES[part]


# ------------------------------------------------------------------------------ in either case


def _check(origin: Any, args: tuple[Any, ...]) -> None:
    """Refuse everything but classes, `None`, `...` and aliases of those, and too many of them."""
    if not is_class(origin):
        raise Refused("is a type expression", "write a reference to a class")
    # typing asks the origin for its module; a metaclass of its own could answer with code
    if not any(type(origin) is one for one in (type, ABCMeta, _ProtocolMeta)):
        raise Refused("is an alias of a class whose metaclass is its own")
    stack, nodes = list(args), 0
    while stack:
        part = stack.pop()
        nodes += 1
        if nodes > _NODES:
            raise Refused(f"is an alias of more than {_NODES} types")
        if type(part) is types.GenericAlias:
            stack += [_origin_of(part), *_args_of(part)]
        elif type(part) is _TypingAlias:
            stack += [vars(part).get("__origin__"), *vars(part).get("__args__", ())]
        elif not (is_class(part) or part is None or part is ...):
            raise Refused("is an alias of something that is no class")


ROWS = (
    Plan(
        "parts",
        cls=types.GenericAlias,
        name=_BUILTIN,
        take=_take_builtin,
        make=_make_builtin,
    ),
    Plan(
        "parts",
        cls=_TypingAlias,
        name=_TYPING,
        take=_take_typing,
        make=_make_typing,
    ),
)
