"""Build the wheel as `pip install .` does, look into it, and try it without the extras."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
PLACE = ROOT / "build" / "package"

TRY = """
import mason
from mason._core import fast_layout
value = {"a": (1, 2.5), "b": [True, None]}
assert mason.loads(mason.dumps(value)) == value
assert mason.loads(mason.dumps(value, format="cbor")) == value
from mason.inspection.show import show
from mason.page import tree_page
assert "<h1>" in tree_page(show(mason.reads("[1]")), "x")  # with its style and script
print("mason", mason.__version__, "dumps and loads; fast layout:", fast_layout)
"""


def build() -> Path:
    """Build the wheel into an empty dist/, in isolation, and return its path."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", DIST, ROOT)
    (wheel,) = DIST.glob("mason-*.whl")
    return wheel


def run(*command: str | Path) -> None:
    """Run a command outside the repository, so that only what is installed can be imported."""
    PLACE.mkdir(parents=True, exist_ok=True)
    subprocess.run(command, check=True, cwd=PLACE)


def look_into(wheel: Path) -> None:
    """Check that the wheel holds what a user needs and no source of the core."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith("METADATA"))
        required = archive.read(metadata).decode().partition("\n\n")[0].splitlines()
    for wanted in ("mason/__init__.py", "mason/py.typed", "mason/_core.pyi", "mason/page/page.css"):
        require(wanted in names, f"{wanted} is missing")
    native = [name for name in names if name.endswith((".so", ".pyd"))]
    require(len(native) == 1 and native[0].startswith("mason/_core."), f"native files: {native}")
    foreign = [name for name in names if name.endswith((".cpp", ".hpp", ".o", ".pyc"))]
    require(not foreign, f"should not be there: {foreign}")
    always = [x for x in required if x.startswith("Requires-Dist") and "extra ==" not in x]
    require(not always, f"the core must not depend on anything: {always}")


def require(fine: bool, message: str) -> None:
    """End with a message when something is not as it must be."""
    if not fine:
        sys.exit(f"package: {message}")


def try_out(wheel: Path) -> None:
    """Install the wheel alone, use it, and ask the command that lacks its extra."""
    venv.create(PLACE / "venv", clear=True, with_pip=True)
    python = PLACE / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel)
    run(python, "-W", "error", "-c", TRY)
    done = subprocess.run(
        [python.with_name("mason"), "--version"], cwd=PLACE, capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    fine = done.returncode != 0 and "pip install" in said and said.count("\n") == 1
    require(fine, f"`mason` without click should say in one line what to install:\n{said}")


if __name__ == "__main__":
    built = build()
    look_into(built)
    try_out(built)
    print(f"package: {built.relative_to(ROOT)} is fine")
