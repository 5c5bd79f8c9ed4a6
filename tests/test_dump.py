"""What cannot be written is said, all of it, before anything is lost; and classes that change.

Programs change while files stay: classes are replaced, renamed, moved and get other fields.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import enum
import fractions
import functools
import gc
import importlib
import io
import json
import os
import pathlib
import socket
import subprocess
import sys
import textwrap
import threading
import time
import types
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import pytest
import shapes

import mason

FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])


def refused(obj: Any, format: Any = "json", **options: Any) -> mason.DumpError:
    with pytest.raises(mason.DumpError) as caught:
        mason.dumps(obj, format=format, **options)
    return caught.value


# ------------------------------------------------------------------------------- all of it at once


def generate() -> Iterator[int]:
    yield 1


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Give an object with everything that cannot be written, by the path that is to be told."""
    with socket.socket() as sock, open(tmp_path / "open", "w") as file:
        lock = threading.Lock()
        yield {
            "$.lock": lock,
            "$.again[0]": lock,
            "$.socket": sock,
            "$.generator[0]": generate(),
            "$.file": file,
            "$.anonymous": lambda: 0,
            "$.local": shapes.local_class(),
            "$.of_local": shapes.local_class()(),
            "$.module[1]": types,
            "$.reduce[#0]": shapes.OwnReduceMethod(),
            '$["two words"]': shapes.OwnGetstate(),
            "$.set{0}": threading.Event(),
            "$.key{0}": threading.Lock(),
            "$.point.x": threading.Thread(),
            '$.point["$extra one"]': sys._getframe(),
            "$.named.y": memoryview(b""),
            "$.many[3]": weakref_to_nothing(),
        }


def weakref_to_nothing() -> Any:
    import weakref

    return weakref.ref(shapes.Point)


def holding(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the object that has each part at its path."""
    point = shapes.Point(parts["$.point.x"])
    vars(point)["$extra one"] = parts['$.point["$extra one"]']
    return {
        "fine": [1, (2, {3}), shapes.Point(4)],
        "lock": parts["$.lock"],
        "again": (parts["$.again[0]"],),
        "socket": parts["$.socket"],
        "generator": [parts["$.generator[0]"]],
        "file": parts["$.file"],
        "anonymous": parts["$.anonymous"],
        "local": parts["$.local"],
        "of_local": parts["$.of_local"],
        "module": {1: parts["$.module[1]"]},
        "reduce": {(1, 2): parts["$.reduce[#0]"]},
        "two words": parts['$["two words"]'],
        "set": {parts["$.set{0}"]},
        "key": {parts["$.key{0}"]: "value"},
        "point": point,
        "named": shapes.NamedPoint(1, parts["$.named.y"]),
        "many": collections.deque([1, [], 2, parts["$.many[3]"]]),
    }


@FORMATS
def test_everything_that_cannot_be_written_is_listed(
    unwritable: dict[str, Any], format: Any
) -> None:
    error = refused(holding(unwritable), format)
    assert [problem.path for problem in error.problems] == list(unwritable)
    assert error.total == len(unwritable)
    for problem in error.problems:
        found = unwritable[problem.path]
        kind = type(found)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        assert problem.type == f"{module}{kind.__qualname__}"
        assert problem.reason
        assert problem.hint, problem
        assert problem.path in str(error)
        assert problem.reason in str(error)
        assert problem.hint in str(error)
    assert (error.path, error.hint) == (error.problems[0].path, error.problems[0].hint)
    assert isinstance(error, TypeError)
    assert isinstance(error, ValueError)


@FORMATS
@pytest.mark.parametrize("count", [1, 99, 100, 101, 5000])
def test_the_list_has_an_end_and_the_count_has_not(count: int, format: Any) -> None:
    error = refused([threading.Lock() for _ in range(count)], format)
    assert error.total == count
    assert [one.path for one in error.problems] == [f"$[{at}]" for at in range(min(count, 100))]
    assert len(str(error)) < 10_000
    if count > 100:
        assert f"{count:,}" in str(error)
        assert f"{count - 100:,} more" in str(error)


@FORMATS
def test_a_shared_holder_is_listed_once(format: Any) -> None:
    shared = [threading.Lock()]
    assert [one.path for one in refused([shared, shared], format).problems] == ["$[0][0]"]


@pytest.mark.parametrize("options", [{"plain": True}, {"shared": False}])
@FORMATS
def test_what_an_option_refuses_is_listed_too(options: Any, format: Any) -> None:
    loop: list[Any] = []
    loop.append(loop)
    value = {"a": (), "b": [{1: 2}], "c": {"d": shapes.Point(1)}, "fine": [1, "x"]}
    if "shared" in options:
        value = {"a": loop, "fine": [1], "b": {"c": [loop]}}
    error = refused(value, format, **options)
    places = {"plain": ["$.a", "$.b[0]", "$.c.d"], "shared": ["$.a[0]", "$.b.c[0][0]"]}
    assert [problem.path for problem in error.problems] == places[next(iter(options))]


@FORMATS
def test_what_holds_itself_gets_the_hint_that_helps(format: Any) -> None:
    """For what is only shared that is shared=False, which would be refused here in turn."""
    ring: list[Any] = []
    ring.append(ring)
    inside = {"a": [{"b": ring}]}
    hints = {}
    for plain, shared in (True, True), (False, False), (True, False):
        with pytest.raises(mason.DumpError, match="holds itself") as caught:
            mason.dumps(inside, format=format, plain=plain, shared=shared)
        hints[plain, shared] = caught.value.hint
    assert hints == {
        (True, True): "leave plain=True away",
        (False, False): "leave shared=False away",
        (True, False): "leave plain=True and shared=False away",
    }
    with pytest.raises(mason.DumpError, match="is shared") as caught:
        mason.dumps([inside["a"][:0]] * 2, format=format, plain=True)
    assert caught.value.hint == "pass shared=False to write it again"


@pytest.mark.parametrize("name", ["a.json", "a.cbor", "a.json.gz", "a.cbor.xz", "a.pkl"])
@pytest.mark.parametrize("there", [True, False])
def test_the_destination_stays_as_it_was(name: str, there: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    if there:
        path.write_bytes(b"precious")
        os.chmod(path, 0o640)
        before = os.stat(path)
    with pytest.raises(mason.DumpError):
        mason.dump([1, threading.Lock()], path)
    assert [one.name for one in tmp_path.iterdir()] == ([name] if there else [])
    if there:
        after = os.stat(path)
        assert path.read_bytes() == b"precious"
        assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (
            (before.st_ino, before.st_mtime_ns, before.st_mode)
        )


@pytest.mark.parametrize("stream", [io.BytesIO(b"precious"), io.StringIO("precious")])
def test_a_file_object_stays_as_it_was(stream: Any) -> None:
    content, place = stream.getvalue(), stream.seek(3)
    with pytest.raises(mason.DumpError):
        mason.dump({"ok": list(range(10_000)), "no": threading.Lock()}, stream, format="json")
    assert stream.getvalue() == content
    assert stream.tell() == place


def test_the_object_stays_as_it_was() -> None:
    lock = threading.Lock()
    value = [lock, {"a": (lock,)}, shapes.Point(lock)]  # type: ignore[arg-type]
    counts = sys.getrefcount(lock), sys.getrefcount(value), sys.getrefcount(value[1])
    for format in ["json", "cbor"] * 10:
        with contextlib.suppress(mason.DumpError):  # pytest.raises would keep it
            mason.dumps(value, format=format)  # type: ignore[call-overload]
    assert (sys.getrefcount(lock), sys.getrefcount(value), sys.getrefcount(value[1])) == counts
    assert value == [lock, {"a": (lock,)}, shapes.Point(lock)]  # type: ignore[arg-type]


# -------------------------------------------------------------------- what changes while it is read

COUNT = 40


class Pocket:
    """Has attributes, and nothing else."""


def parts() -> list[Any]:
    """Return values that Python code takes apart, so that other code has its chance."""
    return [pathlib.PurePosixPath(f"/p/{number}") for number in range(COUNT)]


def pocket(cls: Any) -> Any:
    made = cls()
    vars(made).update((f"a{number}", part) for number, part in enumerate(parts()))
    return made


def numbered(cls: Any) -> Any:
    return cls((f"k{number}", part) for number, part in enumerate(parts()))


def keyed(cls: Any) -> Any:
    return cls((part, number) for number, part in enumerate(parts()))


# A container, and ways to change how much it holds.
CHANGING: dict[str, tuple[Callable[[], Any], list[Callable[[Any], Any]]]] = {
    "list": (parts, [lambda x: x.append(1), lambda x: x.clear(), lambda x: x.pop()]),
    "subclass of list": (
        lambda: shapes.Tags(parts()),
        [lambda x: list.append(x, 1), lambda x: x.clear()],
    ),
    "dict": (
        lambda: numbered(dict),
        [lambda x: x.update(new=1), lambda x: x.clear(), lambda x: x.popitem()],
    ),
    "map": (lambda: keyed(dict), [lambda x: x.update({5: 1}), lambda x: x.clear()]),
    "subclass of dict": (
        lambda: numbered(shapes.Config),
        [lambda x: x.update(new=1), lambda x: x.clear()],
    ),
    "OrderedDict": (
        lambda: numbered(collections.OrderedDict),
        [lambda x: x.update(new=1), lambda x: x.clear(), lambda x: x.popitem()],
    ),
    "Counter": (lambda: keyed(collections.Counter), [lambda x: x.update("a"), lambda x: x.clear()]),
    "deque": (
        lambda: collections.deque(parts()),
        [lambda x: x.append(1), lambda x: x.clear(), lambda x: x.popleft()],
    ),
    "set": (lambda: set(parts()), [lambda x: x.add(1), lambda x: x.clear(), lambda x: x.pop()]),
    "subclass of set": (
        lambda: shapes.Bag(parts()),
        [lambda x: set.add(x, 1), lambda x: x.clear()],
    ),
    "attributes": (
        lambda: pocket(Pocket),
        [lambda x: setattr(x, "new", 1), lambda x: vars(x).clear(), lambda x: delattr(x, "a30")],
    ),
    "SimpleNamespace": (
        lambda: pocket(types.SimpleNamespace),
        [lambda x: setattr(x, "new", 1), lambda x: vars(x).clear()],
    ),
    "ChainMap": (
        lambda: collections.ChainMap(numbered(dict)),
        [lambda x: x.update(new=1), lambda x: x.clear()],
    ),
}
CHANGES = [
    pytest.param(make, change, id=f"{name} {number}")
    for name, (make, changes) in CHANGING.items()
    for number, change in enumerate(changes)
]
TRUST = [Pocket, shapes.Tags, shapes.Config, shapes.Bag]


class Interruption:
    """Runs some code once, in the middle of what Python code a dump runs, as a profiler would."""

    def __init__(self, change: Callable[[], Any], after: int) -> None:
        self.change = change
        self.left = after
        self.ran = False

    def __call__(self, frame: Any, event: str, argument: Any) -> None:
        if event != "call" or "adapters" not in frame.f_code.co_filename or self.ran:
            return
        self.left -= 1
        if self.left <= 0:
            self.ran = True
            self.change()

    def __enter__(self) -> Self:
        sys.setprofile(self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)


def mason_calls(value: Any) -> int:
    """Return how many calls of Python code one dump makes."""
    with Interruption(lambda: None, 10**9) as counting:
        mason.dumps(value)
    return 10**9 - counting.left


@FORMATS
@pytest.mark.parametrize(("make", "change"), CHANGES)
def test_a_container_that_changes_size_is_an_error_or_written_as_it_was(
    make: Any, change: Any, format: Any
) -> None:
    value, twin = make(), make()
    assert mason_calls(value) >= COUNT
    with Interruption(lambda: change(value), COUNT // 2) as interruption:
        try:
            data = mason.dumps(["before", value, "after"], format=format)
        except mason.DumpError as error:
            assert error.path is None or error.path.startswith("$[1]")
            assert "chang" in str(error)
        else:  # what has its parts copied first does not see the change
            assert type(value) not in (list, dict, set)
            back = mason.loads(data, trust=TRUST, format=format)
            assert mason.same(back, ["before", twin, "after"])
    assert interruption.ran
    again = mason.dumps(value, format=format)  # nothing is left over from before
    assert mason.same(value, mason.loads(again, trust=TRUST, format=format))


@FORMATS
@pytest.mark.parametrize(("make", "change"), CHANGES)
def test_a_change_at_any_time_is_an_error_or_a_whole_document(
    make: Any, change: Any, format: Any
) -> None:
    old, new = make(), make()
    change(new)
    for after in (1, 2, COUNT - 1, COUNT, COUNT + 1, 2 * COUNT):
        value = make()
        with Interruption(lambda v=value: change(v), after):
            try:
                data = mason.dumps([value, value, parts()], format=format)
            except mason.DumpError as error:
                assert "chang" in str(error)
                continue
        first, second, third = mason.loads(data, trust=TRUST, format=format)
        assert first is second
        assert mason.same(first, old) or mason.same(first, new)
        assert third == parts()


@FORMATS
@pytest.mark.parametrize(("make", "change"), CHANGES)
def test_a_change_by_the_collector_never_crashes(make: Any, change: Any, format: Any) -> None:
    """A finalizer runs whenever memory is allocated: here at every occasion."""

    class Bomb:
        def __init__(self, target: Any) -> None:
            self.me = self
            self.target = target

        def __del__(self) -> None:
            change(self.target)

    value = make()
    before = gc.get_threshold()
    Bomb(value)
    try:
        gc.set_threshold(1)
        try:
            data = mason.dumps([value, parts()], format=format)
        except mason.DumpError as error:
            assert "chang" in str(error)
        else:
            assert mason.loads(data, trust=TRUST, format=format)[1] == parts()
    finally:
        gc.set_threshold(*before)
        gc.collect()


@FORMATS
def test_what_is_replaced_while_it_is_read_is_old_or_new(format: Any) -> None:
    """The size stays, the parts are freed under the writer's hands."""
    for after in range(1, COUNT, 7):
        values: list[Any] = [parts(), numbered(dict), pocket(Pocket)]
        for value in values:

            def replace(value: Any = value) -> None:
                if type(value) is list:
                    value[:] = [[at] for at in range(COUNT)]
                else:
                    held = value if type(value) is dict else vars(value)
                    for number, key in enumerate(held):
                        held[key] = [number]
                gc.collect()

            with Interruption(replace, after) as interruption:
                data = mason.dumps([value], format=format)
            assert interruption.ran
            (back,) = mason.loads(data, trust=TRUST, format=format)
            held = vars(back) if type(back) is Pocket else back
            found = list(held.values() if type(held) is dict else held)
            for number, (old, new) in enumerate(zip(parts(), found, strict=True)):
                assert new in (old, [number])
            if type(back) is not Pocket:  # the attributes of an instance are copied first
                assert [number] in found


@pytest.mark.parametrize("seconds", [0.6])
def test_threads_that_change_what_is_written_cause_errors_at_most(seconds: float) -> None:
    made = [make() for make, _ in CHANGING.values()]
    changes = [change for _, changes in CHANGING.values() for change in changes[:1]]
    stop = threading.Event()
    met: collections.Counter[str] = collections.Counter()

    def disturb() -> None:
        number = 0
        while not stop.is_set():
            for value, change in zip(made, changes, strict=True):
                number += 1
                with contextlib.suppress(KeyError, IndexError):
                    if number % 3:
                        change(value)
                        if type(value) is list:
                            value.pop()
                    else:
                        vars(value).pop("new", None) if hasattr(value, "__dict__") else None

    interval = sys.getswitchinterval()
    threads = [threading.Thread(target=disturb) for _ in range(2)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for value in made:
                for format in ("json", "cbor"):
                    small = value if len_of(value) < 10 * COUNT else None
                    try:
                        data = mason.dumps([small], format=format)
                        mason.loads(data, trust=TRUST, format=format)
                        met["written"] += 1
                    except mason.DumpError as error:
                        assert "chang" in str(error)
                        met["refused"] += 1
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    assert met["written"]


def len_of(value: Any) -> int:
    return len(vars(value)) if isinstance(value, Pocket | types.SimpleNamespace) else len(value)


# ------------------------------------------------------------------------- what differs from fields


@FORMATS
def test_instances_that_differ_from_their_fields_keep_that(format: Any) -> None:
    shared: list[Any] = []
    value = shapes.Fancy("n", items=shared)
    assert value.doubled == 28
    vars(value).update({"$type": shared, "a b": (), "": value})
    del value.hidden
    both = [value, shapes.SlotPoint(1), shapes.AttrsDict(shared)]  # type: ignore[arg-type]
    del both[1].y  # type: ignore[union-attr]
    vars(both[2])["note"] = shared
    data = mason.dumps(both, format=format)
    back = mason.loads(data, trust="shapes", format=format)
    assert mason.same(both, back)
    assert vars(back[0])["$type"] is back[0].items is back[2].x is vars(back[2])["note"]
    assert "doubled" in vars(back[0])
    assert "hidden" not in vars(back[0])  # the class has 3 for it: not read as deleted
    with pytest.raises(AttributeError):
        _ = back[1].y


@FORMATS
def test_how_python_keeps_an_object_does_not_show(format: Any) -> None:
    fresh, seen, moved = ([shapes.Point(n) for n in range(3)] for _ in range(3))
    for point in seen:
        assert vars(point)  # makes the dictionary
    for point in moved:
        point.__dict__ = dict(vars(point))  # shares no keys with others of the class any more
    expected = mason.dumpb(fresh, format=format)
    assert mason.dumpb(seen, format=format) == expected
    assert mason.dumpb(moved, format=format) == expected


@FORMATS
def test_text_whose_bytes_python_keeps_is_written_alike(format: Any) -> None:
    texts = [text * 20 for text in ("é漢字" + '"', "ü\n", "\U0001f600")]
    before, sizes = mason.dumpb(texts, format=format), [sys.getsizeof(text) for text in texts]
    for text in texts:
        with contextlib.suppress(SyntaxError):
            compile(text, "", "eval")
    assert [sys.getsizeof(text) for text in texts] > sizes  # they grew by their UTF-8
    assert mason.dumpb(texts, format=format) == before


def test_extra_and_deleted_attributes_as_they_are_written() -> None:
    point = shapes.Point3(1)
    vars(point)["$x"] = {"$y": 1}
    del vars(point)["x"]
    assert mason.dumps(point) == (
        '{"$mason":1,"$type":"shapes:Point3","y":0,"z":0,"tags":[],'
        '"$extra":{"$$x":{"$$y":1}},"$unset":["x"]}'
    )


# ------------------------------------------------------------------------------ classes that change


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Give a function that (re)writes the module `changing_shop`, and imports it anew."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(source: str, name: str = "changing_shop") -> Any:
        prelude = (
            "from __future__ import annotations\nimport enum\nimport attrs\n"
            "from dataclasses import dataclass, field\nfrom typing import Any, NamedTuple\n"
        )
        (tmp_path / f"{name}.py").write_text(prelude + textwrap.dedent(source))
        importlib.invalidate_caches()
        known = sys.modules.get(name)
        return importlib.reload(known) if known else importlib.import_module(name)

    yield write
    for name in [name for name in sys.modules if "changing" in name]:
        del sys.modules[name]


@FORMATS
def test_instances_of_a_class_that_was_replaced_are_refused_by_name(shop: Any, format: Any) -> None:
    source = """
        @dataclass
        class Order:
            id: int
        class Color(enum.Enum):
            RED = 1
        class Pair(NamedTuple):
            a: int
    """
    old = shop(source)
    values = [old.Order(1), old.Color.RED, old.Pair(1), old.Order]
    data = mason.dumps(values, format=format)
    new = shop(source)
    assert new.Order is not type(values[0])
    error = refused({"all": values}, format)
    assert [problem.path for problem in error.problems] == [f"$.all[{at}]" for at in range(4)]
    for problem, name in zip(error.problems, ["Order", "Color", "Pair", "Order"], strict=True):
        assert f"changing_shop.{name}" in f"{problem.type} {problem.reason}".replace(":", ".")
        assert "replaced" in str(problem.hint)
    back = mason.loads(data, trust="changing_shop", format=format)
    assert [type(one) for one in back[:3]] == [new.Order, new.Color, new.Pair]
    assert back[3] is new.Order


KINDS = pytest.mark.parametrize("kind", ["@dataclass", "@dataclass(slots=True)", "@attrs.define"])


@KINDS
@FORMATS
def test_a_field_that_came_since_gets_its_default(shop: Any, kind: str, format: Any) -> None:
    old = shop(f"{kind}\nclass Order:\n    id: int")
    data = mason.dumps([old.Order(7), old.Order(8)], format=format)
    factory = "attrs.field(factory=list)" if "attrs" in kind else "field(default_factory=list)"
    new = shop(
        f"{kind}\nclass Order:\n    id: int\n    paid: bool = False\n    lines: Any = {factory}"
    )
    one, two = mason.loads(data, trust="changing_shop", format=format)
    assert type(one) is new.Order
    assert (one.id, one.paid, one.lines) == (7, False, [])
    assert one.lines is not two.lines


@KINDS
@FORMATS
@pytest.mark.parametrize(
    ("fields", "field"), [("id: int\n    city: str", "city"), ("number: int = 0", "id")]
)
def test_a_field_that_is_missing_or_gone_is_named(
    shop: Any, kind: str, format: Any, fields: str, field: str
) -> None:
    old = shop(f"{kind}\nclass Order:\n    id: int")
    data = mason.dumps({"orders": [None, old.Order(7)]}, format=format)
    shop(f"{kind}\nclass Order:\n    {fields}")
    with pytest.raises(mason.FieldError) as caught:
        mason.loads(data, trust="changing_shop", format=format)
    error = caught.value
    assert (error.cls, error.field) == ("changing_shop:Order", field)
    assert error.path in ("$.orders[1]", f"$.orders[1].{field}")
    for word in ("changing_shop", "Order", field, "$.orders[1]"):
        assert word in str(error)


@FORMATS
def test_fields_of_named_tuples_change_alike(shop: Any, format: Any) -> None:
    old = shop("class Order(NamedTuple):\n    id: int")
    data = mason.dumps([old.Order(7)], format=format)
    new = shop("class Order(NamedTuple):\n    id: int\n    paid: bool = False")
    assert mason.loads(data, trust="changing_shop", format=format) == [new.Order(7, False)]
    for fields, field in (("id: int\n    city: str", "city"), ("number: int = 0", "id")):
        shop(f"class Order(NamedTuple):\n    {fields}")
        with pytest.raises(mason.FieldError) as caught:
            mason.loads(data, trust="changing_shop", format=format)
        assert (caught.value.cls, caught.value.field) == ("changing_shop:Order", field)


@FORMATS
def test_a_default_factory_runs_for_the_missing_field_only(shop: Any, format: Any) -> None:
    old = shop("@dataclass\nclass Order:\n    id: int")
    data = mason.dumps(old.Order(7), format=format)
    new = shop(
        """
        made = []
        def make():
            made.append(1)
            return made
        @dataclass
        class Order:
            id: int = field(default_factory=make)
            tags: Any = field(default_factory=make)
        """
    )
    bad = mason.dumps([mason.loads(data, unknown="keep"), mason.Record("no:Such", {})])
    with pytest.raises(mason.UntrustedError):  # not even when something later is refused
        mason.loads(bad, trust="changing_shop")
    assert new.made == []
    assert mason.loads(data, trust="changing_shop", format=format).tags is new.made
    assert new.made == [1]


# ---------------------------------------------------------------------------------- names of before


@FORMATS
def test_aliases_lead_from_the_old_name_to_the_new_one(shop: Any, format: Any) -> None:
    source = """
        @dataclass
        class Order:
            id: int
            class Line(NamedTuple):
                n: int
        class Color(enum.Enum):
            RED = 1
        def price(): ...
    """
    old = shop(source)
    values = [old.Order(1), old.Order.Line(2), old.Color.RED, old.Color, old.price, list[old.Order]]
    data = mason.dumps(values, format=format)
    new = shop(source, "changing_store")
    del sys.modules["changing_shop"]
    name = "changing_shop"
    with pytest.raises(mason.UntrustedError) as caught:
        mason.loads(data, trust=["changing_store"], format=format)
    assert 'aliases={"changing_shop": "changing_store"}' in str(caught.value)
    expected = [new.Order(1), new.Order.Line(2), new.Color.RED, new.Color, new.price]
    one_by_one = {
        f"{name}:Order": new.Order,
        f"{name}:Order.Line": "changing_store:Order.Line",
        f"{name}:Color": new.Color,
        f"{name}:price": new.price,
    }
    for aliases, trust in (
        ({name: "changing_store"}, ["changing_store", new.price]),
        (one_by_one, [new.Order.Line]),
    ):
        back = mason.loads(data, aliases=aliases, trust=trust, format=format)
        assert back[:5] == expected
        assert [type(one) for one in back[:3]] == [new.Order, new.Order.Line, new.Color]
        assert back[5] == list[new.Order]
        assert name not in sys.modules  # nobody looked for the old one
    with pytest.raises(mason.UntrustedError):  # an alias to a text trusts nothing
        mason.loads(data, aliases={name: "changing_store"}, format=format)


SCRIPT = """
from __future__ import annotations
import multiprocessing, sys
from dataclasses import dataclass
from enum import Enum
import mason

@dataclass
class Order:
    id: int
    next: Order | None = None

class Color(Enum):
    RED = 1

VALUE = [Order(1, Order(2)), Color.RED, Order]

def work(format):
    assert Order.__module__ == "__mp_main__"
    return mason.dumps(VALUE, format=format), mason.loads(sent(format), trust="__main__") == VALUE

def sent(format):
    with open("parent." + format, "rb") as file:
        return file.read()

if __name__ == "__main__":
    for format in ("json", "cbor"):
        mason.dump(VALUE, "parent." + format)
        for trust in ("__main__", [Order, Color], "__mp_main__"):
            assert mason.load("parent." + format, trust=trust) == VALUE
        assert mason.loads(mason.dumps(VALUE[0]), Order) == VALUE[0]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for format, (data, ok) in zip(("json", "cbor"), pool.map(work, ("json", "cbor"))):
            assert ok
            for trust in ("__main__", [Order, Color], "__mp_main__"):
                assert mason.loads(data, trust=trust, format=format) == VALUE
    print("done")
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(mason.__file__).parents[1])  # it may be no installed package here
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([source, str(folder)])}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_classes_of_scripts_are_written_and_read_in_all_their_processes(tmp_path: Path) -> None:
    (tmp_path / "shop_script.py").write_text(SCRIPT)
    done = run(tmp_path, "shop_script.py")
    assert (done.stdout, done.stderr) == ("done\n", "")
    document = json.loads((tmp_path / "parent.json").read_text())
    assert document["$value"][0]["$type"] == "__main__:Order"
    # a second script, which imports the first: there it is a module as any other
    reader = """
        import mason, shop_script
        try:
            mason.load("parent.json", trust="shop_script")
        except mason.UntrustedError as error:
            assert 'aliases={"__main__": "shop_script"}' in str(error), error
        else:
            raise AssertionError
        for format in ("json", "cbor"):
            value = mason.load(
                "parent." + format, trust="shop_script", aliases={"__main__": "shop_script"}
            )
            assert value == shop_script.VALUE
        print("done")
    """
    (tmp_path / "reader.py").write_text(textwrap.dedent(reader))
    done = run(tmp_path, "reader.py")
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_the_line_that_an_error_suggests_can_be_pasted(tmp_path: Path) -> None:
    (tmp_path / "shop_script.py").write_text(SCRIPT)
    assert run(tmp_path, "shop_script.py").stdout == "done\n"
    reader = """
        from shop_script import Order, Color, VALUE
        import mason
        try:
            mason.load("parent.cbor")
        except mason.UntrustedError as error:
            (line,) = [one for one in str(error).splitlines() if "mason.load(" in one]
            assert eval(line.partition(": ")[2]) == VALUE
            print("done")
    """
    (tmp_path / "reader.py").write_text(textwrap.dedent(reader))
    done = run(tmp_path, "reader.py")
    assert (done.stdout, done.stderr) == ("done\n", "")


@dataclasses.dataclass
class Stale:
    """Is replaced in this very module by a test."""

    x: int = 0


def test_a_class_that_comes_back_is_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    value = Stale()
    assert mason.loads(mason.dumps(value), Stale) == value
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules[__name__], "Stale", shapes.twin_of(Stale))
        assert f"{__name__}.Stale" in str(refused(value))
    assert mason.loads(mason.dumps(value), Stale) == value


def with_dict(obj: Any, attributes: Any) -> Any:
    obj.__dict__ = attributes
    return obj


LOOSE = [shapes.Plain, lambda: shapes.SlotsAndDict.__new__(shapes.SlotsAndDict), shapes.Bag]


@FORMATS
def test_a_dict_of_attributes_inside_itself_is_refused(format: Any) -> None:
    plain = shapes.Plain()
    plain.__dict__.update(me=plain.__dict__)
    assert refused(plain, format).problems[0].path == "$.me"
    plain.me = plain
    assert refused(plain.__dict__, format).problems[0].path == "$.me"
    space = types.SimpleNamespace(a=1)
    assert refused([space, space.__dict__], format).problems[0].path == "$[1]"


@FORMATS
@pytest.mark.parametrize("make", LOOSE)
def test_a_dict_of_attributes_of_another_class_is_refused(make: Any, format: Any) -> None:
    """It would come back as a plain one."""
    obj = with_dict(make(), collections.OrderedDict(mark=1))
    assert "more than a dict" in refused([obj], format).problems[0].reason
    assert refused([obj], format, shared=False).total == 1


class Odd(frozenset[Any], enum.Enum):
    """Has a member whose content no reader would hash: it is written by its name."""

    NEST = frozenset([functools.reduce(lambda inner, _: (inner,), range(300), cast(Any, ()))])


@FORMATS
def test_a_member_of_an_enum_is_written_by_its_name_whatever_it_holds(format: Any) -> None:
    for value in (Odd.NEST, [Odd.NEST]):
        loaded = mason.loads(mason.dumps(value, format=format), format=format, trust=[Odd])
        assert loaded == value
        assert (loaded[0] if isinstance(loaded, list) else loaded) is Odd.NEST


class SlotThenDict:
    __slots__ = ("__dict__", "x")

    x: int


class SlotOfBase(SlotThenDict):
    pass


class Row(NamedTuple):
    a: int


class LooseRow(Row):
    """Has a dict, as every subclass of a named tuple that says nothing of slots."""


def with_names(obj: Any, names: dict[Any, Any]) -> Any:
    vars(obj).update(names)
    return obj


@FORMATS
@pytest.mark.parametrize("cls", [SlotThenDict, SlotOfBase])
@pytest.mark.parametrize("slot_is_set", [True, False])
def test_a_name_in_the_dict_where_the_class_has_a_slot(
    format: Any, cls: Any, slot_is_set: bool
) -> None:
    value = cls()
    if slot_is_set:
        value.x = 1
    value.y = 2
    loaded = mason.loads(mason.dumps(value, format=format), format=format, trust=[cls])
    assert mason.same(loaded, value)
    vars(value)["x"] = 3  # of which the class sees nothing
    assert '"x"' in str(refused(value, format))


@FORMATS
@pytest.mark.parametrize("name", ["__class__", "__deepcopy__", 3, None])
def test_names_that_no_document_may_set_are_refused_wherever_they_stand(
    format: Any, name: Any
) -> None:
    for obj in (LooseRow(1), shapes.Plain(), types.SimpleNamespace(), shapes.Tags()):
        refused(with_names(obj, {name: 1}), format)
    value = with_names(LooseRow(1), {"note": [1], "$x": 2})
    assert mason.same(
        mason.loads(mason.dumps(value, format=format), format=format, trust=[LooseRow]), value
    )


def with_slots(obj: Any, **values: Any) -> Any:
    for name, value in values.items():
        object.__setattr__(obj, name, value)
    return obj


@FORMATS
@pytest.mark.parametrize(
    "make",
    [
        lambda: with_slots(uuid.UUID(int=1), int="text"),
        lambda: with_slots(uuid.UUID(int=1), int=-1),
        lambda: with_slots(uuid.UUID(int=1), int=1 << 128),
        lambda: with_slots(uuid.UUID(int=1), int=None, is_safe=uuid.SafeUUID.safe),
        lambda: object.__new__(uuid.UUID),
        lambda: with_slots(object.__new__(uuid.UUID), int=1),
        lambda: object.__new__(fractions.Fraction),
        lambda: with_slots(fractions.Fraction(1, 2), _denominator=0),
        lambda: with_slots(fractions.Fraction(1, 2), _denominator=-2),
        lambda: with_slots(fractions.Fraction(1, 2), _numerator=1.0),
    ],
)
def test_values_that_were_made_past_their_class_are_refused(
    format: Any, make: Callable[[], Any]
) -> None:
    assert "$[1]" in str(refused([1, make()], format))


class Borg:
    common: dict[str, Any]

    def __init__(self) -> None:
        self.__dict__ = self.common


class ItsOwnDict(dict[str, Any]):
    def __init__(self, **items: Any) -> None:
        super().__init__(items)
        self.__dict__ = self


def borgs() -> list[Borg]:
    Borg.common = {"x": [1]}
    return [Borg(), Borg()]


def beside(obj: Any, **attributes: Any) -> list[Any]:
    vars(obj).update(attributes)
    return [obj, vars(obj)]


def chain() -> list[Any]:
    made = collections.ChainMap({"x": [1]})
    return [made, made.maps]


def records() -> list[Any]:
    content = [[1]]
    return [mason.Record("a:B", {"$list": content}), mason.Record("a:B", {"$list": content})]


@FORMATS
@pytest.mark.parametrize(
    "make",
    [
        lambda: beside(shapes.Plain(), x=[1]),
        lambda: beside(shapes.Point(1, 2), x=[1]),
        lambda: beside(types.SimpleNamespace(), x=[1]),
        lambda: beside(collections.OrderedDict(), x=[1]),
        lambda: beside(shapes.Tags(), x=[1]),
        lambda: beside(LooseRow(1), x=[1]),
        borgs,
        chain,
        records,
        lambda: [{"a": ItsOwnDict(x=[1])}],
    ],
)
def test_what_keeps_the_content_of_an_object_is_written_once(
    format: Any, make: Callable[[], Any]
) -> None:
    """A `__dict__` that is met again would come back as another dict, and its values doubled."""
    refused(make(), format)
    refused(make()[::-1], format)
    value = make()
    mason.dumps(value[0], format=format) if not isinstance(value[0], dict) else None
    if len(value) == 2:
        mason.dumps(value, format=format, shared=False)


@FORMATS
def test_a_dict_that_only_the_program_holds_too_is_no_hindrance(format: Any) -> None:
    value = [shapes.Plain(), types.SimpleNamespace(), shapes.Tags(), LooseRow(1)]
    held = [vars(one) for one in value]
    for names in held:
        names["x"] = [1]
    value *= 2
    classes = [shapes.Plain, shapes.Tags, LooseRow]
    loaded = mason.loads(mason.dumps(value, format=format), format=format, trust=classes)
    assert mason.same(loaded, value)


class Side(enum.Enum):
    LEFT = "left"
    RIGHT = "right"


@FORMATS
def test_members_of_an_enum_that_change_places(
    format: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, right = Side.LEFT, Side.RIGHT
    before = mason.dumps([left, right], format=format)  # from now on their bytes are known
    assert mason.loads(before, format=format, trust=[Side]) == [left, right]
    names: Any = Side._member_map_
    monkeypatch.setitem(names, "LEFT", right)
    monkeypatch.setitem(names, "RIGHT", left)
    refused([left, right], format)
