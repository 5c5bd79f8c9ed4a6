from __future__ import annotations

from collections import ChainMap, OrderedDict, deque
from types import SimpleNamespace
from typing import Any

import pytest

from mason.document import Document, Name, Need, Record, Simple, Tag, walk
from mason.errors import PathError

SHARED: list[Any] = [1]
ROOT = {
    "orders": [
        Record("shop:Order", {"id": 7, "$$x": 1, "$extra": {"note": "n"}, "lines": SHARED}),
        Record("shop:Tags", {"$list": ["a", "b"], "owner": "ann"}),
        Record("shop:Table", {"$map": [[1, "one"], ["k", "v"], [(2, 3), "pair"]]}),
        Record("shop:Map", {"$dict": {"k": [5]}, "$new": [None]}),
        Record("shop:Set", {"$set": [1, 2, 3]}),
    ],
    "two words": (1, {3: "three", (1, 2): "pair", 2.5: "float"}),
    "flags": {False: "no", 1.0: "float"},
    "set": frozenset([4]),
    "tag": Tag(1234, [9]),
    "deque": deque([1, 2]),
    "chain": ChainMap({"a": 1}, {"b": 2}),
    "space": SimpleNamespace(x=1),
    "ordered": OrderedDict(a=1),
    "name": Name("os:system"),
    "simple": Simple(99),
    "again": SHARED,
}


def document(root: Any = ROOT, **calls: Any) -> Document:
    def none(*_: Any, **__: Any) -> Any:
        raise AssertionError

    return Document(
        root,
        format="json",
        typed=True,
        needs=[("shop:Order", "instance", 1, "$.orders[0]")],
        data="{}",
        build=calls.get("build", none),
        dump=calls.get("dump", none),
        dumps=calls.get("dumps", none),
    )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$.orders[0].id", 7),
        ('$.orders[0]["$x"]', 1),
        ("$.orders[0].note", "n"),
        ('$.orders[0]["$extra"].note', "n"),
        ("$.orders[0].lines[0]", 1),
        ("$.orders[1][1]", "b"),
        ("$.orders[1].owner", "ann"),
        ("$.orders[2][1]", "one"),
        ("$.orders[2].k", "v"),
        ("$.orders[2][#2]", "pair"),
        ("$.orders[2]{2}", (2, 3)),
        ("$.orders[2]{2}[1]", 3),
        ("$.orders[3].k[0]", 5),
        ('$.orders[3]["$new"][0]', None),
        ("$.orders[4]{2}", 3),
        ('$["two words"][0]', 1),
        ('$["two words"][1][3]', "three"),
        ('$["two words"][1][#1]', "pair"),
        ('$["two words"][1]{1}[0]', 1),
        ('$["two words"][1][#2]', "float"),
        ("$.flags[#0]", "no"),
        ("$.set{0}", 4),
        ("$.tag[0][0]", 9),
        ("$.deque[1]", 2),
        ("$.chain[1].b", 2),
        ("$.space.x", 1),
        ("$.ordered.a", 1),
    ],
)
def test_at(path: str, value: Any) -> None:
    assert document().at(path) == value


@pytest.mark.parametrize(
    "path",
    [
        "$.nope",
        "$.orders[9]",
        "$.orders[-1]",
        "$.orders.id",
        "$.orders[0].lines.x",
        "$.flags[0]",
        "$.flags[1]",
        "$.set[0]",
        "$.set{1}",
        "$.tag[1]",
        "$.name.name",
        "$.simple[0]",
        "$.orders[0][0]",
        "$.orders{0}",
        "$.deque[2]",
        "$.space[0]",
        "$.chain.a",
        "$.orders[2][#9]",
        "$.orders[1]{0}",
    ],
)
def test_at_nowhere(path: str) -> None:
    with pytest.raises(PathError, match="there is no"):
        document().at(path)


def test_walk_paths_are_paths() -> None:
    found = [(str(place), value) for place, value in walk(ROOT)]
    assert found[0] == ("$", ROOT)
    for path, value in found:
        assert document().at(path) is value or document().at(path) == value, path
    assert len({path for path, _ in found}) == len(found)
    assert sum(value is SHARED for _, value in found) == 1
    print("\n".join(p for p, _ in found))


def test_walk_deep_and_cyclic() -> None:
    deep: list[Any] = []
    inner = deep
    for _ in range(200_000):
        inner.append([])
        inner = inner[0]
    inner.append(deep)
    count = 0
    for place, _ in walk(deep):  # noqa: B007
        count += 1
    assert count == 200_001
    assert len(place.steps()) == 200_000


def test_methods() -> None:
    calls: list[Any] = []

    def call(*a: Any, **k: Any) -> Any:
        calls.append((a, k))

    d = document(build=call, dump=call, dumps=call)
    d.build(int, trust=["a"])
    d.dump("x.cbor", indent=2)
    d.dumps(format="cbor")
    assert calls[0] == (
        (d, int),
        {"trust": ["a"], "unknown": "raise", "aliases": None, "registry": None, "limits": None},
    )
    assert calls[1] == ((d, "x.cbor"), {"format": None, "indent": 2})
    assert calls[2] == ((d,), {"format": "cbor", "indent": None})
    assert d.needs == (Need("shop:Order", "instance", 1, "$.orders[0]"),)
    assert repr(d) == "<Document json, 2 characters, root dict, needs 1 name>"
    with pytest.raises(AttributeError):
        d.root = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "slot", ["$list", "$tuple", "$set", "$frozenset", "$map", "$dict", "$extra", "$new", "$str"]
)
@pytest.mark.parametrize("content", [5, None, [1], [[1]], [[1, 2, 3]], {"a": 1}, "x", [[1, 2]]])
def test_hostile_slots(slot: str, content: Any) -> None:
    d = document(Record("m:C", {slot: content}))
    for place, value in walk(d.root):
        assert d.at(str(place)) is value
    for path in ("$.x", "$[0]", "$[#0]", "${0}"):
        try:
            d.at(path)
        except PathError as error:
            str(error)
