"""Where the object of `mason compare` comes from: a document, a name to import, an expression."""

from __future__ import annotations

import ast
import builtins
import os
import re
import shlex
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mason.comparison.contenders import CONTENDERS, named
from mason.errors import LoadError, MasonError, UntrustedError, shown
from mason.formats import readings, suffixes

if TYPE_CHECKING:
    from mason.document import Document

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")
_PASTE = "If you know these names: "


def is_name(text: str) -> bool:
    """Tell whether a text is of the form `module:object`."""
    return _NAME.fullmatch(text) is not None


def imported(name: str) -> Any:
    """Return what `module:object` names, importing the module.

    Raises `MasonError` where there is no such thing, or its module raises.
    """
    module, _, path = name.partition(":")
    _see_folder()
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise MasonError(f"{name}: {type(error).__name__}: {error}") from error
    return found


def evaluated(code: str) -> Any:
    """Return the value of a Python expression; modules that it names are imported.

    Raises `MasonError` where it is no expression, or raises.
    """
    _see_folder()
    try:
        tree = ast.parse(code.strip(), "<--expr>", "eval")
        space: dict[str, Any] = {}
        for name in _modules(tree):
            module = import_module(name)
            if "." not in name:
                space[name] = module
        return eval(compile(tree, "<--expr>", "eval"), space)
    except Exception as error:
        raise MasonError(f"--expr: {type(error).__name__}: {error}") from error


def built(document: Document, trust: Iterable[str]) -> Any:
    """Return the objects of a document; of `trust` what names no contender is for reading it.

    Raises `UntrustedError` and what else `mason.load` raises.
    """
    names = [name for name in trust if not any(named(one, [name]) for one in CONTENDERS)]
    if names:
        _see_folder()
    return document.build(trust=names)


def advise(error: UntrustedError, file: str) -> None:
    """Put the line to paste as the command takes it."""
    items: dict[str, None] = {}
    for need in error.needs:
        module = need.name.partition(":")[0]
        known = module.partition(".")[0] in sys.stdlib_module_names
        if is_name(need.name) and not known and need.use != "call":
            items[module if need.use == "instance" else need.name] = None
    options = " ".join(f"--trust {shlex.quote(item)}" for item in items)
    lines = []
    for line in (error.hint or "").splitlines():
        if line.startswith("Look first: "):
            line = f"Look first: mason show {shlex.quote(file)}"
        if line.startswith(_PASTE):
            line = f"{_PASTE}mason compare {shlex.quote(file)} {options}" if options else ""
        lines += [line] if line else []
    error.hint = "\n".join(lines)


def refuse_pickle(file: str) -> None:
    """Raise `LoadError` for a file that is a pickle: looking at its object means running it."""
    if suffixes(file)[0] != "pickle" and not _begins_as_pickle(file):
        return
    code = shlex.quote(f"pickle.loads(pathlib.Path({file!r}).read_bytes())")
    raise LoadError(
        f"{shown(file)}: this is a pickle, and its object cannot be had without running it",
        hint="if you trust it, load it yourself, by what wrote it, and compare what you loaded:"
        f" mason compare --expr {code}, or mason compare module:object",
    )


def _begins_as_pickle(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            head = stream.read(64)
            stream.seek(-1, os.SEEK_END)
            return readings(head + stream.read()) == ["pickle"]
    except OSError:
        return False


def _see_folder() -> None:
    """Let the working directory be seen by imports, as `python -m` does."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)


def _modules(tree: ast.AST) -> list[str]:
    """Return the modules that an expression names, parents before children."""
    found: dict[str, None] = {}
    for node in ast.walk(tree):
        name = _dotted(node)
        for count in range(1, name.count(".") + 2):
            prefix = ".".join(name.split(".")[:count])
            if not prefix or hasattr(builtins, prefix) or not _is_module(prefix):
                break
            found[prefix] = None
    return list(found)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False
