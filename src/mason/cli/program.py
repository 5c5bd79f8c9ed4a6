"""The group of all subcommands: options of `mason` itself, exit codes, and where output goes.

Strategy: a subcommand's module is imported when it is called or listed, mason's core and rich only
by the call that needs them, so that help and completion start fast. Exceptions become exit codes
here and nowhere else.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from math import isfinite
from typing import TYPE_CHECKING, Any, BinaryIO

import click

if TYPE_CHECKING:
    from click.decorators import FC

    from mason.document import Document
    from mason.errors import MasonError
    from mason.formats import Format

REFUSED, USAGE, IO = 1, 2, 3
INTERRUPTED, BROKEN_PIPE = 130, 141  # as a shell reports a program that SIGINT or SIGPIPE ended

_COMMANDS = ("compare", "convert", "diff", "show", "view")
_AS_DIFF = ("diff",)  # their exit codes are those of diff: 0 the same, 1 different, 2 trouble
_COLOURS = {"type": "cyan", "text": "green", "shared": "magenta", "note": "dim", "needs": "yellow"}
_COLOURS |= {"added": "green", "removed": "red", "changed": "yellow", "moved": "blue"}
_EXIT_CODES = """
\b
Exit codes:
  0    done
  1    the document was refused or invalid, or has nothing at that path
  2    wrong usage, or click or rich is missing
  3    a file could not be read or written
  130  interrupted (Ctrl-C)
  141  the reader of the output went away
diff has those of diff(1): 0 the same, 1 different, 2 any trouble.
"""

FORMATS = click.Choice(["json", "cbor"])

Piece = tuple[str, str]  # a text and what it is: a key of _COLOURS, or anything else


class _Commands(click.Group):
    """Find a subcommand in the module of the same name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, None when there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(f"mason.cli.{cmd_name}").command
        return command


def _print_version(ctx: click.Context, option: click.Parameter, asked: bool) -> None:
    if not asked:
        return
    import mason
    from mason import _core

    layout = "in use" if _core.fast_layout else "not in use (objects are read by the public API)"
    python = sys.version.split()[0]
    click.echo(f"mason {mason.__version__}, Python {python}, fast layout {layout}")
    ctx.exit()


@click.group(
    cls=_Commands, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show mason's version, Python's, and whether the fast layout is in use.",
)
def program() -> None:
    """Look at documents and convert them: no class is imported, nothing runs. Compare formats."""


def run(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started the program: nobody wants to read
            nowhere = os.open(os.devnull, os.O_WRONLY)
            setattr(sys, name, os.fdopen(nowhere, "w", closefd=False))
        # what a terminal cannot spell is shown escaped instead of ending the program
        getattr(sys, name).reconfigure(errors="backslashreplace")
    try:
        code = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # nobody reads any more: the interpreter must not try to flush once again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _run(arguments: Sequence[str]) -> int:
    from mason.errors import MasonError, shown

    context: click.Context | None = None
    try:
        with program.make_context("mason", list(arguments)) as context:
            program.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return USAGE
    except MasonError as error:
        message = "\n".join(shown(line, 2_000) for line in str(error).split("\n"))
        return _complain(message, _code(context, REFUSED))
    except BrokenPipeError:
        raise
    except OSError as error:
        about = f"{shown(os.fsdecode(error.filename))}: " if error.filename else ""
        return _complain(f"{about}{error.strerror or error}", _code(context, IO))
    return 0


def _code(context: click.Context | None, code: int) -> int:
    """Return the exit code of a failure, as the command that failed counts them."""
    return USAGE if context and context.invoked_subcommand in _AS_DIFF else code


def _complain(message: str, code: int) -> int:
    print(f"mason: {message}", file=sys.stderr)
    return code


class Finite(click.FloatRange):
    """Take a float of a range, and neither NaN nor an infinity."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; what is none is a usage error."""
        number: float = super().convert(value, param, ctx)
        if not isfinite(number):
            self.fail(f"{value} is not a finite number", param, ctx)
        return number


def from_option(files: str) -> Callable[[FC], FC]:
    """Return the option that says which format the FILE arguments are in."""
    return click.option("--from", "format", type=FORMATS, help=f"The format of {files}.")


def html_option(command: FC) -> FC:
    """Give a command the option to write a page."""
    option = click.option("--html", type=click.Path(), metavar="PATH", help="Write a page to PATH.")
    return option(command)


def read_document(name: str, format: Format | None, content: BinaryIO | None = None) -> Document:
    """Read a FILE argument, `-` being the standard input; what goes wrong is told with its name.

    `content` is what the name stands for, where that is no file.
    """
    from mason._api import read
    from mason.errors import MasonError

    if name == "-" and sys.stdin is None:  # closed by who started the program
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), spelled(name))
    try:
        source = sys.stdin.buffer if name == "-" else name
        return read(source if content is None else content, format=format)
    except MasonError as error:
        guess = "" if format else _guess(name, error)
        error.message = f"{spelled(name)}: {guess}{error.message}"
        if error.hint:  # here the argument of the function is an option
            error.hint = re.sub(r'format=(?:"(\w+)")?', _option, error.hint)
        raise


def _option(argument: re.Match[str]) -> str:
    return f"--from {argument[1]}" if argument[1] else "--from"


def _guess(name: str, error: MasonError) -> str:
    """Say for what the content was taken where only the content told it: any bytes may be CBOR."""
    from mason.errors import JSONError, LimitError, LoadError
    from mason.formats import suffixes

    if suffixes(name)[0] or not isinstance(error, LoadError) or isinstance(error, LimitError):
        return ""
    if isinstance(error, JSONError):
        return "no document that mason knows; read as JSON: "
    binary = error.offset is not None and error.line is None and error.path is not None
    return "no document that mason knows; read as CBOR: " if binary else ""


def write_page(path: str, page: str) -> None:
    """Write a page to a file, which is replaced only when the page is whole."""
    from mason.files import replace_file

    replace_file(path, page.encode())


def spelled(name: str) -> str:
    """Return the name of a FILE as it may be shown."""
    from mason.errors import shown

    return "standard input" if name == "-" else shown(name)


def in_colour() -> bool:
    """Tell whether output is coloured: on a terminal, unless NO_COLOR (no-color.org) is set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def speaks_ascii_only() -> bool:
    """Tell whether the output cannot spell the lines of a tree."""
    try:
        "├─│└".encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return True
    return False


def print_lines(lines: Iterable[Sequence[Piece]]) -> None:
    """Print lines made of pieces, coloured where that is wanted."""
    if not in_colour():
        for line in lines:
            sys.stdout.write("".join(text for text, _ in line) + "\n")
        return
    for text in _coloured(lines):
        sys.stdout.write(text)


def _coloured(lines: Iterable[Sequence[Piece]]) -> Iterator[str]:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    for line in lines:
        with console.capture() as captured:
            console.print(Text.assemble(*((text, _COLOURS.get(kind, "")) for text, kind in line)))
        yield captured.get()
