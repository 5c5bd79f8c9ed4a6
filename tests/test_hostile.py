# ruff: noqa: UP031 -- documents are full of braces, so percent signs say best where a part goes
# ruff: noqa: E501, B023, UP031
"""Any bytes whatever: a value or a MasonError, in linear time and memory, and no crash.

The families are those of SECURITY.md; `attacks/` holds single files. What measures time or memory
is marked `uninstrumented`, doubles the input, and leaves room for a busy machine.
"""

from __future__ import annotations

import collections
import gc
import itertools
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import hostile
import pytest
import spec_vectors
from hostile import MODULUS, REGISTRY, in_small_thread, leaked
from hypothesis import given
from hypothesis import strategies as st

import mason
from mason.document import walk

Format = Literal["json", "cbor"]
FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])
SLOW = pytest.mark.uninstrumented


def every_way(data: bytes | str, format: Format) -> list[Any]:
    """Give a document to all readers; return what they gave, errors of mason among it."""
    ways: list[Callable[[], Any]] = [
        lambda: mason.reads(data, format=format).root,
        lambda: mason.loads(data, format=format),
        lambda: mason.loads(data, format=format, unknown="keep"),
        lambda: mason.loads(data, format=format, registry=REGISTRY),
        lambda: mason.loads(data, format=format, plain=True),
    ]
    return [outcome(way) for way in ways]


def outcome(way: Callable[[], Any]) -> Any:
    try:
        return way()
    except mason.MasonError as error:
        assert len(str(error)) < 30_000
        return error


def typed(text: str) -> str:
    return f'{{"$mason":1,"$value":{text}}}'


def build(text: str, **options: Any) -> Any:
    return mason.loads(typed(text), registry=REGISTRY, **options)


def vectors(format: Format) -> Iterator[bytes]:
    """Give all documents of spec/vectors, also those that must be refused."""
    for name in sorted(path.stem for path in spec_vectors.VECTORS.glob("*.json")):
        if name == "deep":
            continue
        for vector in spec_vectors.in_file(name):
            for key in (format, f"{format}_also", f"{format}_typed", "hex"):
                if key == "hex" and format == "json":
                    continue
                found = vector.get(key, [])
                for text in found if isinstance(found, list) else [found]:
                    if isinstance(text, str) and len(text) < 4000:
                        yield (
                            text.encode("utf-8", "surrogatepass")
                            if key[0] == "j"
                            else (bytes.fromhex(text))
                        )


# ------------------------------------------------------------------------------ any bytes at all


@FORMATS
@given(st.binary(max_size=60))
def test_any_bytes(format: Format, data: bytes) -> None:
    every_way(data, format)


@given(st.binary(max_size=40))
def test_any_bytes_of_no_format(data: bytes) -> None:
    outcome(lambda: mason.loads(data))
    outcome(lambda: mason.reads(data))


TOKENS = [
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"$id"',
    '"$ref"',
    '"$type"',
    '"$list"',
    '"$tuple"',
    '"$set"',
    '"$map"',
    '"$dict"',
    '"$value"',
    '"$new"',
    '"$extra"',
    '"$unset"',
    '"$enum"',
    '"hostile:Data"',
    '"hostile:Pair"',
    '"hostile:FrozenBag"',
    '"collections:deque"',
    '"a"',
    '"b"',
    "0",
    "1",
    "2",
    "-1",
    "1.5",
    "1e400",
    "null",
    "true",
    '"$mason"',
    '""',
    '"x"',
    '"$frozenset"',
    '"$tag"',
    '"$global"',
    '"$int"',
    '"0xff"',
]


@given(st.lists(st.sampled_from(TOKENS), max_size=30))
def test_any_tokens_of_json(tokens: list[str]) -> None:
    every_way('{"$mason":1,"$value":' + "".join(tokens), "json")


HEADS = [bytes([head]) for head in range(256)] + [
    bytes.fromhex(text)
    for text in [
        "d81c",
        "d81d00",
        "d90102",
        "d90103",
        "d9011b82",
        "d87981",
        "c482",
        "c249",
        "1bffffffffffffffff",
    ]
]


@given(st.lists(st.sampled_from(HEADS), max_size=25))
def test_any_heads_of_cbor(heads: list[bytes]) -> None:
    every_way(b"".join(heads), "cbor")


def test_cut_off_anywhere_json() -> None:
    for data in vectors("json"):
        for end in range(len(data)):
            outcome(lambda: mason.loads(data[:end], format="json", unknown="keep"))


def test_cut_off_anywhere_cbor() -> None:
    for data in vectors("cbor"):
        for end in range(len(data)):
            got = outcome(lambda: mason.loads(data[:end], format="cbor", unknown="keep"))
            whole = outcome(lambda: mason.loads(data, format="cbor", unknown="keep"))
            if not isinstance(whole, mason.MasonError):  # no item is the beginning of another
                assert isinstance(got, mason.LoadError), (data, end)


@FORMATS
def test_one_byte_changed_anywhere(format: Format) -> None:
    for data in vectors(format):
        rolled = random.Random(data)
        for at in range(0, len(data), 3):
            changed = bytearray(data)
            changed[at] = rolled.choice(
                (0, 0xFF, 0x5F, 0x7F, 0x9F, 0x22, 0x24, rolled.randrange(256))
            )
            outcome(lambda: mason.loads(bytes(changed), format=format, unknown="keep"))


@FORMATS
def test_one_part_twice_or_gone(format: Format) -> None:
    known = list(vectors(format))
    rolled = random.Random(5)
    for data in known:
        start = rolled.randrange(len(data) + 1)
        end = start + rolled.randrange(12)
        for changed in (data[:start] + data[end:], data[:end] + data[start:]):
            every_way(changed, format)
        every_way(data[:start] + rolled.choice(known) + data[start:], format)


@pytest.mark.parametrize("tail", [b"\x00", b" 1", b"]", b"}", b"\xff", b"\x00" * 9, b"\xf6"])
def test_what_follows_the_document_is_refused(tail: bytes) -> None:
    for data, format in ((b'{"a":[1]}', "json"), (b"\xa1\x61a\x81\x01", "cbor")):
        with pytest.raises(mason.LoadError):
            mason.loads(data + tail, format=cast(Format, format))


def test_errors_stay_short() -> None:
    long = "k" * 200_000
    for text in (f'{{"{long}":{{"{long}":,', f'{{"{long}":1,"{long}":2}}', f'"{long}', f"{long}"):
        error = outcome(lambda: mason.loads(text))
        assert isinstance(error, mason.MasonError) and len(str(error)) < 2000
    for form in (f'{{"$type":"{long}"}}', f'{{"${long}":1}}', f'{{"$datetime":"{long}"}}'):
        error = outcome(lambda: mason.loads(typed(form)))
        assert isinstance(error, mason.MasonError) and len(str(error)) < 2000


# -------------------------------------------------------------------------------------- depth

NESTS: dict[str, tuple[bytes, bytes, Format]] = {
    "lists": (b"[", b"]", "json"),
    "objects": (b'{"":', b"1}", "json"),
    "cbor lists": (b"\x81", b"", "cbor"),
    "cbor open lists": (b"\x9f", b"\xff", "cbor"),
    "cbor maps": (b"\xa1\x60", b"", "cbor"),
    "cbor maps in keys": (b"\xa1", b"\x01", "cbor"),
    "tags": (b"\xd9\x03\xe8", b"", "cbor"),
    "self-described": (b"\xd9\xd9\xf7", b"", "cbor"),
    "shared": (b"\xd8\x1c\x81", b"", "cbor"),
    "cbor tuples": (b"\xd8\x79\x81", b"", "cbor"),
    "cbor instances": (b"\xd9\x01\x1b\x82\x63a:b\xa1\x61a", b"", "cbor"),
}
TYPED_NESTS = {
    "tuples": ('{"$tuple":[', "]}"),
    "sets": ('{"$set":[', "]}"),
    "frozensets": ('{"$frozenset":[', "]}"),
    "maps": ('{"$map":[[1,', "]]}"),
    "keys of maps": ('{"$map":[[', ",1]]}"),
    "shared lists": ('{"$list":[', "]}"),
    "kept tags": ('{"$tag":[1000,', "]}"),
    "late types": ('{"a":', ',"$type":"hostile:Data"}'),
    **{
        name: (f'{{"$type":"hostile:{name}","a":', "}")
        for name in ("Data", "Slots", "Pair", "Plain", "Cached", "Closing", "Unknown")
    },
    "list subclass": ('{"$type":"hostile:Items","$list":[', "]}"),
    "tuple subclass": ('{"$type":"hostile:Row","$tuple":[', "]}"),
    "dict subclass": ('{"$type":"hostile:Mapping","$dict":{"a":', "}}"),
    "deque": ('{"$type":"collections:deque","$new":[null],"$list":[', "]}"),
    "defaultdict": ('{"$type":"collections:defaultdict","$new":[null],"$dict":{"a":', "}}"),
    "OrderedDict": ('{"$type":"collections:OrderedDict","$dict":{"a":', "}}"),
    "Counter": ('{"$type":"collections:Counter","$map":[[1,', "]]}"),
    "ChainMap": ('{"$type":"collections:ChainMap","$list":[', "]}"),
    "namespace": ('{"$type":"types:SimpleNamespace","a":', "}"),
    "alias": ('{"$type":"types:GenericAlias","$new":["list",[', "]]}"),
}
NESTS |= {
    name: (head.encode(), tail.encode(), "json") for name, (head, tail) in TYPED_NESTS.items()
}


@pytest.mark.parametrize("name", NESTS)
@pytest.mark.parametrize("cut", [False, True])
def test_depth_costs_no_stack(name: str, cut: bool) -> None:
    head, tail, format = NESTS[name]
    levels = 5000
    core = b"1" if format == "json" else b"\x01"
    data = head * levels + (b"" if cut else core + tail * levels)
    if name in TYPED_NESTS:
        data = b'{"$mason":1,"$value":' + data + (b"" if cut else b"}")
    in_small_thread(lambda: [None for _ in every_way(data, format)])


def test_reference_chains_cost_no_stack() -> None:
    """What the nesting says in one piece, references ahead say in many."""
    for head, tail in TYPED_NESTS.values():
        count = 2000
        parts = [f'{head}{{"$ref":{n + 1}}}{tail[:-1]},"$id":{n}}}' for n in range(1, count)]
        text = typed(f'[{",".join(parts)},{{"$id":{count},"$list":[]}}]')
        in_small_thread(lambda: [None for _ in every_way(text, "json")])


# ---------------------------------------------------------------------------- heads and lengths


@pytest.mark.parametrize("major", range(2, 6))
@pytest.mark.parametrize("count", [2**8 - 1, 2**16 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1])
def test_huge_lengths_are_refused_before_anything_is_made(major: int, count: int) -> None:
    width = {2**8 - 1: 24, 2**16 - 1: 25, 2**31: 26, 2**32 - 1: 26}.get(count, 27)
    head = bytes([major << 5 | width]) + count.to_bytes(1 << width - 24, "big")
    for prefix in (
        b"",
        b"\x81",
        b"\xd8\x1c",
        b"\xd8\x79",
        b"\xd9\x01\x02",
        b"\xd9\x01\x03",
        b"\xc2",
    ):
        with pytest.raises(mason.LoadError):
            mason.loads(prefix + head + b"\x00" * 8, format="cbor")
    slots = b"\xd9\x01\x1b\x82\x63a:b" + head
    with pytest.raises(mason.LoadError):
        mason.loads(slots, format="cbor")


def test_nested_heads_that_each_claim_the_rest() -> None:
    for major in (b"\x9a", b"\xba"):
        data = b"".join(major + (5 * (20_000 - n)).to_bytes(4, "big") for n in range(20_000))
        with pytest.raises(mason.LoadError):
            mason.loads(data, format="cbor")


ODD = [
    "5f6161ff",
    "7f4161ff",
    "5f5f4161ffff",
    "7f7fffff",
    "5f00ff",
    "5f",
    "7f61",
    "9f",
    "bf",
    "bf00",
    "bf00ff",
    "ff",
    "81ff",
    "a1ff",
    "a100ff",
    "1f",
    "3f",
    "df",
    "df01ff",
    "fc",
    "fd",
    "fe",
    "f818",
    "f800",
    "f81f",
    "1c",
    "1d",
    "1e",
    "5c",
    "7d",
    "9e",
    "bc",
    "dd",
    "d8",
    "d81c",
    "d81cff",
    "d81cd81c80",
    "d81d00",
    "d81c81d81d01",
    "d81dff",
    "d81d20",
    "d9011b",
    "d9011b80",
    "d9011b81",
    "d9011b8163613a62",
    "d9011b8263613a62",
    "d9011b82613a80",
    "d9011b83613aa000",
    "d9011b9f63613a62a000ff",
    "d9011b8263613a62a10000",
    "d9011b8263613a62a16424726566f6",
    "d879",
    "d87900",
    "d8799f",
    "d879a0",
    "d90102a0",
    "d9010380",
    "d9010301",
    "c0",
    "c000",
    "c1f6",
    "c160",
    "c24101c2",
    "c2",
    "c201",
    "c260",
    "c3f6",
    "c480",
    "c48101",
    "c483010101",
    "c48201f5",
    "c482c24101f6",
    "d81e820100",
    "d81e820120",
    "d81e82f5f5",
    "d81e80",
    "d8254100",
    "d82700",
    "d87a60",
    "d9010c83000008",
    "d9010c820000",
    "d9010c83002000",
    "d90111",
    "d9011141ff",
    "d9011161ff",
    "d903eaa0",
    "d903eaa10100",
    "d903eaa201002000",
    "d903eaa2010025ff",
    "d903ec00",
    "d9a7f880",
    "d9a7f88200",
    "d9a7f88260f5",
    "7f61c361bcff",
    "61c3",
    "62c328",
    "63eda080",
    "64f4908080",
    "6180",
    "78",
]


@pytest.mark.parametrize("text", ODD)
def test_odd_items_of_cbor(text: str) -> None:
    data = bytes.fromhex(text)
    every_way(data, "cbor")
    for head in (
        b"\x81",
        b"\x9f",
        b"\xa1\x00",
        b"\xa1",
        b"\xd8\x1c",
        b"\xd8\x79",
        b"\xd9\x01\x02\x81",
    ):
        every_way(head + data, "cbor")


# ------------------------------------------------------------------------------------- numbers

TEN_MILLION = 10_000_000


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("7" * TEN_MILLION, id="digits"),
        pytest.param("-" + "7" * TEN_MILLION, id="minus"),
        pytest.param("7" * TEN_MILLION + ".5", id="digits and a point"),
        pytest.param("7" * TEN_MILLION + "e5", id="digits and an exponent"),
        pytest.param("1e999999999", id="an exponent"),
        pytest.param("1e" + "9" * TEN_MILLION, id="digits of an exponent"),
        pytest.param("-", id="a sign"),
        pytest.param("1" + "-" * TEN_MILLION, id="signs"),
        pytest.param("0" * TEN_MILLION, id="zeros"),
        pytest.param(typed('{"$int":"%s"}' % ("7" * TEN_MILLION)), id="$int"),
        pytest.param(typed('{"$decimal":"1e%s"}' % ("9" * TEN_MILLION)), id="$decimal"),
        pytest.param(typed('{"$decimal":"%s"}' % ("." * TEN_MILLION)), id="$decimal of points"),
        pytest.param(typed('{"$fraction":"%s/3"}' % ("7" * TEN_MILLION)), id="$fraction"),
        pytest.param(typed('{"$float":"NaN(%s)"}' % ("0" * TEN_MILLION)), id="$float"),
        pytest.param(typed('{"$timedelta":"P%sD"}' % ("1" * TEN_MILLION)), id="$timedelta"),
        pytest.param(typed('{"$datetime":"%s"}' % ("1" * TEN_MILLION)), id="$datetime"),
        pytest.param(typed('{"$id":%s}' % ("1" * TEN_MILLION)), id="$id"),
        pytest.param(typed('{"$ref":%s}' % ("1" * TEN_MILLION)), id="$ref"),
        pytest.param('{"$mason":%s}' % ("1" * TEN_MILLION), id="$mason"),
    ],
)
def test_long_numbers_are_refused_at_once(text: str) -> None:
    start = time.process_time()
    with pytest.raises(mason.LoadError):
        mason.loads(text)
    assert time.process_time() - start < 5  # what is quadratic takes an hour


def test_long_numbers_that_are_read() -> None:
    assert mason.loads("0." + "7" * TEN_MILLION) == 0.7777777777777778
    assert mason.loads("0." + "0" * TEN_MILLION + "1e10000001") == 1.0
    assert mason.loads("1e-" + "9" * TEN_MILLION) == 0.0
    big = mason.loads(typed('{"$int":"0x%s"}' % ("f" * TEN_MILLION)))
    assert big.bit_length() == 4 * TEN_MILLION
    assert mason.loads(b"\xc2\x5a" + (10**7).to_bytes(4, "big") + b"\xff" * 10**7, format="cbor")
    assert mason.loads(typed('{"$decimal":"%s"}' % ("7" * TEN_MILLION))).adjusted() == 9_999_999


@pytest.mark.parametrize(
    "text",
    [
        "c4821a3b9aca0001",  # 1E+1000000000
        "c4823a3b9aca0001",
        "c4821b0de0b6b3a763ffff01",  # the largest exponent that Python has
        "c5821a3b9aca0001",  # a bigfloat is kept as a tag
        "c1fb7fe0000000000000",
        "c11bffffffffffffffff",
        "c13bffffffffffffffff",
        "d903eaa1011bffffffffffffffff",
    ],
)
def test_large_exponents_are_never_written_out(text: str) -> None:
    value = outcome(lambda: mason.loads(bytes.fromhex(text), format="cbor"))
    if isinstance(value, Decimal):
        mason.dumps(value), mason.dumps({value: 1}), mason.loads(mason.dumps({value}))


def test_long_numbers_of_cbor_are_refused_where_they_would_be_turned_into_digits() -> None:
    long = b"\xc2\x5a" + (10**6).to_bytes(4, "big") + b"\xff" * 10**6
    for head in (b"\xc4\x82\x00", b"\xd8\x1e\x82\x01", b"\xd9\xa7\xf8\x82\x00"):
        with pytest.raises(mason.LoadError):
            mason.loads(head + long, format="cbor")
    with pytest.raises(mason.LoadError):
        mason.loads(b"\xd9\x01\x0c\x83\x00" + long + b"\x00", format="cbor")


# ---------------------------------------------------------------------------------------- text

NOT_UTF8 = [
    "ff",
    "80",
    "c0",
    "c080",
    "c1bf",
    "c3",
    "c328",
    "e0",
    "e08080",
    "e09f80",
    "eda080",
    "edbfbf",
    "e282",
    "f0",
    "f08080",
    "f0808080",
    "f48080",
    "f4908080",
    "f5808080",
    "f8888080",
    "fe",
    "61ff",
    "ffff",
    "c3c3",
    "f09f98",
]


@pytest.mark.parametrize("text", NOT_UTF8)
def test_what_is_no_utf8_is_refused_wherever_it_stands(text: str) -> None:
    bad = bytes.fromhex(text)
    places = [
        b'"%s"', b'{"%s":1}', b'["\\n%s"]', b'["%s\\u00e9"]', b'{"$mason":1,"$type":"%s"}',
        b'{"$mason":1,"$value":{"$%s":1}}', b'{"$mason":1,"$global":"a:%s"}', b'{"a":1,"%s":2}',
        b'{"$mason":1,"$type":"a:B","$enum":"%s"}', b'["' + b"a" * 100 + b'%s"]', b"[%s]",
    ]  # fmt: skip
    for place in places:
        with pytest.raises(mason.LoadError):
            mason.loads(place.replace(b"%s", bad), format="json", unknown="keep")
        with pytest.raises(mason.LoadError):
            mason.reads(place.replace(b"%s", bad), format="json")
    head = bytes([0x60 + len(bad)])
    for before, after in (
        (b"", b""), (b"\x81", b""), (b"\xa1", b"\x01"), (b"\x7f", b"\xff"), (b"\xc0", b""),
        (b"\xd8\x27", b""), (b"\xd9\x01\x1b\x82", b"\xa0"),
        (b"\xd9\x01\x1b\x82\x63a:b\xa1", b"\x01"),
    ):  # fmt: skip
        with pytest.raises(mason.LoadError):
            mason.loads(before + head + bad + after, format="cbor", unknown="keep")


# ---------------------------------------------------------------------------------------- keys


def holders(keys: list[str]) -> dict[str, str]:
    """Return documents whose set, dict or one of their kin has these keys."""
    pairs = ",".join(f"[{key},0]" for key in keys)
    alone = ",".join(keys)
    return {
        "dict": typed(f'{{"$map":[{pairs}]}}'),
        "dict with an id": typed(f'{{"$id":1,"$map":[{pairs}]}}'),
        "set": typed(f'{{"$set":[{alone}]}}'),
        "set with an id": typed(f'{{"$id":1,"$set":[{alone}]}}'),
        "frozenset": typed(f'{{"$frozenset":[{alone}]}}'),
        "key": typed(f'{{"$set":[{{"$frozenset":[{alone}]}}]}}'),
        "OrderedDict": typed(f'{{"$type":"collections:OrderedDict","$map":[{pairs}]}}'),
        "Counter": typed(f'{{"$type":"collections:Counter","$map":[{pairs}]}}'),
        "defaultdict": typed(
            f'{{"$type":"collections:defaultdict","$new":[null],"$map":[{pairs}]}}'
        ),
        "dict subclass": typed(f'{{"$type":"hostile:Mapping","$map":[{pairs}]}}'),
        "set subclass": typed(f'{{"$type":"hostile:Bag","$set":[{alone}]}}'),
        "frozenset subclass": typed(f'{{"$type":"hostile:FrozenBag","$frozenset":[{alone}]}}'),
    }


HOLDERS = list(holders([]))


def same_hash(count: int) -> dict[str, list[str]]:
    """Return different keys of one hash, kind by kind."""
    numbers = [1 + n * MODULUS for n in range(count)]
    signs = list(itertools.islice(itertools.product((-1, -2), repeat=12), count))
    assert len({hash(number) for number in numbers}) == 1
    assert len({hash(pair) for pair in signs}) == 1
    tuples = ['{"$tuple":[%s]}' % ",".join(map(str, pair)) for pair in signs]
    halves = [Fraction(n * MODULUS + 1, 2) for n in range(1, 2 * count) if n % 2]
    return {
        "ints": [f'{{"$int":"{hex(number)}"}}' for number in numbers],
        "short ints": [str(number) for number in numbers],
        "decimals": [f'{{"$decimal":"{number}.0"}}' for number in numbers],
        "fractions": [f'{{"$fraction":"{half.numerator}/2"}}' for half in halves],
        "tuples": tuples,
        "frozen instances": [f'{{"$type":"hostile:Frozen","a":{one}}}' for one in tuples],
        "named tuples": [f'{{"$type":"hostile:Pair","a":{one}}}' for one in tuples],
        "loose instances": [f'{{"$type":"hostile:Loose","a":1,"b":{n}}}' for n in range(count)],
        "UUIDs": [
            f'{{"$uuid":"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"}}'
            for text in (f"{number:032x}" for number in numbers)
        ],
    }


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("kind", same_hash(1))
def test_keys_of_one_hash_are_refused(holder: str, kind: str) -> None:
    with pytest.raises(mason.LimitError):
        mason.loads(holders(same_hash(2000)[kind])[holder], registry=REGISTRY)


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_few_keys_of_one_hash_are_read(holder: str) -> None:
    for keys in same_hash(20).values():
        assert mason.loads(holders(keys)[holder], registry=REGISTRY)


@pytest.mark.parametrize(
    "holder", [name for name in HOLDERS if "set" not in name and name != "key"]
)
@pytest.mark.parametrize("further", [0, 3000])
def test_keys_that_collide_without_one_hash_are_refused(holder: str, further: int) -> None:
    keys = hostile.colliding_in_dict(13)
    keys += range(2**40, 2**40 + further)  # now the table grows once more
    assert len({hash(key) for key in keys}) == len(keys)
    with pytest.raises(mason.LimitError):
        mason.loads(holders(list(map(str, keys)))[holder], registry=REGISTRY)


@pytest.mark.parametrize("texts", [0, 3000])
def test_keys_that_collide_in_cbor_are_refused(texts: int) -> None:
    keys: list[int | str] = [*hostile.colliding_in_dict(13), *(f"k{n}" for n in range(texts))]
    head = b"\xb9" + len(keys).to_bytes(2, "big")
    spelled = (mason.dumps(key, format="cbor") + b"\x00" for key in keys)
    body = b"".join(spelled)
    for data in (b"\xbf" + body + b"\xff", head + body, b"\xd8\x1c" + head + body):
        with pytest.raises(mason.LimitError):
            mason.loads(data, format="cbor")
        with pytest.raises(mason.LimitError):
            mason.loads(data, format="cbor", plain=True)


def test_what_load_refuses_as_keys_dump_refuses() -> None:
    collide = dict.fromkeys(hostile.colliding_in_dict(13))
    for value in (collide, collections.OrderedDict(collide), hostile.Mapping(collide)):
        with pytest.raises(mason.DumpError):
            mason.dumps(value)
    alike = [1 + n * MODULUS for n in range(2000)]
    for value in (set(alike), frozenset(alike), dict.fromkeys(alike), hostile.Bag(alike)):
        with pytest.raises(mason.DumpError):
            mason.dumps(value)


@pytest.mark.parametrize("scale", [1, 2**13, 2**31, 2**40, 10**9, 2.0**-20, 0.1])
def test_honest_keys_are_read(scale: float) -> None:
    for keys in (range(5000), range(-5000, 5000), range(5000, 0, -1)):
        value = {key * scale: None for key in keys}
        assert mason.loads(mason.dumps(value)) == value
        assert mason.loads(mason.dumps(set(value))) == set(value)
        assert mason.loads(mason.dumps({(key, 1) for key in value})) == {(key, 1) for key in value}


def dag(levels: int, form: str, leaf: str = "1", first: int = 1) -> str:
    """Return a document of that many levels, each of which holds the next one twice."""
    text = form % (first, leaf, leaf)
    for number in range(first + 1, first + levels):
        text = form % (number, text, f'{{"$ref":{number - 1}}}')
    return text


@pytest.mark.parametrize("cls", ["Loose", "ByVars"])
@pytest.mark.parametrize("holder", HOLDERS)
def test_keys_are_compared_within_limits(cls: str, holder: str) -> None:
    """Two keys of one hash, whose comparison goes through lists that hold each other twice."""
    form = '{"$id":%d,"$list":[%s,%s]}'

    def pair(levels: int, leaf: str) -> list[str]:
        parts = (dag(levels, form, "1", 100), dag(levels, form, leaf, 200))
        return [f'{{"$type":"hostile:{cls}","a":1,"b":{part}}}' for part in parts]

    with pytest.raises(mason.LimitError, match="too long to compare"):
        mason.loads(holders(pair(60, "1"))[holder], registry=REGISTRY)
    small = mason.loads(holders(pair(6, "2"))[holder], registry=REGISTRY)
    assert mason.same(small, mason.loads(mason.dumps(small), registry=REGISTRY))


def test_dumping_compares_keys_within_the_same_limits() -> None:
    def doubled(levels: int) -> list[Any]:
        found: list[Any] = [1]
        for _ in range(levels):
            found = [found, found]
        return found

    first, second = hostile.Loose(1, doubled(60)), hostile.Loose(1)
    value = {first, second}
    object.__setattr__(second, "b", doubled(60))
    with pytest.raises(mason.DumpError, match="too long to compare"):
        mason.dumps(value)


def test_honest_keys_of_one_hash_are_read() -> None:
    """A tree whose nodes know their parents, in a set, all of one hash."""
    root = hostile.Named("root", [])
    nodes = [hostile.Named(f"n{number}", [root]) for number in range(60)]
    root.near += nodes
    value = [root, set(nodes)]
    for format in ("json", "cbor"):
        data = mason.dumps(value, format=format)
        back = mason.loads(data, registry=REGISTRY)
        assert len(back[1]) == 60
        assert {node.name for node in back[1]} == {node.name for node in nodes}


NESTED_KEYS = {
    "tuple": '{"$id":%d,"$tuple":[%s,%s]}',
    "tuple subclass": '{"$id":%d,"$type":"hostile:Row","$tuple":[%s,%s]}',
    "named tuple": '{"$id":%d,"$type":"hostile:Pair","a":%s,"b":%s}',
    "frozen instance": '{"$id":%d,"$type":"hostile:Frozen","a":%s,"b":%s}',
    "attrs instance": '{"$id":%d,"$type":"hostile:Cached","a":%s,"b":%s}',
    "in turn": '{"$id":%d,"$tuple":[{"$type":"hostile:Frozen","a":%s,"b":1},%s]}',
}


@pytest.mark.parametrize(
    "kind", [kind for kind in NESTED_KEYS if "attrs" not in kind]
)  # keep hashes
@pytest.mark.parametrize("holder", HOLDERS)
def test_shared_parts_of_keys_are_counted_as_often_as_they_are_hashed(
    kind: str, holder: str
) -> None:
    with pytest.raises(mason.LimitError):
        mason.loads(holders([dag(22, NESTED_KEYS[kind], first=10)])[holder], registry=REGISTRY)
    small = holders([dag(6, NESTED_KEYS[kind], first=10)])[holder]
    assert mason.loads(small, registry=REGISTRY)


@pytest.mark.parametrize("kind", NESTED_KEYS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_deep_keys_are_refused_before_they_are_hashed(kind: str, holder: str) -> None:
    head, tail = NESTED_KEYS[kind].replace('"$id":%d,', "").replace("%s", "\0", 1).split("\0")
    tail = tail.replace("%s", "1")
    text = holders([head * 3000 + "1" + tail * 3000])[holder]

    def attempt() -> None:
        with pytest.raises(mason.LimitError):
            mason.loads(text, registry=REGISTRY)

    in_small_thread(attempt)


def test_many_large_keys_are_limited_together() -> None:
    sets = '{"$set":[{"$ref":12}]},' * 5000
    with pytest.raises(mason.LimitError):
        build(f"[{dag(12, NESTED_KEYS['tuple'])},{sets}[]]")


def test_equal_hashes_of_large_keys_are_limited_together() -> None:
    tails = itertools.islice(itertools.product((-1, -2), repeat=8), 250)
    keys = [
        '{"$tuple":[%s,%s]}'
        % (dag(11, NESTED_KEYS["tuple"], "1", n * 20 + 1), ",".join(map(str, tail)))
        for n, tail in enumerate(tails)
    ]
    with pytest.raises(mason.LimitError):
        build(f'{{"$set":[{",".join(keys)}]}}')


def decimal_beside_int(digits: int, nested: str = "%s") -> tuple[str, str]:
    """Return a short Decimal and an int of that many digits with the same hash."""
    number = 1 << digits * 332_193 // 100_000
    number += (hash(Decimal("1E+5")) - hash(number)) % MODULUS
    assert hash(number) == hash(Decimal("1E+5"))
    return nested % '{"$decimal":"1E+5"}', nested % f'{{"$int":"{hex(number)}"}}'


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("nested", ["%s", '{"$tuple":[%s]}', '{"$type":"hostile:Frozen","a":%s}'])
def test_a_decimal_is_never_compared_with_a_huge_int(holder: str, nested: str) -> None:
    keys = decimal_beside_int(20_000, nested)
    for order in (keys, keys[::-1]):
        with pytest.raises(mason.LimitError):
            mason.loads(holders(list(order))[holder], registry=REGISTRY)


EQUAL = [
    "1 1.0", "1 true", "0 false", "0 -0.0", '1 {"$complex":[1,0]}', '2 {"$decimal":"2.0"}',
    '"a" "a"', '{"$fraction":"1/2"} 0.5', '{"$tuple":[1]} {"$tuple":[true]}', "null null",
    '{"$bytes":"AA=="} {"$bytes":"AA=="}', '{"$frozenset":[]} {"$frozenset":[]}',
    '{"$type":"hostile:Pair","a":1} {"$tuple":[1,null]}', '{"$date":"2026-01-01"} {"$date":"2026-01-01"}',
    '{"$type":"hostile:Frozen","a":1} {"$type":"hostile:Frozen","a":1.0}',
]  # fmt: skip


@pytest.mark.parametrize("pair", EQUAL)
@pytest.mark.parametrize("holder", HOLDERS)
def test_equal_keys_are_refused(pair: str, holder: str) -> None:
    with pytest.raises(mason.LoadError):
        mason.loads(holders(pair.split(" ", 1))[holder], registry=REGISTRY)


UNHASHABLE = [
    "[]", "{}", '{"$set":[]}', '{"$bytearray":""}', '{"$decimal":"sNaN"}', '{"$tuple":[[]]}',
    '{"$type":"hostile:Data","a":1}', '{"$type":"hostile:Frozen","a":[]}', '{"$map":[[1,2]]}',
    '{"$type":"hostile:Items","$list":[]}', '{"$type":"builtins:slice","$new":[1,2,[]]}',
]  # fmt: skip


@pytest.mark.parametrize("key", UNHASHABLE)
@pytest.mark.parametrize("holder", HOLDERS)
def test_keys_without_a_hash_are_refused(key: str, holder: str) -> None:
    with pytest.raises(mason.LoadError):
        mason.loads(holders([key])[holder], registry=REGISTRY)


def test_keys_twice() -> None:
    for text in ('{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"a":1,"b":[],"a":1}', '{"":1,"":1}'):
        with pytest.raises(mason.LoadError, match="twice"):
            mason.loads(text)
        with pytest.raises(mason.LoadError, match="twice"):
            mason.reads(text)
        assert mason.json.loads(text) == json.loads(text)
    for text in (
        '{"$type":"hostile:Data","a":1,"a":2}', '{"$type":"hostile:Data","a":1,"\\u0061":2}',
        '{"$type":"hostile:Plain","a":1,"b":1,"a":2}', '{"$type":"hostile:Pair","a":1,"a":2}',
        '{"$type":"hostile:Items","$list":[],"$list":[]}', '{"$id":1,"$id":2}',
        '{"$type":"hostile:Data","$type":"hostile:Data","a":1}', '{"$tuple":[],"$tuple":[]}',
        '{"a":1,"$type":"hostile:Plain","a":2}', '{"$type":"hostile:Data","a":1,"$extra":{"c":1,"c":2}}',
    ):  # fmt: skip
        for data in every_way(typed(text), "json")[:4]:
            assert isinstance(data, mason.LoadError), text
    for code in ("a2616101616102", "bf01000101ff", "a2010101fb3ff0000000000000", "d90102820101"):
        for found in every_way(bytes.fromhex(code), "cbor")[:4]:
            assert isinstance(found, mason.LoadError), code


# ------------------------------------------------------------------------------------- sharing


@pytest.mark.parametrize(
    "text",
    [
        '[{"$ref":1}]', '[{"$id":1},{"$id":1}]', '[{"$id":0}]', '[{"$id":-1}]', '[{"$id":1.0}]',
        '[{"$id":"1"}]', '[{"$id":true}]', '[{"$id":9007199254740992},{"$ref":9007199254740992}]',
        '[{"$id":1},{"$ref":1,"a":1}]', '[{"$id":1},{"$ref":1,"$ref":1}]', '[{"$id":1,"$ref":1}]',
        '[{"$id":1},{"$ref":0}]', '[{"$id":1},{"$ref":-1}]', '[{"$id":1},{"$ref":1e0}]',
        '[{"$id":1},{"$ref":01}]', '{"$ref":1}', '{"$id":1,"$tuple":[{"$ref":1}]}',
        '{"$id":1,"$frozenset":[{"$ref":1}]}', '{"$id":1,"$set":[{"$ref":1}]}',
        '{"$id":1,"$tuple":[{"$frozenset":[{"$ref":1}]}]}', '{"$id":1,"$map":[[{"$ref":1},1]]}',
        '{"$id":1,"$type":"hostile:Pair","a":{"$ref":1}}', '{"$id":1,"$value":[]}',
        '{"$id":1,"$frozenset":[{"$tuple":[{"$ref":1}]}]}', '{"$id":1,"$tag":[1000,{"$ref":1}]}',
        '{"$id":1,"$type":"hostile:Row","$tuple":[{"$ref":1}]}',
        '{"$id":1,"$type":"hostile:FrozenBag","$frozenset":[{"$tuple":[{"$ref":1}]}]}',
        '[{"$tuple":[{"$ref":1}],"$id":2},{"$tuple":[{"$ref":2}],"$id":1}]',
        '{"$type":"hostile:Items","$list":{"$id":1,"$list":[]}}', '{"$set":{"$ref":1}}',
        '{"$type":"hostile:Mapping","$dict":{"$id":1,"a":1}}',
        '{"$dict":{"$id":1,"a":1},"$type":"hostile:Mapping"}',
    ],
)  # fmt: skip
def test_ids_that_cannot_be(text: str) -> None:
    found = outcome(lambda: mason.loads(typed(text), registry=REGISTRY))
    assert isinstance(found, mason.LoadError), found
    every_way(typed(text), "json")


@pytest.mark.parametrize("number", [1, 7, 2**20, 2**31, 2**40, 2**53 - 1])
def test_any_number_is_an_id(number: int) -> None:
    first, second = build(f'[{{"$ref":{number}}},{{"$id":{number},"$list":[]}}]')
    assert first is second


def test_sharing_bombs_stay_small() -> None:
    for form in ('{"$id":%d,"$list":[%s,%s]}', '{"$id":%d,"a":%s,"b":%s}', NESTED_KEYS["tuple"]):
        text = typed(dag(1000, form))
        root = mason.loads(text)
        assert len(mason.dumps(root)) < 2 * len(text)
        assert len(mason.dumps(root, format="cbor")) < len(text)
        assert mason.same(root, mason.loads(text)) and not mason.difference(root, root)
        document = mason.reads(text)
        assert sum(1 for _ in walk(document.root)) < 10_000
        assert len(repr(document)) < 1000
        with pytest.raises(mason.DumpError):
            mason.dumps(root, shared=False, limits=mason.Limits(nodes=100_000))


# One object as a part of every kind of holder; %s stands where the part goes.
PARTS = {
    "list": "[%s]",
    "dict": '{"x":%s}',
    "tuple": '{"$tuple":[%s]}',
    "tuple in a tuple": '{"$tuple":[{"$tuple":[%s]}]}',
    "map value": '{"$map":[[1,%s]]}',
    "map key": '{"$map":[[%s,1]]}',
    "key of a key": '{"$map":[[{"$tuple":[%s]},1]]}',
    "set": '{"$set":[%s]}',
    "frozenset": '{"$frozenset":[%s]}',
    "set of tuples": '{"$set":[{"$tuple":[%s]}]}',
    "set of frozensets": '{"$set":[{"$frozenset":[%s]}]}',
    "tag": '{"$tag":[1000,%s]}',
    "tuple in a tag": '{"$tag":[1000,{"$tuple":[%s]}]}',
    **{
        name: f'{{"$type":"hostile:{name}","a":%s,"b":1}}'
        for name in ("Data", "Frozen", "Slots", "Loose", "Pair", "Plain", "Cached", "Closing")
    },
    "set of instances": '{"$set":[{"$type":"hostile:Frozen","a":%s}]}',
    "set of attrs instances": '{"$set":[{"$type":"hostile:Cached","a":%s}]}',
    "set of named tuples": '{"$set":[{"$type":"hostile:Pair","a":%s}]}',
    "extra": '{"$type":"hostile:Data","a":1,"b":1,"$extra":{"c":%s}}',
    "list subclass": '{"$type":"hostile:Items","$list":[%s],"x":%s}',
    "dict subclass": '{"$type":"hostile:Mapping","$dict":{"x":%s},"x":%s}',
    "dict subclass by pairs": '{"$type":"hostile:Mapping","$map":[[%s,%s]]}',
    "set subclass": '{"$type":"hostile:Bag","$set":[%s]}',
    "set subclass of tuples": '{"$type":"hostile:Bag","$set":[{"$tuple":[%s]}]}',
    "frozenset subclass": '{"$type":"hostile:FrozenBag","$frozenset":[%s]}',
    "frozenset subclass of tuples": '{"$type":"hostile:FrozenBag","$frozenset":[{"$tuple":[%s]}]}',
    "tuple subclass": '{"$type":"hostile:Row","$tuple":[%s]}',
    "tuple subclass of tuples": '{"$type":"hostile:Row","$tuple":[{"$tuple":[%s]}]}',
    "deque": '{"$type":"collections:deque","$new":[null],"$list":[%s]}',
    "OrderedDict": '{"$type":"collections:OrderedDict","$dict":{"x":%s}}',
    "OrderedDict by pairs": '{"$type":"collections:OrderedDict","$map":[[%s,%s]]}',
    "Counter": '{"$type":"collections:Counter","$map":[[%s,1]]}',
    "defaultdict": '{"$type":"collections:defaultdict","$new":["list"],"$dict":{"x":%s}}',
    "ChainMap": '{"$type":"collections:ChainMap","$list":[{"x":%s}]}',
    "namespace": '{"$type":"types:SimpleNamespace","x":%s}',
    "upgraded": '{"$type":"hostile.grown","pair":{"$tuple":[%s,%s]}}',
    "upgraded list": '{"$type":"hostile.grown","pair":[%s,%s]}',
    "record": '{"$type":"unknown:Thing","x":%s,"$state":%s,"$list":[%s],"$dict":{"x":%s}}',
}
SHARED_PARTS = {
    "tuple": '"$tuple":[5,{"$tuple":[6]}]',
    "frozenset": '"$frozenset":[{"$tuple":[5]},7]',
    "tuple of a frozenset": '"$tuple":[{"$frozenset":[{"$tuple":[5]}]}]',
    "named tuple": '"$type":"hostile:Pair","a":{"$frozenset":[{"$tuple":[5]}]}',
    "frozen instance": '"$type":"hostile:Frozen","a":{"$frozenset":[{"$tuple":[5]}]}',
    "attrs instance": '"$type":"hostile:Cached","a":{"$frozenset":[{"$tuple":[5]}]}',
    "frozenset subclass": '"$type":"hostile:FrozenBag","$frozenset":[{"$tuple":[5]}]',
    "tuple subclass": '"$type":"hostile:Row","$tuple":[5]',
}


def found_in_its_holders(root: Any) -> None:
    """Check that every key and element is found, which it is not if it was hashed half-made."""
    stack, met = [root], set()
    while stack:
        value = stack.pop()
        if id(value) in met:
            continue
        met.add(id(value))
        if isinstance(value, dict | set | frozenset):
            assert all(key in value for key in list(value))
        if isinstance(value, hostile.Cached):
            assert hash(value) == hash(hostile.Cached(value.a, value.b))
        stack += hostile._inside(value)


@pytest.mark.parametrize("part", SHARED_PARTS)
@pytest.mark.parametrize("holder", PARTS)
def test_a_reference_may_come_before_its_object(holder: str, part: str) -> None:
    whole = f'{{"$id":1,{SHARED_PARTS[part]}}}'
    held = PARTS[holder].replace("%s", '{"$ref":1}')
    later = mason.loads(typed(f"[{held},{whole}]"), registry=REGISTRY, unknown="keep")
    first = mason.loads(typed(f"[{whole},{held}]"), registry=REGISTRY, unknown="keep")
    assert not leaked(later)
    assert mason.same(later, first[::-1]), mason.difference(later, first[::-1])
    found_in_its_holders(later)
    assert not leaked(mason.reads(typed(f"[{held},{whole}]")).root)


AHEAD = {
    "of a list in an upgrade": (
        '[{"$type":"hostile.grown","pair":{"$tuple":[{"$ref":1},[{"$ref":2}]]}},'
        '{"$id":1,"$list":[7]},{"$id":2,"$type":"hostile:Row","$tuple":[8]}]'
    ),
    "of what an upgraded key holds": (
        '[{"$set":[{"$type":"hostile:Frozen","a":{"$ref":1}}]},'
        '{"$id":1,"$type":"hostile:FrozenBag","$frozenset":[{"$type":"hostile:Frozen","a":{"$ref":2}}]},'
        '{"$id":2,"$type":"hostile:Row","$tuple":[8,{"$ref":3}]},{"$id":3,"$tuple":[9]}]'
    ),
    "of what a hash looks at": (
        '[{"$set":[{"$type":"hostile:Looking","near":{"$id":1,"$list":[{"$ref":2}]}}]},{"$ref":1},'
        '{"$id":2,"$type":"hostile:Row","$tuple":[8]}]'
    ),
    "of an element whose hash looks at another": (
        '[{"$type":"hostile:FrozenBag","$frozenset":[{"$type":"hostile:Looking","near":[{"$ref":1}]}]},'
        '{"$id":1,"$type":"hostile:FrozenBag","$frozenset":[{"$type":"hostile:Looking","near":[{"$ref":2}]}]},'
        '{"$id":2,"$type":"hostile:Row","$tuple":[8]}]'
    ),
}


@pytest.mark.parametrize("case", AHEAD)
def test_trusted_code_sees_no_reference_ahead(case: str) -> None:
    back = build(AHEAD[case])
    assert not leaked(back)
    found_in_its_holders(back)
    again = REGISTRY.loads(REGISTRY.dumps(back))
    assert mason.same(back, again), mason.difference(back, again)


def test_an_upgraded_object_may_hold_itself() -> None:
    back = build('{"$id":1,"$type":"hostile.grown","pair":[{"$ref":1},2]}')
    assert back.a is back and back.b == [2]


@pytest.mark.parametrize("near", ['[{"$ref":1}]', '[[{"$ref":1}]]', '[{"x":{"$ref":1}}]'])
def test_an_element_whose_hash_could_look_at_what_is_not_made_is_refused(near: str) -> None:
    element = '{"$type":"hostile:Looking","near":%s}' % near
    with pytest.raises(mason.LoadError, match="part of its own content"):
        build('{"$id":1,"$type":"hostile:FrozenBag","$frozenset":[%s]}' % element)


@pytest.mark.parametrize("between", ['{"$frozenset":[%s]}', '{"$tuple":[{"$frozenset":[%s]}]}'])
def test_an_element_of_an_element_is_refused_as_well(between: str) -> None:
    element = '{"$type":"hostile:Looking","near":[{"$ref":1}]}'
    with pytest.raises(mason.LoadError, match="part of its own content"):
        build('{"$id":1,"$type":"hostile:FrozenBag","$frozenset":[%s]}' % (between % element))


MUTABLE = ("list", "dict", "Data", "deque", "OrderedDict", "list subclass", "namespace", "set")


@pytest.mark.parametrize("part", [name for name in MUTABLE if name != "set"])
@pytest.mark.parametrize("holder", PARTS)
def test_cycles_through_everything(holder: str, part: str) -> None:
    """A part that holds its holder: read, or refused because it cannot be, the same both ways."""
    held = PARTS[holder].replace("%s", '{"$ref":1}')
    filled = PARTS[part].replace("%s", held)
    whole = f'{{"$id":1,{filled[1:]}' if filled[0] == "{" else f'{{"$id":1,"$list":{filled}}}'
    found = outcome(lambda: mason.loads(typed(f"[{whole}]"), registry=REGISTRY, unknown="keep"))
    if isinstance(found, mason.MasonError):
        assert isinstance(found, mason.LoadError)
        return
    assert not leaked(found)
    again = mason.loads(mason.dumps(found, registry=REGISTRY), registry=REGISTRY, unknown="keep")
    assert mason.same(found, again)


# ------------------------------------------------------------------------------- order of keys


def rotations(text: str) -> Iterator[str]:
    """Give an object of JSON with its keys in other orders."""
    pairs = json.loads(text, object_pairs_hook=list)
    for turn in range(1, len(pairs)):
        yield spelled(pairs[turn:] + pairs[:turn])
    yield spelled(pairs[::-1])
    yield spelled(turned(pairs))


def turned(pairs: Any) -> Any:
    """Turn the order of keys in an object and all objects in it."""
    if not is_object(pairs):
        return [turned(part) for part in pairs] if type(pairs) is list else pairs
    return [(key, turned(value)) for key, value in reversed(pairs)]


def is_object(value: Any) -> bool:
    return type(value) is list and bool(value) and type(value[0]) is tuple


def spelled(value: Any) -> str:
    if is_object(value):
        return "{%s}" % ",".join(f"{json.dumps(key)}:{spelled(part)}" for key, part in value)
    if type(value) is list:
        return "[%s]" % ",".join(map(spelled, value))
    return json.dumps(value)


@pytest.mark.parametrize("name", [name for name in PARTS if name != "list"])
@pytest.mark.parametrize("id", ["", '"$id":9,'])
def test_keys_come_in_any_order(name: str, id: str) -> None:
    text = PARTS[name].replace("%s", '{"$id":1,"$tuple":[{"$tuple":[7]},{"$frozenset":[5]}]}', 1)
    text = text.replace("%s", '{"$ref":1}')
    text = f"{{{id}{text[1:]}"
    expected = mason.loads(typed(f"[{text}]"), registry=REGISTRY, unknown="keep")
    for other in rotations(text):
        found = mason.loads(typed(f"[{other}]"), registry=REGISTRY, unknown="keep")
        assert not leaked(found)
        assert mason.same(expected, found) or is_reordered(expected, found), other


def is_reordered(a: Any, b: Any) -> bool:
    """Tell whether plain dictionaries differ by nothing but the order of their keys."""
    key = json.dumps  # of documents without `$id` numbers that depend on the order
    return bool(
        key(json.loads(mason.dumps(a, registry=REGISTRY)), sort_keys=True)
        == key(json.loads(mason.dumps(b, registry=REGISTRY)), sort_keys=True)
    )


@pytest.mark.parametrize(
    "form",
    [
        '"$tag":[5000,1]', '"$datetime":"x"', '"$dict":5', '"$list":5', '"$map":5', '"$map":[1]',
        '"$list":{"$ref":1}', '"$dict":[1]', '"$complex":[1,2]', '"$bytearray":"AA=="',
        '"$unset":[1]', '"$global":"a:b"', '"$value":5', '"$newkw":[]', '"$call":{}',
    ],
)  # fmt: skip
def test_a_late_type_is_no_way_round_the_slots(form: str) -> None:
    shared = '{"$id":1,"$list":[]}'
    for text in (f'{{{form},"$type":"a:B"}}', f'{{"$type":"a:B",{form}}}'):
        for found in every_way(typed(f"[{text},{shared}]"), "json")[:4]:
            assert isinstance(found, mason.LoadError), found


def test_reading_twice_counts_names_once() -> None:
    text = '{"x":{"$type":"a:B","$id":1,"y":1},"z":{"$id":2,"a":1,"$type":"a:C"},"$mason":1}'
    assert [(need.name, need.count) for need in mason.reads(text).needs] == [("a:B", 1), ("a:C", 1)]


# --------------------------------------------------------------------------------------- names

NAMES = [
    "", ":", "::", "a", "a:", ":a", "a:b:c", "a..b:c", ".a:b", "a.:b", "a:b.", "a:.b", "a:b..c",
    "hostile", "hostile:", "hostile:nothing", "hostile:Data.a", "hostile:Data.__init__",
    "hostile:Data.__class__", "hostile:mason", "hostile:mason.loads", "hostile:TRUST",
    "hostile:in_small_thread.__globals__", "os:system", "builtins:eval", "builtins:object",
    "hostile:Data@1", "hostile:Data@0", "hostile:Data@" + "9" * 5000, "hostile.grown@3",
    "hostile.grown@0", "hostile.grown@-1", "hostile.grown@1.0", "hostile.grown@\u0661", "@", "@1",
    "a\0b:c", "a\nb:c", "\ud800:x", "hostile:\ud800", "../x:y", "a/b:c", "-m:x", "x" * 100_000,
    "hostile:" + "Data." * 20_000, "a." * 50_000 + ":b", "\u202ehostile:Data", "HOSTILE:Data",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=lambda name: repr(name[:30]))
def test_any_name(name: str) -> None:
    before = set(sys.modules)
    for text in (f'{{"$type":{json.dumps(name)}}}', f'{{"$global":{json.dumps(name)}}}'):
        with pytest.raises(mason.LoadError):
            mason.loads(typed(text), registry=REGISTRY)
        for trust in ("hostile", [hostile.Data, "hostile"], lambda name, use: True):
            outcome(lambda: mason.loads(typed(text), trust=trust))
        every_way(typed(text), "json")
    assert {one for one in set(sys.modules) - before if not one.startswith("mason")} <= {"hostile"}


def test_paths_of_needs_do_not_multiply() -> None:
    """A long key above many names must not be kept once per name."""
    names = ",".join(f'{{"$type":"a:A{n}"}}' for n in range(3000))
    for key in ("k" * 60_000, "\u20ac" * 20_000, '\\"' * 30_000):
        text = f'{{"$mason":1,"{key}":{{"{key}":[{names}]}}}}'
        needs = mason.reads(text).needs
        assert len(needs) == 3000
        assert sum(len(need.path) for need in needs) < 4 * len(text)
        with pytest.raises(mason.UntrustedError) as caught:
            mason.loads(text)
        assert len(str(caught.value)) < 100_000


def test_paths_of_deep_names_do_not_multiply() -> None:
    names = ",".join(f'{{"$type":"a:A{n}"}}' for n in range(2000))
    text = '{"$mason":1,"$value":' + '{"kkkkkkkkkk":' * 2000 + f"[{names}]" + "}" * 2001
    assert sum(len(need.path) for need in mason.reads(text).needs) < 20 * len(text)


# ------------------------------------------------------------------------------- time and memory


def numbers(count: int) -> str:
    return ",".join(map(str, range(count)))


def many(text: str) -> Callable[[int], str]:
    return lambda count: typed("[%s]" % ",".join([text] * count))


GROWING: dict[str, Callable[[int], str | bytes]] = {
    "open lists": lambda n: "[" * 10 * n,
    "lists": lambda n: "[" * 10 * n + "]" * 10 * n,
    "objects": lambda n: '{"":' * 5 * n,
    "cbor lists": lambda n: b"\x81" * 20 * n,
    "tags": lambda n: b"\xd9\x03\xe8" * 5 * n + b"\x00",
    "self-described": lambda n: b"\xd9\xd9\xf7" * 40 * n + b"\x00",
    "chunks": lambda n: b"\x7f" + b"\x60" * 50 * n + b"\xff",
    "escapes": lambda n: '"%s"' % ("\\ud83d\\ude00" * 10 * n),
    "lone surrogates": lambda n: '"%s"' % ("\\ud800" * 5 * n),
    "not utf-8": lambda n: b'"' + b"\xc3" * 100 * n + b'"',
    "keys": lambda n: "{%s}" % ",".join(f'"{k}":0' for k in range(3 * n)),
    "keys, then one twice": lambda n: "{%s}" % ",".join(f'"{k % (2 * n)}":0' for k in range(2 * n + 1)),
    "ints as keys": lambda n: holders([str(k) for k in range(3 * n)])["dict"],
    "floats as keys": lambda n: holders([f"{k}.5" for k in range(3 * n)])["set"],
    "tuples as keys": lambda n: holders(['{"$tuple":[%d,%d]}' % (k, -k) for k in range(2 * n)])["dict"],
    "instances as keys": lambda n: holders(
        ['{"$type":"hostile:Frozen","a":%d}' % k for k in range(n // 2)]
    )["set"],
    "references ahead": lambda n: typed(
        "[%s,%s]" % (
            ",".join('{"$ref":%d}' % k for k in range(1, 2 * n)),
            ",".join('{"$id":%d}' % k for k in range(1, 2 * n)),
        )
    ),
    "one reference ahead": lambda n: typed("[%s{\"$id\":1}]" % ('{"$ref":1},' * 5 * n)),
    "large ids": lambda n: typed("[%s]" % ",".join('{"$id":%d}' % (k * 10**9) for k in range(1, 3 * n))),
    "a chain ahead": lambda n: typed(
        "[%s]" % ",".join('{"$id":%d,"$tuple":[{"$ref":%d}]}' % (k, k % (2 * n) + 1) for k in range(1, 2 * n))
        + ',{"$id":%d}]' % (2 * n)
    ),
    "sets in sets": lambda n: typed('{"$frozenset":[' * n + "]}" * n),
    "instances": many('{"$type":"hostile:Data","a":1,"b":[]}'),
    "instances in another order": many('{"b":1,"a":[],"$type":"hostile:Data"}'),
    "instances with extras": many('{"$type":"hostile:Data","a":1,"b":1,"$extra":{"c":1}}'),
    "shared instances, late type": lambda n: typed(
        "[%s]" % ",".join('{"$id":%d,"a":1,"$type":"hostile:Plain"}' % k for k in range(1, n))
    ),
    "many fields": lambda n: typed('{"$type":"hostile:Plain",%s}' % ",".join(f'"f{k}":0' for k in range(n))),
    "many records": lambda n: typed('{"$type":"x:Y",%s}' % ",".join(f'"f{k}":0' for k in range(n))),
    "many names": lambda n: typed("[%s]" % ",".join('{"$type":"x:Y%d"}' % k for k in range(n // 2))),
    "late header": lambda n: '{"a":[%s],"$mason":1}' % numbers(5 * n),
    "upgrades": many('{"$type":"hostile.grown","pair":[1,2]}'),
    "deques": many('{"$type":"collections:deque","$new":[null],"$list":[1]}'),
    "decimals": many('{"$decimal":"1E+999999"}'),
    "unset": lambda n: typed('{"$type":"hostile:Data","$unset":[%s]}' % ",".join(['"a"'] * 5 * n)),
    "enumeration": many('{"$type":"hostile:Status","$enum":"ON"}'),
    "patterns": lambda n: typed(
        "[%s]" % ",".join('{"$type":"re:Pattern","$new":["a{%d}",32]}' % k for k in range(n // 8))
    ),
}  # fmt: skip


def seconds(action: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        start = time.process_time()
        action()
        best = min(best, time.process_time() - start)
    return best


@SLOW
@pytest.mark.parametrize("name", GROWING)
def test_time_is_linear(name: str) -> None:
    """Four times the input takes about four times as long; quadratic, sixteen times."""

    def took(count: int) -> float:
        data = GROWING[name](count)
        format = "cbor" if isinstance(data, bytes) and data[:1] != b'"' else "json"

        def attempt() -> None:
            outcome(lambda: mason.loads(data, format=cast(Format, format), registry=REGISTRY))
            outcome(lambda: mason.reads(data, format=cast(Format, format)))

        return seconds(attempt, 3)

    few, lot = took(2000), took(8000)
    assert lot < 9 * few + 0.02, (few, lot)


MEASURE = """
import resource, sys
sys.path[:0] = {path!r}
import mason, test_hostile
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
test_hostile.every_way(b"[]", "json")
for name, make in test_hostile.GROWING.items():
    data = make(8000)
    size, before = len(data), peak()
    format = "cbor" if isinstance(data, bytes) and data[:1] != b'"' else "json"
    for way in ("loads", "reads"):
        try:
            getattr(mason, way)(data, format=format, **({{"registry": test_hostile.REGISTRY}}))
        except mason.MasonError:
            pass
    grown = peak() - before
    if grown > 400 * size + (16 << 20):
        print(name, size, grown)
print("done")
"""


@SLOW
@pytest.mark.skipif(sys.platform != "linux", reason="the unit of ru_maxrss differs")
def test_memory_is_a_small_multiple_of_the_input() -> None:
    path = [str(Path(__file__).parent), str(Path(mason.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(path=path)], capture_output=True, text=True
    )
    assert done.stdout == "done\n", done.stdout + done.stderr


REFUSED = [
    '{"$type":"hostile:Data","a":{"$ref":9}}', '{"$type":"hostile:Data","c":[1,[2]]}',
    '{"$type":"hostile:Data"}', '{"$set":[[1,[2]]]}', '{"$map":[[1,[2]],[1.0,[3]]]}',
    '{"$type":"hostile:Pair","a":[1],"c":[2]}', '{"$type":"hostile:Slots","a":[1],"$extra":{"c":[]}}',
    '[{"$id":1,"$type":"hostile:Data","a":{"$ref":1}},{"$type":"no:thing"}]',
    '{"$type":"hostile.grown","pair":[1]}', '{"$type":"hostile.grown","pair":[[1],[2],[3]]}',
    '{"$type":"hostile:Bag","$set":[[1]]}', '{"$type":"hostile:Status","$enum":["x"]}',
    '{"$id":1,"$tuple":[{"$ref":1}]}', '{"$type":"collections:deque","$new":[[1]],"$list":[[1]]}',
    '{"$type":"hostile:Frozen","$tuple":[[1]]}', '[{"$list":[[1]],"$type":"hostile:Data"}]',
    '{"$type":"hostile:Items","$list":[[1]],"__class__":[2]}', '{"$decimal":"x"}', '{"$bytes":"!"}',
    '{"$type":"hostile:Row","$tuple":[{"$ref":7}]}', '{"$tag":[28,[1]]}', '{"$global":"no:thing"}',
]  # fmt: skip


@SLOW
@pytest.mark.skipif(not sys.getallocatedblocks(), reason="Python's memory is not counted")
def test_refusals_leave_nothing_behind() -> None:
    texts = [typed(f'[[1,{{"k":[2]}}],{text},[3]') for text in REFUSED]
    texts += [text[:-3] + "[3]]}" for text in texts]

    def rounds(count: int) -> int:
        for _ in range(count):
            for text in texts:
                for way in (mason.loads, mason.reads):
                    outcome(lambda: way(text, registry=REGISTRY))
        gc.collect()
        return sys.getallocatedblocks()

    rounds(60)  # Python keeps what it freed of some kinds
    growth = [-rounds(1) + rounds(40) for _ in range(3)]
    assert min(growth) < 40, growth
