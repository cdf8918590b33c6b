"""What only we know about notes: uses, events, baselines, and the journal of changes.

This database lies in the data folder and is truth: it cannot be rebuilt from
files. It is small, bounded, and deletes what is deleted: freed pages are
overwritten, and `forget` empties the write-ahead log. Several processes may
use it at the same time; each change is one transaction.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commonplace.errors import StorageError
from commonplace.storage.database import Migration, open_truth, transaction
from commonplace.storage.files import put_aside
from commonplace.storage.versions import drop_backups

FILE_NAME = "book.db"
MAX_JOURNAL = 500
MAX_JOURNAL_BYTES = 64 * 1024 * 1024
MAX_EVENTS = 500
EVENT_SECONDS = 90 * 86_400.0
MAX_SNAPSHOT = 64 * 1024
TELLING = 4
"""Characters below which a word says nothing about where it came from."""
MIGRATIONS: tuple[Migration, ...] = (
    (
        """CREATE TABLE uses (note TEXT NOT NULL, answer TEXT NOT NULL, at REAL NOT NULL,
            PRIMARY KEY (note, answer)) WITHOUT ROWID""",
        """CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL,
            data TEXT NOT NULL)""",
        """CREATE TABLE proposed (key TEXT PRIMARY KEY, note TEXT NOT NULL, at REAL NOT NULL)
            WITHOUT ROWID""",
        """CREATE TABLE baselines (note TEXT NOT NULL, target TEXT NOT NULL,
            fingerprint TEXT NOT NULL, PRIMARY KEY (note, target)) WITHOUT ROWID""",
        """CREATE TABLE snapshots (note TEXT NOT NULL, target TEXT NOT NULL,
            fingerprint TEXT NOT NULL, text TEXT NOT NULL,
            PRIMARY KEY (note, target)) WITHOUT ROWID""",
        """CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL,
            action TEXT NOT NULL, note TEXT NOT NULL, title TEXT NOT NULL, shelf TEXT NOT NULL,
            file TEXT NOT NULL, before BLOB, after TEXT NOT NULL)""",
    ),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a note's file: what it was before (None: not there), and its hash after."""

    id: int
    at: float
    action: str
    note: str
    title: str
    shelf: str
    file: str
    before: bytes | None
    after: str


@dataclass(frozen=True, slots=True)
class Uses:
    """How many answers a note helped, and when it last did, in seconds since 1970."""

    count: int = 0
    last: float = 0.0


class Records:
    """The database of one project's book in `folder`; made when it is first needed.

    Raises `StorageError` when the folder cannot be written. `note` says when a
    damaged database had to be set aside.
    """

    def __init__(self, folder: Path, migrations: Sequence[Migration] = MIGRATIONS) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._migrations = migrations
        self._lock = threading.RLock()
        self._conn: sqlite3.Connection | None = None
        self.note = ""

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            if self._conn is not None:
                self._conn.close()
            self._conn = None

    def used(self, notes: Iterable[str], answer: str) -> None:
        """Count that an answer was helped by these notes, once for each."""
        with self._writing() as conn:
            rows = [(note, answer, time.time()) for note in notes]
            conn.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?, ?)", rows)

    def uses(self) -> dict[str, Uses]:
        """Return the uses of every note that has any."""
        query = "SELECT note, count(*), max(at) FROM uses GROUP BY note"
        return {note: Uses(count, last) for note, count, last in self._rows(query)}

    def add_event(self, at: float, data: dict[str, Any]) -> None:
        """Remember something that happened; old events and too many of them go."""
        with self._writing() as conn:
            conn.execute("INSERT INTO events (at, data) VALUES (?, ?)", [at, json.dumps(data)])
            conn.execute(
                "DELETE FROM events WHERE at < ? OR id NOT IN "
                "(SELECT id FROM events ORDER BY id DESC LIMIT ?)",
                [at - EVENT_SECONDS, MAX_EVENTS],
            )

    def events(self) -> list[dict[str, Any]]:
        """Return what is remembered, the oldest first."""
        rows = self._rows("SELECT data FROM events ORDER BY id")
        return [json.loads(row[0]) for row in rows]

    def forget_events(self, holding: str = "") -> None:
        """Forget all events, or those whose words hold `holding`."""
        with self._writing() as conn:
            if not holding:
                conn.execute("DELETE FROM events")
                return
            rows = conn.execute("SELECT id, data FROM events").fetchall()
            gone = [(i,) for i, data in rows if _holds(json.loads(data), holding)]
            conn.executemany("DELETE FROM events WHERE id = ?", gone)

    def forget_events_of(self, conversation: str) -> None:
        """Forget what one conversation left; its answers are named ``CONVERSATION/…``."""
        with self._writing() as conn:
            rows = conn.execute("SELECT id, data FROM events").fetchall()
            gone = [
                (number,)
                for number, data in rows
                if str(json.loads(data).get("answer", "")).startswith(f"{conversation}/")
            ]
            conn.executemany("DELETE FROM events WHERE id = ?", gone)

    def proposed(self) -> set[str]:
        """Return the keys of all drafts that were ever proposed."""
        return {row[0] for row in self._rows("SELECT key FROM proposed")}

    def add_proposed(self, key: str, note: str) -> None:
        """Remember that a draft was proposed, so that it is not proposed again."""
        with self._writing() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO proposed VALUES (?, ?, ?)", [key, note, time.time()]
            )

    def baselines(self) -> dict[tuple[str, str], str]:
        """Return the fingerprints first seen for anchors that carry none: (note, target) → it."""
        return {(n, t): f for n, t, f in self._rows("SELECT * FROM baselines")}

    def set_baselines(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Remember fingerprints: (note, target, fingerprint)."""
        with self._writing() as conn:
            conn.executemany("INSERT OR REPLACE INTO baselines VALUES (?, ?, ?)", rows)

    def drop_baselines(self, note: str) -> None:
        """Forget what a note's anchors were like: they are read anew."""
        with self._writing() as conn:
            conn.execute("DELETE FROM baselines WHERE note = ?", [note])
            conn.execute("DELETE FROM snapshots WHERE note = ?", [note])

    def snapshots(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Return what anchored code said: (note, target) → (fingerprint, text)."""
        return {(n, t): (f, s) for n, t, f, s in self._rows("SELECT * FROM snapshots")}

    def set_snapshots(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        """Remember what anchored code says: (note, target, fingerprint, text)."""
        with self._writing() as conn:
            kept = [row for row in rows if len(row[3]) <= MAX_SNAPSHOT]
            conn.executemany("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?)", kept)

    def add_change(self, change: Change) -> int:
        """Note a change before it is made; returns its number."""
        with self._writing() as conn:
            done = conn.execute(
                "INSERT INTO journal (at, action, note, title, shelf, file, before, after) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [change.at, change.action, change.note, change.title, change.shelf,
                 change.file, change.before, change.after],
            )  # fmt: skip
            number = int(done.lastrowid or 0)
            self._rotate(conn)
        return number

    def changes(self, limit: int = 50, note: str = "") -> list[Change]:
        """Return the latest changes, the last first; of one note, if it is named."""
        where = "WHERE note = ?" if note else ""
        values = [note, limit] if note else [limit]
        rows = self._rows(f"SELECT * FROM journal {where} ORDER BY id DESC LIMIT ?", values)  # noqa: S608
        return [Change(*row) for row in rows]

    def drop_change(self, number: int) -> None:
        """Take a change out of the journal: it was undone, or never made."""
        with self._writing() as conn:
            conn.execute("DELETE FROM journal WHERE id = ?", [number])

    def forget(self, note: str, words: Iterable[str]) -> None:
        """Forget everything about a note, so that no byte of it is left here.

        Events that hold one of `words` are what it was made from.
        """
        with self._writing() as conn:
            for table in ("uses", "baselines", "snapshots", "journal"):
                conn.execute(f"DELETE FROM {table} WHERE note = ?", [note])  # noqa: S608
            conn.execute("UPDATE proposed SET note = '' WHERE note = ?", [note])
        for some in (word for word in words if len(word) >= TELLING):
            self.forget_events(some)
        for aside in put_aside(self._path):
            aside.unlink(missing_ok=True)  # nobody can tell what a damaged copy holds
        drop_backups(self._path)
        self.scrub()

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the file or its write-ahead log."""
        with self._lock, self._errors():
            conn = self._open()
            conn.execute("VACUUM")
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _rotate(self, conn: sqlite3.Connection) -> None:
        conn.execute(
            "DELETE FROM journal WHERE id NOT IN (SELECT id FROM journal ORDER BY id DESC LIMIT ?)",
            [MAX_JOURNAL],
        )
        sizes = conn.execute(
            "SELECT id, coalesce(length(before), 0) FROM journal ORDER BY id DESC"
        ).fetchall()
        total = 0
        for number, size in sizes:
            total += size
            if total > MAX_JOURNAL_BYTES and number != sizes[0][0]:
                conn.execute("DELETE FROM journal WHERE id <= ?", [number])
                return

    def _rows(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._errors():
            if self._conn is None and not self._path.exists():
                return []
            return self._open().execute(query, list(values)).fetchall()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._errors(), transaction(self._open()) as conn:
            yield conn

    def _open(self) -> sqlite3.Connection:
        if self._conn is None:
            self._conn, aside = open_truth(self._path, self._migrations)
            if aside is not None:
                self.note = (
                    f"The record of uses and changes was damaged and is set aside as {aside.name}; "
                    "the notes themselves are untouched."
                )
        return self._conn

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                f"The record of notes in {self._folder} cannot be used: {error}.",
                "Free some space or mend the folder's permissions; the notes are untouched.",
            ) from error


def _holds(data: Any, words: str) -> bool:
    if isinstance(data, str):
        return words in data
    if isinstance(data, dict):
        return any(_holds(item, words) for item in data.values())
    if isinstance(data, list):
        return any(_holds(item, words) for item in data)
    return False
