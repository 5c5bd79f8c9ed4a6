"""The standard library's `json`, name by name: `dump dumps load loads`, `JSONDecodeError`.

This is for programs that have `import json` today: tuples become arrays and keys become text, as
there. For objects that come back as they were, use `mason` itself.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder, JSONEncoder, dump, dumps, load, loads

__all__ = ["JSONDecodeError", "JSONDecoder", "JSONEncoder", "dump", "dumps", "load", "loads"]
