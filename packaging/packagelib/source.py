"""The sources that a package is made from: one commit, exported, and never the working tree."""

from __future__ import annotations

import datetime
import io
import re
import subprocess
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_VERSION = re.compile(r'^__version__ = "([^"]+)"$', re.MULTILINE)

#: What the add-on brings; all else of pyproject.toml's dependencies is in the program.
ADDON = ("torch", "sentence-transformers")


@dataclass(frozen=True)
class Source:
    """An exported commit: where it lies, what it is called, and its time in epoch seconds."""

    folder: Path
    version: str
    commit: str
    epoch: int

    @property
    def date(self) -> str:
        """The day of the commit, ISO 8601."""
        return datetime.datetime.fromtimestamp(self.epoch, datetime.UTC).date().isoformat()

    def requirements(self) -> tuple[list[str], list[str]]:
        """Return what the program needs, and what the add-on needs beside that."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text(encoding="utf-8"))[
            "project"
        ]
        everything: list[str] = project["dependencies"]
        addon = [need for need in everything if _name(need) in ADDON]
        program = [need for need in everything if need not in addon]
        return program, addon + project["optional-dependencies"]["adapt"]


def git(*arguments: str) -> bytes:
    """Return what git says in the project's folder."""
    return subprocess.run(
        ["git", "-C", str(ROOT), *arguments], check=True, capture_output=True
    ).stdout


def export(reference: str, folder: Path, version: str | None = None) -> Source:
    """Unpack the commit that `reference` names into the new folder `folder`.

    `version` puts another version into it, for trying an upgrade from an older one.
    """
    commit = git("rev-parse", "--verify", f"{reference}^{{commit}}").decode().strip()
    epoch = int(git("log", "-1", "--format=%ct", commit))
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    file = folder / "app" / "commonplace" / "__init__.py"
    text = file.read_text(encoding="utf-8")
    found = _VERSION.search(text)
    if found is None:
        raise SystemExit(f"{file} names no version.")
    if version is not None:
        file.write_text(_VERSION.sub(f'__version__ = "{version}"', text), encoding="utf-8")
    return Source(folder, version or found.group(1), commit, epoch)


def _name(requirement: str) -> str:
    return re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0].lower()
