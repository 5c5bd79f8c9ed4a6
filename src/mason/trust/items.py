"""What may be given as `trust=` and `aliases=`, sorted by what it permits."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final, NamedTuple, TypeAlias

from mason.errors import PolicyError
from mason.trust.names import (
    MAIN,
    Use,
    is_a,
    is_class,
    is_dotted,
    is_function,
    is_standard,
    lies_in,
    name_of,
    spellings,
    split_version,
)

Rule: TypeAlias = Callable[[str, Use], bool]

# Each of these would be "everything"; `Any` is a class since Python 3.11.
_EVERYTHING: Final[tuple[Any, ...]] = (object, type, Any, eval, exec, getattr, __import__)
_TAKES_REST: Final = 0x04  # CO_VARARGS, see the documentation of `inspect`
_WHAT_TO_PASS: Final = (
    "pass classes, functions, names of modules, trust.call(function), sets such as trust.STDLIB, "
    "or a rule: a function of (name, use) that returns True or False"
)
_WHAT_TO_ALIAS: Final = (
    'write "old.module:Order": Order, "old.module:Order": "new.module:Order" '
    'or "old.module": "new.module"'
)


class ReviewedSet:
    """Name classes that mason rebuilds by checked code of its own, to be given in `trust=`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"mason.trust.{self.name}"


STDLIB: Final = ReviewedSet("STDLIB")
"""The value kinds of the standard library. They are always on: naming the set changes nothing."""


class Calling:
    """Mark a function that a file may name and have called; made by `call`."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __repr__(self) -> str:
        return f"mason.trust.call({shown(self.function)})"


def call(function: Callable[..., Any]) -> Calling:
    """Permit a file to name a function, and to have it called with arguments out of the file.

    Raises PolicyError for what is no function, and for functions that would run whatever a file
    says.
    """
    if is_one_of(function, _EVERYTHING):
        raise PolicyError(
            f"trust.call({shown(function)}) would permit everything", hint=_WHAT_TO_PASS
        )
    if not is_function(function):
        hint = "a class is passed itself: trust=[Order]" if is_class(function) else None
        raise PolicyError(
            f"trust.call takes a function of a module, not {shown(function)}", hint=hint
        )
    return Calling(function)


def is_one_of(thing: object, things: Iterable[object]) -> bool:
    """Say whether something is one of these very objects; nothing is compared."""
    return any(thing is one for one in things)


def shown(thing: object) -> str:
    """Return a short text for what a caller passed; the repr of it may be long, or broken."""
    try:
        text = name_of(thing) or repr(thing)
    except Exception:
        text = f"an object of type {name_of(type(thing))}"
    return text if len(text) <= 80 else text[:77] + "..."


def says_nothing(trust: Any) -> bool:
    """Say whether `trust=` was left out, or is as good as left out."""
    return trust is None or (type(trust) is tuple and len(trust) == 0)


class Grants:
    """Hold the items of `trust=`: objects by name, names, modules, and rules."""

    __slots__ = ("called", "modules", "names", "objects", "rules", "texts")

    def __init__(self, like: Grants | None = None) -> None:
        self.objects: dict[str, Any] = dict(like.objects) if like else {}
        self.called: set[str] = set(like.called) if like else set()
        self.names: set[str] = set(like.names) if like else set()
        self.modules: list[str] = list(like.modules) if like else []
        self.rules: list[Rule] = list(like.rules) if like else []
        self.texts: list[str] = []  # what was added here, not taken over

    def add_all(self, trust: Any) -> None:
        """Sort in what was given as `trust=`: an iterable of items, or a single item."""
        for item in _items(trust):
            self.add(item)

    def add(self, item: Any) -> None:
        """Sort in one item; raise PolicyError for what cannot be trusted."""
        if is_one_of(item, _EVERYTHING):
            raise PolicyError(
                f"{shown(item)} would permit everything; no value does", hint=_WHAT_TO_PASS
            )
        if is_a(item, str):
            self._add_text(str(item))
        elif is_a(item, Calling):
            self.called.add(self.add_object(item.function))
        elif is_class(item):
            self.add_object(item)
        elif is_a(item, ReviewedSet):
            pass  # STDLIB, so far the only one, is always on
        elif _is_rule(item):
            self.rules.append(item)
        elif is_function(item):
            self.add_object(item)
        else:
            raise PolicyError(f"{shown(item)} is nothing that can be trusted", hint=_WHAT_TO_PASS)

    def add_object(self, thing: Any) -> str:
        """Grant a class or function under the name it gives itself; return that name."""
        name = name_of(thing)
        if name is None:
            raise PolicyError(f"{shown(thing)} does not say which module it is from")
        if self.objects.setdefault(name, thing) is not thing:
            hint = "only one of them can be meant: pass that one"
            raise PolicyError(f"two different objects with the name {name} were passed", hint=hint)
        return name

    def _add_text(self, text: str) -> None:
        module, colon, path = text.partition(":")
        if "*" in text or not text:
            hint = "the name of a module covers what lies beneath it"
            raise PolicyError(f"{text!r} would permit everything; no value does", hint=hint)
        if not is_dotted(module) or (colon and not is_dotted(path)):
            raise PolicyError(
                f"{text!r} is neither a module nor module:qualname", hint=_WHAT_TO_PASS
            )
        if is_standard(module):
            raise PolicyError(
                f"{text!r} names the standard library, which is not trusted by strings",
                hint="its value kinds need no trust; pass any other class itself",
            )
        self.texts.append(text)
        if colon:
            self.names.add(text)
        elif module not in self.modules:
            self.modules.append(module)


def _items(trust: Any) -> Iterable[Any]:
    if trust is None:
        return ()
    if is_class(trust) or type(trust) is str:
        return (trust,)
    if type(trust) is list or type(trust) is tuple:
        return trust
    single = (str, bytes, Calling, ReviewedSet, ModuleType, Mapping)
    if isinstance(trust, single) or callable(trust) or not isinstance(trust, Iterable):
        return (trust,)
    return trust


def _is_rule(item: Any) -> bool:
    """Return whether a callable decides about names.

    A function of a module does so only when its parameters are called `name` and `use`: taken for a
    rule by mistake, a function that returns True would trust everything.
    """
    if is_a(item, ModuleType) or not callable(item) or typing.get_origin(item) is not None:
        return False
    if type(item) is not FunctionType:
        return type(item) is not BuiltinFunctionType and module_of_type(item) != "typing"
    code = item.__code__
    if code.co_varnames[: code.co_argcount] == ("name", "use"):
        return True
    if "<" not in item.__qualname__:
        return False
    if (
        code.co_argcount != 2 and not code.co_flags & _TAKES_REST
    ):  # a lambda, or local: no file can mean it
        raise PolicyError(
            f"{shown(item)} has no name that a file could use, and no rule takes its arguments"
        )
    return True


def _is_plain_name(text: str) -> bool:
    """Whether a text has the form of `module:qualname`, or of a module or registered name."""
    return "*" not in text and text.count(":") <= 1 and all(text.split(":"))


def module_of_type(thing: object) -> str:
    """Return the module of the type of a value."""
    return (name_of(type(thing)) or "").partition(":")[0]


class Alias(NamedTuple):
    """Hold one alias as it was given, and the name of today that it leads to."""

    old: str
    new: str
    today: str


class Aliases:
    """Hold yesterday's names: applied once to a name out of a file, and never to their own result.

    The alias of the whole name goes first, then that of the nearest module. A name that a Registry
    gave ("shop.order") has no module; it is renamed as a whole. The version of a name stays.
    """

    __slots__ = ("modules", "names")

    def __init__(self, like: Aliases | None = None) -> None:
        self.names: dict[str, str] = dict(like.names) if like else {}
        self.modules: dict[str, str] = dict(like.modules) if like else {}

    def add_all(self, aliases: Mapping[str, Any] | None, grants: Grants) -> None:
        """Take in aliases; a class or function given as a value is trusted with that."""
        if aliases is not None and not isinstance(aliases, Mapping):
            raise PolicyError(
                f"aliases= takes a mapping, not {shown(aliases)}", hint=_WHAT_TO_ALIAS
            )
        for old, new in (aliases or {}).items():
            self._add(old, new, grants)

    def _add(self, old: Any, new: Any, grants: Grants) -> None:
        if type(old) is not str or not _is_plain_name(old):
            raise PolicyError(f"the alias {shown(old)} is no name", hint=_WHAT_TO_ALIAS)
        if is_class(new) or is_function(new):
            self.names[old] = grants.add_object(new)
        elif type(new) is not str or not _is_plain_name(new) or (":" in old) != (":" in new):
            raise PolicyError(
                f"the alias {old!r}: {shown(new)} does not lead to a name of its kind",
                hint=_WHAT_TO_ALIAS,
            )
        elif ":" in old:
            self.names[old] = new
        else:
            self.modules[old] = new

    def apply(self, name: str) -> str:
        """Return today's name for one out of a file."""
        found = self.leading(name) if self.names or self.modules else None
        return name if found is None else found.today

    def leading(self, name: str) -> Alias | None:
        """Return the alias that is applied to a name out of a file, and where it leads."""
        plain, version = split_version(name)
        suffix = "" if version is None else f"@{version}"
        module, colon, path = plain.partition(":")
        for one in spellings(module):
            for old, rest in ((f"{one}{colon}{path}{suffix}", ""), (f"{one}{colon}{path}", suffix)):
                if (new := self.names.get(old)) is not None:
                    return Alias(old, new, new + rest)
        if not colon:
            new = self.modules.get(plain)
            return None if new is None else Alias(plain, new, new + suffix)
        nearest = max((old for old in self.modules if lies_in(module, old)), key=len, default=None)
        if nearest is None:
            return None
        new = self.modules[nearest]
        rest = "" if module in MAIN else module[len(nearest) :]
        return Alias(nearest, new, f"{new}{rest}{colon}{path}{suffix}")
