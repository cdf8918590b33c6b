"""The file behind the conversations of a project: its schema, and its words for the user.

It is truth, so nothing here rebuilds it (`commonplace.storage`). What is deleted is
overwritten (``secure_delete``); `scrub` does the same for the words of the search and
for the write-ahead log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from commonplace.errors import StorageError
from commonplace.storage.database import Migration, is_damage, open_truth
from commonplace.storage.files import put_aside
from commonplace.storage.versions import drop_backups

FILE_NAME = "conversations.db"
REMEDY = "Free some space or mend the folder's permissions; what is written there stays."

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

    Raises `StorageError` for a folder that cannot be written, and `NewerDataError`.
    """
    try:
        conn, aside = open_truth(folder / FILE_NAME, migrations)
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, folder) from error
    if aside is None:
        return conn, ""
    return conn, (
        f"The file of the conversations was damaged. It is kept as {aside.name} in {folder}, "
        "and new conversations go into a new file."
    )


def scrub(conn: sqlite3.Connection, path: Path) -> None:
    """Leave nothing of what was deleted: neither in the words, nor the log, nor a backup."""
    # FTS5 only marks a deleted row; its words go when the segments are merged.
    conn.execute("INSERT INTO words (words) VALUES ('optimize')")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    drop_backups(path)


def set_aside(folder: Path) -> list[Path]:
    """Return the damaged files that were kept; they may hold what was deleted since."""
    return put_aside(folder / FILE_NAME)


def storage_error(error: Exception, folder: Path) -> StorageError:
    """Say what the machine refused, and what helps."""
    if is_damage(error):
        return StorageError(
            f"The conversations in {folder} are damaged ({error}).",
            "Start Commonplace again: it sets the file aside and begins a new one.",
        )
    return StorageError(f"The conversations in {folder} cannot be used: {error}.", REMEDY)
