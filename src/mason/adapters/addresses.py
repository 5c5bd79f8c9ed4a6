"""Addresses, interfaces and networks of `ipaddress`."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from mason._core import Plan
from mason.adapters.contents import Slots, short, text
from mason.errors import Refused

_LONGEST = 100  # an IPv6 address with a scope and a prefix


def _row(cls: Any) -> Plan:
    make = _maker(cls)
    # such an object keeps what it worked out once, under the name of the property
    worked_out = {name for part in cls.__mro__ for name in vars(part)}

    def take(address: Any) -> Slots:
        slots = {"$str": short(str(address), _LONGEST)}
        own = getattr(address, "__dict__", None)
        if own:  # interfaces and networks: whoever changed one has made something else of it
            again = make(slots)
            if again != address or own.keys() - vars(again).keys() - worked_out:
                raise Refused("is an address that its text does not give back")
        return slots

    name = f"ipaddress:{cls.__name__}"
    return Plan("parts", cls=cls, name=name, atom=True, take=take, make=make)


def _maker(cls: Any) -> Callable[[Slots], Any]:
    def make(slots: Slots) -> Any:
        try:
            return cls(text(slots, _LONGEST))
        except ValueError:
            raise Refused(f"is not the text of an {cls.__name__}") from None

    return make


ROWS = tuple(
    _row(cls)
    for cls in (
        ipaddress.IPv4Address,
        ipaddress.IPv6Address,
        ipaddress.IPv4Interface,
        ipaddress.IPv6Interface,
        ipaddress.IPv4Network,
        ipaddress.IPv6Network,
    )
)
