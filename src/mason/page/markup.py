"""HTML out of Python values, with everything escaped in one place.

Strategy: `tag` is the only way to an element, and whatever is not `Markup` already goes through
`_escaped` there: cut, control characters spelled out (a NUL, a right-to-left override or half a
surrogate pair is shown, not obeyed), then `html.escape`. Names of elements and attributes are
written by programmers of this package, never taken from data.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from mason.text import shown

# characters of one text, however long it is where it comes from; an address may be longer
_ROOM, _ADDRESS_ROOM = 2_000, 16_000
_VOID = frozenset({"input", "link", "meta"})


class Markup:
    """Hold HTML that is escaped; made in this module and nowhere else."""

    __slots__ = ("html",)

    def __init__(self, html: str) -> None:
        self.html = html

    def __str__(self) -> str:
        return self.html

    @property
    def size(self) -> int:
        """Return how many bytes of a page it takes."""
        return len(self.html) if self.html.isascii() else len(self.html.encode())


Part: TypeAlias = "Markup | str | int | None"


def tag(name: str, /, *parts: Part, **attributes: str | int | bool | None) -> Markup:
    """Return an element; `class_`, `data_value` and their like name `class` and `data-value`.

    A part or attribute that is None is left out, an attribute that is True has no value.
    """
    opened = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Markup(f"<{name}{opened}>")
    return Markup(f"<{name}{opened}>{together(parts)}</{name}>")


def together(parts: Iterable[Part]) -> Markup:
    """Return parts as one, with nothing between them."""
    return Markup("".join(_escaped(part) for part in parts if part is not None))


def own(name: str, text: str) -> Markup:
    """Return a style or script element around a text of this package, which is not escaped.

    Raises ValueError for a text that would end the element.
    """
    if "</" in text:
        raise ValueError(f"a {name} element cannot hold this text")
    return Markup(f"<{name}>{text}</{name}>")


def _attribute(key: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_escaped(value, quote=True)}"'


def _escaped(part: Markup | str | int, quote: bool = False) -> str:
    return (
        part.html
        if isinstance(part, Markup)
        else escape(shown(str(part), _ADDRESS_ROOM if quote else _ROOM), quote)
    )
