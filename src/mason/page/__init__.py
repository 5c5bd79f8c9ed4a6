"""HTML pages of trees, comparisons and diffs: data in, one file out that needs nothing else.

Strategy: what a page shows is text from anywhere, so it is escaped in one place (`markup`), cut to
what a page can bear where it enters, and the page forbids the browser to run or load anything but
its own script and style (`sheet`). Charts are drawn when the page is written (`chart`).
"""

from __future__ import annotations

from mason.page.chart import ChartError, require_chart
from mason.page.comparison import comparison_page
from mason.page.diff import diff_page
from mason.page.document import tree_page
from mason.page.fragment import comparison_fragment

__all__ = [
    "ChartError",
    "comparison_fragment",
    "comparison_page",
    "diff_page",
    "require_chart",
    "tree_page",
]
