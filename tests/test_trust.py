from __future__ import annotations

import builtins
import collections
import datetime
import functools
import http
import importlib
import json
import math
import os
import pkgutil
import re
import subprocess
import sys
import textwrap
import types
import typing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).with_name("trust_cases")))

import trustshop.graph as graph
import trustshop.models as models
from trustlab.samples import Sample

import mason
import mason.adapters
import mason.trust
from mason.errors import LoadError, MasonError, Need
from mason.trust import Policy, PolicyError, Refusal
from mason.trust.names import find_defined, is_enum, is_named_tuple, why_by_name_only

SHOP = "trustshop.models"


def said(parameter):
    return re.sub(r" at 0x\w+", "", str(parameter))  # the same in every process


def is_refused(found):
    return type(found) is Refusal


def find(name, use="instance", **said):
    return Policy(**said).find(name, use)


@pytest.fixture(autouse=True)
def submodules_are_as_they_were():
    yield
    for name in ("trustshop.lines", "trustshop.broken"):
        sys.modules.pop(name, None)


# --- a class passed ------------------------------------------------------------------------------


@pytest.mark.parametrize("use", ["instance", "reference"])
def test_a_class_passed_is_trusted(use):
    assert find(f"{SHOP}:Order", use, trust=[models.Order]) is models.Order


@pytest.mark.parametrize(
    "cls",
    [
        models.Order.Line,
        models.Basket,
        models.Failure,
        models.Closing,
        models.Meta,
        models.Moved,
        models.Renamed,
        models.make_local(),
        http.HTTPStatus,
    ],
)
def test_a_class_passed_may_be_of_any_kind(cls):
    name = mason.trust.name_of(cls)
    assert find(name, trust=cls) is cls
    assert find(name, "reference", trust=cls) is cls


def test_a_class_passed_is_not_called():
    assert is_refused(find(f"{SHOP}:Order", "call", trust=[models.Order]))


def test_a_subclass_is_not_passed_with_its_parent():
    assert is_refused(find(f"{SHOP}:StillClosing", trust=[models.Closing]))
    assert is_refused(find(f"{SHOP}:Order.Line", trust=[models.Order]))


def test_a_class_is_found_under_its_own_name_only():
    assert is_refused(find(f"{SHOP}:Another", trust=[models.Order]))
    assert is_refused(find(f"{SHOP}:Moved", trust=[models.Moved]))
    assert find("trustshop.elsewhere:Moved", trust=[models.Moved]) is models.Moved


def test_two_classes_of_one_name_are_refused():
    with pytest.raises(PolicyError, match="two different objects"):
        Policy([models.make_local(), models.make_local()])


def test_one_class_twice_is_one():
    assert find(f"{SHOP}:Order", trust=[models.Order, models.Order]) is models.Order


def test_an_enum_is_one_item_though_it_is_iterable():
    assert find(f"{SHOP}:Status", trust=models.Status) is models.Status


@pytest.mark.parametrize("several", [list, tuple, set, frozenset, iter])
def test_items_come_in_any_iterable(several):
    policy = Policy(several([models.Order, models.Status]))
    assert policy.find(f"{SHOP}:Order", "instance") is models.Order
    assert policy.find(f"{SHOP}:Status", "instance") is models.Status


@pytest.mark.parametrize("nothing", [None, (), [], {*()}])
def test_nothing_trusts_nothing(nothing):
    assert is_refused(find(f"{SHOP}:Order", trust=nothing))


# --- no value trusts everything ------------------------------------------------------------------


@pytest.mark.parametrize(
    "item",
    [object, type, typing.Any, eval, exec, getattr, __import__, "*", "", "trustshop.*"],
    ids=str,
)
@pytest.mark.parametrize("wrap", [lambda item: item, lambda item: [models.Order, item]])
def test_what_would_be_everything_is_refused(item, wrap):
    with pytest.raises(PolicyError, match="everything") as caught:
        Policy(wrap(item))
    assert isinstance(caught.value, ValueError)
    assert caught.value.hint


@pytest.mark.parametrize(
    "item",
    [
        True,
        0,
        1.5,
        ...,
        [None],
        b"trustshop",
        [["trustshop"]],
        {"trustshop": True},
        builtins,
        models,
        list[models.Order],
        typing.Optional[models.Order],  # noqa: UP045
        typing.List,  # noqa: UP006
        typing.TypeVar("T"),
        models.Order(1),
        "".join,
        [].append,
    ],
    ids=said,
)
def test_what_is_no_item_is_refused(item):
    with pytest.raises(PolicyError) as caught:
        # bound methods of values are callables, but no rules
        Policy(item if not callable(item) else [item])
    assert "trust" in str(caught.value)


def test_an_item_with_a_broken_repr_is_refused_like_any_other():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(PolicyError, match="an object of type"):
        Policy([Broken()])


def test_the_names_of_items_are_cut_in_messages():
    with pytest.raises(PolicyError) as caught:
        Policy([("x" * 10_000,)])
    assert len(caught.value.message) < 200


# --- module strings ------------------------------------------------------------------------------

DEFINED = {
    "Status": models.Status,
    "Level": models.Level,
    "Size": models.Size,
    "Pair": models.Pair,
    "Order": models.Order,
    "Order.Line": models.Order.Line,
    "Label": models.Label,
    "Plain": models.Plain,
    "Slotted": models.Slotted,
    "Box": models.Box,
}


@pytest.mark.parametrize("path", DEFINED)
@pytest.mark.parametrize("use", ["instance", "reference"])
@pytest.mark.parametrize("trust", [SHOP, "trustshop", [SHOP, SHOP, "trustshop"]], ids=str)
def test_a_module_string_trusts_the_classes_defined_there(path, use, trust):
    assert find(f"{SHOP}:{path}", use, trust=trust) is DEFINED[path]


@pytest.mark.parametrize(
    "path",
    [
        "Another",
        "Order.Foreign",
        "Order.Popen",
        "Order.total",
        "Order.parse",
        "Order.__init__",
        "Order.__class__",
        "Order.__init__.__globals__",
        "Order.Line.Nothing",
        "Sample",
        "OrderedDict",
        "Ordered",
        "files",
        "files.system",
        "os",
        "os.system",
        "system",
        "shell",
        "collections",
        "collections._sys.exit",
        "subprocess.Popen",
        "T",
        "Moved",
        "Renamed",
        "Other",
        "Odd",
        "__name__",
        "__builtins__",
        "__dict__",
        "Nothing",
        "make_local.<locals>.Local",
        ".Order",
        "Order.",
        "Order..Line",
        " Order",
        "Order:Line",
        "Order@2",
        "Ord\x00er",
        "\udc80",
        "",
    ],
)
@pytest.mark.parametrize("use", ["instance", "reference", "call"])
def test_a_module_string_trusts_nothing_that_is_not_defined_there(path, use):
    assert is_refused(find(f"{SHOP}:{path}", use, trust=SHOP))


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("Basket", "native"),
        ("Order.Hidden", "native"),
        ("Failure", "native"),
        ("Meta", "native"),
        ("Closing", "__del__"),
        ("StillClosing", "__del__"),
        ("price", "function"),
    ],
)
def test_a_module_string_leaves_out_what_must_be_passed_itself(path, word):
    policy = Policy(SHOP)
    for use in ("instance", "reference"):
        found = policy.find(f"{SHOP}:{path}", use)
        assert is_refused(found)
        assert word in found.reason


def test_a_module_that_shares_only_a_prefix_is_not_meant():
    assert is_refused(find(f"{SHOP}:Order", trust="trustshop.model"))
    assert is_refused(find("trustshopping:Order", trust="trustshop"))


def test_the_module_named_is_imported_when_it_is_needed_and_not_before():
    policy = Policy("trustshop.lines")
    policy.find(f"{SHOP}:Order", "instance")
    assert "trustshop.lines" not in sys.modules
    found = policy.find("trustshop.lines:Line", "instance")
    assert found is sys.modules["trustshop.lines"].Line


def test_a_submodule_counts_only_when_it_is_imported_already():
    found = find("trustshop.lines:Line", trust="trustshop")
    assert is_refused(found)
    assert "not imported" in found.reason
    assert "trustshop.lines" not in sys.modules
    lines = importlib.import_module("trustshop.lines")
    assert find("trustshop.lines:Line", trust="trustshop") is lines.Line


def test_a_name_beneath_a_module_imports_that_module(tmp_path, monkeypatch):
    (tmp_path / "trusttop").mkdir()
    (tmp_path / "trusttop" / "__init__.py").write_text("from trusttop import inner\n")
    (tmp_path / "trusttop" / "inner.py").write_text("class Deep: pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = find("trusttop.inner:Deep", trust="trusttop")
    assert found is sys.modules["trusttop.inner"].Deep
    del sys.modules["trusttop"], sys.modules["trusttop.inner"]


def test_a_module_that_cannot_be_imported_is_told_with_the_reason():
    policy = Policy(["trustshop.broken", "trustshop.missing"])
    assert (
        "RuntimeError: this module is broken"
        in policy.find("trustshop.broken:A", "instance").reason
    )
    assert "ModuleNotFoundError" in policy.find("trustshop.missing:A", "instance").reason


@pytest.mark.parametrize(
    "text",
    ["os", "os.path", "builtins", "sys", "subprocess", "collections.abc", "http:HTTPStatus"],
)
def test_strings_that_name_the_standard_library_are_refused(text):
    with pytest.raises(PolicyError, match="standard library") as caught:
        Policy([models.Order, text])
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, MasonError)


@pytest.mark.parametrize(
    "text", ["trust shop", "trustshop.", ".trustshop", "a..b", "a:", ":b", "a:b:c", "a/b", "1a"]
)
def test_strings_that_are_no_names_are_refused(text):
    with pytest.raises(PolicyError, match="neither a module nor"):
        Policy(text)


def test_what_is_no_module_in_the_place_of_one_is_refused(monkeypatch):
    stand_in = types.SimpleNamespace(Order=models.Order)
    monkeypatch.setitem(sys.modules, SHOP, stand_in)
    found = find(f"{SHOP}:Order", trust=SHOP)
    assert is_refused(found)
    assert "no module" in found.reason


def test_a_module_that_was_blocked_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "trustshop.lines", None)
    assert is_refused(find("trustshop.lines:Line", trust="trustshop.lines"))


def test_a_module_that_was_never_initialised_is_empty(monkeypatch):
    monkeypatch.setitem(sys.modules, "trustshop.lines", types.ModuleType.__new__(types.ModuleType))
    assert is_refused(find("trustshop.lines:Line", trust="trustshop.lines"))


def test_a_class_that_does_not_say_its_module_is_refused(monkeypatch):
    names = {}
    exec("Nameless = type('Nameless', (), {}); Numbered = type('N', (), {'__module__': 5})", names)
    for cls in (names["Nameless"], names["Numbered"]):
        monkeypatch.setattr(models, cls.__name__, cls, raising=False)
        assert is_refused(find(f"{SHOP}:{cls.__name__}", trust=SHOP))
        assert mason.trust.name_of(cls) is None
        with pytest.raises(PolicyError, match="does not say"):
            Policy([cls])


@pytest.mark.parametrize(
    "name", ["x" * 10_000_000, "trustshop:" + "a." * 1_000_000, "a." * 1_000_000 + ":b"]
)
def test_names_of_any_length_are_refused_at_once(name):
    assert is_refused(find(name, trust=["trustshop", SHOP], aliases={"a": "b"}))


# --- one name spelled as a string ----------------------------------------------------------------


@pytest.mark.parametrize("path", ["Order", "Basket", "Closing", "Order.Hidden"])
def test_a_spelled_name_trusts_that_class_like_a_class_passed(path):
    policy = Policy(f"{SHOP}:{path}")
    assert policy.find(f"{SHOP}:{path}", "instance") is find_defined(SHOP, path)
    assert policy.find(f"{SHOP}:{path}", "reference") is find_defined(SHOP, path)
    assert is_refused(policy.find(f"{SHOP}:{path}", "call"))
    assert is_refused(policy.find(f"{SHOP}:Plain", "instance"))


def test_a_spelled_function_may_be_referred_to():
    policy = Policy(f"{SHOP}:price")
    assert policy.find(f"{SHOP}:price", "reference") is models.price
    assert is_refused(policy.find(f"{SHOP}:price", "instance"))
    assert is_refused(policy.find(f"{SHOP}:price", "call"))


def test_a_spelled_name_imports_its_very_module():
    assert (
        find("trustshop.lines:Line", trust="trustshop.lines:Line")
        is sys.modules["trustshop.lines"].Line
    )


@pytest.mark.parametrize("path", ["Another", "system", "shell", "os.system", "Sample", "Ordered"])
def test_a_spelled_name_is_no_way_around_where_things_are_defined(path):
    assert is_refused(find(f"{SHOP}:{path}", "reference", trust=f"{SHOP}:{path}"))


# --- functions -----------------------------------------------------------------------------------


def test_a_function_passed_may_be_referred_to_only():
    policy = Policy([models.price, math.sqrt])
    assert policy.find(f"{SHOP}:price", "reference") is models.price
    assert policy.find("math:sqrt", "reference") is math.sqrt
    for use in ("instance", "call"):
        assert is_refused(policy.find(f"{SHOP}:price", use))


@pytest.mark.parametrize(
    "items", [lambda call: call, lambda call: [call], lambda call: [models.price, call]]
)
def test_a_function_to_be_called_may_be_referred_to_as_well(items):
    policy = Policy(items(mason.trust.call(models.price)))
    assert policy.find(f"{SHOP}:price", "reference") is models.price
    assert policy.find(f"{SHOP}:price", "call") is models.price
    assert is_refused(policy.find(f"{SHOP}:price", "instance"))


@pytest.mark.parametrize(
    "thing",
    [models.Order, models.Order(1).total, "".join, 1, "trustshop", functools.partial(print)],
)
def test_only_functions_of_modules_are_to_be_called(thing):
    with pytest.raises(PolicyError, match="takes a function"):
        mason.trust.call(thing)


@pytest.mark.parametrize("function", [eval, exec, getattr, __import__])
def test_what_runs_anything_is_not_to_be_called(function):
    with pytest.raises(PolicyError, match="everything"):
        mason.trust.call(function)


def test_marks_and_sets_say_what_they_are():
    assert repr(mason.trust.call(models.price)) == f"mason.trust.call({SHOP}:price)"
    assert repr(mason.trust.STDLIB) == "mason.trust.STDLIB"


def test_the_standard_set_may_be_named_and_changes_nothing():
    assert is_refused(find("datetime:date", trust=mason.trust.STDLIB))
    assert find(f"{SHOP}:Order", trust=[mason.trust.STDLIB, models.Order]) is models.Order


# --- rules ---------------------------------------------------------------------------------------


class Remembering:
    def __init__(self, answer):
        self.asked = []
        self.answer = answer

    def __call__(self, name, use):
        self.asked.append((name, use))
        return self.answer

    def decide(self, name, use):
        return self(name, use)


@pytest.mark.parametrize("form", ["object", "method", "lambda", "local", "module", "partial"])
def test_a_rule_decides_by_itself(form):
    def local(name, use):
        return name == f"{SHOP}:Order"

    def wider(more, name, use):
        return local(name, use)

    rule = {
        "object": Remembering(True),
        "method": Remembering(True).decide,
        "lambda": lambda n, u: n == f"{SHOP}:Order",
        "local": local,
        "module": models.decide,
        "partial": functools.partial(wider, None),
    }[form]
    assert find(f"{SHOP}:Order", trust=rule) is models.Order
    assert find(f"{SHOP}:Order", trust=[models.Status, rule]) is models.Order
    if form not in ("object", "method"):
        assert is_refused(find(f"{SHOP}:Plain", trust=rule))


@pytest.mark.parametrize(
    ("path", "use"),
    [
        ("Order", "instance"),
        ("Order", "call"),
        ("Basket", "instance"),
        ("Closing", "instance"),
        ("price", "reference"),
        ("price", "call"),
    ],
)
def test_a_rule_may_permit_every_use(path, use):
    assert find(f"{SHOP}:{path}", use, trust=lambda name, use: True) is find_defined(SHOP, path)


@pytest.mark.parametrize(
    "name",
    [
        f"{SHOP}:system",
        f"{SHOP}:os.system",
        f"{SHOP}:Another",
        f"{SHOP}:price.__globals__",
        "shop.order",
    ],
)
@pytest.mark.parametrize("use", ["instance", "reference", "call"])
def test_a_rule_is_no_way_around_where_things_are_defined(name, use):
    assert is_refused(find(name, use, trust=lambda name, use: True))


def test_a_function_has_no_instances_even_by_rule():
    assert is_refused(find(f"{SHOP}:price", "instance", trust=lambda name, use: True))


def test_a_rule_imports_nothing():
    assert is_refused(find("trustshop.lines:Line", trust=lambda name, use: True))
    assert "trustshop.lines" not in sys.modules


def test_a_rule_is_asked_once_per_name_and_use_and_only_when_nothing_else_permits():
    rule = Remembering(False)
    policy = Policy([models.Order, rule])
    for _ in range(3):
        policy.find(f"{SHOP}:Order", "instance")
        policy.find(f"{SHOP}:Plain", "instance")
        policy.find(f"{SHOP}:Plain", "reference")
    assert rule.asked == [(f"{SHOP}:Plain", "instance"), (f"{SHOP}:Plain", "reference")]


@pytest.mark.parametrize("answer", [1, 0, None, "yes", [], object()])
def test_a_rule_answers_with_a_bool(answer):
    with pytest.raises(PolicyError, match="neither True nor False"):
        find(f"{SHOP}:Order", trust=Remembering(answer))


def test_what_a_rule_raises_comes_through():
    def rule(name, use):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        find(f"{SHOP}:Order", trust=rule)


def test_several_rules_are_asked_in_turn():
    rules = [Remembering(False), Remembering(True)]
    assert find(f"{SHOP}:Order", trust=rules) is models.Order


def test_a_function_that_is_no_rule_and_has_no_name_is_refused():
    with pytest.raises(PolicyError, match="no rule takes"):
        Policy(lambda name: True)


def test_a_function_of_a_module_is_a_rule_only_by_its_parameters():
    policy = Policy(models.price)
    assert is_refused(policy.find(f"{SHOP}:Order", "instance"))


# --- once found, the same for ever ---------------------------------------------------------------


def test_what_was_judged_is_what_is_used(monkeypatch):
    policy = Policy(SHOP)
    assert policy.find(f"{SHOP}:Plain", "instance") is models.Plain
    first = models.Plain
    replaced = type("Plain", (), {"__module__": SHOP})
    monkeypatch.setattr(models, "Plain", replaced)
    assert policy.find(f"{SHOP}:Plain", "instance") is first
    assert find(f"{SHOP}:Plain", trust=SHOP) is replaced


def test_a_rule_that_changes_its_mind_does_not_change_the_answer():
    rule = Remembering(True)
    policy = Policy(rule)
    policy.find(f"{SHOP}:Plain", "instance")
    rule.answer = False
    assert policy.find(f"{SHOP}:Plain", "instance") is models.Plain


def test_a_policy_like_another_says_the_same_and_more():
    first = Policy([models.Order, "trustlab"], aliases={"old": "new"})
    second = Policy(models.Status, aliases={"older": "new"}, like=first)
    assert second.find(f"{SHOP}:Order", "instance") is models.Order
    assert second.find("trustlab.samples:Sample", "instance") is Sample
    assert second.find(f"{SHOP}:Status", "instance") is models.Status
    assert (second.rename("old:A"), second.rename("older:A")) == ("new:A", "new:A")
    assert is_refused(first.find(f"{SHOP}:Status", "instance"))
    assert first.rename("older:A") == "older:A"


# --- scripts and notebooks -----------------------------------------------------------------------

SCRIPT = """
    import multiprocessing, sys
    from mason.trust import Policy

    class Order:
        pass

    def ask():
        told = []
        for trust in ("__main__", "__mp_main__", Order, "__main__:Order", lambda name, use: True):
            for module in ("__main__", "__mp_main__"):
                told.append(Policy(trust).find(f"{module}:Order", "instance") is Order)
        told.append(Policy(type=list[Order]).find("__main__:Order", "instance") is Order)
        return Order.__module__, all(told)

    if __name__ == "__main__":
        print(*ask())
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            print(*pool.apply(ask))
"""


def test_classes_of_scripts_are_found_in_the_script_and_in_its_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    path = os.pathsep.join(
        filter(None, [str(Path(mason.trust.__file__).parents[2]), os.environ.get("PYTHONPATH")])
    )
    run = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert run.stdout.splitlines() == ["__main__ True", "__mp_main__ True"], run.stderr


# --- aliases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aliases", "old", "new"),
    [
        ({"old.shop:Order": "new.shop:Bill"}, "old.shop:Order", "new.shop:Bill"),
        ({"old.shop:Order": "new.shop:Bill"}, "old.shop:Order.Line", "old.shop:Order.Line"),
        ({"old.shop:Order": "new.shop:Bill"}, "old.shop:Order@3", "new.shop:Bill@3"),
        ({"old.shop": "new.shop"}, "old.shop:Order", "new.shop:Order"),
        ({"old.shop": "new.shop"}, "old.shop:Order@3", "new.shop:Order@3"),
        ({"old": "new"}, "old.shop:Order", "new.shop:Order"),
        ({"old": "new"}, "older.shop:Order", "older.shop:Order"),
        ({"old": "new", "old.shop": "other"}, "old.shop.deep:Order", "other.deep:Order"),
        ({"old.shop": "other", "old": "new"}, "old.shop.deep:Order", "other.deep:Order"),
        ({"old": "new", "old:Order": "x:Y"}, "old:Order", "x:Y"),
        ({"a": "b", "b": "c"}, "a:X", "b:X"),
        ({"a": "b", "b": "a"}, "b:X", "a:X"),
        ({"a:X": "b:X", "b:X": "a:X"}, "a:X", "b:X"),
        ({"__main__": "shop.models"}, "__main__:Order", "shop.models:Order"),
        ({"__main__": "shop.models"}, "__mp_main__:Order", "shop.models:Order"),
        ({"__mp_main__": "shop.models"}, "__main__:Order", "shop.models:Order"),
        ({"__main__:Order": "shop.models:Order"}, "__mp_main__:Order", "shop.models:Order"),
        ({"__main__": "shop.models"}, "__main__x:Order", "__main__x:Order"),
        ({"shop.order": "shop.bill"}, "shop.order", "shop.bill"),
        ({"shop.order": "shop.bill"}, "shop.order@2", "shop.bill@2"),
        ({"shop": "store"}, "shop.order", "shop.order"),
        ({"shop.order@1": models.Order}, "shop.order@1", f"{SHOP}:Order"),
        ({"shop.order@1": models.Order}, "shop.order@2", "shop.order@2"),
        ({"shop.order": models.Order}, "shop.order", f"{SHOP}:Order"),
        ({"old:Order": models.Order}, "old:Order", f"{SHOP}:Order"),
        ({"old:price": models.price}, "old:price", f"{SHOP}:price"),
        ({}, "a:b", "a:b"),
        (None, "a:b", "a:b"),
    ],
)
def test_aliases_lead_to_todays_names(aliases, old, new):
    assert Policy(aliases=aliases).rename(old) == new


def test_a_class_as_the_value_of_an_alias_is_trusted():
    policy = Policy(aliases={"old:Order": models.Order})
    assert policy.find(policy.rename("old:Order"), "instance") is models.Order


def test_a_text_as_the_value_of_an_alias_trusts_nothing():
    for aliases in ({"old:Order": f"{SHOP}:Order"}, {"old": SHOP}):
        policy = Policy(aliases=aliases)
        assert is_refused(policy.find(policy.rename("old:Order"), "instance"))
        policy = Policy(SHOP, aliases=aliases)
        assert policy.find(policy.rename("old:Order"), "instance") is models.Order


@pytest.mark.parametrize(
    "aliases",
    [
        {"": "a"},
        {"a:": "b:c"},
        {":a": "b:c"},
        {"a:b": "c"},
        {"a": "b:c"},
        {"a:b:c": "a:b"},
        {"a:b": "a:b:c"},
        {"a*": "b"},
        {"a": ""},
        {"a": None},
        {1: "a"},
        {"a": 1},
        {"a:b": models},
        [("a", "b")],
        "a",
    ],
    ids=str,
)
def test_aliases_that_lead_nowhere_are_refused(aliases):
    with pytest.raises(PolicyError, match="alias"):
        Policy(aliases=aliases)


# --- type= ---------------------------------------------------------------------------------------

REACHED = {
    *("Start", "InUnion", "InDict", "InList", "InAnnotated", "InOptional", "InString", "Box"),
    *("InArgument", "InTuple", "InType", "InBound", "InNewType", "InTypedDict", "Attrs", "InAttrs"),
    *("Named", "InNamedTuple", "Plain", "InParent", "InClassVar", "InFinal"),
}
UNREACHED = {
    *("Unreached", "InCallable", "InInit", "Options", "Followed", "Parent", "Bound", "Renamed"),
}


@pytest.mark.parametrize("path", sorted(REACHED))
@pytest.mark.parametrize("use", ["instance", "reference"])
def test_annotations_reach_data_classes_of_the_package(path, use):
    assert find(f"trustshop.graph:{path}", use, type=graph.Start) is getattr(graph, path)


@pytest.mark.parametrize("path", sorted(UNREACHED))
def test_annotations_reach_no_more_than_they_name(path):
    assert is_refused(find(f"trustshop.graph:{path}", type=graph.Start))


@pytest.mark.parametrize(
    "name",
    [
        f"{SHOP}:Basket",
        f"{SHOP}:Closing",
        "trustlab.samples:Sample",
        "http:HTTPStatus",
        "datetime:datetime",
    ],
)
def test_annotations_do_not_reach_what_must_be_passed_itself(name):
    assert is_refused(find(name, type=graph.Start))


def test_annotations_reach_enums_in_other_modules_of_the_package():
    assert find(f"{SHOP}:Status", type=graph.Start) is models.Status


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        (list[models.Order], ["Order", "Order.Line"]),
        (dict[str, models.Order], ["Order", "Order.Line"]),
        (models.Order | None, ["Order", "Order.Line"]),
        (typing.Union[models.Status, list[models.Label]], ["Status", "Label"]),  # noqa: UP007
        (models.Box[models.Label], ["Box", "Label"]),
        (typing.Annotated[models.Plain, 1], ["Plain"]),
        (typing.NewType("N", models.Plain), ["Plain"]),
        (models.Basket, ["Basket"]),
        (models.Closing, ["Closing"]),
        (typing.Literal[models.Status.PAID], ["Status"]),
        (tuple[models.Plain, ...], ["Plain"]),
    ],
    ids=str,
)
def test_the_classes_spelled_in_type_are_passed(expression, paths):
    policy = Policy(type=expression)
    for path in DEFINED | {"Basket": 0, "Closing": 0}:
        found = policy.find(f"{SHOP}:{path}", "instance")
        assert is_refused(found) == (path not in paths), path


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is new in 3.12")
def test_type_aliases_and_type_parameters_are_followed(monkeypatch):
    text = """
        class Inner: pass
        class Deep: pass
        class Box[T: Inner]:
            content: T
            quoted: "T"
            nested: "list[Deep]"
        type Boxes = list[Box] | None | Boxes
        type Broken = Missing
        class Holder:
            broken: Broken
    """
    names = {"__name__": SHOP}
    exec(textwrap.dedent(text), names)
    for name in ("Inner", "Deep", "Box"):
        monkeypatch.setattr(models, name, names[name], raising=False)
    policy = Policy(type=names["Boxes"])
    for name in ("Inner", "Deep", "Box"):
        assert policy.find(f"{SHOP}:{name}", "instance") is names[name]
    policy.check_root([])
    assert "does not resolve" in Policy(type=names["Holder"]).advice(needs("a:B"))


def test_a_class_of_the_standard_library_may_be_spelled_in_type():
    assert find("http:HTTPStatus", type=list[http.HTTPStatus]) is http.HTTPStatus


@pytest.mark.parametrize(
    "expression",
    [
        True,
        1,
        "Order",
        list[typing.ForwardRef("Order")],
        typing.Callable[[int], str],
        graph.Followed,
        [models.Order],
    ],
    ids=str,
)
def test_type_takes_classes_only(expression):
    with pytest.raises(PolicyError, match="type="):
        Policy(type=expression)


@pytest.mark.parametrize("expression", [object, typing.Any, list, dict[str, int], None, type])
def test_types_without_classes_of_yours_trust_nothing(expression):
    for path in DEFINED:
        assert is_refused(find(f"{SHOP}:{path}", type=expression))


def test_annotations_are_not_looked_at_before_they_are_needed(monkeypatch):
    monkeypatch.setattr(typing, "get_type_hints", None)
    assert find("trustshop.graph:Start", type=graph.Start) is graph.Start


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        (models.Order(1), models.Order),
        (models.StillClosing(), models.Closing),
        ([1], list),
        ([1], list[models.Order]),
        ({}, dict[str, models.Order]),
        (None, models.Order | None),
        (None, None),
        (None, type(None)),
        (models.Order(1), models.Order | None),
        (models.Order(1), typing.Optional[models.Order]),  # noqa: UP045
        (1, int | str),
        (True, int),
        ("a", typing.Literal["a", "b"]),
        (models.Status.PAID, typing.Literal[models.Status.PAID]),
        ([1], typing.Annotated[list[int], 1]),
        ([1], typing.Sequence[int]),
        ({}, collections.abc.Mapping),
        (1, typing.NewType("N", int)),
        (1, typing.TypeVar("T", int, str)),
        (1, typing.TypeVar("T", bound=int)),
        (1, typing.TypeVar("T")),
        ({}, graph.Options),
        (models.Box(), models.Box[int]),
        (models.Order, type),
        (models.Order, type[models.Order]),
        (1, object),
        (1, typing.Any),
        (datetime.date(2026, 1, 1), datetime.date),
    ],
    ids=said,
)
def test_a_root_of_the_type_passes(value, expression):
    Policy(type=expression).check_root(value)


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        (1, models.Order),
        (models.Order, models.Order),
        ((1,), list[int]),
        (None, models.Order),
        (1, models.Order | None),
        (1.0, int | str),
        (1, float),
        ("c", typing.Literal["a", "b"]),
        (1, typing.Literal[True]),
        (models.Status.OPEN, typing.Literal[models.Status.PAID]),
        (1, typing.NewType("N", str)),
        (1.5, typing.TypeVar("T", int, str)),
        ([], graph.Options),
        (1, models.Box[int]),
        (1, type(None)),
        (1, collections.abc.Mapping[str, int]),
    ],
    ids=str,
)
def test_a_root_of_another_type_is_an_error(value, expression):
    with pytest.raises(LoadError, match="the document holds") as caught:
        Policy(type=expression).check_root(value)
    assert caught.value.path == "$"


def test_a_liar_does_not_pass_as_the_root():
    class Liar:
        __class__ = models.Order

    assert isinstance(Liar(), models.Order)
    with pytest.raises(LoadError):
        Policy(type=models.Order).check_root(Liar())


# --- what an error says --------------------------------------------------------------------------


def needs(*names, use="instance"):
    return [Need(name, use, 1, "$") for name in names]


@pytest.mark.parametrize(
    ("said", "name", "words"),
    [
        ({"trust": models.Order}, "__main__:Order", '{"__main__": "trustshop.models"}'),
        ({"trust": SHOP}, "old.models:Order", '{"old.models": "trustshop.models"}'),
        ({"type": graph.Start}, "old:InList", '{"old": "trustshop.graph"}'),
        ({"trust": SHOP}, f"{SHOP}:Basket", "native"),
        ({"trust": "trustshop"}, "trustshop.lines:Line", "not imported"),
        ({"type": graph.Start}, "trustlab.samples:Sample", "Start.foreign"),
        ({"type": graph.Start}, "http:HTTPStatus", "Start.standard"),
        ({"type": graph.Start}, f"{SHOP}:Closing", "__del__"),
        ({"type": graph.Start}, "trustshop.graph:Followed", "protocol"),
        ({"type": graph.Start}, "trustshop.graph:Unreached", "Any"),
        ({"type": graph.Start}, "trustshop.graph:Unreached", "does not resolve"),
    ],
)
def test_advice_names_the_way_out(said, name, words):
    assert words in Policy(**said).advice(needs(name))


@pytest.mark.parametrize("name", ["os:system", "a:b", "shop.order", "\x1b[31m:x"])
def test_there_is_no_advice_where_there_is_nothing_to_say(name):
    assert Policy(models.Order).advice(needs(name)) is None


@pytest.mark.parametrize(
    ("trust", "words"),
    [
        ("trustshop.model", 'trust="trustshop.model": no name in the document lies there, and no'),
        (["nosuch"], "no such module is imported"),
        (["trustlab"], 'trust="trustlab": no name in the document lies there'),
        ("Order", 'a text is a module, or a class with its module: "trustshop.models:Order"'),
        (f"{SHOP}:Ordr", f'trust="{SHOP}:Ordr": the document does not name it'),
        (["trustshop.gone"], "trustshop.gone cannot be imported (ModuleNotFoundError"),
    ],
)
def test_a_text_that_covers_nothing_of_the_document_is_told(trust, words):
    names = needs(f"{SHOP}:Order", "trustshop.gone:Thing", "os:Order")
    assert words in Policy(trust).advice(names)


def test_what_is_refused_for_one_reason_is_told_in_one_line():
    names = [f"trustshop.gone:{name}" for name in "ABC"]
    (line,) = Policy("trustshop.gone").advice(needs(*names)).splitlines()
    assert line.startswith("trustshop.gone:A and 2 more: trustshop.gone cannot be imported (")


def test_a_text_that_covers_something_is_not_told():
    names = [need.name for need in needs(f"{SHOP}:Order", "a:B", "new:C", "__mp_main__:D")]
    trust = [SHOP, "trustshop", f"{SHOP}:Order", "new", "__main__", "__main__:D"]
    aliases = {"a": "new"}
    assert Policy(trust, aliases=aliases).advice(needs("b:X"), names) is None
    # what a registry trusts is for all its documents
    assert Policy(like=Policy("trustlab")).advice(needs("b:X")) is None
    assert Policy([], aliases=aliases, like=Policy("trustlab")).advice(needs("b:X")) is None


@pytest.mark.parametrize("name", ["os:system", "a b:system", "\x1b[31m:system"])
def test_a_name_of_the_file_is_offered_only_if_it_may_be_trusted_by_a_text(name):
    assert "class with its module" not in Policy("system").advice(needs(name))


@pytest.mark.parametrize(
    "trust", [os.system, mason.trust.call(os.system), [os.system, models.Order]]
)
@pytest.mark.parametrize("name", ["os:system", "shop:system"])
def test_the_way_to_a_function_of_the_standard_library_is_not_pointed_out(trust, name):
    for use in ("instance", "reference", "call"):
        assert Policy(trust).advice(needs(name, use=use)) is None


@pytest.mark.parametrize("given", ([models.Order], (models.Order,), {models.Order}, SHOP))
def test_a_type_that_is_a_list_of_items_was_meant_as_trust(given):
    with pytest.raises(PolicyError, match="no class") as caught:
        Policy(type=given)
    assert caught.value.hint == "was trust= meant? type= is the class of the whole document"
    with pytest.raises(PolicyError) as caught:
        Policy(type=list[3])
    assert "trust=" not in caught.value.hint


def test_advice_is_short_and_quick_for_any_number_of_names():
    many = needs(*(f"trustshop.models:Nothing{n}\x1b" for n in range(100_000)))
    told = Policy(SHOP, type=graph.Start).advice(many)
    assert len(told.splitlines()) < 50
    assert told.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("name", "use", "said", "expression"),
    [
        (f"{SHOP}:Basket", "instance", {}, f'"{SHOP}:Basket"'),
        (f"{SHOP}:Closing", "instance", {}, f'"{SHOP}:Closing"'),
        (f"{SHOP}:price", "reference", {}, f'"{SHOP}:price"'),
        ("old:price", "reference", {"aliases": {"old": SHOP}}, f'"{SHOP}:price"'),
        ("old:Order", "instance", {"aliases": {"old": SHOP}}, f'"{SHOP}"'),
        (f"{SHOP}:Order", "instance", {}, None),
        (f"{SHOP}:price", "call", {}, None),
        ("os:system", "reference", {}, None),
        ("posix:system", "reference", {}, None),
        ("http:HTTPStatus", "instance", {}, None),
        ("nowhere:Order", "instance", {}, None),
        ("shop.order", "instance", {}, None),
    ],
)
def test_what_a_module_does_not_cover_is_spelled(name, use, said, expression):
    assert Policy(**said).spelled(needs(name, use=use)).get(name) == expression


def test_every_spelled_expression_trusts_what_it_is_for():
    names = needs(*(f"{SHOP}:{path}" for path in ("Basket", "Closing", "Failure", "Order.Hidden")))
    spelled = Policy().spelled(names)
    policy = Policy([expression.strip('"') for expression in spelled.values()])
    assert not any(is_refused(policy.find(need.name, "instance")) for need in names)


# --- kinds of classes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cls",
    [
        *(int, list, dict, tuple, Exception, types.FunctionType, subprocess.Popen, typing.Generic),
        *(datetime.date, functools.partial, collections.OrderedDict, collections.deque, type),
        *DEFINED.values(),
        *(models.Basket, models.Failure, models.Meta, models.Closing, models.Moved),
    ],
    ids=mason.trust.name_of,
)
def test_native_parts_and_finalizers_are_seen(cls):
    python = {subprocess.Popen, typing.Generic, object, models.Moved, *DEFINED.values()} - {
        subprocess.Popen
    }
    assert (why_by_name_only(cls) is None) == (cls in python)


def test_enums_and_named_tuples_are_told_from_their_look_alikes():
    class Alike(tuple):
        __slots__ = ()
        _fields = ("a",)

    class Fields:
        _fields = ("a",)

    assert is_enum(models.Level)
    assert not is_enum(models.Size)
    assert is_named_tuple(models.Size)
    assert is_named_tuple(models.Pair)
    assert is_named_tuple(Alike)
    assert not is_named_tuple(Fields)
    assert not is_named_tuple(tuple)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shop.order@2", ("shop.order", 2)),
        ("shop.order", ("shop.order", None)),
        ("a:b@10", ("a:b", 10)),
        ("a@b@1", ("a@b", 1)),
        ("a@0", ("a@0", None)),
        ("a@01", ("a@01", None)),
        ("a@-1", ("a@-1", None)),
        ("a@", ("a@", None)),
        ("@1", ("@1", None)),
        ("a@²", ("a@²", None)),
        ("a@1234567890", ("a@1234567890", None)),
    ],
)
def test_versions_are_split_off_names(name, expected):
    assert mason.trust.split_version(name) == expected


# --- traps ---------------------------------------------------------------------------------------


class Traps:
    """Makes classes and modules that tell when any code of theirs runs."""

    def __init__(self):
        self.touched = []

    def note(self, what, result=None):
        def touch(*args, **kwargs):
            self.touched.append(what)
            return result

        return touch

    def metaclass(self):
        names = (
            "getattribute getattr setattr call hash eq bool repr dir instancecheck subclasscheck "
            "len iter contains getitem or ror format str"
        )
        body = {f"__{name}__": self.note(f"Meta.__{name}__") for name in names.split()}
        body["__class__"] = property(self.note("Meta.__class__", type))
        return type("TrapMeta", (type,), body)

    def trap(self, name="Trap", module=SHOP):
        names = (
            "new init getattribute getattr setattr delattr hash eq repr str bool len iter next "
            "call reduce reduce_ex getstate setstate getnewargs getnewargs_ex set_name get set "
            "enter exit class_getitem init_subclass copy deepcopy post_init"
        )
        body = {f"__{one}__": self.note(f"Trap.__{one}__") for one in names.split()}
        body |= {"__module__": module, "__qualname__": name, "__annotations__": {"next": "Trap"}}
        body["__class__"] = property(self.note("Trap.__class__"))
        body["field"] = property(self.note("Trap.field"))
        made = type.__new__(self.metaclass(), name, (), body)
        self.touched.clear()
        return made

    def module(self, name, **contents):
        body = {
            f"__{one}__": self.note(f"module.__{one}__")
            for one in ("getattribute", "getattr", "dir")
        }
        body["__dict__"] = property(self.note("module.__dict__", {}))
        module = types.ModuleType.__new__(type("TrapModule", (types.ModuleType,), body), name)
        real = types.ModuleType.__dict__["__dict__"].__get__
        types.ModuleType.__init__(module, name)
        real(module).update(contents, __getattr__=self.note("__getattr__"))
        self.touched.clear()
        return module


@pytest.fixture
def traps():
    return Traps()


@pytest.mark.parametrize(
    "said",
    [
        lambda trap: {"trust": trap},
        lambda trap: {"trust": [models.Order, trap]},
        lambda trap: {"trust": SHOP},
        lambda trap: {"trust": f"{SHOP}:Trap"},
        lambda trap: {"trust": lambda name, use: True},
        lambda trap: {"type": trap},
        lambda trap: {"type": list[trap]},
        lambda trap: {"aliases": {"old:Trap": trap}},
    ],
)
@pytest.mark.parametrize("use", ["instance", "reference"])
def test_no_code_of_a_class_runs_when_it_is_found(said, use, traps, monkeypatch):
    trap = traps.trap()
    monkeypatch.setitem(vars(models), "Trap", trap)
    said = said(trap)
    traps.touched.clear()
    policy = Policy(**said)
    assert (
        policy.find(policy.rename("old:Trap") if "aliases" in said else f"{SHOP}:Trap", use) is trap
    )
    assert not is_refused(policy.find(f"{SHOP}:Trap", use))
    policy.advice(needs("a:Trap", f"{SHOP}:Nothing"))
    policy.spelled(needs(f"{SHOP}:Trap"))
    assert traps.touched == []


def test_no_code_of_a_class_runs_when_it_is_the_root(traps):
    trap = traps.trap()
    value = object.__new__(trap)
    Policy(type=trap).check_root(value)
    with pytest.raises(LoadError):
        Policy(type=models.Order).check_root(value)
    with pytest.raises(LoadError):
        Policy(type=models.Order).check_root(trap)
    assert traps.touched == []


def test_no_code_of_a_class_runs_when_it_is_refused(traps, monkeypatch):
    for name in ("Trap", "Sample"):
        monkeypatch.setitem(vars(models), name, traps.trap(name, module="elsewhere"))
    policy = Policy(SHOP, type=graph.Start)
    for path in ("Trap", "Trap.field", "Trap.__init__", "Trap.mro", "Sample"):
        assert is_refused(policy.find(f"{SHOP}:{path}", "instance"))
    assert traps.touched == []


def test_no_code_of_a_class_runs_when_an_annotation_names_it(traps, monkeypatch):
    foreign, own, native = (
        traps.trap("Foreign", "trustlab.samples"),
        traps.trap("Own"),
        type("Native", (list,), {"__module__": SHOP}),
    )
    annotations = {"a": foreign, "b": list[own], "c": native, "d": "Own"}
    monkeypatch.setitem(vars(models), "Own", own)
    holder = type("Holder", (), {"__module__": SHOP, "__annotations__": annotations})
    traps.touched.clear()
    policy = Policy(type=holder)
    assert policy.find(f"{SHOP}:Own", "instance") is own
    assert is_refused(policy.find("trustlab.samples:Foreign", "instance"))
    assert traps.touched == []


def test_no_code_of_a_module_runs_when_a_name_is_looked_for(traps, monkeypatch):
    plain = type("Plain", (), {"__module__": "trustshop.trapped"})
    monkeypatch.setitem(
        sys.modules, "trustshop.trapped", traps.module("trustshop.trapped", Plain=plain)
    )
    policy = Policy("trustshop", aliases={"old": "trustshop.trapped"})
    assert policy.find("trustshop.trapped:Plain", "instance") is plain
    assert is_refused(policy.find("trustshop.trapped:Missing", "instance"))
    assert is_refused(policy.find("trustshop.trapped:__path__", "reference"))
    policy.advice(needs("trustshop.trapped:Missing"))
    assert traps.touched == []


# --- any policy, any name ------------------------------------------------------------------------

ITEMS = {
    "Order": models.Order,
    "Basket": models.Basket,
    "Closing": models.Closing,
    "Sample": Sample,
    "shop": "trustshop",
    "models": SHOP,
    "lab": "trustlab",
    "spelled": f"{SHOP}:Failure",
    "price": models.price,
    "call": mason.trust.call(models.price),
    "rule": lambda name, use: name.endswith(("Plain", "system", "Popen", "tripwire:A")),
    "stdlib": mason.trust.STDLIB,
}
# What each item permits, in plain words of its own: (object, use) by item.
BY_CLASS = ("instance", "reference")
PERMITS = {
    "Order": {(models.Order, use) for use in BY_CLASS},
    "Basket": {(models.Basket, use) for use in BY_CLASS},
    "Closing": {(models.Closing, use) for use in BY_CLASS},
    "Sample": {(Sample, use) for use in BY_CLASS},
    "shop": {(cls, use) for cls in DEFINED.values() for use in BY_CLASS},
    "models": {(cls, use) for cls in DEFINED.values() for use in BY_CLASS},
    "lab": {(Sample, use) for use in BY_CLASS},
    "spelled": {(models.Failure, use) for use in BY_CLASS},
    "price": {(models.price, "reference")},
    "call": {(models.price, "reference"), (models.price, "call")},
    "rule": {(models.Plain, use) for use in (*BY_CLASS, "call")},
    "stdlib": set(),
}
OBJECTS = {
    f"{SHOP}:{path}": thing
    for path, thing in {
        **DEFINED,
        "Basket": models.Basket,
        "Closing": models.Closing,
        "Failure": models.Failure,
        "price": models.price,
    }.items()
} | {"trustlab.samples:Sample": Sample}

MODULES = f"""
    {SHOP} trustshop trustlab trustlab.samples trustlab.tripwire trustshop.lines os posix subprocess
    builtins __main__ sys antigravity this mason.trust
"""
STEPS = """
    Order Line Basket Plain Sample Closing price system os Popen A total __init__ __globals__
    __class__ __builtins__ __dict__ <locals> Another Root
"""
modules = st.sampled_from(MODULES.split()) | st.text(max_size=8)
steps = st.sampled_from(STEPS.split()) | st.text(max_size=8)
names = (
    st.sampled_from(sorted(OBJECTS))
    | st.builds(
        lambda module, path: f"{module}:{'.'.join(path)}", modules, st.lists(steps, max_size=4)
    )
    | st.text(max_size=30)
)

_watched: list[tuple[str, object]] | None = None


def _watch(event, args):
    if _watched is not None and event.partition(".")[0] in (
        "import",
        "open",
        "exec",
        "compile",
        "os",
        "subprocess",
        "socket",
    ):
        _watched.append((event, args))


sys.addaudithook(_watch)


@given(
    chosen=st.sets(st.sampled_from(sorted(ITEMS))),
    asked=st.lists(
        st.tuples(names, st.sampled_from(["instance", "reference", "call"])), max_size=20
    ),
)
def test_a_policy_permits_what_its_items_say_and_touches_nothing_else(chosen, asked):
    global _watched
    permitted = set().union(*(PERMITS[item] for item in chosen))
    before = set(sys.modules)
    _watched = []
    try:
        policy = Policy([ITEMS[item] for item in sorted(chosen)])
        found = [policy.find(policy.rename(name), use) for name, use in asked]
        advice = policy.advice([Need(name, use, 1, "$") for name, use in asked])
    finally:
        events, _watched = _watched, None
    assert events == []
    assert set(sys.modules) == before
    assert advice is None or advice.replace("\n", "").isprintable()
    for (name, use), thing in zip(asked, found, strict=True):
        expected = OBJECTS.get(name)
        if expected is not None and (expected, use) in permitted:
            assert thing is expected
        elif name == "trustshop:Root" and "shop" in chosen and use != "call":
            assert thing.__name__ == "Root"
        else:
            assert is_refused(thing)


# What mason imports by its own statements is not what is looked for.
for _found in pkgutil.walk_packages(mason.adapters.__path__, "mason.adapters."):
    importlib.import_module(_found.name)
importlib.import_module("mason.plans")


# --- any document --------------------------------------------------------------------------------

forms = st.sampled_from(["$type", "$global"])


@given(
    chosen=st.sets(st.sampled_from(sorted(ITEMS))),
    asked=st.lists(st.tuples(forms, names), min_size=1, max_size=12),
    to_cbor=st.booleans(),
)
def test_a_document_builds_nothing_that_the_policy_does_not_permit(chosen, asked, to_cbor):
    global _watched
    text = json.dumps({"$mason": 1, "all": [{form: name} for form, name in asked]})
    try:
        document = mason.reads(text)
    except mason.LoadError:
        return
    data = document.dumps(format="cbor") if to_cbor else text
    permitted = set().union(*(PERMITS[item] for item in chosen))
    before = set(sys.modules)
    _watched = []
    try:
        found = mason.loads(data, trust=[ITEMS[item] for item in sorted(chosen)])["all"]
    except mason.UntrustedError as error:
        found = None
        needs = {(need.name, need.use) for need in error.needs}
    except mason.LoadError:
        found, needs = [], set()
    finally:
        events, _watched = _watched, None
    assert events == []
    assert set(sys.modules) == before
    uses = {(name, "instance" if form == "$type" else "reference") for form, name in asked}
    allowed = {(name, use) for name, use in uses if (OBJECTS.get(name), use) in permitted}
    if found is None:
        assert needs <= uses - allowed
    for (form, name), thing in zip(asked, found or [], strict=False):
        met = thing if form == "$global" else type(thing)
        root = name == "trustshop:Root" and "shop" in chosen
        assert (met, "instance" if form == "$type" else "reference") in permitted or root


def test_loading_a_trusted_class_runs_none_of_its_code(traps, monkeypatch):
    names = (
        "init new getattribute getattr setattr delattr eq hash repr bool len iter call post_init"
    )
    body = {f"__{name}__": traps.note(name) for name in names.split() if name != "new"}
    body |= {"__module__": SHOP, "field": property(traps.note("get"), traps.note("set"))}
    trap = type.__new__(traps.metaclass(), "Trap", (), body)
    monkeypatch.setitem(vars(models), "Trap", trap)
    traps.touched.clear()
    text = json.dumps({"$mason": 1, "all": [{"$type": f"{SHOP}:Trap", "a": n} for n in range(3)]})
    found = mason.loads(text, trust=SHOP)["all"]
    with pytest.raises(mason.UntrustedError):
        mason.loads(text, trust=models.Order)
    assert traps.touched == []
    assert [object.__getattribute__(one, "__dict__") for one in found] == [
        {"a": 0},
        {"a": 1},
        {"a": 2},
    ]


@given(
    old=st.lists(st.sampled_from(["a", "a.b", "a.b.c", "b", "a:X", "a.b:X", "b:Y"]), unique=True),
    name=st.builds(
        "{}:{}".format, st.sampled_from(["a", "a.b", "a.b.c", "ab", "b"]), st.sampled_from("XY")
    ),
)
def test_the_nearest_alias_is_applied_once(old, name):
    aliases = {one: f"new{i}:Z" if ":" in one else f"new{i}" for i, one in enumerate(old)}
    module, _, path = name.partition(":")
    candidates = [one for one in old if ":" not in one and (module + ".").startswith(one + ".")]
    if name in aliases:
        expected = aliases[name]
    elif candidates:
        nearest = max(candidates, key=len)
        expected = f"{aliases[nearest]}{module[len(nearest) :]}:{path}"
    else:
        expected = name
    assert Policy(aliases=aliases).rename(name) == expected
