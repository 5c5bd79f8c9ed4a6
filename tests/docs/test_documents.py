"""Run what the documents show: a block that lies fails here.

Strategy: a document is one program, read from top to bottom. Its blocks run in one namespace that
stands in for `__main__`, in an empty directory of its own that is also importable.

- `python` blocks are executed. When the first line is a comment that is a file name, such as
  `# shop/models.py`, the block is written to that file instead, for a later block to import.
- `pycon` blocks are doctests, with `...` for what differs from run to run.
- `console` blocks: `$ mason ...` lines are run and must print what follows them, `...` as above;
  other commands (pip, make) are not run.
- A block after the line `<!-- not run: why -->` is skipped.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import mason

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>```+)(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *(?P=fence)",
    re.M | re.S,
)
NOT_RUN = re.compile(r"<!-- not run: .+ -->\s*\Z")
COMMAND = re.compile(r"^\$ (?=(?:mason|pip|make|git|python)\b)", re.M)  # `$` is also a path's root
FILE_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int  # of its first line of code, counted from 1


def blocks(document: str) -> Iterator[Block]:
    for found in BLOCK.finditer(document):
        if NOT_RUN.search(document, 0, found.start()) is None:
            text = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.M)
            line = document.count("\n", 0, found.start("text")) + 1
            yield Block(found["language"], text, line)


def run_python(block: Block, name: str, namespace: dict[str, object]) -> None:
    file = FILE_NAME.match(block.text)
    if file is not None:
        Path(file[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(file[1]).write_text(block.text, encoding="utf-8")
        for folder in Path(file[1]).parents[:-1]:
            (folder / "__init__.py").touch()  # else a module of that name elsewhere comes first
        return
    # Empty lines in front, so that a traceback names the line of the document.
    code = compile("\n" * (block.line - 1) + block.text, name, "exec")
    exec(code, namespace)


def run_pycon(block: Block, name: str, namespace: dict[str, object]) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, {}, name, name, block.line - 1)
    test.globs = namespace
    runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    report: list[str] = []
    runner.run(test, out=report.append, clear_globs=False)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)


def run_console(block: Block, name: str, namespace: dict[str, object]) -> None:
    for step in COMMAND.split(block.text)[1:]:
        command, _, expected = step.partition("\n")
        words = shlex.split(command, comments=True)
        if words[:1] == ["mason"]:
            shown = run_command(words)
            alike = doctest.OutputChecker().check_output(expected, shown, OPTIONS)
            assert alike, f"{name}:{block.line}: $ {command}\nexpected:\n{expected}\ngot:\n{shown}"


def run_command(words: list[str]) -> str:
    script = Path(sys.executable).with_name("mason")
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "80"}
    done = subprocess.run(
        [script, *words[1:]],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout


RUN: dict[str, Callable[[Block, str, dict[str, object]], None]] = {
    "python": run_python,
    "pycon": run_pycon,
    "console": run_console,
}


def run_document(text: str, name: str) -> None:
    """Run all blocks of one document in the current directory."""
    namespace = vars(sys.modules["__main__"])
    for block in blocks(text):
        if block.language in RUN:
            RUN[block.language](block, name, namespace)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory to work in, and a `__main__` of its own."""
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, name)  # the documents write modules of that name
    before = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    yield tmp_path
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_document_tells_the_truth(path: Path, desk: Path) -> None:
    run_document(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    names = {*mason.__all__, *mason.trust.__all__}
    for cls in (mason.Document, mason.Registry):
        names |= {f".{name}" for name in vars(cls) if not name.startswith("_")}
    internal = {".plans", ".policy", ".resolver"}  # of a Registry: for the line itself
    assert not {name for name in names - internal if not re.search(rf"{re.escape(name)}\b", text)}


def test_every_source_file_is_on_the_map() -> None:
    map = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("```text")[2].split("```")[0]
    package = ROOT / "src" / "mason"
    files = {
        path.name for kind in ("py", "pyi", "hpp", "cpp") for path in package.rglob(f"*.{kind}")
    }
    assert not {name for name in files if not re.search(rf"(?m)^ +(\S+ )?{re.escape(name)} ", map)}


def test_blocks_share_names_and_files(desk: Path) -> None:
    run_document(
        "```python\n# shop/models.py\nprice = 3\n```\n"
        "```python\nfrom shop.models import price\nclass Order: ...\n```\n"
        "- in a list\n\n  ```pycon\n  >>> price, Order\n  (3, <class '__main__.Order'>)\n  ```\n",
        "good.md",
    )


def test_block_can_be_left_out(desk: Path) -> None:
    run_document("<!-- not run: it takes a year -->\n```python\nraise OSError\n```\n", "good.md")


def test_failing_block_names_its_line(desk: Path) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        run_document("# Title\n\n```python\nx = 1\nx / 0\n```\n", "bad.md")
    assert (caught.traceback[-1].path, caught.traceback[-1].lineno) == ("bad.md", 4)


def test_wrong_output_is_seen(desk: Path) -> None:
    with pytest.raises(AssertionError, match=r"(?s)bad\.md.*line 2.*Expected.*3.*Got.*2"):
        run_document("```pycon\n>>> 1 + 1\n3\n```\n", "bad.md")


def test_text_that_only_looks_like_output_is_seen(desk: Path) -> None:
    with pytest.raises(AssertionError, match=r"expected:\n\s*nonsense"):
        run_document("```console\n$ make tea\ntea\n$ mason --version\nnonsense\n```\n", "bad.md")
