"""The rules of the verdict, as data: what an object is for weighs the columns.

`NEEDS` must be met by whatever is chosen for a purpose, or nothing is; `WEIGHTS` say how much each
column counts among those that meet them. `SETTLED` are the answers that no figure
changes; the first that holds is given. Change a rule here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from mason.comparison.results import About

BIG_TABLE = 1_000  # rows from which on a format of columns pays

# marshal is for the cache that the next version of Python throws away: its documentation says so
_LASTING = ("every language", "Python, R, Java, C++, Rust, ...", "Python")

# column of a row -> the values that will do
NEEDS: Mapping[str | None, Mapping[str, tuple[str, ...]]] = {
    None: {"readers": _LASTING},
    "exchange": {"readers": ("every language",), "safe": ("yes", "named classes only")},
    "cache": {},
    "archive": {"renamed": ("yes", "one line", ""), "readers": _LASTING},
    "config": {
        "human": ("yes",),
        "safe": ("yes", "named classes only"),
        "readers": ("every language",),
    },
    "model": {"safe": ("yes", "named classes only"), "readers": _LASTING},
    "queue": {"safe": ("yes", "named classes only"), "readers": _LASTING},
}

# "standard" is whether it comes with Python, or else how settled the library is
WEIGHTS: Mapping[str | None, Mapping[str, int]] = {
    None: {"safe": 4, "readers": 2, "dump": 2, "load": 2, "size": 1, "human": 1, "standard": 2},
    "exchange": {"readers": 4, "safe": 3, "human": 2, "size": 1, "load": 1, "standard": 3},
    "cache": {"load": 4, "dump": 3, "size": 2, "safe": 3, "standard": 1},
    "archive": {"renamed": 4, "readers": 4, "compressed": 2, "human": 2, "safe": 2, "standard": 1},
    "config": {"human": 4, "safe": 2, "readers": 2, "standard": 3},
    "model": {"safe": 4, "load": 2, "size": 2, "renamed": 1, "standard": 1},
    "queue": {"safe": 4, "dump": 3, "load": 3, "size": 2, "readers": 1, "standard": 1},
}

# what a cell is worth, from 0 to 1; a column that is not here is a figure, of which less is better
WORTH: Mapping[str, Mapping[str, float]] = {
    "safe": {"yes": 1.0, "named classes only": 0.9, "no": 0.0},
    "readers": {
        "every language": 1.0,
        "Python, R, Java, C++, Rust, ...": 0.7,
        "Python": 0.2,
        "this Python": 0.0,
    },
    "human": {"yes": 1.0, "no": 0.0},
    "renamed": {"yes": 1.0, "": 1.0, "one line": 0.9, "no": 0.0},
    "standard": {"Python": 1.0, "a library": 0.6, "mason": 0.3},
}


class Settled(NamedTuple):
    """Give the answer to what is settled before anything is measured."""

    choice: str
    command: str
    purposes: tuple[str | None, ...]
    holds: Callable[[About], bool]
    why: str  # with the fields of `About` in braces, and {counted} values
    caveat: str = ""
    exact_only: bool = False  # only if the row of that name came back exactly


SETTLED: tuple[Settled, ...] = (
    Settled(
        "safetensors",
        "safetensors.numpy.save_file(arrays, path)",
        (None, "model", "exchange", "archive"),
        lambda about: about.model == "arrays",
        "arrays by name ({type}) are what safetensors is made for: it runs nothing, can be read"
        " by parts without copying, and every framework reads it",
        "safetensors keeps arrays and texts about them, nothing else",
    ),
    Settled(
        "npy",
        "numpy.save(path, array, allow_pickle=False)",
        (None, "model", "exchange", "archive", "cache"),
        lambda about: about.model == "array",
        "one array ({type}): numpy's own .npy file runs nothing, and can be used from the disk"
        " without being read (mmap_mode)",
        "a .npy file keeps one array of numbers and nothing else; loading it needs numpy",
    ),
    Settled(
        "skops",
        "skops.io.dump(model, file)",
        (None, "model", "exchange", "archive"),
        lambda about: about.model == "estimator",
        "an estimator ({type}): skops shows the types in a file before it is loaded and"
        " builds only those that you name",
        "skops is slower and larger than pickle, and each type beyond its own list has to be"
        " trusted by name; keep the versions of scikit-learn and numpy beside the file",
    ),
    Settled(
        "Parquet",
        "pyarrow.parquet.write_table(table, path)",
        ("archive",),
        lambda about: about.table and about.table_rows >= BIG_TABLE,
        "a table of {table_rows:,} rows: Parquet keeps columns together, packed and with their"
        " types, and every data tool reads it",
        "Parquet has types for columns: whatever else the cells of one hold does not go in",
    ),
    Settled(
        "json",
        "json.dump(obj, file)",
        (None, "exchange", "config", "archive"),
        lambda about: about.plain and not about.nan,
        "plain json is enough for this: {counted}, all of them plain data, and nothing shared",
        exact_only=True,
    ),
)
