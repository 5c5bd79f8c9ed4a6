"""The places of a value inside a document, as errors, `Document.at` and `mason show` spell them.

`$` is the root. Each step is one of

- `.name`: the value of a key or field that is an identifier; `["any key"]`: of another str key, as
  a JSON string;
- `[3]`: an element of a sequence, or the value of the int key 3 of a mapping;
- `[#3]`: the value of the fourth entry of a mapping, where its key is neither int nor str;
- `{3}`: the fourth element of a set, or the fourth key of a mapping.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from json import dumps, loads
from typing import Literal, NamedTuple

from mason.errors import PathError, shown

_SPELLING = re.compile(
    r"""\.(?P<name>[^.\[{]+)
      | \[(?P<text>"(?:[^"\\]|\\.)*+")\]
      | \[(?P<index>-?[0-9]+)\]
      | \[\#(?P<entry>[0-9]+)\]
      | \{(?P<element>[0-9]+)\}""",
    re.VERBOSE | re.DOTALL,
)
_SURROGATE = re.compile("[\ud800-\udfff]")


class Step(NamedTuple):
    """Lead from a container to one of its parts; `at` is a str for "key", else an int."""

    kind: Literal["key", "index", "entry", "element"]
    at: str | int

    def __str__(self) -> str:
        if self.kind == "key":
            return key_text(str(self.at))
        return {"index": "[{}]", "entry": "[#{}]", "element": "{{{}}}"}[self.kind].format(self.at)


class Place:
    """Hold one place as its last step and the place before it.

    Deep documents have long paths: the text is put together only when `str()` asks for it.
    """

    __slots__ = ("before", "step")

    def __init__(self, before: Place | None = None, step: Step | None = None) -> None:
        self.before = before
        self.step = step

    def steps(self) -> tuple[Step, ...]:
        """Return the steps from the root to here."""
        found: list[Step] = []
        place: Place | None = self
        while place is not None:
            if place.step is not None:
                found.append(place.step)
            place = place.before
        return tuple(reversed(found))

    def __str__(self) -> str:
        return format_path(self.steps())

    def __repr__(self) -> str:
        return f"<Place {shown(str(self))}>"


def key_text(key: str) -> str:
    """Return the step to a str key or a field: `.name`, or `["any key"]` as a JSON string."""
    if key.isidentifier():
        return f".{key}"
    # lone surrogates as escapes, as everywhere in mason's JSON: the path can then be encoded
    quoted = dumps(key, ensure_ascii=False)
    return f"[{_SURROGATE.sub(lambda match: ascii(match[0])[1:-1], quoted)}]"


def format_path(steps: Iterable[Step]) -> str:
    """Return the text of a path: `$`, then every step."""
    return "$" + "".join(map(str, steps))


def parse_path(path: str) -> tuple[Step, ...]:
    """Return the steps of a path.

    Raises `PathError` where the text is not a path.
    """
    if not path.startswith("$"):
        raise PathError(
            f"not a path: {shown(path)!r}", hint="a path begins with $, the root: $.orders[3]"
        )
    steps: list[Step] = []
    position = 1
    while position < len(path):
        match = _SPELLING.match(path, position)
        step = _step(match) if match else None
        if match is None or step is None:
            rest = shown(path[position:], 40)
            hint = 'steps are .name ["any key"] [3] [#3] {3}'
            raise PathError(f"not a step of a path: {rest!r} (character {position})", hint=hint)
        steps.append(step)
        position = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> Step | None:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    try:
        if kind == "name":
            return Step("key", text) if text.isidentifier() else None
        if kind == "text":
            return Step("key", loads(text, strict=False))
        number = int(text)
    except ValueError:  # an escape that JSON does not have, too many digits
        return None
    if kind == "index":
        return Step("index", number)
    return Step("entry" if kind == "entry" else "element", number)
