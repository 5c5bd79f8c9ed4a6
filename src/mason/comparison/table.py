"""A comparison as text: a table, what changed or stopped, the verdict in plain words.

Strategy: lines are made of pieces with their meaning, as the commands print them; the plain text is
the same pieces without it. Where the width is too small, columns go in a stated order.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from mason.comparison.results import MOST_CHANGES, Row, Times
from mason.comparison.words import amount, counted, span

if TYPE_CHECKING:
    from mason.comparison.comparing import Comparison

Piece = tuple[str, str]

_GAP = 2
_ORDER = (
    "exact", "cannot tell", "changed", "refused", "failed", "crashed", "too slow", "too big",
)  # fmt: skip
_KINDS = {"exact": "text", "cannot tell": "needs", "changed": "needs", "left out": "note"}
_LEAST_PEAK = 1_000_000  # bytes
_LISTED = 3  # changes of one row
_LEGEND = {
    "dump": "dump, load: CPU time, the best and the worst",
    "zipped": "zipped: by zlib",
    "peak": "peak: memory on top",
    "safe": "safe: to load a stranger's file (named: classes that you name)",
    "read by": "read by: all languages or one",
    "renamed": "renamed: whether the file outlives a renamed class",
}


class _Column(NamedTuple):
    title: str
    cell: Callable[[Row], str]
    right: bool = False


def _times(times: Times | None) -> str:
    return "" if times is None else span(times.best, times.worst)


def _bytes(value: int | None) -> str:
    return "" if value is None else amount(value)


def _peak(row: Row) -> str:
    """Return the higher of two peaks; what pages and batches of the system hide is no figure."""
    known = max(row.dump_peak or 0, row.load_peak or 0)
    return amount(known) if known >= _LEAST_PEAK else ""


_SHORT = {"named classes only": "named", "every language": "all"}

_COLUMNS: tuple[_Column, ...] = (
    _Column("", lambda row: row.name),
    _Column("comes back", lambda row: row.outcome),
    _Column("dump", lambda row: _times(row.dump), True),
    _Column("load", lambda row: _times(row.load), True),
    _Column("size", lambda row: _bytes(row.size), True),
    _Column("zipped", lambda row: _bytes(row.compressed), True),
    _Column("peak", _peak, True),
    _Column("safe", lambda row: _SHORT.get(row.safe, row.safe)),
    _Column(
        "read by",
        lambda row: _SHORT.get(row.readers, "many" if "," in row.readers else row.readers),
    ),
    _Column("human", lambda row: row.human),
    _Column("renamed", lambda row: row.renamed),
)
# what goes first where the width is too small
_DROPPED = ("peak", "zipped", "renamed", "human", "read by", "safe")


def lines(comparison: Comparison, width: int = 100) -> Iterator[list[Piece]]:
    """Give a comparison as lines of pieces, none wider than `width`."""
    yield from _wrapped(_heading(comparison), "", width, "note")
    rows = ordered(comparison.rows)
    if rows:
        yield []
        yield from _table(rows, width)
    notes = list(_notes(comparison, width))
    yield from [[], *notes] if notes else []
    yield from _verdict(comparison, width)


def as_text(comparison: Comparison, width: int = 100) -> str:
    """Return a comparison as text."""
    return "\n".join(
        "".join(text for text, _ in line).rstrip() for line in lines(comparison, width)
    )


def ordered(rows: Iterable[Row]) -> list[Row]:
    """Return the rows that were tried, the exact ones first, the fast ones before the slow."""
    tried = [row for row in rows if row.outcome != "left out"]
    return sorted(tried, key=lambda row: (_ORDER.index(row.outcome), _cost(row)))


def _cost(row: Row) -> float:
    return sum(times.best for times in (row.dump, row.load) if times is not None)


def _heading(comparison: Comparison) -> str:
    about = comparison.about
    facts = [f"{comparison.title}: {about.type}", counted(about.values, "value")]
    if not about.complete:
        facts[-1] = f"more than {facts[-1]}"
    if about.classes:
        facts.append(counted(len(about.classes), "class", "es"))
    if about.shared:
        facts.append(f"{about.shared:,} shared")
    if about.cycles:
        facts.append("cycles")
    if about.table:
        facts.append(f"a table of {about.table_rows:,} rows")
    if about.plain:
        facts.append("plain data")
    return ", ".join(facts)


# --- the table


def _table(rows: list[Row], width: int) -> Iterator[list[Piece]]:
    columns = [column for column in _COLUMNS if any(column.cell(row) for row in rows)]
    for title in ("", *_DROPPED):
        columns = [column for column in columns if not title or column.title != title]
        widths = [
            max([len(column.title), *(len(column.cell(row)) for row in rows)]) for column in columns
        ]
        if sum(widths) + _GAP * (len(widths) - 1) <= width:
            break
    yield [(_line([column.title for column in columns], widths, columns), "note")]
    for row in rows:
        cells = [column.cell(row) for column in columns]
        yield [(_line(cells, widths, columns), _KINDS.get(row.outcome, "shared"))]
    shown = {column.title for column in columns}
    legend = "; ".join(text for title, text in _LEGEND.items() if title in shown)
    gone = [one.title for one in _COLUMNS if one.title not in shown and any(map(one.cell, rows))]
    if gone:
        legend += f"; no room for {', '.join(gone)} (--json has all)"
    if legend:
        yield []
        yield from _wrapped(legend, "", width, "note")


def _line(cells: list[str], widths: list[int], columns: list[_Column]) -> str:
    padded = [
        cell.rjust(width) if column.right else cell.ljust(width)
        for cell, width, column in zip(cells, widths, columns, strict=True)
    ]
    return (" " * _GAP).join(padded).rstrip()


# --- below the table


def _notes(comparison: Comparison, width: int) -> Iterator[list[Piece]]:
    told = [(row.name, text) for row in ordered(comparison.rows) if (text := note(row))]
    alike: dict[str, list[str]] = {}
    for name, text in told:
        alike.setdefault(text, []).append(name)
    for text, names in alike.items():
        yield from _wrapped(f"{', '.join(names)}: {text}", "  ", width, "needs")
    for text in _left_out(comparison):
        yield from _wrapped(text, "  ", width, "note")


def _left_out(comparison: Comparison) -> Iterator[str]:
    """Say which contenders were not tried, and why."""
    reasons: dict[str, list[str]] = {}
    for row in comparison.rows:
        if row.outcome == "left out":
            reasons.setdefault(row.reason, []).append(row.name)
    if comparison.not_installed:
        reasons["not installed"] = list(comparison.not_installed)
    for reason, names in reasons.items():
        yield f"left out: {', '.join(names)}: {reason}"


def note(row: Row) -> str:
    """Say of a row what changed, or where and why it stopped; "" if it is exact."""
    if row.outcome in ("exact", "left out"):
        return ""
    if row.outcome != "changed":
        at = f" at {row.path}" if row.path else ""
        return f"{row.outcome}{at}: {row.reason}"
    texts = [f"{one.text} at {one.path}{_times_more(one.count)}" for one in row.changes[:_LISTED]]
    more = row.changes_total - sum(one.count for one in row.changes[:_LISTED])
    return "; ".join(texts) + (f"; and {more:,} more" if more else "")


def _times_more(count: int) -> str:
    if count >= MOST_CHANGES:  # then nobody went on counting
        return f" ({count:,} x or more)"
    return f" ({count:,} x)" if count > 1 else ""


def _verdict(comparison: Comparison, width: int) -> Iterator[list[Piece]]:
    verdict = comparison.verdict
    purpose = f" for {comparison.purpose}" if comparison.purpose else ""
    yield []
    if verdict.choice == "none":
        yield [(f"Nothing fits{purpose}.", "type")]
    else:
        yield from _wrapped(
            f"Use {verdict.choice}{purpose}: {verdict.command}", "  ", width, "type"
        )
    for text in verdict.why:
        yield from _wrapped(f"- {text}", "  ", width, "")
    if verdict.runner_up:
        text = f"Next: {verdict.runner_up}. {'. '.join(verdict.runner_up_why)}"
        yield from _wrapped(text, "  ", width, "")
    for text in verdict.caveats:
        yield from _wrapped(f"Mind: {text}", "  ", width, "needs")


def _wrapped(text: str, indent: str, width: int, kind: str) -> Iterator[list[Piece]]:
    for line in textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False):
        yield [(line, kind)]


# --- for a document


def as_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    rows = ordered(comparison.rows)
    columns = [column for column in _COLUMNS if any(column.cell(row) for row in rows)]
    table = [[column.title or "format" for column in columns]]
    table.append(["--:" if column.right else "---" for column in columns])
    table += [[_escaped(column.cell(row)) for column in columns] for row in rows]
    found = [_escaped(_heading(comparison)), ""]
    found += [f"| {' | '.join(cells)} |" for cells in table]
    notes = [f"{row.name}: {text}" for row in rows if (text := note(row))]
    notes += _left_out(comparison)
    found += ["", *(f"- {_escaped(text)}" for text in notes)] if notes else []
    found += ["", *_markdown_verdict(comparison)]
    return "\n".join(found) + "\n"


def _markdown_verdict(comparison: Comparison) -> Iterator[str]:
    verdict = comparison.verdict
    purpose = f" for {comparison.purpose}" if comparison.purpose else ""
    choice = "nothing fits" if verdict.choice == "none" else verdict.choice
    command = f" `{verdict.command}`" if verdict.command else ""
    yield f"**{_escaped(choice)}**{purpose}{command}"
    yield ""
    texts = [*verdict.why]
    if verdict.runner_up:
        texts.append(f"next: {verdict.runner_up}. {'. '.join(verdict.runner_up_why)}")
    texts += [f"mind: {text}" for text in verdict.caveats]
    yield from (f"- {_escaped(text)}" for text in texts)


def _escaped(text: str) -> str:
    """Return a text that Markdown takes as text, whatever the object's own keys say."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#$" else char for char in text)
