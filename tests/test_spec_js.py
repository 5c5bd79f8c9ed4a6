"""What mason writes, read by others: the spec's JavaScript reader, and CBOR decoders from npm."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from npm import ENVIRONMENT, JS, install
from spec_vectors import Vector, expand, has_order, in_file
from test_spec import WRITTEN, check_zones

import mason

NODE = shutil.which("node")
# spellings that are not mason's own, which the reader takes all the same
READ_TOO = ("sharing", "documents", "escapes", "instances")
# what JavaScript has no words for, or one of the decoders
UNLIKE_JSON = {"NaN as key"}  # in a Map all NaNs are one
UNLIKE_CBOR = {
    *{(decoder, "NaN as key") for decoder in ("cbor-x", "cborg")},
    ("cbor-x", "lone surrogate in a key"),  # an object has no keys but text
    ("cbor-x", "text keys with lone surrogates"),
    ("cbor-x", "utc, 2**32 seconds"),  # an integer of 64 bits is a BigInt, which makes no Date
    ("cbor-x", "utc, first and last"),
    *{(decoder, "unknown tags in each other") for decoder in ("cbor-x", "cborg")},  # 2**63
    *{(decoder, "simple values") for decoder in ("cbor-x", "cborg")},
}


def run(script: str, vectors: list[dict[str, Any]]) -> list[list[str]]:
    """Run a script on vectors; return what it found wrong."""
    if NODE is None:
        pytest.skip("node is not installed")
    command, text = [NODE, str(JS / script)], json.dumps(vectors)
    done = subprocess.run(command, input=text, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    problems: list[list[str]] = json.loads(done.stdout)
    return problems


def written() -> list[Vector]:
    """Return the vectors that a writer can write, on this machine and in one order only."""
    found = []
    for vector in (vector for name in WRITTEN for vector in in_file(name) if "cbor" in vector):
        if not has_order(vector["tree"]):
            continue
        try:
            check_zones(vector)
        except pytest.skip.Exception:
            continue
        found.append(vector)
    return found


@pytest.fixture(scope="session")
def decoders() -> None:
    """Have the decoders; skip where they cannot be had."""
    install()


def test_the_javascript_reader_reads_what_mason_writes() -> None:
    vectors = []
    for vector in written():
        document = mason.reads(bytes.fromhex(expand(vector["cbor"])), format="cbor")
        if "json_refused" not in vector:
            text = document.dumps(format="json")
            vectors.append({"name": vector["name"], "text": text, "tree": vector["tree"]})
    problems = run("read_json.mjs", vectors)
    assert {name for name, _ in problems} == UNLIKE_JSON, problems


def test_the_javascript_reader_reads_other_spellings() -> None:
    vectors = [
        {"name": f"{vector['name']}: {expand(text)[:80]}", "text": text, "tree": vector["tree"]}
        for name in READ_TOO
        for vector in in_file(name)
        for text in [*vector.get("json_also", []), *filter(None, [vector.get("json_typed")])]
    ]
    assert run("read_json.mjs", vectors) == []


@pytest.mark.usefixtures("decoders")
def test_decoders_from_npm_read_what_mason_writes() -> None:
    vectors = []
    for vector in written():
        document = mason.reads(bytes.fromhex(expand(vector["cbor"])), format="cbor")
        data = document.dumps(format="cbor")
        vectors.append({"name": vector["name"], "cbor": data.hex(), "tree": vector["tree"]})
    problems = run("read_cbor.mjs", vectors)
    assert {(decoder, name) for decoder, name, _ in problems} == UNLIKE_CBOR, problems
