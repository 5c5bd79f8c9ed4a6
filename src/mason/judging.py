"""What the names of one document stand for, and whether all of them may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mason import _core
from mason.errors import LoadError, UntrustedError, shown
from mason.registry import Registry, refused

if TYPE_CHECKING:
    from mason.trust import Policy

INERT = 2  # a flag of the core's load
_NOTHING: Any = ()  # what trust= is where it is left out


class Names:
    """Say what the names of one document stand for; called by the core, once for each name and use.

    Plain data has no names: where the caller says nothing of trust, the policy is made when the
    first name comes. Most documents are small: what is done here is done for each of them.
    """

    __slots__ = ("_policy", "_registry", "_resolver", "_unknown")

    def __init__(
        self, registry: Registry, trust: Any, type: Any, aliases: Any, unknown: str
    ) -> None:
        self._registry = registry
        self._unknown = unknown
        self._resolver: Any = None
        self._policy: Policy | None = None
        # not `trust != ()`: a class would ask its metaclass
        if type is not None or aliases is not None or trust is not _NOTHING:
            self._policy = registry.policy(trust, type, aliases)

    @property
    def policy(self) -> Policy:
        """Return the policy of this document."""
        if self._policy is None:
            self._policy = self._registry.policy()
        return self._policy

    def __call__(self, name: str, use: str) -> Any:
        """Answer as `Registry.resolver` says."""
        if self._resolver is None:
            self._resolver = self._registry.resolver(self.policy, keep=self._unknown == "keep")
        return self._resolver(name, use)


def judge(
    data: Any,
    format: Any,
    names: Names,
    bounds: tuple[float, ...] | None,
    name: str | None,
) -> None:
    """Raise UntrustedError unless every name of the document is trusted.

    Raises LoadError for what is trusted and cannot be built all the same: before the rest is.
    """
    _, needs, _ = _core.load(data, format, None, INERT, bounds)
    missing = refused(needs, names)
    if missing:
        policy = names.policy
        raise UntrustedError(
            missing,
            source=name,
            call="mason.load" if name else "mason.loads",
            spelled=policy.spelled(missing),
            covered=policy.covered(need[:2] for need in needs),
            aliases=policy.aliases(need[0] for need in needs),
            hint=policy.advice(missing, (need[0] for need in needs)),
        ) from None
    for wanted, use, _, path in needs:
        if use == "call":  # trusted, but nothing is called in this version
            raise LoadError(
                f"a call of {shown(wanted)}, which this version of mason does not make",
                path,
                "mason.read shows the document without it",
            ) from None
        plan = names(wanted, use) if use == "instance" else None
        if type(plan) is _core.Plan and plan.kind == "refused":
            raise LoadError(f"{plan.name} {plan.reason}", path, plan.hint or None) from None
