"""One question, start to end: read it, find, rank, check against the disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence

import numpy as np

from commonplace.errors import QuestionError
from commonplace.index.embedder import Embedder, Vectors
from commonplace.index.rows import ChunkRow, read_chunks, read_places
from commonplace.index.text import NotTextError, decode
from commonplace.index.vectors import VectorTable
from commonplace.recall.candidates import find
from commonplace.recall.passages import Found, Passage
from commonplace.recall.ranking import Ranked, rank
from commonplace.recall.shapes import read_question

VECTOR_LIMIT = 100
QUERY_CHARS = 2000

Read = Callable[[str], bytes]


def search(
    text: str,
    limit: int,
    conn: sqlite3.Connection,
    read: Read,
    *,
    embedder: Embedder | None = None,
    vectors: VectorTable | None = None,
    on_stale: Callable[[str], None] | None = None,
) -> Found:
    """Return the `limit` best passages for the question `text`.

    `read` gives the bytes of a project file as it is now: every passage is
    checked against them, moved to where its lines are now, or dropped; paths
    that differ from the index are told to `on_stale`. Raises `QuestionError`
    for an empty question.
    """
    began = time.perf_counter()
    question = read_question(text)
    if not question.text:
        raise QuestionError("The question is empty.", "Type what you want to know.")
    candidates = find(conn, question)
    if question.terms and embedder is not None and vectors is not None and len(vectors):
        query = _query_vector(embedder, question.text)
        candidates.add_neighbours(vectors.search(query, VECTOR_LIMIT))
        candidates.add_neighbours(vectors.scores(query, candidates.by_id))
    places = read_places(conn, list(candidates.by_id))
    ranked = rank(question, candidates, places)
    passages = _verified(ranked, limit, conn, read, on_stale)
    ms = round((time.perf_counter() - began) * 1000, 2)
    return Found(text, question.shape, ms, tuple(passages))


def _query_vector(embedder: Embedder, text: str) -> Vectors:
    # Bytes of a command line that are no text arrive as lone surrogates.
    readable = text[:QUERY_CHARS].encode("utf-8", "replace").decode()
    vector: Vectors = np.asarray(embedder.embed([readable])[0], dtype=np.float32)
    return vector


def _verified(
    ranked: Sequence[Ranked],
    limit: int,
    conn: sqlite3.Connection,
    read: Read,
    on_stale: Callable[[str], None] | None,
) -> list[Passage]:
    """Take passages in order until `limit` of them are true on the disk."""
    found: list[Passage] = []
    disk = _Disk(read)
    for start in range(0, len(ranked), max(limit, 1)):
        some = ranked[start : start + max(limit, 1)]
        rows = read_chunks(conn, [r.chunk_id for r in some])
        for item in some:
            row = rows.get(item.chunk_id)
            if row is None:
                continue
            first = disk.locate(row)
            if first is None:
                if on_stale is not None:
                    on_stale(row.path)
                continue
            found.append(_passage(row, item, first))
            if len(found) == limit:
                return found
    return found


def _passage(row: ChunkRow, ranked: Ranked, first: int) -> Passage:
    return Passage(
        path=row.path,
        start_line=first,
        end_line=first + row.text.count("\n"),
        text=row.text,
        score=ranked.score,
        kind=row.kind,
        symbol=row.symbol,
        reasons=ranked.reasons,
    )


class _Disk:
    """The files that one search looks at, each read once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._texts: dict[str, str | None] = {}

    def locate(self, row: ChunkRow) -> int | None:
        """Return the line, from 1, where the chunk's text stands now; None if it is gone."""
        text = self._text(row.path)
        if text is None:
            return None
        lines = text.split("\n")
        if "\n".join(lines[row.start_line - 1 : row.end_line]) == row.text:
            return row.start_line
        at = f"\n{text}\n".find(f"\n{row.text}\n")
        return None if at < 0 else text.count("\n", 0, at) + 1

    def _text(self, path: str) -> str | None:
        if path not in self._texts:
            try:
                self._texts[path] = decode(self._read(path))
            except (OSError, NotTextError):
                self._texts[path] = None
        return self._texts[path]
