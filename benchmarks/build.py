"""What the numbers were measured on: the Python build, the machine, the versions."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig
from datetime import UTC, datetime
from typing import Any


def describe() -> dict[str, Any]:
    """Return what has to be named beside every ratio to the standard library."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "built": f"{platform.python_compiler()}, {_optimised()}",
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
        "layout": _layout(),
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }


def _optimised() -> str:
    """Say how this Python was compiled: what flatters everybody else is one built without both."""
    arguments = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    compiled = (sysconfig.get_config_var(name) or "" for name in ("PY_CFLAGS", "OPT"))
    flags = " ".join((arguments, *compiled))
    level = next(
        (flag for flag in reversed(flags.replace("'", " ").split()) if flag.startswith("-O")), "-O?"
    )
    pgo = "with PGO" if "--enable-optimizations" in arguments else "no PGO"
    lto = "with LTO" if "--with-lto" in arguments or "-flto" in flags else "no LTO"
    return f"{level}, {pgo}, {lto}" + (", debug" if hasattr(sys, "gettotalrefcount") else "")


def _processor() -> str:
    """Return the name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return f"{os.cpu_count()} x {line.split(':', 1)[1].strip()}"
    except OSError:
        pass
    return platform.processor() or "unknown processor"


def _layout() -> str:
    """Say whether mason uses CPython's own layout of instances, or its public interface."""
    try:
        from mason import _core
    except ImportError:
        return "mason is not there"
    return "fast layout" if getattr(_core, "fast_layout", False) else "public interface"
