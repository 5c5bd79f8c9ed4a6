"""The laws of ARCHITECTURE.md that can be read off the source or off a fresh interpreter.

That imports go one way is a law too; import-linter holds it, in test_lint.py.
"""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mason

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "mason"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Words that say nothing about what a thing is for.
FORBIDDEN_WORDS = {
    *("serializer", "serializers", "codec", "codecs", "schema", "schemas", "manager", "managers"),
    *("handler", "handlers", "helper", "helpers", "util", "utils", "common", "misc", "base"),
}
MODULE_LINES = 500
FUNCTION_LINES = 40

# Standard library that costs start-up time and is needed only when its values are met.
LAZY = {
    *("argparse", "ast", "asyncio", "bz2", "copy", "dataclasses", "datetime", "decimal", "dis"),
    *("email", "fractions", "gzip", "http", "inspect", "ipaddress", "linecache", "logging"),
    *("lzma", "math", "multiprocessing", "pathlib", "pickle", "random", "shutil", "socket"),
    *("string", "struct", "subprocess", "tempfile", "textwrap", "threading", "tokenize"),
    *("traceback", "typing_extensions", "urllib", "uuid", "weakref", "xml", "zipfile", "zlib"),
    "zoneinfo",
}
# What of mason plain data does not need: its own modules are most of the rest of the time.
LATER = {
    "adapters",
    "cli",
    "comparison",
    "document",
    "inspection",
    "limits",
    "page",
    "paths",
    "plans",
}
PLAIN_USE = (
    "import mason, io; file = io.StringIO(); mason.dump({'a': [1]}, file); file.seek(0); "
    "mason.load(file); mason.loads(mason.dumpb([1], format='cbor')); mason.loads(mason.dumps([1]))"
)

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def definitions(path: Path) -> list[Definition]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, Definition)]


def words(name: str) -> set[str]:
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3 \2", name)
    return set(re.split(r"[^a-z0-9]+", spaced.lower()))


def code_lines(function: Definition) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("read_file", {"read", "file"}),
        ("JSONCodec", {"json", "codec"}),
        ("DataHandler2", {"data", "handler2"}),
        ("database", {"database"}),
    ],
)
def test_names_are_split_into_words(name: str, expected: set[str]) -> None:
    assert words(name) - {""} == expected


@pytest.mark.lint
@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES
    long = {
        f"{node.name} (line {node.lineno})": code_lines(node)
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef) and code_lines(node) > FUNCTION_LINES
    }
    assert not long


@pytest.mark.lint
def test_names_say_what_things_are_for() -> None:
    files = [path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".cpp", ".hpp"}]
    named = {str(path.relative_to(ROOT)): path.stem for path in files}
    for path in MODULES:
        named |= {
            f"{path.relative_to(ROOT)}:{node.lineno}": node.name for node in definitions(path)
        }
    assert not {place: name for place, name in named.items() if words(name) & FORBIDDEN_WORDS}


def last_line(code: str) -> set[str]:
    """Return the words of the last line that a new interpreter prints."""
    run = [sys.executable, "-c", code]
    said = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    return set(said.splitlines()[-1].split())


def modules_after(statement: str) -> set[str]:
    return last_line(
        f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    )


def test_import_brings_in_no_third_party_library() -> None:
    top = {name.partition(".")[0] for name in modules_after("import mason")}
    assert top - set(sys.stdlib_module_names) == {"mason"}


@pytest.mark.parametrize("statement", ["import mason", PLAIN_USE], ids=["import", "plain data"])
def test_import_brings_in_little_of_the_standard_library_and_of_mason(statement: str) -> None:
    brought = modules_after(statement)
    assert not {name.partition(".")[0] for name in brought} & LAZY
    assert not {name for name in brought if name.removeprefix("mason.").split(".")[0] in LATER}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["show", "--help"], ["compare", "--help"]]
)
def test_help_brings_in_nothing_to_walk_or_colour_documents(arguments: list[str]) -> None:
    ran = modules_after(f"from mason.cli.program import run; run({arguments!r})")
    assert "mason.cli.program" in ran
    assert not {name.partition(".")[0] for name in ran} & {"dataclasses", "rich"}
    later = LATER - {"cli"}
    assert not {name for name in ran if name.removeprefix("mason.").split(".")[0] in later}


@pytest.mark.parametrize("statement", ["from mason import {}", "import mason; mason.{}"])
@pytest.mark.parametrize("name", sorted({*mason.__all__, "json", "pickle"}))
def test_every_public_name_is_there_when_it_is_asked_for(name: str, statement: str) -> None:
    assert "mason" in modules_after(statement.format(name))
    assert getattr(mason, name) is getattr(mason, name)


def test_editors_and_shells_see_every_name_before_it_is_asked_for() -> None:
    listed = last_line("import mason; print(*dir(mason))")
    assert listed >= {*mason.__all__, "json", "pickle", "__version__"}
    assert last_line("from mason import *; print(*dir())") >= {*mason.__all__}
    with pytest.raises(AttributeError, match="module 'mason' has no attribute 'dumpz'"):
        mason.dumpz  # type: ignore[attr-defined] # noqa: B018


def test_installed_version_is_the_one_in_the_source() -> None:
    try:
        installed = importlib.metadata.version("mason")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("mason runs from its source tree here, nothing is installed")
    assert mason.__version__ == installed
