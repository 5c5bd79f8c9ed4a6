"""The libraries that `mason.compare` knows, where they are installed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest

import mason
from mason.comparison.contenders import CONTENDERS, Contender
from mason.comparison.results import Row

PLAIN = {"a": [1, 2.5, None, True, "é"], "b": {"c": []}}
TABLE = [{"n": n, "name": f"n{n}", "price": n / 4, "ok": n % 2 == 0} for n in range(5)]
COLUMNS = {"n": [1, 2], "name": ["a", None]}
OTHERS = [one for one in CONTENDERS if one.library not in ("", "mason")]


@dataclass
class Order:
    number: int
    tags: tuple[str, ...]


def row(obj: Any, contender: Contender) -> Row:
    if not contender.installed:
        pytest.skip(f"{contender.library} is not installed")
    (found,) = mason.compare(obj, only=[contender.name], rounds=1).rows
    return found


@pytest.mark.parametrize("contender", OTHERS, ids=lambda one: one.name)
def test_plain_data_comes_back_from_each(contender: Contender) -> None:
    found = row(PLAIN, contender)
    assert found.outcome == ("left out" if contender.tables else "exact"), found.reason
    if not contender.tables:
        assert found.package.startswith(f"{contender.library} ")
        assert found.dump is not None
        assert found.load is not None


@pytest.mark.parametrize(
    "contender", [one for one in OTHERS if one.tables], ids=lambda one: one.name
)
@pytest.mark.parametrize("table", [TABLE, COLUMNS], ids=["rows", "columns"])
def test_tables_come_back_from_formats_of_tables(contender: Contender, table: Any) -> None:
    found = row(table, contender)
    assert found.outcome == "exact", found.reason


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("orjson", "changed"),
        ("msgspec json", "changed"),
        ("msgspec msgpack", "changed"),
        ("ormsgpack", "changed"),
        ("cbor2", "refused"),
        ("yaml safe", "refused"),
        ("jsonpickle", "exact"),
        ("cloudpickle", "exact"),
        ("dill", "exact"),
        ("joblib", "exact"),
        ("skops", "exact"),
        ("yaml unsafe", "exact"),
    ],
)
def test_what_each_does_to_an_instance(name: str, outcome: str) -> None:
    found = row([Order(1, ("a",))], next(one for one in OTHERS if one.name == name))
    assert found.outcome == outcome, found.reason
    if outcome == "refused":
        assert found.path == "$[0]"
    if outcome == "changed":
        assert [change.path for change in found.changes] == ["$[0]"]


@pytest.mark.parametrize(
    ("name", "obj"),
    [
        ("cbor2", [shared := [1], shared]),
        ("cbor2", {1: b"x", None: 2}),
        ("jsonpickle", {1: "a"}),
        ("yaml safe", {"b": 1, "a": 2}),
        ("orjson", dt.date(2026, 1, 1)),
        ("parquet", [{"at": dt.datetime(2026, 1, 1)}, {"at": None}]),
    ],
)
def test_options_are_set_to_keep_what_can_be_kept(name: str, obj: Any) -> None:
    found = row(obj, next(one for one in OTHERS if one.name == name))
    assert found.outcome == ("changed" if name == "orjson" else "exact"), found.reason


def test_a_format_of_tables_says_what_it_does_to_cells() -> None:
    parquet = next(one for one in OTHERS if one.name == "parquet")
    found = row([{"n": 1}, {"n": 2.5}], parquet)
    assert found.outcome in ("changed", "refused")
    assert found.reason
