"""Which notes answer a question, and how sure that is.

A note is found by its words and its vector. Whether it *answers* is another
question: most questions have nothing to do with any note, and a note in the
wrong place pushes down code that answers. So a match is judged by the share of
the question's meaning that the note holds, where rare words weigh more and
words are counted over notes and code together, by the cosine, and by how both
compare with the best of the code. A sure match comes first, a likely one right
behind the best of the code, a possible one third, any other not at all.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from commonplace.book.catalogue import Catalogue
from commonplace.book.note import Listed
from commonplace.index.embedder import Vectors
from commonplace.index.words import words_of

WORD_LIMIT = 24
VECTOR_LIMIT = 8
MAX_TERMS = 24
COLUMN_WEIGHTS = (4.0, 3.0, 3.0, 1.0, 1.0)
# Found by logistic regression over the questions of `bench.book`: what the share of the
# question that the note holds, and its title, the share of the title that the question
# holds, the cosine, BM25, and the lead over the code say about whether a note answers.
BIAS, HELD, TITLED, NAMED, COSINE, WORDS = -5.16, 2.44, -0.58, 3.44, 1.35, 3.21
NEARER, FULLER = 4.19, 1.60
MOST_BM25 = 25.0
COMMON = frozenset(
    "a an and are as at by for from how in is it of on or the to we what why".split()
)
SURE = 0.35
LIKELY = 0.06
POSSIBLE = 0.01


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as notes see it: its searchable terms, and its vector if there is one.

    `rarity` says in how many pieces of code a term occurs, of `pieces` many.
    `code_cosine` is that of the code nearest to the question, and `code_held`
    tells which share of weighted terms the best piece of code holds.
    """

    terms: Sequence[str]
    vector: Vectors | None = None
    rarity: Callable[[str], int] = field(default=lambda _term: 0)
    pieces: int = 0
    code_cosine: float = 0.0
    code_held: Callable[[Mapping[str, float]], float] = field(default=lambda _weights: 0.0)


@dataclass(frozen=True, slots=True)
class Match:
    """A note that may answer: its best piece, and how sure that is, 0 to 1.

    `held` and `titled` are shares of the question's weight of words that the
    note and its title hold, `named` the share of the title's words that the
    question holds, `cosine` is -1 to 1.
    """

    key: int
    piece: int
    odds: float
    held: float
    titled: float
    named: float
    cosine: float

    @property
    def sure(self) -> bool:
        """Whether the note answers, so that it comes first."""
        return self.odds >= SURE

    @property
    def likely(self) -> bool:
        """Whether the note is worth a place behind the first."""
        return self.odds >= LIKELY

    @property
    def possible(self) -> bool:
        """Whether the note is worth the third place."""
        return self.odds >= POSSIBLE


def match_notes(catalogue: Catalogue, asked: Asked, limit: int = 3) -> list[Match]:
    """Return the kept notes that may answer, the surest first, each once."""
    terms = [t for t in dict.fromkeys(asked.terms) if len(t) > 1][:MAX_TERMS]
    cosines = _by_vector(catalogue, asked)
    words = _by_words(catalogue, terms)
    pieces = set(words) | set(cosines)
    if not pieces:
        return []
    owners, titles = _recallable(catalogue, pieces)
    if asked.vector is not None and catalogue.vectors is not None:
        for near in catalogue.vectors.scores(asked.vector, owners):
            cosines[near.chunk_id] = near.score
    shares, weights = _shares(catalogue, terms, asked, list(owners))
    code = asked.code_held(weights)
    best: dict[int, Match] = {}
    for piece, key in owners.items():
        held, titled, count = shares.get(piece, (0.0, 0.0, 0))
        named = min(1.0, count / titles[key])
        cosine = cosines.get(piece, 0.0)
        value = (
            BIAS
            + HELD * held
            + TITLED * titled
            + NAMED * named
            + COSINE * max(cosine, 0.0)
            + WORDS * min(words.get(piece, 0.0), MOST_BM25) / MOST_BM25
            + NEARER * (cosine - asked.code_cosine)
            + FULLER * (held - code)
        )
        odds = 1 / (1 + math.exp(-value))
        match = Match(key, piece, odds, held, titled, named, cosine)
        if key not in best or match.odds > best[key].odds:
            best[key] = match
    return sorted(best.values(), key=lambda m: (-m.odds, m.key))[:limit]


def priority(note: Listed, now: float | None = None) -> tuple[int, float, float]:
    """Return what orders notes that say as much: pinned, then helpful, then recent.

    Greater is better. A time in the future counts as now: clocks go wrong.
    """
    now = time.time() if now is None else now
    last = min(note.last_use, now)
    return int(note.pinned), math.log1p(note.uses), last


def quoted(term: str) -> str:
    """Return `term` as an FTS5 string, so that no user text is ever syntax."""
    escaped = term.replace('"', '""')
    return f'"{escaped}"'


def _by_words(catalogue: Catalogue, terms: Sequence[str]) -> dict[int, float]:
    """Return the pieces that hold most of the terms, and how well, higher being better."""
    if not terms:
        return {}
    weights = ", ".join(map(str, COLUMN_WEIGHTS))
    rows = catalogue.rows(
        f"SELECT rowid, bm25(words, {weights}) AS score FROM words "  # noqa: S608 - constants
        "WHERE words MATCH ? ORDER BY score LIMIT ?",
        [" OR ".join(map(quoted, terms)), WORD_LIMIT],
    )
    return {row[0]: -row[1] for row in rows}


def _by_vector(catalogue: Catalogue, asked: Asked) -> dict[int, float]:
    if asked.vector is None or catalogue.vectors is None:
        return {}
    near = catalogue.vectors.search(asked.vector, VECTOR_LIMIT)
    return {neighbour.chunk_id: neighbour.score for neighbour in near}


def _recallable(catalogue: Catalogue, pieces: set[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Return the pieces of notes that a person keeps, piece → note, and words per title."""
    rows = catalogue.rows(
        "SELECT p.id, p.note, n.title FROM pieces p JOIN notes n ON n.key = p.note "
        "WHERE n.recallable AND p.id IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(pieces))],
    )
    titles = {key: title for _, key, title in rows}
    counts = {key: max(2, len(set(words_of(title)) - COMMON)) for key, title in titles.items()}
    return {row[0]: row[1] for row in rows}, counts


def _shares(
    catalogue: Catalogue, terms: Sequence[str], asked: Asked, pieces: list[int]
) -> tuple[dict[int, tuple[float, float, int]], dict[str, float]]:
    """Return what share of the question each piece holds, anywhere and in its title.

    The third is how many of its terms the title holds. With it come the weights
    of the terms.
    """
    total = asked.pieces + catalogue.rows("SELECT count(*) FROM pieces")[0][0]
    inside = json.dumps(pieces)
    held: dict[int, float] = {}
    titled: dict[int, float] = {}
    counts: dict[int, int] = {}
    weights: dict[str, float] = {}
    for term in terms:
        found = catalogue.rows("SELECT count(*) FROM words WHERE words MATCH ?", [quoted(term)])
        weight = math.log(1 + total / (1 + found[0][0] + asked.rarity(term)))
        weights[term] = weight
        if not found[0][0]:
            continue
        for scores, columns in ((held, ""), (titled, "{title tags anchors} : ")):
            rows = catalogue.rows(
                "SELECT rowid FROM words WHERE words MATCH ? "
                "AND rowid IN (SELECT value FROM json_each(?))",
                [f"{columns}{quoted(term)}", inside],
            )
            for (piece,) in rows:
                scores[piece] = scores.get(piece, 0.0) + weight
                if scores is titled:
                    counts[piece] = counts.get(piece, 0) + 1
    whole = sum(weights.values())
    if not whole:
        return {}, weights
    shares = {
        p: (held.get(p, 0.0) / whole, titled.get(p, 0.0) / whole, counts.get(p, 0)) for p in pieces
    }
    return shares, weights
