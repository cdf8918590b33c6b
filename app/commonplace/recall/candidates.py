"""Finding: everything in the index that might answer a question.

Independent lists, each with a score of its own: words (fielded BM25), names
(what the question's identifiers define), places (what a stack trace or a path
points at), phrases (where the words of an error message stand as they are) and
vectors. Ordering them is `ranking`'s work.
"""

from __future__ import annotations

import itertools
import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from commonplace.index.vectors import Neighbour
from commonplace.recall.shapes import Question

WORD_LIMIT = 200
SCORED = 10_000
"""Chunks whose words are scored: about 10 ms. A term may be more common than that."""
COMMON = 2
"""Terms above that still looked for, in places where few chunks hold them."""
NAME_LIMIT = 60
FRAME_LIMIT = 40
PHRASE_LIMIT = 100
# Weights of the columns of ``words``: path, symbol, body, parts, comments.
COLUMN_WEIGHTS = (3.0, 5.0, 1.0, 1.0, 1.0)


@dataclass(slots=True)
class Candidate:
    """One chunk that might answer, with what each list says of it.

    `words` is BM25 (higher is better), `names` the share of the question's
    identifiers that the chunk defines, `vector` a cosine; None where a list
    does not hold the chunk. `place` marks a chunk that a trace points at, `said`
    how much of an error message's phrases the chunk holds, rare ones weighing more.
    """

    chunk_id: int
    words: float | None = None
    names: tuple[str, ...] = ()
    vector: float | None = None
    place: bool = False
    said: float = 0.0


@dataclass(slots=True)
class Candidates:
    """All candidates of one question, how rare each of its terms is, and what is said of files.

    By path, `nearness` is the cosine between the question and the file's name,
    `users` how many other candidates' files use what the file defines, `recent`
    how often the file was changed of late.
    """

    by_id: dict[int, Candidate] = field(default_factory=dict)
    rarity: dict[str, float] = field(default_factory=dict)
    nearness: dict[str, float] = field(default_factory=dict)
    users: dict[str, float] = field(default_factory=dict)
    recent: Mapping[str, float] = field(default_factory=dict)

    def add_neighbours(self, neighbours: Iterable[Neighbour]) -> None:
        """Add what vectors say, of chunks known and new."""
        for neighbour in neighbours:
            self.at(neighbour.chunk_id).vector = neighbour.score

    def at(self, chunk_id: int) -> Candidate:
        """Return the candidate for a chunk, added if it is new."""
        return self.by_id.setdefault(chunk_id, Candidate(chunk_id))


def find(conn: sqlite3.Connection, question: Question) -> Candidates:
    """Collect the candidates for `question` that words, names and places give."""
    total = conn.execute("SELECT count(*) FROM chunks").fetchone()[0]
    counts = _counts(conn, question.terms)
    found = Candidates(rarity=_rarity(counts, total))
    for chunk_id, score in _by_words(conn, counts):
        found.at(chunk_id).words = score
    for chunk_id, name in _by_names(conn, question.names):
        candidate = found.at(chunk_id)
        candidate.names = (*candidate.names, name)
    for chunk_id in _by_frames(conn, question):
        found.at(chunk_id).place = True
    for chunk_id, share in _by_phrases(conn, question.phrases):
        found.at(chunk_id).said += share
    return found


def quoted(term: str) -> str:
    """Return `term` as an FTS5 string, so that no user text is ever syntax."""
    escaped = term.replace('"', '""')
    return f'"{escaped}"'


def _by_words(conn: sqlite3.Connection, counts: Mapping[str, int]) -> list[tuple[int, float]]:
    match = _match(conn, counts)
    if not match:
        return []
    weights = ", ".join(str(weight) for weight in COLUMN_WEIGHTS)
    rows = conn.execute(
        f"SELECT rowid, bm25(words, {weights}) AS score FROM words "  # noqa: S608 - constants
        "WHERE words MATCH ? ORDER BY score LIMIT ?",
        [match, WORD_LIMIT],
    ).fetchall()
    if any(score is None for _, score in rows):
        raise sqlite3.DatabaseError("the word index is damaged")
    return [(chunk_id, -score) for chunk_id, score in rows]


def _match(conn: sqlite3.Connection, counts: Mapping[str, int]) -> str:
    """Return the FTS5 query for the terms that `counts` says are there.

    Scoring is what costs, about a millisecond for a thousand chunks. So terms
    too common for that count only in a path or a symbol, or where they stand
    together and not too often.
    """
    present = sorted((term for term in counts if counts[term]), key=lambda term: counts[term])
    reach = itertools.accumulate(counts[term] for term in present)
    rare = sum(chunks <= SCORED for chunks in reach)
    parts = [quoted(term) for term in present[:rare]]
    common = [quoted(term) for term in present[rare : rare + COMMON]]
    parts += [f"{{path symbol}} : {term}" for term in common]
    together = f"({' AND '.join(common)})"
    if len(common) > 1 and _reach(conn, together)[0] < SCORED:
        parts.append(together)
    return " OR ".join(parts)


def _counts(conn: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """Return how many chunks hold each term.

    `SCORED` are counted; beyond, how far they reach says how many there are.
    """
    last = conn.execute("SELECT max(id) FROM chunks").fetchone()[0]
    counts: dict[str, int] = {}
    for term in terms:
        count, reached = _reach(conn, quoted(term))
        counts[term] = count if count < SCORED else count * last // reached
    return counts


def _reach(conn: sqlite3.Connection, match: str) -> tuple[int, int]:
    """Return how many chunks match, at most `SCORED`, and the highest id among those."""
    query = "SELECT count(*), max(rowid) FROM (SELECT rowid FROM words WHERE words MATCH ? LIMIT ?)"
    count, reached = conn.execute(query, [match, SCORED]).fetchone()
    return count, reached or 0


def _rarity(counts: Mapping[str, int], total: int) -> dict[str, float]:
    """Return the inverse document frequency of each term; 0 where nothing holds it."""
    return {t: math.log(1 + total / count) if count else 0.0 for t, count in counts.items()}


def _by_names(conn: sqlite3.Connection, names: Sequence[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for name in names:
        rows = conn.execute(
            "SELECT chunk_id FROM names WHERE name = ? LIMIT ?", [name, NAME_LIMIT]
        ).fetchall()
        found += [(row[0], name) for row in rows]
    return found


def _by_phrases(conn: sqlite3.Connection, phrases: Sequence[str]) -> list[tuple[int, float]]:
    """Return the chunks that hold a phrase, and its share of what all phrases weigh.

    A phrase weighs the less the more chunks hold it.
    """
    held: list[tuple[list[int], float]] = []
    for phrase in phrases:
        rows = conn.execute(
            "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?",
            [f"body : {quoted(phrase)}", PHRASE_LIMIT],
        ).fetchall()
        if rows:
            held.append(([row[0] for row in rows], 1 / (1 + math.log(len(rows)))))
    whole = sum(weight for _, weight in held)
    return [(chunk_id, weight / whole) for ids, weight in held for chunk_id in ids]


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
