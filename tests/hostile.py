"""What the tests of hostile input share: classes to be trusted, crafted keys, small threads."""

from __future__ import annotations

import collections
import dataclasses
import enum
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import attrs

import mason

MODULUS = 2**61 - 1  # of CPython's hash of numbers
SMALL_STACK = 256 * 1024
if sys.version_info[:3] == (3, 13, 0):  # it frees deep nesting by recursion, whoever made it
    SMALL_STACK = 1024 * 1024 * 1024


@dataclasses.dataclass
class Data:
    a: Any
    b: Any = None


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: Any
    b: Any = None


@dataclasses.dataclass(slots=True)
class Slots:
    a: Any
    b: Any = None


@dataclasses.dataclass(frozen=True)
class Loose:
    """Is compared by more than it is hashed by."""

    a: Any
    b: Any = dataclasses.field(default=None, hash=False)


class ByVars:
    """Is hashed by one attribute and compared by all."""

    a: Any
    b: Any

    def __hash__(self) -> int:
        return hash(self.a)

    def __eq__(self, other: object) -> bool:
        return type(other) is ByVars and vars(self) == vars(other)


class Named:
    """Has a weak hash, and knows its neighbours."""

    def __init__(self, name: str, near: list[Named]) -> None:
        self.name = name
        self.near = near

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.name == other.name


class Looking:
    """Its hash looks at all that a list holds."""

    def __init__(self, near: list[Any]) -> None:
        self.near = near

    def __hash__(self) -> int:
        return hash(tuple(self.near))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Looking) and self.near == other.near


class Pair(NamedTuple):
    a: Any
    b: Any = None


class Plain:
    a: Any
    b: Any


@attrs.frozen(cache_hash=True)
class Cached:
    a: Any
    b: Any = None


class Status(enum.Enum):
    ON = "on"


class Items(list[Any]):
    pass


class Mapping(dict[Any, Any]):
    pass


class Bag(set[Any]):
    pass


class FrozenBag(frozenset[Any]):
    pass


class Row(tuple[Any, ...]):
    pass


class Closing:
    """Has a hook, so that all names are judged before anything is built."""

    a: Any

    def __del__(self) -> None:
        vars(self).clear()


@dataclasses.dataclass
class Grown:
    """Is at version 2; the fields of version 1 stood together in a `pair`."""

    a: Any
    b: Any


def unpack(fields: dict[str, Any]) -> dict[str, Any]:
    """Upgrade the fields of a `Grown` by handing them on one by one."""
    a, b = fields.pop("pair")
    return {"a": a, "b": [b]}


TRUST = [
    *(Data, Frozen, Slots, Loose, Pair, Plain, Cached, Status, Items, Mapping, Bag, FrozenBag),
    *(Row, Closing, ByVars, Named, Looking),
]
REGISTRY = mason.Registry(trust=TRUST)
REGISTRY.register(Grown, name="hostile.grown", version=2, upgrade={1: unpack})

SEEN_THROUGH = ("a", "b")


def leaked(root: Any) -> list[Any]:
    """Return what the core uses inside and must never hand out, found anywhere in a value."""
    found, met, stack = [], {}, [root]
    while stack:
        value = stack.pop()
        if id(value) in met:
            continue
        met[id(value)] = value
        if type(value).__module__ == "mason._core" and type(value).__name__ == "Forward":
            found.append(value)
        stack += _inside(value)
    return found


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        yield from dict.keys(value)
        yield from dict.values(value)
    elif isinstance(value, list | tuple | set | frozenset | collections.deque):
        yield from value
    elif isinstance(value, mason.Record):
        yield from value.items.values()
    elif isinstance(value, mason.Tag):
        yield value.value
    if hasattr(value, "__dict__") and not isinstance(value, type):
        yield from vars(value).values()
    for name in SEEN_THROUGH:
        if not isinstance(value, type | dict):
            yield getattr(value, name, None)


def in_small_thread(function: Callable[[], Any]) -> Any:
    """Return what a function returns, or raise what it raises, in a thread with a small stack."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(function())
        except BaseException as error:
            result.append(error.with_traceback(None))

    before = threading.stack_size(SMALL_STACK)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    if isinstance(result[0], BaseException):
        raise result[0]
    return result[0]


def colliding_in_dict(power: int) -> list[int]:
    """Return different ints that make a dict of 2**power places walk long ways for each.

    CPython looks for a free place at `i = 5 * i + perturb + 1` with less and less of the hash in
    `perturb`; without it all keys walk on one ring. The first ints fill a stretch of the ring; the
    others enter it there, and every place on their way to it is taken.
    """
    size = 1 << power
    mask = size - 1
    fill, place = [], 12345 & mask
    rank: dict[int, int] = {}
    for number in range(size * 42 // 100):
        rank[place] = number
        fill.append(place)
        place = (5 * place + 1) & mask
    early = len(fill) // 4
    rest = size * 2 // 3 - len(fill) - 10
    late = []
    for start in fill:
        for high in range(1, 64):
            number = start | high << power
            if _enters(number, mask, rank) < early:
                late.append(number)
        if len(late) >= rest:
            break
    return fill + late[:rest]


def _enters(number: int, mask: int, rank: dict[int, int]) -> int:
    """Return where on the ring a number enters; far behind it where it finds a place before."""
    perturb, place = number, number & mask
    while place in rank:
        perturb >>= 5
        place = (place * 5 + perturb + 1) & mask
        if not perturb:
            return rank.get(place, mask)
    return mask
