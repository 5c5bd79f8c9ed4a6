"""Classes of every variety: taken apart, put together, or refused with the reason."""

from __future__ import annotations

import enum
import functools
import io
import itertools
import json
import math
import socket
import sys
import threading
import types
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapes
from hypothesis import given
from hypothesis import strategies as st

import mason

FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])


@pytest.fixture(autouse=True)
def calls() -> Iterator[list[str]]:
    """Give the record of the example classes' own code that ran since the test began."""
    shapes.ran.clear()
    yield shapes.ran
    shapes.ran.clear()


def through(obj: Any, format: str = "json", trust: Any = "shapes") -> Any:
    """Return what comes back from one dump and one load."""
    return mason.loads(mason.dumps(obj, format=format), trust=[trust], format=format)


def held(obj: Any) -> dict[str, Any]:
    """Return everything that an instance holds, past all hooks of its class."""
    found = {}
    for cls in type.mro(type(obj)):
        for name, value in type.__dict__["__dict__"].__get__(cls).items():
            if type(value) is types.MemberDescriptorType and value.__name__ == name:
                try:
                    found[cls.__name__, name] = value.__get__(obj)
                except AttributeError:
                    continue
    if type(obj).__dictoffset__:
        found |= {("", name): value for name, value in plain_dict(obj).items()}
    return found


def plain_dict(obj: Any) -> dict[str, Any]:
    result: dict[str, Any] = object.__getattribute__(obj, "__dict__")
    return result


def new(cls: type, **attributes: Any) -> Any:
    obj = cls.__new__(cls)
    for name, value in attributes.items():
        object.__setattr__(obj, name, value)
    return obj


def refusal(obj: Any) -> str:
    """Return what the error says when the object cannot be written."""
    with pytest.raises(mason.DumpError) as caught:
        mason.dumps(obj)
    return str(caught.value)


def hand_written(name: str, /, **slots: Any) -> str:
    return json.dumps({"$mason": 1, "$type": name, **slots})


# ----------------------------------------------------------------------------- come back exactly

EXAMPLES: list[Any] = [
    shapes.Point(1, 2),
    shapes.FrozenPoint(1, 2),
    shapes.SlotPoint(1, 2),
    shapes.FrozenSlotPoint(1, 2),
    shapes.WeakSlotPoint(1, 2),
    shapes.KeywordPoint(x=1),
    shapes.OrderedPoint(1, 2),
    shapes.Point3(1, 2, 3, ["a"]),
    shapes.SlotPoint3(1, 2, 3),
    shapes.SlotThenDict(1, 2, 3),
    shapes.PlainChildOfDataclass(1, "note"),
    shapes.Box("text"),
    shapes.SlotBox([1]),
    shapes.Fancy("n", items=[1]),
    shapes.DollarFields(),
    shapes.Node("a"),
    shapes.AttrsPoint(1, 2),
    shapes.AttrsFrozen(1, 2),
    shapes.AttrsDict(1, 2),
    shapes.AttrsChild(1, 2, [3]),
    shapes.AttrsTakesSelf(4),
    shapes.OldAttrs(1, 2),
    shapes.AttrsConverted("5"),  # type: ignore[arg-type]
    shapes.AttrsCachedProperty(6),
    new(shapes.Plain, a=1, b=[2]),
    new(shapes.Plain),
    new(shapes.Slotted, a=1, b=2),
    new(shapes.Slotted, b=2),
    new(shapes.Slotted),
    new(shapes.SlottedChild, a=1, c=3),
    new(shapes.SlotsAndDict, a=1, z=26),
    new(shapes.DictAmongSlots, a=1, z=26),
    new(shapes.EmptySlots),
    shapes.Mangled("s"),
    shapes.MangledDict("s"),
    shapes.Outer.Inner(5),
    new(shapes.Outer.Inner.Deepest, x=1),
    shapes.Concrete(1.5),
    new(shapes.Diamond, r=1, z=2),
    shapes.Square(),
    shapes.WithDescriptor(3),  # type: ignore[arg-type]
]


@FORMATS
@pytest.mark.parametrize("obj", EXAMPLES, ids=lambda obj: type(obj).__qualname__)
def test_instances_come_back_with_type_and_attributes(obj: Any, format: str) -> None:
    shapes.ran.clear()
    back = through(obj, format)
    assert type(back) is type(obj)
    assert held(back) == held(obj)
    assert list(held(back)) == list(held(obj))
    assert not shapes.ran


@FORMATS
def test_sharing_and_cycles_between_instances_are_kept(format: str) -> None:
    first, second = shapes.Node("a"), shapes.Node("b")
    first.next, second.next = second, first
    second.others = first.others = [first, second, first]
    back = through([second, first], format)
    assert back[0].next is back[1] and back[1].next is back[0]
    assert back[0].others is back[1].others
    assert [one.name for one in back[0].others] == ["a", "b", "a"]


@FORMATS
def test_no_code_of_the_class_runs(format: str) -> None:
    obj = shapes.Booby(3)
    shapes.ran.clear()
    back = through({"a": obj, "b": [obj]}, format)
    assert not shapes.ran
    assert plain_dict(back["a"]) == {"x": 3}
    assert back["b"][0] is back["a"]


@FORMATS
def test_no_code_of_the_metaclass_runs(format: str) -> None:
    obj = shapes.WithMeta()
    shapes.ran.clear()
    mason.dumps(obj, format=format)
    mason.dumps(shapes.WithMeta, format=format)
    assert not shapes.ran


@FORMATS
def test_a_lying_class_attribute_is_not_believed(format: str) -> None:
    back = through(new(shapes.LyingClass), format)
    assert not shapes.ran
    assert type(back) is shapes.LyingClass


@FORMATS
def test_a_property_before_a_slot_is_not_asked(format: str) -> None:
    obj = shapes.ShadowedSlot()
    shapes.Slotted.a.__set__(obj, "slot")  # type: ignore[attr-defined]
    back = through(obj, format)
    assert not shapes.ran
    assert shapes.Slotted.a.__get__(back) == "slot"  # type: ignore[attr-defined]


NAMES = st.text(max_size=8).filter(lambda name: not (name[:2] == name[-2:] == "__"))


@FORMATS
@given(names=st.dictionaries(NAMES, st.integers(), max_size=6))
def test_any_attribute_name_comes_back(format: str, names: dict[str, int]) -> None:
    obj = shapes.Plain.__new__(shapes.Plain)
    obj.__dict__.update(names)
    back = through(obj, format)
    assert list(plain_dict(back).items()) == list(names.items())


@pytest.mark.parametrize("cls", [shapes.Plain, shapes.Tags, shapes.Name, shapes.Point])
def test_names_with_a_meaning_of_their_own_are_refused(cls: Any) -> None:
    content = {shapes.Tags: {"$list": []}, shapes.Name: {"$str": ""}, shapes.Point: {"x": 1}}
    obj = cls.__new__(cls)
    obj.__dict__["__class__"] = obj.__dict__["x"] = 1
    assert "__class__" in refusal(obj)
    written = hand_written(f"shapes:{cls.__name__}", __class__=1, **content.get(cls, {}))
    with pytest.raises(mason.LoadError, match="__class__"):
        mason.loads(written, trust=[cls])


@FORMATS
@given(
    names=st.lists(
        st.sampled_from(["a", "b", "c", "_d", "__e", "$f"]), unique=True, max_size=6
    ).map(tuple),
    kept=st.sets(st.sampled_from(["a", "b", "c", "_d", "_Made__e"])),
)
def test_any_set_of_slots_comes_back(format: str, names: tuple[str, ...], kept: set[str]) -> None:
    slots = tuple(name for name in names if name.isidentifier())
    cls = type("Made", (), {"__slots__": slots, "__module__": "shapes", "__qualname__": "Made"})
    vars(shapes)["Made"] = cls
    try:
        obj = cls()
        for name in kept & {("_Made" + one if one.startswith("__") else one) for one in slots}:
            setattr(obj, name, name.upper())
        assert held(through(obj, format)) == held(obj)
    finally:
        del vars(shapes)["Made"]


# ---------------------------------------------------------- instances unlike their fields


@FORMATS
@pytest.mark.parametrize("cls", [shapes.Point, shapes.SlotPoint, shapes.AttrsPoint])
def test_a_deleted_field_stays_deleted(cls: Any, format: str) -> None:
    obj = cls(1, 2)
    object.__delattr__(obj, "y")
    back = through(obj, format)
    assert list(held(back)) == list(held(obj))
    assert back.x == 1


@FORMATS
@pytest.mark.parametrize("cls", [shapes.Point, shapes.FrozenPoint, shapes.AttrsDict])
def test_an_extra_attribute_stays(cls: Any, format: str) -> None:
    obj = cls(1, 2)
    obj.__dict__["extra"] = [1]
    back = through(obj, format)
    assert back.extra == [1]
    assert back == obj


@FORMATS
def test_a_cached_property_that_was_used_stays(format: str) -> None:
    for obj in shapes.Fancy("n"), shapes.AttrsCachedProperty(4):
        expected = obj.doubled if isinstance(obj, shapes.Fancy) else obj.double
        back = through(obj, format)
        assert held(back) == held(obj)
        assert expected in held(back).values()


@FORMATS
def test_what_a_generic_instance_remembers_comes_back(format: str) -> None:
    for alias in (
        shapes.Box[int],
        shapes.Box[shapes.Point],
        shapes.Box[None],
        shapes.Pair[str, list[int]],
        shapes.Pair[shapes.Box[int], tuple[int, ...]],
    ):
        obj = alias(*["v"] * len(alias.__args__))  # type: ignore[attr-defined]
        back = through(obj, format)
        assert back.__orig_class__ == alias
        assert type(back.__orig_class__) is type(alias)


@FORMATS
def test_a_hash_that_attrs_keeps_is_not_written(format: str) -> None:
    for obj in shapes.AttrsCachedHash("x"), shapes.AttrsDictCachedHash("x"):
        before = hash(obj)
        assert "cached_hash" not in mason.dumps(obj)
        back = through(obj, format)
        assert back._attrs_cached_hash is None
        assert hash(back) == before
        assert back == obj


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (hand_written("shapes:Point", x=1), shapes.Point(1, 0)),
        (hand_written("shapes:FrozenSlotPoint", x=1), shapes.FrozenSlotPoint(1, 0)),
        (hand_written("shapes:Point3", x=1), shapes.Point3(1, 0, 0, [])),
        (hand_written("shapes:AttrsPoint", x=1), shapes.AttrsPoint(1, 0)),
        (hand_written("shapes:AttrsChild", x=1), shapes.AttrsChild(1, 0, [])),
        (hand_written("shapes:AttrsTakesSelf", x=4), shapes.AttrsTakesSelf(4, 8)),
        (hand_written("shapes:NamedPoint", x=1), shapes.NamedPoint(1, 0)),
        (hand_written("shapes:ClassicPoint", x=1), shapes.ClassicPoint(1, 5)),
    ],
)
def test_a_field_that_came_since_gets_its_default(written: str, expected: Any) -> None:
    back = mason.loads(written, trust=["shapes"])
    assert back == expected
    assert type(back) is type(expected)


def test_a_default_factory_makes_a_new_value_for_each_instance() -> None:
    written = json.dumps({"$mason": 1, "$value": [{"$type": "shapes:Point3", "x": 1}] * 2})
    first, second = mason.loads(written, trust=["shapes"])
    assert first.tags == second.tags == []
    assert first.tags is not second.tags


@pytest.mark.parametrize(
    "written",
    [
        hand_written("shapes:Point", y=1),
        hand_written("shapes:AttrsPoint", y=1),
        hand_written("shapes:Fancy", name="a"),  # total has no default
        hand_written("shapes:Point", x=1, gone=2),
        hand_written("shapes:AttrsPoint", x=1, gone=2),
        hand_written("shapes:Fancy", name="a", total=1, kind="b"),  # a class variable
        hand_written("shapes:Fancy", name="a", total=1, seed=7),  # an InitVar
    ],
)
def test_a_field_that_is_missing_or_gone_is_an_error(written: str) -> None:
    with pytest.raises(mason.LoadError):
        mason.loads(written, trust=["shapes"])


# -------------------------------------------------------------------------------- named tuples


@FORMATS
@pytest.mark.parametrize(
    "obj",
    [
        shapes.NamedPoint(1),
        shapes.ClassicPoint(1, 2),
        shapes.ClassicSlotChild("1 2"),
        shapes.GenericNamed([1]),
        shapes.RenamedFields(1, 2),
    ],
    ids=lambda obj: type(obj).__name__,
)
def test_named_tuples_come_back(obj: Any, format: str) -> None:
    shapes.ran.clear()
    back = through(obj, format)
    assert type(back) is type(obj)
    assert tuple(back) == tuple(obj)
    assert not shapes.ran


@FORMATS
def test_attributes_of_a_derived_named_tuple_come_back(format: str) -> None:
    obj = shapes.ClassicChild(1, 2)
    obj.note = "n"  # type: ignore[attr-defined]
    back = through(obj, format)
    assert type(back) is shapes.ClassicChild
    assert back == obj
    assert vars(back) == {"note": "n"}


# --------------------------------------------------------------------------------------- enums

MEMBERS = [
    *shapes.Color,
    *shapes.Level,
    *shapes.Status,
    *shapes.Perm,
    *shapes.Mode,
    *shapes.Planet,
    *shapes.Unhashable,
    *shapes.AliasOnly,
    *shapes.Sneaky,
    *shapes.SneakyFlag,
    *shapes.TrueIsOne,
    shapes.Perm.RW,
]
COMBINATIONS = [
    shapes.Perm.R | shapes.Perm.X,
    shapes.Perm(0),
    ~shapes.Perm.R,
    shapes.Mode.A | shapes.Mode.B,
    *((shapes.Mode(64), shapes.Mode(2**70)) if shapes.KEEPS_UNKNOWN_BITS else ()),
    shapes.Strict.A | shapes.Strict.B,
    shapes.Conform(7),
    shapes.Eject.A | shapes.Eject.B,
    shapes.Unordered.A | shapes.Unordered.B,
]


@FORMATS
@pytest.mark.parametrize("member", [*MEMBERS, *COMBINATIONS], ids=repr)
def test_enum_members_come_back_as_themselves(member: enum.Enum, format: str) -> None:
    assert through(member, format) is member
    assert not shapes.ran


def test_an_alias_is_written_as_its_member() -> None:
    assert json.loads(mason.dumps(shapes.Color.CRIMSON))["$enum"] == "RED"
    assert mason.loads(hand_written("shapes:Color", **{"$enum": "CRIMSON"}), trust=["shapes"]) is (
        shapes.Color.RED
    )


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (shapes.Color.GREEN, "green"),
        (shapes.Level.HIGH, 10),
        (shapes.AliasOnly.NONE, None),
        (shapes.TrueIsOne.ONE_POINT, 2.0),
    ],
)
def test_a_plain_value_stands_beside_the_name(member: enum.Enum, value: object) -> None:
    assert json.loads(mason.dumps(member))["value"] == value


@pytest.mark.parametrize("member", [shapes.Color.BLUE, shapes.AliasOnly.NAN])
def test_other_values_are_left_out(member: enum.Enum) -> None:
    assert "value" not in json.loads(mason.dumps(member))


def test_a_combination_that_this_process_never_made_is_built() -> None:
    class_name = "Fresh"
    cls = enum.Flag(class_name, {f"F{n}": 1 << n for n in range(20)}, module="shapes")
    vars(shapes)[class_name] = cls
    try:
        back = mason.loads(hand_written("shapes:Fresh", **{"$enum": 0b1010101}), trust=["shapes"])
        assert back is cls(0b1010101)
    finally:
        del vars(shapes)[class_name]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Color", "PURPLE"),
        ("Color", "mro"),
        ("Color", "__class__"),
        ("Color", 3),
        ("Color", True),
        ("Color", 1.0),
        ("Color", None),
        ("Color", []),
        ("Color", [1]),
        ("Color", {}),
        ("TrueIsOne", 1),
        ("TrueIsOne", 2),
        ("Sneaky", 5),
        ("SneakyFlag", 3),
        ("Perm", 8),
        ("Perm", -1),
        ("Perm", 2**5000),
        ("Strict", 2),
        ("Conform", 4),
        ("Eject", 4),
        ("Mode", -1),
        ("Mode", 2**5000 + 1),
        ("Status", "paid "),
    ],
    ids=lambda x: repr(x)[:20],
)
def test_what_is_no_member_is_refused_without_asking_the_class(name: str, wanted: Any) -> None:
    with pytest.raises(mason.LoadError):
        mason.loads(hand_written(f"shapes:{name}", **{"$enum": wanted}), trust=["shapes"])
    assert not shapes.ran


@pytest.mark.parametrize("slots", [{}, {"value": 1}, {"$enum": "RED", "x": 1}])
def test_an_enum_takes_no_other_slots(slots: dict[str, Any]) -> None:
    with pytest.raises(mason.LoadError):
        mason.loads(hand_written("shapes:Color", **slots), trust=["shapes"])


# ------------------------------------------------------------------- subclasses of builtin types

SUBCLASSED: list[tuple[Any, Any]] = [
    (shapes.Tags, [1, [2]]),
    (shapes.SlotTags, [1]),
    (shapes.Config, {"a": 1, "b": [2]}),
    (shapes.Config, {1: "a", "1": "b", (1, 2): "c", None: "d"}),
    (shapes.Bag, {1, "a", (2, 3)}),
    (shapes.FrozenBag, frozenset({1, "a"})),
    (shapes.Row, (1, [2])),
    (shapes.Name, "text"),
    (shapes.SlotName, "text"),
    (shapes.Meters, 1.5),
    (shapes.Meters, -math.inf),
    (shapes.Count, 2**100),
    (shapes.Blob, b"\x00\xff"),
    (shapes.Buffer, bytearray(b"ab")),
]
SUBCLASSES = [cls for cls, _ in SUBCLASSED]


@FORMATS
@pytest.mark.parametrize(("cls", "content"), SUBCLASSED, ids=lambda x: getattr(x, "__name__", ""))
def test_content_and_attributes_of_a_subclass_come_back(
    cls: type, content: Any, format: str
) -> None:
    kind: Any = type(content)
    obj = kind.__new__(cls, content)
    if kind in (list, dict, set, bytearray):
        kind.__init__(obj, content)
    if cls.__dictoffset__:
        obj.owner = ["ann"]
        obj.__dict__["$x"] = 1
    elif cls is shapes.SlotTags:
        obj.owner = "ann"
    shapes.ran.clear()
    back = through(obj, format, cls)
    assert not shapes.ran
    assert type(back) is cls
    assert held(back) == held(obj)
    assert kind.__eq__(back, obj) is True
    if kind is dict:
        assert list(dict.items(back)) == list(content.items())


@FORMATS
def test_a_subclass_can_hold_itself(format: str) -> None:
    tags, config = shapes.Tags(), shapes.Config()
    tags.me = config.me = config  # type: ignore[attr-defined]
    list.append(tags, tags)
    dict.update(config, k=tags)
    back = mason.loads(
        mason.dumps(tags, format=format), trust=[shapes.Tags, shapes.Config], format=format
    )
    assert list.__getitem__(back, 0) is back
    assert back.me.me is back.me
    assert dict.__getitem__(back.me, "k") is back


def test_a_dict_that_is_its_own_attributes_is_refused() -> None:
    """It would come back with two dicts, and what is set in one would not be in the other."""
    items = shapes.AttributeDict(a=1)
    assert "write dict(x)" in refusal([items])
    assert mason.loads(mason.dumps(dict(items))) == items
    tags = shapes.Tags([1])
    tags.__dict__ = shapes.Config(a=1)
    assert "plain dict" in refusal([tags])


@pytest.mark.parametrize(
    "written",
    [
        hand_written("shapes:Tags"),
        hand_written("shapes:Tags", **{"$list": {}}),
        hand_written("shapes:Tags", **{"$list": [], "$dict": {}}),
        hand_written("shapes:Tags", **{"$str": "a"}),
        hand_written("shapes:SlotTags", **{"$list": [], "other": 1}),
        hand_written("shapes:Config"),
        hand_written("shapes:Config", **{"$map": [[1]]}),
        hand_written("shapes:Config", **{"$map": [[1, 2], [True, 3]]}),
        hand_written("shapes:Config", **{"$map": [], "$dict": {}}),
        hand_written("shapes:Config", **{"$map": [[[1], 2]]}),
        hand_written("shapes:Bag", **{"$set": [1, 1]}),
        hand_written("shapes:Bag", **{"$set": [[1]]}),
        hand_written("shapes:FrozenBag", **{"$frozenset": [1, True]}),
        hand_written("shapes:FrozenBag", **{"$frozenset": [[]]}),
        hand_written("shapes:Name", **{"$str": 1}),
        hand_written("shapes:SlotName", **{"$str": "a", "x": 1}),
        hand_written("shapes:Count", **{"$int": True}),
        hand_written("shapes:Count", **{"$int": "5"}),
        hand_written("shapes:Meters", **{"$float": 1}),
    ],
)
def test_wrong_content_of_a_subclass_is_refused(written: str) -> None:
    with pytest.raises(mason.LoadError) as caught:
        mason.loads(written, trust=SUBCLASSES)
    assert not isinstance(caught.value, mason.UntrustedError)


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (shapes.MyOrdered, "collections"),
        (shapes.MyDeque, "collections"),
        (shapes.MyDefault, "collections"),
        (shapes.MyCounter, "collections"),
        (shapes.Phase, "complex"),
    ],
)
def test_subclasses_of_other_types_are_refused(cls: Any, said: str) -> None:
    assert said in refusal(cls())


# ----------------------------------------------------------------------- classes and functions


@FORMATS
@pytest.mark.parametrize(
    "named",
    [shapes.Point, shapes.Outer.Inner, shapes.total, shapes.Color, shapes.Meta],
    ids=lambda named: named.__qualname__,
)
def test_classes_and_functions_come_back_as_themselves(named: Any, format: str) -> None:
    assert through({"a": named}, format, named)["a"] is named
    assert not shapes.ran


@FORMATS
def test_functions_in_c_come_back_as_themselves(format: str) -> None:
    assert through([math.sqrt], format, math.sqrt)[0] is math.sqrt


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (shapes.nameless, "lambda"),
        (lambda: 0, "lambda"),
        (shapes.inner_function(), "local function"),
        (shapes.local_class(), "local class"),
        (shapes.local_class()(), "local class"),
        (shapes.twin_of(shapes.Point), "shapes:Point"),
        (shapes.twin_of(shapes.Point)(), "shapes:Point"),
        (shapes.Outer.method, "function of a class"),
        (shapes.Outer().method, "method"),
        ([].append, "method"),
        (str.maketrans, "method"),
        (str.upper, "method"),
        (functools.partial(shapes.total, []), "some arguments given"),
        (functools.wraps(shapes.total)(lambda: 0), "shapes:total"),
        (json, "module"),
    ],
)
def test_what_has_no_name_of_its_own_is_refused(value: Any, expected: str) -> None:
    assert expected in refusal(value)


def test_a_class_that_was_replaced_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    obj = shapes.Point(1)
    monkeypatch.setattr(shapes, "Point", shapes.twin_of(shapes.Point))
    assert "shapes:Point" in refusal([type(obj)])


def test_a_class_whose_module_is_gone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "shapes")
    assert "shapes:FrozenPoint" in refusal([shapes.FrozenPoint])


# --------------------------------------------------------------------------- words of their own


@pytest.mark.parametrize(
    ("cls", "method"), shapes.WORDS_OF_THEIR_OWN.items(), ids=lambda x: getattr(x, "__name__", x)
)
def test_a_class_with_its_own_words_about_its_state_is_refused(cls: Any, method: str) -> None:
    made = {shapes.NamedWithNewargs: (1, 2), shapes.DataclassWithState: (1,)}
    obj = cls.A if issubclass(cls, enum.Enum) else cls(*made.get(cls, ()))
    said = refusal({"a": [obj]})
    assert method in said
    assert cls.__name__ in said
    assert "$.a[0]" in said
    assert not shapes.ran


def test_the_refusal_says_where_the_method_is_defined() -> None:
    assert "shapes:OwnGetstate" in refusal(shapes.Inheriting())


def test_a_class_with_its_own_words_is_refused_on_load_too() -> None:
    with pytest.raises(mason.LoadError, match="__setstate__"):
        mason.loads(hand_written("shapes:OwnSetstate"), trust=["shapes"])
    assert not shapes.ran


def test_a_method_that_comes_later_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    obj = new(shapes.Plain, a=1)
    assert held(through(obj)) == held(obj)
    monkeypatch.setattr(shapes.Plain, "__reduce__", lambda self: "", raising=False)
    assert "__reduce__" in refusal(obj)
    monkeypatch.delattr(shapes.Plain, "__reduce__")
    assert held(through(obj)) == held(obj)


def test_a_slot_that_two_classes_define_is_refused() -> None:
    assert "'a' twice" in refusal(shapes.SlotTwice())


# --------------------------------------------------------------------------------- native state


def generate() -> Iterator[int]:
    yield 1


async def coroutine() -> None: ...


def natives() -> Iterator[tuple[Any, str]]:
    yield threading.Lock(), "leave it out"
    yield threading.RLock(), "leave it out"
    yield threading.Event(), "leave it out"
    yield threading.Thread(), "thread"
    yield threading.local(), "thread"
    yield generate(), "list(x)"
    yield iter([1]), "list(x)"
    yield itertools.count(), "list(x)"
    yield zip([1], strict=True), "list(x)"
    yield {}.keys(), "list(x)"
    yield io.StringIO(), "getvalue"
    yield memoryview(b"a"), "bytes(x)"
    yield types.MappingProxyType({}), "dict(x)"
    yield weakref.ref(shapes.Point), "x()"
    yield weakref.WeakValueDictionary(), "dict(x)"
    yield weakref.finalize(shapes.Point, int), "leave it out"
    yield object(), "member of an enum"  # a sentinel: another one would come back
    yield sys._getframe(), "frame"
    yield generate.__code__, "code"
    yield ValueError("no"), "args"
    yield int | str, "type expression"
    yield shapes.T, "type variable"
    yield property(), "class"


@pytest.mark.parametrize(("value", "expected"), list(natives()), ids=lambda x: type(x).__name__)
def test_what_holds_native_state_is_refused_with_advice(value: Any, expected: str) -> None:
    assert expected in refusal({"x": value})


def test_open_files_sockets_and_coroutines_are_refused_with_advice(tmp_path: Path) -> None:
    with open(tmp_path / "f", "w") as file, open(tmp_path / "f", "rb") as binary:
        assert "write its path" in refusal(file)
        assert "write its path" in refusal(binary)
    with socket.socket() as sock:
        assert "write its address" in refusal(sock)
    waiting = coroutine()
    assert "coroutine" in refusal(waiting)
    waiting.close()


KINDS = {"fields", "namedtuple", "enum", "parts", "name", "refused", "decimal", "uuid", "fraction"}


def test_every_class_of_this_process_has_a_plan() -> None:
    from mason.plans import make

    seen: set[int] = set()
    stack: list[type] = [object]
    while stack:
        cls = stack.pop()
        if id(cls) in seen:
            continue
        seen.add(id(cls))
        assert make(cls).kind in KINDS
        stack += type.__subclasses__(cls)
    assert len(seen) > 1000
    assert not shapes.ran
