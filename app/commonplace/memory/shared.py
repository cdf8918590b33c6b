"""A project that another process has open."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from commonplace.errors import ProjectBusyError
from commonplace.index.database import FILE_NAME, is_begun, open_reader, storage_error
from commonplace.index.vectors import VectorTable, load_table
from commonplace.memory.readers import embedder_or_note
from commonplace.paths import StatePaths
from commonplace.recall.passages import Found
from commonplace.recall.search import search
from commonplace.workspace.project import Workspace


class SharedMemory:
    """A project that another process has open: search what that one has indexed."""

    def __init__(self, root: Path, state: StatePaths, *, embedder: str = "built-in") -> None:
        self.workspace = Workspace(root)
        self._folder = state.project_cache(self.workspace.root)
        if not is_begun(self._folder):
            raise ProjectBusyError(
                f"{root} is being opened by another window or command.",
                "It can be searched in a moment; try again.",
            )
        try:
            self._conn = open_reader(self._folder / FILE_NAME)
            self._embedder, self.note = embedder_or_note(embedder, state, None)
            self._vectors: VectorTable | None = None
            if self._embedder is not None:
                self._vectors = load_table(self._conn, self._embedder.id, self._embedder.dimensions)
        except sqlite3.Error as error:
            raise storage_error(error, self._folder) from error

    def close(self) -> None:
        """Close the connection."""
        self._conn.close()

    def search(self, question: str, limit: int) -> Found:
        """Return the passages that match `question` best."""
        try:
            return search(
                question,
                limit,
                self._conn,
                self.workspace.read,
                embedder=self._embedder,
                vectors=self._vectors,
            )
        except sqlite3.Error as error:
            raise storage_error(error, self._folder) from error
