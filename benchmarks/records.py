"""The classes whose instances are measured: 5 plain fields, 8 mixed ones in five kinds of class.

They stand in an importable module because pickle and mason write a class by its name.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

try:
    import attrs
except ImportError:  # a peer that is not there costs its row, not the run
    attrs = None  # type: ignore[assignment]

MODULE = __name__


class Status(enum.Enum):
    """Name the state that an order is in."""

    NEW = "new"
    PAID = "paid"
    SENT = "sent"


@dataclass
class Simple:
    """Hold 5 plain fields."""

    id: int
    name: str
    score: float
    count: int
    active: bool


@dataclass
class Address:
    """Hold the nested record of the mixed dataclass."""

    street: str
    city: str
    zip: str


@dataclass
class Mixed:
    """Hold 8 mixed fields in an ordinary dataclass."""

    id: int
    name: str
    price: Decimal
    created: datetime
    status: Status
    tags: list[str]
    address: Address
    note: str | None


@dataclass(slots=True)
class AddressSlots:
    """Hold the nested record of the slotted dataclass."""

    street: str
    city: str
    zip: str


@dataclass(slots=True)
class MixedSlots:
    """Hold 8 mixed fields in a dataclass with slots."""

    id: int
    name: str
    price: Decimal
    created: datetime
    status: Status
    tags: list[str]
    address: AddressSlots
    note: str | None


class AddressTuple(NamedTuple):
    """Hold the nested record of the named tuple."""

    street: str
    city: str
    zip: str


class MixedTuple(NamedTuple):
    """Hold 8 mixed fields in a named tuple."""

    id: int
    name: str
    price: Decimal
    created: datetime
    status: Status
    tags: list[str]
    address: AddressTuple
    note: str | None


class AddressPlain:
    """Hold the nested record of the plain class."""

    def __init__(self, street: str, city: str, zip: str) -> None:
        self.street = street
        self.city = city
        self.zip = zip


class MixedPlain:
    """Hold 8 mixed fields in a class that declares none of them."""

    def __init__(
        self,
        id: int,
        name: str,
        price: Decimal,
        created: datetime,
        status: Status,
        tags: list[str],
        address: AddressPlain,
        note: str | None,
    ) -> None:
        self.id = id
        self.name = name
        self.price = price
        self.created = created
        self.status = status
        self.tags = tags
        self.address = address
        self.note = note


if attrs is not None:

    @attrs.define
    class AddressAttrs:
        """Hold the nested record of the attrs class."""

        street: str
        city: str
        zip: str

    @attrs.define
    class MixedAttrs:
        """Hold 8 mixed fields in an attrs class."""

        id: int
        name: str
        price: Decimal
        created: datetime
        status: Status
        tags: list[str]
        address: AddressAttrs
        note: str | None


@dataclass(eq=False)
class Branch:
    """Hold a node of a tree whose children know their parent."""

    name: str
    parent: Branch | None = None
    children: list[Branch] = field(default_factory=list)


@dataclass(eq=False)
class Vertex:
    """Hold a node of a random graph."""

    id: int
    links: list[Vertex] = field(default_factory=list)


@dataclass(eq=False)
class Link:
    """Hold a node of a doubly linked list."""

    value: int
    before: Link | None = None
    after: Link | None = None
