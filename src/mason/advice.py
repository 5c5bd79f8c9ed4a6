"""What UntrustedError advises: the line that trusts the names, and what that line leaves out.

Strategy: nothing is imported or run to find out; what is imported already is looked at through
`vars(module)` and `vars(class)` only. The line must be harmless whatever the names are, since a
file chose them: names that are none, and functions of the standard library, never get into it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mason.text import literal, shown

if TYPE_CHECKING:
    from mason.errors import Need

_ROOM = 200  # characters of a name in the line
_LISTED = 100  # items of the line
_MAIN = ("__main__", "__mp_main__")
_REFUSED = ("builtins:object", "builtins:type", "typing:Any")  # by trust=, for what they stand
_KEEP = 'unknown="keep" loads what is around them'
# what `vars(cls)` and `cls.__mro__` say, past any metaclass that has its own __getattribute__
_CLASS_NAMES: Callable[[Any], Mapping[str, Any]] = type.__dict__["__dict__"].__get__
_CLASS_LINE: Callable[[Any], tuple[type, ...]] = type.__dict__["__mro__"].__get__


class Advice:
    """Work out the line that trusts every name, without importing or running anything.

    What is never offered: functions of the standard library (`os.system`), its classes with a
    finalizer, and what `trust=` refuses. They are named as left out; a line to paste must not be
    the attack, and has to work.
    """

    def __init__(
        self,
        needs: Sequence[Need],
        spelled: Mapping[str, str],
        covered: Iterable[str] = (),
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.items: dict[str, None] = {}  # an ordered set of expressions
        self.imports: dict[str, None] = {}
        self.aliases = {old: literal(new) for old, new in (aliases or {}).items()}
        self.withheld: dict[str, None] = {}
        self.calls: dict[str, None] = {}
        self.odd: dict[str, None] = {}
        self.lost = False  # a class of a script that is nowhere to be seen
        self._filled = {need.name for need in needs if need.use == "instance"}
        self._nearby: list[dict[str, Any]] | None = None
        for text in covered:  # the line replaces the call, so it has to say what that said
            module, _, qualname = text.partition(":")
            if module.partition(".")[0] in sys.stdlib_module_names:
                self._of_stdlib(text, "instance", module, qualname)
            else:
                self.items[literal(text)] = None
        for need in needs:
            if need.name in spelled and need.use != "call":
                self.items[spelled[need.name]] = None
            else:
                self._consider(need)

    def lines(self, call: str, source: str | None) -> list[str]:
        """Return the advice, a line each: what to paste, what is left out, where to look."""
        found = []
        if len(self.items) > _LISTED:
            found.append(f"{len(self.items):,} modules would have to be trusted: look first")
        elif self.items:
            found.append(f"If you know these names: {self._paste(call, source)}")
        if self.withheld:
            names = _enumerated(self.withheld)
            found.append(f"Left out: {names}: data seldom has need of the standard library's code")
        if self.calls:
            names = _enumerated(self.calls)
            found.append(f"Left out: {names}: this version of mason makes no calls; {_KEEP}")
        if self.odd:
            found.append(f"No importable name: {_enumerated(self.odd)}: a Registry may know it")
        if self.lost:
            what = 'aliases={"__main__": "the.module.they.live.in"}'
            found.append(f"The classes of the script that wrote it are not here: {what}")
        found.append(f"Look first: {_look_first(call, source)}")
        return found

    def _paste(self, call: str, source: str | None) -> str:
        imports = f"import {', '.join(self.imports)}; " if self.imports else ""
        what = literal(source) if source else "..."
        aliases = ", ".join(f"{literal(old)}: {new}" for old, new in self.aliases.items())
        more = f", aliases={{{aliases}}}" if aliases else ""
        return f"{imports}{call}({what}, trust=[{', '.join(self.items)}]{more})"

    def _consider(self, need: Need) -> None:
        module, colon, qualname = need.name.partition(":")
        if not (colon and _dotted(module) and _dotted(qualname)):
            self.odd[need.name] = None
        elif module.partition(".")[0] in sys.stdlib_module_names:
            self._of_stdlib(need.name, need.use, module, qualname)
        elif need.use == "call":
            self.calls[need.name] = None
        elif module in _MAIN:
            self._of_main(qualname)
        elif _has_finalizer(_glimpse(module, qualname)):  # a module's name does not cover those
            self.items[literal(need.name)] = None
        elif need.name in self._filled or _is_class(_glimpse(module, qualname)):
            self.items[literal(module)] = None
        else:
            # Functions are named one by one, and what is not imported may be one. As a text, never
            # as shop.system: Python would find os.system, which shop has imported, and trust that.
            self.items[literal(need.name)] = None

    def _of_stdlib(self, name: str, use: str, module: str, qualname: str) -> None:
        cls = _glimpse(module, qualname)
        if not _is_class(cls) or _has_finalizer(cls) or name in _REFUSED:
            self.withheld[name] = None
        elif use == "call":
            self.calls[name] = None
        elif module == "builtins":
            self.items[qualname] = None
        else:
            self.imports[module] = None
            self.items[f"{module}.{qualname}"] = None

    def _of_main(self, qualname: str) -> None:
        """Suggest the alias where a script's class lives in another module now."""
        for names in self._modules_nearby():
            cls = _inside(names, qualname)
            home = _CLASS_NAMES(cls).get("__module__") if _is_class(cls) else None
            if type(home) is not str or not _dotted(home):
                continue
            spelled = literal(home)
            if home not in _MAIN and self.aliases.setdefault("__main__", spelled) != spelled:
                self.aliases[f"__main__:{qualname}"] = qualname  # two homes: one by one
            self.items['"__main__"' if home in _MAIN else spelled] = None
            return
        self.items['"__main__"'] = None
        self.lost = True

    def _modules_nearby(self) -> list[dict[str, Any]]:
        """Return the names of the main script and of the module that called mason."""
        if self._nearby is None:
            frame = sys._getframe()
            while (
                frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] == "mason"
            ):
                frame = frame.f_back
            self._nearby = [names for m in _MAIN if (names := _names_of(sys.modules.get(m)))] + [
                frame.f_globals
            ]
        return self._nearby


def _glimpse(module: str, qualname: str) -> object:
    """Return what a name means now, if its module is imported; attribute hooks never run."""
    return _inside(_names_of(sys.modules.get(module)), qualname)


def _names_of(module: object) -> dict[str, Any]:
    if not issubclass(type(module), ModuleType):
        return {}
    names = object.__getattribute__(module, "__dict__")  # a lazy module would load itself
    return names if isinstance(names, dict) else {}


def _inside(names: Mapping[str, Any], qualname: str) -> object:
    found: object = None
    for part in qualname.split("."):
        found = names.get(part)
        names = _CLASS_NAMES(found) if _is_class(found) else {}
    return found


def _is_class(value: object) -> bool:
    return issubclass(type(value), type)  # isinstance would ask the value's own __class__


def _has_finalizer(value: object) -> bool:
    return _is_class(value) and any("__del__" in _CLASS_NAMES(cls) for cls in _CLASS_LINE(value))


def _dotted(name: str) -> bool:
    return len(name) <= _ROOM and all(part.isidentifier() for part in name.split("."))


def _enumerated(names: Iterable[str]) -> str:
    cut = [shown(name) for name in names]
    return ", ".join(cut[:5]) + (f" and {len(cut) - 5:,} more" if len(cut) > 5 else "")


def _look_first(call: str, source: str | None) -> str:
    if source is None:
        return f"mason.read{'s' if call.endswith('loads') else ''}(...).needs"
    from shlex import quote

    return f"mason show {quote(source)}"
