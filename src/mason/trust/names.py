"""Read modules and classes by name, without running any code of theirs.

`getattr`, `hasattr`, `isinstance` and `issubclass` are never used on what a name may lead to: a
metaclass with `__getattribute__`, a lying `__class__` or a module with `__getattr__` would run.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any, Final, Literal, TypeAlias, TypeGuard

Use: TypeAlias = Literal["instance", "reference", "call"]

LONGEST_NAME: Final = 4096  # longer names are only ever compared with those the caller passed
MAIN: Final = ("__main__", "__mp_main__")
_HEAP: Final = 1 << 9  # Include/object.h
_IMMUTABLE: Final = 1 << 8


def _reader(name: str) -> Callable[[Any], Any]:
    found: Callable[[Any], Any] = type.__dict__[name].__get__
    return found


line_of: Final[Callable[[type], tuple[type, ...]]] = _reader("__mro__")
names_of: Final[Callable[[type], Mapping[str, Any]]] = _reader("__dict__")
path_of: Final[Callable[[type], str]] = _reader("__qualname__")
_module_of = _reader("__module__")
_flags_of = _reader("__flags__")
_size_of = _reader("__basicsize__")
_item_size_of = _reader("__itemsize__")
_dict_place_of = _reader("__dictoffset__")
_weak_place_of = _reader("__weakrefoffset__")
_names_in: Final[Callable[[Any], Any]] = vars(ModuleType)["__dict__"].__get__


class Refusal:
    """Tell why a name is not to be had; `reason` completes "the name is refused: ..."."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Refusal({self.reason!r})"


# One object each: a file with a million names must not make a million texts.
NOT_NAMED: Final = Refusal("nothing in trust= covers it")
NO_NAME: Final = Refusal("it is not spelled module:qualname")
NOT_IMPORTED: Final = Refusal(
    "its module is not imported, and no item of trust= spells that module"
)
NO_MODULE: Final = Refusal("what sys.modules holds in the place of its module is no module")
NOT_DEFINED: Final = Refusal("nothing of that name is defined in that very module")
ONE_BY_ONE: Final = Refusal("it is a function, and functions must be named one by one")
NOT_CALLABLE: Final = Refusal("to be called it must be given as trust.call(function)")
NO_INSTANCES: Final = Refusal("it is a function and has no instances")
NATIVE: Final = Refusal("it is built on native code, and such a class must be named itself")
FINALIZER: Final = Refusal("it has a __del__, and such a class must be named itself")
AGAINST_RULE: Final = Refusal("the rule in trust= says no")


def is_a(thing: object, kind: type) -> bool:
    """Say whether something is an instance by its real type; no code of its class is asked."""
    for one in line_of(type(thing)):  # noqa: SIM110  `any` is slow, `in` asks metaclasses for ==
        if one is kind:
            return True
    return False


def is_class(thing: object) -> TypeGuard[type]:
    """Say whether something is really a class."""
    return is_a(thing, type)


def is_function(thing: object) -> TypeGuard[FunctionType | BuiltinFunctionType]:
    """Say whether something is a Python function, or a native one that is not bound to a value."""
    if type(thing) is BuiltinFunctionType:
        return is_a(thing.__self__, ModuleType)
    return type(thing) is FunctionType


def module_of(cls: type) -> str:
    """Return the module that a class says it is from; empty where it says nothing usable."""
    try:
        module = _module_of(cls)
    except AttributeError:  # removed from the class
        return ""
    return module if type(module) is str else ""


def name_of(thing: object) -> str | None:
    """Return the `module:qualname` that a class or function states about itself, or None."""
    if is_class(thing):
        module, path = module_of(thing), path_of(thing)
    elif is_function(thing):
        module, path = thing.__module__, thing.__qualname__
    else:
        return None
    return f"{module}:{path}" if type(module) is str and module and type(path) is str else None


def contents_of(module: object) -> Mapping[str, Any]:
    """Return the names of a module; none for what is no module, or was never initialised."""
    return (_names_in(module) if is_a(module, ModuleType) else None) or {}


def spellings(module: str) -> tuple[str, ...]:
    """Return the names of a module: a script is `__main__`, in its workers `__mp_main__`."""
    return MAIN if module in MAIN else (module,)


def lies_in(module: str, top: str) -> bool:
    """Say whether a module is `top` or one of its submodules, by name."""
    return any(one == top or one.startswith(top + ".") for one in spellings(module))


def is_dotted(text: str) -> bool:
    """Say whether a text could be written as a name in a program."""
    return all(part.isidentifier() for part in text.split("."))


def is_standard(module: str) -> bool:
    """Say whether a module belongs to the standard library, by its name."""
    return module.partition(".")[0] in sys.stdlib_module_names


def is_imported(name: str) -> bool:
    """Say whether the module of a `module:qualname` is in `sys.modules`; no disk is searched."""
    return _module(name.partition(":")[0]) is not None


def split_version(name: str) -> tuple[str, int | None]:
    """Split `shop.order@2` into the name and its version; a name without one has version None."""
    plain, at, digits = name.rpartition("@")
    if (
        not (plain and at and digits.isascii() and digits.isdigit())
        or len(digits) > 9
        or digits[0] == "0"
    ):
        return name, None
    return plain, int(digits)


def _module(name: str) -> Any:
    found = (sys.modules.get(one) for one in spellings(name))
    return next((one for one in found if one is not None), None)


def find_defined(module: str, path: str) -> Any:
    """Return the class or function defined at `path` of an imported module, else a Refusal."""
    if len(module) + len(path) > LONGEST_NAME:
        return NOT_DEFINED
    source = _module(module)
    if source is None:
        return NOT_IMPORTED
    if not is_a(source, ModuleType):
        return NO_MODULE
    found: Any = None
    names = contents_of(source)
    steps = path.split(".")
    for depth, step in enumerate(steps, 1):
        found = names.get(step)
        if not _lives_at(found, module, ".".join(steps[:depth])):
            return NOT_DEFINED
        names = names_of(found) if is_class(found) else {}
    return found


def _lives_at(thing: object, module: str, path: str) -> bool:
    name = name_of(thing)
    return name is not None and any(name == f"{one}:{path}" for one in spellings(module))


def why_by_name_only(cls: type) -> Refusal | None:
    """Return why a class must be passed itself, or None.

    The plans of enums and named tuples mind their native part; everything else built on native code
    is left to its caller's own word: the state that a file gives such an object may be more than
    its code expects.
    """
    line = line_of(cls)
    if any("__del__" in names_of(one) for one in line):
        return FINALIZER
    if is_enum(cls) or is_named_tuple(cls):
        return None
    return NATIVE if any(map(_is_native, line)) or _has_hidden_state(cls) else None


def is_enum(cls: type) -> bool:
    """Say whether a class is an enumeration, by its real metaclass."""
    return is_a(cls, enum.EnumMeta)


def is_named_tuple(cls: type) -> bool:
    """Say whether a class is a named tuple: it has fields, and in it only tuple is native."""
    line = line_of(cls)
    fields = next((names_of(one)["_fields"] for one in line if "_fields" in names_of(one)), None)
    return (
        all(one is tuple for one in line if _is_native(one))
        and any(one is tuple for one in line)
        and type(fields) is tuple
        and all(type(field) is str for field in fields)
    )


def _is_native(cls: type) -> bool:
    """Return whether a class is implemented in C, and more than a name (like `Generic`)."""
    flags, names = _flags_of(cls), names_of(cls)
    new = names.get("__new__")
    makes = type(new) is BuiltinFunctionType and new.__self__ is cls
    return cls is not object and (not flags & _HEAP or bool(flags & _IMMUTABLE) or makes)


def _has_hidden_state(cls: type) -> bool:
    """Return whether instances are bigger than their dictionary, weak references and slots.

    Source: `object_getstate_default` in CPython's Objects/typeobject.c counts the same way.
    """
    known = _size_of(object) + 8 * (_dict_place_of(cls) > 0) + 8 * (_weak_place_of(cls) > 0)
    for names in map(names_of, line_of(cls)):
        if "__slots__" in names:
            known += 8 * sum(type(entry) is MemberDescriptorType for entry in names.values())
    return bool(_item_size_of(cls)) or _size_of(cls) > known
