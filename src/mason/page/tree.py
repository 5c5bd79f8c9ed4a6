"""The structure of a document as nested `<details>`, from the lines that `inspection.show` makes.

Strategy: lines come flat, with their depth; a stack of open containers turns them into nested
elements. What a page can bear is bounded here, whatever bounds the lines were made with: levels
(browsers lay nested elements out by recursion) and bytes. What is left out is said where it would
have stood.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from mason.errors import Need, shown
from mason.inspection.show import Line, Tree, pieces
from mason.page.figures import count_text
from mason.page.markup import Markup, Part, tag, together
from mason.page.sheet import code, sentence

_LEVELS = 40
_BYTES = 800_000
_OPEN = 60  # lines that are seen at first, as far as whole levels go
_NEEDS = 50
_NAME_ROOM, _PATH_ROOM = 100, 200
_AROUND, _AROUND_LEAF = 110, 40  # bytes around one label
_PLACE_ROOM = 120  # characters of the path of a first place
_CLASSES = {"step": "s", "type": "t", "text": "x", "shared": "i", "note": "n"}


class Bounds(NamedTuple):
    """Say what one tree may take of a page."""

    bytes: int = _BYTES
    levels: int = _LEVELS


class Mark(NamedTuple):
    """Say in what a line differs: a class for its colour, a word, and an anchor to lead there."""

    tone: str
    word: str
    anchor: str


class Guide(NamedTuple):
    """Say what a tree shows beside its lines.

    `prefix` makes its anchors its own; `marks` gives, by path, what is to be seen at once; `link`
    where a closer look at a line is found.
    """

    prefix: str = "o"
    marks: Mapping[str, Mark] = {}
    link: Callable[[Line], str | None] | None = None


PLAIN = Guide()
ROOMY = Bounds()


def tree_of(data: Mapping[str, Any]) -> Tree:
    """Return the tree whose plain data (`show.as_json`) this is."""
    lines: list[Line] = []
    above: list[str] = []  # the paths of the containers that are open
    for fields in data["lines"]:
        line = Line(step="", **fields)
        del above[line.depth :]
        before = above[-1] if above else ""
        # a path that was cut for its length does not begin with that of its container
        step = line.path[len(before) :] if line.path.startswith(before) else line.path
        lines.append(line._replace(step=step))
        above.append(line.path)
    needs = tuple(Need(**need) for need in data["needs"])
    return Tree(**{**data, "needs": needs, "lines": lines})


def tree_block(tree: Tree, guide: Guide = PLAIN, bounds: Bounds = ROOMY) -> Markup:
    """Return a tree with its controls, and a note where it is cut."""
    drawn = _Drawing(guide, bounds, _opened(tree.lines))
    complete = all(map(drawn.add, tree.lines))
    return tag(
        "div",
        _controls() if len(tree.lines) > 1 else None,
        tag("ul", drawn.finish(), class_="tree"),
        _cut_note(tree, guide, drawn, complete),
        class_="treeblock",
    )


def needs_block(needs: tuple[Need, ...]) -> Markup | None:
    """Return the names that building asks for, None when there are none."""
    if not needs:
        return None
    rows = (
        tag(
            "tr",
            tag("th", code(shown(need.name, _NAME_ROOM)), scope="row"),
            tag("td", need.use),
            tag("td", f"{need.count:,}", class_="number"),
            tag("td", code(shown(need.path, _PATH_ROOM))),
        )
        for need in needs[:_NEEDS]
    )
    names = ("Name", "Used as", "Times", "First at")
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    left = len(needs) - _NEEDS
    table = tag("table", head, tag("tbody", *rows))
    return together(
        [
            tag("div", table, class_="scroll", tabindex=0, role="region", aria_label="Names"),
            sentence(f"… and {left:,} more", class_="note") if left > 0 else None,
        ]
    )


@dataclass(slots=True)
class _Open:
    """Hold a line that may still get more inside it, and whether a mark is inside it."""

    line: Line
    label: Markup
    inside: list[Markup] = field(default_factory=list)
    leads: bool = False


class _Drawing:
    """Put lines into each other as their depths say, until the bounds are reached."""

    def __init__(self, guide: Guide, bounds: Bounds, opened: int) -> None:
        self.closed = 0  # containers whose parts lie too deep to be shown
        self._guide = guide
        self._bounds = bounds
        self._opened = opened
        self._left = bounds.bytes
        self._met: set[int] = set()  # the numbers of shared objects that have an anchor
        self._outside: list[Markup] = []
        self._stack: list[_Open] = []

    def add(self, line: Line) -> bool:
        """Take one line; tell whether there was room for it."""
        if line.depth > self._bounds.levels:
            return True
        label = self._label(line)
        self._left -= label.size + (_AROUND if line.size else _AROUND_LEAF)
        if self._left < 0:
            return False
        while len(self._stack) > line.depth:
            self._close()
        self._stack.append(_Open(line, label))
        if line.id is not None and line.first is None:
            self._met.add(line.id)
        return True

    def finish(self) -> Markup:
        """Return everything that was taken."""
        while self._stack:
            self._close()
        return together(self._outside)

    def _close(self) -> None:
        entry = self._stack.pop()
        drawn = self._entry(entry)
        if not self._stack:
            self._outside.append(drawn)
            return
        above = self._stack[-1]
        above.inside.append(drawn)
        above.leads |= entry.leads or entry.line.path in self._guide.marks

    def _entry(self, entry: _Open) -> Markup:
        line = entry.line
        is_first = line.id is not None and line.first is None
        anchor = f"{self._guide.prefix}{line.id}" if is_first else None
        if not entry.inside:
            self.closed += bool(line.size) and line.first is None
            return tag("li", entry.label, id=anchor)
        summary = tag("summary", entry.label)
        is_open = line.depth < self._opened or entry.leads
        within = tag("details", summary, tag("ul", *entry.inside), open=is_open)
        return tag("li", within, id=anchor)

    def _label(self, line: Line) -> Markup:
        parts: list[Part] = []
        for text, kind in pieces(line):
            parts += [" " if parts else None, self._piece(line, text, kind)]
        mark = self._guide.marks.get(line.path)
        if mark and not line.more:
            parts += [" ", tag("b", mark.word, class_=f"mark {mark.tone}", id=mark.anchor)]
        link = self._guide.link(line) if self._guide.link else None
        if link is not None:
            parts += [" ", tag("a", "show more" if line.more else "look inside", href=link)]
        return together(parts)

    def _piece(self, line: Line, text: str, kind: str) -> Markup:
        if kind == "shared" and line.first is not None:
            text = shown(text, _PLACE_ROOM)
            if line.id in self._met:
                return tag("a", text, href=f"#{self._guide.prefix}{line.id}", class_="i")
        return tag("span", text, class_=_CLASSES[kind])


def _opened(lines: list[Line]) -> int:
    """Return how many levels are open at first: those that show few lines together."""
    levels = Counter(line.depth for line in lines)
    seen = depth = 0
    while levels[depth] and seen + levels[depth] <= _OPEN:
        seen += levels[depth]
        depth += 1
    return max(1, depth - 1)


def _controls() -> Markup:
    """Return what works by script only, and is hidden without."""
    return tag(
        "div",
        tag("button", "Expand all", type="button", data_tree="expand"),
        tag("button", "Collapse all", type="button", data_tree="collapse"),
        tag("label", "Find ", tag("input", type="search", data_tree="find", autocomplete="off")),
        tag("span", role="status", class_="found"),
        class_="controls",
        hidden=True,
    )


def _cut_note(tree: Tree, guide: Guide, drawn: _Drawing, complete: bool) -> Markup | None:
    """Say what of a document is not on the page."""
    said = []
    if tree.cut or not complete:
        values = count_text(tree.values, "value")
        said.append(f"The document has {values}; this page shows its beginning.")
    elif drawn.closed:
        closed = count_text(drawn.closed, "container is", "containers are")
        said.append(f"{closed} not opened here, since what is inside lies too deep.")
    if not said:
        return None
    hint: list[Part] = []
    if guide.link is None:
        hint = [" To see one part of it: ", code("mason show --path PATH")]
    return sentence(*said, *hint, class_="note")
