"""Show mason at work: this machine's installed packages to files, to another process, and back.

Run it with `make demo`. It uses the standard library and mason, reads what installers wrote,
downloads nothing, and leaves its files in build/demo.
"""

from __future__ import annotations

import collections
import functools
import io
import json
import os
import pickle
import shlex
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

import packages
from packages import Inventory, Package, Requirement

import mason

PLACE = Path("build", "demo")
JSON, CBOR = PLACE / "packages.json", PLACE / "packages.cbor"
WIDTH = 90


def main() -> None:
    """Show everything in order."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    inventory = packages.look()
    show_graph(inventory)
    show_files(inventory)
    show_other_process()
    show_refusals()
    show_table(inventory)


# --------------------------------------------------------------------------------- 1. the objects


def show_graph(inventory: Inventory) -> None:
    """Say what was found on this machine."""
    title("1. The objects: what is installed on this machine")
    found, links = inventory.packages, inventory.requirements
    counts = f"{len(found):,} packages, {len(links):,} requirements, {files(inventory):,} files"
    print(f"{counts} about them")
    for place, there in inventory.places.items():
        print(f"  {len(there):>5,} in {cut(place, WIDTH - 11)}")
    package = sample(inventory)
    link = next(iter(package.requires), None)
    print(f"\nOne of them, {package!r}:")
    for label, value in {
        "version": package.version,
        "installed": package.installed,
        "installer": package.installer,
        "place": package.place,
        "topics": package.topics,
        "requires": [link.package for link in package.requires],
        "requires[0].by": link and link.by,
        "requires[0].package": link and link.package,
        "requires[0].wanted": link and link.wanted,
        "not_here": package.not_here,
    }.items():
        print(f"  {label:<21}{cut(repr(value), WIDTH - 23)}")
    print("\nPackages are shared by all who require them, and links lead round in circles.")


def sample(inventory: Inventory) -> Package:
    """Return a package to look at: the most wanted of those that require others themselves."""
    wanted = (package for package, _ in inventory.required_by if package.requires)
    return next(wanted, inventory.packages[0])


def files(inventory: Inventory) -> int:
    """Return how many files about packages there are."""
    return sum(len(package.about) for package in inventory.packages)


# --------------------------------------------------------------------------------- 2. to files


def show_files(inventory: Inventory) -> None:
    """Write the objects to a JSON file and to a CBOR file, and show the JSON."""
    title("2. To a readable JSON file, and to a CBOR file")
    print(f'>>> mason.dump(inventory, "{JSON}", indent=2)')
    mason.dump(inventory, JSON, indent=2)
    print(f'>>> mason.dump(inventory, "{CBOR}")')
    mason.dump(inventory, CBOR)
    print(
        f"    {JSON.stat().st_size:>9,} bytes of JSON\n    {CBOR.stat().st_size:>9,} bytes of CBOR"
    )
    print("\nA package in the JSON file (and the first of its files):")
    for line in excerpt(JSON.read_text(encoding="utf-8").splitlines()):
        print(f"  {cut(line, WIDTH - 2)}")


def excerpt(lines: list[str]) -> list[str]:
    """Return the shortest package in the file that requires one met before."""
    blocks = [block(lines, at - 2) for at, line in enumerate(lines) if "packages:Package" in line]
    linked = [lines for lines in blocks if any('"package": {"$ref"' in line for line in lines)]
    return first_file_only(min(linked or blocks, key=len))


def block(lines: list[str], start: int) -> list[str]:
    """Return the lines from `start` to the one that ends what begins there."""
    margin = len(lines[start]) - len(lines[start].lstrip())
    end = next(at for at in range(start + 1, len(lines)) if not lines[at][margin:].startswith(" "))
    return [line[margin:] for line in lines[start : end + 1]]


def first_file_only(lines: list[str]) -> list[str]:
    """Return the lines of a package without the second file about it and those that follow."""
    starts = [at for at, line in enumerate(lines) if '"packages:File"' in line]
    ends = [at for at, line in enumerate(lines) if line == "  ],"]
    if len(starts) < 2:
        return lines
    return [*lines[: starts[1] - 1], "    …", *lines[next(at for at in ends if at > starts[-1]) :]]


# --------------------------------------------------------------------------------- 3. and back


def show_other_process() -> None:
    """Let another process load both files and compare them with what it finds itself."""
    title("3. In another process: the same objects")
    sys.stdout.flush()
    warnings = [f"-W{option}" for option in sys.warnoptions]
    subprocess.run([sys.executable, *warnings, __file__, "--other", JSON, CBOR], check=True)


def other_process(names: list[str]) -> None:
    """Load each file and compare it with this machine's packages, looked up afresh."""
    print(f"process {os.getpid()}, started by {os.getppid()}, got two file names and nothing else")
    afresh = packages.look()
    loads: list[Callable[[str], Any]] = [
        lambda name: mason.load(name, Inventory),
        lambda name: mason.load(name, trust=["packages"]),
    ]
    for name, load, text in zip(names, loads, ("Inventory", 'trust=["packages"]'), strict=True):
        print(f'\n>>> inventory = mason.load("{name}", {text})')
        inventory = load(name)
        counts = collections.Counter(map(type, walk(inventory)))
        kinds = (Inventory, Package, Requirement, packages.File)
        print("    " + ", ".join(f"{counts[kind]:,} {kind.__name__}" for kind in kinds))
        print(">>> mason.same(inventory, packages.look())  # looked up by this process itself")
        print(f"    {mason.same(inventory, afresh)}")
        for found in mason.difference(inventory, afresh)[:5]:
            print(f"    {cut(str(found), WIDTH - 4)}")
    show_identity(inventory)


def show_identity(inventory: Inventory) -> None:
    """Show that what was shared is shared again."""
    package = sample(inventory)
    if not package.requires:
        return
    name = package.name.replace("-", "_")
    print(f"\n>>> {name}.requires[0].by is {name}  # once round")
    print(f"    {package.requires[0].by is package}")
    whole = [link.by.requires.count(link) == 1 for link in inventory.requirements]
    wanted = [link.package is package for package, links in inventory.required_by for link in links]
    print(f"    {sum(whole):,} links are held by the package they come from,")
    print(f"    {sum(wanted):,} lead to the very object that is listed as required")


def walk(inventory: Inventory) -> Iterator[object]:
    """Yield every instance of the inventory."""
    yield inventory
    for package in inventory.packages:
        yield package
        yield from package.requires
        yield from package.about


# --------------------------------------------------------------------------------- 4. refused

WATCHED = (
    "import",
    "exec",
    "compile",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "subprocess.Popen",
)


class Witness:
    """Count what Python's own audit events tell while it watches; nothing can hide from them."""

    def __init__(self) -> None:
        self.watching = False
        self.seen: list[str] = []
        self.error: mason.MasonError | None = None
        sys.addaudithook(self.notice)

    def notice(self, event: str, details: tuple[Any, ...]) -> None:
        """Take down an event."""
        if self.watching and event in WATCHED:
            self.seen.append(f"import {details[0]}" if event == "import" else event)

    def watch(self, job: Callable[[], Any]) -> None:
        """Do a job; keep the events in `seen`, and the error of mason, if any, in `error`."""
        self.seen, self.error = [], None
        self.watching = True
        try:
            job()
        except mason.MasonError as error:
            self.error = error
        finally:
            self.watching = False


def show_refusals() -> None:
    """Load files that name what was not allowed, and let Python itself testify that nothing ran."""
    title("4. A file does not decide what code runs")
    witness = Witness()
    seen: list[str] = []
    for about, path in hostile_files():
        print(f"{about}\n    {cut(path.read_text(encoding='utf-8'), WIDTH - 4)}")
        print(f'>>> mason.load("{path}")')
        witness.watch(functools.partial(mason.load, path))
        seen += witness.seen
        for line in f"{type(witness.error).__name__}: {witness.error}".splitlines():
            print(f"    {line}")
        print()
    nothing = "no import, no exec, no compile, no os.system, no new process"
    print("While these files were loaded, Python's audit hook saw:")
    print(f"    {', '.join(seen) or nothing}; {outcome('mason')}")
    attack = pickle.dumps(Attack())
    witness.watch(functools.partial(pickle.loads, attack))
    print("So that one sees that it is awake, pickle.loads of the same call:")
    print(f"    {', '.join(witness.seen)}; {outcome('pickle')}")


def hostile_files() -> Iterator[tuple[str, Path]]:
    """Yield files that ask for more than they were given, with a word about each."""
    command = f"touch {shlex.quote(str(mark('mason')))}"
    documents: dict[str, tuple[str, Any]] = {
        "unknown.json": (
            "A class that this process does not know:",
            {"$mason": 1, "$type": "shop.models:Invoice", "number": 17},
        ),
        "instance.json": (
            "os.system in the place of a class:",
            {"$mason": 1, "$type": "os:system", "command": command},
        ),
        "reference.json": (
            "os.system by name:",
            {"$mason": 1, "hook": {"$global": "os:system"}, "argument": command},
        ),
        "call.json": (
            "os.system as a call:",
            {"$mason": 1, "$type": "os:system", "$call": [command]},
        ),
    }
    for name, (about, document) in documents.items():
        path = PLACE / name
        path.write_text(json.dumps(document), encoding="utf-8")
        yield about, path


def mark(who: str) -> Path:
    """Return the file that a command run by a loader would leave behind."""
    return PLACE / f"run-by-{who}"


def outcome(who: str) -> str:
    """Say whether the command was run."""
    return f"{mark(who).name} was {'' if mark(who).exists() else 'not '}created"


class Attack:
    """Be pickled as a call of os.system, as anyone can write into a pickle."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {shlex.quote(str(mark('pickle')))}",)


# --------------------------------------------------------------------------------- 5. beside others


def flat(value: Any) -> Any:
    """Return what json can write in place of a value: what everybody writes by hand."""
    if isinstance(value, Requirement):
        plain = {field.name: getattr(value, field.name) for field in fields(value)}
        return plain | {"by": value.by.name, "package": value.package.name}
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    return value.hex()


def losses(before: Any, after: Any) -> dict[str, list[str]]:
    """Return what became something else on the way through json, by what it became."""
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    pairs = [(before, after)]
    while pairs:
        left, right = pairs.pop()
        if type(left) is not type(right):
            found[type(right).__name__, type(left).__name__] += 1
        if is_dataclass(left) and isinstance(right, dict):
            pairs += [(getattr(left, name), right[name]) for name in right]
        elif isinstance(left, dict):
            pairs += [(left[name], right[name]) for name in left]
        elif isinstance(left, (list, tuple)):
            pairs += zip(left, right, strict=True)
    lists: dict[str, list[str]] = {}
    for (became, was), count in found.most_common():
        lists.setdefault(became, []).append(f"{count:,} {was}")
    return lists


LOSSES = {dict: "dict, list and str", Inventory: "not the same"}


def show_table(inventory: Inventory) -> None:
    """Compare exactness, size and time with what Python has."""
    title("5. Beside json and pickle")
    trusting = mason.Registry(trust=["packages"])
    run = with_big_stack if too_deep(inventory) else here
    rows: list[tuple[str, Callable[[], Any], Callable[[Any], Any]]] = [
        ("mason JSON", lambda: mason.dumpb(inventory), trusting.loads),
        ("mason CBOR", lambda: mason.dumpb(inventory, format="cbor"), trusting.loads),
        ("json + default=", lambda: json.dumps(inventory, default=flat).encode(), json.loads),
        ("pickle 5", lambda: pickle.dumps(inventory, 5), pickle.loads),
    ]
    print(
        f"{'':<17}{'comes back':<22}{'bytes':>9}{'dump ms':>10}{'load ms':>10}  loading runs code"
    )
    for name, dump, load in rows:
        data, dump_time = run(functools.partial(timed, dump))
        back, load_time = run(functools.partial(timed, functools.partial(load, data)))
        exact = "the same objects" if mason.same(inventory, back) else LOSSES[type(back)]
        runs = "what the file says" if name.startswith("pickle") else "no"
        print(f"{name:<17}{exact:<22}{len(data):>9,}{dump_time:>10.2f}{load_time:>10.2f}  {runs}")
    if run is with_big_stack:
        print("pickle: RecursionError, so all ran in a thread with a big stack.")
    lost = losses(inventory, json.loads(json.dumps(inventory, default=flat)))
    print("\nWhat json gave back as something else, counted wherever it is met:")
    for became, were in lost.items():
        lead = f"  as {became + ':':<6}"
        print(
            textwrap.fill(", ".join(were), WIDTH, initial_indent=lead, subsequent_indent=" " * 11)
        )
    print("\nCPU time, best of 7, in this process. `make bench` measures properly.")
    print(f"The files are in {PLACE}. Look at one: mason show {CBOR}")


def timed(job: Callable[[], Any], rounds: int = 7) -> tuple[Any, float]:
    """Return what a job returns and the milliseconds of CPU that it takes at best."""
    best = float("inf")
    for _ in range(rounds):
        start = time.thread_time()
        result = job()
        best = min(best, time.thread_time() - start)
    return result, best * 1000


def too_deep(inventory: Inventory) -> bool:
    """Tell whether pickle recurses too deep on the inventory."""
    try:
        pickle.dumps(inventory, 5)
    except RecursionError:
        return True
    return False


def here(job: Callable[[], Any]) -> Any:
    """Return what a job returns."""
    return job()


def with_big_stack(job: Callable[[], Any]) -> Any:
    """Return what a job returns in a thread where pickle can recurse as deep as it wants."""
    results: list[Any] = []
    limit, size = sys.getrecursionlimit(), threading.stack_size(1 << 29)
    sys.setrecursionlimit(1_000_000)
    try:
        thread = threading.Thread(target=lambda: results.append(job()))
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
        threading.stack_size(size)
    return results[0]


# --------------------------------------------------------------------------------- text


def title(text: str) -> None:
    """Print the title of a section."""
    bold = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    line = f"── {text} ".ljust(WIDTH, "─")
    print(f"\n\033[1m{line}\033[0m\n" if bold else f"\n{line}\n")


def cut(text: str, width: int) -> str:
    """Return a text in one line of at most `width` characters."""
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= width else line[: width - 1] + "…"


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may not know every character
    if sys.argv[1:2] == ["--other"]:
        other_process(sys.argv[2:])
    else:
        main()
