"""One contender with the object, in a child: write, read, compare, find where it stopped, time.

Strategy: each step is told before it is begun, with all that is known by then. Whoever has to end
the child knows how far it came, and what was found so far stands.
"""

from __future__ import annotations

import gc
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from mason import dumpb
from mason.comparison.changes import in_words
from mason.comparison.contenders import Contender
from mason.comparison.memory import Peak
from mason.comparison.processes import Answer, Say
from mason.comparison.results import MOST_CHANGES
from mason.comparison.spellings import Pair, Subject
from mason.comparison.stopping import Search
from mason.errors import DumpError, shown
from mason.inspection.classes import class_name
from mason.inspection.sameness import Difference, in_place

_SAMPLE_NS = 2_000_000  # a sample lasts at least this long
_LONGEST_BATCH = 5_000
_AGAIN = 0.2  # seconds; what takes less is run once more before its memory is measured
_SEARCH_SECONDS = 5.0
_ROOM = 120
_MOST_COMPRESSED = 256 << 20


class Trial:
    """Do what the parent asks for with one contender; an instance is the work of a child."""

    def __init__(self, contender: Contender, subject: Subject) -> None:
        self._contender = contender
        self._subject = subject
        self._pairs: list[Pair] = []
        self._unusable = ""
        self._calls: dict[str, Callable[[], Any]] = {}
        self._once: dict[str, float] = {}
        self._batches: dict[str, int] = {}

    def __call__(self, command: Answer, say: Say) -> None:
        """Carry out one command."""
        match command["do"]:
            case "import":
                self._import()
            case "try":
                say({**self._try(say), "last": True})
            case "sample":
                say({"last": True, "seconds": self._sample(command["what"])})

    # ---- once

    def _import(self) -> None:
        """Make the writer and the reader, which imports the library."""
        try:
            self._pairs = [self._contender.pair(self._subject) for _ in range(2)]
        except Exception as error:
            self._unusable = _said(error)
        gc.collect()
        gc.freeze()  # what the library brought is not to be scanned for every sample

    def _try(self, say: Say) -> Answer:
        if len(self._pairs) != 2:
            return {"outcome": "left out", "reason": f"cannot be used here: {self._unusable}"}
        writer, reader = self._pairs
        say({"stage": "write"})
        try:
            written, seconds, peak = _measured(lambda: writer.dump(self._subject.obj))
        except MemoryError:
            return {"outcome": "too big", "reason": "no memory was left for writing it"}
        except BaseException as error:
            return self._refused(writer, error, say)
        if not isinstance(written, str | bytes | bytearray | memoryview):
            what = class_name(type(written))
            return {"outcome": "failed", "reason": f"it gave {what} instead of bytes"}
        size = len(written.encode("utf-8", "surrogatepass") if type(written) is str else written)
        facts = {"size": size, "dump_peak": peak, "dump_once": seconds}
        self._once["dump"] = seconds
        self._calls["dump"] = lambda: writer.dump(self._subject.obj)
        return self._read(reader, written, facts, say)

    def _read(self, reader: Pair, written: Any, facts: Answer, say: Say) -> Answer:
        say({"stage": "read", **facts})
        try:
            back, seconds, peak = _measured(lambda: reader.load(written))
        except MemoryError:
            return {"outcome": "too big", "reason": "no memory was left for reading it back"}
        except BaseException as error:
            return {"outcome": "failed", "reason": f"it cannot read what it wrote: {_said(error)}"}
        say({"stage": "compare", "load_peak": peak, "load_once": seconds})
        self._calls["load"] = lambda: reader.load(written)
        self._once["load"] = seconds
        verdict = _judged(self._subject, back)
        del back
        say({"stage": "compress", **verdict})
        return {**verdict, "compressed": _compressed(written)}

    def _refused(self, writer: Pair, error: BaseException, say: Say) -> Answer:
        answer: Answer = {"outcome": "refused", "reason": _said(error), "path": None}
        if isinstance(error, DumpError):
            return {**answer, **_told(error)}
        if isinstance(error, RecursionError):
            answer["reason"] = "it is nested deeper than this writer goes"
        say({"stage": "search", **answer})
        if self._contender.tables:  # its parts are no tables
            return answer
        found = Search(writer.dump, _SEARCH_SECONDS).place(self._subject.obj, error)
        if found is not None:
            answer["path"], kind = shown(found.path), shown(class_name(type(found.value)), 80)
            said = f"{kind}: {_said(error)}"
            answer["reason"] = f"{kind} leads back to {shown(found.back)}" if found.back else said
        return answer

    # ---- again and again

    def _sample(self, what: str) -> float:
        """Return the seconds of CPU that one call takes, of a batch that lasts long enough."""
        call = self._calls[what]
        if what not in self._batches:
            once = int(self._once[what] * 1e9)
            if once < 2 * _SAMPLE_NS:
                _timed(call, 1)  # the first call pays for what later ones find
                once = _timed(call, 1)
            self._batches[what] = min(_LONGEST_BATCH, max(1, _SAMPLE_NS // max(1, once)))
        gc.collect()
        batch = self._batches[what]
        return _timed(call, batch) / batch / 1e9


def _timed(call: Callable[[], Any], batch: int) -> int:
    """Return the nanoseconds of CPU of some calls, those of threads of the library included."""
    clock = time.process_time_ns
    if batch == 1:
        start = clock()
        result = call()
        spent = clock() - start
        del result  # taking it apart again is not counted
        return spent
    start = clock()
    for _ in range(batch):
        call()
    return clock() - start


def _measured(call: Callable[[], Any]) -> tuple[Any, float, int | None]:
    """Return the result of a call, its seconds of CPU, and the memory that it needed on top."""
    for _ in range(2):
        peak = Peak()
        start = time.process_time()
        result = call()
        seconds = time.process_time() - start
        memory = peak.beyond()
        if seconds > _AGAIN:
            break
    return result, seconds, memory


def _judged(subject: Subject, back: Any) -> Answer:
    """Return whether the same object came back, and else what changed."""
    obj = subject.obj
    if subject.bulk and _same_bytes(obj, back):
        return {"outcome": "exact"}
    found = in_place(obj, back, MOST_CHANGES)
    if not found:
        return {"outcome": "exact"}
    unsure = next((one for one in found if one.kind == "cannot tell"), None)
    if unsure is not None and all(one.kind == "cannot tell" for one in found):
        what = shown(unsure.a, 100)
        reason = f"{what} at {shown(unsure.path)} cannot be looked into"
        return {"outcome": "cannot tell", "reason": reason}
    return _changed(obj, [one for one in found if one.kind != "cannot tell"])


def _same_bytes(obj: Any, back: Any) -> bool:
    """Tell whether plain data came back: then, and then only, its plain document is the same.

    What is plain has exact builtin types and nothing shared, so that its bytes tell all of it; what
    is no longer plain is refused.
    """
    try:
        return dumpb(obj, format="cbor", plain=True) == dumpb(back, format="cbor", plain=True)
    except DumpError:
        return False


def _changed(obj: Any, found: list[Difference]) -> Answer:
    changes = in_words(obj, found)
    first = changes[0]
    more = len(found) - first.count
    reason = f"{first.text} at {first.path}" + (f", and {more:,} more" if more else "")
    return {
        "outcome": "changed",
        "reason": reason,
        "changes": [asdict(change) for change in changes],
        "changes_total": len(found),
    }


def _told(error: DumpError) -> Answer:
    """Return what an error of mason says: it has the place."""
    if not error.problems:
        return {"path": error.path}
    first = error.problems[0]
    more = f", and {error.total - 1:,} more" if error.total > 1 else ""
    reason = shown(f"{first.type} {first.reason}", _ROOM)
    return {"path": shown(first.path), "reason": f"{reason}{more}"}


def _said(error: BaseException) -> str:
    """Return an error in one line."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    name = type(error).__name__
    return shown(f"{name}: {said}" if said else name, _ROOM)


def _compressed(written: Any) -> int | None:
    if len(written) > _MOST_COMPRESSED:
        return None
    data = written.encode("utf-8", "surrogatepass") if type(written) is str else written
    return len(zlib.compress(data, 6))
