"""What the builtin and standard types hold that is neither in slots nor in a `__dict__`.

One function or expression per type, always unbound (`list.copy(obj)`), so that what a subclass
overrides does not matter. An atom is told by its key: hashable, made of exact builtin values, equal
for equal atoms of one type and for no others. The types of the standard library are found by name,
so that a comparison that never meets them imports none of them.
"""

from __future__ import annotations

import gc
import struct
import sys
import types
from collections.abc import Callable
from typing import Any, NamedTuple

from mason.inspection.classes import Getter, descends, instance_dict, lookup, module_and_name


class State:
    """Hold what one object is made of; `opaque` says what of it was not seen."""

    __slots__ = ("attributes", "holder", "items", "members", "names", "opaque", "pairs", "value")

    def __init__(self) -> None:
        self.value: Any = None  # hashable, made of exact builtin values
        self.items: list[Any] | None = None
        self.names: tuple[str, ...] = ()  # of the items, when the object is a named tuple
        self.pairs: list[tuple[Any, Any]] | None = None
        self.members: list[Any] | None = None
        self.attributes: dict[str, Any] = {}
        self.holder: Any = None  # the __dict__ itself: two instances may share one
        self.opaque = ""


class Native(NamedTuple):
    """Say how instances of one type that is not made of slots and a `__dict__` are read."""

    atom: Getter | None = None  # exact instance -> its key, or None when this one is no atom
    content: Callable[[Any, State], None] | None = None
    shared: bool = True  # whether the identity of an exact instance matters
    below: str = "content"  # in subclasses the "content" holds too, "slots" tell all, or "opaque"


def native(cls: type) -> Native | None:
    """Return how this very type is read, None for a class made of slots and a `__dict__`."""
    found = _BUILTIN.get(id(cls))
    if found is not None:
        return found
    module, name = module_and_name(cls)
    found = _STANDARD.get(name)
    if found is None or module.partition(".")[0] not in _HOMES:
        return None
    home = sys.modules.get(module)
    # a class that only calls itself decimal.Decimal is not the one that decimal holds
    return found if type(home) is types.ModuleType and vars(home).get(name) is cls else None


def _bits(number: float) -> bytes:
    return struct.pack("<d", number)


def _list(obj: Any, state: State) -> None:
    state.items = list.copy(obj)


def _tuple(obj: Any, state: State) -> None:
    state.items = [*tuple.__iter__(obj)]


def _dict(obj: Any, state: State) -> None:
    state.pairs = [*dict.items(obj)]


def _set(obj: Any, state: State) -> None:
    state.members = [*set.__iter__(obj)]


def _frozenset(obj: Any, state: State) -> None:
    state.members = [*frozenset.__iter__(obj)]


def _value(read: Getter) -> Callable[[Any, State], None]:
    def content(obj: Any, state: State) -> None:
        state.value = read(obj)

    return content


def _unless_empty(obj: Any) -> tuple[()] | None:
    return None if obj else ()


def _complex(obj: Any) -> tuple[bytes, bytes]:
    number = complex.__complex__(obj)
    return _bits(number.real), _bits(number.imag)


def _bytearray(obj: Any) -> bytes:
    return bytes(
        bytearray.__getitem__(obj, slice(None))
    )  # not bytes(obj): a subclass may have its own __buffer__


def _fields(cls: type, *names: str) -> Callable[[Any], list[Any]]:
    getters = [lookup(cls, name).__get__ for name in names]
    return lambda obj: [get(obj) for get in getters]


def _of(module: str, name: str, *fields: str) -> Getter:
    """Return what reads fields of a type whose module may not be imported yet."""
    known: list[Callable[[Any], list[Any]]] = []

    def read(obj: Any) -> tuple[Any, ...]:
        if not known:
            known.append(_fields(getattr(sys.modules[module], name), *fields))
        return tuple(known[0](obj))

    return read


_slice_parts = _fields(slice, "start", "stop", "step")
_range_parts = _fields(range, "start", "stop", "step")
_method_parts = _fields(types.MethodType, "__func__", "__self__")
_alias_parts = _fields(types.GenericAlias, "__origin__", "__args__")
_builtin_parts = _fields(types.BuiltinFunctionType, "__self__", "__name__")


def _slice_atom(obj: Any) -> Any:
    parts = _slice_parts(obj)
    return tuple(parts) if all(part is None or type(part) is int for part in parts) else None


def _slice(obj: Any, state: State) -> None:
    state.attributes.update(zip(("start", "stop", "step"), _slice_parts(obj), strict=True))


def _method(obj: Any, state: State) -> None:
    state.attributes.update(zip(("__func__", "__self__"), _method_parts(obj), strict=True))


def _builtin(obj: Any) -> Any:
    """Return where a builtin lives; one that is bound to a value (`[].append`) has no name."""
    owner, name = _builtin_parts(obj)
    named = owner is None or descends(type(owner), type) or descends(type(owner), types.ModuleType)
    return (id(owner), name) if named else None


def _unseen(obj: Any, state: State) -> None:
    state.opaque = "native content"


def _alias(obj: Any, state: State) -> None:
    origin, args = _alias_parts(obj)
    state.items = [origin, *args]


def _union(obj: Any, state: State) -> None:
    state.items = [*_fields(types.UnionType, "__args__")(obj)[0]]


def _typing_alias(obj: Any, state: State) -> None:
    held = instance_dict(obj)
    state.items = [held["__origin__"], *held["__args__"]]


def _pattern_parts(obj: Any) -> list[Any]:
    return _fields(type(obj), "pattern", "flags")(obj)


def _pattern_atom(obj: Any) -> Any:
    pattern, flags = _pattern_parts(obj)
    return (pattern, flags) if type(pattern) in (str, bytes) else None


def _pattern(obj: Any, state: State) -> None:
    state.attributes.update(zip(("pattern", "flags"), _pattern_parts(obj), strict=True))


def _decimal(obj: Any) -> Any:
    return tuple(sys.modules["decimal"].Decimal.as_tuple(obj))


def _zone_atom(zone: Any) -> Any:
    """Return the key of a standard tzinfo, None for one of a class we do not know."""
    if zone is None:
        return ()
    known = native(type(zone))
    return None if known is None or known.atom is None else known.atom(zone)


def _clock(name: str, *fields: str) -> Native:
    """Make the reader of `datetime` or `time`; a standard tzinfo is part of their key."""
    numbers = _of("datetime", name, *fields, "fold")
    zones = _of("datetime", name, "tzinfo")

    def zone(obj: Any) -> Any:
        return zones(obj)[0]

    def atom(obj: Any) -> Any:
        tzinfo = zone(obj)
        key = _zone_atom(tzinfo)
        return None if key is None else (numbers(obj), id(type(tzinfo)), key)

    def content(obj: Any, state: State) -> None:
        state.value = numbers(obj)
        state.attributes["tzinfo"] = zone(obj)

    return Native(atom, content, shared=False)


def _zone_key(obj: Any) -> Any:
    return sys.modules["zoneinfo"].ZoneInfo.key.__get__(
        obj
    )  # None: made from a file without a name


def _array(obj: Any) -> Any:
    array = sys.modules["array"].array
    return array.typecode.__get__(obj), array.tobytes(obj)


def _deque(obj: Any, state: State) -> None:
    deque = sys.modules["collections"].deque
    state.value = deque.maxlen.__get__(obj)
    state.items = [*deque.__iter__(obj)]


def _defaultdict(obj: Any, state: State) -> None:
    state.pairs = [*dict.items(obj)]
    state.attributes["default_factory"] = sys.modules[
        "collections"
    ].defaultdict.default_factory.__get__(obj)


def _ordered_dict(obj: Any, state: State) -> None:
    """Read the pairs in the order of the OrderedDict, which its dict part need not have."""
    pairs = [*dict.items(obj)]
    found = {id(key): (key, value) for key, value in pairs}
    if all(type(key) is str for key, _ in pairs):
        keys = [*sys.modules["collections"].OrderedDict.__iter__(obj)]
    else:
        # That iterator hashes every key, which may run code of a key's class. The collector's view
        # does not: the keys in order, then each value and key of the dict, are the last things that
        # the object refers to (odict_traverse).
        keys = gc.get_referents(obj)[-3 * len(pairs) : -2 * len(pairs)]
    order = [id(key) for key in keys]
    if len(order) == len(pairs) and set(order) == set(found):
        state.pairs = [found[key] for key in order]
    else:
        state.pairs = pairs
        state.opaque = "the order of its keys"


def _record(obj: Any, state: State) -> None:
    state.value = obj.name
    state.attributes.update(obj.items)


def _tag(obj: Any, state: State) -> None:
    state.value = obj.number
    state.items = [obj.value]


def _exactly(obj: Any) -> Any:
    return obj


_ENTRIES: list[tuple[type, Native]] = [
    (object, Native()),
    (type(None), Native(id)),
    (type(Ellipsis), Native(id)),
    (type(NotImplemented), Native(id)),
    (bool, Native(_exactly)),
    (int, Native(_exactly, _value(int.__index__))),
    (str, Native(_exactly, _value(str.__str__))),
    (bytes, Native(_exactly, _value(bytes.__bytes__))),
    (float, Native(_bits, _value(lambda obj: _bits(float.__float__(obj))))),
    (complex, Native(_complex, _value(_complex))),
    (bytearray, Native(None, _value(_bytearray))),
    (list, Native(None, _list)),
    (tuple, Native(_unless_empty, _tuple)),
    (dict, Native(None, _dict)),
    (set, Native(None, _set)),
    (frozenset, Native(_unless_empty, _frozenset)),
    (range, Native(lambda obj: tuple(_range_parts(obj)))),
    (slice, Native(_slice_atom, _slice, shared=False)),
    (types.FunctionType, Native(id)),
    (types.BuiltinFunctionType, Native(_builtin, _unseen)),
    (types.MethodType, Native(None, _method, shared=False)),
    (types.MethodDescriptorType, Native(id)),
    (types.ClassMethodDescriptorType, Native(id)),
    (types.WrapperDescriptorType, Native(id)),
    (types.GetSetDescriptorType, Native(id)),
    (types.MemberDescriptorType, Native(id)),
    (types.GenericAlias, Native(None, _alias, shared=False)),
    (types.UnionType, Native(None, _union, shared=False)),
]
_BUILTIN = {id(cls): entry for cls, entry in _ENTRIES}
PLAIN_ATOMS = frozenset(id(cls) for cls in (type(None), bool, int, str, bytes, float))

_TEXT = Native(
    str, below="opaque"
)  # their caches come and go, so a subclass's attributes would not tell
_STANDARD: dict[str, Native] = {
    "Decimal": Native(_decimal, _value(_decimal)),
    "Fraction": Native(lambda obj: (obj.numerator, obj.denominator), below="slots"),
    "UUID": Native(lambda obj: (obj.int, id(obj.is_safe)), below="slots"),
    "date": Native(
        _of("datetime", "date", "year", "month", "day"),
        _value(_of("datetime", "date", "year", "month", "day")),
    ),
    "time": _clock("time", "hour", "minute", "second", "microsecond"),
    "datetime": _clock(
        "datetime", "year", "month", "day", "hour", "minute", "second", "microsecond"
    ),
    "timedelta": Native(
        _of("datetime", "timedelta", "days", "seconds", "microseconds"),
        _value(_of("datetime", "timedelta", "days", "seconds", "microseconds")),
    ),
    "tzinfo": Native(),
    "timezone": Native(lambda obj: tuple(map(_zone_part, obj.__getinitargs__()))),
    "ZoneInfo": Native(_zone_key, _unseen),
    "Pattern": Native(_pattern_atom, _pattern, shared=False),
    "array": Native(None, _value(_array)),
    "deque": Native(None, _deque),
    "defaultdict": Native(None, _defaultdict),
    "OrderedDict": Native(None, _ordered_dict),
    "_GenericAlias": Native(None, _typing_alias, shared=False, below="slots"),
    "Record": Native(None, _record),
    "Tag": Native(None, _tag),
    "Name": Native(lambda obj: obj.name),
    "Simple": Native(lambda obj: obj.number),
    **dict.fromkeys(("PurePosixPath", "PosixPath", "PureWindowsPath", "WindowsPath"), _TEXT),
    **{f"IPv{v}{kind}": _TEXT for v in (4, 6) for kind in ("Address", "Network", "Interface")},
}
_HOMES = frozenset(
    {"array", "collections", "datetime", "decimal", "fractions", "ipaddress", "mason", "pathlib"}
    | {"re", "typing", "uuid", "zoneinfo"}
)


def _zone_part(part: Any) -> Any:
    """Return the key of what a timezone is made of: a timedelta, and maybe a name."""
    if descends(type(part), str):
        return str.__str__(part)
    return part.days, part.seconds, part.microseconds
