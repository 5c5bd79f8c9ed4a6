"""Put the rows into a Markdown page and into the lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.contenders import (
    MASON_CBOR,
    MASON_JSON,
    MSGPACK,
    ORJSON,
    PICKLE,
    Contender,
)
from benchmarks.measure import Row
from benchmarks.targets import Ratios, Target, geometric_mean, targets
from benchmarks.workloads import Workload

LEGEND = (
    "dump/load, CPU time (user and system) as a ratio to pickle protocol 5 in the same run; "
    "below 1 is faster. T types lost, I identity lost, W wrong values (each found by comparing "
    "what came back), s must be told the types, † only in a thread with a 1 GiB stack, ✗ cannot "
    "(reasons below), – not measured. A difference under 1.2x means nothing on a shared machine."
)


def number(value: float | None) -> str:
    """Return a ratio in at most four characters where it has no more to say."""
    if value is None:
        return "–"
    if value >= 10:
        return f"{value:.1f}" if value < 100 else f"{value:.0f}"
    text = f"{value:.2f}"
    return text[1:] if text.startswith("0.") else text


def milliseconds(nanoseconds: float) -> str:
    """Return a time in milliseconds with three digits that count."""
    value = nanoseconds / 1e6
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def cell(row: Row | None, ratios: Ratios, to: str = PICKLE, of: str = "min") -> str:
    """Return the dump/load ratios of a row with its marks."""
    if row is None:
        return "–"
    if row.failed:
        return "✗"
    pair = (ratios.ratio(what, row.workload, row.contender, to, of) for what in ("dump", "load"))
    text = "/".join(number(value) for value in pair)
    marks = row.marks + ("†" if row.big_stack else "")
    return f"{text} {marks}" if marks else text


def markdown(
    rows: list[Row],
    workloads: list[Workload],
    contenders: list[Contender],
    facts: dict[str, Any],
    missing: list[str],
) -> str:
    """Return the whole page."""
    shown = [contender.name for contender in contenders if contender.name != PICKLE]
    parts = [
        *_head(facts, contenders, missing),
        "## Ratios to pickle protocol 5 (minimum of rounds)",
        "",
        LEGEND,
        "",
    ]
    parts += [*_ratios(Ratios(rows), workloads, shown, "min"), ""]
    parts += [
        "## The same, median of rounds",
        "",
        *_ratios(Ratios(rows), workloads, shown, "median"),
        "",
    ]
    if any(row.collector == "off" for row in rows):
        parts += ["## The same with the garbage collector off (minimum)", ""]
        parts += [*_ratios(Ratios(rows, "off"), workloads, shown, "min"), ""]
    parts += _plain(Ratios(rows), workloads)
    parts += _sizes(Ratios(rows), workloads, [PICKLE, *shown])
    parts += _failures(rows)
    parts += _targets(targets(rows, workloads))
    return "\n".join(parts) + "\n"


def _head(facts: dict[str, Any], contenders: list[Contender], missing: list[str]) -> Iterator[str]:
    """Yield what was measured on what."""
    yield "# Benchmark"
    yield ""
    yield f"- {facts['python']} ({facts['built']}); mason uses the {facts['layout']}"
    yield f"- {facts['machine']}; {facts['when']}; {facts['effort']}"
    yield f"- {', '.join(dict.fromkeys(contender.package for contender in contenders))}"
    if missing:
        yield f"- not installed: {', '.join(missing)}"
    yield ""


def table(head: list[str], lines: list[list[str]]) -> list[str]:
    """Return a Markdown table with aligned columns."""
    widths = [max(len(line[i]) for line in [head, *lines]) for i in range(len(head))]
    return [
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        + " |"
        for line in [head, ["-" * width for width in widths], *lines]
    ]


def _ratios(ratios: Ratios, workloads: list[Workload], shown: list[str], of: str) -> list[str]:
    """Return the table of ratios to pickle."""
    lines = []
    for workload in workloads:
        anchor = ratios.row(workload.name, PICKLE)
        times = "✗"
        if anchor is not None and anchor.dump and anchor.load:
            times = f"{milliseconds(anchor.dump[of])} / {milliseconds(anchor.load[of])}"
            times += " †" if anchor.big_stack else ""
        cells = [cell(ratios.row(workload.name, name), ratios, of=of) for name in shown]
        lines.append([workload.name, times, *cells])
    return table(["workload", "pickle 5 d/l ms", *shown], lines)


def _plain(ratios: Ratios, workloads: list[Workload]) -> Iterator[str]:
    """Yield the table of plain documents against the fastest peer of each kind."""
    pairs = [(MASON_CBOR, MSGPACK), (MASON_JSON, ORJSON)]
    names = [workload.name for workload in workloads if workload.plain]
    if not names:
        return
    yield "## Plain documents beside the fastest peers (minimum)"
    yield ""
    lines = []
    for name in names:
        lines.append(
            [name, *(cell(ratios.row(name, contender), ratios, to) for contender, to in pairs)]
        )
    means = ["geometric mean"]
    for contender, to in pairs:
        values = [
            [ratios.ratio(what, name, contender, to) for name in names] for what in ("dump", "load")
        ]
        means.append(
            "/".join(number(geometric_mean([v for v in column if v])) for column in values)
        )
    yield from table(
        ["workload", *(f"{contender} : {to}" for contender, to in pairs)], [*lines, means]
    )
    yield ""


def _sizes(ratios: Ratios, workloads: list[Workload], shown: list[str]) -> Iterator[str]:
    """Yield the table of sizes."""
    yield "## Size in kB"
    yield ""
    lines = []
    for workload in workloads:
        found = [ratios.row(workload.name, name) for name in shown]
        lines.append(
            [
                workload.name,
                *(f"{row.size / 1000:.4g}" if row and row.size else "–" for row in found),
            ]
        )
    yield from table(["workload", *shown], lines)
    yield ""


def _failures(rows: list[Row]) -> Iterator[str]:
    """Yield why a contender cannot do a workload."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.failed and row.collector == "on":
            reasons.setdefault((row.contender, row.failed), []).append(row.workload)
    if not reasons:
        return
    yield "## ✗: what cannot, and why"
    yield ""
    for (contender, reason), names in sorted(reasons.items()):
        yield f"- {contender} on {', '.join(names)}: {reason}"
    yield ""


def _targets(found: list[Target]) -> Iterator[str]:
    """Yield the goals beside what was reached."""
    yield "## Targets"
    yield ""
    lines = [
        [goal.what, number(goal.goal), number(goal.reached), goal.verdict, goal.note]
        for goal in found
    ]
    yield from table(["what", "goal ≤", "reached", "", "note"], lines)


def summary(found: list[Target]) -> Iterator[str]:
    """Yield the measured goals as lines for a terminal."""
    known = [goal for goal in found if goal.reached is not None]
    width = max((len(goal.what) for goal in known), default=0)
    if known:
        yield f"{'Targets (time, min of rounds)'.ljust(width)}   goal  reached"
    for goal in known:
        note = f" ({goal.note})" if goal.note else ""
        numbers = f"≤{number(goal.goal):>4}  {number(goal.reached):>7}"
        yield f"{goal.what.ljust(width)}  {numbers}  {goal.verdict}{note}"
    reached = sum(goal.verdict == "reached" for goal in known)
    yield f"{reached} of {len(known)} targets reached, {len(found) - len(known)} not measured"


def progress(rows: list[Row], workload: Workload) -> str:
    """Return one line on a workload that was just measured."""
    ratios = Ratios(rows)
    anchor = ratios.row(workload.name, PICKLE)
    times = "✗"
    if anchor is not None and anchor.dump and anchor.load:
        times = f"{milliseconds(anchor.dump['min'])}/{milliseconds(anchor.load['min'])} ms"
    shown = (ORJSON, MSGPACK, MASON_JSON, MASON_CBOR)
    cells = (f"{name} {cell(ratios.row(workload.name, name), ratios)}" for name in shown)
    return (
        f"{workload.name:<17} {PICKLE} {times:<19} "
        + "  ".join(f"{text:<28}" for text in cells).rstrip()
    )
