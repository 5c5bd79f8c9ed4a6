"""Fraction; the core reads and writes it itself, and needs to know where its two numbers are."""

from __future__ import annotations

from fractions import Fraction

from mason._core import Plan
from mason.adapters.anatomy import line_of, slots_of

_SLOTS = slots_of(line_of(Fraction))

ROWS = (Plan("fraction", cls=Fraction, name="fractions:Fraction", atom=True, slots=_SLOTS),)
