"""Ordering: files by the signals, weighed by the shape of the question; then their passages.

A file is as good as its best passage. Which of its passages comes first is
asked again, by words and meaning alone, since what speaks for a file says
nothing about its lines. Further passages of one file count less, so that the
list is not one file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import mul

from commonplace.index.rows import Place
from commonplace.recall.candidates import Candidates
from commonplace.recall.shapes import Question, Shape
from commonplace.recall.signals import Signals, Spoken, signals_of

Weights = Signals
"""How much each signal counts: the same fields."""

NOTHING = Signals(*(0.0 for _ in Signals._fields))
# Sentences: rounded from a fit that was cross-validated over repositories
# (bench/recall/fit.py). The other shapes follow from what they are.
WEIGHTS: Mapping[Shape, Weights] = {
    "symbol": NOTHING._replace(
        words=0.5, file_words=0.5, vector=0.2, file_vector=0.1, names=3.0, path=0.6, stem=0.8
    ),
    "sentence": NOTHING._replace(
        file_words=0.4,
        matches=0.12,
        vector=0.6,
        file_vector=0.28,
        names=0.15,
        stem=0.22,
        called=0.25,
        used=0.2,
    ),
    "path": NOTHING._replace(
        words=0.5, file_words=0.5, vector=0.1, file_vector=0.1, names=0.5, path=3.0, stem=1.0
    ),
    "trace": NOTHING._replace(
        words=0.6,
        file_words=0.6,
        matches=0.2,
        vector=0.3,
        file_vector=0.2,
        names=0.8,
        path=0.6,
        stem=0.2,
    ),
    "error": NOTHING._replace(
        words=0.4, file_words=0.4, vector=0.3, file_vector=0.1, names=0.3, stem=0.2, said=2.0
    ),
    "report": NOTHING._replace(
        words=0.2,
        file_words=0.5,
        matches=0.2,
        vector=0.4,
        file_vector=0.3,
        names=0.5,
        path=0.4,
        stem=0.3,
        called=0.2,
        used=0.1,
    ),
}
"""What makes a file come first."""
USES_PAST = any(weights.recent for weights in WEIGHTS.values())
"""Whether the project's past is worth reading: no weight of it held on unseen projects
(bench/recall/recent.py)."""
WITHIN: Mapping[Shape, Weights] = {
    **WEIGHTS,
    "sentence": NOTHING._replace(words=0.3, vector=0.4, names=0.1),
}
"""What makes a passage come first among those of its file."""
PLACE_BONUS = 3.0
"""What a chunk gains when a stack trace points at it."""
SAME_FILE = 0.7
"""What each further passage of a file keeps of its score.

Less puts more files among the first ten, more puts the right lines there.
"""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk with its final score, and all that speaks for it."""

    score: float
    spoken: Spoken

    @property
    def chunk_id(self) -> int:
        """The chunk that is ranked."""
        return self.spoken.candidate.chunk_id


def rank(
    question: Question,
    candidates: Candidates,
    places: Mapping[int, Place],
    weights: Weights | None = None,
) -> list[Ranked]:
    """Order the candidates of `question`, best first; leave out what nothing speaks for."""
    weights = weights or WEIGHTS[question.shape]
    by_path: dict[str, list[tuple[float, Spoken]]] = defaultdict(list)
    for spoken in signals_of(question, candidates, places):
        score = score_of(spoken, weights)
        if score > 0:
            by_path[spoken.place.path].append((score, spoken))
    found = [
        Ranked(round(score, 4), spoken)
        for path in sorted(by_path)
        for score, spoken in _spread(by_path[path], WITHIN[question.shape])
    ]
    return sorted(found, key=lambda ranked: -ranked.score)


def score_of(spoken: Spoken, weights: Weights) -> float:
    """Return the weighed sum of a candidate's signals."""
    return _sum(spoken, weights) * spoken.demotion.keeps


def _sum(spoken: Spoken, weights: Weights) -> float:
    return sum(map(mul, weights, spoken.signals), PLACE_BONUS * spoken.candidate.place)


def _spread(
    chunks: Sequence[tuple[float, Spoken]], within: Weights
) -> Iterator[tuple[float, Spoken]]:
    """Give the best passage of a file the file's score, and each further one less."""
    best = max(score for score, _ in chunks)
    ordered = sorted((spoken for _, spoken in chunks), key=lambda s: -_sum(s, within))
    for number, spoken in enumerate(ordered):
        yield best * SAME_FILE**number, spoken
