"""`mason.compare`: the options, the course, and the result."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mason.comparison.contenders import CONTENDERS, Contender, chosen, named
from mason.comparison.measuring import Effort, Progress, measure, survey
from mason.comparison.processes import Limits
from mason.comparison.results import About, Machine, Row, Verdict, plain
from mason.comparison.rules import WEIGHTS
from mason.comparison.spellings import Subject
from mason.comparison.table import as_markdown, as_text
from mason.comparison.verdict import verdict

_BULK = 100_000  # values of plain data from which on its bytes are compared
_FOREVER, _ALL_MEMORY = 1e6, 1 << 50  # seconds and bytes that no limit may reach
SECONDS, MEMORY, ROUNDS = 20.0, 2 << 30, 7


@dataclass(frozen=True, repr=False)
class Comparison:
    """Hold what every format did to one object, and which to use.

    `rows` has one entry for each contender, `verdict` the recommendation, `about` what the object
    is; `str()` is the table. `not_installed` names contenders whose library is not here.
    """

    title: str
    about: About
    purpose: str | None
    machine: Machine
    rows: tuple[Row, ...]
    verdict: Verdict
    tree: dict[str, Any] | None = None
    not_installed: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            "version": 1,
            "title": self.title,
            "about": plain(self.about),
            "purpose": self.purpose,
            "machine": plain(self.machine),
            "rows": [plain(row) for row in self.rows],
            "verdict": plain(self.verdict),
            "tree": self.tree,
            "not_installed": list(self.not_installed),
        }

    def as_markdown(self) -> str:
        """Return the table, what changed and the verdict as Markdown."""
        return as_markdown(self)

    def as_html(self) -> str:
        """Return a page of its own, with a chart.

        Raises `MasonError` without the libraries of the extra `page`.
        """
        from mason.page import comparison_page

        return comparison_page(self.as_json())

    def _repr_html_(self) -> str:
        from mason.page import comparison_fragment

        return comparison_fragment(self.as_json())

    def __str__(self) -> str:
        return as_text(self)

    def __repr__(self) -> str:  # the fields would be many screens, the tree among them
        tried = sum(row.outcome != "left out" for row in self.rows)
        return f"<Comparison of {self.about.type}, {tried} formats tried: {self.verdict.choice}>"


def compare(
    obj: Any,
    *,
    purpose: str | None = None,
    only: Iterable[str] | str | None = None,
    protocols: bool = False,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    rounds: int = ROUNDS,
) -> Comparison:
    """Take an object through every format that is installed, measure, and recommend one.

    `purpose` is "exchange", "cache", "archive", "config", "model" or "queue", and weighs the
    columns. `only` names contenders ("json", "pickle 5") or families of them ("pickle"),
    `protocols` asks for each protocol of pickle. Each contender has its own process, forked from
    this one: `seconds` of wall time for each step (writing, reading, comparing) and `memory` bytes
    on top of what this one has. The times are of CPU, from `rounds` rounds at most.

    Raises ValueError for a purpose or a contender that nobody knows, and for limits that leave
    nothing; OSError when no process can be started.
    """
    names = [only] if isinstance(only, str) else only
    options = Options(purpose, names, protocols, Limits(seconds, memory), rounds)
    return run(Subject(obj), "object", options)


@dataclass(frozen=True)
class Options:
    """Hold what was asked for; checked when it is made."""

    purpose: str | None = None
    only: Iterable[str] | None = None
    protocols: bool = False
    limits: Limits = Limits()  # noqa: RUF009 (a named tuple)
    rounds: int = ROUNDS
    trusted: Sequence[str] = ()  # contenders that may run code for content from a file
    contenders: tuple[Contender, ...] = CONTENDERS

    def __post_init__(self) -> None:
        if self.purpose not in WEIGHTS:
            known = ", ".join(filter(None, WEIGHTS))
            raise ValueError(f"purpose must be one of {known}, not {self.purpose!r}")
        seconds, memory = self.limits
        if not 0 < seconds < _FOREVER or not 0 < memory < _ALL_MEMORY or self.rounds < 1:
            raise ValueError("seconds, memory and rounds must be more than nothing, and finite")


def run(
    subject: Subject,
    title: str,
    options: Options,
    *,
    from_file: bool = False,
    progress: Progress = lambda text: None,
) -> Comparison:
    """Compare a subject under a title; `progress` is told what is under way."""
    start = time.monotonic()
    wanted = chosen(options.only, options.protocols, options.contenders)
    here = [one for one in wanted if one.installed]
    progress("looking at the object")
    about, table, tree = survey(subject, from_file, options.limits)
    rows = measure(
        here,
        Subject(subject.obj, table, about.plain and about.values >= _BULK),
        about,
        Effort(options.rounds, options.limits),
        progress,
        _left_out(table, from_file, options.trusted),
    )
    commands = {one.name: one.command for one in wanted}
    return Comparison(
        title=title,
        about=about,
        purpose=options.purpose,
        machine=_machine(options, time.monotonic() - start),
        rows=tuple(rows),
        verdict=verdict(rows, about, options.purpose, commands),
        tree=tree,
        not_installed=tuple(one.name for one in wanted if not one.installed),
    )


def _left_out(table: str, from_file: bool, trusted: Sequence[str]) -> Callable[[Contender], str]:
    """Return what says why a contender is not tried, "" if it is."""

    def reason(contender: Contender) -> str:
        if contender.tables and not table:
            return "for tables only"
        if from_file and contender.runs_code and not named(contender, trusted):
            family = contender.name.partition(" ")[0]
            return f"loading may run code, and the content comes from a file (--trust {family})"
        return ""

    return reason


def _machine(options: Options, spent: float) -> Machine:
    from datetime import UTC, datetime

    return Machine(
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(),
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        rounds=options.rounds,
        seconds=round(spent, 1),
        limits={"seconds": options.limits.seconds, "bytes": options.limits.memory},
    )


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if line.startswith("model name")), "")
    except OSError:
        line = ""
    name = line.partition(":")[2].strip() or platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} threads"
