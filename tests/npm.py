"""Packages from npm that the tests use, installed beside their lock file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

JS = Path(__file__).parent / "js"
# a sanitizer that is loaded into every process (make asan) is not for node
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}


def install() -> None:
    """Install the packages, once; skip the test where that cannot be."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    mark = JS / "node_modules" / ".installed"
    wanted = (JS / "package-lock.json").read_text()
    if mark.is_file() and mark.read_text() == wanted:
        return
    # not `npm ci`: it wants every optional package of every platform in the lock file
    command = [npm, "install", "--no-save", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=JS, capture_output=True, text=True, timeout=120, env=ENVIRONMENT
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm install took too long")
    if done.returncode != 0:
        pytest.skip(f"npm install failed: {done.stderr.strip()[-200:]}")
    mark.write_text(wanted)
