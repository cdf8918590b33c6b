"""What was open: recent projects, the files that were open in each, and the one it showed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSettings

from commonplace.paths import StatePaths

MOST = 12


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that was open, and its first line in sight, from 1."""

    path: str
    line: int = 1


class Session:
    """Kept in the window's INI file; losing it loses nothing of value."""

    def __init__(self, paths: StatePaths) -> None:
        self._store = QSettings(str(paths.config / "window.ini"), QSettings.Format.IniFormat)

    @property
    def recent(self) -> tuple[Path, ...]:
        """Projects that were open, the latest first. Nobody looks whether they are still there."""
        return tuple(Path(name) for name in _texts(self._store.value("window/recent")))

    def add(self, root: Path) -> None:
        """Put `root` before the other recent projects."""
        rest = [path for path in self.recent if path != root]
        self._keep([root, *rest][:MOST])

    def drop(self, root: Path) -> None:
        """Take `root` out of the recent projects."""
        self._keep([path for path in self.recent if path != root])

    def clear(self) -> None:
        """Forget all recent projects and what they showed."""
        self._store.remove("window/recent")
        self._store.remove("open")

    def open_file(self, root: Path) -> OpenFile | None:
        """Return the file that was open in the project at `root`."""
        path = self._store.value(f"open/{_name(root)}/path")
        line = self._store.value(f"open/{_name(root)}/line")
        if not isinstance(path, str) or not path:
            return None
        return OpenFile(path, int(line) if str(line).isdigit() else 1)

    def keep_file(self, root: Path, file: OpenFile | None) -> None:
        """Remember `file` as open in the project at `root`, or that none is."""
        if file is None:
            self._store.remove(f"open/{_name(root)}")
        else:
            self._store.setValue(f"open/{_name(root)}/path", file.path)
            self._store.setValue(f"open/{_name(root)}/line", file.line)

    def open_files(self, root: Path) -> tuple[OpenFile, ...]:
        """Return all files that were open in the project at `root`, from left to right."""
        paths = _texts(self._store.value(f"open/{_name(root)}/paths"))
        lines = _texts(self._store.value(f"open/{_name(root)}/lines"))
        return tuple(
            OpenFile(path, int(line) if line.isdigit() else 1)
            for path, line in zip(paths, [*lines, *["1"] * len(paths)], strict=False)
        )

    def keep_files(self, root: Path, files: Sequence[OpenFile]) -> None:
        """Remember `files` as open in the project at `root`."""
        self._store.setValue(f"open/{_name(root)}/paths", [file.path for file in files])
        self._store.setValue(f"open/{_name(root)}/lines", [str(file.line) for file in files])

    def flush(self) -> None:
        """Write the file now."""
        self._store.sync()

    def _keep(self, paths: list[Path]) -> None:
        if paths:
            self._store.setValue("window/recent", [str(path) for path in paths])
        else:
            self._store.remove("window/recent")


def _texts(value: object) -> list[str]:
    """Return a list as the INI file gives it back: one text stands alone."""
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [text for text in values if isinstance(text, str) and text]


def _name(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
