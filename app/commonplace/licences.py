"""The licences of what the program is made of, as files that can be read.

A package carries them in the folder ``licences`` beside the program: one folder for each
component, and beside those our own, the notice that the LGPL asks for, and texts that
several share. In a checkout they lie beside the libraries that were installed for it.
"""

from __future__ import annotations

import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

FOLDER = "licences"
MOST_BYTES = 512 * 1024
"""The longest text that is shown; the longest licence known has a quarter of that."""
_NAMES = ("licen", "copying", "copyright", "notice", "authors")
_OWN = "commonplace"


@dataclass(frozen=True, slots=True)
class Licence:
    """One text of a licence: the component it belongs to, or nothing, and its file."""

    component: str
    path: Path

    @property
    def title(self) -> str:
        """How lists show it."""
        return f"{self.component}: {self.path.name}" if self.component else self.path.name

    def text(self) -> str:
        """Return what it says; raises `OSError`."""
        with self.path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", "replace")


def licences(shipped: Path | None = None, site: Path | None = None) -> list[Licence]:
    """Return every text of a licence, this program's own first.

    `shipped` is the folder a package carries, `site` where libraries are installed.
    Reads folders and no texts; still, it belongs off the window's thread.
    """
    if shipped is None and getattr(sys, "frozen", False):
        beside = Path(sys.executable).resolve().parent
        bundled = beside.parent / "Resources" / FOLDER  # where macOS wants what is no program
        shipped = bundled if bundled.is_dir() else beside / FOLDER
    if shipped is not None and shipped.is_dir():
        found = [
            Licence("" if path.parent == shipped else path.relative_to(shipped).parts[0], path)
            for path in shipped.rglob("*")
            if path.is_file()
        ]
    else:
        found = _installed(site or Path(sysconfig.get_path("purelib")))
        own = Path(__file__).resolve().parents[2] / "LICENSE"
        if own.is_file():
            found.append(Licence("", own))
    return sorted(found, key=_order)


def _installed(site: Path) -> list[Licence]:
    found: list[Licence] = []
    for folder in site.glob("*.dist-info"):
        component = folder.name.removesuffix(".dist-info").rpartition("-")[0]
        if component == _OWN:
            continue
        inside = folder / "licenses"
        files = inside.rglob("*") if inside.is_dir() else folder.iterdir()
        found += [
            Licence(component, path)
            for path in files
            if path.is_file() and (inside in path.parents or _is_licence(path.name))
        ]
    return found


def _order(licence: Licence) -> tuple[bool, bool, str]:
    return bool(licence.component), licence.title != "LICENSE", licence.title.lower()


def _is_licence(name: str) -> bool:
    return name.lower().startswith(_NAMES)
