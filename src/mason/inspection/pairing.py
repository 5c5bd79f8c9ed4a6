"""Which element of one list, or member of one set, is which of the other.

Strategy: from what is certain to what is likely, each step only for what the steps before left
over. Equal elements in their order (`alignment`), equal ones elsewhere, those that are equal but
for their rough numbers, those of one type with the same identity (`id`, `uuid`, `name`, …), those
of one family that hold most of the same, and at last what stands alone, or as one of a run of atoms
or of things of another type, between the same neighbours. Everything is found by looking up, so the
cost is linear: elements propose each other by what few others have, and only the best few proposals
are weighed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Any, Protocol

from mason.inspection.alignment import Pair, align, gaps, longest_increasing
from mason.inspection.inert import identity_of
from mason.inspection.parts import Parts

_RARE = 16  # pairs that one thing in common may propose
_WEIGHED = 8  # proposals of one element that are weighed
_WIDE = 256  # parts of one element that are looked at
_MOST = 0.5  # of the content: what makes two elements one that was changed ...
_NEARLY_ALL = 0.75  # ... and where their identities say that they are two

Feature = tuple[int, int, int]  # a key, a part, and how many of the same came before


class Numbering(Protocol):
    """Tell values apart by numbers: `Numbers`, or what does the same for live objects."""

    def of(self, value: Any) -> int:
        """Return the number of a value's content."""

    def rough(self, number: int) -> int:
        """Return the number of what is nearly the same."""

    def has_rough(self) -> bool:
        """Tell whether rough numbers say anything that the others do not."""

    def key(self, *parts: Any) -> int:
        """Return the number of a name."""


class Element:
    """Hold what pairing has to know of one element; its parts are read when they are asked for."""

    __slots__ = ("_parts", "_read", "_value", "number", "rough")

    def __init__(self, value: Any, number: int, rough: int, read: Callable[[Any], Parts]) -> None:
        self.number = number
        self.rough = rough
        self._value = value
        self._read = read
        self._parts: Parts | None = None

    @property
    def parts(self) -> Parts:
        """Return what the element is made of."""
        if self._parts is None:
            self._parts = self._read(self._value)
        return self._parts


class Pairing:
    """Pair the elements of two lists or the members of two sets."""

    def __init__(self, xs: list[Element], ys: list[Element], numbers: Numbering) -> None:
        self.pairs: list[Pair] = []
        self._xs, self._ys = xs, ys
        self._numbers = numbers
        self._x_free, self._y_free = dict.fromkeys(range(len(xs))), dict.fromkeys(range(len(ys)))
        self._known: dict[int, Any] = {}  # by the id of an element's parts, its identity

    def in_order(self) -> list[Pair]:
        """Pair elements of lists; return the pairs, those that stay in their order first."""
        xs, ys = self._xs, self._ys
        anchors = align([x.number for x in xs], [y.number for y in ys])
        self._take(anchors)
        self._take_equal(lambda element: element.number, single=True)
        if self._numbers.has_rough():
            anchors = self._take_rough(anchors)
        self._take_same_identity()
        for i_range, j_range in list(gaps(anchors, len(xs), len(ys))):
            free = self._free_in(i_range, j_range)
            if len(free[0]) == len(free[1]) == 1:  # nothing is weighed for what stands alone
                self._take_by_place(*free)
                free = self._free_in(i_range, j_range)
            self._take_similar(free)
        for i_range, j_range in list(gaps(self._kept(), len(xs), len(ys))):
            self._take_by_place(*self._free_in(i_range, j_range))
        return self.pairs

    def in_any_order(self) -> list[Pair]:
        """Pair members of sets, which have no order."""
        self.by_number()
        self._take_same_identity()
        self._take_similar((list(self._x_free), list(self._y_free)))
        x, y = list(self._x_free), list(self._y_free)
        if len(x) == len(y) == 1 and self._xs[x[0]].parts.atom is None:
            self._take_by_place(x, y)
        return self.pairs

    def by_number(self) -> list[Pair]:
        """Pair keys: what is equal, and what is equal but for its rough number."""
        self._take_equal(lambda element: element.number)
        if self._numbers.has_rough():
            self._take_equal(lambda element: element.rough)
        return self.pairs

    def kept(self) -> set[Pair]:
        """Return the pairs that are in the same order on both sides; the others moved."""
        return set(self._kept())

    # ---- the steps

    def _take(self, pairs: Iterable[Pair]) -> None:
        for i, j in pairs:
            del self._x_free[i], self._y_free[j]
            self.pairs.append((i, j))

    def _take_equal(self, look: Callable[[Element], int], *, single: bool = False) -> None:
        """Pair what looks the same, in order; of atoms only what stands once, with `single`."""
        theirs: dict[int, list[int]] = {}
        for j in self._y_free:
            theirs.setdefault(look(self._ys[j]), []).append(j)
        ours: dict[int, list[int]] = {}
        for i in self._x_free:
            if look(self._xs[i]) in theirs:
                ours.setdefault(look(self._xs[i]), []).append(i)
        for number, places in ours.items():
            others = theirs[number]
            atom = self._xs[places[0]].parts.atom is not None
            if single and atom and len(places) + len(others) > 2:
                continue  # a value like None or 0 stands in many places, and moves to none
            self._take(zip(places, others, strict=False))

    def _take_rough(self, anchors: list[Pair]) -> list[Pair]:
        """Pair what has the same rough number between anchors; return all anchors then."""
        found = list(anchors)
        for i_range, j_range in gaps(anchors, len(self._xs), len(self._ys)):
            left, right = self._free_in(i_range, j_range)
            pairs = align([self._xs[i].rough for i in left], [self._ys[j].rough for j in right])
            between = [(left[i], right[j]) for i, j in pairs]
            self._take(between)
            found += between
        return sorted(found)

    def _take_same_identity(self) -> None:
        ours = self._identities(self._xs, self._x_free)
        theirs = self._identities(self._ys, self._y_free)
        self._take([(i, theirs[who]) for who, i in ours.items() if who in theirs])

    def _identities(self, elements: list[Element], free: Iterable[int]) -> dict[Any, int]:
        found: dict[Any, int] = {}
        twice = set()
        for at in free:
            who = self._identity(elements[at].parts)
            if who is not None and who in found:
                twice.add(who)
            elif who is not None:
                found[who] = at
        return {who: at for who, at in found.items() if who not in twice}

    def _take_similar(self, free: tuple[list[int], list[int]]) -> None:
        left, right = free
        if not left or not right:
            return
        ours, theirs = self._all_features(self._xs, left), self._all_features(self._ys, right)
        weighed = []
        for i, j in _proposed(ours, theirs):
            alike = self._likeness(i, j, ours[i], theirs[j])
            if alike:
                weighed.append((-alike, abs(i - j), i, j))
        for _, _, i, j in sorted(weighed):
            if i in self._x_free and j in self._y_free:
                self._take([(i, j)])

    def _all_features(self, elements: list[Element], free: list[int]) -> dict[int, set[Feature]]:
        """Return what elements hold; of those that are the same only the first can be proposed."""
        first = {elements[at].number: at for at in reversed(free)}
        return {at: _features(elements[at].parts, self._numbers) for at in sorted(first.values())}

    def _likeness(self, i: int, j: int, ours: set[Feature], theirs: set[Feature]) -> float:
        """Return how much two elements have in common; 0 for what is not enough."""
        x, y = self._xs[i].parts, self._ys[j].parts
        if x.family != y.family:
            return 0
        if not ours or not theirs:
            return 0
        alike = 2 * len(ours & theirs) / (len(ours) + len(theirs))
        return alike if alike >= (_NEARLY_ALL if self._are_two(x, y) else _MOST) else 0

    def _take_by_place(self, left: list[int], right: list[int]) -> None:
        if len(left) != len(right):
            return
        for i, j in zip(left, right, strict=True):
            x, y = self._xs[i].parts, self._ys[j].parts
            atoms = x.atom is not None and y.atom is not None
            turned = x.type != y.type and x.family == y.family  # a list where tuples were
            if atoms or ((len(left) == 1 or turned) and not self._are_two(x, y)):
                self._take([(i, j)])

    # ---- what they ask

    def _free_in(self, i_range: range, j_range: range) -> tuple[list[int], list[int]]:
        return [i for i in i_range if i in self._x_free], [j for j in j_range if j in self._y_free]

    def _kept(self) -> list[Pair]:
        ordered = sorted(self.pairs)
        return [ordered[at] for at in longest_increasing([j for _, j in ordered])]

    def _are_two(self, x: Parts, y: Parts) -> bool:
        """Tell whether the identities of two elements say that they are not one."""
        one, other = self._identity(x), self._identity(y)
        # a class that was renamed makes no two things of one
        return one is not None and other is not None and one[1:] != other[1:]

    def _identity(self, parts: Parts) -> Any:
        if id(parts) not in self._known:
            self._known[id(parts)] = identity(parts, self._numbers)
        return self._known[id(parts)]


def identity(parts: Parts, numbers: Numbering) -> Any:
    """Return what tells an element from others of its type, or None."""
    held = parts.fields if parts.family == "instance" else parts.keyed
    name = identity_of(held)
    return None if name is None else (parts.type, name, numbers.of(held[name]))


def _features(parts: Parts, numbers: Numbering) -> set[Feature]:
    """Return what an element holds, one level deep, by rough numbers."""
    found: set[Feature] = set()
    counts: dict[tuple[int, int], int] = {}

    def add(key: int, part: Any) -> None:
        feature = key, numbers.rough(numbers.of(part))
        counts[feature] = counts.get(feature, -1) + 1
        found.add((*feature, counts[feature]))

    for part in islice(chain(parts.items or (), parts.members or ()), _WIDE):
        add(-1, part)
    for key, part in islice(parts.entries or (), _WIDE):
        add(numbers.of(key), part)
    for name, part in islice(parts.fields.items(), _WIDE):
        add(numbers.key(name), part)
    return found


def _proposed(
    ours: dict[int, set[Feature]], theirs: dict[int, set[Feature]]
) -> Iterable[tuple[int, int]]:
    """Give pairs that have something rare in common, the most promising of each element."""
    holders: dict[Feature, list[int]] = {}
    for j, features in theirs.items():
        for feature in features:
            holders.setdefault(feature, []).append(j)
    counts: dict[Feature, int] = {}
    for features in ours.values():
        for feature in features:
            if feature in holders:
                counts[feature] = counts.get(feature, 0) + 1
    for i, features in ours.items():
        votes: dict[int, int] = {}
        for feature in features:
            others: Sequence[int] = holders.get(feature, ())
            if others and counts[feature] * len(others) <= _RARE:
                for j in others:
                    votes[j] = votes.get(j, 0) + 1
        yield from ((i, j) for j in sorted(votes, key=lambda j: (-votes[j], j))[:_WEIGHED])
