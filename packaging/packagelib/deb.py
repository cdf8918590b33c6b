"""Debian packages of the program and of its add-on."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from packagelib import elf, tree

APP = Path("usr/lib/commonplace")
MAINTAINER = "The Commonplace authors <commonplace@localhost>"
#: Data that the bundled libraries read from the system: fonts, keyboards; and the loader's own.
BESIDE = ("fontconfig-config", "xkb-data")


def depends(root: Path, private: list[Path]) -> list[str]:
    """Return the packages that have the libraries which `root` links to and does not carry.

    dpkg-shlibdeps finds them, with the oldest version that has every symbol in use.
    """
    files = elf.elves_below(root)
    with tempfile.TemporaryDirectory() as folder:
        debian = Path(folder) / "debian"
        debian.mkdir()
        (debian / "control").write_text(
            "Source: commonplace\n\nPackage: commonplace\nArchitecture: amd64\n"
        )
        command = ["dpkg-shlibdeps", "-O", "--ignore-missing-info", "--warnings=0"]
        command += [f"-l{place}" for place in private]
        command += [f"-e{path}" for path in files]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"dpkg-shlibdeps: {done.stderr.strip()}")
    found = re.search(r"shlibs:Depends=(.*)", done.stdout)
    return sorted(found.group(1).split(", ")) if found else []


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
            "-z12",
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
