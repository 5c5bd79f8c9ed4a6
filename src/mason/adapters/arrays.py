"""Arrays of the standard library's `array` module: the type code, and the values one by one."""

from __future__ import annotations

import array
from typing import Any

from mason._core import Plan
from mason.adapters.contents import Slots, arguments, bad, exact, only
from mason.adapters.quiet import quietly
from mason.errors import Refused

_FLOATS = "fd"
_TEXTS = "uw"


def _take(values: array.array[Any]) -> Slots:
    code = values.typecode
    if code in _TEXTS:
        return {"$new": [code], "$str": _text_of(values)}
    content = values.tolist()
    # some NaN of 32 bits have no float of their own
    if code in _FLOATS and array.array(code, content).tobytes() != values.tobytes():
        raise Refused("holds a NaN that does not survive as a Python float")
    return {"$new": [code], "$list": content}


def _text_of(values: array.array[Any]) -> str:
    try:
        return values.tounicode()
    except ValueError:
        raise Refused("holds numbers that are not characters") from None


def _make(slots: Slots) -> array.array[Any]:
    (code,) = arguments(slots, 1, 1)
    exact(code, str)
    if len(code) != 1 or code not in array.typecodes:
        bad("the type code is unknown")
    _, given = only(slots, "$new", "$str" if code in _TEXTS else "$list")
    if code in _TEXTS:
        with quietly():  # "u" is on its way out
            return array.array(code, exact(given, str))
    number = float if code in _FLOATS else int
    if any(type(one) is not number for one in exact(given, list)):
        bad(f"{number.__name__} was expected for each value")
    return _checked(code, given)


def _checked(code: str, given: list[Any]) -> array.array[Any]:
    try:
        made: array.array[Any] = array.array(code, given)
    except OverflowError:
        raise Refused(f"holds a number that an array of type {code!r} cannot hold here") from None
    if code == "f":
        changed = any(new != old and old == old for new, old in zip(made, given, strict=True))
        if changed:
            raise Refused("holds a number that 32 bits cannot hold exactly")
    return made


ROWS = (Plan("parts", cls=array.array, name="array:array", take=_take, make=_make),)
