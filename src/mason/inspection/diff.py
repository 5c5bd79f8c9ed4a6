"""What changed from one document to another, by path; nothing is imported, built or run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mason.errors import PathError
from mason.inspection.arrays import Tolerance
from mason.inspection.inert import Place
from mason.inspection.walking import MISSING, Change, Walk
from mason.paths import parse_path
from mason.trust.items import Aliases, Grants

if TYPE_CHECKING:
    from mason.document import Document

__all__ = ["Change", "Diff", "diff"]


@dataclass(frozen=True, slots=True)
class Diff:
    """Hold the changes from a document `a` to a document `b`; `counts` has all, by kind.

    `cut` tells that there are more than `changes` holds.
    """

    a: str
    b: str
    changes: tuple[Change, ...]
    counts: Mapping[str, int]

    @property
    def same(self) -> bool:
        """Tell whether nothing changed."""
        return not self.counts

    @property
    def cut(self) -> bool:
        """Tell whether there are more changes than those listed."""
        return sum(self.counts.values()) > len(self.changes)

    def as_json(self) -> dict[str, Any]:
        """Return the diff as plain data."""
        return {
            "version": 1,
            "same": self.same,
            "a": self.a,
            "b": self.b,
            "changes": [change._asdict() for change in self.changes],
            "counts": dict(self.counts),
            "cut": self.cut,
        }


def diff(
    a: Document,
    b: Document,
    *,
    aliases: Mapping[str, str] | None = None,
    rtol: float = 0.0,
    atol: float = 0.0,
    limit: int | None = None,
    path: str = "$",
    names: tuple[str, str] = ("a", "b"),
) -> Diff:
    """Return what changed from document `a` to document `b`, or in their parts at `path`.

    `aliases` gives yesterday's names of classes or modules those of today, on both sides. Floats
    may differ by `atol + rtol * abs(float in b)`; everything else is compared exactly. At most
    `limit` changes are listed; all are counted. Raises `PathError` where neither document has
    something at `path`, `PolicyError` for an alias that is no name, ValueError for a negative
    tolerance or limit.
    """
    if not (rtol >= 0 and atol >= 0) or (limit is not None and limit < 0):
        raise ValueError("rtol, atol and limit must not be negative")
    known = Aliases()
    known.add_all(aliases, Grants())
    walk = Walk(known.apply, Tolerance(rtol, atol), limit)
    place: Place = None
    for step in parse_path(path):
        place = (place, step)
    parts = _parts_at(a, b, path)
    if a.format != b.format or a.data != b.data:  # else there is nothing to look for
        walk.run(place, *parts)
    return Diff(*names, tuple(walk.changes), walk.counts)


def _parts_at(a: Document, b: Document, path: str) -> tuple[Any, Any]:
    found: list[Any] = []
    errors: list[PathError] = []
    for document in (a, b):
        try:
            found.append(document.at(path))
        except PathError as error:
            found.append(MISSING)
            errors.append(error)
    if len(errors) == 2:
        raise errors[0]
    return found[0], found[1]
