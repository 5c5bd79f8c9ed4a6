"""Compare two commits: each is built in an environment of its own, then both are measured in turns.

Strategy: the benchmark of the current tree measures both, so that the yardstick is one. Every pass
is a new process, A and B in turn, the order turning too; the best time of all passes counts. pickle
is measured in both as well: how far its column is from 1 says how much the machine wavered.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.contenders import MASON_CBOR, MASON_JSON, MASON_TEXT, PICKLE
from benchmarks.report import number, table
from benchmarks.targets import geometric_mean

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "build" / "compare"
SHOWN = (PICKLE, MASON_JSON, MASON_TEXT, MASON_CBOR)

Times = dict[tuple[str, str, str], list[float]]


def compare(before: str, after: str, arguments: list[str], passes: int) -> int:
    """Print the times of `after` as ratios to those of `before` and return the exit code."""
    pythons = {
        name: _built(_commit(revision)) for name, revision in (("before", before), ("after", after))
    }
    times: dict[str, Times] = {"before": {}, "after": {}}
    for turn in range(passes):
        for name in ("before", "after") if turn % 2 == 0 else ("after", "before"):
            print(f"pass {turn + 1} of {passes}: {name}", file=sys.stderr, flush=True)
            _collect(times[name], _measured(pythons[name], arguments))
    print(
        f"Time of {after} as a ratio to {before}"
        f" (dump/load, best of {passes} passes; below 1 is faster)."
    )
    print("The pickle column is the same code twice: what it differs from 1 is noise.\n")
    print("\n".join(page(times["before"], times["after"])))
    return 0


def _commit(revision: str) -> str:
    """Return the full id of a commit. Raises SystemExit where there is none."""
    found = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        raise SystemExit(f"no commit is called {revision!r}")
    return found.stdout.strip()


def _built(commit: str) -> Path:
    """Return the Python of an environment that holds mason as of `commit`, made if not there."""
    home = PLACE / commit[:12]
    python = home / "bin" / "python"
    ready = home / "ready"
    if ready.is_file():
        return python
    print(f"building {commit[:12]} in {home}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
    with tempfile.TemporaryDirectory() as space:
        tree = Path(space) / "tree"
        subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", str(tree), commit],
            cwd=ROOT,
            check=True,
        )
        try:
            install = [str(python), "-m", "pip", "install", "--quiet", str(tree), "attrs"]
            if subprocess.run(install, check=False).returncode:
                raise SystemExit(f"commit {commit[:12]} cannot be installed (see above)")
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True
            )
    ready.touch()
    return python


def _measured(python: Path, arguments: list[str]) -> list[dict[str, Any]]:
    """Return the rows of one pass in a process of its own."""
    with tempfile.TemporaryDirectory() as space:
        numbers = Path(space) / "numbers.json"
        written = ["--json", str(numbers), "--markdown", str(Path(space) / "tables.md")]
        command = [str(python), "-m", "benchmarks", "--without-peers", *written, *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(
                f"{python} could not measure (exit code {done.returncode}):\n{done.stderr[-2000:]}"
            )
        rows: list[dict[str, Any]] = json.loads(numbers.read_text(encoding="utf-8"))["rows"]
        return rows


def _collect(times: Times, rows: list[dict[str, Any]]) -> None:
    """Add the times of one pass."""
    for row in rows:
        for what in ("dump", "load"):
            if row["collector"] == "on" and row[what]:
                times.setdefault((row["workload"], row["contender"], what), []).append(
                    row[what]["min"]
                )


def page(before: Times, after: Times) -> list[str]:
    """Return the table of ratios, best against best, with the geometric mean below."""
    workloads = list(dict.fromkeys(workload for workload, _, _ in [*before, *after]))
    lines = [
        [workload, *(_pair(before, after, workload, name) for name in SHOWN)]
        for workload in workloads
    ]
    means = ["geometric mean"]
    for name in SHOWN:
        columns = (
            [_ratio(before, after, (w, name, what)) for w in workloads] for what in ("dump", "load")
        )
        means.append(
            "/".join(number(geometric_mean([v for v in column if v])) for column in columns)
        )
    return table(["workload", *SHOWN], [*lines, means])


def _pair(before: Times, after: Times, workload: str, name: str) -> str:
    """Return the ratios of one contender on one workload."""
    ratios = [_ratio(before, after, (workload, name, what)) for what in ("dump", "load")]
    if None in ratios:
        return "–"
    return "/".join(number(ratio) for ratio in ratios)


def _ratio(before: Times, after: Times, key: tuple[str, str, str]) -> float | None:
    """Return the best time after over the best time before."""
    if key not in before or key not in after:
        return None
    return min(after[key]) / min(before[key])
