"""The page of a diff: in how many places two documents differ, which ones, and both sides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mason.inspection.show import Tree, summary
from mason.page.figures import count_text
from mason.page.markup import Markup, Part, tag, together
from mason.page.outcomes import marked
from mason.page.sheet import code, section, sentence, sheet
from mason.page.tree import Bounds, Guide, Mark, tree_block
from mason.text import shown

_CHANGES = 1_000
_BYTES = 500_000  # of the table of changes
_SIDE = Bounds(bytes=500_000)
_NAME_ROOM = 80
_PATH_ROOM = 240
_TEXT_ROOM = 240
_ANCHOR = re.compile(r'id="([ab]-change-[0-9]+)"')


class _Kind(NamedTuple):
    sign: str
    tone: str
    word: str


_OTHER = _Kind("≠", "altered", "another")
_KINDS = {
    "added": _Kind("+", "added", "added"),
    "removed": _Kind("−", "removed", "removed"),
    "value": _Kind("≠", "altered", "another value"),
    "type": _Kind("▲", "altered", "another type"),
    "array": _Kind("▦", "altered", "another array"),
    "moved": _Kind("↕", "moved", "moved"),
    "order": _Kind("⇅", "moved", "another order"),
    "sharing": _Kind("∞", "moved", "shared otherwise"),
}


def diff_page(data: dict[str, Any], a: Tree, b: Tree) -> str:
    """Return the page of a diff between two documents, with the tree of each."""
    names = _name(data["a"]), _name(data["b"])
    head = tag(
        "header",
        tag("p", "Compared: ", code(names[0]), " and ", code(names[1]), class_="kicker"),
        tag("h1", _verdict(data)),
        _legend(data["counts"]),
        class_="verdict",
    )
    sides = together([_side(tree, data, side) for tree, side in ((a, "a"), (b, "b"))])
    anchors = set(_ANCHOR.findall(str(sides)))
    return sheet(
        f"{names[0]} and {names[1]} – mason diff",
        head,
        None if data["same"] else section("changes", "What differs", _changes(data, anchors)),
        section("sides", "The two sides", tag("div", sides, class_="sides")),
    )


def _verdict(data: Mapping[str, Any]) -> str:
    if data["same"]:
        return "Both hold the same"
    total = sum(data["counts"].values())
    more = "at least " if data["cut"] else ""
    return f"They differ in {more}{count_text(total, 'place')}"


def _legend(counts: Mapping[str, int]) -> Markup | None:
    entries = [
        tag("li", _mark(name, f"{counts[name]:,} × {kind.word}"))
        for name, kind in _KINDS.items()
        if counts.get(name)
    ]
    return tag("ul", *entries, class_="legend") if entries else None


def _kind(change: Mapping[str, Any]) -> _Kind:
    return _KINDS.get(change["kind"], _OTHER)


def _mark(name: str, word: str) -> Markup:
    kind = _KINDS.get(name, _OTHER)
    return marked(kind.sign, kind.tone, word)


def _changes(data: Mapping[str, Any], anchors: set[str]) -> Markup:
    names = ("What", "Where", f"In {_name(data['a'])}", f"In {_name(data['b'])}")
    head = tag("thead", tag("tr", *(tag("th", tag("span", name), scope="col") for name in names)))
    rows: list[Markup] = []
    left = _BYTES
    for number, change in enumerate(data["changes"][:_CHANGES]):
        found = (anchor for side in "ab" if (anchor := f"{side}-change-{number}") in anchors)
        rows.append(_change(change, next(found, None)))
        left -= rows[-1].size
        if left < 0:
            break
    hidden = len(data["changes"]) - len(rows)
    caption = tag("caption", "Each difference, by path")
    whole = tag("table", caption, head, tag("tbody", *rows), class_="sortable")
    cut = f"… and {hidden:,} more" if hidden else "There are more." if data["cut"] else None
    return together(
        [
            tag(
                "div", whole, class_="scroll", tabindex=0, role="region",
                aria_label="Table of differences",
            ),
            sentence(cut, class_="note") if cut else None,
        ]
    )  # fmt: skip


def _change(change: Mapping[str, Any], anchor: str | None) -> Markup:
    """Return the row of a change; its path leads to the line at `anchor`."""
    path = code(shown(change["path"], _PATH_ROOM))
    where: list[Part] = [tag("a", path, href=f"#{anchor}") if anchor else path]
    if change["to"] and change["to"] != change["path"]:
        where += [" → ", code(shown(change["to"], _PATH_ROOM))]
    return tag(
        "tr",
        tag("td", _mark(change["kind"], _kind(change).word)),
        tag("td", *where),
        tag("td", _text(change["a"])),
        tag("td", _text(change["b"]), _detail(change["detail"])),
    )


def _text(text: str) -> Markup | None:
    return code(shown(text, _TEXT_ROOM)) if text else None


def _detail(detail: Mapping[str, Any] | None) -> Markup | None:
    """Return the facts about a change that have names of their own, such as those of arrays."""
    if not detail:
        return None
    said = "; ".join(f"{key}: {value}" for key, value in detail.items())
    return tag("small", shown(said, _TEXT_ROOM))


def _side(tree: Tree, data: Mapping[str, Any], side: str) -> Markup:
    marks: dict[str, Mark] = {}
    for number, change in enumerate(data["changes"]):
        path = _path_on(change, side)
        if path is not None:
            kind = _kind(change)
            # the first of several at one place is the one that is marked
            marks.setdefault(path, Mark(kind.tone, kind.word, f"{side}-change-{number}"))
    name = _name(data[side])
    return tag(
        "section",
        tag("h3", code(name)),
        sentence(summary(tree), class_="note"),
        tree_block(tree, Guide(prefix=f"{side}-", marks=marks), _SIDE),
        aria_label=name,
    )


def _path_on(change: Mapping[str, Any], side: str) -> str | None:
    """Return where a change is on one side, None where it is not."""
    if change["kind"] == ("added" if side == "a" else "removed"):
        return None
    path: str = change["path"] if side == "a" else change["to"] or change["path"]
    return path


def _name(name: str) -> str:
    return shown(name, _NAME_ROOM)
