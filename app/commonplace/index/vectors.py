"""Vectors in memory: searched exactly while they are few, through a sketch when many.

The vectors of live chunks lie in one matrix. Up to `SKETCH_THRESHOLD` rows it
is float32 and a query is one product: exact, and a few milliseconds. Above, it
is float16, as the store keeps them, and a sketch of all rows says which few
thousand are worth an exact score.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from commonplace.index.embedder import Vectors
from commonplace.index.sketch import Bytes, Sketch

SKETCH_THRESHOLD = 100_000
"""Rows above which the sketch is used: there both take about 14 ms."""
RESCORED, RESCORED_SHARE = 2000, 1 / 250
"""Rows scored exactly: so many, and this share of all."""
FITTED_TIMES = 4
"""The sketch is fitted anew when there are so many times the rows it was fitted to."""
GROWTH = 1 / 8
LOADED_AT_ONCE = 4096

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A chunk near the question; `score` is the cosine of the angle."""

    chunk_id: int
    score: float


class VectorTable:
    """The vectors of every live chunk. Many threads may search it, one may change it."""

    def __init__(self, dimensions: int, *, threshold: int = SKETCH_THRESHOLD) -> None:
        self.dimensions = dimensions
        self._threshold = threshold
        self._lock = threading.Lock()
        self._matrix: npt.NDArray[np.floating] = np.zeros((0, dimensions), dtype=np.float32)
        self._ids: Rows = np.zeros(0, dtype=np.int64)
        self._row_of: npt.NDArray[np.int32] = np.zeros(0, dtype=np.int32)  # by chunk id; -1: none
        self._used = self._alive = 0
        self._sketch: Sketch | None = None
        self._sketched: Bytes = np.zeros((0, Sketch.kept(dimensions)), dtype=np.int8)
        self._fitted = 0

    def __len__(self) -> int:
        return self._alive

    def __contains__(self, chunk_id: int) -> bool:
        return chunk_id < len(self._row_of) and self._row_of[chunk_id] >= 0

    def add(self, chunk_ids: Sequence[int], vectors: npt.NDArray[np.floating]) -> None:
        """Add one unit vector per new chunk id, of shape (ids, dimensions)."""
        if not len(chunk_ids):
            return
        ids = np.asarray(chunk_ids, dtype=np.int64)
        first, need = self._used, self._used + len(ids)
        with self._lock:
            if need > len(self._ids):
                self._grow(max(need, int(need * (1 + GROWTH)), 1024))
            if int(ids.max()) >= len(self._row_of):
                self._reach(int(int(ids.max()) * (1 + GROWTH)) + 1024)
            self._matrix[first:need] = vectors
            if self._sketch is not None:
                self._sketched[first:need] = self._sketch.of(vectors)
            self._ids[first:need] = ids
            self._row_of[ids] = np.arange(first, need)
            self._used, self._alive = need, self._alive + len(ids)
        if need > max(self._threshold, FITTED_TIMES * self._fitted):
            self._fit()

    def remove(self, chunk_ids: Iterable[int]) -> None:
        """Forget chunks; ids without a vector are ignored."""
        with self._lock:
            for chunk_id in chunk_ids:
                if chunk_id in self:
                    row = self._row_of[chunk_id]
                    self._row_of[chunk_id] = self._ids[row] = -1
                    self._matrix[row] = 0.0
                    if self._sketch is not None:
                        self._sketched[row] = 0
                    self._alive -= 1
            if self._used > 1024 and self._alive < self._used // 2:
                self._compact()

    def search(self, query: Vectors, count: int) -> list[Neighbour]:
        """Return the `count` chunks nearest to the unit vector `query`, best first."""
        with self._lock:
            rows = self._candidates(query, count)
            rows = rows[self._ids[rows] >= 0]
            ids, scores = self._ids[rows], self._exact(rows, query)
            best = np.lexsort((ids, -scores))[:count]
            return [Neighbour(int(ids[i]), float(scores[i])) for i in best]

    def scores(self, query: Vectors, chunk_ids: Iterable[int]) -> list[Neighbour]:
        """Return how near the given chunks are; those without a vector are left out."""
        with self._lock:
            known = [i for i in chunk_ids if i in self]
            rows = self._row_of[np.asarray(known, dtype=np.int64)].astype(np.int64)
            values = self._exact(rows, query)
        return [Neighbour(i, float(v)) for i, v in zip(known, values, strict=True)]

    def _candidates(self, query: Vectors, count: int) -> Rows:
        """Return the rows worth an exact score, the nearest `count` among them."""
        # Rows of removed chunks are zero and sort below anything related.
        if self._sketch is None:
            every = self._matrix[: self._used] @ query
            return _top(every, count + self._used - self._alive)
        about = self._sketch.scores(self._sketched[: self._used], query)
        return _top(about, max(count, RESCORED + int(self._used * RESCORED_SHARE)))

    def _exact(self, rows: Rows, query: Vectors) -> Scores:
        scores: Scores = self._matrix[rows].astype(np.float32, copy=False) @ query
        return scores.round(6)  # equal vectors score alike, wherever they lie

    def _fit(self) -> None:
        """Fit the sketch to all rows there are; searches go on meanwhile.

        The lock is not held: only the thread that is here changes the rows.
        """
        matrix = self._matrix[: self._used].astype(np.float16, copy=False)
        sketch = Sketch(matrix)
        sketched = sketch.of(matrix)
        with self._lock:
            if self._matrix.dtype != matrix.dtype:
                self._matrix = matrix
                self._ids = self._ids[: self._used].copy()
            self._sketch, self._sketched, self._fitted = sketch, sketched, self._used
            self._grow(len(self._ids))

    def _compact(self) -> None:
        """Close the gaps that removed chunks left."""
        alive = np.flatnonzero(self._ids[: self._used] >= 0)
        self._matrix, self._ids = self._matrix[alive], self._ids[alive]
        self._used = len(alive)
        self._row_of[self._ids] = np.arange(self._used)
        if self._sketch is not None:
            self._sketched = self._sketched[alive]

    def _grow(self, size: int) -> None:
        # In place: the system moves large arrays without copying them.
        self._matrix.resize((size, self.dimensions), refcheck=False)
        self._ids.resize(size, refcheck=False)
        if self._sketch is not None:
            self._sketched.resize((size, self._sketched.shape[1]), refcheck=False)

    def _reach(self, size: int) -> None:
        old = len(self._row_of)
        self._row_of.resize(size, refcheck=False)
        self._row_of[old:] = -1


def load_table(
    conn: sqlite3.Connection, embedder: str, dimensions: int, *, threshold: int = SKETCH_THRESHOLD
) -> VectorTable:
    """Read the vectors of every chunk that has one."""
    table = VectorTable(dimensions, threshold=threshold)
    key: bytes | None = b""
    while key is not None:
        key = load_some(table, conn, embedder, key)
    return table


def load_some(
    table: VectorTable, conn: sqlite3.Connection, embedder: str, after: bytes
) -> bytes | None:
    """Read the vectors of the next content addresses above `after`.

    Returns the last of them, or None when there are no more. Both tables are
    read in the order of addresses, which is far faster than that of chunks.
    """
    rows = conn.execute(
        "SELECT v.key, v.vector, c.id FROM (SELECT key, vector FROM vectors "
        "WHERE embedder = ? AND key > ? ORDER BY key LIMIT ?) v "
        "LEFT JOIN chunks c ON c.key = v.key",
        [embedder, after, LOADED_AT_ONCE],
    ).fetchall()
    add_packed(table, [(chunk_id, blob) for _, blob, chunk_id in rows if chunk_id is not None])
    return max((key for key, _, _ in rows), default=None)


def add_packed(table: VectorTable, rows: Iterable[tuple[int, bytes]]) -> None:
    """Add (chunk id, float16 bytes) to a table; skip what it has, and what is damaged."""
    size = 2 * table.dimensions
    new = [(i, blob) for i, blob in rows if len(blob) == size and i not in table]
    if new:
        flat = np.frombuffer(b"".join(blob for _, blob in new), dtype=np.float16)
        table.add([i for i, _ in new], flat.reshape(len(new), table.dimensions))


def pack_vectors(vectors: Vectors) -> list[bytes]:
    """Return each row as float16 bytes, as the store keeps it."""
    return [row.tobytes() for row in vectors.astype(np.float16)]


def unpack_vectors(blobs: Sequence[bytes], dimensions: int) -> Vectors:
    """Return the matrix of `blobs`, float32 of shape (blobs, dimensions)."""
    flat = np.frombuffer(b"".join(blobs), dtype=np.float16)
    return flat.reshape(len(blobs), dimensions).astype(np.float32)


def _top(scores: npt.NDArray[np.floating], count: int) -> Rows:
    """Return the rows of the `count` highest scores and of all that equal the last of them."""
    if len(scores) <= count:
        return np.arange(len(scores))
    least = np.partition(scores, -count)[-count]
    return np.flatnonzero(scores >= least)
