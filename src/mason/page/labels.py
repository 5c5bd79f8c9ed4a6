"""Where the names of points in a chart go, so that they cover neither points nor each other.

Strategy: names are placed one by one, the important first, each at the first of a few places around
its point that is free. A name that has none is left out: its point still tells it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

LETTER = 7.4  # pixels of one letter at 13 pixels, a little more than most have
_HIGH = 14.0
_POINT = 6.0  # from the middle of a point to its edge, and some air


class Spot(NamedTuple):
    """Name a point at pixels `x` and `y` (downwards), and the name it wants."""

    x: float
    y: float
    name: str


class Label(NamedTuple):
    """Say where a name stands: the left end of its middle line, and the point it belongs to."""

    x: float
    y: float
    spot: Spot


class _Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def placed(spots: Sequence[Spot], width: float, height: float) -> list[Label]:
    """Return a place for as many names as there is room for; those that come first go first."""
    taken = [
        _Box(spot.x - _POINT, spot.y - _POINT, spot.x + _POINT, spot.y + _POINT) for spot in spots
    ]
    labels = []
    for spot in spots:
        wide = len(spot.name) * LETTER
        for x, y in _around(spot, wide):
            box = _Box(x, y - _HIGH / 2, x + wide, y + _HIGH / 2)
            if _inside(box, width, height) and not _any_meets(taken, box):
                taken.append(box)
                labels.append(Label(x, y, spot))
                break
    return labels


def _around(spot: Spot, wide: float) -> Iterator[tuple[float, float]]:
    """Give places from near to far; the far ones get a line to the point."""
    right, left, middle = spot.x + _POINT + 2, spot.x - _POINT - 2 - wide, spot.x - wide / 2
    yield right, spot.y
    yield left, spot.y
    for far in (14, 26, 38, 52):
        for y in (spot.y - far, spot.y + far):
            yield middle, y
            yield right, y
            yield left, y


def _inside(box: _Box, width: float, height: float) -> bool:
    return box.left >= 2 and box.top >= 0 and box.right <= width and box.bottom <= height


def _any_meets(taken: Iterable[_Box], box: _Box) -> bool:
    return any(box.meets(other) for other in taken)
