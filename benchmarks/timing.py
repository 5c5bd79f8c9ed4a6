"""Measure calls: CPU time of one thread, contenders interleaved, inputs rotated.

Strategy: a round lets every contender run once, and the order turns from round to round, so that
whatever else the machine does falls on all alike. CPU time (user and system) of the measuring
thread is what is counted; the minimum of the rounds says what the work costs, the median what one
meets. A call that is too short to be timed is repeated in a batch.
"""

from __future__ import annotations

import gc
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

BATCH_NS = 2_000_000  # a sample lasts at least this long
LONGEST_BATCH = 5_000
BIG_STACK = 1 << 30


def run_here(job: Callable[[], Any]) -> Any:
    """Run a job in this thread."""
    return job()


@dataclass
class Call:
    """Hold a function with the inputs that it takes in turn, and the times it took."""

    function: Callable[[Any], Any]
    inputs: list[Any]
    run: Callable[[Callable[[], Any]], Any] = run_here
    batch: int = 1
    times: list[float] = field(default_factory=list)

    def settle(self, batch_ns: int = BATCH_NS) -> None:
        """Run once to warm up and choose how many calls make a sample."""
        once = self.run(lambda: self._sample(0, 1))
        if once * 4 < batch_ns:
            once = self.run(
                lambda: self._sample(0, 4)
            )  # the first call paid for what later ones find
        self.batch = min(LONGEST_BATCH, max(1, round(batch_ns / max(once, 1))))

    def sample(self, turn: int) -> None:
        """Take one sample, beginning with the input whose turn it is."""
        self.times.append(self.run(lambda: self._sample(turn, self.batch)))

    def result(self) -> dict[str, float]:
        """Return the nanoseconds of one call."""
        return {
            "min": min(self.times),
            "median": statistics.median(self.times),
            "rounds": len(self.times),
        }

    def _sample(self, turn: int, batch: int) -> float:
        """Return the nanoseconds of CPU of one call out of `batch`."""
        count = len(self.inputs)
        if batch == 1:
            return _one(self.function, self.inputs[turn % count])
        function = self.function
        chosen = [self.inputs[(turn + number) % count] for number in range(batch)]
        start = time.thread_time_ns()
        for chosen_input in chosen:
            function(chosen_input)
        return (time.thread_time_ns() - start) / batch


def _one(function: Callable[[Any], Any], chosen: Any) -> float:
    """Return the nanoseconds of CPU of one call; taking its result apart again is not counted."""
    start = time.thread_time_ns()
    result = function(chosen)
    spent = time.thread_time_ns() - start
    del result
    return spent


def interleave(
    calls: list[Call], rounds: int, batch_ns: int = BATCH_NS, *, thorough: bool = True
) -> None:
    """Sample every call once a round; the order turns, and so do the inputs.

    Nobody pays for the garbage of the one before: it is collected in between, all of it if
    `thorough`, else the young.
    """
    for call in calls:
        call.settle(batch_ns)
    for turn in range(rounds):
        order = calls[turn % len(calls) :] + calls[: turn % len(calls)] if calls else []
        for call in order:
            gc.collect(2 if thorough else 1)
            call.sample(turn)


@contextmanager
def collector_off() -> Iterator[None]:
    """Switch the garbage collector off, and back on if it was on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class BigStack:
    """Run jobs in a thread with a 1 GiB stack and a recursion limit to match, until left."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def run(self, job: Callable[[], Any]) -> Any:
        """Return what `job` returns, or raise what it raises."""
        if self._thread is None:
            self._start()
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(1_000_000)
        try:
            self._jobs.put(job)
            result, error = self._results.get()
        finally:
            sys.setrecursionlimit(limit)
        if error is not None:
            raise error
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        """Start the thread; it keeps its stack, so that only the first job pays for the memory."""
        size = threading.stack_size(BIG_STACK)
        try:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(size)

    def _work(self) -> None:
        """Run jobs until there is None."""
        while (job := self._jobs.get()) is not None:
            try:
                self._results.put((job(), None))
            except Exception as error:
                self._results.put((None, error))
