"""The table of a comparison: one row for each format, sortable by every column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mason.page.figures import size_text, time_text
from mason.page.markup import Markup, Part, tag, together
from mason.page.outcomes import OUTCOMES, outcome_mark
from mason.page.sheet import sentence
from mason.text import shown

MOST_ROWS = 100
NAME_ROOM = 60
_WORD_ROOM = 60

Row = Mapping[str, Any]


class _Column(NamedTuple):
    """Say what a column holds; `number` is what it is sorted by, where that is no text."""

    title: str
    cell: Callable[[Row], Part]
    number: Callable[[Row], float | None] | None = None
    about: str | None = None


def rows_of(data: Mapping[str, Any]) -> list[Row]:
    """Return the rows that a page shows."""
    rows: list[Row] = data["rows"][:MOST_ROWS]
    return rows


def table(data: Mapping[str, Any], losses: Mapping[str, str]) -> Markup:
    """Return the table; `losses` leads from the name of a row to where its losses are told."""
    rows = rows_of(data)
    best = {column.title: _best(column, rows) for column in _COLUMNS if column.number}
    head = tag("thead", tag("tr", *(_heading(column) for column in _all_columns())))
    body = tag("tbody", *(_row(row, data, losses, best) for row in rows))
    whole = tag(
        "table", tag("caption", "Each format, with what came of it"), head, body, class_="sortable"
    )
    left = len(data["rows"]) - len(rows)
    return together(
        [
            tag(
                "div", whole, class_="scroll wide", tabindex=0, role="region",
                aria_label="Table of all formats",
            ),
            sentence(f"… and {left:,} more formats", class_="note") if left else None,
        ]
    )  # fmt: skip


def _all_columns() -> list[_Column]:
    return [_Column("Format", _name), _Column("Outcome", _name), *_COLUMNS]


def _heading(column: _Column) -> Markup:
    return tag(
        "th",
        tag("span", column.title),
        scope="col",
        class_="number" if column.number else None,
        title=column.about,
    )


def _row(
    row: Row, data: Mapping[str, Any], losses: Mapping[str, str], best: Mapping[str, float | None]
) -> Markup:
    chosen = row["name"] == data["verdict"]["choice"]
    order = list(OUTCOMES).index(row["outcome"]) if row["outcome"] in OUTCOMES else len(OUTCOMES)
    anchor = losses.get(row["name"])
    badge = tag("b", "best choice", class_="badge")
    mark: Part = outcome_mark(row["outcome"])
    if anchor:
        mark = tag("a", mark, href=f"#{anchor}")
    return tag(
        "tr",
        tag("th", _name(row), badge if chosen else None, scope="row"),
        tag("td", mark, data_value=order),
        *(_cell(column, row, best.get(column.title)) for column in _COLUMNS),
        class_="chosen" if chosen else None,
    )


def _cell(column: _Column, row: Row, best: float | None) -> Markup:
    if column.number is None:
        return tag("td", column.cell(row))
    number = column.number(row)
    if number is None:
        return tag("td", class_="number")
    is_best = best is not None and number == best and row["outcome"] == "exact"
    return tag(
        "td",
        tag("b", column.cell(row)) if is_best else column.cell(row),
        tag("span", " (best of the exact ones)", class_="aside") if is_best else None,
        class_="number",
        data_value=repr(number),
    )


def _best(column: _Column, rows: list[Row]) -> float | None:
    """Return the smallest number among the formats that give the object back."""
    assert column.number is not None
    exact = [column.number(row) for row in rows if row["outcome"] == "exact"]
    return min((number for number in exact if number is not None), default=None)


def _name(row: Row) -> Markup:
    package = shown(row["package"], NAME_ROOM)
    return together(
        [
            tag("span", shown(row["name"], NAME_ROOM), class_="name"),
            tag("small", package) if package and package != row["name"] else None,
        ]
    )


def _bytes(key: str) -> tuple[Callable[[Row], Part], Callable[[Row], float | None]]:
    def cell(row: Row) -> Part:
        return size_text(row[key])

    def number(row: Row) -> float | None:
        value: float | None = row[key]
        return value

    return cell, number


def _time(key: str) -> tuple[Callable[[Row], Part], Callable[[Row], float | None]]:
    def cell(row: Row) -> Part:
        time = row[key]
        return together([time_text(time["best"]), tag("small", f"to {time_text(time['worst'])}")])

    def number(row: Row) -> float | None:
        return row[key]["best"] if row[key] else None

    return cell, number


def _word(key: str) -> Callable[[Row], Part]:
    return lambda row: shown(row[key] or "", _WORD_ROOM)


_COLUMNS = (
    _Column("Size", *_bytes("size"), "bytes of the file"),
    _Column("Compressed", *_bytes("compressed"), "bytes after zlib, level 6"),
    _Column("Dump", *_time("dump"), "time to write: the best round, below it the worst"),
    _Column("Load", *_time("load"), "time to read back: the best round, below it the worst"),
    _Column("Dump memory", *_bytes("dump_peak"), "memory at its highest while writing"),
    _Column("Load memory", *_bytes("load_peak"), "memory at its highest while reading"),
    _Column("Safe to load", _word("safe"), None, "whether a file from a stranger may be loaded"),
    _Column("Who can read it", _word("readers")),
    _Column("Readable by eye", _word("human")),
    _Column(
        "After a rename",
        _word("renamed"),
        None,
        "whether a file can be read after its class was renamed or moved",
    ),
)
