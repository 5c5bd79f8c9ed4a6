"""The notebook of docs/ runs from top to bottom, shows what it promises, is kept without output."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from traitlets.config import Config

NOTEBOOK = Path(__file__).parents[2] / "docs" / "comparison.ipynb"


@pytest.mark.uninstrumented  # it starts a Python that knows nothing of a sanitizer
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    # ipykernel has one of its own when it ends, and another when it starts on CPython 3.12.1
    own = "ignore::PendingDeprecationWarning,ignore:There is no current event loop"
    monkeypatch.setenv("PYTHONWARNINGS", f"error,{own}")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    here = {"metadata": {"path": str(NOTEBOOK.parent)}}
    with tempfile.TemporaryDirectory() as short:  # the names of sockets have few characters
        config = Config()
        config.ConnectionFileMixin.transport = "ipc"  # no port is opened
        config.ConnectionFileMixin.connection_file = f"{short}/kernel.json"
        nbclient.NotebookClient(notebook, timeout=120, resources=here, config=config).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [one for one in outputs if one.get("name") == "stderr"]
    assert sum("text/html" in one.get("data", {}) for one in outputs) == 2  # the two comparisons
    printed = "".join(one.get("text", "") for one in outputs)
    assert "this was run by loading the saved game" in printed
    assert "nothing was run" in printed
    assert "$.turn: value: 417 | 418" in printed


def test_the_notebook_is_kept_without_output() -> None:
    cells: list[dict[str, Any]] = json.loads(NOTEBOOK.read_bytes())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert not [cell for cell in code if cell["outputs"] or cell["execution_count"]]
