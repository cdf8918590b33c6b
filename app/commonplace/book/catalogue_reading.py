"""What the catalogue reads: folders of notes, compared with its rows in short transactions."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from commonplace.book.catalogue_file import CatalogueFile
from commonplace.book.files import NoteFolder
from commonplace.book.ids import path_id
from commonplace.book.note import Note, Problem
from commonplace.book.reading import SEARCHED, read_note
from commonplace.errors import CancelledError
from commonplace.index.chunks import chunk_file, embedded_text
from commonplace.index.words import compound_forms
from commonplace.workspace.files import FileStat, explain

RACY_NS = 2_000_000_000
BATCH_SECONDS = 0.25


class ShelfReader:
    """Reads notes into the `file` of a catalogue; `forget` is told of pieces that went."""

    def __init__(self, file: CatalogueFile, forget: Callable[[list[int]], None]) -> None:
        self._file = file
        self._forget = forget

    def read_shelf(
        self,
        shelf: NoteFolder,
        files: Mapping[str, FileStat],
        synced: tuple[list[str], list[str]],
        stop: Callable[[], bool],
    ) -> None:
        """Bring the rows of one folder up to date with its `files`.

        Adds to `synced` the ids of notes that came or changed, and of those that went.
        Raises `CancelledError` after a commit.
        """
        changed, removed = synced
        known = {
            row[0]: row
            for row in self._file.rows(
                "SELECT file, size, mtime_ns, ctime_ns, inode, read_ns, key, id, hash "
                "FROM notes WHERE shelf = ?",
                [shelf.shelf],
            )
        }
        gone = [row for file, row in known.items() if file not in files]
        if gone:
            with self._file.writing() as conn:
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
        with self._file.writing() as conn:
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
        self._forget(pieces)


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


def settle_ids(conn: sqlite3.Connection) -> None:
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
