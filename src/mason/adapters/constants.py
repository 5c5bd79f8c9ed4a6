"""Ranges, slices, `...` and `NotImplemented`."""

from __future__ import annotations

from typing import Any

from mason._core import Plan
from mason.adapters.contents import Slots, arguments, exact, is_one, only
from mason.errors import Refused

_BOUNDS = (type(None), bool, int, float, complex, str, bytes)


def _take_range(numbers: range) -> Slots:
    return {"$new": [numbers.start, numbers.stop, numbers.step]}


def _make_range(slots: Slots) -> range:
    only(slots, "$new")
    numbers = [exact(one, int) for one in arguments(slots, 3, 3)]
    if numbers[2] == 0:
        raise Refused("is a range with a step of 0")
    return range(*numbers)


def _take_slice(cut: slice) -> Slots:
    return {"$new": _bounds([cut.start, cut.stop, cut.step])}


def _make_slice(slots: Slots) -> slice:
    only(slots, "$new")
    return slice(*_bounds(arguments(slots, 3, 3)))


def _bounds(bounds: list[Any]) -> list[Any]:
    """Return what bounds a slice; a container there could hold the slice itself."""
    if all(is_one(one, _BOUNDS) for one in bounds):
        return bounds
    raise Refused("is a slice with other bounds than numbers, texts or None")


def _constant(name: str, value: Any) -> Plan:
    def make(slots: Slots) -> Any:
        only(slots)
        return value

    return Plan("parts", cls=type(value), name=name, atom=True, take=lambda value: {}, make=make)


ROWS = (
    Plan("parts", cls=range, name="builtins:range", atom=True, take=_take_range, make=_make_range),
    Plan("parts", cls=slice, name="builtins:slice", atom=True, take=_take_slice, make=_make_slice),
    _constant("builtins:Ellipsis", ...),
    _constant("builtins:NotImplemented", NotImplemented),
)
