"""The `mason` command: one file per subcommand, each of which parses, calls and prints."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def main() -> None:
    """Run the `mason` command with the arguments of this process, and exit."""
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        print(f"mason: its commands need {names}: pip install 'mason[cli]'", file=sys.stderr)
        sys.exit(2)
    try:
        from mason.cli.program import run
    except KeyboardInterrupt:  # typed while the program was still starting
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))
