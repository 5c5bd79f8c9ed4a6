"""Whether two object graphs are the same, and where they first differ.

Strategy: both graphs are walked side by side in document order, on an explicit stack of iterators.
What `state` reads of a pair of objects is compared; identities form a bijection (`left`,
`right`), so two places that hold one object on one side must hold one object on the other. Members
of sets have no order: those with a fingerprint of their own are paired at once, groups of equals
are put off until all else is paired and then settled by `matching`, each trial undone from a
journal. The trials have a budget; when it ends without an answer the answer is "cannot tell", which
is never taken for the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from mason.errors import shown
from mason.inspection.classes import class_name
from mason.inspection.fingerprint import Fingerprints
from mason.inspection.matching import Group, Matching, OutOfBudget
from mason.inspection.natives import PLAIN_ATOMS
from mason.inspection.sequences import Sequences
from mason.inspection.state import Kind, Kinds
from mason.inspection.words import brief
from mason.paths import Step, format_path

# Objects looked at while settling sets whose members look alike, in all and for each member.
_TRIALS, _TRIALS_EACH = 300_000, 100

# The fields of a paths.Step, made into one only when it is shown; a third is the index that an
# element has in the second graph, where that may be another.
_Step: TypeAlias = tuple[Any, ...]
# The place before, and the step from there; None is the root.
_Place: TypeAlias = "tuple[_Place, _Step] | None"
_Child: TypeAlias = tuple[_Place, Any, Any]


class Difference(NamedTuple):
    """Say where two graphs differ, how, and what either side holds there.

    `kind` is one of "type", "value", "size" (of what has no pairs), "missing" (not in the second),
    "extra" (only in the second), "moved" (an element of a sequence), "key" (another type of key at
    the same place of a mapping: 1 and "1"), "order" (of a mapping's keys), "sharing" (one object in
    two places on one side only), "members" (sets whose members cannot be paired), "cannot tell".
    `path` is that in the first graph, of "extra" that in the second. `a` and `b` are short texts:
    no code of a class was run to make them.
    """

    path: str
    kind: str
    a: str
    b: str

    def __str__(self) -> str:
        return f"{shown(self.path)}: {self.kind}: {self.a} | {self.b}"


def same(a: object, b: object) -> bool:
    """Tell whether two object graphs have the same values, exact types, order and sharing.

    Floats are compared bit by bit (NaN is the same as NaN, -0.0 is not 0.0), classes and functions
    by identity, dicts with their order, attributes and sets without one. No code of any class is
    run, no `__eq__` either. Whatever cannot be looked into (a lock, an open file) is the same only
    as itself.
    """
    return not in_place(a, b, 1)


def difference(a: object, b: object, limit: int = 10) -> list[Difference]:
    """Return the first differences of two object graphs in document order, [] for the same.

    Elements of sequences are compared with those that they belong to: one that was put in, taken
    out or moved is told as that; place by place are compared those that come after 200,000 objects
    were looked at so. At most `limit` are returned.

    Raises ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError("limit must be at least 1")
    if same(a, b):
        return []
    comparison = Comparison(limit, aligned=True)
    comparison.run(a, b)
    return comparison.found


def in_place(a: object, b: object, limit: int) -> list[Difference]:
    """Return the first differences, with sequences compared place by place."""
    comparison = Comparison(limit)
    comparison.run(a, b)
    return comparison.found


class Comparison:
    """Walk two graphs side by side and collect their differences."""

    def __init__(self, limit: int, *, aligned: bool = False) -> None:
        self.found: list[Difference] = []
        self._limit = limit
        self.kinds = Kinds()
        # id of an object on one side -> its partner on the other, and where it was met first
        self.left: dict[int, tuple[Any, _Place]] = {}
        self.right: dict[int, tuple[Any, _Place]] = {}
        # pairs outside the bijection, which are looked at once all the same
        self._met: dict[tuple[int, int], Any] = {}
        self.journal: list[tuple[dict[Any, Any], Any]] = []  # what to delete to undo a trial
        self._prints = Fingerprints(self.kinds)
        self._sequences = Sequences(self.kinds, self._prints) if aligned else None
        self.open: list[Group] = []
        self._trying = False
        self._failed = False
        self._unsure = False
        self._budget = 0

    def run(self, a: Any, b: Any) -> None:
        """Compare two graphs; `found` has the differences then."""
        self._walk(None, a, b)
        if self.found or not self.open:
            return  # groups that look alike cannot make the answer better again
        place = self.open[0].place
        try:
            self._trying = True
            self._budget = _TRIALS + _TRIALS_EACH * sum(len(group.xs) for group in self.open)
            if Matching(self).settle():
                return
            kind = "cannot tell" if self._unsure else "members"
        except OutOfBudget:
            kind = "cannot tell"
        self._trying = False
        self._differ(place, kind, "members that look alike", "members that look alike")

    # ---- the walk

    def _walk(self, place: _Place, a: Any, b: Any) -> None:
        stack: list[Iterator[_Child]] = [iter([(place, a, b)])]
        while stack:
            for child in stack[-1]:
                children = self._meet(*child)
                if children is not None:
                    stack.append(children)
                    break
                if self._failed or len(self.found) >= self._limit:
                    return
            else:
                stack.pop()
                if self._failed or len(self.found) >= self._limit:
                    return

    def _meet(self, place: _Place, x: Any, y: Any) -> Iterator[_Child] | None:
        """Compare two objects; return the pairs of their parts if those are to be compared."""
        if self._trying:
            self.spend(1)
        cls = type(x)
        if cls is not type(y):
            self._differ(place, "type", _typed(x), _typed(y))
            return None
        kind = self.kinds.of(cls)
        if kind.atom is not None:
            key, other = kind.atom(x), kind.atom(y)
            if key is not None or other is not None:
                if key != other:
                    self._differ(place, "value", brief(x), brief(y))
                return None
        if not self._pair(place, x, y, kind.shared):
            return None
        return self._parts(place, x, y, kind)

    def _pair(self, place: _Place, x: Any, y: Any, shared: bool) -> bool:
        """Enter two objects as partners; return whether they still have to be looked into."""
        if not shared:
            pair = (id(x), id(y))
            if pair in self._met:
                return False
            self._met[pair] = (x, y)  # kept alive: an id is only an id while its object lives
            if self._trying:
                self.journal.append((self._met, pair))
            return True
        left, right = self.left.get(id(x)), self.right.get(id(y))
        if left is None and right is None:
            self.left[id(x)] = (y, place)
            self.right[id(y)] = (x, place)
            if self._trying:
                self.journal += ((self.left, id(x)), (self.right, id(y)))
            return True
        if left is None or left[0] is not y:
            told = _first_met(left, x), _first_met(right, y, second=True)
            self._differ(place, "sharing", *told)
        return False

    def _parts(self, place: _Place, x: Any, y: Any, kind: Kind) -> Iterator[_Child]:
        a, b = kind.read(x), kind.read(y)
        if a.value != b.value:
            self._differ(place, "value", brief(x), brief(y))
        if (a.opaque or b.opaque) and x is not y:
            self._differ(place, "cannot tell", f"{brief(x)} ({a.opaque or b.opaque})", brief(y))
        if a.holder is not None and b.holder is not None:
            self._pair((place, ("key", "__dict__")), a.holder, b.holder, True)
        parts: list[Iterator[_Child]] = []
        if a.items is not None and b.items is not None:
            pairs = None
            if self._sequences is not None and not a.names and not self._trying:
                pairs = self._sequences.pair(a.items, b.items)
            if pairs is None:
                parts.append(self._items(place, a.items, b.items, a.names))
            else:
                parts.append(self._aligned(place, a.items, b.items, pairs))
        if a.pairs is not None and b.pairs is not None:
            parts.append(self._pairs(place, a.pairs, b.pairs))
        if a.members is not None and b.members is not None:
            parts.append(self._members(place, a.members, b.members))
        if a.attributes or b.attributes:
            parts.append(self._attributes(place, a.attributes, b.attributes))
        return parts[0] if len(parts) == 1 else chain.from_iterable(parts)

    def _items(
        self, place: _Place, xs: list[Any], ys: list[Any], names: tuple[str, ...]
    ) -> Iterator[_Child]:
        for index, (x, y) in enumerate(zip(xs, ys, strict=False)):
            if x is y and id(type(x)) in PLAIN_ATOMS:
                continue
            step = ("key", names[index]) if names else ("index", index)
            yield (place, step), x, y
        if len(xs) != len(ys):
            self._differ(place, "size", str(len(xs)), str(len(ys)))

    def _aligned(
        self, place: _Place, xs: list[Any], ys: list[Any], pairs: Iterable[tuple[int, int, bool]]
    ) -> Iterator[_Child]:
        """Give the elements that belong together, at the places that the first side has them."""
        for i, j, moved in pairs:
            if i < 0:
                self._differ((place, ("index", j)), "extra", "", brief(ys[j]))
                continue
            step = (place, ("index", i, j))
            if j < 0:
                self._differ(step, "missing", brief(xs[i]), "")
            else:
                if moved:
                    self._differ(step, "moved", f"at [{i}]", f"at [{j}]")
                yield step, xs[i], ys[j]

    def _attributes(self, place: _Place, a: dict[str, Any], b: dict[str, Any]) -> Iterator[_Child]:
        for name, x in a.items():
            step = (place, ("key", name))
            if name in b:
                yield step, x, b[name]
            else:
                self._differ(step, "missing", brief(x), "")
        for name, y in b.items():
            if name not in a:
                self._differ((place, ("key", name)), "extra", "", brief(y))

    def _pairs(
        self, place: _Place, a: list[tuple[Any, Any]], b: list[tuple[Any, Any]]
    ) -> Iterator[_Child]:
        keys, others = (
            [self.kinds.key(key) for key, _ in a],
            [self.kinds.key(key) for key, _ in b],
        )
        if keys != others and _by_key(keys) and _by_key(others):
            yield from self._pairs_by_key(
                place, dict(zip(keys, a, strict=True)), dict(zip(others, b, strict=True))
            )
            return
        for index, ((key, x), (other, y)) in enumerate(zip(a, b, strict=False)):
            if keys[index] is None or keys[index] != others[index]:
                yield (place, ("element", index)), key, other
            yield (place, _entry(key, index)), x, y
        if len(a) != len(b):
            self._differ(place, "size", str(len(a)), str(len(b)))

    def _pairs_by_key(
        self, place: _Place, a: dict[Any, Any], b: dict[Any, Any]
    ) -> Iterator[_Child]:
        turned = _turned(a, b)
        for index, (known, (key, x)) in enumerate(a.items()):
            step = (place, _entry(key, index))
            if known in turned:
                other, y = b[turned[known]]
                self._differ(step, "key", brief(key), brief(other))
                yield step, x, y
            elif known in b:
                yield step, x, b[known][1]
            else:
                self._differ(step, "missing", brief(x), "")
        found = {*a, *turned.values()}
        for index, (known, (key, y)) in enumerate(b.items()):
            if known not in found:
                self._differ((place, _entry(key, index)), "extra", "", brief(y))
        if a.keys() == b.keys():
            keys = [[brief(key) for key, _ in side.values()] for side in (a, b)]
            first = next(n for n, (x, y) in enumerate(zip(a, b, strict=True)) if x != y)
            self._differ(place, "order", *(f"key {first} is {side[first]}" for side in keys))

    # ---- sets

    def _members(self, place: _Place, a: list[Any], b: list[Any]) -> Iterator[_Child]:
        """Pair the members of two sets by content; those that look alike are put off."""
        keys, others = [[self.kinds.key(member) for member in side] for side in (a, b)]
        alone = keys.count(None) == others.count(None) == 1  # then there is nothing to tell it from
        xs, ys = self._by_content(a, keys, alone), self._by_content(b, others, alone)
        only_a, only_b = [], []
        for known, alike in xs.items():
            match = ys.get(known, [])
            if len(alike) != len(match):
                only_a += alike[len(match) :]
                only_b += match[len(alike) :]
            elif known[0] == "atom":
                continue
            elif len(alike) == 1:
                yield (place, ("element", alike[0])), a[alike[0]], b[match[0]]
            else:
                self.open.append(Group(place, [a[at] for at in alike], [b[at] for at in match]))
        only_b += [at for known, alike in ys.items() if known not in xs for at in alike]
        yield from self._unpaired(place, a, b, only_a, only_b)

    def _unpaired(
        self, place: _Place, a: list[Any], b: list[Any], only_a: list[int], only_b: list[int]
    ) -> Iterator[_Child]:
        """Report members without a partner; what a single one on each side differs in."""
        if len(only_a) == len(only_b) == 1:
            yield (place, ("element", only_a[0])), a[only_a[0]], b[only_b[0]]
            only_a, only_b = ([], []) if self.found or self._failed else (only_a, only_b)
        for at in only_a:
            self._differ((place, ("element", at)), "missing", brief(a[at]), "")
        for at in only_b:
            self._differ((place, ("element", at)), "extra", "", brief(b[at]))

    def _by_content(
        self, members: list[Any], keys: list[Any], alone: bool
    ) -> dict[tuple[str, Any], list[int]]:
        """Return the positions of members that look alike, under what they look like."""
        found: dict[tuple[str, Any], list[int]] = {}
        for at, (member, key) in enumerate(zip(members, keys, strict=True)):
            if key is not None:
                look = ("atom", key)
            else:
                look = ("alone", None) if alone else ("print", self._prints.of(member))
            found.setdefault(look, []).append(at)
        return found

    # ---- what Matching asks for

    def attempt(self, place: _Place, x: Any, y: Any) -> bool:
        """Compare two objects on trial; return whether nothing differs."""
        self._failed = False
        self._walk(place, x, y)
        return not self._failed

    def undo(self, mark: int) -> None:
        """Forget all that was paired since the journal had the length `mark`."""
        self.open.clear()
        while len(self.journal) > mark:
            where, key = self.journal.pop()
            del where[key]

    def spend(self, objects: int) -> None:
        """Take from the budget of the trials; raises `OutOfBudget` at its end."""
        self._budget -= objects
        if self._budget < 0:
            raise OutOfBudget

    # ---- what is found

    def _differ(self, place: _Place, kind: str, a: str, b: str) -> None:
        if self._trying:
            self._failed = True
            self._unsure = self._unsure or kind == "cannot tell"
        elif len(self.found) < self._limit:
            self.found.append(Difference(_text(place, second=kind == "extra"), kind, a, b))


def _by_key(keys: list[Any]) -> bool:
    """Whether entries can be found by key: all keys are atoms, and no two (NaNs) look alike."""
    return None not in keys and len(set(keys)) == len(keys)


def _turned(a: dict[Any, Any], b: dict[Any, Any]) -> dict[Any, Any]:
    """Return which key of `b` stands where `a` has one of another type that `b` has nowhere."""
    if len(a) != len(b):
        return {}
    return {
        known: other
        for known, other in zip(a, b, strict=True)
        if known[0] != other[0] and known not in b and other not in a
    }


def _entry(key: Any, index: int) -> _Step:
    if type(key) is str:
        return ("key", key)
    return ("index", key) if type(key) is int else ("entry", index)


def _typed(obj: Any) -> str:
    shown, name = brief(obj), class_name(type(obj))
    return shown if shown.startswith((name, name.rpartition(".")[2])) else f"{name} {shown}"


def _first_met(known: tuple[Any, _Place] | None, obj: Any, *, second: bool = False) -> str:
    if known is None:
        return f"{brief(obj)}, met here first"
    return f"the object at {shown(_text(known[1], second=second))}"


def _text(place: _Place, *, second: bool = False) -> str:
    """Return the path to a place, in the first graph or the second."""
    steps = []
    while place is not None:
        place, (kind, at, *other) = place
        steps.append(Step(kind, other[0] if second and other else at))
    return format_path(reversed(steps))
