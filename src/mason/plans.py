"""How the objects of a class are taken apart and put together.

Strategy: a class goes in, a `Plan` comes out, once per class; the core runs it once per object.
`_RECOGNISERS` is a table: the first row that knows the class makes its plan, the last one takes
every plain class. The class is read through `adapters.anatomy` only, so no code of it (or of its
metaclass) runs here. What cannot be given back exactly becomes a plan of the kind "refused",
which carries the reason and the next step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple

from mason._core import Plan
from mason.adapters import enums, subclasses
from mason.adapters.anatomy import (
    Line,
    check_copyreg,
    check_layout,
    check_protocol,
    find,
    function_name,
    is_among,
    is_native,
    line_of,
    names_of,
    slots_of,
    spelled,
    written_name,
)
from mason.adapters.declared import declared_fields, generated_methods, named_tuple_code
from mason.adapters.refusals import known_reason
from mason.adapters.stdlib import plan_for
from mason.errors import Refused

__all__ = ["make", "written_name"]

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


class _Subject(NamedTuple):
    """Carry what every row of the table asks about a class."""

    line: Line
    name: str
    hooked: bool
    upgrade: Upgrade | None

    @property
    def cls(self) -> type:
        return self.line[0]


def make(cls: type, name: str = "", *, upgrade: Upgrade | None = None) -> Plan:
    """Return the plan of a class; a "refused" one where its objects cannot be given back.

    `name` is what documents call the class (default: "module:qualname"). Under its own name the
    class must be found again in its module; any other name is the caller's to resolve. `upgrade`
    turns the fields of an old version into those of today. Nothing of the class runs.
    """
    if plan := plan_for(cls):
        return plan
    line = line_of(cls)
    own = spelled(cls)
    hooked = upgrade is not None or find(line, "__del__") is not None
    subject = _Subject(line, name or own, hooked, upgrade)
    try:
        if plan := _reference(subject):
            return plan
        if subject.name == own and not is_native(cls):
            written_name(cls)
        for recognise in _RECOGNISERS:
            if plan := recognise(subject):
                return plan
    except Refused as refused:
        return _refused(subject, refused.reason, refused.hint)
    return _refused(subject, "is of no kind that can be written", None)


def _refused(subject: _Subject, reason: str, hint: str | None) -> Plan:
    return Plan("refused", cls=subject.cls, name=subject.name, reason=reason, hint=hint or "")


# --------------------------------------------------------------- the kinds, in order of the table


def _reference(subject: _Subject) -> Plan | None:
    """Write classes and functions as their name, after a look whether it leads back."""
    if issubclass(subject.cls, type):
        take: Callable[[Any], str] = written_name
    elif subject.cls is FunctionType or subject.cls is BuiltinFunctionType:
        take = function_name
    else:
        return None
    return Plan("name", cls=subject.cls, name=subject.name, take=take)


def _enum(subject: _Subject) -> Plan | None:
    return enums.enum_plan(subject.line, subject.name, subject.hooked, generated_methods())


def _named_tuple(subject: _Subject) -> Plan | None:
    """Know what `collections.namedtuple` made, and what derives from it, by generated code."""
    own = named_tuple_code()
    found = find(subject.line, "__getnewargs__")
    if found is None or not is_among(found[1], own):
        return None
    check_protocol(subject.line, own, tuple)
    check_copyreg(subject.cls)
    check_layout(subject.line, 0, tuple)
    names = names_of(found[0])
    fields = names.get("_fields")
    if type(fields) is not tuple or any(type(one) is not str for one in fields):
        raise Refused("has field names that are not a tuple of str")
    defaults = names.get("_field_defaults")
    return Plan(
        "namedtuple",
        cls=subject.cls,
        name=subject.name,
        fields=fields,
        defaults=dict(defaults) if type(defaults) is dict else {},
        hooked=subject.hooked,
        upgrade=subject.upgrade,
    )


def _known_reason(subject: _Subject) -> Plan | None:
    found = known_reason(subject.line)
    return _refused(subject, *found) if found else None


def _native_content(subject: _Subject) -> Plan | None:
    """Take subclasses of list, dict, str and their like."""
    content = subclasses.content_of(subject.line)
    if content is None:
        return None
    check_copyreg(subject.cls)
    own = generated_methods()
    return subclasses.subclass_plan(subject.line, content, subject.name, own, subject.hooked)


def _instance(subject: _Subject) -> Plan | None:
    """Take everything else as its attributes: in dict or slots, declared or not."""
    check_protocol(subject.line, generated_methods())
    check_copyreg(subject.cls)
    slots = slots_of(subject.line)
    check_layout(subject.line, len(slots))
    declared = declared_fields(subject.line)
    parts: Mapping[str, Any] = declared._asdict() if declared else {}
    try:
        return Plan(
            "fields",
            cls=subject.cls,
            name=subject.name,
            slots=slots,
            hooked=subject.hooked,
            upgrade=subject.upgrade,
            **parts,
        )
    except TypeError:  # members of a native type that hold no object
        raise Refused("holds native state") from None


_RECOGNISERS: tuple[Callable[[_Subject], Plan | None], ...] = (
    _enum,
    _named_tuple,
    _known_reason,
    _native_content,
    _instance,
)
