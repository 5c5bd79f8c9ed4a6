"""Paths of `pathlib`. Making one never touches the disk."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

from mason._core import Plan
from mason.adapters.contents import Slots, short, text
from mason.errors import Refused

_LONGEST = 32_767  # what Windows takes; each part of a path stays interned in some versions


def _row(cls: type[pathlib.PurePath]) -> Plan:
    make = _maker(cls)
    has_drives = issubclass(cls, pathlib.PureWindowsPath)

    def take(path: pathlib.PurePath) -> Slots:
        spelling = short(str(path), _LONGEST)
        # a part like "a:" is a name in one place and a drive in another (fixed in Python 3.12)
        if has_drives and make({"$str": spelling}).parts != path.parts:
            raise Refused("is a path that its text does not give back")
        return {"$str": spelling}

    name = f"pathlib:{cls.__name__}"
    return Plan("parts", cls=cls, name=name, atom=True, take=take, make=make)


def _maker(cls: type[pathlib.PurePath]) -> Callable[[Slots], Any]:
    def make(slots: Slots) -> pathlib.PurePath:
        given = text(slots, _LONGEST)
        try:
            return cls(given)
        except NotImplementedError:
            raise Refused(
                f"is a {cls.__name__}, which this system does not have",
                "mason.read shows it; the Pure paths of pathlib work everywhere",
            ) from None

    return make


ROWS = tuple(
    _row(cls)
    for cls in (
        pathlib.PosixPath,
        pathlib.PurePosixPath,
        pathlib.WindowsPath,
        pathlib.PureWindowsPath,
    )
)
