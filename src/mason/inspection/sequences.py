"""Which elements of two sequences of live objects belong together, as `pairing` finds it.

Strategy: fingerprints are the numbers. A sequence that was only changed in place is left to be
compared place by place: that is what most are, and what one reads most easily. So is what is large:
a fingerprint takes some ten times as long as a comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mason.inspection.alignment import Pair, gaps, merged
from mason.inspection.fingerprint import Fingerprints
from mason.inspection.pairing import Element, Pairing
from mason.inspection.parts import Parts
from mason.inspection.state import Kinds

_MOST = 200_000  # objects with a fingerprint, in one comparison


class Sequences:
    """Pair the elements of sequences of one comparison."""

    def __init__(self, kinds: Kinds, prints: Fingerprints) -> None:
        self._kinds = kinds
        self._prints = prints
        self._numbers = _Numbers(prints)

    def pair(self, xs: list[Any], ys: list[Any]) -> Iterator[tuple[int, int, bool]] | None:
        """Return pairs of indices, -1 for none, and whether one moved, in the order of reading.

        None where the sequences are best compared place by place.
        """
        if len(self._prints) + len(xs) + len(ys) > _MOST:
            return None
        number = self._numbers.of
        ours, theirs = [number(x) for x in xs], [number(y) for y in ys]
        if ours == theirs:
            return None
        elements = self._elements(xs, ours), self._elements(ys, theirs)
        pairing = Pairing(*elements, self._numbers)
        pairs = pairing.in_order()
        if len(xs) == len(ys):
            in_place = sum(x == y for x, y in zip(ours, theirs, strict=True))
            if sum(ours[i] == theirs[j] for i, j in pairs) <= in_place:
                return None
        kept = pairing.kept()
        moved = set(pairs) - kept
        known = [*pairs, *_in_between(pairs, kept, len(xs), len(ys))]
        order = merged(len(xs), len(ys), known, set(known) - moved)
        return ((i, j, (i, j) in moved) for i, j in order)

    def _elements(self, values: list[Any], numbers: list[int]) -> list[Element]:
        return [
            Element(value, number, number, self._parts)
            for value, number in zip(values, numbers, strict=True)
        ]

    def _parts(self, value: Any) -> Parts:
        kind = self._kinds.of(type(value))
        found = Parts("instance", str(id(type(value))), kind.shared)
        found.atom = self._kinds.key(value)
        if found.atom is None:
            state = kind.read(value)
            found.items, found.entries, found.members = state.items, state.pairs, state.members
            found.fields = state.attributes or _by_text(state.pairs or ())
        return found


def _in_between(pairs: list[Pair], kept: set[Pair], x_size: int, y_size: int) -> Iterator[Pair]:
    """Give what is left between the same neighbours, as much of it on both sides, in its order."""
    taken_x, taken_y = {i for i, _ in pairs}, {j for _, j in pairs}
    for x_gap, y_gap in gaps(sorted(kept), x_size, y_size):
        left = [i for i in x_gap if i not in taken_x]
        right = [j for j in y_gap if j not in taken_y]
        if len(left) == len(right):
            yield from zip(left, right, strict=True)


def _by_text(pairs: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if type(key) is str}


class _Numbers:
    """Be the numbers that `Pairing` asks for: the fingerprints of live objects."""

    def __init__(self, prints: Fingerprints) -> None:
        self.of = prints.of

    def rough(self, number: int) -> int:
        return number

    def has_rough(self) -> bool:
        return False

    def key(self, *parts: Any) -> int:
        return hash(parts)
