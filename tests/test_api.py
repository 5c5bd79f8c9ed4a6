"""The public face: every parameter changes the outcome, types are what editors see, names stay.

`CASES` has a pair of calls for each parameter of each public function: without and with it. A test
holds it against the signatures, so that a parameter that does nothing cannot be added.
"""

from __future__ import annotations

import gzip
import inspect
import io
import json
import os
import pickle
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import graphs
import pytest
import shapes
from hypothesis import example, given, settings
from hypothesis import strategies as st

import mason
from mason import Limits, Registry
from mason.registry import DumpOptions, LoadOptions, ReadOptions, RenderOptions

ROOT = Path(__file__).parents[1]
SNAPSHOT = Path(__file__).with_name("public_names.txt")
POINT = shapes.Point(1, 2)
POINTS = mason.dumps([POINT])
LOCK = __import__("threading").Lock()
SHARED: Any = [[1]]
SHARED.append(SHARED[0])
GONE = '{"$mason":1,"$type":"gone.shop:Point","x":1,"y":2}'


@dataclass
class Order:
    id: int


def registry() -> Registry:
    made = Registry()
    made.register(shapes.Point, name="shop.point")
    return made


NAMED = registry().dumps(POINT)


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call comes to, in a form that can be compared."""
    try:
        value = call()
    except (mason.MasonError, TypeError, OSError) as error:
        return type(error)
    if isinstance(value, mason.Document):
        return value.root
    return value


def written(dump: Callable[..., Any], *args: Any, **options: Any) -> Callable[[], Any]:
    """Return a call of `dump` into memory."""

    def call() -> bytes:
        stream = io.BytesIO()
        dump(*args, stream, **({"format": "json"} | options))
        return stream.getvalue()

    return call


Case = tuple[Callable[[], Any], Callable[[], Any], Any]
"""A call without the parameter, the same with it, and what the second comes to."""


def writing(call: Callable[..., Any], to_text: bool) -> dict[str, Case]:
    """Return cases for what `dump`, `dumps` and `dumpb` share; `call` gives what they write."""

    def as_given(text: str) -> Any:
        return text if to_text else text.encode()

    return {
        "obj": (lambda: call([1]), lambda: call([2]), as_given("[2]")),
        "format": (lambda: call([1]), lambda: call([1], format="cbor"), b"\x81\x01"),
        "indent": (lambda: call([1]), lambda: call([1], indent=1), as_given("[\n 1\n]")),
        "typed": (
            lambda: call({}),
            lambda: call({}, typed=True),
            as_given('{"$mason":1}'),
        ),
        "plain": (lambda: call(()), lambda: call((), plain=True), mason.DumpError),
        "shared": (
            lambda: call(SHARED),
            lambda: call(SHARED, shared=False),
            as_given("[[1],[1]]"),
        ),
        "limits": (
            lambda: call([[1]]),
            lambda: call([[1]], limits=Limits(depth=1)),
            mason.DumpError,
        ),
    }


def reading(call: Callable[..., Any]) -> dict[str, Case]:
    """Return cases for what all that read share; `call` takes the document."""
    return {
        "format": (lambda: call(b"5"), lambda: call(b"5", format="json"), 5),
        "limits": (
            lambda: call(b"[[1]]"),
            lambda: call(b"[[1]]", limits=Limits(depth=1)),
            mason.LimitError,
        ),
    }


def loading(call: Callable[..., Any]) -> dict[str, Case]:
    """Return cases for what `load`, `loads` and `Document.build` share but `format`."""

    def plain_name(data: Any, **options: Any) -> Any:
        return type(call(data, **options)).__name__

    return {
        "type": (
            lambda: call(mason.dumps(POINT)),
            lambda: call(mason.dumps(POINT), shapes.Point),
            POINT,
        ),
        "trust": (lambda: call(POINTS), lambda: call(POINTS, trust=[shapes.Point]), [POINT]),
        "unknown": (lambda: plain_name(GONE), lambda: plain_name(GONE, unknown="keep"), "Record"),
        "aliases": (
            lambda: call(GONE),
            lambda: call(GONE, aliases={"gone.shop:Point": shapes.Point}),
            POINT,
        ),
        "registry": (lambda: call(NAMED), lambda: call(NAMED, registry=registry()), POINT),
        "limits": (
            lambda: call("[[1]]"),
            lambda: call("[[1]]", limits=Limits(depth=1)),
            mason.LimitError,
        ),
    }


def prefixed(prefix: str, cases: dict[str, Case]) -> dict[str, Case]:
    return {f"{prefix}.{name}": case for name, case in cases.items()}


def from_stream(load: Callable[..., Any]) -> Callable[..., Any]:
    def call(data: Any, *args: Any, **options: Any) -> Any:
        raw = data.encode() if isinstance(data, str) else data
        return load(io.BytesIO(raw), *args, **options)

    return call


def into_stream(dump: Callable[..., Any]) -> Callable[..., Any]:
    return lambda obj, **options: written(dump, obj, **options)()


def built(data: Any, *args: Any, **options: Any) -> Any:
    # limits: a document that is beyond them is not even read; building is a load of its own
    return mason.reads(data).build(*args, **options)


PLAIN_TEXT = '{"$mason":1,"$tuple":[1]}'
AS_PLAIN = {"$mason": 1, "$tuple": [1]}


def durable(dump: Callable[..., Any]) -> Case:
    def call(**options: Any) -> Any:
        return written(dump, [1], **options)()

    return lambda: call(), lambda: call(durable=True), mason.DumpError  # no file, no disk


def registered_text(**options: Any) -> Any:
    return Registry(**options).loads(GONE)


def registering(**options: Any) -> Callable[[], Any]:
    def call() -> Any:
        made = Registry()
        made.register(shapes.Point, **options)
        return made.wire_name(shapes.Point)

    return call


def upgraded(**options: Any) -> Any:
    made = Registry()
    made.register(Order, name="o", version=2, **options)
    return made.loads('{"$mason":1,"$type":"o","number":7}')


def resolved(**options: Any) -> Any:
    made = registry()
    return made.resolver(made.policy(), **options)("no:Such", "instance")


def compared(obj: Any, **options: Any) -> list[str]:
    """Return the outcomes of a comparison."""
    found = mason.compare(obj, **({"only": "json", "rounds": 1} | options))
    return [row.outcome for row in found.rows]


SAMPLE = Registry(trust=[shapes.Point])
TREE = mason.reads('{"a":[1,2]}')

CASES: dict[str, Case] = {
    **prefixed("dump", writing(into_stream(mason.dump), False)),
    "dump.destination": (
        lambda: mason.dump([1], "https://example.org/a.json"),
        lambda: mason.dump([1], io.StringIO()),
        None,
    ),
    "dump.durable": durable(mason.dump),
    "dump.registry": (
        written(mason.dump, POINT),
        written(mason.dump, POINT, registry=registry()),
        NAMED.encode(),
    ),
    **prefixed("dumps", writing(mason.dumps, True)),
    "dumps.registry": (
        lambda: mason.dumps(POINT),
        lambda: mason.dumps(POINT, registry=registry()),
        NAMED,
    ),
    **prefixed("dumpb", writing(mason.dumpb, False)),
    "dumpb.registry": (
        lambda: mason.dumpb(POINT),
        lambda: mason.dumpb(POINT, registry=registry()),
        NAMED.encode(),
    ),
    **prefixed("load", loading(from_stream(mason.load)) | reading(from_stream(mason.load))),
    "load.source": (
        lambda: mason.load(io.StringIO("[1]")),
        lambda: mason.load(io.StringIO("[2]")),
        [2],
    ),
    "load.plain": (
        lambda: mason.load(io.StringIO(PLAIN_TEXT)),
        lambda: mason.load(io.StringIO(PLAIN_TEXT), plain=True),
        AS_PLAIN,
    ),
    **prefixed("loads", loading(mason.loads) | reading(mason.loads)),
    "loads.data": (lambda: mason.loads("[1]"), lambda: mason.loads("[2]"), [2]),
    "loads.plain": (
        lambda: mason.loads(PLAIN_TEXT),
        lambda: mason.loads(PLAIN_TEXT, plain=True),
        AS_PLAIN,
    ),
    **prefixed("read", reading(from_stream(mason.read))),
    "read.source": (
        lambda: mason.read(io.BytesIO(b"[1]")),
        lambda: mason.read(io.BytesIO(b"[2]")),
        [2],
    ),
    **prefixed("reads", reading(mason.reads)),
    "read.registry": (
        lambda: mason.read(io.StringIO(NAMED)).build(),
        lambda: mason.read(io.StringIO(NAMED), registry=registry()).build(),
        POINT,
    ),
    "reads.registry": (
        lambda: mason.reads(NAMED).build(),
        lambda: mason.reads(NAMED, registry=registry()).build(),
        POINT,
    ),
    "reads.data": (lambda: mason.reads("[1]"), lambda: mason.reads("[2]"), [2]),
    "same.a": (lambda: mason.same(1, 1), lambda: mason.same(True, 1), False),
    "same.b": (lambda: mason.same(1, 1), lambda: mason.same(1, 1.0), False),
    "difference.a": (
        lambda: mason.difference([1], [1]),
        lambda: mason.difference([2], [1]),
        [mason.Difference("$[0]", "value", "2", "1")],
    ),
    "difference.b": (
        lambda: mason.difference([1], [1]),
        lambda: mason.difference([1], [2]),
        [mason.Difference("$[0]", "value", "1", "2")],
    ),
    "difference.limit": (
        lambda: len(mason.difference([1] * 20, [2] * 20)),
        lambda: len(mason.difference([1] * 20, [2] * 20, limit=3)),
        3,
    ),
    **prefixed(
        "compare",
        {
            "obj": (lambda: compared([1]), lambda: compared([b"x"]), ["refused"]),
            "purpose": (
                lambda: mason.compare([1], only="json", rounds=1).purpose,
                lambda: mason.compare([1], only="json", rounds=1, purpose="cache").purpose,
                "cache",
            ),
            "only": (
                lambda: compared([(1,)]),
                lambda: compared([(1,)], only=["marshal"]),
                ["exact"],
            ),
            "protocols": (
                lambda: compared(1, only="pickle"),
                lambda: compared(1, only="pickle", protocols=True),
                ["exact"] * 6,
            ),
            "seconds": (
                lambda: compared([1]),
                lambda: compared(["x" * 50_000_000], seconds=0.001),
                ["too slow"],
            ),
            "memory": (
                lambda: compared([1]),
                lambda: compared(["\x00" * 50_000_000], memory=1 << 20),
                ["too big"],
            ),
            "rounds": (
                lambda: mason.compare([1], only="json").as_json()["rows"][0]["dump"]["rounds"],
                lambda: mason.compare([1], only="json", rounds=2).machine.rounds,
                2,
            ),
        },
    ),
    # ---- Registry
    "Registry.trust": (
        lambda: Registry().loads(POINTS),
        lambda: Registry(trust=shapes.Point).loads(POINTS),
        [POINT],
    ),
    "Registry.aliases": (
        lambda: registered_text(trust="shapes"),
        lambda: registered_text(trust="shapes", aliases={"gone.shop": "shapes"}),
        POINT,
    ),
    "Registry.register.cls": (registering(), lambda: Registry().register(int), mason.RegistryError),
    "Registry.register.name": (registering(), registering(name="p"), "p"),
    "Registry.register.version": (registering(), registering(version=3), "shapes:Point@3"),
    "Registry.register.upgrade": (
        lambda: upgraded(),
        lambda: upgraded(upgrade={1: lambda old: {"id": old["number"]}}),
        Order(7),
    ),
    "Registry.wire_name.cls": (
        lambda: registry().wire_name(shapes.Node),
        lambda: registry().wire_name(shapes.Point),
        "shop.point",
    ),
    "Registry.lookup.name": (
        lambda: registry().lookup("shop.line"),
        lambda: registry().lookup("shop.point"),
        (shapes.Point, 1),
    ),
    "Registry.policy.trust": (
        lambda: type(registry().policy().find("shapes:Node", "reference")).__name__,
        lambda: registry().policy(trust=shapes.Node).find("shapes:Node", "reference"),
        shapes.Node,
    ),
    "Registry.policy.type": (
        lambda: type(registry().policy().find("shapes:Node", "instance")).__name__,
        lambda: registry().policy(type=shapes.Node).find("shapes:Node", "instance"),
        shapes.Node,
    ),
    "Registry.policy.aliases": (
        lambda: registry().policy().rename("a:B"),
        lambda: registry().policy(aliases={"a": "c"}).rename("a:B"),
        "c:B",
    ),
    "Registry.resolver.policy": (
        lambda: registry().resolver(registry().policy())("shapes:Node", "reference"),
        lambda: registry().resolver(registry().policy("shapes"))("shapes:Node", "reference"),
        (shapes.Node,),
    ),
    "Registry.resolver.keep": (lambda: resolved(), lambda: resolved(keep=True), ...),
    **prefixed("Registry.dump", writing(into_stream(Registry().dump), False)),
    "Registry.dump.destination": (
        lambda: Registry().dump([1], "https://example.org/a.json"),
        lambda: Registry().dump([1], io.StringIO()),
        None,
    ),
    "Registry.dump.durable": durable(Registry().dump),
    **prefixed("Registry.dumps", writing(Registry().dumps, True)),
    **prefixed("Registry.dumpb", writing(Registry().dumpb, False)),
    **prefixed(
        "Registry.load",
        loading(from_stream(Registry().load)) | reading(from_stream(Registry().load)),
    ),
    "Registry.load.source": (
        lambda: Registry().load(io.StringIO("[1]")),
        lambda: Registry().load(io.StringIO("[2]")),
        [2],
    ),
    "Registry.load.plain": (
        lambda: Registry().load(io.StringIO(PLAIN_TEXT)),
        lambda: Registry().load(io.StringIO(PLAIN_TEXT), plain=True),
        AS_PLAIN,
    ),
    **prefixed("Registry.loads", loading(Registry().loads) | reading(Registry().loads)),
    "Registry.loads.data": (lambda: SAMPLE.loads("[1]"), lambda: SAMPLE.loads("[2]"), [2]),
    "Registry.loads.plain": (
        lambda: Registry().loads(PLAIN_TEXT),
        lambda: Registry().loads(PLAIN_TEXT, plain=True),
        AS_PLAIN,
    ),
    **prefixed("Registry.read", reading(from_stream(Registry().read))),
    "Registry.read.source": (
        lambda: SAMPLE.read(io.BytesIO(b"[1]")),
        lambda: SAMPLE.read(io.BytesIO(b"[2]")),
        [2],
    ),
    # ---- Document
    "Document.at.path": (lambda: TREE.at("$"), lambda: TREE.at("$.a[1]"), 2),
    **prefixed("Document.build", loading(built)),
    "Document.dump.destination": (
        lambda: TREE.dump("https://example.org/a.json"),
        lambda: TREE.dump(io.StringIO()),
        None,
    ),
    "Document.dump.format": (
        written(TREE.dump),
        written(TREE.dump, format="cbor"),
        bytes.fromhex("a1 61 61 82 01 02"),
    ),
    "Document.dump.indent": (
        written(TREE.dump),
        written(TREE.dump, indent=0),
        b'{\n"a": [\n1,\n2\n]\n}',
    ),
    "Document.dumps.format": (
        lambda: TREE.dumps(),
        lambda: TREE.dumps(format="cbor"),
        bytes.fromhex("a1 61 61 82 01 02"),
    ),
    "Document.dumps.indent": (
        lambda: TREE.dumps(),
        lambda: TREE.dumps(indent=0),
        '{\n"a": [\n1,\n2\n]\n}',
    ),
    # ---- what is in a document
    "Record.name": (
        lambda: mason.dumps(mason.Record("a:B", {})),
        lambda: mason.dumps(mason.Record("a:C", {})),
        '{"$mason":1,"$type":"a:C"}',
    ),
    "Record.items": (
        lambda: mason.dumps(mason.Record("a:B", {})),
        lambda: mason.dumps(mason.Record("a:B", {"x": 1})),
        '{"$mason":1,"$type":"a:B","x":1}',
    ),
    "Name.name": (
        lambda: mason.dumps(mason.Name("a:B")),
        lambda: mason.dumps(mason.Name("a:C")),
        '{"$mason":1,"$global":"a:C"}',
    ),
    "Tag.number": (
        lambda: mason.dumps(mason.Tag(9999, 1)),
        lambda: mason.dumps(mason.Tag(9998, 1)),
        '{"$mason":1,"$tag":[9998,1]}',
    ),
    "Tag.value": (
        lambda: mason.dumps(mason.Tag(9999, 1)),
        lambda: mason.dumps(mason.Tag(9999, 2)),
        '{"$mason":1,"$tag":[9999,2]}',
    ),
    "Simple.number": (
        lambda: mason.dumps(mason.Simple(40)),
        lambda: mason.dumps(mason.Simple(41)),
        '{"$mason":1,"$simple":41}',
    ),
    "trust.call.function": (
        lambda: mason.trust.call(shapes.total).function.__name__,
        lambda: mason.trust.call(shapes.remembered.__wrapped__).function.__name__,
        "remembered",
    ),
}
del CASES["Registry.load.registry"], CASES["Registry.loads.registry"]  # it is that itself


@pytest.mark.parametrize("name", CASES)
def test_a_parameter_changes_the_outcome(name: str) -> None:
    without, changed, expected = CASES[name]
    result = outcome(changed)
    assert result == expected
    assert type(result) is type(expected)
    assert outcome(without) != result or type(outcome(without)) is not type(result)


def parameters(place: str, function: Any) -> Iterator[str]:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            for option in OPTIONS[place]:
                yield f"{place}.{option}"
        elif parameter.name != "self":
            yield f"{place}.{parameter.name}"


OPTIONS = {
    "Registry.dump": DumpOptions.__annotations__,
    "Registry.dumps": RenderOptions.__annotations__,
    "Registry.dumpb": RenderOptions.__annotations__,
    "Registry.load": LoadOptions.__annotations__,
    "Registry.loads": LoadOptions.__annotations__,
    "Registry.read": ReadOptions.__annotations__,
}


def public(owner: Any, place: str) -> Iterator[tuple[str, Any]]:
    for name, member in vars(owner).items():
        if not name.startswith("_") and inspect.isfunction(member):
            yield f"{place}.{name}", member


def test_every_parameter_has_a_case() -> None:
    functions = {
        **{name: getattr(mason, name) for name in mason.__all__},
        "trust.call": mason.trust.call,
        **dict(public(Registry, "Registry")),
        **dict(public(mason.Document, "Document")),
    }
    classes = {"Registry": Registry.__init__}
    wanted = set()
    for name, thing in functions.items():
        if inspect.isfunction(thing) or name in classes:
            wanted |= set(parameters(name, classes.get(name, thing)))
    # natives have no signatures: Record.name Record.items Name.name Tag.number Tag.value ...
    native = {name for name in CASES if name.split(".")[0] in ("Record", "Name", "Tag", "Simple")}
    assert set(CASES) - native == wanted


@pytest.mark.parametrize("option", ["indent", "typed", "plain", "shared"])
@pytest.mark.parametrize("format", ["json", "cbor", "pickle"])
def test_an_option_that_a_format_does_not_have_is_refused_or_does_nothing_wrong(
    option: str, format: Any
) -> None:
    value = {"indent": 2, "typed": True, "plain": True, "shared": False}[option]
    options: Any = {option: value}
    if format == "pickle":
        with pytest.raises(mason.DumpError):
            mason.dumps({"a": [1]}, format=format, **options)
    else:
        data = mason.dumps({"a": [1]}, format=format, **options)
        assert mason.loads(data, format=format) == {"a": [1]}


@pytest.mark.parametrize("indent", [-1, 1.0, True, "\t", 65, 10**20])
def test_an_indent_is_a_small_number(indent: Any) -> None:
    with pytest.raises(ValueError, match="indent"):
        mason.dumps([1], indent=indent)


CALLS: dict[str, Callable[..., Any]] = {
    "dumps": lambda **options: mason.dumps([1], **options),
    "dumpb": lambda **options: mason.dumpb([1], format="cbor", **options),
    "dump": lambda **options: mason.dump([1], io.StringIO(), **options),
    "loads": lambda **options: mason.loads("[1]", **options),
    "reads": lambda **options: mason.reads("[1]", **options),
    "load": lambda **options: mason.load(io.StringIO("[1]"), **options),
    "read": lambda **options: mason.read(io.StringIO("[1]"), **options),
    "build": lambda **options: mason.reads("[1]").build(**options),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("option", ["limits", "registry"])
def test_an_object_of_another_class_is_a_wrong_argument(option: str, name: str) -> None:
    wanted = f"{option}= takes a mason.{option.title()}, not int"
    with pytest.raises(TypeError, match=wanted):
        CALLS[name](**{option: 5})


@pytest.mark.parametrize("read", [mason.loads, mason.reads])
@pytest.mark.parametrize("data", [{}, None, [1], 5, object()])
def test_what_is_no_text_and_no_bytes_is_a_wrong_argument(data: Any, read: Any) -> None:
    with pytest.raises(TypeError, match="str or bytes, not") as caught:
        read(data)
    assert type(data).__name__ in str(caught.value)
    assert "mason.load" not in str(caught.value)


@pytest.mark.parametrize("read", [mason.loads, mason.reads])
@pytest.mark.parametrize("source", [io.StringIO("[1]"), Path("order.json")])
def test_files_and_paths_are_for_load(source: Any, read: Any) -> None:
    with pytest.raises(TypeError, match=r"files and paths: mason\.load"):
        read(source)


@pytest.mark.parametrize("name", ["order.json", "data/my order.cbor", "a.json.gz", "x.PKL"])
def test_the_name_of_a_file_given_as_a_document_is_told_as_one(name: str) -> None:
    for read, call in ((mason.loads, "load"), (mason.reads, "read")):
        with pytest.raises(mason.JSONError, match="a value was expected") as caught:
            read(name)
        assert caught.value.hint == f"if it is the name of a file: mason.{call}({name!r})"


@pytest.mark.parametrize("text", ["", "order", "[1].json", "nul", "a.json\nb.json", "'a.b'"])
def test_other_texts_are_not_taken_for_names(text: str) -> None:
    with pytest.raises(mason.JSONError) as caught:
        mason.loads(text)
    assert "file" not in (caught.value.hint or "")


@pytest.mark.parametrize("read", [mason.loads, mason.reads])
def test_a_byte_order_mark_is_told_as_what_it_is(read: Any) -> None:
    for data in ("\ufeff{}", "\ufeff{}".encode()):
        with pytest.raises(mason.JSONError, match="UTF-8 with a byte order mark") as caught:
            read(data)
        assert "utf-8-sig" in (caught.value.hint or "")
        assert caught.value.__context__ is None or caught.value.__suppress_context__


@given(st.binary(max_size=8))
@example(b"\x80")
@example(b"\x81\x01.")
@example(b"{}")
@example(b"\xd9\xd9\xf7\x01")
def test_the_formats_known_at_a_glance_are_those_that_are_known_in_full(data: bytes) -> None:
    """Only bytes are looked at by their first characters; bytearrays always are in full."""

    def outcome_of(given: Any) -> Any:
        try:
            return repr(mason.loads(given))
        except mason.MasonError as error:
            return type(error), str(error)

    assert outcome_of(data) == outcome_of(bytearray(data))


@pytest.mark.parametrize("unknown", ["ignore", None, True, ""])
def test_unknown_is_one_of_two_words(unknown: Any) -> None:
    with pytest.raises(ValueError, match="unknown"):
        mason.loads("[1]", unknown=unknown)


# ------------------------------------------------------------------------------------------ limits

_M = sys.hash_info.modulus
# (limits that refuse, limits that just take it, what is loaded and dumped with them)
BOUNDED: dict[str, tuple[Any, Any, Any]] = {
    "depth": (2, 3, [[[1]]]),
    "nodes": (3, 4, [1, [2]]),
    "bytes": (8, 9, "[1,[2,3]]"),
    "seconds": (0, 100, [[at] for at in range(50_000)]),
    "digits": (4, 5, 12345),
    "key_nodes": (3, 4, {(1, 2, 3): 1}),
    "key_depth": (1, 2, {((1,),): 1}),
    "collisions": (200, 600, {at * _M: 0 for at in range(1, 500)}),
}


@pytest.mark.parametrize("name", BOUNDED)
def test_a_limit_bounds_loading(name: str) -> None:
    low, high, value = BOUNDED[name]
    text = value if isinstance(value, str) else mason.dumps(value, limits=Limits(**{name: None}))
    inert = None if name.startswith("key_") or name == "collisions" else mason.reads
    for read in filter(
        None, (mason.loads, inert, lambda data, **o: mason.load(io.StringIO(data), **o))
    ):
        with pytest.raises(mason.LimitError) as caught:
            read(text, limits=Limits(**{name: low}))
        assert isinstance(caught.value, mason.LoadError)
        read(text, limits=Limits(**{name: high}))
        read(text, limits=Limits(**{name: None}))


@pytest.mark.parametrize("name", sorted(set(BOUNDED) - {"digits"}))
def test_a_limit_bounds_dumping(name: str) -> None:
    low, high, value = BOUNDED[name]
    value = json.loads(value) if isinstance(value, str) else value
    for format in ("json", "cbor"):
        low = low - 4 if (name, format) == ("bytes", "cbor") else low
        with pytest.raises(mason.DumpError):
            mason.dumps(value, format=format, limits=Limits(**{name: low}))
        mason.dumps(value, format=format, limits=Limits(**{name: high}))
        mason.dumps(value, format=format, limits=Limits(**{name: None}))


def test_a_number_of_too_many_digits_is_written_in_another_way() -> None:
    assert mason.dumps(12345, limits=Limits(digits=4)) == '{"$mason":1,"$int":"0x3039"}'
    assert mason.dumps(12345, limits=Limits(digits=5)) == "12345"
    assert (
        mason.loads(mason.dumps(12345, limits=Limits(digits=4)), limits=Limits(digits=4)) == 12345
    )


@pytest.mark.parametrize("bounds", [{"inflated": 100, "ratio": 2}, {"inflated": 999, "ratio": 1}])
def test_a_limit_bounds_what_is_decompressed(bounds: Any, tmp_path: Path) -> None:
    path = tmp_path / "zeros.json.gz"
    path.write_bytes(gzip.compress(b"[" + b"0," * 5000 + b"0]"))
    with pytest.raises(mason.LimitError):
        mason.load(path, limits=Limits(**bounds))
    with pytest.raises(mason.DumpError):
        mason.dump([0] * 5000, tmp_path / "new.json.gz", limits=Limits(**bounds))
    assert not (tmp_path / "new.json.gz").exists()
    for name in bounds:  # each of the two frees it by itself
        high = {"inflated": 20_000, "ratio": 10_000}[name]
        assert len(mason.load(path, limits=Limits(**bounds | {name: high}))) == 5001
        assert len(mason.load(path, limits=Limits(**bounds | {name: None}))) == 5001


def test_every_limit_is_tested() -> None:
    assert {*BOUNDED, "inflated", "ratio"} == {field.name for field in fields(Limits)}


def least(name: str, call: Callable[[Limits], Any]) -> int:
    """Return the smallest limit that a call does not go beyond."""
    low, high = 0, 1 << 20  # two huge numbers are more than 16 KiB
    while low < high:
        middle = (low + high) // 2
        try:
            call(Limits(**{name: middle}))
            high = middle
        except (mason.LimitError, mason.DumpError):
            low = middle + 1
    return low


@pytest.mark.parametrize("format", ["json", "cbor"])
@pytest.mark.parametrize("name", ["depth", "nodes", "bytes"])
@settings(max_examples=30)
@given(recipe=graphs.GRAPHS)
def test_what_dump_writes_load_reads_with_the_same_limits(
    name: str, format: Any, recipe: graphs.Recipe
) -> None:
    value = graphs.build(recipe)

    def dumped(limits: Limits) -> str | bytes:
        return mason.dumps(value, format=format, limits=limits)

    needed = least(name, dumped)
    limits = Limits(**{name: needed})
    data = dumped(limits)
    assert mason.same(mason.loads(data, trust=graphs.TRUST, format=format, limits=limits), value)
    mason.reads(data, format=format, limits=limits)


# --------------------------------------------------------------------------------- as in tutorials


def test_the_two_lines_of_every_tutorial(tmp_path: Path) -> None:
    code = """
        import mason
        data = {"name": "Alice", "age": 30}
        with open("data.json", "w") as file:
            mason.json.dump(data, file)
        with open("data.pkl", "wb") as file:
            mason.pickle.dump(data, file)
        with open("data.json") as file:
            assert mason.json.load(file) == data
        assert mason.json.loads(mason.json.dumps(data, indent=2)) == data
        try:
            mason.json.loads("[1,")
        except mason.json.JSONDecodeError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    source = str(
        Path(mason.__file__).parents[1]
    )  # where it runs from its source, this is no install
    environment = os.environ | {"PYTHONPATH": source}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "Expecting value: line 1 column 4 (char 3)\n"
    assert json.loads((tmp_path / "data.json").read_text()) == {"name": "Alice", "age": 30}
    assert pickle.loads((tmp_path / "data.pkl").read_bytes()) == {"name": "Alice", "age": 30}


def test_a_pickle_is_written_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "data.pkl"
    mason.dump([POINT], path)
    assert pickle.loads(path.read_bytes()) == [POINT]
    for read in (mason.load, mason.read):
        with pytest.raises(mason.LoadError, match="pickle"):
            read(path)
    with pytest.raises(mason.DumpError, match="cannot be pickled"):
        mason.dumps([LOCK], format="pickle")


# --------------------------------------------------------------------------------------- for types

TYPED = """
from __future__ import annotations
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, assert_type

import mason
from mason import Document, Limits, Registry

@dataclass
class Order:
    id: int

registry = Registry(trust=[Order], aliases={"old": "new"})

@registry.register
class A: ...

@registry.register(name="b", version=2, upgrade={1: lambda fields: fields})
class B: ...

assert_type(A(), A)
assert_type(B(), B)
assert_type(mason.dumps(1), str)
assert_type(mason.dumps(1, indent=2, typed=True, plain=False, shared=True, limits=Limits()), str)
assert_type(mason.dumps(1, format="json", registry=registry), str)
assert_type(mason.dumps(1, format="cbor"), bytes)
assert_type(mason.dumps(1, format="pickle"), bytes)
assert_type(mason.dumpb(1), bytes)
assert_type(mason.dumpb(1, format="cbor"), bytes)
def either(format: Literal["json", "cbor", "pickle"]) -> None:
    assert_type(mason.dumps(1, format=format), str | bytes)
assert_type(mason.load("f.json", Order), Order)
assert_type(mason.load(Path("f.json"), type=Order, trust="shop", unknown="keep"), Order)
assert_type(mason.load(io.BytesIO(), list[Order]), list[Order])
assert_type(mason.load("f.json"), Any)
assert_type(mason.loads(b"", Order), Order)
assert_type(mason.loads("", Order, aliases={"a:B": Order}, plain=True), Order)
assert_type(mason.loads(memoryview(b"")), Any)
assert_type(mason.read("f.json"), Document)
assert_type(mason.reads("", format="json"), Document)
assert_type(mason.same(1, 2), bool)
assert_type(mason.difference(1, 2, 3), list[mason.Difference])
assert_type(mason.reads("").needs, tuple[mason.Need, ...])
assert_type(mason.reads("").build(Order, trust=[A]), Order)
assert_type(mason.reads("").build(), Any)
assert_type(mason.reads("").dumps(format="json", indent=2), str)
assert_type(mason.reads("").dumps(format="cbor"), bytes)
assert_type(mason.reads("").dumps(), str | bytes)
assert_type(registry.dumps(1), str)
assert_type(registry.dumps(1, format="cbor", shared=False), bytes)
assert_type(registry.dumpb(1), bytes)
assert_type(registry.load("f", Order), Order)
assert_type(registry.loads("", Order, trust=[A]), Order)
assert_type(registry.loads(bytearray(b""), Order), Order)
assert_type(registry.loads(""), Any)
assert_type(registry.read("f.json"), Document)
mason.dump(1, "f.json", format="json", durable=True)
mason.dump(1, io.StringIO())
with open("f.json", "w") as text, open("f.cbor", "wb") as binary:
    mason.dump(1, text)
    mason.dump(1, binary)
    mason.json.dump({}, text)
    mason.pickle.dump({}, binary)

mason.dumps(1, format="yaml")  # type: ignore[call-overload]
mason.dumps(1, indent="two")  # type: ignore[call-overload]
mason.loads("", unknown="ignore")  # type: ignore[call-overload]
mason.loads("", Order).name  # type: ignore[attr-defined]
mason.dump(1)  # type: ignore[call-arg]
mason.dump(1, 2)  # type: ignore[arg-type]
mason.load(1.5)  # type: ignore[call-overload]
registry.dump(1, "f.json", durables=True)  # type: ignore[call-arg]
Limits(size=3)  # type: ignore[call-arg]
try:
    mason.loads("")
except mason.UntrustedError as error:
    assert_type(error.needs, tuple[mason.Need, ...])
    assert_type(error.path, str | None)
"""


@pytest.mark.lint
def test_editors_know_the_types(tmp_path: Path) -> None:
    tool = Path(sys.executable).with_name("mypy")
    if not tool.exists():
        pytest.skip(f"mypy is not installed beside {sys.executable}; pip install '.[dev]'")
    source = tmp_path / "typed_use.py"
    source.write_text(TYPED)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    command = [tool, "--strict", "--config-file", ROOT / "pyproject.toml", source]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


# ----------------------------------------------------------------------------------- for the years


def described(name: str, thing: Any) -> Iterator[str]:
    if inspect.isclass(thing):
        line = [cls.__name__ for cls in thing.__mro__[1:-1] if not cls.__name__.startswith("_")]
        yield f"class {name}" + (f" < {' '.join(line)}" if line else "")
        for member, value in sorted(vars(thing).items()):
            if isinstance(value, property):
                yield f"  {name}.{member}"
            elif inspect.isfunction(value) and not member.startswith("_"):
                yield f"  {spelled(f'{name}.{member}', value)}"
        if inspect.isfunction(vars(thing).get("__init__")):
            yield f"  {spelled(f'{name}.__init__', thing.__init__)}"
        if issubclass(thing, tuple):
            yield f"  {name}{thing._fields}"
    elif inspect.isfunction(thing):
        yield spelled(name, thing)
    elif inspect.ismodule(thing):
        yield f"module {name}: {' '.join(sorted(thing.__all__))}"
    else:
        yield f"{name}: {type(thing).__name__}"


def spelled(name: str, function: Any) -> str:
    signature = inspect.signature(function)
    bare = [
        one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()
    ]
    return name + str(inspect.Signature(bare))


def test_public_names_stay_as_they_are() -> None:
    """After a change that is meant, write what the assertion shows into public_names.txt."""
    lines = [f"mason: {' '.join(sorted(mason.__all__))}"]
    for name in sorted(mason.__all__):
        lines += described(name, getattr(mason, name))
    for name in sorted(mason.trust.__all__):
        if name in ("STDLIB", "call", "PolicyError"):
            lines += described(f"trust.{name}", getattr(mason.trust, name))
    for module in (mason.json, mason.pickle):
        lines += described(module.__name__.removeprefix("mason."), module)
    text = "\n".join(lines) + "\n"
    assert SNAPSHOT.read_text() == text
