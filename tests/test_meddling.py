"""What is written may change meanwhile, run code, or be stranger than any class: no crash.

Keys are hashed while a large set or dict is written, and the collector may run finalizers at any
allocation: both are used here to change what is being written.
"""

from __future__ import annotations

import collections
import gc
import random
import subprocess
import sys
import types
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import hostile
import pytest
from hostile import in_small_thread

import mason

Format = Literal["json", "cbor"]
FORMATS = pytest.mark.parametrize("format", ["json", "cbor"])


def outcome(way: Callable[[], Any]) -> Any:
    try:
        return way()
    except mason.MasonError as error:
        return error


class Hook:
    """Runs code while it is hashed, when it is armed."""

    armed: Callable[[], None] | None = None

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        run, Hook.armed = Hook.armed, None
        if run is not None:
            run()
            gc.collect()
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


def hooks() -> set[Hook]:
    """Return a set that is large enough for its hashes to be looked at."""
    return {Hook(number) for number in range(300)}


def instance(**attributes: Any) -> hostile.Plain:
    made = hostile.Plain()
    vars(made).update(attributes)
    return made


def change_class(made: Any) -> None:
    made.__class__ = hostile.Closing


MEDDLED: dict[str, Callable[[], tuple[Any, Callable[[], Any]]]] = {
    "list cleared": lambda: (value := [hooks(), [1]], value.clear),
    "list grown": lambda: (value := [hooks(), [1]], lambda: value.extend([[2]] * 99)),
    "list of others": lambda: (
        value := [[1], hooks(), [2]],
        lambda: value.__setitem__(slice(3), [1, 2, 3]),
    ),
    "dict cleared": lambda: (value := {"a": hooks(), "b": [1]}, value.clear),
    "dict grown": lambda: (
        value := {"a": hooks(), "b": [1]},
        lambda: value.update({str(n): n for n in range(99)}),
    ),
    "dict of others": lambda: (
        value := {"a": [1], "b": hooks(), "c": [2]},
        lambda: (value.clear(), value.update(x=1, y=2, z=3)),
    ),
    "set cleared": lambda: (value := hooks(), value.clear),
    "keys cleared": lambda: (value := {key: [1] for key in hooks()}, value.clear),
    "keys of another dict": lambda: (value := {1: {key: [1] for key in hooks()}}, value.clear),
    "attributes cleared": lambda: (value := instance(a=hooks(), b=[1]), vars(value).clear),
    "attribute gone": lambda: (value := instance(a=hooks(), b=[1]), lambda: delattr(value, "b")),
    "attributes replaced": lambda: (
        value := instance(a=hooks(), b=[1]),
        lambda: setattr(value, "__dict__", {"x": 1}),
    ),
    "slot gone": lambda: (value := hostile.Slots(hooks(), [1]), lambda: delattr(value, "b")),
    "class changed": lambda: (value := instance(a=hooks(), b=[1]), lambda: change_class(value)),
    "deque cleared": lambda: (value := collections.deque([hooks(), [1]]), value.clear),
    "list subclass cleared": lambda: (value := hostile.Items([hooks(), [1]]), value.clear),
    "OrderedDict cleared": lambda: (
        value := collections.OrderedDict(a=hooks(), b=[1]),
        value.clear,
    ),
    "record cleared": lambda: (
        value := mason.Record("a:B", {"a": hooks(), "b": [1]}),
        value.items.clear,
    ),
    "hash fails": lambda: (hooks(), lambda: [][1]),
}


@FORMATS
@pytest.mark.parametrize("name", MEDDLED)
@pytest.mark.parametrize("outer", [lambda value: value, lambda value: [value, value, [1]]])
def test_code_that_meddles_with_what_is_written(
    format: Format, name: str, outer: Callable[[Any], Any]
) -> None:
    value, meddle = MEDDLED[name]()
    whole = outer(value)

    def run() -> None:
        meddle()
        if isinstance(whole, list):
            whole.clear()

    Hook.armed = run
    try:
        mason.dumps(whole, format=format)
    except mason.DumpError:
        pass
    finally:
        Hook.armed = None


class Finalizer:
    """Runs code when the collector takes it away."""

    def __init__(self, run: Callable[[], None]) -> None:
        self.run = run
        self.me = self

    def __del__(self) -> None:
        self.run()


@FORMATS
@pytest.mark.parametrize("options", [{}, {"plain": True}, {"shared": False}])
def test_finalizers_that_meddle_with_what_is_written(format: Format, options: Any) -> None:
    threshold = gc.get_threshold()
    gc.collect()
    gc.freeze()  # or each collection looks at all that the tests have made so far
    try:
        for moment in range(1, 200, 7):
            value = [
                [[n], {"a": {n: (n,)}}, {n, "x"}, instance(a=[n], b={n}), (n, [n]), bytearray(b"x")]
                for n in range(4)
            ]

            def clear(value: list[Any] = value) -> None:
                for row in value:
                    for part in row:
                        vars(part).clear() if isinstance(part, hostile.Plain) else None
                        part.clear() if isinstance(part, list | dict | set | bytearray) else None
                    row.clear()
                value.clear()

            gc.collect()
            gc.disable()
            Finalizer(clear)
            gc.set_threshold(gc.get_count()[0] + moment, 1, 1)
            gc.enable()
            try:
                mason.dumps(value, format=format, **options)
            except mason.DumpError:
                pass
            gc.set_threshold(*threshold)
    finally:
        gc.set_threshold(*threshold)
        gc.enable()
        gc.unfreeze()


def test_another_thread_meddles_with_what_is_written() -> None:
    import threading

    value: list[Any] = [[n, {str(n): [n]}, {n}, instance(a=n)] for n in range(50)]
    value.append(dict.fromkeys(hooks()))
    stop = threading.Event()

    def meddle() -> None:
        rolled = random.Random(3)
        while not stop.is_set():
            row = value[rolled.randrange(50)]
            row.append([1]) if len(row) < 9 else row.pop()
            vars(row[3]).update(b=rolled.random()) if rolled.random() < 0.5 else vars(row[3]).pop(
                "b", 0
            )
            row[1][str(rolled.randrange(9))] = [2]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=meddle)
    thread.start()
    try:
        for _ in range(100):
            outcome(lambda: mason.dumps(value))
            outcome(lambda: mason.dumps(value, format="cbor", limits=mason.Limits(nodes=100_000)))
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)


class Meta(type):
    def __getattribute__(cls, name: str) -> Any:
        raise RuntimeError(name)

    def __hash__(cls) -> int:
        raise RuntimeError("hash")

    def __eq__(cls, other: object) -> bool:
        raise RuntimeError("eq")


class Guarded(metaclass=Meta):
    pass


class Guard:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError("repr")


class Endless:
    def __repr__(self) -> str:
        return repr(self)

    def __str__(self) -> str:
        return str(self)


class OddDict(dict[Any, Any]):
    def __getitem__(self, key: Any) -> Any:
        raise RuntimeError("getitem")

    def __iter__(self) -> Any:
        raise RuntimeError("iter")

    def __len__(self) -> int:
        return 10**9

    items = keys = values = __iter__


class Text(str):
    __slots__ = ()

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("eq")


def with_dict(content: Any) -> hostile.Plain:
    made = hostile.Plain()
    made.__dict__ = content
    return made


def own_dict() -> hostile.Plain:
    made = hostile.Plain()
    vars(made)["a"] = vars(made)
    return made


ODD_OBJECTS: list[Callable[[], Any]] = [
    lambda: object.__new__(Guarded),
    lambda: Guarded,
    Guard,
    lambda: [Guard(), Guard()],
    Endless,
    lambda: [Endless(), Endless, lambda: 0, Endless().__repr__],
    lambda: with_dict(OddDict(a=[1])),
    lambda: with_dict(collections.defaultdict(list, a=[1])),
    lambda: with_dict({1: 2}),
    lambda: with_dict({Text("a"): 2}),
    lambda: with_dict({"__class__": 1}),
    own_dict,
    lambda: OddDict(a=1),
    lambda: {Text("a"): 1},
    lambda: {Text("a")},
    lambda: Text("a"),
    lambda: [Meta],
    lambda: type("", (), {})(),
    lambda: type("a.b:c", (), {})(),
    lambda: gc,
    lambda: iter([1]),
    lambda: (n for n in ()),
    lambda: sys._getframe(),
    lambda: NotImplemented,
    lambda: mason.Record("", {}),
    lambda: mason.Record("a:B", {"$ref": 1}),
    lambda: super(Endless, Endless()),
    lambda: mason.Record("a:B", {"$list": 1}),
    lambda: mason.Record("a:B", {"$mason": 1}),
    lambda: mason.Tag(28, 1),
    lambda: mason.Tag(2**64 - 1, []),
    lambda: mason.Name("\ud800"),
    lambda: memoryview(b"x"),
    lambda: type(sys._getframe()),
    lambda: sys.modules,
    lambda: mason.loads,
]


@FORMATS
@pytest.mark.parametrize("number", range(len(ODD_OBJECTS)))
def test_odd_objects(format: Format, number: int) -> None:
    """Written so that it can be read, or refused by name; no code of theirs runs."""
    for value in (ODD_OBJECTS[number](), [ODD_OBJECTS[number]()] * 2):
        try:
            data = mason.dumps(value, format=format)
        except mason.DumpError as error:
            assert str(error)
            continue
        mason.reads(data, format=format)


def test_deep_graphs_are_written_in_a_small_thread() -> None:
    def chain(make: Callable[[Any], Any]) -> Any:
        value: Any = None
        for _ in range(20_000):
            value = make(value)
        return value

    kinds: list[Callable[[Any], Any]] = [
        lambda inner: [inner],
        lambda inner: {"a": inner},
        lambda inner: {1: inner},
        lambda inner: (inner,),
        lambda inner: instance(a=inner),
        lambda inner: hostile.Slots(inner),
        lambda inner: hostile.Pair(inner),
        lambda inner: hostile.Items([inner]),
        lambda inner: collections.deque([[inner]]),
        lambda inner: mason.Tag(1000, inner),
        lambda inner: mason.Record("a:B", {"a": inner}),
    ]
    for make in kinds:
        value = chain(make)
        for format in ("json", "cbor"):
            in_small_thread(partial(mason.dumps, value, format=format))


class Before:
    pass


class After:
    pass


class Narrow:
    pass


@FORMATS
@pytest.mark.parametrize(("after", "count"), [(After, 20), (Narrow, 1)])
def test_an_instance_that_becomes_one_of_another_class(
    format: Format, after: type, count: int
) -> None:
    """Other attributes lie in its places then, or there are fewer places than the walk knows of."""
    for _ in range(40):  # each instance leaves less room for the next ones
        Narrow().b0 = 1  # type: ignore[attr-defined]
    for where in range(0, 20, 4):
        value: Any = Before()
        for number in range(20):
            setattr(value, f"a{number}", hooks() if number == where else [number])

        def become(value: Any = value) -> None:
            value.__class__ = after
            del value.__dict__
            for number in range(count):
                setattr(value, f"b{number}", [-number])

        Hook.armed = become
        try:
            with pytest.raises(mason.DumpError, match="changed during the dump"):
                mason.dumps([value], format=format)
        finally:
            Hook.armed = None


class Trap:
    """Is a key in the dict of an instance, and runs code where that is searched for a name."""

    def __init__(self, name: str, run: Callable[[], Any]) -> None:
        self.hash, self.run = hash(name), run

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        self.run()
        gc.collect()
        return False


class Content:
    def __init__(self) -> None:
        self.room = [0] * 50

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return self is other


@FORMATS
def test_a_name_that_meddles_where_a_hash_looks(format: Format) -> None:
    """The parts of a key are measured before it is hashed."""
    key = object.__new__(hostile.Frozen)
    runs: list[Callable[[], Any]] = []
    vars(key)["a"] = 0
    vars(key)[Trap("b", lambda: [run() for run in runs])] = 1  # type: ignore[index]
    vars(key)["b"] = 2
    value = {key: 1}
    vars(key)["a"] = Content()
    runs.append(lambda: vars(key).update(a=1))
    with pytest.raises(mason.DumpError, match="whose name is not a str"):
        mason.dumps(value, format=format)
    runs.append(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        mason.dumps(value, format=format)


@FORMATS
def test_a_name_that_takes_a_module_away(format: Format) -> None:
    module = types.ModuleType("vanishing")
    cls = type("Gone", (), {"__module__": "vanishing"})
    armed = False
    vars(module)[Trap("Gone", lambda: armed and sys.modules.pop("vanishing", None))] = 1  # type: ignore[index]
    vars(module)["Gone"] = cls
    sys.modules["vanishing"] = module
    del module
    value = cls()
    mason.dumps(value, format=format)
    armed = True
    outcome(lambda: mason.dumps(value, format=format))
    assert "vanishing" not in sys.modules


SUBINTERPRETER = """
import mason
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
try:
    other = interpreters.create(isolated=False)
except TypeError:
    other = interpreters.create("legacy")
code = '''
try:
    import mason
except ImportError:
    pass
else:
    raise SystemExit("imported")
'''
assert interpreters.run_string(other, code) is None
interpreters.destroy(other)
try:
    mason.dumps(iter([]))
except mason.DumpError as error:
    print(type(error).__name__)
"""


def test_a_subinterpreter_gets_no_core() -> None:
    """The core belongs to the process: what a second interpreter put there would go with it."""
    ran = subprocess.run([sys.executable, "-c", SUBINTERPRETER], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "DumpError\n"), ran.stderr


@FORMATS
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="CPython 3.12 has no such texts any more")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_texts_whose_characters_extensions_have_not_handed_over(format: Format) -> None:
    make = pytest.importorskip("_testcapi").unicode_legacy_string
    for text in ("", "plain", "h\xe9", "\u20ac", "\U0001f600 and more"):
        assert mason.loads(mason.dumps([make(text)], format=format), format=format) == [text]


NO_ROOM = """
import resource, sys
import mason
name = "n" * 20_000_000
cls = type(name, (), {"__module__": "__main__"})
setattr(sys.modules["__main__"], name, cls)
value = cls()
mason.dumps(value, registry=mason.Registry())
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
outcomes = set()
for room in range(0, 400_000_000, 5_000_000):
    resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))
    try:
        mason.dumps(value, registry=mason.Registry())
    except MemoryError:
        outcomes.add("none")
    else:
        outcomes.add("enough")
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(sorted(outcomes))
"""


@pytest.mark.uninstrumented
def test_a_plan_for_which_there_is_no_room() -> None:
    ran = subprocess.run([sys.executable, "-c", NO_ROOM], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "['enough', 'none']\n"), ran.stderr


NO_MEMORY = """
import collections, datetime, decimal, fractions, sys, uuid
import _testcapi, mason
value = [
    {"$a": [1.5, "\\u20ac" * 9], 3: {4, "x"}, (1, "y"): b"z"},
    decimal.Decimal("1.5"), fractions.Fraction(1, 3), uuid.UUID(int=5), 1 << 99,
    datetime.datetime(2000, 1, 1), datetime.timedelta(1), "\\ud800",
]
value.append(value[0])
# CPython 3.12 and 3.13 crash by themselves when they have no memory for a generator
whole = sys.version_info < (3, 12)
if whole:
    value += [
        collections.deque([1]), collections.OrderedDict(a=1),
        collections.defaultdict(list, {1: 2, "k": 3}),
    ]
for format in ("json", "cbor"):
    data = mason.dumps(value, format=format)
    ways = [
        (lambda: mason.dumps(value, format=format), lambda found: found == data),
        (lambda: mason.loads(data, format=format), lambda found: mason.same(found, value)),
    ]
    for way, is_right in ways:
        reached = spared = 0
        while spared < 20:  # what some functions of CPython lack they do without
            _testcapi.set_nomemory(reached, reached + 1)
            try:
                found = way()
            except MemoryError:
                found = spared = None
            finally:
                _testcapi.remove_mem_hooks()
            if found is None:
                spared = 0
            else:
                assert is_right(found), (format, reached)
                spared += 1
            reached += 1
        assert reached > (50 if whole else 20)
print("done")
"""


@pytest.mark.uninstrumented
def test_memory_that_is_not_there_is_a_memory_error() -> None:
    """Every allocation fails in turn; a document is never said to be wrong for it."""
    pytest.importorskip("_testcapi")
    ran = subprocess.run([sys.executable, "-c", NO_MEMORY], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr


# ------------------------------------------------------------------------- while a document is read

SEES_THE_DOCUMENT = """
import gc, mason, dataclasses
class Bag(frozenset): pass
class Index(dict): pass
class Element:
    armed = None
    def __hash__(self):
        run, Element.armed = Element.armed, None
        if run is not None:
            for seen in gc.get_objects():
                run(seen)
            gc.collect()
        return 1
    def __eq__(self, other): return self is other
@dataclasses.dataclass
class Grown:
    mark: object = None
    more: object = dataclasses.field(default_factory=list)
def cleared(seen):
    if type(seen) is dict and seen.keys() & {"$frozenset", "$map"}: seen.clear()
def emptied(seen):
    if type(seen) is list and seen:
        if type(seen[0]) is Element or seen[-1] == "mark": seen.clear()
def strange(seen):
    if type(seen) is dict and seen.get("mark") == ["mark"]: seen.update({5: 1, None: 2, (1,): 3})
registry = mason.Registry(trust=[Bag, Index, Element])
registry.register(Grown, name="grown", version=2, upgrade={1: lambda fields: fields})
element = '{"$type":"__main__:Element","x":[]}'
many = ",".join([element] * 50)
documents = [
    '{"$type":"__main__:Bag","$frozenset":[%s]}' % many,
    '{"$type":"__main__:Index","$map":[%s]}' % ",".join(["[%s,[\\"mark\\"]]" % element] * 50),
    '{"$set":[%s]}' % many,
    '{"$frozenset":[%s]}' % many,
    '{"$map":[%s]}' % ",".join(["[%s,1]" % element] * 50),
    '[{"$set":[%s]},{"$type":"grown@1","mark":["mark"]}]' % many,
]
for document in documents:
    for way in cleared, emptied, strange:
        Element.armed = way
        try:
            registry.loads('{"$mason":1,"$value":%s}' % document)
        except mason.MasonError:
            pass
print("done")
"""


def test_hashes_that_meddle_with_what_is_read() -> None:
    """Trusted code finds the raw slots of the document through the collector and changes them."""
    ran = subprocess.run([sys.executable, "-c", SEES_THE_DOCUMENT], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "done\n"), ran.stderr
