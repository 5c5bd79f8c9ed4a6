"""Figures as people read them."""

from __future__ import annotations

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def seconds(value: float) -> str:
    """Return a time with three digits and its unit: `1.23 ms`."""
    for size, unit in _UNITS:
        if value >= size:
            return f"{_digits(value / size)} {unit}"
    return "0 s" if not value else "< 1 ns"


def span(best: float, worst: float) -> str:
    """Return the times from the best to the worst: `1.23-1.40 ms`."""
    for size, unit in _UNITS:
        if best >= size:
            low, high = _digits(best / size), _digits(worst / size)
            return f"{low} {unit}" if low == high else f"{low}-{high} {unit}"
    return seconds(best)


def amount(value: int) -> str:
    """Return a number of bytes with its unit: `12.3 kB`."""
    for size, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if value >= size:
            return f"{_digits(value / size)} {unit}"
    return f"{value} B"


def counted(number: int, unit: str, ending: str = "s") -> str:
    """Return a number of things: `1 value`, `2 values`."""
    return f"{number:,} {unit}{'' if number == 1 else ending}"


def times_as(own: float, other: float) -> str:
    """Return a figure as a multiple of another: `0.42 x`."""
    return f"{_digits(own / other)} x"


def _digits(value: float) -> str:
    if value >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
