"""The catalogue: every note, its words, its vectors and what became of its anchors.

A cache beside the project's index. It is brought up to date by comparing the
folders with it, in short transactions, and holds nothing that the notes' files
do not: after a kill it goes on where it stopped, and damage means a new one.
One process writes it; others may read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commonplace.book.files import NoteFolder, Unread
from commonplace.book.ids import path_id
from commonplace.book.note import Anchor, AnchorCheck, Listed, Note, Problem, Shelf
from commonplace.book.reading import SEARCHED, read_note
from commonplace.book.schema import create_catalogue, open_catalogue, open_reader
from commonplace.errors import CancelledError, DamagedIndexError, StorageError
from commonplace.index.chunks import chunk_file, embedded_text
from commonplace.index.database import is_damage
from commonplace.index.embedder import Embedder
from commonplace.index.vectors import VectorTable, pack_vectors, unpack_vectors
from commonplace.index.words import compound_forms
from commonplace.workspace.files import FileStat, explain, never

RACY_NS = 2_000_000_000
BATCH_SECONDS = 0.25
FEW = 500
WORST = ("gone", "changed", "unchecked", "moved", "fresh")
COLUMNS = (
    "key, shelf, file, id, title, status, origin, pinned, author, created, tags, anchors, "
    "problems, broken, own_id"
)
SAME_ID = "another note carries the same id ({}); this one goes by its file name"


@dataclass(frozen=True, slots=True)
class Synced:
    """What a comparison with the folders found: ids of notes that came, changed or went."""

    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a note that can be found: lines of its file from 1, inclusive."""

    id: int
    note: int
    start_line: int
    end_line: int
    text: str


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """An anchor of a note in the catalogue, to be checked."""

    key: int
    note: str
    anchor: Anchor


class Catalogue:
    """The catalogue in `folder`, `writable` by one process alone; in memory without a folder."""

    def __init__(self, folder: Path | None, *, writable: bool = True) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._conn: sqlite3.Connection | None = None
        self._embedder: Embedder | None = None
        self.unread: dict[Shelf, list[Unread]] = {}
        self.vectors: VectorTable | None = None
        with self._errors():
            self._conn = open_catalogue(folder) if writable else open_reader(folder)

    def close(self) -> None:
        """Close the file; everything committed stays."""
        with self._lock:
            if self._conn is not None:
                self._conn.close()
            self._conn = None

    def rebuild(self) -> None:
        """Begin again with an empty catalogue: this one turned out to be damaged."""
        with self._lock, self._errors():
            self.close()
            self._conn = create_catalogue(self._folder)
            if self._embedder is not None:
                self.use(self._embedder)

    def sync(self, shelves: Sequence[NoteFolder], stop: Callable[[], bool] = never) -> Synced:
        """Bring the catalogue up to date with the folders.

        Raises `CancelledError` after a commit, and `StorageError`.
        """
        changed: list[str] = []
        removed: list[str] = []
        for shelf in shelves:
            self._sync_shelf(shelf, changed, removed, stop)
        if changed or removed:
            with self.writing() as conn:
                _settle_ids(conn)
        if removed:
            self.scrub()
        return Synced(tuple(changed), tuple(removed))

    def scrub(self) -> None:
        """Leave nothing of deleted notes in the file: not in the word index, not in the log."""
        with self._lock, self._errors():
            conn = self._open()
            conn.execute("INSERT INTO words (words) VALUES ('optimize')")
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def listed(self, where: str = "", values: Sequence[object] = ()) -> list[tuple[int, Listed]]:
        """Return notes with their keys and states: pinned first, then by title."""
        order = "ORDER BY pinned DESC, title COLLATE NOCASE, shelf, file"
        rows = self.rows(f"SELECT {COLUMNS} FROM notes {where} {order}", values)  # noqa: S608
        states = self._states([row[0] for row in rows])
        return [(row[0], _listed(row, states.get(row[0], ""))) for row in rows]

    def matching(self, text: str) -> list[int]:
        """Return the keys of notes that hold every word of `text`, each perhaps unfinished."""
        words = text.split()
        if not words:
            return [row[0] for row in self.rows("SELECT key FROM notes")]
        found: set[int] | None = None
        for word in words:
            escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            like = f"%{escaped}%"
            some = {
                row[0]
                for row in self.rows(
                    "SELECT key FROM notes WHERE title LIKE ?1 ESCAPE '\\' "
                    "OR tags LIKE ?1 ESCAPE '\\' OR anchors LIKE ?1 ESCAPE '\\' "
                    "OR file LIKE ?1 ESCAPE '\\'",
                    [like],
                )
            }
            quoted = word.replace('"', '""')
            if any(c.isalnum() for c in word):
                some |= {
                    row[0]
                    for row in self.rows(
                        "SELECT DISTINCT p.note FROM words w JOIN pieces p ON p.id = w.rowid "
                        "WHERE words MATCH ?",
                        [f'"{quoted}"*'],
                    )
                }
            found = some if found is None else found & some
        return sorted(found or ())

    def find(self, note: str) -> tuple[str, str, int] | None:
        """Return (shelf, file, key) of a note by its id, or by a beginning that is its alone."""
        rows = self.rows("SELECT shelf, file, key FROM notes WHERE id = ?", [note])
        if not rows and len(note) >= 3:
            escaped = note.replace("%", "").replace("_", "")
            rows = self.rows(
                "SELECT shelf, file, key FROM notes WHERE id LIKE ? LIMIT 2", [f"{escaped}%"]
            )
        return tuple(rows[0]) if len(rows) == 1 else None

    def pieces(self, ids: Iterable[int]) -> dict[int, Piece]:
        """Return pieces by id, with their text."""
        rows = self.rows(
            "SELECT p.id, p.note, p.start_line, p.end_line, w.body FROM pieces p "
            "JOIN words w ON w.rowid = p.id WHERE p.id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(ids))],
        )
        return {row[0]: Piece(*row) for row in rows}

    def anchors(self) -> list[AnchorRow]:
        """Return every anchor of every note that is not archived."""
        rows = self.rows(
            "SELECT key, id, anchors FROM notes WHERE anchors != '[]' AND status != 'archived'"
        )
        return [
            AnchorRow(key, note, Anchor.parse(target, mark))
            for key, note, anchors in rows
            for target, mark in json.loads(anchors)
        ]

    def checks(self) -> dict[tuple[int, str], tuple[str, str, str, AnchorCheck]]:
        """Return earlier checks: (note, target) → (mark, path, version, what was found)."""
        rows = self.rows("SELECT note, target, mark, path, version, found FROM checks")
        return {
            (row[0], row[1]): (row[2], row[3], row[4], AnchorCheck(**json.loads(row[5])))
            for row in rows
        }

    def checks_of(self, key: int) -> list[AnchorCheck]:
        """Return what became of one note's anchors."""
        rows = self.rows("SELECT found FROM checks WHERE note = ?", [key])
        return [AnchorCheck(**json.loads(row[0])) for row in rows]

    def put_checks(self, rows: Iterable[tuple[int, str, str, str, AnchorCheck]]) -> None:
        """Keep checks: (note, mark, path, version of the file, what was found)."""
        with self.writing() as conn:
            conn.executemany(
                "INSERT OR REPLACE INTO checks VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (key, check.target, mark, path, version, check.state,
                     json.dumps(check.to_wire()))
                    for key, mark, path, version, check in rows
                ],
            )  # fmt: skip

    def use(self, embedder: Embedder) -> None:
        """Search by the vectors of `embedder` from now on."""
        with self._lock, self._errors():
            self._embedder = embedder
            table = VectorTable(embedder.dimensions)
            rows = self.rows(
                "SELECT p.id, v.vector FROM pieces p JOIN vectors v ON v.key = p.key "
                "WHERE v.embedder = ? AND length(v.vector) = ?",
                [embedder.id, 2 * embedder.dimensions],
            )
            if rows:
                matrix = unpack_vectors([row[1] for row in rows], embedder.dimensions)
                table.add([row[0] for row in rows], matrix)
            self.vectors = table

    def embed_some(self, limit: int) -> int:
        """Embed pieces that have no vector yet; returns how many, 0 when done."""
        embedder, table = self._embedder, self.vectors
        if embedder is None or table is None:
            return 0
        with self._lock:
            rows = self.rows(
                "SELECT p.id, p.key, w.title, w.body FROM pieces p JOIN words w ON w.rowid = p.id "
                "WHERE NOT EXISTS (SELECT 1 FROM vectors v WHERE v.embedder = ? "
                "AND v.key = p.key) LIMIT ?",
                [embedder.id, limit],
            )
        if not rows:
            return self._adopt(embedder, table)
        texts = {row[1]: embedded_text(row[2], row[3]) for row in rows}
        blobs = dict(zip(texts, pack_vectors(embedder.embed(list(texts.values()))), strict=True))
        with self.writing() as conn:
            conn.executemany(
                "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
                [(embedder.id, key, blob) for key, blob in blobs.items()],
            )
        new = [row[0] for row in rows if row[0] not in table]
        by_id = {row[0]: blobs[row[1]] for row in rows}
        if new:
            table.add(new, unpack_vectors([by_id[i] for i in new], embedder.dimensions))
        return len(rows)

    def rows(self, query: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Any]:
        """Return the rows of a query; none where there is no catalogue yet."""
        with self._lock, self._errors():
            if self._conn is None:
                return []
            return self._conn.execute(query, values).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Commit everything in the block at once, or nothing of it."""
        with self._lock, self._errors():
            conn = self._open()
            conn.execute("BEGIN IMMEDIATE")
            try:
                yield conn
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    conn.execute("ROLLBACK")
                raise
            conn.execute("COMMIT")

    def _sync_shelf(
        self, shelf: NoteFolder, changed: list[str], removed: list[str], stop: Callable[[], bool]
    ) -> None:
        files, self.unread[shelf.shelf] = shelf.scan()
        known = {
            row[0]: row
            for row in self.rows(
                "SELECT file, size, mtime_ns, ctime_ns, inode, read_ns, key, id, hash "
                "FROM notes WHERE shelf = ?",
                [shelf.shelf],
            )
        }
        gone = [row for file, row in known.items() if file not in files]
        if gone:
            with self.writing() as conn:
                for row in gone:
                    self._remove(conn, row[6])
            removed += [row[7] for row in gone]
        waiting = [
            (stat, known.get(file))
            for file, stat in files.items()
            if not _same(known.get(file), stat)
        ]
        while waiting:
            waiting = self._put_some(shelf, waiting, changed)
            if stop():
                raise CancelledError("Stopped.")

    def _put_some(
        self, shelf: NoteFolder, waiting: list[tuple[FileStat, Any]], changed: list[str]
    ) -> list[tuple[FileStat, Any]]:
        """Read and store notes for a short while; returns those that are left."""
        end = time.monotonic() + BATCH_SECONDS
        with self.writing() as conn:
            for number, (stat, row) in enumerate(waiting, start=1):
                read_ns = time.time_ns()
                note = read_file(shelf, stat.path)
                if row is not None and row[8] == note.hash and note.hash:
                    conn.execute(
                        "UPDATE notes SET size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, "
                        "read_ns = ? WHERE key = ?",
                        [stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode, read_ns, row[6]],
                    )
                else:
                    if row is not None:
                        self._remove(conn, row[6])
                    self._put(conn, note, stat, read_ns)
                    changed.append(note.id)
                if time.monotonic() > end:
                    return waiting[number:]
        return []

    def _put(self, conn: sqlite3.Connection, note: Note, stat: FileStat, read_ns: int) -> None:
        anchors = json.dumps([[a.target, a.fingerprint] for a in note.anchors])
        values = [
            note.shelf, note.file, stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode, read_ns,
            note.hash, note.id, note.id, note.title, note.status, note.origin, note.pinned,
            note.author, note.created, json.dumps(note.tags, ensure_ascii=False), anchors,
            json.dumps([str(problem) for problem in note.problems], ensure_ascii=False),
            note.broken, note.recallable,
        ]  # fmt: skip
        marks = ", ".join("?" * len(values))
        done = conn.execute(f"INSERT INTO notes VALUES (NULL, {marks})", values)  # noqa: S608
        key = int(done.lastrowid or 0)
        targets = " ".join(anchor.target for anchor in note.anchors)
        tags = " ".join(note.tags)
        for start, end, text in _cut(note):
            digest = hashlib.blake2b(
                embedded_text(note.title, text).encode("utf-8", "replace"), digest_size=16
            ).digest()
            piece = conn.execute(
                "INSERT INTO pieces (note, start_line, end_line, key) VALUES (?, ?, ?, ?)",
                [key, start, end, digest],
            ).lastrowid
            conn.execute(
                "INSERT INTO words (rowid, title, tags, anchors, body, parts) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [piece, note.title, tags, f"{targets} {compound_forms(targets)}", text,
                 compound_forms(f"{note.title} {text}")],
            )  # fmt: skip

    def _remove(self, conn: sqlite3.Connection, key: int) -> None:
        pieces = [row[0] for row in conn.execute("SELECT id FROM pieces WHERE note = ?", [key])]
        keys = conn.execute("SELECT DISTINCT key FROM pieces WHERE note = ?", [key]).fetchall()
        conn.executemany("DELETE FROM words WHERE rowid = ?", [(piece,) for piece in pieces])
        conn.execute("DELETE FROM pieces WHERE note = ?", [key])
        conn.executemany(
            "DELETE FROM vectors WHERE key = ?1 AND key NOT IN (SELECT key FROM pieces)", keys
        )
        conn.execute("DELETE FROM checks WHERE note = ?", [key])
        conn.execute("DELETE FROM notes WHERE key = ?", [key])
        if self.vectors is not None:
            self.vectors.remove(pieces)

    def _adopt(self, embedder: Embedder, table: VectorTable) -> int:
        """Give pieces the vectors that an equal text already has."""
        rows = self.rows(
            "SELECT p.id, v.vector FROM pieces p JOIN vectors v ON v.key = p.key "
            "WHERE v.embedder = ? AND length(v.vector) = ?",
            [embedder.id, 2 * embedder.dimensions],
        )
        new = [row for row in rows if row[0] not in table]
        if new:
            matrix = unpack_vectors([row[1] for row in new], embedder.dimensions)
            table.add([row[0] for row in new], matrix)
        return 0

    def _states(self, keys: list[int]) -> dict[int, str]:
        if len(keys) > FEW:
            rows = self.rows("SELECT note, state FROM checks")
        else:
            rows = self.rows(
                "SELECT note, state FROM checks WHERE note IN (SELECT value FROM json_each(?))",
                [json.dumps(keys)],
            )
        found: dict[int, str] = {}
        for key, state in rows:
            if key not in found or WORST.index(state) < WORST.index(found[key]):
                found[key] = state
        return found

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


def read_file(shelf: NoteFolder, file: str) -> Note:
    """Return the note in a file, or one that says why it cannot be read."""
    try:
        return read_note(shelf.read(file), shelf.shelf, file)
    except OSError as error:
        problem = Problem(0, explain(error))
        return Note(
            path_id(shelf.shelf, file), file, "", shelf.shelf, file, "kept", problems=(problem,),
            broken=True,
        )  # fmt: skip


def _cut(note: Note) -> Iterator[tuple[int, int, str]]:
    """Cut a note into what can be found: its sections, or all of a short one."""
    text = note.text[:SEARCHED]
    offset = note.body_line - 1
    _, chunks = chunk_file("note.md", text)
    if not chunks:
        yield note.body_line, note.body_line, ""
    for chunk in chunks:
        yield chunk.start_line + offset, chunk.end_line + offset, chunk.text


def _same(row: Any, stat: FileStat) -> bool:
    if row is None or tuple(row[1:5]) != (stat.size, stat.mtime_ns, stat.ctime_ns, stat.inode):
        return False
    return bool(stat.mtime_ns < row[5] - RACY_NS)


def _settle_ids(conn: sqlite3.Connection) -> None:
    """Let one of several notes with the same id keep it; the others go by their path."""
    twice = conn.execute("SELECT own_id FROM notes GROUP BY own_id HAVING count(*) > 1").fetchall()
    conn.execute(
        "UPDATE notes SET id = own_id WHERE id != own_id "
        "AND own_id IN (SELECT own_id FROM notes GROUP BY own_id HAVING count(*) = 1)"
    )
    for (own,) in twice:
        rows = conn.execute(
            "SELECT key, shelf, file FROM notes WHERE own_id = ? ORDER BY key", [own]
        ).fetchall()
        for position, (key, shelf, file) in enumerate(rows):
            name = own if position == 0 else path_id(shelf, file)
            conn.execute("UPDATE notes SET id = ? WHERE key = ?", [name, key])


def _items(text: str) -> list[Any]:
    found: list[Any] = [] if text == "[]" else json.loads(text)
    return found


def _listed(row: Any, state: str) -> Listed:
    _, shelf, file, note, title, status, origin, pinned, author, created, *rest = row
    tags, anchors, problems, broken, own_id = rest
    shown = _items(problems)
    if own_id != note:
        shown.append(SAME_ID.format(own_id))
    return Listed(
        id=note, title=title, shelf=shelf, path=file, status=status, origin=origin,
        pinned=bool(pinned), author=author, created=created, tags=tuple(_items(tags)),
        anchors=tuple(target for target, _ in _items(anchors)),
        problems=tuple(shown), broken=bool(broken), state=state,
    )  # fmt: skip
