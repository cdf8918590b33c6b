"""What an ELF file says of itself: what it needs, what it is called, how new a glibc it wants.

Read with binutils' ``readelf``, which every machine that can build the engine has.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"\x7fELF"
_NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")
_SONAME = re.compile(r"\(SONAME\).*\[(.+)\]")
_VERSION = re.compile(r"Name: (GLIBC|GLIBCXX)_(\d+(?:\.\d+)+)")


@dataclass(frozen=True)
class Elf:
    """One program or library; `glibc` is the newest version of it that is asked for."""

    path: Path
    soname: str
    needed: tuple[str, ...]
    glibc: tuple[int, ...]
    glibcxx: tuple[int, ...]


def is_elf(path: Path) -> bool:
    """Whether `path` is a program or a library, and not a link to one."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(4) == MAGIC


def elves_below(folder: Path) -> list[Path]:
    """Return every ELF file below `folder`, by name."""
    return sorted(path for path in folder.rglob("*") if is_elf(path))


def read(path: Path) -> Elf:
    """Read one file."""
    done = subprocess.run(
        ["readelf", "--wide", "--dynamic", "--version-info", str(path)],
        check=True,
        capture_output=True,
        text=True,
        env={"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    soname = _SONAME.search(done.stdout)
    versions: dict[str, tuple[int, ...]] = {}
    for library, text in _VERSION.findall(done.stdout):
        number = tuple(int(part) for part in text.split("."))
        versions[library] = max(versions.get(library, ()), number)
    return Elf(
        path,
        soname.group(1) if soname else "",
        tuple(_NEEDED.findall(done.stdout)),
        versions.get("GLIBC", ()),
        versions.get("GLIBCXX", ()),
    )


def newest(versions: Iterable[tuple[int, ...]]) -> str:
    """Return the newest of `versions` as text: ``"2.34"``."""
    return ".".join(map(str, max(versions, default=(0,))))
