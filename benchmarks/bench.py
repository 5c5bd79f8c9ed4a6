"""The benchmark's command line: choose, measure, report."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import build, report
from benchmarks.compare import compare
from benchmarks.contenders import Contender, contenders
from benchmarks.measure import Effort, Row, measure
from benchmarks.targets import targets
from benchmarks.workloads import Workload, choose


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark as the command line asks and return the exit code."""
    options = _options().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal may not know every character
    workloads = choose(options.only, options.data)
    if options.compare:
        return compare(options.compare[0], options.compare[1], _passed_on(options), options.passes)
    effort = _effort(options)
    able, missing = contenders(only_mason=options.without_peers)
    if missing:
        print(f"not installed: {', '.join(missing)}", file=sys.stderr)
    rows = _run(workloads, able, effort)
    facts = {**build.describe(), "effort": str(effort)}
    _write(rows, workloads, able, missing, facts, options)
    print("\n".join(report.summary(targets(rows, workloads))))
    return 0


def _options() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure mason beside its peers."
    )
    _choosing(parser.add_argument_group("what"))
    _measuring(parser.add_argument_group("how much"))
    _telling(parser.add_argument_group("where to"))
    return parser


def _choosing(group: argparse._ArgumentGroup) -> None:
    """Add the options that say what is measured."""
    only = "workloads that begin with NAME (again for more)"
    data = "where twitter.json, citm_catalog.json, canada.json, github.json are (else look-alikes)"
    group.add_argument("--only", action="append", metavar="NAME", help=only)
    group.add_argument("--data", type=Path, metavar="DIR", help=data)
    group.add_argument("--without-peers", action="store_true", help="pickle and mason only")
    compare = "build two commits and compare the second with the first"
    group.add_argument("--compare", nargs=2, metavar=("A", "B"), help=compare)


def _measuring(group: argparse._ArgumentGroup) -> None:
    """Add the options that say how thoroughly."""
    quick = "a tenth of the size, 5 rounds: shows that it runs, measures little"
    once_more = "measure once more with the garbage collector off"
    size = "size of what is generated (default 1)"
    rounds = f"samples of every contender (default {Effort.rounds})"
    passes = "runs of each of two compared commits (default 4)"
    group.add_argument("--rounds", type=int, metavar="N", help=rounds)
    group.add_argument("--quick", action="store_true", help=quick)
    group.add_argument("--scale", type=float, metavar="X", help=size)
    group.add_argument("--gc-off", action="store_true", help=once_more)
    group.add_argument("--passes", type=int, default=4, metavar="N", help=passes)


def _telling(group: argparse._ArgumentGroup) -> None:
    """Add the options that say where the results go."""
    numbers, tables = Path("build", "benchmark.json"), Path("build", "benchmark.md")
    where = f"the numbers (default {numbers})"
    group.add_argument("--json", type=Path, default=numbers, metavar="FILE", help=where)
    where = f"the tables (default {tables})"
    group.add_argument("--markdown", type=Path, default=tables, metavar="FILE", help=where)


def _effort(options: argparse.Namespace) -> Effort:
    """Return how much is to be measured."""
    rounds = options.rounds or (5 if options.quick else Effort.rounds)
    scale = options.scale or (0.1 if options.quick else 1.0)
    batch_ns = 200_000 if options.quick else 2_000_000
    return Effort(rounds=rounds, scale=scale, batch_ns=batch_ns, collector_off=options.gc_off)


def _passed_on(options: argparse.Namespace) -> list[str]:
    """Return the arguments that the runs of two commits share."""
    arguments = [word for name in options.only or () for word in ("--only", name)]
    for name in ("rounds", "scale", "data"):
        if (value := getattr(options, name)) is not None:
            arguments += [f"--{name}", str(value)]
    return arguments + (["--quick"] if options.quick else [])


def _run(workloads: list[Workload], able: list[Contender], effort: Effort) -> list[Row]:
    """Measure every workload and tell how it goes."""
    rows: list[Row] = []
    for workload in workloads:
        found = measure(workload, able, effort)
        rows += found
        print(report.progress(found, workload), file=sys.stderr, flush=True)
    return rows


def _write(
    rows: list[Row],
    workloads: list[Workload],
    able: list[Contender],
    missing: list[str],
    facts: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    """Write the numbers and the tables to where they are wanted."""
    packages = {contender.name: contender.package for contender in able}
    found = [row.as_json() for row in rows]
    whole = {"facts": facts, "packages": packages, "missing": missing, "rows": found}
    texts = {
        options.json: json.dumps(whole, indent=1),
        options.markdown: report.markdown(rows, workloads, able, facts, missing),
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"Tables: {options.markdown}   Numbers: {options.json}")
