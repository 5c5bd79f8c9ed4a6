"""Example classes in every variety, for tests of what is taken apart and put together.

The classes whose code must never run count the calls they get in `ran`.
"""

from __future__ import annotations

import collections
import copyreg
import dataclasses
import enum
import functools
import typing
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import attr
import attrs

T = TypeVar("T")
K = TypeVar("K")

ran: list[str] = []

# ------------------------------------------------------------------------------ dataclasses


@dataclass
class Point:
    x: int
    y: int = 0


@dataclass(frozen=True)
class FrozenPoint:
    x: int
    y: int = 0


@dataclass(slots=True)
class SlotPoint:
    x: int
    y: int = 0


@dataclass(frozen=True, slots=True)
class FrozenSlotPoint:
    x: int
    y: int = 0


@dataclass(slots=True, weakref_slot=True)
class WeakSlotPoint:
    x: int
    y: int = 0


@dataclass(kw_only=True)
class KeywordPoint:
    x: int
    y: int = 0


@dataclass(order=True, unsafe_hash=True)
class OrderedPoint:
    x: int
    y: int = 0


@dataclass
class Point3(Point):
    z: int = 0
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SlotPoint3(SlotPoint):
    z: int = 0


@dataclass
class SlotThenDict(SlotPoint):
    """Has slots from its parent and a dict of its own."""

    z: int = 0


class PlainChildOfDataclass(Point):
    """Is no dataclass itself; what it adds is extra."""

    def __init__(self, x: int, note: str) -> None:
        super().__init__(x)
        self.note = note


@dataclass
class Box(Generic[T]):
    content: T


@dataclass(frozen=True, slots=True)
class SlotBox(Generic[T]):
    content: T


@dataclass
class Pair(Generic[K, T]):
    key: K
    value: T


@dataclass
class Fancy:
    """Has every kind of field that a dataclass knows."""

    kind: ClassVar[str] = "fancy"
    name: str
    seed: dataclasses.InitVar[int] = 7
    _: dataclasses.KW_ONLY
    items: list[int] = field(default_factory=list)
    total: int = field(init=False)
    hidden: int = field(default=3, repr=False, compare=False)

    def __post_init__(self, seed: int) -> None:
        ran.append("Fancy.__post_init__")
        self.total = seed * 2

    @functools.cached_property
    def doubled(self) -> int:
        return self.total * 2


@dataclass
class Booby:
    """Records every call that building an instance must not make."""

    x: int = 0

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        ran.append("__new__")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        ran.append("__post_init__")

    def __setattr__(self, name: str, value: Any) -> None:
        ran.append("__setattr__")
        object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        if name != "__class__":
            ran.append("__getattribute__")
        return object.__getattribute__(self, name)

    def __eq__(self, other: object) -> bool:
        ran.append("__eq__")
        return self is other

    def __hash__(self) -> int:
        ran.append("__hash__")
        return 1


@dataclass
class DollarFields:
    """Its attributes look like notation."""

    plain: int = 1


class Converted:
    """A descriptor that keeps the value of a field under another name."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.place = "_" + name

    def __get__(self, obj: Any, owner: type | None = None) -> Any:
        ran.append("Converted.__get__")
        return 0 if obj is None else getattr(obj, self.place)

    def __set__(self, obj: Any, value: Any) -> None:
        ran.append("Converted.__set__")
        setattr(obj, self.place, int(value))


@dataclass
class WithDescriptor:
    size: Converted = Converted()


@dataclass
class Node:
    name: str
    next: Node | None = None
    others: list[Node] = field(default_factory=list)


@dataclass
class WithFinalizer:
    x: int = 0

    def __del__(self) -> None:
        ran.append("__del__")


# ------------------------------------------------------------------------------------ attrs


@attrs.define
class AttrsPoint:
    x: int
    y: int = 0


@attrs.frozen
class AttrsFrozen:
    x: int
    y: int = 0


@attrs.define(slots=False)
class AttrsDict:
    x: int
    y: int = 0


@attrs.define
class AttrsChild(AttrsPoint):
    z: list[int] = attrs.field(factory=list)


@attrs.define(eq=True, frozen=True, cache_hash=True)
class AttrsCachedHash:
    x: str


@attrs.define(eq=True, frozen=True, cache_hash=True, slots=False)
class AttrsDictCachedHash:
    x: str


@attrs.define
class AttrsTakesSelf:
    x: int
    double: int = attrs.Factory(lambda self: self.x * 2, takes_self=True)


@attr.s(auto_attribs=True)
class OldAttrs:
    x: int
    _private: int = 3


@attrs.define
class AttrsConverted:
    x: int = attrs.field(converter=int, validator=attrs.validators.instance_of(int))


@attrs.define
class AttrsCachedProperty:
    x: int

    @functools.cached_property
    def double(self) -> int:
        return self.x * 2


# ----------------------------------------------------------------------------- named tuples


class NamedPoint(NamedTuple):
    x: int
    y: int = 0


ClassicPoint = collections.namedtuple("ClassicPoint", "x y", defaults=[5])  # noqa: PYI024


class ClassicChild(ClassicPoint):
    """Has a dict beside its items."""


class ClassicSlotChild(ClassicPoint):
    __slots__ = ()

    def __new__(cls, text: str) -> Any:
        ran.append("ClassicSlotChild.__new__")
        return super().__new__(cls, *map(int, text.split()))


class GenericNamed(NamedTuple, Generic[T]):
    content: T


RenamedFields = collections.namedtuple("RenamedFields", "def x", rename=True)  # noqa: PYI024


# ---------------------------------------------------------------------------- plain classes


class Plain:
    def __init__(self, **attributes: Any) -> None:
        ran.append("Plain.__init__")
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("a", "b")


class SlottedChild(Slotted):
    __slots__ = ("c",)


class SlotsAndDict(Slotted):
    """Has the slots of its parent, and a dict."""


class DictAmongSlots:
    __slots__ = ("__dict__", "__weakref__", "a")


class EmptySlots:
    __slots__ = ()


class Mangled:
    __slots__ = ("__secret",)

    def __init__(self, secret: Any) -> None:
        self.__secret = secret

    def secret(self) -> Any:
        return self.__secret


class MangledDict:
    def __init__(self, secret: Any) -> None:
        self.__secret = secret

    def secret(self) -> Any:
        return self.__secret


class ShadowedSlot(Slotted):
    """A property stands before the slot of its parent."""

    @property
    def a(self) -> str:
        ran.append("ShadowedSlot.a")
        return "property"


class SlotTwice(Slotted):
    __slots__ = ("a",)


class Outer:
    class Inner:
        def __init__(self, x: int) -> None:
            self.x = x

        class Deepest:
            pass

    def method(self) -> None:
        """Do nothing."""


class Abstract(ABC):
    @abstractmethod
    def area(self) -> float: ...


class Concrete(Abstract):
    def __init__(self, side: float) -> None:
        self.side = side

    def area(self) -> float:
        return self.side**2


class Left:
    pass


class Right:
    __slots__ = ("r",)


class Diamond(Left, Right):
    pass


class Shape(typing.Protocol):
    sides: int


class Square(Shape):
    def __init__(self) -> None:
        self.sides = 4


class LyingClass:
    """Claims to be of another class."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        ran.append("LyingClass.__class__")
        return dict


class Meta(type):
    """A metaclass whose every hook records that it ran."""

    def __getattribute__(cls, name: str) -> Any:
        ran.append("Meta.__getattribute__")
        return super().__getattribute__(name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        ran.append("Meta.__call__")
        return super().__call__(*args, **kwargs)

    def __instancecheck__(cls, obj: object) -> bool:
        ran.append("Meta.__instancecheck__")
        return True

    def __subclasscheck__(cls, other: type) -> bool:
        ran.append("Meta.__subclasscheck__")
        return True

    def __hash__(cls) -> int:
        ran.append("Meta.__hash__")
        return 1

    def __eq__(cls, other: object) -> bool:
        ran.append("Meta.__eq__")
        return cls is other


class WithMeta(metaclass=Meta):
    pass


# ------------------------------------------------------------------- subclasses of builtins


class Tags(list):  # type: ignore[type-arg]
    def __init__(self, *args: Any) -> None:
        ran.append("Tags.__init__")
        super().__init__(*args)

    def __iter__(self) -> Any:
        ran.append("Tags.__iter__")
        return super().__iter__()

    def append(self, value: Any) -> None:
        ran.append("Tags.append")
        super().append(value)

    def extend(self, values: Any) -> None:
        ran.append("Tags.extend")
        super().extend(values)


class SlotTags(list):  # type: ignore[type-arg]
    __slots__ = ("owner",)


class Config(dict):  # type: ignore[type-arg]
    def __setitem__(self, key: Any, value: Any) -> None:
        ran.append("Config.__setitem__")
        super().__setitem__(key, value)

    def __missing__(self, key: Any) -> str:
        ran.append("Config.__missing__")
        return "missing"

    def items(self) -> Any:
        ran.append("Config.items")
        return super().items()


class AttributeDict(dict):  # type: ignore[type-arg]
    """Its items are its attributes, by a well-known trick."""

    def __init__(self, **items: Any) -> None:
        super().__init__(**items)
        self.__dict__ = self


class Bag(set):  # type: ignore[type-arg]
    def add(self, value: Any) -> None:
        ran.append("Bag.add")
        super().add(value)


class FrozenBag(frozenset):  # type: ignore[type-arg]
    pass


class Row(tuple):  # type: ignore[type-arg]
    def __new__(cls, *args: Any) -> Any:
        ran.append("Row.__new__")
        return super().__new__(cls, *args)


class Name(str):
    def __str__(self) -> str:
        ran.append("Name.__str__")
        return "other"

    def __eq__(self, other: object) -> bool:
        ran.append("Name.__eq__")
        return super().__eq__(other)

    def __hash__(self) -> int:
        return super().__hash__()


class SlotName(str):
    __slots__ = ()


class Meters(float):
    def __float__(self) -> float:
        ran.append("Meters.__float__")
        return 0.0


class Count(int):
    def __index__(self) -> int:
        ran.append("Count.__index__")
        return 0


class Phase(complex):
    pass


class Blob(bytes):
    def __bytes__(self) -> bytes:
        ran.append("Blob.__bytes__")
        return b""


class Buffer(bytearray):
    pass


class MyOrdered(collections.OrderedDict):  # type: ignore[type-arg]
    pass


class MyDeque(collections.deque):  # type: ignore[type-arg]
    pass


class MyDefault(collections.defaultdict):  # type: ignore[type-arg]
    pass


class MyCounter(collections.Counter):  # type: ignore[type-arg]
    pass


# ------------------------------------------------------------------------------------ enums


class Color(enum.Enum):
    RED = 1
    GREEN = "green"
    BLUE = (0, 0, 255)
    CRIMSON = 1  # noqa: PIE796


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 10


class Status(enum.StrEnum):
    PAID = "paid"
    OPEN = enum.auto()


class Perm(enum.Flag):
    R = 4
    W = 2
    X = 1
    RW = 6


class Mode(enum.IntFlag):
    A = 1
    B = 2


# CPython 3.11.2 makes combinations with unknown bits anew each time: no member to come back as
KEEPS_UNKNOWN_BITS = Mode(64) is Mode(64)


class Strict(enum.Flag, boundary=enum.STRICT):
    A = 1
    B = 4


class Conform(enum.Flag, boundary=enum.CONFORM):
    A = 1
    B = 2


class Eject(enum.IntFlag, boundary=enum.EJECT):
    A = 1
    B = 2


class Unordered(enum.Flag):
    """Its members are iterated by definition, which `enum` arranges with a bound method."""

    B = 2
    A = 1


class Planet(enum.Enum):
    MERCURY = (3.303e23, 2.4397e6)
    EARTH = (5.976e24, 6.37814e6)

    def __init__(self, mass: float, radius: float) -> None:
        self.mass = mass
        self.radius = radius


class Unhashable(enum.Enum):
    LIST = [1]  # noqa: RUF012
    DICT = {"a": 1}  # noqa: RUF012


class Sneaky(enum.Enum):
    A = 1

    @classmethod
    def _missing_(cls, value: object) -> Any:
        ran.append("Sneaky._missing_")
        return cls.A


class SneakyFlag(enum.Flag):
    A = 1
    B = 2

    @classmethod
    def _missing_(cls, value: object) -> Any:
        ran.append("SneakyFlag._missing_")
        return super()._missing_(value)


class AliasOnly(enum.Enum):
    FIRST = 1
    SECOND = 1  # noqa: PIE796
    NAN = float("nan")
    BIG = 2**100
    NONE = None


class TrueIsOne(enum.Enum):
    YES = True
    ONE_POINT = 2.0


class OwnReduce(enum.Enum):
    A = 1

    def __reduce__(self) -> Any:
        return OwnReduce, (1,)


# -------------------------------------------------------------------- words of their own


class OwnGetstate:
    def __getstate__(self) -> Any:
        ran.append("__getstate__")
        return {}


class OwnSetstate:
    def __setstate__(self, state: Any) -> None:
        ran.append("__setstate__")


class OwnReduceMethod:
    def __reduce__(self) -> Any:
        ran.append("__reduce__")
        return OwnReduceMethod, ()


class OwnReduceEx:
    def __reduce_ex__(self, protocol: Any) -> Any:
        ran.append("__reduce_ex__")
        return OwnReduceEx, ()


class OwnNewargs:
    def __getnewargs__(self) -> Any:
        ran.append("__getnewargs__")
        return ()


class OwnNewargsEx:
    def __getnewargs_ex__(self) -> Any:
        ran.append("__getnewargs_ex__")
        return (), {}


class Inheriting(OwnGetstate):
    pass


class Blocked:
    __reduce_ex__ = None  # type: ignore[assignment]


class ListWithState(list):  # type: ignore[type-arg]
    def __getstate__(self) -> Any:
        return {}


class NamedWithNewargs(NamedPoint):
    def __getnewargs__(self) -> Any:
        return (1, 2)


@dataclass(frozen=True, slots=True)
class DataclassWithState:
    x: int

    def __getstate__(self) -> Any:
        return [self.x]

    def __setstate__(self, state: Any) -> None: ...


class InCopyreg:
    pass


copyreg.pickle(InCopyreg, lambda obj: (InCopyreg, ()))

WORDS_OF_THEIR_OWN = {
    OwnGetstate: "__getstate__",
    OwnSetstate: "__setstate__",
    OwnReduceMethod: "__reduce__",
    OwnReduceEx: "__reduce_ex__",
    OwnNewargs: "__getnewargs__",
    OwnNewargsEx: "__getnewargs_ex__",
    Inheriting: "__getstate__",
    Blocked: "__reduce_ex__",
    ListWithState: "__getstate__",
    NamedWithNewargs: "__getnewargs__",
    DataclassWithState: "__getstate__",
    InCopyreg: "copyreg",
    OwnReduce: "__reduce__",
}
if DataclassWithState.__getstate__.__code__.co_filename != __file__:
    del WORDS_OF_THEIR_OWN[
        DataclassWithState
    ]  # CPython 3.11.2 puts its own method in the place of this one

# -------------------------------------------------------------------------------- functions


def total(values: list[int]) -> int:
    return sum(values)


@functools.cache
def remembered(x: int) -> int:
    return x


nameless = lambda: 0  # noqa: E731


def local_class() -> type:
    class Local:
        pass

    return Local


def inner_function() -> Any:
    def inner() -> None: ...

    return inner


def twin_of(cls: type) -> type:
    """Return another class of the same name, as a notebook cell that runs again makes one."""
    return type(cls.__name__, (), {"__module__": cls.__module__, "__qualname__": cls.__qualname__})
