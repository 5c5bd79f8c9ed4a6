"""Every error that mason raises, and the text that each one shows.

Strategy: an error carries the place (`.path`), the cause (`.message`) and the next step (`.hint`);
`str()` shows all three. Whatever comes out of a file (names, keys) is escaped and cut before it is
shown: a file must not write control sequences to a terminal, nor a megabyte to a log. Errors keep
only text and numbers (and, as `json` does, the document of a JSON syntax error), so that worker
processes can return them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from json import JSONDecodeError
from typing import Any, NamedTuple

from mason.advice import Advice
from mason.text import shown as shown

_LISTED = 100  # lines of one message


class Problem(NamedTuple):
    """Name one value that cannot be written: where it is, its type, why not, and what to do."""

    path: str
    type: str
    reason: str
    hint: str | None


class Need(NamedTuple):
    """Name one thing that a document asks for.

    `use` is "instance", "reference" or "call"; `count` says how often, `path` where first.
    """

    name: str
    use: str
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks a Need for
    path: str


class Refused(Exception):
    """Tell the core that a value cannot be taken apart or put together (internal)."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        Exception.__init__(self, reason, hint)
        self.reason = reason
        self.hint = hint


class MasonError(Exception):
    """Stand above every error: `message`, `path` and `hint` say what, where, and what next."""

    def __init__(self, message: str, path: str | None = None, hint: str | None = None) -> None:
        # not super(): beside us in the line stand classes of the standard library that take other
        # arguments
        Exception.__init__(self, message)
        self.message = message
        self.path = path or None
        self.hint = hint or None

    def __reduce__(self) -> tuple[Any, ...]:
        # the default rebuilds with cls(*args), which children with other arguments cannot take
        return _revive, (type(self), self.args), self.__dict__

    def __str__(self) -> str:
        return "\n".join([self._line(), *_indented(self.hint)])

    def _line(self) -> str:
        return self.message + (f" at {shown(self.path)}" if self.path else "")


class PathError(MasonError, LookupError):
    """Say that a path cannot be read, or leads nowhere in this document."""


class UnknownFormatError(MasonError, ValueError):
    """Say that neither `format=`, nor a suffix, nor the content tells the format."""


class DumpError(MasonError, TypeError, ValueError):
    """Say what cannot be written: `problems` lists the places, `total` counts all of them."""

    def __init__(
        self,
        message: str,
        path: str | None = None,
        hint: str | None = None,
        problems: Iterable[Problem] = (),
        total: int | None = None,
    ) -> None:
        super().__init__(message, path, hint)
        self.problems = tuple(problems)
        self.total = len(self.problems) if total is None else total

    def __str__(self) -> str:
        return super().__str__() if self.total <= 1 else "\n".join([self.message, *self._listing()])

    def _listing(self) -> Iterable[str]:
        told: set[str] = set()
        for problem in self.problems[:_LISTED]:
            yield f"  {shown(problem.path)}  {_reason(problem)}"
            if problem.hint and problem.hint not in told:  # ten locks need one hint
                told.add(problem.hint)
                yield from _indented(problem.hint, "      ")
        if self.total > (listed := min(len(self.problems), _LISTED)):
            yield f"  ... and {self.total - listed:,} more"


class LoadError(MasonError, ValueError):
    """Say why a document cannot be read.

    `offset` counts bytes from the start of the data; `line` and `column` count from 1 in JSON and
    are None elsewhere.
    """

    def __init__(
        self,
        message: str,
        path: str | None = None,
        hint: str | None = None,
        offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message, path, hint)
        self.offset = offset
        self.line = line
        self.column = column

    def _line(self) -> str:
        if self.line is not None:
            return f"{super()._line()} (line {self.line}, column {self.column})"
        return super()._line() + (f" (byte {self.offset})" if self.offset is not None else "")


class JSONError(LoadError, JSONDecodeError):
    """Say where a text stops being JSON, with the attributes of `json.JSONDecodeError`."""

    def __init__(
        self,
        message: str,
        path: str | None = None,
        hint: str | None = None,
        offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
        doc: str = "",
        pos: int = 0,
    ) -> None:
        super().__init__(message, path, hint, offset, line, column)
        self.msg = message
        self.doc = doc
        self.pos = pos
        self.lineno = line or 1
        self.colno = column or pos + 1


class LimitError(LoadError):
    """Say which of the `Limits` a document goes beyond."""


class FieldError(LoadError):
    """Say which `field` does not fit which class; `cls` is its name ("module:qualname")."""

    def __init__(
        self,
        message: str,
        path: str | None = None,
        hint: str | None = None,
        offset: int | None = None,
        line: int | None = None,
        column: int | None = None,
        cls: str | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(message, path, hint, offset, line, column)
        self.cls = cls
        self.field = field


class UntrustedError(LoadError):
    """List every name that a document needs and the caller has not trusted; nothing was run.

    `needs` are the names that are missing. `source` is the path of the file (None for anything
    else) and `call` how the caller asked ("mason.load"), for the line to paste. `spelled` gives,
    per name, the expression that trusts it where the caller knows a better one than the module (a
    reviewed set, a class that must be passed itself). `covered` are the texts that trust the other
    names of the document, and `aliases` lead its names to today's: the line needs them as well.
    """

    def __init__(
        self,
        needs: Iterable[Need],
        *,
        source: str | None = None,
        call: str = "mason.load",
        spelled: Mapping[str, str] | None = None,
        covered: Iterable[str] = (),
        aliases: Mapping[str, str] | None = None,
        hint: str | None = None,
    ) -> None:
        self.needs = tuple(Need(*need) for need in needs)
        count = len({need.name for need in self.needs})
        message = f"{count:,} name{' is' if count == 1 else 's are'} not trusted; nothing was run"
        advice = Advice(self.needs, spelled or {}, covered, aliases).lines(call, source)
        path = self.needs[0].path if self.needs else None
        super().__init__(message, path, "\n".join([*advice, *([hint] if hint else [])]))
        # as it was when the error was raised: whoever prints it later may have imported the modules
        # since
        self._listing = _need_lines(self.needs)

    def __str__(self) -> str:
        return "\n".join([self.message, *self._listing, *(self.hint or "").splitlines()])


class PolicyError(MasonError, ValueError):
    """Say what in `trust=`, `type=` or `aliases=` has no meaning, and what to write instead."""


class RegistryError(MasonError, ValueError):
    """Say why a class cannot be registered like that, and what to do instead."""


# --- made by the core


def dump_error(problems: Sequence[tuple[str, str, str, str | None]], total: int) -> DumpError:
    """Make the error of a dump out of (path, type, reason, hint) of each place met."""
    listed = [Problem(*problem) for problem in problems]
    if not listed:
        return DumpError("the value cannot be written", total=total)
    one = f"cannot write: {_reason(listed[0])}"
    message = one if total <= 1 else f"{total:,} values cannot be written"
    return DumpError(message, listed[0].path, listed[0].hint, listed, total)


def load_error(
    code: str,
    message: str,
    hint: str | None,
    offset: int | None,
    path: str | None,
    data: bytes | bytearray | memoryview | str | None,
    cls: type | str | None = None,
    field: str | None = None,
    text: bool | None = None,
) -> LoadError:
    """Make the error of a load: `code` is "syntax" (JSON), "value", "limit", "field" or "format".

    `offset` counts bytes (of the UTF-8 form, where `data` is a str; negative or None: unknown).
    `text` says whether `data` is JSON; None: a str, code "syntax", or bytes that begin like JSON.
    """
    spot = (path, hint, None if offset is None or offset < 0 else offset)
    if (
        data is None
        or spot[2] is None
        or not ((code == "syntax" or _looks_textual(data)) if text is None else text)
    ):
        line, column, pos = None, None, 0
    else:
        line, column, pos = _position(data, spot[2])
    if code == "syntax" and text is not False:
        return JSONError(message, *spot, line, column, _document(data), pos)
    if code == "field":
        return FieldError(message, *spot, line, column, _class_name(cls), field)
    return (LimitError if code == "limit" else LoadError)(message, *spot, line, column)


# --- places


def _position(data: bytes | bytearray | memoryview | str, offset: int) -> tuple[int, int, int]:
    """Return line and column (from 1) and the character index of a byte offset."""
    if isinstance(data, str) and data.isascii():
        before = data[:offset]
    else:
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        before = bytes(raw[:offset]).decode(
            "utf-8", "surrogatepass" if isinstance(data, str) else "replace"
        )
    return before.count("\n") + 1, len(before) - before.rfind("\n"), len(before)


def _document(data: bytes | bytearray | memoryview | str | None) -> str:
    if data is None or isinstance(data, str):
        return data or ""
    return str(data, "utf-8", "replace")


def _looks_textual(data: bytes | bytearray | memoryview | str) -> bool:
    if isinstance(data, str):
        return True
    head = bytes(data[:64]).lstrip(b" \t\r\n")
    return (
        head[:1] in (b"{", b"[") and head[1:2] >= b"\t"
    )  # CBOR: the eight bytes of a length come next


def _class_name(cls: type | str | None) -> str | None:
    return f"{cls.__module__}:{cls.__qualname__}" if isinstance(cls, type) else cls


# --- text


def _reason(problem: Problem) -> str:
    # most reasons go on with the sentence: "is an open file", "has another number of items"
    joint = ": " if problem.reason.startswith(("it ", "its ", "two ")) else " "
    return shown(problem.type) + joint + problem.reason if problem.type else problem.reason


def _indented(hint: str | None, indent: str = "  ") -> Iterable[str]:
    return [indent + line for line in (hint or "").splitlines()]


def _need_lines(needs: Sequence[Need]) -> list[str]:
    listed = needs[:_LISTED]
    names = [shown(need.name) for need in listed]
    width = max((len(name) for name in names if len(name) <= 60), default=0)
    lines = []
    for need, name in zip(listed, names, strict=True):
        where = (
            f"{need.count:,}x" + (", first at " if need.count > 1 else " at ") + shown(need.path)
        )
        module, colon, _ = need.name.partition(":")
        known = (
            "module not imported" if sys.modules.get(module) is None else "module imported already"
        )
        use = f"a {shown(need.use)}" if need.use != "instance" else ""
        remark = "; ".join(filter(None, (use, known if colon else "no module")))
        lines.append(f"  {name:<{width}}  {where}  ({remark})")
    if len(needs) > _LISTED:
        lines.append(f"  ... and {len(needs) - _LISTED:,} more (all of them: .needs)")
    return lines


def _revive(cls: type[MasonError], args: tuple[Any, ...]) -> MasonError:
    return cls.__new__(cls, *args)
