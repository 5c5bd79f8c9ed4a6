"""How much memory something needs on top of what was there, and how much there is."""

from __future__ import annotations


class Peak:
    """Watch the memory of this process from here on."""

    def __init__(self) -> None:
        try:
            with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
                file.write("5")  # the peak begins anew (proc(5))
            self._before = _kilobytes("/proc/self/status", "VmRSS")
        except OSError:
            self._before = None

    def beyond(self) -> int | None:
        """Return the most bytes there were beyond those at the beginning.

        None if that is not known: not told by the system, or too little for it to tell.
        """
        most = _kilobytes("/proc/self/status", "VmHWM")
        if self._before is None or most is None:
            return None
        return max(0, most - self._before) * 1024 or None


def available() -> int | None:
    """Return the bytes of memory that this machine can still give, None if not known."""
    kilobytes = _kilobytes("/proc/meminfo", "MemAvailable")
    return None if kilobytes is None else kilobytes * 1024


def resident() -> int | None:
    """Return the bytes of memory that this process has, None if not known."""
    kilobytes = _kilobytes("/proc/self/status", "VmRSS")
    return None if kilobytes is None else kilobytes * 1024


def _kilobytes(file: str, name: str) -> int | None:
    try:
        with open(file, encoding="ascii") as lines:
            line = next((line for line in lines if line.startswith(f"{name}:")), "")
            return int(line.split()[1])
    except (OSError, IndexError, ValueError):
        return None
