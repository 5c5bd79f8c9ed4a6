"""The page of one document: what it is, its tree, and the names it needs."""

from __future__ import annotations

from mason.inspection.show import Tree, summary
from mason.page.figures import count_text
from mason.page.markup import Markup, Part, tag
from mason.page.sheet import code, section, sentence, sheet
from mason.page.tree import PLAIN, Guide, needs_block, tree_block
from mason.text import shown

_TITLE_ROOM = 80
_FORMATS = {"json": "JSON", "cbor": "CBOR"}


def tree_page(tree: Tree, title: str) -> str:
    """Return the page of a document called `title`."""
    name = shown(title, _TITLE_ROOM)
    return sheet(f"{name} – mason show", *document_parts(tree, name))


def document_parts(tree: Tree, name: str, guide: Guide = PLAIN) -> list[Part]:
    """Return what a page says of a document."""
    head = tag(
        "header",
        tag("p", "What is in ", code(name), class_="kicker"),
        tag("h1", _verdict(tree)),
        sentence("Nothing of it was imported, built or run to show it.", class_="lead"),
        sentence(summary(tree), class_="note"),
        class_="verdict",
    )
    return [head, section("tree", "Structure", tree_block(tree, guide)), _needs(tree)]


def _verdict(tree: Tree) -> str:
    root = tree.lines[0]
    what = root.type if root.size is None else f"{root.type} with {count_text(root.size, 'part')}"
    kind = _FORMATS.get(tree.format, tree.format)
    where = "" if root.path == "$" else f" at {shown(root.path, _TITLE_ROOM)}"
    return f"A {kind} document: {what}{where}"


def _needs(tree: Tree) -> Markup | None:
    block = needs_block(tree.needs)
    if block is None:
        return None
    count = count_text(len(tree.needs), "name")
    said = sentence(
        f"To build its objects one would have to trust {count}. ",
        "A file only ever asks; a program that loads it decides.",
    )
    return section("needs", "Names it asks for", said, block)
