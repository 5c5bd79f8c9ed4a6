"""What must hold for any bytes whatever that a reader is given."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import re
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import mason

Format = Literal["json", "cbor"]


class Status(enum.Enum):
    """An enum in the seeds."""

    PAID = "paid"


@dataclasses.dataclass
class Order:
    """A dataclass in the seeds."""

    number: int
    status: Status = Status.PAID
    lines: list[Any] = dataclasses.field(default_factory=list)


def graph() -> list[Any]:
    """Return a value that uses most of the notation."""
    shared = [1, -1, 2**70, 0.5, "text \u20ac", b"bytes", None, True]
    order = Order(7, lines=[shared, shared])
    order.lines.append(order)
    return [
        *(shared, order, Order, (1, 2), {3, "x"}, frozenset({4}), {1: "a", (2, 3): "b"}, {"$a": 1}),
        *(1j, float("nan"), float("inf"), decimal.Decimal("1.50"), uuid.UUID(int=7), range(3)),
        *(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), datetime.date(2026, 1, 2)),
        *(datetime.timedelta(1, 2, 3), deque([1], 4), bytearray(b"x"), 10**400),
    ]


def seeds(format: Format) -> list[bytes]:
    """Return documents to start from: the whole graph and each of its values alone."""
    values = graph()
    return [mason.dumpb(value, format=format) for value in [values, *values]]


def read_every_way(data: bytes, format: Format) -> tuple[str, ...]:
    """Give the bytes to the readers; return how each took them."""
    return (
        outcome(lambda: mason.reads(data, format=format)),
        outcome(lambda: mason.loads(data, format=format)),
        outcome(lambda: mason.loads(data, format=format, trust=[Order, Status])),
        outcome(lambda: write_back(data, format)),
    )


def outcome(action: Callable[[], object]) -> str:
    """Run a reader, which may refuse, and return its refusal without what differs by input."""
    try:
        action()
    except mason.MasonError as error:
        text = error.message.partition("\n")[0]
        return type(error).__name__ + re.sub(r"[0-9]+|\S*[^\x20-\x7e]\S*|(['\"]).*\1", "~", text)
    return "accepted"


def write_back(data: bytes, format: Format) -> None:
    """Check that what is kept inert is written and read as the same again."""
    kept = mason.loads(data, unknown="keep", format=format)
    try:
        written = mason.dumpb(kept, format=format)
    except mason.DumpError:
        return
    again = mason.loads(written, unknown="keep", format=format)
    assert mason.same(kept, again), mason.difference(kept, again)
