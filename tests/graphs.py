"""Random object graphs for tests: every kind of value, hostile keys, sharing and cycles.

Strategy: hypothesis draws a *recipe*, a flat list of nodes whose parts are atoms or numbers of
other nodes; `build` makes the objects of it. A recipe can be pickled, so that another process
builds the same graph. What can be filled later may hold any node, also itself; what cannot (tuples
and their like) holds nodes before it, so that cycles go through everything.
"""

from __future__ import annotations

import array
import collections
import datetime as dt
import decimal
import ipaddress
import math
import pathlib
import re
import struct
import types
import uuid
import zoneinfo
from typing import Any, NamedTuple

import shapes
from hypothesis import strategies as st

# JSON cannot say a high surrogate before a low one: the two escapes mean one character.
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def is_sayable(text: str) -> bool:
    return _PAIR.search(text) is None


TEXTS = st.one_of(
    st.text(max_size=5),
    st.text(st.characters(), max_size=4).filter(is_sayable),
    st.text(st.sampled_from('$\ud83d\udc00\x00\x1f\x7f"\\/\n\u2028é😀a'), max_size=5).filter(
        is_sayable
    ),
)
HOSTILE = st.sampled_from(
    [
        *("", "$", "$$", "$mason", "$$mason", "$type", "$id", "$ref", "$list", "$map", "$dict"),
        *("$tuple", "$set", "$value", "$extra", "$unset", "$global", "$datetime", "$new", "$str"),
        *("1", "1.0", "true", "True", "null", "a.b", "[0]", "\ud800", "\udfff", "__proto__", "a b"),
    ]
)
STRINGS = TEXTS | HOSTILE


def _nan(bits: int, sign: int) -> float:
    value: float = struct.unpack(">d", struct.pack(">Q", sign << 63 | 0x7FF << 52 | bits))[0]
    return value


FLOATS = st.one_of(
    st.floats(),
    st.builds(_nan, st.integers(1, 2**52 - 1), st.integers(0, 1)),
    st.sampled_from([0.0, -0.0, 5e-324, 1e16, 1e22, 65504.0, 2.0**53, math.inf, -math.inf]),
)
INTEGERS = st.one_of(
    st.integers(-300, 300),
    st.integers(),
    st.sampled_from([sign * (2**n + d) for n in (31, 53, 63, 64, 70) for sign in (1, -1)
                     for d in (-1, 0, 1)]),
    st.sampled_from([10**4299, 1 - 10**4300]),  # as long as digits may be; longer: _LEAVES
)  # fmt: skip
PLAIN_ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    INTEGERS,
    FLOATS.filter(math.isfinite),
    STRINGS,
)

# Offsets as Python allows them: also with seconds and microseconds.
_OFFSETS = st.timedeltas(dt.timedelta(hours=-23, minutes=-59), dt.timedelta(hours=23, minutes=59))
_FIXED = st.builds(dt.timezone, _OFFSETS) | st.builds(dt.timezone, _OFFSETS, TEXTS)
_ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]).map(
    zoneinfo.ZoneInfo
)
_TZ = st.none() | st.just(dt.UTC) | _FIXED | _ZONES
_FOLD = st.integers(0, 1)
MOMENTS = st.one_of(
    st.builds(lambda d, fold: d.replace(fold=fold), st.datetimes(timezones=_TZ), _FOLD),
    st.dates(),
    st.builds(lambda t, fold: t.replace(fold=fold), st.times(timezones=_TZ), _FOLD),
    st.timedeltas(),
    _FIXED,
    _ZONES,
)
_PATHS = st.sampled_from(["", ".", "/", "a/b", "/x/../y", "//n/s", "é", "c:/a"])
HASHABLE_ATOMS = st.one_of(
    PLAIN_ATOMS,
    FLOATS,
    st.sampled_from([1, True, 1.0, "1", 0, False, 0.0, -0.0, math.nan, 1 + 0j, decimal.Decimal(1)]),
    st.binary(max_size=4),
    st.complex_numbers(),
    st.decimals().filter(lambda value: not value.is_snan()),
    st.sampled_from(["1E+5", "-0", "0E-30", "NaN123", "-Infinity"]).map(decimal.Decimal),
    st.fractions(),
    MOMENTS,
    st.uuids() | st.just(uuid.UUID(int=0)),
    st.ip_addresses(),
    st.sampled_from(["10.0.0.0/8", "2001:db8::/32"]).map(ipaddress.ip_network),
    st.sampled_from(["10.1.2.3/8", "fe80::1%3/64"]).map(ipaddress.ip_interface),
    _PATHS.map(pathlib.PurePosixPath) | _PATHS.map(pathlib.PureWindowsPath),
    _PATHS.map(pathlib.Path),
    st.sampled_from([re.compile("a+", re.I), re.compile(rb"\xff"), re.compile("(?P<n>x)")]),
    st.builds(range, st.integers(), st.integers(), st.integers(1)),
    st.sampled_from([..., NotImplemented, (), frozenset()]),
    st.sampled_from([*shapes.Color, *shapes.Level, *shapes.Status, shapes.Planet.EARTH]),
    st.sampled_from(
        [
            shapes.Perm.R | shapes.Perm.X,
            shapes.Mode(7 if shapes.KEEPS_UNKNOWN_BITS else 3),
            shapes.Perm(0),
        ]
    ),
    st.sampled_from([int, dict, shapes.Point, shapes.Outer.Inner, shapes.total, len]),
)
ATOMS = st.one_of(
    HASHABLE_ATOMS,
    st.builds(slice, INTEGERS, st.none(), STRINGS),
    st.sampled_from([decimal.Decimal("sNaN"), decimal.Decimal("-sNaN7")]),
)

# -------------------------------------------------------------------------------------- the kinds

# Instances with the names that they have places for; "*" is any name.
_NAMES = {
    shapes.Point: "x y *",
    shapes.SlotPoint: "x y",
    shapes.WeakSlotPoint: "x y",
    shapes.FrozenPoint: "x y *",
    shapes.FrozenSlotPoint: "x y",
    shapes.Point3: "x y z tags *",
    shapes.SlotThenDict: "x y z *",
    shapes.PlainChildOfDataclass: "x y note *",
    shapes.Fancy: "name items total hidden doubled *",
    shapes.Node: "name next others *",
    shapes.AttrsPoint: "x y",
    shapes.AttrsFrozen: "x y",
    shapes.AttrsDict: "x y *",
    shapes.AttrsChild: "x y z",
    shapes.OldAttrs: "x _private *",
    shapes.Plain: "*",
    shapes.Slotted: "a b",
    shapes.SlottedChild: "a b c",
    shapes.SlotsAndDict: "a b *",
    shapes.DictAmongSlots: "a *",
    shapes.Outer.Inner: "x *",
    shapes.Outer.Inner.Deepest: "*",
    shapes.Box: "content *",
}
_INSTANCES = {cls.__qualname__: (cls, names.split()) for cls, names in _NAMES.items()}
# their hash is that of the object, so that they may be keys whatever they hold
_BY_IDENTITY = {"Plain", "Slotted", "SlottedChild", "SlotsAndDict", "Outer.Inner"}
_SEQUENCES: dict[str, Any] = {
    "list": list,
    "Tags": shapes.Tags,
    "deque": collections.deque,
}
_MAPPINGS: dict[str, Any] = {
    "dict": dict,
    "Config": shapes.Config,
    "OrderedDict": collections.OrderedDict,
    "Counter": collections.Counter,
    "defaultdict": lambda: collections.defaultdict(list),
}
_SETS: dict[str, Any] = {"set": set, "Bag": shapes.Bag}
_TUPLES: dict[str, Any] = {
    "tuple": tuple,
    "Row": lambda parts: tuple.__new__(shapes.Row, parts),
    "NamedPoint": lambda parts: shapes.NamedPoint(*[*parts, 0, 0][:2]),
    "ClassicPoint": lambda parts: shapes.ClassicPoint(*[*parts, 0, 0][:2]),
    "ClassicChild": lambda parts: shapes.ClassicChild(*[*parts, 0, 0][:2]),
}
_FROZEN_SETS: dict[str, Any] = {"frozenset": frozenset, "FrozenBag": shapes.FrozenBag}
_LEAVES: dict[str, Any] = {
    "bytearray": lambda: bytearray(b"\x00ab"),
    "array": lambda: array.array("d", [1.5, -0.0, math.nan]),
    "ints": lambda: array.array("q", [-(2**63), 5]),
    "huge": lambda: 10**4300,
    "-huge": lambda: -(2**20000),
    "Name": lambda: shapes.Name("é"),
    "Meters": lambda: shapes.Meters(-0.0),
    "Count": lambda: shapes.Count(2**70),
    "Blob": lambda: shapes.Blob(b"\xff"),
    "Buffer": lambda: shapes.Buffer(b"x"),
    "alias": lambda: list[int],
}
_SHELLS = [*_SEQUENCES, *_MAPPINGS, *_SETS, *_INSTANCES, "SimpleNamespace", "ChainMap"]
_KINDS = [*_SHELLS, *_TUPLES, *_FROZEN_SETS, *_LEAVES]
# Half of the graphs are made of these few alone: there, what is shared is met more often.
_COMMON = ["list", "dict", "tuple", "Plain", "Point", "Node", "set", "frozenset", "NamedPoint"]
_UNORDERED = {*_SETS, *_FROZEN_SETS}


class At(NamedTuple):
    """Stand for another node."""

    number: int


class Spec(NamedTuple):
    """Say what one node is and holds; `keys` are keys, members of sets, or names."""

    kind: str
    parts: list[Any]
    keys: list[Any]


class Recipe(NamedTuple):
    """Say how to build a graph; the root is a list of all nodes, or its last node."""

    specs: list[Spec]
    whole: bool

    @property
    def has_sets(self) -> bool:
        """Tell whether two documents of it may differ, since sets have no order."""
        return any(spec.kind in _UNORDERED for spec in self.specs)


def _attributes(*names: str) -> st.SearchStrategy[str]:
    """Return names for attributes; those with a meaning of their own are refused by dump."""
    anything = STRINGS.filter(lambda name: not (name[:2] == name[-2:] == "__"))
    return st.one_of(*(anything if name == "*" else st.just(name) for name in names))


_OF_INSTANCES = {kind: _attributes(*names) for kind, (_, names) in _INSTANCES.items()}
_OF_SPACES = _attributes("*")


@st.composite
def recipes(draw: st.DrawFn, kinds: list[str] | None = None, most: int = 7) -> Recipe:
    """Draw a recipe for a graph of up to `most` nodes."""
    if kinds is None:
        kinds = draw(st.sampled_from([_KINDS, _COMMON]))
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=most))
    every = [At(number) for number in range(len(chosen))]
    stable = [At(number) for number, kind in enumerate(chosen) if kind in _BY_IDENTITY]
    hashable = list(stable)  # grows: tuples of what is hashable
    specs = []
    for number, kind in enumerate(chosen):
        before = every[:number]
        if kind in _TUPLES:
            parts = draw(_some(before, ATOMS))
            keys = []
            if all(part in hashable if type(part) is At else _has_hash(part) for part in parts):
                hashable.append(At(number))
        elif kind in _FROZEN_SETS:
            parts, keys = (
                [],
                draw(_some([at for at in hashable if at.number < number], HASHABLE_ATOMS)),
            )
            hashable.append(At(number))
        else:
            parts, keys = [], []
        specs.append(Spec(kind, parts, keys))
    for number, kind in enumerate(chosen):
        if kind in _SHELLS:
            specs[number] = _filled(draw, kind, every, hashable)
    return Recipe(specs, draw(st.booleans()))


def _some(nodes: list[At], atoms: Any) -> st.SearchStrategy[list[Any]]:
    return st.lists(_one(nodes, atoms), max_size=4)


@st.composite
def _one(draw: st.DrawFn, nodes: list[At], atoms: Any) -> Any:
    # not `|`: nodes would be one alternative among the thirty kinds of atoms
    return draw(st.sampled_from(nodes) if nodes and draw(st.booleans()) else atoms)


def _has_hash(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _filled(draw: st.DrawFn, kind: str, every: list[At], hashable: list[At]) -> Spec:
    if kind in _SETS:
        return Spec(kind, [], draw(_some(hashable, HASHABLE_ATOMS)))
    parts = draw(_some(every, ATOMS))
    if kind in _MAPPINGS or kind == "ChainMap":
        keys = [draw(STRINGS | _one(hashable, HASHABLE_ATOMS)) for _ in parts]
    elif kind in _OF_INSTANCES:
        keys = [draw(_OF_INSTANCES[kind]) for _ in parts]
    else:
        keys = [draw(_OF_SPACES) for _ in parts] if kind == "SimpleNamespace" else []
    return Spec(kind, parts, keys)


# ---------------------------------------------------------------------------------- to the objects


def build(recipe: Recipe) -> Any:
    """Make the objects of a recipe; no code of the classes of `shapes` runs."""
    made: list[Any] = [_shell(spec.kind) for spec in recipe.specs]
    for number, spec in enumerate(recipe.specs):
        if spec.kind in _TUPLES:
            made[number] = _TUPLES[spec.kind](_parts(spec.parts, made))
        elif spec.kind in _FROZEN_SETS:
            made[number] = _FROZEN_SETS[spec.kind](_parts(spec.keys, made))
    for number, spec in enumerate(recipe.specs):
        _fill(made[number], spec, _parts(spec.parts, made), _parts(spec.keys, made))
    return made if recipe.whole else made[-1]


def _parts(parts: list[Any], made: list[Any]) -> list[Any]:
    return [made[part.number] if type(part) is At else part for part in parts]


def _shell(kind: str) -> Any:
    if kind in _INSTANCES:
        return object.__new__(_INSTANCES[kind][0])
    if kind == "SimpleNamespace":
        return types.SimpleNamespace()
    if kind == "ChainMap":
        return collections.ChainMap({}, {})
    for makers in _SEQUENCES, _MAPPINGS, _SETS, _LEAVES:
        if kind in makers:
            return makers[kind]()
    return None  # made when what it holds is there


def _fill(obj: Any, spec: Spec, parts: list[Any], keys: list[Any]) -> None:
    if spec.kind in _SEQUENCES:
        _base(obj, list, collections.deque).extend(obj, parts)
    elif spec.kind in _SETS:
        set.update(obj, keys)
    elif spec.kind == "ChainMap":
        obj.maps[len(parts) % 2].update(zip(keys, parts, strict=True))
    elif spec.kind in _MAPPINGS:
        setter = _base(obj, collections.OrderedDict, dict).__setitem__
        for key, part in zip(keys, parts, strict=True):
            setter(obj, key, part)
    elif spec.kind == "SimpleNamespace":
        vars(obj).update(zip(keys, parts, strict=True))
    elif spec.kind in _INSTANCES:
        slots = set(_INSTANCES[spec.kind][1]) - {"*"}
        for name, part in zip(keys, parts, strict=True):
            if name in slots and name != "doubled":
                object.__setattr__(obj, name, part)
            else:
                object.__getattribute__(obj, "__dict__")[name] = part


def _base(obj: Any, *bases: Any) -> Any:
    return next(base for base in bases if isinstance(obj, base))


def keys_for(kind: str) -> list[Any]:
    """Return keys for a node of a kind that holds one part; a set holds none."""
    if kind in _INSTANCES:
        return [_INSTANCES[kind][1][0].replace("*", "name")]
    return ["k"] if kind in _MAPPINGS or kind in ("SimpleNamespace", "ChainMap") else []


GRAPHS = recipes()
CAN_HOLD_ITSELF = [kind for kind in _SHELLS if kind not in _SETS]
FROZEN = list(_TUPLES)
KINDS = list(_KINDS)
KEYED = [*_SETS, *_FROZEN_SETS]
# What has to be named to be read: classes built on native code are not covered by their module.
NATIVE = [shapes.Tags, shapes.Config, shapes.Bag, shapes.FrozenBag, shapes.Row, shapes.Name]
TRUST = [
    *("shapes", *NATIVE, shapes.Meters, shapes.Count, shapes.Blob, shapes.Buffer),
    *(shapes.total, int, dict, len),
]

# ------------------------------------------------------------------------------------ plain values

PLAIN = st.recursive(
    PLAIN_ATOMS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4),
    max_leaves=12,
)
