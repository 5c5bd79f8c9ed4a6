"""`mason diff A B`: what changed from one document to another, nothing built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from mason.cli.program import (
    Finite,
    Piece,
    from_option,
    html_option,
    print_lines,
    speaks_ascii_only,
    spelled,
    write_page,
)
from mason.cli.revisions import read_file_or_revision

if TYPE_CHECKING:
    from mason.document import Document
    from mason.formats import Format
    from mason.inspection.diff import Change, Diff

DIFFERENT = 1
_ITEMS = 100  # of one container, on a page
_EXIT_CODES = """
\b
Exit codes, which are those of diff and not of the other commands:
  0  nothing changed
  1  something changed
  2  trouble: a document that was refused or could not be read, wrong usage
"""
# the sign before a line, how it is coloured, and what a line says of its kind
_SIGNS = {
    "added": ("+", "added", ""),
    "removed": ("-", "removed", ""),
    "moved": (">", "moved", ""),
    "value": ("~", "changed", ""),
    "type": ("~", "changed", "type: "),
    "array": ("~", "changed", ""),
    "order": ("~", "changed", "order of keys: "),
    "sharing": ("~", "shared", "sharing: "),
}
_COUNTED = {
    "added": "added", "removed": "removed", "moved": "moved", "value": "changed",
    "type": "of another type", "array": "changed in an array", "order": "in another order",
    "sharing": "shared otherwise",
}  # fmt: skip


@click.command("diff", epilog=_EXIT_CODES)
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--path", default="$", metavar="PATH", help="Compare only this part: '$.orders'.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="OLD=NEW",
    help="Take a class or module for another: old.module:Order=shop:Order. Repeatable.",
)
@click.option("--rtol", type=Finite(0), default=0.0, metavar="R",
              help="Let floats differ by R times the float in B.")  # fmt: skip
@click.option("--atol", type=Finite(0), default=0.0, metavar="T",
              help="Let floats differ by T.")  # fmt: skip
@click.option("--limit", type=click.IntRange(0), default=1000, show_default=True, metavar="N",
              help="Changes to show.")  # fmt: skip
@from_option("both")
@click.option("-q", "--quiet", is_flag=True, help="Show nothing: the exit code tells.")
@click.option("--json", "machine", is_flag=True, help="Write JSON.")
@html_option
def command(
    a: str, b: str, path: str, aliases: tuple[str, ...], rtol: float, atol: float, limit: int,
    format: Format | None, quiet: bool, machine: bool, html: str | None,
) -> None:  # fmt: skip
    """Show what changed from A to B, by path.

    Values, types, sharing and order. A and B are files of any format, - for the standard input
    (once), or REV:PATH for a file in a revision of git. Nothing is imported, built or run. Elements
    of lists are found again where they moved to; attributes and members of sets have no order.
    """
    from mason.inspection.diff import diff

    if a == b == "-":
        raise click.UsageError("the standard input can be read only once")
    documents = read_file_or_revision(a, format), read_file_or_revision(b, format)
    found = diff(
        *documents,
        aliases=_aliases(aliases),
        rtol=rtol,
        atol=atol,
        limit=0 if quiet else limit,
        path=path,
        names=(spelled(a), spelled(b)),
    )
    if html is not None:
        _write_page(html, found, *documents, path)
    if machine:
        import json

        click.echo(json.dumps(found.as_json(), indent=2))
    elif not quiet:
        print_lines(_in_ascii(_lines(found)) if speaks_ascii_only() else _lines(found))
    if not found.same:
        click.get_current_context().exit(DIFFERENT)


def _aliases(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not (old and equals and new):
            raise click.UsageError(f"--alias takes OLD=NEW, not {pair!r}")
        found[old] = new
    return found


def _write_page(file: str, found: Diff, a: Document, b: Document, path: str) -> None:
    from mason.inspection.show import show
    from mason.page import diff_page

    one, two = (show(document, path=path, items=_ITEMS) for document in (a, b))
    write_page(file, diff_page(found.as_json(), one, two))


def _lines(found: Diff) -> Iterator[list[Piece]]:
    if found.same:
        yield [(f"{found.a} and {found.b} are the same", "note")]
        return
    counts = ", ".join(
        f"{found.counts[kind]:,} {_COUNTED[kind]}" for kind in _COUNTED if kind in found.counts
    )
    yield [(f"{found.a} → {found.b}: {counts}", "note")]
    for change in found.changes:
        yield list(_pieces(change))
    if found.cut:
        left = sum(found.counts.values()) - len(found.changes)
        yield [(f"… {left:,} more: see --limit", "note")]


def _in_ascii(lines: Iterator[list[Piece]]) -> Iterator[list[Piece]]:
    """Spell arrows and dots for an output that has no others."""
    for line in lines:
        yield [(text.replace("→", "->").replace("…", "..."), kind) for text, kind in line]


def _pieces(change: Change) -> Iterator[Piece]:
    from mason.inspection.telling import array_told

    sign, colour, kind = _SIGNS[change.kind]
    yield f"{sign} ", colour
    yield change.path, "step"
    if change.kind == "moved":
        yield f" → {change.to}", colour
        yield f"  {change.a}", "text"
        return
    if change.to is not None:
        yield f" (now {change.to})", "note"
    yield f"  {kind}", colour
    if change.a:
        yield change.a, "removed"
    if change.a and change.b and change.a != change.b:
        yield " → ", "note"
    if change.b and change.a != change.b:
        yield change.b, "added"
    if change.detail is not None and (told := array_told(change.a, change.detail)):
        yield f": {told}", ""
