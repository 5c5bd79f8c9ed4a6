"""Any Python object as readable JSON or standard CBOR and back, exactly; no file runs code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mason import trust
from mason._api import dump, dumpb, dumps, load, loads, read, reads
from mason._core import Name, Record, Simple, Tag
from mason.errors import (
    DumpError,
    FieldError,
    JSONError,
    LimitError,
    LoadError,
    MasonError,
    Need,
    PathError,
    PolicyError,
    Problem,
    RegistryError,
    UnknownFormatError,
    UntrustedError,
)
from mason.registry import Registry

if TYPE_CHECKING:
    from mason import json as json
    from mason import pickle as pickle
    from mason.comparison.comparing import Comparison, compare
    from mason.document import Document
    from mason.inspection.sameness import Difference, difference, same
    from mason.limits import Limits

__version__ = "0.1.0"

# Dumping and loading need none of these, and what they import takes longer than all the rest.
_LATER = {
    "Comparison": "mason.comparison.comparing",
    "Difference": "mason.inspection.sameness",
    "Document": "mason.document",
    "Limits": "mason.limits",
    "compare": "mason.comparison.comparing",
    "difference": "mason.inspection.sameness",
    "same": "mason.inspection.sameness",
}


def __getattr__(name: str) -> object:
    """Import what is used seldom when it is asked for (PEP 562)."""
    from importlib import import_module

    if name in ("json", "pickle"):
        return import_module(f"mason.{name}")
    if name not in _LATER:
        raise AttributeError(f"module 'mason' has no attribute {name!r}")
    globals()[name] = found = getattr(import_module(_LATER[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER, "json", "pickle"})


__all__ = [
    "Comparison",
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
    "PolicyError",
    "Problem",
    "Record",
    "Registry",
    "RegistryError",
    "Simple",
    "Tag",
    "UnknownFormatError",
    "UntrustedError",
    "compare",
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
