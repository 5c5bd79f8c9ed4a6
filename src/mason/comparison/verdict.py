"""From the rows to a recommendation, by the rules in `rules`: a pure function.

Strategy: only what gave the same object back is a candidate. A settled answer goes first; otherwise
the columns are weighed, each cell being worth something between 0 and 1, figures by their ratio to
the best. A better cell never makes a row fall, and the order of the rows decides nothing but ties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mason.comparison.results import About, Row, Verdict
from mason.comparison.rules import NEEDS, SETTLED, WEIGHTS, WORTH, Settled
from mason.comparison.words import amount, counted, seconds, times_as

_REASONS = 4
_YOUNG = "mason is young, and not on PyPI"
_CODE = "loading it runs what the file says: never load a file that a stranger could have written"
_PASSING = "the next version of Python may not read it: then it has to be made anew"
_UNTOLD = ("left out", "cannot tell")
_PEERS = ("json", "pickle 5")  # everybody asks about these two


def verdict(
    rows: Sequence[Row], about: About, purpose: str | None, commands: Mapping[str, str]
) -> Verdict:
    """Recommend a format for a purpose; `commands` says what to type for each.

    Raises ValueError for a purpose that nobody knows.
    """
    if purpose not in WEIGHTS:
        raise ValueError(f"purpose must be one of {', '.join(filter(None, WEIGHTS))}")
    ranked = _ranked(rows, purpose)
    settled = _settled(rows, about, purpose)
    if settled is not None:
        return _given(settled, ranked, rows, about, purpose)
    if not ranked:
        return Verdict("none", why=tuple(_unfit(rows, purpose) or _nothing(rows)))
    choice, second = ranked[0], ranked[1] if len(ranked) > 1 else None
    caveats = _caveats(choice, about, purpose)
    return Verdict(
        choice.name,
        commands.get(choice.name, ""),
        (*_reasons(choice, second, about, purpose), *_against(choice, rows)),
        second.name if second else "",
        tuple(_compared(second, choice)) if second else (),
        tuple(caveats),
    )


def score(row: Row, rows: Sequence[Row], purpose: str | None) -> float:
    """Return how well a row does among others for a purpose, from 0 to 1."""
    weights = WEIGHTS[purpose]
    total = sum(weight * _worth(row, rows, column) for column, weight in weights.items())
    return total / sum(weights.values())


def meets(row: Row, purpose: str | None) -> bool:
    """Tell whether a row has what a purpose cannot do without."""
    return all(getattr(row, column) in values for column, values in NEEDS[purpose].items())


def _ranked(rows: Sequence[Row], purpose: str | None) -> list[Row]:
    """Return the candidates, the best first."""
    able = [row for row in rows if row.outcome == "exact" and meets(row, purpose)]
    return sorted(able, key=lambda row: -score(row, able, purpose))


def _worth(row: Row, rows: Sequence[Row], column: str) -> float:
    if column in WORTH:
        cell = _standing(row) if column == "standard" else getattr(row, column)
        return WORTH[column].get(cell, 0.0)
    own = figure(row, column)
    others = [value for other in rows if (value := figure(other, column)) is not None]
    return 0.0 if not own else float((min(others) / own) ** 0.5)


def figure(row: Row, column: str) -> float | None:
    """Return the figure of a column: of times the best one."""
    value: Any = getattr(row, column)
    return value if value is None or isinstance(value, int | float) else value.best


def _standing(row: Row) -> str:
    if row.package.startswith("Python "):
        return "Python"
    return "mason" if row.name.startswith("mason ") else "a library"


# --- settled answers


def _settled(rows: Sequence[Row], about: About, purpose: str | None) -> Settled | None:
    outcomes = {row.name: row.outcome for row in rows}
    for rule in SETTLED:
        # one that is not installed is advised all the same; one that was tried has to fit
        outcome = outcomes.get(rule.choice.lower(), "left out")
        fits = outcome == "exact" or (not rule.exact_only and outcome in _UNTOLD)
        if fits and purpose in rule.purposes and rule.holds(about):
            return rule
    return None


def _given(
    rule: Settled,
    ranked: Sequence[Row],
    rows: Sequence[Row],
    about: About,
    purpose: str | None,
) -> Verdict:
    """Give a settled answer, with the figures of its row where there is one."""
    own = next((row for row in rows if row.name == rule.choice.lower()), None)
    second = next((row for row in ranked if row is not own), None)
    values = counted(about.values, "value")
    whole = values if about.complete else f"more than {values}"
    why = [rule.why.format(**vars(about), counted=whole)]
    measured = own is not None and own.dump is not None
    if measured and own is not None:
        why += _facts(own)
    caveats = [rule.caveat] if rule.caveat else []
    if own is not None and measured:
        caveats += _caveats(own, about, purpose)
    shown = _compared(second, own) if second and own and measured else []
    if second and not shown:
        shown = _facts(second)
    return Verdict(
        rule.choice,
        rule.command,
        tuple(why),
        second.name if second else "",
        tuple(shown),
        tuple(caveats),
    )


def _unfit(rows: Sequence[Row], purpose: str | None) -> list[str]:
    """Say that what gives the same object back is not what the purpose asks for."""
    exact = [row for row in rows if row.outcome == "exact"]
    if not exact:
        return []
    asked = f"what {purpose} asks for" if purpose else "made to be kept"
    why = [f"nothing that gives this object back is {asked}"]
    for row in sorted(exact, key=lambda row: -score(row, exact, purpose))[:_REASONS]:
        lacks = [
            f"{_LABELS[column]}: {getattr(row, column) or 'nobody'}"
            for column, values in NEEDS[purpose].items()
            if getattr(row, column) not in values
        ]
        why.append(f"not {row.name}: {', '.join(lacks)}")
    return why


def _nothing(rows: Sequence[Row]) -> list[str]:
    """Say that nothing gives the same object back, and what comes near."""
    why = ["of nothing that was tried is it known that it gives this object back as it is"]
    unsure = [row for row in rows if row.outcome == "cannot tell"]
    if unsure:
        names = ", ".join(row.name for row in unsure)
        why.append(f"nobody can tell of {names}: {unsure[0].reason}")
    # what changed as a whole is not near
    changed = [row for row in rows if row.outcome == "changed" and not _as_a_whole(row)]
    if changed:
        least = min(changed, key=lambda row: row.changes_total)
        why.append(f"the fewest changes: {least.name}, {least.changes_total:,}: {least.reason}")
    refused = next((row for row in rows if row.outcome == "refused" and row.path), None)
    if refused:
        why.append(f"what stops {refused.name}: {refused.reason} at {refused.path}")
    return why


def _as_a_whole(row: Row) -> bool:
    return any(change.path == "$" for change in row.changes)


# --- reasons


def _reasons(choice: Row, second: Row | None, about: About, purpose: str | None) -> list[str]:
    """Return why, the columns that weigh most first."""
    shared = f", {about.shared:,} of them shared" if about.shared else ""
    reasons = [f"the same object comes back: {counted(about.values, 'value')}{shared}"]
    weights = WEIGHTS[purpose]
    for column in sorted(weights, key=lambda column: -weights[column]):
        text = _quality(choice, column) or _lead(choice, second, column)
        if text and text not in reasons:
            reasons.append(text)
    return reasons[: _REASONS + 1]


def _quality(row: Row, column: str) -> str:
    cell = getattr(row, column, "")
    return {
        ("safe", "yes"): "a stranger's file can be loaded: it runs no code",
        ("safe", "named classes only"): "a stranger's file can be loaded: only the classes that"
        " you name are built",
        ("readers", "every language"): "every language can read it",
        ("human", "yes"): "people can read it",
        ("renamed", "one line"): "a renamed class costs one line, not the file",
        ("renamed", "yes"): "it does not mind a renamed class",
    }.get((column, cell if isinstance(cell, str) else ""), "")


def _lead(row: Row, other: Row | None, column: str) -> str:
    """Return a figure that speaks for a row: one in which the other does no better."""
    text = _speed(row, other, column)
    if not text or other is None:
        return text
    own, theirs = figure(row, column), figure(other, column)
    return text if own is None or theirs is None or own <= theirs else ""


def _speed(row: Row, other: Row | None, column: str) -> str:
    own = figure(row, column) if column in ("dump", "load", "size", "compressed") else None
    if own is None:
        return ""
    theirs = figure(other, column) if other else None
    told = amount(int(own)) if column in ("size", "compressed") else seconds(own)
    beside = f", {times_as(own, theirs)} {other.name}'s" if other and theirs else ""
    return f"{column} {told}{beside}"


def _facts(row: Row) -> list[str]:
    figures = [_speed(row, None, column) for column in ("dump", "load", "size")]
    return [", ".join(text for text in figures if text)]


def _compared(row: Row, choice: Row) -> list[str]:
    """Return what the runner-up does better, and what worse."""
    better: list[str] = []
    worse: list[str] = []
    for column in ("dump", "load", "size"):
        own, theirs = figure(row, column), figure(choice, column)
        if own and theirs and own != theirs:
            (better if own < theirs else worse).append(_speed(row, choice, column))
    for column in ("safe", "readers", "human", "renamed"):
        own, theirs = (WORTH[column].get(getattr(one, column), 0.0) for one in (row, choice))
        if own != theirs:
            (better if own > theirs else worse).append(f"{_LABELS[column]}: {getattr(row, column)}")
    found = [("better", better), ("worse", worse)]
    return [f"{label}: {'; '.join(texts)}" for label, texts in found if texts]


_LABELS = {
    "safe": "safe to load",
    "readers": "read by",
    "human": "for people",
    "renamed": "a renamed class",
}


def _against(choice: Row, rows: Sequence[Row]) -> list[str]:
    """Say why it is not what everybody knows."""
    found = []
    for row in rows:
        if row.name not in _PEERS or row is choice:
            continue
        if row.outcome == "exact":
            if row.safe == "no" != choice.safe:
                found.append(f"{row.name} gives it back, too, and runs what a file says")
        elif row.outcome != "left out":
            at = f" at {row.path}" if row.path else ""
            found.append(f"not {row.name}: {row.outcome}{at}: {row.reason}")
    return found


def _caveats(choice: Row, about: About, purpose: str | None) -> list[str]:
    found = []
    if choice.name.startswith("mason "):
        found.append(_YOUNG)
    if choice.safe == "no":
        found.append(_CODE)
    if choice.readers == "this Python":
        found.append(_PASSING)
    if choice.readers == "Python" and choice.human == "yes" and about.nan:
        found.append("it writes NaN or Infinity, which is not JSON: other readers refuse the file")
    if purpose == "config" and choice.name.endswith("json"):
        found.append("JSON has no comments: where people write the file by hand, TOML or YAML do")
    if about.long_ints and choice.human == "yes":
        found.append("integers beyond 2**53 lose digits where JavaScript reads them")
    if not about.complete:
        found.append("the object was too large to be looked at in full")
    return found
