"""Booby-trapped classes: `touched` tells of every hook of theirs that ran.

Each hook does what it would do without the trap, so that nothing fails before it is told.
"""

from __future__ import annotations

import enum
import os  # for names that lead through it: trap_shop:os.system
from dataclasses import dataclass, field
from typing import Any, NamedTuple

touched: list[str] = []

_OF_META = (
    "getattribute setattr delattr call instancecheck subclasscheck hash eq ne repr str dir bool "
    "or ror format sizeof len iter contains getitem"
)
_OF_CLASS = (
    "init post_init getattribute setattr delattr eq ne hash repr str format bool len iter next "
    "contains getitem setitem delitem call get set delete enter exit copy deepcopy dir sizeof "
    "index int float complex bytes fspath length_hint missing reversed lt gt add init_subclass"
)
_OF_PICKLE = "getstate setstate reduce reduce_ex getnewargs getnewargs_ex"


def _hooks(owner: str, names: str, base: Any) -> dict[str, Any]:
    def trap(name: str) -> Any:
        original = getattr(base, name, None)

        def hook(self: Any, *args: Any, **kwargs: Any) -> Any:
            touched.append(f"{owner}.{name}")
            return original(self, *args, **kwargs) if original is not None else NotImplemented

        return hook

    made = {f"__{name}__": trap(f"__{name}__") for name in names.split()}
    if "__hash__" in made:
        made["__hash__"] = lambda self: touched.append(f"{owner}.__hash__") or 1
    return made


Meta: Any = type("Meta", (type,), _hooks("Meta", _OF_META, type) | {"__module__": __name__})


class Descriptor:
    """Stands in the place of a field."""

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        touched.append("Descriptor.__get__")
        return 0

    def __set__(self, obj: Any, value: Any) -> None:
        touched.append("Descriptor.__set__")
        vars(obj)["watched"] = value


def _new(cls: Any, *args: Any, **kwargs: Any) -> Any:
    touched.append("__new__")
    return object.__new__(cls)


def _factory() -> list[Any]:
    touched.append("default_factory")
    return []


def _set_traps(cls: Any, names: str) -> Any:
    for name, hook in _hooks(cls.__name__, names, object).items():
        type.__setattr__(cls, name, hook)
    type.__setattr__(cls, "__new__", staticmethod(_new))
    return cls


@dataclass(init=False, repr=False, eq=False)
class Booby(metaclass=Meta):
    """Is a data class that may be loaded, when it is trusted, without touching anything."""

    x: Any = None
    watched: Any = None
    missing: Any = field(default_factory=_factory)


class Plain(metaclass=Meta):
    """May be loaded, too; it claims to be of another class."""

    __class__ = property(lambda self: touched.append("Plain.__class__") or dict)  # type: ignore[assignment]


class Words(metaclass=Meta):
    """Has words of its own about its state, which mason does not run either."""


for _cls in (Booby, Plain):
    _set_traps(_cls, _OF_CLASS)
_set_traps(Words, f"{_OF_CLASS} {_OF_PICKLE}")
type.__setattr__(Booby, "watched", Descriptor())
type.__setattr__(Plain, "x", property(lambda self: touched.append("Plain.x")))


@dataclass
class Finalizer:
    """Is covered by no module's name, since it has a finalizer."""

    x: Any = None

    def __del__(self) -> None:
        touched.append("Finalizer.__del__")


class Native(list):  # type: ignore[type-arg]
    """Is built on native code, so that it has to be named itself."""


class Color(enum.Enum):
    RED = 1

    @classmethod
    def _missing_(cls, value: object) -> Any:
        touched.append("Color._missing_")
        return cls.RED


class Pair(NamedTuple):
    x: Any = None


class Outer:
    class Inner:
        """Has any attributes."""


@dataclass
class Holder:
    """Leads by its annotations to some of the others."""

    items: list[Booby]
    more: dict[str, Pair | Color] | None = None


def price(*args: Any) -> Any:
    touched.append("price")
    return args


def __getattr__(name: str) -> Any:
    touched.append(f"module.__getattr__({name})")
    raise AttributeError(name)


system = os.system  # re-exports
touched.clear()
