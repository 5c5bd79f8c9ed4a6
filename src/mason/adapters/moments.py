"""Datetimes and times that have no plain text of their own, and `datetime.timezone`.

The core writes ordinary ones itself; here are those with `fold=1`, with a zone that has a name, or
with a tzinfo of another class: the wall clock as text, and beside it what the text cannot say.
"""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Any, cast

from mason._core import Plan
from mason.adapters.contents import Slots, arguments, bad, exact, only, short
from mason.errors import Refused

_LONGEST = 200
_LONGEST_NAME = 64
_MICROSECOND = timedelta(microseconds=1)
_CLOCK = r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?"
_OFFSET = r"(?:(Z)|([+-])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?"
_TIME = re.compile(_CLOCK + _OFFSET, re.ASCII)
_MOMENT = re.compile(rf"(\d{{4}})-(\d\d)-(\d\d)T{_CLOCK}{_OFFSET}(?:\[([^\[\]]+)\])?", re.ASCII)


# ------------------------------------------------------------------------------------- writing


def _take(moment: datetime | time) -> Slots:
    zone = moment.tzinfo
    slots: Slots = {"$str": moment.replace(tzinfo=None, fold=0).isoformat()}
    suffix = _zone_text(moment, zone)
    if suffix is not None:
        slots["$str"] += suffix
    else:
        slots["$tz"] = zone
    if moment.fold:
        slots["$fold"] = 1
    return slots


def _zone_text(moment: datetime | time, zone: tzinfo | None) -> str | None:
    """Return what the text ends with, or None where only the zone itself can say it."""
    if zone is None:
        return ""
    if type(zone) is timezone:
        return _offset_text(zone.utcoffset(None)) if len(_init_of(zone)) == 1 else None
    zones = sys.modules.get("zoneinfo")
    if zones is None or type(zone) is not zones.ZoneInfo or type(moment) is not datetime:
        return None
    from mason.adapters.zones import key_of

    return f"{_offset_text(zone.utcoffset(moment))}[{key_of(cast(Any, zone))}]"


def _init_of(zone: timezone) -> tuple[Any, ...]:
    """Return what a timezone was made of: its offset, and its name where it was given one."""
    found: tuple[Any, ...] = zone.__getinitargs__()  # type: ignore[attr-defined]
    return found


def _offset_text(offset: timedelta | None) -> str:
    """Spell an offset as "+01:00", with seconds and microseconds where it has them."""
    total = (offset or timedelta()) // _MICROSECOND
    seconds, micro = divmod(abs(total), 1_000_000)
    spelling = f"{'-' if total < 0 else '+'}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    if seconds % 60 or micro:
        spelling += f":{seconds % 60:02}" + (f".{micro:06}" if micro else "")
    return spelling


# ------------------------------------------------------------------------------------- reading


def _make_moment(slots: Slots) -> datetime:
    found = _match(_MOMENT, slots)
    zone, fold = _zone(slots, found[7:13], found[13]), _fold(slots)
    year, month, day = (int(one) for one in found[:3])
    try:
        return datetime(year, month, day, *_clock(found[3:7]), tzinfo=zone, fold=fold)
    except ValueError:
        raise Refused("is a date or a time that does not exist") from None


def _make_time(slots: Slots) -> time:
    found = _match(_TIME, slots)
    zone, fold = _zone(slots, found[4:10], None), _fold(slots)
    try:
        return time(*_clock(found[:4]), tzinfo=zone, fold=fold)
    except ValueError:
        raise Refused("is a time that does not exist") from None


def _match(grammar: re.Pattern[str], slots: Slots) -> tuple[Any, ...]:
    if slots.keys() - {"$str", "$tz", "$fold"}:
        bad("it takes $str, $tz and $fold")
    found = grammar.fullmatch(short(slots.get("$str"), _LONGEST))
    if not found:
        bad("its text is not a moment")
    return found.groups()


def _clock(parts: tuple[str | None, ...]) -> tuple[int, int, int, int]:
    hour, minute, second = (int(one or "") for one in parts[:3])
    return hour, minute, second, _micro(parts[3])


def _micro(digits: str | None) -> int:
    return int((digits or "").ljust(6, "0"))


def _fold(slots: Slots) -> int:
    fold: int = exact(slots.get("$fold", 0), int)
    if fold not in (0, 1):
        bad("$fold is 0 or 1")
    return fold


def _zone(slots: Slots, parts: tuple[str | None, ...], key: str | None) -> tzinfo | None:
    """Return the zone out of `$tz`, of the key in brackets, or of the offset.

    Beside a key the offset is for people: what the zone's rules say now may be another one.
    """
    zulu, sign, *digits = parts
    if "$tz" in slots:
        zone = slots["$tz"]
        if zulu or sign or key or not issubclass(type(zone), tzinfo):
            bad("$tz is a time zone, and the text has none then")
        return zone  # type: ignore[no-any-return]
    if key:
        from mason.adapters.zones import zone_of

        return zone_of(key)
    if zulu:
        return UTC
    return _fixed(sign, digits) if sign else None


def _fixed(sign: str, digits: list[str | None]) -> timezone:
    hours, minutes, seconds = (int(one or 0) for one in digits[:3])
    if hours > 23 or minutes > 59 or seconds > 59:
        bad("the offset is not one")
    offset = timedelta(
        hours=hours, minutes=minutes, seconds=seconds, microseconds=_micro(digits[3])
    )
    return timezone(-offset if sign == "-" else offset)


# ------------------------------------------------------------------------------------ timezone


def _take_timezone(zone: timezone) -> Slots:
    made_of = list(_init_of(zone))
    _check_name(made_of)
    return {"$new": made_of}


def _make_timezone(slots: Slots) -> timezone:
    only(slots, "$new")
    made_of = arguments(slots, 1, 2)
    exact(made_of[0], timedelta)
    _check_name(made_of)
    try:
        return timezone(*made_of)
    except ValueError:
        raise Refused("is a time zone of a day or more from UTC") from None


def _check_name(made_of: list[Any]) -> None:
    for name in made_of[1:]:
        short(name, _LONGEST_NAME)


ROWS = (
    Plan("parts", cls=datetime, name="datetime:datetime", atom=True, take=_take, make=_make_moment),
    Plan("parts", cls=time, name="datetime:time", atom=True, take=_take, make=_make_time),
    Plan(
        "parts",
        cls=timezone,
        name="datetime:timezone",
        atom=True,
        take=_take_timezone,
        make=_make_timezone,
    ),
)
