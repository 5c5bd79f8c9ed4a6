"""The pages, as text: what they say, that everything is escaped, and that they stay small."""

from __future__ import annotations

import itertools
import json
import re
from html.parser import HTMLParser
from typing import Any

import page_samples
import pytest

import mason
from mason.inspection.show import show
from mason.page import comparison_fragment, comparison_page, diff_page, require_chart, tree_page
from mason.page.chart import COLOURS, FAINT, INK, LINE, ChartError
from mason.page.figures import size_text, time_text
from mason.page.labels import Box, Spot, placed
from mason.page.losses import losses
from mason.page.sheet import MOST, resource
from mason.page.svg import drawing

pytest.importorskip("vl_convert")

VOID = {"input", "link", "meta"}
ELEMENTS = """html head meta link title style script body a main header footer section h1 h2 h3 p
pre code ul li dl div dt dd time span b small strong table caption thead tbody tr th td details
summary button label input figure figcaption svg g path line rect text"""
UNSEEN = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"


class Outline(HTMLParser):
    """Read a page as a browser does: its elements, and its text by element."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.deepest = 0
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((name, dict(attributes)))
        if name not in VOID:
            self._open.append(name)
            self.deepest = max(self.deepest, len(self._open))

    def handle_endtag(self, name: str) -> None:
        assert self._open.pop() == name

    def handle_data(self, text: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", text))

    def text(self) -> str:
        return "".join(text for name, text in self.texts if name not in ("style", "script"))


def tree_of(value: Any, **bounds: Any) -> str:
    bounds = bounds or {"depth": None, "items": None, "lines": None}
    return tree_page(show(mason.reads(json.dumps(value)), **bounds), "sample.json")


def hostile_pages() -> dict[str, str]:
    tree = show(mason.reads(json.dumps({text: [text] for text in page_samples.HOSTILE})))
    return {
        "comparison": comparison_page(page_samples.hostile()),
        "fragment": comparison_fragment(page_samples.hostile()),
        "diff": diff_page(page_samples.hostile_diff(), tree, tree),
        "tree": tree_page(tree, page_samples.HOSTILE[0]),
    }


@pytest.fixture(scope="module")
def hostile() -> dict[str, str]:
    return hostile_pages()


def test_the_verdict_comes_first() -> None:
    page = Outline(comparison_page(page_samples.comparison()))
    said = [text for name, text in page.texts if name in ("h1", "h2")]
    assert said[0] == "Use mason cbor to cache it"
    assert said[1:] == [
        "At a glance",
        "Size and time",
        "All formats",
        "Where they stop, and what they change",
        "The object",
        "How it was measured",
    ]
    assert Outline(comparison_page(page_samples.tiny())).text().count("Use json") >= 1


def test_every_row_is_in_the_table_and_every_loss_has_its_path() -> None:
    data = page_samples.comparison()
    page = Outline(comparison_page(data))
    text = page.text()
    for row in data["rows"]:
        assert row["name"] in text
        assert row["reason"] in text
        assert (row["path"] or "") in text
        for change in row["changes"]:
            assert change["path"] in text
            assert change["text"] in text
    links = {attributes["href"] for name, attributes in page.elements if name == "a"}
    ids = {f"#{attributes['id']}" for _, attributes in page.elements if "id" in attributes}
    assert links <= ids


def test_what_does_not_apply_is_empty() -> None:
    data = page_samples.comparison()
    data["rows"] = [page_samples.row("json", "refused", reason="no")]
    page = comparison_page(data)
    assert page.count('<td class="number"></td>') == 6
    assert page.count("<td></td>") == 4
    assert "<svg" not in page  # nothing to draw


def test_only_rows_with_figures_are_drawn() -> None:
    page = Outline(comparison_page(page_samples.comparison()))
    labels = [attributes["aria-label"] or "" for _, attributes in page.elements
              if attributes.get("aria-roledescription") == "point"]  # fmt: skip
    assert len(labels) == 13 + 12  # cbor2 was written and not read
    assert "pickle 5, exact: 29 kB, dump 761 µs to 980 µs" in labels
    assert not any("PyYAML" in label for label in labels)


@pytest.mark.parametrize("count", [1, 60, 400])
def test_large_comparisons_stay_small(count: int) -> None:
    assert len(comparison_page(page_samples.many(count)).encode()) < MOST


@pytest.mark.parametrize("letter", ["&", "\U000e0001"])
def test_texts_that_grow_stay_small(letter: str) -> None:
    """What is spelled with many characters for one is counted as it stands on the page."""
    text = letter * 10_000
    data = page_samples.hostile(itertools.repeat(text), 150)
    assert len(comparison_page(data).encode()) < MOST
    keys = {letter * 100 + str(number): text for number in range(4_000)}
    record = {"$type": f"a.b:{letter * 90}"}
    need = [record | {"$type": f"a.b:{letter * 90}{number}"} for number in range(60)]
    text = json.dumps({"$mason": 1, "keys": keys, "need": need})
    tree = show(mason.reads(text), depth=None, items=None, lines=None)
    assert len(tree_page(tree, text).encode()) < MOST
    changes = [page_samples.change("value", text, text, text)] * 5_000
    found = page_samples.diff() | {"a": text, "b": text, "changes": changes}
    assert len(diff_page(found, tree, tree).encode()) < MOST


@pytest.mark.parametrize("name", ["comparison", "fragment", "diff", "tree"])
def test_nothing_of_a_hostile_text_becomes_an_element(name: str, hostile: dict[str, str]) -> None:
    page = hostile[name]
    assert len(page.encode()) < MOST
    outline = Outline(page)
    allowed = set(ELEMENTS.split())
    assert {element for element, _ in outline.elements} <= allowed
    scripts = [element for element, _ in outline.elements if element in ("script", "style")]
    assert len(scripts) == (1 if name == "fragment" else 2)
    for _, attributes in outline.elements:
        assert not [key for key in attributes if key.startswith("on") or key == "style"]
        for key in ("href", "src", "action"):
            assert (attributes.get(key) or "#").startswith(("#", "data:,"))
    text = outline.text()
    assert "</script><img src=x onerror=alert(1)>" in text
    assert "\\u202eevil\\u202c" in text
    assert "nul\\x00bell\\x07esc\\x1b[31m" in text
    assert not re.search(UNSEEN, page)
    assert "k" * 2_001 not in page


def test_the_same_data_gives_the_same_bytes() -> None:
    assert comparison_page(page_samples.hostile()) == comparison_page(page_samples.hostile())
    assert hostile_pages()["tree"] == hostile_pages()["tree"]


def test_the_page_allows_its_own_style_and_script_and_nothing_else() -> None:
    page = Outline(comparison_page(page_samples.tiny()))
    (policy,) = (
        attributes["content"] or ""
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert re.fullmatch("'sha256-[A-Za-z0-9+/=]{44}'", rules["style-src"])
    assert re.fullmatch("'sha256-[A-Za-z0-9+/=]{44}'", rules["script-src"])
    assert rules["img-src"] == "data:"
    assert len(rules) == 6


# ---------------------------------------------------------------------------------- trees


def test_trees_of_one_and_of_many_values() -> None:
    assert "A JSON document: int" in Outline(tree_of(5)).text()
    page = tree_of([{"number": number, "tags": ["a"]} for number in range(1_250)])
    assert "shows its beginning" not in page
    assert "[1249]" in page
    page = tree_of([{"number": number, "tags": ["a"]} for number in range(50_000)])
    assert len(page.encode()) < MOST
    text = Outline(page).text()
    assert "The document has 200,001 values; this page shows its beginning." in text
    assert "mason show --path PATH" in text


def test_a_deep_tree_is_cut_and_says_so() -> None:
    document = mason.reads("[" * 100_000 + "]" * 100_000)
    page = tree_page(show(document, depth=None, items=None, lines=None), "deep.json")
    outline = Outline(page)
    assert outline.deepest < 200
    assert "1 container is not opened here, since what is inside lies too deep." in outline.text()
    assert "not opened here" in Outline(tree_of([[[5]]], depth=1)).text()
    assert "not opened here" not in Outline(tree_of([[[]]], depth=2)).text()


def test_what_is_shared_leads_to_its_first_place() -> None:
    page = Outline(comparison_page(page_samples.comparison()))
    links = [attributes["href"] for name, attributes in page.elements
             if name == "a" and attributes.get("class") == "i"]  # fmt: skip
    assert links == ["#o1"] * 3
    assert [name for name, attributes in page.elements if attributes.get("id") == "o1"] == ["li"]
    # where the first place is not on the page there is nothing to lead to
    text = json.dumps(
        {"$mason": 1, "a": {"$id": 1, "b": []}, "c": {"x": {"$ref": 1}, "y": {"$ref": 1}}}
    )
    part = tree_page(show(mason.reads(text), path="$.c"), "part.json")
    assert part.count('href="#o1"') == 1


def test_needs_are_listed() -> None:
    text = Outline(tree_of(page_samples.ORDERS)).text()
    assert "Names it asks for" in text
    assert "one would have to trust 4 names" in text
    assert "shop.models:Status" in text


# ---------------------------------------------------------------------------------- diffs


def test_a_diff_says_what_differs_and_marks_both_sides() -> None:
    tree = show(mason.reads(json.dumps(page_samples.ORDERS)))
    page = Outline(diff_page(page_samples.diff(), tree, tree))
    assert ("h1", "They differ in 8 places") in page.texts
    text = page.text()
    for change in page_samples.diff()["changes"]:
        assert change["path"] in text
    assert "differ: 12; of: 15; largest: 0.25" in text
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = {
        attributes["href"] for name, attributes in page.elements
        if name == "a" and "change" in (attributes["href"] or "")
    }  # fmt: skip
    assert links <= {f"#{name}" for name in ids}
    assert len(links) == 6  # there is neither a fourth order nor an image
    marks = [
        name for name, attributes in page.elements if "mark" in (attributes.get("class") or "")
    ]
    assert len(marks) == 11  # on both sides, but what is removed


def test_a_diff_of_two_that_are_the_same() -> None:
    tree = show(mason.reads("[1]"))
    same = page_samples.diff() | {"same": True, "changes": [], "counts": {}}
    page = Outline(diff_page(same, tree, tree))
    assert ("h1", "Both hold the same") in page.texts
    assert "What differs" not in page.text()


# ---------------------------------------------------------------------------------- the parts


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1234, "1.23 kB"), (12_345, "12.3 kB"),
     (999_900, "1 MB"), (123_456_789, "123 MB"), (5e9, "5 GB")],
)  # fmt: skip
def test_sizes(number: float, text: str) -> None:
    assert size_text(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 ns"), (5e-10, "0.5 ns"), (3.214e-6, "3.21 µs"), (9.999e-4, "1 ms"), (0.045, "45 ms"),
     (2.5, "2.5 s"), (1234, "1,234 s")],
)  # fmt: skip
def test_times(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def test_names_in_the_chart_cover_neither_points_nor_each_other() -> None:
    spots = [Spot(20 + 37 * n % 360, 20 + 53 * n % 260, f"format {n}") for n in range(60)]
    labels = placed(spots, 400, 300)
    boxes = [label.box for label in labels]
    points = [Box(spot.x - 5, spot.y - 5, spot.x + 5, spot.y + 5) for spot in spots]
    for index, box in enumerate(boxes):
        assert box.left >= 0 and box.right <= 400 and box.top >= 0 and box.bottom <= 300
        assert not any(map(box.meets, [*boxes[:index], *points]))
    assert len(labels) >= 25


def test_a_drawing_keeps_what_is_known_and_nothing_else() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" onload="x()">'
        '<script>x()</script><g id="main"><a href="javascript:x()"><text>link</text></a>'
        '<path d="M0,0" style="fill:url(//evil)" onclick="x()" fill="#00638a"/></g>'
        "<foreignObject><b>x</b></foreignObject><text>&lt;b&gt;</text></svg>"
    )
    assert str(drawing(svg, "a <chart>")) == (
        '<svg viewBox="0.0 0.0 10.0 10.0" role="group" aria-label="a &lt;chart&gt;">'
        '<g><path d="M0,0" fill="#00638a"></path></g><text>&lt;b&gt;</text></svg>'
    )


def test_every_colour_of_the_chart_has_one_of_the_page() -> None:
    style = resource("page.css")
    for colour in (*COLOURS.values(), INK):
        assert f'[fill="{colour}"]' in style
    for colour in (LINE, FAINT):
        assert f'[stroke="{colour}"]' in style
    drawn = Outline(comparison_page(page_samples.comparison())).elements
    used = {a[key] for _, a in drawn for key in ("fill", "stroke") if a.get(key)}
    assert used - {"none", "transparent"} <= {*COLOURS.values(), INK, LINE, FAINT}


def test_without_the_library_a_chart_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    require_chart()
    monkeypatch.setattr("mason.page.chart.find_spec", lambda name: None)
    with pytest.raises(ChartError) as caught:
        comparison_page(page_samples.comparison())
    assert isinstance(caught.value, mason.MasonError)
    assert caught.value.hint == "pip install 'mason[page]'"
    assert "mason" in tree_of([1])  # which has no chart
    assert "Use mason cbor" in comparison_fragment(page_samples.comparison())


# ---------------------------------------------------------------------------------- contrast


def themes() -> dict[str, dict[str, str]]:
    style = resource("page.css")
    blocks = re.findall(r":root \{(.*?)\}", style, re.S)
    light, dark, paper = (dict(re.findall(r"--([\w-]+): (#\w{6})", block)) for block in blocks)
    return {"light": light, "dark": dark, "print": paper}


def brightness(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    low, high = sorted((brightness(a), brightness(b)))
    return (high + 0.05) / (low + 0.05)


def test_the_style_of_a_fragment_keeps_to_itself() -> None:
    rules = re.findall(r"([^{}]+)\{", resource("fragment.css"))
    selectors = [part.strip() for rule in rules for part in rule.split(",")]
    assert len(selectors) > 20
    assert all(selector.startswith(".mason-comparison") for selector in selectors)
    signs = re.findall(r"\.sign \{ color: (#\w{6})", resource("fragment.css"))
    assert len(signs) == 3
    for colour in signs:  # on the paper of light and of dark notebooks
        assert min(contrast(colour, "#ffffff"), contrast(colour, "#111111")) >= 3


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_text_stands_out_in_every_theme(theme: str) -> None:
    colours = themes()[theme]
    texts = "ink soft exact changed refused plain accent added removed moved"
    for back in ("paper", "raised", "sunken", "mark"):
        for text in texts.split():
            assert contrast(colours[text], colours[back]) >= 4.5, (text, back)
    assert contrast(colours["strong-line"], colours["paper"]) >= 3


def test_every_loss_stands_with_its_path() -> None:
    others = [f"$[{n}]" for n in range(1, 400)]
    change = {"path": "$[0]", "kind": "type", "text": "tuple → list", "count": 400}
    changes = [{**change, "others": others}]
    lossy = page_samples.row("json", "changed", changes=changes, changes_total=400)
    page = str(losses({**page_samples.comparison(), "rows": [lossy]}))
    for path in ("$[0]", *others):
        assert f"<code>{path}</code>" in page
    assert "more" not in page


def test_a_page_where_nothing_fits_says_so() -> None:
    data = page_samples.comparison()
    data["verdict"] = {**data["verdict"], "choice": "none", "command": "", "runner_up": ""}
    assert "Nothing here fits" in comparison_page(data)
