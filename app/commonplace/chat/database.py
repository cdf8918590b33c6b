"""The file behind the conversations of a project: opened, migrated, never thrown away.

It is truth, so nothing here rebuilds it. Before a schema migration the file is
copied beside itself; a file of a newer program is refused and left alone; a
damaged one is set aside with all that belongs to it, and an empty one takes its
place. What is deleted is overwritten (``secure_delete``); `scrub` does the same
for the words of the search and for the write-ahead log.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

from commonplace.errors import StorageError

FILE_NAME = "conversations.db"
BUSY_MS = 10_000
REMEDY = "Free some space or mend the folder's permissions; what is written there stays."

Migration = Sequence[str]
"""The statements that lead from one version of the schema to the next."""

MIGRATIONS: tuple[Migration, ...] = (
    (
        """CREATE TABLE conversations (
            id TEXT PRIMARY KEY, title TEXT NOT NULL, pinned INTEGER NOT NULL DEFAULT 0,
            created REAL NOT NULL, updated REAL NOT NULL,
            leaf INTEGER NOT NULL DEFAULT 0, removed REAL NOT NULL DEFAULT 0
        ) WITHOUT ROWID""",
        # The number of a message is the time it was written in nanoseconds, so the
        # newest come first in the order of the key, and that order costs nothing.
        """CREATE TABLE messages (
            id INTEGER PRIMARY KEY, conversation TEXT NOT NULL, parent INTEGER NOT NULL,
            role TEXT NOT NULL, text TEXT NOT NULL, model TEXT NOT NULL, finish TEXT NOT NULL
        )""",
        "CREATE INDEX messages_conversation ON messages (conversation)",
        # What an answer rests on is large and seldom read: JSON, packed by zlib.
        "CREATE TABLE details (message INTEGER PRIMARY KEY, data BLOB NOT NULL)",
        "CREATE TABLE drafts (conversation TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """CREATE VIRTUAL TABLE words USING fts5(
            body, parts, content='', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
        )""",
    ),
)


def open_database(
    folder: Path, migrations: Sequence[Migration] = MIGRATIONS
) -> tuple[sqlite3.Connection, str]:
    """Open the conversations in `folder` and say what the user should know of it.

    Raises `StorageError` for a folder that cannot be written and for a file that
    a newer program wrote.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return _opened(path, migrations), ""
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
        aside = _set_aside(path)
        return _opened(path, migrations), (
            f"The file of the conversations was damaged. It is kept as {aside.name} in {folder}, "
            "and new conversations go into a new file."
        )
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, folder) from error


def scrub(conn: sqlite3.Connection, path: Path) -> None:
    """Leave nothing of what was deleted: neither in the words, nor the log, nor a backup."""
    # FTS5 only marks a deleted row; its words go when the segments are merged.
    conn.execute("INSERT INTO words (words) VALUES ('optimize')")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for backup in path.parent.glob(f"{path.name}.before-*"):
        backup.unlink(missing_ok=True)


def set_aside(folder: Path) -> list[Path]:
    """Return the damaged files that were kept; they may hold what was deleted since."""
    return sorted(folder.glob(f"{FILE_NAME}.damaged-*"))


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether `error` says that the file is not what was written.

    Subclasses of `DatabaseError` tell of the machine or of our mistakes.
    """
    return type(error) is sqlite3.DatabaseError


def storage_error(error: Exception, folder: Path) -> StorageError:
    """Say what the machine refused, and what helps."""
    if isinstance(error, sqlite3.Error) and is_damage(error):
        return StorageError(
            f"The conversations in {folder} are damaged ({error}).",
            "Start Commonplace again: it sets the file aside and begins a new one.",
        )
    return StorageError(f"The conversations in {folder} cannot be used: {error}.", REMEDY)


def _opened(path: Path, migrations: Sequence[Migration]) -> sqlite3.Connection:
    conn = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        version = _known_version(conn, path, len(migrations))
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = FULL")
        conn.execute("PRAGMA secure_delete = ON")
        if version:
            found = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(str(found))  # noqa: TRY301 - as SQLite says it elsewhere
        _migrate(conn, path, migrations)
    except BaseException:
        conn.close()
        raise
    return conn


def _migrate(conn: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    while (version := _version(conn)) < len(migrations):
        if version:
            _back_up(conn, path.with_name(f"{path.name}.before-{version + 1}"))
        conn.execute("BEGIN IMMEDIATE")
        try:
            if _version(conn) == version:  # another process may have been first
                for statement in migrations[version]:
                    conn.execute(statement)
                conn.execute(f"PRAGMA user_version = {version + 1}")
        except BaseException:
            conn.execute("ROLLBACK")
            raise
        conn.execute("COMMIT")


def _back_up(conn: sqlite3.Connection, target: Path) -> None:
    new = target.with_name(f"{target.name}.new")
    new.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(new)) as copy:
        conn.backup(copy)
    new.replace(target)


def _version(conn: sqlite3.Connection) -> int:
    return int(conn.execute("PRAGMA user_version").fetchone()[0])


def _known_version(conn: sqlite3.Connection, path: Path, newest: int) -> int:
    version = _version(conn)
    if version > newest:
        raise StorageError(
            f"{path} was written by a newer version of Commonplace.",
            "Use that version; the file is left as it is.",
        )
    return version


def _set_aside(path: Path) -> Path:
    """Move the file away together with its log, so that a tool may still mend it."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside
