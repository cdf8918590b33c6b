"""The project's code as anchors need it: texts, who defines what, and versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from commonplace.index.rows import content_hash
from commonplace.index.text import NotTextError, decode
from commonplace.index.words import SEPARATORS, whole_form


class Code(Protocol):
    """What a check asks of a project."""

    def read(self, path: str) -> str | None:
        """Return the text of a file as it is now; None if it is gone or no text."""

    def version(self, path: str) -> str:
        """Return what changes when the file's content does; nothing if that is not known."""

    def files(self) -> Collection[str]:
        """Return the paths of all files."""

    def named(self, name: str) -> Sequence[str]:
        """Return the files that define something whose last name is that of `name`."""

    def generation(self) -> str:
        """Return what changes when anything in the project does."""


class IndexedCode:
    """A project seen through its index, and read from the disk."""

    def __init__(self, conn: sqlite3.Connection, read: Callable[[str], bytes]) -> None:
        self._conn = conn
        self._read = read
        self._versions: dict[str, str] | None = None

    def read(self, path: str) -> str | None:
        """Return the text of a file as it is now; None if it is gone or no text."""
        try:
            return decode(self._read(path))
        except (OSError, NotTextError):
            return None

    def version(self, path: str) -> str:
        """Return the content address of the file that the index knows."""
        if self._versions is None:
            rows = self._conn.execute("SELECT path, hash FROM files WHERE reason = ''")
            self._versions = {row[0]: row[1].hex() for row in rows}
        return self._versions.get(path, "")

    def files(self) -> Collection[str]:
        """Return the paths that are searched."""
        self.version("")
        assert self._versions is not None
        return self._versions

    def named(self, name: str) -> Sequence[str]:
        """Return the files that define something whose last name is that of `name`."""
        last = whole_form(SEPARATORS.split(name)[-1])
        rows = self._conn.execute(
            "SELECT DISTINCT f.path FROM names n JOIN chunks c ON c.id = n.chunk_id "
            "JOIN files f ON f.id = c.file_id WHERE n.name = ? ORDER BY f.path LIMIT 200",
            [last],
        )
        return [row[0] for row in rows]

    def generation(self) -> str:
        """Return what changes when anything in the project does."""
        self.version("")
        assert self._versions is not None
        return content_hash("\n".join(sorted(self._versions.values())).encode()).hex()
