"""Orders of a shop: dataclasses that hold what shops need to be exact about."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum

_PRODUCTS = ("tea", "cup", "kettle", "tray", "honey", "sieve", "caddy", "biscuits")
_START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)


class Status(Enum):
    """Say how far an order has come."""

    OPEN = "open"
    PAID = "paid"
    SENT = "sent"


@dataclass
class Customer:
    """Hold who orders."""

    number: int
    name: str
    email: str
    since: date


@dataclass
class Line:
    """Hold one product of an order."""

    product: str
    price: Decimal
    count: int = 1


@dataclass
class Order:
    """Hold one order."""

    number: int
    customer: Customer
    placed: datetime
    lines: list[Line] = field(default_factory=list)
    status: Status = Status.OPEN
    note: str | None = None


def orders(count: int = 500) -> list[Order]:
    """Return orders of customers who come again."""
    chance = random.Random(1)
    customers = [_customer(number) for number in range(1, count // 5 + 1)]
    return [_order(number, customers, chance) for number in range(1, count + 1)]


def _customer(number: int) -> Customer:
    name = f"Customer {number}"
    since = date(2020, 1, 1) + timedelta(days=number * 7)
    return Customer(number, name, f"customer{number}@example.com", since)


def _order(number: int, customers: list[Customer], chance: random.Random) -> Order:
    lines = [
        Line(product, Decimal(chance.randrange(100, 10_000)).scaleb(-2), chance.randrange(1, 6))
        for product in _PRODUCTS[: chance.randrange(1, 5)]
    ]
    placed = _START + timedelta(minutes=number * 11, seconds=chance.randrange(60))
    status = list(Status)[chance.randrange(3)]
    note = None if number % 10 else "leave it at the door"
    return Order(number, customers[chance.randrange(len(customers))], placed, lines, status, note)
