"""A class that trustshop imports."""

from __future__ import annotations


class Sample:
    pass
