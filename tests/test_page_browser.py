"""The pages in a real browser: they work, in every look, and nothing hostile in them does."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import page_samples
import pytest
from browsing import Browser
from npm import JS, install

import mason
from mason.inspection.show import Tree, show
from mason.page import comparison_fragment, comparison_page, diff_page, tree_page

pytest.importorskip("vl_convert")
pytestmark = pytest.mark.uninstrumented

TAB, ENTER, SPACE, RIGHT, ESCAPE = "\ue004", "\ue007", " ", "\ue014", "\ue00c"
# whether anything of a hostile text came alive: an element with a handler, a dialog, a frame
ALIVE = """
const strange = 'img,iframe,object,embed,base,audio,video,link[rel=stylesheet],svg script';
const on = [...document.querySelectorAll('*')].filter(
    (element) => [...element.attributes].some(({name}) => name.startsWith('on') || name === 'style'
                                              && !element.matches('.tip')));
return on.length + document.querySelectorAll(strange).length + document.scripts.length - 1;
"""


def sample_tree() -> Tree:
    return show(mason.reads(json.dumps(page_samples.ORDERS)))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    hostile = show(mason.reads(json.dumps({text: [text] for text in page_samples.HOSTILE})))
    made = {
        "comparison": comparison_page(page_samples.comparison()),
        "many": comparison_page(page_samples.many()),
        "hostile": comparison_page(page_samples.hostile()),
        "diff": diff_page(page_samples.diff(), sample_tree(), sample_tree()),
        "hostile-diff": diff_page(page_samples.hostile_diff(), hostile, hostile),
        "tree": tree_page(sample_tree(), "orders.json"),
        "hostile-tree": tree_page(hostile, page_samples.HOSTILE[0]),
        "notebook": "<!doctype html><title>x</title>"
        + comparison_fragment(page_samples.hostile()) * 2,
    }
    for name, page in made.items():
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture(scope="session")
def axe() -> str:
    install()
    return (JS / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def column(browser: Browser, number: int) -> list[str]:
    texts: list[str] = browser.run(
        "return [...document.querySelectorAll('table.sortable tbody tr')]"
        ".map((row) => row.cells[arguments[0]].textContent)", number,
    )  # fmt: skip
    return texts


@pytest.mark.parametrize("name", ["comparison", "many", "hostile", "diff", "tree", "hostile-tree"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_loads_without_a_complaint_and_fits(
    browser: Browser, pages: dict[str, Path], name: str, theme: str, width: int
) -> None:
    browser.look_like(width, theme)
    browser.open(pages[name])
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [
        pages[name].as_uri()
    ]
    assert browser.run("return document.documentElement.scrollWidth") <= width
    back = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert back == ("rgb(251, 250, 248)" if theme == "light" else "rgb(24, 22, 20)")


@pytest.mark.parametrize("name", ["hostile", "hostile-diff", "hostile-tree", "notebook"])
def test_nothing_hostile_comes_alive(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.look_like()
    browser.open(pages[name])
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true")
    for element in browser.find("[role=graphics-symbol]")[:3]:
        browser.point_at(element)
    alive = browser.run(ALIVE)
    assert alive == (-1 if name == "notebook" else 0)  # a fragment has no script at all
    text = browser.run("return document.body.innerText")
    assert "</script><img src=x onerror=alert(1)>" in text
    assert '"><svg onload=alert(2)>' in text
    assert "\\u202eevil" in text
    assert browser.complaints() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [
        pages[name].as_uri()
    ]


def test_the_policy_stops_what_would_come_alive(browser: Browser, tmp_path: Path) -> None:
    """The second line: even a text that became an element could not run or load anything."""
    page = comparison_page(page_samples.tiny())
    evil = "<script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">"
    file = tmp_path / "evil.html"
    file.write_text(page.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    browser.open(file)
    assert "evil" not in browser.driver.title
    assert any("Content Security Policy" in said for said in browser.complaints())


def test_a_column_sorts_by_click_and_by_key(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look_like()
    browser.open(pages["comparison"])
    given = column(browser, 0)
    size = browser.find("table.sortable thead button")[2]
    size.click()
    sizes = [float(text) for text in browser.run(
        "return [...document.querySelectorAll('table.sortable tbody td:nth-child(3)')]"
        ".map((cell) => cell.dataset.value ?? '')"
    ) if text]  # fmt: skip
    assert sizes == sorted(sizes)
    assert len(sizes) == 13
    assert column(browser, 2)[13:] == [""] * 6  # what is empty stays last
    heading = browser.find("table.sortable thead th")[2]
    assert heading.get_attribute("aria-sort") == "ascending"
    browser.press(SPACE)
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(browser, 2)[0] == "88.1 kB"
    assert column(browser, 2)[13:] == [""] * 6
    browser.press(TAB, ENTER)
    assert heading.get_attribute("aria-sort") is None
    assert browser.find("table.sortable thead th")[3].get_attribute("aria-sort") == "ascending"
    assert sorted(column(browser, 0)) == sorted(given)


def test_a_tree_opens_closes_and_finds(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look_like()
    browser.open(pages["tree"])

    def state() -> tuple[int, int]:
        return len(browser.find(".tree details[open]")), len(browser.find(".tree details"))

    expand, collapse = browser.find(".controls button")
    expand.click()
    opened, every = state()
    assert opened == every > 5
    collapse.click()
    assert state() == (0, every)
    first = browser.find(".tree summary")[0]
    browser.run("arguments[0].focus()", first)
    browser.press(ENTER)
    assert state() == (1, every)
    browser.find(".controls input")[0].send_keys("novem")
    assert browser.find(".found")[0].text == "1 found"
    shown = [entry.text for entry in browser.find(".tree li") if entry.is_displayed()]
    assert any("'November'" in text for text in shown)
    assert not any("Alice" in text for text in shown)


def test_a_link_to_a_shared_object_opens_the_way_to_it(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.look_like()
    browser.open(pages["tree"])
    browser.find(".controls button")[0].click()
    link = browser.find(".tree a")[0]
    browser.run("for (const part of document.querySelectorAll('details')) part.open = false")
    browser.run("location.hash = arguments[0]", link.get_attribute("href").partition("#")[2])
    browser.until(lambda: browser.find("#o1")[0].is_displayed())


def test_the_chart_shows_its_figures(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look_like()
    browser.open(pages["comparison"])
    mark = browser.find(".plot [role=graphics-symbol][tabindex]")[0]
    browser.run("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", mark)
    browser.point_at(mark)
    (tip,) = [tip for tip in browser.find(".tip") if tip.is_displayed()]
    assert tip.text == mark.get_attribute("aria-label")
    browser.run("arguments[0].focus()", browser.find(".plot [tabindex='0']")[0])
    before = tip.text
    browser.press(RIGHT)
    (tip,) = [tip for tip in browser.find(".tip") if tip.is_displayed()]
    assert tip.text != before
    assert len(browser.find(".plot [tabindex='0']")) == 2  # Tab stops once at each chart
    browser.press(ESCAPE)
    assert not [tip for tip in browser.find(".tip") if tip.is_displayed()]


def test_tab_reaches_everything_in_order(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look_like()
    browser.open(pages["comparison"])
    browser.press(TAB)
    assert browser.run("return document.activeElement.className") == "skip"
    browser.press(ENTER, TAB)
    seen = []
    for _ in range(60):
        seen.append(browser.run("return document.activeElement.tagName"))
        browser.press(TAB)
    assert {"path", "DIV", "BUTTON", "A", "SUMMARY", "INPUT"} <= set(seen)


def test_a_page_works_without_scripts(browser: Browser, pages: dict[str, Path]) -> None:
    browser.look_like()
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(pages["comparison"])
        assert not browser.find(".controls")[0].is_displayed()
        assert browser.find("table.sortable tbody tr")[18].is_displayed()
        summary = browser.find(".tree details details summary")[0]
        before = summary.find_element("xpath", "..").get_attribute("open")
        summary.click()
        assert summary.find_element("xpath", "..").get_attribute("open") != before
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)


def test_a_page_prints_whole(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    tool = shutil.which("pdftotext")
    if tool is None:
        pytest.skip("pdftotext is not installed")
    browser.look_like()
    browser.open(pages["comparison"])
    browser.run("for (const part of document.querySelectorAll('details')) part.open = false")
    (tmp_path / "page.pdf").write_bytes(browser.printed())
    text = subprocess.run(
        [tool, "-layout", "page.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert "Use mason cbor to cache it" in text
    assert "November" in text  # far down in the tree
    assert "sharing lost" in text
    assert "Expand all" not in text
    assert len(browser.find("details[open]")) == 0  # as they were before


def violations(browser: Browser, axe: str) -> list[tuple[str, Any]]:
    browser.run(axe)
    found = browser.driver.execute_async_script(
        "const done = arguments[0];"
        "axe.run(document, {rules: {'color-contrast': {enabled: true}}}).then(done);"
    )
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]][:3])
            for rule in found["violations"]]  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["comparison", "diff", "tree"])
def test_axe_finds_nothing(
    browser: Browser, pages: dict[str, Path], axe: str, name: str, theme: str
) -> None:
    browser.look_like(theme=theme)
    browser.open(pages[name])
    assert violations(browser, axe) == []
