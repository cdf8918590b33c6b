"""The index of one project: a SQLite file that can always be rebuilt.

``files`` says what was read and when, ``chunks`` holds the text that can be
returned, ``words`` its words (a contentless FTS5 table, so the text is stored
once), ``names`` which chunk defines what, ``imports`` what files import and
``links`` where that leads (see `links`), and ``vectors`` the embeddings by
content address, so that a rename or a branch switch finds them again.

The store is written by one thread of one process; readers open their own
connections (`Store.reader`). A database that is damaged, or written by
another version, is set aside and rebuilt: it holds nothing that the project
does not.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from commonplace.index.chunks import embedded_text
from commonplace.index.database import (
    DAMAGED,
    FILE_NAME,
    check_pages,
    create_database,
    is_large,
    open_database,
    open_reader,
    storage_error,
)
from commonplace.index.links import any_linked, link_imports, put_links, remove_links
from commonplace.index.rows import (
    ChunkEntry,
    Counts,
    FileContent,
    FileRecord,
    Unembedded,
    unpack,
    word_columns,
)
from commonplace.workspace.files import FileStat, Skipped

CHECK_STEPS = 100_000
"""Steps of SQLite's machine between two looks at whether to stop."""
KEPT_VECTORS, KEPT_TIMES = 20_000, 3
"""Vectors kept in any case, and per living chunk."""


class Store:
    """The writer of one project's index."""

    def __init__(self, folder: Path) -> None:
        """Open, or create, the index in `folder`.

        Raises `StorageError` when the folder cannot be written. `rebuilt` says
        why an index that was there is not used.
        """
        self.path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.db, self.rebuilt = open_database(self.path)
            self.checked = not is_large(self.path)
            self._linked = any_linked(self.db.conn)
        except (OSError, sqlite3.Error) as error:
            raise storage_error(error, folder) from error

    def close(self) -> None:
        """Close the database; what was committed stays."""
        self.db.close()

    def rebuild(self) -> None:
        """Start anew with an empty index: the one there turned out to be damaged."""
        self.db.close()
        try:
            self.db = create_database(self.path)
        except (OSError, sqlite3.Error) as error:
            raise storage_error(error, self.path.parent) from error
        self.rebuilt = DAMAGED
        self._linked = False

    def check(self, stop: Callable[[], bool]) -> None:
        """Look at every page of an index that was too large to be checked when it was opened.

        Raises `DamagedIndexError`; ends early, to be called again, if `stop` says so.
        """
        with contextlib.closing(self.reader()) as conn:
            conn.set_progress_handler(stop, CHECK_STEPS)
            try:
                sound = check_pages(conn)
            except sqlite3.OperationalError:
                if stop():
                    return
                raise
        self.checked = True
        if not sound:
            raise storage_error(sqlite3.DatabaseError(DAMAGED), self.path.parent)

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
        stat, entries = content.stat, content.entries
        file_id = self.db.conn.execute(
            "INSERT INTO files (path, size, mtime_ns, ctime_ns, inode, read_ns, hash, language, "
            "reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [stat.path, stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode,
             content.read_ns, content.hash, entries.language, entries.reason],
        ).lastrowid  # fmt: skip
        assert file_id is not None
        self._put_chunks(file_id, entries.chunks)
        put_links(self.db.conn, file_id, stat.path, entries, reopen=self._linked)
        return gone

    def link_imports(self, root: str, stop: Callable[[], bool]) -> None:
        """Find out where imports lead that may lead elsewhere by now; see `links`."""
        self._linked = True
        link_imports(self.db.conn, root, self.writing, stop)

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
        remove_links(conn, found[0], path)
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

    def drop_odd_vectors(self, embedder: str, size: int, after: bytes, last: bytes) -> None:
        """Forget vectors that are not `size` bytes long, between two keys: they are damaged."""
        with self.writing():
            self.db.conn.execute(
                "DELETE FROM vectors WHERE embedder = ? AND key > ? AND key <= ? "
                "AND length(vector) != ?",
                [embedder, after, last, size],
            )

    def prune_vectors(self) -> int:
        """Drop vectors of texts that went, once they outnumber the living by far.

        Until then they are kept: a branch switched away from comes back. Returns
        how many were dropped.
        """
        one = self.db.conn.execute
        vectors = one("SELECT count(*) FROM vectors").fetchone()[0]
        chunks = one("SELECT count(*) FROM chunks").fetchone()[0]
        if vectors <= KEPT_VECTORS + KEPT_TIMES * chunks:
            return 0
        with self.writing():
            return int(
                one("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM chunks)").rowcount
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

    def _put_chunks(self, file_id: int | None, chunks: Sequence[ChunkEntry]) -> None:
        conn = self.db.conn
        numbered = list(enumerate(chunks, self._next_id()))
        conn.executemany(
            "INSERT INTO chunks (id, file_id, start_line, end_line, kind, symbol, defines, refers, "
            "text, comments, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(i, file_id, c.start_line, c.end_line, c.kind, c.symbol, c.defines, c.references,
              c.text, c.comments, c.key)
             for i, c in numbered],
        )  # fmt: skip
        conn.executemany(
            "INSERT INTO words (rowid, path, symbol, body, parts, comments) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(i, *c.words) for i, c in numbered],
        )
        conn.executemany(
            "INSERT INTO names (name, chunk_id) VALUES (?, ?)",
            [(name, i) for i, c in numbered for name in c.names],
        )

    def _next_id(self) -> int:
        """Return the first of the chunk ids that were never used."""
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'chunks'"
        last = self.db.conn.execute(query).fetchone()
        return 1 if last is None else int(last[0]) + 1
