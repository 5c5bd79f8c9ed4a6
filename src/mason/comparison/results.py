"""What a comparison says, as plain data with names; `as_json` gives the very fields."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal[
    "exact", "changed", "cannot tell", "refused", "failed", "crashed", "too slow", "too big",
    "left out",
]  # fmt: skip
MOST_CHANGES = 1_000  # that are looked for in what came back


@dataclass(frozen=True)
class Times:
    """Hold what one call took, in seconds of CPU."""

    best: float
    median: float
    worst: float
    rounds: int


@dataclass(frozen=True)
class Change:
    """Say in words what came back as something else, where first, how often, and where else."""

    path: str
    kind: str
    text: str
    count: int = 1
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """Hold what one contender did to the object; None and "" where that does not apply."""

    name: str
    package: str
    outcome: Outcome
    reason: str = ""
    path: str | None = None
    changes: tuple[Change, ...] = ()
    changes_total: int = 0
    size: int | None = None
    compressed: int | None = None
    dump: Times | None = None
    load: Times | None = None
    dump_peak: int | None = None
    load_peak: int | None = None
    safe: str = ""
    readers: str = ""
    human: str = ""
    renamed: str = ""


@dataclass(frozen=True)
class About:
    """Hold what the object itself is.

    `table_rows` counts the rows where it is a table; `model` is "array", "arrays" (by name) or
    "estimator" where it is made of such; `nan` tells whether it holds NaN or an infinity,
    `long_ints` integers that JavaScript cannot keep. `complete` is False where it was too large to
    be looked at in full. `named` tells whether a file of it has to name classes or functions.
    """

    type: str
    values: int = 0
    classes: tuple[str, ...] = ()
    shared: int = 0
    cycles: bool = False
    depth: int = 0
    plain: bool = False
    table: bool = False
    from_file: bool = False
    table_rows: int = 0
    model: str = ""
    nan: bool = False
    long_ints: bool = False
    complete: bool = True
    named: bool = False


@dataclass(frozen=True)
class Verdict:
    """Recommend a format, with reasons and with the runner-up; "none" if there is nothing."""

    choice: str
    command: str = ""
    why: tuple[str, ...] = ()
    runner_up: str = ""
    runner_up_why: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Machine:
    """Say where and how it was measured."""

    python: str
    platform: str
    cpu: str
    when: str
    rounds: int
    seconds: float
    limits: dict[str, float] = field(default_factory=dict)


def plain(result: Any) -> dict[str, Any]:
    """Return one of these as plain data that JSON can hold: tuples become lists."""
    return {name: _plain(value) for name, value in asdict(result).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
