"""A log of events: many small dicts, with times and ids as objects."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

_START = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
_PATHS = ("/", "/cart", "/checkout", "/search", "/account")


def log(count: int = 1_000) -> list[dict[str, Any]]:
    """Return events in the order of their times."""
    chance = random.Random(4)
    moment = _START
    events = []
    for _ in range(count):
        moment += timedelta(milliseconds=chance.randrange(1, 4_000))
        events.append(_event(moment, chance))
    return events


def _event(moment: datetime, chance: random.Random) -> dict[str, Any]:
    event: dict[str, Any] = {"at": moment, "id": UUID(int=chance.getrandbits(128), version=4)}
    kind = chance.randrange(10)
    if kind < 7:
        event |= {
            "kind": "request",
            "path": _PATHS[chance.randrange(len(_PATHS))],
            "status": 200 if chance.random() < 0.97 else 500,
            "took": timedelta(microseconds=chance.randrange(900, 400_000)),
        }
    elif kind < 9:
        event |= {"kind": "login", "user": chance.randrange(1, 500), "ok": chance.random() < 0.9}
    else:
        event |= {
            "kind": "error",
            "message": "the payment service did not answer",
            "where": {"module": "storefront.payments", "line": chance.randrange(20, 300)},
        }
    return event
