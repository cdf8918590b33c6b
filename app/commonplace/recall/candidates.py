"""Finding: everything in the index that might answer a question.

Four independent lists, each with a score of its own: words (fielded BM25),
names (what the question's identifiers define), places (what a stack trace or a
path points at) and vectors. Ordering them is `ranking`'s work.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from commonplace.index.vectors import Neighbour
from commonplace.recall.shapes import Question

WORD_LIMIT = 200
NAME_LIMIT = 60
FRAME_LIMIT = 40
# Weights of the columns of ``words``: path, symbol, body, parts, comments.
COLUMN_WEIGHTS = (3.0, 5.0, 1.0, 1.0, 1.0)


@dataclass(slots=True)
class Candidate:
    """One chunk that might answer, with what each list says of it.

    `words` is BM25 (higher is better), `names` the share of the question's
    identifiers that the chunk defines, `vector` a cosine; None where a list
    does not hold the chunk. `place` marks a chunk that a trace points at.
    """

    chunk_id: int
    words: float | None = None
    names: tuple[str, ...] = ()
    vector: float | None = None
    place: bool = False


@dataclass(slots=True)
class Candidates:
    """All candidates of one question, and how rare each of its terms is."""

    by_id: dict[int, Candidate] = field(default_factory=dict)
    rarity: dict[str, float] = field(default_factory=dict)

    def add_neighbours(self, neighbours: Iterable[Neighbour]) -> None:
        """Add what vectors say, of chunks known and new."""
        for neighbour in neighbours:
            self.at(neighbour.chunk_id).vector = neighbour.score

    def at(self, chunk_id: int) -> Candidate:
        """Return the candidate for a chunk, added if it is new."""
        return self.by_id.setdefault(chunk_id, Candidate(chunk_id))


def find(conn: sqlite3.Connection, question: Question) -> Candidates:
    """Collect the candidates for `question` that words, names and places give."""
    found = Candidates(rarity=_rarity(conn, question.terms))
    for chunk_id, score in _by_words(conn, question.terms):
        found.at(chunk_id).words = score
    for chunk_id, name in _by_names(conn, question.names):
        candidate = found.at(chunk_id)
        candidate.names = (*candidate.names, name)
    for chunk_id in _by_frames(conn, question):
        found.at(chunk_id).place = True
    return found


def quoted(term: str) -> str:
    """Return `term` as an FTS5 string, so that no user text is ever syntax."""
    escaped = term.replace('"', '""')
    return f'"{escaped}"'


def _by_words(conn: sqlite3.Connection, terms: Sequence[str]) -> list[tuple[int, float]]:
    if not terms:
        return []
    match = " OR ".join(quoted(term) for term in terms)
    weights = ", ".join(str(weight) for weight in COLUMN_WEIGHTS)
    rows = conn.execute(
        f"SELECT rowid, bm25(words, {weights}) AS score FROM words "  # noqa: S608 - constants
        "WHERE words MATCH ? ORDER BY score LIMIT ?",
        [match, WORD_LIMIT],
    )
    return [(row[0], -row[1]) for row in rows]


def _rarity(conn: sqlite3.Connection, terms: Sequence[str]) -> dict[str, float]:
    """Return the inverse document frequency of each term; 0 where nothing holds it."""
    total = conn.execute("SELECT count(*) FROM chunks").fetchone()[0]
    counts = {
        term: conn.execute(
            "SELECT count(*) FROM words WHERE words MATCH ?", [quoted(term)]
        ).fetchone()[0]
        for term in terms
    }
    return {t: math.log(1 + total / count) if count else 0.0 for t, count in counts.items()}


def _by_names(conn: sqlite3.Connection, names: Sequence[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for name in names:
        rows = conn.execute(
            "SELECT chunk_id FROM names WHERE name = ? LIMIT ?", [name, NAME_LIMIT]
        ).fetchall()
        found += [(row[0], name) for row in rows]
    return found


def _by_frames(conn: sqlite3.Connection, question: Question) -> list[int]:
    """Return the chunks that frames point at, the innermost frame first."""
    found: list[int] = []
    for frame in reversed(question.frames[-FRAME_LIMIT:]):
        parts = [part for part in frame.path.split("/") if part not in {"", ".", ".."}]
        tails = ["/".join(parts[n:]) for n in range(len(parts))]
        rows = conn.execute(
            "SELECT c.id FROM files f JOIN chunks c ON c.file_id = f.id "
            "WHERE f.path IN (SELECT value FROM json_each(?)) "
            "AND c.start_line <= ? AND c.end_line >= ? ORDER BY length(f.path) DESC LIMIT 1",
            [json.dumps(tails), frame.line, frame.line],
        )
        found += [row[0] for row in rows]
    return found
