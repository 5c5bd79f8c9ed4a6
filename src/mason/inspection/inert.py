"""What one value of an inert tree is: its parts, its type, its size, and what it says in a line.

Strategy: everything goes by exact types, since a tree holds whatever a file says, and whatever
comes from the file is cut and escaped before it becomes text: a file must not speak to a terminal.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from json import dumps
from typing import Any, TypeAlias

from mason.document import (
    OWN_NAMES,
    OWN_SEQUENCES,
    OWN_SETS,
    Name,
    Part,
    Record,
    Simple,
    Tag,
    parts_of,
)
from mason.errors import shown
from mason.inspection.words import brief
from mason.paths import Step

_NAME_ROOM = 100  # characters of a class name or key from the file
_UNDEFINED = 23  # RFC 8949, section 3.3
_SEQUENCES = (list, tuple, deque)
_SETS = (set, frozenset)
_CONTAINERS = frozenset({Record, Tag, dict, *_SEQUENCES, *_SETS})
# what these classes print is nobody else's code, and says more than their repr
_SPELLED = frozenset({"date", "time", "datetime", "timedelta", "Decimal", "Fraction", "UUID"})
# instances that are one value
_VALUE_SLOTS = ("$str", "$enum", "$int", "$float", "$bytes")
# types that the text of a value shows
EVIDENT = frozenset({"NoneType", "bool", "int", "float", "str", "bytes"})

# names of fields and keys that tell one thing from another, the most telling first
_IDENTITIES = ("id", "_id", "uuid", "guid", "key", "sku", "code", "slug", "name")
PATH_ROOM = 1_000
_PATH_STEPS = 100

# The fields of a paths.Step, made into one only when it is shown.
RawStep: TypeAlias = tuple[Any, Any]
# The place before, and the step from there; None is where the tree begins.
Place: TypeAlias = "tuple[Place, RawStep] | None"


def shown_parts(value: Any) -> Iterator[Part] | None:
    """Return the parts of a container with the steps to them; None for what is one value."""
    one = type(value) is Record and is_value(value)
    return None if one else parts_of(value, every_key=True)


def may_be_shared(value: Any) -> bool:
    """Tell whether a value is an object of its own, which two places may hold."""
    kind = type(value)
    if kind is Record or kind is Tag or kind is bytearray:
        return True
    if kind is tuple or kind is frozenset:
        return len(value) > 0
    return issubclass(kind, (dict, *_SEQUENCES, *_SETS))


def is_value(record: Record) -> bool:
    """Tell whether an instance is one value, as a path or an enum member is."""
    held = record.items
    names = [slot for slot in held if slot != "value"]
    if len(names) != 1 or names[0] not in _VALUE_SLOTS:
        return False
    # no instance is looked into here, so that nesting them costs no stack
    return all(type(part) not in _CONTAINERS for part in (held[names[0]], held.get("value")))


def size_of(value: Any) -> int | None:
    """Return how many entries, elements or fields a container has; None for an atom."""
    kind = type(value)
    if kind is Record:
        own = (*OWN_SEQUENCES, *OWN_SETS, *OWN_NAMES, "$map")
        held = value.items.items()
        sizes = (
            len(part) if slot in own and type(part) in (list, dict) else 1 for slot, part in held
        )
        return None if is_value(value) else sum(sizes)
    if kind is Tag:
        return 1
    return len(value) if issubclass(kind, (dict, *_SEQUENCES, *_SETS)) else None


def type_of(value: Any) -> str:
    """Return the type as a line shows it: `list`, `shop:Order`, `tag 64`."""
    kind = type(value)
    if kind is Record:
        return shown_name(value.name)
    if kind is Tag:
        return f"tag {value.number}"
    return {Name: "reference", Simple: "simple"}.get(kind, kind.__name__)


def element_type(value: Any) -> str:
    """Return the type that all elements of a sequence or set have, "" if they have several."""
    if not issubclass(type(value), (*_SEQUENCES, *_SETS)):
        return ""
    types = {type_of(part) for part in value}
    return types.pop() if len(types) == 1 else ""


def text_of(value: Any) -> str:
    """Return what an atom says, without its type."""
    kind = type(value)
    if kind is Record:
        held = next(part for slot, part in value.items.items() if slot != "value")
        return shown_name(held) if type(held) is str and "$enum" in value.items else text_of(held)
    if kind is Name:
        return shown_name(value.name)
    if kind is Simple:
        return "undefined" if value.number == _UNDEFINED else str(value.number)
    return shown_name(str(value)) if kind.__name__ in _SPELLED else brief(value)


def step_text(step: Step) -> str:
    """Spell a step; what a terminal would act on as JSON escapes, so that the path can be used."""
    text = str(step)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else dumps(char)[1:-1] for char in text)
    return shown(text, _NAME_ROOM)


def identity_of(held: dict[Any, Any]) -> str | None:
    """Return the field or key that tells a thing from others of its type, None if it has none."""
    for name in _IDENTITIES:
        if name in held and _tells_apart(type(held[name])):
            return name
    return None


def _tells_apart(kind: type) -> bool:
    # `is`, since a live object's metaclass may have an __eq__ of its own, and a __name__
    known = sys.modules.get("uuid")
    uuid = known is not None and kind is known.UUID
    return kind is str or kind is int or kind is bytes or uuid


def shown_name(text: str) -> str:
    """Return a name or key from the file as it may be shown, cut to a name's length."""
    return shown(text, _NAME_ROOM)


def path_text(steps: Iterable[Step]) -> str:
    """Return a path as it may be shown."""
    return shown("$" + "".join(map(step_text, steps)), PATH_ROOM)


def place_text(place: Place) -> str:
    """Return the path to a place, its beginning left out where it is very long."""
    steps: list[Step] = []
    while place is not None and len(steps) < _PATH_STEPS:
        place, step = place
        steps.append(Step(*step))
    path = path_text(reversed(steps))
    return path if place is None else f"$...{path[1:]}"
