from collections.abc import Callable
from types import EllipsisType, MemberDescriptorType
from typing import Any, Literal, TypeAlias, final

_Format: TypeAlias = Literal["json", "cbor", "pickle"]  # the core knows the first two
_Kind: TypeAlias = Literal[
    "fields", "namedtuple", "enum", "parts", "name", "decimal", "uuid", "fraction", "refused"
]
_Slots: TypeAlias = dict[str, Any]
# A callable, or in a tuple of one a callable that takes the instance (attrs' takes_self).
_Factory: TypeAlias = Callable[[], Any] | tuple[Callable[[Any], Any]]
# (path, type, reason, hint)
_Problem: TypeAlias = tuple[str, str, str, str | None]
# A plan or (object,): use it; None: not trusted; ...: keep it inert.
_Resolve: TypeAlias = Callable[[str, str], Plan | tuple[Any] | EllipsisType | None]

fast_layout: bool

class NotTrusted(Exception): ...
class NeedsJudging(Exception): ...

@final
class Plan:
    def __init__(
        self,
        kind: _Kind,
        *,
        cls: type | None = None,
        name: str = "",
        fields: tuple[str, ...] | None = None,
        slots: dict[str, MemberDescriptorType] | None = None,
        defaults: dict[str, Any] | None = None,
        factories: dict[str, _Factory] | None = None,
        dropped: dict[str, Any] | None = None,
        hashed: tuple[str, ...] | None = None,
        take: Callable[[Any], Any] | None = None,
        make: Callable[[_Slots], Any] | None = None,
        shell: Callable[[], Any] | None = None,
        fill: Callable[[Any, _Slots], None] | None = None,
        members: dict[str, Any] | None = None,
        atom: bool = False,
        hooked: bool = False,
        upgrade: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        reason: str = "",
        hint: str = "",
    ) -> None: ...
    @property
    def kind(self) -> _Kind: ...
    @property
    def cls(self) -> type | None: ...
    @property
    def name(self) -> str: ...
    @property
    def fields(self) -> tuple[str, ...] | None: ...
    @property
    def slots(self) -> dict[str, MemberDescriptorType] | None: ...
    @property
    def defaults(self) -> dict[str, Any] | None: ...
    @property
    def factories(self) -> dict[str, _Factory] | None: ...
    @property
    def dropped(self) -> dict[str, Any] | None: ...
    @property
    def hashed(self) -> tuple[str, ...] | None: ...
    @property
    def take(self) -> Callable[[Any], Any] | None: ...
    @property
    def make(self) -> Callable[[_Slots], Any] | None: ...
    @property
    def shell(self) -> Callable[[], Any] | None: ...
    @property
    def fill(self) -> Callable[[Any, _Slots], None] | None: ...
    @property
    def members(self) -> dict[str, Any] | None: ...
    @property
    def atom(self) -> bool: ...
    @property
    def hooked(self) -> bool: ...
    @property
    def upgrade(self) -> Callable[[dict[str, Any]], dict[str, Any]] | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def hint(self) -> str: ...

@final
class Plans:
    def __init__(self, make: Callable[[type], Plan]) -> None: ...
    def plan(self, cls: type, /) -> Plan: ...

@final
class Record:
    def __init__(self, name: str, items: _Slots, /) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def items(self) -> _Slots: ...

@final
class Name:
    def __init__(self, name: str, /) -> None: ...
    @property
    def name(self) -> str: ...

@final
class Tag:
    def __init__(self, number: int, value: Any, /) -> None: ...
    @property
    def number(self) -> int: ...
    @property
    def value(self) -> Any: ...

@final
class Simple:
    def __init__(self, number: int, /) -> None: ...
    @property
    def number(self) -> int: ...

def dump(
    obj: Any,
    plans: Plans,
    format: _Format,
    indent: int | None,
    flags: int,
    limits: tuple[int | float, ...] | None,
    /,
) -> str | bytes: ...
def load(
    data: bytes | bytearray | memoryview | str,
    format: _Format,
    resolve: _Resolve | None,
    flags: int,
    limits: tuple[int | float, ...] | None,
    /,
) -> Any: ...
def install(
    *,
    dump_error: Callable[[list[_Problem], int], Exception],
    load_error: Callable[..., Exception],
    mason_error: type[Exception],
    refused: type[Exception],
    kind_plan: Callable[[str], Plan | None],
) -> None: ...
