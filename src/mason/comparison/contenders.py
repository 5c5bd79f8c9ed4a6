"""The formats that an object is taken through, one row each: this is where the next one is added.

A contender is spelled as somebody would who wants the same object back: whatever the library has to
keep types and sharing is switched on, and nothing is converted by hand. What a row says of a format
(who reads it, whether loading runs code) is a fact of the format; what it does to an object is
found by trying.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

from mason.comparison import spellings
from mason.comparison.spellings import Pair, Subject

Safety = Literal["yes", "no", "named classes only"]
Renaming = Literal["yes", "one line", "no"]

_EVERYBODY = "every language"
_TABLE_TOOLS = "Python, R, Java, C++, Rust, ..."


@dataclass(frozen=True)
class Contender:
    """Describe one format as one library writes it.

    `library` is what is installed ("" for Python itself), `pair` makes how to write and read, which
    happens in the child that tries it. `safe` says whether a stranger's file may be loaded,
    `runs_code` whether loading may run what the data says. `command` is what one would type.
    """

    name: str
    library: str
    pair: Callable[[Subject], Pair]
    command: str
    safe: Safety
    readers: str
    human: Literal["yes", "no"]
    renamed: Renaming
    runs_code: bool = False
    writes_nan: bool = False  # into a format whose other readers do not know it
    tables: bool = False
    on_request: bool = False

    @property
    def installed(self) -> bool:
        """Tell whether its library is there; it is not imported for that."""
        return not self.library or find_spec(_MODULES.get(self.library, self.library)) is not None

    @property
    def package(self) -> str:
        """Return the library with its version."""
        if not self.library:
            return f"Python {sys.version.split()[0]}"
        from importlib.metadata import PackageNotFoundError, version

        try:
            return f"{self.library} {version(self.library)}"
        except PackageNotFoundError:  # it lies on the path and was not installed
            return self.library


# where the module is not called as the library is
_MODULES = {"PyYAML": "yaml"}


def _pickle(protocol: int, on_request: bool = True) -> Contender:
    return Contender(
        f"pickle {protocol}", "", spellings.pickle(protocol),
        f"pickle.dump(obj, file, protocol={protocol})",
        "no", "Python", "no", "no", runs_code=True, on_request=on_request,
    )  # fmt: skip


CONTENDERS: tuple[Contender, ...] = (
    Contender(
        "json", "", spellings.json, "json.dump(obj, file)",
        "yes", _EVERYBODY, "yes", "yes", writes_nan=True,
    ),
    *(_pickle(protocol) for protocol in range(5)),
    _pickle(5, on_request=False),
    Contender(
        "marshal", "", spellings.marshal, "marshal.dump(obj, file)",
        # it runs nothing, and its documents say that it is not made for hostile data
        "no", "this Python", "no", "yes",
    ),
    Contender(
        "mason json", "mason", spellings.mason("json"), 'mason.dump(obj, "file.json")',
        "named classes only", _EVERYBODY, "yes", "one line",
    ),
    Contender(
        "mason cbor", "mason", spellings.mason("cbor"), 'mason.dump(obj, "file.cbor")',
        "named classes only", _EVERYBODY, "no", "one line",
    ),
    Contender(
        "orjson", "orjson", spellings.orjson, "file.write(orjson.dumps(obj))",
        "yes", _EVERYBODY, "yes", "yes",
    ),
    Contender(
        "msgspec json", "msgspec", spellings.msgspec("msgspec.json"),
        "file.write(msgspec.json.encode(obj))",
        "yes", _EVERYBODY, "yes", "yes",
    ),
    Contender(
        "msgspec msgpack", "msgspec", spellings.msgspec("msgspec.msgpack"),
        "file.write(msgspec.msgpack.encode(obj))",
        "yes", _EVERYBODY, "no", "yes",
    ),
    Contender(
        "ormsgpack", "ormsgpack", spellings.ormsgpack, "file.write(ormsgpack.packb(obj))",
        "yes", _EVERYBODY, "no", "yes",
    ),
    Contender(
        "cbor2", "cbor2", spellings.cbor2, "cbor2.dump(obj, file, value_sharing=True)",
        "yes", _EVERYBODY, "no", "yes",
    ),
    Contender(
        "jsonpickle", "jsonpickle", spellings.jsonpickle,
        "file.write(jsonpickle.encode(obj, keys=True))",
        "no", "Python", "yes", "one line", runs_code=True,
    ),
    Contender(
        "cloudpickle", "cloudpickle", spellings.cloudpickle,
        "cloudpickle.dump(obj, file)",
        "no", "Python", "no", "no", runs_code=True,
    ),
    Contender(
        "dill", "dill", spellings.dumps_loads("dill"), "dill.dump(obj, file)",
        "no", "Python", "no", "no", runs_code=True,
    ),
    Contender(
        "joblib", "joblib", spellings.joblib, "joblib.dump(obj, file)",
        "no", "Python", "no", "no", runs_code=True,
    ),
    Contender(
        "pyfory", "pyfory", spellings.pyfory,
        "file.write(pyfory.Fory(xlang=False, ref=True, strict=False).dumps(obj))",
        "no", "Python", "no", "no", runs_code=True,
    ),
    Contender(
        "skops", "skops", spellings.skops, "skops.io.dump(obj, file)",
        "named classes only", "Python", "no", "no",
    ),
    Contender(
        "yaml safe", "PyYAML", spellings.yaml("safe"), "yaml.safe_dump(obj, file, sort_keys=False)",
        "yes", _EVERYBODY, "yes", "yes",
    ),
    Contender(
        "yaml unsafe", "PyYAML", spellings.yaml("unsafe"), "yaml.dump(obj, file, sort_keys=False)",
        "no", "Python", "yes", "no", runs_code=True,
    ),
    Contender(
        "parquet", "pyarrow", spellings.pyarrow("parquet", "write_table"),
        "pyarrow.parquet.write_table(table, file)",
        "yes", _TABLE_TOOLS, "no", "yes", tables=True,
    ),
    Contender(
        "arrow", "pyarrow", spellings.pyarrow("feather", "write_feather"),
        "pyarrow.feather.write_feather(table, file)",
        "yes", _TABLE_TOOLS, "no", "yes", tables=True,
    ),
)  # fmt: skip


def chosen(
    only: Iterable[str] | None, protocols: bool, known: Iterable[Contender] = CONTENDERS
) -> list[Contender]:
    """Return the contenders that were asked for: all there are, or those that `only` names.

    A name stands for the contender and for the family that begins with it ("pickle", "msgspec").
    Raises ValueError for a name that nobody has.
    """
    known = list(known)
    if only is None:
        return [one for one in known if protocols or not one.on_request]
    wanted = list(only)
    for name in wanted:
        if not any(named(one, [name]) for one in known):
            names = ", ".join(one.name for one in known)
            raise ValueError(f"no contender is called {name!r}; there are {names}")
    found = [one for one in known if named(one, wanted)]
    if protocols:
        return found
    return [one for one in found if not one.on_request or one.name in wanted]


def named(contender: Contender, names: Iterable[str]) -> bool:
    """Tell whether one of the names means this contender or its family."""
    return any(f"{contender.name} ".startswith(f"{name} ") for name in names)
