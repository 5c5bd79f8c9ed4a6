"""Somebody else's package."""

from __future__ import annotations
