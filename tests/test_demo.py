"""The demo shows what it says, on whatever machine it runs, as often as one likes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run_demo(place: Path) -> str:
    command: list[str | Path] = [sys.executable, "-W", "error", ROOT / "examples" / "demo.py"]
    done = subprocess.run(
        command, cwd=place, env=environment(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def environment() -> dict[str, str]:
    """Return this environment so that it says the same from another directory."""
    names = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    found = [os.path.abspath(name) for name in names if name]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found), "PYTHONUTF8": "1"}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("demo")
    run_demo(place)
    return run_demo(place)  # the second time around, over what the first one left


def section(shown: str, number: int) -> str:
    return re.split(r"^── \d\. ", shown, flags=re.MULTILINE)[number]


def test_the_objects_come_back_the_same_in_another_process(shown: str) -> None:
    there = section(shown, 3)
    assert there.count(">>> mason.same(") == 2
    assert "False" not in there
    counts = re.search(r"([\d,]+) packages, ([\d,]+) requirements, ([\d,]+) files", shown)
    assert counts is not None
    packages, requirements, files = counts.groups()
    counted = f"1 Inventory, {packages} Package, {requirements} Requirement, {files} File"
    assert there.replace("\n", " ").count(counted) == 2
    assert f"{requirements} lead to the very object" in there


def test_the_json_is_readable(shown: str) -> None:
    written = section(shown, 2)
    for part in ('"$type": "packages:Package"', '"$datetime": "20', '"package": {"$ref": ', "…"):
        assert part in written


def test_hostile_files_are_refused_and_nothing_runs(shown: str) -> None:
    refused = section(shown, 4)
    assert refused.count("\n    UntrustedError: 1 name is not trusted; nothing was run\n") == 4
    assert "shop.models:Invoice" in refused
    assert refused.count("os:system") >= 6
    assert (
        "no import, no exec, no compile, no os.system, no new process; run-by-mason was not created"
        in refused
    )
    assert "    os.system; run-by-pickle was created\n" in refused


def test_the_table_says_what_comes_back(shown: str) -> None:
    table = section(shown, 5)
    exact = dict(
        re.findall(r"^(\S.*?)\s{2,}(the same objects|dict, list and str) ", table, re.MULTILINE)
    )
    assert exact == {
        "mason JSON": "the same objects",
        "mason CBOR": "the same objects",
        "json + default=": "dict, list and str",
        "pickle 5": "the same objects",
    }
    # one line for each type that json made of others
    lost = table[table.index("What json gave back as something else") :]
    kinds = {word: lost.index(f"\n  as {word}: ") for word in ("str", "dict", "list")}
    assert kinds["str"] < lost.index(" datetime") < len(lost)
    assert lost.index(" tuple") > kinds["list"]


def test_the_lines_fit_a_terminal(shown: str) -> None:
    assert max(map(len, shown.splitlines())) <= 100
