"""Keep the interpreter's warnings about old-fashioned data to itself."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_ONE_AT_A_TIME = Lock()


@contextmanager
def quietly() -> Iterator[None]:
    """Ignore warnings inside.

    The filters belong to the whole process before Python 3.14, so this is only for the few values
    that do warn, and by one thread at a time: two that overlap would restore each other's filters.
    """
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
