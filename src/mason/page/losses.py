"""Where each format stops, or what it changes, by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mason.page.figures import count_text
from mason.page.markup import Markup, tag
from mason.page.outcomes import outcome_mark
from mason.page.sheet import code, sentence
from mason.page.table import NAME_ROOM, Row, rows_of
from mason.text import shown

_PATHS = 1_000  # of one format
_BYTES = 500_000  # of all of them together
_PATH_ROOM = 300
_TEXT_ROOM = 300
_REASON_ROOM = 600
_SHORT = 100  # where there is no more room
_OPEN = 12  # formats that are open at first


def anchors(data: Mapping[str, Any]) -> dict[str, str]:
    """Return, by name, where the losses of a format are told."""
    return {row["name"]: f"loss-{number}" for number, row in _lossy(data)}


def losses(data: Mapping[str, Any]) -> Markup | None:
    """Return one block for each format that is not exact, None when all are."""
    found, left = [], _BYTES
    lossy = _lossy(data)
    for number, row in lossy:
        block = _block(number, row, len(lossy) <= _OPEN, left > 0)
        left -= block.size
        found.append(block)
    return tag("div", *found, class_="losses") if found else None


def _lossy(data: Mapping[str, Any]) -> list[tuple[int, Row]]:
    return [
        (number, row)
        for number, row in enumerate(rows_of(data), 1)
        if row["outcome"] != "exact" and (row["reason"] or row["path"] or row["changes"])
    ]


def _block(number: int, row: Row, is_open: bool, room: bool) -> Markup:
    """Return what is lost in one format; without room its changes are only counted."""
    path_room, reason_room = (_PATH_ROOM, _REASON_ROOM) if room else (_SHORT, _SHORT)
    name = tag("span", shown(row["name"], NAME_ROOM), class_="name")
    total = row["changes_total"] or len(row["changes"])
    said = tag("small", count_text(total, "change")) if total else None
    changes, left = _listed(row["changes"], total) if room else ([], total)
    return tag(
        "details",
        tag("summary", name, " ", outcome_mark(row["outcome"]), " ", said),
        sentence(shown(row["reason"], reason_room)) if row["reason"] else None,
        sentence("It stops at ", code(shown(row["path"], path_room))) if row["path"] else None,
        tag("ul", *changes, class_="lost") if changes else None,
        sentence(f"… and {left:,} more", class_="note") if left > 0 else None,
        id=f"loss-{number}",
        open=is_open,
    )


def _listed(changes: Sequence[Mapping[str, Any]], total: int) -> tuple[list[Markup], int]:
    """Return the changes, those that are alike as one, and how many are left."""
    found = []
    left = _PATHS
    for change in changes:
        if left <= 0:
            break
        others = change.get("others", ())[: left - 1]
        found.append(_change(change, others))
        left -= 1 + len(others)
    return found, total - (_PATHS - left)


def _change(change: Mapping[str, Any], others: Sequence[str]) -> Markup:
    more = tag(
        "details",
        tag("summary", f"and at {count_text(len(others), 'other place', 'other places')}"),
        tag("ul", *(tag("li", code(shown(path, _PATH_ROOM))) for path in others)),
    )
    return tag(
        "li",
        code(shown(change["path"], _PATH_ROOM)),
        " ",
        tag("span", shown(change["text"], _TEXT_ROOM), class_="what"),
        more if others else None,
    )
