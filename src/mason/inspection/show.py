"""A document as a tree of lines: types, shapes, sizes and sharing; nothing is imported or built.

Strategy: one walk over the whole tree counts its values and finds what is met twice; a second one,
in document order, makes the lines and stops at the bounds that the caller set (levels, parts of one
container, lines). Both keep their own stack, so depth costs nothing, and whatever comes from the
file is cut and escaped before it becomes text: a file must not speak to a terminal.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from json import dumps
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from mason.document import Name, Record, Simple, Tag
from mason.errors import Need, shown
from mason.inspection.words import brief
from mason.paths import Step, parse_path

if TYPE_CHECKING:
    from mason.document import Document

_NAME_ROOM = 100  # characters of a class name or key from the file
_COLUMN = 60  # the most that a column of names is wide
_PATH_ROOM = 1_000
_PATH_STEPS = 100
_UNDEFINED = 23  # RFC 8949, section 3.3
_RAIL = 32  # levels that are indented; deeper lines say their level instead
_SEQUENCES = (list, tuple, deque)
_SETS = (set, frozenset)
# what these classes print is nobody else's code, and says more than their repr
_SPELLED = frozenset({"date", "time", "datetime", "timedelta", "Decimal", "Fraction", "UUID"})
# the slots of an instance whose content is the instance's own: its parts are shown in its place
_OWN_SEQUENCES = ("$list", "$tuple")
_OWN_SETS = ("$set", "$frozenset")
_OWN_NAMES = ("$dict", "$extra")
# instances that are one value
_VALUE_SLOTS = ("$str", "$enum", "$int", "$float", "$bytes")

# types that the text of a value shows
_EVIDENT = frozenset({"NoneType", "bool", "int", "float", "str", "bytes"})

# The place before, and the step from there; None is where the tree begins.
_Place: TypeAlias = "tuple[_Place, Step] | None"
_Part: TypeAlias = tuple[Step, Any]


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
    every = _lines(start, _path(parse_path(path)), survey, depth, items)
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
    rows = [(_shown(n.name), n.use, f"{n.count:,}x", shown(n.path)) for n in tree.needs[:most]]
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
        if line.type not in _EVIDENT:
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
        self._first: dict[int, _Place] = {}
        self._count(root)
        if self.shared:
            self._place(root)

    def first(self, value: Any) -> str:
        """Return the path of the first place of something shared."""
        place = self._first[id(value)]
        steps: list[Step] = []
        while place is not None and len(steps) < _PATH_STEPS:
            place, step = place
            steps.append(step)
        path = _path(reversed(steps))
        return path if place is None else f"$...{path[1:]}"

    def _count(self, root: Any) -> None:
        met: dict[int, bool] = {}  # whether it was met again
        stack: list[Iterator[_Part]] = [_alone(root)]
        while stack:
            for _, value in stack[-1]:
                if _may_be_shared(value):
                    known = id(value) in met
                    met[id(value)] = known
                    if known:
                        continue
                self.values += 1
                parts = _parts(value)
                if parts is not None:
                    stack.append(parts)
                    break
            else:
                stack.pop()
        again = (number for number, more in met.items() if more)
        self.shared = {number: count for count, number in enumerate(again, 1)}

    def _place(self, root: Any) -> None:
        met: set[int] = set()
        stack: list[tuple[_Place, Iterator[_Part]]] = [(None, _alone(root))]
        while stack and len(self._first) < len(self.shared):
            before, parts = stack[-1]
            for step, value in parts:
                if id(value) in met or not _may_be_shared(value):
                    continue
                met.add(id(value))
                place = (before, step) if len(stack) > 1 else None
                if id(value) in self.shared:
                    self._first[id(value)] = place
                inside = _parts(value)
                if inside is not None:
                    stack.append((place, inside))
                    break
            else:
                stack.pop()


# --- the walk that makes lines


class _Level(NamedTuple):
    path: str
    parts: Iterator[tuple[_Part | None, int, bool]]
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
        text = _step_text(step)
        line = _line(value, shown(level.path + text, _PATH_ROOM), text, survey, opened)
        yield line._replace(depth=below, rail=level.rail, last=last)
        if _goes_on(line, below, depth):
            rail = (*level.rail, not last)[:_RAIL]
            stack.append(_Level(line.path, _bounded(value, items), rail))


def _goes_on(line: Line, level: int, depth: int | None) -> bool:
    """Tell whether what is below a line is shown, too."""
    return bool(line.size) and line.first is None and (depth is None or level < depth)


def _bounded(value: Any, items: int | None) -> Iterator[tuple[_Part | None, int, bool]]:
    """Give the first parts of a container, each with whether it is the last; then what is left."""
    parts = _parts(value) or iter(())
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
    number = survey.shared.get(id(value)) if _may_be_shared(value) else None
    if number is not None:
        if id(value) in opened:
            return Line(path, 0, step, _type(value), id=number, first=survey.first(value))
        opened.add(id(value))
    size = _size(value)
    text = _text(value) if size is None else _element_type(value)
    return Line(path, 0, step, _type(value), size, text, number)


def _path(steps: Iterable[Step]) -> str:
    return shown("$" + "".join(map(_step_text, steps)), _PATH_ROOM)


def _step_text(step: Step) -> str:
    """Spell a step; what a terminal would act on as JSON escapes, so that the path can be used."""
    text = str(step)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else dumps(char)[1:-1] for char in text)
    return shown(text, _NAME_ROOM)


# --- from a container to its parts


def _alone(root: Any) -> Iterator[_Part]:
    return iter([(Step("key", ""), root)])


def _parts(value: Any) -> Iterator[_Part] | None:
    """Return the parts of a container with the steps to them; None for an atom."""
    kind = type(value)
    if kind is Record:
        return None if _is_value(value) else _record_parts(value.items)
    if kind is Tag:
        return iter([(Step("index", 0), value.value)])
    if issubclass(kind, dict):
        return _pairs(dict.items(value))
    if issubclass(kind, _SEQUENCES):
        return _numbered("index", kind.__iter__(value))
    if issubclass(kind, _SETS):
        return _numbered("element", kind.__iter__(value))
    return None


def _record_parts(items: dict[str, Any]) -> Iterator[_Part]:
    for slot, part in items.items():
        if slot in _OWN_SEQUENCES and type(part) is list:
            yield from _numbered("index", part)
        elif slot in _OWN_SETS and type(part) is list:
            yield from _numbered("element", part)
        elif slot in _OWN_NAMES and type(part) is dict:
            yield from _pairs(part.items())
        elif slot == "$map" and type(part) is list:
            yield from _pairs(part)
        else:
            yield Step("key", slot[1:] if slot.startswith("$$") else slot), part


def _pairs(pairs: Iterable[Any]) -> Iterator[_Part]:
    for index, (key, part) in enumerate(pairs):
        if type(key) is str:
            yield Step("key", key), part
        elif type(key) is int:
            yield Step("index", key), part
        else:
            yield Step("element", index), key
            yield Step("entry", index), part


def _numbered(kind: Literal["index", "element"], parts: Iterable[Any]) -> Iterator[_Part]:
    return ((Step(kind, index), part) for index, part in enumerate(parts))


# --- what a value is


def _may_be_shared(value: Any) -> bool:
    kind = type(value)
    if kind is Record or kind is Tag or kind is bytearray:
        return True
    if kind is tuple or kind is frozenset:
        return len(value) > 0
    return issubclass(kind, (dict, *_SEQUENCES, *_SETS))


def _is_value(record: Record) -> bool:
    """Tell whether an instance is one value, as a path or an enum member is."""
    held = record.items
    names = [slot for slot in held if slot != "value"]
    if len(names) != 1 or names[0] not in _VALUE_SLOTS:
        return False
    return _parts(held[names[0]]) is None and _parts(held.get("value")) is None


def _size(value: Any) -> int | None:
    """Return how many entries, elements or fields a container has; None for an atom."""
    kind = type(value)
    if kind is Record:
        own = (*_OWN_SEQUENCES, *_OWN_SETS, *_OWN_NAMES, "$map")
        held = value.items.items()
        sizes = (
            len(part) if slot in own and type(part) in (list, dict) else 1 for slot, part in held
        )
        return None if _is_value(value) else sum(sizes)
    if kind is Tag:
        return 1
    return len(value) if issubclass(kind, (dict, *_SEQUENCES, *_SETS)) else None


def _type(value: Any) -> str:
    kind = type(value)
    if kind is Record:
        return _shown(value.name)
    if kind is Tag:
        return f"tag {value.number}"
    return {Name: "reference", Simple: "simple"}.get(kind, kind.__name__)


def _element_type(value: Any) -> str:
    """Return the type that all elements of a sequence or set have, "" if they have several."""
    if not issubclass(type(value), (*_SEQUENCES, *_SETS)):
        return ""
    types = {_type(part) for part in value}
    return types.pop() if len(types) == 1 else ""


def _text(value: Any) -> str:
    kind = type(value)
    if kind is Record:
        held = next(part for slot, part in value.items.items() if slot != "value")
        return _shown(held) if type(held) is str and "$enum" in value.items else _text(held)
    if kind is Name:
        return _shown(value.name)
    if kind is Simple:
        return "undefined" if value.number == _UNDEFINED else str(value.number)
    return _shown(str(value)) if kind.__name__ in _SPELLED else brief(value)


def _shown(text: str) -> str:
    return shown(text, _NAME_ROOM)


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}"


def _size_in_bytes(data: bytes | str) -> int:
    if isinstance(data, str):
        return len(data) if data.isascii() else len(data.encode("utf-8", "surrogatepass"))
    return len(data)
