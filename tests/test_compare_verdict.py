"""The verdict of a comparison: which format for what, always by the rules and never a lossy one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mason.comparison.contenders import CONTENDERS
from mason.comparison.results import About, Change, Row, Times
from mason.comparison.rules import NEEDS, SETTLED, WEIGHTS, WORTH
from mason.comparison.verdict import meets, score, verdict

COMMANDS = {one.name: one.command for one in CONTENDERS}
PURPOSES = list(WEIGHTS)
TYPED = About("list", values=5_000, classes=("shop:Order",), shared=20, depth=4)
PLAIN = About("dict", values=40, plain=True, depth=3)


def times(best: float) -> Times:
    return Times(best, best * 1.1, best * 1.5, 7)


def row(name: str, speed: float = 1e-3, size: int = 1_000, **changes: Any) -> Row:
    """Return what a contender of the table says when it did well."""
    one = next(one for one in CONTENDERS if one.name == name)
    made = Row(
        name, "Python 3.11.7" if not one.library else one.library, "exact",
        size=size, compressed=size // 2, dump=times(speed), load=times(speed),
        safe=one.safe, readers=one.readers, human=one.human, renamed=one.renamed,
    )  # fmt: skip
    return replace(made, **changes)


def changed(name: str, total: int = 3) -> Row:
    change = (Change("$.a", "type", "tuple → list", total),)
    return row(
        name, outcome="changed", changes=change, changes_total=total, reason="tuple → list at $.a"
    )


def refused(name: str) -> Row:
    return Row(name, "", "refused", reason="shop.Order: TypeError: no", path="$.orders[0]")


MASON = [row("mason json", 2e-4, 1_200), row("mason cbor", 1e-4, 800)]
TYPED_ROWS = [refused("json"), row("pickle 5", 1e-3, 900), *MASON, changed("msgspec json")]
PLAIN_ROWS = [row("json", 2e-3), row("pickle 5"), *MASON]


# ------------------------------------------------------------------------------ the stated answers


@pytest.mark.parametrize("purpose", [None, "exchange", "config", "archive"])
def test_plain_json_is_enough_for_plain_data(purpose: str | None) -> None:
    found = verdict(PLAIN_ROWS, PLAIN, purpose, COMMANDS)
    assert (found.choice, found.command) == ("json", "json.dump(obj, file)")
    assert found.why[0].startswith("plain json is enough for this: 40 values")
    assert "2.00 ms" in found.why[1]
    assert found.runner_up


def test_plain_data_is_no_json_where_it_has_nan_or_json_changed_it() -> None:
    assert verdict(PLAIN_ROWS, replace(PLAIN, nan=True), "exchange", COMMANDS).choice != ""
    rows = [changed("json"), *MASON]
    assert verdict(rows, PLAIN, "exchange", COMMANDS).choice == "mason json"


@pytest.mark.parametrize("rows", [PLAIN_ROWS, [*PLAIN_ROWS, row("parquet", 1e-2, 300)]])
def test_a_big_table_to_be_kept_is_for_parquet_installed_or_not(rows: list[Row]) -> None:
    about = replace(PLAIN, type="list", table=True, table_rows=1_000)
    found = verdict(rows, about, "archive", COMMANDS)
    assert found.choice == "Parquet"
    assert "1,000 rows" in found.why[0]
    assert verdict(rows, replace(about, table_rows=999), "archive", COMMANDS).choice == "json"
    assert verdict(rows, about, "exchange", COMMANDS).choice == "json"


@pytest.mark.parametrize("parquet", [changed("parquet"), refused("parquet")])
def test_parquet_that_does_not_take_the_table_is_not_advised(parquet: Row) -> None:
    about = replace(PLAIN, type="list", table=True, table_rows=5_000)
    assert verdict([*PLAIN_ROWS, parquet], about, "archive", COMMANDS).choice == "json"
    left_out = row("parquet", outcome="left out")
    assert verdict([*PLAIN_ROWS, left_out], about, "archive", COMMANDS).choice == "Parquet"


def test_arrays_and_estimators_have_formats_of_their_own() -> None:
    arrays = About("dict", values=4, model="arrays")
    assert verdict([], arrays, "model", COMMANDS).choice == "safetensors"
    estimator = About("sklearn.linear_model:Ridge", values=4, model="estimator")
    found = verdict([row("pickle 5", outcome="cannot tell")], estimator, "model", COMMANDS)
    assert found.choice == "skops"
    assert "slower" in found.caveats[0]
    failed = verdict([replace(refused("json"), name="skops")], estimator, "model", COMMANDS)
    assert failed.choice == "none"
    assert verdict([], replace(arrays, model="array"), None, COMMANDS).choice == "npy"


def test_a_file_with_nan_is_not_called_json() -> None:
    nan = replace(PLAIN, nan=True)
    rows = [row("json", 1e-6, readers="Python"), row("yaml safe"), *MASON]
    for purpose in ("config", "exchange"):
        assert verdict(rows, nan, purpose, COMMANDS).choice != "json"
    found = verdict(rows[:1], nan, "cache", COMMANDS)
    assert found.choice == "json"
    assert any("NaN or Infinity, which is not JSON" in caveat for caveat in found.caveats)


def test_a_config_in_json_has_no_comments() -> None:
    found = verdict(PLAIN_ROWS, PLAIN, "config", COMMANDS)
    assert any("no comments" in caveat for caveat in found.caveats)


def test_what_was_not_looked_at_in_full_is_counted_as_more() -> None:
    found = verdict(PLAIN_ROWS, replace(PLAIN, complete=False), None, COMMANDS)
    assert "more than 40 values" in found.why[0]
    assert "1 value, all" in verdict(PLAIN_ROWS, replace(PLAIN, values=1), None, COMMANDS).why[0]


def test_what_is_lost_as_a_whole_is_not_near() -> None:
    whole = replace(changed("jsonpickle", 1), changes=(Change("$", "type", "function → null", 1),))
    said = " ".join(verdict([whole], TYPED, None, COMMANDS).why)
    assert "fewest changes" not in said


def test_typed_data_for_a_cache_or_queue() -> None:
    for purpose in ("cache", "queue"):
        found = verdict(TYPED_ROWS, TYPED, purpose, COMMANDS)
        assert found.choice == "mason cbor"
        assert any("0.10 x" in why or "0.50 x" in why for why in found.why)
        assert "mason is young, and not on PyPI" in found.caveats


def test_config_is_for_people() -> None:
    rows = [row("mason cbor", 1e-6), row("mason json", 1.0), row("pickle 5", 1e-6)]
    assert verdict(rows, TYPED, "config", COMMANDS).choice == "mason json"


def test_it_does_not_always_say_mason() -> None:
    faster = [row("orjson", 1e-4, 900), row("mason json", 2e-4, 900), row("mason cbor", 2e-4, 900)]
    found = verdict(faster, replace(PLAIN, plain=False), "cache", COMMANDS)
    assert found.choice == "orjson"
    assert not any("mason is young" in caveat for caveat in found.caveats)


def test_why_not_what_everybody_knows() -> None:
    found = verdict(TYPED_ROWS, TYPED, None, COMMANDS)
    assert "not json: refused at $.orders[0]: shop.Order: TypeError: no" in found.why
    assert "pickle 5 gives it back, too, and runs what a file says" in found.why


def test_a_choice_that_runs_code_says_so() -> None:
    found = verdict([row("pickle 5")], TYPED, None, COMMANDS)
    assert found.choice == "pickle 5"
    assert any("never load a file" in caveat for caveat in found.caveats)
    assert (found.runner_up, found.runner_up_why) == ("", ())


def test_what_lacks_something_that_is_needed_says_so() -> None:
    found = verdict([row("pickle 5")], TYPED, "exchange", COMMANDS)
    assert found.choice == "none"
    assert found.why == (
        "nothing that gives this object back is what exchange asks for",
        "not pickle 5: read by: Python, safe to load: no",
    )


def test_nothing_fits() -> None:
    rows = [
        refused("json"),
        changed("cbor2", 2),
        changed("yaml safe", 9),
        row("dill", outcome="cannot tell"),
    ]
    found = verdict(rows, TYPED, None, COMMANDS)
    assert (found.choice, found.command, found.runner_up) == ("none", "", "")
    said = " ".join(found.why)
    assert "cbor2, 2:" in said
    assert "dill" in said
    assert "$.orders[0]" in said


def test_integers_that_others_cannot_keep_are_a_caveat_of_text() -> None:
    found = verdict(PLAIN_ROWS, replace(PLAIN, long_ints=True), "exchange", COMMANDS)
    assert any("2**53" in caveat for caveat in found.caveats)


def test_an_unknown_purpose() -> None:
    with pytest.raises(ValueError, match="purpose must be one of exchange, cache"):
        verdict([], PLAIN, "fun", COMMANDS)


# ---------------------------------------------------------------------------------- the rules


def test_the_rules_are_complete() -> None:
    assert set(NEEDS) == set(WEIGHTS)
    for column, values in WORTH.items():
        assert all(0 <= worth <= 1 for worth in values.values()), column
    for one in CONTENDERS:
        assert one.safe in WORTH["safe"]
        assert one.human in WORTH["human"]
        assert one.renamed in WORTH["renamed"]
        assert one.readers in WORTH["readers"]
    for rule in SETTLED:
        assert set(rule.purposes) <= set(WEIGHTS)
        assert rule.why.format(**vars(PLAIN), counted="5 values")


NAMES = [one.name for one in CONTENDERS]
SECONDS = st.floats(1e-7, 100.0)
OUTCOMES = st.sampled_from(["exact", "exact", "changed", "cannot tell", "refused", "crashed"])


@st.composite
def some_rows(draw: st.DrawFn) -> list[Row]:
    found = []
    for name in draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=8)):
        outcome = draw(OUTCOMES)
        if outcome in ("refused", "crashed"):
            found.append(Row(name, "", outcome, reason="it did", path="$"))
            continue
        made = row(name, outcome=outcome, size=draw(st.integers(1, 10**9)))
        if outcome == "changed":
            made = replace(made, changes_total=draw(st.integers(1, 99)), reason="int → str at $")
        timed = draw(st.booleans())
        dump, load = (times(draw(SECONDS)) if timed else None for _ in range(2))
        found.append(replace(made, dump=dump, load=load))
    return found


ABOUTS = st.builds(
    About,
    type=st.just("dict"),
    values=st.integers(1, 10**7),
    classes=st.sampled_from([(), ("shop:Order",)]),
    plain=st.booleans(),
    table=st.booleans(),
    table_rows=st.integers(0, 5_000),
    nan=st.booleans(),
    model=st.sampled_from(["", "", "array", "arrays", "estimator"]),
)
ANY_PURPOSE = st.sampled_from(PURPOSES)
WITHOUT_ROW = {"none", "safetensors", "npy", "skops", "Parquet"}


@given(some_rows(), ABOUTS, ANY_PURPOSE)
def test_a_lossy_format_is_never_chosen(rows: list[Row], about: About, purpose: str | None) -> None:
    found = verdict(rows, about, purpose, COMMANDS)
    exact = {one.name for one in rows if one.outcome == "exact"}
    assert found.choice in exact | WITHOUT_ROW
    assert found.runner_up in exact | {""}
    assert found.choice != found.runner_up
    assert found.why and all(found.why)
    if found.choice == "none":
        assert not any(meets(one, purpose) for one in rows if one.outcome == "exact")


@given(some_rows(), ABOUTS, ANY_PURPOSE, st.randoms())
def test_the_order_of_the_rows_decides_nothing_but_ties(
    rows: list[Row], about: About, purpose: str | None, random: Any
) -> None:
    first = verdict(rows, about, purpose, COMMANDS)
    assert first == verdict(rows, about, purpose, COMMANDS)
    mixed = random.sample(rows, len(rows))
    second = verdict(mixed, about, purpose, COMMANDS)
    if first.choice != second.choice:
        able = [one for one in rows if one.outcome == "exact"]
        able = [one for one in able if meets(one, purpose)] or able
        scores = {one.name: score(one, able, purpose) for one in able}
        assert scores[first.choice] == pytest.approx(scores[second.choice])


@given(some_rows(), ABOUTS, ANY_PURPOSE, st.floats(0.01, 1.0), st.data())
def test_a_better_figure_never_costs_the_choice(
    rows: list[Row], about: About, purpose: str | None, factor: float, data: st.DataObject
) -> None:
    before = verdict(rows, about, purpose, COMMANDS)
    at = next((n for n, one in enumerate(rows) if one.name == before.choice), None)
    if at is None or rows[at].dump is None:
        return
    column = data.draw(st.sampled_from(["dump", "load", "size"]))
    value: Any = getattr(rows[at], column)
    better = max(1, int(value * factor)) if column == "size" else times(value.best * factor)
    improved = [*rows[:at], replace(rows[at], **{column: better}), *rows[at + 1 :]]
    assert verdict(improved, about, purpose, COMMANDS).choice == before.choice


@pytest.mark.parametrize("purpose", PURPOSES)
def test_marshal_is_for_a_cache_alone(purpose: str | None) -> None:
    """Its format changes with Python's versions, and its documentation says not to keep it."""
    rows = [row("marshal", 1e-6, 10), *MASON]
    about = About("list", values=50, depth=2)
    found = verdict(rows, about, purpose, COMMANDS)
    if purpose != "cache":
        assert found.choice.startswith("mason ")
        return
    assert found.choice == "marshal"
    assert any("next version of Python may not read it" in one for one in found.caveats)
    alone = verdict(rows[:1], about, "archive", COMMANDS)
    assert alone.why[1] == "not marshal: read by: this Python"
