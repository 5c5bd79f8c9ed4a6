"""What was aimed at, beside what was reached. No run fails by it: times are not asserted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contenders import MASON_CBOR, MASON_JSON, MSGPACK, ORJSON, PICKLE
from benchmarks.measure import Row
from benchmarks.workloads import Workload

FIVE_PLAIN = ("inst_simple", "inst_simple_100k")
EIGHT_MIXED = ("inst_dataclass", "inst_slots", "inst_namedtuple", "inst_attrs", "inst_plain")
RECORD_ABOVE = 2.0


@dataclass(frozen=True)
class Target:
    """Hold a goal and how near to it the run came (None: not measured)."""

    what: str
    goal: float
    reached: float | None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Say it plainly."""
        if self.reached is None:
            return "not measured"
        return (
            "reached"
            if round(self.reached, 2) <= self.goal
            else f"missed by {self.reached / self.goal - 1:.0%}"
        )


class Ratios:
    """Look up times by workload and contender, with the collector as found, and divide them."""

    def __init__(self, rows: list[Row], collector: str = "on") -> None:
        self._rows = {
            (row.workload, row.contender): row for row in rows if row.collector == collector
        }

    def row(self, workload: str, contender: str) -> Row | None:
        """Return the row of a contender on a workload, if it was measured."""
        return self._rows.get((workload, contender))

    def ratio(
        self, what: str, workload: str, contender: str, to: str, of: str = "min"
    ) -> float | None:
        """Return the time of a contender over that of another; None where one has none."""
        left, right = self.row(workload, contender), self.row(workload, to)
        if left is None or right is None:
            return None
        above, below = getattr(left, what), getattr(right, what)
        return above[of] / below[of] if above and below else None

    def means(
        self, what: str, workloads: list[str], contender: str, to: str
    ) -> tuple[float | None, str]:
        """Return the geometric mean over the workloads, and a note of those above 2.0."""
        pairs = [(name, self.ratio(what, name, contender, to)) for name in workloads]
        known = {name: ratio for name, ratio in pairs if ratio}
        above = [f"{name} {ratio:.2f}" for name, ratio in known.items() if ratio > RECORD_ABOVE]
        return geometric_mean(
            list(known.values())
        ), f"above {RECORD_ABOVE}: {', '.join(above)}" if above else ""


def geometric_mean(values: list[float]) -> float | None:
    """Return the geometric mean, or None of nothing."""
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def targets(rows: list[Row], workloads: list[Workload]) -> list[Target]:
    """Return every goal with the ratio reached."""
    ratios = Ratios(rows)
    measured = [workload.name for workload in workloads]
    plain = [workload.name for workload in workloads if workload.plain]
    five = [name for name in FIVE_PLAIN if name in measured] or [FIVE_PLAIN[0]]
    return [
        *_instances(
            ratios, "5 plain fields", five, {MASON_CBOR: (0.10, 0.30), MASON_JSON: (0.18, 0.45)}
        ),
        *_instances(
            ratios,
            "8 mixed fields",
            list(EIGHT_MIXED),
            {MASON_CBOR: (0.10, 0.25), MASON_JSON: (0.22, 0.45)},
        ),
        *_documents(ratios, plain, MASON_CBOR, MSGPACK, (1.25, 1.10)),
        *_documents(ratios, plain, MASON_JSON, ORJSON, (1.60, 1.20)),
    ]


def _instances(
    ratios: Ratios, kind: str, names: list[str], goals: dict[str, tuple[float, float]]
) -> Iterator[Target]:
    """Yield the goals for lists of instances, each against pickle."""
    for contender, pair in goals.items():
        for what, goal in zip(("dump", "load"), pair, strict=True):
            for name in names:
                reached = ratios.ratio(what, name, contender, PICKLE)
                yield Target(f"{kind}, {name}: {contender} {what} : {PICKLE}", goal, reached)


def _documents(
    ratios: Ratios, names: list[str], contender: str, peer: str, goals: tuple[float, float]
) -> Iterator[Target]:
    """Yield the goals for plain documents, each a mean against the fastest peer of its kind."""
    for what, goal in zip(("dump", "load"), goals, strict=True):
        reached, note = ratios.means(what, names, contender, peer)
        yield Target(
            f"{len(names)} plain documents, mean: {contender} {what} : {peer}", goal, reached, note
        )
