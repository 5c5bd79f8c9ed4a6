"""`mason show FILE`: a document as a tree, nothing built."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from mason.cli.program import (
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
    from mason.formats import Format
    from mason.inspection.show import Tree


@click.command("show")
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--path", default="$", metavar="PATH", help="Show only this part: '$.orders[3]'.")
@click.option(
    "--depth",
    type=click.IntRange(0),
    default=8,
    show_default=True,
    metavar="N",
    help="Levels to show.",
)
@click.option(
    "--items",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    metavar="N",
    help="Parts of one container to show.",
)
@click.option(
    "--lines",
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Lines to show.",
)
@click.option("--all", "everything", is_flag=True, help="Show all levels, parts and lines.")
@from_option("FILE")
@click.option("--json", "machine", is_flag=True, help="Write JSON: facts, needs, and the lines.")
@html_option
@click.pass_context
def command(
    context: click.Context, file: str, path: str, depth: int, items: int, lines: int,
    everything: bool, format: Format | None, machine: bool, html: str | None,
) -> None:  # fmt: skip
    """Show what FILE holds as a tree: types, shapes, sizes, sharing.

    Nothing is imported, built or run. The format is told by --from, the name or the content; - is
    the standard input.
    """
    from mason.inspection.show import as_json, show

    if machine and html is not None:
        raise click.UsageError("--json and --html are two things: choose one")
    document = read_document(file, format)
    if html is not None:
        # a page folds and scrolls, a terminal does not
        items, lines = (
            more if context.get_parameter_source(name) is ParameterSource.DEFAULT else given
            for name, given, more in (("items", items, 200), ("lines", lines, 20_000))
        )
    if everything:
        tree = show(document, path=path, depth=None, items=None, lines=None)
    else:
        tree = show(document, path=path, depth=depth, items=items, lines=lines)
    if machine:
        import json

        click.echo(json.dumps(as_json(tree), indent=2))
    elif html is not None:
        from mason.page import tree_page

        write_page(html, tree_page(tree, os.path.basename(spelled(file))))
    else:
        print_lines(_pieces(file, tree))


def _pieces(file: str, tree: Tree) -> Iterator[list[Piece]]:
    from mason.inspection.show import needs, pieces, rails, summary

    ascii_only = speaks_ascii_only()
    yield [(f"{spelled(file)}: {summary(tree)}", "note")]
    for line in tree.lines:
        parts: list[Piece] = [(rails(line, ascii_only), "note")]
        for count, piece in enumerate(pieces(line)):
            parts += [(" ", ""), piece] if count else [piece]
        yield parts
    if tree.cut:
        yield [("... more lines: see --lines, --all", "note")]
    for text in needs(tree):
        yield [(text, "needs")]
