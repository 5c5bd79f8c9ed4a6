"""Numbers for the values of two trees: the same number for the same content.

Strategy: both trees share one table from "what a value is made of" to a number, where the parts of
a value stand by their own numbers. So without cycles equal numbers prove equal content, nothing is
expanded however often it is shared, and the cost is linear. A tree is cut into its strongly
connected components (Tarjan, on an explicit stack), parts first; in a component that is a cycle,
numbers are refined in rounds from what each value is made of outside of it, as far as a budget
goes, so there equal numbers only propose what the comparison then verifies.

Beside the number that says all there is a rough one: it leaves out what other values of its cycle
hold (or one change would make everything that leads back to it look changed), and with a tolerance
what its floats are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mason.document import Record
from mason.inspection.parts import Parts, Rename, atom_key, parts

# values times rounds for one cyclic component, and the least rounds for one of any size
_REFINEMENTS = 500_000
_LEAST_ROUNDS = 4
_UNSEEN = -1
_OBJECTS = (Record, bytearray)  # atoms that two places may hold


class _Node:
    """Hold one value while its parts are numbered; a part below 0 is the node `~part`."""

    __slots__ = ("label", "loose", "low", "next", "order", "parts")

    def __init__(self) -> None:
        self.label: tuple[Any, ...] = ()
        self.parts: list[int] = []  # numbers of atoms, complements of nodes
        self.loose: list[int] = []  # the same for members, which have no order
        self.order = _UNSEEN  # when the walk came here
        self.low = 0  # the earliest node that it leads back to
        self.next = 0  # how many of the parts were looked at


class Numbers:
    """Number the values of several trees by their content."""

    def __init__(self, rename: Rename, *, floats_alike: bool = False) -> None:
        self.again: set[int] = set()  # ids of values that more than one place holds
        self.values = 0
        self._rename = rename
        self._floats_alike = floats_alike
        # A file cannot choose tuples that collide without knowing how they begin: CPython salts the
        # hashes of texts.
        self._salt = hash("mason")
        self._table: dict[Any, int] = {}
        self._numbers: dict[int, int] = {}  # by the id of a value
        self._rough: dict[int, int] = {}  # by number, where it is another one
        self._float = self._intern("float", ())

    def of(self, value: Any) -> int:
        """Return the number of a value; of one with parts, after `add` has met it."""
        key = atom_key(value, self._rename)
        return self._numbers[id(value)] if key is None else self._atom(key)

    def rough(self, number: int) -> int:
        """Return the rough number of a value by its number."""
        return self._rough.get(number, number)

    def has_rough(self) -> bool:
        """Tell whether rough numbers say anything new."""
        return bool(self._rough)

    def key(self, *parts: Any) -> int:
        """Return a number for anything hashable, the same for the same."""
        return self._intern("key", parts)

    def add(self, root: Any) -> None:
        """Give numbers to everything below a root."""
        _Tree(self, self._rename).run(root)

    # ---- for _Tree

    def _intern(self, *label: Any) -> int:
        return self._table.setdefault((self._salt, *label), len(self._table))

    def _atom(self, key: Any) -> int:
        number = self._table.setdefault(key, len(self._table))
        if self._floats_alike and key[0] in ("float", "complex"):
            self._rough[number] = self._float
        return number

    def _settle(self, value: Any, number: int, rough: int) -> None:
        self._numbers[id(value)] = number
        if rough != number:
            self._rough[number] = rough


class _Tree:
    """Walk one tree and give numbers to its values, parts first."""

    def __init__(self, numbers: Numbers, rename: Rename) -> None:
        self._all = numbers
        self._rename = rename
        self._nodes: list[_Node] = []
        self._values: list[Any] = []
        self._met: set[int] = set()
        self._places: dict[int, int] = {}  # id of a value -> its node
        self._done: list[int] = []  # by node, the number that it got, or _UNSEEN
        self._seen = 0

    def run(self, root: Any) -> None:
        start = self._part(root)
        if start >= 0:
            return
        path: list[int] = []
        pending: list[int] = []  # seen, and in no finished component
        self._open(~start, path, pending)
        while path:
            at = path[-1]
            node = self._nodes[at]
            child = self._next(node)
            if child is None:
                self._close(path, pending)
            elif self._done[child] != _UNSEEN:
                continue
            elif self._nodes[child].order == _UNSEEN:
                self._open(child, path, pending)
            else:
                node.low = min(node.low, self._nodes[child].order)

    def _part(self, value: Any) -> int:
        """Return the number of an atom, the complement of its node for everything else."""
        self._all.values += 1
        key = atom_key(value, self._rename)
        if key is not None:
            if type(value) in _OBJECTS:
                self._meet(value)
            return self._all._atom(key)
        at = self._places.get(id(value))
        if at is None:
            at = self._places[id(value)] = len(self._nodes)
            self._nodes.append(_Node())
            self._values.append(value)
            self._done.append(_UNSEEN)
        else:
            self._all.again.add(id(value))
        return ~at

    def _meet(self, value: Any) -> None:
        """Note an atom that is an object of its own."""
        if id(value) in self._met:
            self._all.again.add(id(value))
        self._met.add(id(value))

    def _open(self, at: int, path: list[int], pending: list[int]) -> None:
        node = self._nodes[at]
        node.order = node.low = self._seen
        self._seen += 1
        self._describe(node, parts(self._values[at], self._rename))
        path.append(at)
        pending.append(at)

    def _describe(self, node: _Node, made: Parts) -> None:
        part = self._part
        items, entries = made.items, made.entries
        node.label = (
            made.family,
            made.type,
            -1 if items is None else len(items),
            -1 if entries is None else len(entries),
            *sorted(made.fields),
        )
        node.parts = [part(item) for item in items or ()]
        for key, value in entries or ():
            node.parts += (part(key), part(value))
        node.parts += [part(made.fields[name]) for name in sorted(made.fields)]
        node.loose = [part(member) for member in made.members or ()]

    def _next(self, node: _Node) -> int | None:
        """Return the next part of a node that is a node itself."""
        split, size = len(node.parts), len(node.parts) + len(node.loose)
        while node.next < size:
            at = node.next
            node.next += 1
            part = node.parts[at] if at < split else node.loose[at - split]
            if part < 0:
                return ~part
        return None

    def _close(self, path: list[int], pending: list[int]) -> None:
        at = path.pop()
        node = self._nodes[at]
        if path:
            above = self._nodes[path[-1]]
            above.low = min(above.low, node.low)
        if node.low != node.order:
            return
        component = [pending.pop()]
        while component[-1] != at:
            component.append(pending.pop())
        if len(component) == 1 and ~at not in node.parts and ~at not in node.loose:
            self._finish_one(at, node)
        else:
            self._finish_cycle(component)
        for done in component:
            self._nodes[done] = _FINISHED

    def _finish_one(self, at: int, node: _Node) -> None:
        numbers = self._all
        full = numbers._intern(*self._mixed(node, self._number))
        rough = full
        if numbers.has_rough():
            rough = numbers._intern(*self._mixed(node, self._rough_number))
        self._done[at] = full
        numbers._settle(self._values[at], full, rough)

    def _finish_cycle(self, component: list[int]) -> None:
        """Give numbers to the values of a cycle, in rounds; the first gives the rough ones."""
        inside = set(component)

        def rough(part: int) -> int:
            return _UNSEEN if part < 0 and ~part in inside else self._rough_number(part)

        colours = {at: self._all._intern(*self._mixed(self._nodes[at], rough)) for at in component}
        first = colours

        def coloured(part: int) -> int:
            return colours[~part] if part < 0 and ~part in inside else self._number(part)

        for count in range(_rounds(len(component))):
            fresh = {
                at: self._all._intern(count, colours[at], *self._mixed(self._nodes[at], coloured))
                for at in component
            }
            settled = len(set(fresh.values())) == len(set(colours.values()))
            colours = fresh
            if settled:
                break
        for at in component:
            self._done[at] = colours[at]
            self._all._settle(self._values[at], colours[at], first[at])

    def _mixed(self, node: _Node, number: Callable[[int], int]) -> tuple[Any, ...]:
        """Return what a value's number is made of."""
        ordered = tuple([number(part) for part in node.parts])
        return node.label, ordered, tuple(sorted([number(part) for part in node.loose]))

    def _number(self, part: int) -> int:
        return part if part >= 0 else self._done[~part]

    def _rough_number(self, part: int) -> int:
        return self._all.rough(self._number(part))


_FINISHED = _Node()  # in the place of nodes that nobody needs any more
_FINISHED.order = 0


def _rounds(size: int) -> int:
    return min(size, max(_LEAST_ROUNDS, _REFINEMENTS // size))
