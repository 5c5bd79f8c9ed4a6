from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mason
from mason.errors import LoadError, MasonError, Need, RegistryError, UntrustedError
from mason.registry import Registry, refused

HERE = __name__


@dataclasses.dataclass
class Order:
    id: int
    total: float = 0.0
    lines: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Bill:
    id: int


class Level(enum.Enum):
    LOW = 1


class Meta(type):
    pass


class Outer:
    @dataclasses.dataclass
    class Inner:
        id: int


def twin(path=f"{HERE}:Order", module=HERE):
    """A class that says it is Order, as the same notebook cell makes it when it runs again."""
    made = dataclasses.make_dataclass("Order", [("id", int)])
    made.__module__, made.__qualname__ = module, path.partition(":")[2]
    return made


def document(name, **fields):
    return json.dumps({"$mason": 1, "$type": name, **fields})


def the_type(text):
    return json.loads(text)["$type"]


# --- registering ---------------------------------------------------------------------------------


def test_register_is_a_call_and_a_decorator_with_and_without_arguments():
    shop = Registry()
    assert shop.register(Order) is Order
    assert shop.register(Bill, name="bill") is Bill
    assert shop.register(name="level", version=2)(Level) is Level
    assert shop.register()(Outer.Inner) is Outer.Inner
    assert shop.wire_name(Order) == f"{HERE}:Order"
    assert shop.wire_name(Bill) == "bill"
    assert shop.wire_name(Level) == "level@2"
    assert shop.wire_name(Outer.Inner) == f"{HERE}:Outer.Inner"
    assert shop.wire_name(Outer) == f"{HERE}:Outer"


def test_lookup_knows_both_names_and_the_version_of_the_document():
    shop = Registry()
    shop.register(Order, name="shop.order", version=3)
    assert shop.lookup("shop.order@3") == (Order, 3)
    assert shop.lookup("shop.order@1") == (Order, 1)
    assert shop.lookup("shop.order") == (Order, 1)
    assert shop.lookup(f"{HERE}:Order") == (Order, 1)
    assert shop.lookup(f"{HERE}:Order@2") == (Order, 2)
    assert shop.lookup("shop.bill") is None
    assert shop.lookup("shop.order@x") is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "a@1",
        "$a",
        "a\n",
        "a:",
        ":a",
        "a:b:c",
        "x" * 300,
        1,
        "os:system",
        "datetime:date",
        "\x7f",
    ],
)
def test_names_that_cannot_stand_in_documents_are_refused(name):
    with pytest.raises(RegistryError, match="cannot be the name"):
        Registry().register(Order, name=name)


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", 10**9])
def test_versions_count_from_one(version):
    with pytest.raises(RegistryError, match="count from 1"):
        Registry().register(Order, version=version)


@pytest.mark.parametrize(
    ("version", "upgrade"),
    [
        (None, {1: dict}),
        (1, {1: dict}),
        (2, {2: dict}),
        (2, {0: dict}),
        (2, {True: dict}),
        (2, {"1": dict}),
        (2, {1: None}),
    ],
)
def test_upgrades_lead_from_an_older_version(version, upgrade):
    with pytest.raises(RegistryError, match="leads to no version"):
        Registry().register(Order, version=version, upgrade=upgrade)


@pytest.mark.parametrize("thing", ["shop.order", Order(1), 1, list[int], len])
def test_only_classes_are_registered(thing):
    with pytest.raises(RegistryError, match="is no class"):
        Registry().register(thing)


@pytest.mark.parametrize("cls", [int, datetime.date, Path, object])
def test_classes_of_the_standard_library_keep_their_names(cls):
    with pytest.raises(RegistryError, match="keeps its own name"):
        Registry().register(cls, name="mine")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"cls": Order, "name": "a"}, {"cls": Bill, "name": "a"}),
        ({"cls": Order, "name": "a", "version": 1}, {"cls": Bill, "name": "a", "version": 2}),
        ({"cls": Order}, {"cls": Bill, "name": f"{HERE}:Order"}),
        ({"cls": Bill, "name": f"{HERE}:Order"}, {"cls": Order}),
        ({"cls": Order, "name": "a"}, {"cls": Bill, "name": f"{HERE}:Order"}),
        ({"cls": Bill, "name": f"{HERE}:Order"}, {"cls": Order, "name": "a"}),
    ],
)
def test_a_name_belongs_to_one_class(first, second):
    shop = Registry()
    shop.register(**first)
    with pytest.raises(RegistryError, match="is taken by"):
        shop.register(**second)
    assert shop.lookup(first.get("name", f"{HERE}:Order")) == (first["cls"], 1)


def test_a_class_has_one_registration():
    shop = Registry()
    shop.register(Order, name="a")
    assert shop.register(Order, name="a") is Order
    for again in ({"name": "b"}, {"name": "a", "version": 1}, {}):
        with pytest.raises(RegistryError, match="registered already"):
            shop.register(Order, **again)
    assert shop.wire_name(Order) == "a"


def test_registry_errors_are_value_errors_of_mason():
    assert issubclass(RegistryError, MasonError)
    assert issubclass(RegistryError, ValueError)


def test_a_class_that_is_defined_again_takes_the_place_of_the_first():
    shop = Registry()
    first, second = twin(), twin()
    shop.register(first, name="shop.order")
    shop.register(second, name="shop.order", version=1)
    assert shop.lookup("shop.order") == (second, 1)
    assert shop.wire_name(second) == "shop.order@1"


def test_classes_of_one_path_may_have_two_names_and_then_the_path_means_neither():
    shop = Registry()
    first, second = twin(), twin()
    shop.register(first, name="a")
    shop.register(second, name="b")
    assert shop.lookup("a") == (first, 1)
    assert shop.lookup("b") == (second, 1)
    assert shop.lookup(f"{HERE}:Order") is None


def test_a_class_of_a_script_is_found_from_its_workers():
    shop = Registry()
    cls = twin(module="__main__")
    shop.register(cls, name="shop.order")
    assert shop.lookup("__mp_main__:Order") == shop.lookup("__main__:Order") == (cls, 1)


# --- names in documents --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registered", "name"),
    [
        ({}, f"{HERE}:Order"),
        ({"version": 2}, f"{HERE}:Order@2"),
        ({"name": "shop.order"}, "shop.order"),
        ({"name": "shop.order", "version": 1}, "shop.order@1"),
        ({"name": "old.module:Order"}, "old.module:Order"),
        ({"name": "Bestellung/ü"}, "Bestellung/ü"),
    ],
)
@pytest.mark.parametrize("format", ["json", "cbor"])
def test_documents_say_the_registered_name_and_are_read_by_it(registered, name, format):
    shop = Registry()
    shop.register(Order, **registered)
    data = shop.dumps([Order(1, 2.5, ["a"])], format=format)
    assert [need.name for need in mason.reads(data).needs] == [name]
    assert shop.loads(data) == [Order(1, 2.5, ["a"])]


@pytest.mark.parametrize("value", [Level.LOW, Outer.Inner(1)])
def test_other_kinds_of_classes_have_names_and_versions_too(value):
    shop = Registry()
    shop.register(type(value), name="mine", version=4)
    text = shop.dumps(value)
    assert the_type(text) == "mine@4"
    assert shop.loads(text) == value


def test_a_class_whose_name_is_taken_is_not_written():
    shop = Registry()
    shop.register(Bill, name=f"{HERE}:Order")
    assert shop.loads(shop.dumps(Bill(1))) == Bill(1)
    with pytest.raises(mason.DumpError, match="Bill is registered under"):
        shop.dumps(Order(1))


def test_an_object_of_a_class_that_was_defined_again_is_not_written():
    shop = Registry()
    first, second = twin(), twin()
    shop.register(first, name="shop.order")
    shop.register(second, name="shop.order")
    assert type(shop.loads(shop.dumps(second(1)))) is second
    with pytest.raises(mason.DumpError):
        shop.dumps(first(1))


def test_the_path_of_a_registered_class_is_still_read():
    shop = Registry()
    shop.register(Order, name="shop.order")
    assert shop.loads(mason.dumps(Order(3))) == Order(3)


def test_a_local_class_can_be_written_under_its_name():
    @dataclasses.dataclass
    class Local:
        id: int

    shop = Registry()
    shop.register(Local, name="local")
    assert shop.loads(shop.dumps(Local(1))) == Local(1)


def test_registering_reaches_plans_that_were_made_before():
    shop = Registry()
    assert the_type(shop.dumps(Order(1))) == f"{HERE}:Order"
    plans = shop.plans
    assert shop.plans is plans
    shop.register(Order, name="shop.order")
    assert shop.plans is not plans
    assert the_type(shop.dumps(Order(1))) == "shop.order"


def test_a_load_under_way_keeps_the_table_it_began_with():
    shop = Registry()
    resolve = shop.resolver(shop.policy())
    shop.register(Order, name="shop.order")
    assert resolve("shop.order", "instance") is None
    assert shop.resolver(shop.policy())("shop.order", "instance").cls is Order


# --- trust and aliases ---------------------------------------------------------------------------


def test_registered_classes_are_trusted_in_this_registry_only():
    shop = Registry()
    shop.register(Order)
    text = mason.dumps(Order(1))
    assert shop.loads(text) == Order(1)
    for elsewhere in (mason.loads, Registry().loads):
        with pytest.raises(UntrustedError):
            elsewhere(text)


def test_registered_classes_may_be_referred_to():
    shop = Registry()
    shop.register(Order, name="shop.order")
    several = defaultdict(Order, a=Order(1))
    found = shop.loads(shop.dumps(several))
    assert (found, found.default_factory) == (several, Order)


def test_registering_a_class_trusts_no_other():
    shop = Registry()
    shop.register(Outer)
    with pytest.raises(UntrustedError) as caught:
        shop.loads(mason.dumps([Outer(), Outer.Inner(1), Bill(1)]))
    assert {need.name for need in caught.value.needs} == {f"{HERE}:Outer.Inner", f"{HERE}:Bill"}


def test_the_trust_of_a_registry_joins_that_of_each_call():
    text = mason.dumps([Order(1), Bill(2)])
    shop = Registry(trust=Order)
    assert shop.loads(text, trust=Bill) == [Order(1), Bill(2)]
    assert Registry(trust=[Order, HERE]).loads(text) == [Order(1), Bill(2)]
    with pytest.raises(UntrustedError):
        shop.loads(text)
    with pytest.raises(UntrustedError):
        Registry().loads(text, trust=Bill)


def test_the_aliases_of_a_registry_join_those_of_each_call_which_go_first():
    shop = Registry(trust=HERE, aliases={"old": HERE, "older:Bill": Bill})
    assert shop.loads(document("old:Order", id=1)) == Order(1)
    assert shop.loads(document("older:Bill", id=1)) == Bill(1)
    assert shop.loads(document("oldest:Bill", id=1), aliases={"oldest": HERE}) == Bill(1)
    assert shop.loads(document("old:Order", id=1), aliases={"old:Order": Bill}) == Bill(1)
    with pytest.raises(UntrustedError):
        Registry(trust=HERE).loads(document("old:Order", id=1))


@pytest.mark.parametrize(
    ("aliases", "name"),
    [
        ({"old.order": "shop.order"}, "old.order@2"),
        ({"old.module:Order": Order}, "old.module:Order@2"),
        ({"old.module": HERE}, "old.module:Order@2"),
    ],
)
def test_aliases_lead_to_registered_names_and_keep_the_version(aliases, name):
    shop = Registry(aliases=aliases)
    shop.register(Order, name="shop.order", version=2)
    assert shop.loads(document(name, id=1)) == Order(1)


def test_a_type_is_followed_with_a_registry_as_without():
    shop = Registry()
    shop.register(Bill, name="bill")
    assert shop.loads(shop.dumps(Order(1)), Order) == Order(1)
    with pytest.raises(LoadError, match="the document holds"):
        shop.loads(shop.dumps(Bill(1)), Order)


def test_what_is_wrong_in_a_registry_is_said_at_once():
    with pytest.raises(ValueError, match="everything"):
        Registry(trust="*")
    with pytest.raises(ValueError, match="alias"):
        Registry(aliases={"a": 1})


# --- upgrades ------------------------------------------------------------------------------------


def shop_of_versions():
    told = []

    def rename(fields):
        told.append((1, dict(fields)))
        return {"id": fields["number"]}

    def price(fields):
        told.append((2, dict(fields)))
        fields["total"] = 9.5
        return fields

    shop = Registry()
    shop.register(Order, name="shop.order", version=3, upgrade={2: price, 1: rename})
    return shop, told


@pytest.mark.parametrize("name", ["shop.order@1", "shop.order", f"{HERE}:Order"])
def test_upgrades_run_oldest_first(name):
    shop, told = shop_of_versions()
    assert shop.loads(document(name, number=7)) == Order(7, 9.5)
    assert told == [(1, {"number": 7}), (2, {"id": 7})]


def test_upgrades_begin_at_the_version_of_the_document():
    shop, told = shop_of_versions()
    assert shop.loads(document("shop.order@2", id=7)) == Order(7, 9.5)
    assert shop.loads(document("shop.order@3", id=7)) == Order(7)
    assert told == [(2, {"id": 7})]


def test_every_version_in_one_document_is_read():
    shop, _ = shop_of_versions()
    several = [
        {"$type": "shop.order@3", "id": 1},
        {"$type": "shop.order@1", "number": 2},
        {"$type": "shop.order@2", "id": 3},
        {"$type": "shop.order@1", "number": 4},
    ]
    text = json.dumps({"$mason": 1, "all": several})
    assert shop.loads(text)["all"] == [Order(1), Order(2, 9.5), Order(3, 9.5), Order(4, 9.5)]


def test_no_upgrade_runs_when_a_name_is_not_trusted():
    shop, told = shop_of_versions()
    several = [{"$type": "shop.order@1", "number": 2}, {"$type": "os:system"}]
    with pytest.raises(UntrustedError):
        shop.loads(json.dumps({"$mason": 1, "all": several}))
    assert told == []


def test_a_newer_version_is_an_error_with_its_path():
    shop, _ = shop_of_versions()
    text = json.dumps({"$mason": 1, "a": [{"$type": "shop.order@4", "id": 1}]})
    with pytest.raises(LoadError, match="3 is the newest") as caught:
        shop.loads(text)
    assert caught.value.path == "$.a[0]"
    assert not isinstance(caught.value, UntrustedError)


def test_a_version_without_upgrade_is_an_error_with_its_path():
    shop = Registry()
    shop.register(Order, name="shop.order", version=3, upgrade={2: dict})
    with pytest.raises(LoadError, match="nothing upgrades from version 1") as caught:
        shop.loads(document("shop.order@1", id=1))
    assert "upgrade={1:" in caught.value.hint
    assert shop.loads(document("shop.order@2", id=1)) == Order(1)


@pytest.mark.parametrize(
    ("upgrade", "words"),
    [
        (lambda fields: fields["missing"], "KeyError"),
        (lambda fields: None, "returns no dict"),
        (lambda fields: [], "returns no dict"),
    ],
)
def test_an_upgrade_that_fails_is_an_error_with_its_path(upgrade, words):
    shop = Registry()
    shop.register(Order, name="shop.order", version=2, upgrade={1: upgrade})
    with pytest.raises(LoadError, match=words) as caught:
        shop.loads(document("shop.order@1", id=1))
    assert "version 1" in str(caught.value)
    assert caught.value.path == "$"


def test_versions_that_are_dates_cost_nothing():
    shop = Registry()
    shop.register(Order, name="shop.order", version=20261122, upgrade={20261121: dict})
    start = time.process_time()
    for version in range(1, 200):
        with pytest.raises(LoadError, match=f"from version {version} at"):
            shop.loads(document(f"shop.order@{version}", id=1))
    assert time.process_time() - start < 2
    assert shop.loads(document("shop.order@20261121", id=1)) == Order(1)


@given(
    known=st.integers(1, 6),
    met=st.integers(1, 8),
    steps=st.sets(st.integers(1, 5)),
    versioned=st.booleans(),
)
def test_any_chain_of_versions_leads_here_or_is_refused(known, met, steps, versioned):
    def step(at):
        return lambda fields: {**fields, "lines": [*fields["lines"], str(at)]}

    shop = Registry()
    upgrade = {at: step(at) for at in steps if at < known}
    shop.register(Order, name="shop.order", version=known, upgrade=upgrade)
    met = met if versioned else 1
    text = document(f"shop.order@{met}" if versioned else "shop.order", id=1, lines=[])
    if met <= known and steps.issuperset(range(met, known)):
        assert shop.loads(text) == Order(1, 0.0, [str(at) for at in range(met, known)])
    else:
        with pytest.raises(LoadError, match="version"):
            shop.loads(text)


# --- the resolver --------------------------------------------------------------------------------


def test_names_that_are_not_trusted_are_none_or_kept():
    shop = Registry()
    for use in ("instance", "reference", "call"):
        assert shop.resolver(shop.policy())(f"{HERE}:Order", use) is None
        assert shop.resolver(shop.policy(), keep=True)(f"{HERE}:Order", use) is ...


def test_trusted_names_are_plans_and_objects():
    shop = Registry(trust=[Order, refused, mason.trust.call(twin)])
    resolve = shop.resolver(shop.policy())
    assert resolve(f"{HERE}:Order", "instance").cls is Order
    assert resolve(f"{HERE}:Order", "reference") == (Order,)
    assert resolve("mason.registry:refused", "reference") == (refused,)
    assert resolve(f"{HERE}:twin", "call") == (twin,)
    assert resolve("mason.registry:refused", "call") is None
    assert resolve(f"{HERE}:Order", "call") is None


def test_value_kinds_need_no_trust_as_instances_and_do_as_references():
    resolve = Registry().resolver(Registry().policy())
    assert resolve("collections:deque", "instance").kind == "parts"
    assert resolve("collections:deque", "reference") is None
    assert resolve("collections:deque", "call") is None


def test_an_alias_may_lead_to_a_value_kind():
    text = document("old.paths:Path", **{"$str": "/tmp"})
    assert mason.loads(text, aliases={"old.paths:Path": "pathlib:PurePosixPath"}).name == "tmp"


def test_a_value_kind_goes_before_what_is_trusted():
    shop = Registry(trust=lambda name, use: True)
    assert shop.resolver(shop.policy())("array:array", "instance").kind == "parts"


@pytest.mark.parametrize("cls", [Meta, type(len)])
def test_a_class_of_classes_has_no_instances_in_documents(cls):
    shop = Registry(trust=[cls])
    plan = shop.resolver(shop.policy())(mason.trust.name_of(cls), "instance")
    assert plan.kind == "refused"
    with pytest.raises(LoadError, match=r"named only|referred to"):
        shop.loads(document(mason.trust.name_of(cls)))


def test_refused_lists_the_needs_that_are_not_trusted():
    shop = Registry(trust=Order)
    needs = [
        (f"{HERE}:Order", "instance", 2, "$[0]"),
        (f"{HERE}:Bill", "instance", 1, "$[1]"),
        ("os:system", "reference", 1, "$[2]"),
        ("pathlib:PosixPath", "instance", 1, "$[3]"),
    ]
    missing = refused(needs, shop.resolver(shop.policy()))
    assert missing == [Need(*needs[1]), Need(*needs[2])]
    assert refused(needs, shop.resolver(shop.policy(), keep=True)) == []


def test_an_error_ends_with_a_line_that_works_when_pasted(tmp_path):
    text = mason.dumps([Order(1), Bill(2), defaultdict(Order)])
    with pytest.raises(UntrustedError) as caught:
        mason.loads(text)
    line = next(line for line in str(caught.value).splitlines() if "trust=" in line)
    trust = eval(line.partition("trust=")[2].rpartition(")")[0])
    assert mason.loads(text, trust=trust) == [Order(1), Bill(2), defaultdict(Order)]


# --- the bound functions -------------------------------------------------------------------------


@pytest.fixture
def shop():
    shop = Registry()
    shop.register(Order, name="shop.order")
    return shop


@pytest.mark.parametrize("suffix", [".json", ".cbor"])
def test_dump_load_and_read_go_through_the_registry(shop, tmp_path, suffix):
    path = tmp_path / f"order{suffix}"
    shop.dump(Order(1), path)
    assert shop.load(path) == Order(1)
    assert shop.load(path, Order) == Order(1)
    assert [need.name for need in shop.read(path).needs] == ["shop.order"]
    assert shop.read(path).build(registry=shop) == Order(1)
    with pytest.raises(UntrustedError):
        mason.load(path)


def test_dumps_and_dumpb_go_through_the_registry(shop):
    text, data, cbor = (
        shop.dumps(Order(1)),
        shop.dumpb(Order(1)),
        shop.dumps(Order(1), format="cbor"),
    )
    assert (type(text), type(data), type(cbor)) == (str, bytes, bytes)
    assert text.encode() == data == mason.dumpb(Order(1), registry=shop)
    assert cbor == shop.dumpb(Order(1), format="cbor")
    assert {shop.loads(one).id for one in (text, data, cbor)} == {1}


def test_options_are_passed_on(shop, tmp_path):
    assert "\n" in shop.dumps(Order(1), indent=2)
    assert shop.dumps([], typed=True) != shop.dumps([])
    kept = shop.loads(document("a:B"), unknown="keep")
    assert type(kept) is mason.Record
    shop.dump([1], tmp_path / "data", format="json", indent=1)
    assert shop.load(tmp_path / "data", format="json") == [1]
    assert shop.read(tmp_path / "data", format="json").root == [1]
    assert shop.loads(document("a:B"), plain=True) == {"$mason": 1, "$type": "a:B"}


def test_threads_register_and_use_one_registry():
    shop = Registry()
    named = {"__module__": HERE}
    classes = [
        dataclasses.make_dataclass(f"C{n}", [("id", int)], namespace=named) for n in range(40)
    ]
    failures = []

    def work(part):
        try:
            for cls in part:
                shop.register(cls, name=cls.__name__)
                assert type(shop.loads(shop.dumps(cls(1)))) is cls
        except BaseException as error:
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work, args=(classes[n::4],)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert failures == []
    assert all(shop.wire_name(cls) == cls.__name__ for cls in classes)
