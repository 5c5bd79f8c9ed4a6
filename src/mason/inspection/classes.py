"""What a class says of itself, past its metaclass: all is read through `type`'s own descriptors."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

Getter = Callable[[Any], Any]

line_of: Getter = type.__dict__["__mro__"].__get__
parent_of: Getter = type.__dict__["__base__"].__get__
members_of: Getter = type.__dict__["__dict__"].__get__
_QUALNAME: Getter = type.__dict__["__qualname__"].__get__
_MODULE: Getter = type.__dict__["__module__"].__get__
size_of: Getter = type.__dict__["__basicsize__"].__get__
flags_of: Getter = type.__dict__["__flags__"].__get__
item_size_of: Getter = type.__dict__["__itemsize__"].__get__
dict_offset_of: Getter = type.__dict__["__dictoffset__"].__get__
weak_offset_of: Getter = type.__dict__["__weakrefoffset__"].__get__


def class_name(cls: type) -> str:
    """Return `module.qualname` of a class (`int`, `shop.Order`) without asking its metaclass."""
    module, name = module_and_name(cls)
    return name if module in ("builtins", "") else f"{module}.{name}"


def lookup(cls: type, name: str) -> Any:
    """Return what a class or one of its ancestors holds under `name`, unbound, or None."""
    for owner in line_of(cls):
        members = members_of(owner)
        if name in members:
            return members[name]
    return None


def descends(cls: type, ancestor: type) -> bool:
    """Tell whether `ancestor` is in the method resolution order of `cls`, by identity."""
    return any(owner is ancestor for owner in line_of(cls))


def module_and_name(cls: type) -> tuple[str, str]:
    """Return the module that a class names, "" if it names none, and its qualified name."""
    module = _MODULE(cls)
    return (module if type(module) is str else ""), str.__str__(_QUALNAME(cls))


def holder_of(cls: type) -> Getter | None:
    """Return what reads the genuine `__dict__` of an instance, past a property of that name."""
    for owner in line_of(cls):
        member = members_of(owner).get("__dict__")
        kind = type(member)
        if kind is not types.GetSetDescriptorType and kind is not types.MemberDescriptorType:
            continue
        if member.__objclass__ is owner:
            get: Getter = member.__get__
            return get
    return None


def instance_dict(obj: Any) -> Any:
    """Return the genuine `__dict__` of an object, or None when it has none that can be reached."""
    holder = holder_of(type(obj))
    return None if holder is None else holder(obj)
