"""The types of plain values, which documents may name without a reference."""

from __future__ import annotations

TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        *(int, float, complex, bool, str, bytes, bytearray),
        *(list, tuple, dict, set, frozenset, object, type(None)),
    )
}


def name_of(value: object) -> str | None:
    """Return the name of one of these types, or None for anything else."""
    return next((name for name, cls in TYPES.items() if value is cls), None)
