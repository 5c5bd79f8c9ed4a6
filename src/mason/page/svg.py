"""A drawing as Vega writes it, made part of a page: element by element, from a list of what may be.

Strategy: the drawing is parsed and written anew by the same `tag` as everything else, so that a
text from a file is escaped there however Vega treats it, and ids, links, styles and scripts have no
way in. Colours stay as they are: the style of the page replaces each by its own.
"""

from __future__ import annotations

from xml.etree import ElementTree

from mason.page.markup import Markup, Part, tag

_SPACE = "{http://www.w3.org/2000/svg}"
_ELEMENTS = frozenset({"g", "path", "line", "rect", "text"})
_ATTRIBUTES = frozenset(
    {
        *("d", "transform", "x", "y", "x1", "x2", "y1", "y2", "width", "height"),
        *("fill", "stroke", "stroke-width", "opacity", "fill-opacity", "stroke-opacity"),
        *("stroke-dasharray", "stroke-miterlimit", "stroke-linecap"),
        *("text-anchor", "font-size", "font-weight", "aria-label", "aria-hidden", "role"),
        "aria-roledescription",
    }
)


def drawing(svg: str, label: str) -> Markup:
    """Return a drawing that fills the width it is given; `label` says what it is."""
    root = ElementTree.fromstring(svg)
    inside = [part for child in root if (part := _clean(child)) is not None]
    box = " ".join(str(float(number)) for number in root.attrib["viewBox"].split())
    return tag("svg", *inside, viewBox=box, role="group", aria_label=label)


def _clean(element: ElementTree.Element) -> Markup | None:
    """Return an element with what it may have; None for one that may not be, or draws nothing."""
    name = element.tag.removeprefix(_SPACE)
    if name not in _ELEMENTS or element.get("display") == "none":
        return None
    if name == "path" and element.get("d", "") in ("", "M0,0h0v0h0Z"):
        return None
    kept = {key: value for key, value in element.attrib.items() if key in _ATTRIBUTES}
    if kept.get("role") == "graphics-object":  # a group of marks: its marks say what they are
        kept = {key: value for key, value in kept.items() if not key.startswith(("role", "aria-"))}
    inside: list[Part] = [element.text]
    inside += [_clean(child) for child in element]
    if name == "g" and not any(inside):
        return None
    return tag(name, *inside, **kept)
