"""What a file may name, and for which use: the one place where a name becomes a Python object.

Strategy: a `Policy` is made of what the *caller* said (`trust=`, `type=`, `aliases=`) and is asked
for names out of a file, `find("shop.models:Order", "instance")`. What it hands out was either
passed by the caller as an object, or is found by reading `vars(module)` and then `vars(class)` step
by step, where each step is a class that says by its own `__module__` and `__qualname__` that it
lives at that very path; so a re-export (`logging:os.system`) leads nowhere. All looking goes
through the descriptors of `type` and `ModuleType`: no metaclass, descriptor or module `__getattr__`
runs. Nothing is imported but the exact modules that the caller spelled, and nothing is searched on
disk. Each answer is kept for the policy's life (one load): the object judged is the object used.

    names      reading modules and classes without running anything
    items      what may be given as trust= and aliases=
    reach      where the annotations of type= lead
    policy     the three together, asked for a name and a use
"""

from __future__ import annotations

from mason.errors import PolicyError
from mason.trust.items import STDLIB, Calling, ReviewedSet, call
from mason.trust.names import Refusal, Use, is_imported, name_of, split_version
from mason.trust.policy import Policy

__all__ = [
    "STDLIB",
    "Calling",
    "Policy",
    "PolicyError",
    "Refusal",
    "ReviewedSet",
    "Use",
    "call",
    "is_imported",
    "name_of",
    "split_version",
]
