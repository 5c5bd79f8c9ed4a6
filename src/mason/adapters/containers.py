"""The containers of `collections`, and `SimpleNamespace`.

All of them can hold themselves, so each is made empty first and filled when its content is there.
Only the exact classes are here; no code but theirs runs. With `unknown="keep"` a default factory
may be a name, and a map of a ChainMap a record: they stand in their place and do nothing.
"""

from __future__ import annotations

from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from types import BuiltinFunctionType, FunctionType, SimpleNamespace
from typing import Any

from mason._core import Name, Plan, Record
from mason.adapters import contents
from mason.adapters.anatomy import find, is_class, line_of
from mason.adapters.builtin_types import TYPES, name_of
from mason.adapters.contents import Slots, arguments, attributes, bad, exact, only
from mason.errors import Refused

_LONGEST_DEQUE = 2**31


# --------------------------------------------------------------------------------------- dicts


def _take_ordered(content: OrderedDict[Any, Any]) -> Slots:
    # not content.items(): an attribute of the instance may be in its place
    try:
        pairs = list(OrderedDict.items(content))
    except KeyError:
        pairs = None
    if pairs is None or len(pairs) != dict.__len__(content):
        raise Refused("is an OrderedDict that was changed through the methods of dict")
    return _take_mapping(content, pairs)


def _take_counter(content: Counter[Any]) -> Slots:
    return _take_mapping(content, list(dict.items(content)))


def _take_mapping(content: Any, pairs: contents.Pairs) -> Slots:
    slot, found = contents.mapping(pairs)
    own = contents.escaped(vars(content))
    _check_names(type(content), vars(content))
    return {slot: found, **own}


def _fill_ordered(target: OrderedDict[Any, Any], slots: Slots) -> None:
    contents.fill_mapping(target, contents.given_pairs(slots), OrderedDict.__setitem__)
    _fill_attributes(target, slots)


def _fill_counter(target: Counter[Any], slots: Slots) -> None:
    contents.fill_mapping(target, contents.given_pairs(slots))
    _fill_attributes(target, slots)


def _fill_attributes(target: Any, slots: Slots) -> None:
    own = attributes(slots, "$dict", "$map")
    _check_names(type(target), own)
    vars(target).update(own)


def _check_names(cls: type, own: dict[str, Any]) -> None:
    """Refuse attributes in the place of a method: nobody is asked to trust these classes."""
    for name in own:
        if find(line_of(cls), name):
            raise Refused(f"has an attribute in the place of its method {name}")


def _take_default(content: defaultdict[Any, Any]) -> Slots:
    slot, found = contents.mapping(list(content.items()))
    factory = content.default_factory
    if named := name_of(factory):
        return {"$new": [named], slot: found}
    if factory is not None and not _is_reference(factory):
        raise Refused(
            "has a default factory that is no class and no function",
            "use a class or a function of a module",
        )
    return {"$new": [factory], slot: found}


def _fill_default(target: defaultdict[Any, Any], slots: Slots) -> None:
    (factory,) = arguments(slots, 1, 1)
    if attributes(slots, "$new", "$dict", "$map"):
        bad("it has no attributes")
    if type(factory) is str:
        if factory not in TYPES:
            bad("the default factory is unknown")
        factory = TYPES[factory]
    elif factory is not None and not _is_reference(factory):
        bad("the default factory is no class and no function")
    target.default_factory = factory
    contents.fill_mapping(target, contents.given_pairs(slots))


def _is_reference(value: object) -> bool:
    kind = type(value)
    return is_class(value) or kind is FunctionType or kind is BuiltinFunctionType or kind is Name


# --------------------------------------------------------------------------------------- lists


def _take_deque(content: deque[Any]) -> Slots:
    longest = content.maxlen
    if longest is not None and longest > _LONGEST_DEQUE:
        raise Refused(f"is a deque with a maxlen above {_LONGEST_DEQUE:,}", "use maxlen=None")
    return {"$new": [longest], "$list": list(content)}


def _fill_deque(target: deque[Any], slots: Slots) -> None:
    _, content = only(slots, "$new", "$list")
    (longest,) = arguments(slots, 1, 1)
    exact(content, list)
    if longest is not None and not len(content) <= exact(longest, int) <= _LONGEST_DEQUE:
        bad("the maxlen is out of range, or below the number of values")
    deque.__init__(target, content, longest)  # the only way to set maxlen


def _take_chain(chain: ChainMap[Any, Any]) -> Slots:
    own = vars(chain)
    if own.keys() != {"maps"} or type(own["maps"]) is not list:
        raise Refused("has other attributes than the list of its maps")
    _maps(own["maps"])
    return {"$list": own["maps"]}  # itself: the core sees whether it is elsewhere, too


def _fill_chain(target: ChainMap[Any, Any], slots: Slots) -> None:
    (maps,) = only(slots, "$list")
    target.maps = _maps(exact(maps, list))


def _maps(maps: list[Any]) -> list[Any]:
    """Return the maps of a ChainMap in a list of their own."""
    for one in maps:
        line = line_of(type(one))
        if type(one) is not Record and not (find(line, "__getitem__") and find(line, "keys")):
            raise Refused("is a ChainMap of something that is no mapping")
    return list(maps)


# ----------------------------------------------------------------------------------- namespace


def _take_namespace(namespace: SimpleNamespace) -> Slots:
    return contents.escaped(vars(namespace))


def _fill_namespace(target: SimpleNamespace, slots: Slots) -> None:
    vars(target).update(attributes(slots))


def _row(cls: type, take: Any, fill: Any) -> Plan:
    name = f"{cls.__module__}:{cls.__qualname__}"
    return Plan("parts", cls=cls, name=name, take=take, shell=cls, fill=fill)


ROWS = (
    _row(OrderedDict, _take_ordered, _fill_ordered),
    _row(Counter, _take_counter, _fill_counter),
    _row(defaultdict, _take_default, _fill_default),
    _row(deque, _take_deque, _fill_deque),
    _row(ChainMap, _take_chain, _fill_chain),
    _row(SimpleNamespace, _take_namespace, _fill_namespace),
)
