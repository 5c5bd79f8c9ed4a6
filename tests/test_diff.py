"""`mason diff`: what it says of two documents, as a function and as a command."""

from __future__ import annotations

import array
import itertools
import json
import struct
import sys
import types
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import shapes
from hostile import in_small_thread
from test_cli import mason_command

import mason
from mason.document import Document, Tag
from mason.inspection.diff import Change, Diff, diff

ATTACKS = Path(__file__).parents[1] / "attacks"
ORDER = (
    '{"$mason":1,"$type":"old.shop:Order","id":%d,"state":{"$type":"old.shop:State","$enum":"%s"}}'
)


def document(value: Any, format: Any = "cbor") -> Document:
    if isinstance(value, Document):
        return value
    return mason.reads(mason.dumpb(value, format=format), format=format)


def found(a: Any, b: Any, **options: Any) -> list[Change]:
    return list(diff(document(a), document(b), **options).changes)


def told(a: Any, b: Any, **options: Any) -> list[str]:
    """Return changes in short: kind, path, the other path, and both texts."""
    return [
        " ".join(part for part in (c.kind, c.path, c.to and f"({c.to})", c.a, "|", c.b) if part)
        for c in found(a, b, **options)
    ]


# ---------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (1, 2, ["value $ 1 | 2"]),
        (1, 1.0, ["type $ int 1 | float 1.0"]),
        (1, True, ["type $ int 1 | bool True"]),
        ("1", 1, ["type $ str '1' | int 1"]),
        (None, 0, ["type $ None | int 0"]),
        (0.0, -0.0, ["value $ 0.0 | -0.0"]),
        (float("nan"), float("nan"), []),
        (Decimal("1.0"), Decimal("1.00"), ["value $ Decimal 1.0 | Decimal 1.00"]),
        ((1, 2), [1, 2], ["type $ tuple of 2 | list of 2"]),
        ((1, 2), [1, 3], ["type $ tuple of 2 | list of 2", "value $[1] 2 | 3"]),
        ((), [], ["type $ tuple of 0 | list of 0"]),
        ({1}, frozenset({1}), ["type $ set of 1 | frozenset of 1"]),
        (b"ab", b"ac", ["value $ b'ab' | b'ac'"]),
        (bytearray(b"ab"), b"ab", ["type $ bytearray of 2 | bytes b'ab'"]),
(10**700, 10**700 + 1, ["value $ int of 2326 bits | another int of 2326 bits"]),
        (int, dict, ["value $ reference builtins:int | reference builtins:dict"]),
        ([1, [2]], [1, None], ["type $[1] list of 1 | None"]),
    ],
)  # fmt: skip
def test_two_values(a: Any, b: Any, said: list[str]) -> None:
    assert told(a, b) == said


def test_long_texts_are_shown_where_they_differ() -> None:
    (change,) = found("x" * 5000 + "a" + "z" * 100, "x" * 5000 + "b" + "z" * 100)
    assert change.a == f"…'{'x' * 15}a{'z' * 34}'… (5,101 characters)"
    assert change.b == f"…'{'x' * 15}b{'z' * 34}'… (5,101 characters)"
    (change,) = found("y" * 100, "y" * 101)
    assert change.a != change.b


def test_keys_are_told_apart_by_type_and_their_order_is_one_change() -> None:
    assert told({"1": 0, 1: 0}, {1: 0, "1": 0}) == ["order $ '1', 1 | 1, '1'"]
    assert told({1: 0}, {True: 0}) == ["removed $[1] 0 |", "added $[#0] | 0"]
    assert told({"a": 1, "b": 2}, {"c": 1, "b": 2}) == ["removed $.a 1 |", "added $.c | 1"]
    assert told({"a": 0, "b": 1, "c": 2}, {"b": 1, "new": 9, "c": 2, "a": 5}) == [
        "order $ 'a', 'b', 'c' | 'b', 'c', 'a'", "value $.a 0 | 5", "added $.new | 9",
    ]  # fmt: skip
    assert told({(1, 2): 0, None: 1}, {(1, 2): 3, None: 1}) == ["value $[#0] 0 | 3"]
    assert told(OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)) == ["order $ 'a', 'b' | 'b', 'a'"]


def test_attributes_and_members_have_no_order() -> None:
    one, other = types.SimpleNamespace(a=1, b=2), types.SimpleNamespace(b=2, a=1)
    assert told([one, {1, 2, "x"}], [other, {"x", 2, 1}]) == []
    assert told({"s": {1, 2, "x"}}, {"s": {2, 5, "x", "y"}}) == [
        "removed $.s 1 |", "added $.s | 'y'", "added $.s | 5",
    ]  # fmt: skip
    a = {"s": {shapes.FrozenPoint(1, 2), shapes.FrozenPoint(5, 6)}}
    b = {"s": {shapes.FrozenPoint(5, 6), shapes.FrozenPoint(1, 3)}}
    (change,) = found(a, b)
    assert (change.kind, change.a, change.b) == ("value", "2", "3")


def test_attributes_that_a_class_declares_or_not_are_attributes() -> None:
    extra = '{"$mason":1,"$type":"a:B","x":1,"$extra":{"y":2,"$$z":3}}'
    plain = '{"$mason":1,"$type":"a:B","$$z":3,"y":2,"x":1}'
    assert diff(mason.reads(extra), mason.reads(plain)).changes == ()


def test_enum_members_and_classes() -> None:
    a, b = mason.reads(ORDER % (1, "PAID")), mason.reads(ORDER % (1, "OPEN"))
    assert told(a, b) == ["value $.state old.shop:State PAID | old.shop:State OPEN"]
    renamed = mason.reads((ORDER % (1, "PAID")).replace("old.shop", "shop.models"))
    kinds = ["type $", "type $.state"]
    assert [line[: len(kind)] for line, kind in zip(told(a, renamed), kinds, strict=True)] == kinds
    assert told(a, renamed, aliases={"old.shop": "shop.models"}) == []
    assert told(renamed, a, aliases={"old.shop": "shop.models"}) == []
    assert told(a, renamed, aliases={"old.shop:Order": "shop.models:Order"}) == [
        "type $.state old.shop:State PAID | shop.models:State PAID"
    ]
    with pytest.raises(mason.trust.PolicyError):
        found(a, b, aliases={"old.shop:Order": "module"})


# ---------------------------------------------------------------------------------- lists


def rows(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    return [{"id": number, "v": number * 10, "w": "same", **more} for number in numbers]


def test_elements_that_came_went_moved_and_changed() -> None:
    b = rows(4, 1, 2, 3, 6)
    b[3]["v"] = 0
    assert told(rows(1, 2, 3, 4, 5), b) == [
        "value $[2].v ($[3].v) 30 | 0",
        "moved $[3] ($[0]) dict of 3, id 4 | dict of 3, id 4",
        "removed $[4] dict of 3, id 5 |",
        "added $[4] | dict of 3, id 6",
    ]


def test_an_element_may_move_and_change() -> None:
    b = rows(5, 1, 2, 3, 4)
    b[0]["v"] = 0
    assert told(rows(1, 2, 3, 4, 5), b) == [
        "moved $[4] ($[0]) dict of 3, id 5 | dict of 3, id 5",
        "value $[4].v ($[0].v) 50 | 0",
    ]


def test_elements_without_identity_belong_together_by_most_of_what_they_hold() -> None:
    a = [["a", 1, 2, 3], ["b", 1, 2, 3], ["c", 4, 5, 6]]
    b = [["c", 4, 5, 7], ["new", "x"]]
    assert told(a, b) == [
        "removed $[0] list of 4 |", "removed $[1] list of 4 |",
        "value $[2][3] ($[0][3]) 6 | 7", "added $[1] | list of 2",
    ]  # fmt: skip
    assert told([{"id": 1}], [{"id": 2}]) == [
        "removed $[0] dict of 1, id 1 |", "added $[0] | dict of 1, id 2",
    ]  # fmt: skip
    assert told([1, 2, 3], [1, 5, 6, 3]) == ["removed $[1] 2 |", "added $[1] | 5", "added $[2] | 6"]


def test_a_change_in_a_cycle_is_told_once() -> None:
    def world(turn: int, names: list[str]) -> dict[str, Any]:
        made: dict[str, Any] = {"turn": turn}
        made["players"] = [{"name": name, "world": made, "hp": 9} for name in names]
        for at, player in enumerate(made["players"]):
            player["next"] = made["players"][at - 1]
        return made

    assert told(world(1, ["ann", "bob", "cy"]), world(2, ["ann", "bob", "cy"])) == [
        "value $.turn 1 | 2"
    ]
    changes = found(world(1, ["ann", "bob", "cy"]), world(1, ["zoe", "ann", "bob", "cy"]))
    assert ("added", "$.players[0]") in [(change.kind, change.path) for change in changes]
    assert [(c.kind, c.path) for c in changes if c.kind != "added"] == [
        ("value", "$.players[0].next")
    ]


# ---------------------------------------------------------------------------------- sharing


def test_sharing_is_told_and_what_differs_below_it() -> None:
    row = [1, {"x": 2}]
    assert told([row, row], [[1, {"x": 2}], [1, {"x": 2}]]) == [
        "sharing $[1] the object at $[0] | an object of its own"
    ]
    assert told([row, row], [[1, {"x": 2}], [1, {"x": 3}]]) == [
        "sharing $[1] the object at $[0] | an object of its own", "value $[1][1].x 2 | 3",
    ]  # fmt: skip
    loop: list[Any] = []
    loop.append(loop)
    assert told(loop, [[]])[0].startswith("sharing") or told(loop, [[]])[0].startswith("removed")


# ---------------------------------------------------------------------------------- arrays


def test_an_array_is_one_change() -> None:
    a = [[float(10 * row + column) for column in range(5)] for row in range(4)]
    b = [list(row) for row in a]
    b[2][3] += 0.5
    b[0][1] = float("nan")
    (change,) = found({"m": a}, {"m": b})
    assert change[:5] == ("array", "$.m", None, "float [4, 5]", "float [4, 5]")
    assert change.detail is not None
    assert change.detail["differ"] == 2
    assert change.detail["size"] == 20
    assert change.detail["first"][0] == {"at": [0, 1], "a": 1.0, "b": "nan"}
    largest = {"at": [2, 3], "a": 23.0, "b": 23.5, "difference": 0.5}
    assert change.detail["largest_absolute"] == largest
    json.dumps(change.detail, allow_nan=False)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([[1] * 4] * 0 + [[1, 2, 3, 4]] * 1, [], None),
        (list(range(20)), [float(n) for n in range(20)], ("int [20]", "float [20]", 0)),
        (array.array("d", range(20)), array.array("f", range(20)),
         ("float64 [20]", "float32 [20]", 0)),
        (b"x" * 20, b"x" * 21, ("bytes [20]", "bytes [21]", None)),
        ([0.5] * 30, [1.5] * 40, ("float [30]", "float [40]", None)),
        (Tag(85, struct.pack("<4f", 1, 2, 3, 4) * 4), Tag(81, struct.pack(">4f", 1, 2, 3, 5) * 4),
         ("float32 [16]", "float32 [16]", 4)),
        (Tag(40, [[2, 8], Tag(69, bytes(32))]), Tag(40, [[4, 4], Tag(69, bytes(32))]),
         ("uint16 [2, 8]", "uint16 [4, 4]", None)),
        (Tag(1040, [[2, 8], Tag(84, bytes(32))]),
         Tag(1040, [[2, 8], Tag(84, bytes(30) + b"\x00<")]),
         ("float16 [2, 8]", "float16 [2, 8]", 1)),
        ([2**80 * n for n in range(20)], [2**80 * n + 1 for n in range(20)],
         ("int [20]", "int [20]", 20)),
        ([10**400] * 16, [10**400 + 1] * 16, ("int [16]", "int [16]", 16)),
        ([complex(1e308, 1e308)] * 16, [-complex(1e308, 1e308)] * 16,
         ("complex [16]", "complex [16]", 16)),
    ],
)  # fmt: skip
def test_arrays_of_every_kind(a: Any, b: Any, said: tuple[str, str, int] | None) -> None:
    changes = [change for change in found({"m": a}, {"m": b}) if change.kind == "array"]
    if said is None:
        assert changes == []
        return
    (change,) = changes
    assert change.detail is not None
    assert (change.a, change.b, change.detail["differ"]) == said


def test_the_same_numbers_in_another_byte_order_are_another_type_and_no_other_array() -> None:
    a, b = Tag(82, struct.pack(">20d", *range(20))), Tag(86, struct.pack("<20d", *range(20)))
    assert told(a, b) == ["type $ tag 82 of 1 | tag 86 of 1"]


def test_a_few_numbers_more_or_less_are_told_one_by_one() -> None:
    a = list(range(100))
    assert told(a, [*a[:50], *a[51:], 1000]) == ["removed $[50] 50 |", "added $[99] | 1000"]
    assert told(a, [a[-1], *a[:-1]]) == ["moved $[99] ($[0]) 99 | 99"]


def test_rows_that_are_shared_are_no_array() -> None:
    row = [float(n) for n in range(8)]
    assert [c.kind for c in found([row, row, [0.0] * 8], [row, list(row), [0.0] * 8])] == [
        "sharing"
    ]


def test_floats_may_differ_within_a_tolerance() -> None:
    a = {"x": 1.0, "d": Decimal("1.0"), "n": 1, "l": [{"v": 1.5}, {"v": 2.5}], "m": [0.25] * 20}
    b = {"x": 1.0 + 1e-9, "d": Decimal("1.0"), "n": 1, "l": [{"v": 1.5 + 1e-9}, {"v": 2.5}]}
    b["m"] = [0.25 + 1e-9] * 20
    assert len(found(a, b)) == 3
    assert found(a, b, rtol=1e-6) == []
    assert found(a, b, atol=1e-6) == []
    assert len(found(a, b, atol=1e-12)) == 3
    assert found(0.0, -0.0, atol=1e-9) == []
    assert len(found(float("inf"), 1.0, rtol=1e9)) == 1
    assert len(found(1, 2, atol=9)) == 1
    assert len(found(Decimal(1), Decimal(2), atol=9)) == 1
    assert found(1 + 1j, 1 + 1.0000001j, rtol=1e-3) == []
    with pytest.raises(ValueError, match="negative"):
        found(1, 1, rtol=-1)
    with pytest.raises(ValueError, match="negative"):
        found(1, 1, atol=float("nan"))


# ---------------------------------------------------------------------------------- what comes back


def test_a_diff_is_a_value() -> None:
    compared = diff(document([1, 2, 3]), document([3]), limit=1, names=("old", "new"))
    assert (compared.same, compared.cut, dict(compared.counts)) == (False, True, {"removed": 2})
    assert compared.as_json() == {
        "version": 1, "same": False, "a": "old", "b": "new", "counts": {"removed": 2}, "cut": True,
        "changes": [
            {"kind": "removed", "path": "$[0]", "to": None, "a": "1", "b": "", "detail": None}
        ],
    }  # fmt: skip
    assert diff(document(1), document(1)) == Diff("a", "b", (), {})
    with pytest.raises(AttributeError):
        compared.a = "x"  # type: ignore[misc]


def test_a_part_alone_is_compared() -> None:
    a, b = {"x": [1, {"y": 2}], "z": 1}, {"x": [1, {"y": 3}], "z": 2}
    assert told(a, b, path="$.x[1]") == ["value $.x[1].y 2 | 3"]
    assert told(a, {"z": 1}, path="$.x") == ["removed $.x list of 2 |"]
    assert told({"z": 1}, a, path="$.x") == ["added $.x | list of 2"]
    with pytest.raises(mason.PathError):
        found(a, b, path="$.nowhere")


def test_what_a_file_says_does_not_speak_to_a_terminal() -> None:
    evil = "\x1b]0;x\x07\u202e" * 50
    a = mason.reads(json.dumps({"$mason": 1, evil: 1, "t": {"$type": evil + ":x", evil: [evil]}}))
    b = mason.reads(json.dumps({"$mason": 1, "t": {"$type": "b" + evil, evil: [evil, evil]}}))
    for one, other in ((a, b), (b, a)):
        for change in diff(one, other).changes:
            text = "".join(map(str, change))
            assert text.isprintable()
            assert len(text) < 5000


# ---------------------------------------------------------------------------------- hostile


SMALL = [path for path in sorted(ATTACKS.glob("*.*")) if path.stat().st_size < 4_000]


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name)
def test_hostile_documents(path: Path) -> None:
    try:
        one = mason.read(path)
    except mason.MasonError:
        return
    if len(one.data) > 500_000:
        return  # what is large only takes its time, which the tests of work below bound
    again = mason.reads(one.dumps(format=one.format), format=one.format)
    other = mason.reads('{"$mason":1,"x":{"$type":"a:b"}}')
    assert in_small_thread(lambda: diff(one, again, limit=5)).same
    assert not in_small_thread(lambda: diff(one, other, limit=5)).same


def nested(before: str, leaf: str, after: str, depth: int) -> Document:
    return mason.reads(f'{{"$mason":1,"a":{before * depth}{leaf}{after * depth}}}')


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"a":', "}"),
        ("[1,", "]"),
        ('{"$tuple":[', "]}"),
        ('{"$type":"a:b","x":', "}"),
        ('{"$type":"a:b","$list":[', "]}"),
        ('{"$type":"a:b","$str":', "}"),
        ('{"$tag":[1000,', "]}"),
        ('{"$map":[[1,', "]]}"),
    ],
)
def test_depth_costs_no_stack(before: str, after: str) -> None:
    a, b = (nested(before, leaf, after, 3_000) for leaf in "12")
    compared = in_small_thread(lambda: diff(a, b))
    assert [change.kind for change in compared.changes] == ["value"]
    assert len(compared.changes[0].path) < 1_200


@pytest.mark.uninstrumented
def test_100_000_levels_in_a_small_stack() -> None:
    a, b = (nested("[", leaf, "]", 100_000) for leaf in "12")
    assert dict(in_small_thread(lambda: diff(a, b)).counts) == {"value": 1}


def bomb(depth: int, leaf: int) -> Document:
    value: Any = [leaf]
    for _ in range(depth):
        value = [value, value]
    return document(value)


def test_what_is_shared_is_not_expanded() -> None:
    for a, b in ((bomb(300, 1), bomb(300, 2)), (bomb(300, 1), bomb(299, 1))):
        assert sum(diff(a, b).counts.values()) < 1000


def test_cycles_of_different_lengths() -> None:
    def ring(length: int) -> Document:
        first: list[Any] = []
        last = first
        for _ in range(length - 1):
            last.append([])
            last = last[0]
        last.append(first)
        return document(first)

    assert dict(diff(ring(300), ring(299)).counts) == {"sharing": 1}


def lines_run(function: Any) -> int:
    """Return how many lines of Python a function takes."""
    count = 0

    def trace(frame: Any, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def _texts(size: int, start: int) -> Any:
    return [str(start + at) for at in range(size)]


def _repeated(size: int, start: int) -> Any:
    return ["abcdefg"[(at * at + start * at // 3) % 7] for at in range(size)]


def _turned(size: int, start: int) -> Any:
    return [[at * 7919 % size if start else at, "x"] for at in range(size)]


def _records(size: int, start: int) -> Any:
    return [{"k": at + start, "v": at % 3, "w": [at]} for at in range(size)]


def _shared(size: int, start: int) -> Any:
    many = list(range(size))
    return [many] * size if start else [[1] for _ in range(size)]


def _keys(size: int, start: int) -> Any:
    return {str(size - at if start else at): at for at in range(size)}


def _members(size: int, start: int) -> Any:
    return set(range(start, start + size))


@pytest.mark.uninstrumented
@pytest.mark.parametrize(
    "make",
    [_texts, _repeated, _turned, _records, _shared, _keys, _members],
    ids=lambda f: f.__name__,
)
def test_twice_the_size_is_twice_the_work(make: Any) -> None:
    work = []
    for size in (400, 1600):
        a, b = document(make(size, 0)), document(make(size, size))
        work.append(lines_run(lambda a=a, b=b: diff(a, b, limit=10)))
    assert work[1] < 6.5 * work[0], work


# ---------------------------------------------------------------------------------- the command


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    order = {"id": 7, "lines": [{"sku": "A", "total": Decimal("12.50")}, {"sku": "B"}]}
    mason.dump(order, tmp_path / "old.cbor.gz")
    order["lines"] = [{"sku": "A", "total": Decimal("13.00")}, {"sku": "B"}, {"sku": "C"}]
    mason.dump(order, tmp_path / "new.json", indent=2)
    return str(tmp_path / "old.cbor.gz"), str(tmp_path / "new.json")


def test_the_command(files: tuple[str, str]) -> None:
    ran = mason_command("diff", *files)
    assert (ran.returncode, ran.stderr) == (1, b"")
    assert ran.stdout.decode().splitlines() == [
        f"{files[0]} → {files[1]}: 1 added, 1 changed",
        "~ $.lines[0].total  Decimal 12.50 → Decimal 13.00",
        "+ $.lines[2]  dict of 1, sku 'C'",
    ]
    ran = mason_command("diff", files[0], files[0])
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode() == f"{files[0]} and {files[0]} are the same\n"


def test_options_of_the_command(files: tuple[str, str], tmp_path: Path) -> None:
    ran = mason_command("diff", "--quiet", *files)
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, b"", b"")
    ran = mason_command("diff", "--limit", "1", *files)
    assert ran.stdout.decode().splitlines()[-1] == "… 1 more: see --limit"
    assert mason_command("diff", "--path", "$.id", *files).returncode == 0
    said = json.loads(mason_command("diff", "--json", *files).stdout)
    assert (said["same"], said["a"], said["counts"]) == (False, files[0], {"value": 1, "added": 1})
    one, other = tmp_path / "1.json", tmp_path / "2.json"
    one.write_text('{"$mason":1,"x":{"$type":"a.b:C"},"y":1.0}')
    other.write_text('{"$mason":1,"x":{"$type":"d:C"},"y":1.0000001}')
    assert mason_command("diff", str(one), str(other)).returncode == 1
    same = mason_command("diff", "--alias", "a.b=d", "--rtol", "1e-3", str(one), str(other))
    assert same.returncode == 0
    ascii_only = mason_command("diff", *files, PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert b"12.50 -> Decimal" in ascii_only.stdout


def test_the_standard_input_is_read_once(files: tuple[str, str]) -> None:
    content = Path(files[1]).read_bytes()
    assert mason_command("diff", "-", files[1], stdin=content).returncode == 0
    ran = mason_command("diff", "-", "-", stdin=content)
    assert ran.returncode == 2
    assert b"only once" in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["a"], ["a", "b", "c"], ["a", "b", "--alias", "x"], ["a", "b", "--rtol", "-1"]],
)
def test_wrong_usage_is_2(arguments: list[str], tmp_path: Path) -> None:
    ran = mason_command("diff", *arguments)
    assert ran.returncode == 2
    assert b"Traceback" not in ran.stderr


def test_any_trouble_is_2(files: tuple[str, str], tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    pickled = tmp_path / "a.pkl"
    mason.dump(1, pickled)
    for name, said in (
        (str(bad), b"bad.json"), (str(tmp_path / "none.json"), b"No such file"),
        (str(tmp_path), b""), (str(pickled), b"pickle"),
    ):  # fmt: skip
        for arguments in ([name, files[0]], [files[0], name]):
            ran = mason_command("diff", *arguments)
            assert (ran.returncode, ran.stdout) == (2, b"")
            assert ran.stderr.startswith(b"mason: ")
            assert said in ran.stderr
    assert mason_command("diff", *files, "--path", "$.nowhere").returncode == 2
    assert mason_command("diff", *files, "--path", "nowhere").returncode == 2
    assert mason_command("diff", *files, "--alias", "a:b=c").returncode == 2


def test_the_page_gets_the_changes_and_both_trees(
    files: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mason.cli.program import run
    from mason.inspection.show import Tree

    given: list[Any] = []
    page = types.ModuleType("mason.page")
    page.diff_page = lambda data, a, b: given.extend([data, a, b]) or "<p>é"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mason.page", page)
    assert run(["diff", *files, "--html", str(tmp_path / "out.html")]) == 1
    assert (tmp_path / "out.html").read_text(encoding="utf-8") == "<p>é"
    assert given[0]["counts"] == {"value": 1, "added": 1}
    assert type(given[1]) is type(given[2]) is Tree
    assert run(["diff", *files, "-q", "--html", str(tmp_path / "no" / "out.html")]) == 2


def test_a_change_of_type_in_a_list_is_one() -> None:
    a, b = ([kind(pair) for pair in ((1, 2), (3, 4), (5, 6))] for kind in (tuple, list))
    found = diff(document(a), document(b))
    assert [(change.kind, change.path) for change in found.changes] == [
        ("type", f"$[{n}]") for n in range(3)
    ]
    old, new = (
        [mason.Record(name, {"id": n, "x": n + 1}) for n in range(50)] for name in ("a:A", "b:B")
    )
    assert dict(diff(document(old), document(new)).counts) == {"type": 50}
    new[7].items["x"] = -1
    assert dict(diff(document(old), document(new)).counts) == {"type": 50, "value": 1}


def test_a_place_behind_many_links_has_its_shortest_path() -> None:
    def rooms() -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = [{"number": n, "light": 1} for n in range(100)]
        for before, after in itertools.pairwise(made):
            before["next"], after["previous"] = after, before
        return made

    a, b = rooms(), rooms()
    b[80]["light"] = 5
    b[90]["new"] = True
    found = diff(document({"rooms": a}), document({"rooms": b}))
    paths = {change.path for change in found.changes}
    assert {"$.rooms[80].light", "$.rooms[90].new"} <= paths
    assert max(map(len, paths)) < 60
    for change in found.changes:
        if change.kind == "value":
            assert document({"rooms": a}).at(change.path) == 1
