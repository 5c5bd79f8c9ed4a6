"""Time zones of `zoneinfo`, by their key; the rules come from the machine that loads."""

from __future__ import annotations

import re
from pickle import PicklingError
from zoneinfo import ZoneInfo

from mason._core import Plan
from mason.adapters.contents import Slots, text
from mason.errors import Refused

_LONGEST = 100
_KEY = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")


def zone_of(key: str) -> ZoneInfo:
    """Return the zone of a key; raise `Refused` where the key is no key or this machine lacks it.

    Only a plain key gets here: no dots, nothing absolute, so nothing but a zone file is opened.
    """
    if len(key) > _LONGEST or not _KEY.fullmatch(key):
        raise Refused("is not the key of a time zone")
    try:
        return ZoneInfo(key)
    except (LookupError, ValueError, OSError, ImportError, Warning):
        raise Refused(
            f"is a time zone that this machine does not know: {key}",
            "install the tzdata package, which brings all zones",
        ) from None


def key_of(zone: ZoneInfo) -> str:
    """Return the key that leads back to this zone; raise `Refused` where none does."""
    try:
        arguments = zone.__reduce__()[1]
    except PicklingError:
        raise Refused("is a time zone read from a file", "use ZoneInfo(key)") from None
    assert isinstance(arguments, tuple)
    key, cached = arguments
    if type(key) is not str or len(key) > _LONGEST or not _KEY.fullmatch(key):
        raise Refused("is a time zone whose key is not plain", "use ZoneInfo(key)")
    if not cached:
        raise Refused("is a time zone made by ZoneInfo.no_cache", "use ZoneInfo(key)")
    return key


def _take(zone: ZoneInfo) -> Slots:
    return {"$str": key_of(zone)}


def _make(slots: Slots) -> ZoneInfo:
    return zone_of(text(slots, _LONGEST))


ROWS = (Plan("parts", cls=ZoneInfo, name="zoneinfo:ZoneInfo", atom=True, take=_take, make=_make),)
