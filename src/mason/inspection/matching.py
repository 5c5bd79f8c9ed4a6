"""Which members of two sets belong together, when they look alike.

Strategy: individualise and refine, as programs for graph isomorphism do. All members still open
are told apart by colours that start from what is paired already (`Colours`, both sides in step;
sides that differ have no match). Members alone in their colour are paired, then one of a larger
group is tried with each candidate, the latest choice undone first. At first colours are made anew
only now and then, since members that are equal in every way fit in any order; the first misfit
turns to care: back to where the colours last fitted, and new ones after every choice. Whoever
finds no match has tried all; whoever runs out of budget cannot tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from mason.inspection.fingerprint import Colours

if TYPE_CHECKING:
    from mason.inspection.sameness import Comparison

_FIRST_INTERVAL = 64  # choices until colours are made anew
_COLOURING = 3  # what colouring an object costs, next to comparing it


class OutOfBudget(Exception):
    """Say that the trials of one comparison took too long."""


class Group(NamedTuple):
    """Hold members that look alike: any of `xs` may belong to any of `ys`; `at` are paired."""

    place: Any
    xs: list[Any]
    ys: list[Any]
    at: int = 0


# Groups still to settle; never changed, so that undoing is free.
_Agenda: TypeAlias = "tuple[Group, _Agenda] | None"
_Outcome: TypeAlias = tuple[_Agenda] | None  # what is left to do; None when nothing fits


class _Choice(NamedTuple):
    mark: int
    agenda: tuple[Group, _Agenda]
    candidates: Iterator[Any]


class Matching:
    """Search for a pairing of all groups that a comparison left open."""

    def __init__(self, comparison: Comparison) -> None:
        self._comparison = comparison
        self._taken: dict[tuple[int, int], bool] = {}  # (id of a group's ys, id of a member)
        self._choices: list[_Choice] = []
        self._last: tuple[int, int, _Agenda] = (0, 0, None)  # where colours last fitted
        self._interval = _FIRST_INTERVAL
        self._since = 0
        self._careful = False

    def settle(self) -> bool:
        """Pair all members; return whether that is possible.

        Raises `OutOfBudget` when it takes too long.
        """
        outcome = self._refined(self._opened(None))
        while True:
            if outcome is None:
                outcome = self._retreat()
                if outcome is None:
                    return False
            (agenda,) = outcome
            if agenda is None:
                return True
            outcome = self._step(agenda)

    def _step(self, agenda: tuple[Group, _Agenda]) -> _Outcome:
        group, rest = agenda
        if group.at == len(group.xs):
            return (rest,)
        choice = _Choice(len(self._comparison.journal), agenda, self._candidates(group))
        if len(group.xs) > 1:
            self._choices.append(choice)
        return self._next(choice)

    def _next(self, choice: _Choice) -> _Outcome:
        """Try the candidates that a choice has left."""
        group, rest = choice.agenda
        for y in choice.candidates:
            if self._try(group, y):
                outcome = self._after(group, self._opened((group._replace(at=group.at + 1), rest)))
                if outcome is not None:
                    return outcome
            self._comparison.undo(choice.mark)
        return None

    def _after(self, group: Group, agenda: _Agenda) -> _Outcome:
        self._since += len(group.xs) > 1
        due = self._since > 0 if self._careful else self._since >= self._interval
        return self._refined(agenda) if due else (agenda,)

    def _retreat(self) -> _Outcome:
        """Go back to the latest choice with a candidate left."""
        mark, choices, agenda = self._last
        careful, self._careful = self._careful, True
        if not careful and len(self._choices) > choices:
            self._comparison.undo(mark)
            del self._choices[choices:]
            return (agenda,)
        while self._choices:
            choice = self._choices[-1]
            self._comparison.undo(choice.mark)
            outcome = self._next(choice)
            if outcome is not None:
                return outcome
            self._choices.pop()
        return None

    def _candidates(self, group: Group) -> Iterator[Any]:
        known = self._comparison.left.get(id(group.xs[group.at]))
        if known is not None:
            return iter([y for y in group.ys if y is known[0]])
        # beginning at the same position: sets that were filled alike are often in the same order
        order = range(group.at - len(group.ys), group.at)
        return (group.ys[at] for at in order)

    def _try(self, group: Group, y: Any) -> bool:
        taken = (id(group.ys), id(y))
        if taken in self._taken:
            return False
        self._taken[taken] = True
        self._comparison.journal.append((self._taken, taken))
        return self._comparison.attempt(group.place, group.xs[group.at], y)

    def _opened(self, agenda: _Agenda) -> _Agenda:
        """Put the groups that the walk left open on top of the agenda."""
        for group in reversed(self._comparison.open):
            agenda = (group, agenda)
        self._comparison.open.clear()
        return agenda

    # ---- colours

    def _refined(self, agenda: _Agenda) -> _Outcome:
        """Split all open groups by colour; None when the sides differ."""
        groups = self._still_open(agenda)
        self._since = 0
        self._interval *= 4
        if not groups:
            return (None,)
        colours = self._colours(groups)
        if colours is None:
            return None
        split: list[Group] = []
        for group in groups:
            parts = _split(group, *colours)
            if parts is None:
                return None
            split += parts
        split.sort(key=lambda group: -len(group.xs))
        refined: _Agenda = None
        for group in split:
            refined = (group, refined)
        self._last = (len(self._comparison.journal), len(self._choices), refined)
        return (refined,)

    def _still_open(self, agenda: _Agenda) -> list[Group]:
        groups: list[Group] = []
        while agenda is not None:
            group, agenda = agenda
            ys = [y for y in group.ys if (id(group.ys), id(y)) not in self._taken]
            if ys:
                groups.append(Group(group.place, group.xs[group.at :], ys))
        return groups

    def _colours(self, groups: list[Group]) -> tuple[Colours, Colours] | None:
        """Colour both sides until no more classes come out; None when the sides differ."""
        comparison = self._comparison
        left, right = comparison.left, comparison.right

        def partner(at: int) -> int | None:
            known = right.get(at)
            return None if known is None else id(known[0])

        xs, ys = [group.xs for group in groups], [group.ys for group in groups]
        one = Colours(comparison.kinds, lambda at: at if at in left else None, xs)
        two = Colours(comparison.kinds, partner, ys)
        classes = 0
        while True:
            comparison.spend(_COLOURING * (len(one) + len(two)))
            census = one.census()
            if census != two.census():
                return None
            if len(census) == classes:
                return one, two
            classes = len(census)
            one.refine()
            two.refine()


def _split(group: Group, one: Colours, two: Colours) -> list[Group] | None:
    """Return the parts of a group that have one colour each; None when the sides differ."""
    sides: list[dict[int, list[Any]]] = []
    for members, colours in ((group.xs, one), (group.ys, two)):
        alike: dict[int, list[Any]] = {}
        for member in members:
            alike.setdefault(colours.of(member), []).append(member)
        sides.append(alike)
    xs, ys = sides
    if {colour: len(part) for colour, part in xs.items()} != {c: len(p) for c, p in ys.items()}:
        return None
    return [Group(group.place, part, ys[colour]) for colour, part in xs.items()]
