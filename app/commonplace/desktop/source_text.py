"""Reads a project file for showing: bounded, decoded, with nothing hidden in it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from commonplace.desktop.visible import one_line, visible
from commonplace.errors import ProjectError

MAX_BYTES = 2 * 1024 * 1024
MAX_LINE = 4000
SNIFFED = 8192


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file as the code view shows it."""

    path: str
    text: str


def read_source(root: Path, path: str) -> SourceText:
    """Return the file `path` of the project at `root`.

    Raises `ProjectError` for what cannot be shown: a missing, binary, special
    or too large file, or one outside the project.
    """
    name = one_line(path)
    try:
        target = (root / path).resolve(strict=True)
        if not target.is_relative_to(root.resolve()):
            raise ProjectError(f"{name} leads out of the project.", "Open it in your editor.")
        data = _bytes_of(target, name)
    except FileNotFoundError as error:
        raise ProjectError(
            f"{name} is no longer there.", "The index learns of it shortly; ask again."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(f"{name} cannot be read: {reason}.", "Check its permissions.") from error
    if b"\0" in data[:SNIFFED]:
        raise ProjectError(f"{name} is not text.", "Open it in a program made for it.")
    lines = visible(data.decode("utf-8-sig", "replace")).split("\n")
    return SourceText(path, "\n".join(_short(line) for line in lines))


def _bytes_of(target: Path, name: str) -> bytes:
    handle = os.open(target, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ProjectError(f"{name} is not a file.", "Choose another one.")
        if about.st_size > MAX_BYTES:
            size = about.st_size / 1024 / 1024
            raise ProjectError(
                f"{name} is too large to show here ({size:,.1f} MiB).", "Open it in your editor."
            )
        return file.read(MAX_BYTES)


def _short(line: str) -> str:
    if len(line) <= MAX_LINE:
        return line
    return f"{line[:MAX_LINE]} … ({len(line):,} characters, cut here)"


def locate(text: str, wanted: str, start: int, end: int) -> tuple[int, int] | None:
    """Return the lines where `wanted` stands in `text`, expected at ``start``-``end``.

    A file may have changed since the passage was found; then the passage is
    looked for elsewhere. None if it is nowhere.
    """
    lines = text.split("\n")
    wanted_lines = visible(wanted).strip("\n").split("\n")
    if not wanted_lines[0] or lines[start - 1 : end] == wanted_lines:
        return (start, end) if start <= len(lines) else None
    size = len(wanted_lines)
    starts = [i for i, line in enumerate(lines) if line == wanted_lines[0]]
    hits = [i + 1 for i in starts if lines[i : i + size] == wanted_lines]
    if not hits:
        return None
    nearest = min(hits, key=lambda line: abs(line - start))
    return nearest, nearest + size - 1
