"""The page of a comparison: the verdict first, then the chart, the table, the losses, the object.

What stands here reads the plain data of a comparison (`Comparison.as_json()`) and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mason.page.chart import charts
from mason.page.figures import count_text, size_text, time_text
from mason.page.losses import anchors, losses
from mason.page.markup import Markup, Part, tag, together
from mason.page.outcomes import OUTCOMES, outcome_mark
from mason.page.sheet import code, facts, listed, section, sentence, sheet
from mason.page.table import table
from mason.page.tree import Bounds, tree_block, tree_of
from mason.text import shown

_TITLE_ROOM = 80
_NAME_ROOM = 30
_SENTENCE_ROOM = 300
_SENTENCES = 12
_CLASSES = 20
_TREE = Bounds(bytes=600_000)  # the other parts need their room
_PURPOSES = {
    "exchange": "to give it to others",
    "cache": "to cache it",
    "archive": "to keep it for years",
    "config": "as a config file",
    "model": "to keep a model",
    "queue": "to send it through a queue",
}


def comparison_page(data: dict[str, Any]) -> str:
    """Return the page of a comparison.

    Raises `ChartError` where the library that draws the chart is missing.
    """
    return sheet(f"{advice(data)} – mason compare", *comparison_parts(data, charts(data)))


def comparison_parts(data: Mapping[str, Any], drawn: Part) -> list[Part]:
    """Return what a page says of a comparison; `drawn` is its chart, if there is one."""
    told = losses(data)
    return [
        _header(data),
        section("chart", "Size and time", legend(data), drawn) if drawn else legend(data),
        section("formats", "All formats", table(data, anchors(data))),
        section("losses", "Where they stop, and what they change", told) if told else None,
        _object(data),
        section("measured", "How it was measured", *measured(data)),
    ]


def verdict(data: Mapping[str, Any]) -> list[Part]:
    """Return what to use, in a sentence."""
    about = tag("p", "JSON or pickle? Measured on ", code(_title(data)), class_="kicker")
    return [about, tag("h1", advice(data))]


def reasons(data: Mapping[str, Any]) -> list[Part]:
    """Return the call to write, the reasons, the runner-up and what to mind."""
    found = data["verdict"]
    why, why_not = _sentences(found["why"]), _sentences(found["runner_up_why"])
    runner_up = found["runner_up"]
    return [
        tag("pre", code(found["command"])) if found["command"] else None,
        listed(why, "why"),
        _runner_up(runner_up, why_not) if runner_up else None,
        _caveats(_sentences(found["caveats"])),
    ]


def legend(data: Mapping[str, Any]) -> Markup:
    """Return how many formats came to which outcome, which is also what the signs mean."""
    counts = Counter(row["outcome"] for row in data["rows"])
    return tag(
        "ul",
        *(
            tag(
                "li",
                outcome_mark(name, f"{counts[name]} {name}"),
                " ",
                tag("small", look.meaning),
            )
            for name, look in OUTCOMES.items()
            if counts[name]
        ),
        class_="legend",
    )


def measured(data: Mapping[str, Any]) -> list[Part]:
    """Return on what and how it was measured."""
    machine = data["machine"]
    limits = machine["limits"]
    bounds = [
        f"{limits['seconds']:,.3g} seconds" if limits.get("seconds") else "",
        f"{size_text(limits['bytes'])} of memory" if limits.get("bytes") else "",
    ]
    return [
        sentence(
            "Each format was tried in a process of its own. Times are CPU time; the rounds of all "
            "formats took turns. The best says what the work costs, the worst what one may meet."
        ),
        facts(
            [
                ("Python", machine["python"]),
                ("System", machine["platform"]),
                ("Processor", machine["cpu"] or None),
                ("When", tag("time", machine["when"], datetime=machine["when"])),
                ("Rounds", machine["rounds"]),
                ("It took", f"{machine['seconds']:,.3g} seconds"),
                ("Limits of each", " and ".join(filter(None, bounds)) or None),
            ]
        ),
    ]


def _header(data: Mapping[str, Any]) -> Markup:
    beside = tag("div", tag("div", *reasons(data)), _glance(data), class_="split")
    return tag("header", *verdict(data), beside, class_="verdict")


def advice(data: Mapping[str, Any]) -> str:
    """Return what to use, in a few words."""
    choice = data["verdict"]["choice"]
    purpose = _PURPOSES.get(data["purpose"] or "", "")
    if choice == "none":
        return f"Nothing here fits{f' {purpose}' if purpose else ''}"
    return f"Use {shown(choice, _TITLE_ROOM)}{f' {purpose}' if purpose else ''}"


def _glance(data: Mapping[str, Any]) -> Markup | None:
    """Return the formats that people ask about beside those that are advised, in a few figures."""
    found = data["verdict"]
    rows = {row["name"]: row for row in reversed(data["rows"])}
    pickles = [name for name in rows if name.startswith("pickle")]
    names = [found["choice"], found["runner_up"], "json", *sorted(pickles, reverse=True)[:1]]
    lines = [_glance_row(rows[name]) for name in dict.fromkeys(names) if name in rows]
    if len(lines) < 2:
        return None
    titles = ("Format", "Outcome", "Size", "Load", "Safe to load")
    numbers = ("Size", "Load")
    head = (
        tag("th", title, scope="col", class_="number" if title in numbers else None)
        for title in titles
    )
    whole = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *lines))
    return tag(
        "aside",
        tag("h2", "At a glance", id="glance"),
        whole,
        class_="glance",
        aria_labelledby="glance",
    )


def _glance_row(row: Mapping[str, Any]) -> Markup:
    return tag(
        "tr",
        tag("th", shown(row["name"], _NAME_ROOM), scope="row"),
        tag("td", outcome_mark(row["outcome"])),
        tag("td", size_text(row["size"]) if row["size"] else None, class_="number"),
        tag("td", time_text(row["load"]["best"]) if row["load"] else None, class_="number"),
        tag("td", shown(row["safe"], _NAME_ROOM)),
    )


def _title(data: Mapping[str, Any]) -> str:
    return shown(data["title"], _TITLE_ROOM)


def _runner_up(name: str, why: list[Part]) -> Markup:
    return tag(
        "div",
        sentence("Otherwise ", tag("strong", shown(name, _TITLE_ROOM)), class_="next"),
        listed(why),
        class_="runner",
    )


def _caveats(said: list[Part]) -> Markup | None:
    if not said:
        return None
    return tag("div", sentence("Mind", class_="next"), listed(said), class_="caveats")


def _sentences(said: Iterable[str]) -> list[Part]:
    return [shown(text, _SENTENCE_ROOM) for text in list(said)[:_SENTENCES]]


def _object(data: Mapping[str, Any]) -> Markup:
    """Return what the object is, with its tree where there is one."""
    about = data["about"]
    classes = about["classes"]
    names: list[Part] = [code(shown(name, _TITLE_ROOM)) for name in classes[:_CLASSES]]
    if len(classes) > _CLASSES:
        names.append(f"… and {len(classes) - _CLASSES:,} more")
    shared = count_text(about["shared"], "object is", "objects are")
    table_of = facts(
        [
            ("Type", code(shown(about["type"], _TITLE_ROOM))),
            ("Values", f"{about['values']:,}"),
            ("Levels", f"{about['depth']:,}"),
            ("Classes", listed(names)),
            ("Shared", f"{shared} met more than once" if about["shared"] else None),
            ("Cycles", "it leads back to itself" if about["cycles"] else None),
            ("Plain", "only what JSON has by itself" if about["plain"] else None),
            ("Table", "rows of the same columns" if about["table"] else None),
        ]
    )  # fmt: skip
    tree = tree_block(tree_of(data["tree"]), bounds=_TREE) if data["tree"] else None
    return section("object", "The object", together([table_of, tree]))
