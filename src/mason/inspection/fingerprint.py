"""A number for everything an object reaches, so that members of sets can be matched by content.

Strategy: objects that are the same get the same number; objects that differ almost always get
different ones. So unequal numbers prove a difference, and equal ones only propose a match, which
the comparison then verifies. `Fingerprints` looks down only: the graph below an object is cut into
its strongly connected parts (Tarjan, on an explicit stack); a part without a cycle is numbered from
its children at once; a part with one is refined in rounds, each object's number taking in its
neighbours' (Weisfeiler and Leman's colours). How many rounds depends on that part alone, never on
what was met before: both sides must do the same. `Colours` refines a whole graph and looks both
ways: who holds an object tells it apart, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from mason.inspection.natives import State
from mason.inspection.state import Kinds

# objects times rounds for one cyclic part; what that leaves undecided is settled by trial
_REFINEMENTS = 500_000
_LEAST_ROUNDS = 4
_UNSEEN = -1


class _Node:
    """Hold one object's label and its children by number; members of a set have no order."""

    __slots__ = ("label", "loose", "low", "order", "ordered", "step")

    def __init__(self) -> None:
        self.label = 0
        self.ordered: list[int] = []
        self.loose: list[int] = []
        self.order = _UNSEEN  # when the walk came here
        self.low = 0  # the earliest object of its part that it reaches
        self.step = 0  # how many children were looked at


class _Graph:
    """Hold objects by number; what `anchor` (id -> number) knows is a leaf, as atoms are."""

    def __init__(self, kinds: Kinds, anchor: Callable[[int], int | None]) -> None:
        self._kinds = kinds
        self._anchor = anchor
        self._numbers: dict[int, int] = {}  # id of an object -> its place in the lists
        self._objects: list[Any] = []
        self._nodes: list[_Node] = []
        self._colours: list[int] = []

    def __len__(self) -> int:
        return len(self._objects)

    def _leaf(self, obj: Any) -> int | None:
        anchor = self._anchor(id(obj))
        if anchor is not None:
            return hash(("anchor", anchor))
        key = self._kinds.key(obj)
        return None if key is None else hash(key)

    def _number(self, obj: Any) -> int:
        number = self._numbers.get(id(obj))
        if number is None:
            number = self._numbers[id(obj)] = len(self._objects)
            self._objects.append(obj)
            self._nodes.append(_Node())
            self._colours.append(0)
        return number

    def _describe(self, number: int) -> None:
        """Read an object: atoms go into its label, everything else becomes a child."""
        obj = self._objects[number]
        state = self._kinds.of(type(obj)).read(obj)
        node = self._nodes[number]
        label: list[Any] = [id(type(obj)), state.value, bool(state.opaque)]
        label += [self._child(part, node.ordered) for part in _ordered(state, label)]
        if state.members is not None:
            leaves = [self._child(member, node.loose) for member in state.members]
            label.append(tuple(sorted(leaf for leaf in leaves if leaf is not None)))
        node.label = hash(tuple(label))

    def _child(self, obj: Any, children: list[int]) -> int | None:
        """Return the number of an atom; note anything else among the children."""
        leaf = self._leaf(obj)
        if leaf is None:
            children.append(self._number(obj))
        return leaf

    def _mixed(self, number: int) -> tuple[Any, ...]:
        """Return what an object's next colour is made of, as seen from above."""
        node, colours = self._nodes[number], self._colours
        ordered = tuple([colours[child] for child in node.ordered])
        return colours[number], ordered, tuple(sorted([colours[child] for child in node.loose]))


class Fingerprints(_Graph):
    """Number objects by what is below them."""

    def __init__(self, kinds: Kinds) -> None:
        super().__init__(kinds, lambda _: None)
        self._seen = 0
        self._finished: set[int] = set()

    def of(self, obj: Any) -> int:
        """Return the number of an object."""
        leaf = self._leaf(obj)
        if leaf is not None:
            return leaf
        number = self._number(obj)
        if number not in self._finished:
            self._walk(number)
        return self._colours[number]

    def _walk(self, start: int) -> None:
        """Give numbers to all that `start` reaches, children first."""
        path: list[int] = []
        pending: list[int] = []  # seen, and not yet in a finished part
        self._visit(start, path, pending)
        while path:
            number = path[-1]
            node = self._nodes[number]
            child = _next_child(node)
            if child is None:
                path.pop()
                if path:
                    parent = self._nodes[path[-1]]
                    parent.low = min(parent.low, node.low)
                if node.low == node.order:
                    self._finish(_cut(pending, number))
            elif child in self._finished:
                continue
            elif self._nodes[child].order == _UNSEEN:
                self._visit(child, path, pending)
            else:
                node.low = min(node.low, self._nodes[child].order)

    def _visit(self, number: int, path: list[int], pending: list[int]) -> None:
        node = self._nodes[number]
        node.order = node.low = self._seen
        self._seen += 1
        self._describe(number)
        path.append(number)
        pending.append(number)

    def _finish(self, part: list[int]) -> None:
        """Give the objects of one strongly connected part their final numbers."""
        colours = self._colours
        for number in part:
            colours[number] = self._nodes[number].label
        classes = len({colours[number] for number in part})
        for _ in range(_rounds(len(part))):
            fresh = [hash(self._mixed(number)) for number in part]
            for number, colour in zip(part, fresh, strict=True):
                colours[number] = colour
            if len(set(fresh)) == classes:
                break
            classes = len(set(fresh))
        self._finished.update(part)


class Colours(_Graph):
    """Number all objects of a graph by what is below and above them, one round at a time."""

    def __init__(
        self, kinds: Kinds, anchor: Callable[[int], int | None], groups: Iterable[Iterable[Any]]
    ) -> None:
        super().__init__(kinds, anchor)
        marks: dict[int, list[int]] = {}
        for mark, members in enumerate(groups):
            for member in members:
                if self._leaf(member) is None:
                    marks.setdefault(self._number(member), []).append(mark)
        for number, _ in enumerate(self._objects):  # grows while it is walked
            self._describe(number)
        labels = [node.label for node in self._nodes]
        self._colours = [hash((label, *marks.get(at, ()))) for at, label in enumerate(labels)]
        self._above: list[list[tuple[int, int]]] = [[] for _ in labels]
        for number, node in enumerate(self._nodes):
            for at, child in enumerate(node.ordered):
                self._above[child].append((number, at))
            for child in node.loose:
                self._above[child].append((number, -1))

    def refine(self) -> None:
        """Let each object's number take in those of its neighbours, above and below."""
        colours = self._colours
        self._colours = [
            hash((*self._mixed(number), *sorted([(colours[one], at) for one, at in above])))
            for number, above in enumerate(self._above)
        ]

    def census(self) -> Counter[int]:
        """Return how many objects have each number."""
        return Counter(self._colours)

    def of(self, obj: Any) -> int:
        """Return the number of an object of the graph."""
        leaf = self._leaf(obj)
        return self._colours[self._numbers[id(obj)]] if leaf is None else leaf


def _next_child(node: _Node) -> int | None:
    step, split = node.step, len(node.ordered)
    if step >= split + len(node.loose):
        return None
    node.step += 1
    return node.ordered[step] if step < split else node.loose[step - split]


def _rounds(size: int) -> int:
    return min(size, max(_LEAST_ROUNDS, _REFINEMENTS // size))


def _cut(pending: list[int], first: int) -> list[int]:
    """Take the part that began with `first` off the end of the pending objects."""
    part = []
    while True:
        number = pending.pop()
        part.append(number)
        if number == first:
            return part


def _ordered(state: State, label: list[Any]) -> list[Any]:
    """Return the children that have a place, their places noted in the label."""
    parts: list[Any] = []
    if state.items is not None:
        label.append(("items", len(state.items)))
        parts += state.items
    if state.pairs is not None:
        label.append(("pairs", len(state.pairs)))
        for key, value in state.pairs:
            parts += (key, value)
    names = sorted(state.attributes)
    label.append(tuple(names))
    parts += [state.attributes[name] for name in names]
    return parts
