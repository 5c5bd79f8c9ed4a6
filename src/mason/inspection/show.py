"""A document as a tree of lines: types, shapes, sizes and sharing; nothing is imported or built.

Strategy: one walk over the whole tree counts its values and finds what is met twice; a second one,
in document order, makes the lines and stops at the bounds that the caller set (levels, parts of one
container, lines). Both keep their own stack, so depth costs nothing, and whatever comes from the
file is cut and escaped before it becomes text: a file must not speak to a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from mason.errors import Need, shown
from mason.inspection.inert import (
    EVIDENT,
    PATH_ROOM,
    Place,
    element_type,
    may_be_shared,
    path_text,
    place_text,
    shown_name,
    shown_parts,
    size_of,
    step_text,
    text_of,
    type_of,
)
from mason.paths import Step, parse_path

if TYPE_CHECKING:
    from mason.document import Document, Part

_COLUMN = 60  # the most that a column of names is wide
_RAIL = 32  # levels that are indented; deeper lines say their level instead


class Line(NamedTuple):
    """Describe one value: `depth` levels below the start, reached by `step`.

    `type` is a class (`list`, `shop:Order`), `size` how many parts it has (None for an atom),
    `text` what an atom is, or of which one type all elements are. `id` numbers what is met more
    than once; at its later places `first` is the path of its first one and nothing below it is
    repeated. A line with `more` stands for that many parts left out.
    """

    path: str
    depth: int
    step: str
    type: str = ""
    size: int | None = None
    text: str = ""
    id: int | None = None
    first: str | None = None
    more: int = 0
    rail: tuple[bool, ...] = ()  # for each level above, whether more follows there
    last: bool = True  # of the parts of its container


class Tree(NamedTuple):
    """Hold what `show` found: facts about the document, and its lines.

    `values` counts all values of the document, `shared` those met more than once. `cut` tells
    whether the bound on the number of lines left something out.
    """

    format: str
    typed: bool
    bytes: int
    values: int
    shared: int
    needs: tuple[Need, ...]
    lines: list[Line]
    cut: bool


def show(
    document: Document,
    *,
    path: str = "$",
    depth: int | None = 8,
    items: int | None = 20,
    lines: int | None = 1_000,
) -> Tree:
    """Return the tree of a document, or of its part at `path`.

    At most `depth` levels below the start are shown, `items` parts of one container, `lines` lines
    in all; None takes a bound away. Raises `PathError` when there is nothing at `path`.
    """
    start = document.at(path)
    survey = _Survey(document.root)
    every = _lines(start, path_text(parse_path(path)), survey, depth, items)
    found = list(every if lines is None else islice(every, lines))
    return Tree(
        format=document.format,
        typed=document.typed,
        bytes=_size_in_bytes(document.data),
        values=survey.values,
        shared=len(survey.shared),
        needs=document.needs,
        lines=found,
        cut=next(every, None) is not None,
    )


def as_text(tree: Tree, *, ascii_only: bool = False) -> Iterator[str]:
    """Give the lines of a tree as text, with rails that lead from a container to its parts."""
    for line in tree.lines:
        yield rails(line, ascii_only) + " ".join(text for text, _ in pieces(line))
    if tree.cut:
        yield "... more lines"


def as_json(tree: Tree) -> dict[str, Any]:
    """Return a tree as plain data: the facts, and one flat object for each line."""
    facts = tree._asdict()
    facts["needs"] = [need._asdict() for need in tree.needs]
    facts["lines"] = [
        {
            name: value
            for name, value in line._asdict().items()
            if name not in ("rail", "last", "step") and value not in ("", None)
            if name != "more" or value
        }
        for line in tree.lines
    ]
    return facts


def summary(tree: Tree) -> str:
    """Return the facts about a document in one line."""
    facts = [f"{tree.format}{', typed' if tree.typed and tree.format == 'json' else ''}"]
    facts += [_count(tree.bytes, "byte"), _count(tree.values, "value")]
    if tree.shared:
        facts.append(f"{tree.shared:,} shared")
    return ", ".join(facts)


def needs(tree: Tree, most: int = 20) -> Iterator[str]:
    """Give the names that building the document asks for, each with use, count and first path."""
    if not tree.needs:
        return
    yield f"needs {_count(len(tree.needs), 'name')}"
    rows = [(shown_name(n.name), n.use, f"{n.count:,}x", shown(n.path)) for n in tree.needs[:most]]
    # one long name must not push the others to the edge
    names = max((len(row[0]) for row in rows if len(row[0]) <= _COLUMN), default=0)
    uses, counts = (max(len(row[column]) for row in rows) for column in (1, 2))
    for name, use, count, path in rows:
        yield f"  {name:<{names}}  {use:<{uses}}  {count:>{counts}}, first at {path}"
    if len(tree.needs) > most:
        yield f"  ... {len(tree.needs) - most:,} more"


def rails(line: Line, ascii_only: bool = False) -> str:
    """Return what stands before a line."""
    if not line.depth:
        return ""
    through, corner, branch = ("|  ", "`- ", "|- ") if ascii_only else ("│  ", "└─ ", "├─ ")
    above = "".join(through if more else "   " for more in line.rail)
    level = f"({line.depth}) " if line.depth > _RAIL else ""
    return above + (corner if line.last else branch) + level


def pieces(line: Line) -> Iterator[tuple[str, str]]:
    """Give the parts of a line with what they are: "step", "type", "text", "shared" or "note"."""
    if line.more:
        yield f"... {line.more:,} more", "note"
        return
    yield line.step, "step"
    if line.first is not None:
        yield f"= #{line.id}, first at {line.first}", "shared"
        return
    if line.size is not None:
        yield f"{line.type} of {line.size:,}", "type"
    else:
        yield "=", "note"
        if line.type not in EVIDENT:
            yield line.type, "type"
    if line.text:
        yield line.text, "type" if line.size else "text"
    if line.id is not None:
        yield f"#{line.id}", "shared"


# --- the walk that counts


class _Survey:
    """Count the values of a tree, and find what is met more than once."""

    def __init__(self, root: Any) -> None:
        self.values = 0
        self.shared: dict[int, int] = {}  # id of an object -> its number, in document order
        self._first: dict[int, Place] = {}
        self._count(root)
        if self.shared:
            self._place(root)

    def first(self, value: Any) -> str:
        """Return the path of the first place of something shared."""
        return place_text(self._first[id(value)])

    def _count(self, root: Any) -> None:
        met: dict[int, bool] = {}  # whether it was met again
        stack: list[Iterator[Part]] = [_alone(root)]
        while stack:
            for _, value in stack[-1]:
                if may_be_shared(value):
                    known = id(value) in met
                    met[id(value)] = known
                    if known:
                        continue
                self.values += 1
                parts = shown_parts(value)
                if parts is not None:
                    stack.append(parts)
                    break
            else:
                stack.pop()
        again = (number for number, more in met.items() if more)
        self.shared = {number: count for count, number in enumerate(again, 1)}

    def _place(self, root: Any) -> None:
        met: set[int] = set()
        stack: list[tuple[Place, Iterator[Part]]] = [(None, _alone(root))]
        while stack and len(self._first) < len(self.shared):
            before, parts = stack[-1]
            for step, value in parts:
                if id(value) in met or not may_be_shared(value):
                    continue
                met.add(id(value))
                place = (before, step) if len(stack) > 1 else None
                if id(value) in self.shared:
                    self._first[id(value)] = place
                inside = shown_parts(value)
                if inside is not None:
                    stack.append((place, inside))
                    break
            else:
                stack.pop()


# --- the walk that makes lines


class _Level(NamedTuple):
    path: str
    parts: Iterator[tuple[Part | None, int, bool]]
    rail: tuple[bool, ...]


def _lines(
    start: Any, path: str, survey: _Survey, depth: int | None, items: int | None
) -> Iterator[Line]:
    opened: set[int] = set()
    line = _line(start, path, path, survey, opened)
    yield line
    stack = [_Level(path, _bounded(start, items), ())] if _goes_on(line, 0, depth) else []
    while stack:
        level, below = stack[-1], len(stack)
        part, left, last = next(level.parts, (None, 0, True))
        if part is None:
            if left:
                yield Line(level.path, below, "", more=left, rail=level.rail)
            stack.pop()
            continue
        step, value = part
        text = step_text(step)
        line = _line(value, shown(level.path + text, PATH_ROOM), text, survey, opened)
        yield line._replace(depth=below, rail=level.rail, last=last)
        if _goes_on(line, below, depth):
            rail = (*level.rail, not last)[:_RAIL]
            stack.append(_Level(line.path, _bounded(value, items), rail))


def _goes_on(line: Line, level: int, depth: int | None) -> bool:
    """Tell whether what is below a line is shown, too."""
    return bool(line.size) and line.first is None and (depth is None or level < depth)


def _bounded(value: Any, items: int | None) -> Iterator[tuple[Part | None, int, bool]]:
    """Give the first parts of a container, each with whether it is the last; then what is left."""
    parts = shown_parts(value) or iter(())
    held = next(parts, None)
    for _ in range(items) if items is not None else _always():
        part, held = held, next(parts, None)
        if part is None:
            return
        yield part, 0, held is None
    if held is not None:
        yield None, 1 + sum(1 for _ in parts), True


def _always() -> Iterator[None]:
    while True:
        yield None


def _line(value: Any, path: str, step: str, survey: _Survey, opened: set[int]) -> Line:
    number = survey.shared.get(id(value)) if may_be_shared(value) else None
    if number is not None:
        if id(value) in opened:
            return Line(path, 0, step, type_of(value), id=number, first=survey.first(value))
        opened.add(id(value))
    size = size_of(value)
    text = text_of(value) if size is None else element_type(value)
    return Line(path, 0, step, type_of(value), size, text, number)


def _alone(root: Any) -> Iterator[Part]:
    return iter([(Step("key", ""), root)])


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def _size_in_bytes(data: bytes | str) -> int:
    if isinstance(data, str):
        return len(data) if data.isascii() else len(data.encode("utf-8", "surrogatepass"))
    return len(data)
