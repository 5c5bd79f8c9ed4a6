"""Plain data of comparisons and diffs, as `Comparison.as_json` and `Diff.as_json` give it.

Realistic ones, tiny and large ones, and ones whose every text is hostile.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import mason
from mason.inspection.show import as_json, show

ORDERS = {
    "$mason": 1,
    "$type": "shop.models:Shop",
    "name": "Corner Books",
    "customers": [
        {
            "$id": 1,
            "$type": "shop.models:Customer",
            "name": "Alice",
            "since": {"$date": "2019-04-02"},
        },
        {"$type": "shop.models:Customer", "name": "Boris", "since": {"$date": "2021-11-22"}},
    ],
    "orders": [
        {
            "$type": "shop.models:Order",
            "number": number,
            "customer": {"$ref": 1},
            "total": {"$decimal": f"{number}.50"},
            "when": {"$datetime": "2026-11-22T10:33:00"},
            "tags": {"$set": ["gift", "post"]},
            "status": {"$type": "shop.models:Status", "$enum": "PAID", "value": "paid"},
        }
        for number in range(7, 10)
    ],
    "limits": {"$tuple": [1, 2.5, None]},
    "by_day": {"$map": [[1, "Monday"], [{"$tuple": [2026, 11]}, "November"]]},
}

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    '"><svg onload=alert(2)>',
    "' onmouseover='alert(3)",
    "<!--<script>alert(4)</script>",
    "javascript:alert(5)",
    "\u202eevil\u202c \u2066iso\u2069",
    "nul\x00bell\x07esc\x1b[31m",
    "half \ud800 of a pair \udfff",
    "k" * 10_000,
    "${alert(6)} {{7*7}} <%= 8 %>",
    "</title><base href=//evil.example/>",
    "</style><link rel=stylesheet href=//evil.example/x.css>",
    "]]>&lt;b&gt;&amp;&#60;script&#62;",
    "datum.name; 'x' + \"y\" \\u0041 \\",
    "</text><a xlink:href='javascript:alert(9)'>x</a>",
    "a\nb\r\nc\td\u2028e\x85f",
    "Ｚ" * 300 + "\U0001f600" * 50,
]


def tree(document: Any = None, **bounds: Any) -> dict[str, Any]:
    text = json.dumps(ORDERS if document is None else document)
    return as_json(show(mason.reads(text), **bounds))


def times(median: float) -> dict[str, Any]:
    return {"best": median * 0.94, "median": median, "worst": median * 1.21, "rounds": 7}


def row(name: str, outcome: str = "exact", **fields: Any) -> dict[str, Any]:
    nothing: dict[str, Any] = {
        "package": "Python 3.11.7",
        "reason": "",
        "path": None,
        "changes": [],
        "changes_total": 0,
        **dict.fromkeys(("size", "compressed", "dump", "load", "dump_peak", "load_peak")),
        **dict.fromkeys(("safe", "readers", "human", "renamed"), ""),
    }
    return {"name": name, "outcome": outcome, **nothing, **fields}


def timed(
    name: str, outcome: str, size: int, dump: float, load: float | None, **fields: Any
) -> dict[str, Any]:
    return row(
        name,
        outcome,
        size=size,
        compressed=size * 2 // 7,
        dump=times(dump),
        load=times(load) if load else None,
        dump_peak=size * 3,
        load_peak=size * 9 if load else None,
        **fields,
    )


EVERYBODY = {"safe": "yes", "readers": "every language"}
PYTHON = {"safe": "no", "readers": "Python", "human": "no", "renamed": "no"}
NAMED = {"safe": "named classes only", "readers": "every language", "renamed": "one line"}
CHANGES = [
    {"path": "$.limits", "kind": "type", "text": "tuple → list"},
    {"path": "$.by_day", "kind": "key", "text": "key 1 → '1'"},
    {"path": "$.orders[1].customer", "kind": "sharing", "text": "sharing lost"},
    {"path": "$.orders[0].total", "kind": "type", "text": "Decimal → str"},
]


def rows() -> list[dict[str, Any]]:
    lossy = {"reason": "what comes back is something else, in silence", "changes_total": 34}
    return [
        timed("mason json", "exact", 41_890, 1.9e-4, 3.1e-4, human="yes", **NAMED),
        timed("mason cbor", "exact", 26_311, 1.3e-4, 2.6e-4, human="no", **NAMED),
        timed("pickle 5", "exact", 29_004, 8.1e-4, 6.6e-4, **PYTHON),
        timed("pickle 4", "exact", 29_188, 8.2e-4, 6.7e-4, **PYTHON),
        timed("pickle 2", "exact", 38_350, 1.4e-3, 9.1e-4, **PYTHON),
        timed("cloudpickle", "exact", 29_022, 2.3e-3, 6.6e-4, package="cloudpickle 3.1", **PYTHON),
        timed("dill", "exact", 31_470, 7.9e-3, 1.5e-3, package="dill 0.4.0", **PYTHON),
        timed("joblib", "exact", 31_002, 9.9e-3, 2.3e-3, package="joblib 1.5.2", **PYTHON),
        timed("jsonpickle", "changed", 88_120, 1.9e-2, 2.2e-2, package="jsonpickle 4.1.1",
              **{**PYTHON, "human": "yes"}, **lossy, changes=CHANGES[:2]),
        timed("orjson", "changed", 37_000, 1.1e-4, 1.9e-4, package="orjson 3.11.4", human="yes",
              renamed="yes", **EVERYBODY, **lossy, changes=CHANGES),
        timed("msgspec json", "changed", 37_412, 1.2e-4, 1.7e-4, package="msgspec 0.20.0",
              human="yes", renamed="yes", **EVERYBODY, **lossy, changes=CHANGES),
        timed("msgspec msgpack", "changed", 27_800, 9e-5, 1.6e-4, package="msgspec 0.20.0",
              human="no", renamed="yes", **EVERYBODY, **lossy, changes=CHANGES),
        timed("cbor2", "failed", 30_123, 4.1e-3, None, package="cbor2 5.7.1", **EVERYBODY,
              human="no", reason="it cannot read back what it wrote: no such shared reference"),
        row("json", "refused", path="$.orders[0]", human="yes", **EVERYBODY,
            reason="Object of type Order is not JSON serializable"),
        row("marshal", "refused", path="$.customers[0]", **PYTHON, reason="unmarshallable object"),
        row("PyYAML", "crashed", package="PyYAML 6.0.3", reason="its process ended by SIGSEGV"),
        row("pyfory", "too slow", package="pyfory 0.12.3", reason="no end after 20 seconds"),
        row("skops", "too big", package="skops 0.13.0", reason="it asked for more than 2 GiB"),
        row("parquet", "left out", package="pyarrow 22.0.0", reason="the object is no table"),
    ]  # fmt: skip


def comparison() -> dict[str, Any]:
    return {
        "version": 1,
        "title": "shop:SHOP",
        "about": {
            "type": "shop.models:Shop", "values": 1234, "classes": ["shop.models:Shop",
            "shop.models:Customer", "shop.models:Order", "shop.models:Status"], "shared": 3,
            "cycles": False, "depth": 5, "plain": False, "table": False, "from_file": False,
        },
        "purpose": "cache",
        "machine": {
            "python": "CPython 3.11.7", "platform": "Linux x86_64", "cpu": "AMD EPYC 7B13",
            "when": "2026-11-28T10:00:00+00:00", "rounds": 7, "seconds": 12.31,
            "limits": {"seconds": 20, "bytes": 2 << 30},
        },
        "rows": rows(),
        "verdict": {
            "choice": "mason cbor",
            "command": 'mason.dump(obj, "shop.cbor")',
            "why": [
                "The same object comes back: classes, Decimals, tuples and what is shared.",
                "It is the fastest to write of those that are exact, and the smallest.",
                "Loading it runs no code of the file; classes are used only when you name them.",
            ],
            "runner_up": "pickle 5",
            "runner_up_why": [
                "It is in every Python and exact as well, but only for files that nobody else can "
                "write: loading one runs whatever it says.",
            ],
            "caveats": ["The object is small: differences below a millisecond seldom matter."],
        },
        "tree": tree(),
    }  # fmt: skip


def tiny() -> dict[str, Any]:
    found = comparison()
    found |= {"title": "config.json", "purpose": None, "tree": tree({"debug": True})}
    found["about"] |= {
        "type": "dict", "values": 2, "classes": [], "shared": 0, "depth": 1, "plain": True,
        "from_file": True,
    }  # fmt: skip
    found["rows"] = [timed("json", "exact", 15, 2e-6, 1e-6, human="yes", **EVERYBODY)]
    found["verdict"] = {
        "choice": "json", "command": "json.dump(obj, file)", "runner_up": "", "runner_up_why": [],
        "why": ["Plain json is enough for this."], "caveats": [],
    }  # fmt: skip
    return found


def many(count: int = 60) -> dict[str, Any]:
    found = comparison()
    outcomes = ["exact", "changed", "exact", "failed", "refused"]
    found["rows"] = []
    for number in range(count):
        outcome = outcomes[number % len(outcomes)]
        if outcome == "refused":
            found["rows"].append(row(f"format {number}", outcome, path="$.a", reason="no"))
            continue
        size, speed = 20_000 + number * 37 % 41 * 900, 1e-4 * (1 + number * 53 % 47)
        load = None if outcome == "failed" else speed * 0.7
        more = {"changes": CHANGES, "changes_total": 4} if outcome == "changed" else {}
        found["rows"].append(timed(f"format {number}", outcome, size, speed, load, **more))
    found["verdict"] |= {"choice": "format 0", "runner_up": "format 2"}
    return found


def hostile(words: Iterator[str] | None = None, count: int = 57) -> dict[str, Any]:
    """A comparison in which every text that may come from a file or program is hostile."""
    found = comparison()
    words = words or itertools.cycle(HOSTILE)
    found |= {"title": next(words), "purpose": "exchange"}
    found["about"] |= {"type": next(words), "classes": list(itertools.islice(words, 40))}
    found["machine"] |= {"python": next(words), "platform": next(words), "cpu": next(words)}
    found["machine"]["when"] = next(words)
    found["rows"] = [
        entry | {"name": f"{next(words)} {number}", "package": next(words)}
        for number, entry in enumerate(itertools.islice(itertools.cycle(rows()), count))
    ]
    for entry in found["rows"]:
        entry |= {"reason": next(words), "path": next(words), "readers": next(words)}
        entry |= {"safe": next(words), "human": next(words), "renamed": next(words)}
        entry["changes"] = [
            {"path": next(words), "kind": next(words), "text": next(words)} for _ in range(20)
        ]
        entry["changes_total"] = 20
    found["verdict"] = {
        "choice": found["rows"][0]["name"], "command": next(words), "runner_up": next(words),
        **{key: list(itertools.islice(words, 20)) for key in ("why", "runner_up_why", "caveats")},
    }  # fmt: skip
    found["tree"] = tree({text: [text, {text: text}] for text in HOSTILE})
    return found


def diff() -> dict[str, Any]:
    changes = [
        change("value", "$.name", "'Corner Books'", "'Corner Books & Co'"),
        change("added", "$.orders[3]", "", "shop.models:Order of 6"),
        change("removed", "$.limits[2]", "None", ""),
        change("type", "$.orders[0].total", "Decimal 7.50", "'7.50'"),
        change("moved", "$.customers[1]", "shop.models:Customer of 2", "", to="$.customers[0]"),
        change("sharing", "$.orders[1].customer", "#1, first at $.customers[0]", "on its own"),
        change("order", "$.by_day", "1, (2026, 11)", "(2026, 11), 1"),
        change("array", "$.image", "float32 (3, 4)", "float32 (3, 5)",
               detail={"differ": 12, "of": 15, "largest": 0.25}),
    ]  # fmt: skip
    counts = {entry["kind"]: 1 for entry in changes}
    return {
        "version": 1, "same": False, "a": "old.cbor", "b": "new.json",
        "changes": changes, "counts": counts, "cut": False,
    }  # fmt: skip


def change(kind: str, path: str, a: str, b: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "path": path, "to": None, "a": a, "b": b, "detail": None, **more}


def hostile_diff() -> dict[str, Any]:
    found = diff()
    kinds = list(found["counts"])
    found |= {"a": HOSTILE[0], "b": HOSTILE[1], "counts": dict.fromkeys(kinds, 20)}
    found["changes"] = [
        change(kinds[number % len(kinds)], text, text, text, to=text, detail={text: text})
        for number, text in enumerate(HOSTILE * 10)
    ]
    return found
