"""Debian packages of the program and of its add-on."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from packagelib import tree
from packagelib.origins import debian_component

APP = Path("usr/lib/commonplace")
MAINTAINER = "The Commonplace authors <commonplace@localhost>"
#: Data that the bundled libraries read from the system: fonts, keyboards; and the loader's own.
BESIDE = ("fontconfig-config", "xkb-data")


def depends(libraries: Iterable[str], glibc: str) -> list[str]:
    """Return the packages that have `libraries`, which are linked to and not carried.

    glibc alone counts its versions by symbols that we can read, so its version is asked for.
    """
    found = {f"libc6 (>= {glibc})"}
    known = subprocess.run(["ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    for library in libraries:
        places = re.findall(rf"^\s{re.escape(library)} .*x86-64.* => (\S+)$", known, re.MULTILINE)
        owner = debian_component(Path(places[0])) if places else None
        if owner is None:
            raise SystemExit(f"No Debian package is known that has {library}.")
        found.add(owner.name)
    return sorted(found)


def control(fields: dict[str, str]) -> str:
    """Return a control file."""
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def build(root: Path, fields: dict[str, str], out: Path, epoch: int) -> None:
    """Write the package `out` of what lies in `root`."""
    about = root / "DEBIAN"
    about.mkdir()
    files = [
        path for path in sorted(root.rglob("*")) if path.is_file() and about not in path.parents
    ]
    fields = {**fields, "Installed-Size": str(-(-tree.size(files) // 1024))}
    (about / "control").write_text(control(_ordered(fields)), encoding="utf-8")
    sums = [f"{_md5(path)}  {path.relative_to(root)}" for path in files if not path.is_symlink()]
    (about / "md5sums").write_text("\n".join(sums) + "\n", encoding="utf-8")
    tree.normalise(root, epoch)
    subprocess.run(
        [
            "dpkg-deb",
            "--root-owner-group",
            "-Zzstd",
            "-z9",
            "--threads-max=1",
            "--build",
            str(root),
            str(out),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
    )
    shutil.rmtree(about)


def _ordered(fields: dict[str, str]) -> dict[str, str]:
    last = fields.pop("Description")
    return {**fields, "Description": last}


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)  # what dpkg --verify knows
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
