"""A comparison inside somebody else's page: a notebook, which has its own colours.

Strategy: no script and no page-wide style. Text and lines take the colour that they find, so that
light and dark notebooks both read well; only the signs have colours of their own, which stand out
on both. The class in front of every rule keeps the style to itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mason.page.comparison import legend, reasons, verdict
from mason.page.losses import losses
from mason.page.markup import own, tag
from mason.page.sheet import resource
from mason.page.table import table


def comparison_fragment(data: dict[str, Any]) -> str:
    """Return a comparison as HTML for a notebook: verdict, table and losses, without a chart."""
    told = losses(data)
    whole = tag(
        "div",
        own("style", resource("fragment.css")),
        *verdict(data),
        *reasons(data),
        legend(data),
        table(data, _NOWHERE),
        tag("details", tag("summary", "Where they stop, and what they change"), told)
        if told
        else None,
        class_="mason-comparison",
    )
    return str(whole)


# a notebook shows many fragments on one page, where anchors of the same name would meet
_NOWHERE: Mapping[str, str] = {}
