"""How each library is asked to write an object and to read it back.

A maker gets the `Subject` and imports its library when it is called, in the child that tries it. It
is called twice, for the writer and for the reader: what a library remembers of an object from
writing it (pyfory's classes) must not help it to read, since the reader of a file is another
process.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal, NamedTuple


@dataclass(frozen=True)
class Subject:
    """Hold the object that is taken through the formats, and which kind of table it is, if one.

    `table` is "rows" (a list of flat dicts), "columns" (a dict of lists of one length) or "".
    `bulk` tells that it is plain data, and very much of it.
    """

    obj: Any
    table: str = ""
    bulk: bool = False


class Pair(NamedTuple):
    """Hold how one library writes an object and reads what it wrote."""

    dump: Callable[[Any], bytes | str]
    load: Callable[[Any], Any]


Maker = Callable[[Subject], Pair]


def json(subject: Subject) -> Pair:
    """Spell the standard library's json."""
    module: Any = import_module("json")
    return Pair(module.dumps, module.loads)


def pickle(protocol: int) -> Maker:
    """Spell the standard library's pickle in one protocol."""

    def pair(subject: Subject) -> Pair:
        module: Any = import_module("pickle")
        return Pair(lambda obj: module.dumps(obj, protocol), module.loads)

    return pair


def marshal(subject: Subject) -> Pair:
    """Spell marshal, with which Python keeps compiled modules."""
    module: Any = import_module("marshal")
    return Pair(module.dumps, module.loads)


def mason(format: Literal["json", "cbor"]) -> Maker:
    """Spell mason; its reader trusts the names in what this process itself wrote."""

    def pair(subject: Subject) -> Pair:
        from mason import Registry, dumpb

        registry = Registry(trust=lambda name, use: True)
        return Pair(
            lambda obj: dumpb(obj, format=format), lambda data: registry.loads(data, format=format)
        )

    return pair


def orjson(subject: Subject) -> Pair:
    """Spell orjson, told to take keys that are not text."""
    module: Any = import_module("orjson")
    option = module.OPT_NON_STR_KEYS
    return Pair(lambda obj: module.dumps(obj, option=option), module.loads)


def msgspec(name: str) -> Maker:
    """Spell one of the two formats of msgspec."""

    def pair(subject: Subject) -> Pair:
        module: Any = import_module(name)
        return Pair(module.Encoder().encode, module.Decoder().decode)

    return pair


def ormsgpack(subject: Subject) -> Pair:
    """Spell ormsgpack, told to take keys that are not text."""
    module: Any = import_module("ormsgpack")
    option = module.OPT_NON_STR_KEYS
    return Pair(
        lambda obj: module.packb(obj, option=option),
        lambda data: module.unpackb(data, option=option),
    )


def cbor2(subject: Subject) -> Pair:
    """Spell cbor2, told to keep sharing."""
    module: Any = import_module("cbor2")
    return Pair(lambda obj: module.dumps(obj, value_sharing=True), module.loads)


def jsonpickle(subject: Subject) -> Pair:
    """Spell jsonpickle, told to keep keys and to say when a class is missing."""
    module: Any = import_module("jsonpickle")
    return Pair(
        lambda obj: module.encode(obj, keys=True),
        lambda text: module.decode(text, keys=True, on_missing="error"),
    )


def dumps_loads(name: str) -> Maker:
    """Spell a module that has `dumps` and `loads` as pickle has."""

    def pair(subject: Subject) -> Pair:
        module: Any = import_module(name)
        return Pair(module.dumps, module.loads)

    return pair


def cloudpickle(subject: Subject) -> Pair:
    """Spell cloudpickle, which would know again the classes that it wrote by value itself."""
    module: Any = import_module("cloudpickle")
    inside: Any = import_module("cloudpickle.cloudpickle")

    def load(data: bytes) -> Any:
        for name in ("_DYNAMIC_CLASS_TRACKER_BY_CLASS", "_DYNAMIC_CLASS_TRACKER_BY_ID"):
            getattr(inside, name, {}).clear()
        return module.loads(data)

    return Pair(module.dumps, load)


def joblib(subject: Subject) -> Pair:
    """Spell joblib, which knows files only."""
    module: Any = import_module("joblib")

    def dump(obj: Any) -> bytes:
        file = io.BytesIO()
        module.dump(obj, file)
        return file.getvalue()

    return Pair(dump, lambda data: module.load(io.BytesIO(data)))


def pyfory(subject: Subject) -> Pair:
    """Spell pyfory as its documents do for replacing pickle, told to keep sharing."""
    module: Any = import_module("pyfory")
    fory = module.Fory(xlang=False, ref=True, strict=False)
    return Pair(fory.dumps, fory.loads)


def skops(subject: Subject) -> Pair:
    """Spell skops; its reader trusts whatever the file asks for."""
    module: Any = import_module("skops.io")

    def load(data: bytes) -> Any:
        return module.loads(data, trusted=module.get_untrusted_types(data=data))

    return Pair(module.dumps, load)


def yaml(half: Literal["safe", "unsafe"]) -> Maker:
    """Spell a half of PyYAML, told to leave the order of keys; the unsafe writes any object."""

    def pair(subject: Subject) -> Pair:
        module: Any = import_module("yaml")
        dump, load = {
            "safe": (module.safe_dump, module.safe_load),
            "unsafe": (module.dump, module.unsafe_load),
        }[half]
        return Pair(lambda obj: dump(obj, sort_keys=False), load)

    return pair


def pyarrow(name: str, write: str) -> Maker:
    """Spell a format of pyarrow for a table: its module, and what writes a file there."""

    def pair(subject: Subject) -> Pair:
        module: Any = import_module(f"pyarrow.{name}")

        def written(table: Any) -> bytes:
            file = io.BytesIO()
            getattr(module, write)(table, file)
            return file.getvalue()

        return _table(subject, written, lambda data: module.read_table(io.BytesIO(data)))

    return pair


def _table(subject: Subject, write: Callable[[Any], bytes], read: Callable[[bytes], Any]) -> Pair:
    """Spell a format of tables: from rows or columns to its own table, and back."""
    table: Any = import_module("pyarrow").Table
    if subject.table == "columns":
        return Pair(lambda obj: write(table.from_pydict(obj)), lambda data: read(data).to_pydict())
    return Pair(lambda obj: write(table.from_pylist(obj)), lambda data: read(data).to_pylist())
