"""Raw slots read strictly, and keys that cannot be used as a weapon.

Strategy: raw slots come from a file, so each is checked for its exact shape before anything is
built of it. A dict or set is filled only after its keys were looked at: a tuple that shares its
parts can take for ever to hash, and keys of one hash take quadratic time to insert (security: key
policy). Writing checks what can be checked without running code of a key's class, so that what is
written can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NoReturn

from mason.adapters.anatomy import qualname_of
from mason.errors import Refused

Slots = dict[str, Any]
Pairs = list[tuple[Any, Any]]

_ALIKE = 256  # keys of one hash in one container
_KEY_NODES = 10_000  # of one key, everything that it holds counted as often as it is met
_KEY_DEPTH = 100
_NUMBERS = (int, float, bool, complex)
_PLAIN = (str, bytes, *_NUMBERS, type(None), type(...))


def bad(what: str) -> NoReturn:
    """Raise `Refused` for raw slots that no writer of this notation makes."""
    raise Refused(f"its content is not what the notation says: {what}")


def only(slots: Slots, *names: str) -> tuple[Any, ...]:
    """Return the values of exactly these slots; refuse any other."""
    if len(slots) != len(names):
        bad(f"it takes {', '.join(names) or 'nothing'}")
    try:
        return tuple(slots[name] for name in names)
    except KeyError as missing:
        bad(f"{missing.args[0]} is missing")


def exact(value: Any, *kinds: type) -> Any:
    """Return a value of exactly one of these types; refuse any other."""
    kind = type(value)
    for one in kinds:
        if kind is one:
            return value
    bad(f"{' or '.join(one.__name__ for one in kinds)} was expected")


def text(slots: Slots, longest: int) -> str:
    """Return the text of `$str`, which must be the only slot."""
    (found,) = only(slots, "$str")
    return short(found, longest)


def short(value: Any, longest: int) -> str:
    """Return a str of at most that many characters; refuse anything else."""
    if len(exact(value, str)) > longest:
        raise Refused(f"is longer than {longest:,} characters")
    found: str = value
    return found


def arguments(slots: Slots, least: int, most: int) -> list[Any]:
    """Return the arguments of `$new`, as many as there may be."""
    found: list[Any] = exact(slots.get("$new"), list)
    if not least <= len(found) <= most:
        bad("$new has the wrong number of values")
    return found


# ------------------------------------------------------------------------------------- attributes


def escaped(attributes: Mapping[Any, Any]) -> Slots:
    """Return attributes as raw slots: names that begin with a dollar sign get a second one."""
    slots: Slots = {}
    for name, value in dict(attributes).items():  # a copy: another thread may change it meanwhile
        if type(name) is not str:
            raise Refused("has an attribute whose name is not a str")
        _check_name(name)
        slots["$" + name if name.startswith("$") else name] = value
    return slots


def attributes(slots: Slots, *others: str) -> dict[str, Any]:
    """Return the attributes among raw slots; reserved slots but `others` are refused."""
    found: dict[str, Any] = {}
    for name, value in slots.items():
        if name.startswith("$$"):
            found[name[1:]] = value
        elif not name.startswith("$"):
            _check_name(name)
            found[name] = value
        elif name not in others:
            bad(f"{name} does not belong here")
    return found


def _check_name(name: str) -> None:
    """Refuse what `copy` and its like would call on an instance, as the core does."""
    if name[:2] == name[-2:] == "__" and len(name) > 4 and name != "__orig_class__":
        raise Refused(f"has the attribute {name!a}, a name that no document may set")


# ------------------------------------------------------------------------------------------- keys


def mapping(pairs: Pairs) -> tuple[str, Any]:
    """Return the slot for the content of a mapping, `$dict` or `$map`, and that content."""
    if all(type(key) is str for key, _ in pairs):
        return "$dict", dict(pairs)
    watch_keys([key for key, _ in pairs])
    return "$map", [list(pair) for pair in pairs]


def given_pairs(slots: Slots) -> Pairs:
    """Return the content of `$dict` or `$map`, whichever is there."""
    if ("$dict" in slots) == ("$map" in slots):
        bad("one of $dict and $map was expected")
    if "$dict" in slots:
        return list(exact(slots["$dict"], dict).items())
    pairs = exact(slots["$map"], list)
    for pair in pairs:
        if len(exact(pair, list, tuple)) != 2:
            bad("$map holds pairs")
    return [(key, value) for key, value in pairs]


def fill_mapping(
    target: Any, pairs: Pairs, put: Callable[[Any, Any, Any], None] = dict.__setitem__
) -> None:
    """Put pairs into an empty dict; refuse equal keys, and those that would take too long."""
    judge_keys([key for key, _ in pairs])
    try:
        for key, value in pairs:
            put(target, key, value)
    except Exception as error:
        _failed(error)
    if dict.__len__(target) != len(pairs):
        raise Refused("two of its keys are equal")


def fill_set(target: Any, elements: list[Any], put: Callable[[Any, list[Any]], None]) -> None:
    """Put elements into an empty set; refuse equal ones, and those that would take too long."""
    judge_keys(elements)
    try:
        put(target, elements)
    except Exception as error:
        _failed(error)
    if set.__len__(target) != len(elements):
        raise Refused("two of its elements are equal")


def watch_keys(keys: Collection[Any]) -> None:
    """Refuse on writing what reading would refuse, as far as no code of a key's class runs."""
    known = [key for key in keys if is_one(key, _NUMBERS) or (_is_nest(key) and _measure(key))]
    if len(known) > _ALIKE:
        _count_alike(known)


def judge_keys(keys: Collection[Any]) -> None:
    """Refuse keys that take too long to hash or to tell apart."""
    odd = [key for key in keys if type(key) is not str and type(key) is not bytes]
    for key in odd:
        if _is_nest(key):
            _measure(key)
    if len(odd) > _ALIKE:
        _count_alike(odd)


def is_one(value: object, kinds: tuple[type, ...]) -> bool:
    """Tell whether a value is of exactly one of these types."""
    kind = type(value)
    return any(kind is one for one in kinds)  # `in` would ask the metaclass whether they are equal


def _is_nest(value: object) -> bool:
    return type(value) is tuple or type(value) is frozenset


def _measure(key: Any) -> bool:
    """Refuse a nested key that is too large or too deep; tell whether all in it is plain."""
    plain, nodes, stack = True, 0, [(iter(key), 1)]
    while stack:
        content, depth = stack[-1]
        for value in content:
            nodes += 1
            if nodes > _KEY_NODES:
                raise Refused(f"has a key that holds more than {_KEY_NODES:,} values")
            if _is_nest(value):
                if depth >= _KEY_DEPTH:
                    raise Refused(f"has a key that is nested more than {_KEY_DEPTH} deep")
                stack.append((iter(value), depth + 1))
                break
            plain = plain and is_one(value, _PLAIN)
        else:
            stack.pop()
    return plain


def _count_alike(keys: Iterable[Any]) -> None:
    counts: dict[int, int] = {}
    for key in keys:
        try:
            code = hash(key)
        except Exception as error:
            _failed(error)
        counts[code] = counts.get(code, 0) + 1
        if counts[code] > _ALIKE:
            raise Refused(f"has more than {_ALIKE} keys of the same hash")


def _failed(error: Exception) -> NoReturn:
    """Report what the code of a key's class raised, without asking the error for its text."""
    if isinstance(error, MemoryError):
        raise error
    raise Refused(f"a key cannot be used: {qualname_of(type(error))}") from error
