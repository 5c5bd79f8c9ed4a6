"""`mason convert IN OUT`: a document in another format, nothing built."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from mason.cli.program import FORMATS, from_option, read_document

if TYPE_CHECKING:
    from mason.formats import Format


@click.command("convert")
@click.argument("in", metavar="IN", type=click.Path(allow_dash=True))
@click.argument("out", metavar="[OUT]", default="-", type=click.Path(allow_dash=True))
@from_option("IN")
@click.option("--to", type=FORMATS, help="The format of OUT.")
@click.option("--indent", type=click.IntRange(0, 64), metavar="N", help="Indent JSON by N spaces.")
def command(
    out: str, format: Format | None, to: Format | None, indent: int | None, **files: Any
) -> None:
    """Convert IN between JSON and CBOR, without its classes.

    Nothing is imported, built or run; types and sharing stay what they are. The format of IN is
    told by --from, the name or the content, that of OUT by --to or the name; - is the standard
    input or output, and no OUT the standard output. A file is replaced only when all was written.
    """
    from mason.formats import suffixes

    format_out = to or (suffixes(out)[0] if out != "-" else None)
    if format_out not in ("json", "cbor"):
        raise click.UsageError("the name of OUT does not tell JSON or CBOR: say --to")
    if indent is not None and format_out != "json":
        raise click.UsageError("--indent is for JSON")
    document = read_document(files["in"], format)
    destination = sys.stdout.buffer if out == "-" else out
    document.dump(destination, format=format_out, indent=indent)
    if out == "-" and format_out == "json":
        click.echo()  # as every text on the standard output ends
