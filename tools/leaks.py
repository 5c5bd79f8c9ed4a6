"""Repeat dumps, loads and refusals, and end with 1 when anything grows with the number of rounds.

Strategy: three things are watched, because each sees what the others cannot. The number of
allocated blocks sees Python objects that were never freed; the C library's own count of bytes
in use sees memory that the core took without Python; the reference counts of objects that live
on anyway (classes, keys, constants) see a reference that was taken and never given back. A leak
grows in every repetition, a cache only in the first, so the smallest growth of several
repetitions is what counts.
"""

from __future__ import annotations

import argparse
import ctypes
import datetime
import decimal
import enum
import gc
import sys
import uuid
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import mason

REPETITIONS = 4


class Status(enum.Enum):
    """A member is an object that lives on: its count must not move."""

    PAID = "paid"


class Place(NamedTuple):
    """A named tuple with a default."""

    city: str
    country: str = "DE"


@dataclass
class Order:
    """A dataclass whose attributes lie in a dictionary."""

    number: int
    status: Status = Status.PAID
    tags: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Line:
    """A dataclass with slots, one of which may stay empty."""

    text: str
    order: Any = None


class Node:
    """A plain class."""

    def __init__(self, value: Any) -> None:
        """Hold a value and point at itself."""
        self.value = value
        self.me = self


def graph() -> list[Any]:
    """Return one of everything, with sharing and cycles."""
    shared = [1, 2**70, -0.5, "key", None, True]
    order = Order(1, tags=[shared, shared])
    order.tags.append(order)
    line = Line("a", order)
    values = [
        *(order, line, Place("Berlin"), Node({"a": shared}), Status.PAID, Order, graph),
        *((1, 2), {3, "x"}, frozenset({4}), {1: "a", (2, 3): "b"}, b"bytes", bytearray(b"more")),
        *(1j, float("nan"), decimal.Decimal("12.50"), uuid.UUID(int=7), PurePosixPath("/tmp")),
        *(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), datetime.timedelta(1), range(3)),
        *(OrderedDict(a=1), defaultdict(list, a=[1]), deque([1, 2], 5)),
    ]
    values.append(values)
    return values


GRAPH = graph()
TRUST = [Order, Line, Place, Node, Status, mason.trust.call(graph)]
JSON = mason.dumps(GRAPH).encode()
CBOR = mason.dumps(GRAPH, format="cbor")
LIVE_ON = [
    *(None, True, False, (), "", 0, 1, list, dict, object, datetime.UTC),
    *(Order, Line, Place, Node, Status, Status.PAID, graph),
    *(sys.intern("number"), sys.intern("me"), sys.intern("value"), sys.intern("key")),
]


def refused(action: Callable[..., Any], *given: Any, **options: Any) -> Callable[[], None]:
    """Return a call that must end in a MasonError."""

    def run() -> None:
        try:
            action(*given, **options)
        except mason.MasonError:
            return
        raise AssertionError(f"{action.__name__} was expected to refuse {given!r:.80}")

    return run


def cut(data: bytes) -> Callable[[], None]:
    """Return a call that loads a document cut off at many places."""
    heads = [data[:end] for end in range(1, len(data), max(1, len(data) // 60))]

    def run() -> None:
        for head in heads:
            refused(mason.loads, head, trust=TRUST)()

    return run


def inert(data: bytes) -> None:
    """Read, look at, build and write back a document."""
    document = mason.reads(data)
    assert document.needs
    document.build(trust=TRUST)


CASES: dict[str, Callable[[], object]] = {
    "dump json": lambda: mason.dumps(GRAPH),
    "dump json, indented": lambda: mason.dumps(GRAPH, indent=2),
    "dump cbor": lambda: mason.dumps(GRAPH, format="cbor"),
    "dump without sharing": lambda: mason.dumps([1, {"a": [2.5, "x"]}], shared=False),
    "load json": lambda: mason.loads(JSON, trust=TRUST),
    "load json, str": lambda: mason.loads(JSON.decode(), trust=TRUST),
    "load cbor": lambda: mason.loads(CBOR, trust=TRUST),
    "load, unknown kept": lambda: mason.loads(CBOR, unknown="keep"),
    "load by type": lambda: mason.loads(mason.dumps(Order(1)), Order),
    "kept and written back": lambda: mason.dumps(mason.loads(JSON, unknown="keep")),
    "read and build json": lambda: inert(JSON),
    "read and build cbor": lambda: inert(CBOR),
    "same": lambda: mason.same(GRAPH, GRAPH),
    "difference": lambda: mason.difference([1, [2]], [1, [3]]),
    "registry": lambda: mason.Registry(trust=[Order, Status]).loads(mason.dumps(Order(1))),
    "cannot be written": refused(mason.dumps, [1, {"a": (lambda: 0, Order(2, tags=[open]))}]),
    "not plain": refused(mason.dumps, [{1, 2}], plain=True),
    "not trusted json": refused(mason.loads, JSON),
    "not trusted cbor": refused(mason.loads, CBOR),
    "json cut off": cut(JSON),
    "cbor cut off": cut(CBOR),
    "json, bad syntax": refused(mason.loads, b'{"a": [1, 2,, 3]}'),
    "json, same key twice": refused(mason.loads, b'{"a": [1], "a": 2}'),
    "json, not utf-8": refused(mason.loads, b'["\xff"]', format="json"),
    "cbor, huge length": refused(mason.loads, b"\x9b\x7f" + b"\xff" * 7 + b"\x01", format="cbor"),
    "cbor, trailing bytes": refused(mason.loads, b"\x81\x01\x02", format="cbor"),
    "field that is gone": refused(
        mason.loads,
        mason.dumps(Order(1)).replace('"number"', '"gone"'),
        Order,
    ),
}


class MallInfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]


def native_bytes() -> int:
    """Return the bytes that C code holds by malloc, 0 where the C library cannot say."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        return 0
    mallinfo2.restype = MallInfo
    info = mallinfo2()
    return int(info.uordblks + info.hblkhd)


def measure() -> dict[str, int]:
    """Return all that is watched."""
    gc.collect()
    counts = {f"references to {it!r:.40}": sys.getrefcount(it) for it in LIVE_ON}
    return {"native bytes": native_bytes(), "blocks": sys.getallocatedblocks(), **counts}


def growth(case: Callable[[], object], rounds: int) -> dict[str, float]:
    """Return what grew in every repetition, per round."""
    for _ in range(rounds):
        case()
    least: dict[str, int] = {}
    before = measure()
    for _ in range(REPETITIONS):
        for _ in range(rounds):
            case()
        after = measure()
        for what, count in after.items():
            grown = count - before[what]
            least[what] = min(grown, least.get(what, grown))
        before = after
    # A leak loses at least one thing in every round; less is a container that rounded up its size.
    return {what: grown / rounds for what, grown in least.items() if grown >= rounds}


def main() -> int:
    """Run the cases and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--rounds", type=int, default=200, help="per repetition (default 200)")
    options.add_argument(
        "-k", metavar="WORD", default="", help="only cases with WORD in their name"
    )
    given = options.parse_args()
    leaking = 0
    for name, case in CASES.items():
        if given.k in name:
            found = growth(case, given.rounds)
            leaking += bool(found)
            text = ", ".join(f"{what} +{by:.1f} a round" for what, by in found.items())
            print(f"{'LEAK' if found else 'ok':5} {name:24} {text}", flush=True)
    print(f"{leaking} of the cases leak" if leaking else "nothing grows")
    return bool(leaking)


if __name__ == "__main__":
    sys.exit(main())
