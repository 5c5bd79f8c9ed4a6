"""Any graph of objects comes back the same: dumped, loaded, converted, kept inert, elsewhere."""

from __future__ import annotations

import array
import collections
import datetime as dt
import gc
import itertools
import json
import os
import pickle
import re
import subprocess
import sys
import weakref
from pathlib import Path
from random import Random
from typing import Any

import graphs
import pytest
import shapes
from graphs import At, Spec
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import mason

FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])
HERE = Path(__file__).parent
# As it is in JSON, so that it can be compared with what `json` writes.
_LONE = re.compile("[\ud800-\udfff]")


def load(data: str | bytes, format: Any) -> Any:
    return mason.loads(data, trust=graphs.TRUST, format=format)


def assert_same(value: Any, back: Any) -> None:
    found = mason.difference(value, back)
    assert not found, "\n".join(map(str, found))


@FORMATS
@given(recipe=graphs.GRAPHS)
def test_any_graph_comes_back(format: Any, recipe: graphs.Recipe) -> None:
    value = graphs.build(recipe)
    shapes.ran.clear()
    data = mason.dumps(value, format=format)
    back = load(data, format)
    assert not shapes.ran
    assert mason.same(value, back)
    assert_same(value, back)
    assert_same(value, graphs.build(recipe))  # the dump left it as it was
    if not recipe.has_sets:
        assert mason.dumps(back, format=format) == data


@given(graphs.GRAPHS, st.sampled_from([0, 1, 2, 7]), st.booleans())
def test_every_spelling_of_json_says_the_same(
    recipe: graphs.Recipe, indent: int, typed: bool
) -> None:
    value = graphs.build(recipe)
    text = mason.dumps(value, indent=indent, typed=typed)
    raw = mason.dumpb(value, indent=indent, typed=typed)
    # the order of sets is stable where people and version control look, else it need not be
    assert raw == text.encode() or recipe.has_sets
    assert_same(value, load(text, "json"))
    assert_same(value, load(raw, "json"))
    assert_same(value, load(memoryview(raw), "json"))
    assert_same(value, load(json.dumps(json.loads(text)), "json"))


def shuffled(text: str, random: Random) -> str:
    """Give the keys of each object another order, but for those that are the user's."""

    def mix(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        loose = [pair for pair in pairs if pair[0] in ("$mason", "$id")]
        fixed = [pair for pair in pairs if pair[0] not in ("$mason", "$id")]
        if any(key[:1] == "$" and key[:2] != "$$" for key, _ in fixed):
            random.shuffle(fixed)
        for pair in loose:
            fixed.insert(random.randint(0, len(fixed)), pair)
        return dict(fixed)

    return json.dumps(json.loads(text, object_pairs_hook=mix))


@given(graphs.GRAPHS, st.randoms(use_true_random=False))
def test_the_order_of_notation_in_json_means_nothing(recipe: graphs.Recipe, random: Random) -> None:
    value = graphs.build(recipe)
    assert_same(value, load(shuffled(mason.dumps(value), random), "json"))


SLOTTED = [
    collections.defaultdict(list, {"a": 1, "$b": 2}),
    collections.OrderedDict({1: 2}),
    collections.deque([1], 5),
    array.array("d", [1.5]),
    shapes.Tags([1, [2]]),
    shapes.Perm.R | shapes.Perm.X,
    dt.datetime(2026, 10, 25, 2, tzinfo=dt.timezone(dt.timedelta(hours=1), "CET"), fold=1),
    graphs.build(graphs.Recipe([Spec("Point", [1, [2]], ["x", "$odd"])], False)),
    graphs.build(graphs.Recipe([Spec("Node", [At(0), None], ["next", "$odd"])], False)),
    [shapes.Box[int](5)],
]
SLOTTED[4].owner = "ann"  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", SLOTTED, ids=lambda value: type(value).__name__)
def test_slots_come_in_any_order(value: Any) -> None:
    document = json.loads(mason.dumps([value, value], typed=True))["$value"][0]
    assert len(document) >= 2
    for order in itertools.permutations(document.items()):
        assert_same(value, load(json.dumps({"$mason": 1, "$value": [dict(order)]}), "json")[0])
        assert_same(value, load(json.dumps(dict(order) | {"$mason": 1}), "json"))


@pytest.mark.parametrize("inner", graphs.CAN_HOLD_ITSELF)
@pytest.mark.parametrize("outer", graphs.FROZEN)
def test_cycles_go_through_every_pair_of_kinds(outer: str, inner: str) -> None:
    for whole in ([At(0), At(1)], [At(1), At(0), At(1)]):
        holder = Spec(inner, [At(0)], graphs.keys_for(inner))
        specs = [Spec(outer, [At(1)], []), holder, Spec("list", whole, [])]
        value = graphs.build(graphs.Recipe(specs, False))
        for root in (value, *value):
            for format in ("json", "cbor"):
                assert_same(root, load(mason.dumps(root, format=format), format))


def one_of(kind: str) -> Spec:
    """Return a node of a kind that holds another node of its own, as a key where it can."""
    if kind in graphs.KEYED:
        return Spec(kind, [], [At(2)])
    return Spec(kind, [At(2)], graphs.keys_for(kind))


@pytest.mark.parametrize("first", graphs.KINDS)
def test_every_two_kinds_stand_beside_each_other(first: str) -> None:
    for second in graphs.KINDS:
        # the third is what both hold, and stands behind them
        specs = [one_of(first), one_of(second), Spec("Plain", [], [])]
        value = graphs.build(graphs.Recipe(specs, True))
        for root in (value, value[:2], value[1::-1]):
            for format in ("json", "cbor"):
                assert_same(root, load(mason.dumps(root, format=format), format))


@given(graphs.GRAPHS)
def test_a_graph_is_converted_without_being_built(recipe: graphs.Recipe) -> None:
    value = graphs.build(recipe)
    for one, other in ("json", "cbor"), ("cbor", "json"):
        converted = mason.reads(mason.dumps(value, format=one), format=one).dumps(format=other)
        assert type(converted) is (str if other == "json" else bytes)
        assert_same(value, load(converted, other))
        back = mason.reads(converted, format=other).dumps(format=one)
        assert_same(value, load(back, one))
        assert converted == mason.dumps(value, format=other)
        assert back == mason.dumps(value, format=one)


@FORMATS
@given(recipe=graphs.GRAPHS)
def test_records_are_written_back_byte_for_byte(format: Any, recipe: graphs.Recipe) -> None:
    data = mason.dumps(graphs.build(recipe), format=format)
    kept = mason.loads(data, unknown="keep", format=format)
    read = mason.reads(data, format=format)
    assert mason.same(kept, kept)
    assert mason.dumps(kept, format=format) == data
    assert read.dumps() == data
    # also through another process's eyes: the classes are still to be had
    assert_same(graphs.build(recipe), load(mason.dumps(kept, format=format), format))
    assert_same(graphs.build(recipe), load(read.dumps(), format))


@FORMATS
@given(st.lists(st.text() | st.integers() | st.binary(), unique=True, min_size=2), st.data())
def test_a_kept_set_stands_in_the_order_of_its_document(
    format: Any, elements: list[Any], data: st.DataObject
) -> None:
    # any order, not only one that a set would have by itself
    listed = mason.dumps({"set": elements, "frozen": [elements[::-1]]}, format="json", typed=True)
    listed = listed.replace('"set":[', '"set":{"$set":[').replace(
        '"frozen":[[', '"frozen":{"$frozenset":['
    )
    listed = listed.replace('],"frozen"', ']},"frozen"').removesuffix("]]}") + "]}}"
    written = mason.reads(listed, format="json").dumps(format=format)
    kept = mason.loads(written, unknown="keep", format=format)
    assert type(kept["set"]) is set and type(kept["frozen"]) is frozenset
    assert mason.dumps(kept, format=format) == written
    assert mason.reads(written, format=format).dumps() == written

    gone = data.draw(st.sampled_from(elements))
    kept["set"].remove(gone)
    kept["set"].add(None)  # what came since stands last
    kept["frozen"] = None
    expected = [element for element in elements if element is not gone and element != gone] + [None]
    inert = mason.reads(mason.dumps(kept, format=format), format=format).dumps(format="json")
    assert inert == mason.dumps({"set": expected, "frozen": None}, typed=True).replace(
        '"set":[', '"set":{"$set":['
    ).replace('],"frozen"', ']},"frozen"')


def test_the_order_of_a_kept_set_ends_with_the_set() -> None:
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(50):
        kept = mason.loads(
            '{"$mason":1,"$set":[[1],{"$type":"a:B","me":[]}]}'.replace("[1]", "1"), unknown="keep"
        )
        for record in kept:
            if type(record) is mason.Record:
                record.items["me"].append(kept)  # a cycle through the set
        assert len(weakref.getweakrefs(kept)) == 1
    del kept, record
    gc.collect()
    assert len(gc.get_objects()) - before < 20


@given(graphs.PLAIN)
def test_plain_data_is_written_as_json_writes_it(value: Any) -> None:
    expected = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    expected = _LONE.sub(lambda lone: f"\\u{ord(lone[0]):04x}", expected)
    if (type(value) is dict and "$mason" in value) or '"$mason":' in expected:
        return  # test_spec tells how those are escaped
    text = mason.dumps(value)
    assert text == expected
    assert mason.dumpb(value) == expected.encode()
    assert mason.dumps(value, plain=True) == expected
    assert not mason.reads(text).typed
    assert_same(json.loads(text), mason.loads(text))


@given(
    value=graphs.PLAIN,
    indent=st.sampled_from([None, 0, 1, "\t", 5]),
    ascii=st.booleans(),
    spaced=st.booleans(),
)
def test_plain_data_of_any_writer_is_read_as_json_reads_it(
    value: Any, indent: Any, ascii: bool, spaced: bool
) -> None:
    separators = (" , \n", " :\r\t") if spaced else None
    text = json.dumps(value, indent=indent, ensure_ascii=ascii, separators=separators)
    if _LONE.search(text):  # UTF-8 has none of these: only as escapes do they stand in JSON
        with pytest.raises(mason.JSONError):
            mason.loads(text)
        return
    expected = json.loads(text)
    assert_same(expected, mason.loads(text, plain=True))
    if '"$mason"' not in text:
        assert_same(expected, mason.loads(text))
        assert_same(expected, mason.loads(f"\n {text}\t", format="json"))
    assert_same(expected, mason.loads(text.encode(), plain=True, format="json"))


@FORMATS
@given(recipe=graphs.recipes(["list", "dict", "Plain", "tuple", "Node"]))
def test_without_sharing_everything_is_written_out(format: Any, recipe: graphs.Recipe) -> None:
    value = graphs.build(recipe)
    try:
        data = mason.dumps(value, format=format, shared=False)
    except mason.DumpError as error:
        assert "itself" in str(error)  # a cycle
        return
    back = load(data, format)
    again = mason.dumps(back, format=format, shared=False)
    assert again == data
    # nothing is shared, so that the memo finds nothing
    assert mason.dumps(back, format=format) == data


_CHILD = """
import pickle, sys
sys.path.insert(0, sys.argv[1])
import graphs, mason
answers = []
for recipe, format, data in pickle.load(sys.stdin.buffer):
    value = graphs.build(recipe)
    back = mason.loads(data, trust=graphs.TRUST, format=format)
    found = mason.difference(value, back)
    again = mason.dumps(value, format=format)
    answers.append((recipe, list(map(str, found)), again))
sys.stdout.buffer.write(pickle.dumps(answers))
"""


def gathered(count: int) -> list[graphs.Recipe]:
    """Return many recipes: a process for each would take too long."""
    found: list[graphs.Recipe] = []

    @settings(max_examples=count, phases=[Phase.generate], database=None)
    @given(graphs.GRAPHS)
    def gather(recipe: graphs.Recipe) -> None:
        found.append(recipe)

    gather()
    return found


def test_what_one_process_writes_another_reads() -> None:
    sent = [
        (recipe, format, mason.dumps(graphs.build(recipe), format=format))
        for recipe in gathered(150)
        for format in ("json", "cbor")
    ]
    assert len(sent) >= 100
    command = [sys.executable, "-c", _CHILD, str(HERE)]
    done = subprocess.run(
        command,
        input=pickle.dumps(sent),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(mason.__file__).parents[1])},
        check=True,
    )
    answers = pickle.loads(done.stdout)
    assert len(answers) == len(sent)
    for (recipe, format, data), (_, found, again) in zip(sent, answers, strict=True):
        assert not found, f"{recipe}: {found}"
        if recipe.has_sets:  # their order is another one there: hashes differ
            again = mason.dumps(load(again, format), format=format)
            assert_same(graphs.build(recipe), load(again, format))
        else:
            assert again == data


_SETS = """
import mason, shapes, sys
kinds = "abcdé", [b"a", b"b", b"c"], [(1, "z"), (1, "a"), (0, "b")], [2.5, 1.0, 5e300]
value = [[set(kind), {"k": frozenset(kind)}] for kind in kinds]
sys.stdout.buffer.write(mason.dumpb(value, format=sys.argv[1], indent=0))
"""


@FORMATS
def test_sets_have_one_order_for_people_and_version_control(format: Any) -> None:
    written = set()
    for seed in "123":  # texts have other hashes in each process
        path = os.pathsep.join([str(Path(mason.__file__).parents[1]), str(HERE)])
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        command = [sys.executable, "-c", _SETS, format]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        written.add(done.stdout)
    assert len(written) == 1
    assert len(written.pop()) > 100


@given(st.data())
def test_a_change_in_the_document_is_a_change_in_the_value(data: st.DataObject) -> None:
    """Two different values never have one document: the other tests could not tell."""
    one, other = data.draw(graphs.GRAPHS), data.draw(graphs.GRAPHS)
    a, b = graphs.build(one), graphs.build(other)
    if not one.has_sets and not other.has_sets:
        for format in ("json", "cbor"):
            alike = mason.dumps(a, format=format) == mason.dumps(b, format=format)
            assert alike == mason.same(a, b)


@FORMATS
@example(text="\ud83d\ude00")
@example(text="a\ud800\udc00b")
@given(text=st.text(st.sampled_from("\ud83d\ude00\udfff\ud800a😀"), max_size=6))
def test_two_surrogates_that_would_be_one_character_are_refused_in_json_only(
    format: Any, text: str
) -> None:
    if format == "json" and not graphs.is_sayable(text):
        for value in (text, {text: 1}, {"$mason": [text]}, (text,)):
            with pytest.raises(mason.DumpError):
                mason.dumps(value, format=format)
    else:
        for value in (text, {text: 1}, {"$mason": [text]}, (text,)):
            assert mason.same(value, mason.loads(mason.dumps(value, format=format), format=format))
