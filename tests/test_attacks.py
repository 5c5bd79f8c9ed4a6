"""The files of attacks/: each gets the refusal that its index says, in little stack and memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import hostile
import pytest

import mason

ATTACKS = Path(__file__).parent.parent / "attacks"
ROWS = json.loads((ATTACKS / "index.json").read_bytes())["attacks"]
MEMORY = 512 << 20  # beyond what Python takes for itself
PATIENCE = 10  # seconds for one file


def answers(path: Path) -> list[str]:
    """Return what each way of reading says: the class of its error, or "read"."""
    options: list[dict[str, Any]] = [{"registry": hostile.REGISTRY}, {}, {"unknown": "keep"}]
    found = []
    for way in [*options, None]:
        try:
            mason.read(path) if way is None else mason.load(path, **way)
            found.append("read")
        except mason.MasonError as error:
            assert len(str(error)) < 50_000
            found.append(type(error).__name__)
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_it_is_answered_as_the_index_says(row: dict[str, str]) -> None:
    answer = hostile.in_small_thread(lambda: answers(ATTACKS / row["file"]))[0]
    assert answer in row["refusal"].split(), answer


def test_every_file_is_in_the_index() -> None:
    there = {path.name for path in ATTACKS.iterdir()} - {"README.md", "index.json"}
    assert there == {row["file"] for row in ROWS}


def test_the_files_are_what_the_table_says() -> None:
    tool = Path(__file__).parents[1] / "tools" / "make_attacks.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, "run tools/make_attacks.py" + done.stderr


LIMITED = """
import resource, sys, time
sys.path[:0] = {path!r}
import test_attacks
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {memory},) * 2)
for row in test_attacks.ROWS:
    print(row["file"], end=" ", flush=True)
    start = time.process_time()
    test_attacks.answers(test_attacks.ATTACKS / row["file"])
    print(time.process_time() - start, flush=True)
"""


@pytest.mark.uninstrumented
@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on memory")
def test_none_hangs_or_eats_memory() -> None:
    path = [str(Path(__file__).parent), str(Path(mason.__file__).parents[1])]
    script = LIMITED.format(path=path, memory=MEMORY)
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"{lines[-1:]}\n{done.stderr[-2000:]}"
    assert len(lines) == len(ROWS), time.monotonic() - start
    slow = [line for line in lines if float(line.split()[1]) > PATIENCE]
    assert not slow
