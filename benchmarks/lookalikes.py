"""Documents of the shape and size of the four usual ones, and variations of a given document.

Strategy: nobody's data is shipped. What costs time in such a document is its shape (how many dicts
of how many keys, how long the strings are, how many of them leave ASCII, how many digits a float
has), so that is what is copied. `variation` gives documents of exactly equal shape, so that
rotating them keeps warm value caches from flattering anybody.
"""

from __future__ import annotations

import random
import string
from typing import Any

KANA = (
    "".join(chr(code) for code in range(0x3042, 0x3094))
    + "元今好思出会印象部野球最高夏一言友達照写真"
)
DOWNLOAD = "http://twitter.com/download/iphone"
ACCENTED = "éèêàçôîù"


def variation(document: Any, number: int) -> Any:
    """Return a copy of a plain document with other values of the same length; 0: an equal one."""
    letters, digits = string.ascii_lowercase, string.digits
    turn = str.maketrans(
        letters + letters.upper() + digits,
        letters[number % 26 :]
        + letters[: number % 26]
        + letters.upper()[number % 26 :]
        + letters.upper()[: number % 26]
        + digits[number % 10 :]
        + digits[: number % 10],
    )
    return _varied(document, number, turn)


def _varied(value: Any, number: int, turn: dict[int, int]) -> Any:
    """Return `value` varied; documents of this kind are shallow, so recursion is fine here."""
    kind = type(value)
    if kind is dict:
        return {key: _varied(item, number, turn) for key, item in value.items()}
    if kind is list:
        return [_varied(item, number, turn) for item in value]
    if kind is str:
        return value.translate(turn)
    if kind is int:
        return value + number if abs(value) > 255 else value
    if kind is float and number:
        return _varied_float(value, number)
    return value


def _varied_float(value: float, number: int) -> float:
    """Return a float whose last written digit differs, so that it takes as many digits to write."""
    text = repr(value)
    if not text[-1].isdigit() or "e" in text or text.endswith(".0"):
        return value
    return float(text[:-1] + "123456789"[(int(text[-1]) + number) % 9])


def canada(seed: int, size: int = 56_000) -> Any:
    """Return a GeoJSON outline of about `size` points of two floats each."""
    chance = random.Random(seed)
    rings = []
    left = size
    while left > 0:
        length = min(left, chance.choice((12, 30, 60, 120, 400, 900)))
        left -= length
        x, y = chance.uniform(-140, -53), chance.uniform(42, 83)
        ring = []
        for _ in range(length):
            x, y = x + chance.uniform(-0.04, 0.04), y + chance.uniform(-0.02, 0.02)
            ring.append([x, y])
        rings.append(ring)
    outline = {"type": "Polygon", "coordinates": rings}
    return {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"name": "Canada"}, "geometry": outline}],
    }


def citm(seed: int, size: int = 243) -> Any:
    """Return a catalogue of `size` performances: short dicts, ids as keys, few distinct names."""
    chance = random.Random(seed)
    areas = [str(205_705_000 + i) for i in range(17)]
    topics = [str(107_888_600 + i) for i in range(40)]
    events = [138_586_341 + 4 * i for i in range(max(1, size * 3 // 4))]
    return {
        "areaNames": {
            area: f"{_words(chance, 2)} {ACCENTED[i % 8]}" for i, area in enumerate(areas)
        },
        "audienceSubCategoryNames": {"337100890": "Abonn" + ACCENTED[0]},
        "blockNames": {},
        "events": {str(event): _event(chance, event) for event in events},
        "performances": [_performance(chance, event, areas) for event in _cycled(events, size)],
        "seatCategoryNames": {str(338_937_235 + i): _words(chance, 1) for i in range(64)},
        "subTopicNames": {topic: _words(chance, 2) for topic in topics[:19]},
        "subjectNames": {},
        "topicNames": {topic: _words(chance, 2) for topic in topics[:4]},
        "topicSubTopics": {topic: [int(other) for other in topics[4:12]] for topic in topics[:4]},
        "venueNames": {"PLEYEL_PLEYEL": "Salle Pleyel"},
    }


def _event(chance: random.Random, number: int) -> dict[str, Any]:
    """Return one event of the catalogue."""
    return {
        "description": None,
        "id": number,
        "logo": f"/images/UE0AAAAAC{chance.randrange(10**9):09d}"
        if chance.random() < 0.5
        else None,
        "name": _words(chance, 4),
        "subTopicIds": [337_184_269 + chance.randrange(20) for _ in range(3)],
        "subjectCode": None,
        "subtitle": None,
        "topicIds": [324_846_099, 107_888_604],
    }


def _performance(chance: random.Random, event: int, areas: list[str]) -> dict[str, Any]:
    """Return one performance of the catalogue with its prices and seats."""
    seats = [338_937_235 + i for i in range(chance.randint(3, 6))]
    return {
        "eventId": event,
        "id": 339_887_544 + chance.randrange(10**6),
        "logo": None,
        "name": None,
        "prices": [
            {
                "amount": 1000 * chance.randint(10, 180),
                "audienceSubCategoryId": 337_100_890,
                "seatCategoryId": seat,
            }
            for seat in seats
        ],
        "seatCategories": [
            {
                "areas": [
                    {"areaId": int(area), "blockIds": []} for area in areas[: chance.randint(4, 16)]
                ],
                "seatCategoryId": seat,
            }
            for seat in seats
        ],
        "seatMapImage": None,
        "start": 1_372_701_600_000 + chance.randrange(10**7) * 1000,
        "venueCode": "PLEYEL_PLEYEL",
    }


def github(seed: int, size: int = 30) -> Any:
    """Return `size` events of a code host: nested dicts, long addresses, dates as text."""
    chance = random.Random(seed)
    return [_push(chance, number) for number in range(size)]


def _push(chance: random.Random, number: int) -> dict[str, Any]:
    """Return one event with its actor, repository and commits."""
    login, repository, sha = _words(chance, 1), _words(chance, 1), f"{chance.getrandbits(160):040x}"
    avatar = f"https://secure.gravatar.com/avatar/{chance.getrandbits(128):032x}?d=https://a248.e.akamai.net/assets"
    return {
        "created_at": f"2013-01-10T07:{number % 60:02d}:29Z",
        "actor": {
            "url": f"https://api.github.com/users/{login}",
            "login": login,
            "avatar_url": f"{avatar}.github.com%2Fimages%2Fgravatars%2Fgravatar-user-420.png",
            "id": chance.randrange(10**6),
            "gravatar_id": f"{chance.getrandbits(128):032x}",
        },
        "payload": {
            "size": 1,
            "head": sha,
            "commits": [
                {
                    "url": f"https://api.github.com/repos/{login}/{repository}/commits/{sha}",
                    "distinct": True,
                    "message": f"- {_words(chance, 9)}\n- {_words(chance, 6)}.",
                    "author": {"email": f"{login}@example.com", "name": login},
                    "sha": sha,
                }
            ],
            "distinct_size": 1,
            "push_id": 134_107_894 + number,
            "ref": f"refs/heads/issue-{chance.randrange(99)}",
            "before": f"{chance.getrandbits(160):040x}",
        },
        "repo": {
            "url": f"https://api.github.com/repos/{login}/{repository}",
            "id": chance.randrange(10**7),
            "name": f"{login}/{repository}",
        },
        "id": str(1_652_857_722 + number),
        "type": "PushEvent",
        "public": True,
    }


def twitter(seed: int, size: int = 100) -> Any:
    """Return `size` short messages with authors: many keys, nulls and booleans, Japanese text."""
    chance = random.Random(seed)
    return {
        "statuses": [_status(chance, again=chance.random() < 0.7) for _ in range(size)],
        "search_metadata": {
            "completed_in": 0.087,
            "max_id": 505_874_924_095_815_681,
            "max_id_str": "505874924095815681",
            "next_results": "?max_id=505874847260352512&q=%E4%B8%80&count=100&include_entities=1",
            "query": "%E4%B8%80",
            "count": size,
            "since_id": 0,
            "since_id_str": "0",
        },
    }


def _status(chance: random.Random, *, again: bool) -> dict[str, Any]:
    """Return one message; `again` says that it repeats another one, which it then holds."""
    number = 505_874_000_000_000_000 + chance.randrange(10**12)
    status: dict[str, Any] = {
        "metadata": {"result_type": "recent", "iso_language_code": "ja"},
        "created_at": "Sun Aug 31 00:29:15 +0000 2014",
        "id": number,
        "id_str": str(number),
        "text": _kana(chance, 90),
        "source": f'<a href="{DOWNLOAD}" rel="nofollow">Twitter for iPhone</a>',
        "truncated": False,
        "in_reply_to_status_id": None,
        "in_reply_to_status_id_str": None,
        "in_reply_to_user_id": None,
        "in_reply_to_user_id_str": None,
        "in_reply_to_screen_name": None,
        "user": _user(chance),
        "geo": None,
        "coordinates": None,
        "place": None,
        "contributors": None,
        "retweet_count": chance.randrange(120),
        "favorite_count": chance.randrange(40),
        "entities": _entities(chance),
        "favorited": False,
        "retweeted": False,
        "lang": "ja",
    }
    if again:
        status["retweeted_status"] = _status(chance, again=False)
    return status


def _entities(chance: random.Random) -> dict[str, Any]:
    """Return what a message mentions."""
    number = 1_186_275_104 + chance.randrange(10**6)
    mention = {
        "screen_name": _words(chance, 1),
        "name": _kana(chance, 8),
        "id": number,
        "id_str": str(number),
        "indices": [0, 9],
    }
    return {"hashtags": [], "symbols": [], "urls": [], "user_mentions": [mention]}


def _user(chance: random.Random) -> dict[str, Any]:
    """Return the author of a message."""
    number = 1_186_275_104 + chance.randrange(10**8)
    image = f"http://pbs.twimg.com/profile_images/{chance.randrange(10**18)}/{_words(chance, 1)}"
    return {
        "id": number,
        "id_str": str(number),
        "name": _kana(chance, 7),
        "screen_name": _words(chance, 1) + "0123",
        "location": _kana(chance, 5),
        "description": _kana(chance, 60),
        "url": None,
        "entities": {"description": {"urls": []}},
        "protected": False,
        "followers_count": chance.randrange(5000),
        "friends_count": chance.randrange(900),
        "listed_count": chance.randrange(20),
        "created_at": "Sat Feb 16 13:40:25 +0000 2013",
        "favourites_count": chance.randrange(900),
        "utc_offset": None,
        "time_zone": None,
        "geo_enabled": False,
        "verified": False,
        "statuses_count": chance.randrange(20000),
        "lang": "en",
        "contributors_enabled": False,
        "is_translator": False,
        "is_translation_enabled": False,
        "profile_background_color": "C0DEED",
        "profile_background_image_url": "http://abs.twimg.com/images/themes/theme1/bg.png",
        "profile_background_image_url_https": "https://abs.twimg.com/images/themes/theme1/bg.png",
        "profile_background_tile": False,
        "profile_image_url": f"{image}_normal.jpeg",
        "profile_image_url_https": f"{image}_normal.jpeg".replace("http:", "https:"),
        "profile_banner_url": f"https://pbs.twimg.com/profile_banners/{number}/1409318784",
        "profile_link_color": "0084B4",
        "profile_sidebar_border_color": "C0DEED",
        "profile_sidebar_fill_color": "DDEEF6",
        "profile_text_color": "333333",
        "profile_use_background_image": True,
        "default_profile": True,
        "default_profile_image": False,
        "following": False,
        "follow_request_sent": False,
        "notifications": False,
    }


def _cycled(items: list[int], length: int) -> list[int]:
    """Return `length` items, beginning again when they run out."""
    return [items[i % len(items)] for i in range(length)]


def _words(chance: random.Random, count: int) -> str:
    """Return made-up words of 4 to 10 letters."""
    return " ".join(
        "".join(chance.choices(string.ascii_lowercase, k=chance.randint(4, 10)))
        for _ in range(count)
    )


def _kana(chance: random.Random, length: int) -> str:
    """Return Japanese text of up to `length` characters with a line break here and there."""
    text = "".join(chance.choices(KANA, k=chance.randint(length // 2, length)))
    return text[: length // 2] + "\n" + text[length // 2 :] if length > 50 else text
