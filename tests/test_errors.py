from __future__ import annotations

import copy
import http
import json
import os
import pickle
import subprocess
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mason
from mason.errors import (
    DumpError,
    FieldError,
    JSONError,
    LimitError,
    LoadError,
    MasonError,
    Need,
    PathError,
    Problem,
    Refused,
    UnknownFormatError,
    UntrustedError,
    dump_error,
    load_error,
    shown,
)
from mason.text import literal

SYSTEM = {"$global": f"{os.name}:system"}
LOCK = Problem("$.lock", "_thread.lock", "is a lock of this process", "leave it out")
NEED = Need("shop.models:Order", "instance", 3, "$.items[0]")

EXAMPLES = [
    MasonError("what", "$.where", "what next"),
    PathError("there is no .x"),
    UnknownFormatError("cannot tell", hint="say it"),
    DumpError("cannot write", "$.lock", problems=[LOCK], total=7),
    LoadError("bad", "$.a", "do", 7, 1, 8),
    JSONError("expected a value", "$", None, 3, 1, 4, "[1 2]", 3),
    LimitError("too deep", "$[0]", None, 9),
    FieldError("no such field", "$", None, cls="shop:Order", field="totl"),
    UntrustedError([NEED], source="order.json"),
]


class Order:
    class Line:
        pass


class Closer:
    def __del__(self) -> None:
        pass


@pytest.fixture
def shop() -> Iterator[types.ModuleType]:
    """A module that is imported, with the classes of this one."""
    module = types.ModuleType("shop")
    vars(module).update(Order=Order, Closer=Closer, total=len)
    sys.modules["shop"] = module
    yield module
    del sys.modules["shop"]


# --- what every error shows and carries


def test_a_traceback_names_an_error_as_a_program_imports_it() -> None:
    errors = [one for one in vars(mason).values() if isinstance(one, type)]
    errors = [one for one in errors if issubclass(one, mason.MasonError)]
    assert {mason.PolicyError, mason.RegistryError, mason.UntrustedError} <= {*errors}
    assert {one.__module__ for one in errors} == {"mason.errors"}
    assert mason.trust.PolicyError is mason.PolicyError


def test_an_error_says_what_where_and_what_next() -> None:
    error = MasonError("the lock cannot be kept", "$.orders[3].lock", "leave it out")
    assert str(error) == "the lock cannot be kept at $.orders[3].lock\n  leave it out"
    assert (error.message, error.path, error.hint) == (
        "the lock cannot be kept",
        "$.orders[3].lock",
        "leave it out",
    )


def test_path_and_hint_are_optional() -> None:
    assert str(MasonError("broken")) == "broken"
    assert str(MasonError("broken", hint="do\nthat")) == "broken\n  do\n  that"
    assert MasonError("broken", path="").path is None


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (DumpError, (MasonError, TypeError, ValueError)),
        (LoadError, (MasonError, ValueError)),
        (JSONError, (LoadError, json.JSONDecodeError)),
        (UntrustedError, (LoadError,)),
        (LimitError, (LoadError,)),
        (FieldError, (LoadError,)),
        (UnknownFormatError, (MasonError, ValueError)),
        (PathError, (MasonError, LookupError)),
    ],
)
def test_errors_are_caught_as_what_json_raises(
    error: type[Exception], parents: tuple[type, ...]
) -> None:
    assert all(issubclass(error, parent) for parent in parents)


def test_refused_is_not_for_users() -> None:
    refused = Refused("it is open", "close it")
    assert (refused.reason, refused.hint) == ("it is open", "close it")
    assert not isinstance(refused, MasonError)


def same(one: MasonError, other: MasonError) -> bool:
    return type(one) is type(other) and str(one) == str(other) and vars(one) == vars(other)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_errors_come_back_from_other_processes(error: MasonError, protocol: int) -> None:
    assert same(pickle.loads(pickle.dumps(error, protocol)), error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_can_be_copied(error: MasonError) -> None:
    assert same(copy.copy(error), error)
    assert same(copy.deepcopy(error), error)


def test_a_long_path_is_cut_in_the_text_and_whole_in_the_attribute() -> None:
    path = "$" + "[0]" * 100_000
    error = MasonError("too deep", path)
    assert len(str(error)) < 300
    assert error.path == path


@given(st.text(st.characters()))
def test_what_is_shown_of_a_file_is_printable_and_short(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text, 20)) <= 20 * 10 + 3


def test_control_sequences_do_not_reach_the_terminal() -> None:
    error = UntrustedError([Need("x\x1b[31m:y\n", "instance", 1, "$['\u202e']")])
    assert "\x1b" not in str(error)
    assert "\u202e" not in str(error)
    assert r"x\x1b[31m:y\n" in str(error)


# --- dump


def test_one_problem_reads_like_any_error() -> None:
    error = dump_error([tuple(LOCK)], 1)
    assert (
        str(error) == "cannot write: _thread.lock is a lock of this process at $.lock\n"
        "  leave it out"
    )
    assert error.problems == (LOCK,)
    assert (error.path, error.hint, error.total) == ("$.lock", "leave it out", 1)


def test_all_problems_are_listed_and_a_hint_is_given_once() -> None:
    others = [("$.a", "_thread.lock", "is a lock of this process", "leave it out")]
    error = dump_error([tuple(LOCK), *others, ("$", "set", "its size changed", None)], 40)
    assert str(error).splitlines() == [
        "40 values cannot be written",
        "  $.lock  _thread.lock is a lock of this process",
        "      leave it out",
        "  $.a  _thread.lock is a lock of this process",
        "  $  set: its size changed",
        "  ... and 37 more",
    ]
    assert error.total == 40
    assert [problem.path for problem in error.problems] == ["$.lock", "$.a", "$"]


def test_a_thousand_problems_are_counted_not_printed() -> None:
    error = dump_error([(f"$[{i}]", "t", "r", None) for i in range(1000)], 1000)
    assert len(str(error).splitlines()) == 102
    assert str(error).endswith("... and 900 more")
    assert len(error.problems) == 1000


# --- load

DOCUMENT = '{\n  "größe": [1,\n  x]}'


@pytest.mark.parametrize("kind", [str, bytes, bytearray, memoryview])
def test_the_place_in_json_is_counted_in_lines_and_characters(kind: Any) -> None:
    raw = DOCUMENT.encode()
    data = DOCUMENT if kind is str else kind(raw)
    with pytest.raises(json.JSONDecodeError) as caught:
        json.loads(DOCUMENT)
    theirs = caught.value
    ours = load_error("syntax", "expected a value", None, raw.index(b"x"), "$.größe[1]", data)
    assert isinstance(ours, JSONError)
    assert (ours.lineno, ours.colno, ours.pos) == (theirs.lineno, theirs.colno, theirs.pos)
    assert (ours.line, ours.column) == (3, 3)
    assert (ours.msg, ours.doc, ours.offset) == ("expected a value", DOCUMENT, raw.index(b"x"))
    assert str(ours) == "expected a value at $.größe[1] (line 3, column 3)"


def test_lone_surrogates_and_broken_utf8_do_not_stop_the_report() -> None:
    error = load_error("syntax", "m", None, 4, None, '"\ud800"x')
    assert isinstance(error, JSONError)
    assert (error.pos, error.colno) == (2, 3)
    broken = load_error("syntax", "invalid UTF-8", None, 2, None, b'["\xff"]')
    assert isinstance(broken, JSONError)
    assert (broken.pos, broken.doc) == (2, '["\ufffd"]')


@pytest.mark.parametrize("data", ["ab\ncd", b"ab\ncd", "", b""])
@pytest.mark.parametrize("offset", [0, 2, 3, 5, 99])
def test_any_offset_gives_a_place(data: str | bytes, offset: int) -> None:
    error = load_error("syntax", "m", None, offset, None, data)
    assert isinstance(error, JSONError)
    assert error.pos == min(offset, len(data))
    assert error.column == (error.pos + 1 if error.pos < 3 else error.pos - 2)


@pytest.mark.parametrize("offset", [None, -1])
def test_without_an_offset_there_is_no_place(offset: int | None) -> None:
    error = load_error("value", "m", "h", offset, "$", b"{}")
    assert (error.offset, error.line, error.column) == (None, None, None)
    assert str(error) == "m at $\n  h"


def test_cbor_has_a_byte_offset_and_no_lines() -> None:
    error = load_error("format", "the array goes on", None, 2, "$[1]", b"\x82\x01")
    assert type(error) is LoadError
    assert (error.offset, error.line) == (2, None)
    assert str(error) == "the array goes on at $[1] (byte 2)"


@pytest.mark.parametrize(
    ("data", "line"), [(b' {"a":', 1), (b"\n[1", 2), (b"{\x00\x00\x00", None), ("{", 1)]
)
def test_whether_bytes_are_json_is_seen_by_their_beginning(
    data: bytes | str, line: int | None
) -> None:
    assert load_error("value", "m", None, 1, None, data).line == line
    assert load_error("value", "m", None, 0, None, data, text=False).line is None


@pytest.mark.parametrize(
    ("code", "kind"), [("value", LoadError), ("format", LoadError), ("limit", LimitError)]
)
def test_each_code_has_its_error(code: str, kind: type[LoadError]) -> None:
    assert type(load_error(code, "m", None, 0, "$", b"\x80")) is kind


def test_a_field_error_names_class_and_field() -> None:
    error = load_error("field", "no field 'x'", "h", 1, "$", b"\xa0", Order, "x")
    assert isinstance(error, FieldError)
    assert (error.cls, error.field) == (f"{__name__}:Order", "x")


# --- trust


def test_untrusted_names_are_listed_with_use_count_path_and_module() -> None:
    needs = [NEED, Need("json:decoder", "reference", 1, "$.x")]
    lines = str(UntrustedError(needs, source="order.json")).splitlines()
    assert lines[0] == "2 names are not trusted; nothing was run"
    assert lines[1] == "  shop.models:Order  3x, first at $.items[0]  (module not imported)"
    assert lines[2] == "  json:decoder       1x at $.x  (a reference; module imported already)"
    assert 'mason.load("order.json", trust=["shop.models"])' in lines[3]
    assert lines[-1] == "Look first: mason show order.json"


def test_needs_path_and_hint_are_attributes() -> None:
    error = UntrustedError([tuple(NEED)])  # type: ignore[list-item]
    assert error.needs == (NEED,)
    assert error.path == "$.items[0]"
    assert 'mason.load(..., trust=["shop.models"])' in (error.hint or "")
    assert str(error).startswith("1 name is not trusted")


def test_how_to_look_first_follows_the_source() -> None:
    assert "mason show 'my order.json'" in str(UntrustedError([NEED], source="my order.json"))
    assert "mason.read(...).needs" in str(UntrustedError([NEED]))
    assert "mason.reads(...).needs" in str(UntrustedError([NEED], call="mason.loads"))


def pasted(*needs: Need, **options: Any) -> str:
    lines = str(UntrustedError(needs, **options)).splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("If you")), "")


def test_one_line_covers_every_name() -> None:
    names = ["shop.models:Order", "shop.models:Order.Line", "shop.stock:Item"]
    needs = [Need(name, "instance", 1, "$") for name in names]
    assert pasted(*needs) == 'mason.load(..., trust=["shop.models", "shop.stock"])'


def test_a_reference_that_may_be_a_function_is_passed_itself(shop: types.ModuleType) -> None:
    function, unknown = (Need(n, "reference", 1, "$") for n in ("shop:total", "depot:total"))
    assert pasted(function) == 'mason.load(..., trust=["shop:total"])'
    assert pasted(unknown) == 'mason.load(..., trust=["depot:total"])'
    # a class is covered by its module
    assert pasted(Need("shop:Order", "reference", 1, "$")) == 'mason.load(..., trust=["shop"])'
    both = (Need("depot:X", "reference", 1, "$"), Need("depot:X", "instance", 1, "$"))
    assert pasted(*both) == 'mason.load(..., trust=["depot"])'


def test_a_call_is_named_as_one_and_nothing_is_offered_that_would_not_make_it() -> None:
    need = Need("depot:total", "call", 1, "$.x")
    text = str(UntrustedError([need]))
    assert "(a call; module not imported)" in text
    assert "Left out: depot:total: this version of mason makes no calls" in text
    assert pasted(need) == pasted(need, spelled={"depot:total": '"depot"'}) == ""
    assert pasted(Need("builtins:range", "call", 1, "$.x")) == ""
    assert pasted(need, NEED) == 'mason.load(..., trust=["shop.models"])'
    both = (need, need._replace(use="instance"))
    assert pasted(*both) == 'mason.load(..., trust=["depot"])'


def test_a_class_with_a_finalizer_is_passed_itself(shop: types.ModuleType) -> None:
    need = Need("shop:Closer", "instance", 1, "$")
    assert pasted(need) == 'mason.load(..., trust=["shop:Closer"])'


@pytest.mark.parametrize("name", ["os:system", "subprocess:Popen", "builtins:eval"])
@pytest.mark.parametrize("use", ["instance", "reference", "call"])
def test_the_line_to_paste_is_never_the_attack(name: str, use: str) -> None:
    assert subprocess.Popen  # imported, so that there is a class to find
    needs = [NEED, Need(name, use, 1, "$.x")]
    line = pasted(*needs)
    assert line == 'mason.load(..., trust=["shop.models"])'
    assert f"Left out: {name}" in str(UntrustedError(needs))
    assert pasted(needs[1]) == ""


@pytest.mark.parametrize("name", ["builtins:object", "builtins:type", "typing:Any"])
def test_the_line_to_paste_has_nothing_that_trust_refuses(name: str) -> None:
    module, _, attribute = name.partition(":")
    with pytest.raises(mason.PolicyError):
        mason.loads("[]", trust=[getattr(sys.modules[module], attribute)])
    needs = [NEED, Need(name, "reference", 1, "$.x")]
    assert pasted(*needs) == 'mason.load(..., trust=["shop.models"])'
    assert f"Left out: {name}" in str(UntrustedError(needs))


def test_a_class_of_the_standard_library_is_passed_itself() -> None:
    needs = [
        Need("http:HTTPStatus", "instance", 1, "$"),
        Need("builtins:range", "reference", 1, "$"),
    ]
    assert http.HTTPStatus
    assert pasted(*needs) == "import http; mason.load(..., trust=[http.HTTPStatus, range])"


@pytest.mark.parametrize(
    "name",
    [
        'x"]); import os; os.system("id',
        "a b:c",
        "m:f.<locals>.C",
        "shop.order@2",
        ":",
        "m:",
        "a:b:c",
    ],
)
def test_names_that_are_no_names_stay_out_of_the_line(name: str) -> None:
    needs = [NEED, Need(name, "instance", 1, "$")]
    assert pasted(*needs) == 'mason.load(..., trust=["shop.models"])'
    assert f"No importable name: {name}" in str(UntrustedError(needs))


@pytest.mark.parametrize("name", ["ｏs:system", "ｓubprocess:run", "ѕhop:total", "shop:None"])
def test_what_python_would_read_as_another_name_stays_a_text(name: str) -> None:
    line = pasted(Need(name, "reference", 1, "$"))  # `import ｏs` imports os
    assert line == f"mason.load(..., trust=[{literal(name)}])"


def test_a_function_that_a_module_has_only_imported_is_not_trusted_by_the_line(
    shop: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "system", os.system, raising=False)
    document = json.dumps({"$mason": 1, "a": {"$global": "shop:system"}, "b": SYSTEM})
    with pytest.raises(UntrustedError) as caught:
        mason.loads(document)
    line = next(x for x in str(caught.value).splitlines() if x.startswith("If you know"))
    with pytest.raises(UntrustedError) as caught:
        eval(line.partition(": ")[2].replace("...", "document"))
    assert {need.name for need in caught.value.needs} == {"shop:system", SYSTEM["$global"]}


@pytest.mark.parametrize("path", ["\U0001f600.json", "\udcff.json", "a'b\"c\\.json", "\u20ac\n"])
def test_the_path_in_the_line_is_the_path(path: str) -> None:
    line = pasted(NEED, source=path)
    assert line.isascii()
    assert eval(line.removeprefix("mason.load(").partition(", trust=")[0]) == path


def test_look_alike_letters_are_seen() -> None:
    need = Need("ѕhop.models:Order", "instance", 1, "$")  # the first letter is Cyrillic
    assert r"\u0455hop.models" in pasted(need)


def test_a_class_of_a_script_that_lives_here_under_another_module_gets_an_alias(
    shop: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Order, "__module__", "shop.models")
    need = Need("__main__:Order", "instance", 1, "$")
    expected = 'mason.load(..., trust=["shop.models"], aliases={"__main__": "shop.models"})'
    assert pasted(need) == expected  # found in the module that called mason: this one
    assert pasted(need._replace(name="__mp_main__:Order")) == expected


def test_a_class_of_this_very_script_needs_no_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    class Invoice:
        pass

    Invoice.__module__ = "__main__"
    monkeypatch.setattr(sys.modules["__main__"], "Invoice", Invoice, raising=False)
    need = Need("__main__:Invoice", "instance", 1, "$")
    assert pasted(need) == 'mason.load(..., trust=["__main__"])'


def test_classes_of_a_script_that_are_spread_get_an_alias_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Order, "__module__", "shop.models")
    monkeypatch.setattr(Closer, "__module__", "shop.files")
    line = pasted(*(Need(f"__main__:{name}", "instance", 1, "$") for name in ("Order", "Closer")))
    assert 'trust=["shop.models", "shop.files"]' in line
    assert 'aliases={"__main__": "shop.models", "__main__:Closer": Closer}' in line


def test_a_class_of_a_script_that_is_nowhere_says_what_to_do() -> None:
    text = str(UntrustedError([Need("__main__:Elsewhere", "instance", 1, "$")]))
    assert 'aliases={"__main__": "the.module.they.live.in"}' in text


def test_a_better_expression_and_another_hint_can_be_given() -> None:
    needs = [NEED, Need("numpy:ndarray", "instance", 1, "$")]
    line = pasted(*needs, spelled={"numpy:ndarray": "mason.trust.NUMPY"})
    assert line == 'mason.load(..., trust=["shop.models", mason.trust.NUMPY])'
    assert "Order.any is annotated with Any" in str(
        UntrustedError(needs, hint="Order.any is annotated with Any")
    )


def test_a_flood_of_names_gives_a_short_text_and_a_whole_list() -> None:
    needs = [Need(f"m{i}:{'C' * 5000}", "instance", 1, "$" + "[0]" * 5000) for i in range(2000)]
    error = UntrustedError(needs)
    assert len(error.needs) == 2000
    assert len(str(error)) < 100_000
    assert "... and 1,900 more" in str(error)
    assert pasted(*needs) == ""


def test_nothing_is_imported_run_or_touched() -> None:
    touched: list[str] = []

    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            touched.append(name)
            return super().__getattribute__(name)

    class Trap(metaclass=Meta):
        pass

    class Liar:
        @property
        def __class__(self) -> Any:  # type: ignore[override]
            touched.append("__class__")
            return type

    class Lazy(types.ModuleType):
        def __getattribute__(self, name: str) -> Any:
            touched.append(name)
            return super().__getattribute__(name)

    trapped = Lazy("trapped")
    types.ModuleType.__getattribute__(trapped, "__dict__").update(Trap=Trap, liar=Liar())
    touched.clear()
    sys.modules["trapped"] = trapped
    before = set(sys.modules)
    try:
        names = ["trapped:Trap", "trapped:liar", "trapped:Trap.x.y", "wave:Wave_write", "a.b:C"]
        needs = [Need(n, use, 1, "$") for n in names for use in ("instance", "reference", "call")]
        str(UntrustedError([*needs, Need("__main__:Trap", "instance", 1, "$")]))
        assert touched == []
        assert set(sys.modules) == before
    finally:
        del sys.modules["trapped"]


@given(
    st.lists(
        st.builds(
            Need,
            st.text(st.sampled_from('ab.:"\\\n @<>_é'), max_size=12) | st.text(max_size=8),
            st.sampled_from(["instance", "reference", "call"]),
            st.integers(1, 10**6),
            st.just("$.x"),
        ),
        max_size=6,
    )
)
def test_whatever_the_names_are_the_line_to_paste_is_one_harmless_call(needs: list[Need]) -> None:
    import ast

    line = pasted(*needs)
    if not line:
        return
    *imports, call = ast.parse(line).body
    assert all(isinstance(node, ast.Import) for node in imports)
    assert isinstance(call, ast.Expr) and isinstance(call.value, ast.Call)
    assert ast.unparse(call.value.func) == "mason.load"
