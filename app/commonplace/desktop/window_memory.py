"""What a window remembers from one start to the next: its shape and the last project."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings

from commonplace.paths import StatePaths


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

    def flush(self) -> None:
        """Write the file now."""
        self._store.sync()
