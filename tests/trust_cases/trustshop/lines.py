"""A submodule that nothing imports unless it is named."""

from __future__ import annotations


class Line:
    pass
