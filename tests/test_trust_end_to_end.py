"""No document gets at what the policy does not permit: any document, any policy, both formats.

Documents are drawn as trees in JSON that name classes and functions in every way. What each policy
permits is told here in plain words of its own, so that an UntrustedError can be held against it.
"""

from __future__ import annotations

import argparse
import collections
import importlib
import json
import os
import pickle
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trap_shop
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import mason

HERE = Path(__file__).parent
SHOP = "trap_shop"
OBJECTS: dict[str, Any] = {
    f"{SHOP}:{name}": getattr(trap_shop, name)
    for name in ("Booby", "Plain", "Words", "Finalizer", "Native", "Color", "Pair", "Outer")
} | {
    f"{SHOP}:Outer.Inner": trap_shop.Outer.Inner,
    f"{SHOP}:Holder": trap_shop.Holder,
    f"{SHOP}:price": trap_shop.price,
}

# ------------------------------------------------------------------------------------ the policies

_CLASS = ("instance", "reference")
# What is said, and what that permits: names by use.
ITEMS: dict[str, tuple[Any, dict[str, tuple[str, ...]]]] = {
    "class": (trap_shop.Booby, {f"{SHOP}:Booby": _CLASS}),
    "words": (trap_shop.Words, {f"{SHOP}:Words": _CLASS}),
    "module": (
        SHOP,
        {
            f"{SHOP}:{name}": _CLASS
            for name in (
                "Booby",
                "Plain",
                "Words",
                "Color",
                "Pair",
                "Outer",
                "Outer.Inner",
                "Holder",
            )
        },
    ),
    "finalizer": (f"{SHOP}:Finalizer", {f"{SHOP}:Finalizer": _CLASS}),
    "native": (trap_shop.Native, {f"{SHOP}:Native": _CLASS}),
    "function": (trap_shop.price, {f"{SHOP}:price": ("reference",)}),
    "call": (mason.trust.call(trap_shop.price), {f"{SHOP}:price": ("reference", "call")}),
    "rule": (
        # it may say yes to what is elsewhere (posix:system), or not imported: that leads nowhere
        lambda name, use: name.endswith((":Plain", "os:system", "os.system", "trap_wire:A")),
        {f"{SHOP}:Plain": (*_CLASS, "call")},
    ),
    "stdlib": (mason.trust.STDLIB, {}),
}
_REACHED = {f"{SHOP}:{name}": _CLASS for name in ("Holder", "Booby", "Pair", "Color")}


def permitted(chosen: set[str], typed: bool) -> set[tuple[str, str]]:
    grants = [ITEMS[item][1] for item in chosen] + ([_REACHED] if typed else [])
    return {(name, use) for grant in grants for name, uses in grant.items() for use in uses}


def trust_of(chosen: set[str]) -> list[Any]:
    return [ITEMS[item][0] for item in sorted(chosen)]


# ----------------------------------------------------------------------------------- the documents

# Names that lead to other things, if anybody went along them.
LURES = """
    os:system posix:system subprocess:Popen builtins:eval builtins:exec builtins:object
    builtins:type
    builtins:getattr builtins:__import__ importlib:import_module operator:attrgetter ctypes:CDLL
    socket:socket pathlib:Path.unlink tempfile:_TemporaryFileCloser collections:_sys.exit
    collections:abc functools:partial pickle:loads code:interact pdb:run timeit:timeit
    mason:loads mason.trust:call mason._core:Plan __main__:anything __mp_main__:Order
    trap_wire:A trap_wire:A.B trap_wire trap_shop trap_shop: :Booby trap_shop:os trap_shop:os.system
    trap_shop:system trap_shop:Meta trap_shop:touched trap_shop:__getattr__ trap_shop:__dict__
    trap_shop:Booby.__init__ trap_shop:Booby.__init__.__globals__ trap_shop:Booby.x
    trap_shop:Outer.Inner.__class__ trap_shop:Outer.Missing trap_shop:Color.RED trap_shop:Missing
    trap_shop:price.__globals__ trap_shop:dataclass trap_shop:NamedTuple trap_shop.os:system
    trap_lure:Booby trap_lure:price trap_lure:Own antigravity:geohash this:s lib2to3.main:main
    Booby trap_shop.Booby trap_shop:Booby@2 TRAP_SHOP:Booby trap_shop:booby trap_shop:Вooby
"""
NAMES = st.one_of(
    st.sampled_from(sorted(OBJECTS)),
    st.sampled_from(LURES.split()),
    st.builds("{}:{}".format, st.sampled_from([SHOP, "os", "sys", "a.b"]), st.text(max_size=6)),
)
# Instances that are right, whatever their class is trusted for.
FIELDS = {f"{SHOP}:Color": {"$enum": "RED"}, f"{SHOP}:Native": {"$list": []}}


def instance(name: str, inner: Any) -> Any:
    field = "items" if name == f"{SHOP}:Holder" else "x"
    return {"$type": name, **FIELDS.get(name, {field: inner})}


def node(inner: Any) -> Any:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.builds(lambda x: {"a b": x}, inner),
        st.builds(lambda x: {"$tuple": x}, st.lists(inner, max_size=2)),
        st.builds(lambda x: {"$map": [[1, x]]}, inner),
        st.builds(instance, NAMES, inner),
        st.builds(instance, st.sampled_from(sorted(OBJECTS)), inner),
        st.builds(lambda name, x: {"$type": name, "$call": [x]}, NAMES, inner),
        st.builds(
            lambda name: {
                "$type": "collections:defaultdict",
                "$new": [{"$global": name}],
                "$dict": {},
            },
            NAMES,
        ),
    )


TREES = st.recursive(
    st.integers(0, 9) | NAMES | st.builds(lambda name: {"$global": name}, NAMES),
    node,
    max_leaves=8,
)


def met(tree: Any, path: str = "$") -> Iterator[tuple[str, str, str]]:
    """Give name, use and path of each thing that a tree names, in the order of the document."""
    if type(tree) is list:
        for number, part in enumerate(tree):
            yield from met(part, f"{path}[{number}]")
    if type(tree) is not dict:
        return
    if "$global" in tree:
        yield tree["$global"], "reference", path
    elif "$type" in tree and tree["$type"] != "collections:defaultdict":
        yield tree["$type"], "call" if "$call" in tree else "instance", path
    for key, part in tree.items():
        if key in ("$tuple", "$list"):
            yield from met(part, path)
        elif key == "$map":
            yield from met(part[0][1], f"{path}[1]")
        elif key in ("$new", "$call"):
            yield from met(part, f'{path}["{key}"]')
        elif key != "$dict" and type(part) in (list, dict):
            yield from met(part, path + (f".{key}" if key.isidentifier() else f'["{key}"]'))


def expected_needs(tree: Any, allowed: set[tuple[str, str]]) -> set[tuple[str, str, int, str]]:
    counts: collections.Counter[tuple[str, str]] = collections.Counter()
    first: dict[tuple[str, str], str] = {}
    for name, use, path in met(tree):
        counts[name, use] += 1
        first.setdefault((name, use), path)
    return {(*key, counts[key], first[key]) for key in counts if key not in allowed}


def document(tree: Any, format: Any) -> Any:
    text = json.dumps({"$mason": 1, "$value": tree} if type(tree) is not dict else tree)
    if type(tree) is dict:
        text = json.dumps({"$mason": 1, **tree})
    return text if format == "json" else mason.reads(text).dumps(format=format)


# --------------------------------------------------------------------------------- the watch on it

WATCHED = ("import", "open", "exec", "compile", "os", "subprocess", "socket", "ctypes", "marshal")
_events: list[tuple[str, Any]] | None = None


def _watch(event: str, args: Any) -> None:
    if _events is not None and event.partition(".")[0] in WATCHED:
        # the text of an annotation is the program's own; `type=` follows it
        if event == "compile" and args[1] == "<annotation>":
            return
        if event == "exec" and args[0].co_filename == "<annotation>":
            return
        _events.append((event, args))


sys.addaudithook(_watch)
# What mason imports by its own statements is not what is looked for.
for _found in pkgutil.walk_packages(mason.__path__, "mason."):
    if ".cli" not in _found.name:
        importlib.import_module(_found.name)


@pytest.fixture(autouse=True)
def wire(tmp_path_factory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay modules where an import would find them; nothing may."""
    folder = tmp_path_factory.mktemp("wire")
    (folder / "trap_wire.py").write_text("raise SystemExit('trap_wire was imported')")
    (folder / "trap_lure.py").write_text("raise SystemExit('trap_lure was imported')")
    monkeypatch.syspath_prepend(folder)


def watched(call: Any) -> tuple[Any, list[Any], list[str]]:
    """Return what a call comes to (or its error), the events and the traps that it caused."""
    global _events
    modules = set(sys.modules)
    trap_shop.touched.clear()
    _events = []
    try:
        result = call()
    except (mason.LoadError, mason.DumpError) as error:
        # no traceback: it would keep what was built
        result = error.with_traceback(None)
    finally:
        events, _events = _events, None
    touched = list(trap_shop.touched)
    events += [("new module", name) for name in set(sys.modules) - modules]
    return result, events, touched


def built(value: Any) -> Iterator[tuple[str, str]]:
    """Give the names and uses of all that a load has made or found."""
    names = {id(thing): name for name, thing in OBJECTS.items()}
    stack, seen = [value], set()
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        kind = type(one)
        if id(one) in names:
            yield names[id(one)], "reference"
        elif id(kind) in names:
            yield names[id(kind)], "instance"
            if issubclass(kind, tuple | list):
                stack += one
            elif kind is not trap_shop.Color:
                stack += object.__getattribute__(one, "__dict__").values()
        elif issubclass(kind, dict):
            stack += [*dict.keys(one), *dict.values(one)]
            if kind is collections.defaultdict:
                stack.append(one.default_factory)
        elif kind in (list, tuple):
            stack += one
        else:
            assert kind in (int, str, type(None)), kind


# --------------------------------------------------------------------------------------- the tests

CHOSEN = st.sets(st.sampled_from(sorted(ITEMS)))
FORMATS = st.sampled_from(["json", "cbor"])


def judge(tree: Any, chosen: set[str], format: Any, typed: bool) -> None:
    data = document(tree, format)
    allowed = permitted(chosen, typed)
    missing = expected_needs(tree, allowed)
    options: Any = {"type": trap_shop.Holder} if typed else {}
    result, events, touched = watched(
        lambda: mason.loads(data, trust=trust_of(chosen), format=format, **options)
    )
    assert events == []
    if missing:
        assert type(result) is mason.UntrustedError
        assert {tuple(need) for need in result.needs} == missing
        assert touched == []
        assert_told(result, missing)
    elif isinstance(result, mason.LoadError):
        assert touched == []
        # trusted, and not to be built by this version, or not like that
        odd = (f"{SHOP}:Words", f"{SHOP}:price", f"{SHOP}:Plain", f"{SHOP}:Pair")
        assert any(word in str(result) for word in ("version", *odd)), result
    else:
        assert set(built(result)) <= allowed
        # the one hook that is documented, for a field that the document does not have
        assert set(touched) <= {"default_factory"}


def assert_told(error: mason.UntrustedError, missing: set[tuple[str, str, int, str]]) -> None:
    """Hold the text against what it must tell: every name, whether it is imported, what to do."""
    text = str(error)
    assert f"{len({name for name, *_ in missing}):,} name" in text.partition("\n")[0]
    for name, use, count, path in missing:
        if not name.isprintable():
            continue
        line = next(
            one
            for one in text.splitlines()
            if one.strip().startswith(f"{name} ")
            or (one.startswith(f"  {name}") and f"{count:,}x" in one)
        )
        assert name in line
        assert "at $" in line
        assert path.startswith("$")
        if use != "instance":
            assert any(f"a {use}" in one for one in text.splitlines() if name in one)
        module, colon, _ = name.partition(":")
        if colon and module not in sys.modules:
            assert "module not imported" in text
    assert "mason.reads(...).needs" in text
    assert isinstance(error, ValueError)


@settings(max_examples=200)
@given(TREES, CHOSEN, FORMATS)
@example([{"$global": "os:system"}, {"$global": "os:system"}], {"module"}, "cbor")
@example({"$type": "os:system", "$call": ["touch x"]}, {"rule"}, "json")
@example([{"$type": f"{SHOP}:Finalizer", "x": 1}, {"$global": "a:b"}], {"finalizer"}, "json")
@example([{"$type": f"{SHOP}:Booby", "x": {"$global": "a:b"}}], {"class"}, "cbor")
def test_nothing_outside_the_policy_is_imported_called_or_built(
    tree: Any, chosen: set[str], format: Any
) -> None:
    judge(tree, chosen, format, typed=False)


@settings(max_examples=80)
@given(st.lists(TREES, max_size=3), CHOSEN, FORMATS)
def test_a_type_reaches_what_it_names_and_no_more(
    trees: list[Any], chosen: set[str], format: Any
) -> None:
    tree = {"$type": f"{SHOP}:Holder", "items": trees, "more": None}
    judge(tree, chosen, format, typed=True)


@given(TREES, FORMATS)
def test_nothing_at_all_happens_in_an_inert_read(tree: Any, format: Any) -> None:
    data = document(tree, format)
    result, events, touched = watched(lambda: mason.reads(data, format=format))
    assert (events, touched) == ([], [])
    assert {tuple(need) for need in result.needs} == expected_needs(tree, set())
    kept, events, touched = watched(lambda: mason.loads(data, unknown="keep", format=format))
    assert (events, touched) == ([], [])
    if isinstance(kept, mason.LoadError):  # a default factory has to be one: no record can be
        assert "defaultdict" in str(kept)
        return
    again, events, touched = watched(lambda: mason.dumps(kept, format=format))
    assert (events, touched) == ([], [])
    found = mason.reads(again, format=format).needs
    assert {tuple(need) for need in found} == expected_needs(tree, set())


@given(TREES, CHOSEN, FORMATS)
def test_what_is_not_permitted_is_kept_inert(tree: Any, chosen: set[str], format: Any) -> None:
    data = document(tree, format)
    result, events, touched = watched(
        lambda: mason.loads(data, trust=trust_of(chosen), unknown="keep", format=format)
    )
    assert events == []
    assert set(touched) <= {"default_factory"}
    assert not isinstance(result, mason.UntrustedError)
    if isinstance(result, mason.LoadError):
        return
    allowed = permitted(chosen, False)
    stack, seen = [result], set()
    while stack:
        one = stack.pop()
        if type(one) is mason.Record:
            # calls are kept, too, whatever is said: this version makes none
            assert "$call" in one.items or (one.name, "instance") not in allowed
            stack += one.items.values()
        elif type(one) is mason.Name:
            assert (one.name, "reference") not in allowed
        elif type(one) in (list, tuple) and id(one) not in seen:
            seen.add(id(one))
            stack += one
        elif type(one) in (dict, collections.defaultdict) and id(one) not in seen:
            seen.add(id(one))
            stack += one.values()


@given(TREES.filter(lambda tree: any(met(tree))), FORMATS)
def test_the_trust_of_a_registry_is_as_that_of_a_call(tree: Any, format: Any) -> None:
    data = document(tree, format)
    for chosen in (set(), {"module"}, {"class", "call"}):
        one, *_ = watched(lambda c=chosen: mason.loads(data, trust=trust_of(c), format=format))
        registry = mason.Registry(trust=trust_of(chosen))
        other, events, touched = watched(lambda r=registry: r.loads(data, format=format))
        assert events == []
        assert set(touched) <= {"default_factory"}
        assert type(one) is type(other)
        if isinstance(one, mason.UntrustedError):
            assert one.needs == other.needs


@pytest.mark.parametrize("format", ["json", "cbor"])
@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        ({"$type": f"{SHOP}:Booby", "x": 1}, "Booby"),
        ([1], "list"),
        ({"$global": f"{SHOP}:Holder"}, "type"),
        ({"$type": f"{SHOP}:Pair", "x": 1}, "Pair"),
    ],
)
def test_the_root_is_of_the_type_that_was_named(tree: Any, kind: str, format: Any) -> None:
    data = document(tree, format)
    result, events, touched = watched(
        lambda: mason.loads(data, trap_shop.Holder, trust=SHOP, format=format)
    )
    assert type(result) is mason.LoadError
    assert "Holder" in str(result)
    assert result.path == "$"
    assert events == []
    assert set(touched) <= {"default_factory"}


def test_a_finalizer_runs_for_no_part_of_what_is_refused() -> None:
    tree = [{"$type": f"{SHOP}:Finalizer", "x": 1}] * 3 + [{"$type": "no:Such"}]
    for trust in ([trap_shop.Finalizer], [trap_shop.Finalizer, trap_shop.Booby]):
        result, events, touched = watched(
            lambda t=trust: mason.loads(document(tree, "json"), trust=t)
        )
        assert type(result) is mason.UntrustedError
        assert (events, touched) == ([], [])
    result, _, touched = watched(
        lambda: mason.loads(document(tree[:3], "json"), trust=trap_shop.Finalizer)
    )
    assert [one.x for one in result] == [1, 1, 1]
    assert touched == []


_CHILD = """
import pickle, sys
sys.path[:0] = sys.argv[1:3]
work = pickle.load(sys.stdin.buffer)
events = None
def watch(event, args):
    if events is not None:
        events.append((event, str(args[0]) if args else ""))
sys.addaudithook(watch)
import mason, trap_shop
from test_trust_end_to_end import trust_of  # noqa
answers = []
before = set(sys.modules)
for data, chosen, format in work:
    trust = trust_of(chosen)
    value = None  # of the one before: finalizers run
    trap_shop.touched.clear()
    events = []
    try:
        value = mason.loads(data, trust=trust, format=format)
        said = "built"
    except mason.LoadError as error:
        said = type(error).__name__
    found, events = events, None
    answers.append((said, found, list(trap_shop.touched)))
sys.stdout.buffer.write(pickle.dumps((answers, sorted(set(sys.modules) - before))))
"""
# What no load has reason to do, whatever a file says, also when mason is met for the first time.
NEVER = ("os.", "subprocess.", "socket.", "ctypes.", "shutil.", "marshal.", "pickle.", "urllib.")


def test_in_a_fresh_process_no_event_of_the_interpreter_is_caused(tmp_path: Path) -> None:
    (tmp_path / "trap_wire.py").write_text("raise SystemExit('trap_wire was imported')")
    (tmp_path / "trap_lure.py").write_text("raise SystemExit('trap_lure was imported')")
    work: list[Any] = []

    @settings(max_examples=150, phases=[Phase.generate], database=None)
    @given(TREES, CHOSEN, FORMATS)
    def gather(tree: Any, chosen: set[str], format: Any) -> None:
        work.append((document(tree, format), sorted(chosen), format))

    gather()
    source = str(Path(mason.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(HERE), str(tmp_path)],
        input=pickle.dumps(work),
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": source},
        check=True,
    )
    answers, modules = pickle.loads(done.stdout)
    assert len(answers) == len(work)
    assert {said for said, *_ in answers} >= {"built", "UntrustedError"}
    named = {name.partition(":")[0] for name in LURES.split() if ":" in name}
    for said, events, touched in answers:
        assert not [one for one in events if one[0].startswith(NEVER)]
        imported = {name for event, name in events if event == "import"}
        assert not imported & (named - {"mason", "collections", "pathlib", "functools"})
        assert set(touched) <= ({"default_factory"} if said == "built" else set())
    assert not [name for name in modules if not name.startswith("mason") and name in named]


# ------------------------------------------------------------------------------- the line to paste

REGISTRY = mason.Registry(trust=[trap_shop.Plain], aliases={"old": SHOP})


@pytest.mark.parametrize(
    ("given", "known", "new"),
    [
        ({"type": trap_shop.Holder}, "Holder", "Plain"),
        ({"type": trap_shop.Holder, "aliases": {"old": SHOP}}, "Holder", "old:price"),
        ({"trust": [trap_shop.Holder]}, "Holder", "price"),
        ({"trust": f"{SHOP}:Holder"}, "Holder", "Finalizer"),
        ({"trust": lambda name, use: name == f"{SHOP}:Holder"}, "Holder", "Plain"),
        ({"trust": argparse.Namespace}, "argparse:Namespace", "Plain"),
        ({"registry": REGISTRY}, "Plain", "Holder"),
        ({"registry": REGISTRY}, "old:Plain", "old:Booby"),
        ({"aliases": {"old": SHOP}}, "old:Plain", "old:Booby"),
        ({"aliases": {"old:Plain": trap_shop.Plain}}, "old:Plain", "Holder"),
        ({"aliases": {"__main__:Plain": f"{SHOP}:Plain"}}, "__mp_main__:Plain", "Holder"),
    ],
)
def test_the_line_to_paste_says_again_what_the_call_said(
    given: dict[str, Any], known: str, new: str
) -> None:
    known, new = (name if ":" in name else f"{SHOP}:{name}" for name in (known, new))
    part = {"$global": new} if "price" in new else instance(new, [])
    root = instance(f"{SHOP}:Holder", [part]) if "type" in given else [instance(known, []), part]
    document = json.dumps({"$mason": 1, "$value": root})
    with pytest.raises(mason.UntrustedError) as caught:
        mason.loads(document, **given)
    lines = str(caught.value).splitlines()
    line = next(one.partition(": ")[2] for one in lines if one.startswith("If you know"))
    exec(line.replace("...", "document"), {"mason": mason, "document": document})
