"""Reads a project file for showing: bounded, decoded, with nothing hidden in it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from commonplace.desktop.find_text import pieces_of
from commonplace.desktop.numbers import number_words
from commonplace.desktop.visible import one_line, visible
from commonplace.errors import ProjectError

MAX_BYTES = 32 * 1024 * 1024
MAX_LINE = 4000
PIECE = 128 * 1024
"""Characters prepared in one go, so that a large file holds up no other thread."""
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
        data = _bytes_of(inside(root, path), name)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error
    if b"\0" in data[:SNIFFED]:
        raise ProjectError(f"{name} is not text.", "Open it in a program made for it.")
    return SourceText(path, as_shown(data.decode("utf-8-sig", "replace")))


def inside(root: Path, path: str) -> Path:
    """Return where the file `path` of the project at `root` really is.

    Raises `ProjectError` if it is missing or leads out of the project.
    """
    name = one_line(path)
    try:
        target = (root / path).resolve(strict=True)
        within = target.is_relative_to(root.resolve())
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error
    if not within:
        raise ProjectError(f"{name} leads out of the project.", "Open it in your editor.")
    return target


def as_shown(text: str) -> str:
    """Return `text` as the code view shows it: nothing hidden, and no endless line."""
    return "".join(_shown(piece) for piece in pieces_of(text, PIECE))


def _shown(piece: str) -> str:
    lines = visible(piece).split("\n")
    if max(map(len, lines)) <= MAX_LINE:
        return "\n".join(lines)
    return "\n".join(_short(line) for line in lines)


def _unreadable(name: str, error: Exception) -> ProjectError:
    if isinstance(error, FileNotFoundError):
        return ProjectError(
            f"{name} is no longer there.", "The index learns of it shortly; ask again."
        )
    reason = getattr(error, "strerror", None) or str(error)
    return ProjectError(f"{name} cannot be read: {reason}.", "Check its permissions.")


def _bytes_of(target: Path, name: str) -> bytes:
    handle = os.open(target, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ProjectError(f"{name} is not a file.", "Choose another one.")
        if about.st_size > MAX_BYTES:
            size = about.st_size / 1024 / 1024
            raise ProjectError(
                f"{name} is too large to show here ({number_words(size, ',.1f')} MiB).",
                "Open it in your editor.",
            )
        return file.read(MAX_BYTES)


def _short(line: str) -> str:
    if len(line) <= MAX_LINE:
        return line
    cut = QCoreApplication.translate("SourceText", "… ({0} characters, cut here)")
    return f"{line[:MAX_LINE]} {cut.format(number_words(len(line)))}"


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
