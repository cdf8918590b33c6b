"""The catalogue: every note, its words, its vectors and what became of its anchors.

A cache beside the project's index. It is brought up to date by comparing the
folders with it, in short transactions, and holds nothing that the notes' files
do not: after a kill it goes on where it stopped, and damage means a new one.
One process writes it; others may read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.book.catalogue_answers import CatalogueAnswers
from commonplace.book.catalogue_reading import ShelfReader, settle_ids
from commonplace.book.files import NoteFolder, Unread
from commonplace.book.note import AnchorCheck, Shelf
from commonplace.book.schema import create_catalogue
from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder
from commonplace.index.vectors import VectorTable, pack_vectors, unpack_vectors
from commonplace.workspace.files import never


@dataclass(frozen=True, slots=True)
class Synced:
    """What a comparison with the folders found: ids of notes that came, changed or went."""

    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.removed)


class Catalogue(CatalogueAnswers):
    """The catalogue in `folder`, `writable` by one process alone; in memory without a folder."""

    def __init__(self, folder: Path | None, *, writable: bool = True) -> None:
        self._embedder: Embedder | None = None
        self.unread: dict[Shelf, list[Unread]] = {}
        self.vectors: VectorTable | None = None
        super().__init__(folder, writable=writable)

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
        reader = ShelfReader(self, self._forget)
        for shelf in shelves:
            files, self.unread[shelf.shelf] = shelf.scan()
            reader.read_shelf(shelf, files, (changed, removed), stop)
        if changed or removed:
            with self.writing() as conn:
                settle_ids(conn)
        if removed:
            self.scrub()
        return Synced(tuple(changed), tuple(removed))

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

    def _forget(self, pieces: list[int]) -> None:
        if self.vectors is not None:
            self.vectors.remove(pieces)
