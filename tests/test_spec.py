"""mason against the vectors of the spec: what is read, written back, converted and refused."""

from __future__ import annotations

import subprocess
import sys
import zoneinfo
from fractions import Fraction
from typing import Any

import pytest
import shop
from spec_vectors import (
    VECTORS,
    Vector,
    binaries,
    classes,
    difference,
    expand,
    has_order,
    in_file,
    kinds,
    modules,
    params,
    texts,
)

import mason

WRITTEN = (
    *("plain", "numbers", "values", "times", "keys", "sharing", "instances", "standard_library"),
    *("escapes", "documents", "paths"),
)
OTHERS = {
    *("refused_json", "refused_cbor", "deep", "rfc8949_appendix_a", "rfc8949_appendix_f"),
    *("rfc8259_accept", "rfc8259_refuse"),
}


@pytest.fixture(autouse=True)
def shop_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests put modules of that name in its place."""
    monkeypatch.setitem(sys.modules, "shop", shop)


def check_zones(vector: Vector) -> None:
    if vector.get("needs_zones") and not zoneinfo.available_timezones():
        pytest.skip("this machine has no time zone database, and tzdata is not installed")


def test_examples_in_the_text_are_those_of_the_vectors() -> None:
    tool = VECTORS.parent.parent / "tools" / "spec_examples.py"
    done = subprocess.run([sys.executable, str(tool), "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (VECTORS.parent / "README.md").read_text(encoding="utf-8")
    assert text.count("```") == 2 * text.count("<!-- examples: ") > 0, "an example typed by hand"


def test_every_file_of_vectors_is_run() -> None:
    files = {path.stem for path in VECTORS.glob("*.json")}
    assert files == {*WRITTEN, *OTHERS}


@pytest.mark.parametrize("vector", params(*WRITTEN, having="tree", lacking="plain"))
def test_reads_as_the_tree(vector: Vector) -> None:
    check_zones(vector)
    for text in texts(vector):
        assert difference(vector["tree"], mason.reads(text, format="json").root) is None, text
        data = text.encode()
        assert difference(vector["tree"], mason.reads(data, format="json").root) is None, text
    for data in binaries(vector):
        assert difference(vector["tree"], mason.reads(data, format="cbor").root) is None, data.hex()


@pytest.mark.parametrize("vector", params(*WRITTEN, having="cbor"))
def test_writes_back_and_converts(vector: Vector) -> None:
    check_zones(vector)
    spellings: dict[Any, Any] = {"cbor": bytes.fromhex(expand(vector["cbor"]))}
    if "json" in vector:
        spellings["json"] = expand(vector["json"])
    for source, data in spellings.items():
        document = mason.reads(data, format=source)
        for target, expected in spellings.items():
            written = document.dumps(format=target)
            if has_order(vector["tree"]):
                assert written == expected, (source, target)
            else:
                again = mason.reads(written, format=target).root
                assert difference(vector["tree"], again) is None, (source, target)


@pytest.mark.parametrize("vector", params(*WRITTEN, having="json_typed"))
def test_keeps_a_header_that_was_asked_for(vector: Vector) -> None:
    text = expand(vector["json_typed"])
    assert mason.reads(text, format="json").dumps() == text
    value = mason.loads(text, format="json")
    assert mason.dumps(value, typed=True) == text


@pytest.mark.parametrize("vector", params(*WRITTEN, having="json_refused"))
def test_refuses_to_write_as_json(vector: Vector) -> None:
    document = mason.reads(bytes.fromhex(vector["cbor"]), format="cbor")
    with pytest.raises(mason.DumpError):
        document.dumps(format="json")


# --- the same with real objects, where no class has to be trusted

STANDARD = {
    *("array", "builtins", "collections", "datetime", "decimal", "ipaddress", "pathlib", "re"),
    *("types", "zoneinfo"),
}
UNTRUSTING = [
    param
    for param in params(*WRITTEN, having="cbor")
    if modules(param.values[0]["tree"]) <= STANDARD and "name" not in kinds(param.values[0]["tree"])
]


@pytest.mark.parametrize("vector", UNTRUSTING)
def test_real_objects_are_written_like_that(vector: Vector) -> None:
    check_zones(vector)
    spellings: dict[Any, Any] = {"cbor": bytes.fromhex(expand(vector["cbor"]))}
    if "json" in vector:
        spellings["json"] = expand(vector["json"])
    for source, data in spellings.items():
        value = mason.loads(data, format=source)
        if not modules(vector["tree"]):
            assert difference(vector["tree"], value) is None
        for target, expected in spellings.items():
            written = mason.dumps(value, format=target)
            if has_order(vector["tree"]):
                assert written == expected, (source, target)
            else:
                again = mason.reads(written, format=target).root
                assert difference(vector["tree"], again) is None, (source, target)
    if "json_refused" in vector:
        with pytest.raises(mason.DumpError):
            mason.dumps(value)


# --- and with real classes

TRUSTING = [
    param
    for param in params("times", "keys", "values", "sharing", "instances", "standard_library")
    if "cbor" in param.values[0]
    and param not in UNTRUSTING
    and modules(param.values[0]["tree"]) <= {*STANDARD, "typing", "shop"}
    and classes(param.values[0]["tree"], "shop") <= {*vars(shop), "Order.Line"}
]


@pytest.mark.parametrize("vector", TRUSTING)
def test_instances_are_written_like_that(vector: Vector) -> None:
    check_zones(vector)
    spellings: dict[Any, Any] = {
        "json": expand(vector["json"]),
        "cbor": bytes.fromhex(expand(vector["cbor"])),
    }
    for source, data in spellings.items():
        value = mason.loads(data, format=source, trust=["shop", shop.total])
        for target, expected in spellings.items():
            assert mason.dumps(value, format=target) == expected, (source, target)


@pytest.mark.parametrize(("name", "version"), [("shop.order", None), ("shop.order@2", 2)])
def test_registered_names_are_written_like_that(name: str, version: int | None) -> None:
    registry = mason.Registry()
    registry.register(shop.Odd, name="shop.order", version=version)
    for vector in in_file("instances"):
        if modules(vector["tree"]) == {name}:
            assert registry.dumps(registry.loads(vector["json"])) == vector["json"]
            return
    pytest.fail("there is no such vector")


@pytest.mark.parametrize("vector", params("documents", having="plain"))
def test_reads_as_plain_data(vector: Vector) -> None:
    for text in vector["plain"]:
        assert difference(vector["tree"], mason.loads(text, plain=True)) is None, text


@pytest.mark.parametrize("vector", params("paths"))
def test_finds_paths(vector: Vector) -> None:
    for data, format in ((vector["json"], "json"), (bytes.fromhex(vector["cbor"]), "cbor")):
        document = mason.reads(data, format=format)
        for path, tree in vector["paths"]:
            found = document.at(path)
            loose = isinstance(tree, dict) and {"same", "shared"} & set(tree)
            assert loose or difference(tree, found) is None, path


# --- refusals


@pytest.mark.parametrize("format", ["json", "cbor"])
@pytest.mark.parametrize("number", [0, 1, 2, 28, 29, 121, 258, 283, 43000, 55799])
def test_tags_with_a_meaning_are_not_written_as_tags(number: int, format: Any) -> None:
    with pytest.raises(mason.DumpError):
        mason.dumps([mason.Tag(number, [1])], format=format)


def test_fractions_that_take_long_to_reduce_are_not_written() -> None:
    for format in ("json", "cbor"):
        with pytest.raises(mason.DumpError):
            mason.dumps(Fraction(1, 10**4300), format=format)


@pytest.mark.parametrize("limit", [0, 640, 4300, 100_000])
def test_long_integers_are_written_alike_whatever_the_interpreter_allows(limit: int) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        for digits in (4301, 10_000):
            text = mason.dumps(10 ** (digits - 1))
            assert text.startswith('{"$mason":1,"$int":"0x')
            assert mason.loads(text) == 10 ** (digits - 1)
        assert mason.loads(mason.dumps(10**4299)) == 10**4299
    finally:
        sys.set_int_max_str_digits(before)


def refuses(data: str | bytes, format: Any, code: str | list[str]) -> None:
    """Read, expecting one of the kinds of refusal."""
    codes = [code] if isinstance(code, str) else code
    for read in (mason.reads, mason.loads):
        with pytest.raises(mason.LoadError) as caught:
            read(data, format=format)
        if isinstance(caught.value, mason.LimitError):
            assert "limit" in codes, repr(caught.value)
            continue
        assert codes != ["limit"], repr(caught.value)
        syntax = codes == ["syntax"] and format == "json"
        assert isinstance(caught.value, mason.JSONError) == syntax, repr(caught.value)


@pytest.mark.parametrize("vector", params("refused_json", "rfc8259_refuse"))
def test_refuses_json(vector: Vector) -> None:
    if "json_hex" in vector:
        refuses(bytes.fromhex(vector["json_hex"]), "json", vector["refused"])
        return
    text = expand(vector["json"])
    refuses(text, "json", vector["refused"])
    refuses(text.encode(), "json", vector["refused"])


@pytest.mark.parametrize("vector", params("refused_cbor", "rfc8949_appendix_f"))
def test_refuses_cbor(vector: Vector) -> None:
    refuses(bytes.fromhex(expand(vector["cbor"])), "cbor", vector["refused"])


def test_text_that_utf_8_cannot_say_is_no_json() -> None:
    for text in ('"\ud800"', '{"\ud800":1}', "\ud800"):
        refuses(text, "json", "syntax")


# --- the standards


@pytest.mark.parametrize("vector", params("rfc8259_accept"))
def test_reads_all_of_json(vector: Vector) -> None:
    if "json_hex" in vector:
        spellings: list[Any] = [bytes.fromhex(vector["json_hex"])]
    else:
        spellings = [vector["json"], vector["json"].encode()]
    for text in spellings:
        assert difference(vector["tree"], mason.loads(text, format="json")) is None


@pytest.mark.parametrize("vector", params("rfc8949_appendix_a"))
def test_reads_all_of_cbor(vector: Vector) -> None:
    data = bytes.fromhex(vector["hex"])
    value = mason.loads(data, format="cbor")
    assert difference(vector["tree"], value) is None
    assert difference(vector["tree"], mason.reads(data, format="cbor").root) is None
    assert (mason.dumps(value, format="cbor") == data) == vector["writes_back"]


# --- depth

STEPS: dict[str, Any] = {
    "list": lambda value: value[0],
    "tuple": lambda value: value[0],
    "dict": lambda value: value["a"],
    "record": lambda value: value.items["next"],
    "tag": lambda value: value.value,
}


@pytest.mark.parametrize("vector", params("deep"))
def test_depth_is_not_limited(vector: Vector) -> None:
    json, cbor = expand(vector["json"]), bytes.fromhex(expand(vector["cbor"]))
    for data, format in ((json, "json"), (cbor, "cbor")):
        document = mason.reads(data, format=format)
        assert document.dumps(format="json") == json
        assert document.dumps(format="cbor") == cbor
        value, levels, kind = document.root, 0, vector["deep"]["of"]
        while type(value).__name__.lower() == kind and value != []:
            value = STEPS[kind](value) if value else None
            levels += 1
        assert levels + (value == []) >= vector["deep"]["levels"]
