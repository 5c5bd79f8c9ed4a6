"""A cache: what a program has computed, under the arguments that it was computed from."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

_SHAPES = ("circle", "wave", "tree", "grid")


@dataclass(frozen=True)
class Palette:
    """Hold colours that many pictures use."""

    name: str
    colours: tuple[str, ...]


@dataclass
class Picture:
    """Hold one rendered picture."""

    palette: Palette
    size: tuple[int, int]
    pixels: bytes
    tags: set[str] = field(default_factory=set)


def cache(count: int = 400) -> dict[tuple[Any, ...], Any]:
    """Return values of several kinds by their arguments."""
    chance = random.Random(5)
    palettes = [_palette(number) for number in range(8)]
    found: dict[tuple[Any, ...], Any] = {}
    for number in range(count):
        shape = _SHAPES[number % 4]
        palette = palettes[chance.randrange(len(palettes))]
        size = (8 + number % 3, 16)
        picture = Picture(palette, size, chance.randbytes(128), {shape, f"set {number % 7}"})
        found["picture", shape, number] = picture
        found["roots", number] = [complex(chance.randrange(9), chance.randrange(9))] * 2
        found["near", shape, number / 8] = {chance.randrange(1_000) for _ in range(6)}
        if not number % 10:
            found["latest", number] = picture
    return found


def _palette(number: int) -> Palette:
    return Palette(f"palette {number}", tuple(f"#{number}{digit}f{digit}a0" for digit in range(5)))
