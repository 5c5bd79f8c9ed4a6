"""Comparisons of documents that are looked at, each by a process of its own, one at a time.

Strategy: a page shows a comparison and does not make one. What makes it is a command, handed in,
which takes a document on its standard input and answers with the plain data of a comparison. So
the server, which has threads, never forks, and what a document does to a process that builds its
values is done to that process.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, NamedTuple

from mason.document import Document
from mason.errors import MasonError
from mason.page.shelf import Shown
from mason.text import shown

_SECONDS = 180.0  # for one comparison
_PATIENCE = 5.0  # seconds that an interrupted one has to end its children
_MOST = 64 << 20  # bytes of a document
_KEPT = 8
_REASON_ROOM = 300


class NotCompared(MasonError):
    """Say why there is no comparison of a document."""


class _Job(NamedTuple):
    version: object
    asked: float
    found: Future[dict[str, Any]]


class Comparisons:
    """Hold the comparisons that were asked for; `command` makes one, without the format."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._workers = ThreadPoolExecutor(1, "mason-comparison")
        self._lock = Lock()
        self._jobs: OrderedDict[tuple[str, str], _Job] = OrderedDict()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def of(self, one: Shown) -> dict[str, Any] | float:
        """Return the comparison of a document, or for how many seconds it has been under way.

        The first call starts it, and so does the first one after the document changed. Raises
        `NotCompared`.
        """
        if one.document.needs:
            count = len(one.document.needs)
            raise NotCompared(
                f"it names {count} {'class or function' if count == 1 else 'classes or functions'},"
                " and nothing is built here",
                hint="mason compare takes it once you trust them (--trust)",
            )
        with self._lock:
            job = self._jobs.get(one.place)
            if job is None or job.version != one.version:
                job = self._start(one, job)
        if job.found.cancelled():  # another asks for a newer one meanwhile
            return 0.0
        return job.found.result() if job.found.done() else time.monotonic() - job.asked

    def close(self) -> None:
        """End what is under way and start nothing more."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            _end(process)
        self._workers.shutdown(cancel_futures=True)

    def _start(self, one: Shown, old: _Job | None) -> _Job:
        if self._closed:
            raise NotCompared("the server is ending")
        if old is not None:
            old.found.cancel()  # one under way goes on: it is not long
            del self._jobs[one.place]
        if len(self._jobs) == _KEPT:
            oldest = next((place for place, job in self._jobs.items() if job.found.done()), None)
            if oldest is None:
                raise NotCompared("too many comparisons are waiting", hint="ask again later")
            del self._jobs[oldest]
        future = self._workers.submit(self._compare, one.document)
        job = self._jobs[one.place] = _Job(one.version, time.monotonic(), future)
        return job

    def _compare(self, document: Document) -> dict[str, Any]:
        text = document.dumps()
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if len(data) > _MOST:
            raise NotCompared(
                f"it has more than {_MOST >> 20} MiB", hint="mason compare takes it in a terminal"
            )
        out = self._run([*self._command, "--from", document.format], data)
        try:
            found: dict[str, Any] = json.loads(out)
        except ValueError:
            raise NotCompared("the comparison failed: its answer is no JSON") from None
        return found

    def _run(self, command: list[str], data: bytes) -> bytes:
        with self._begin(command) as process:
            try:
                out, error = process.communicate(data, timeout=_SECONDS)
            except subprocess.TimeoutExpired:
                hint = "mason compare takes it in a terminal, with limits of your choice"
                raise NotCompared(f"it took longer than {_SECONDS:g} seconds", hint=hint) from None
            finally:
                _end(process)
        if process.returncode:
            said = error.decode("utf-8", "replace").strip() or f"status {process.returncode}"
            raise NotCompared(f"the comparison failed: {shown(said, _REASON_ROOM)}")
        return out

    def _begin(self, command: list[str]) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        with self._lock:
            if self._closed:
                raise NotCompared("the server is ending")
            # of a session of its own: Ctrl-C is for the server, which then ends what it started
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
            return self._process


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a comparison, which ends its children, and wait for it."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
