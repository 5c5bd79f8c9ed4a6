"""The kinds of the standard library that mason rebuilds itself, so that they need no trust.

Strategy: each module beside this one has a table, `ROWS`, of plans: wire name, type, how it is
taken and made. `_HOMES` says which module knows which library, so that a library is imported only
when one of its objects is met, or when a file names it; and then by a statement of ours, never by
a string of the file. Every row checks what it is given from a file as strictly as it can be
checked: whoever wrote the file may mean harm.
"""

from __future__ import annotations

import sys
from importlib import import_module

from mason._core import Plan
from mason.adapters.anatomy import module_of

__all__ = ["kind_plan", "plan_for"]

# module of the type -> the modules beside this one that know its types
_HOMES: dict[str, tuple[str, ...]] = {
    "array": ("arrays",),
    "builtins": ("constants",),
    "collections": ("containers",),
    "datetime": ("moments",),
    "decimal": ("decimals",),
    "fractions": ("rationals",),
    "ipaddress": ("addresses",),
    "pathlib": ("paths",),
    "pathlib._local": ("paths",),  # Python 3.13
    "re": ("patterns",),
    "types": ("containers", "generics"),
    "typing": ("generics",),
    "uuid": ("identifiers",),
    "zoneinfo": ("zones",),
}


def plan_for(cls: type) -> Plan | None:
    """Return the plan of a standard library class, of exactly this class; None for any other."""
    module = module_of(cls)
    if module not in _HOMES or module not in sys.modules:
        return None
    for row in _rows(module):
        if row.cls is cls:
            return row
    return None


def kind_plan(name: str) -> Plan | None:
    """Return the plan of a standard library kind by the name that documents give it, or None."""
    module = name.partition(":")[0]
    for row in _rows(module):
        if row.name == name:
            return row
    return None


def _rows(module: str) -> list[Plan]:
    homes = [import_module(f"mason.adapters.{home}") for home in _HOMES.get(module, ())]
    return [row for home in homes for row in home.ROWS]
