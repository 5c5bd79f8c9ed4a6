"""Where a type expression leads: to the classes it spells, and on through their annotations.

What is spelled in `type=` was passed by the caller. From there on, annotations lead to dataclasses,
attrs classes, named tuples, enums and plain classes of the same top-level package, and through
typed dicts. `Any`, protocols, callables, annotations that do not resolve and classes of other
packages lead nowhere; each is noted, so that an error can name it. Types of the standard library
need nothing, or have to be passed. An annotation that is text is evaluated: it is the program's
own, and a file has no say in it. (`typing.get_type_hints` would do, but asks the classes it meets,
and their metaclasses, for attributes, hashes and equality; here they are only looked at.)
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, EllipsisType, NoneType, UnionType
from typing import Any, Final, NamedTuple, TypeAlias

from mason.trust.items import shown
from mason.trust.names import (
    FINALIZER,
    MAIN,
    contents_of,
    is_a,
    is_class,
    line_of,
    module_of,
    name_of,
    names_of,
    path_of,
    why_by_name_only,
)

# What these modules define is spelled in annotations, but needs no trust or has no instances.
_SPELLING: Final = frozenset(
    {"", "abc", "builtins", "collections.abc", "numbers", "types", "typing"}
)
_NO_STATE: Final = ("dataclasses:InitVar", "dataclasses:_KW_ONLY_TYPE")
_Names: TypeAlias = tuple[Mapping[str, Any], dict[str, Any]]
_ALIAS_TYPE: Final = getattr(typing, "TypeAliasType", None)  # `type X = ...`, since 3.12


class _SomeDict(typing.TypedDict):
    pass


_TYPED_DICT: Final = type(_SomeDict)  # the metaclass has no public name


class DeadEnd(NamedTuple):
    """Note an annotation that leads nowhere: where it stands, why, and the class it names."""

    place: str
    reason: str
    name: str | None = None


class _Unresolved:
    def __repr__(self) -> str:
        return "something that does not resolve"


_UNRESOLVED: Final = _Unresolved()


def parts(expression: Any, names: _Names | None = None) -> Iterator[Any]:
    """Yield the leaves of a type expression: classes, `Any`, and whatever else is no class.

    With `names`, texts are taken for annotations and evaluated there.
    """
    queue: list[Any] = [expression]
    met: dict[Any, Any] = {}  # holds what it has met, so that an id stays its own
    while queue:
        one = queue.pop()
        text = _text(one)
        key = id(one) if text is None or names is None else text
        if one is None or type(one) is EllipsisType or key in met:
            continue
        met[key] = one
        if text is not None and names is not None:
            inner: list[Any] | None = [_evaluated(text, names)]
        else:
            inner = None if is_class(one) else _inside(one)
        if inner is None:
            yield one
        else:
            queue += inner


def _text(expression: Any) -> str | None:
    """Return the text of an annotation that is not evaluated yet, else None."""
    if type(expression) is str:
        return expression
    is_reference = not is_class(expression) and is_a(expression, typing.ForwardRef)
    return str(expression.__forward_arg__) if is_reference else None


def _inside(expression: Any) -> list[Any] | None:
    """Return what a composite type expression is made of; None for a leaf."""
    origin = typing.get_origin(expression)
    if origin is typing.Literal:
        return [type(value) for value in expression.__args__]
    if origin is typing.Annotated:
        return [expression.__origin__]
    if origin is Callable:
        return None  # what a callable takes is not in its state
    if origin is not None:
        return [*typing.get_args(expression), origin]
    if is_a(expression, list) or is_a(expression, tuple):  # for a ParamSpec
        return list(expression)
    if type(expression) is typing._SpecialForm or name_of(type(expression)) in _NO_STATE:
        return []
    return _renamed(expression)


def _renamed(expression: Any) -> list[Any] | None:
    """Return what a type variable, new type or type alias stands for; None for anything else."""
    try:
        if type(expression) is typing.TypeVar:
            bound = expression.__bound__
            return list(expression.__constraints__) or [Any if bound is None else bound]
        if type(expression) is typing.NewType:
            return [expression.__supertype__]
        if _ALIAS_TYPE is not None and type(expression) is _ALIAS_TYPE:
            return [expression.__value__]
    except Exception:  # since 3.12 they are evaluated when first asked
        return [_UNRESOLVED]
    return None


def spelled_classes(expression: Any) -> list[type]:
    """Return the classes that a type expression spells, but for those that need no trust."""
    return [one for one in parts(expression) if is_class(one) and module_of(one) not in _SPELLING]


def spelled_oddities(expression: Any) -> list[Any]:
    """Return what a type expression spells that is neither a class nor `Any`, and protocols."""
    if is_a(expression, list) or is_a(expression, tuple):
        return [expression]
    return [one for one in parts(expression) if not is_class(one) or is_protocol(one)]


def is_typed_dict(cls: type) -> bool:
    """Say whether a class is the declaration of a typed dict: its values are dicts."""
    return is_a(cls, _TYPED_DICT)


def is_protocol(cls: type) -> bool:
    """Say whether a class is a protocol itself (not a class that follows one)."""
    return names_of(cls).get("_is_protocol") is True


class Reach:
    """Follow annotations from some classes, once a name is asked for: many loads ask none."""

    def __init__(self, roots: list[type]) -> None:
        self._roots = roots
        self._classes: dict[str, type] = {}
        self._dead_ends: list[DeadEnd] = []

    def classes(self) -> dict[str, type]:
        """Return the classes reached, by name."""
        self._follow()
        return self._classes

    def dead_ends(self) -> list[DeadEnd]:
        """Return the annotations that led nowhere."""
        self._follow()
        return self._dead_ends

    def _follow(self) -> None:
        queue, self._roots = self._roots, []
        met = set(map(id, queue))
        while queue:
            cls = queue.pop()
            for field, part in _annotated(cls):
                end = _dead_end(cls, field, part)
                if end is not None:
                    self._dead_ends.append(end)
                elif module_of(part) not in _SPELLING and id(part) not in met:
                    met.add(id(part))
                    queue.append(part)
                    if not is_typed_dict(part):
                        self._classes.setdefault(str(name_of(part)), part)


def _dead_end(owner: type, field: str, part: Any) -> DeadEnd | None:
    place = f"{path_of(owner)}.{field}"
    if not is_class(part) or part is Any or part is object:
        return DeadEnd(place, f"is annotated with {shown(part)}")
    if module_of(part) in _SPELLING and not is_protocol(part):
        return None
    why = None
    if is_protocol(part):
        why = "is a protocol"
    elif _package(part) != _package(owner):
        why = f"is not of the package {_package(owner)}"
    elif not is_typed_dict(part) and (refusal := why_by_name_only(part)) is not None:
        why = "has a __del__" if refusal is FINALIZER else "is built on native code"
    if why is None:
        return None
    return DeadEnd(place, f"is annotated with {shown(part)}, which {why}", name_of(part))


def _package(cls: type) -> str:
    top = module_of(cls).partition(".")[0]
    return MAIN[0] if top in MAIN else top


def _annotated(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield each attribute of a class that has an annotation, with each leaf of the annotation."""
    for owner in line_of(cls):
        fields = names_of(owner).get("__attrs_attrs__") or ()
        annotations = {field.name: field.type for field in fields if field.type is not None}
        annotations |= _annotations(owner)
        if annotations:
            names = _names_around(owner)
            for field, annotation in annotations.items():
                for part in parts(annotation, names):
                    yield field, part


def _annotations(cls: type) -> Mapping[str, Any]:
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
    found: Mapping[str, Any] = names_of(cls).get("__annotations__") or {}
    return found


def _names_around(cls: type) -> _Names:
    """Return the names that an annotation in a class may use: of its module, then of itself."""
    outer = contents_of(sys.modules.get(module_of(cls)))
    parameters = {one.__name__: one for one in names_of(cls).get("__type_params__", ())}
    return {**outer, **parameters} if parameters else outer, dict(names_of(cls))


@lru_cache(maxsize=4096)  # most of the time goes here; what a text means is asked each time
def _compiled(text: str) -> CodeType:
    return compile(text, "<annotation>", "eval", dont_inherit=True)


def _evaluated(text: str, names: _Names) -> Any:
    of_module, of_class = names
    try:
        # as in typing.get_type_hints, a field called like its class does not hide the class
        return eval(_compiled(text), of_class, of_module)
    except Exception:
        return _UNRESOLVED


def fits(value: Any, expression: Any) -> bool:
    """Say whether a value is an instance of a type expression, but for what is in brackets."""
    queue: list[Any] = [expression]
    met: dict[int, Any] = {}
    while queue:
        one = queue.pop()
        if id(one) in met:
            continue
        met[id(one)] = one
        if one is Any or (one is None and value is None):
            return True
        origin = None if is_class(one) else typing.get_origin(one)
        if origin is typing.Literal:
            if any(_is_literal(value, each) for each in one.__args__):
                return True
        elif origin is typing.Annotated:
            queue.append(one.__origin__)
        elif origin is typing.Union or origin is UnionType:
            queue += typing.get_args(one)
        elif (stands_for := None if is_class(one) else _renamed(one)) is not None:
            queue += stands_for
        elif _is_instance(value, one if origin is None else origin):
            return True
    return False


def _is_literal(value: Any, literal: Any) -> bool:
    plain = type(literal) in (str, bytes, int, bool, NoneType)
    return value is literal or (plain and type(value) is type(literal) and bool(value == literal))


def _is_instance(value: Any, cls: Any) -> bool:
    if not is_class(cls):
        return False
    if is_typed_dict(cls):
        return type(value) is dict
    # the abstract classes of the standard library count list, dict and their like by registration
    abstract = module_of(cls) in ("collections.abc", "numbers")
    return is_a(value, cls) or (abstract and isinstance(value, cls))
