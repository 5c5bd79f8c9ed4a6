"""The chart of size against time: a specification for Vega-Lite, and the drawing it makes.

Strategy: Vega-Lite draws scales, axes and marks. Domains and ticks are computed here, since the
names of the points are placed in pixels (`labels`) and the axes speak of bytes and seconds. Every
mark says its figures in its label, for screen readers and for the script of the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

from mason.errors import MasonError
from mason.page.figures import size_text, time_text
from mason.page.labels import HIGH, Label, Spot, placed
from mason.page.markup import Markup, tag
from mason.page.outcomes import OUTCOMES, outcome_of
from mason.page.svg import drawing
from mason.page.table import Row, rows_of
from mason.text import shown

WIDTH, HEIGHT = 350, 290
_PADDING = {"left": 62, "right": 14, "top": 10, "bottom": 44}
_NAME_ROOM = 24
# stand-ins that page.css replaces by its own colours, in light, dark and print
COLOURS = {"exact": "#00638a", "changed": "#9a5b00", "refused": "#a4312a", "plain": "#5f5a53"}
INK, LINE, FAINT = "#1d1b19", "#8a847b", "#dcd7cf"
_LEAST_SPAN = 6.0  # from the lowest to the highest value of an axis
_STEPS = (1, 2, 5)
_MOST_TICKS = 6

Direction = Literal["dump", "load"]


class ChartError(MasonError, ImportError):
    """Say that the library that draws charts is not installed."""


def require_chart() -> None:
    """Raise `ChartError` where a chart could not be drawn, with what to install."""
    if find_spec("vl_convert") is None:
        raise ChartError(
            "the page has a chart, which needs vl-convert-python", hint="pip install 'mason[page]'"
        )


class _Point(NamedTuple):
    name: str
    size: float
    best: float
    worst: float
    outcome: str
    about: str
    is_choice: bool


class _Axis(NamedTuple):
    """Hold the domain of a log axis of `length` pixels."""

    low: float
    high: float
    length: float

    def at(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low) * self.length


def charts(data: Mapping[str, Any]) -> Markup | None:
    """Return one chart for dumping and one for loading, None where there is nothing to draw.

    Raises `ChartError` where the library is missing.
    """
    drawn = [_figure(data, direction) for direction in ("dump", "load")]
    found = [figure for figure in drawn if figure is not None]
    return tag("div", *found, class_="charts") if found else None


def _figure(data: Mapping[str, Any], direction: Direction) -> Markup | None:
    points = list(_points(data, direction))
    if not points:
        return None
    require_chart()
    try:
        import vl_convert
    except ImportError as error:  # made for another system, say
        raise ChartError(f"vl-convert-python, which draws the chart: {error}") from None

    verb = "write" if direction == "dump" else "read back"
    title = f"Size and time to {verb} ({direction})"
    svg: str = vl_convert.vegalite_to_svg(_specification(points))
    return tag(
        "figure", tag("figcaption", title), drawing(svg, title), class_="plot", data_chart=True
    )


def _points(data: Mapping[str, Any], direction: Direction) -> Iterator[_Point]:
    """Give the rows that have figures, those whose name matters most first."""
    verdict = data["verdict"]
    first = [verdict["choice"], verdict.get("runner_up")]
    order = list(OUTCOMES)

    def weight(row: Row) -> tuple[int, int]:
        named = first.index(row["name"]) if row["name"] in first else len(first)
        return named, order.index(row["outcome"]) if row["outcome"] in order else len(order)

    for row in sorted(rows_of(data), key=weight):
        time, size = row[direction], row["size"]
        if not time or not size:
            continue
        best, worst = (max(float(time[key]), 1e-9) for key in ("best", "worst"))
        name = shown(row["name"], _NAME_ROOM)
        about = (
            f"{shown(row['name'], 60)}, {row['outcome']}: {size_text(size)}, "
            f"{direction} {time_text(best)} to {time_text(worst)}"
        )
        is_choice = row["name"] == verdict["choice"]
        yield _Point(name, size, best, worst, row["outcome"], about, is_choice)


def _specification(points: Sequence[_Point]) -> dict[str, Any]:
    x = _axis([point.size for point in points], WIDTH)
    y = _axis([time for point in points for time in (point.best, point.worst)], HEIGHT)
    spots = [Spot(x.at(p.size), HEIGHT - y.at(p.best), p.name) for p in points]
    # places are pixels and fonts differ by parts of one: whole ones keep pages alike
    labels = placed([Spot(round(s.x), round(s.y), s.name) for s in spots], WIDTH, HEIGHT)
    chosen = {spot.name for spot, point in zip(spots, points, strict=True) if point.is_choice}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": WIDTH,
        "height": HEIGHT,
        "padding": _PADDING,
        "autosize": {"type": "none"},
        "background": None,
        "config": _CONFIG,
        "layer": [
            _whiskers(points, x, y),
            _leaders(labels),
            _marks(points, x, y),
            *_names(labels, chosen),
        ],
    }


_CONFIG = {
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "gridColor": FAINT, "domainColor": LINE,
        "tickColor": LINE, "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal",
        "labelFont": "inherit", "titleFont": "inherit", "tickSize": 4, "labelPadding": 5,
    },
}  # fmt: skip


def _whiskers(points: Iterable[_Point], x: _Axis, y: _Axis) -> dict[str, Any]:
    values = [{"size": p.size, "best": p.best, "worst": p.worst} for p in points]
    return {
        "data": {"values": values},
        "mark": {"type": "rule", "stroke": LINE, "strokeWidth": 1.5, "aria": False},
        "encoding": {
            "x": _channel("size", x),
            "y": _channel("best", y),
            "y2": {"field": "worst"},
        },
    }


def _marks(points: Iterable[_Point], x: _Axis, y: _Axis) -> dict[str, Any]:
    names = list(OUTCOMES)
    looks = [outcome_of(name) for name in names]
    return {
        "data": {"values": [point._asdict() for point in points]},
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1, "strokeWidth": 0},
        "encoding": {
            "x": _channel("size", x),
            "y": _channel("best", y),
            "description": {"field": "about"},
            "shape": _constants("outcome", names, [look.shape for look in looks]),
            "color": _constants("outcome", names, [COLOURS[look.tone] for look in looks]),
        },
    }


def _names(labels: Iterable[Label], chosen: set[str]) -> list[dict[str, Any]]:
    """Return a layer for each alignment and weight: in a layer, all texts have the same."""
    looks: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        weight = "bold" if label.spot.name in chosen else "normal"
        looks.setdefault((label.align, weight), []).append(label)
    return [_names_alike(found, *look) for look, found in looks.items()]


def _names_alike(labels: Iterable[Label], align: str, weight: str) -> dict[str, Any]:
    values = [{"x": label.x, "y": label.y, "name": label.spot.name} for label in labels]
    return {
        "data": {"values": values},
        "mark": {
            "type": "text", "align": align, "baseline": "middle", "fontSize": 13, "aria": False,
            "fill": INK, "font": "inherit", "fontWeight": weight,
        },
        "encoding": {
            "x": _pixels("x"),
            "y": _pixels("y"),
            "text": {"field": "name", "type": "nominal"},
        },
    }  # fmt: skip


def _leaders(labels: Iterable[Label]) -> dict[str, Any]:
    """Draw a line from each name that stands away from its point."""
    values = [
        {"x": spot.x, "y": spot.y, "x2": label.x, "y2": _edge(label)}
        for label in labels
        if abs(label.y - (spot := label.spot).y) > 20
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "rule", "stroke": LINE, "strokeWidth": 0.75, "aria": False},
        "encoding": {
            "x": _pixels("x"), "y": _pixels("y"), "x2": {"field": "x2"}, "y2": {"field": "y2"},
        },
    }  # fmt: skip


def _edge(label: Label) -> float:
    """Return the height at which the line to a name ends: at its edge, or beside it."""
    if label.align != "center":
        return label.y
    return label.y + math.copysign(HIGH / 2, label.spot.y - label.y)


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _constants(field: str, domain: list[str], values: list[str]) -> dict[str, Any]:
    scale = {"domain": domain, "range": values}
    return {"field": field, "type": "nominal", "legend": None, "scale": scale}


def _channel(field: str, axis: _Axis) -> dict[str, Any]:
    is_size = field == "size"
    ticks = _ticks(axis)
    spelled = {repr(tick): size_text(tick) if is_size else time_text(tick) for tick in ticks}
    texts = "".join(f"datum.value == {tick} ? '{text}' : " for tick, text in spelled.items())
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"type": "log", "domain": [axis.low, axis.high], "nice": False},
        "axis": {
            "values": ticks,
            "labelExpr": f"{texts}''",
            "title": "size of the file" if is_size else None,
        },
    }


def _axis(values: Sequence[float], length: float) -> _Axis:
    """Return an axis with air around its values, and never a span that makes noise look large."""
    low, high = min(values), max(values)
    span = max(high / low, _LEAST_SPAN) * 2.2
    middle = math.sqrt(low * high)
    return _Axis(middle / math.sqrt(span), middle * math.sqrt(span), length)


def _ticks(axis: _Axis) -> list[float]:
    """Return round values on an axis: 1, 2 and 5, or only powers of ten where it is long."""
    powers = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
    every = [float(f"{step}e{power}") for power in powers for step in _STEPS]
    found = [tick for tick in every if axis.low <= tick <= axis.high]
    while len(found) > _MOST_TICKS:
        tens = [tick for tick in found if f"{tick:e}".startswith("1.000")]
        found = tens if len(tens) < len(found) else found[::2]
    return found
