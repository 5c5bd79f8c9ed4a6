"""UUIDs. The core reads and writes them itself unless they say how safely they were made."""

from __future__ import annotations

import re
from uuid import UUID, SafeUUID

from mason._core import Plan
from mason.adapters.anatomy import line_of, slots_of
from mason.adapters.contents import Slots, bad, only, short
from mason.errors import Refused

_TEXT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SAFETY = ("safe", "unsafe", "unknown")


def _take(identifier: UUID) -> Slots:
    safety = getattr(identifier, "is_safe", None)  # a slot, which may have been emptied
    for name in _SAFETY:
        if safety is SafeUUID[name]:
            return {"$str": str(identifier), "is_safe": name}
    raise Refused("has an is_safe that is no SafeUUID")


def _make(slots: Slots) -> UUID:
    spelling, safety = only(slots, "$str", "is_safe")
    known = short(safety, 10) in _SAFETY
    if not _TEXT.fullmatch(short(spelling, 36)) or not known:
        bad("a UUID and its safety were expected")
    return UUID(spelling, is_safe=SafeUUID[safety])


ROWS = (
    # `take` and `make` are for those whose is_safe is not the default
    Plan(
        "uuid",
        cls=UUID,
        name="uuid:UUID",
        atom=True,
        slots=slots_of(line_of(UUID)),
        defaults={"is_safe": SafeUUID.unknown},
        take=_take,
        make=_make,
    ),
)
