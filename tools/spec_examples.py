"""Write the examples in spec/README.md from the vectors, so that no example is typed by hand.

A block of examples stands between two comments; what is between them is replaced:

    <!-- examples: values/tuple; sharing/shared list -->
    <!-- end -->

Run it after a change to the vectors or the marks; `--check` writes nothing and fails where the
text is not what it would write. The tests run it with `--check`.
"""

from __future__ import annotations

import json
import math
import re
import struct
import sys
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parent.parent / "spec"
TEXT = SPEC / "README.md"
BLOCK = re.compile(r"(<!-- examples: (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def main(arguments: list[str]) -> int:
    """Rewrite the text, or with `--check` only compare."""
    old = TEXT.read_text(encoding="utf-8")
    new = BLOCK.sub(lambda found: found[1] + _block(found[2]) + found[3], old)
    if "--check" not in arguments:
        TEXT.write_text(new, encoding="utf-8")
    elif new != old:
        print(f"{TEXT.name} is not what the vectors say: run {Path(__file__).name}")
        return 1
    return 0


def _block(names: str) -> str:
    """Return the fenced block for `file/vector; file/vector`."""
    examples = [_example(*name.strip().split("/", 1)) for name in names.split(";")]
    return "```text\n" + "\n".join(examples) + "```\n"


def _example(file: str, name: str) -> str:
    vectors = json.loads((SPEC / "vectors" / f"{file}.json").read_bytes())["vectors"]
    vector = next((vector for vector in vectors if vector["name"] == name), None)
    if vector is None:
        raise SystemExit(f"there is no vector {name!r} in {file}.json")
    rows = [("JSON", text) for text in _json(vector)]
    if "cbor" in vector:
        data = bytes.fromhex(vector["cbor"])
        rows += [("CBOR", diagnose(data)), ("", data.hex())]
    if "refused" in vector:
        rows.append(("", f"refused: {vector['refused']}"))
    return name + "\n" + "".join(f"  {label:<5} {text}\n" for label, text in rows)


def _json(vector: dict[str, Any]) -> list[str]:
    keys = ("json", "json_typed")
    own = [vector[key] for key in keys if key in vector]
    return own if own else list(vector.get("json_also", []))


# --- CBOR as RFC 8949 prints it (section 8), for what a writer of the notation writes


def diagnose(data: bytes) -> str:
    """Return the diagnostic notation of one item of definite length."""
    text, end = _item(data, 0)
    if end != len(data):
        raise ValueError("something follows the item")
    return text


def _item(data: bytes, at: int) -> tuple[str, int]:
    major, info = data[at] >> 5, data[at] & 31
    size = 0 if info < 24 else 1 << (info - 24)
    raw = data[at + 1 : at + 1 + size]
    number = int.from_bytes(raw, "big") if size else info
    at += 1 + size
    if major in (0, 1):
        return str(number if major == 0 else -1 - number), at
    if major in (2, 3):
        content = data[at : at + number]
        text = json.dumps(content.decode(), ensure_ascii=False) if major == 3 else _hex(content)
        return text, at + number
    if major == 4:
        parts, at = _items(data, at, number)
        return f"[{', '.join(parts)}]", at
    if major == 5:
        parts, at = _items(data, at, 2 * number)
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return f"{{{', '.join(f'{key}: {value}' for key, value in pairs)}}}", at
    if major == 6:
        text, at = _item(data, at)
        return f"{number}({text})", at
    return _special(info, number, raw), at


def _items(data: bytes, at: int, count: int) -> tuple[list[str], int]:
    parts = []
    for _ in range(count):
        text, at = _item(data, at)
        parts.append(text)
    return parts, at


def _hex(content: bytes) -> str:
    return f"h'{content.hex()}'"


def _special(info: int, number: int, raw: bytes) -> str:
    if info < 25:
        names = {20: "false", 21: "true", 22: "null", 23: "undefined"}
        return names.get(number, f"simple({number})")
    (value,) = struct.unpack({25: ">e", 26: ">f", 27: ">d"}[info], raw)
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
