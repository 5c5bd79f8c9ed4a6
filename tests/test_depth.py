"""Depth costs no stack: graphs of any depth in a thread that has next to none, in linear size.

Where a thread's stack is small, everything that mason does happens in that thread, and the results
are let go outside: CPython 3.13.0 itself crashes when it frees deep nesting in a small thread.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import sys
import threading
from collections import ChainMap, OrderedDict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import shapes
from hostile import in_small_thread

import mason
from mason.document import walk

DEEP = 100_000
STEEP = 5000  # for what takes time in Python; it has far less than one frame's room per level
FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])


class Link:
    """Is a link of a chain, as a plain class."""

    next: Any


class SlotLink:
    __slots__ = ("next",)


@dataclasses.dataclass
class DataLink:
    next: Any = None


@dataclasses.dataclass(slots=True)
class DataSlotLink:
    next: Any = None


class NamedLink(NamedTuple):
    next: Any


class ListLink(list):  # type: ignore[type-arg]
    pass


def chained(cls: Any) -> Callable[[Any], Any]:
    def link(inner: Any) -> Any:
        outer = object.__new__(cls)
        outer.next = inner
        return outer

    return link


# How one level is put around another, and how to get at the inner one.
LEVELS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "list": (lambda inner: [inner], lambda outer: outer[0]),
    "dict": (lambda inner: {"a": inner}, lambda outer: outer["a"]),
    "map": (lambda inner: {1: inner}, lambda outer: outer[1]),
    "tuple": (lambda inner: (inner,), lambda outer: outer[0]),
    "plain class": (chained(Link), lambda outer: outer.next),
    "slots": (chained(SlotLink), lambda outer: outer.next),
    "dataclass": (DataLink, lambda outer: outer.next),
    "dataclass with slots": (DataSlotLink, lambda outer: outer.next),
    "named tuple": (NamedLink, lambda outer: outer.next),
    "attrs": (lambda inner: shapes.AttrsPoint(0, inner), lambda outer: outer.y),
    "subclass of list": (lambda inner: ListLink([inner]), lambda outer: outer[0]),
    "OrderedDict": (lambda inner: OrderedDict(a=inner), lambda outer: outer["a"]),
    # CPython frees a deque in a deque by recursion, and crashes: no more than one in a row
    "deque": (lambda inner: deque([[inner]]), lambda outer: outer[0][0]),
    "ChainMap": (lambda inner: ChainMap({"a": inner}), lambda outer: outer["a"]),
    "SimpleNamespace": (lambda inner: SimpleNamespace(a=inner), lambda outer: outer.a),
}
PLAIN = ("list", "dict")
pytestmark = pytest.mark.uninstrumented  # a sanitizer makes frames larger
# for these a shorter way will do: Python code takes most of them apart and puts them together
SLOW = ("attrs", "subclass of list", "OrderedDict", "deque", "ChainMap", "SimpleNamespace")
TRUST = [Link, SlotLink, DataLink, DataSlotLink, NamedLink, ListLink, shapes.AttrsPoint]


def depth_of(kind: str) -> int:
    return STEEP if kind in SLOW else DEEP


def nested(kind: str, depth: int, inner: Any = None) -> Any:
    wrap = LEVELS[kind][0]
    value = inner
    for _ in range(depth):
        value = wrap(value)
    return value


def assert_nested(value: Any, kind: str, depth: int, inner: Any = None) -> None:
    unwrap = LEVELS[kind][1]
    expected = type(nested(kind, 1))
    for _ in range(depth):
        assert type(value) is expected
        value = unwrap(value)
    assert value is inner


@FORMATS
@pytest.mark.parametrize("kind", LEVELS)
def test_any_depth_is_written_and_read(kind: str, format: Any) -> None:
    value = nested(kind, depth_of(kind))
    data = in_small_thread(lambda: mason.dumps(value, format=format))
    back = in_small_thread(lambda: mason.loads(data, trust=TRUST, format=format))
    assert_nested(back, kind, depth_of(kind))
    again = in_small_thread(lambda: mason.dumps(back, format=format))
    assert again == data


@FORMATS
@pytest.mark.parametrize("kind", LEVELS)
def test_inert_reads_of_any_depth(kind: str, format: Any) -> None:
    value = nested(kind, DEEP if kind in ("list", "dataclass") else STEEP)
    data = mason.dumps(value, format=format)
    document = in_small_thread(lambda: mason.reads(data, format=format))
    assert in_small_thread(document.dumps) == data
    other = "cbor" if format == "json" else "json"
    converted = in_small_thread(lambda: document.dumps(format=other))
    assert converted == mason.dumps(value, format=other)
    kept = in_small_thread(lambda: mason.loads(data, unknown="keep", format=format))
    assert in_small_thread(lambda: mason.dumps(kept, format=format)) == data


@pytest.mark.parametrize("kind", LEVELS)
def test_inert_trees_of_any_depth_are_walked(kind: str) -> None:
    document = mason.reads(mason.dumps(nested(kind, STEEP)))
    place, last = in_small_thread(lambda: list(walk(document.root))[-1])
    assert last is None
    assert in_small_thread(lambda: document.at(str(place))) is None


@FORMATS
@pytest.mark.parametrize("kind", ["list", "dict", "dataclass"])
def test_a_spread_document_of_any_depth(kind: str, format: Any, tmp_path: Any) -> None:
    depth = 3000  # an indented document grows with the square of its depth
    value, path = nested(kind, depth), tmp_path / f"deep.{format}"
    in_small_thread(lambda: mason.dump(value, path, indent=1))
    assert_nested(in_small_thread(lambda: mason.load(path, trust=TRUST)), kind, depth)


@pytest.mark.parametrize("kind", LEVELS)
def test_sameness_of_any_depth(kind: str) -> None:
    depth = 1200  # more than recursion in Python could do
    value = nested(kind, depth, 1)
    back = mason.loads(mason.dumps(value), trust=TRUST)
    assert in_small_thread(lambda: mason.same(value, back))
    other = nested(kind, depth, 2)
    (found,) = in_small_thread(lambda: mason.difference(other, back))
    assert found.kind == "value"


@FORMATS
@pytest.mark.parametrize("kind", LEVELS)
def test_errors_at_any_depth(kind: str, format: Any) -> None:
    value = nested(kind, STEEP, threading.Lock())
    with pytest.raises(mason.DumpError) as caught:
        in_small_thread(lambda: mason.dumps(value, format=format))
    assert caught.value.total == 1
    if sys.version_info[:3] == (3, 13, 0):  # what is dropped is freed there, and that crashes
        return
    document = mason.dumps(nested(kind, STEEP, shapes.Point(1)), format=format)
    with pytest.raises(mason.UntrustedError) as refused:
        in_small_thread(lambda: mason.loads(document, trust=TRUST, format=format))
    assert [need.name for need in refused.value.needs] == ["shapes:Point"]
    if format == "json" and kind in PLAIN:
        for cut in (document[: len(document) // 3], document[:-5]):
            with pytest.raises(mason.JSONError):
                in_small_thread(lambda cut=cut: mason.loads(cut))


@FORMATS
@pytest.mark.parametrize("kind", LEVELS)
def test_sizes_grow_linearly(kind: str, format: Any) -> None:
    one, two, four = (
        len(mason.dumpb(nested(kind, depth), format=format)) for depth in (1000, 2000, 4000)
    )
    assert four - two == 2 * (two - one)
    assert (two - one) / 1000 < 100


@FORMATS
@pytest.mark.parametrize("kind", PLAIN)
def test_a_plain_value_is_plain_at_any_depth(kind: str, format: Any) -> None:
    value = nested(kind, DEEP, True)
    data = mason.dumps(value, format=format)
    assert mason.dumps(value, format=format, plain=True) == data
    bodies = {
        ("json", "list"): "[" * DEEP + "true" + "]" * DEEP,
        ("json", "dict"): '{"a":' * DEEP + "true" + "}" * DEEP,
        ("cbor", "list"): b"\x81" * DEEP + b"\xf5",
        ("cbor", "dict"): b"\xa1\x61a" * DEEP + b"\xf5",
    }
    assert data == bodies[format, kind]
    document = mason.reads(data, format=format)
    assert document.needs == ()
    assert format == "cbor" or not document.typed


DEQUES = ('{"$type":"collections:deque","$new":[null],"$list":[', "]}")
DEFAULTS = ('{"$type":"collections:defaultdict","$new":[null],"$dict":{"a":', "}}")


@FORMATS
@pytest.mark.parametrize("parts", [(DEQUES,), (DEFAULTS,), (DEQUES, DEFAULTS)])
def test_what_python_cannot_free_is_refused(parts: Any, format: Any) -> None:
    """CPython frees a deque in a deque in a deque by recursion: it would crash, at some depth."""

    def document(depth: int) -> str | bytes:
        levels = [parts[at % len(parts)] for at in range(depth)]
        ends = "".join(end for _, end in reversed(levels))
        text = '{"$mason":1,"$value":' + "".join(start for start, _ in levels) + "1" + ends + "}"
        return text if format == "json" else mason.reads(text).dumps(format="cbor")

    fits, crashes = document(400), document(20_000)
    value = in_small_thread(lambda: mason.loads(fits, format=format))
    assert in_small_thread(lambda: mason.dumps(value, format=format)) == mason.dumps(
        mason.reads(fits, format=format).root, format=format
    )
    with pytest.raises(mason.LimitError):
        in_small_thread(lambda: mason.loads(crashes, format=format))
    inert = in_small_thread(lambda: mason.reads(crashes, format=format))
    assert in_small_thread(inert.dumps) == crashes or format == "json"  # which has no $value there
    for _ in range(200):  # 600 levels: Python frees so many as yet
        value = deque([value])
    with pytest.raises(mason.DumpError):
        in_small_thread(lambda: mason.dumps(value, format=format))


@FORMATS
def test_keys_have_a_depth_that_both_directions_keep_to(format: Any) -> None:
    """Hashing recurses in CPython, so that the depth of keys is limited, on dump as on load."""
    for depth, fits in (90, True), (1000, False):
        value = {nested("tuple", depth, 1): 1}
        if fits:
            data = in_small_thread(lambda v=value: mason.dumps(v, format=format))
            back = in_small_thread(lambda d=data: mason.loads(d, format=format))
            assert mason.same(back, value)
        else:
            with pytest.raises(mason.DumpError):
                in_small_thread(lambda v=value: mason.dumps(v, format=format))


# ----------------------------------------------------------------------------- graphs with identity


def graph(count: int, seed: int) -> list[Any]:
    """Return nodes that hold each other at random, through lists, dicts and attributes."""
    pick = random.Random(seed)
    nodes = [shapes.Node(f"n{number}") for number in range(count)]
    for node in nodes:
        node.next = pick.choice(nodes)
        node.others = pick.choices(nodes, k=pick.randrange(3))
        if pick.random() < 0.1:
            vars(node)["by_name"] = {one.name: one for one in pick.choices(nodes, k=2)}
        if pick.random() < 0.1:
            node.others = pick.choice(nodes).others
    return nodes


def edges(nodes: list[Any]) -> list[Any]:
    """Return who holds whom, by place and identity: the same for a graph that is the same."""
    number = {id(node): at for at, node in enumerate(nodes)}
    lists: dict[int, int] = {}
    return [
        (
            node.name,
            number[id(node.next)],
            lists.setdefault(id(node.others), len(lists)),
            [number[id(other)] for other in node.others],
            {name: number[id(one)] for name, one in vars(node).get("by_name", {}).items()},
        )
        for node in nodes
    ]


@FORMATS
@pytest.mark.parametrize("start", ["all", "one"])
def test_a_random_graph_of_fifty_thousand_nodes(start: str, format: Any) -> None:
    nodes = graph(50_000, seed=7)
    root = nodes if start == "all" else nodes[0]  # from one node the way leads deep down
    data = in_small_thread(lambda: mason.dumps(root, format=format))
    back = in_small_thread(lambda: mason.loads(data, trust="shapes", format=format))
    if start == "all":
        assert edges(back) == edges(nodes)
    assert in_small_thread(lambda: mason.dumps(back, format=format)) == data
    document = in_small_thread(lambda: mason.reads(data, format=format))
    assert in_small_thread(document.dumps) == data
    (need,) = document.needs
    assert (need.name, need.use) == ("shapes:Node", "instance")
    assert need.count == len(nodes) if start == "all" else 40_000 < need.count <= len(nodes)


@FORMATS
def test_the_document_of_a_graph_grows_linearly(format: Any) -> None:
    one, two, four = (
        len(mason.dumpb(graph(count, 3), format=format)) / count for count in (2000, 4000, 8000)
    )
    assert two < one * 1.1
    assert four < two * 1.1


@FORMATS
def test_a_ring_of_a_hundred_thousand(format: Any) -> None:
    first = last = shapes.Node("0")
    for number in range(1, DEEP):
        last.next = shapes.Node(str(number))
        last = last.next
    last.next = first
    data = in_small_thread(lambda: mason.dumps(first, format=format))
    back = in_small_thread(lambda: mason.loads(data, trust="shapes", format=format))
    one = back
    for number in itertools.count():
        assert one.name == str(number)
        one = one.next
        if one is back:
            break
    assert number == DEEP - 1
    last.next = back = None  # the ring is opened, and the chain goes without recursion


@FORMATS
def test_sharing_does_not_multiply(format: Any) -> None:
    """Lists of two times the same list: 2**200 of them, if they were written out."""
    value: Any = []
    for _ in range(200):
        value = [value, value]
    data = mason.dumpb(value, format=format)
    assert len(data) < 10_000
    back = mason.loads(data, format=format)
    for _ in range(200):
        assert back[0] is back[1]
        back = back[0]
    assert back == []
