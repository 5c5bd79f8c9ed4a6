"""What an object is made of, each part with the step that leads to it, without running its code."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from mason.inspection.state import Kinds
from mason.paths import Step


class Part(NamedTuple):
    """Hold one part of an object; `role` is "item", "key", "value", "member" or "attribute"."""

    step: Step
    value: Any
    role: str


def parts(obj: Any, kinds: Kinds) -> list[Part]:
    """Return the parts of an object in document order; an atom has none."""
    kind = kinds.of(type(obj))
    if kind.atom is not None and kind.atom(obj) is not None:
        return []
    state = kind.read(obj)
    found: list[Part] = []
    for index, item in enumerate(state.items or ()):
        step = Step("key", state.names[index]) if state.names else Step("index", index)
        found.append(Part(step, item, "item"))
    for index, (key, value) in enumerate(state.pairs or ()):
        if type(key) is str:
            found.append(Part(Step("key", key), value, "value"))
            continue
        found.append(Part(Step("element", index), key, "key"))
        step = Step("index", key) if type(key) is int else Step("entry", index)
        found.append(Part(step, value, "value"))
    members = enumerate(state.members or ())
    found += [Part(Step("element", index), member, "member") for index, member in members]
    attributes = state.attributes.items()
    found += [Part(Step("key", name), value, "attribute") for name, value in attributes]
    return found


def values(obj: Any, kinds: Kinds) -> Iterable[Any]:
    """Return the parts of an object alone: no step costs anything, and the parts may be many."""
    cls = type(obj)
    if cls is list or cls is tuple:
        return obj  # type: ignore[no-any-return]
    state = kinds.of(cls).read(obj)
    keys = (key for key, _ in state.pairs or () if type(key) is not str)
    held = (value for _, value in state.pairs or ())
    return chain(state.items or (), keys, held, state.members or (), state.attributes.values())
