"""The line, spelled once: dump, dumps, dumpb, load, loads, read, reads.

Strategy: options become flags, the core does the walk, `files` does the input and output. Loading
is optimistic: the core builds and asks for each name once; at the first name that is refused what
was built is dropped and the document is read again inertly, so that the error tells of all of them.
A class with a hook (`__del__`, an upgrade) turns that round: all names are judged first.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from mason import _core
from mason.errors import (
    DumpError,
    JSONError,
    LoadError,
    MasonError,
    Need,
    Refused,
    dump_error,
    load_error,
)
from mason.files import read_source, write_destination
from mason.formats import check_format, explain, format_of
from mason.judging import INERT, Names, judge
from mason.registry import DEFAULT, Registry

if TYPE_CHECKING:
    from mason.document import Document
    from mason.files import Path, Readable, Writable
    from mason.formats import Bytes, Format
    from mason.limits import Limits


_T = TypeVar("_T")
_TYPED, _PLAIN, _SHARED, _STABLE, _TEXT = 1, 2, 4, 8, 16  # of the core's dump
_READ_PLAIN, _JUDGED, _ORDERED = 1, 4, 32  # of the core's load
_PLANS = DEFAULT.plans  # nothing is ever registered there
_MODULES = sys.modules
_PATTERNS = "mason.adapters.patterns"


def _begin_patterns() -> None:
    """Give the regular expressions of the next document their budget, where they are in use."""
    _MODULES[_PATTERNS].begin_document()


def _bounds(limits: Limits) -> tuple[float, ...]:
    """Return the bounds for the core, which has the defaults of `Limits` itself."""
    from mason.limits import Limits

    if not isinstance(limits, Limits):
        raise TypeError(f"limits= takes a mason.Limits, not {type(limits).__name__}")
    return limits.as_tuple()


def _checked(registry: Registry) -> Registry:
    if not isinstance(registry, Registry):
        raise TypeError(f"registry= takes a mason.Registry, not {type(registry).__name__}")
    return registry


def _kind_plan(name: str) -> _core.Plan | None:
    from mason.adapters.stdlib import kind_plan

    return kind_plan(name)


_core.install(
    dump_error=dump_error,
    load_error=load_error,
    mason_error=MasonError,
    refused=Refused,
    kind_plan=_kind_plan,
)


# --- writing


def dump(
    obj: Any,
    destination: Path | Writable,
    *,
    format: Format | None = None,
    indent: int | None = None,
    typed: bool = False,
    plain: bool = False,
    shared: bool = True,
    durable: bool = False,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> None:
    """Write an object to a path, atomically, or to a file object.

    The format is `format`, else what the suffix says (`.json`, `.cbor`, `.pkl`, also with `.gz
    .bz2 .xz .zst`). `indent` spreads JSON over lines, for people and version control; `typed`
    writes the header of a typed document always; `plain` refuses whatever is not plain data;
    `shared=False` writes again what is met twice; `durable` waits until the disk has the data.

    Raises `DumpError`, which lists all values that cannot be written and leaves the destination as
    it was; `UnknownFormatError`; OSError as the file system does.
    """

    def render(chosen: Format, want_text: bool) -> bytes | str:
        return _render(obj, chosen, indent, typed, plain, shared, registry, limits, want_text)

    write_destination(destination, render, format, durable=durable, limits=limits)


@overload
def dumps(
    obj: Any,
    *,
    format: Literal["json"] = "json",
    indent: int | None = None,
    typed: bool = False,
    plain: bool = False,
    shared: bool = True,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> str: ...
@overload
def dumps(
    obj: Any,
    *,
    format: Literal["cbor", "pickle"],
    indent: int | None = None,
    typed: bool = False,
    plain: bool = False,
    shared: bool = True,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> bytes: ...
@overload
def dumps(
    obj: Any,
    *,
    format: Format,
    indent: int | None = None,
    typed: bool = False,
    plain: bool = False,
    shared: bool = True,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> str | bytes: ...
def dumps(
    obj: Any,
    *,
    format: Format = "json",
    indent: int | None = None,
    typed: bool = False,
    plain: bool = False,
    shared: bool = True,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> str | bytes:
    """Return the document of an object: str for JSON, bytes for CBOR and pickle.

    Options as in `dump`. Raises `DumpError`.
    """
    return _render(obj, format, indent, typed, plain, shared, registry, limits, format == "json")


def dumpb(
    obj: Any,
    *,
    format: Format = "json",
    indent: int | None = None,
    typed: bool = False,
    plain: bool = False,
    shared: bool = True,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> bytes:
    """Return the document of an object as bytes, JSON in UTF-8.

    Options as in `dump`. Raises `DumpError`.
    """
    data: Any = _render(obj, format, indent, typed, plain, shared, registry, limits, False)
    return data  # type: ignore[no-any-return]


def _render(
    obj: Any,
    format: Format,
    indent: int | None,
    typed: bool,
    plain: bool,
    shared: bool,
    registry: Registry | None,
    limits: Limits | None,
    text: bool,
) -> str | bytes:
    if format != "json" and format != "cbor":
        check_format(format)
        return _pickled(obj, indent, typed, plain, shared)
    flags = (_TEXT if text else 0) | (_SHARED if shared else 0)
    if typed or plain:
        flags |= (_TYPED if typed else 0) | (_PLAIN if plain else 0)
    if indent is not None:
        flags |= _STABLE
        if type(indent) is not int or not 0 <= indent <= 64:
            raise ValueError(f"indent is an int between 0 and 64, or None; not {indent!r}")
    plans = _PLANS if registry is None else _checked(registry).plans
    bounds = None if limits is None else _bounds(limits)
    if _PATTERNS in _MODULES:
        _begin_patterns()
    return _core.dump(obj, plans, format, indent, flags, bounds)


def _pickled(obj: Any, indent: int | None, typed: bool, plain: bool, shared: bool) -> bytes:
    if indent is not None or typed or plain or not shared:
        raise DumpError(
            "a pickle has no indent=, typed=, plain= or shared=False",
            hint='they belong to format="json" and format="cbor"',
        )
    from mason import pickle

    try:
        return pickle.dumps(obj)
    except MemoryError:
        raise
    except Exception as error:
        raise DumpError(
            f"the object cannot be pickled: {type(error).__name__}: {error}",
            hint='format="json" or format="cbor" tells where the trouble is',
        ) from error


# --- reading


@overload
def load(
    source: Path | Readable,
    type: type[_T],
    *,
    trust: Any = (),
    unknown: Literal["raise", "keep"] = "raise",
    aliases: Mapping[str, Any] | None = None,
    format: Format | None = None,
    plain: bool = False,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> _T: ...
@overload
def load(
    source: Path | Readable,
    type: Any = None,
    *,
    trust: Any = (),
    unknown: Literal["raise", "keep"] = "raise",
    aliases: Mapping[str, Any] | None = None,
    format: Format | None = None,
    plain: bool = False,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> Any: ...
def load(
    source: Path | Readable,
    type: Any = None,
    *,
    trust: Any = (),
    unknown: Literal["raise", "keep"] = "raise",
    aliases: Mapping[str, Any] | None = None,
    format: Format | None = None,
    plain: bool = False,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> Any:
    """Read a path or file object and build its objects; the file never decides what code runs.

    Classes are used only when they were named: by `type` (which the root must be an instance of,
    and whose annotations are followed within its package), by `trust` (classes, "module" strings,
    `mason.trust.call(function)`, callables `(name, use) -> bool`), or in the `registry`. Names that
    are not trusted raise, or are kept as inert records with `unknown="keep"`. `aliases` maps names
    of old documents to those of today; `plain` takes the document as plain data, whatever it says.

    Raises `UntrustedError` with all names that are missing, before any code of any class has run;
    `LoadError` for what is no such document, with the place; `LimitError`; `UnknownFormatError`;
    OSError as the file system does.
    """
    if limits is not None:
        _bounds(limits)  # raises before anything is read
    data, chosen = read_source(source, format, limits)
    name = _file_name(source)
    return _load(data, chosen, type, trust, unknown, aliases, plain, registry, limits, name)


@overload
def loads(
    data: str | Bytes,
    type: type[_T],
    *,
    trust: Any = (),
    unknown: Literal["raise", "keep"] = "raise",
    aliases: Mapping[str, Any] | None = None,
    format: Format | None = None,
    plain: bool = False,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> _T: ...
@overload
def loads(
    data: str | Bytes,
    type: Any = None,
    *,
    trust: Any = (),
    unknown: Literal["raise", "keep"] = "raise",
    aliases: Mapping[str, Any] | None = None,
    format: Format | None = None,
    plain: bool = False,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> Any: ...
def loads(
    data: str | Bytes,
    type: Any = None,
    *,
    trust: Any = (),
    unknown: Literal["raise", "keep"] = "raise",
    aliases: Mapping[str, Any] | None = None,
    format: Format | None = None,
    plain: bool = False,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> Any:
    """Build the objects of a document in memory; options and errors as in `load`.

    Raises TypeError for what is neither str nor bytes.
    """
    chosen = format_of(data, format)
    try:
        return _load(data, chosen, type, trust, unknown, aliases, plain, registry, limits, None)
    except JSONError as error:
        explain(error, data, "load")
        raise


def read(
    source: Path | Readable,
    *,
    format: Format | None = None,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> Document:
    """Read a path or file object and build nothing: an inert `Document` to look at.

    Nothing is imported and no name is looked up; `registry` is the one that `build` uses. Raises
    `LoadError` and its children, never `UntrustedError`; OSError as the file system does.
    """
    if limits is not None:
        _bounds(limits)  # raises before anything is read
    data, chosen = read_source(source, format, limits)
    return _document(data, chosen, registry, limits)


def reads(
    data: str | Bytes,
    *,
    format: Format | None = None,
    registry: Registry | None = None,
    limits: Limits | None = None,
) -> Document:
    """Read a document in memory and build nothing, as `read` does.

    Raises TypeError for what is neither str nor bytes.
    """
    chosen = format_of(data, format)
    try:
        return _document(data, chosen, registry, limits)
    except JSONError as error:
        explain(error, data, "read")
        raise


def _file_name(source: Any) -> str | None:
    from os import PathLike, fspath

    return str(fspath(source)) if isinstance(source, str | PathLike) else None


def _no_pickle() -> LoadError:
    return LoadError(
        "this is a pickle, and this version of mason does not read pickles yet",
        hint="it never will by running them; format= if the content was taken for one wrongly",
    )


def _load(
    data: str | Bytes,
    format: Format,
    type: Any,
    trust: Any,
    unknown: str,
    aliases: Mapping[str, Any] | None,
    plain: bool,
    registry: Registry | None,
    limits: Limits | None,
    name: str | None,
) -> Any:
    if unknown != "raise" and unknown != "keep":
        raise ValueError(f'unknown is "raise" or "keep", not {unknown!r}')
    if format == "pickle":
        raise _no_pickle()
    asked = DEFAULT if registry is None else _checked(registry)
    names = Names(asked, trust, type, aliases, unknown)
    bounds = None if limits is None else _bounds(limits)
    flags = (_READ_PLAIN if plain else 0) | (_ORDERED if unknown == "keep" else 0)
    if _PATTERNS in _MODULES:
        _begin_patterns()
    try:
        value = _core.load(data, format, names, flags, bounds)
    except (_core.NotTrusted, _core.NeedsJudging):
        judge(data, format, names, bounds, name)
        value = _core.load(data, format, names, flags | _JUDGED, bounds)
    if type is not None:
        names.policy.check_root(value)
    return value


def _document(
    data: str | Bytes, format: Format, registry: Registry | None, limits: Limits | None
) -> Document:
    from mason.document import Document

    if format == "pickle":
        raise _no_pickle()
    if not isinstance(data, str | bytes):
        data = bytes(data)
    if registry is not None:
        _checked(registry)
    bounds = None if limits is None else _bounds(limits)
    root, needs, typed = _core.load(data, format, None, INERT | _ORDERED, bounds)
    return Document(
        root,
        format=format,
        typed=typed,
        needs=[Need(*need) for need in needs if not _always_trusted(need)],
        data=data,
        build=lambda document, type, **options: _build(document, type, registry, **options),
        dump=_dump_document,
        dumps=_dumps_document,
    )


def _always_trusted(need: tuple[str, str, int, str]) -> bool:
    """Tell whether a name is a value kind of the standard library, which needs no trust."""
    return need[1] == "instance" and _kind_plan(need[0]) is not None


def _build(document: Document, type: Any, read_with: Registry | None, **options: Any) -> Any:
    options["registry"] = options.get("registry") or read_with
    return loads(document.data, type, format=document.format, **options)


def _dump_document(
    document: Document, destination: Any, *, format: Format | None, indent: int | None
) -> None:
    def render(chosen: Format, want_text: bool) -> bytes | str:
        typed = document.typed and chosen == "json"
        return _render(document.root, chosen, indent, typed, False, True, None, None, want_text)

    write_destination(destination, render, format)


def _dumps_document(
    document: Document, *, format: Format | None, indent: int | None
) -> str | bytes:
    chosen = format or document.format
    typed = document.typed and document.format == chosen == "json"
    return dumps(document.root, format=chosen, indent=indent, typed=typed)
