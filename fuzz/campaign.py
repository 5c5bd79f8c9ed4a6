"""Run one fuzz target, guided by what it says about each input, or by coverage with atheris.

Strategy: new inputs are mutations of known ones; one that makes the target return an outcome not
seen before (a refusal with a new text, say) becomes known itself. Before the target sees an
input, the input is in the file build/fuzz/TARGET.input, so that whatever happens (an exception, a
hang, a crash of the process) the culprit is there. Give it, or any other file, as an argument to
run just that.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import sys
import time
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path

Target = Callable[[bytes], Hashable]

ROOT = Path(__file__).parents[1]
LONGEST = 1 << 16
SLOW_SECONDS = 20

# Bytes with a meaning: ends of number ranges, CBOR heads, JSON's structure.
_CBOR = """
00 7f 80 ff ffffffff ffffffffffffffff 7fffffffffffffff 1bffffffffffffffff 5f 7f6161ff 9f bf f6
f97e00 d81c d81d00 d90102 d90103 d9011b82 c249
"""
_JSON = rb"""
[ ] { } , : " \u \ud800 e999 - 0. 1e-400 "$mason":1, "$id":1, {"$ref":1} "$type":"a:B", {"$map":[
{"$set":[
"""
TOKENS = [*map(bytes.fromhex, _CBOR.split()), *_JSON.split()]


class Mutator:
    """Make new inputs out of the known ones."""

    def __init__(self, seeds: Sequence[bytes], seed: int) -> None:
        """Start from the seeds; the same seed number gives the same inputs."""
        self.known = list(seeds)
        self.random = random.Random(seed)
        self.steps = [self.flip, self.overwrite, self.insert, self.cut, self.repeat, self.splice]

    def next(self) -> bytes:
        """Return the next input."""
        data = bytearray(self.random.choice(self.known))
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 8))):
            self.random.choice(self.steps)(data, self.random.randrange(len(data) + 1))
        return bytes(data[:LONGEST])

    def flip(self, data: bytearray, at: int) -> None:
        """Change one bit."""
        if at < len(data):
            data[at] ^= 1 << self.random.randrange(8)

    def overwrite(self, data: bytearray, at: int) -> None:
        """Put a token in place of what is there."""
        token = self.random.choice(TOKENS)
        data[at : at + len(token)] = token

    def insert(self, data: bytearray, at: int) -> None:
        """Put a token between."""
        data[at:at] = self.random.choice(TOKENS)

    def cut(self, data: bytearray, at: int) -> None:
        """Take some bytes away."""
        del data[at : at + self.random.choice((1, 1, 2, 4, 64, LONGEST))]

    def repeat(self, data: bytearray, at: int) -> None:
        """Write a part several times."""
        part = data[at : at + self.random.choice((1, 2, 8, 32))]
        data[at:at] = part * self.random.choice((1, 2, 16, 300))

    def splice(self, data: bytearray, at: int) -> None:
        """Go on with a part of another input."""
        other = self.random.choice(self.known)
        start = self.random.randrange(len(other) + 1)
        data[at : at + self.random.choice((0, 8, LONGEST))] = other[start : start + 256]


def watched(target: Target, name: str) -> Target:
    """Return the target with its input in a file while it runs, and with an end to its patience."""
    path = ROOT / "build" / "fuzz" / f"{name}.input"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT)

    def run(data: bytes) -> Hashable:
        os.ftruncate(file, 0)
        os.pwrite(file, data, 0)
        faulthandler.dump_traceback_later(SLOW_SECONDS, exit=True)
        try:
            return target(data)
        except BaseException:
            print(f"the input is in {path}", file=sys.stderr)
            raise
        finally:
            faulthandler.cancel_dump_traceback_later()

    return run


def by_mutation(target: Target, seeds: Sequence[bytes], seconds: float, seed: int) -> None:
    """Run the seeds and then mutations of them until the time is over."""
    mutator = Mutator(seeds, seed)
    start = time.monotonic()
    outcomes: set[Hashable] = set()
    count = 0
    while time.monotonic() < start + seconds:
        data = seeds[count] if count < len(seeds) else mutator.next()
        outcome = target(data)
        if outcome not in outcomes:
            outcomes.add(outcome)
            mutator.known.append(data)
        count += 1
    took = time.monotonic() - start
    print(f"{count} inputs, {len(outcomes)} outcomes, {took:.0f} s, seed {seed}: nothing found")


def by_coverage(target: Target, seeds: Sequence[bytes], seconds: float, name: str) -> None:
    """Let atheris look for inputs; it keeps the interesting ones in fuzz/corpus/TARGET.

    It sees into a core that clang++ built with MASON_SANITIZE=fuzzer-no-link, and is blind else.
    """
    import atheris  # type: ignore[import-untyped]

    corpus = ROOT / "fuzz" / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-max_total_time={seconds:.0f}", f"-max_len={LONGEST}", str(corpus)]
    atheris.Setup([name, *options], lambda data: (target(data), None)[1])
    atheris.Fuzz()


def main(target: Target, seeds: Sequence[bytes]) -> None:
    """Parse the command line of a fuzz target and do what it says."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options.add_argument("--engine", choices=["mutation", "atheris"], default="mutation")
    options.add_argument("files", nargs="*", type=Path, help="run these inputs and no others")
    given = options.parse_args()
    name = Path(sys.argv[0]).stem.removeprefix("fuzz_")
    run = watched(target, name)
    if given.files:
        for file in given.files:
            run(file.read_bytes())
    elif given.engine == "atheris":
        by_coverage(run, seeds, given.seconds, name)
    else:
        by_mutation(run, seeds, given.seconds, given.seed)
