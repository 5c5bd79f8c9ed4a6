"""The kinds of the standard library: they come back exactly, and no file misuses them."""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import ipaddress
import json
import math
import pathlib
import re
import subprocess
import sys
import textwrap
import time
import types
import uuid
import warnings
import zoneinfo
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import shapes
from hypothesis import example, given
from hypothesis import strategies as st

import mason

FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def through(obj: Any, format: str = "json", trust: Any = ()) -> Any:
    """Return what comes back from one dump and one load."""
    return mason.loads(mason.dumps(obj, format=format), trust=trust, format=format)


def written(name: str, /, **slots: Any) -> str:
    """Return a document as somebody else may write it."""
    return json.dumps({"$mason": 1, "$type": name, **slots})


def refusal(obj: Any) -> str:
    with pytest.raises(mason.DumpError) as caught:
        mason.dumps(obj)
    return str(caught.value)


def alike(one: Any, other: Any) -> bool:
    """Compare values that have no equality of their own, or a too generous one."""
    return type(one) is type(other) and repr(one) == repr(other)


# ------------------------------------------------------------------------- come back exactly

VALUES: list[Any] = [
    range(0),
    range(3, -7, -2),
    range(2**70, 2**71, 3),
    slice(None),
    slice(1, -2, 3),
    slice("a", b"b", 1.5),
    ...,
    NotImplemented,
    pathlib.Path(),
    pathlib.Path("/etc/../x"),
    pathlib.Path("a\udcff/ü"),
    pathlib.Path("//net/share"),
    pathlib.PurePosixPath("a/b"),
    pathlib.PureWindowsPath("c:/a/b"),
    pathlib.PureWindowsPath("//host/share/x"),
    ipaddress.ip_address("127.0.0.1"),
    ipaddress.ip_address("::1"),
    ipaddress.ip_address("fe80::1%eth0"),
    ipaddress.ip_address("::ffff:1.2.3.4"),
    ipaddress.ip_network("10.0.0.0/8"),
    ipaddress.ip_network("2001:db8::/32"),
    ipaddress.ip_interface("10.0.0.5/8"),
    ipaddress.ip_interface("fe80::1%3/64"),
    re.compile("a+"),
    re.compile("a+", re.I | re.M | re.S),
    re.compile(r"(?x) a  # comment"),
    re.compile(rb"\xff[a-z]", re.A),
    re.compile(b"a", re.L),
    re.compile("[一-龥]+|[\u0080-\uffff]", re.I),
    re.compile(r"(?P<year>\d{4})-(?(year)a|b)"),
    array.array("d", [1.5, -0.0, math.inf]),
    array.array("f", [1.5, 0.1]),
    array.array("b"),
    array.array("Q", [2**64 - 1]),
    array.array("q", [-(2**63)]),
    OrderedDict(),
    OrderedDict(b=1, a=[2]),
    OrderedDict([(1, "a"), ("1", "b"), ((1, 2), None)]),
    Counter("abca"),
    Counter({1: -5, "a": 2.5}),
    defaultdict(list, {"a": [1]}),
    defaultdict(None, {1: 2}),
    defaultdict(type(None)),
    deque([1, [2]]),
    deque(maxlen=0),
    deque("abc", 3),
    ChainMap({"a": 1}, {"b": 2}, OrderedDict(c=3)),
    ChainMap(),
    SimpleNamespace(),
    SimpleNamespace(a=1, b=SimpleNamespace(c=[2])),
    datetime.UTC,
    datetime.timezone(datetime.timedelta(hours=-5, minutes=30)),
    datetime.timezone(datetime.timedelta(seconds=1, microseconds=5)),
    datetime.timezone(datetime.timedelta(0), "UTC"),
    datetime.timezone(datetime.timedelta(hours=1), "CET"),
    BERLIN,
    zoneinfo.ZoneInfo("UTC"),
    zoneinfo.ZoneInfo("America/Argentina/Buenos_Aires"),
    datetime.datetime(2026, 10, 25, 2, 30, fold=1),
    datetime.datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    datetime.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
    datetime.datetime(1, 1, 1, tzinfo=BERLIN, fold=1),
    datetime.datetime(2026, 1, 1, fold=1, tzinfo=datetime.UTC),
    datetime.datetime(
        2026, 1, 1, 0, 0, 0, 5, datetime.timezone(datetime.timedelta(hours=1), "CET"), fold=1
    ),
    datetime.time(1, 2, 3, 4, fold=1),
    datetime.time(1, tzinfo=BERLIN),
    datetime.time(1, tzinfo=datetime.timezone(datetime.timedelta(hours=1), "CET")),
    datetime.time(1, tzinfo=datetime.timezone(-datetime.timedelta(seconds=1)), fold=1),
    uuid.UUID(int=5),
    uuid.UUID(int=5, is_safe=uuid.SafeUUID.safe),
    uuid.UUID(int=2**128 - 1, is_safe=uuid.SafeUUID.unsafe),
    decimal.Decimal("1.10"),
    decimal.Decimal("sNaN12"),
    fractions.Fraction(-1, 3),
    list[int],
    dict[str, list[None]],  # type: ignore[type-var]
    tuple[int, ...],
]


@FORMATS
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:40])
def test_values_come_back_exactly(value: Any, format: str) -> None:
    back = through({"a": value, "b": [value]}, format)
    assert alike(back["a"], value)
    assert alike(back["b"][0], value)


@FORMATS
@pytest.mark.parametrize(
    "value", [one for one in VALUES if isinstance(one, datetime.datetime | datetime.time)], ids=repr
)
def test_fold_and_zone_come_back(value: Any, format: str) -> None:
    back = through(value, format)
    assert back.fold == value.fold
    assert back.utcoffset() == value.utcoffset()
    assert type(back.tzinfo) is type(value.tzinfo)
    if isinstance(value.tzinfo, zoneinfo.ZoneInfo):
        assert back.tzinfo is value.tzinfo


@FORMATS
@pytest.mark.parametrize("capitals", [0, 1])
@given(
    value=st.decimals()
    | st.from_regex(r"-?[0-9]{1,25}E-?[0-9]{1,2}", fullmatch=True).map(decimal.Decimal)
)
def test_decimals_come_back_digit_by_digit_in_any_context(
    value: decimal.Decimal, capitals: int, format: str
) -> None:
    with decimal.localcontext() as context:
        context.capitals = capitals
        document = mason.dumpb(value, format=format)
    assert mason.loads(document, format=format).as_tuple() == value.as_tuple()
    if format == "json":
        assert json.loads(document)["$decimal"] == str(value)


@FORMATS
def test_the_safety_of_a_uuid_comes_back(format: str) -> None:
    for safety in uuid.SafeUUID:
        assert through(uuid.UUID(int=7, is_safe=safety), format).is_safe is safety


@FORMATS
def test_patterns_are_the_same_to_python(format: str) -> None:
    for value in VALUES:
        if isinstance(value, re.Pattern):
            assert through(value, format) == value


@FORMATS
def test_the_order_of_an_ordered_dict_is_its_own(format: str) -> None:
    value = OrderedDict(a=1, b=2, c=3)
    value.move_to_end("a")
    assert list(through(value, format)) == ["b", "c", "a"]


@FORMATS
@pytest.mark.parametrize("value", [OrderedDict(a=1), Counter("a")], ids=lambda v: type(v).__name__)
def test_attributes_of_dicts_come_back(value: Any, format: str) -> None:
    value.note = ["n"]
    vars(value)["$odd"] = 1
    back = through(value, format)
    assert back == value
    assert vars(back) == vars(value)


@FORMATS
def test_default_factories_come_back(format: str) -> None:
    for factory in (list, dict, int, str, float, set, None):
        assert through(defaultdict(factory), format).default_factory is factory
    for named in (shapes.Point, shapes.total):
        back = through(defaultdict(named), format, [named])
        assert back.default_factory is named


@FORMATS
def test_a_default_factory_needs_trust(format: str) -> None:
    with pytest.raises(mason.UntrustedError):
        through(defaultdict(shapes.total), format)


def looped() -> list[Any]:
    """Return each container that can hold itself, doing so."""
    by_list, by_dict = deque([1]), [OrderedDict(), Counter(), defaultdict(list)]
    by_list.append(by_list)
    for one in by_dict:
        one["me"] = one  # type: ignore[index]
    space = SimpleNamespace()
    space.me = space
    chain: Any = ChainMap({})
    chain["me"] = chain
    return [by_list, *by_dict, space, chain]


@FORMATS
@pytest.mark.parametrize("value", looped(), ids=lambda value: type(value).__name__)
def test_containers_that_hold_themselves_come_back(value: Any, format: str) -> None:
    back = through([value, value], format)
    assert back[0] is back[1]
    assert type(back[0]) is type(value)
    inner = {deque: lambda: back[0][1], SimpleNamespace: lambda: back[0].me}
    assert inner.get(type(value), lambda: back[0]["me"])() is back[0]


@FORMATS
def test_generic_aliases_of_classes_come_back(format: str) -> None:
    alias = list[shapes.Point]
    assert through(alias, format, ["shapes"]) == alias
    with pytest.raises(mason.UntrustedError):
        through(alias, format)


NAMING = [
    defaultdict(shapes.Point, {"a": 1}),
    defaultdict(shapes.total),
    ChainMap({"a": 1}, shapes.Config(b=2)),
    list[shapes.Point],
    dict[str, list[shapes.Point]],
    shapes.Box[int],
    shapes.Box[shapes.Box[shapes.Point]],
    shapes.Box[int](1),  # remembers what it was made by
]


@FORMATS
@pytest.mark.parametrize("value", NAMING, ids=lambda value: type(value).__name__)
def test_what_names_an_unknown_class_is_kept_and_written_back(value: Any, format: Any) -> None:
    data = mason.dumps([value, value], format=format)
    kept = mason.loads(data, format=format, unknown="keep")
    assert kept[0] is kept[1]
    assert mason.dumps(kept, format=format) == data
    back = mason.loads(
        mason.dumps(kept, format=format), trust=["shapes", shapes.Config, shapes.total]
    )
    assert mason.same(back, [value, value])


@FORMATS
@pytest.mark.parametrize("value", NAMING[3:7], ids=lambda value: type(value).__name__)
def test_an_alias_is_kept_where_only_its_arguments_are_known(value: Any, format: Any) -> None:
    data = mason.dumps({value: 1}, format=format)
    kept = mason.loads(data, format=format, trust=["shapes:Point"], unknown="keep")
    assert mason.dumps(kept, format=format) == data


def test_a_kept_name_answers_no_question() -> None:
    counted = mason.loads(mason.dumps(NAMING[0]), unknown="keep")
    assert counted["a"] == 1
    with pytest.raises(TypeError, match="not callable"):
        counted["b"]


@pytest.mark.parametrize(
    "new",
    [
        [{"$global": "gone:Box"}, [5]],
        [{"$global": "gone:Box"}, ["nosuch"]],
        [5, [{"$global": "gone:Point"}]],
        ["list", [{"$type": "gone:Point"}, {"$global": "gone:Point"}]],
    ],
)
@pytest.mark.parametrize("name", ["types:GenericAlias", "typing:GenericAlias"])
def test_an_alias_is_not_kept_with_content_that_no_alias_has(name: str, new: Any) -> None:
    with pytest.raises(mason.LoadError):
        mason.loads(written(name, **{"$new": new}), unknown="keep")


def test_an_array_of_text_comes_back_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = array.array("u", "aü\0")
    for format in "json", "cbor":
        assert alike(through(value, format), value)


# ----------------------------------------------------------------------------- any such value

KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=3),
    st.floats(allow_nan=False),
    st.binary(max_size=3),
    st.tuples(st.integers(), st.text(max_size=2)),
    st.frozensets(st.integers(), max_size=1),
)
ITEMS = st.dictionaries(KEYS, st.lists(st.integers(), max_size=2), max_size=5)
CODES = {code: array.array(code).itemsize for code in "bBhHiIlLqQ"}


@FORMATS
@given(items=ITEMS)
def test_any_keys_come_back_in_any_dict(format: str, items: dict[Any, Any]) -> None:
    for value in OrderedDict(items), defaultdict(list, items), Counter(items), ChainMap(items):
        back = through(value, format)
        assert alike(back, value)
        assert [type(key) for key in back] == [type(key) for key in value]


@FORMATS
@given(data=st.data())
def test_any_array_comes_back(format: str, data: st.DataObject) -> None:
    code = data.draw(st.sampled_from([*CODES, "f", "d"]))
    if code in CODES:
        bits = 8 * CODES[code]
        least = 0 if code.isupper() else -(2 ** (bits - 1))
        numbers: Any = st.integers(least, least + 2**bits - 1)
    else:
        numbers = st.floats(width=32 if code == "f" else 64)
    value = array.array(code, data.draw(st.lists(numbers, max_size=5)))
    back = through(value, format)
    assert back.typecode == code
    assert back.tobytes() == value.tobytes()


@FORMATS
@given(
    start=st.integers(),
    stop=st.integers(),
    step=st.integers().filter(bool),
    named=st.text(max_size=5),
)
def test_any_range_and_slice_comes_back(
    format: str, start: int, stop: int, step: int, named: str
) -> None:
    for value in range(start, stop, step), slice(start, None, named):
        assert alike(through(value, format), value)


@FORMATS
@given(parts=st.lists(st.text(st.characters(exclude_characters="\0"), max_size=5), max_size=4))
@example(parts=["a:", "b"])
@example(parts=[".", "c:x"])
def test_any_path_comes_back_or_is_refused(format: str, parts: list[str]) -> None:
    assert alike(through(pathlib.PurePosixPath(*parts), format), pathlib.PurePosixPath(*parts))
    windows = pathlib.PureWindowsPath(*parts)
    try:
        back = through(windows, format)
    except mason.DumpError:
        assert pathlib.PureWindowsPath(str(windows)).parts != windows.parts
    else:
        assert back == windows and back.parts == windows.parts


@FORMATS
@given(
    moment=st.datetimes(timezones=st.one_of(st.none(), st.timezones())),
    fold=st.integers(0, 1),
    offset=st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23)),
    name=st.one_of(st.none(), st.text(max_size=64)),
)
def test_any_moment_comes_back(
    format: str, moment: datetime.datetime, fold: int, offset: datetime.timedelta, name: str | None
) -> None:
    fixed = datetime.timezone(offset) if name is None else datetime.timezone(offset, name)
    for zone in moment.tzinfo, fixed:
        value = moment.replace(fold=fold, tzinfo=zone)
        back = through(value, format)
        assert alike(back, value)
        assert back.fold == fold
        clock = value.timetz()
        assert alike(through(clock, format), clock)


@FORMATS
@given(number=st.integers(0, 2**128 - 1), prefix=st.integers(0, 128))
def test_any_address_comes_back(format: str, number: int, prefix: int) -> None:
    six, four = ipaddress.IPv6Address(number), ipaddress.IPv4Address(number % 2**32)
    for value in (
        six,
        four,
        ipaddress.IPv6Interface((six, prefix)),
        ipaddress.IPv4Interface((four, prefix % 33)),
        ipaddress.IPv6Network((six, prefix), strict=False),
        ipaddress.IPv4Network((four, prefix % 33), strict=False),
    ):
        assert alike(through(value, format), value)


@FORMATS
@given(
    pattern=st.one_of(
        st.from_regex(r"(\(\?[:=!>]|\(|[a-c]|\[[^\]\[]-?[a-z]\]|\.|\*|\)|\||\\[dwsb1u]|é-ü)*"),
        st.text(max_size=10),
        st.binary(max_size=10),
    ),
    flags=st.sampled_from([0, re.I, re.M | re.S, re.X, re.A]),
)
def test_any_pattern_comes_back(format: str, pattern: Any, flags: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = re.compile(pattern, flags)
        except (re.error, ValueError, OverflowError):
            return
    assert through(value, format) == value


# ------------------------------------------------------------------- refused when it is written


def file_zone(key: str | None) -> zoneinfo.ZoneInfo:
    for folder in zoneinfo.TZPATH:
        path = pathlib.Path(folder, "Europe", "Berlin")
        if path.exists():
            with path.open("rb") as file:
                return zoneinfo.ZoneInfo.from_file(file, key=key)
    pytest.skip("this machine has no zone files")


class Rules(datetime.tzinfo):
    """Is a time zone with rules of its own."""

    def utcoffset(self, moment: Any) -> datetime.timedelta:
        return datetime.timedelta(hours=1)


def strange_sets() -> list[tuple[Any, str]]:
    chain: Any = ChainMap({})
    chain.maps = ({},)
    odd_chain: Any = ChainMap({})
    odd_chain.note = 1
    listed: Any = ChainMap([])  # type: ignore[arg-type]
    shadow = OrderedDict(a=1)
    shadow.items = 1  # type: ignore[assignment, method-assign]
    broken = OrderedDict(a=1)
    dict.__setitem__(broken, "b", 2)
    worse = OrderedDict(a=1)
    dict.__delitem__(worse, "a")
    network = ipaddress.ip_network("10.0.0.0/8")
    network.note = 1  # type: ignore[union-attr]
    bits = array.array("f")
    bits.frombytes((0x7F800001).to_bytes(4, sys.byteorder))
    big = array.array("u") if sys.version_info < (3, 13) else None
    if big is not None and big.itemsize == 4:
        big.frombytes((2**31).to_bytes(4, sys.byteorder))
    odd_space = SimpleNamespace()
    vars(odd_space)[1] = 2  # type: ignore[index]
    deep_key: Any = ()
    for _ in range(200):
        deep_key = (deep_key,)
    return [
        (slice([1]), "slice"),
        (chain, "maps"),
        (odd_chain, "maps"),
        (listed, "no mapping"),
        (shadow, "items"),
        (broken, "methods of dict"),
        (worse, "methods of dict"),
        (network, "text"),
        *([(bits, "NaN")] if sys.maxsize > 2**32 else []),
        *([(big, "characters")] if big else []),
        (odd_space, "not a str"),
        (SimpleNamespace(__deepcopy__=1), "__deepcopy__"),
        (OrderedDict({deep_key: 1}), "deep"),
        (defaultdict(lambda: 0), "lambda"),
        (defaultdict([].copy), "method"),
        (deque(maxlen=2**31 + 1), "maxlen"),
        (datetime.timezone(datetime.timedelta(0), "n" * 65), "64"),
        (datetime.datetime(2020, 1, 1, tzinfo=Rules()), "rules of its own"),
        (datetime.time(1, tzinfo=Rules()), "rules of its own"),
        (zoneinfo.ZoneInfo.no_cache("Europe/Berlin"), "no_cache"),
        (re.compile("a" * 70_000), "65,536"),
        (re.compile("(" * 101 + ")" * 101), "nested"),
        (re.compile("[\0-\uffff]" * 10), "ranges"),
        (re.compile("[\0-\U0010ffff]" * 10, re.I), "ranges"),
        (list[T], "no class"),  # type: ignore[valid-type]
        (list["int"], "no class"),
        (pathlib.PurePosixPath("a" * 40_000), "32,767"),
    ]


T = shapes.T


@pytest.mark.parametrize(("value", "said"), strange_sets(), ids=lambda x: str(type(x).__name__))
def test_what_cannot_be_exact_is_refused(value: Any, said: str) -> None:
    assert said in refusal([value])


@pytest.mark.parametrize("key", [None, "Europe/Berlin"])
def test_a_zone_from_a_file_is_refused(key: str | None) -> None:
    assert "file" in refusal(file_zone(key)) or key is None


@pytest.mark.skipif(sys.platform == "win32", reason="there it is an ordinary path")
def test_a_path_of_another_system_is_refused_with_advice() -> None:
    with pytest.raises(mason.LoadError, match="Pure") as caught:
        mason.loads(written("pathlib:WindowsPath", **{"$str": "c:\\"}))
    assert caught.value.path == "$"


# --------------------------------------------------------------------------- hostile documents

HOSTILE: list[tuple[str, list[dict[str, Any]]]] = [
    (
        "builtins:range",
        [
            {},
            {"$new": []},
            {"$new": [1]},
            {"$new": [1, 2, 0]},
            {"$new": [1, 2, True]},
            {"$new": [1, 2, 1.0]},
            {"$new": ["1", 2, 3]},
            {"$new": [1, 2, 3, 4]},
            {"$new": [1, 2, 3], "x": 1},
            {"$new": {"0": 1}},
            {"$list": [1, 2, 3]},
        ],
    ),
    ("builtins:slice", [{"$new": [[], 1, 2]}, {"$new": [1]}, {"$new": [1, 2, {}]}]),
    ("builtins:Ellipsis", [{"x": 1}, {"$new": []}]),
    ("builtins:NotImplemented", [{"$str": ""}]),
    ("pathlib:PosixPath", [{}, {"$str": 1}, {"$str": ["a"]}, {"$str": "a" * 40_000}, {"$new": []}]),
    (
        "ipaddress:IPv4Address",
        [{"$str": one} for one in ("", "1", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/8", "1" * 10**6, 1)],
    ),
    ("ipaddress:IPv6Address", [{"$str": "::1%" + "x" * 200}, {"$str": "::1%"}]),
    ("ipaddress:IPv4Network", [{"$str": "10.0.0.1/8"}, {"$str": "10.0.0.0/99"}]),
    (
        "array:array",
        [
            {"$new": ["d"]},
            {"$new": ["d"], "$list": [1]},
            {"$new": ["d"], "$list": ["1"]},
            {"$new": ["i"], "$list": [True]},
            {"$new": ["i"], "$list": [2**40]},
            {"$new": ["B"], "$list": [-1]},
            {"$new": ["B"], "$list": [256]},
            {"$new": ["B"], "$str": "a"},
            {"$new": ["f"], "$list": [0.1]},
            {"$new": ["f"], "$list": [1e300]},
            {"$new": ["u"], "$list": []},
            {"$new": ["u"], "$str": 1},
            {"$new": ["z"], "$list": []},
            {"$new": [""], "$list": []},
            {"$new": ["dd"], "$list": []},
            {"$new": [5], "$list": []},
            {"$new": [], "$list": []},
        ],
    ),
    (
        "collections:deque",
        [
            {"$new": [None]},
            {"$new": [1], "$list": [1, 2]},
            {"$new": [-1], "$list": []},
            {"$new": [True], "$list": []},
            {"$new": [2**31 + 1], "$list": []},
            {"$new": [2**80], "$list": []},
            {"$new": ["3"], "$list": []},
            {"$new": [None], "$list": {}},
            {"$new": [None], "$list": "abc"},
            {"$new": [None, 1], "$list": []},
        ],
    ),
    (
        "collections:defaultdict",
        [
            {"$dict": {}},
            {"$new": ["eval"], "$dict": {}},
            {"$new": ["list"]},
            {"$new": [5], "$dict": {}},
            {"$new": [[]], "$dict": {}},
            {"$new": [{"$type": "types:SimpleNamespace"}], "$dict": {}},
            {"$new": ["list"], "$dict": {}, "$map": []},
            {"$new": ["list"], "$dict": {}, "x": 1},
            {"$new": ["list"], "$map": [[1]]},
            {"$new": ["list"], "$map": [[[], 1]]},
            {"$new": ["list"], "$map": {"a": 1}},
            {"$new": ["list"], "$dict": [["a", 1]]},
        ],
    ),
    (
        "collections:OrderedDict",
        [
            {},
            {"$map": [[1, 2], [True, 3]]},
            {"$map": [[1, 2], [1.0, 3]]},
            {"$dict": {}, "items": 1},
            {"$dict": {}, "__class__": 1},
            {"$dict": {}, "$list": []},
        ],
    ),
    ("collections:Counter", [{"$dict": {}, "most_common": 1}, {"$map": [[{}, 1]]}]),
    ("collections:ChainMap", [{}, {"$list": [1]}, {"$list": [[]]}, {"$list": [{}], "maps": 1}]),
    ("types:SimpleNamespace", [{"__class__": 1}, {"__deepcopy__": 1}, {"$list": []}, {"$new": []}]),
    (
        "datetime:timezone",
        [
            {"$new": []},
            {"$new": [3600]},
            {"$new": [{"$timedelta": "P1D"}]},
            {"$new": [{"$timedelta": "-P1D"}]},
            {"$new": [{"$timedelta": "PT0S"}, 5]},
            {"$new": [{"$timedelta": "PT0S"}, "n" * 65]},
            {"$new": [{"$timedelta": "PT0S"}, "n", 1]},
        ],
    ),
    (
        "zoneinfo:ZoneInfo",
        [
            {"$str": one}
            for one in (
                *(
                    "",
                    "/etc/passwd",
                    "../../etc/passwd",
                    "Europe/../Europe/Berlin",
                    "Europe//Berlin",
                ),
                *(
                    "America",
                    "No/Such",
                    "leapseconds",
                    "__init__",
                    "tzdata.zi",
                    "a\0b",
                    "Europe/Berlin\n",
                ),
                *("x" * 10**5, "é", "\ud800", "CON", ".", 5),
            )
        ],
    ),
    (
        "datetime:datetime",
        [
            {},
            {"$str": ""},
            {"$str": "2020-01-01"},
            {"$str": "2020-13-01T00:00:00"},
            {"$str": "2020-02-30T00:00:00"},
            {"$str": "0000-01-01T00:00:00"},
            {"$str": "2020-01-01T24:00:00"},
            {"$str": "2020-01-01T00:00:00.1234567"},
            {"$str": "2020-01-01T00:00:00.٣"},
            {"$str": "٢٠٢٠-01-01T00:00:00"},
            {"$str": "2020-01-01T00:00:00+24:00"},
            {"$str": "2020-01-01T00:00:00+00:60"},
            {"$str": "2020-01-01T00:00:00[No/Such]"},
            {"$str": "2020-01-01T00:00:00[../x]"},
            {"$str": "2020-01-01T00:00:00\n"},
            {"$str": "2020-01-01T00:00:00", "$fold": 2},
            {"$str": "2020-01-01T00:00:00", "$fold": True},
            {"$str": "2020-01-01T00:00:00", "$tz": "UTC"},
            {"$str": "2020-01-01T00:00:00", "$tz": None},
            {
                "$str": "2020-01-01T00:00:00+01:00",
                "$tz": {"$type": "zoneinfo:ZoneInfo", "$str": "UTC"},
            },
            {"$str": "2020-01-01T00:00:00", "x": 1},
            {"$str": 5},
        ],
    ),
    (
        "datetime:time",
        [{"$str": "24:00:00"}, {"$str": "1:2:3"}, {"$str": "01:02:03[UTC]"}, {"$str": "01:02:60"}],
    ),
    (
        "uuid:UUID",
        [
            {"$str": "x", "is_safe": "safe"},
            {"$str": "0" * 32, "is_safe": "safe"},
            {"$str": "00000000-0000-0000-0000-00000000000G", "is_safe": "safe"},
            {"$str": "00000000-0000-0000-0000-000000000000", "is_safe": "mro"},
            {"$str": "00000000-0000-0000-0000-000000000000", "is_safe": 0},
        ],
    ),
    (
        "re:Pattern",
        [
            {"$new": [one, flags]}
            for one, flags in (
                *((1, 0), (None, 0), (["a"], 0), ("a", "0"), ("a", True), ("a", -1), ("a", 2**40)),
                *(
                    ("a", 0),
                    ("a", 32 | 128),
                    ("a", 32 | 1),
                    ("(", 32),
                    ("(?i)a", 32),
                    ("a", 32 | 4),
                ),
                *(("a", 32 | 256), ("a{99999999999}", 32), ("(?P<" + "n" * 5000, 32), ("*", 32)),
                *(("a{" + "9" * 5000 + "}", 32), ("\\N{NO SUCH}", 32), ("(?(1)a|b|c)", 32)),
                *(("(" * 50_000, 32), ("(" * 30_000 + ")" * 30_000, 32), ("[" * 60_000, 32)),
                *(("a" * 10**6, 32), ("[\0-\uffff]" * 100, 32), ("[\0-\uffff]" * 100, 34)),
            )
        ],
    ),
    (
        "types:GenericAlias",
        [
            {"$new": ["list"]},
            {"$new": ["eval", []]},
            {"$new": ["list", "int"]},
            {"$new": ["list", ["nothing"]]},
            {"$new": ["list", [5]]},
            {"$new": ["list", [["int"]]]},
            {"$new": [5, ["int"]]},
            {"$new": ["list", ["int"] * 101]},
        ],
    ),
    ("typing:GenericAlias", [{"$new": ["list", ["int"]]}, {"$new": [None, []]}, {}]),
]
CASES = [(name, slots) for name, cases in HOSTILE for slots in cases]


@pytest.mark.parametrize(("name", "slots"), CASES, ids=lambda x: str(x)[:50])
def test_hostile_content_is_refused(name: str, slots: dict[str, Any]) -> None:
    began = time.process_time()
    with warnings.catch_warnings(), pytest.raises(mason.LoadError) as caught:
        warnings.simplefilter("error")
        mason.loads(written(name, **slots))
    assert time.process_time() - began < 5
    assert not isinstance(caught.value, mason.UntrustedError)
    assert len(str(caught.value)) < 2000


@given(
    name=st.sampled_from([name for name, _ in HOSTILE]),
    slots=st.dictionaries(
        st.sampled_from(["$new", "$list", "$dict", "$map", "$str", "$tz", "$fold", "x", "is_safe"]),
        st.recursive(
            st.one_of(
                st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()
            )
            | st.sampled_from(["list", "d", "u", "Europe/Berlin", "2020-01-01T00:00:00", "::1"]),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
            ),
            max_leaves=6,
        ),
        max_size=3,
    ),
)
def test_any_content_is_a_value_or_an_error_of_ours(name: str, slots: dict[str, Any]) -> None:
    try:
        mason.loads(written(name, **slots))
    except mason.MasonError:
        return


def test_keys_of_one_hash_are_refused() -> None:
    prime = 2**61 - 1
    for name, extra in (
        ("collections:OrderedDict", {}),
        ("collections:Counter", {}),
        ("collections:defaultdict", {"$new": [None]}),
    ):
        pairs = [[prime * n, n] for n in range(20_000)]
        with pytest.raises(mason.LoadError):
            mason.loads(written(name, **extra, **{"$map": pairs}))
    with pytest.raises(mason.DumpError, match="same hash"):
        mason.dumps(OrderedDict((prime * n, n) for n in range(300)))


def test_keys_that_share_their_parts_do_not_hang() -> None:
    parts: list[Any] = [{"$id": 1, "$tuple": [1, 2]}]
    for n in range(2, 60):
        parts.append({"$id": n, "$tuple": [{"$ref": n - 1}, {"$ref": n - 1}]})
    document = {"$type": "collections:OrderedDict", "$map": [[{"$ref": 59}, 1]]}
    began = time.process_time()
    with pytest.raises(mason.LoadError):
        mason.loads(json.dumps({"$mason": 1, "$value": [*parts, document]}))
    assert time.process_time() - began < 5


def test_aliases_that_share_their_parts_do_not_hang() -> None:
    parts: list[Any] = [{"$id": 1, "$type": "types:GenericAlias", "$new": ["list", ["int"]]}]
    for n in range(2, 60):
        arguments = [{"$ref": n - 1}, {"$ref": n - 1}]
        parts.append({"$id": n, "$type": "types:GenericAlias", "$new": ["dict", arguments]})
    with pytest.raises(mason.LoadError, match="100 types"):
        mason.loads(json.dumps({"$mason": 1, "$value": parts}))


@pytest.mark.uninstrumented
def test_patterns_take_time_in_proportion_to_their_length() -> None:
    for piece in ("a|", "(a)", "[a-z]", "[^]]", "(?:a|b)*?", "\\d", "[é]", "(?i:k)", "a{2,3}"):
        began = time.process_time()
        try:
            mason.loads(written("re:Pattern", **{"$new": [piece * (20_000 // len(piece)), 34]}))
        except mason.LoadError:
            pass
        assert time.process_time() - began < 5, piece


@pytest.mark.uninstrumented
def test_many_costly_patterns_in_one_document_are_refused() -> None:
    with ThreadPoolExecutor(1) as thread:  # each thread has a budget of its own
        thread.submit(load_costly_patterns).result()


def load_costly_patterns() -> None:
    from mason.adapters import patterns

    patterns.begin_document()
    wide = [{"$type": "re:Pattern", "$new": [f"[\0-\uffff]{n}", 32]} for n in range(1000)]
    began = time.process_time()
    with pytest.raises(mason.LoadError, match="costly"):
        mason.loads(json.dumps({"$mason": 1, "$value": wide}))
    assert time.process_time() - began < 20
    patterns.begin_document()
    assert mason.loads(json.dumps({"$mason": 1, "$value": wide[:2]}))


@pytest.mark.parametrize("pattern", ["[[a]", "[a&&b]", "[a||b]", "[+--]", "[a~~b]"])
def test_patterns_that_warn_are_read_without_a_warning(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        value = re.compile(pattern + "|é")
    before = list(warnings.filters)
    assert through(value) == value
    assert warnings.filters == before


def test_patterns_of_a_file_stay_out_of_the_cache_of_re() -> None:
    before = set(re._cache)  # type: ignore[attr-defined]
    mason.loads(written("re:Pattern", **{"$new": ["never seen before", 32]}))
    assert set(re._cache) == before  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------- nothing is imported


def test_no_library_is_imported_for_values_that_do_not_need_it() -> None:
    script = """
        import sys, mason
        class Plain: pass
        mason.loads(mason.dumps([Plain(), {1: 2}, (3,)]), trust=[Plain])
        wanted = {"pathlib", "uuid", "decimal", "ipaddress", "zoneinfo", "array", "fractions"}
        print(*sorted(wanted & set(sys.modules)))
    """
    run = [sys.executable, "-c", textwrap.dedent(script)]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip() == ""


def test_a_class_that_claims_to_be_of_the_standard_library_is_no_kind_of_it() -> None:
    claims = type("Path", (), {"__module__": "pathlib"})
    odd = type("Odd", (), {"__module__": 5})
    for cls in claims, odd:
        assert "found under its own name" in refusal(cls())


def test_kinds_are_the_exact_classes() -> None:
    named = collections.namedtuple("named", "a")  # noqa: PYI024
    for cls in (types.SimpleNamespace, named, datetime.datetime, uuid.UUID, decimal.Decimal):
        local = type("Local", (cls,), {})
        assert "Local" in refusal(local)
