"""A package as a user might have it; on the import path in test_trust.py only."""

from __future__ import annotations


class Root:
    pass
