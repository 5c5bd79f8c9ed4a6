"""The state of a game: rooms, things and players that all know one another."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

T = TypeVar("T")

_THINGS = ("lamp", "rope", "key", "coin", "map", "bread", "sword", "mirror")


class Way(Enum):
    """Name where a door leads."""

    NORTH = "north"
    EAST = "east"
    SOUTH = "south"
    WEST = "west"


_BACK = {Way.NORTH: Way.SOUTH, Way.EAST: Way.WEST, Way.SOUTH: Way.NORTH, Way.WEST: Way.EAST}


@dataclass(eq=False, repr=False)
class Room:
    """Hold a room, and through its doors the whole castle."""

    name: str
    castle: Castle
    doors: dict[Way, Room] = field(default_factory=dict)
    things: list[Thing] = field(default_factory=list)
    visited: bool = False


@dataclass(eq=False, repr=False)
class Thing:
    """Hold what lies in a room."""

    name: str
    place: Room
    weight: float


@dataclass(eq=False, repr=False)
class Player:
    """Hold a player, where they are and what they have seen."""

    name: str
    room: Room
    health: int = 100
    at: tuple[int, int] = (0, 0)
    friends: list[Player] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


@dataclass(eq=False, repr=False)
class Castle:
    """Hold everything."""

    seed: int
    turn: int = 0
    rooms: list[Room] = field(default_factory=list)
    players: list[Player] = field(default_factory=list)


def game(rooms: int = 300, players: int = 40) -> Castle:
    """Return a castle in the middle of a game."""
    chance = random.Random(2)
    castle = Castle(2, turn=417)
    for number in range(rooms):
        _build(castle, number, chance)
    for number in range(players):
        castle.players.append(_player(castle, number, chance))
    for player in castle.players:
        player.friends = [_one(castle.players, chance) for _ in range(3)]
    return castle


def _build(castle: Castle, number: int, chance: random.Random) -> None:
    """Add a room, with a door to one that is there if that has a wall left."""
    room = Room(f"room {number}", castle, visited=chance.random() < 0.5)
    if castle.rooms:
        other, way = _one(castle.rooms, chance), list(Way)[chance.randrange(4)]
        if way not in other.doors:
            other.doors[way] = room
            room.doors[_BACK[way]] = other
    for name in _THINGS[: chance.randrange(4)]:
        room.things.append(Thing(name, room, chance.randrange(1, 40) / 4))
    castle.rooms.append(room)


def _player(castle: Castle, number: int, chance: random.Random) -> Player:
    seen = {_one(castle.rooms, chance).name for _ in range(12)}
    at = (chance.randrange(20), chance.randrange(20))
    room = _one(castle.rooms, chance)
    return Player(f"player {number}", room, chance.randrange(1, 101), at, seen=seen)


def _one(items: list[T], chance: random.Random) -> T:
    return items[chance.randrange(len(items))]
