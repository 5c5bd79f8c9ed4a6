"""Where a writer stopped that names no place: found by asking it to write the parts alone.

Strategy: the first part that it refuses, found by halving, is looked into as long as it is refused
for the same reason as the whole; where the reason changes, or no part is refused any more, that is
the place. A part that leads back to where we come from closes a cycle, and the search.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from mason.comparison.parts import Part, parts
from mason.inspection.state import Kinds
from mason.paths import Step, format_path

Dump = Callable[[Any], Any]

_TRIES = 2_000
_WITHOUT_END = re.compile("recurs|circular|cycl|depth|nest", re.IGNORECASE)
_NUMBERS = re.compile(r"0x[0-9a-f]+|[0-9]+")


class Place(NamedTuple):
    """Hold a path and what is there; `back` is the path it leads back to, if it closes a cycle."""

    path: str
    value: Any
    back: str = ""


class _Exhausted(Exception):
    """Say that the search has taken what it may."""


class Search:
    """Find the part that a writer refuses; `seconds` bound the search."""

    def __init__(self, dump: Dump, seconds: float) -> None:
        self._dump = dump
        self._until = time.monotonic() + seconds
        self._tries = _TRIES
        self._kinds = Kinds()

    def place(self, obj: Any, error: BaseException) -> Place | None:
        """Return the part that the writer stopped at, None when that is not found."""
        reason, here = _reason(error), obj
        line: list[Place] = [Place("$", obj)]
        steps: list[Step] = []
        opened = {id(obj): 0}
        try:
            while (part := self._first_refused(parts(here, self._kinds), reason)) is not None:
                steps.append(part.step)
                here = part.value
                line.append(Place(format_path(steps), here))
                if id(here) in opened:
                    return self._closed(line, opened[id(here)], error)
                opened[id(here)] = len(steps)
        except _Exhausted:
            return None
        return None if _WITHOUT_END.search(_reason(error)) else line[-1]

    def _closed(self, line: list[Place], first: int, error: BaseException) -> Place:
        """Return the place of a cycle where that was the reason, else what stands in the cycle."""
        if _WITHOUT_END.search(_reason(error)):
            return Place(line[-1].path, line[-1].value, line[first].path)
        return line[first]

    def _first_refused(self, found: Sequence[Part], reason: str) -> Part | None:
        """Return the first part that is refused alone, if it is for the reason of the whole."""
        values = [part.value for part in found]
        if self._refusal([]) is not None or self._refusal(values) is None:
            return None
        low, high = 0, len(values)  # the parts before low are taken, those before high are not
        while high - low > 1:
            middle = (low + high) // 2
            if self._refusal(values[:middle]) is None:
                low = middle
            else:
                high = middle
        return found[low] if self._refusal(values[low]) == reason else None

    def _refusal(self, obj: Any) -> str | None:
        """Return why the writer refuses an object, None if it takes it."""
        self._tries -= 1
        if self._tries < 0 or time.monotonic() > self._until:
            raise _Exhausted
        try:
            self._dump(obj)
        except Exception as error:
            return _reason(error)
        return None


def _reason(error: BaseException) -> str:
    """Return a text that is the same for the same refusal of another object."""
    return type(error).__name__ + _NUMBERS.sub("#", str(error))
