"""`mason compare`, as a person or a script meets it."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import mason

pytest.importorskip("click")
pytest.importorskip("rich")

PROGRAM = "from mason.cli import main; main()"
PLACE = str(Path(mason.__file__).parents[1])
QUICK = ("--only", "json,pickle,mason", "--rounds", "1")
STORE = """
from dataclasses import dataclass

@dataclass
class Order:
    number: int
    tags: tuple

ORDERS = [Order(1, ("a",)), Order(2, ())]
PLAIN = {"a": [1, 2.5, "x"]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "store.py").write_text(STORE)
    (tmp_path / "plain.json").write_text('{"a": [1, 2.5]}')
    order = '{"$mason":1,"$type":"store:Order","number":1,"tags":{"$tuple":["a"]}}'
    (tmp_path / "order.json").write_text(order)
    (tmp_path / "old.pkl").write_bytes(pickle.dumps([1]))
    (tmp_path / "old.bin").write_bytes(pickle.dumps([1]))
    return tmp_path


def command(
    folder: Path, *arguments: str, stdin: bytes = b"", **extra: str
) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    environment = {**known, "PYTHONPATH": PLACE, "PYTHONUTF8": "1", "COLUMNS": "100", **extra}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "compare", *arguments],
        input=stdin,
        capture_output=True,
        env=environment,
        cwd=folder,
        timeout=100,
        check=False,
    )
    return subprocess.CompletedProcess(
        ran.args, ran.returncode, ran.stdout.decode(), ran.stderr.decode()
    )


def succeed(folder: Path, *arguments: str, **options: Any) -> str:
    ran = command(folder, *arguments, **options)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def outcomes(said: str) -> dict[str, str]:
    return {row["name"]: row["outcome"] for row in json.loads(said)["rows"]}


# -------------------------------------------------------------------------- where objects come from


def test_a_file_is_read_and_compared(folder: Path) -> None:
    said = succeed(folder, "plain.json", *QUICK)
    assert said.startswith("plain.json: dict, 4 values")
    assert "Use json: json.dump(obj, file)" in said
    assert "left out: pickle 5: loading may run code" in said


def test_standard_input_is_a_file(folder: Path) -> None:
    said = succeed(folder, "-", *QUICK, "--json", stdin=b"[1, 2]")
    assert json.loads(said)["title"] == "standard input"
    assert json.loads(said)["about"]["from_file"]


def test_readers_that_run_code_are_taken_in_when_named(folder: Path) -> None:
    found = outcomes(succeed(folder, "plain.json", *QUICK, "--json", "--trust", "pickle"))
    assert found["pickle 5"] == "exact"


def test_classes_of_a_file_are_trusted_by_name_or_told(folder: Path) -> None:
    ran = command(folder, "order.json", *QUICK)
    assert ran.returncode == 1
    assert "mason: 1 name is not trusted" in ran.stderr
    assert "mason compare order.json --trust store\n" in ran.stderr
    assert "trust=[" not in ran.stderr
    found = outcomes(succeed(folder, "order.json", *QUICK, "--json", "--trust", "store"))
    assert found == {
        "json": "refused",
        "pickle 5": "left out",
        "mason json": "exact",
        "mason cbor": "exact",
    }


def test_the_line_to_paste_is_never_the_attack(folder: Path) -> None:
    hostile = '{"$mason":1,"a":{"$global":"os:system"},"b":{"$type":"x;rm -rf ~:C"}}'
    (folder / "x.json").write_text(hostile)
    ran = command(folder, "x.json")
    assert ran.returncode == 1
    assert "--trust" not in ran.stderr
    assert "Look first: mason show x.json" in ran.stderr


@pytest.mark.parametrize("name", ["old.pkl", "old.bin"])
def test_a_pickle_is_refused_with_the_way_round(folder: Path, name: str) -> None:
    ran = command(folder, name)
    assert ran.returncode == 1
    assert f"{name}: this is a pickle" in ran.stderr
    assert "pickle.loads(pathlib.Path(" in ran.stderr
    code = f"pickle.loads(pathlib.Path({name!r}).read_bytes())"
    assert outcomes(succeed(folder, "--expr", code, *QUICK, "--json"))["pickle 5"] == "exact"


def test_an_object_of_a_module_is_imported_from_here(folder: Path) -> None:
    said = succeed(folder, "store:ORDERS", *QUICK)
    assert said.startswith("store:ORDERS: list, ")
    assert "refused at $[0]: store.Order: TypeError" in said


def test_an_expression_is_evaluated_with_the_modules_it_names(folder: Path) -> None:
    said = succeed(folder, "--expr", "[len(os.path.sep) for n in store.ORDERS]", *QUICK, "--json")
    assert json.loads(said)["about"]["values"] == 3


def test_a_file_is_taken_before_a_module(folder: Path) -> None:
    (folder / "store:PLAIN").write_text("[1]")
    data = json.loads(succeed(folder, "store:PLAIN", *QUICK, "--json"))
    assert (data["about"]["from_file"], data["about"]["values"]) == (True, 2)


def test_several_at_once(folder: Path) -> None:
    said = succeed(folder, "plain.json", "store:PLAIN", *QUICK)
    assert [line for line in said.splitlines() if line.startswith(("plain.json:", "store:PLAIN:"))]
    said = succeed(folder, "plain.json", "store:PLAIN", *QUICK, "--json")
    assert [one["title"] for one in json.loads(said)] == ["plain.json", "store:PLAIN"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "say what to compare"),
        (["plain.json", "--expr", "1"], 2, "say what to compare"),
        (["plain.json", "--only", "jsno"], 2, "no contender is called 'jsno'"),
        (["plain.json", "--for", "fun"], 2, "fun"),
        (["plain.json", "--seconds", "0"], 2, "--seconds"),
        (["a.json", "b.json", "--html", "x.html"], 2, "--html is for one"),
        (["nowhere.json"], 3, "nowhere.json"),
        (["nowhere:OBJ"], 1, "nowhere:OBJ: ModuleNotFoundError"),
        (["store:NOTHING"], 1, "store:NOTHING: AttributeError"),
        (["--expr", "1 +"], 1, "--expr: SyntaxError"),
        (["--expr", "1 / 0"], 1, "--expr: ZeroDivisionError"),
    ],
)
def test_mistakes_are_told(folder: Path, arguments: list[str], code: int, words: str) -> None:
    ran = command(folder, *arguments)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr


# --------------------------------------------------------------------------------------- output


@pytest.mark.parametrize("width", [100, 80, 60])
def test_nothing_is_wider_than_the_terminal(folder: Path, width: int) -> None:
    said = succeed(folder, "store:ORDERS", *QUICK, COLUMNS=str(width))
    assert max(map(len, said.splitlines())) <= width
    assert "comes back" in said
    assert ("read by" in said.partition("dump, load:")[0]) == (width >= 80)
    assert "no room for zipped" in " ".join(said.split()) or width == 100


def test_markdown(folder: Path) -> None:
    said = succeed(folder, "plain.json", *QUICK, "--markdown")
    assert "| json | exact |" in said
    assert "**json** `json.dump(obj, file)`" in said


def test_a_terminal_that_knows_ascii_only(folder: Path) -> None:
    said = succeed(folder, "--expr", "(1, 2)", *QUICK, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert "json: tuple -> list at $" in said
    assert said.isascii()


def test_protocols(folder: Path) -> None:
    said = succeed(
        folder, "store:PLAIN", "--only", "pickle", "--protocols", "--rounds", "1", "--json"
    )
    assert list(outcomes(said)) == [f"pickle {number}" for number in range(6)]


def test_an_interrupt_ends_it_all(folder: Path) -> None:
    (folder / "slow.py").write_text(
        "import os, time\nclass Slow:\n    def __reduce__(self):\n"
        "        open('began', 'w').write(str(os.getpid())); time.sleep(100)\nSLOW = Slow()\n"
    )
    arguments = [sys.executable, "-c", PROGRAM, "compare", "slow:SLOW", "--only", "pickle"]
    environment = {**os.environ, "PYTHONPATH": PLACE}
    with subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ran:
        began = folder / "began"
        until = time.monotonic() + 60
        while not (began.exists() and began.read_text()) and time.monotonic() < until:
            time.sleep(0.05)
        ran.send_signal(signal.SIGINT)
        said, complaint = ran.communicate(timeout=60)
    assert (ran.returncode, said, complaint) == (130, b"", b"")
    assert not Path("/proc", began.read_text()).exists()


def test_what_a_contender_does_in_its_child_is_not_seen(folder: Path) -> None:
    (folder / "loud.py").write_text(
        "import os\nclass Loud:\n    def __reduce__(self):\n"
        "        print('noise'); os.write(2, b'noise'); return (Loud, ())\nLOUD = Loud()\n"
    )
    said = succeed(folder, "loud:LOUD", "--only", "pickle,mason", "--rounds", "1")
    assert "noise" not in said


@pytest.mark.parametrize("value", ["nan", "inf", "0", "1e9"])
def test_seconds_are_a_finite_number(folder: Path, value: str) -> None:
    ran = command(folder, "--expr", "1", "--seconds", value)
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
