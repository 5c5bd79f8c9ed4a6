"""The shortest path to a place of an inert tree, where links make the way of the walk a long one.

Strategy: a walk comes to a room by all the doors before it. Breadth first, every object has its
shortest place; the last object on a long way there stands in for all the steps before it.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from mason.document import parts_of
from mason.inspection.inert import Place, RawStep

_LONG = 12  # steps; what is not longer stays as it is


class Shortcuts:
    """Know the shortest places of one tree, whose root stands at `start`."""

    def __init__(self, root: Any, start: Place) -> None:
        self._root = root
        self._start = start
        self._places: dict[int, Place] | None = None  # by the id of an object; made when asked for
        self._objects: dict[int, int] = {}  # by the id of a place, the id of what stands there

    def note(self, place: Place, value: Any) -> None:
        """Note what stands at a place, which the caller keeps alive."""
        self._objects[id(place)] = id(value)

    def shortest(self, place: Place) -> Place:
        """Return a shorter place that is the same, or the place itself."""
        steps: list[RawStep] = []
        size, at = _size(place), place
        while size > _LONG and at is not None:
            noted = self._objects.get(id(at))
            found = None if noted is None else self._found().get(noted)
            if found is not None and _size(found) + len(steps) < size:
                for step in reversed(steps):
                    found = found, step
                return found
            at, step = at
            steps.append(step)
        return place

    def _found(self) -> dict[int, Place]:
        if self._places is None:
            self._places = {id(self._root): self._start}
            line = deque([(self._start, self._root)])
            while line:
                place, value = line.popleft()
                for step, part in parts_of(value) or ():
                    if id(part) not in self._places:
                        below = place, (step.kind, step.at)
                        self._places[id(part)] = below
                        line.append((below, part))
        return self._places


def _size(place: Place) -> int:
    size = 0
    while place is not None:
        place, size = place[0], size + 1
    return size
