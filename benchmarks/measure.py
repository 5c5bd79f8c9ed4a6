"""Try every contender on a workload, check what comes back, then time those that can.

Strategy: writing is timed while the objects are alive, reading when they are gone and only the
bytes are left, so that no full collection scans the benchmark's own data. Where the objects are
instances, mason gets objects of its own: on CPython 3.11 and 3.12 most peers leave a `__dict__`
behind in what they write, which nobody who uses mason alone would have. What recurses is tried in a
child process first, because some peers end it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.contenders import Contender, Pair
from benchmarks.marks import marks
from benchmarks.timing import BATCH_NS, BigStack, Call, collector_off, interleave, run_here
from benchmarks.workloads import Workload


@dataclass
class Row:
    """Hold what one contender did on one workload."""

    workload: str
    contender: str
    collector: str = "on"
    marks: str = ""
    failed: str = ""
    big_stack: bool = False
    size: int = 0
    dump: dict[str, float] | None = None
    load: dict[str, float] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Effort:
    """Say how much is measured."""

    rounds: int = 11
    copies: int = 3
    scale: float = 1.0
    batch_ns: int = BATCH_NS
    collector_off: bool = False

    def __str__(self) -> str:
        return f"{self.rounds} rounds, {self.copies} documents in turn, size x{self.scale:g}"


@dataclass
class Ready:
    """Hold a contender that can do a workload, with what it wrote."""

    row: Row
    pair: Pair
    documents: list[Any]
    written: list[Any]
    run: Callable[[Callable[[], Any]], Any]


def measure(workload: Workload, contenders: list[Contender], effort: Effort) -> list[Row]:
    """Return a row for every contender, and another with the collector off where that is asked."""
    copies = min(2, effort.copies) if workload.instances else effort.copies
    documents = workload.documents(copies, effort.scale)
    own = workload.documents(copies, effort.scale) if workload.instances else documents
    judged = documents[0]
    if workload.instances and not workload.deep:
        judged = workload.documents(1, effort.scale / 10)[0]  # comparing is slow
    rows: list[Row] = []
    ready: list[Ready] = []
    with BigStack() as stack:
        for contender in contenders:
            mine = own if contender.name.startswith("mason") else documents
            row = Row(workload.name, contender.name)
            rows.append(row)
            if workload.deep and (end := _crash(workload, contender, mine[:1])):
                row.failed = end
            elif able := _prepare(workload, contender, judged, mine, row, stack):
                ready.append(able)
        del documents, own, mine, judged  # from here on only `ready` holds them
        return rows + _timed(ready, effort)


def _timed(ready: list[Ready], effort: Effort) -> list[Row]:
    """Time writing, drop the objects, time reading; return the rows with the collector off."""
    others = (
        [Row(**{**able.row.as_json(), "collector": "off"}) for able in ready]
        if effort.collector_off
        else []
    )
    gc.collect()
    _time(
        "dump",
        [Call(able.pair.dump, able.documents, able.run) for able in ready],
        ready,
        others,
        effort,
    )
    for able in ready:
        able.documents = []
    gc.collect()
    _time(
        "load",
        [Call(able.pair.load, able.written, able.run) for able in ready],
        ready,
        others,
        effort,
    )
    return others


def _time(
    what: str, calls: list[Call], ready: list[Ready], others: list[Row], effort: Effort
) -> None:
    """Time the calls, with the collector as found and then off, and fill in the rows."""
    interleave(calls, effort.rounds, effort.batch_ns, thorough=what == "load")
    for able, call in zip(ready, calls, strict=True):
        setattr(able.row, what, call.result())
    if not others:
        return
    for call in calls:
        call.times = []
    with collector_off():
        interleave(calls, effort.rounds, effort.batch_ns, thorough=what == "load")
    for row, call in zip(others, calls, strict=True):
        setattr(row, what, call.result())


def _prepare(
    workload: Workload,
    contender: Contender,
    judged: Any,
    mine: list[Any],
    row: Row,
    stack: BigStack,
) -> Ready | None:
    """Let a contender write and read once and judge the result; None and a reason if it cannot."""
    try:
        able = _attempt(workload, contender, mine, row, stack)
        returned = able.run(lambda: able.pair.load(able.pair.dump(judged)))
        row.marks = marks(judged, returned) + able.pair.marks
    except Exception as error:
        row.failed = _reason(error)
        return None
    row.size = len(able.written[0])
    return able


def _attempt(
    workload: Workload, contender: Contender, mine: list[Any], row: Row, stack: BigStack
) -> Ready:
    """Let a contender write every document and read the first, with a big stack if it must."""
    pair = contender.pair(workload)

    def attempt() -> list[Any]:
        written = [pair.dump(document) for document in mine]
        pair.load(written[0])
        return written

    try:
        return Ready(row, pair, mine, attempt(), run_here)
    except RecursionError:
        if not contender.big_stack:
            raise
    row.big_stack = True
    return Ready(row, pair, mine, stack.run(attempt), stack.run)


def _reason(error: BaseException) -> str:
    """Return an error in one short line."""
    lines = str(error).splitlines() or [""]
    text = f"{type(error).__name__}: {lines[0]}" if lines[0] else type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."


def _crash(workload: Workload, contender: Contender, documents: list[Any]) -> str:
    """Return how a child process ended that let the contender try, or "" if it lived."""
    if not hasattr(os, "fork"):
        return ""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 on: other threads may be there
        child = os.fork()
    if child == 0:
        try:
            _attempt(workload, contender, documents, Row("", ""), BigStack())
        finally:
            os._exit(0)  # whatever it raised, it will raise again
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"ended the process ({signal.Signals(os.WTERMSIG(status)).name})"
    return ""
