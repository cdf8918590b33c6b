"""What else speaks for a file: who uses it, and what its name means.

Both are asked per question and of its candidates alone, so nothing has to be
kept up to date: a file counts for what other results use of it.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from heapq import nlargest
from pathlib import PurePosixPath

import numpy as np

from commonplace.index.embedder import Embedder, Vectors
from commonplace.index.rows import Place
from commonplace.index.structure import relations
from commonplace.index.words import words_of
from commonplace.recall.candidates import Candidate
from commonplace.recall.demotions import is_aside

BY_WORDS, BY_VECTOR = 100, 60
"""How many of the best candidates are asked what they use."""


def users(
    conn: sqlite3.Connection, candidates: Collection[Candidate], places: Mapping[int, Place]
) -> dict[str, float]:
    """Return how many other files among the best candidates use what each file defines.

    A file that uses a name counts by how sure it is that this file's is meant.
    Tests and examples do not count: they use whatever there is.
    """
    related = relations(conn, sorted(_best(candidates, places)), imports=False)
    surest: dict[tuple[str, str], float] = {}
    for start, to, weight in related.references:
        edge = places[start].path, places[to].path
        if edge[0] != edge[1] and not is_aside(edge[0]):
            surest[edge] = max(surest.get(edge, 0.0), min(1.0, weight))
    found: Counter[str] = Counter()
    for (_, path), weight in surest.items():
        found[path] += weight  # type: ignore[assignment]
    return dict(found)


def _best(candidates: Collection[Candidate], places: Mapping[int, Place]) -> set[int]:
    alive = [candidate for candidate in candidates if candidate.chunk_id in places]
    by_words = nlargest(BY_WORDS, alive, key=lambda c: c.words or 0.0)
    by_vector = nlargest(BY_VECTOR, alive, key=lambda c: c.vector or 0.0)
    return {c.chunk_id for c in by_words if c.words} | {c.chunk_id for c in by_vector if c.vector}


def name_nearness(embedder: Embedder, query: Vectors, paths: Iterable[str]) -> dict[str, float]:
    """Return the cosine between a question's vector and the name of each file."""
    names = {path: _name(path) for path in paths}
    if not names:
        return {}
    rows = np.stack([_vector(embedder, name) for name in names.values()])
    return dict(zip(names, (rows @ query).tolist(), strict=True))


@lru_cache(maxsize=20_000)
def _name(path: str) -> str:
    return " ".join(words_of(PurePosixPath(path).stem))


@lru_cache(maxsize=20_000)
def _vector(embedder: Embedder, name: str) -> Vectors:
    vector: Vectors = embedder.embed([name])[0]
    return vector
