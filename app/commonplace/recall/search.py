"""One question, start to end: read it, find, rank, check against the disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from commonplace.errors import QuestionError
from commonplace.index.embedder import Embedder, Vectors
from commonplace.index.rows import ChunkRow, read_chunks, read_places
from commonplace.index.text import NotTextError, decode
from commonplace.index.vectors import VectorTable
from commonplace.recall.adapter import adapted
from commonplace.recall.candidates import find
from commonplace.recall.depth import Depth
from commonplace.recall.folding import Folded
from commonplace.recall.importers import with_importers
from commonplace.recall.neighbourhood import name_nearness, users
from commonplace.recall.passages import Found, Passage
from commonplace.recall.ranking import Ranked, rank
from commonplace.recall.reasons import reasons_of
from commonplace.recall.shapes import Question, read_question

VECTOR_LIMIT = 100
QUERY_CHARS = 2000
NAMES_SHOWN = 8

Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Learned:
    """What the project itself taught beyond its index.

    `matrix` is its map of questions, if one is kept, of shape (dimensions,
    dimensions); `recent` how often files were changed of late, by path.
    """

    matrix: Vectors | None = None
    recent: Mapping[str, float] = field(default_factory=dict)


NOTHING_LEARNED = Learned()


def search(
    text: str,
    limit: int,
    conn: sqlite3.Connection,
    read: Read,
    *,
    embedder: Embedder | None = None,
    vectors: VectorTable | None = None,
    learned: Learned = NOTHING_LEARNED,
    depth: Depth | None = None,
    on_stale: Callable[[str], None] | None = None,
) -> Found:
    """Return the `limit` best passages for the question `text`.

    `read` gives the bytes of a project file as it is now: every passage is
    checked against them, moved to where its lines are now, or dropped; paths
    that differ from the index are told to `on_stale`. `depth` reads the first
    of them again, once it is ready. Raises `QuestionError` for an empty question.
    """
    began = time.perf_counter()
    question = read_question(text)
    if not question.text:
        raise QuestionError("The question is empty.", "Type what you want to know.")
    ranked = ranked_for(question, conn, embedder, vectors, learned)
    if depth is not None and depth.ready:
        ranked = depth.rerank(conn, question.text[:QUERY_CHARS], ranked)
    passages = with_importers(conn, _verified(question, ranked, limit, conn, read, on_stale))
    ms = round((time.perf_counter() - began) * 1000, 2)
    return Found(text, question.shape, ms, tuple(passages))


def ranked_for(
    question: Question,
    conn: sqlite3.Connection,
    embedder: Embedder | None,
    vectors: VectorTable | None,
    learned: Learned = NOTHING_LEARNED,
) -> list[Ranked]:
    """Return all that is found for `question`, best first, as the index knows it.

    The project's own map of questions (`adapter`) was fitted to code, so the
    names of files are compared with the question as it is.
    """
    candidates = find(conn, question)
    candidates.recent = learned.recent if question.change else {}
    query: Vectors | None = None
    if question.terms and embedder is not None and vectors is not None and len(vectors):
        query = _query_vector(embedder, question.text)
        meant = query if learned.matrix is None else adapted(query, learned.matrix)
        candidates.add_neighbours(vectors.search(meant, VECTOR_LIMIT))
        candidates.add_neighbours(vectors.scores(meant, candidates.by_id))
    places = read_places(conn, list(candidates.by_id))
    candidates.users = users(conn, candidates.by_id.values(), places)
    if query is not None and embedder is not None and embedder.instant:
        paths = {place.path for place in places.values()}
        candidates.nearness = name_nearness(embedder, query, paths)
    return rank(question, candidates, places)


def _query_vector(embedder: Embedder, text: str) -> Vectors:
    # Bytes of a command line that are no text arrive as lone surrogates.
    readable = text[:QUERY_CHARS].encode("utf-8", "replace").decode()
    vector: Vectors = np.asarray(embedder.embed([readable])[0], dtype=np.float32)
    return vector


def _verified(
    question: Question,
    ranked: Sequence[Ranked],
    limit: int,
    conn: sqlite3.Connection,
    read: Read,
    on_stale: Callable[[str], None] | None,
) -> list[Passage]:
    """Take passages in order until `limit` are true on the disk and no copies of each other."""
    found = Folded()
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
            found.add(_passage(row, item.score, first, reasons_of(question, item.spoken)))
            if len(found) == limit:
                return found.passages()
    return found.passages()


def _passage(row: ChunkRow, score: float, first: int, reasons: tuple[str, ...]) -> Passage:
    return Passage(
        path=row.path,
        start_line=first,
        end_line=first + row.text.count("\n"),
        text=row.text,
        score=score,
        kind=row.kind,
        symbol=row.symbol,
        reasons=reasons,
        defines=row.defines[:NAMES_SHOWN],
    )


class _Disk:
    """The files that one search looks at, each read once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._texts: dict[str, str | None] = {}

    def locate(self, row: ChunkRow) -> int | None:
        """Return the line, from 1, where the chunk's text stands now; None if it is gone.

        Of several places that say the same, its own is meant if it is one of them.
        """
        text = self._text_of(row.path)
        if text is None:
            return None
        wanted = f"\n{row.text}\n"
        first: int | None = None
        at, line, counted = text.find(wanted), 1, 0
        while at >= 0:
            line += text.count("\n", counted, at)
            counted = at
            if line == row.start_line:
                return line
            first = first or line
            if line > row.start_line:
                break
            at = text.find(wanted, at + 1)
        return first

    def _text_of(self, path: str) -> str | None:
        """Return the text of a file between two line feeds, or None if there is none."""
        if path not in self._texts:
            try:
                self._texts[path] = f"\n{decode(self._read(path))}\n"
            except (OSError, NotTextError):
                self._texts[path] = None
        return self._texts[path]
