"""What mason knows of other people's classes: one module per library or kind of value."""

from __future__ import annotations
