# ruff: noqa: UP031 -- documents are full of braces, so percent signs say best where a part goes
"""Write attacks/: hostile files, and index.json with the refusal that each must get.

Strategy: a table of (name, content, refusal, why). What is long is long by repetition, and lies
there compressed: mason reads compressed files. The index is what tests/test_attacks.py runs;
`--check` only says whether the files are as the table has them.
"""

from __future__ import annotations

import gzip
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
HERE = ROOT / "attacks"
PACK_FROM = 2000  # bytes
MODULUS = 2**61 - 1  # of CPython's hash of numbers


class Attack(NamedTuple):
    """One file: its name, what is in it, the class of the error or "read", and what it tries."""

    name: str
    content: bytes | str
    refusal: str
    why: str


def typed(value: str) -> str:
    """Return a typed document with this value."""
    return f'{{"$mason":1,"$value":{value}}}'


def bomb(levels: int, form: str) -> str:
    """Return levels that each hold the next one twice; the form takes id and two parts."""
    text = form % (1, "1", "1")
    for number in range(2, levels + 1):
        text = form % (number, text, f'{{"$ref":{number - 1}}}')
    return text


def deep() -> Iterator[Attack]:
    """Give nesting that must not cost stack."""
    levels = 100_000
    yield Attack(
        "lists.json", "[" * levels, "JSONError", "open lists, far more than the stack holds"
    )
    yield Attack(
        "lists.cbor", b"\x9f" * levels, "LoadError", "open lists, far more than the stack holds"
    )
    tags = b"\xd9\xd9\xf7" * 1_000_000 + b"\x01"
    yield Attack("self-described.cbor", tags, "read", "a chain of tags that are taken off")
    for name in ("deque", "defaultdict"):
        slots = '"$new":[null],"$list":[' if name == "deque" else '"$new":[null],"$dict":{"a":'
        close = "]}" if name == "deque" else "}}"
        head = f'{{"$type":"collections:{name}",{slots}'
        text = typed(head * levels + "1" + close * levels)
        yield Attack(f"{name}.json", text, "LimitError", "CPython frees these by recursion")
    for name, head, tail in (
        ("tuple", '{"$tuple":[', "]}"),
        ("named-tuple", '{"$type":"hostile:Pair","a":', "}"),
        ("frozen", '{"$type":"hostile:Frozen","a":', "}"),
    ):
        text = typed('{"$set":[' + head * 5000 + "1" + tail * 5000 + "]}")
        yield Attack(f"deep-key-{name}.json", text, "LimitError", "hashing it needs stack")


def large() -> Iterator[Attack]:
    """Give claims and numbers that must not cost memory or time."""
    for name, head in (("bytes", "5b"), ("text", "7b"), ("array", "9b"), ("map", "bb")):
        data = bytes.fromhex(head + "7fffffffffffffff")
        yield Attack(f"huge-{name}.cbor", data, "LoadError", "a length beyond all memory")
    data = b"".join(b"\x9a" + (5 * (20_000 - n)).to_bytes(4, "big") for n in range(20_000))
    yield Attack("nested-lengths.cbor", data, "LoadError", "each array claims all that is left")
    digits = "7" * 10_000_000
    yield Attack("digits.json", digits, "LimitError", "turning digits into an int is quadratic")
    yield Attack("exponent.json", "1e999999999", "LoadError", "a number that would be infinite")
    yield Attack(
        "fraction.json",
        typed('{"$fraction":"1/%s"}' % digits),
        "LimitError",
        "reducing is quadratic",
    )
    big = b"\xc2\x5a" + (10**6).to_bytes(4, "big") + b"\xff" * 10**6
    yield Attack(
        "decimal.cbor", b"\xc4\x82\x00" + big, "LimitError", "binary to decimal is quadratic"
    )
    yield Attack(
        "bigfloat.cbor", bytes.fromhex("c5821a3b9aca0001"), "read", "2**1000000000, kept as a tag"
    )


def keys() -> Iterator[Attack]:
    """Give keys that are slow to hash, to place or to compare."""
    ints = ",".join(str(1 + n * MODULUS) for n in range(5000))
    yield Attack("one-hash.json", typed(f'{{"$set":[{ints}]}}'), "LimitError", "all have one hash")
    sys.path.insert(0, str(ROOT / "tests"))
    from hostile import colliding_in_dict

    found = colliding_in_dict(13)
    pairs = ",".join(f"[{key},0]" for key in found)
    why = "all hashes differ, and a dict walks long ways for each"
    yield Attack("long-ways.json", typed(f'{{"$map":[{pairs}]}}'), "LimitError", why)
    pairs = ",".join(f"[{key},0]" for key in [*found, *range(2**40, 2**40 + 3000)])
    why = "the same while the dict grows"
    yield Attack(
        "long-ways-growing.json", typed(f'{{"$id":1,"$map":[{pairs}]}}'), "LimitError", why
    )
    for name, form in (
        ("tuple", '{"$id":%d,"$tuple":[%s,%s]}'),
        ("named-tuple", '{"$id":%d,"$type":"hostile:Pair","a":%s,"b":%s}'),
        ("frozen", '{"$id":%d,"$type":"hostile:Frozen","a":%s,"b":%s}'),
    ):
        text = typed('{"$set":[%s]}' % bomb(60, form))
        yield Attack(f"bomb-key-{name}.json", text, "LimitError", "2**60 parts are to be hashed")
    number = 1 << 1_000_000
    number += (100_000 - number) % MODULUS
    pair = '[{"$decimal":"1E+5"},1],[{"$int":"%s"},2]' % hex(number)
    why = "one hash; comparing turns the int into digits"
    yield Attack("decimal-beside-int.json", typed(f'{{"$map":[{pair}]}}'), "LimitError", why)
    yield Attack(
        "equal-keys.json", typed('{"$map":[[1,0],[1.0,0]]}'), "LoadError", "one would be lost"
    )
    yield Attack("twice.json", '{"a":1,"\\u0061":2}', "LoadError", "one would be lost")
    signs = itertools.islice(itertools.product((-1, -2), repeat=12), 4000)
    tuples = ",".join('{"$tuple":[%s]}' % ",".join(map(str, row)) for row in signs)
    yield Attack(
        "one-hash-tuples.json", typed(f'{{"$set":[{tuples}]}}'), "LimitError", "all have one hash"
    )


def structure() -> Iterator[Attack]:
    """Give documents that contradict themselves or name what they may not."""
    yield Attack(
        "bomb.json",
        typed(bomb(1000, '{"$id":%d,"$list":[%s,%s]}')),
        "read",
        "2**1000 ends, in a small graph",
    )
    yield Attack(
        "holds-itself.json",
        typed('{"$id":1,"$tuple":[{"$ref":1}]}'),
        "LoadError",
        "a tuple that cannot exist",
    )
    yield Attack(
        "no-such-id.json", typed('[{"$ref":2},{"$id":1}]'), "LoadError", "a reference to nothing"
    )
    yield Attack("id-twice.json", typed('[{"$id":1},{"$id":1}]'), "LoadError", "which of the two?")
    yield Attack(
        "late-type.json",
        typed('{"$tag":[5000,1],"$type":"hostile:Data"}'),
        "LoadError",
        "a form that becomes an instance",
    )
    text = '{"$type":"hostile:Data","a":1,"b":1,"__class__":{"$global":"hostile:Frozen"}}'
    yield Attack(
        "dunder.json", typed(text), "FieldError LoadError", "an attribute that Python acts on"
    )
    for name in (
        "os:system",
        "builtins:eval",
        "hostile:mason.loads",
        "hostile:Data.__init__.__globals__",
    ):
        text = typed('{"$type":"%s","$call":["echo"]}' % name)
        file = name.replace(":", "-").replace("__", "")
        yield Attack(
            f"call-{file}.json", text, "UntrustedError LoadError", "a call that the file chooses"
        )
        text = typed('{"$global":"%s"}' % name)
        yield Attack(f"name-{file}.json", text, "UntrustedError", "a name that the file chooses")
    zone = '{"$type":"zoneinfo:ZoneInfo","$str":"../../../../../etc/passwd"}'
    yield Attack("zone.json", typed(zone), "LoadError", "a file that the file chooses")
    names = ",".join('{"$type":"a:A%d"}' % n for n in range(3000))
    text = '{"$mason":1,"%s":[%s]}' % ("k" * 100_000, names)
    yield Attack(
        "needs.json",
        text,
        "UntrustedError",
        "a path for each name, and a key of 100 KB in each path",
    )
    pattern = '{"$type":"re:Pattern","$new":["%s",34]}' % ("[\\u0100-\\uffff]" * 500)
    yield Attack(
        "pattern.json",
        typed(pattern),
        "LoadError",
        "compiling walks through all characters of all sets",
    )
    yield Attack(
        "parentheses.json",
        typed('{"$type":"re:Pattern","$new":["%s",32]}' % ("(" * 50_000)),
        "LoadError",
        "compiling needs stack",
    )


def text() -> Iterator[Attack]:
    """Give text that is none."""
    yield Attack("surrogate.json", b'"\xed\xa0\x80"', "JSONError", "a surrogate in UTF-8")
    yield Attack("overlong.json", b'{"a\xc0\xae":1}', "JSONError", "an overlong form in UTF-8")
    yield Attack("surrogate.cbor", bytes.fromhex("63eda080"), "LoadError", "a surrogate in UTF-8")
    yield Attack(
        "split.cbor", bytes.fromhex("7f61c361bcff"), "LoadError", "a character in two pieces"
    )
    yield Attack("escapes.json", b'"' + b"\x1b]0;x\x07" + b'"', "JSONError", "control characters")


def attacks() -> Iterator[Attack]:
    """Give all attacks."""
    for family in (deep, large, keys, structure, text):
        yield from family()


def files() -> dict[str, bytes]:
    """Return the content of every file in attacks/, the index included."""
    found: dict[str, bytes] = {}
    rows = []
    for attack in attacks():
        data = attack.content.encode() if isinstance(attack.content, str) else attack.content
        name = attack.name
        if len(data) > PACK_FROM:
            name, data = name + ".gz", gzip.compress(data, 9, mtime=0)
        found[name] = data
        rows.append({"file": name, "refusal": attack.refusal, "why": attack.why})
    about = "What mason.load must do with each file; hostile:* of tests/hostile.py is trusted."
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    index = f'{{"about": {json.dumps(about)}, "attacks": [\n{lines}\n]}}\n'
    return {**found, "index.json": index.encode()}


def main() -> int:
    """Write the files, or with --check compare them; return the exit code."""
    wanted = files()
    HERE.mkdir(exist_ok=True)
    there = {path.name: path.read_bytes() for path in HERE.iterdir() if path.name != "README.md"}
    if "--check" in sys.argv:
        unpacked = {name: _plain(name, data) for name, data in there.items()}
        return int(unpacked != {name: _plain(name, data) for name, data in wanted.items()})
    for name in there.keys() - wanted.keys():
        (HERE / name).unlink()
    for name, data in wanted.items():
        (HERE / name).write_bytes(data)
    return 0


def _plain(name: str, data: bytes) -> bytes:
    return gzip.decompress(data) if name.endswith(".gz") else data  # compressors differ


if __name__ == "__main__":
    sys.exit(main())
