"""How each outcome looks: a word, a shape and a colour, never the colour alone."""

from __future__ import annotations

from typing import NamedTuple

from mason.page.markup import Markup, tag


class Outcome(NamedTuple):
    """Say how an outcome is drawn: `sign` in text, `shape` in the chart, `tone` for its colour."""

    sign: str
    shape: str
    tone: str
    meaning: str


OUTCOMES = {
    "exact": Outcome("●", "circle", "exact", "the same object comes back"),
    "changed": Outcome("▲", "triangle-up", "changed", "something else comes back, in silence"),
    "cannot tell": Outcome("◇", "diamond", "plain", "nobody can look into what comes back"),
    "refused": Outcome("■", "square", "refused", "it does not take this object, and says so"),
    "failed": Outcome("◆", "diamond", "refused", "it wrote a file that it cannot read back"),
    "crashed": Outcome("✕", "cross", "refused", "it ended its process"),
    "too slow": Outcome("✕", "cross", "refused", "it took longer than the limit"),
    "too big": Outcome("✕", "cross", "refused", "it took more memory than the limit"),
    "left out": Outcome("○", "stroke", "plain", "it was not tried"),
}
_OTHER = Outcome("○", "stroke", "plain", "")


def outcome_of(name: str) -> Outcome:
    """Return how an outcome is drawn."""
    return OUTCOMES.get(name, _OTHER)


def outcome_mark(name: str, word: str = "") -> Markup:
    """Return the sign of an outcome with a word: its name, where no other is given."""
    look = outcome_of(name)
    return marked(look.sign, look.tone, word or name)


def marked(sign: str, tone: str, word: str) -> Markup:
    """Return a word with a sign in front of it, which screen readers leave out."""
    before = tag("span", sign, aria_hidden="true", class_="sign")
    return tag("span", before, word, class_=f"outcome {tone}")
