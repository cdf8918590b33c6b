"""A folder as an archive that is the same whoever makes it, and when, and where."""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO


def normalise(folder: Path, epoch: int) -> None:
    """Give all below `folder` (and itself) plain rights and the time of the commit."""
    for path in [folder, *sorted(folder.rglob("*"))]:
        if not path.is_symlink():
            runs = path.is_dir() or bool(path.stat().st_mode & 0o100)
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (epoch, epoch), follow_symlinks=False)


def write_tar(folder: Path, out: IO[bytes], epoch: int) -> None:
    """Write what is below `folder` as a tar: sorted, owned by root, with one time."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = epoch
        if not entry.issym():
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
            name = path.relative_to(folder).as_posix()
            archive.add(path, f"./{name}", recursive=False, filter=plain)


def size(paths: Iterable[Path]) -> int:
    """Return the bytes of the files among `paths`; links count nothing."""
    return sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink())


def sha256(path: Path) -> str:
    """Return the checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return sha256_of(file)


def sha256_of(file: IO[bytes]) -> str:
    """Return the checksum of what is left to read in `file`."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()
