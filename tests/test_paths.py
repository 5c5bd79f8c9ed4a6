from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mason.errors import MasonError, PathError
from mason.paths import Place, Step, format_path, key_text, parse_path

numbers = st.integers(min_value=0)
steps = st.one_of(
    st.builds(Step, st.just("key"), st.text(st.characters())),
    st.builds(
        Step, st.just("key"), st.sampled_from(["a", "_", "é", "ﬁ", "class", "$id", "a.b", ""])
    ),
    st.builds(Step, st.just("index"), st.integers()),
    st.builds(Step, st.sampled_from(["entry", "element"]), numbers),
)


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step("key", "name"), ".name"),
        (Step("key", "größe"), ".größe"),
        (Step("key", "two words"), '["two words"]'),
        (Step("key", ""), '[""]'),
        (Step("key", "$id"), '["$id"]'),
        (Step("key", "3"), '["3"]'),
        (Step("key", 'say "hi"\n'), '["say \\"hi\\"\\n"]'),
        (Step("key", "\ud800"), '["\\ud800"]'),
        (Step("index", 3), "[3]"),
        (Step("index", -7), "[-7]"),
        (Step("entry", 3), "[#3]"),
        (Step("element", 3), "{3}"),
    ],
)
def test_each_kind_of_step_has_its_spelling(step: Step, text: str) -> None:
    assert str(step) == text
    assert parse_path("$" + text) == (step,)


def test_the_root_is_a_dollar_sign() -> None:
    assert format_path(()) == "$"
    assert parse_path("$") == ()


def test_steps_stand_behind_each_other() -> None:
    path = '$.orders[3]["ship to"][#0]{2}.x'
    assert format_path(parse_path(path)) == path
    assert [step.at for step in parse_path(path)] == ["orders", 3, "ship to", 0, 2, "x"]


@given(st.lists(steps, max_size=8))
def test_every_path_is_read_as_it_was_written(path: list[Step]) -> None:
    text = format_path(path)
    assert parse_path(text) == tuple(path)
    text.encode()  # no lone surrogates: it can be printed and sent


@given(st.text(st.characters()))
def test_a_key_that_is_no_identifier_is_a_json_string(key: str) -> None:
    text = key_text(key)
    if text[0] == ".":
        assert text == "." + key and key.isidentifier()
    else:
        assert json.loads(text[1:-1]) == key


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "begins with"),
        ("orders", "begins with"),
        (".orders", "begins with"),
        ("$orders", "character 1"),
        ("$.", "character 1"),
        ("$.a.", "character 3"),
        ("$.a b", "character 1"),
        ("$.3", "character 1"),
        ("$[", "character 1"),
        ("$[x]", "character 1"),
        ("$[1.5]", "character 1"),
        ("$[#-1]", "character 1"),
        ("$[#]", "character 1"),
        ("${-1}", "character 1"),
        ('$["a]', "character 1"),
        (r'$["\x"]', "character 1"),
        ("$['a']", "character 1"),
        ("$[" + "9" * 5000 + "]", "character 1"),
    ],
)
def test_what_is_not_a_path_is_refused_with_the_place(text: str, told: str) -> None:
    with pytest.raises(PathError, match=told) as caught:
        parse_path(text)
    assert isinstance(caught.value, MasonError)
    assert isinstance(caught.value, LookupError)
    assert caught.value.hint
    assert len(str(caught.value)) < 300


@given(st.text(st.sampled_from('$.[]{}#"\\ab1- ')))
def test_any_text_is_a_path_or_a_path_error(text: str) -> None:
    try:
        path = parse_path(text)
    except PathError:
        return
    assert parse_path(format_path(path)) == path


def test_long_paths_cost_no_stack_and_linear_time() -> None:
    path = "$" + ".next[0]" * 100_000
    assert format_path(parse_path(path)) == path


def test_a_place_is_a_path_that_is_put_together_late() -> None:
    place = Place()
    assert str(place) == "$"
    for _ in range(100_000):
        place = Place(place, Step("key", "next"))
    assert str(place) == "$" + ".next" * 100_000
    assert len(place.steps()) == 100_000
    assert len(repr(place)) < 300
    del place  # a chain that long must not be taken apart by recursion either
