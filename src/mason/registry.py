"""What a program says once about its classes: trust, aliases, lasting names, versions and upgrades.

Strategy: a `Registry` holds an immutable table of registrations; registering makes a new table, so
that a dump or load under way in another thread keeps the one it began with. The table also keeps
the plans that the core has been given, and `resolver` joins it with a `Policy` into the one
function by which the core learns what a name means.
"""

from __future__ import annotations

from _thread import allocate_lock  # all that is needed of `threading`, whose import takes longer
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import EllipsisType
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    Literal,
    NamedTuple,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    cast,
    overload,
)

from mason.errors import Need, Refused, RegistryError
from mason.trust import Policy, Use, name_of, split_version
from mason.trust.items import shown
from mason.trust.names import Refusal, is_class, is_standard, spellings

if TYPE_CHECKING:
    from mason._core import Plan, Plans
    from mason.document import Document
    from mason.files import Path, Readable, Writable
    from mason.formats import Bytes, Format
    from mason.limits import Limits

Fields: TypeAlias = dict[str, Any]
Upgrade: TypeAlias = Callable[[Fields], Fields]
Resolved: TypeAlias = "Plan | tuple[Any] | EllipsisType | None"
Resolve: TypeAlias = Callable[[str, str], Resolved]
_Class = TypeVar("_Class", bound=type)
_T = TypeVar("_T")

_LONGEST_NAME: Final = 255


class RenderOptions(TypedDict, total=False):
    """Name the options of `mason.dumps` and `mason.dumpb` but `format` and `registry`."""

    indent: int | None
    typed: bool
    plain: bool
    shared: bool
    limits: Limits | None


class DumpOptions(RenderOptions, total=False):
    """Name the options of `mason.dump` but `registry`."""

    format: Format | None
    durable: bool


class LoadOptions(TypedDict, total=False):
    """Name the options of `mason.load` and `mason.loads` but `type` and `registry`."""

    trust: Any
    unknown: Literal["raise", "keep"]
    aliases: Mapping[str, Any] | None
    format: Format | None
    plain: bool
    limits: Limits | None


class ReadOptions(TypedDict, total=False):
    """Name the options of `mason.read` but `registry`."""

    format: Format | None
    limits: Limits | None


class Registration(NamedTuple):
    """Hold what is known of one class: its name in documents, version, steps from older ones."""

    cls: type
    name: str
    version: int | None
    upgrades: dict[int, Upgrade]

    @property
    def wire(self) -> str:
        """Return the name that documents have: "shop.order" or, with a version, "shop.order@2"."""
        return self.name if self.version is None else f"{self.name}@{self.version}"


class _Table:
    """Hold the registrations by name and by class, and the plans made for them."""

    def __init__(self, entries: Iterable[Registration] = ()) -> None:
        self.by_name: dict[str, Registration] = {}
        self.older: dict[tuple[str, int], Plan] = {}
        self._plans: Plans | None = None
        entries = list(entries)
        self.by_class = {id(entry.cls): entry for entry in entries}  # a metaclass may define hash
        homes = Counter(_own_name(entry.cls) for entry in entries)
        for entry in entries:
            if homes[_own_name(entry.cls)] == 1:  # else it means neither of them
                self.by_name |= dict.fromkeys(_own_names(entry.cls), entry)
        self.by_name |= {entry.name: entry for entry in entries}

    def plans(self) -> Plans:
        """Return the core's cache of plans."""
        if self._plans is not None:
            return self._plans
        with _making:
            if self._plans is None:
                from mason._core import Plans

                # not self: the core's cache would keep it alive
                by_class, by_name = self.by_class, self.by_name
                self._plans = Plans(lambda cls: _plan(by_class, by_name, cls))
            return self._plans


_making = allocate_lock()


class Registry:
    """Hold trust, aliases and registered classes, and read and write with them.

    `trust` and `aliases` are as for `mason.load`; they join what each call says for itself. A
    registered class is trusted in this registry's loads, as if it had been passed. Safe to use from
    several threads.
    """

    def __init__(self, trust: Any = (), aliases: Mapping[str, Any] | None = None) -> None:
        self._said = Policy(trust, aliases=aliases)
        self._lock = allocate_lock()
        self._table = _Table()

    # ---------------------------------------------------------------------------- registering

    @overload
    def register(
        self,
        cls: _Class,
        *,
        name: str | None = None,
        version: int | None = None,
        upgrade: Mapping[int, Upgrade] | None = None,
    ) -> _Class: ...
    @overload
    def register(
        self,
        cls: None = None,
        *,
        name: str | None = None,
        version: int | None = None,
        upgrade: Mapping[int, Upgrade] | None = None,
    ) -> Callable[[_Class], _Class]: ...
    def register(
        self,
        cls: Any = None,
        *,
        name: str | None = None,
        version: int | None = None,
        upgrade: Mapping[int, Upgrade] | None = None,
    ) -> Any:
        """Give a class a lasting name and a version; also a decorator, with or without arguments.

        Documents then say `name` (default: "module:qualname"), followed by "@2" for `version=2`.
        `upgrade` maps an older version to a function that turns its fields, as a dict, into those
        of the next version; documents without a version have version 1. The "module:qualname" of
        the class is still read. A class of the same module and qualified name takes the place of
        the one before (a notebook cell that ran again). Raises RegistryError for a name that is
        taken, and for arguments that contradict each other.
        """
        if cls is None:
            return lambda decorated: self.register(
                decorated, name=name, version=version, upgrade=upgrade
            )
        entry = _checked(cls, name, version, dict(upgrade or {}))
        with self._lock:
            others = [one for one in self._table.by_class.values() if not _replaces(entry, one)]
            self._table = _Table([*others, entry])
        return cls

    def wire_name(self, cls: type) -> str:
        """Return what documents call a class: its registered name, else "module:qualname"."""
        return _wire_name(self._table.by_class, cls)

    def lookup(self, name: str) -> tuple[type, int] | None:
        """Return the class registered for a document's name and its version there, or None."""
        plain, version = split_version(name)
        entry = self._table.by_name.get(plain)
        return None if entry is None else (entry.cls, version or 1)

    # -------------------------------------------------------------------- for the line itself

    @property
    def plans(self) -> Plans:
        """Return the core's cache of plans under this registry's names; registering begins anew."""
        return self._table.plans()

    def policy(
        self, trust: Any = (), type: Any = None, aliases: Mapping[str, Any] | None = None
    ) -> Policy:
        """Return the policy for one document: what this registry and the call say, together."""
        return Policy(trust, type, aliases, like=self._said)

    def resolver(self, policy: Policy, keep: bool = False) -> Resolve:
        """Return the function by which the core learns what a name stands for in one document.

        It gives a plan for an instance, `(object,)` for a reference, and for what is not trusted
        None, or `...` with `keep`. Asked in this order: aliases, the value kinds of the standard
        library, registered classes, the policy.
        """
        table = self._table

        def resolve(name: str, use: str) -> Resolved:
            found = _resolved(table, policy, policy.rename(name), cast(Use, use))
            return ... if found is None and keep else found

        return resolve

    # ---------------------------------------------------------------------- writing and reading

    def dump(self, obj: Any, destination: Path | Writable, **options: Unpack[DumpOptions]) -> None:
        """Write an object to a path or file, as `mason.dump` does."""
        _api().dump(obj, destination, registry=self, **options)

    @overload
    def dumps(
        self, obj: Any, *, format: Literal["json"] = "json", **options: Unpack[RenderOptions]
    ) -> str: ...
    @overload
    def dumps(
        self, obj: Any, *, format: Literal["cbor", "pickle"], **options: Unpack[RenderOptions]
    ) -> bytes: ...
    @overload
    def dumps(
        self, obj: Any, *, format: Format, **options: Unpack[RenderOptions]
    ) -> str | bytes: ...
    def dumps(
        self, obj: Any, *, format: Format = "json", **options: Unpack[RenderOptions]
    ) -> str | bytes:
        """Return the document of an object, as `mason.dumps` does."""
        text: str | bytes = _api().dumps(obj, format=format, registry=self, **options)
        return text

    def dumpb(
        self, obj: Any, *, format: Format = "json", **options: Unpack[RenderOptions]
    ) -> bytes:
        """Return the document of an object as bytes, as `mason.dumpb` does."""
        data: bytes = _api().dumpb(obj, format=format, registry=self, **options)
        return data

    @overload
    def load(
        self, source: Path | Readable, type: type[_T], **options: Unpack[LoadOptions]
    ) -> _T: ...
    @overload
    def load(
        self, source: Path | Readable, type: Any = None, **options: Unpack[LoadOptions]
    ) -> Any: ...
    def load(
        self, source: Path | Readable, type: Any = None, **options: Unpack[LoadOptions]
    ) -> Any:
        """Read a path or file and build its objects, as `mason.load` does."""
        return _api().load(source, type, registry=self, **options)

    @overload
    def loads(self, data: str | Bytes, type: type[_T], **options: Unpack[LoadOptions]) -> _T: ...
    @overload
    def loads(self, data: str | Bytes, type: Any = None, **options: Unpack[LoadOptions]) -> Any: ...
    def loads(self, data: str | Bytes, type: Any = None, **options: Unpack[LoadOptions]) -> Any:
        """Build the objects of a document in memory, as `mason.loads` does."""
        return _api().loads(data, type, registry=self, **options)

    def read(self, source: Path | Readable, **options: Unpack[ReadOptions]) -> Document:
        """Read a path or file and build nothing, as `mason.read` does."""
        document: Document = _api().read(source, registry=self, **options)
        return document


def _api() -> Any:
    """Return the layer above; it knows this one, so it is met when the first call comes."""
    return import_module("mason._api")


def _plan(
    by_class: Mapping[int, Registration], by_name: Mapping[str, Registration], cls: type
) -> Plan:
    """Return the plan of a class under its name in a registry."""
    from mason.adapters.stdlib import plan_for
    from mason.plans import make

    kind = plan_for(cls)
    if kind is not None:
        return kind
    wire = _wire_name(by_class, cls)
    taken = by_name.get(wire) if id(cls) not in by_class else None
    if taken is not None:  # it would come back as the other class
        reason = f"has the name that {shown(taken.cls)} is registered under"
        return _refused_plan(cls, wire, reason, "register it under a name of its own")
    return make(cls, wire)


def refused(needs: Iterable[tuple[str, str, int, str]], resolve: Resolve) -> list[Need]:
    """Return those of a document's needs that `resolve` does not trust."""
    return [Need(*need) for need in needs if resolve(need[0], need[1]) is None]


def _resolved(table: _Table, policy: Policy, name: str, use: Use) -> Resolved:
    if use == "instance":
        from mason.adapters.stdlib import kind_plan

        plan = kind_plan(name) or _registered_plan(table, name)
        if plan is not None:
            return plan
    elif use == "reference" and name in table.by_name:
        return (table.by_name[name].cls,)
    found = policy.find(name, use)
    if type(found) is Refusal:
        return None
    return _instance_plan(table, found) if use == "instance" else (found,)


def _instance_plan(table: _Table, cls: type) -> Plan:
    plan = table.plans().plan(cls)
    if plan.kind == "name":  # metaclasses, and the types of functions
        return _refused_plan(
            cls, plan.name, "is a kind of class or function, which is only referred to"
        )
    return plan


def _registered_plan(table: _Table, name: str) -> Plan | None:
    """Return the plan of a registered class for the version that a document has of it."""
    plain, version = split_version(name)
    entry = table.by_name.get(plain)
    if entry is None:
        return None
    known, met = entry.version or 1, version or 1
    if met == known:
        return _instance_plan(table, entry.cls)
    if met > known:
        reason = f"is a version that is not known: {known} is the newest"
        return _refused_plan(entry.cls, name, reason, "a newer program wrote it")
    # the first that is missing, not all: versions may be dates, and the file says where to begin
    missing = next((step for step in range(met, known) if step not in entry.upgrades), None)
    if missing is not None:
        reason = f"is an old version, and nothing upgrades from version {missing}"
        hint = f"register it with upgrade={{{missing}: a function of the fields}}"
        return _refused_plan(entry.cls, name, reason, hint)
    if (plain, met) not in table.older:
        table.older.setdefault((plain, met), _older_plan(entry, met, known))
    return table.older[plain, met]


def _older_plan(entry: Registration, met: int, known: int) -> Plan:
    from mason.plans import make

    steps = [(step, entry.upgrades[step]) for step in range(met, known)]
    plan = make(entry.cls, entry.wire, upgrade=lambda fields: _upgraded(fields, steps))
    if plan.kind in ("fields", "namedtuple", "refused"):
        return plan
    reason = "is an old version, and only classes with fields can be upgraded"
    return _refused_plan(entry.cls, entry.wire, reason)


def _upgraded(fields: Fields, steps: list[tuple[int, Upgrade]]) -> Fields:
    """Run the upgrades, oldest first; what goes wrong there is told with the path of the object."""
    for version, step in steps:
        try:
            fields = step(fields)
        except MemoryError:
            raise
        except Exception as error:
            reason = f"cannot be upgraded from version {version}: {type(error).__name__}: {error}"
            raise Refused(reason) from error
        if type(fields) is not dict:
            hint = "an upgrade returns the fields of the next version"
            raise Refused(f"has an upgrade from version {version} that returns no dict", hint)
    return fields


def _refused_plan(cls: type, name: str, reason: str, hint: str = "") -> Plan:
    from mason._core import Plan

    return Plan("refused", cls=cls, name=name, reason=reason, hint=hint)


# ----------------------------------------------------------------------------------- checking


def _wire_name(by_class: Mapping[int, Registration], cls: type) -> str:
    entry = by_class.get(id(cls))
    return entry.wire if entry else _own_name(cls)


def _own_name(cls: type) -> str:
    return name_of(cls) or ""


def _own_names(cls: type) -> list[str]:
    module, colon, path = _own_name(cls).partition(":")
    return [f"{one}{colon}{path}" for one in spellings(module)]


def _checked(
    cls: Any, name: str | None, version: int | None, upgrades: dict[int, Upgrade]
) -> Registration:
    if not is_class(cls):
        raise RegistryError(f"{shown(cls)} is no class", hint="options are given by keyword")
    own = _own_name(cls)
    if not own or is_standard(own.partition(":")[0]):
        raise RegistryError(f"{own or shown(cls)} keeps its own name: register classes of your own")
    if name is not None and not _is_name(name):
        hint = 'such as "shop.order": printable, and without spaces, "@" or "$"'
        raise RegistryError(f"{name!r} cannot be the name of a class in documents", hint=hint)
    if version is not None and not (type(version) is int and 0 < version < 10**9):
        raise RegistryError(f"version={version!r}: versions count from 1")
    for step, function in upgrades.items():
        if not (type(step) is int and 0 < step < (version or 1)) or not callable(function):
            hint = "write version=3, upgrade={1: from_1_to_2, 2: from_2_to_3}"
            raise RegistryError(
                f"upgrade={{{step!r}: ...}} leads to no version of {own}", hint=hint
            )
    return Registration(cls, name or own, version, upgrades)


def _is_name(name: Any) -> bool:
    if type(name) is not str or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        return False
    standard = ":" in name and is_standard(name.partition(":")[0])
    return (
        not standard
        and name.count(":") <= 1
        and all(name.split(":"))
        and not set(name) & set(" @$")
    )


def _replaces(new: Registration, old: Registration) -> bool:
    """Return whether a registration takes the place of another.

    Raise RegistryError where the two cannot stand beside each other.
    """
    if old.cls is new.cls:
        if old != new:
            raise RegistryError(f"{shown(new.cls)} is registered already, as {old.wire}")
        return True
    if _own_name(old.cls) == _own_name(new.cls):
        return old.name == new.name  # then the class was defined again
    for name in {new.name, *_own_names(new.cls)} & {old.name, *_own_names(old.cls)}:
        raise RegistryError(
            f"the name {name} is taken by {shown(old.cls)}",
            hint="every class needs a name of its own",
        )
    return False


DEFAULT: Final = Registry()
"""The registry of calls without `registry=`; nothing is ever registered in it."""
