"""FILE arguments of the form REV:PATH: a file as git keeps it in a revision.

Strategy: git is asked by `cat-file blob`, which gives the content as it was committed, through no
filter and no textconv. It is called without a shell, with the name behind `--end-of-options`, and
may neither fetch what a partial clone lacks nor start a file system monitor, since those are
programs that the repository's own configuration names. How much it may give is bounded.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from mason.cli.program import read_document, spelled
from mason.errors import LoadError, shown

if TYPE_CHECKING:
    from mason.document import Document
    from mason.formats import Format

_MOST = 1 << 28  # bytes of one file; git inflates what it keeps
_COMPLAINT = 400  # characters of what git says
_GIT = ("git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def read_file_or_revision(name: str, format: Format | None) -> Document:
    """Read a FILE argument: a file, `-`, or REV:PATH where there is no file of that name."""
    path = name.partition(":")[2]
    if not path or name.startswith("-") or os.path.lexists(name) or "://" in name:
        return read_document(name, format)
    content = io.BytesIO(_blob(name))
    content.name = os.path.basename(path)  # the suffix of the file tells its format
    return read_document(name, format, content)


def _blob(name: str) -> bytes:
    """Return a file as git keeps it.

    Raises `LoadError` where there is no git, no such file in it, or too much.
    """
    import subprocess

    command = [*_GIT, "cat-file", "blob", "--end-of-options", name]
    try:
        git = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
        )
    except FileNotFoundError as error:
        raise _trouble(name, "git is not installed", _HINT) from error
    with git:
        assert git.stdout is not None and git.stderr is not None
        content = git.stdout.read(_MOST + 1)
        if len(content) > _MOST:
            git.kill()
            raise _trouble(
                name, f"it is larger than {_MOST >> 20} MiB", "write it to a file: git show"
            )
        said = git.stderr.read(_COMPLAINT * 4).decode(errors="replace").strip()
    if git.returncode:
        raise _trouble(name, shown(said.removeprefix("fatal: "), _COMPLAINT), _HINT)
    return content


_HINT = "there is no file of that name, so it is REV:PATH, PATH from the top of the git work tree"


def _trouble(name: str, reason: str, hint: str) -> LoadError:
    return LoadError(f"{spelled(name)}: {reason}", hint=hint)
