"""Ordering: signals weighed by the shape of the question, and added up.

Tests, examples and generated code are demoted unless the question asks for
them. Further chunks of one file count less, so that the list is not one file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul

from commonplace.index.rows import Place
from commonplace.index.words import IDENTIFIER, SEPARATORS, name_forms, whole_form
from commonplace.recall.candidates import Candidates
from commonplace.recall.shapes import Question, Shape
from commonplace.recall.signals import Signals, Spoken, signals_of

Weights = Signals
"""How much each signal counts: the same fields."""

# Sentences: rounded from a fit that was cross-validated over repositories
# (bench/recall/fit.py). The other shapes follow from what they are.
WEIGHTS: Mapping[Shape, Weights] = {
    "symbol": Weights(
        words=0.5,
        file_words=0.5,
        matches=0.0,
        vector=0.2,
        file_vector=0.1,
        names=3.0,
        path=0.6,
        stem=0.8,
    ),
    "sentence": Weights(
        words=0.2,
        file_words=0.7,
        matches=0.35,
        vector=0.6,
        file_vector=0.5,
        names=0.3,
        path=0.2,
        stem=0.45,
    ),
    "path": Weights(
        words=0.5,
        file_words=0.5,
        matches=0.0,
        vector=0.1,
        file_vector=0.1,
        names=0.5,
        path=3.0,
        stem=1.0,
    ),
    "trace": Weights(
        words=0.6,
        file_words=0.6,
        matches=0.2,
        vector=0.3,
        file_vector=0.2,
        names=0.8,
        path=0.6,
        stem=0.2,
    ),
}
PLACE_BONUS = 3.0
"""What a chunk gains when a stack trace points at it."""
DEMOTED = 0.4
"""What tests, examples and generated code keep of their score."""
SAME_FILE = 0.6
"""What each further chunk of a file keeps of its score.

Less puts more files among the first ten, more puts the right lines there: from
0.3 to 0.7 questions for files lose .006 NDCG@10, and questions for a function's
lines win 17 points of hit@10.
"""
CLOSE = 0.25
"""Cosine from which a passage is called close in meaning."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk with its final score and the reasons for it."""

    chunk_id: int
    score: float
    reasons: tuple[str, ...]


def rank(
    question: Question,
    candidates: Candidates,
    places: Mapping[int, Place],
    weights: Weights | None = None,
) -> list[Ranked]:
    """Order the candidates of `question`, best first; leave out what nothing speaks for."""
    weights = weights or WEIGHTS[question.shape]
    scored = [
        (score, spoken)
        for spoken in signals_of(question, candidates, places)
        if (score := score_of(spoken, weights)) > 0
    ]
    return [
        Ranked(spoken.candidate.chunk_id, round(score, 4), _reasons(question, spoken))
        for score, spoken in _spread(scored)
    ]


def score_of(spoken: Spoken, weights: Weights) -> float:
    """Return the weighed sum of a candidate's signals."""
    score = sum(map(mul, weights, spoken.signals), 0.0)
    score += PLACE_BONUS * spoken.candidate.place
    return score * (DEMOTED if spoken.demotion else 1.0)


def _spread(scored: Sequence[tuple[float, Spoken]]) -> list[tuple[float, Spoken]]:
    """Let each further chunk of a file count less, best first."""
    seen: dict[str, int] = defaultdict(int)
    result = []
    for score, spoken in sorted(scored, key=lambda item: (-item[0], item[1].place.path)):
        path = spoken.place.path
        result.append((score * SAME_FILE ** seen[path], spoken))
        seen[path] += 1
    return sorted(result, key=lambda item: -item[0])


def _reasons(question: Question, spoken: Spoken) -> tuple[str, ...]:
    candidate, signals = spoken.candidate, spoken.signals
    reasons = []
    if candidate.place:
        reasons.append("named by the stack trace")
    if signals.names:
        reasons.append(f"defines {_defined(question, spoken)}")
    if signals.words > 0.5:
        reasons.append("shares rare words with the question")
    elif signals.words > 0:
        reasons.append("shares words with the question")
    if signals.vector > 0.5 and (candidate.vector or 0.0) > CLOSE:
        reasons.append("close in meaning")
    if signals.path > 0.3:
        reasons.append("the path holds words of the question")
    if spoken.demotion:
        reasons.append(spoken.demotion)
    return tuple(reasons or ["distantly related"])


def _defined(question: Question, spoken: Spoken) -> str:
    """Return the names the chunk defines, as the code or else the user wrote them."""
    names = spoken.candidate.names
    whole = [n for n in names if not any(o != n and o.endswith(f".{n}") for o in names)]
    parts = SEPARATORS.split(spoken.place.symbol)
    tails = [".".join(parts[start:]) for start in range(len(parts))]
    spelled = {form: tail for tail in tails for form in name_forms(tail)[:1]}
    asked = {whole_form(word): word for word in IDENTIFIER.findall(question.text)}
    return ", ".join(dict.fromkeys(spelled.get(n) or asked.get(n, n) for n in whole))
