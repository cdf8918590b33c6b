"""Versions of what is kept: newer ones refused, older ones copied before they change."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from commonplace.errors import NewerDataError

KEPT = 3
"""Copies of one file that are kept: of the last so many migrations."""
_BACKUP = re.compile(r".*\.before-(\d{1,6})")


def refuse_newer(path: Path, found: int, known: int) -> None:
    """Raise `NewerDataError` if the form `found` at `path` is beyond those this program knows."""
    if found > known:
        raise NewerDataError(
            f"{path} was written by a newer version of Commonplace "
            f"(form {found}; this one knows up to {known}).",
            "Use that version, or a later one; the file is left as it is.",
        )


def back_up(path: Path, version: int, copy: Callable[[Path], None]) -> Path:
    """Keep `path` as it is before it becomes of form `version`; return the copy.

    `copy` writes what is to be kept to the file it is given, or raises; the copy has its
    name only once it is whole. The oldest beyond `KEPT` go. Raises what `copy` raises,
    and `OSError`.
    """
    target = path.with_name(f"{path.name}.before-{version}")
    new = target.with_name(f"{target.name}.new")
    try:
        copy(new)
        new.replace(target)
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
    for old in backups(path)[:-KEPT]:
        old.unlink(missing_ok=True)
    return target


def backups(path: Path) -> list[Path]:
    """Return the copies that are kept of `path`, that of the oldest form first."""
    found = [
        (int(match[1]), copy)
        for copy in path.parent.glob(f"{path.name}.before-*")
        if (match := _BACKUP.fullmatch(copy.name))
    ]
    return [copy for _, copy in sorted(found)]


def drop_backups(path: Path) -> None:
    """Throw the copies of `path` away: they hold what was deleted since. Raises `OSError`."""
    for copy in path.parent.glob(f"{path.name}.before-*"):
        copy.unlink(missing_ok=True)
