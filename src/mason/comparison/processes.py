"""Children that try what may crash, hang, print or eat memory, and the parent's side of it.

Strategy: a child is a fork, so that it has the very objects and nothing has to be copied to it; it
is driven over one pipe and answers over another, in JSON of bounded length. The parent waits with
one eye on the clock and one on the child's memory, and whatever happens (an interrupt, too) it
kills the child's whole process group and reaps it. A child never returns into the code of the
parent: it ends by `os._exit`, so that no finalizer, no `atexit` and no buffer of the parent's is
run or written twice.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

from mason.comparison.words import amount

Answer = dict[str, Any]
Say = Callable[[Answer], None]
# in the child: a command in, and whatever it has to say on the way
Work = Callable[[Answer, Say], None]

_LONGEST = 4 << 20  # bytes of one answer
_GLANCE = 20  # milliseconds between two looks at a child's memory
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ROOM = 4 << 30  # of address space beyond the limit: what is reserved need not be used


class Limits(NamedTuple):
    """Bound what one child may take: seconds for one step, bytes of memory on top."""

    seconds: float = 20.0
    memory: int = 2 << 30


class Ended(Exception):
    """Say that a child is no more: `outcome` of the row, and the reason in words."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(outcome, reason)
        self.outcome = outcome
        self.reason = reason


class Child:
    """Drive one child; use as a context, which kills and reaps it at the end."""

    def __init__(self, work: Work, limits: Limits, others: Iterable[Child] = ()) -> None:
        self._limits = limits
        self._pid = 0
        self._ready = bytearray()
        self.commands, self.answers = -1, -1
        self._memory = -1
        try:
            self._start(work, list(others))
        except BaseException:  # an interrupt, or no process was to be had
            self.close()
            raise
        self._at_start = self._resident()

    def ask(self, command: Answer, told: Say | None = None) -> Answer:
        """Send a command and return the last answer; those on the way go to `told`.

        The limit of time is for one step, from one answer to the next. Raises `Ended` when the
        child ended, or had to be ended, on the way.
        """
        self._send(command)
        while True:
            answer = self._receive(time.monotonic())
            if answer.get("last"):
                return answer
            if told is not None:
                told(answer)

    def tell(self, command: Answer) -> None:
        """Send a command that has no answer; what comes of it shows at the next one."""
        self._send(command)

    def close(self) -> None:
        """Kill the child and all that it started, reap it, close the pipes."""
        pid, self._pid = self._pid, 0
        if pid:
            _kill(pid)
            _reap(pid)
        for descriptor in (self.commands, self.answers, self._memory):
            if descriptor >= 0:
                os.close(descriptor)
        self.commands = self.answers = self._memory = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ---- the parent's side

    def _start(self, work: Work, others: list[Child]) -> None:
        theirs_in, self.commands = os.pipe()
        self.answers, theirs_out = os.pipe()
        try:
            with _uninterrupted():
                pid = _fork()
                if not pid:
                    for pipe in (self.commands, self.answers, *_pipes(others)):
                        os.close(pipe)
                    _live(work, theirs_in, theirs_out, self._limits)
                self._pid = pid
                self._memory = _open(f"/proc/{pid}/statm")
        finally:
            os.close(theirs_in)
            os.close(theirs_out)

    def _send(self, command: Answer) -> None:
        try:
            os.write(self.commands, json.dumps(command).encode() + b"\n")
        except OSError:  # it is gone; what is left in the other pipe says more
            pass

    def _receive(self, start: float) -> Answer:
        """Wait for one line of the child's."""
        poll = select.poll()
        poll.register(self.answers, select.POLLIN)
        while (end := self._ready.find(b"\n")) < 0:
            if poll.poll(_GLANCE):
                piece = os.read(self.answers, 1 << 16)
                if not piece:
                    raise self._gone()
                self._ready += piece
                if len(self._ready) > _LONGEST:
                    raise self._end("crashed", "it wrote into the pipe of its answers")
            self._look(start)
        line, self._ready = bytes(self._ready[:end]), self._ready[end + 1 :]
        try:
            answer = json.loads(line)
            if type(answer) is dict:
                return answer
        except ValueError:
            pass
        raise self._end("crashed", "it wrote into the pipe of its answers")

    def _look(self, start: float) -> None:
        """End the child when it has taken what it may."""
        if time.monotonic() - start > self._limits.seconds:
            raise self._end("too slow", f"it took longer than {self._limits.seconds:g} s")
        if self._resident() - self._at_start > self._limits.memory:
            raise self._end("too big", f"it took more than {amount(self._limits.memory)} of memory")

    def _resident(self) -> int:
        """Return the bytes of memory that the child has, 0 where nobody can tell."""
        try:
            return int(os.pread(self._memory, 100, 0).split()[1]) * _PAGE
        except (OSError, IndexError, ValueError):
            return 0

    def _end(self, outcome: str, reason: str) -> Ended:
        self.close()
        return Ended(outcome, reason)

    def _gone(self) -> Ended:
        """Say how the child ended by itself."""
        pid, self._pid = self._pid, 0
        _await(pid)
        _kill(pid)  # what it started may live on in its group
        status = _reap(pid)
        self.close()
        if status is not None and os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number in (signal.SIGALRM, signal.SIGXCPU):
                return Ended("too slow", f"it took longer than {self._limits.seconds:g} s")
            return Ended("crashed", f"it ended the process ({signal.Signals(number).name})")
        code = "" if status is None else f" with status {os.waitstatus_to_exitcode(status)}"
        return Ended("crashed", f"it ended the process{code}")


def _pipes(children: Iterable[Child]) -> list[int]:
    ends = (end for child in children for end in (child.commands, child.answers))
    return [end for end in ends if end >= 0]


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put an interrupt off until afterwards.

    Between a fork and its being noted it would leave a child that nobody knows of; in a callback
    of the fork (`os.register_at_fork`), where another thread may bring it, it would be lost.
    """
    noted: list[int] = []
    before: Any = None
    if threading.current_thread() is threading.main_thread():
        before = signal.getsignal(signal.SIGINT)
    if before is not None:
        signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if before is not None:
            signal.signal(signal.SIGINT, before)
        if noted:
            signal.raise_signal(signal.SIGINT)


def _fork() -> int:
    with warnings.catch_warnings():
        # 3.12 on: a child of a process with threads may find a lock held for ever; then it is slow,
        # and ended
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _kill(pid: int) -> None:
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _await(pid: int) -> None:
    """Wait until a child has ended, and leave it to be reaped: its number stays its own."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        pass


def _reap(pid: int) -> int | None:
    """Wait for a child and return its status, None if somebody else has waited for it."""
    try:
        return os.waitpid(pid, 0)[1]
    except ChildProcessError:
        return None


def _open(file: str) -> int:
    """Open a file of /proc, once for all looks at it; -1 where there is none."""
    try:
        return os.open(file, os.O_RDONLY)
    except OSError:
        return -1


# ---- the child's side


def _live(work: Work, commands: int, answers: int, limits: Limits) -> None:
    """Do as one is told until the parent closes the pipe, and end; never returns."""
    try:
        _seclude(limits)
        me = os.getpid()

        def say(answer: Answer) -> None:
            if os.getpid() != me:  # a contender forked, and this is its child
                os._exit(0)
            _write(answers, json.dumps(answer).encode() + b"\n")
            _arm(limits)

        with open(commands, "rb", buffering=0, closefd=False) as lines:
            for line in iter(lines.readline, b""):
                _arm(limits)
                work(json.loads(line), say)
                signal.alarm(0)
    except BaseException:
        os._exit(1)
    finally:
        os._exit(0)


def _arm(limits: Limits) -> None:
    """End this process when a step takes too long and the parent is no more to see to it."""
    signal.alarm(int(limits.seconds) + 5)


def _seclude(limits: Limits) -> None:
    """Cut this process off from the terminal, the signals and the memory of its parent."""
    gc.freeze()  # the parent's garbage is not to be finalized here, nor its heap to be scanned
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.settrace(None)
    sys.setprofile(None)
    warnings.simplefilter("ignore")
    if "logging" in sys.modules:
        sys.modules["logging"].disable()
    import faulthandler
    import resource

    faulthandler.disable()  # it may have a stream of its own
    for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    room = _address_space() + limits.memory + _ROOM
    if most == resource.RLIM_INFINITY or room < most:
        resource.setrlimit(resource.RLIMIT_AS, (room, most))


def _address_space() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _write(pipe: int, data: bytes) -> None:
    while data:
        data = data[os.write(pipe, data) :]
