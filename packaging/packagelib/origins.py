"""Where each file of the frozen program came from: a Python package, the system, or us.

PyInstaller's own list says which file became which; the records of the installed Python
packages, and dpkg, say whose they are.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path

UNSAID = "see its text"
_CANONICAL = re.compile(r"[-_.]+")


@dataclass(frozen=True)
class Component:
    """A piece of software with a version of its own; `files` are licence texts to carry along."""

    name: str
    version: str
    licence: str
    purl: str
    licences: tuple[Path, ...] = field(default=(), compare=False)


def canonical(name: str) -> str:
    """Return `name` as package indexes write it."""
    return _CANONICAL.sub("-", name).lower()


class Packages:
    """The Python packages in the folders `site`, and which files they have."""

    def __init__(self, *site: Path) -> None:
        self.found: dict[str, Distribution] = {}
        self._owners: dict[Path, str] = {}
        for one in distributions(path=[str(folder) for folder in site]):
            name = canonical(one.metadata["Name"])
            self.found.setdefault(name, one)
            for entry in one.files or ():
                self._owners[Path(str(one.locate_file(entry))).resolve()] = name

    def owner(self, path: Path) -> str | None:
        """Return the package that `path` belongs to."""
        return self._owners.get(path.resolve())

    def component(self, name: str) -> Component:
        """Return the package `name`."""
        one = self.found[name]
        said = one.metadata.json
        licence = str(said.get("license_expression", "")) or _classified(said.get("classifier", []))
        licence = licence or str(said.get("license", "")).strip().partition("\n")[0] or UNSAID
        return Component(
            name, one.version, licence, f"pkg:pypi/{name}@{one.version}", tuple(licence_texts(one))
        )


def _classified(classifiers: Iterable[str]) -> str:
    return next(
        (
            c.rpartition(" :: ")[2]
            for c in classifiers
            if c.startswith("License ::") and c[-8:] != "Approved"
        ),
        "",
    )


def licence_texts(one: Distribution) -> Iterable[Path]:
    """Return the licence texts that a Python package carries."""
    for entry in one.files or ():
        parts = entry.parts
        name = parts[-1].upper()
        inside = parts[0].endswith(".dist-info")
        named = name.startswith(("LICEN", "COPYING", "NOTICE", "AUTHORS"))
        if inside and (named or "licenses" in parts[:-1]):
            yield Path(str(one.locate_file(entry)))


def collected(toc: Path) -> dict[str, Path]:
    """Return PyInstaller's list of what it collected: name in the program → where it was."""
    read = ast.literal_eval(toc.read_text(encoding="utf-8"))
    entries = next(
        part for part in read if isinstance(part, list) and part and isinstance(part[0], tuple)
    )
    return {
        (name if kind == "EXECUTABLE" else f"_internal/{name}"): Path(origin)
        for name, origin, kind, *_ in entries
        if kind != "SYMLINK"
    }


def debian_component(path: Path) -> Component | None:
    """Return the Debian package that owns the file `path` of this machine."""
    for spelled in _spellings(path):
        done = subprocess.run(
            ["dpkg-query", "--search", spelled], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            package = done.stdout.partition(":")[0].partition(",")[0]
            return _debian(package)
    return None


def _spellings(path: Path) -> list[str]:
    """Return the names that dpkg may know `path` by: /lib is a link to /usr/lib."""
    real = str(path.resolve())
    return [real, real.removeprefix("/usr"), str(path), str(path).removeprefix("/usr")]


def _debian(package: str) -> Component:
    shown = subprocess.run(
        [
            "dpkg-query",
            "--show",
            "--showformat",
            "${Version} ${Architecture} ${source:Package}\n",
            package,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()[0]
    version, architecture, _source = shown.split()
    copyright_file = Path("/usr/share/doc") / package / "copyright"
    return Component(
        package,
        version,
        UNSAID,
        f"pkg:deb/debian/{package}@{version}?arch={architecture}&distro=debian-12",
        (copyright_file,) if copyright_file.is_file() else (),
    )


def in_order(components: Mapping[str, Component]) -> list[Component]:
    """Return `components` by name and version."""
    return sorted(components.values(), key=lambda one: (one.name, one.version))
