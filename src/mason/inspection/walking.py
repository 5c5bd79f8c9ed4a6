"""The walk over two inert trees side by side: every change on the way, in document order.

Strategy: all values get numbers by content (`numbering`), so that equal parts are known without
looking again. Then types, atoms, arrays as a whole, mappings by key, lists and sets by what belongs
together (`pairing`) are compared, on an explicit stack. Identities form a bijection: two places
that hold one object on one side must hold one object on the other. Where they do not, that is told
once, and below that place only content is compared. Every pair that is entered has an object that
was not entered before, or is paid for from a budget, so the cost is linear in both documents
however they share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from mason.inspection import arrays
from mason.inspection.alignment import Pair, longest_increasing, merged
from mason.inspection.arrays import Array, Tolerance
from mason.inspection.inert import Place, RawStep, place_text
from mason.inspection.numbering import Numbers
from mason.inspection.pairing import Element, Pairing, identity
from mason.inspection.parts import Parts, Rename, atom_key, parts
from mason.inspection.sameness import same
from mason.inspection.shortcuts import Shortcuts
from mason.inspection.telling import described, keys_told, named, told_apart

# Parts that may be looked at again below places where sharing differs, for each value there is.
_AGAIN = 4
_FEW = 8  # insertions and moves that a list of numbers may show one by one

_PLAIN = frozenset({str, int, bool, float, type(None)})
MISSING: Any = object()  # in the place of a part that one document does not have

# The places of two values, the values, and whether only their content is compared.
_Child: TypeAlias = tuple[Place, Place, Any, Any, bool]
# Members of two sets in pairs, where every member looks like every other.
_Alike: TypeAlias = list[_Child]


class Change(NamedTuple):
    """Say what changed, where, and what either side holds.

    `kind` is one of "added", "removed", "value", "type", "sharing" (one object in two places on one
    side only), "order" (of a dictionary's keys), "moved" (within its list), "array" (numbers or
    bytes as a whole; `detail` has the figures). `path` leads there in the first document, for what
    was added in the second; `to` in the second, where that is another path.
    """

    kind: str
    path: str
    to: str | None
    a: str
    b: str
    detail: dict[str, Any] | None = None


class Walk:
    """Walk two trees side by side and collect what changed."""

    def __init__(self, rename: Rename, tolerance: Tolerance, limit: int | None) -> None:
        self.changes: list[Change] = []
        self.counts: dict[str, int] = {}
        self._rename = rename
        self._tolerance = tolerance
        self._limit = limit
        self._numbers = Numbers(rename, floats_alike=any(tolerance))
        # id of an object on one side -> its partner on the other, and where it was met first
        self._left: dict[int, tuple[Any, Place]] = {}
        self._right: dict[int, tuple[Any, Place]] = {}
        self._looked: set[tuple[int, int]] = set()  # pairs whose content alone was compared
        self._shared: dict[int, Parts] = {}  # by the id of a value that several places hold
        self._budget = 0
        self._ways: tuple[Shortcuts, Shortcuts] | None = None
        self._alike: list[_Alike] = []  # members of sets that only sharing tells apart

    def run(self, place: Place, a: Any, b: Any) -> None:
        """Compare two trees."""
        if a is MISSING or b is MISSING:
            self._alone("added" if a is MISSING else "removed", place, b if a is MISSING else a)
            return
        self._numbers.add(a)
        self._numbers.add(b)
        self._budget = _AGAIN * self._numbers.values
        if self._numbers.again:
            self._ways = Shortcuts(a, place), Shortcuts(b, place)
        self._walk(iter([(place, place, a, b, False)]))
        unsure = bool(self._alike)
        while self._alike:
            self._walk(self._alike_members(self._alike.pop()))
        # which of the members that look alike belong together was guessed: `same` searches
        if unsure and self.counts.keys() == {"sharing"} and same(a, b):
            self.counts.clear()
            self.changes.clear()

    def _walk(self, children: Iterator[_Child]) -> None:
        stack = [children]
        while stack:
            for child in stack[-1]:
                inside = self._meet(*child)
                if inside is not None:
                    stack.append(inside)
                    break
            else:
                stack.pop()

    # ---- two values

    def _meet(self, at: Place, to: Place, x: Any, y: Any, loose: bool) -> Iterator[_Child] | None:
        """Compare two values; return the pairs of their parts if those are to be compared."""
        if type(x) is type(y) and type(x) in _PLAIN:
            # most values are one of these: all below would come to the same
            if atom_key(x, self._rename) != atom_key(y, self._rename):
                self._atoms(at, to, x, y)
            return None
        equal = self._numbers.of(x) == self._numbers.of(y)
        if equal and (loose or not self._numbers.again):
            return None
        made, other = self._read(x), self._read(y)
        if not loose and self._are_two(x, y, made, other):
            self._tell("value", at, to, partial(_named, x, y))
            return None
        if not loose and made.shared and other.shared:
            known = self._left.get(id(x)), self._right.get(id(y))
            if known[0] and known[1] and known[0][0] is y and known[1][0] is x:
                return None
            loose = known != (None, None)
            if loose:
                self._tell(
                    "sharing", at, to, lambda: (self._met(known[0], 0), self._met(known[1], 1))
                )
            self._left.setdefault(id(x), (y, at))
            self._right.setdefault(id(y), (x, to))
            if self._ways is not None and not loose:
                self._ways[0].note(at, x)
                self._ways[1].note(to, y)
        if equal and (loose or made.atom is not None):
            return None
        if loose and not self._may_look(x, y, made, other):
            return None
        return self._compare(at, to, x, y, made, other, loose)

    def _may_look(self, x: Any, y: Any, made: Parts, other: Parts) -> bool:
        """Pay for comparing the content of two values whose sharing differs."""
        if made.atom is not None or other.atom is not None:
            return True
        pair = (id(x), id(y))
        if pair in self._looked:
            return False
        self._looked.add(pair)
        self._budget -= made.size() + other.size()
        return self._budget > 0

    def _compare(
        self, at: Place, to: Place, x: Any, y: Any, made: Parts, other: Parts, loose: bool
    ) -> Iterator[_Child] | None:
        typed = made.type != other.type
        if typed:
            self._tell("type", at, to, lambda: (described(x, typed=True), described(y, typed=True)))
            if made.family != other.family or made.family == "atom":
                return None
        pair = self._arrays(x, y)
        if pair is not None and not self._is_list(made, other, *pair):
            self._tell_array(at, to, *pair)
            return None
        if made.atom is not None and other.atom is not None:
            if not typed:
                self._atoms(at, to, x, y)
            return None
        if made.family == "instance" and (made.atom is None) != (other.atom is None):
            self._tell("value", at, to, lambda: (described(x), described(y)))
            return None
        return chain.from_iterable(self._inside(at, to, made, other, loose))

    def _atoms(self, at: Place, to: Place, x: Any, y: Any) -> None:
        if not self._tolerance.allows(x, y):
            self._tell("value", at, to, lambda: told_apart(x, y))

    def _inside(
        self, at: Place, to: Place, a: Parts, b: Parts, loose: bool
    ) -> Iterator[Iterator[_Child]]:
        if a.entries is not None or b.entries is not None:
            yield self._entries(at, to, a.entries or [], b.entries or [], loose)
        if a.items is not None or b.items is not None:
            yield self._items(at, to, a.items or [], b.items or [], loose)
        if a.members is not None or b.members is not None:
            yield self._members(at, to, a.members or [], b.members or [], loose)
        if a.fields or b.fields:
            yield self._fields(at, to, a.fields, b.fields, loose)

    # ---- lists

    def _items(
        self, at: Place, to: Place, xs: list[Any], ys: list[Any], loose: bool
    ) -> Iterator[_Child]:
        pairs, kept = self._paired(xs, ys)
        for i, j in merged(len(xs), len(ys), pairs, kept):
            here, there = (at, ("index", i)), (to, ("index", j))
            if j < 0:
                self._alone("removed", here, xs[i])
            elif i < 0:
                self._alone("added", there, ys[j])
            else:
                if (i, j) not in kept:
                    self._tell("moved", here, there, partial(_named, xs[i], ys[j]))
                yield here, there, xs[i], ys[j], loose

    def _paired(self, xs: list[Any], ys: list[Any]) -> tuple[list[Pair], set[Pair]]:
        """Return which elements belong together, and those of the pairs that did not move."""
        numbers = self._numbers
        ours, theirs = [numbers.of(x) for x in xs], [numbers.of(y) for y in ys]
        if ours == theirs:
            pairs = [(at, at) for at in range(len(xs))]
            return pairs, set(pairs)
        pairing = Pairing(self._elements(xs, ours), self._elements(ys, theirs), numbers)
        return pairing.in_order(), pairing.kept()

    def _elements(self, values: list[Any], numbers: list[int]) -> list[Element]:
        rough = self._numbers.rough
        return [
            Element(value, number, rough(number), self._read)
            for value, number in zip(values, numbers, strict=True)
        ]

    def _read(self, value: Any) -> Parts:
        """Return what a value is made of; of what is shared it is read once."""
        if id(value) not in self._numbers.again:
            return parts(value, self._rename)
        if id(value) not in self._shared:
            self._shared[id(value)] = parts(value, self._rename)
        return self._shared[id(value)]

    def _are_two(self, x: Any, y: Any, made: Parts, other: Parts) -> bool:
        """Tell whether a reference leads to another thing: both are shared, and say who they are.

        To enter these as partners would make everything that leads to either look shared otherwise.
        """
        again = self._numbers.again
        if id(x) not in again or id(y) not in again or id(x) in self._left or id(y) in self._right:
            return False
        one, another = identity(made, self._numbers), identity(other, self._numbers)
        return one is not None and another is not None and one != another

    # ---- arrays

    def _arrays(self, x: Any, y: Any) -> tuple[Array, Array] | None:
        a = arrays.as_array(x, self._numbers.again)
        b = None if a is None else arrays.as_array(y, self._numbers.again)
        if a is None or b is None or max(len(a.flat), len(b.flat)) < arrays.FEWEST:
            return None
        return a, b

    def _is_list(self, made: Parts, other: Parts, a: Array, b: Array) -> bool:
        """Tell whether a few insertions and moves say more of two lists of numbers."""
        if made.items is None or other.items is None or made.family == "tag":
            return False
        if len(a.shape) != 1 or len(b.shape) != 1:
            return False
        pairs, kept = self._paired(made.items, other.items)
        changed = sum(
            made.items[i] is not other.items[j]
            and self._numbers.of(made.items[i]) != self._numbers.of(other.items[j])
            for i, j in pairs
        )
        edits = len(made.items) + len(other.items) - 2 * len(pairs) + len(pairs) - len(kept)
        return 0 < edits <= _FEW and not changed

    def _tell_array(self, at: Place, to: Place, a: Array, b: Array) -> None:
        detail = arrays.summary(a, b, self._tolerance)
        if detail is not None:
            self._tell("array", at, to, lambda: (str(a), str(b)), detail)

    # ---- what has keys, and what has no order

    def _entries(
        self, at: Place, to: Place, a: list[tuple[Any, Any]], b: list[tuple[Any, Any]], loose: bool
    ) -> Iterator[_Child]:
        pairs = self._same_keys(a, b)
        kept = longest_increasing([j for _, j in pairs])
        if len(kept) < len(pairs):
            ours, theirs = (
                [a[i][0] for i, _ in pairs],
                [b[j][0] for j in sorted(j for _, j in pairs)],
            )
            self._tell("order", at, to, lambda: keys_told(ours, theirs, self._numbers.of))
        for i, j in merged(len(a), len(b), pairs):
            here, there = (at, _entry(a, i)), (to, _entry(b, j))
            if j < 0:
                self._alone("removed", here, a[i][1])
            elif i < 0:
                self._alone("added", there, b[j][1])
            else:
                if atom_key(a[i][0], self._rename) is None:
                    key_at, key_to = (at, ("element", i)), (to, ("element", j))
                    yield key_at, key_to, a[i][0], b[j][0], loose
                yield here, there, a[i][1], b[j][1], loose

    def _same_keys(self, a: list[tuple[Any, Any]], b: list[tuple[Any, Any]]) -> list[Pair]:
        """Return which entries have the same key; keys that look alike are taken in order."""
        if all(type(key) is str for key, _ in chain(a, b)):
            places = {key: j for j, (key, _) in enumerate(b)}
            return [(i, places[key]) for i, (key, _) in enumerate(a) if key in places]
        numbers = self._numbers
        ours = self._elements([key for key, _ in a], [numbers.of(key) for key, _ in a])
        theirs = self._elements([key for key, _ in b], [numbers.of(key) for key, _ in b])
        return sorted(Pairing(ours, theirs, numbers).by_number())

    def _fields(
        self, at: Place, to: Place, a: dict[str, Any], b: dict[str, Any], loose: bool
    ) -> Iterator[_Child]:
        for slot, x in a.items():
            here, there = (at, _field(slot)), (to, _field(slot))
            if slot in b:
                yield here, there, x, b[slot], loose
            else:
                self._alone("removed", here, x)
        for slot, y in b.items():
            if slot not in a:
                self._alone("added", (to, _field(slot)), y)

    def _members(
        self, at: Place, to: Place, xs: list[Any], ys: list[Any], loose: bool
    ) -> Iterator[_Child]:
        """Pair the members of two sets; single ones are told by the path of the set.

        The order of members is another one in every process: what is told has an order of its own.
        """
        numbers = self._numbers
        ours = self._elements(xs, [numbers.of(x) for x in xs])
        theirs = self._elements(ys, [numbers.of(y) for y in ys])
        pairs = Pairing(ours, theirs, numbers).in_any_order()
        partners, others = dict(pairs), {j for _, j in pairs}
        self._told_alone("removed", at, [x for i, x in enumerate(xs) if i not in partners])
        self._told_alone("added", to, [y for j, y in enumerate(ys) if j not in others])
        alike = Counter(ours[i].number for i, _ in pairs) if numbers.again else Counter()
        groups: dict[int, _Alike] = {}
        for i, j in sorted(pairs, key=lambda pair: described(xs[pair[0]])):
            child = (at, ("element", i)), (to, ("element", j)), xs[i], ys[j], loose
            number = ours[i].number
            if alike[number] > 1 and number == theirs[j].number:
                groups.setdefault(number, []).append(child)
            else:
                yield child
        self._alike += groups.values()

    def _alike_members(self, group: _Alike) -> Iterator[_Child]:
        """Give members that look alike, those that are partners elsewhere with their partners."""
        theirs = {id(y): (to, y) for _, to, _, y, _ in group}
        waiting = []
        for at, _, x, _, loose in group:
            known = self._left.get(id(x))
            if known is not None and id(known[0]) in theirs:
                to, y = theirs.pop(id(known[0]))
                yield at, to, x, y, loose
            else:
                waiting.append((at, x, loose))
        for (at, x, loose), (to, y) in zip(waiting, theirs.values(), strict=True):
            yield at, to, x, y, loose

    # ---- what is told

    def _alone(self, kind: str, place: Place, value: Any, told: str = "") -> None:
        def texts() -> tuple[str, str]:
            text = told or named(value)
            return ("", text) if kind == "added" else (text, "")

        self._tell(kind, place, place, texts)

    def _told_alone(self, kind: str, place: Place, members: list[Any]) -> None:
        for told, member in sorted(((named(one), one) for one in members), key=itemgetter(0)):
            self._alone(kind, place, member, told)

    def _tell(
        self,
        kind: str,
        at: Place,
        to: Place,
        told: Callable[[], tuple[str, str]],
        detail: dict[str, Any] | None = None,
    ) -> None:
        """Count a change, and list it while the limit allows; `told` gives the texts for it."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self._limit is not None and len(self.changes) >= self._limit:
            return
        if self._ways is not None:
            first, second = self._ways
            at = (second if kind == "added" else first).shortest(at)
            to = (first if kind == "removed" else second).shortest(to)
        path, other = place_text(at), place_text(to)
        to_text = other if other != path else None
        self.changes.append(Change(kind, path, to_text, *told(), detail))

    def _met(self, known: tuple[Any, Place] | None, side: int) -> str:
        """Say where an object was met before, on one side."""
        if known is None:
            return "an object of its own"
        place = known[1] if self._ways is None else self._ways[side].shortest(known[1])
        return f"the object at {place_text(place)}"


def _named(x: Any, y: Any) -> tuple[str, str]:
    return named(x), named(y)


def _entry(entries: list[tuple[Any, Any]], at: int) -> RawStep:
    key = entries[at][0] if at >= 0 else ""
    if type(key) is str:
        return "key", key
    return ("index", key) if type(key) is int else ("entry", at)


def _field(slot: str) -> RawStep:
    return "key", slot[1:] if slot.startswith("$$") else slot
