"""`mason.compare`: whatever a contender does becomes the right row, and leaves nothing behind."""

from __future__ import annotations

import ctypes
import gc
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import mason
from mason.comparison import trial
from mason.comparison.comparing import Comparison, Options, run
from mason.comparison.contenders import CONTENDERS, Contender, chosen
from mason.comparison.processes import Limits
from mason.comparison.results import Row
from mason.comparison.spellings import Pair, Subject

JSON = next(one for one in CONTENDERS if one.name == "json")
OWN = ["json", "pickle", "marshal", "mason"]  # what is there wherever the tests run


@dataclass
class Person:
    name: str
    friends: list[Person] = field(default_factory=list)


@dataclass
class Event:
    at: datetime
    who: tuple[str, ...]


# --------------------------------------------------------------------------- nothing is left behind


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def children() -> list[int]:
    return [
        int(pid)
        for pid in Path("/proc/self/task").glob("*/children")
        for pid in pid.read_text().split()
    ]


@pytest.fixture(autouse=True)
def _nothing_is_left_behind() -> Iterator[None]:
    before = (descriptors(), children(), list(sys.path), gc.isenabled(), sys.getrecursionlimit())
    handler = signal.getsignal(signal.SIGINT)
    yield
    after = (descriptors(), children(), list(sys.path), gc.isenabled(), sys.getrecursionlimit())
    assert after == before
    assert signal.getsignal(signal.SIGINT) is handler


# ---------------------------------------------------------------------------------- booby traps


def trap(dump: Callable[[Any], Any], load: Callable[[Any], Any] = json.loads) -> Contender:
    return replace(JSON, name="trap", pair=lambda subject: Pair(dump, load), writes_nan=False)


def compared(obj: Any, *contenders: Contender, **options: Any) -> Comparison:
    limits = Limits(options.pop("seconds", 20.0), options.pop("memory", 1 << 30))
    chosen = Options(limits=limits, rounds=2, contenders=contenders, **options)
    return run(Subject(obj), "object", chosen)


def row(obj: Any, contender: Contender, **options: Any) -> Row:
    """Return the row of a contender; another one beside it has to come out unharmed."""
    result = compared(obj, contender, JSON, **options)
    assert [one.name for one in result.rows] == [contender.name, "json"]
    assert result.rows[1].outcome == "exact"
    assert result.rows[1].dump is not None
    return result.rows[0]


def crash(obj: Any) -> str:
    ctypes.string_at(0)
    return ""


def hang(obj: Any) -> str:
    while True:
        time.sleep(0.01)


def hang_in_c(obj: Any) -> str:
    return str(9 ** (9**9))


def eat(obj: Any) -> str:
    eaten = []
    while True:
        eaten.append(bytearray(1 << 20))


def chatter(obj: Any) -> str:
    for _ in range(100):
        os.write(1, b"x" * (1 << 20))
        os.write(2, b"x" * (1 << 20))
    print("noise", file=sys.stderr)
    print("noise")
    warnings.warn("noise", stacklevel=1)
    return json.dumps(obj)


def leave(obj: Any) -> str:
    os._exit(3)


def fork(obj: Any) -> str:
    os.fork()
    return json.dumps(obj)


def refuse(obj: Any) -> str:
    raise TypeError("no\x1b[31m such\nthing" + "!" * 1000)


def stop(obj: Any) -> str:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("dump", "outcome", "words"),
    [
        (crash, "crashed", "SIGSEGV"),
        (leave, "crashed", "status 3"),
        (refuse, "refused", "TypeError: no"),
        (stop, "refused", "KeyboardInterrupt"),
        (lambda obj: 5, "failed", "int instead of bytes"),
    ],
)
@pytest.mark.uninstrumented
def test_a_writer_that_fails_is_a_row(dump: Callable[[Any], Any], outcome: str, words: str) -> None:
    found = row([1, 2], trap(dump))
    assert found.outcome == outcome
    assert words in found.reason
    assert found.reason.isprintable() and len(found.reason) < 300
    assert (found.size, found.dump, found.load, found.safe, found.human) == (
        None,
        None,
        None,
        "",
        "",
    )


def test_a_contender_that_meddles_with_the_pipe_of_the_answers_is_ended() -> None:
    before = descriptors()

    def meddle(obj: Any) -> str:
        for number in descriptors() - before:
            try:
                os.write(int(number), b"no JSON\n")
            except OSError:  # an end for reading
                pass
        return json.dumps(obj)

    found = row([1], trap(meddle))
    assert found.outcome == "crashed"
    assert "pipe" in found.reason


@pytest.mark.uninstrumented
def test_a_writer_that_hangs_is_ended() -> None:
    for writer in (hang, hang_in_c):
        found = row([1], trap(writer), seconds=1.0)
        assert found.outcome == "too slow"
        assert "longer than 1 s" in found.reason


@pytest.mark.uninstrumented
def test_a_writer_that_eats_memory_is_ended() -> None:
    found = row([1], trap(eat), memory=100 << 20)
    assert found.outcome == "too big"
    assert found.dump is None


@pytest.mark.uninstrumented
def test_what_a_contender_says_is_not_heard(capfd: pytest.CaptureFixture[str]) -> None:
    assert row([1], trap(chatter)).outcome == "exact"
    assert capfd.readouterr() == ("", "")


def test_a_contender_that_forks_does_not_speak_twice() -> None:
    assert row([1], trap(fork)).outcome == "exact"


@pytest.mark.parametrize(
    ("load", "outcome", "words"),
    [
        (lambda data: 1 / 0, "failed", "ZeroDivisionError"),
        (crash, "crashed", "read it back, it ended the process (SIGSEGV)"),
        (lambda data: {"a": [1, 2]}, "changed", "tuple → list at $.a"),
        (lambda data: {"a": (1, 2)}, "exact", ""),
    ],
)
@pytest.mark.uninstrumented
def test_what_a_reader_does_is_told(load: Callable[[Any], Any], outcome: str, words: str) -> None:
    found = compared({"a": (1, 2)}, trap(json.dumps, load)).rows[0]
    assert (found.outcome, words in found.reason) == (outcome, True)


@pytest.mark.uninstrumented
def test_what_a_reader_gave_is_not_taken_for_the_same_without_an_answer() -> None:
    lock = threading.Lock()
    found = compared([lock], trap(lambda obj: "", lambda data: [threading.Lock()])).rows[0]
    assert found.outcome == "cannot tell"
    assert "$[0]" in found.reason


@pytest.mark.uninstrumented
def test_a_comparison_that_takes_too_long_is_not_taken_for_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial, "in_place", lambda *_: time.sleep(600))
    found = compared([(1, 2)], trap(lambda obj: "", lambda data: [(1, 2)]), seconds=3).rows[0]
    assert found.outcome == "cannot tell"
    assert "compared" in found.reason


def test_a_library_that_cannot_be_imported_is_left_out() -> None:
    def pair(subject: Subject) -> Pair:
        raise ImportError("no libarrow.so")

    found = row([1], replace(JSON, name="trap", pair=pair))
    assert found.outcome == "left out"
    assert "no libarrow.so" in found.reason


def test_reading_does_not_profit_from_what_the_writer_remembers() -> None:
    def pair(subject: Subject) -> Pair:
        kept: dict[str, Any] = {}

        def dump(obj: Any) -> str:
            kept["key"] = obj
            return "key"

        return Pair(dump, lambda key: kept[key])

    assert compared([1], replace(JSON, pair=pair)).rows[0].outcome == "failed"


@pytest.mark.uninstrumented
def test_an_interrupt_ends_all_children() -> None:
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        compared([1], trap(hang), JSON)
    timer.join()


INTERRUPTED = """
import os, signal, threading, time
import mason
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def interrupt():
    os.kill(os.getpid(), signal.SIGINT)  # taken by the other thread, and seen by this one at once
    time.sleep(0.2)
os.register_at_fork(after_in_parent=interrupt)
try:
    mason.compare([1], only=["json"], rounds=1)
except KeyboardInterrupt:
    print("interrupted")
print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
with open(f"/proc/self/task/{os.getpid()}/children") as file:
    print(len(file.read().split()))
"""


def test_an_interrupt_in_the_midst_of_a_fork_is_not_lost() -> None:
    command = [sys.executable, "-c", INTERRUPTED]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.stdout, ran.stderr) == ("interrupted\nTrue\n0\n", "")


@pytest.mark.uninstrumented
def test_threads_are_no_reason_for_a_warning() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            assert row([1], trap(json.dumps)).outcome == "exact"
        assert not heard
    finally:
        ended.set()
        thread.join()


def test_a_comparison_in_another_thread() -> None:
    found: list[Comparison] = []
    thread = threading.Thread(target=lambda: found.append(compared([1], JSON)))
    thread.start()
    thread.join()
    assert found[0].rows[0].outcome == "exact"


def test_garbage_of_the_parent_is_not_finalized_in_a_child(tmp_path: Path) -> None:
    class Tidy:
        def __del__(self) -> None:
            with open(tmp_path / str(os.getpid()), "w", encoding="utf-8"):
                pass

    gc.disable()
    try:
        tidy = Tidy()
        tidy.self = tidy  # type: ignore[attr-defined]
        del tidy
        compared([1], JSON)
        assert not list(tmp_path.iterdir())
    finally:
        gc.enable()
        gc.collect()
    assert [path.name for path in tmp_path.iterdir()] == [str(os.getpid())]


def test_where_copies_would_not_fit_one_is_tried_and_timed_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mason.comparison.measuring.available", lambda: 0)
    found = compared([1], trap(json.dumps), JSON)
    assert [one.outcome for one in found.rows] == ["exact", "exact"]
    assert all(one.dump and one.dump.rounds == 2 for one in found.rows)


def test_nothing_is_left_to_try() -> None:
    said = str(mason.compare({"a": 1}, only=["parquet"], rounds=1))
    assert "left out: parquet: " in said
    assert "Nothing fits." in said


# ------------------------------------------------------------------------------- where it stopped


@pytest.mark.parametrize(
    ("obj", "path", "words"),
    [
        ({"a": [1, {"b": {1, 2}}]}, "$.a[1].b", "set: TypeError"),
        ([0] * 1000 + [b"x"], "$[1000]", "bytes: TypeError"),
        ({"who": Person("Ann")}, "$.who", "Person: TypeError"),
        ([Event(datetime(2026, 1, 1), ())], "$[0]", "Event: TypeError"),
        ({(1, 2): 3}, "$", "dict: TypeError: keys must be"),
        (object(), "$", "object: TypeError"),
    ],
)
def test_the_place_is_found_for_a_writer_that_names_none(obj: Any, path: str, words: str) -> None:
    found = compared(obj, JSON).rows[0]
    assert (found.outcome, found.path) == ("refused", path)
    assert words in found.reason


def test_a_cycle_is_told_with_the_place_it_leads_back_to() -> None:
    inner: dict[str, Any] = {}
    inner["again"] = {"to": inner}
    found = compared([[], inner], JSON).rows[0]
    assert (found.outcome, found.path) == ("refused", "$[1].again.to")
    assert found.reason == "dict leads back to $[1]"


def test_a_nesting_that_is_too_deep_has_no_place() -> None:
    deep: Any = []
    for _ in range(20_000):
        deep = [deep]
    found = compared(deep, JSON).rows[0]
    assert (found.outcome, found.path) == ("refused", None)
    assert "deeper" in found.reason


def test_the_place_that_mason_names_is_taken() -> None:
    found = mason.compare({"a": [1, threading.Lock()]}, only="mason json", rounds=1)
    assert (found.rows[0].outcome, found.rows[0].path) == ("refused", "$.a[1]")
    assert "lock" in found.rows[0].reason


def test_a_contender_that_crashes_while_the_place_is_looked_for_has_refused() -> None:
    def dump(obj: Any) -> str:
        if obj == []:
            os._exit(1)
        raise TypeError("no")

    assert row([[]], trap(dump)).outcome == "refused"


# ----------------------------------------------------------------------------------- what changed


def test_changes_are_told_in_words_with_their_number() -> None:
    shared: list[int] = []
    obj = {
        "pairs": [(1, 2), (3, 4)],
        "nan": float("nan"),
        "keys": {1: "a"},
        "two": [shared, shared],
        "who": Person("Ann"),
        "order": {"a": 1, "b": 2},
    }
    back = {
        "pairs": [[1, 2], [3, 4]],
        "nan": None,
        "keys": {"1": "a"},
        "two": [[], []],
        "who": Person.__new__(Person),
        "order": {"b": 2, "a": 1},
    }
    found = compared(obj, trap(lambda obj: "", lambda data: back)).rows[0]
    assert found.outcome == "changed"
    told = {change.text: (change.path, change.count) for change in found.changes}
    assert told == {
        "tuple → list": ("$.pairs[0]", 2),
        "NaN → null": ("$.nan", 1),
        "key 1 → '1'": ("$.keys[1]", 1),
        "sharing lost": ("$.two[1]", 1),
        "attribute lost: name": ("$.who.name", 1),
        "attribute lost: friends": ("$.who.friends", 1),
        "order of keys": ("$.order", 1),
    }
    assert found.changes_total == 8


def test_many_changes_are_counted_and_a_few_are_told() -> None:
    obj = {f"k{number}": (number,) for number in range(50)}
    back = {key: number for number, key in enumerate(obj)}
    found = compared(obj, trap(lambda obj: "", lambda data: {**back, "k3": "x\x1b"})).rows[0]
    assert found.changes_total == 50
    assert [change.count for change in found.changes] == [49, 1]


# ------------------------------------------------------------------------------- what it is told of


def test_facts_about_an_object() -> None:
    ann = Person("Ann")
    bob = Person("Bob", [ann])
    ann.friends.append(bob)
    about = mason.compare([ann, bob], only="mason json", rounds=1).about
    assert (about.type, about.shared, about.cycles, about.plain) == ("list", 2, True, False)
    assert about.classes == (f"{Person.__module__}:Person",)
    assert about.depth == 5
    plain = mason.compare({"a": [1, {}]}, only="json", rounds=1).about
    assert (plain.plain, plain.values, plain.depth, plain.table) == (True, 4, 3, False)


@pytest.mark.parametrize(
    ("obj", "table"),
    [
        ([{"a": 1, "b": "x"}, {"a": 2, "b": None}], True),
        ({"a": [1, 2], "b": ["x", "y"]}, True),
        ([{"a": 1}, {"b": 1}], False),
        ([{"a": [1]}, {"a": [2]}], False),
        ([{1: 1}, {1: 2}], False),
        ({"a": [1, 2], "b": [1]}, False),
        ({"a": [1], "b": [1]}, False),
        ([{"a": 1}], False),
        ([Person("a"), Person("b")], False),
        ([], False),
        ({}, False),
        (5, False),
    ],
)
def test_what_is_a_table(obj: Any, table: bool) -> None:
    assert compared(obj, JSON).about.table is table


def test_a_hostile_object_is_looked_at_in_a_child() -> None:
    class Hostile(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            os._exit(9)

        __len__ = __reduce_ex__ = __eq__ = __getattribute__ = __iter__  # type: ignore[assignment]

    found = compared(Hostile(), JSON)
    assert found.about.type.endswith("Hostile")
    assert found.rows[0].outcome != "left out"


def test_an_object_that_mason_does_not_write_has_no_tree() -> None:
    assert compared([threading.Lock()], JSON).tree is None
    tree = compared({"a": 1}, JSON).tree
    assert tree is not None
    assert [line["path"] for line in tree["lines"]] == ["$", "$.a"]


# --------------------------------------------------------------------------------- the public face


def test_compare_gives_plain_data_that_json_can_hold() -> None:
    result = mason.compare({"a": (1, 2)}, only=OWN, rounds=2, purpose="cache")
    data = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert data == result.as_json()
    assert (data["version"], data["title"], data["purpose"]) == (1, "object", "cache")
    assert set(data["rows"][0]) == {
        *("name", "package", "outcome", "reason", "path", "changes", "changes_total", "size"),
        *("compressed", "dump", "load", "dump_peak", "load_peak", "safe", "readers", "human"),
        "renamed",
    }
    by_name = {row["name"]: row for row in data["rows"]}
    assert by_name["json"]["changes"] == [
        {"path": "$.a", "kind": "type", "text": "tuple → list", "count": 1, "others": []}
    ]
    exact = by_name["mason json"]
    assert exact["outcome"] == "exact"
    assert 0 < exact["dump"]["best"] <= exact["dump"]["median"] <= exact["dump"]["worst"]
    assert exact["dump"]["rounds"] == 2
    assert exact["size"] == len(mason.dumpb({"a": (1, 2)}))
    assert data["machine"]["limits"] == {"seconds": 20.0, "bytes": 2 << 30}


def test_compare_of_objects_with_classes_says_what_a_renamed_class_costs() -> None:
    rows = {row.name: row for row in mason.compare([Person("Ann")], only=OWN, rounds=1).rows}
    assert (rows["mason json"].renamed, rows["mason json"].safe) == (
        "one line",
        "named classes only",
    )
    assert (rows["pickle 5"].renamed, rows["pickle 5"].safe) == ("no", "no")
    assert (rows["json"].renamed, rows["json"].safe) == ("", "")
    plain = {row.name: row for row in mason.compare([1], only=OWN, rounds=1).rows}
    assert (plain["mason json"].renamed, plain["mason json"].safe) == ("", "yes")


def test_what_is_no_json_to_others_is_not_said_to_be_read_by_them() -> None:
    rows = {row.name: row for row in mason.compare([float("inf")], only=OWN, rounds=1).rows}
    assert (rows["json"].outcome, rows["json"].readers) == ("exact", "Python")
    assert rows["mason json"].readers == "every language"


def test_protocols_are_tried_on_request() -> None:
    names = [row.name for row in mason.compare(1, only="pickle", protocols=True, rounds=1).rows]
    assert names == [f"pickle {number}" for number in range(6)]
    assert [one.name for one in chosen(["pickle"], False)] == ["pickle 5"]
    assert [one.name for one in chosen(["pickle 2"], False)] == ["pickle 2"]
    assert not [one for one in chosen(None, False) if one.name == "pickle 2"]


@pytest.mark.parametrize(
    "options",
    [
        {"purpose": "fun"},
        {"only": ["yason"]},
        {"only": "jso"},
        {"seconds": 0},
        {"memory": -1},
        {"rounds": 0},
    ],
)
def test_wrong_options_are_told_before_anything_is_tried(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be|no contender"):
        mason.compare([1], **options)


def test_content_from_a_file_meets_no_reader_that_runs_code() -> None:
    options = Options(rounds=1, only=OWN, limits=Limits())
    rows = {row.name: row for row in run(Subject([1]), "x", options, from_file=True).rows}
    assert rows["pickle 5"].outcome == "left out"
    assert "--trust" in rows["pickle 5"].reason
    assert rows["json"].outcome == "exact"
    options = replace(options, trusted=["pickle"])
    rows = {row.name: row for row in run(Subject([1]), "x", options, from_file=True).rows}
    assert rows["pickle 5"].outcome == "exact"


def test_every_contender_is_described_once() -> None:
    names = [one.name for one in CONTENDERS]
    assert len(set(names)) == len(names)
    for one in CONTENDERS:
        assert one.command
        assert one.safe == "no" or not one.runs_code


def test_text_has_the_rows_the_notes_and_the_verdict() -> None:
    result = mason.compare({"a": (1, 2)}, only=OWN, rounds=1)
    said = str(result)
    lines = said.splitlines()
    assert lines[0].startswith("object: dict, 4 values")
    assert max(map(len, lines)) <= 100
    assert "json: tuple → list at $.a" in lines
    assert any(line.startswith("Use mason ") and ": mason.dump(" in line for line in lines)
    first = [line.split("  ")[0] for line in lines]
    assert first.index("mason json") < first.index("json")  # what is exact stands above


def test_markdown_is_a_table_in_which_content_is_text() -> None:
    said = mason.compare({"|`*": (1, 2)}, only=OWN, rounds=1).as_markdown()
    table = [line for line in said.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert r"tuple → list at \$\[\"\|\`\*\"\]".replace('\\"', '"') in said


def test_the_rich_form_is_made_by_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    import types

    page = types.ModuleType("mason.page")
    page.comparison_page = lambda data: f"page of {data['title']}"  # type: ignore[attr-defined]
    page.comparison_fragment = lambda data: f"part of {data['title']}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mason.page", page)
    result = mason.compare([1], only="json", rounds=1)
    assert (result.as_html(), result._repr_html_()) == ("page of object", "part of object")


def test_compare_leaves_no_trace_in_the_objects() -> None:
    obj = {"a": [Person("Ann")]}
    before = mason.dumps(obj)
    mason.compare(obj, only=OWN, rounds=1)
    assert mason.dumps(obj) == before


# ------------------------------------------------------------------------------ what a file names


def test_whether_a_class_has_to_be_named_is_asked_of_the_document() -> None:
    found = mason.compare(Counter("aab"), only=["mason json"], rounds=1)
    assert (found.rows[0].safe, found.rows[0].renamed, found.about.named) == ("yes", "", False)
    found = mason.compare(json.dumps, only=["mason json"], rounds=1)
    assert (found.rows[0].safe, found.about.named) == ("named classes only", True)


def test_text_of_plain_data_is_read_by_everybody() -> None:
    for name in ("jsonpickle", "yaml unsafe"):
        plain, typed = (mason.compare(obj, only=[name], rounds=1).rows for obj in ([1], [(1,)]))
        assert plain[0].readers == "every language"
        assert typed[0].readers == "Python"


def test_every_loss_has_its_path() -> None:
    value = {"a": (1,), "b": {"c": (2,)}, "d": [{"e": (3,)}]}
    found = mason.compare(value, only=["json"], rounds=1)
    (change,) = found.rows[0].changes
    assert (change.path, change.count, change.others) == ("$.a", 3, ("$.b.c", "$.d[0].e"))
    many = mason.compare([(n,) for n in range(300)], only=["json"], rounds=1)
    assert len(many.rows[0].changes[0].others) == 299


def test_a_class_by_value_is_another_class_where_it_is_read() -> None:
    class Local:
        pass

    (found,) = mason.compare(Local(), only=["cloudpickle"], rounds=1).rows
    assert found.outcome == "changed"
    assert found.path is None and found.changes[0].path == "$"


@pytest.mark.parametrize(
    "limit", [{"seconds": math.nan}, {"seconds": math.inf}, {"memory": 1 << 70}]
)
def test_limits_are_finite(limit: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="finite"):
        mason.compare([1], **limit)


def test_markdown_says_all_that_the_terminal_says() -> None:
    found = mason.compare([(1,)], only=["json", "mason", "parquet"], purpose="archive", rounds=1)
    said = found.as_markdown()
    assert "** for archive `" in said
    assert "- next: mason" in said
    assert "- mind: mason is young" in said
    assert "parquet: " in said
    assert "**nothing fits**" in mason.compare([(1,)], only=["json"], rounds=1).as_markdown()
