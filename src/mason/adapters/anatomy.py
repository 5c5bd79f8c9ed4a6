"""Read a class as it is, without running any code of it or of its metaclass.

Strategy: everything goes through the descriptors of `type` itself and through the dicts of the
classes in the method resolution order. `getattr(cls, ...)`, `hasattr` and `isinstance` are never
used on what a user wrote: a metaclass with `__getattribute__`, or an object with a lying
`__class__`, would run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from types import (
    BuiltinFunctionType,
    CodeType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    ModuleType,
)
from typing import Any, Final, TypeGuard

from mason.errors import Refused

Line = tuple[type, ...]


def _reader(name: str) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = type.__dict__[name].__get__
    return found


line_of: Final[Callable[[type], Line]] = _reader("__mro__")
names_of: Final[Callable[[type], Mapping[str, Any]]] = _reader("__dict__")
_module_of = _reader("__module__")
_qualname_of = _reader("__qualname__")
_size_of = _reader("__basicsize__")
_items_of = _reader("__itemsize__")
_dict_place_of = _reader("__dictoffset__")
_weak_place_of = _reader("__weakrefoffset__")
_flags_of = _reader("__flags__")
_names_in: Callable[[Any], Any] = names_of(ModuleType)["__dict__"].__get__

# Include/object.h
_MANAGED_DICT = 1 << 4
_NOT_INSTANTIABLE = 1 << 7
_IMMUTABLE = 1 << 8
_HEAP = 1 << 9
_POINTER = (sys.maxsize.bit_length() + 1) // 8

Protocol = (
    "__getstate__",
    "__setstate__",
    "__reduce_ex__",
    "__reduce__",
    "__getnewargs_ex__",
    "__getnewargs__",
)


def module_of(cls: type) -> str:
    """Return the name of the module that a class says it is from; empty where it says none."""
    try:
        module = _module_of(cls)
    except AttributeError:  # removed from the dict of the class
        return ""
    return module if type(module) is str else ""


def qualname_of(cls: type) -> str:
    """Return the qualified name of a class."""
    return str.__str__(_qualname_of(cls))


def spelled(cls: type) -> str:
    """Return "module:qualname" of a class, whether or not it is found there."""
    return f"{module_of(cls)}:{qualname_of(cls)}"


def is_class(value: object) -> TypeGuard[type]:
    """Tell whether a value is a class, whatever its `__class__` claims."""
    return issubclass(type(value), type)


def find(line: Line, name: str) -> tuple[type, Any] | None:
    """Return the first class in the line that defines the name, and what it has there."""
    for cls in line:
        names = names_of(cls)
        if name in names:
            return cls, names[name]
    return None


def is_native(cls: type) -> bool:
    """Tell whether a class is implemented in C, as far as the interpreter shows it."""
    flags = _flags_of(cls)
    return not flags & _HEAP or bool(flags & (_IMMUTABLE | _NOT_INSTANTIABLE))


# ---------------------------------------------------------------------------------- found by name


def written_name(cls: type) -> str:
    """Return the name under which a class is found again, or raise `Refused`."""
    return _checked_name(cls, module_of(cls), qualname_of(cls), "class")


def function_name(function: Any) -> str:
    """Return the name under which a function of a module is found again, or raise `Refused`."""
    if type(function) is BuiltinFunctionType:
        owner = function.__self__
        if owner is not None and not issubclass(type(owner), ModuleType):
            raise Refused(
                "is a method, bound to its object", "keep the object and the method's name"
            )
    module, qualname = function.__module__, str.__str__(function.__qualname__)
    if type(module) is not str:
        raise Refused("is a function that does not say which module it is from")
    if "<lambda>" in qualname:
        raise Refused("is a lambda, which has no name to find it by", "use a function of a module")
    if "." in qualname and "<locals>" not in qualname:
        raise Refused("is a function of a class, not of a module", "use a function of a module")
    return _checked_name(function, module, qualname, "function")


def _checked_name(wanted: object, module: str, qualname: str, what: str) -> str:
    if "<locals>" in qualname:
        raise Refused(
            f"is a local {what}, which only the function that made it can reach",
            f"move the {what} to the top of its module"
            + (", or register it under a name" if what == "class" else ""),
        )
    if _look_up(module, qualname) is not wanted:
        raise Refused(
            f"is not the {what} found under its own name, {module}:{qualname}",
            "it was replaced, renamed or removed since; a notebook cell that ran again does that",
        )
    return f"{module}:{qualname}"


def _look_up(module: str, qualname: str) -> object:
    """Return what lies under the name: in the module's dict, then in dicts of classes only."""
    source = sys.modules.get(module)
    if not issubclass(type(source), ModuleType):
        return None
    names: Any = _names_in(source)
    found: object = None
    for part in qualname.split("."):
        found = names.get(part) if names is not None else None
        names = names_of(found) if is_class(found) else None
    return found


# ------------------------------------------------------------------------------- layout and slots


def slots_of(line: Line) -> dict[str, MemberDescriptorType]:
    """Return every slot that the classes of a line define, by its name as stored (mangled).

    A name that two classes define is refused: one object then has two values under it.
    """
    slots: dict[str, MemberDescriptorType] = {}
    for cls in reversed(line):
        if is_native(cls):
            continue
        for name, value in list(names_of(cls).items()):
            if type(value) is not MemberDescriptorType or value.__name__ != name:
                continue
            if value.__objclass__ is not cls:
                continue
            if name in slots:
                first = spelled(slots[name].__objclass__)
                raise Refused(f"has the slot {name!r} twice, from {first} and from {spelled(cls)}")
            slots[name] = value
    return slots


def check_layout(line: Line, slot_count: int, content: type = object) -> None:
    """Raise `Refused` when objects of the class hold more than attributes and known content.

    The rule is that of CPython's `object.__reduce_ex__` (Objects/typeobject.c,
    object_getstate_default), with the content's own size in place of object's.
    """
    cls = line[0]
    for part in line:
        if part is not object and part is not content and is_native(part):
            raise Refused(f"holds state of {spelled(part)}, which is written in C")
    found = find(line, "__new__")
    native = found is not None and type(found[1]) is BuiltinFunctionType
    # `in` would ask the metaclass whether they are equal
    if found and native and found[0] is not object and found[0] is not content:
        raise Refused(f"is made by code in C ({spelled(found[0])})")
    expected = _size_of(content) + _POINTER * slot_count
    if _dict_place_of(cls) and not _flags_of(cls) & _MANAGED_DICT:
        expected += _POINTER
    if _weak_place_of(cls) > 0:
        expected += _POINTER
    if _size_of(cls) > expected or _items_of(cls) != _items_of(content):
        raise Refused("holds state that is not in its attributes")


def has_dict(cls: type) -> bool:
    """Tell whether instances of a class have a `__dict__`."""
    return bool(_dict_place_of(cls))


def dict_reader(line: Line) -> Callable[[Any], dict[str, Any]] | None:
    """Return a function that gives an instance's own dict, or None where there is none."""
    if not has_dict(line[0]):
        return None
    for cls in line:
        value = names_of(cls).get("__dict__")
        if type(value) is GetSetDescriptorType and not is_native(cls):
            found: Callable[[Any], dict[str, Any]] = value.__get__
            return found
    raise Refused("has a __dict__ that cannot be reached")


# ---------------------------------------------------------------------------------- own protocols


def check_protocol(line: Line, own: Iterable[object], content: type = object) -> None:
    """Raise `Refused` when the class says in code of its own how it is copied or pickled.

    `own` are functions and code objects that a library generates and whose meaning is known;
    `content` is a class in C whose own protocol says no more than what its plan writes.
    """
    for name in Protocol:
        found = find(line, name)
        if found is None or found[0] is object or found[0] is content:
            continue
        cls, value = found
        if value is not names_of(object).get(name) and not is_among(value, own):
            where = "" if cls is line[0] else f" (in {spelled(cls)})"
            raise Refused(
                f"defines {name}{where}, which this version of mason does not call",
                "write the plain data that it is made from, or a class without it",
            )


def is_among(value: object, own: Iterable[object]) -> bool:
    """Tell whether a function is one of the given ones, or has one of the given code objects."""
    code = value.__code__ if type(value) is FunctionType else None
    return any(value is one or (code is not None and code is one) for one in own)


def inner_code(function: Any, name: str) -> tuple[CodeType, ...]:
    """Return the code objects of the functions of that name that a function makes inside itself."""
    constants = function.__code__.co_consts
    return tuple(one for one in constants if type(one) is CodeType and one.co_name == name)


def check_copyreg(cls: type) -> None:
    """Raise `Refused` when somebody has registered a function that pickles this class."""
    copyreg = sys.modules.get("copyreg")
    # by identity: looking the class up would ask its metaclass for hash and equality
    if copyreg is not None and any(one is cls for one in list(copyreg.dispatch_table)):
        raise Refused("has an entry in copyreg.dispatch_table, which is not followed yet")
