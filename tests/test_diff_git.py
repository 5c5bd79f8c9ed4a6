"""`mason diff` beside git: files of revisions, and the recipe of docs/howto.md, for real."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli import PROGRAM, environment

import mason

pytest.importorskip("click")
HOWTO = Path(__file__).parents[1] / "docs" / "howto.md"
GIT = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Work:
    """A git work tree with one committed document, and a newer one in its place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        tools = folder / "bin"
        tools.mkdir()
        command = tools / "mason"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{PROGRAM}" "$@"\n')
        command.chmod(0o755)
        self.environment = environment(
            PATH=f"{tools}{os.pathsep}{os.environ['PATH']}", HOME=str(folder), GIT_PAGER="cat",
            GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=str(folder / "gitconfig"),
        )  # fmt: skip
        self.git("init", "-q", ".")
        self.git("config", "user.name", "x")
        self.git("config", "user.email", "x@example.invalid")
        (self.folder / "sub").mkdir()
        for name in ("order.cbor", "sub/other.json.gz"):
            mason.dump({"id": 7, "tags": {"b", "a"}, "total": 12}, self.folder / name)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "one")
        for name in ("order.cbor", "sub/other.json.gz"):
            mason.dump({"id": 7, "tags": {"b", "a"}, "total": 13}, self.folder / name)

    def run(self, *command: str, within: str = ".") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder / within, env=self.environment, capture_output=True,
            text=True, timeout=60, check=False,
        )  # fmt: skip

    def git(self, *arguments: str) -> str:
        ran = self.run("git", *arguments)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


# ---------------------------------------------------------------------------------- revisions


@GIT
@pytest.mark.parametrize("old", ["HEAD:order.cbor", ":order.cbor", "HEAD:sub/other.json.gz"])
def test_a_file_of_a_revision_is_compared(work: Work, old: str) -> None:
    ran = work.run("mason", "diff", old, "order.cbor")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.splitlines()[1] == "~ $.total  12 → 13"
    assert work.run("mason", "diff", old, "HEAD:order.cbor").returncode == 0


@GIT
def test_a_relative_path_of_a_revision(work: Work) -> None:
    ran = work.run("mason", "diff", "-q", "HEAD:./other.json.gz", "other.json.gz", within="sub")
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "")


@GIT
def test_a_file_comes_before_a_revision_of_the_same_name(work: Work) -> None:
    mason.dump(1, work.folder / "HEAD:order.cbor")
    ran = work.run("mason", "diff", "HEAD:order.cbor", "order.cbor")
    assert ran.stdout.splitlines()[1].startswith("~ $  type: int 1 → dict")


@GIT
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("HEAD:nothing.cbor", "'nothing.cbor' does not exist in 'HEAD'"),
        ("nowhere:order.cbor", "invalid object name 'nowhere'"),
        ("HEAD:sub", "bad file"),
        ("--textconv:order.cbor", "No such"),
        ("-p:order.cbor", "No such"),
        ("\x1b[1m:order.cbor", "\\x1b[1m"),
    ],
)
def test_what_git_does_not_have_is_2(work: Work, name: str, said: str) -> None:
    ran = work.run("mason", "diff", "--", name, "order.cbor")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert "\x1b" not in ran.stderr
    assert ran.stderr.startswith("mason: ")
    assert "Traceback" not in ran.stderr


@GIT
def test_no_filter_and_no_program_of_the_repository_is_run(work: Work) -> None:
    trap = f"touch {work.folder / 'ran'}"
    work.git("config", "filter.trap.smudge", trap)
    work.git("config", "diff.trap.textconv", trap)
    work.git("config", "core.fsmonitor", trap)
    work.git("config", "core.pager", trap)
    work.git("config", "alias.cat-file", f"!{trap}")
    (work.folder / ".gitattributes").write_text("*.cbor filter=trap diff=trap\n")
    assert work.run("mason", "diff", ":order.cbor", "HEAD:order.cbor").returncode == 0
    assert not (work.folder / "ran").exists()


def test_without_git_it_says_so(tmp_path: Path) -> None:
    mason.dump(1, tmp_path / "a.json")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "diff", "HEAD:b.json", "a.json"],
        cwd=tmp_path, env=environment(PATH=str(tmp_path)), capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert b"HEAD:b.json: git is not installed" in ran.stderr


@GIT
def test_outside_of_a_repository_git_says_so(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, "diff", "HEAD:b.json", "HEAD:a.json"], cwd=tmp_path,
        env=environment(GIT_CEILING_DIRECTORIES=str(tmp_path.parent)), capture_output=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert b"not a git repository" in ran.stderr


# ---------------------------------------------------------------------------------- the recipes


def recipe(heading: str) -> list[str]:
    """Return the commands of the sh blocks in one section of the how-to."""
    section = HOWTO.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```", section, re.M | re.S)
    return [line for block in found for line in block.splitlines() if line]


@GIT
def test_the_recipe_makes_git_diff_show_text(work: Work) -> None:
    for command in recipe("Let git show what changed in a document"):
        if not command.startswith("git diff"):
            assert work.run("sh", "-c", command).returncode == 0
    said = work.git("diff", "order.cbor")
    assert [line for line in said.splitlines() if line[0] in "+-"][2:] == [
        '-  "total": 12',
        '+  "total": 13',
    ]
    assert said == work.git("diff", "order.cbor")  # no name of a temporary file is in it
    assert "git-blob" not in said
    assert '"total": 12' in work.git("log", "-p")
    tool = work.git("difftool", "-y", "-t", "mason", "order.cbor")
    assert "~ $.total  12 → 13" in tool

    # what is no document does not keep git from showing what is
    (work.folder / "broken.cbor").write_bytes(b"\xff")
    work.git("add", "broken.cbor")
    work.git("commit", "-qm", "broken")
    (work.folder / "broken.cbor").write_bytes(b"\xa2")
    mason.dump({"total": 1}, work.folder / "new.cbor")
    work.git("add", "-N", "new.cbor")
    said = work.git("diff")
    assert '+  "total": 1' in said
    assert "mason cannot read it" in work.git("log", "-p", "--", "broken.cbor")


@GIT
def test_the_text_of_an_unchanged_document_is_stable(work: Work) -> None:
    (work.folder / ".gitattributes").write_text("*.cbor diff=mason\n")
    work.git("config", "diff.mason.textconv", "mason convert --to json --indent 2")
    # other bytes, the same value: a tag in front says that it is CBOR
    value = {"id": 7, "tags": {"b", "a"}, "total": 12}
    mason.dump(value, work.folder / "order.cbor", typed=True)
    assert work.git("diff", "--stat", "order.cbor") != ""
    assert "@@" not in work.git("diff", "order.cbor")
