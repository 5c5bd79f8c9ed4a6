"""`mason.same` and `mason.difference`: what they tell apart, and that no code of users runs."""

from __future__ import annotations

import array
import copy
import datetime as dt
import enum
import ipaddress
import re
import struct
import sys
import threading
import types
import typing
import uuid
import zoneinfo
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import permutations
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Generic, NamedTuple, TypeVar

import attrs
import graphs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mason
from mason.inspection.sameness import Difference, difference, same

T = TypeVar("T")


class Plain:
    to: Any
    next: Any

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Slotted:
    __slots__ = ("x", "y")


class Deeper(Slotted):
    __slots__ = ("__weakref__", "x", "z")
    x: Any


@dataclass
class Point:
    x: Any
    y: Any = 0


@dataclass(frozen=True, slots=True)
class Frozen:
    x: Any


@dataclass
class Cached:
    x: int

    @cached_property
    def double(self) -> int:
        return self.x * 2


@dataclass
class Box(Generic[T]):
    content: T


@attrs.define
class Attrs:
    x: Any
    y: list[Any] = attrs.Factory(list)


@attrs.frozen(cache_hash=True)
class Hashed:
    x: str


class Pair(NamedTuple):
    left: Any
    right: Any = None


class Tags(list[Any]):
    pass


class Text(str):
    pass


class Number(int):
    pass


class Color(enum.Enum):
    RED = 1
    GREEN = 2


class Perm(enum.Flag):
    R = 1
    W = 2
    X = 4


class Zone(dt.tzinfo):
    def dst(self, when: dt.datetime | None) -> None:
        raise AssertionError("ran")

    def tzname(self, when: dt.datetime | None) -> None:
        raise AssertionError("ran")

    def __init__(self, hours: int = 0) -> None:
        self.hours = hours

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        raise AssertionError("ran")


def nan(bits: int) -> float:
    number: float = struct.unpack("<d", struct.pack("<Q", bits))[0]
    return number


def kinds(a: object, b: object) -> list[str]:
    return [found.kind for found in difference(a, b)]


BERLIN = zoneinfo.ZoneInfo("Europe/Berlin") if zoneinfo.available_timezones() else dt.UTC
MOMENT = dt.datetime(2026, 10, 25, 2, 30)

# every entry differs from every other one
APART: list[Any] = [
    None, True, 1, 1.0, Decimal(1), Fraction(1), "1", b"1", bytearray(b"1"), 1 + 0j, ...,
    NotImplemented, False, 0, 0.0, -0.0, complex(0.0, -0.0), complex(-0.0, 0.0), Decimal("1.0"),
    Decimal("-0"), Decimal(0), Decimal("NaN"), Decimal("sNaN"), Decimal("NaN12"), Decimal("-NaN"),
    Decimal("Infinity"), float("nan"), nan(0xFFF8000000000000), nan(0x7FF8000000000001),
    nan(0x7FF0000000000001), float("inf"), 2**100, -(2**100), "", b"", "\ud800", "é", "e\u0301", (),
    frozenset(), [], {}, set(), bytearray(), (1,), [1], {1}, frozenset({1}), {1: 1}, {True: 1},
    {1.0: 1}, {"1": 1}, (1, 2), (2, 1), ((1,), 2), (1, (2,)), {"a": 1, "b": 2}, {"b": 2, "a": 1},
    [None], [[]], [()], dt.date(2026, 1, 1), dt.datetime(2026, 1, 1), dt.time(0),
    dt.time(0, fold=1), dt.timedelta(1), dt.timedelta(0, 1), MOMENT, MOMENT.replace(fold=1),
    MOMENT.replace(tzinfo=BERLIN), MOMENT.replace(tzinfo=BERLIN, fold=1),
    MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))),
    MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=1), "x")), MOMENT.replace(tzinfo=Zone(1)),
    MOMENT.replace(tzinfo=Zone(2)), dt.time(1, tzinfo=dt.timezone(dt.timedelta(0), "named")),
    dt.time(1), dt.UTC, dt.timezone(dt.timedelta(0), "UTC"), BERLIN, Zone(1), Zone(2),
    uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=1, is_safe=uuid.SafeUUID.safe),
    ipaddress.ip_address("1.2.3.4"), ipaddress.ip_interface("1.2.3.4/24"),
    ipaddress.ip_network("1.2.3.0/24"), ipaddress.ip_address("::1"), ipaddress.ip_address("::1%1"),
    ipaddress.ip_network("::/8"), Path("a"), PurePosixPath("a"), PureWindowsPath("a"), Path("b"),
    re.compile("a"), re.compile("a", re.I), re.compile(b"a"), re.compile("b"), range(0),
    range(1, 1), range(3), range(0, 3, 2), slice(1), slice(1, None), slice(0, 1), slice([]),
    slice((1,)), array.array("b", [1]), array.array("B", [1]), array.array("d", [1.0]),
    array.array("d", [-0.0]), array.array("d"), OrderedDict(a=1, b=2), OrderedDict(b=2, a=1),
    Counter("aab"), Counter("ab"), defaultdict(list), defaultdict(set), defaultdict(None),
    defaultdict(list, a=1), deque(), deque(maxlen=3), deque([1]), deque([1], 3), ChainMap(),
    ChainMap({}, {}), ChainMap({1: 2}), types.SimpleNamespace(), types.SimpleNamespace(a=1),
    types.SimpleNamespace(a=2), list, dict, Plain, same, len, abs, types, Color.RED, Color.GREEN,
    Perm.R, Perm.R | Perm.W, Perm(0), Plain(), Plain(a=1), Plain(a=1.0), Plain(b=1),
    Plain(a=Plain()), Slotted(), Deeper(), Point(1), Point(1, 1), Point(True), Frozen(1), Frozen(2),
    Box(1), Box[int](1), Box[str](1), Attrs(1), Attrs(1, [1]), Pair(1), Pair(1, 2), Tags(),
    Tags([1]), Text(""), Text("a"), Number(0), Number(1), object(), list[int], list[str],
    typing.Literal["a"], int | str, int | None, [].append, Plain.__init__, Plain(a=1).__init__,
]  # fmt: skip


@pytest.mark.parametrize("index", range(len(APART)))
def test_every_value_is_the_same_as_itself_only(index: int) -> None:
    value = APART[index]
    assert same(value, value)
    for other, against in enumerate(APART):
        if other != index:
            assert not same(value, against), (value, against)
            assert not same([value], [against])
            assert not same(Plain(x=value), Plain(x=against))


OPAQUE = (types.BuiltinMethodType, types.MethodType, types.ModuleType)


@pytest.mark.parametrize(
    "value", [v for v in APART if not isinstance(v, OPAQUE)], ids=lambda v: type(v).__name__
)
def test_a_copy_is_the_same(value: Any) -> None:
    twin = copy.deepcopy(value)
    if isinstance(value, ipaddress.IPv6Address) and str(twin) != str(value):
        pytest.skip("copies of this version of Python lose the scope of an address")
    assert difference(value, twin) == []
    assert same([value, {"k": value}], copy.deepcopy([value, {"k": value}]))


def test_slots_are_read_through_the_whole_line_of_classes() -> None:
    def make(hidden: Any, shown: Any) -> Deeper:
        made = Deeper()
        Slotted.x.__set__(made, hidden)  # type: ignore[attr-defined]
        made.x = shown
        return made

    assert same(make(1, 2), make(1, 2))
    assert [str(found) for found in difference(make(1, 2), make(1, 3))] == ["$.x: value: 2 | 3"]
    assert not same(make(1, 2), make(2, 2))
    empty = Deeper()
    assert kinds(make(1, 2), empty) == ["missing", "missing"]
    assert kinds(empty, make(1, 2)) == ["extra", "extra"]


def test_attributes_have_no_order_and_dicts_have_one() -> None:
    assert same(Plain(a=1, b=2), Plain(b=2, a=1))
    found = difference({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert [str(f) for f in found] == ["$: order: key 0 is 'a' | key 0 is 'b'"]
    moved = OrderedDict(a=1, b=2, c=3)
    moved.move_to_end("a")
    assert same(moved, OrderedDict(b=2, c=3, a=1))
    assert kinds(moved, OrderedDict(a=1, b=2, c=3)) == ["order"]


def test_what_differs_from_the_fields_is_seen() -> None:
    cached = Cached(2)
    assert cached.double == 4
    assert kinds(cached, Cached(2)) == ["missing"]
    odd = Point(1)
    del odd.y
    odd.extra = 3  # type: ignore[attr-defined]
    assert {f.path: f.kind for f in difference(Point(1), odd)} == {
        "$.y": "missing",
        "$.extra": "extra",
    }


def test_a_hash_that_attrs_keeps_is_no_state() -> None:
    asked, fresh = Hashed("a"), Hashed("a")
    hash(asked)
    assert same(asked, fresh)
    assert not same(asked, Hashed("b"))


def test_sharing_is_part_of_the_value() -> None:
    inner = [1]
    assert same([inner, inner], copy.deepcopy([inner, inner]))
    (found,) = difference([inner, inner], [[1], [1]])
    assert (found.path, found.kind, found.a) == ("$[1]", "sharing", "the object at $[0]")
    (found,) = difference([[1], [1]], [inner, inner])
    assert (found.kind, found.b) == ("sharing", "the object at $[0]")
    pair, others = (inner,), [(inner,), (inner,)]
    assert not same([pair, pair], others)
    assert same(
        [(), (), frozenset(), frozenset()], [(), tuple(others[2:]), frozenset(), frozenset([])]
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: "".join(["a", "b"]),
        lambda: 10**30,
        lambda: float("1.5"),
        lambda: Decimal("1.50"),
        lambda: dt.datetime(2026, 1, 1),
        lambda: uuid.UUID(int=5),
        lambda: Path("/a/b"),
        lambda: Fraction(1, 3),
        lambda: range(2, 9),
        lambda: slice(1, 2),
    ],
)
def test_identity_of_atoms_does_not_matter(make: Any) -> None:
    one = make()
    assert same([one, one], [make(), make()])


def test_one_attribute_dict_of_two_instances_is_sharing() -> None:
    def borg(together: bool) -> list[Plain]:
        one, two = Plain(a=1), Plain(a=1)
        if together:
            two.__dict__ = one.__dict__
        return [one, two]

    assert same(borg(True), borg(True))
    assert kinds(borg(True), borg(False)) == ["sharing"]


def test_cycles_end() -> None:
    def ring(size: int) -> list[Any]:
        first: list[Any] = []
        last = first
        for _ in range(size - 1):
            last.append([])
            last = last[0]
        last.append(first)
        return first

    assert same(ring(3), ring(3))
    assert kinds(ring(1), ring(2)) == ["sharing"]
    assert kinds(ring(6), ring(3)) == ["sharing"]


@pytest.mark.uninstrumented
def test_depth_does_not_matter() -> None:
    def nest(kind: Any, end: Any) -> Any:
        for _ in range(30_000):
            end = kind(end)
        return end

    def run() -> None:
        one, two, other = (nest(lambda x: [x], end) for end in (1, 1, 2))
        assert same(one, two)
        (found,) = difference(one, other)
        assert (found.kind, found.a, found.b) == ("value", "1", "2")
        assert len(str(found)) < 300
        members = [{Plain(to=nest(lambda x: Plain(x=(x,)), end)) for end in (1, 2)} for _ in "ab"]
        assert same(*members)

    limit = threading.stack_size(1024 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(limit)


# ------------------------------------------------------------------------------------ sets and keys


def test_sets_are_compared_by_content() -> None:
    assert same({Frozen(n) for n in range(50)}, {Frozen(n) for n in reversed(range(50))})
    assert same({Plain(n=n) for n in range(50)}, {Plain(n=n) for n in reversed(range(50))})
    assert not same({1, "a"}, {1.0, "a"})
    assert same({1, 2.0, "x", (1, (2,))}, {(1, (2,)), "x", 2.0, 1})
    assert {f.kind for f in difference({1, 2, 3}, {2, 3, 4})} == {"value"}
    assert sorted(kinds({1, 2}, {3, 4, 5})) == ["extra", "extra", "extra", "missing", "missing"]


def test_the_one_member_that_changed_is_looked_into() -> None:
    left = {Plain(n=n, deep=[n]) for n in range(5)}
    right = {Plain(n=n, deep=[n if n else 9]) for n in range(5)}
    (found,) = difference(left, right)
    assert found.kind == "value"
    assert found.path.endswith("}.deep[0]")


def test_members_that_look_alike_are_matched_by_what_they_share() -> None:
    def make(crossed: bool) -> Any:
        lists: list[list[Any]] = [[], [], []]
        members = [Plain(to=one) for one in lists]
        order = [members[1], members[0], members[2]] if crossed else members
        return [set(members), lists, [member.to for member in order], order]

    assert same(make(False), make(False))
    assert same(make(True), make(True))
    assert not same(make(True), make(False))


def rings(*sizes: int) -> set[Plain]:
    members: list[Plain] = []
    for size in sizes:
        ring = [Plain() for _ in range(size)]
        for at, one in enumerate(ring):
            one.next = ring[at - 1]
        members += ring
    return set(members)


def test_members_whose_sharing_alone_differs() -> None:
    assert same(rings(3, 3), rings(3, 3))
    assert kinds(rings(6), rings(3, 3)) == ["members"]
    assert same(rings(2, 4), rings(4, 2))


def test_symmetric_members_are_paired_in_good_time() -> None:
    assert same({Plain(a=1) for _ in range(3_000)}, {Plain(a=1) for _ in range(3_000)})
    world: dict[str, Any] = {}
    world["all"] = {Plain(world=world, n=n // 2) for n in range(200)}
    assert same(world, copy.deepcopy(world))


def test_cannot_tell_is_never_true() -> None:
    def tangle(seed: int) -> set[Plain]:
        # regular graphs look alike everywhere; whether two are the same is the hard question
        nodes = [Plain() for _ in range(60)]
        for at, one in enumerate(nodes):
            steps = (1, seed, 60 - 1, 60 - seed)
            one.to = frozenset(nodes[(at + step) % 60] for step in steps)
        return set(nodes)

    assert same(tangle(7), tangle(7))
    assert set(kinds(tangle(7), tangle(8))) <= {"members", "cannot tell"}
    assert kinds(tangle(7), tangle(8))


def test_what_cannot_be_looked_into_is_the_same_only_as_itself() -> None:
    lock = threading.Lock()
    assert same([lock], [lock])
    assert kinds([lock], [threading.Lock()]) == ["cannot tell"]
    assert kinds({lock, 1}, {threading.Lock(), 1}) == ["cannot tell"]
    assert kinds([lock, lock], [lock, threading.Lock()]) == ["sharing"]
    assert kinds(ValueError("a"), ValueError("a")) == ["cannot tell"]
    assert same({lock: 1, "b": 2}, {lock: 1, "b": 2})
    many = {threading.Lock() for _ in range(4)}
    assert same(many, set(many))
    assert kinds(many, {threading.Lock() for _ in range(4)}) == ["cannot tell"]


def test_keys_that_are_objects_are_compared_in_order() -> None:
    assert same({Frozen(1): 1, Frozen(2): 2}, {Frozen(1): 1, Frozen(2): 2})
    found = difference({Frozen(1): 1}, {Frozen(2): 2})
    assert [(f.path, f.kind) for f in found] == [("${0}.x", "value"), ("$[#0]", "value")]
    moved = OrderedDict({Frozen(1): 1, Frozen(2): 2, "s": 3})
    moved.move_to_end(next(iter(moved)))
    assert same(moved, copy.deepcopy(moved))
    assert same(moved, OrderedDict({Frozen(2): 2, "s": 3, Frozen(1): 1}))
    assert not same(moved, OrderedDict({Frozen(1): 1, Frozen(2): 2, "s": 3}))
    one, two = float("nan"), float("nan")
    assert same({one: 1, two: 2}, {two: 1, one: 2})
    assert not same({one: 1, two: 2}, {two: 1, one: 3})


def test_the_key_an_object_shares_with_a_value() -> None:
    def make(together: bool) -> dict[Any, Any]:
        key = Frozen((1,))
        return {key: key if together else Frozen((1,))}

    assert same(make(True), make(True))
    assert kinds(make(True), make(False)) == ["sharing"]


# ---------------------------------------------------------------------------------- paths and texts


def test_paths_lead_to_the_place() -> None:
    left = {"a": [1, {"b c": (1, 2)}], 3: {None: [1]}, "t": Pair(1, [2])}
    right = {"a": [1, {"b c": (1, 3)}], 3: {None: [2]}, "t": Pair(1, [3])}
    assert [f.path for f in difference(left, right)] == [
        '$.a[1]["b c"][1]',
        "$[3][#0][0]",
        "$.t.right[0]",
    ]


def test_differences_come_in_document_order_up_to_the_limit() -> None:
    left, right = [[n] for n in range(20)], [[n + 100] for n in range(20)]
    assert [f.path for f in difference(left, right, 3)] == ["$[0][0]", "$[1][0]", "$[2][0]"]
    assert len(difference(left, right)) == 10
    assert len(difference(left, right, limit=100)) == 20
    with pytest.raises(ValueError, match="at least 1"):
        difference(left, right, 0)


def test_lengths_and_keys() -> None:
    assert [str(f) for f in difference([1, 2], [1, 3, 4])] == [
        "$[1]: missing: 2 | ",
        "$[1]: extra:  | 3",
        "$[2]: extra:  | 4",
    ]
    assert [str(f) for f in difference({"a": 1, "b": 2}, {"b": 3, "c": [1]})] == [
        "$.a: missing: 1 | ",
        "$.b: value: 2 | 3",
        "$.c: extra:  | list of 1",
    ]


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (1, True, "$: type: int 1 | bool True"),
        (1.5, Decimal("1.5"), "$: type: float 1.5 | Decimal('1.5')"),
        ("x" * 100, 1, f"$: type: str '{'x' * 40}'… (100 characters) | int 1"),
        (10**5000, 0, "$: value: int of 16610 bits | 0"),
        ("\x1b[31m\ud800", "", "$: value: '\\x1b[31m\\ud800' | ''"),
        (Color.RED, Color.GREEN, f"$: value: {__name__}.Color.RED | {__name__}.Color.GREEN"),
        (Plain, Point, f"$: value: class {__name__}.Plain | class {__name__}.Point"),
        ([], {}, "$: type: list of 0 | dict of 0"),
    ],
    ids=range(8),
)
def test_texts_are_short_and_printable(a: Any, b: Any, text: str) -> None:
    (found,) = difference(a, b)
    assert isinstance(found, Difference)
    assert str(found) == text


# ------------------------------------------------------------------------------------- nothing runs


def trap(name: str) -> Any:
    def touched(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"{name} ran")

    return touched


TRAPS = [
    "__getattribute__", "__getattr__", "__eq__", "__ne__", "__lt__", "__repr__", "__str__",
    "__bool__", "__len__", "__iter__", "__contains__", "__getitem__", "__reduce__", "__reduce_ex__",
    "__getstate__", "__sizeof__", "__format__", "__dir__", "__copy__", "__deepcopy__",
    "__instancecheck__", "__subclasscheck__", "__index__", "__int__", "__float__", "__complex__",
    "__bytes__", "__reversed__", "keys", "items", "values", "copy", "x", "isoformat", "as_tuple",
    "utcoffset", "tzinfo",
]  # fmt: skip


def trapped(*bases: type, metaclass: type = type, hashing: bool = False) -> Any:
    body: dict[str, Any] = {name: trap(name) for name in TRAPS}
    body["__hash__"] = trap("__hash__") if hashing else object.__hash__
    body["__class__"] = property(trap("__class__"))
    body["named"] = property(trap("named"))
    return metaclass("Trapped", bases, body)


class Meta(type):
    __eq__ = trap("metaclass __eq__")
    __hash__ = trap("metaclass __hash__")
    __getattribute__ = trap("metaclass __getattribute__")
    __instancecheck__ = trap("metaclass __instancecheck__")
    __repr__ = trap("metaclass __repr__")


@pytest.mark.parametrize(
    ("bases", "args"),
    [
        ((), ()),
        ((list,), ([1, [2]],)),
        ((tuple,), ([1, [2]],)),
        ((dict,), ({"a": 1},)),
        ((OrderedDict,), ()),
        ((defaultdict,), (list, {"a": 1})),
        ((set,), ([1, 2],)),
        ((frozenset,), ([1, 2],)),
        ((deque,), ([1, 2], 5)),
        ((str,), ("abc",)),
        ((int,), (5,)),
        ((float,), (5.0,)),
        ((complex,), (5.0,)),
        ((bytes,), (b"abc",)),
        ((bytearray,), (b"abc",)),
        ((Decimal,), ("1.5",)),
        ((dt.datetime,), (2026, 1, 1)),
        ((dt.date,), (2026, 1, 1)),
        ((dt.timedelta,), (1,)),
        ((array.array,), ("b", [1])),
        ((types.SimpleNamespace,), ()),
    ],
    ids=lambda value: getattr(value[0], "__name__", "") if value else "object",
)
@pytest.mark.parametrize("metaclass", [type, Meta])
def test_no_code_of_a_class_is_run(
    bases: tuple[type, ...], args: tuple[Any, ...], metaclass: type
) -> None:
    cls = trapped(*bases, metaclass=metaclass)

    def make(value: Any) -> Any:
        made = type.__call__(cls, *args)
        object.__setattr__(made, "held", value)
        return made

    one, two, other = make([1]), make([1]), make([2])
    assert same(one, two)
    assert same({"a": [one, one]}, {"a": [two, two]})
    assert kinds(one, other) == ["value"]
    assert kinds([one], [3]) == ["type"]
    assert not same({"a": 1}, {"a": one})
    assert same({one, 1}, {two, 1})
    assert same({one: 1}, {two: 1})
    assert not same([one, one], [one, two])


def test_no_code_of_a_key_is_run_by_an_ordered_dict() -> None:
    quiet = [False]

    class Key:
        def __init__(self, n: int) -> None:
            self.n = n

        def __hash__(self) -> int:
            assert not quiet[0]
            return self.n

        def __eq__(self, other: object) -> bool:
            assert not quiet[0]
            return isinstance(other, Key) and self.n == other.n

    def make() -> list[Any]:
        keys = [Key(n) for n in range(5)]
        ordered = OrderedDict((key, key.n) for key in keys)
        ordered.move_to_end(keys[2])
        return [ordered, dict.fromkeys(keys), set(keys), frozenset(keys), Counter(keys)]

    one, two = make(), make()
    quiet[0] = True
    assert same(one, two)


def test_a_class_that_poses_as_another_is_not_taken_for_it() -> None:
    def make() -> Any:
        posing = type("Decimal", (), {"__module__": "decimal", "__qualname__": "Decimal"})()
        posing.x = 1
        return posing

    one = make()
    two = object.__new__(type(one))
    two.x = 1
    assert same(one, two)
    two.x = 2
    assert kinds(one, two) == ["value"]


def test_a_dict_behind_a_property_cannot_be_told() -> None:
    class Hidden:
        __dict__ = property(trap("__dict__"))  # type: ignore[assignment]

    assert kinds(Hidden(), Hidden()) == ["cannot tell"]


def test_a_slot_that_was_removed_from_its_class_cannot_be_told() -> None:
    class Gone:
        __slots__ = ("x",)

    one, two = Gone(), Gone()
    one.x, two.x = 1, 1
    assert same(one, two)
    del Gone.x  # type: ignore[attr-defined]
    assert kinds(one, two) == ["cannot tell"]


def test_nothing_is_imported_for_a_comparison() -> None:
    import subprocess

    code = (
        "import sys; from mason.inspection.sameness import same;"
        "assert same([1, {'a': {2.5}}], [1, {'a': {2.5}}]);"
        "print(*{'decimal', 'uuid', 'fractions', 'ipaddress', 'zoneinfo'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


# --------------------------------------------------------------------------------------- open-ended

ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3),
    st.binary(max_size=3), st.decimals().filter(lambda d: not d.is_snan()), st.dates(),
    st.datetimes(), st.sampled_from([Color.RED, list, ...]),
)  # fmt: skip
HASHABLE = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.frozensets(inner, max_size=3),
        st.builds(Frozen, inner),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(HASHABLE, inner, max_size=3),
        st.sets(HASHABLE, max_size=4),
        st.builds(lambda x, y: Plain(x=x, y=y), inner, inner),
        st.builds(Point, inner, inner),
        inner.map(lambda x: [x, x]),
        inner.map(lambda x: {Plain(x=x), Plain(x=x), Plain(x=[x])}),
    ),
    max_leaves=12,
)


def rebuilt(value: Any, memo: dict[int, Any]) -> Any:
    """Copy by hand: `copy.deepcopy` keeps tuples of atoms, and the order of sets."""
    if id(value) in memo:
        return memo[id(value)]
    made: Any
    if type(value) is list:
        made = [rebuilt(part, memo) for part in value]
    elif type(value) is tuple:
        made = tuple([rebuilt(part, memo) for part in value])
    elif type(value) is dict:
        made = {rebuilt(key, memo): rebuilt(part, memo) for key, part in value.items()}
    elif type(value) in (set, frozenset):
        made = type(value)(reversed([rebuilt(part, memo) for part in value]))
    elif type(value) in (Plain, Point):
        made = object.__new__(type(value))
        made.__dict__.update({name: rebuilt(part, memo) for name, part in vars(value).items()})
    elif type(value) is Frozen:
        made = Frozen(rebuilt(value.x, memo))
    else:
        return copy.deepcopy(value)
    memo[id(value)] = made
    return made


@given(VALUES)
def test_a_rebuilt_graph_is_the_same(value: Any) -> None:
    assert difference(value, rebuilt(value, {})) == []
    assert same(copy.deepcopy(value), value)


@given(VALUES, VALUES)
def test_sameness_has_no_direction(a: Any, b: Any) -> None:
    assert same(a, b) == same(b, a)
    assert same(a, b) == (difference(a, b) == [])


@given(VALUES, st.data())
def test_one_changed_atom_is_found(value: Any, data: st.DataObject) -> None:
    twin = copy.deepcopy([value, {"k": [value]}])
    twin[1]["k"].append(0)
    original = copy.deepcopy([value, {"k": [value]}])
    original[1]["k"].append(data.draw(st.sampled_from([0.0, False, "0", None, [0]])))
    assert not same(twin, original)


@given(st.lists(st.lists(st.integers(0, 19), max_size=3), min_size=2, max_size=20))
def test_random_graphs_with_sharing_and_cycles(edges: list[list[int]]) -> None:
    def build(as_set: bool) -> Any:
        nodes = [Plain() for _ in edges]
        for node, targets in zip(nodes, edges, strict=True):
            node.to = [nodes[target % len(nodes)] for target in targets]
        return set(nodes) if as_set else nodes

    assert same(build(False), build(False))
    assert same(build(True), build(True))
    changed = build(False)
    changed[0].to.append(changed[0])
    assert not same(build(False), changed)
    assert not same(build(True), set(changed))


EDGES = st.lists(st.sets(st.integers(0, 4), max_size=3), min_size=2, max_size=5)


@given(EDGES, EDGES, st.permutations(range(5)), st.booleans())
def test_sets_of_nodes_are_the_same_exactly_when_their_graphs_are(
    one: list[set[int]], two: list[set[int]], order: list[int], renumber: bool
) -> None:
    one, two = ([{at % len(es) for at in targets} for targets in es] for es in (one, two))
    if renumber:  # the same graph in another order: random ones hardly ever are the same
        order = [at for at in order if at < len(one)]
        two = [{order.index(at) for at in one[number]} for number in order]

    def build(edges: list[set[int]]) -> set[Plain]:
        nodes = [Plain() for _ in edges]
        for node, targets in zip(nodes, edges, strict=True):
            node.to = frozenset(nodes[at] for at in targets)
        return set(nodes)

    def match(to: tuple[int, ...]) -> bool:
        return all({to[at] for at in targets} == two[to[n]] for n, targets in enumerate(one))

    wanted = len(one) == len(two) and any(map(match, permutations(range(len(one)))))
    assert same(build(one), build(two)) == wanted


def test_inert_trees() -> None:
    text = (
        '{"$mason":1,"$type":"a:B","x":{"$id":1,"$list":[]},"y":{"$ref":1},'
        '"$extra":{"t":{"$tag":[9999,[1]]},"n":{"$global":"os:system"},"s":{"$simple":40}}}'
    )
    root = mason.reads(text).root
    assert same(root, mason.reads(text).root)
    for old, new, path in [
        ("a:B", "a:C", "$"),
        ('{"$ref":1}', "[]", "$.y"),
        ("9999", "9998", '$["$extra"].t'),
        ("[1]", "[2]", '$["$extra"].t[0][0]'),
        ("os:system", "os:popen", '$["$extra"].n'),
        ("40", "41", '$["$extra"].s'),
    ]:
        (found,) = difference(root, mason.reads(text.replace(old, new)).root)
        assert found.path == path


def test_field_order_and_factories_do_not_matter() -> None:
    @dataclass
    class Late:
        a: list[Any] = field(default_factory=list)

    assert same(Late(), Late([]))


# ------------------------------------------------------------------ elements that belong together


def told(a: Any, b: Any) -> list[str]:
    return [str(one) for one in difference(a, b)]


@pytest.mark.parametrize("make", [list, tuple, deque])
def test_elements_that_were_put_in_or_taken_out_are_told_alone(make: Any) -> None:
    words = ["a", "b", "c", "d"]
    assert told(make(words), make(["new", *words])) == ["$[0]: extra:  | 'new'"]
    assert told(make(words), make([*words[:2], "x", "y", *words[2:]])) == [
        "$[2]: extra:  | 'x'",
        "$[3]: extra:  | 'y'",
    ]
    assert told(make(words), make(words[1:])) == ["$[0]: missing: 'a' | "]
    assert told(make([[1], [2]]), make([[2]])) == ["$[0]: missing: list of 1 | "]


def test_empty_sequences_have_no_pairs() -> None:
    assert told([[1]], []) == ["$[0]: missing: list of 1 | "]
    assert told([], [None]) == ["$[0]: extra:  | None"]
    assert told((1,), ()) == ["$: value: tuple of 1 | tuple of 0"]


def test_elements_that_moved_are_told_as_moves() -> None:
    points = [Point(number) for number in range(5)]
    turned = copy.deepcopy([points[4], *points[:4]])
    assert told(points, turned) == ["$[4]: moved: at [4] | at [0]"]
    turned[0].y = 7  # and is another now, but still alike
    assert told([Point("name", 1), 2, 3], [2, 3, Point("name", 1)]) == [
        "$[0]: moved: at [0] | at [2]"
    ]


def test_what_changed_is_found_beside_what_was_put_in() -> None:
    @dataclass
    class User:
        id: int
        name: str
        tags: Any = ()

    before = [User(n, f"user {n}", ["a", ["b"]]) for n in range(6)]
    after = copy.deepcopy(before)
    after[3].tags[1].append("c")
    after.insert(0, User(77, "new"))
    del after[6]
    assert told({"users": before}, {"users": after}) == [
        "$.users[0]: extra:  | " + brief_of(after[0]),
        "$.users[4].tags[1][1]: extra:  | 'c'",
        "$.users[5]: missing: " + brief_of(before[5]) + " | ",
    ]


def brief_of(value: Any) -> str:
    return difference([value], [])[0].a


def test_what_is_large_is_compared_place_by_place() -> None:
    many = list(range(110_000))
    found = difference(many, [-1, *many], limit=1000)
    assert len(found) == 1000
    assert str(found[0]) == "$[0]: value: 0 | -1"


def test_what_the_second_side_alone_has_is_told_where_it_has_it() -> None:
    row = {"id": 1, "xs": [1, 2]}
    assert told([0, row, 5], [{"id": 1, "xs": [1, 2, 3]}, 5]) == [
        "$[0]: missing: 0 | ",
        "$[0].xs[2]: extra:  | 3",
    ]
    moved = [{"id": 2, "d": {"new": 1}}, {"id": 1, "d": {"q": 1}}]
    found = difference([{"id": 1, "d": {"q": 1}}, {"id": 2, "d": {}}], moved)
    assert ("extra", "$[0].d.new") in [(one.kind, one.path) for one in found]
    once = ["one"]
    (found_sharing,) = (
        one
        for one in difference([0, ["one"], ["two"], ["one"]], [once, ["two"], once])
        if one.kind == "sharing"
    )
    assert (found_sharing.path, found_sharing.b) == ("$[3]", "the object at $[0]")


def test_pairing_runs_no_code_of_a_class() -> None:
    class Meta(type):
        def __eq__(cls, other: object) -> bool:
            raise AssertionError

        __hash__ = type.__hash__

        @property
        def __name__(cls) -> str:  # type: ignore[override]
            raise AssertionError

    class Key(metaclass=Meta):
        pass

    found = difference([{"id": Key(), "v": 1}, 5], [{"id": Key(), "v": 2}, 6, 5])
    assert [one.kind for one in found] == ["value", "extra"]


def test_what_was_changed_in_place_is_told_in_place() -> None:
    assert told([(1, 2), (3, 4)], [[1, 2], [3, 4]]) == [
        "$[0]: type: tuple of 2 | list of 2",
        "$[1]: type: tuple of 2 | list of 2",
    ]
    assert told([1, 2, 3], [1, 5, 3]) == ["$[1]: value: 2 | 5"]
    assert told([[1, 2, 3]] * 2, [[1, 2, 3], [1, 2, 3]])[0].startswith("$[1]: sharing: ")
    assert told(At(1, 2), At(2, 1)) == ["$.x: value: 1 | 2", "$.y: value: 2 | 1"]


class At(NamedTuple):
    x: int
    y: int


@given(
    st.lists(st.integers(0, 10_000), unique=True, max_size=30),
    st.lists(st.integers(20_000, 30_000), unique=True, max_size=5),
    st.data(),
)
def test_every_edit_is_told_once(base: list[int], fresh: list[int], data: st.DataObject) -> None:
    gone = data.draw(
        st.lists(st.sampled_from(base), unique=True, max_size=5) if base else st.just([])
    )
    edited = [[number] for number in base if number not in gone]
    for number in fresh:
        edited.insert(data.draw(st.integers(0, len(edited))), [number])
    found = difference([[number] for number in base], edited, limit=100)
    if len(gone) == len(fresh):
        return  # one that stands in the place of another is the same one, changed
    kinds = Counter(one.kind for one in found)
    changed = kinds.pop("value", 0)
    assert kinds["missing"] + changed == len(gone)
    assert kinds["extra"] + changed == len(fresh)
    assert kinds["moved"] == 0


@given(recipe=graphs.GRAPHS, other=graphs.GRAPHS)
def test_what_is_not_the_same_differs_somewhere(
    recipe: graphs.Recipe, other: graphs.Recipe
) -> None:
    a, b = graphs.build(recipe), graphs.build(other)
    assert same(a, b) == (difference(a, b) == [])
    assert same([a, b], [b, a]) == (difference([a, b], [b, a]) == [])
    assert difference([a, b], [graphs.build(recipe), graphs.build(other)]) == []


# ------------------------------------------------------------------------------------ turned keys


@pytest.mark.parametrize(
    ("key", "other", "path", "texts"),
    [
        (1, "1", "$[1]", ("1", "'1'")),
        (None, "null", "$[#0]", ("None", "'null'")),
        (1.5, "1.5", "$[#0]", ("1.5", "'1.5'")),
        ("1", 1, '$["1"]', ("'1'", "1")),
        (Decimal("1"), "1", "$[#0]", ("Decimal('1')", "'1'")),
    ],
)
def test_a_key_of_another_type_in_the_same_place_is_one_difference(
    key: Any, other: Any, path: str, texts: tuple[str, str]
) -> None:
    assert difference({key: [1]}, {other: [1]}) == [Difference(path, "key", *texts)]
    assert not same({key: [1]}, {other: [1]})


def test_what_a_turned_key_leads_to_is_compared_as_well() -> None:
    found = difference({"a": 0, 1: [2], "b": 0}, {"a": 0, "1": [3], "b": 0})
    assert [(one.path, one.kind) for one in found] == [("$[1]", "key"), ("$[1][0]", "value")]


@pytest.mark.parametrize(
    ("a", "b", "kinds"),
    [
        ({1: "a", "1": "b"}, {"1": "b"}, ["missing"]),  # two entries became one
        ({1: "a", 2: "b"}, {"2": "a", 1: "b"}, ["value", "missing", "extra"]),
        ({"a": 1}, {"b": 1}, ["missing", "extra"]),  # another key of the same type is another key
        ({1: "a"}, {"1": "a", "2": "b"}, ["missing", "extra", "extra"]),
    ],
)
def test_other_keys_are_missing_and_extra(
    a: dict[Any, Any], b: dict[Any, Any], kinds: list[str]
) -> None:
    assert [one.kind for one in difference(a, b)] == kinds
