"""A whole page: head, policy, style and script around what it says.

Strategy: a page is one file that loads nothing. Its Content-Security-Policy allows the very style
and script that stand in it, by their hash, and nothing else: were a text from a file ever to become
an element, it could neither run nor ask for anything. The same data gives the same bytes.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from mason.page.markup import Markup, Part, own, tag, together

MOST = 2_000_000  # bytes of one page; the parts that may be large keep to bounds below it


class Served(NamedTuple):
    """Say what a page may do beyond standing alone: its script, and whom it may ask."""

    script: str = "page.js"
    connect: bool = False


ALONE = Served()


@cache
def resource(name: str) -> str:
    """Return a style or script of this package."""
    return files("mason.page").joinpath(name).read_text(encoding="utf-8")


def policy(served: Served = ALONE) -> str:
    """Return the Content-Security-Policy of a page."""
    to_itself = "'self'" if served.connect else "'none'"
    return "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(resource('page.css'))}",
            f"script-src {_hash(_script(served))}",
            "img-src data:",  # the empty icon, so that no browser asks a server for one
            *([f"connect-src {to_itself}"] if served.connect else []),
            "base-uri 'none'",
            f"form-action {to_itself}",
        ]
    )


def sheet(title: str, *parts: Part, served: Served = ALONE, above: Part = None) -> str:
    """Return a page; `parts` are its main content, `above` stands before them."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(served)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        own("style", resource("page.css")),
    )
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#main", class_="skip"),
        above,
        tag("main", *parts, id="main", tabindex=-1),
        tag("footer", tag("p", "Made by mason. Nothing here loads or sends anything.")),
        own("script", _script(served)),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def section(name: str, heading: str, *parts: Part) -> Markup:
    """Return a section with a heading, which its name leads to."""
    return tag("section", tag("h2", heading, id=name), *parts, aria_labelledby=name, class_="part")


def listed(entries: list[Part], class_: str | None = None) -> Markup | None:
    """Return a list, None when nothing is in it."""
    return tag("ul", *(tag("li", entry) for entry in entries), class_=class_) if entries else None


def facts(pairs: list[tuple[str, Part]]) -> Markup:
    """Return names with what they have; those that have nothing are left out."""
    rows = (
        tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value is not None
    )
    return tag("dl", *rows, class_="facts")


def code(text: str) -> Markup:
    """Return a text as it stands in a file or a program."""
    return tag("code", text)


def sentence(*parts: Part, class_: str | None = None) -> Markup:
    """Return a paragraph."""
    return tag("p", together(parts), class_=class_)


def _script(served: Served) -> str:
    return resource("page.js") + (resource(served.script) if served.script != "page.js" else "")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
