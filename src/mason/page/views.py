"""The pages of `mason view`: a document, its comparison, a folder, and what could not be shown."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from mason.document import Document
from mason.errors import shown
from mason.inspection.show import Line, show
from mason.page.chart import ChartError, charts
from mason.page.comparison import advice, comparison_parts
from mason.page.comparisons import Comparisons
from mason.page.document import document_parts
from mason.page.figures import count_text, size_text
from mason.page.markup import Markup, Part, tag, together
from mason.page.sheet import Served, code, section, sentence, sheet
from mason.page.shelf import MOST_DROPPED, Entry, Shelf, Shown
from mason.page.tree import Guide

SERVED = Served("view.js", connect=True)
_DEPTH, _ITEMS, _LINES = 8, 50, 4_000
_MOST_ITEMS = 100_000
_NAME_ROOM = 120
_TEXT_ROOM = 600
_KINDS = {
    "folder": "folder",
    "json": "JSON",
    "cbor": "CBOR",
    "pickle": "pickle: loading one can run code, and mason does not read them yet",
    "other": "",
    "elsewhere": "leads out of the folder, or nowhere: not opened",
    "special": "no ordinary file: not opened",
}


class Links(NamedTuple):
    """Make addresses: `base` is that of the server with its token, `asked` what this page is of."""

    base: str
    asked: Mapping[str, str]

    def here(self, place: str, **changes: str) -> str:
        """Return the address of this page with other questions; `place` is "" or "dropped"."""
        return self._address(place, {**self.identity(), **changes})

    def compared(self) -> str:
        """Return the address of the comparison of the document that this page is of."""
        return self._address("compared", self.identity())

    def folder(self, place: str) -> str:
        """Return the address of a folder."""
        return self._address("", {"folder": place} if place else {})

    def file(self, place: str) -> str:
        """Return the address of a file."""
        return self._address("", {"file": place})

    def identity(self) -> dict[str, str]:
        """Return what says which document is shown, without which part of it."""
        return {name: self.asked[name] for name in ("file", "number") if name in self.asked}

    def _address(self, place: str, asked: Mapping[str, str]) -> str:
        text = urlencode(asked, errors="surrogateescape")
        return f"{self.base}{place}{'?' if text else ''}{text}"


def document_view(shelf: Shelf, place: str, links: Links) -> str:
    """Return the page of a document, or of its part at the path that is asked for.

    Raises what reading it raises, and `PathError`.
    """
    one = _asked_for(shelf, place, links.asked)
    name, document = shown(one.name, _NAME_ROOM), one.document
    path, items = links.asked.get("path", "$"), _items(links.asked)
    tree = show(document, path=path, depth=_DEPTH, items=items, lines=_LINES)

    def deeper(line: Line) -> str | None:
        if line.more:
            more = {"items": str(min(items * 10, _MOST_ITEMS))} if items < _MOST_ITEMS else {}
            return links.here(place, path=line.path, **more) if more or line.path != path else None
        hides = line.depth == _DEPTH and line.size and line.first is None
        return links.here(place, path=line.path) if hides else None

    return sheet(
        f"{name} – mason view",
        *document_parts(tree, name, Guide(link=deeper)),
        _formats(document, links.compared()),
        served=SERVED,
        above=_bar(links, place, name, path),
    )


def comparison_view(shelf: Shelf, comparisons: Comparisons, links: Links) -> tuple[str, bool]:
    """Return the page of the comparison of a document, and whether it is still under way.

    Raises what reading the document raises, and `NotCompared`.
    """
    place = "dropped" if "number" in links.asked else ""
    one = _asked_for(shelf, place, links.asked)
    name = shown(one.name, _NAME_ROOM)
    found = comparisons.of(one)
    above = _bar(links, place, name, "$", below="formats")
    if isinstance(found, float):
        page = sheet(f"{name} – mason view", _wait(name, found), served=SERVED, above=above)
        return page, True
    data = {**found, "title": name}
    parts = comparison_parts(data, _drawn(data))
    return sheet(f"{advice(data)} – mason view", *parts, served=SERVED, above=above), False


def folder_view(shelf: Shelf, place: str, links: Links) -> str:
    """Return the page of a folder.

    Raises `NotThere`, and OSError as the file system does.
    """
    entries, cut = shelf.entries(place)
    name = shown(os.path.basename(place) or shelf.root.name or "/", _NAME_ROOM)
    files = sum(entry.kind not in ("folder", "elsewhere") for entry in entries)
    head = tag(
        "header",
        tag("p", "Folder ", code(shown(place, _NAME_ROOM)) if place else None, class_="kicker"),
        tag("h1", name),
        sentence("Choose a file, or drop one here. Nothing of it is built or run.", class_="lead"),
        class_="verdict",
    )
    names = ("Name", "Size", "What it is")
    headings = tag("tr", *(tag("th", tag("span", title), scope="col") for title in names))
    rows = tag("tbody", *(_entry(entry, links) for entry in entries))
    caption = tag("caption", "Files")
    table = tag("table", caption, tag("thead", headings), rows, class_="sortable files")
    note = sentence("… and more, which are not listed", class_="note") if cut else None
    return sheet(
        f"{name} – mason view",
        head,
        section("files", count_text(files, "file"), tag("div", table, class_="scroll"), note),
        served=SERVED,
        above=_bar(links, "", None, "$", place),
    )


def problem_view(error: Exception, links: Links) -> str:
    """Return the page that says why something is not shown."""
    name = shown(links.asked.get("file", ""), _NAME_ROOM)
    lines = problem_text("", error).split("\n")
    head = tag(
        "header",
        tag("p", code(name), class_="kicker") if name else None,
        tag("h1", "This cannot be shown"),
        *(sentence(line, class_="lead") for line in lines),
        class_="verdict",
    )
    return sheet("mason view", head, served=SERVED, above=_bar(links, "", None, "$"))


def problem_text(name: str, error: Exception) -> str:
    """Return why a file cannot be shown, in plain words."""
    before = f"{shown(name, _NAME_ROOM)}: " if name else ""
    if isinstance(error, OSError):
        return f"{before}{error.strerror or 'it cannot be opened'}"
    said = str(error).split("\n")[0]
    hint = (getattr(error, "hint", None) or "").partition("; format=")[0]
    if hint and "=" not in hint:  # the others speak to programs
        said = f"{said}; {hint}"
    return f"{before}{shown(said, _TEXT_ROOM)}"


def _asked_for(shelf: Shelf, place: str, asked: Mapping[str, str]) -> Shown:
    if place == "dropped":
        return shelf.dropped(asked.get("number", ""))
    return shelf.file(asked.get("file", ""))


def _formats(document: Document, address: str) -> Markup:
    """Return the way to the comparison of a document, or why there is none."""
    if document.needs:
        return section(
            "which",
            "Which format?",
            sentence(
                "To measure that, its objects would have to be built, and here nothing is. If you "
                "trust the names above, ",
                code("mason compare FILE --trust NAME"),
                " does it in a terminal.",
            ),
        )
    said = sentence(
        tag("a", "Take it through every format", href=address, class_="button"),
        " and see which keeps it exactly, how large it gets and how long it takes. Each is tried "
        "in a process of its own, which takes some seconds.",
    )
    return section("which", "Which format?", said)


def _wait(name: str, seconds: float) -> Markup:
    return tag(
        "header",
        tag("p", "JSON or pickle? Measuring ", code(name), class_="kicker"),
        tag("h1", "Every format takes its turn"),
        sentence(f"{seconds:.0f} s so far; this page comes again by itself.", class_="lead"),
        class_="verdict",
    )


def _drawn(data: Mapping[str, Any]) -> Part:
    """Return the chart, or what is missing for one."""
    try:
        return charts(data)
    except ChartError as error:
        if error.hint:
            return sentence("A chart stands here with ", code(error.hint), class_="note")
        return sentence(shown(f"No chart: {error}", _TEXT_ROOM), class_="note")


def _items(asked: Mapping[str, str]) -> int:
    text = asked.get("items", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else _ITEMS
    return max(1, min(number, _MOST_ITEMS))


def _entry(entry: Entry, links: Links) -> Markup:
    name = shown(entry.name, _NAME_ROOM)
    link = {"folder": links.folder, "json": links.file, "cbor": links.file, "other": links.file}
    address = link[entry.kind](entry.place) if entry.kind in link else None
    label: Part = f"{name}/" if entry.kind == "folder" else name
    size = entry.size if entry.kind not in ("folder", "elsewhere", "special") else None
    return tag(
        "tr",
        tag("th", tag("a", label, href=address) if address else label, scope="row"),
        tag("td", None if size is None else size_text(size), class_="number", data_value=size),
        tag("td", _KINDS[entry.kind]),
    )


def _bar(
    links: Links, place: str, name: str | None, path: str, folder: str = "", below: str = ""
) -> Markup:
    """Return what stands above a page: where one is, a part to look at, a place to drop files."""
    crumbs: list[Part] = [tag("a", "mason view", href=links.base)]
    above = os.path.dirname(links.asked.get("file", "")) if name else os.path.dirname(folder)
    if above:
        crumbs.append(tag("a", shown(above, _NAME_ROOM), href=links.folder(above)))
    if name and (path != "$" or below):
        crumbs.append(tag("a", name, href=links.here(place)))
    if below:
        crumbs.append(below)
    trail = tag("ol", *(tag("li", crumb) for crumb in crumbs))
    form = _part_form(links, place, path) if name and not below else None
    return together(
        [
            tag(
                "nav",
                trail,
                tag("a", "Which format?", href="#which") if form else None,
                form,
                aria_label="Place",
            ),
            _drop(links),
        ]
    )


def _part_form(links: Links, place: str, path: str) -> Markup:
    hidden = (
        tag("input", type="hidden", name=name, value=text)
        for name, text in links.identity().items()
    )
    field = tag(
        "input", type="text", name="path", value=path, autocomplete="off", spellcheck="false"
    )
    return tag(
        "form",
        *hidden,
        tag("label", "Only the part at ", field),
        tag("button", "Show", type="submit"),
        method="get",
        action=f"{links.base}{place}",
    )


def _drop(links: Links) -> Markup:
    most = f"up to {MOST_DROPPED >> 20} MiB"
    return tag(
        "aside",
        tag("label", "Drop a file anywhere here, or choose one ", tag("input", type="file")),
        tag("p", role="alert", class_="problem", hidden=True),
        tag("noscript", "Without scripts, start mason view with the file instead."),
        class_="drop",
        aria_label="Another file",
        data_drop=f"{links.base}drop",
        data_most=MOST_DROPPED,
        data_bound=most,
    )
