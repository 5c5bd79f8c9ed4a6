"""What a diff says of random documents: nothing where they are the same, else the one change."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable
from typing import Any

import graphs
import shapes
from hypothesis import assume, given
from hypothesis import strategies as st

import mason
from mason.document import Document
from mason.inspection.diff import diff


def document(value: Any, format: Any = "cbor") -> Document:
    return mason.reads(mason.dumpb(value, format=format), format=format)


def changes(a: Any, b: Any, **options: Any) -> list[tuple[str, str, str | None]]:
    found = diff(document(a), document(b), **options)
    return [(change.kind, change.path, change.to) for change in found.changes]


# ---------------------------------------------------------------------------------- the same


@given(graphs.recipes())
def test_a_document_is_the_same_as_itself_in_either_format(recipe: graphs.Recipe) -> None:
    value = graphs.build(recipe)
    one, again = document(value), document(value)
    assert diff(one, one).same
    assert diff(one, again).changes == ()
    assert diff(one, document(value, "json")).changes == ()


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[graphs.Recipe, graphs.Recipe]:
    """Draw two recipes of which one has another atom, or another of its nodes, in one place."""
    recipe = draw(graphs.recipes())
    places = [
        (number, at) for number, spec in enumerate(recipe.specs) for at in range(len(spec.parts))
    ]
    assume(places)
    number, at = draw(st.sampled_from(places))
    specs = list(recipe.specs)
    parts = list(specs[number].parts)
    nodes = [graphs.At(other) for other in range(number)]
    parts[at] = draw(st.sampled_from(nodes) if nodes and draw(st.booleans()) else graphs.ATOMS)
    specs[number] = specs[number]._replace(parts=parts)
    return recipe, recipe._replace(specs=specs)


@given(neighbours())
def test_a_diff_is_empty_exactly_when_the_built_values_are_the_same(
    recipes: tuple[graphs.Recipe, graphs.Recipe],
) -> None:
    try:
        values = [graphs.build(recipe) for recipe in recipes]
        documents = [document(value) for value in values]
    except (TypeError, mason.DumpError):  # a key that has no hash
        assume(False)
    same = mason.same(*values)
    assert diff(*documents).same == same
    assert diff(*documents[::-1]).same == same


def test_members_that_only_sharing_tells_apart_are_found() -> None:
    for _ in range(20):
        members = [shapes.Plain() for _ in range(6)]
        ring = {member: members[at - 1] for at, member in enumerate(members)}
        value = {"all": set(members), "one": members[2], "two": [members[4]], "ring": ring}
        assert diff(document(value), document(value, "json")).changes == ()


# ---------------------------------------------------------------------------------- one change

KEYS = st.sampled_from("abcdefgh")
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 300), st.floats(), st.text("xyz", max_size=3),
    st.decimals(allow_nan=False, places=2, min_value=0, max_value=9),
    st.dates(dt.date(2020, 1, 1), dt.date(2020, 2, 1)),
)  # fmt: skip
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=25,
)


def lists_in(value: Any, path: str = "$") -> list[tuple[str, list[Any]]]:
    """Return all lists and dictionaries of a tree with their paths."""
    found = []
    if type(value) in (list, dict):
        found.append((path, value))
    pairs: Any = value.items() if type(value) is dict else ()
    if type(value) in (list, tuple):
        pairs = enumerate(value)
    for key, part in pairs:
        found += lists_in(part, path + (f".{key}" if type(key) is str else f"[{key}]"))
    return found


@st.composite
def places(draw: st.DrawFn, *kinds: type) -> tuple[Any, str, Any]:
    """Draw a tree and one list or dictionary in it that is not empty, with its path."""
    root = [draw(TREES), draw(TREES)] if list in kinds else {"a": draw(TREES), "b": draw(TREES)}
    candidates = [
        (path, held) for path, held in lists_in(root) if type(held) in kinds and len(held)
    ]
    return root, *draw(st.sampled_from(candidates))


def replaced(root: Any, target: Any, change: Callable[[Any], None]) -> Any:
    """Return a copy of a tree in which one container was changed; the tree stays as it was."""
    memo: dict[int, Any] = {}
    another = copy.deepcopy(root, memo)
    change(memo[id(target)])
    return another


@given(places(list, dict), SCALARS, st.data())
def test_one_changed_value_is_named(
    place: tuple[Any, str, Any], scalar: Any, data: st.DataObject
) -> None:
    root, path, held = place
    key = data.draw(st.sampled_from(list(held) if type(held) is dict else range(len(held))))
    assume(not mason.same(held[key], scalar))
    another = replaced(root, held, lambda copied: copied.__setitem__(key, scalar))
    kind = "value" if type(held[key]) is type(scalar) else "type"
    where = f"{path}.{key}" if type(key) is str else f"{path}[{key}]"
    assert changes(root, another) == [(kind, where, None)]


@given(places(dict), SCALARS)
def test_one_key_more_or_less_is_named(place: tuple[Any, str, Any], scalar: Any) -> None:
    root, path, held = place
    another = replaced(root, held, lambda copied: copied.__setitem__("new", scalar))
    assert changes(root, another) == [("added", f"{path}.new", None)]
    assert changes(another, root) == [("removed", f"{path}.new", None)]


@given(places(list), st.data())
def test_one_element_more_or_less_is_named(
    place: tuple[Any, str, Any], data: st.DataObject
) -> None:
    root, path, held = place
    at = data.draw(st.integers(0, len(held)))
    another = replaced(root, held, lambda copied: copied.insert(at, b"new"))
    assert changes(root, another) == [("added", f"{path}[{at}]", None)]
    assert changes(another, root) == [("removed", f"{path}[{at}]", None)]


@given(places(list), st.data())
def test_one_moved_element_is_named(place: tuple[Any, str, Any], data: st.DataObject) -> None:
    root, path, held = place
    held[:] = [
        f"{at}" if type(part) is not dict else {**part, "at": at} for at, part in enumerate(held)
    ]
    held += ["more", "and more"]
    at, to = (data.draw(st.integers(0, len(held) - 1)) for _ in range(2))
    assume(abs(at - to) > 1)  # of two neighbours, either may be the one that moved
    another = replaced(root, held, lambda copied: copied.insert(to, copied.pop(at)))
    assert changes(root, another) == [("moved", f"{path}[{at}]", f"{path}[{to}]")]


@given(places(list))
def test_lost_sharing_is_named_once(place: tuple[Any, str, Any]) -> None:
    root, path, held = place
    twice = [root, held]
    apart = [root, copy.deepcopy(held)]
    first = f"$[0]{path[1:]}"
    for a, b in ((twice, apart), (apart, twice)):
        (found,) = diff(document(a), document(b)).changes
        assert (found.kind, found.path, found.to) == ("sharing", "$[1]", None)
        assert {found.a, found.b} == {f"the object at {first}", "an object of its own"}


@given(TREES, TREES)
def test_the_other_way_round_is_the_opposite(one: Any, another: Any) -> None:
    there, back = diff(document(one), document(another)), diff(document(another), document(one))
    turned = dict(back.counts)
    turned |= {"added": turned.get("removed", 0), "removed": turned.get("added", 0)}
    assert {k: n for k, n in turned.items() if n} == dict(there.counts)
