"""What the object itself is: its types, sharing, depth, whether it is plain, or a table.

Strategy: one walk on an explicit stack, through `parts`, so that no code of the object's runs. It
is done in a child, as all that is done with the object: whatever the object does to those who look
at it, it does there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from mason.comparison.parts import values
from mason.comparison.processes import Answer, Say
from mason.comparison.results import About
from mason.comparison.spellings import Subject
from mason.inspection.classes import line_of, module_and_name
from mason.inspection.natives import native
from mason.inspection.state import Kinds

if TYPE_CHECKING:
    from mason.document import Document

_SAFE_INT = 1 << 53  # beyond it JavaScript loses digits
_SCALARS = (type(None), bool, int, float, str, bytes)
_MOMENTS = ("datetime", "date", "time", "timedelta", "Decimal")
_TREE = 300_000  # values; what is larger is not shown as a tree
_NAMES = 100  # of classes that are listed
_ITEMS = 100  # of one container that are shown
_ARRAYS = {("numpy", "ndarray"), ("torch", "Tensor"), ("jax", "Array")}
_NUMBERS = "biuf"  # the kinds of dtypes of numpy that hold numbers and nothing else
_ESTIMATORS = {"BaseEstimator"}
_SHARE = 0.25  # of a child's seconds, for the walk


class Facts:
    """Look at the object in a child; an instance is the work of that child."""

    def __init__(self, subject: Subject, from_file: bool, seconds: float) -> None:
        self._obj = subject.obj
        self._from_file = from_file
        self._until = time.monotonic() + seconds * _SHARE

    def __call__(self, command: Answer, say: Say) -> None:
        """Tell what the object is, and then how it is built."""
        table, rows = _table(self._obj)
        walk = _Walk(self._until)
        walk.run(self._obj)
        about = About(
            type=_name(type(self._obj)),
            values=walk.values,
            classes=tuple(walk.classes)[:_NAMES],
            shared=len(walk.shared),
            cycles=walk.cycles,
            depth=walk.depth,
            plain=_is_plain(self._obj),
            table=bool(table),
            from_file=self._from_file,
            table_rows=rows,
            model=_model(self._obj),
            nan=walk.nan,
            long_ints=walk.long_ints,
            complete=walk.complete,
            named=bool(walk.classes),
        )
        say({"about": asdict(about), "table": table})
        small = walk.complete and walk.values <= _TREE
        document = _document(self._obj) if small else None
        if document is not None:  # it knows: a Counter has a class, and no reader has to be told
            say({"about": asdict(replace(about, named=bool(document.needs)))})
        say({"last": True, "tree": None if document is None else _tree(document)})


class _Frame(NamedTuple):
    rest: Iterator[Any]
    id: int


class _Walk:
    """Count what an object reaches."""

    def __init__(self, until: float) -> None:
        self.values = 0
        self.depth = 0
        self.shared: set[int] = set()
        self.classes: dict[str, None] = {}
        self.cycles = self.nan = self.long_ints = False
        self.complete = True
        self._until = until
        self._kinds = Kinds()
        self._met: dict[int, Any] = {}
        self._open: set[int] = set()

    def run(self, root: Any) -> None:
        """Walk through everything, or until the time is over."""
        stack = [_Frame(iter([root]), 0)]
        while stack:
            self.depth = max(self.depth, len(stack) - 1)
            for value in stack[-1].rest:
                inside = self._enter(value)
                if inside is not None:
                    self._open.add(id(value))
                    stack.append(_Frame(inside, id(value)))
                    break
            else:
                self._open.discard(stack.pop().id)
            if not self.values % 1000 and time.monotonic() > self._until:
                self.complete = False
                return

    def _enter(self, value: Any) -> Iterator[Any] | None:
        """Count a value; return its parts where those have not been seen."""
        self.values += 1
        cls = type(value)
        if cls in _SCALARS:
            if cls is float:
                self.nan = self.nan or not math.isfinite(value)
            elif cls is int:
                self.long_ints = self.long_ints or not -_SAFE_INT <= value <= _SAFE_INT
            return None
        kind = self._kinds.of(cls)
        if native(cls) is None:
            self.classes[_name(cls)] = None
        if kind.atom is not None and kind.atom(value) is not None:
            return None
        if id(value) in self._met:
            if kind.shared:
                self.shared.add(id(value))
            self.cycles = self.cycles or id(value) in self._open
            return None
        self._met[id(value)] = value  # kept alive, so that the number stays its own
        return iter(values(value, self._kinds))


def _name(cls: type) -> str:
    module, name = module_and_name(cls)
    return name if module in ("builtins", "") else f"{module}:{name}"


def _is_plain(obj: Any) -> bool:
    from mason import DumpError, dumpb

    try:
        dumpb(obj, format="cbor", plain=True)
    except DumpError:
        return False
    return True


def _document(obj: Any) -> Document | None:
    """Return the object as a document, None where mason does not write it."""
    from mason import DumpError, dumpb, reads

    try:
        return reads(dumpb(obj, format="cbor"), format="cbor")
    except DumpError:
        return None


def _tree(document: Document) -> dict[str, Any]:
    """Return a document as `mason show` shows it."""
    from mason.inspection.show import as_json, show

    tree = show(document, items=_ITEMS)
    return as_json(tree._replace(needs=tree.needs[:_NAMES]))


# --- tables and models


def _table(obj: Any) -> tuple[str, int]:
    """Return which kind of table an object is, "" if none, and how many rows it has."""
    if type(obj) is list and len(obj) > 1 and _are_rows(obj):
        return "rows", len(obj)
    if type(obj) is dict and obj and _are_columns(obj):
        return "columns", len(next(iter(obj.values())))
    return "", 0


def _are_rows(rows: list[Any]) -> bool:
    first = rows[0]
    if type(first) is not dict or not first or not all(type(key) is str for key in first):
        return False
    keys = first.keys()
    return all(
        type(row) is dict and row.keys() == keys and all(map(_is_cell, row.values()))
        for row in rows
    )


def _are_columns(columns: dict[Any, Any]) -> bool:
    if not all(type(key) is str and type(column) is list for key, column in columns.items()):
        return False
    sizes = {len(column) for column in columns.values()}
    return (
        len(sizes) == 1
        and sizes.pop() > 1
        and all(_is_cell(cell) for column in columns.values() for cell in column)
    )


def _is_cell(value: Any) -> bool:
    cls = type(value)
    return cls in _SCALARS or (cls.__name__ in _MOMENTS and native(cls) is not None)


def _model(obj: Any) -> str:
    """Tell arrays and fitted estimators by the names of their classes; nothing is imported."""
    if _is_array(obj):
        return "array"
    if type(obj) is dict and obj and all(type(key) is str for key in obj):
        return "arrays" if all(map(_is_array, obj.values())) else ""
    lines = [module_and_name(cls) for cls in line_of(type(obj))]
    found = any(name in _ESTIMATORS and module.startswith("sklearn.") for module, name in lines)
    return "estimator" if found else ""


def _is_array(value: Any) -> bool:
    """Tell whether a value is an array of numbers, whose class is exactly that of its library."""
    module, name = module_and_name(type(value))
    if (module.partition(".")[0], name) not in _ARRAYS:
        return False
    return name != "ndarray" or value.dtype.kind in _NUMBERS
