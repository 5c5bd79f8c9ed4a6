"""Annotations of every kind, to be followed from Start."""

from __future__ import annotations

import datetime
import http
import typing
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, InitVar, dataclass
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, NamedTuple, NewType, TypeVar

import attrs
from trustlab.samples import Sample

from trustshop.models import Basket, Closing, Status

if typing.TYPE_CHECKING:
    from trustshop.lines import Line

T = TypeVar("T")


class Followed(typing.Protocol):
    name: str


class Unreached:
    pass


class InUnion:
    pass


class InList:
    pass


class InDict:
    pass


class InAnnotated:
    pass


class InClassVar:
    pass


class InFinal:
    pass


class InOptional:
    pass


class InString:
    pass


class InArgument:
    pass


class InTuple:
    pass


class InType:
    pass


class InBound:
    pass


class InNewType:
    pass


class InTypedDict:
    pass


class InAttrs:
    pass


class InNamedTuple:
    pass


class InParent:
    pass


class InCallable:
    pass


class InInit:
    pass


Bound = TypeVar("Bound", bound=InBound)
Renamed = NewType("Renamed", InNewType)


class Box(Generic[T]):
    content: T


class Options(typing.TypedDict):
    one: InTypedDict


@attrs.define
class Attrs:
    one: InAttrs


class Named(NamedTuple):
    one: InNamedTuple


class Parent:
    inherited: InParent


class Plain:
    back: Start


@dataclass
class Start(Parent, Generic[Bound]):
    number: int
    when: datetime.datetime
    union: InUnion | Mapping[str, InDict]
    items: list[InList]
    annotated: Annotated[InAnnotated, "a remark"]
    optional: typing.Optional[InOptional]  # noqa: UP045
    string: list["InString"]  # noqa: UP037
    box: Box[InArgument]
    pair: tuple[InTuple, ...]
    kind: type[InType]
    bound: Bound
    renamed: Renamed
    options: Options
    attrs: Attrs
    named: Named
    plain: Plain
    chosen: Literal[Status.OPEN]
    itself: Start[Any] | None
    # from here on nothing is reached
    anything: Any
    some: object
    follows: Followed
    foreign: Sample
    standard: http.HTTPStatus
    unresolved: Line
    native: Basket
    closing: Closing
    call: Callable[[InCallable], None]
    given: InitVar[InInit]
    _: KW_ONLY
    shared: ClassVar[InClassVar]
    last: Final[InFinal]
