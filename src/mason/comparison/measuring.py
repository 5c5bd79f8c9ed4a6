"""The course of a comparison: one child for each contender, then rounds that go round them all.

Strategy: every contender first has its one try. Those that wrote and read it are then timed in
rounds, each once in a round and in an order that turns, so that whatever else the machine does
falls on all alike. A fork shares the memory of the object until somebody touches it; where all the
copies would not fit, each child is timed alone and ended before the next begins.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from mason.comparison.contenders import Contender
from mason.comparison.facts import Facts
from mason.comparison.memory import available, resident
from mason.comparison.processes import Answer, Child, Ended, Limits
from mason.comparison.results import About, Change, Row, Times
from mason.comparison.spellings import Subject
from mason.comparison.trial import Trial

Progress = Callable[[str], None]

_CALLS = ("dump", "load")
_SAMPLING = 1.0  # seconds for all samples of one call, unless a single one takes longer
_DONE = ("exact", "changed", "cannot tell")
_STAGES = {
    "import": "while its library was imported",
    "write": "while it wrote",
    "read": "it wrote the object; while it read it back",
    "compare": "it wrote and read the object; while what came back was compared",
}


class Effort(NamedTuple):
    """Say how much is measured, and within which limits."""

    rounds: int
    limits: Limits


@dataclass
class _Runner:
    """Hold what is known of one contender, and its child while there is one."""

    contender: Contender
    known: Answer = field(default_factory=dict)
    child: Child | None = None
    samples: dict[str, list[float]] = field(default_factory=lambda: {call: [] for call in _CALLS})

    def attempt(self) -> None:
        """Let it try; what it told before it was ended stands."""
        assert self.child is not None
        try:
            self.known.update(self.child.ask({"do": "try"}, self.known.update))
        except Ended as end:
            self.known.update(_ended(self.known, end))
            self.child = None

    def sample(self, call: str) -> None:
        """Take one more sample, unless it is gone or has had its share of the time."""
        spent = self.samples[call]
        if self.child is None or self.known.get("outcome") not in _DONE:
            return
        if not spent and self.known[f"{call}_once"] > _SAMPLING:
            spent.append(self.known[f"{call}_once"])  # the try was long enough to be a sample
        if spent and (len(spent) + 1) * spent[-1] > _SAMPLING:
            return
        try:
            spent.append(self.child.ask({"do": "sample", "what": call})["seconds"])
        except Ended:
            self.child = None


def survey(subject: Subject, from_file: bool, limits: Limits) -> tuple[About, str, Any]:
    """Return what the object is, which kind of table, and its tree, as far as they can be told."""
    told: Answer = {}
    work = Facts(subject, from_file, limits.seconds)
    with Child(work, limits) as child:
        try:
            told.update(child.ask({}, told.update))
        except Ended:
            pass
    if "about" not in told:
        about = About(type(subject.obj).__name__, from_file=from_file, complete=False)
        return about, "", None
    known = {**told["about"], "classes": tuple(told["about"]["classes"])}
    return About(**known), told["table"], told.get("tree")


def measure(
    contenders: Sequence[Contender],
    subject: Subject,
    about: About,
    effort: Effort,
    progress: Progress,
    left_out: Callable[[Contender], str],
) -> list[Row]:
    """Return a row for each contender; `left_out` says why one is not to be tried, or ""."""
    runners = []
    for contender in contenders:
        reason = left_out(contender)
        known = {"outcome": "left out", "reason": reason} if reason else {}
        runners.append(_Runner(contender, known))
    ready = [runner for runner in runners if not runner.known]
    if _together(len(ready)):
        _race(ready, subject, effort, progress)
    else:
        for runner in ready:
            _race([runner], subject, effort, progress)
    return [_row(runner, about) for runner in runners]


def _race(runners: list[_Runner], subject: Subject, effort: Effort, progress: Progress) -> None:
    """Let contenders try one after another, and time those that can in turns."""
    children: list[Child] = []
    with ExitStack() as stack:
        for runner in runners:
            work = Trial(runner.contender, subject)
            runner.child = stack.enter_context(Child(work, effort.limits, children))
            children.append(runner.child)
            runner.child.tell({"do": "import"})  # goes on while others try
        for runner in runners:
            progress(f"trying {runner.contender.name}")
            runner.attempt()
            if runner.child is not None and runner.known.get("outcome") not in _DONE:
                runner.child.close()
        for call in _CALLS:
            for turn in range(effort.rounds):
                progress(f"timing {call}, round {turn + 1} of {effort.rounds}")
                at = turn % max(1, len(runners))
                for runner in runners[at:] + runners[:at]:
                    runner.sample(call)


def _together(count: int) -> bool:
    """Tell whether all children fit into memory at once, each with a copy of its own."""
    mine, free = resident(), available()
    return mine is None or free is None or mine * count < free // 2


def _ended(known: Answer, end: Ended) -> Answer:
    """Return what is to be said of a contender whose child had to be ended."""
    stage = known.get("stage", "import")
    if stage in ("search", "compress"):  # the outcome was known
        return {}
    outcome = "cannot tell" if stage == "compare" else end.outcome
    return {"outcome": outcome, "reason": f"{_STAGES[stage]}, {end.reason}"}


def _row(runner: _Runner, about: About) -> Row:
    known, contender = runner.known, runner.contender
    row = Row(
        name=contender.name,
        package=contender.package,
        outcome=known["outcome"],
        reason=known.get("reason", ""),
        path=known.get("path"),
    )
    if row.outcome not in _DONE:
        return row
    changes = tuple(
        Change(**{**change, "others": tuple(change["others"])})
        for change in known.get("changes", ())
    )
    named = ("changes_total", "size", "compressed", "dump_peak", "load_peak")
    figures: dict[str, Any] = {name: known[name] for name in named if name in known}
    return replace(
        row,
        changes=changes,
        dump=_times(runner.samples["dump"]),
        load=_times(runner.samples["load"]),
        **figures,
        **_qualities(contender, about),
    )


def _qualities(contender: Contender, about: About) -> dict[str, Any]:
    """Return what holds of a format for this object: where there are no classes, none is needed."""
    nothing_to_name = contender.safe == "named classes only" and not about.named
    readers = contender.readers
    if about.nan and contender.writes_nan:
        readers = "Python"
    elif about.plain and contender.human == "yes" and not about.nan:
        readers = "every language"  # what only Python understands is not in it
    return {
        "safe": "yes" if nothing_to_name else contender.safe,
        "readers": readers,
        "human": contender.human,
        "renamed": contender.renamed if about.named else "",
    }


def _times(samples: list[float]) -> Times | None:
    if not samples:
        return None
    middle = statistics.median(samples)
    return Times(min(samples), middle, max(samples), len(samples))
