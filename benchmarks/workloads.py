"""The objects that are written and read, each made from a seed in as many equal shapes as asked."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import GenericAlias
from typing import Any

from benchmarks import lookalikes, records

FILES = {
    "twitter": "twitter.json",
    "citm": "citm_catalog.json",
    "canada": "canada.json",
    "github": "github.json",
}


@dataclass(frozen=True)
class Workload:
    """Describe one object to measure: how to make it, and what a contender has to know about it."""

    name: str
    about: str
    make: Callable[[int, int], Any]  # (seed, size) -> object
    size: int
    shape: Any = None  # what a reader that must be told the types is told
    plain: bool = False  # str, numbers, lists and dicts with str keys only
    sharing: bool = False  # parts of it are met more than once
    deep: bool = False  # recursion on it ends in an error, or in a crash
    instances: bool = False  # holds objects of our classes
    optional: bool = False  # measured only when named

    def documents(self, count: int, scale: float = 1.0) -> list[Any]:
        """Return `count` objects of equal shape and other values.

        Their size is `scale` times the full one; what is small stays as it is.
        """
        size = self.size if self.size < 1000 else max(2, int(self.size * scale))
        return [self.make(seed, size) for seed in range(count)]


def choose(names: list[str] | None, data: Path | None = None) -> list[Workload]:
    """Return the workloads whose names begin with one of `names`; by default all but the optional.

    Raises SystemExit for a name that fits none.
    """
    every = list(_workloads(data))
    if not names:
        return [workload for workload in every if not workload.optional]
    for name in names:
        if not any(_fits(workload, name) for workload in every):
            known = " ".join(workload.name for workload in every)
            raise SystemExit(f"no workload begins with {name!r}; there are: {known}")
    return [workload for workload in every if any(_fits(workload, name) for name in names)]


def _fits(workload: Workload, name: str) -> bool:
    """Tell whether a workload is meant by `name`; an optional one has to be named in full."""
    return workload.name == name if workload.optional else workload.name.startswith(name)


def _workloads(data: Path | None) -> Iterator[Workload]:
    """Yield every workload; the four documents come from `data`, or are look-alikes."""
    yield _document("twitter", lookalikes.twitter, 100, data)
    yield _document("citm", lookalikes.citm, 243, data)
    yield _document("canada", lookalikes.canada, 56_000, data)
    yield _document("github", lookalikes.github, 30, data)
    yield Workload("simple_dicts", "dict records of 5 fields", _simple_dicts, 100_000, plain=True)
    yield Workload("ints", "integers of 1 to 62 bits", _ints, 300_000, plain=True)
    yield Workload("floats", "floats of 15 to 17 digits", _floats, 150_000, plain=True)
    yield Workload("text", "paragraphs, every fourth not ASCII", _text, 10_000, plain=True)
    yield Workload("strs_shared", "the same 100 str objects", _strs_shared, 300_000, plain=True)
    yield Workload("strs_equal", "equal, distinct str objects", _strs_equal, 300_000, plain=True)
    yield Workload("keys", "dict with int and tuple keys", _keys, 15_000)
    yield Workload("shared_dicts", "the same 100 dicts", _shared_dicts, 20_000, sharing=True)
    yield from _instance_workloads()
    yield from _graph_workloads()
    yield Workload("pp_group", "dict, tuple and group of dicts", _pp_group, 3)
    yield Workload("pp_list", "lists of small ints", _pp_list, 10, plain=True)
    yield Workload(
        "pp_dict", "dicts of dicts with int keys", _pp_dict, 100, shape=dict[int, dict[int, None]]
    )


def _document(
    name: str, lookalike: Callable[[int, int], Any], size: int, data: Path | None
) -> Workload:
    """Return a document workload: the file itself with varied values, or one that looks like it."""
    path = data / FILES[name] if data else None
    if path is None or not path.is_file():
        return Workload(name, "look-alike, generated", lookalike, size, plain=True)
    return Workload(
        name, path.name, lambda seed, _: lookalikes.variation(_read(path), seed), 1, plain=True
    )


def _read(path: Path) -> Any:
    """Return the JSON document at `path`."""
    return json.loads(path.read_text(encoding="utf-8"))


def _instance_workloads() -> Iterator[Workload]:
    """Yield the lists of instances."""
    simple = list[records.Simple]
    yield Workload(
        "inst_simple", "dataclass, 5 plain fields", _simple, 20_000, shape=simple, instances=True
    )
    yield Workload(
        "inst_simple_100k",
        "the same, 100k of them",
        _simple,
        100_000,
        shape=simple,
        instances=True,
        optional=True,
    )
    kinds: list[tuple[str, str, Any, Any]] = [
        ("inst_dataclass", "dataclass", records.Mixed, records.Address),
        ("inst_slots", "dataclass with slots", records.MixedSlots, records.AddressSlots),
        ("inst_namedtuple", "named tuple", records.MixedTuple, records.AddressTuple),
    ]
    if hasattr(records, "MixedAttrs"):
        kinds.append(("inst_attrs", "attrs class", records.MixedAttrs, records.AddressAttrs))
    for name, about, kind, nested in kinds:
        make = _mixed(kind, nested)
        yield Workload(
            name,
            f"{about}, 8 mixed fields",
            make,
            20_000,
            shape=GenericAlias(list, kind),
            instances=True,
        )
    plain = _mixed(records.MixedPlain, records.AddressPlain)
    yield Workload("inst_plain", "plain class, 8 mixed attributes", plain, 20_000, instances=True)


def _graph_workloads() -> Iterator[Workload]:
    """Yield what needs identity, or more depth than a C stack has."""
    graph = {"instances": True, "sharing": True, "deep": True}
    yield Workload("tree_parent", "tree whose children know their parent", _tree, 20_000, **graph)
    yield Workload("graph", "random graph, 3 links a node", _graph, 10_000, **graph)
    yield Workload("dll", "doubly linked list", _linked, 20_000, **graph)
    yield Workload("deep10k", "lists nested 10,000 deep", _deep, 10_000, deep=True)


def _name(chance: random.Random, length: int = 8) -> str:
    """Return a random word."""
    return "".join(chance.choices(string.ascii_lowercase, k=length))


def _simple_dicts(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    return [
        {
            "id": 100_000 + number,
            "name": _name(chance),
            "score": chance.random(),
            "count": chance.randrange(1000),
            "active": chance.random() < 0.5,
        }
        for number in range(size)
    ]


def _ints(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    return [chance.getrandbits(chance.choice((4, 8, 16, 31, 62))) - 8 for _ in range(size)]


def _floats(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    return [chance.uniform(-180, 180) for _ in range(size)]


def _text(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    plain = string.ascii_letters + "      .,\n"
    foreign = plain + "äöüßéèêñ" * 3 + lookalikes.KANA
    return [
        "".join(chance.choices(plain if number % 4 else foreign, k=120)) for number in range(size)
    ]


def _strs_shared(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    words = [_name(chance, chance.randint(4, 12)) for _ in range(100)]
    return chance.choices(words, k=size)


def _strs_equal(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    words = [_name(chance, chance.randint(4, 12)).encode() for _ in range(100)]
    return [word.decode() for word in chance.choices(words, k=size)]


def _keys(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    third = size // 3
    return {
        **{number * 7 + seed: _name(chance) for number in range(2 * third)},
        **{(number, seed): chance.random() for number in range(third)},
    }


def _shared_dicts(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    shared = [
        {"id": number, "name": _name(chance), "score": chance.random()} for number in range(100)
    ]
    return chance.choices(shared, k=size)


def _simple(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    return [
        records.Simple(
            100_000 + number,
            _name(chance),
            chance.random(),
            chance.randrange(1000),
            chance.random() < 0.5,
        )
        for number in range(size)
    ]


def _mixed(kind: Any, nested: Any) -> Callable[[int, int], Any]:
    """Return the maker of lists of `kind` whose addresses are of `nested`."""

    def make(seed: int, size: int) -> Any:
        chance = random.Random(seed)
        start = datetime(2026, 1, 1, 8, 30, 15, 250)
        states = list(records.Status)
        return [
            kind(
                100_000 + number,
                _name(chance),
                Decimal(chance.randrange(100, 1_000_000)) / 100,
                start
                + timedelta(seconds=chance.randrange(10**7), microseconds=chance.randrange(10**6)),
                chance.choice(states),
                [_name(chance, 5) for _ in range(chance.randint(1, 3))],
                nested(
                    f"{chance.randrange(200)} {_name(chance)} street",
                    _name(chance),
                    f"{chance.randrange(10**5):05}",
                ),
                _name(chance, 20) if chance.random() < 0.5 else None,
            )
            for number in range(size)
        ]

    return make


def _tree(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    nodes = [records.Branch(_name(chance))]
    while len(nodes) < size:
        parent = nodes[(len(nodes) - 1) // 4]
        child = records.Branch(_name(chance), parent)
        parent.children.append(child)
        nodes.append(child)
    return nodes[0]


def _graph(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    nodes = [records.Vertex(number) for number in range(size)]
    for node in nodes:
        node.links = chance.sample(nodes, min(3, size))
    return nodes


def _linked(seed: int, size: int) -> Any:
    first = last = records.Link(seed)
    for number in range(1, size):
        last.after = records.Link(seed + number, last)
        last = last.after
    return first


def _deep(seed: int, size: int) -> Any:
    nest: list[Any] = [seed]
    for _ in range(size - 1):
        nest = [nest]
    return nest


def _pp_record(seed: int) -> dict[str, Any]:
    """Return a user's record as pyperformance pickles it: 33 short fields, one of them a date."""
    chance = random.Random(seed)
    numbers = {f"{_name(chance, 6)}_count": chance.randrange(30) for _ in range(10)}
    words = {f"{_name(chance, 9)}": _name(chance, chance.randrange(12)) for _ in range(12)}
    ids = {f"{_name(chance, 8)}_id": chance.randrange(10**9) for _ in range(6)}
    times = {
        "time_created": 1_225_237_014 + seed,
        "time_updated": 1_233_134_493 + seed,
        "flags": 412_317_970_704,
    }
    return {
        **numbers,
        "birthday": date(1980, 5, 7),
        **words,
        **ids,
        **times,
        "tags": list("abcdefg"),
    }


def _pp_group(seed: int, size: int) -> Any:
    chance = random.Random(seed)
    numbers = ([265_240_000 + chance.randrange(10**6) for _ in range(20)], 60)
    return [_pp_record(seed), numbers, [_pp_record(seed + number) for number in range(1, size + 1)]]


def _pp_list(seed: int, size: int) -> Any:
    return [[list(range(seed, 10 + seed)), list(range(seed, 10 + seed))] for _ in range(size)]


def _pp_dict(seed: int, size: int) -> Any:
    return {key + seed: dict.fromkeys(range(10)) for key in range(size)}
