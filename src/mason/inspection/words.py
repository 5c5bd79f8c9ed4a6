"""Short texts about objects: none of their code is run, and a terminal can show them."""

from __future__ import annotations

import math
import struct
import sys
import types
from typing import Any

from mason.errors import shown
from mason.inspection.classes import class_name, descends, instance_dict
from mason.inspection.natives import native

_ROOM = 60
_LARGE = 2_000  # bits; a longer int is told by its length (Python spells no more than 4300 digits)
_SIZED = (list, tuple, dict, set, frozenset, str, bytes, bytearray)


def brief(obj: Any, room: int = _ROOM) -> str:
    """Return what an object is in a few words: `'abc'`, `list of 3`, `class shop.Order`."""
    cls = type(obj)
    if cls is str or cls is bytes:
        return _cut(obj, room)
    if cls is int and obj.bit_length() > _LARGE:
        return f"int of {obj.bit_length()} bits"
    if cls is float and math.isnan(obj):
        return f"nan ({struct.pack('>d', obj).hex()})"
    return shown(_named(obj, cls) or _spelled(obj, cls) or _sized(obj, cls), room)


def _cut(obj: Any, room: int) -> str:
    if len(obj) <= room:
        return repr(obj)
    unit = "characters" if type(obj) is str else "bytes"
    return f"{obj[: room - 20]!r}… ({len(obj)} {unit})"


def _named(obj: Any, cls: type) -> str:
    if descends(cls, type):
        return f"class {class_name(obj)}"
    if cls is types.FunctionType:
        module = obj.__module__
        return (
            f"function {module}.{obj.__qualname__}"
            if type(module) is str
            else f"function {obj.__qualname__}"
        )
    enum = sys.modules.get("enum")
    if enum is not None and descends(type(cls), enum.EnumMeta):
        held = instance_dict(obj) or {}
        name = held.get("_name_")
        return (
            f"{class_name(cls)}.{name}"
            if type(name) is str
            else f"{class_name(cls)} {brief(held.get('_value_'))}"
        )
    return ""


def _spelled(obj: Any, cls: type) -> str:
    """Spell an atom of a builtin or standard type, whose `repr` is nobody else's code."""
    known = native(cls)
    if known is None or known.atom is None or cls in _SIZED or known.atom(obj) is None:
        return ""
    try:
        return repr(obj)
    except ValueError:  # digits beyond sys.get_int_max_str_digits() in a range or Fraction
        return ""


def _sized(obj: Any, cls: type) -> str:
    for sized in _SIZED:
        if descends(cls, sized):
            return f"{class_name(cls)} of {sized.__len__(obj)}"
    return class_name(cls)
