"""Run the benchmark as `python -m benchmarks`."""

from __future__ import annotations

from benchmarks.bench import main

if __name__ == "__main__":
    raise SystemExit(main())
