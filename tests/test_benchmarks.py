"""The benchmark tells the truth: marks, failures, ratios and goals, whatever the times are."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare, lookalikes, records, report, targets, timing
from benchmarks.contenders import MASON_CBOR, MASON_JSON, PICKLE, Contender, Pair, contenders
from benchmarks.marks import marks
from benchmarks.measure import Effort, Row, measure
from benchmarks.workloads import Workload, choose

ROOT = Path(__file__).resolve().parent.parent
LITTLE = Effort(rounds=2, copies=2, scale=0.002, batch_ns=1000)


def contender(name: str, dump: Any, load: Any, *, big_stack: bool = False) -> Contender:
    return Contender(name, f"{name} 1.0", lambda workload: Pair(dump, load), big_stack)


def workload(name: str) -> Workload:
    return next(found for found in choose([name]) if found.name == name)


# -- workloads


def test_every_workload_is_made_from_a_seed_and_again() -> None:
    for one in choose(None):
        first, second = one.documents(2, 0.005)
        assert pickles(first) == pickles(one.documents(1, 0.005)[0])
        if one.name != "deep10k":
            assert pickles(first) != pickles(second)


def pickles(value: Any) -> bytes:
    return bytes(timing.BigStack().run(lambda: pickle.dumps(value)))


def test_names_choose_by_their_beginning_and_optional_ones_in_full() -> None:
    assert [one.name for one in choose(["pp_", "int"])] == [
        "ints",
        "pp_group",
        "pp_list",
        "pp_dict",
    ]
    assert "inst_simple_100k" not in [one.name for one in choose(None)]
    assert [one.name for one in choose(["inst_simple"])] == ["inst_simple"]
    assert [one.name for one in choose(["inst_simple_100k"])] == ["inst_simple_100k"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(SystemExit, match="no workload begins with 'nothing'; there are: twitter"):
        choose(["nothing"])


def test_a_variation_keeps_shape_and_length() -> None:
    document = lookalikes.twitter(1, 5)
    other = lookalikes.variation(document, 3)
    assert other != document
    assert lookalikes.variation(document, 0) == document
    assert len(json.dumps(other)) == len(json.dumps(document))
    assert shape(other) == shape(document)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value), len(value) if isinstance(value, str) else None


def test_documents_come_from_the_data_directory_where_they_are_there(tmp_path: Path) -> None:
    (tmp_path / "github.json").write_text('[{"id": 1000, "name": "somebody"}]')
    found = choose(["github", "twitter"], tmp_path)
    about = {one.name: one.about for one in found}
    assert about == {"github": "github.json", "twitter": "look-alike, generated"}
    github = next(one for one in found if one.name == "github")
    assert github.documents(2) == [
        [{"id": 1000, "name": "somebody"}],
        [{"id": 1001, "name": "tpnfcpez"}],
    ]


# -- marks


@pytest.mark.parametrize(
    ("original", "returned", "expected"),
    [
        ([1, "a", None, 2.5], [1, "a", None, 2.5], ""),
        ((1, 2), [1, 2], "T"),
        ({1: "a"}, {"1": "a"}, "T"),
        ([1.5], [1.25], "W"),
        ([0.0], [-0.0], "W"),
        ([1, 2], [1], "W"),
        ([records.Simple(1, "a", 0.5, 2, True)], [{"id": 1, "name": "a"}], "TW"),
        (records.Status.PAID, "paid", "T"),
    ],
)
def test_marks_say_what_was_lost(original: Any, returned: Any, expected: str) -> None:
    assert marks(original, returned) == expected


def test_marks_see_lost_and_made_up_identity() -> None:
    shared = [1]
    assert marks([shared, shared], [[1], [1]]) == "I"
    assert marks([[1], [1]], [shared, shared]) == "I"
    assert marks([shared, shared], pickle.loads(pickle.dumps([shared, shared]))) == ""


# -- measuring


def test_a_row_has_times_size_and_marks() -> None:
    able = contender("json", lambda value: json.dumps(value, default=vars).encode(), json.loads)
    (row,) = measure(workload("inst_simple"), [able], LITTLE)
    assert (row.marks, row.failed, row.collector) == ("T", "", "on")
    assert row.size > 100
    assert row.dump is not None and row.load is not None
    assert row.dump["rounds"] == 2
    assert 0 < row.dump["min"] <= row.dump["median"]


def test_what_fails_is_a_row_with_its_reason() -> None:
    def refuse(value: Any) -> bytes:
        raise TypeError("cannot do that\nat all")

    rows = measure(
        workload("pp_list"),
        [contender("broken", refuse, json.loads), contender("json", json.dumps, json.loads)],
        LITTLE,
    )
    assert rows[0].failed == "TypeError: cannot do that"
    assert rows[0].dump is None
    assert rows[1].dump is not None


def test_what_ends_the_process_is_a_row_too() -> None:
    def end(value: Any) -> bytes:
        os.kill(os.getpid(), signal.SIGKILL)
        return b""

    (row,) = measure(workload("deep10k"), [contender("fatal", end, json.loads)], LITTLE)
    assert row.failed == "ended the process (SIGKILL)"


@pytest.mark.uninstrumented
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="C recursion is limited at build time")
def test_pickle_gets_a_big_stack_where_it_recurses_too_deep() -> None:
    effort = Effort(rounds=1, copies=1, scale=0.5, batch_ns=1000)
    (row,) = measure(
        workload("deep10k"), [contender(PICKLE, pickle.dumps, pickle.loads, big_stack=True)], effort
    )
    assert (row.failed, row.big_stack, row.marks) == ("", True, "")
    (row,) = measure(workload("deep10k"), [contender("other", pickle.dumps, pickle.loads)], effort)
    assert row.failed.startswith("RecursionError")


def test_the_collector_off_gives_rows_of_its_own() -> None:
    effort = Effort(rounds=1, copies=1, scale=0.01, batch_ns=1000, collector_off=True)
    rows = measure(workload("pp_list"), [contender("json", json.dumps, json.loads)], effort)
    assert [row.collector for row in rows] == ["on", "off"]
    assert all(row.dump and row.load for row in rows)


def test_a_short_call_is_timed_in_a_batch() -> None:
    call = timing.Call(len, [[1], [2]])
    timing.interleave([call], 3, batch_ns=10_000_000)
    assert call.batch > 10
    assert len(call.times) == 3
    assert 0 < call.result()["min"] <= call.result()["median"]


def test_every_installed_contender_does_the_plain_list_without_a_mark() -> None:
    able, _ = contenders()
    rows = measure(workload("pp_list"), able, LITTLE)
    assert {row.contender: row.failed + row.marks for row in rows} == {one.name: "" for one in able}


@pytest.mark.parametrize("name", [one.name for one in choose(None)])
def test_mason_does_every_workload_without_a_mark(name: str) -> None:
    able = [one for one in contenders(only_mason=True)[0] if one.name in (MASON_JSON, MASON_CBOR)]
    rows = measure(workload(name), able, LITTLE)
    assert {row.contender: row.failed + row.marks for row in rows} == {one.name: "" for one in able}


# -- reports


def rows_with(**seconds: tuple[float, float]) -> list[Row]:
    return [
        Row(
            "inst_simple",
            name.replace("_", " "),
            dump={"min": dump, "median": dump * 2},
            load={"min": load, "median": load * 2},
        )
        for name, (dump, load) in seconds.items()
    ]


def test_goals_are_reported_plainly() -> None:
    rows = rows_with(pickle_5=(1e6, 2e6), mason_cbor=(1e5, 8e5))
    found = targets.targets(rows, [workload("inst_simple")])
    told = {goal.what: (goal.reached, goal.verdict) for goal in found if goal.reached is not None}
    assert told == {
        "5 plain fields, inst_simple: mason cbor dump : pickle 5": (0.1, "reached"),
        "5 plain fields, inst_simple: mason cbor load : pickle 5": (0.4, "missed by 33%"),
    }
    lines = list(report.summary(found))
    assert lines[-1].startswith("1 of 2 targets reached, ")
    assert any("missed by 33%" in line for line in lines)


def test_the_page_shows_ratios_marks_and_failures() -> None:
    rows = rows_with(pickle_5=(1e6, 2e6), json=(2e6, 1e6), mason_cbor=(1e5, 8e5))
    rows[1].marks = "T"
    rows.append(Row("inst_simple", "marshal", failed="ValueError: unmarshallable object"))
    names = (PICKLE, "json", "marshal", MASON_CBOR)
    able = [contender(name, json.dumps, json.loads) for name in names]
    facts = {"python": "P", "built": "B", "layout": "L", "machine": "M", "when": "W", "effort": "E"}
    page = report.markdown(rows, [workload("inst_simple")], able, facts, ["cbor2"])
    line = next(line for line in page.splitlines() if line.startswith("| inst_simple"))
    assert [cell.strip() for cell in line.split("|")[1:-1]] == [
        "inst_simple",
        "1 / 2",
        "2.00/.50 T",
        "✗",
        ".10/.40",
    ]
    assert "- marshal on inst_simple: ValueError: unmarshallable object" in page
    assert "- P (B); mason uses the L" in page
    assert "not installed: cbor2" in page


def test_two_commits_are_compared_best_against_best() -> None:
    before = {("ints", PICKLE, what): [4.0, 2.0] for what in ("dump", "load")}
    after = {("ints", PICKLE, what): [1.0, 9.0] for what in ("dump", "load")}
    lines = [line.split("|")[1:3] for line in compare.page(before, after)]
    assert [[cell.strip() for cell in line] for line in lines] == [
        ["workload", PICKLE],
        ["--------------", "--------"],
        ["ints", ".50/.50"],
        ["geometric mean", ".50/.50"],
    ]


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_an_unknown_commit_is_said_to_be_one() -> None:
    done = run("--compare", "no-such-commit", "HEAD")
    assert done.returncode == 1
    assert "no commit is called 'no-such-commit'" in done.stderr


# -- the command


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_writes_numbers_and_tables(tmp_path: Path) -> None:
    numbers, page = tmp_path / "out" / "numbers.json", tmp_path / "out" / "page.md"
    little = ("--quick", "--scale", "0.01", "--rounds", "1")
    chosen = ("--only", "pp_list", "--only", "inst_simple")
    done = run(*little, *chosen, "--gc-off", "--json", numbers, "--markdown", page)
    assert done.returncode == 0, done.stderr
    assert "targets reached" in done.stdout
    whole = json.loads(numbers.read_text())
    assert whole["facts"]["python"].startswith("CPython 3.")
    found = {(row["workload"], row["contender"], row["collector"]) for row in whole["rows"]}
    assert ("inst_simple", MASON_CBOR, "off") in found
    assert {workload for workload, _, _ in found} == {"pp_list", "inst_simple"}
    assert "with the garbage collector off" in page.read_text()


def test_the_command_can_leave_the_peers_out(tmp_path: Path) -> None:
    numbers, page = tmp_path / "numbers.json", tmp_path / "page.md"
    chosen = ("--quick", "--rounds", "1", "--only", "pp_list", "--without-peers")
    done = run(*chosen, "--json", numbers, "--markdown", page)
    assert done.returncode == 0, done.stderr
    assert "| pp_list" in page.read_text(encoding="utf-8")
    names = {row["contender"] for row in json.loads(numbers.read_text())["rows"]}
    assert names >= {PICKLE, MASON_JSON, MASON_CBOR}
    assert not names & {"json", "orjson", "marshal"}
