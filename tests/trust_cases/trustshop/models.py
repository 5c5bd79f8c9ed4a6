"""Classes of every kind that trust tells apart, and names that lead astray."""

from __future__ import annotations

import collections
import enum
import os
import subprocess
from collections import OrderedDict
from dataclasses import dataclass, field
from os import system
from typing import Generic, NamedTuple, TypeVar

import attrs
from trustlab.samples import Sample

T = TypeVar("T")


class Status(enum.Enum):
    OPEN = "open"
    PAID = "paid"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Size(NamedTuple):
    width: int
    height: int


Pair = collections.namedtuple("Pair", "left right")  # noqa: PYI024


@dataclass
class Order:
    id: int
    lines: list[Order.Line] = field(default_factory=list)

    @dataclass
    class Line:
        name: str

    class Hidden(list):
        pass

    Foreign = Sample
    Popen = subprocess.Popen

    @staticmethod
    def parse(text: str) -> Order:
        return Order(int(text))

    def total(self) -> int:
        return 0


@attrs.define
class Label:
    text: str


class Plain:
    pass


class Slotted:
    __slots__ = ("one", "two")


class Box(Generic[T]):
    content: T


class Basket(list):
    pass


class Failure(Exception):
    pass


class Meta(type):
    pass


class Closing:
    def __del__(self) -> None:
        pass


class StillClosing(Closing):
    pass


class Moved:
    pass


Moved.__module__ = "trustshop.elsewhere"


class Renamed:
    pass


Renamed.__qualname__ = "Other"


class Odd:
    pass


Odd.__module__ = property(lambda self: "trustshop.models")

Another = Order
shell = system
files = os
Ordered = OrderedDict


def price(order: Order) -> int:
    return order.id


def decide(name: str, use: str) -> bool:
    return name == "trustshop.models:Order"


def make_local() -> type:
    class Local:
        pass

    return Local
