"""The file behind the index: opened, checked, created anew, and its errors told apart.

A database that is damaged, or written by another version, is set aside and
made anew: it holds nothing that the project does not.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from sqlite_utils import Database

from commonplace.errors import DamagedIndexError, StorageError
from commonplace.index.chunks import CHUNKER_VERSION
from commonplace.storage.database import BUSY_MS, set_journal

SCHEMA_VERSION = f"1.{CHUNKER_VERSION}"
FILE_NAME = "index.db"
CHECKED_FIRST = 256 << 20
"""Bytes of an index that is checked before it is used: about a second."""
DAMAGED = "The index was damaged and is being rebuilt."
OTHER_VERSION = "The index is of another version and is being rebuilt."
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    read_ns INTEGER NOT NULL,
    hash BLOB NOT NULL,
    language TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id INTEGER NOT NULL REFERENCES files (id),
    start_line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    kind TEXT NOT NULL,
    symbol TEXT NOT NULL,
    defines TEXT NOT NULL,
    refers BLOB NOT NULL,
    text BLOB NOT NULL,
    comments BLOB NOT NULL,
    key BLOB NOT NULL
);
CREATE INDEX chunks_file ON chunks (file_id);
CREATE INDEX chunks_key ON chunks (key);
CREATE TABLE names (
    name TEXT NOT NULL, chunk_id INTEGER NOT NULL, PRIMARY KEY (name, chunk_id)
) WITHOUT ROWID;
CREATE INDEX names_chunk ON names (chunk_id);
CREATE TABLE vectors (
    embedder TEXT NOT NULL, key BLOB NOT NULL, vector BLOB NOT NULL, PRIMARY KEY (embedder, key)
) WITHOUT ROWID;
CREATE TABLE offers (
    key TEXT NOT NULL, name TEXT NOT NULL, file_id INTEGER NOT NULL, declared INTEGER NOT NULL,
    PRIMARY KEY (key, name, file_id, declared)
) WITHOUT ROWID;
CREATE INDEX offers_file ON offers (file_id);
CREATE TABLE imports (
    id INTEGER PRIMARY KEY,
    file_id INTEGER NOT NULL,
    line INTEGER NOT NULL,
    target TEXT NOT NULL,
    hops INTEGER NOT NULL,
    linked INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX imports_file ON imports (file_id);
CREATE INDEX imports_open ON imports (id) WHERE linked = 0;
CREATE TABLE import_keys (
    key TEXT NOT NULL, import_id INTEGER NOT NULL, PRIMARY KEY (key, import_id)
) WITHOUT ROWID;
CREATE INDEX import_keys_import ON import_keys (import_id);
CREATE TABLE links (
    -- In the order of the key: SQLite 3.40 checks such tables wrongly in any other.
    import_id INTEGER NOT NULL, to_file INTEGER NOT NULL, from_file INTEGER NOT NULL,
    PRIMARY KEY (import_id, to_file)
) WITHOUT ROWID;
CREATE INDEX links_from ON links (from_file, to_file);
CREATE INDEX links_to ON links (to_file, from_file);
CREATE VIRTUAL TABLE words USING fts5(
    path, symbol, body, parts, comments,
    content='', tokenize='porter unicode61'
);
"""
TABLES = (
    "files",
    "chunks",
    "names",
    "offers",
    "imports",
    "import_keys",
    "links",
    "vectors",
    "words",
)


def open_database(path: Path) -> tuple[Database, str]:
    """Open the index at `path` for writing, and say why one that was there is not used."""
    if not path.exists():
        return create_database(path), ""
    db: Database | None = None
    try:
        db = _connect(path)
        wrong = _wrong_with(db, path)
    except sqlite3.Error as error:
        if not is_damage(error):  # a full disk, say, is no reason to throw the index away
            if db is not None:
                db.close()
            raise
        wrong = DAMAGED
    if db is not None and not wrong:
        return db, ""
    if db is not None:
        db.close()
    return create_database(path), wrong


def create_database(path: Path) -> Database:
    """Put an empty index in place of what is at `path`; it is there whole or not at all."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = MEMORY")
        conn.executescript(SCHEMA)
        conn.execute("INSERT INTO meta VALUES ('schema', ?)", [SCHEMA_VERSION])
    new.replace(path)
    return _connect(path)


def _connect(path: Path) -> Database:
    conn = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        set_journal(conn, path)
        conn.execute("PRAGMA synchronous = NORMAL")
        conn.execute("PRAGMA cache_size = -65536")
    except BaseException:
        conn.close()
        raise
    return Database(conn)


def _wrong_with(db: Database, path: Path) -> str:
    """Check the version and the pages; returns why the index cannot be used, or nothing."""
    row = db.conn.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    if row is None or row[0] != SCHEMA_VERSION:
        return OTHER_VERSION
    for table in TABLES:
        db.conn.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - constants
    if is_large(path):
        return ""  # and `check_pages` comes later
    return "" if check_pages(db.conn) else DAMAGED


def is_large(path: Path) -> bool:
    """Return whether the index at `path` takes so long to check that it is used before."""
    return path.stat().st_size > CHECKED_FIRST


def check_pages(conn: sqlite3.Connection) -> bool:
    """Look at every page; returns whether all are sound."""
    return bool(conn.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the index at `path` for reading only."""
    conn = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    conn.execute("PRAGMA query_only = ON")
    return conn


def is_begun(folder: Path) -> bool:
    """Return whether the index in `folder` has its tables, so that it can be read."""
    try:
        with contextlib.closing(open_reader(folder / FILE_NAME)) as conn:
            found = conn.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    except sqlite3.OperationalError:
        return False
    return found is not None and found[0] == SCHEMA_VERSION


def is_damage(error: Exception) -> bool:
    """Return whether `error` says that the database is not what was written.

    Its subclasses tell of the machine (`OperationalError`) or of our mistakes.
    """
    broken = ("no such ", "invalid fts5 file format")
    missing = isinstance(error, sqlite3.OperationalError) and any(b in str(error) for b in broken)
    return missing or type(error) in {sqlite3.DatabaseError, sqlite3.IntegrityError}


def storage_error(error: Exception, folder: Path) -> StorageError:
    """Say what the machine refused, and what helps."""
    text = str(error).lower()
    if is_damage(error):
        return DamagedIndexError(
            f"The index in {folder} is damaged ({error}).",
            "Try again: it is rebuilt from the project. Delete that folder if this comes back.",
        )
    if "full" in text or "no space" in text:
        return StorageError(
            f"The disk that holds {folder} is full.",
            "Free some space; indexing goes on where it stopped.",
        )
    refused = ("readonly", "read-only", "permission", "unable to open")
    if isinstance(error, OSError) or any(word in text for word in refused):
        return StorageError(
            f"The state folder {folder} cannot be written ({error}).",
            "Mend its permissions, or set COMMONPLACE_HOME to another folder.",
        )
    return StorageError(
        f"The index in {folder} cannot be used ({error}).",
        "Delete that folder; it is rebuilt from the project.",
    )
