"""`python -m mason` is the `mason` command."""

from __future__ import annotations

from mason.cli import main

if __name__ == "__main__":
    main()
