"""`mason compare`: an object through every format there is, and which to use."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from mason.cli.program import (
    Finite,
    Piece,
    from_option,
    html_option,
    print_lines,
    read_document,
    speaks_ascii_only,
    spelled,
    write_page,
)

if TYPE_CHECKING:
    from mason.comparison.comparing import Comparison, Options

_PURPOSES = click.Choice(["exchange", "cache", "archive", "config", "model", "queue"])
_WIDEST, _NARROWEST = 100, 60


@click.command("compare")
@click.argument("what", nargs=-1, metavar="[FILE|MODULE:OBJECT]...")
@click.option("--expr", metavar="CODE", help="Compare what this expression gives; it is run.")
@click.option("--for", "purpose", type=_PURPOSES, help="What the data is for.")
@click.option(
    "--trust",
    multiple=True,
    metavar="NAME",
    help="A module, or module:class, that FILE may name; or a contender that runs code on loading"
    " and is to be tried with a FILE all the same.",
)
@click.option("--only", metavar="NAMES", help="Try these alone: 'json,pickle,mason'.")
@click.option("--protocols", is_flag=True, help="Try every protocol of pickle.")
@click.option(
    "--seconds",
    type=Finite(0, min_open=True),
    default=20.0,
    show_default=True,
    metavar="N",
    help="Seconds that a contender may take for one step.",
)
@click.option(
    "--memory",
    type=click.IntRange(1),
    default=2048,
    show_default=True,
    metavar="MB",
    help="Memory that one contender may take on top.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=7,
    show_default=True,
    metavar="N",
    help="Times that each is measured, at most.",
)
@from_option("FILE")
@click.option("--json", "form", flag_value="json", help="Write JSON.")
@click.option("--markdown", "form", flag_value="markdown", help="Write Markdown.")
@html_option
def command(
    what: tuple[str, ...], expr: str | None, form: str | None, html: str | None, format: Any,
    trust: tuple[str, ...], **asked: Any,
) -> None:  # fmt: skip
    """Take an object through every format, and say which to use.

    FILE is JSON or CBOR and is read safely: nothing in it runs, and classes are built when --trust
    names them. MODULE:OBJECT is imported and --expr evaluated: that runs your code. A name that is
    a file is taken as one.

    Each contender writes and reads the object in a process of its own, within limits. Those that
    can are timed; whether the same object came back is found by looking at all of it.
    """
    if bool(what) == bool(expr):
        raise click.UsageError("say what to compare: either FILE or MODULE:OBJECT, or --expr")
    if html and len(what) > 1:
        raise click.UsageError("--html is for one FILE or object")
    if html:
        from mason.page import require_chart

        require_chart()
    options = _options(asked, trust)
    results = [_compared(name, expr, options, trust, format) for name in what or ("",)]
    _print(results, form)
    if html:
        write_page(html, results[0].as_html())


def _options(asked: dict[str, Any], trust: tuple[str, ...]) -> Options:
    from mason.comparison.comparing import Options
    from mason.comparison.contenders import chosen
    from mason.comparison.processes import Limits

    only = asked.pop("only")
    names = [name.strip() for name in only.split(",")] if only else None
    try:
        chosen(names, False)
    except ValueError as error:
        raise click.UsageError(f"--only: {error}") from None
    limits = Limits(asked.pop("seconds"), asked.pop("memory") << 20)
    try:
        return Options(only=names, limits=limits, trusted=trust, **asked)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _compared(
    name: str, expr: str | None, options: Options, trust: tuple[str, ...], format: Any
) -> Comparison:
    from mason.comparison import sources
    from mason.comparison.comparing import run
    from mason.comparison.spellings import Subject

    from_file = not expr and (name == "-" or os.path.exists(name) or not sources.is_name(name))
    if from_file:
        obj = _read(name, trust, format)
    else:
        obj = sources.evaluated(expr) if expr else sources.imported(name)
    title = spelled(name) if from_file else expr or name
    try:
        return run(Subject(obj), title, options, from_file=from_file, progress=_progress)
    finally:
        _progress("")


def _read(name: str, trust: tuple[str, ...], format: Any) -> Any:
    """Return the objects of a FILE, of which only what is trusted is built."""
    from mason.comparison import sources
    from mason.errors import LoadError, UntrustedError

    try:
        return sources.built(read_document(name, format), trust)
    except UntrustedError as error:
        sources.advise(error, name)
        raise
    except LoadError:
        sources.refuse_pickle(name)
        raise


def _progress(text: str) -> None:
    """Show on a terminal what is under way, in one line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def _print(results: list[Comparison], form: str | None) -> None:
    if form == "json":
        import json

        found = [result.as_json() for result in results]
        click.echo(json.dumps(found if len(found) > 1 else found[0], indent=2))
    elif form == "markdown":
        click.echo("\n".join(result.as_markdown() for result in results), nl=False)
    else:
        print_lines(_lines(results))


def _lines(results: list[Comparison]) -> Iterator[list[Piece]]:
    from mason.comparison.table import lines

    width = min(_WIDEST, max(_NARROWEST, shutil.get_terminal_size((_WIDEST, 24)).columns))
    ascii_only = speaks_ascii_only()
    for count, result in enumerate(results):
        if count:
            yield []
        for line in lines(result, width):
            yield [(_in_ascii(text), kind) for text, kind in line] if ascii_only else line


def _in_ascii(text: str) -> str:
    return text.replace("→", "->").replace("µ", "u")
