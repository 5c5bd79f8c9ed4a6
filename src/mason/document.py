"""The inert tree of a document: what `mason.read` gives, with nothing imported and nothing built.

Strategy: a `Document` holds the tree, the names it needs and the original data. Building and
dumping are the business of the layer above, which hands them in as callables. Looking for a path
and walking go by exact types and never ask a value for its attributes beyond those that its type
defines: a tree may hold whatever a file says.
"""

from __future__ import annotations

from collections import ChainMap, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

from mason._core import Name, Record, Simple, Tag
from mason.errors import Need, PathError, shown
from mason.paths import Place, Step, format_path, parse_path

if TYPE_CHECKING:
    from mason.formats import Format

__all__ = ["Document", "Name", "Need", "Record", "Simple", "Tag", "walk"]

_T = TypeVar("_T")
Part: TypeAlias = tuple[Step, Any]
_MISSING: Any = object()
_SEQUENCES = (list, tuple, deque)
_SETS = (set, frozenset)
# the slots of an inert instance that hold what is inside the object itself: paths do not name them
OWN_SEQUENCES = ("$list", "$tuple")
OWN_SETS = ("$set", "$frozenset")
OWN_NAMES = ("$extra", "$dict")


class Document:
    """Hold a document that was read and not built; made by `mason.read` and `mason.reads`.

    `build`, `dump` and `dumps` are called with the document and the arguments of the method of the
    same name.
    """

    __slots__ = ("_build", "_data", "_dump", "_dumps", "_format", "_needs", "_root", "_typed")

    def __init__(
        self,
        root: Any,
        *,
        format: Format,
        typed: bool,
        needs: Iterable[tuple[str, str, int, str]],
        data: bytes | str,
        build: Callable[..., Any],
        dump: Callable[..., None],
        dumps: Callable[..., str | bytes],
    ) -> None:
        self._root = root
        self._format = format
        self._typed = typed
        self._needs = tuple(Need(*need) for need in needs)
        self._data = data
        self._build = build
        self._dump = dump
        self._dumps = dumps

    @property
    def root(self) -> Any:
        """Return the tree: plain values, datetimes and their like, `Record Name Tag Simple`."""
        return self._root

    @property
    def format(self) -> Format:
        """Return the format that the document was in."""
        return self._format

    @property
    def typed(self) -> bool:
        """Tell whether the document says of itself that it is mason's notation; never for CBOR."""
        return self._typed

    @property
    def needs(self) -> tuple[Need, ...]:
        """Return the names that building asks for: each with use, count and first path."""
        return self._needs

    @property
    def data(self) -> bytes | str:
        """Return the document as it was read, decompressed."""
        return self._data

    def at(self, path: str) -> Any:
        """Return the part of the tree at a path such as `$.orders[3].total`.

        Raises `PathError` for a text that is no path, and for one that leads nowhere.
        """
        value = self._root
        steps = parse_path(path)
        for count, step in enumerate(steps):
            part = _part(value, step)
            if part is _MISSING:
                raise PathError(
                    f"there is no {step} in the {_kind(value)} at {format_path(steps[:count])}",
                    hint=_offer(value),
                )
            value = part
        return value

    @overload
    def build(
        self,
        type: type[_T],
        *,
        trust: Any = (),
        unknown: Literal["raise", "keep"] = "raise",
        aliases: Any = None,
        registry: Any = None,
        limits: Any = None,
    ) -> _T: ...
    @overload
    def build(
        self,
        type: Any = None,
        *,
        trust: Any = (),
        unknown: Literal["raise", "keep"] = "raise",
        aliases: Any = None,
        registry: Any = None,
        limits: Any = None,
    ) -> Any: ...
    def build(
        self,
        type: Any = None,
        *,
        trust: Any = (),
        unknown: Literal["raise", "keep"] = "raise",
        aliases: Any = None,
        registry: Any = None,
        limits: Any = None,
    ) -> Any:
        """Build the objects from the very data that was read, as `mason.load` does.

        Raises what `mason.load` raises.
        """
        return self._build(
            self,
            type,
            trust=trust,
            unknown=unknown,
            aliases=aliases,
            registry=registry,
            limits=limits,
        )

    def dump(
        self, destination: Any, *, format: Format | None = None, indent: int | None = None
    ) -> None:
        """Write the document, in its own or another format, without building it.

        Raises `DumpError` and what the file system raises.
        """
        self._dump(self, destination, format=format, indent=indent)

    @overload
    def dumps(self, *, format: Literal["json"], indent: int | None = None) -> str: ...
    @overload
    def dumps(self, *, format: Literal["cbor", "pickle"], indent: int | None = None) -> bytes: ...
    @overload
    def dumps(self, *, format: Format | None = None, indent: int | None = None) -> str | bytes: ...
    def dumps(self, *, format: Format | None = None, indent: int | None = None) -> str | bytes:
        """Return the document as str (JSON) or bytes (CBOR), without building it."""
        return self._dumps(self, format=format, indent=indent)

    def __repr__(self) -> str:
        names = len(self._needs)
        needs = f", needs {names:,} name{'s' if names != 1 else ''}" if names else ""
        size = f"{len(self._data):,} {_unit(self._data)}"
        return f"<Document {self._format}, {size}, root {_kind(self._root)}{needs}>"


def walk(root: Any) -> Iterator[tuple[Place, Any]]:
    """Give each value of an inert tree with its place, containers before what they hold.

    What is shared is given once, where it is met first; atoms each time. `str(place)` is the path.
    Depth costs no stack.
    """
    met: dict[int, Any] = {}
    line: list[Iterator[tuple[Place, Any]]] = [iter([(Place(), root)])]
    while line:
        for place, value in line[-1]:
            inside = parts_of(value)
            if inside is not None:
                if id(value) in met:
                    continue
                met[id(value)] = value  # kept alive, so that the number stays its own
            yield place, value
            if inside is not None:
                line.append(_placed(place, inside))
                break
        else:
            line.pop()


# --- from a container to its parts


def _placed(place: Place, inside: Iterator[Part]) -> Iterator[tuple[Place, Any]]:
    for step, part in inside:
        yield Place(place, step), part


def parts_of(value: Any, every_key: bool = False) -> Iterator[Part] | None:
    """Return the parts of a container with the steps to them; None for an atom.

    Keys that are containers are among them; with `every_key`, so are all that are no text or int.
    """
    kind = type(value)
    if kind is Record:
        return _parts_of_record(value.items, every_key)
    if kind is Tag:
        return iter([(Step("index", 0), value.value)])
    if issubclass(kind, dict):
        return _parts_of_pairs(dict.items(value), every_key)
    if issubclass(kind, _SEQUENCES):
        return _numbered("index", kind.__iter__(value))
    if issubclass(kind, _SETS):
        return _numbered("element", kind.__iter__(value))
    if kind is ChainMap:
        return _numbered("index", value.maps)
    return _parts_of_pairs(vars(value).items(), every_key) if kind is SimpleNamespace else None


def _parts_of_record(items: dict[str, Any], every_key: bool) -> Iterator[Part]:
    for slot, part in items.items():
        if slot in OWN_SEQUENCES and type(part) is list:
            yield from _numbered("index", part)
        elif slot in OWN_SETS and type(part) is list:
            yield from _numbered("element", part)
        elif slot in OWN_NAMES and type(part) is dict:
            yield from _parts_of_pairs(part.items(), every_key)
        elif slot == "$map" and _are_pairs(part):
            yield from _parts_of_pairs(part, every_key)
        else:
            yield Step("key", slot[1:] if slot.startswith("$$") else slot), part


def _are_pairs(part: Any) -> bool:
    """Tell whether a slot holds what it should: nobody has looked at an inert instance yet."""
    return type(part) is list and all(type(pair) is list and len(pair) == 2 for pair in part)


def _parts_of_pairs(pairs: Iterable[Any], every_key: bool) -> Iterator[Part]:
    for index, (key, part) in enumerate(pairs):
        if type(key) is str or type(key) is int:
            yield Step("key" if type(key) is str else "index", key), part
            continue
        if every_key or parts_of(key) is not None:
            yield Step("element", index), key
        yield Step("entry", index), part


def _numbered(kind: Literal["index", "element"], parts: Iterable[Any]) -> Iterator[Part]:
    return ((Step(kind, index), part) for index, part in enumerate(parts))


# --- one step, without going through all parts


def _part(value: Any, step: Step) -> Any:
    """Return the part of a container that a step leads to, or `_MISSING`."""
    kind = type(value)
    if kind is Record:
        return _part_of_record(value.items, step)
    if issubclass(kind, dict):
        return _part_of_dict(value, step)
    if kind is SimpleNamespace:
        return _part_of_dict(vars(value), step) if step.kind == "key" else _MISSING
    if kind is Tag:
        return value.value if step == ("index", 0) else _MISSING
    if issubclass(kind, _SETS):
        return _nth(value, step) if step.kind == "element" else _MISSING
    sequence = value.maps if kind is ChainMap else value
    found = issubclass(type(sequence), _SEQUENCES) and step.kind == "index"
    return _nth(sequence, step) if found else _MISSING


def _part_of_record(items: dict[str, Any], step: Step) -> Any:
    pairs = items["$map"] if _are_pairs(items.get("$map")) else ()
    if step.kind == "key":
        key = str(step.at)
        # the slot itself may be named, too: $["$new"][0]
        spellings = ("$" + key, key) if key.startswith("$") else (key,)
        holders = (items, items.get("$extra"), items.get("$dict"))
        found = (
            holder[k]
            for k in spellings
            for holder in holders
            if type(holder) is dict and k in holder
        )
        return next(found, next((v for k, v in pairs if type(k) is str and k == key), _MISSING))
    if step.kind == "index":
        lists = (items[slot] for slot in OWN_SEQUENCES if type(items.get(slot)) is list)
        found = (_nth(part, step) for part in lists)
        return next(found, next((v for k, v in pairs if type(k) is int and k == step.at), _MISSING))
    if step.kind == "element":
        sets = (items[slot] for slot in OWN_SETS if type(items.get(slot)) is list)
        return next((_nth(part, step) for part in sets), _nth((k for k, _ in pairs), step))
    return _nth((v for _, v in pairs), step)


def _part_of_dict(items: dict[Any, Any], step: Step) -> Any:
    if step.kind == "element":
        return _nth(dict.keys(items), step)
    if step.kind == "entry":
        return _nth(dict.values(items), step)
    if not dict.__contains__(items, step.at):
        return _MISSING
    if step.at in (0, 1):  # the key may be False or 1.0, which is another place
        keys = (key for key in dict.keys(items) if type(key) is int and key == step.at)
        return dict.__getitem__(items, step.at) if next(keys, None) is not None else _MISSING
    return dict.__getitem__(items, step.at)


def _nth(parts: Iterable[Any], step: Step) -> Any:
    number = int(step.at)
    if isinstance(parts, _SEQUENCES):
        return parts[number] if 0 <= number < len(parts) else _MISSING
    return next(islice(parts, number, None), _MISSING) if number >= 0 else _MISSING


# --- words


def _kind(value: Any) -> str:
    kind = type(value)
    return shown(value.name, 80) if kind is Record else kind.__name__


def _unit(data: bytes | str) -> str:
    return "characters" if isinstance(data, str) else "bytes"


def _offer(value: Any) -> str | None:
    """Name a few steps that do lead somewhere."""
    inside = parts_of(value)
    steps = [shown(str(step), 40) for step, _ in islice(inside, 6)] if inside is not None else []
    if not steps:
        return None
    return f"what is there: {' '.join(steps[:5])}{' ...' if len(steps) > 5 else ''}"
