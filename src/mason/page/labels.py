"""Where the names of points in a chart go, so that they cover neither points nor each other.

Strategy: names are placed one by one, the important first, each at the first of a few places around
its point that is free. A name that has none is left out: its point still tells it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, TypeAlias

LETTER = 7.6  # pixels of one letter at 13 pixels, a little more than most have
HIGH = 14.0
_POINT = 6.0  # from the middle of a point to its edge, and some air


Align: TypeAlias = Literal["left", "center", "right"]


class Spot(NamedTuple):
    """Name a point at pixels `x` and `y` (downwards), and the name it wants."""

    x: float
    y: float
    name: str


class Box(NamedTuple):
    """Hold the edges of a rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def meets(self, other: Box) -> bool:
        """Tell whether two rectangles have something in common."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Label(NamedTuple):
    """Say where a name stands: what of its middle line is at `x`, `y`, and whose name it is.

    That end is the near one, so that a font that is wider than expected grows away from the point.
    """

    x: float
    y: float
    align: Align
    spot: Spot

    @property
    def box(self) -> Box:
        """Return what it covers."""
        wide = len(self.spot.name) * LETTER
        left = self.x - {"left": 0.0, "center": wide / 2, "right": wide}[self.align]
        return Box(left, self.y - HIGH / 2, left + wide, self.y + HIGH / 2)


def placed(spots: Sequence[Spot], width: float, height: float) -> list[Label]:
    """Return a place for as many names as there is room for; those that come first go first."""
    taken = [
        Box(spot.x - _POINT, spot.y - _POINT, spot.x + _POINT, spot.y + _POINT) for spot in spots
    ]
    labels = []
    for spot in spots:
        for label in _around(spot):
            box = label.box
            if _inside(box, width, height) and not any(map(box.meets, taken)):
                taken.append(box)
                labels.append(label)
                break
    return labels


def _around(spot: Spot) -> Iterator[Label]:
    """Give places from near to far; the far ones get a line to the point."""
    right, left = spot.x + _POINT + 2, spot.x - _POINT - 2
    for far in (0, 14, 26, 38, 52):
        for y in (spot.y - far, spot.y + far) if far else (spot.y,):
            if far:
                yield Label(spot.x, y, "center", spot)
            yield Label(right, y, "left", spot)
            yield Label(left, y, "right", spot)


def _inside(box: Box, width: float, height: float) -> bool:
    return box.left >= 2 and box.top >= 0 and box.right <= width and box.bottom <= height
