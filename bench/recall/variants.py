"""Ways to order what was found: recall's own, and recall with parts taken away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from unittest import mock

from bench.recall.asking import AS_WRITTEN, BODIES, FIELDED, Columns, Heard
from commonplace.recall import ranking
from commonplace.recall.candidates import Candidate, Candidates
from commonplace.recall.ranking import NOTHING, WEIGHTS, Weights, rank

VECTORS = ("vector", "file_vector", "called")
RECENT = 0.3
"""The best weight of what changed of late that was found; see `recent`."""
Order = Callable[[Heard], list[int]]


@dataclass(frozen=True, slots=True)
class Variant:
    """A named order; `columns` are the weights with which BM25 is asked."""

    name: str
    order: Order
    columns: Columns = FIELDED


def by_words(heard: Heard) -> list[int]:
    """Order by BM25 alone."""
    return _sorted(heard, lambda candidate: candidate.words)


def by_vectors(heard: Heard) -> list[int]:
    """Order by cosine alone."""
    return _sorted(heard, lambda candidate: candidate.vector)


def ranked(heard: Heard) -> list[int]:
    """Order as the product does."""
    return _ranked(heard, heard.candidates, WEIGHTS[heard.question.shape])


def weighed(*names: str) -> Order:
    """Return the product's ranking with only the named weights, words alone being found."""

    def order(heard: Heard) -> list[int]:
        full = WEIGHTS[heard.question.shape]
        weights = NOTHING._replace(**{name: getattr(full, name) for name in names})
        if names == ("words",):
            weights = weights._replace(words=1.0)  # which sentences weigh by file alone
        return _ranked(heard, _without_vectors(heard.candidates), weights)

    return order


def without(*names: str) -> Order:
    """Return the product's ranking without the named weights."""

    def order(heard: Heard) -> list[int]:
        weights = WEIGHTS[heard.question.shape]._replace(**dict.fromkeys(names, 0.0))
        return _ranked(heard, heard.candidates, weights)

    return order


def repeats(share: float) -> Order:
    """Return the product's ranking when each further chunk of a file keeps `share`."""

    def order(heard: Heard) -> list[int]:
        with mock.patch.object(ranking, "SAME_FILE", share):
            return ranked(heard)

    return order


WITHOUT_VECTORS = [name for name in Weights._fields if name not in VECTORS]
BM25 = Variant("BM25, with fields", by_words)
WORD_LADDER = (
    Variant("BM25 over bodies as written", by_words, AS_WRITTEN),
    Variant("BM25 over bodies", by_words, BODIES),
    BM25,
    Variant("+ tests and repeats demoted", weighed("words")),
    Variant("+ words of the whole file", weighed("words", "file_words", "matches")),
    Variant("+ names", weighed("words", "file_words", "matches", "names")),
    Variant("+ path", weighed("words", "file_words", "matches", "names", "path", "stem")),
    Variant("+ use: all but vectors", weighed(*WITHOUT_VECTORS)),
)
RANKED_WORDS = WORD_LADDER[-1]


def with_vectors(embedder: str) -> tuple[Variant, Variant]:
    """Return vectors alone and the whole product, named after their embedder."""
    return (
        Variant(f"vectors alone ({embedder})", by_vectors),
        Variant(f"+ vectors ({embedder})", ranked),
    )


def lately(heard: Heard) -> list[int]:
    """Order as the product would if what changed of late counted."""
    weights = WEIGHTS[heard.question.shape]._replace(recent=RECENT)
    return _ranked(heard, heard.candidates, weights)


LATELY = Variant("recall, with what changed of late", lately)
"""Asked with the project's past, of which the others know nothing."""
ADAPTED = Variant("+ project adapter, where it is kept", ranked)
REPEATS = tuple(
    Variant(f"repeats of a file keep {share}", repeats(share)) for share in (0.5, 0.6, 0.85, 1.0)
)
LEFT_OUT = (
    Variant("everything", ranked),
    Variant("without words of the chunk", without("words")),
    Variant("without words of the file", without("file_words", "matches")),
    Variant("without names", without("names")),
    Variant("without path", without("path", "stem")),
    Variant("without vectors of the chunk", without("vector")),
    Variant("without vectors of the file", without("file_vector")),
    Variant("without meaning of file names", without("called")),
    Variant("without who uses the file", without("used")),
    *REPEATS,
)


def _sorted(heard: Heard, value: Callable[[Candidate], float | None]) -> list[int]:
    scored = [(value(c), c.chunk_id) for c in heard.candidates.by_id.values()]
    present = [(number, chunk_id) for number, chunk_id in scored if number is not None]
    return [chunk_id for _, chunk_id in sorted(present, key=lambda item: (-item[0], item[1]))]


def _ranked(heard: Heard, candidates: Candidates, weights: Weights) -> list[int]:
    found: Sequence[int] = [
        r.chunk_id for r in rank(heard.question, candidates, heard.places, weights)
    ]
    return list(found)


def _without_vectors(candidates: Candidates) -> Candidates:
    kept = {
        chunk_id: replace(candidate, vector=None)
        for chunk_id, candidate in candidates.by_id.items()
        if candidate.words is not None or candidate.names or candidate.place
    }
    return replace(candidates, by_id=kept)
