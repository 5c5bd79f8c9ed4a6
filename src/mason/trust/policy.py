"""The one resolver: a name and a use go in, and the object comes out, or why not."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

from mason.errors import LoadError, Need, PolicyError
from mason.errors import shown as printable
from mason.text import literal
from mason.trust.items import Aliases, Grants, says_nothing, shown
from mason.trust.names import (
    AGAINST_RULE,
    NO_INSTANCES,
    NO_NAME,
    NOT_CALLABLE,
    NOT_IMPORTED,
    NOT_NAMED,
    ONE_BY_ONE,
    Refusal,
    Use,
    find_defined,
    is_class,
    is_dotted,
    is_imported,
    is_standard,
    lies_in,
    name_of,
    spellings,
    why_by_name_only,
)
from mason.trust.reach import Reach, fits, spelled_classes, spelled_oddities

_LOOKED_AT = 20  # names of one document for which better spellings are searched
_TOLD = 5  # lines of one sort of advice
_ITEMS = (str, list, tuple, set, frozenset)  # what trust= may be, and type= may not


class Policy:
    """Decide what each name of one document stands for, by what the caller said.

    `trust` is an item or an iterable of items: classes, functions (to be referred to), names of
    modules, "module:qualname", `trust.call(function)`, `trust.STDLIB`, rules `(name, use) -> bool`,
    in any mixture. `type` is a type expression: the classes it spells are trusted, and what their
    annotations reach. `aliases` leads yesterday's names to today's; classes given there are
    trusted. `like` is a policy whose trust and aliases are taken over. Raises PolicyError for what
    cannot be meant.
    """

    __slots__ = ("_aliases", "_expected", "_failed", "_grants", "_judged", "_reach", "_texts")

    def __init__(
        self,
        trust: Any = (),
        type: Any = None,
        aliases: Mapping[str, Any] | None = None,
        *,
        like: Policy | None = None,
    ) -> None:
        silent = type is None and aliases is None and says_nothing(trust)
        if like is not None and silent:  # nothing will be added, so theirs may be shared
            self._grants: Grants = like._grants
            self._aliases: Aliases = like._aliases
        else:
            self._grants = Grants(like._grants if like else None)
            self._aliases = Aliases(like._aliases if like else None)
            self._grants.add_all(trust)
            self._aliases.add_all(aliases, self._grants)
        self._texts = () if silent else tuple(self._grants.texts)
        self._expected = type
        self._reach = Reach([] if type is None else self._grant_spelled(type))
        self._judged: dict[tuple[str, str], Any] = {}
        self._failed: dict[str, Refusal] = {}

    def _grant_spelled(self, expression: Any) -> list[type]:
        """Grant the classes that type= spells and return them."""
        for odd in spelled_oddities(expression):
            protocol = "a protocol" if is_class(odd) else "no class"
            hint = "pass a class, or an expression of classes: list[Order], Order | None"
            if odd is expression and builtins.type(odd) in _ITEMS:
                hint = "was trust= meant? type= is the class of the whole document"
            raise PolicyError(f"type= holds {shown(odd)}, which is {protocol}", hint=hint)
        classes = spelled_classes(expression)
        for cls in classes:
            self._grants.add_object(cls)
        return classes

    def rename(self, name: str) -> str:
        """Return today's name for one out of a file."""
        return self._aliases.apply(name)

    def find(self, name: str, use: Use) -> Any:
        """Return the class or function that `name` stands for in that use, else a Refusal.

        The name is one that went through `rename`.
        The answer stays the same for the life of the policy. What a rule raises comes through.
        """
        key = (name, use)
        if key not in self._judged:
            self._judged.setdefault(key, self._judge(name, use))
        return self._judged[key]

    def _judge(self, name: str, use: Use) -> Any:
        module, _, path = name.partition(":")
        answer = self._among_passed(module, path, use)
        if not is_refusal(answer):
            return answer
        if not (module and path):
            return NO_NAME
        for look in (self._among_modules, self._among_reached, self._among_ruled):
            other = look(module, path, use)
            if not is_refusal(other):
                return other
            if answer is NOT_NAMED:  # the first that knew the name tells why not
                answer = other
        return answer

    def _among_passed(self, module: str, path: str, use: Use) -> Any:
        for one in spellings(module):
            name = f"{one}:{path}"
            if name in self._grants.objects:
                return _for_use(self._grants.objects[name], use, name in self._grants.called)
        return NOT_NAMED

    def _among_modules(self, module: str, path: str, use: Use) -> Any:
        """Look where the strings in trust= point; this may import the very modules they spell."""
        singled_out = any(f"{one}:{path}" in self._grants.names for one in spellings(module))
        tops = [top for top in self._grants.modules if lies_in(module, top)]
        if not (singled_out or tops):
            return NOT_NAMED
        failure = self._bring(module, [module] * singled_out + sorted(tops, key=len, reverse=True))
        found = find_defined(module, path)
        if found is NOT_IMPORTED and failure is not None:
            return failure
        if not is_refusal(found) and not singled_out:
            found = (why_by_name_only(found) or found) if is_class(found) else ONE_BY_ONE
        return found if is_refusal(found) else _for_use(found, use, called=False)

    def _bring(self, module: str, tops: list[str]) -> Refusal | None:
        """Import from `tops` until `module` is there; return the first failure."""
        failure = None
        for top in tops:
            if is_imported(module):
                break
            if top not in self._failed and not is_imported(top):
                try:
                    importlib.import_module(top)
                except MemoryError:
                    raise
                except Exception as error:
                    reason = f"{top} cannot be imported ({type(error).__name__}: {error})"
                    self._failed[top] = Refusal(printable(reason))
            failure = failure or self._failed.get(top)
        return failure

    def _among_reached(self, module: str, path: str, use: Use) -> Any:
        for one in spellings(module):
            cls = self._reach.classes().get(f"{one}:{path}")
            if cls is not None:
                return _for_use(cls, use, called=False)
        return NOT_NAMED

    def _among_ruled(self, module: str, path: str, use: Use) -> Any:
        """Look among what is imported if a rule says so; its yes imports nothing."""
        answer = NOT_NAMED
        for rule in self._grants.rules:
            verdict = rule(f"{module}:{path}", use)
            if type(verdict) is not bool:
                raise PolicyError(f"the rule {shown(rule)} returned neither True nor False")
            if verdict:
                found = find_defined(module, path)
                return found if is_refusal(found) else _for_use(found, use, called=True)
            answer = AGAINST_RULE
        return answer

    def check_root(self, value: Any) -> None:
        """Raise LoadError when a loaded value is not an instance of `type=`.

        Classes are compared by the real type of the value, in a union any member will do, and of
        `list[Order]` only `list` is looked at.
        """
        if self._expected is not None and not fits(value, self._expected):
            found = (name_of(type(value)) or "").removeprefix("builtins:")
            message = (
                f"the document holds {found}, not {shown(self._expected).removeprefix('builtins:')}"
            )
            hint = "type= names what the whole document must be an instance of"
            if type(value) is dict:
                hint += "; plain data is not turned into objects: let mason.dump write the document"
            raise LoadError(message, "$", hint)

    def spelled(self, needs: Iterable[Need]) -> dict[str, str]:
        """Return, per refused name, what trusts it where the module of that name would not do."""
        expressions = {}
        for need in needs:
            name = self.rename(need.name)
            module, _, path = name.partition(":")
            found = find_defined(module, path) if path and not is_standard(module) else NOT_NAMED
            if is_class(found):
                alone = why_by_name_only(found) is not None
            else:
                alone = not is_refusal(found) and need.use == "reference"
            if alone:
                expressions[need.name] = literal(name)
            elif name != need.name and path and not is_standard(module):
                expressions[need.name] = literal(module if need.use == "instance" else name)
        return expressions

    def covered(self, uses: Iterable[tuple[str, str]]) -> list[str]:
        """Return what trusts those names of a document that were found here: modules and names."""
        texts: dict[str, None] = {}
        for raw, use in uses:
            name = self.rename(raw)
            found = self._judged.get((name, use), NOT_NAMED)
            if use != "call" and not is_refusal(found):
                whole = is_class(found) and why_by_name_only(found) is None
                module = name.partition(":")[0]
                tops = [top for top in self._grants.modules if whole and lies_in(module, top)]
                texts[min(tops, key=len, default=name)] = None
        return list(texts)

    def aliases(self, names: Iterable[str]) -> dict[str, str]:
        """Return the aliases that were applied to names of a document."""
        found = map(self._aliases.leading, names)
        return {one.old: one.new for one in found if one is not None}

    def advice(self, needs: Iterable[Need], document: Iterable[str] | None = None) -> str | None:
        """Return what else to say of refused names: reasons, aliases, annotations; a line each.

        `document` are all names of the document, trusted or not; without it, the refused ones.
        """
        needs = list(needs)
        names = [need.name for need in needs] if document is None else document
        lines: dict[str, None] = dict.fromkeys(self._idle(set(map(self.rename, names))))
        reasons: dict[str, list[str]] = {}
        for need in needs[:_LOOKED_AT]:
            name = self.rename(need.name)
            answer = self.find(name, cast(Use, need.use))
            other = self._elsewhere(name)
            if other is not None:
                old, new = literal(need.name.partition(":")[0]), literal(other.partition(":")[0])
                lines[f"{other} is trusted; if that is meant: aliases={{{old}: {new}}}"] = None
            elif is_refusal(answer) and answer not in (NOT_NAMED, NO_NAME):
                reasons.setdefault(answer.reason, []).append(printable(need.name))
        for reason, refused in reasons.items():  # one module that cannot be imported is one line
            first, *others = dict.fromkeys(refused)
            lines[f"{first}{f' and {len(others)} more' if others else ''}: {reason}"] = None
        lines.update(dict.fromkeys(self._dead_ends({self.rename(need.name) for need in needs})))
        return "\n".join(lines) or None

    def _elsewhere(self, name: str) -> str | None:
        """Return the trusted name that differs only by its module, if there is exactly one."""
        module, _, path = name.partition(":")
        known = {
            one
            for one in (*self._grants.objects, *self._reach.classes())
            if one.partition(":")[2] == path
        }
        for top in self._grants.modules:
            if is_imported(top) and is_class(find_defined(top, path)):
                known.add(f"{top}:{path}")
        # a file that names os:system must not be answered with the way to posix:system
        known = {one for one in known if not self._is_standard_function(one)}
        return known.pop() if len(known) == 1 and is_dotted(module) and name not in known else None

    def _is_standard_function(self, name: str) -> bool:
        found = self._grants.objects.get(name)
        return is_standard(name.partition(":")[0]) and found is not None and not is_class(found)

    def _idle(self, names: set[str]) -> list[str]:
        """Tell which texts in trust= cover nothing of a document: most of them are misspelled."""
        modules = {name.partition(":")[0] for name in names}
        lines = []
        for text in self._texts:
            module, colon, path = text.partition(":")
            if colon:
                if not any(f"{one}:{path}" in names for one in spellings(module)):
                    lines.append(f"trust={literal(text)}: the document does not name it")
            elif not any(lies_in(one, module) for one in modules):
                meant = min((one for one in names if _is_spelled(one, text)), default=None)
                why = "no name in the document lies there" + (
                    "" if is_imported(module) else ", and no such module is imported"
                )
                if meant is not None:
                    spelling = literal(printable(meant))
                    why = f"a text is a module, or a class with its module: {spelling}"
                lines.append(f"trust={literal(text)}: {why}")
        return lines[:_TOLD]

    def _dead_ends(self, names: set[str]) -> list[str]:
        ends = self._reach.dead_ends()
        meant = [end for end in ends if end.name in names] or [
            end for end in ends if end.name is None
        ]
        return [
            f"{end.place} {end.reason}: name {'it' if end.name else 'what it may hold'} in trust="
            for end in meant[:_TOLD]
        ]


def is_refusal(answer: Any) -> bool:
    """Say whether an answer of `Policy.find` is a Refusal."""
    return type(answer) is Refusal


def _is_spelled(name: str, path: str) -> bool:
    """Say whether a name out of a file has that path, and may be shown for the caller to paste."""
    module, _, its = name.partition(":")
    return its == path and is_dotted(module) and not is_standard(module)


def _for_use(found: Any, use: Use, called: bool) -> Any:
    if use == "reference" or (use == "call" and called):
        return found
    if use == "instance":
        return found if is_class(found) else NO_INSTANCES
    return NOT_CALLABLE
