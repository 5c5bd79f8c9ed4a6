"""Compare the six objects of `examples/kept` and write what came out into docs/comparison.md.

`make comparison` runs this beside all peers: docs/comparison.json gets the results, and the parts
of the documents between `<!-- made: NAME -->` and `<!-- end -->` are written from it. `--render`
writes the parts anew from the results that are there. `--check` measures no time: it says what in
the documents is not what the results say, and, for each object (or those named), whether it is
still the same and each format that is installed still does the same to it. The tests run that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "examples"))

from kept import KEPT, Kept  # noqa: E402

import mason  # noqa: E402
from mason.comparison.results import Change, Row, Times  # noqa: E402
from mason.comparison.table import note, ordered  # noqa: E402
from mason.comparison.words import amount, seconds, span, times_as  # noqa: E402

RESULTS = ROOT / "docs" / "comparison.json"
DOCUMENTS = (ROOT / "docs" / "comparison.md", ROOT / "README.md")
PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
ADDRESS = re.compile(r" at 0x[0-9a-f]+")
ROUNDS = 25  # a verdict must not hang on which of two near ones had luck
SHORT = "orders"  # the object of which README.md shows a run
EVERYDAY = ("json", "pickle", "mason")

Results = dict[str, Any]


def main(arguments: list[str]) -> int:
    """Do what was asked for; 1 if a check found something."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--check", action="store_true", help="write nothing, measure no time")
    asked.add_argument("--render", action="store_true", help="write the parts, compare nothing")
    asked.add_argument("names", nargs="*", help="what to check: documents, config, orders, ...")
    options = asked.parse_args(arguments)
    if options.check:
        found = list(problems(options.names))
        print(*found, sep="\n", end="\n" if found else "")
        return 0 if all(": skipped: " in line for line in found) else 1
    if not options.render:
        text = json.dumps(measured(), indent=1, ensure_ascii=False)
        RESULTS.write_text(text + "\n", encoding="utf-8")
    results = json.loads(RESULTS.read_bytes())
    for path in DOCUMENTS:
        path.write_text(rendered(path, results), encoding="utf-8")
    return 0


# --- the runs


def measured() -> Results:
    """Compare every object and return what is kept of it."""
    found: Results = {"build": _build(), "objects": {}}
    for kept in KEPT:
        print(kept.expression, file=sys.stderr)
        obj = kept.make()
        result = mason.compare(obj, purpose=kept.purpose, rounds=ROUNDS).as_json()
        del result["tree"], result["title"]
        found["objects"][kept.make.__name__] = {"sha256": digest(obj), **result}
        if kept.make.__name__ == SHORT:
            few = mason.compare(obj, purpose=kept.purpose, only=EVERYDAY, rounds=ROUNDS)
            found["short"] = str(few)
    return found


def digest(obj: Any) -> str:
    """Return a number for all that an object holds: its document's, with sets in order."""
    return hashlib.sha256(mason.dumps(obj, indent=2).encode()).hexdigest()


def _build() -> str:
    made_with = str(sysconfig.get_config_var("CONFIG_ARGS"))
    options = {"PGO": "--enable-optimizations", "LTO": "--with-lto"}
    lacking = [name for name, option in options.items() if option not in made_with]
    return f"built without {' and '.join(lacking)}" if lacking else "built with PGO and LTO"


# --- the check


def problems(names: Iterable[str]) -> Iterator[str]:
    """Say what is not as the results have it: of what is named, or of all."""
    results = json.loads(RESULTS.read_bytes())
    wanted = set(names) or {"documents", *results["objects"]}
    if "documents" in wanted:
        for path in DOCUMENTS:
            if path.read_text(encoding="utf-8") != rendered(path, results):
                yield f"{path.name} is not what the results say: {Path(__file__).name} --render"
    for kept in KEPT:
        name = kept.make.__name__
        if name in wanted:
            yield from (f"{name}: {text}" for text in changed(kept, results["objects"][name]))


def changed(kept: Kept, before: Results) -> Iterator[str]:
    """Say what of an object's comparison is no longer as the results have it, time apart."""
    obj = kept.make()
    if digest(obj) != before["sha256"]:
        yield "the object is another one: make comparison"
        return
    if kept.purpose != before["purpose"]:
        yield "it is kept for something else: make comparison"
    old = {row.name: row for row in _rows(before)}
    result = mason.compare(obj, purpose=kept.purpose, rounds=1)
    for name in result.not_installed:
        yield f"skipped: {name} is not installed"
    for row in result.rows:
        yield from _row_changed(row, old.pop(row.name, None))
    for name in old.keys() - set(result.not_installed):
        yield f"{name} is in the results and is no contender"


def _row_changed(new: Row, old: Row | None) -> Iterator[str]:
    if old is None:
        yield f"{new.name} is not in the results: make comparison"
    elif not new.package.startswith(("Python ", "mason ")) and new.package != old.package:
        yield f"skipped: {new.name} is {new.package}, the results are of {old.package}"
    elif "took longer" in new.reason + old.reason:
        yield f"skipped: {new.name} was too slow"
    elif _structure(new) != _structure(old):
        yield f"{new.name}: {_structure(old)} in the results, {_structure(new)} now"
    elif new.path != old.path and new.path and old.path:  # None: the search had no time
        yield f"{new.name}: stopped at {old.path} in the results, at {new.path} now"


def _structure(row: Row) -> tuple[str, list[str]]:
    """Return what must not change: what came of it and what was lost."""
    return row.outcome, sorted({change.text for change in row.changes})


def _rows(result: Results) -> list[Row]:
    return [_row(row) for row in result["rows"]]


def _row(plain: dict[str, Any]) -> Row:
    """Return a row out of its plain data."""
    times = {call: Times(**plain[call]) if plain[call] else None for call in ("dump", "load")}
    changes = tuple(Change(**change) for change in plain["changes"])
    reason = ADDRESS.sub("", plain["reason"])
    return Row(**{**plain, **times, "changes": changes, "reason": reason})


# --- the parts of the documents


def rendered(path: Path, results: Results) -> str:
    """Return the text of a document with its parts as the results say."""
    parts = {
        "short": lambda: "\n".join(_summary(results)),
        "run": lambda: _run(results),
        "losses": lambda: "\n".join(_where_others_lead(results)),
        "command": lambda: _command(results),
        "objects": lambda: "\n".join(_objects(results)),
    }
    text = path.read_text(encoding="utf-8")
    return PART.sub(lambda found: f"{found[1]}{parts[found[2]]()}\n{found[3]}", text)


_FLATTERED = (
    " Such a build slows down what is part of Python (json, pickle, marshal) and not the libraries"
    " that come compiled: everybody, mason included, looks better beside the standard library than"
    " on a Python from a distribution."
)


def _run(results: Results) -> str:
    """Say where and how it was measured."""
    first = next(iter(results["objects"].values()))
    machine, build = first["machine"], results["build"]
    packages = {row.package for result in results["objects"].values() for row in _rows(result)}
    libraries = sorted(name for name in packages if not name.startswith("Python "))
    return (
        f"Measured on {machine['when'][:10]} with {machine['python']}, {build}, on"
        f" {machine['platform']}, {machine['cpu']}, shared with others; up to"
        f" {machine['rounds']} interleaved rounds.{_FLATTERED if 'without' in build else ''}"
        f"\n\nBeside Python: {', '.join(libraries)}."
    )


def _summary(results: Results) -> Iterator[str]:
    """Give the short table: the two everyday ways and mason, and what to use."""
    yield "| kept | for | `json.dump` | `pickle.dump` | `mason.dump`, JSON | use |"
    yield "|---|---|---|---|---|---|"
    for kept in KEPT:
        result = results["objects"][kept.make.__name__]
        rows = {row.name: row for row in _rows(result)}
        cells = [_brief(rows[name]) for name in ("json", "pickle 5", "mason json")]
        title = f"[{kept.title.lower()}](#{kept.title.lower().replace(' ', '-')})"
        choice = f"**{result['verdict']['choice']}**"
        yield f"| {' | '.join([title, kept.purpose, *cells, choice])} |"


def _brief(row: Row) -> str:
    if row.outcome != "exact" or not (row.dump and row.load and row.size):
        return f"no: stops at `{row.path}`" if row.path else f"no: {row.outcome}"
    times = f"{seconds(row.dump.best)} / {seconds(row.load.best)}"
    foreign = "" if row.readers != "Python" or row.name != "json" else "; not JSON for others (NaN)"
    return f"exact, {amount(row.size)}, {times}{foreign}"


def _objects(results: Results) -> Iterator[str]:
    for kept in KEPT:
        yield from _object(kept, results["objects"][kept.make.__name__])


def _object(kept: Kept, result: Results) -> Iterator[str]:
    """Give the section of one object: what it is, the table, what is lost, the verdict."""
    yield from ("", f"### {kept.title}", "")
    about = result["about"]
    facts = [f"{about['values']:,} values"]
    facts += [f"{about['shared']:,} shared"] if about["shared"] else []
    facts += ["cycles"] if about["cycles"] else []
    yield f"{kept.what} {', '.join(facts).capitalize()}."
    yield f"Kept as: {kept.purpose}; {kept.why}. Made by `{kept.expression}`."
    yield ""
    rows = ordered(_rows(result))
    yield from _table(rows)
    yield from _notes(result)
    yield from _verdict(result)


_SAFE = {"yes": "safe", "named classes only": "safe: classes you name", "no": "never", "": ""}
_READERS = {"every language": "all", "Python, R, Java, C++, Rust, ...": "table tools"}


def _table(rows: list[Row]) -> Iterator[str]:
    yield "| format | comes back | dump | load | size | zipped | a stranger's file | read by |"
    yield "|---|---|--:|--:|--:|--:|---|---|"
    for row in rows:
        if row.size is None:  # it stopped, which is said below
            continue
        times = [span(call.best, call.worst) if call else "" for call in (row.dump, row.load)]
        sizes = [amount(size) if size else "" for size in (row.size, row.compressed)]
        cells = [row.name, row.outcome, *times, *sizes, _SAFE[row.safe], _reader(row)]
        yield f"| {' | '.join(cells)} |"


def _reader(row: Row) -> str:
    return _READERS.get(row.readers, row.readers)


def _notes(result: Results) -> Iterator[str]:
    """Say what was lost and where writers stopped; those who say the same, together."""
    alike: dict[str, list[str]] = {}
    for row in ordered(_rows(result)):
        if text := note(row):
            alike.setdefault(text, []).append(row.name)
    yield ""
    for text, names in alike.items():
        yield f"- {', '.join(names)}: {escaped(text)}"
    left_out = [row.name for row in _rows(result) if row.outcome == "left out"]
    if left_out:
        yield f"- {', '.join(left_out)}: for tables only"


def _verdict(result: Results) -> Iterator[str]:
    verdict = result["verdict"]
    yield from (
        "",
        f"**Use {verdict['choice']} for {result['purpose']}**: `{verdict['command']}`",
        "",
    )
    yield from (f"- {escaped(text)}" for text in verdict["why"])
    if verdict["runner_up"]:
        why = ". ".join(verdict["runner_up_why"])
        yield f"- next: {verdict['runner_up']}. {escaped(why)}"
    yield from (f"- mind: {escaped(text)}" for text in verdict["caveats"])


_AS_PICKLE = ("cloudpickle", "dill", "joblib")  # they load with its reader


def _where_others_lead(results: Results) -> Iterator[str]:
    """List where something else gives the same object back and needs less than mason."""
    for kept in KEPT:
        exact = [
            row
            for row in _rows(results["objects"][kept.make.__name__])
            if row.outcome == "exact" and row.dump and row.load and row.name not in _AS_PICKLE
        ]
        leads = [
            text
            for column in ("dump", "load", "size", "compressed")
            if (text := _lead(exact, column))
        ]
        yield f"- {kept.title.lower()}: {'; '.join(leads) or 'nothing'}"


def _lead(rows: list[Row], column: str) -> str:
    """Return who does best in a column, "" if that is mason."""

    def figure(row: Row) -> float:
        value: Any = getattr(row, column)
        return float("inf") if value is None else float(getattr(value, "best", value))

    best = min(rows, key=figure)
    ours = min((row for row in rows if row.name.startswith("mason ")), key=figure)
    if figure(best) >= figure(ours):
        return ""
    shown = amount(int(figure(best))) if column in ("size", "compressed") else seconds(figure(best))
    label = {"compressed": "zipped"}.get(column, column)
    return f"{label} {best.name} {shown}, {times_as(figure(best), figure(ours))} {ours.name}'s"


def _command(results: Results) -> str:
    """Return a run of the command as README.md shows it: the table, and how the verdict begins."""
    kept = next(kept for kept in KEPT if kept.make.__name__ == SHORT)
    lines = results["short"].splitlines()
    lines[0] = lines[0].replace("object:", f"{kept.expression}:", 1)
    table = lines[: lines.index("", 2)]
    at = next(at for at, line in enumerate(lines) if line.startswith("Use "))
    only = ",".join(EVERYDAY)
    command = f"$ mason compare --expr '{kept.expression}' --for {kept.purpose} --only {only}"
    return "\n".join(["```text", command, *table, "", *lines[at : at + 5], "...", "```"])


def escaped(text: str) -> str:
    """Return a text that Markdown takes as text, but for paths."""
    return re.sub(r"([\\`*_\[\]<>|#$~])", r"\\\1", text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
