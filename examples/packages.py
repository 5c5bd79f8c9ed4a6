"""The Python packages installed on this machine, as a graph of objects.

Nothing is invented and nothing is downloaded: everything comes from `importlib.metadata` and from
the files that installers left behind. A requirement links two packages and each of them holds it,
so one can go round in circles.
"""

from __future__ import annotations

import enum
import hashlib
import re
import site
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

REQUIREMENT = re.compile(
    r"^\s*(?P<name>[\w.-]+)\s*(?:\[(?P<extras>[^\]]*)\])?\s*\(?(?P<range>[^;)]*)\)?\s*(?:;\s*(?P<when>.*))?$"
)
EXTRA = re.compile(r"extra\s*==\s*['\"][^'\"]*['\"]|\band\b|\bor\b|[\s()]")  # of a condition


class Version(NamedTuple):
    """Hold a version: its numbers, and what follows them."""

    numbers: tuple[int, ...]
    rest: str

    @classmethod
    def parse(cls, text: str) -> Version:
        """Return the version that `text` spells."""
        numbers = re.match(r"\d+(?:\.\d+)*", text)
        found = numbers.group() if numbers else ""
        return cls(tuple(int(number) for number in found.split(".") if number), text[len(found) :])

    def __str__(self) -> str:
        return ".".join(map(str, self.numbers)) + self.rest


class Installer(enum.Enum):
    """Name the program that installed a package."""

    PIP = "pip"
    UV = "uv"
    CONDA = "conda"
    DEBIAN = "debian"
    UNKNOWN = "unknown"


class Wanted(enum.Flag):
    """Say when a requirement holds: always, under a condition, for an extra, or for both."""

    ALWAYS = 0
    ON_CONDITION = 1
    FOR_EXTRA = 2


@dataclass(frozen=True, slots=True)
class File:
    """Hold one file that an installer wrote about a package."""

    path: PurePosixPath
    size: int
    changed: datetime
    sha256: bytes


@dataclass(eq=False)
class Requirement:
    """Hold a link: one package requires another that is installed here, too."""

    by: Package
    package: Package
    versions: str
    extras: frozenset[str]
    wanted: Wanted


@dataclass(eq=False)
class Package:
    """Hold an installed package with what it requires."""

    name: str
    version: Version
    summary: str | None
    place: Path
    installed: datetime
    installer: Installer
    topics: set[str]
    about: list[File]
    requires: list[Requirement] = field(default_factory=list)
    not_here: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"<{self.name} {self.version}>"


@dataclass(eq=False)
class Inventory:
    """Hold every package that was found, by directory and name, and who requires the most wanted.

    `required_by` stands here, after the packages: links from a package to whoever requires it would
    nest a file as deep as there are packages.
    """

    python: Version
    places: dict[str, dict[str, Package]]
    required_by: list[tuple[Package, list[Requirement]]]

    @property
    def packages(self) -> list[Package]:
        """Return all packages."""
        return [package for place in self.places.values() for package in place.values()]

    @property
    def requirements(self) -> list[Requirement]:
        """Return all requirements."""
        return [requirement for package in self.packages for requirement in package.requires]


def look() -> Inventory:
    """Return what is installed where this Python, the one behind it and Debian keep packages."""
    places = {}
    for directory in directories():
        found: dict[str, Package] = {}
        requires: dict[str, list[str]] = {}
        for info in infos(directory):
            about = Distribution.at(info)
            if (package := described(about, info)) and package.name not in found:
                found[package.name] = package
                requires[package.name] = about.requires or []
        for name in sorted(found):
            for text in requires[name]:
                require(found[name], text, found)
        if found:
            places[str(directory)] = {name: found[name] for name in sorted(found)}
    python = Version.parse(".".join(map(str, sys.version_info[:3])))
    inventory = Inventory(python, places, [])
    inventory.required_by = most_wanted(inventory)
    return inventory


def most_wanted(inventory: Inventory) -> list[tuple[Package, list[Requirement]]]:
    """Return the packages that are required, most often first, with the links that say so."""
    links: dict[Package, list[Requirement]] = {}
    for link in inventory.requirements:
        links.setdefault(link.package, []).append(link)
    return sorted(links.items(), key=lambda item: (-len(item[1]), item[0].name))


def directories() -> list[Path]:
    """Return the directories that hold packages, each once."""
    origin = {"base": sys.base_prefix, "platbase": sys.base_prefix}
    named = [
        *sys.path,
        sysconfig.get_path("purelib", vars=origin),
        sysconfig.get_path("platlib", vars=origin),
        site.getusersitepackages(),
        "/usr/lib/python3/dist-packages",
    ]
    real = [Path(name).resolve() for name in named if name and Path(name).is_dir()]
    return list(dict.fromkeys(real))


def infos(directory: Path) -> Iterator[Path]:
    """Yield what installers wrote about each package in a directory."""
    for pattern in ("*.dist-info", "*.egg-info"):
        yield from sorted(directory.glob(pattern))


def described(about: Distribution, info: Path) -> Package | None:
    """Return the package that an installer described, not linked yet; None if it has no name."""
    name = next(told(about, "Name"), None)
    if name is None:
        return None
    return Package(
        name=plain_name(name),
        version=Version.parse(next(told(about, "Version"), "")),
        summary=next(told(about, "Summary"), None),
        place=info,
        installed=moment(info),
        installer=installer(about, info.parent),
        topics=topics(about),
        about=list(files(info)),
    )


def require(package: Package, text: str, packages: dict[str, Package]) -> None:
    """Add one requirement to a package: a link where it is installed, else its name."""
    parts = REQUIREMENT.match(text)
    if parts is None:
        return
    wanted = plain_name(parts["name"])
    if wanted not in packages:
        package.not_here.add(wanted)
        return
    when = parts["when"] or ""
    extra = Wanted.FOR_EXTRA if "extra" in when else Wanted.ALWAYS
    condition = Wanted.ON_CONDITION if EXTRA.sub("", when) else Wanted.ALWAYS
    extras = frozenset(word.strip() for word in (parts["extras"] or "").split(",") if word.strip())
    versions, target = parts["range"].strip(), packages[wanted]
    package.requires.append(Requirement(package, target, versions, extras, extra | condition))


def files(info: Path) -> Iterator[File]:
    """Yield the files that an installer wrote about a package."""
    names = sorted(path for path in info.iterdir() if path.is_file()) if info.is_dir() else [info]
    for path in names:
        data = path.read_bytes()
        inside = PurePosixPath(info.name, *path.relative_to(info).parts)
        yield File(inside, len(data), moment(path), hashlib.sha256(data).digest())


def moment(path: Path) -> datetime:
    """Return when a file was changed last, as a datetime with its zone."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def installer(about: Distribution, directory: Path) -> Installer:
    """Return the program that installed a package."""
    said = (about.read_text("INSTALLER") or "").strip().lower()
    if not said and directory.name == "dist-packages":
        return Installer.DEBIAN
    return next((known for known in Installer if known.value == said), Installer.UNKNOWN)


def topics(about: Distribution) -> set[str]:
    """Return what a package says that it is about."""
    lines = told(about, "Classifier")
    return {line.split(" :: ", 1)[1] for line in lines if line.startswith("Topic :: ")}


def told(about: Distribution, key: str) -> Iterator[str]:
    """Yield what a package's metadata says under a key."""
    metadata: Any = about.metadata  # None where there is none, says a later Python
    if metadata is not None:
        yield from metadata.get_all(key) or ()


def plain_name(name: str) -> str:
    """Return a package's name in the one spelling that counts."""
    return re.sub(r"[-_.]+", "-", name).lower()
