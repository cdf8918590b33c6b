"""The file behind the catalogue of notes: a cache, made anew when it is damaged."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from commonplace.index.chunks import CHUNKER_VERSION
from commonplace.index.fingerprints import ALGORITHM
from commonplace.storage.database import BUSY_MS, set_journal

SCHEMA_VERSION = f"1.{CHUNKER_VERSION}.{ALGORITHM}"
FILE_NAME = "notes.db"
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    shelf TEXT NOT NULL, file TEXT NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, read_ns INTEGER NOT NULL,
    hash TEXT NOT NULL, own_id TEXT NOT NULL, id TEXT NOT NULL,
    title TEXT NOT NULL, status TEXT NOT NULL, origin TEXT NOT NULL,
    pinned INTEGER NOT NULL, author TEXT NOT NULL, created TEXT NOT NULL,
    tags TEXT NOT NULL, anchors TEXT NOT NULL, problems TEXT NOT NULL,
    broken INTEGER NOT NULL, recallable INTEGER NOT NULL,
    UNIQUE (shelf, file)
);
CREATE INDEX notes_id ON notes (id);
CREATE TABLE pieces (
    id INTEGER PRIMARY KEY AUTOINCREMENT, note INTEGER NOT NULL,
    start_line INTEGER NOT NULL, end_line INTEGER NOT NULL, key BLOB NOT NULL
);
CREATE INDEX pieces_note ON pieces (note);
CREATE INDEX pieces_key ON pieces (key);
CREATE VIRTUAL TABLE words USING fts5(
    title, tags, anchors, body, parts, tokenize='porter unicode61', prefix='2 3'
);
CREATE TABLE vectors (
    embedder TEXT NOT NULL, key BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, key)
) WITHOUT ROWID;
CREATE TABLE checks (
    note INTEGER NOT NULL, target TEXT NOT NULL, mark TEXT NOT NULL, path TEXT NOT NULL,
    version TEXT NOT NULL, state TEXT NOT NULL, found TEXT NOT NULL, PRIMARY KEY (note, target)
) WITHOUT ROWID;
CREATE INDEX checks_path ON checks (path);
"""
TABLES = ("notes", "pieces", "words", "vectors", "checks")


def open_catalogue(folder: Path | None) -> sqlite3.Connection:
    """Open the catalogue in `folder` for writing; a damaged or older one is made anew.

    Without a folder it lies in memory.
    """
    if folder is None:
        conn = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        conn.executescript(SCHEMA)
        return conn
    path = folder / FILE_NAME
    folder.mkdir(parents=True, exist_ok=True)
    if path.exists():
        found: sqlite3.Connection | None = None
        try:
            found = _connect(path)
            if _usable(found):
                return found
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "no such" not in str(error):
                if found is not None:
                    found.close()
                raise
        if found is not None:
            found.close()
    return create_catalogue(folder)


def create_catalogue(folder: Path | None) -> sqlite3.Connection:
    """Put an empty catalogue into `folder`; it is there whole or not at all."""
    if folder is None:
        return open_catalogue(None)
    path = folder / FILE_NAME
    for suffix in ("", "-wal", "-shm", ".new"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    new = path.with_name(f"{path.name}.new")
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = MEMORY")
        conn.executescript(SCHEMA)
        conn.execute("INSERT INTO meta VALUES ('schema', ?)", [SCHEMA_VERSION])
    new.replace(path)
    return _connect(path)


def open_reader(folder: Path | None) -> sqlite3.Connection | None:
    """Open the catalogue in `folder` for reading; None if there is none to be read."""
    if folder is None:
        return None
    path = folder / FILE_NAME
    try:
        conn = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False
        )
    except sqlite3.OperationalError:
        return None
    try:
        conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if _usable(conn, thorough=False):
            return conn
    except sqlite3.DatabaseError:
        pass
    conn.close()
    return None


def _connect(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        set_journal(conn, path)
        conn.execute("PRAGMA synchronous = NORMAL")
        # What a person deletes shall be gone from the pages too.
        conn.execute("PRAGMA secure_delete = ON")
    except BaseException:
        conn.close()
        raise
    return conn


def _usable(conn: sqlite3.Connection, *, thorough: bool = True) -> bool:
    row = conn.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    if row is None or row[0] != SCHEMA_VERSION:
        return False
    for table in TABLES:
        conn.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - constants
    return not thorough or conn.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
