"""Measurements of weather stations: a table as a list of flat dicts."""

from __future__ import annotations

import math
import random

_STATIONS = (
    "Aalen",
    "Bonn",
    "Celle",
    "Dachau",
    "Emden",
    "Fulda",
    "Gera",
    "Halle",
    "Ilmenau",
    "Jena",
)
_EVERY = 30  # minutes


def measurements(days: int = 7) -> list[dict[str, object]]:
    """Return a row for each station and time; NaN stands where a sensor gave nothing."""
    chance = random.Random(3)
    return [
        _row(station, number, minute, chance)
        for minute in range(0, days * 24 * 60, _EVERY)
        for number, station in enumerate(_STATIONS)
    ]


def _row(station: str, number: int, minute: int, chance: random.Random) -> dict[str, object]:
    of_day = math.sin((minute % 1440 - 540) / 1440 * 2 * math.pi)
    return {
        "station": station,
        "minute": minute,
        "temperature": _reading(8 + number / 2 + 6 * of_day + chance.random(), chance),
        "humidity": _reading(65 - 20 * of_day + 10 * chance.random(), chance),
        "pressure": _reading(1013 + 8 * chance.random(), chance),
        "wind": _reading(12 * chance.random() ** 2, chance),
        "checked": chance.random() < 0.9,
    }


def _reading(value: float, chance: random.Random) -> float:
    return math.nan if chance.random() < 0.01 else round(value, 2)
