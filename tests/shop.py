"""The classes that the vectors of the spec name, as real ones, as plain as the vectors allow."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, Flag, IntEnum
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Point:
    x: float
    y: float


@dataclass
class Address:
    street: str
    city: str


@dataclass
class Order:
    id: int
    when: Any = None
    ship_to: Address | None = None
    total: Any = None

    class Line:
        """Holds what a document says."""


@dataclass
class Draft:
    id: int
    title: str = ""


@dataclass
class Folder:
    name: str
    children: list[Folder]
    parent: Folder | None


class Pair(NamedTuple):
    left: Any
    right: Any


class Box(Generic[T]):
    pass


class Empty:
    pass


class Node:
    """Holds what a document says."""


class Odd:
    """Holds what a document says."""


class Status(Enum):
    OPEN = "open"
    PAID = "paid"


class Level(IntEnum):
    LOW = 1
    HIGH = 3


class Planet(Enum):
    EARTH = (5.976e24, 6.37814e6)


class Perm(Flag):
    R = 4
    W = 2
    X = 1


def total() -> int:
    return 0
