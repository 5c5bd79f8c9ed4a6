"""What `mason view` may look at: one file or the files below one folder, and what was dropped.

Strategy: a name from the browser leads to a file only if the real place it leads to is the folder
itself or lies below it, and is an ordinary file. Documents are read inertly; the last few are kept,
so that looking deeper does not read again, and one is read at a time, so that many questions at
once do not multiply what a large file takes.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from mason._api import read
from mason.document import Document
from mason.errors import MasonError
from mason.formats import suffixes
from mason.limits import Limits

_KEPT = 4  # documents of the folder, and as many that were dropped
_ENTRIES = 2_000  # of one folder
MOST_DROPPED = 64 << 20  # bytes of one dropped file
# a page shows the beginning of a document: what takes longer to read than this is for the program
_LIMITS = Limits(bytes=1 << 30, seconds=60)


class NotThere(MasonError, LookupError):
    """Say that a name leads to nothing that may be looked at."""


class Entry(NamedTuple):
    """Describe one thing in a folder: `place` leads to it, `kind` says what can be done with it."""

    name: str
    place: str
    kind: str  # "folder", "json", "cbor", "pickle", "other", "elsewhere" or "special"
    size: int


class Shown(NamedTuple):
    """Hold a document that is looked at: `place` says which, `version` changes when it does."""

    name: str
    document: Document
    place: tuple[str, str]
    version: object


class Shelf:
    """Hold a file or folder to look at, and what was dropped."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve(strict=True)
        self.is_folder = self.root.is_dir()
        self._lock = Lock()
        self._kept: OrderedDict[tuple[object, ...], Document] = OrderedDict()
        self._dropped: OrderedDict[str, tuple[str, Document]] = OrderedDict()
        self._count = 0

    def entries(self, place: str) -> tuple[list[Entry], bool]:
        """Return what is in a folder, and whether there is more; raises `NotThere` and OSError."""
        folder = self._real(place)
        if not folder.is_dir():
            raise NotThere("this is no folder")
        with os.scandir(folder) as found:
            names = sorted(entry.name for _, entry in zip(range(_ENTRIES + 1), found, strict=False))
        listed = [self._entry(place, name) for name in names[:_ENTRIES]]
        listed.sort(key=lambda entry: entry.kind != "folder")
        return listed, len(names) > _ENTRIES

    def file(self, place: str) -> Shown:
        """Return the document in a file.

        Raises `NotThere`, what `mason.read` raises, and OSError.
        """
        path = self._real(place)
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise NotThere("this is no ordinary file")
        key = (path, state.st_mtime_ns, state.st_size)
        with self._lock:
            if key not in self._kept:
                self._keep(key, read(path, limits=_LIMITS))
            self._kept.move_to_end(key)
            name = os.path.basename(place) if self.is_folder else self.root.name
            return Shown(name, self._kept[key], ("file", str(path)), key)

    def drop(self, name: str, data: bytes) -> str:
        """Keep what was dropped, if it can be read, and return the number to find it by.

        Raises what `mason.read` raises.
        """
        with self._lock:
            document = read(_Dropped(name, data), limits=_LIMITS)
            self._count += 1
            number = str(self._count)
            self._dropped[number] = name, document
            if len(self._dropped) > _KEPT:
                self._dropped.popitem(last=False)
        return number

    def dropped(self, number: str) -> Shown:
        """Return what was dropped; raises `NotThere`."""
        with self._lock:
            if number not in self._dropped:
                raise NotThere("this file is no longer kept", hint="drop it again")
            name, document = self._dropped[number]
            return Shown(name, document, ("dropped", number), number)

    def _keep(self, key: tuple[object, ...], document: Document) -> None:
        self._kept[key] = document
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _real(self, place: str) -> Path:
        """Return the real path of a place below the root, links followed."""
        if not self.is_folder:
            if place:
                raise NotThere("only one file is shown here")
            return self.root
        try:
            path = (self.root / place).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # gone, a NUL in it, links in a circle
            raise NotThere("there is no such file") from None
        if not path.is_relative_to(self.root):
            raise NotThere("this leads out of the folder")
        return path

    def _entry(self, place: str, name: str) -> Entry:
        below = os.path.join(place, name)
        try:
            path = self._real(below)
            state = path.stat()
        except (NotThere, OSError):
            return Entry(name, below, "elsewhere", 0)
        if stat.S_ISDIR(state.st_mode):
            return Entry(name, below, "folder", 0)
        kind = suffixes(name)[0] or "other"
        return Entry(name, below, kind if stat.S_ISREG(state.st_mode) else "special", state.st_size)


class _Dropped(BytesIO):
    """Be the data of a file that has a name, whose suffix says the format."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(data)
        self.name = name
