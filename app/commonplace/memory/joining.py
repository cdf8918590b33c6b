"""Where notes and documents join a search.

A note that surely answers comes first; likely ones come behind the best place
in the code, and one that possibly answers behind the second. Every note is read
again from its file before it is shown.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from commonplace.book.book import Book
from commonplace.book.catalogue_reading import read_file
from commonplace.book.documents import tier_of
from commonplace.book.matching import Asked, Match, quoted
from commonplace.book.note import Listed, Note
from commonplace.book.standing import standing
from commonplace.errors import CommonplaceError
from commonplace.index.embedder import Embedder, Vectors
from commonplace.index.rows import Place, read_places
from commonplace.index.vectors import VectorTable
from commonplace.index.words import words_of
from commonplace.recall.passages import Found, Passage, Standing
from commonplace.recall.shapes import STOP_WORDS
from commonplace.words import said

MAX_SURE = 3
MAX_LIKELY = 2
NEAREST = 10
CODE_WEIGHTS = "3.0, 5.0, 1.0, 1.0, 1.0"
RELATED = 0.35
"""A cosine below this says nothing."""
QUERY_CHARS = 2000
RULE_PATHS = (
    "SELECT path FROM files WHERE reason = '' AND (path LIKE '%.md' OR path LIKE '%.mdc' "
    "OR path LIKE '.%rules') AND path NOT LIKE '%/%/%/%'"
)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a search may look at: the book, the index, the disk and the vectors."""

    book: Book
    conn: sqlite3.Connection
    read: Callable[[str], bytes]
    embedder: Embedder | None = None
    vectors: VectorTable | None = None


def with_notes(found: Found, limit: int, sources: Sources) -> Found:
    """Return `found` with the notes that answer, tiers, and what stands in every prompt.

    Notes that cannot be read are no reason to withhold the code: what went
    wrong is said in the note of the result.
    """
    passages = [replace(p, tier=tier_of(p.path)) for p in found.passages]
    try:
        notes, place = _notes(found.query, sources)
        paths = [row[0] for row in sources.conn.execute(RULE_PATHS)]
        stands = tuple(
            Standing(s.title, s.path, s.text, "note" if s.note else "rules", s.note, s.stale)
            for s in standing(sources.book, paths, sources.read)
        )
    except CommonplaceError as error:
        note = " ".join(filter(None, [found.note, str(error)]))
        return replace(found, passages=tuple(passages), note=note)
    # Scores order one list of results, so a note takes that of its place.
    above = passages[place - 1].score if 0 < place <= len(passages) else 0.0
    best = passages[0].score if passages else 0.0
    scored = [replace(p, score=round(best + p.score, 4) if place == 0 else above) for p in notes]
    joined = [*passages[:place], *scored, *passages[place:]]
    return replace(found, passages=tuple(joined[:limit]), standing=stands)


def notes_for(question: str, limit: int, sources: Sources) -> list[Passage]:
    """Return the kept notes that have to do with `question`, however little, best first."""
    # Among themselves notes are ordered alike whatever the code says.
    asked = asked_of(question, sources, beside_code=False)
    related = [m for m in sources.book.match(asked, limit) if m[0].held or m[0].cosine >= RELATED]
    return _passages(related, sources.book)


def asked_of(text: str, sources: Sources, *, beside_code: bool = True) -> Asked:
    """Return the question as notes see it, `beside_code` with what the code says to it."""
    words = words_of(text[:QUERY_CHARS])
    terms = [word for word in words if word not in STOP_WORDS] or words
    conn, vector = sources.conn, _vector(text, sources)
    if not beside_code:
        return Asked(terms, vector)
    cosine = 0.0
    if vector is not None and sources.vectors is not None and len(sources.vectors):
        near = sources.vectors.search(vector, NEAREST)
        places = read_places(conn, [n.chunk_id for n in near])
        # Documentation says what notes say; only code competes with them.
        code = [n.score for n in near if _is_code(places, n.chunk_id)]
        cosine = max(code, default=0.0)

    def rarity(term: str) -> int:
        query = "SELECT count(*) FROM words WHERE words MATCH ?"
        return int(conn.execute(query, [quoted(term)]).fetchone()[0])

    def held(weights: Mapping[str, float]) -> float:
        return _held_by_code(conn, weights)

    pieces = conn.execute("SELECT count(*) FROM chunks").fetchone()[0]
    return Asked(terms, vector, rarity, pieces, cosine, held)


def _is_code(places: Mapping[int, Place], chunk_id: int) -> bool:
    return chunk_id in places and tier_of(places[chunk_id].path) == "code"


def _held_by_code(conn: sqlite3.Connection, weights: Mapping[str, float]) -> float:
    """Return the largest share of the weighted terms that one good piece of code holds."""
    if not weights:
        return 0.0
    best = conn.execute(
        f"SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words, {CODE_WEIGHTS}) "  # noqa: S608
        "LIMIT ?",
        [" OR ".join(map(quoted, weights)), NEAREST],
    ).fetchall()
    held = dict.fromkeys((row[0] for row in best), 0.0)
    inside = json.dumps(list(held))
    for term, weight in weights.items():
        rows = conn.execute(
            "SELECT rowid FROM words WHERE words MATCH ? "
            "AND rowid IN (SELECT value FROM json_each(?))",
            [quoted(term), inside],
        )
        for (chunk,) in rows:
            held[chunk] += weight
    return max(held.values(), default=0.0) / sum(weights.values())


def _notes(text: str, sources: Sources) -> tuple[list[Passage], int]:
    """Return the notes that may answer, and the place, from 0, where they go."""
    book = sources.book
    if not book.catalogue.rows("SELECT 1 FROM notes WHERE recallable LIMIT 1"):
        return [], 0
    asked = asked_of(text, sources)
    matches = book.match(asked, MAX_SURE)
    if not matches:
        return [], 0
    best = matches[0][0]
    # A single word asks for a definition rather than for an answer.
    if best.sure and len(set(asked.terms)) > 1:
        chosen, place = [m for m in matches if m[0].likely], 0
    elif best.likely:
        chosen, place = [m for m in matches if m[0].possible][:MAX_LIKELY], 1
    elif best.possible:
        chosen, place = matches[:1], 2
    else:
        chosen, place = [], 0
    return _passages(chosen, book), place


def _vector(text: str, sources: Sources) -> Vectors | None:
    embedder = sources.embedder
    if embedder is None or sources.book.catalogue.vectors is None:
        return None
    readable = text[:QUERY_CHARS].encode("utf-8", "replace").decode()
    vector: Vectors = embedder.embed([readable])[0]
    return vector


def _passages(matches: Sequence[tuple[Match, Listed]], book: Book) -> list[Passage]:
    pieces = book.catalogue.pieces(match.piece for match, _ in matches)
    found = []
    for match, listed in matches:
        note = read_file(book.shelves[listed.shelf], listed.path)
        piece = pieces.get(match.piece)
        # The file is the truth: a note that was taken back meanwhile is not recalled.
        if piece is None or not note.recallable:
            continue
        found.append(_passage(match, listed, note, piece.text, piece.start_line, book))
    return found


def _passage(
    match: Match, listed: Listed, note: Note, piece: str, first: int, book: Book
) -> Passage:
    text, start = piece, first
    at = f"\n{note.text}\n".find(f"\n{piece}\n")
    if at < 0:  # edited since it was read: show what it says now
        text, start = note.text.strip("\n"), note.body_line
    else:
        start = note.body_line + note.text.count("\n", 0, at)
    reasons = [
        said("a note that answers")
        if match.sure
        else said("a note that may answer")
        if match.likely
        else said("a note that has to do with it")
    ]
    if listed.pinned:
        reasons.append(said("pinned"))
    if listed.uses:
        reasons.append(said(f"helped in {listed.uses} answers"))
    if listed.stale:
        reasons.append(said("written for an earlier version"))
    return Passage(
        path=book.shown_path(listed.shelf, listed.path),
        start_line=start,
        end_line=start + text.count("\n"),
        text=text,
        score=round(match.odds, 4),
        kind="note",
        symbol=note.title,
        reasons=tuple(reasons),
        tier="note",
        note=listed.id,
        state=listed.state,
    )
