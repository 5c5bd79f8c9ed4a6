"""Any Python object as readable JSON or standard CBOR and back, exactly; no file runs code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mason import trust
from mason._api import dump, dumpb, dumps, load, loads, read, reads
from mason.document import Document, Name, Record, Simple, Tag
from mason.errors import (
    DumpError,
    FieldError,
    JSONError,
    LimitError,
    LoadError,
    MasonError,
    Need,
    PathError,
    Problem,
    UnknownFormatError,
    UntrustedError,
)
from mason.inspection.sameness import Difference, difference, same
from mason.limits import Limits
from mason.registry import Registry, RegistryError

if TYPE_CHECKING:
    from mason import json as json
    from mason import pickle as pickle

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in ("json", "pickle"):  # imported when they are asked for
        from importlib import import_module

        return import_module(f"mason.{name}")
    raise AttributeError(f"module 'mason' has no attribute {name!r}")


__all__ = [
    "Difference",
    "Document",
    "DumpError",
    "FieldError",
    "JSONError",
    "LimitError",
    "Limits",
    "LoadError",
    "MasonError",
    "Name",
    "Need",
    "PathError",
    "Problem",
    "Record",
    "Registry",
    "RegistryError",
    "Simple",
    "Tag",
    "UnknownFormatError",
    "UntrustedError",
    "difference",
    "dump",
    "dumpb",
    "dumps",
    "load",
    "loads",
    "read",
    "reads",
    "same",
    "trust",
]
