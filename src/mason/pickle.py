"""The standard library's `pickle`, name by name, as far as mason has it: writing.

What `dump` writes, any Python reads with its own `pickle`. Reading comes in a later version, and it
will not run what a file says.
"""

from __future__ import annotations

from pickle import DEFAULT_PROTOCOL, HIGHEST_PROTOCOL, PicklingError, dump, dumps

__all__ = ["DEFAULT_PROTOCOL", "HIGHEST_PROTOCOL", "PicklingError", "dump", "dumps"]
