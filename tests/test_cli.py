"""The `mason` command, as a person or a script meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import mason

pytest.importorskip("click")
pytest.importorskip("rich")

PROGRAM = "from mason.cli import main; main()"
PLACE = str(Path(mason.__file__).parents[1])
ORDER = '{"$mason":1,"$type":"shop:Order","id":7,"tags":{"$set":["a"]}}'


def environment(**extra: str) -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    return {**known, "PYTHONPATH": PLACE, "PYTHONUTF8": "1", **extra}


def mason_command(
    *arguments: str, stdin: bytes = b"", before: str = "", **extra: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", before + PROGRAM, *arguments],
        input=stdin,
        capture_output=True,
        env=environment(**extra),
        timeout=60,
        check=False,
    )


def succeed(*arguments: str, **options: Any) -> str:
    ran = mason_command(*arguments, **options)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout.decode()


@pytest.fixture
def order(tmp_path: Path) -> Path:
    file = tmp_path / "order.json"
    file.write_text(ORDER)
    return file


# ---------------------------------------------------------------------------------- the program


def test_version_tells_the_layout() -> None:
    python = sys.version.split()[0]
    said = succeed("--version")
    assert said.startswith(f"mason {mason.__version__}, Python {python}, fast layout ")
    assert "fast layout not in use" in succeed("--version", MASON_PUBLIC_API="1")


def test_the_package_can_be_run() -> None:
    command = [sys.executable, "-W", "error", "-m", "mason", "--version"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment())
    assert said.stdout == succeed("--version")


def test_help_lists_commands_and_exit_codes() -> None:
    said = succeed("--help")
    for word in ("convert", "show", "--version", "Exit codes:", "130", "141"):
        assert word in said
    assert "--depth" in succeed("show", "-h")
    assert "--indent" in succeed("convert", "--help")


@pytest.mark.parametrize("arguments", [[], ["--help"], ["show", "--help"], ["show", "-"]])
def test_rich_is_imported_by_colour_only(arguments: list[str]) -> None:
    code = "import sys; from mason.cli.program import run; run(sys.argv[1:]); "
    code += "print('rich' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=b"[1]",
        capture_output=True,
        env=environment(),
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == b"False"


@pytest.mark.parametrize("name", ["click", "rich"])
def test_a_missing_library_is_one_line_and_the_way_to_get_it(name: str) -> None:
    ran = mason_command("--help", before=f"import sys; sys.modules['{name}'] = None; ")
    assert ran.returncode == 2
    assert ran.stdout == b""
    assert ran.stderr.decode() == f"mason: its commands need {name}: pip install 'mason[cli]'\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["--nothing"],
        ["show"],
        ["show", "a", "b"],
        ["show", "a", "--depth", "-1"],
        ["show", "a", "--from", "xml"],
        ["convert", "a"],
        ["convert", "a", "-"],
        ["convert", "a", "b.txt"],
        ["convert", "a", "b.cbor", "--indent", "2"],
        ["convert", "a", "b.json", "--indent", "65"],  # more than mason.dump takes
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    ran = mason_command(*arguments)
    assert ran.returncode == 2
    assert b"Usage: mason" in ran.stderr
    assert b"Traceback" not in ran.stderr


def test_a_refused_document_is_1(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"a": \n tru}')
    ran = mason_command("show", str(bad))
    assert ran.returncode == 1
    assert ran.stdout == b""
    said = ran.stderr.decode()
    assert said.startswith("mason: ")
    assert "line 2" in said
    assert "Traceback" not in said
    out = tmp_path / "out.cbor"
    out.write_bytes(b"as it was")
    assert mason_command("convert", str(bad), str(out)).returncode == 1
    assert out.read_bytes() == b"as it was"


def test_nothing_at_a_path_is_1(order: Path) -> None:
    ran = mason_command("show", str(order), "--path", "$.nothing")
    assert ran.returncode == 1
    assert b"$.nothing" in ran.stderr or b".nothing" in ran.stderr


def test_files_that_cannot_be_used_are_3(order: Path, tmp_path: Path) -> None:
    ran = mason_command("show", str(tmp_path / "no\x1b[1mthing.json"))
    assert ran.returncode == 3
    assert ran.stderr.endswith(b"no\\x1b[1mthing.json: No such file or directory\n")
    assert mason_command("show", str(tmp_path)).returncode == 3
    assert mason_command("convert", str(order), str(tmp_path / "no" / "o.cbor")).returncode == 3


# ---------------------------------------------------------------------------------- show


def test_show(order: Path) -> None:
    lines = succeed("show", str(order)).splitlines()
    assert lines[0] == f"{order}: json, typed, {len(ORDER)} bytes, 4 values"
    assert lines[1:5] == [
        "$ shop:Order of 2",
        "├─ .id = 7",
        "└─ .tags set of 1 str",
        "   └─ {0} = 'a'",
    ]
    assert lines[5] == "needs 1 name"
    assert "shop:Order" in lines[6]


def test_show_reads_the_standard_input(order: Path) -> None:
    data = mason.read(order).dumps(format="cbor")
    assert isinstance(data, bytes)
    said = succeed("show", "-", stdin=data)
    assert said.startswith("standard input: cbor, ")
    assert "$ shop:Order of 2" in said


def test_from_says_the_format() -> None:
    assert "$ = 5" in succeed("show", "-", "--from", "json", stdin=b"5")
    assert "$ = -22" in succeed("show", "-", "--from", "cbor", stdin=b"5")
    assert mason_command("show", "-", stdin=b"5").returncode == 1


def test_the_bounds_of_show() -> None:
    data = json.dumps([[[1]], list(range(50))]).encode()
    assert "[0] = 1" not in succeed("show", "-", "--depth", "2", stdin=data).split("[1]")[0]
    assert "... 47 more" in succeed("show", "-", "--items", "3", stdin=data)
    cut = succeed("show", "-", "--lines", "2", stdin=data).splitlines()
    assert len(cut) == 4
    assert cut[-1] == "... more lines: see --lines, --all"
    assert len(succeed("show", "-", "--all", stdin=data).splitlines()) == 1 + 1 + 3 + 1 + 50
    assert "$[1][3] = 3" in succeed("show", "-", "--path", "$[1][3]", stdin=data)


def test_show_as_json(order: Path) -> None:
    found = json.loads(succeed("show", str(order), "--json"))
    assert found["lines"][0]["type"] == "shop:Order"
    assert found["needs"][0]["name"] == "shop:Order"


def test_output_that_cannot_spell_rails_gets_plain_ones() -> None:
    data = '{"é": ["\\ud800", "ü"]}'.encode()
    said = succeed("show", "-", stdin=data, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert "`- .\\xe9 list of 2 str" in said
    assert "   |- [0] = '\\ud800'" in said


def test_colour_is_for_terminals() -> None:
    evil = json.dumps({"\x1b[31m[red]": "\x1b]0;title\x07 [bold]x[/bold]"}).encode()
    assert "\x1b" not in succeed("show", "-", stdin=evil)
    coloured = on_terminal("show", "-", stdin=evil)
    assert b"\x1b[" in coloured
    assert b"\x1b[31m[red]" not in coloured
    assert b"\x1b]0" not in coloured
    assert b"[bold]x[/bold]" in coloured
    assert b"\x1b[" not in on_terminal("show", "-", stdin=evil, NO_COLOR="1")
    assert b"\x1b[" not in on_terminal("show", "-", stdin=evil, TERM="dumb")


def on_terminal(*arguments: str, stdin: bytes, **extra: str) -> bytes:
    import pty

    ours, theirs = pty.openpty()
    ran = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=theirs,
        env=environment(**{"TERM": "xterm", **extra}),
    )
    os.close(theirs)
    ran.communicate(stdin, timeout=60)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # Linux reports the end of a terminal so
        pass
    os.close(ours)
    assert ran.returncode == 0
    return said


UNREADABLE: dict[str, tuple[str, bytes, str]] = {
    "cut": ("cut.json", b'{"a":', "{name}: the text ends where a value was expected at $.a"),
    "cut cbor": ("cut.cbor", b"\x82\x01", "{name}: "),
    "program": ("ls", b"\x7fELF\x02\x01", "{name}: no document that mason knows; read as CBOR: "),
    "script": ("x.py", b'"""Say.""" + 1', "{name}: no document that mason knows; read as JSON: "),
    "text": ("notes", b"hello world", "--from json tells where it stops being JSON"),
    "number": ("five", b"5", "can be json or cbor\n  say it: --from json\n"),
    "empty": ("empty", b"", "{name}: the source is empty\n"),
    "pickle": ("old.pkl", b"\x80\x04N.", "{name}: this is a pickle"),
    "gzip": ("x.gz", b"\x1f\x8b\x08\0", "{name}: the gzip data is cut short"),
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("command", ["show", "convert"])
def test_what_is_wrong_with_a_file_is_told_with_its_name(
    case: str, command: str, tmp_path: Path
) -> None:
    name, content, expected = UNREADABLE[case]
    path = tmp_path / name
    path.write_bytes(content)
    arguments = [str(path)] if command == "show" else [str(path), str(tmp_path / "out.json")]
    ran = mason_command(command, *arguments)
    said = ran.stderr.decode()
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert said.startswith(f"mason: {path}: ")
    assert expected.format(name=path) in said
    assert "format=" not in said
    assert ("no document" in said) == ("no document" in expected)


def test_the_standard_input_has_a_name_and_a_file_name_is_shown_safely(tmp_path: Path) -> None:
    assert mason_command("show", "-", stdin=b"{").stderr.startswith(b"mason: standard input: ")
    path = tmp_path / "a\x1b[31m.json"
    path.write_bytes(b"{")
    assert b"\x1b" not in mason_command("show", str(path)).stderr


def test_a_format_that_was_said_is_not_called_a_guess(tmp_path: Path) -> None:
    ran = mason_command("show", "-", "--from", "cbor", stdin=b"\x82\x01")
    assert ran.stderr.startswith(b"mason: standard input: ")
    assert b"no document" not in ran.stderr


# ---------------------------------------------------------------------------------- convert


def test_convert_there_and_back(order: Path, tmp_path: Path) -> None:
    binary, text = tmp_path / "o.cbor", tmp_path / "again.json"
    assert succeed("convert", str(order), str(binary)) == ""
    assert mason.read(binary).format == "cbor"
    assert succeed("convert", str(binary), str(text)) == ""
    assert text.read_text() == ORDER


def test_convert_through_pipes() -> None:
    ran = mason_command("convert", "-", "-", "--to", "cbor", stdin=b'{"a":[1,2]}')
    assert (ran.returncode, ran.stdout) == (0, b"\xa1\x61a\x82\x01\x02")
    back = succeed("convert", "-", "-", "--from", "cbor", "--to", "json", stdin=ran.stdout)
    assert json.loads(back) == {"a": [1, 2]}


def test_convert_says_formats_where_names_do_not(order: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    succeed("convert", str(order), str(out), "--to", "cbor")
    assert mason.read(out, format="cbor").root.name == "shop:Order"
    succeed("convert", "-", str(out), "--from", "cbor", "--to", "json", stdin=b"5")
    assert out.read_text() == "-22"


def test_convert_indents(order: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    succeed("convert", str(order), str(out), "--indent", "3")
    assert '\n   "id": 7' in out.read_text()
    assert mason.read(out).dumps() == ORDER


def test_convert_ends_a_text_on_the_standard_output_with_a_line() -> None:
    assert succeed("convert", "-", "-", "--to", "json", stdin=b"[1]") == "[1]\n"
    indented = succeed("convert", "-", "-", "--to", "json", "--indent", "1", stdin=b"[1]")
    assert indented == "[\n 1\n]\n"


def test_convert_onto_itself(order: Path) -> None:
    succeed("convert", str(order), str(order), "--indent", "2")
    assert mason.read(order).dumps() == ORDER


# ---------------------------------------------------------------------------------- endings


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    data = json.dumps(list(range(200_000))).encode()
    ran = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "show", "-", "--all"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert ran.stdin and ran.stdout and ran.stderr
    ran.stdin.write(data)
    ran.stdin.close()
    ran.stdout.readline()
    ran.stdout.close()
    assert ran.wait(60) == 141
    assert ran.stderr.read() == b""
    ran.stderr.close()


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN])
def test_an_interrupt_ends_it_quietly(inherited: Any) -> None:
    # what runs in the background of a shell inherits that interrupts are ignored, and Python
    # then keeps to it: the program under test begins as one in the foreground does
    awake = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    before = signal.signal(signal.SIGINT, inherited)
    try:
        ran = interruptible(awake + PROGRAM)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.stdin
    ran.stdin.write(b" " * 1_000_000)  # more than a pipe holds: once written, it is being read
    ran.stdin.flush()
    ran.send_signal(signal.SIGINT)
    out, err = ran.communicate(timeout=60)
    assert (ran.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        ([1], ["show", "{order}"], 0),
        ([1], ["convert", "{order}", "-", "--to", "json"], 0),
        ([1], ["convert", "{order}", "{out}"], 0),
        ([2], ["show", "{order}.gone"], 3),
        ([0, 1, 2], ["convert", "{order}", "{out}"], 0),
        ([0], ["show", "-"], 3),
        ([0], ["convert", "-", "{out}", "--from", "json"], 3),
    ],
    ids=str,
)
def test_standard_files_may_be_closed(
    order: Path, tmp_path: Path, closed: list[int], arguments: list[str], code: int
) -> None:
    out = tmp_path / "out.cbor"
    ran = subprocess.run(
        ["sh", "-c", f'"$@" {" ".join(f"{one}>&-" for one in closed)}', "sh"]
        + [sys.executable, "-c", PROGRAM]
        + [argument.format(order=order, out=out) for argument in arguments],
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    said = b"mason: standard input: Bad file descriptor\n" if closed == [0] else b""
    assert (ran.returncode, ran.stderr) == (code, said)
    assert out.exists() is (code == 0 and arguments[-1] == "{out}")


def interruptible(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", code, "show", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
