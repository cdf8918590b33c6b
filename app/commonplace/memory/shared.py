"""A project that another process has open."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from commonplace.book.book import Book
from commonplace.errors import ProjectBusyError
from commonplace.index.codeplaces import NamePlaces
from commonplace.index.database import FILE_NAME, is_begun, open_reader, storage_error
from commonplace.index.structure import places_of
from commonplace.index.vectors import VectorTable, load_table
from commonplace.memory.joining import Sources, notes_for, with_notes
from commonplace.memory.learning import Learning
from commonplace.memory.readers import embedder_or_note
from commonplace.paths import StatePaths
from commonplace.recall.passages import Found, Passage
from commonplace.recall.search import search
from commonplace.workspace.project import Workspace


class SharedMemory:
    """A project that another process has open: search what that one has indexed."""

    def __init__(
        self, root: Path, state: StatePaths, *, embedder: str = "built-in", adapter: str = "auto"
    ) -> None:
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
            self.book = Book(self.workspace.root, state, self._folder, writable=False)
            if self._embedder is not None:
                self.book.catalogue.use(self._embedder)
            adapted = self._embedder if adapter == "auto" else None
            self._learned = Learning(self.workspace.root, self._folder, adapted).learned
        except sqlite3.Error as error:
            raise storage_error(error, self._folder) from error

    def close(self) -> None:
        """Close the connections."""
        self.book.close()
        self._conn.close()

    def search(self, question: str, limit: int) -> Found:
        """Return the passages that match `question` best."""
        try:
            found = search(
                question,
                limit,
                self._conn,
                self.workspace.read,
                embedder=self._embedder,
                vectors=self._vectors,
                learned=self._learned,
            )
            return with_notes(found, limit, self._sources())
        except sqlite3.Error as error:
            raise storage_error(error, self._folder) from error

    def search_notes(self, question: str, limit: int) -> list[Passage]:
        """Return the kept notes that have to do with `question`, best first."""
        try:
            return notes_for(question, limit, self._sources())
        except sqlite3.Error as error:
            raise storage_error(error, self._folder) from error

    def places(self, name: str, limit: int) -> NamePlaces:
        """Return where `name` is defined and used."""
        try:
            return places_of(self._conn, name, limit)
        except sqlite3.Error as error:
            raise storage_error(error, self._folder) from error

    def files(self) -> list[str]:
        """Return the paths that can be searched, sorted."""
        query = "SELECT path FROM files WHERE reason = '' ORDER BY path"
        try:
            return [row[0] for row in self._conn.execute(query)]
        except sqlite3.Error as error:
            raise storage_error(error, self._folder) from error

    def _sources(self) -> Sources:
        read = self.workspace.read
        return Sources(self.book, self._conn, read, self._embedder, self._vectors)
