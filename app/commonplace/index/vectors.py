"""Vectors in memory: exact search, and hnswlib above a threshold.

The vectors of live chunks lie in one matrix. Below `GRAPH_THRESHOLD` a query
is one matrix product: exact, and a few milliseconds. Above it an hnswlib graph
proposes candidates, which are scored exactly; rows added since the graph was
built are searched exactly too. The graph's file is a cache of a cache: it
carries a checksum, the embedder and the number of rows, and anything that does
not match is rebuilt, because hnswlib crashes on damaged files.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from commonplace.index.embedder import Vectors

log = logging.getLogger(__name__)

GRAPH_THRESHOLD = 100_000
"""Rows above which the graph is used; exact search of as many takes about 25 ms."""
GRAPH_LINKS = 16
GRAPH_BUILD = 120
GRAPH_SEARCH = 400
GRAPH_FILE = "vectors.hnsw"
PART_FILE = f"{GRAPH_FILE}.part"
LABEL_FILE = "vectors.json"
MAX_TAIL = 0.2
"""Share of rows outside the graph at which it is built anew."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A chunk near the question; `score` is the cosine of the angle."""

    chunk_id: int
    score: float


class VectorTable:
    """The vectors of every live chunk. Safe to use from several threads."""

    def __init__(self, dimensions: int, *, threshold: int = GRAPH_THRESHOLD) -> None:
        self.dimensions = dimensions
        self._threshold = threshold
        self._lock = threading.Lock()
        self._matrix: Vectors = np.zeros((0, dimensions), dtype=np.float32)
        self._ids: npt.NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        self._rows: dict[int, int] = {}
        self._used = 0
        self._graph: Any = None
        self._graph_rows = 0
        self._generation = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, chunk_id: int) -> bool:
        return chunk_id in self._rows

    def add(self, chunk_ids: Sequence[int], vectors: Vectors) -> None:
        """Add one unit vector per chunk id; float32 of shape (ids, dimensions)."""
        with self._lock:
            need = self._used + len(chunk_ids)
            if need > len(self._ids):
                self._grow(max(need, 2 * len(self._ids), 1024))
            self._matrix[self._used : need] = vectors
            self._ids[self._used : need] = chunk_ids
            for offset, chunk_id in enumerate(chunk_ids):
                self._rows[chunk_id] = self._used + offset
            self._used = need

    def remove(self, chunk_ids: Iterable[int]) -> None:
        """Forget chunks; ids without a vector are ignored."""
        with self._lock:
            for chunk_id in chunk_ids:
                row = self._rows.pop(chunk_id, None)
                if row is not None:
                    self._ids[row] = -1
                    self._matrix[row] = 0.0
            if self._used > 1024 and len(self._rows) < self._used // 2:
                self._keep(np.flatnonzero(self._ids[: self._used] >= 0))

    def search(self, query: Vectors, count: int) -> list[Neighbour]:
        """Return the `count` chunks nearest to the unit vector `query`, best first."""
        with self._lock:
            if not self._rows:
                return []
            rows, scores = self._candidates(query, count)
            alive = self._ids[rows] >= 0
            rows, scores = rows[alive], scores[alive]
            best = np.argsort(-scores, kind="stable")[:count]
            return [Neighbour(int(self._ids[rows[i]]), float(scores[i])) for i in best]

    def scores(self, query: Vectors, chunk_ids: Iterable[int]) -> list[Neighbour]:
        """Return how near the given chunks are; those without a vector are left out."""
        with self._lock:
            known = [(i, self._rows[i]) for i in chunk_ids if i in self._rows]
            if not known:
                return []
            values = self._matrix[[row for _, row in known]] @ query
        return [Neighbour(i, float(v)) for (i, _), v in zip(known, values, strict=True)]

    @property
    def wants_graph(self) -> bool:
        """Whether the graph should be built, or built anew."""
        tail = self._used - self._graph_rows
        return self._used > self._threshold and tail > MAX_TAIL * self._used

    def build_graph(self) -> None:
        """Build the graph over all rows there are; search goes on meanwhile.

        Its labels are chunk ids: they are never used twice and their vectors
        never change, so a graph stays right when chunks go.
        """
        import hnswlib

        with self._lock:
            alive = np.flatnonzero(self._ids[: self._used] >= 0)
            data, ids, rows = self._matrix[alive], self._ids[alive], self._used
            generation = self._generation
        graph = hnswlib.Index(space="ip", dim=self.dimensions)
        graph.init_index(
            max_elements=len(ids), ef_construction=GRAPH_BUILD, M=GRAPH_LINKS, random_seed=1
        )
        graph.add_items(data, ids)
        with self._lock:
            if generation == self._generation:
                self._graph, self._graph_rows = graph, rows

    def save_graph(self, folder: Path, embedder: str) -> None:
        """Write the graph beside the index: to the side, flushed, renamed.

        A graph that cannot be written is built again the next time.
        """
        with self._lock:
            graph = self._graph
        if graph is None:
            return
        try:
            self._write_graph(graph, folder, embedder)
        except (OSError, RuntimeError) as error:
            log.warning("The graph of vectors is not kept: %s", error)
            with contextlib.suppress(OSError):
                (folder / PART_FILE).unlink()

    def _write_graph(self, graph: Any, folder: Path, embedder: str) -> None:
        temporary = folder / PART_FILE
        graph.save_index(str(temporary))
        if temporary.stat().st_size != graph.index_file_size():  # hnswlib does not look
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        label = {"count": graph.get_current_count(), "checksum": _checksum(temporary)}
        temporary.replace(folder / GRAPH_FILE)
        text = json.dumps({**label, "embedder": embedder, "dimensions": self.dimensions})
        (folder / LABEL_FILE).write_text(text, encoding="utf-8")

    def load_graph(self, folder: Path, embedder: str) -> bool:
        """Read the graph if its label vouches for the file; returns whether it did.

        Called right after the table was filled, before anyone searches: rows
        that the graph knows are moved to the front.
        """
        try:
            label = json.loads((folder / LABEL_FILE).read_text(encoding="utf-8"))
            good = (
                label["embedder"] == embedder
                and label["dimensions"] == self.dimensions
                and label["checksum"] == _checksum(folder / GRAPH_FILE)
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return False
        if not good:
            return False
        import hnswlib

        graph = hnswlib.Index(space="ip", dim=self.dimensions)
        try:
            graph.load_index(str(folder / GRAPH_FILE))
        except RuntimeError:
            return False
        if graph.get_current_count() != label["count"]:
            return False
        with self._lock:
            known = np.isin(self._ids[: self._used], np.array(graph.get_ids_list()))
            self._keep(np.concatenate([np.flatnonzero(known), np.flatnonzero(~known)]))
            self._graph, self._graph_rows = graph, int(known.sum())
        return True

    def _candidates(
        self, query: Vectors, count: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        if self._graph is None:
            scores = self._matrix[: self._used] @ query
            # Rows of removed chunks are zero and sort below anything related.
            return _top(scores, count + self._used - len(self._rows), 0)
        # The graph still proposes chunks that have gone, and it throws when
        # asked for more than it holds.
        want = min(count * 2 + 50, self._graph.get_current_count())
        self._graph.set_ef(max(GRAPH_SEARCH, want))
        labels, _ = self._graph.knn_query(query, k=want, num_threads=1)
        rows = np.array([self._rows[i] for i in labels[0].tolist() if i in self._rows], np.int64)
        scores = self._matrix[rows] @ query
        tail = self._matrix[self._graph_rows : self._used] @ query
        more, more_scores = _top(tail, count, self._graph_rows)
        return np.concatenate([rows, more]), np.concatenate([scores, more_scores])

    def _keep(self, order: npt.NDArray[np.int64]) -> None:
        """Keep only the rows in `order`, in that order."""
        self._matrix, self._ids = self._matrix[order].copy(), self._ids[order].copy()
        self._used = len(order)
        self._rows = {int(chunk_id): row for row, chunk_id in enumerate(self._ids)}
        self._graph, self._graph_rows = None, 0
        self._generation += 1

    def _grow(self, size: int) -> None:
        matrix = np.zeros((size, self.dimensions), dtype=np.float32)
        matrix[: self._used] = self._matrix[: self._used]
        ids = np.full(size, -1, dtype=np.int64)
        ids[: self._used] = self._ids[: self._used]
        self._matrix, self._ids = matrix, ids


def load_table(
    conn: sqlite3.Connection, embedder: str, dimensions: int, *, threshold: int = GRAPH_THRESHOLD
) -> VectorTable:
    """Read the vectors of every chunk that has one, in the order of chunk ids."""
    table = VectorTable(dimensions, threshold=threshold)
    cursor = conn.execute(
        "SELECT c.id, v.vector FROM chunks c JOIN vectors v ON v.key = c.key "
        "WHERE v.embedder = ? ORDER BY c.id",
        [embedder],
    )
    while rows := cursor.fetchmany(4096):
        good = [(i, blob) for i, blob in rows if len(blob) == 2 * dimensions]
        if good:
            table.add([i for i, _ in good], unpack_vectors([b for _, b in good], dimensions))
    return table


def pack_vectors(vectors: Vectors) -> list[bytes]:
    """Return each row as float16 bytes, as the store keeps it."""
    return [row.tobytes() for row in vectors.astype(np.float16)]


def unpack_vectors(blobs: Sequence[bytes], dimensions: int) -> Vectors:
    """Return the matrix of `blobs`, float32 of shape (blobs, dimensions)."""
    flat = np.frombuffer(b"".join(blobs), dtype=np.float16)
    return flat.reshape(len(blobs), dimensions).astype(np.float32)


def _top(
    scores: npt.NDArray[np.float32], count: int, offset: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    if len(scores) > count:
        rows = np.argpartition(-scores, count)[:count]
    else:
        rows = np.arange(len(scores))
    return rows.astype(np.int64) + offset, scores[rows]


def _checksum(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
