"""Compiled regular expressions: the pattern and its flags.

Strategy: a hostile pattern must not cost more than its length suggests, and what is written must be
readable, so the same limits hold in both directions. `re` compiles in time linear in the pattern,
with two exceptions: nesting (recursion), and character ranges beyond Latin-1, which are walked
character by character. Both are counted before compiling; the ranges in the tree that `re` itself
parses. `begin_document` starts a budget for one document, so that many patterns are limited too.
Matching is the caller's affair: nothing here runs a pattern.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from threading import local
from typing import Any

from mason._core import Plan
from mason.adapters.contents import Slots, arguments, bad, exact, only
from mason.adapters.quiet import quietly
from mason.errors import Refused

_LONGEST = 65_536
_DEEPEST = 100
# In characters walked through while compiling, each about 0.1 microseconds:
_FREE = 1_000  # any pattern
_FREE_PER_SIGN = 200  # and each character of it
_WIDEST = 150_000  # beyond that, in one pattern; the first plane of Unicode has 65,536
_BUDGET = 20_000_000  # beyond that, in all patterns of one document
_PLANE = 65_536  # ranges above it are not walked
_PER_SET = 1_000  # a set with anything beyond Latin-1, or that ignores case
_KEPT = 1_000  # characters of a pattern worth remembering

_FLAGS = int(re.A | re.I | re.L | re.M | re.S | re.U | re.X)
_FAILURES = (
    *(re.error, ArithmeticError, AssertionError, LookupError),
    *(RecursionError, TypeError, ValueError),
)
_TOKENS = re.compile(r"\\.|[()\[\]]", re.DOTALL)
# what can make `re` warn: signs doubled in a set, odd names of groups
_DOUBTFUL = re.compile(r"\[\[|--|&&|~~|\|\||\(\?\(")


class _Spent(local):
    left: int | None = _BUDGET


_spent = _Spent()


def begin_document() -> None:
    """Start the budget for the patterns of one document, on this thread."""
    _spent.left = _BUDGET


def _take(pattern: re.Pattern[Any]) -> Slots:
    _check(pattern.pattern, pattern.flags)
    return {"$new": [pattern.pattern, pattern.flags]}


def _make(slots: Slots) -> re.Pattern[Any]:
    only(slots, "$new")
    pattern, flags = arguments(slots, 2, 2)
    _check(pattern, flags)
    build = _remembered if len(pattern) <= _KEPT else _compiled
    return build(type(pattern) is str, pattern, flags)


def _compiled(textual: bool, pattern: Any, flags: int) -> re.Pattern[Any]:
    try:
        with _quiet_where_needed(pattern):
            # not re.compile: a file must not push the program's own patterns out of re's cache
            made: re.Pattern[Any] = _compiler.compile(pattern, flags)
    except _FAILURES:
        raise Refused("is not a regular expression that this version of Python knows") from None
    if made.flags != flags:
        raise Refused("is a regular expression with other flags than it says itself")
    return made


# `textual` comes first: comparing a str with bytes makes `python -b` warn
_remembered = lru_cache(maxsize=128)(_compiled)


def _check(pattern: Any, flags: Any) -> None:
    """Refuse what is no pattern, and what costs too much to compile."""
    if len(exact(pattern, str, bytes)) > _LONGEST:
        raise Refused(f"is a regular expression of more than {_LONGEST:,} characters")
    if exact(flags, int) & ~_FLAGS:
        bad("the flags of a regular expression were expected")
    plain = pattern if type(pattern) is str else pattern.decode("latin-1")
    if _depth(plain) > _DEEPEST:
        raise Refused(f"is a regular expression nested more than {_DEEPEST} deep")
    if type(pattern) is str and "[" in pattern:
        _check_cost(pattern, flags)


def _depth(pattern: str) -> int:
    """Return how deep groups are nested, without what is escaped or in a set."""
    depth = deepest = 0
    inside: int | None = None  # of a set: where its first member is
    for token in _TOKENS.finditer(pattern):
        if inside is not None:
            if token[0] == "]" and token.start() > inside:
                inside = None
        elif token[0] == "[":
            inside = token.end() + pattern.startswith("^", token.end())
        elif token[0] in "()":
            depth += 1 if token[0] == "(" else -1
            deepest = max(deepest, depth)
    return deepest


def _check_cost(pattern: str, flags: int) -> None:
    cost = _cost(pattern, flags) - _FREE - _FREE_PER_SIGN * len(pattern)
    if cost > _WIDEST:
        raise Refused(
            "is a regular expression with too many or too wide ranges of characters",
            "a class such as \\w, or a negated set, often says the same",
        )
    if _spent.left is not None and cost > 0:
        _spent.left -= cost
        if _spent.left < 0:
            raise Refused("is one of too many costly regular expressions in one document")


def _cost(pattern: str, flags: int) -> int:
    """Return about how many characters compiling will walk through."""
    if pattern.isascii() and not any(mark in pattern for mark in ("\\u", "\\U", "\\N")):
        # ignoring case, even "[k]" holds more than Latin-1
        one = _PER_SET if flags & re.I or "(?" in pattern else 0
        return one * pattern.count("[")
    try:
        with _quiet_where_needed(pattern):
            tree = _parser.parse(pattern, flags)
    except _FAILURES:
        raise Refused("is not a regular expression that this version of Python knows") from None
    cost, stack = 0, [tree]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple) and len(part) == 2 and part[0] is _constants.IN:
            cost += _set_cost(part[1])
        elif isinstance(part, list | tuple | _parser.SubPattern):
            stack += [part[i] for i in range(len(part))]
    return cost


def _set_cost(members: list[Any]) -> int:
    ranges: list[tuple[int, int]] = [
        argument for operation, argument in members if operation is _constants.RANGE
    ]
    return _PER_SET + sum(max(0, min(last, _PLANE) - first) for first, last in ranges)


def _quiet_where_needed(pattern: str | bytes) -> AbstractContextManager[None]:
    plain = pattern if isinstance(pattern, str) else pattern.decode("latin-1")
    named = isinstance(pattern, bytes) and not pattern.isascii() and b"(?P" in pattern
    return quietly() if named or _DOUBTFUL.search(plain) else nullcontext()


ROWS = (Plan("parts", cls=re.Pattern, name="re:Pattern", atom=True, take=_take, make=_make),)
