"""Decimal; the core reads and writes it itself, and needs to know where it is."""

from __future__ import annotations

from decimal import Decimal

from mason._core import Plan

ROWS = (Plan("decimal", cls=Decimal, name="decimal:Decimal", atom=True),)
