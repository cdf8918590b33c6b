"""What a window remembers from one start to the next: its shape, drafts, the last project."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

from commonplace.paths import StatePaths

MAX_DRAFT = 20_000


class WindowMemory:
    """A small INI file in the config folder; losing it loses nothing of value."""

    def __init__(self, paths: StatePaths) -> None:
        file = paths.config / "window.ini"
        self._store = QSettings(str(file), QSettings.Format.IniFormat)

    def bytes_of(self, key: str) -> QByteArray:
        """Return what `keep_bytes` kept under `key`, or nothing."""
        value = self._store.value(f"window/{key}")
        return value if isinstance(value, QByteArray) else QByteArray()

    def keep_bytes(self, key: str, value: QByteArray) -> None:
        """Keep a geometry or a splitter's state."""
        self._store.setValue(f"window/{key}", value)

    @property
    def last_project(self) -> Path | None:
        """The project that was open last."""
        value = self._store.value("window/last_project")
        return Path(value) if isinstance(value, str) and value else None

    def keep_project(self, root: Path) -> None:
        """Remember the open project."""
        self._store.setValue("window/last_project", str(root))

    def draft(self, root: Path) -> str:
        """Return the question that was typed but not sent in project `root`."""
        value = self._store.value(f"drafts/{_name(root)}")
        return value if isinstance(value, str) else ""

    def keep_draft(self, root: Path, text: str) -> None:
        """Keep an unsent question."""
        if text.strip():
            self._store.setValue(f"drafts/{_name(root)}", text[:MAX_DRAFT])
        else:
            self._store.remove(f"drafts/{_name(root)}")

    def flush(self) -> None:
        """Write the file now."""
        self._store.sync()


def _name(root: Path) -> str:
    return hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
