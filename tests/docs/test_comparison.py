"""docs/comparison.md says what its tool found, and the tool finds the same today, times apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OBJECTS = ("config", "orders", "game", "measurements", "log", "cache")


def check(*names: str) -> str:
    tool = ROOT / "tools" / "make_comparison.py"
    command = [sys.executable, str(tool), "--check", *names]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_documents_show_the_results() -> None:
    assert check("documents") == ""


@pytest.mark.uninstrumented
@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_fares_as_the_document_says(name: str) -> None:
    for line in check(name).splitlines():  # of formats that are not here, or of other versions
        assert line.startswith(f"{name}: skipped: "), line
