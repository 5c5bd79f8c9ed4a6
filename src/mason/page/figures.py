"""Numbers as people read them: three digits and a unit."""

from __future__ import annotations

_TIMES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def size_text(count: float) -> str:
    """Return a number of bytes: `850 B`, `12.3 kB`."""
    for unit, name in _SIZES:
        if count >= unit * 0.9995:  # what would be 1000 of the unit below
            return f"{_three(count / unit)} {name}"
    return f"{count:.0f} B"


def time_text(seconds: float) -> str:
    """Return a time: `3.21 µs`, `45 ms`."""
    unit, name = next((row for row in _TIMES if seconds >= row[0] * 0.9995), _TIMES[-1])
    return f"{_three(seconds / unit)} {name}"


def count_text(number: int, unit: str, units: str = "") -> str:
    """Return how many there are of something: `1 value`, `1,234 values`."""
    return f"{number:,} {unit if number == 1 else units or unit + 's'}"


def _three(number: float) -> str:
    """Return a number with three digits; a zero behind the point says nothing."""
    places = max(0, 2 - len(f"{int(number)}") + 1) if number >= 1 else 2
    text = f"{number:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
