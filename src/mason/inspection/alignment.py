"""Which elements of two sequences belong together, by their numbers, in linear time.

Strategy: what both begin and end with is taken off, then what only one side has. The rest goes to
Myers' algorithm, which finds a longest common subsequence in time (elements times differences) and
so is stopped by a budget that grows with the number of elements. What is over the budget is split
at elements that both sides have exactly once and in the same order (as "patience" does); a piece
that is still too different keeps these only. An alignment cut short is one with more differences
than needed, never a wrong one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

# What Myers' algorithm may cost: some for every sequence, and more for each element.
_COST, _COST_EACH = 4_000, 8
_MOST_DIFFERENCES = 1_000  # its memory grows with their square

Pair = tuple[int, int]


def align(xs: Sequence[int], ys: Sequence[int]) -> list[Pair]:
    """Return pairs of indices of equal elements, increasing on both sides, as many as it can."""
    start, end = _equal_ends(xs, ys)
    x_end, y_end = len(xs) - end, len(ys) - end
    pairs = [(at, at) for at in range(start)]
    theirs, ours = set(ys[start:y_end]), set(xs[start:x_end])
    left = [at for at in range(start, x_end) if xs[at] in theirs]
    right = [at for at in range(start, y_end) if ys[at] in ours]
    middle = _middle([xs[at] for at in left], [ys[at] for at in right])
    pairs += [(left[i], right[j]) for i, j in middle]
    pairs += [(x_end + at, y_end + at) for at in range(end)]
    return pairs


def longest_increasing(numbers: Sequence[int]) -> list[int]:
    """Return the places of a longest increasing subsequence of numbers that are all different."""
    ends: list[int] = []  # the least last number of an increasing run of each length
    places: list[int] = []  # where it stands
    before: list[int] = []  # for each place, the one before it in its run
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number)
        before.append(places[length - 1] if length else -1)
        if length == len(ends):
            ends.append(number)
            places.append(place)
        else:
            ends[length], places[length] = number, place
    found: list[int] = []
    place = places[-1] if places else -1
    while place >= 0:
        found.append(place)
        place = before[place]
    return found[::-1]


def gaps(pairs: Iterable[Pair], x_size: int, y_size: int) -> Iterator[tuple[range, range]]:
    """Give what lies between increasing pairs, on both sides, where there is anything."""
    x, y = 0, 0
    for i, j in (*pairs, (x_size, y_size)):
        if i > x or j > y:
            yield range(x, i), range(y, j)
        x, y = i + 1, j + 1


def merged(
    x_size: int, y_size: int, pairs: list[Pair], kept: set[Pair] | None = None
) -> Iterator[Pair]:
    """Give pairs and single elements (-1 for the other side) in the order in which one reads them.

    The first side leads. What only the second has follows what it follows there, and what only the
    first has at that place; `kept` are the pairs that did not move, None for all.
    """
    partners = dict(pairs)
    taken = {j for _, j in pairs}
    anchors = taken if kept is None else {j for _, j in kept}
    behind: dict[int, list[int]] = {}
    before = -1
    for j in range(y_size):
        if j in anchors:
            before = j
        elif j not in taken:
            behind.setdefault(before, []).append(j)
    due = behind.get(-1, [])
    for i in range(x_size):
        j = partners.get(i, -1)
        if j in anchors:
            yield from ((-1, other) for other in due)
            due = behind.get(j, [])
        yield i, j
    yield from ((-1, other) for other in due)


def _equal_ends(xs: Sequence[int], ys: Sequence[int]) -> tuple[int, int]:
    most = min(len(xs), len(ys))
    start = 0
    while start < most and xs[start] == ys[start]:
        start += 1
    end = 0
    while end < most - start and xs[-1 - end] == ys[-1 - end]:
        end += 1
    return start, end


def _middle(xs: list[int], ys: list[int]) -> list[Pair]:
    budget = _COST + _COST_EACH * (len(xs) + len(ys))
    pairs = _myers(xs, ys, budget)
    if pairs is not None:
        return pairs
    anchors = _anchors(xs, ys)
    found: list[Pair] = []
    for (i_range, j_range), anchor in _pieces(anchors, len(xs), len(ys)):
        piece = [xs[at] for at in i_range], [ys[at] for at in j_range]
        share = _COST_EACH * (len(i_range) + len(j_range))
        within = _myers(*piece, share) if anchors else None
        found += [(i_range.start + i, j_range.start + j) for i, j in within or ()]
        if anchor is not None:
            found.append(anchor)
    return found


def _pieces(
    anchors: list[Pair], x_size: int, y_size: int
) -> Iterator[tuple[tuple[range, range], Pair | None]]:
    """Give what lies before each anchor, with the anchor; at last what lies behind them."""
    x, y = 0, 0
    for i, j in anchors:
        yield (range(x, i), range(y, j)), (i, j)
        x, y = i + 1, j + 1
    yield (range(x, x_size), range(y, y_size)), None


def _anchors(xs: list[int], ys: list[int]) -> list[Pair]:
    """Return pairs of elements that both sides have once, in the same order on both."""
    x_counts, y_counts = Counter(xs), Counter(ys)
    places = {number: at for at, number in enumerate(ys) if y_counts[number] == 1}
    single = [
        (at, places[number])
        for at, number in enumerate(xs)
        if x_counts[number] == 1 and number in places
    ]
    return [single[at] for at in longest_increasing([j for _, j in single])]


def _myers(xs: list[int], ys: list[int], budget: int) -> list[Pair] | None:
    """Return a longest common subsequence as pairs of indices; None when it costs too much."""
    x_size, y_size = len(xs), len(ys)
    if not x_size or not y_size:
        return []
    most = min(x_size + y_size, _MOST_DIFFERENCES)
    # furthest[k]: how far along xs one gets on the diagonal k (of xs minus ys), counted from `most`
    furthest = [0] * (2 * most + 3)
    rounds: list[list[int]] = []
    for differences in range(most + 1):
        rounds.append(furthest[most - differences : most + differences + 3])
        for k in range(-differences, differences + 1, 2):
            at = most + 1 + k
            below, above = furthest[at - 1], furthest[at + 1]
            x = above if k == -differences or (k != differences and below < above) else below + 1
            begun = x
            while x < x_size and x - k < y_size and xs[x] == ys[x - k]:
                x += 1
            furthest[at] = x
            budget -= x - begun + 1
            if x >= x_size and x - k >= y_size:
                return _traced(rounds, x_size, y_size)
        if budget < 0:
            return None
    return None


def _traced(rounds: list[list[int]], x: int, y: int) -> list[Pair]:
    """Follow the way back from the end through the rounds; its diagonal steps are the pairs."""
    pairs: list[Pair] = []
    for differences in range(len(rounds) - 1, -1, -1):
        before = rounds[differences]  # diagonals -differences - 1 to differences + 1
        k = x - y
        at = k + differences + 1
        below, above = before[at - 1], before[at + 1]
        down = k == -differences or (k != differences and below < above)
        begun_x = above if down else below + 1
        if not differences:
            begun_x = 0
        while x > begun_x:
            x, y = x - 1, y - 1
            pairs.append((x, y))
        x, y = (x, y - 1) if down else (x - 1, y)
    return pairs[::-1]
