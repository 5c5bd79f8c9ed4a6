"""The peers and mason, each as a pair of functions that write and read one workload.

Strategy: a contender gets a workload and answers with its best ordinary spelling for it: the reader
that must be told the types is told them (mark `s`), the one that can keep sharing is asked to, the
rest gets a function for what it does not know. What still fails is a row with its reason, found by
trying.
"""

from __future__ import annotations

import importlib
import json
import marshal
import pickle
import platform
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from benchmarks import records
from benchmarks.workloads import Workload

PICKLE = "pickle 5"
MASON_JSON, MASON_TEXT, MASON_CBOR = "mason json", "mason json str", "mason cbor"
MSGPACK, ORJSON = "msgspec msgpack", "orjson"


@dataclass(frozen=True)
class Pair:
    """Hold how a contender writes and reads one workload, and the marks it starts with."""

    dump: Callable[[Any], Any]
    load: Callable[[Any], Any]
    marks: str = ""


@dataclass(frozen=True)
class Contender:
    """Name a contender, the package behind it, and the maker of its pair for a workload."""

    name: str
    package: str
    pair: Callable[[Workload], Pair]
    big_stack: bool = (
        False  # gets a second try in a thread with a big stack where it recursed too deep
    )


def contenders(only_mason: bool = False) -> tuple[list[Contender], list[str]]:
    """Return the contenders that can run here, and the names of those that are not installed."""
    found = [Contender(PICKLE, _package(""), _pickle, big_stack=True)]
    missing = []
    for name, package, pair in _MASON if only_mason else _PEERS + _MASON:
        try:
            if package:
                importlib.import_module(package)
            found.append(Contender(name, _package(package), pair))
        except ImportError:
            missing.append(name)
    return found, missing


def _package(name: str) -> str:
    """Return a package with its version; a module of Python's own has that of Python."""
    if not name:
        return f"Python {platform.python_version()}"
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} from the source tree"


def as_plain(value: Any) -> Any:
    """Return an object that a plain writer does not know as one it does; its type is lost."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    if isinstance(value, records.Status):
        return value.value
    if hasattr(value, "__dict__"):
        return vars(value)
    if hasattr(value, "__attrs_attrs__"):
        return {field.name: getattr(value, field.name) for field in value.__attrs_attrs__}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value)


def _pickle(workload: Workload) -> Pair:
    return Pair(lambda value: pickle.dumps(value, 5), pickle.loads)


def _json(workload: Workload) -> Pair:
    if workload.plain:
        return Pair(json.dumps, json.loads)
    return Pair(lambda value: json.dumps(value, default=as_plain), json.loads)


def _marshal(workload: Workload) -> Pair:
    return Pair(marshal.dumps, marshal.loads)


def _orjson(workload: Workload) -> Pair:
    import orjson

    if workload.plain:
        return Pair(orjson.dumps, orjson.loads)
    return Pair(lambda value: orjson.dumps(value, as_plain, orjson.OPT_NON_STR_KEYS), orjson.loads)


def _ormsgpack(workload: Workload) -> Pair:
    import ormsgpack

    if workload.plain:
        return Pair(ormsgpack.packb, ormsgpack.unpackb)
    keys = ormsgpack.OPT_NON_STR_KEYS
    return Pair(
        lambda value: ormsgpack.packb(value, as_plain, keys),
        lambda data: ormsgpack.unpackb(data, option=keys),
    )


def _msgspec_json(workload: Workload) -> Pair:
    import msgspec.json

    return _msgspec(workload, msgspec.json)


def _msgspec_msgpack(workload: Workload) -> Pair:
    import msgspec.msgpack

    return _msgspec(workload, msgspec.msgpack)


def _msgspec(workload: Workload, module: Any) -> Pair:
    writer = module.Encoder(enc_hook=None if workload.plain else as_plain)
    if workload.shape is None:
        return Pair(writer.encode, module.Decoder().decode)
    return Pair(writer.encode, module.Decoder(workload.shape).decode, "s")


def _cbor2(workload: Workload) -> Pair:
    import cbor2

    def write_plain(encoder: Any, value: Any) -> None:
        encoder.encode(as_plain(value))

    if workload.plain:
        return Pair(cbor2.dumps, cbor2.loads)
    # UTC: it refuses naive datetimes unless told a zone, and then gives them back with it
    sharing = workload.sharing
    return Pair(
        lambda value: cbor2.dumps(value, timezone=UTC, default=write_plain, value_sharing=sharing),
        cbor2.loads,
    )


def _mason_json(workload: Workload) -> Pair:
    import mason

    return Pair(mason.dumpb, _mason_load(workload, "json"))


def _mason_text(workload: Workload) -> Pair:
    import mason

    return Pair(mason.dumps, _mason_load(workload, "json"))


def _mason_cbor(workload: Workload) -> Pair:
    import mason

    return Pair(lambda value: mason.dumpb(value, format="cbor"), _mason_load(workload, "cbor"))


def _mason_load(workload: Workload, format: Literal["json", "cbor"]) -> Callable[[Any], Any]:
    """Return mason's reader for a workload, trusting our classes where it holds instances."""
    import mason

    if not workload.instances:
        return lambda data: mason.loads(data, format=format)
    registry = mason.Registry(trust=[records.MODULE])
    return lambda data: registry.loads(data, format=format)


_PEERS: list[tuple[str, str, Callable[[Workload], Pair]]] = [
    ("json", "", _json),
    ("marshal", "", _marshal),
    (ORJSON, "orjson", _orjson),
    ("msgspec json", "msgspec", _msgspec_json),
    (MSGPACK, "msgspec", _msgspec_msgpack),
    ("ormsgpack", "ormsgpack", _ormsgpack),
    ("cbor2", "cbor2", _cbor2),
]
_MASON: list[tuple[str, str, Callable[[Workload], Pair]]] = [
    (MASON_JSON, "mason", _mason_json),
    (MASON_TEXT, "mason", _mason_text),
    (MASON_CBOR, "mason", _mason_cbor),
]
