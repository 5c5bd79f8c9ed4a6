"""Six objects that people really keep, made the same each time: what docs/comparison.md compares.

In the folder `examples`, `mason compare --expr 'kept.orders()' --for exchange` compares one again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kept.castle import game
from kept.events import log
from kept.renders import cache
from kept.service import config
from kept.shop import orders
from kept.weather import measurements


class Kept(NamedTuple):
    """Say what one object is, how to make it, and what it is kept for."""

    make: Callable[[], Any]
    title: str
    what: str
    purpose: str
    why: str

    @property
    def expression(self) -> str:
        """Return what makes it, as one would type it."""
        return f"kept.{self.make.__name__}()"


KEPT = (
    Kept(
        config,
        "A config",
        "The settings of a web service: dicts, lists, texts, numbers. Real config files hold plain"
        " data, because people write them by hand.",
        "config",
        "people edit it, programs of several languages read it",
    ),
    Kept(
        orders,
        "A list of orders",
        "500 orders of 100 customers: dataclasses with `Decimal`, `datetime`, `date` and an"
        " enum; a customer with two orders is one object.",
        "exchange",
        "other programs, not only Python's, read it",
    ),
    Kept(
        game,
        "A saved game",
        "A castle of 300 rooms and 40 players: every room knows its neighbours and what lies in"
        " it, every thing and every player knows its room. Cycles everywhere.",
        "archive",
        "next year's version of the game has to open it, and players pass saves around",
    ),
    Kept(
        measurements,
        "A table of measurements",
        "A week of 10 weather stations, every half hour: 3,360 rows of flat dicts; NaN where a"
        " sensor gave nothing.",
        "archive",
        "it is analysed later, with whatever tool is at hand then",
    ),
    Kept(
        log,
        "A log of events",
        "1,000 small dicts with `datetime`, `UUID` and `timedelta` as objects; which keys there"
        " are depends on the event.",
        "queue",
        "one process writes it, another one takes it in",
    ),
    Kept(
        cache,
        "A cache of mixed values",
        "What a program has computed: a dict with tuples as keys; the values are dataclasses,"
        " sets, bytes, complex numbers, and some are shared.",
        "cache",
        "the same program reads it back, as fast as it can",
    ),
)
