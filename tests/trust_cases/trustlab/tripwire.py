"""A module that must never be imported: no test names it."""

from __future__ import annotations

raise AssertionError("a file made mason import a module")
