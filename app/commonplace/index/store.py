"""The index of one project: a SQLite file that can always be rebuilt.

``files`` says what was read and when, ``chunks`` holds the text that can be
returned, ``words`` its words (a contentless FTS5 table, so the text is stored
once), ``names`` which chunk defines what, and ``vectors`` the embeddings by
content address, so that a rename or a branch switch finds them again.

The store is written by one thread of one process; readers open their own
connections (`Store.reader`). A database that is damaged, or written by
another version, is set aside and rebuilt: it holds nothing that the project
does not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from commonplace.errors import DamagedIndexError, StorageError
from commonplace.index.chunks import CHUNKER_VERSION, Chunk, embedded_text
from commonplace.index.words import SEPARATORS, compound_forms, name_forms
from commonplace.workspace.files import FileStat, Skipped

SCHEMA_VERSION = f"1.{CHUNKER_VERSION}"
FILE_NAME = "index.db"
BUSY_MS = 10_000
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
CREATE VIRTUAL TABLE words USING fts5(
    path, symbol, body, parts, comments,
    content='', tokenize='porter unicode61'
);
"""
TABLES = ("files", "chunks", "names", "vectors", "words")


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the index knows of a file; `reason` says why it has no chunks."""

    id: int
    stat: FileStat
    read_ns: int
    hash: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class FileContent:
    """What is stored for one file: its chunks, or the reason why there are none."""

    stat: FileStat
    read_ns: int
    hash: bytes
    language: str
    reason: str
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk as recall sees it."""

    id: int
    path: str
    language: str
    start_line: int
    end_line: int
    kind: str
    symbol: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk is and what it is, without its text."""

    path: str
    kind: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A chunk that waits for its vector; `text` is what will be embedded."""

    id: int
    key: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much can be searched now."""

    files: int
    chunks: int
    skipped: int


class Store:
    """The writer of one project's index."""

    def __init__(self, folder: Path) -> None:
        """Open, or create, the index in `folder`.

        Raises `StorageError` when the folder cannot be written. `rebuilt` says
        why an index that was there is not used.
        """
        self.path = folder / FILE_NAME
        self.rebuilt = ""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.db = self._open()
        except (OSError, sqlite3.Error) as error:
            raise storage_error(error, folder) from error

    def close(self) -> None:
        """Close the database; what was committed stays."""
        self.db.close()

    def rebuild(self) -> None:
        """Start anew with an empty index: the one there turned out to be damaged."""
        self.db.close()
        try:
            self._discard()
            self.db = self._create()
        except (OSError, sqlite3.Error) as error:
            raise storage_error(error, self.path.parent) from error
        self.rebuilt = DAMAGED

    def reader(self) -> sqlite3.Connection:
        """Return a new connection for reading, to be used by one thread."""
        return open_reader(self.path)

    def files(self) -> dict[str, FileRecord]:
        """Return every file the index knows, by path."""
        rows = self.db.conn.execute(
            "SELECT id, path, size, mtime_ns, ctime_ns, inode, read_ns, hash, reason FROM files"
        )
        return {
            row[1]: FileRecord(row[0], FileStat(*row[1:6]), row[6], row[7], row[8]) for row in rows
        }

    def counts(self) -> Counts:
        """Count what can be searched."""
        one = self.db.conn.execute
        return Counts(
            files=one("SELECT count(*) FROM files WHERE reason = ''").fetchone()[0],
            chunks=one("SELECT count(*) FROM chunks").fetchone()[0],
            skipped=one("SELECT count(*) FROM files WHERE reason != ''").fetchone()[0],
        )

    def skipped(self) -> list[Skipped]:
        """List the files that were read but not indexed, with the reason."""
        rows = self.db.conn.execute(
            "SELECT path, reason FROM files WHERE reason != '' ORDER BY path"
        )
        return [Skipped(path, reason) for path, reason in rows]

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Commit everything in the block at once, or nothing of it."""
        try:
            with self.db.atomic():
                yield
        except sqlite3.Error as error:
            raise storage_error(error, self.path.parent) from error

    def put(self, content: FileContent) -> list[int]:
        """Replace what is known of a file; returns the ids of chunks that went."""
        gone = self.remove(content.stat.path)
        stat = content.stat
        file_id = self.db.conn.execute(
            "INSERT INTO files (path, size, mtime_ns, ctime_ns, inode, read_ns, hash, language, "
            "reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [stat.path, stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode,
             content.read_ns, content.hash, content.language, content.reason],
        ).lastrowid  # fmt: skip
        for chunk in content.chunks:
            self._put_chunk(file_id, stat.path, chunk)
        return gone

    def touch(self, record: FileRecord, stat: FileStat, read_ns: int) -> None:
        """Note that the file's content is as it was, under a new stat or path."""
        self.db.conn.execute(
            "UPDATE files SET size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, read_ns = ? "
            "WHERE id = ?",
            [stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode, read_ns, record.id],
        )

    def remove(self, path: str) -> list[int]:
        """Forget a file; returns the ids of its chunks."""
        conn = self.db.conn
        found = conn.execute("SELECT id FROM files WHERE path = ?", [path]).fetchone()
        if found is None:
            return []
        rows = conn.execute(
            "SELECT id, symbol, text, comments FROM chunks WHERE file_id = ?", found
        ).fetchall()
        # FTS5 keeps no content here, so it is told what it indexed.
        conn.executemany(
            "INSERT INTO words (words, rowid, path, symbol, body, parts, comments) "
            "VALUES ('delete', ?, ?, ?, ?, ?, ?)",
            [(row[0], *word_columns(path, row[1], unpack(row[2]), unpack(row[3]))) for row in rows],
        )
        ids = [(row[0],) for row in rows]
        conn.executemany("DELETE FROM names WHERE chunk_id = ?", ids)
        conn.execute("DELETE FROM chunks WHERE file_id = ?", found)
        conn.execute("DELETE FROM files WHERE id = ?", found)
        return [row[0] for row in rows]

    def missing_vectors(self, embedder: str, after: int, limit: int) -> list[Unembedded]:
        """Return up to `limit` chunks with an id above `after` that lack a vector."""
        rows = self.db.conn.execute(
            "SELECT id, key, symbol, text FROM chunks WHERE id > ? AND NOT EXISTS "
            "(SELECT 1 FROM vectors v WHERE v.embedder = ? AND v.key = chunks.key) "
            "ORDER BY id LIMIT ?",
            [after, embedder, limit],
        )
        return [Unembedded(i, key, embedded_text(s, unpack(t))) for i, key, s, t in rows]

    def put_vectors(self, embedder: str, vectors: Mapping[bytes, bytes]) -> None:
        """Store embeddings: content address → float16 bytes."""
        self.db.conn.executemany(
            "INSERT OR REPLACE INTO vectors (embedder, key, vector) VALUES (?, ?, ?)",
            [(embedder, key, vector) for key, vector in vectors.items()],
        )

    def drop_odd_vectors(self, embedder: str, size: int) -> None:
        """Forget the vectors of `embedder` that are not `size` bytes long: they are damaged."""
        with self.writing():
            self.db.conn.execute(
                "DELETE FROM vectors WHERE embedder = ? AND length(vector) != ?", [embedder, size]
            )

    def chunk_ids(self, keys: Iterable[bytes]) -> list[tuple[int, bytes]]:
        """Return (chunk id, key) of every chunk with one of `keys`."""
        found: list[tuple[int, bytes]] = []
        for key in keys:
            rows = self.db.conn.execute("SELECT id FROM chunks WHERE key = ?", [key])
            found += [(row[0], key) for row in rows]
        return found

    def known_vectors(self, embedder: str, after: int) -> list[tuple[int, bytes]]:
        """Return (chunk id, float16 bytes) of chunks above `after` whose text is known."""
        rows = self.db.conn.execute(
            "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.key = c.key "
            "WHERE c.id > ? AND v.embedder = ? ORDER BY c.id",
            [after, embedder],
        )
        return list(rows)

    def last_chunk_id(self) -> int:
        """Return the highest chunk id in use, or 0."""
        return int(self.db.conn.execute("SELECT coalesce(max(id), 0) FROM chunks").fetchone()[0])

    def meta(self, key: str) -> str | None:
        """Return a stored fact about the index."""
        row = self.db.conn.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return None if row is None else str(row[0])

    def put_meta(self, key: str, value: str) -> None:
        """Store a fact about the index."""
        self.db.conn.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])

    def _put_chunk(self, file_id: int | None, path: str, chunk: Chunk) -> None:
        conn = self.db.conn
        chunk_id = conn.execute(
            "INSERT INTO chunks (file_id, start_line, end_line, kind, symbol, text, comments, key) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [file_id, chunk.start_line, chunk.end_line, chunk.kind, chunk.symbol,
             pack(chunk.text), pack(chunk.comments), chunk.key],
        ).lastrowid  # fmt: skip
        conn.execute(
            "INSERT INTO words (rowid, path, symbol, body, parts, comments) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [chunk_id, *word_columns(path, chunk.symbol, chunk.text, chunk.comments)],
        )
        names = {form for full in chunk.defines for form in name_forms(full)}
        conn.executemany(
            "INSERT OR IGNORE INTO names (name, chunk_id) VALUES (?, ?)",
            [(name, chunk_id) for name in names],
        )

    def _open(self) -> Database:
        if not self.path.exists():
            return self._create()
        db: Database | None = None
        try:
            db = self._connect()
            self.rebuilt = _wrong_with(db)
        except sqlite3.Error as error:
            if not is_damage(error):  # a full disk, say, is no reason to throw the index away
                if db is not None:
                    db.close()
                raise
            self.rebuilt = DAMAGED
        if db is not None and not self.rebuilt:
            return db
        if db is not None:
            db.close()
        self._discard()
        return self._create()

    def _create(self) -> Database:
        """Make an empty index; it is there as a whole or not at all."""
        new = self.path.with_name(f"{FILE_NAME}.new")
        new.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(new, isolation_level=None)) as conn:
            conn.execute("PRAGMA journal_mode = MEMORY")
            conn.executescript(SCHEMA)
            conn.execute("INSERT INTO meta VALUES ('schema', ?)", [SCHEMA_VERSION])
        new.replace(self.path)
        return self._connect()

    def _connect(self) -> Database:
        conn = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        try:
            conn.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA synchronous = NORMAL")
            conn.execute("PRAGMA cache_size = -65536")
        except BaseException:
            conn.close()
            raise
        return Database(conn)

    def _discard(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def _wrong_with(db: Database) -> str:
    """Check the version and every page; returns why the index cannot be used, or nothing."""
    row = db.conn.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
    if row is None or row[0] != SCHEMA_VERSION:
        return OTHER_VERSION
    for table in TABLES:
        db.conn.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - constants
    found = db.conn.execute("PRAGMA quick_check(1)").fetchone()[0]
    return "" if found == "ok" else DAMAGED


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


def read_places(conn: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Place]:
    """Return where the chunks with `ids` are, without their text."""
    rows = conn.execute(
        "SELECT c.id, f.path, c.kind, c.symbol FROM chunks c JOIN files f ON f.id = c.file_id "
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(ids))],
    )
    return {row[0]: Place(*row[1:]) for row in rows}


def read_chunks(conn: sqlite3.Connection, ids: Sequence[int]) -> dict[int, ChunkRow]:
    """Return the chunks with `ids` that still exist."""
    found: dict[int, ChunkRow] = {}
    rows = conn.execute(
        "SELECT c.id, f.path, f.language, c.start_line, c.end_line, c.kind, c.symbol, c.text "
        "FROM chunks c JOIN files f ON f.id = c.file_id "
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(ids))],
    )
    for number, path, language, start, end, kind, symbol, text in rows:
        found[number] = ChunkRow(number, path, language, start, end, kind, symbol, unpack(text))
    return found


def last_name(dotted: str) -> str:
    """Return the last part of a dotted name."""
    return SEPARATORS.split(dotted)[-1]


def word_columns(
    path: str, symbol: str, text: str, comments: str
) -> tuple[str, str, str, str, str]:
    """Return the columns of ``words`` for one chunk; the same for insert and delete."""
    names = f"{symbol} {compound_forms(symbol)}"
    return (f"{path} {compound_forms(path)}", names, text, compound_forms(text), comments)


def pack(text: str) -> bytes:
    """Compress `text` for storage."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpack(data: bytes) -> str:
    """Return the text that `pack` compressed; raises `sqlite3.DatabaseError` for any other."""
    try:
        return zlib.decompress(data).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a stored text is damaged: {error}") from error


def content_hash(data: bytes) -> bytes:
    """Return the content address of a file's bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


def is_damage(error: Exception) -> bool:
    """Return whether `error` says that the database is not what was written.

    Its subclasses tell of the machine (`OperationalError`) or of our mistakes.
    """
    missing = isinstance(error, sqlite3.OperationalError) and "no such " in str(error)
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
