"""What the catalogue keeps: its file, read and written under one lock, its errors in our words."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from commonplace.book.schema import open_catalogue, open_reader
from commonplace.errors import DamagedIndexError, StorageError
from commonplace.index.database import is_damage
from commonplace.storage.database import transaction


class CatalogueFile:
    """The file in `folder`, `writable` by one process alone; in memory without a folder."""

    def __init__(self, folder: Path | None, *, writable: bool = True) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._conn: sqlite3.Connection | None = None
        with self._errors():
            self._conn = open_catalogue(folder) if writable else open_reader(folder)

    def close(self) -> None:
        """Close the file; everything committed stays."""
        with self._lock:
            if self._conn is not None:
                self._conn.close()
            self._conn = None

    def scrub(self) -> None:
        """Leave nothing of deleted notes in the file: not in the word index, not in the log."""
        with self._lock, self._errors():
            conn = self._open()
            conn.execute("INSERT INTO words (words) VALUES ('optimize')")
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """Return the rows of a query; none where there is no catalogue yet."""
        with self._lock, self._errors():
            if self._conn is None:
                return []
            return self._conn.execute(query, values).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Commit everything in the block at once, or nothing of it."""
        with self._lock, self._errors(), transaction(self._open()) as conn:
            yield conn

    def _open(self) -> sqlite3.Connection:
        if self._conn is None:
            self._conn = open_catalogue(self._folder)
        return self._conn

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                raise DamagedIndexError(
                    f"The catalogue of notes in {self._folder} is damaged ({error}).",
                    "Try again: it is rebuilt from the notes.",
                ) from error
            raise StorageError(
                f"The catalogue of notes in {self._folder} cannot be used: {error}.",
                "Free some space or mend the folder's permissions; the notes are untouched.",
            ) from error
