"""Ordering: few signals, each with a meaning, added up per chunk.

Signals of a file (does its path carry the question's words, how much of it
matches, what does it define) and of a chunk (its own words, vector and name)
are brought to the range 0 to 1 and weighed by the shape of the question.
Tests, examples and generated code are demoted unless the question asks for
them. Further chunks of one file count less, so that the list is not one file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

import snowballstemmer

from commonplace.index.store import Place, last_name
from commonplace.index.words import IDENTIFIER, forms_of, whole_form
from commonplace.recall.candidates import Candidate, Candidates
from commonplace.recall.shapes import Question, Shape

_STEMMER = snowballstemmer.stemmer("english")


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each signal counts; every signal lies between 0 and 1.

    Of the chunk: `words` is its BM25, `vector` its nearness in meaning, `names`
    how well it defines what the question names. Of its file: `file_words` and
    `file_vector` add up the best chunks, `matches` adds up all of them (central
    files match in many places), `path` is the share of the question's words in
    the path, `stem` the share of the file name's words in the question.
    """

    words: float
    file_words: float
    matches: float
    vector: float
    file_vector: float
    names: float
    path: float
    stem: float


# Sentences: rounded from a fit that was cross-validated over repositories
# (bench/recall/fit.py). The other shapes follow from what they are.
WEIGHTS: Mapping[Shape, Weights] = {
    "symbol": Weights(0.5, 0.5, 0.0, 0.2, 0.1, 3.0, 0.6, 0.8),
    "sentence": Weights(0.2, 0.7, 0.35, 0.6, 0.5, 0.3, 0.2, 0.45),
    "path": Weights(0.5, 0.5, 0.0, 0.1, 0.1, 0.5, 3.0, 1.0),
    "trace": Weights(0.6, 0.6, 0.2, 0.3, 0.2, 0.8, 0.6, 0.2),
}
PLACE_BONUS = 3.0
CLOSE = 0.25
"""Cosine from which a passage is called close in meaning."""
DEMOTED = 0.4
SAME_FILE = 0.3
"""What each further chunk of a file keeps of its score."""

TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|specs?|__tests__|testdata|fixtures?|mocks?)(?:/|$)"
    r"|(?:^|/)test_[^/]*$|[._-](?:test|tests|spec)\.[^/]*$|(?:Test|Tests|Spec)\.\w+$"
)
EXAMPLES = re.compile(
    r"(?:^|/)(?:examples?|samples?|demos?|benchmarks?|bench)(?:/|$)", re.IGNORECASE
)
GENERATED = re.compile(
    r"(?:^|/)(?:vendor|third_party|dist|generated|_generated)/|\.min\.\w+$|\.lock$|_pb2\.py$"
    r"|(?:^|/)(?:package-lock\.json|yarn\.lock|poetry\.lock)$"
)
ASKS_TESTS = frozenset({"test", "tests", "testing", "spec", "fixture", "mock"})
ASKS_EXAMPLES = frozenset({"example", "examples", "sample", "demo", "benchmark"})


@dataclass(frozen=True, slots=True)
class Ranked:
    """A chunk with its final score and the reasons for it."""

    chunk_id: int
    score: float
    reasons: tuple[str, ...]


@dataclass(slots=True)
class _File:
    """Signals of one file among the candidates."""

    words: float = 0.0
    matches: float = 0.0
    vector: float = 0.0
    path: float = 0.0
    stem: float = 0.0
    factor: float = 1.0
    demotion: str = ""


def rank(
    question: Question,
    candidates: Candidates,
    places: Mapping[int, Place],
    weights: Weights | None = None,
) -> list[Ranked]:
    """Order the candidates of `question`, best first."""
    weights = weights or WEIGHTS[question.shape]
    alive = [c for c in candidates.by_id.values() if c.chunk_id in places]
    if not alive:
        return []
    top_words = max((c.words or 0.0 for c in alive), default=0.0) or 1.0
    vectors = [c.vector for c in alive if c.vector is not None]
    low, high = (min(vectors), max(vectors)) if vectors else (0.0, 1.0)
    files = _file_signals(question, candidates, alive, places, (low, high))
    scored = []
    for candidate in alive:
        place = places[candidate.chunk_id]
        file = files[place.path]
        own_words = (candidate.words or 0.0) / top_words
        own_vector = _scaled(candidate.vector, low, high)
        names = _name_signal(question, candidate, place)
        score = (
            weights.words * own_words
            + weights.file_words * file.words
            + weights.matches * file.matches
            + weights.vector * own_vector
            + weights.file_vector * file.vector
            + weights.names * names
            + weights.path * file.path
            + weights.stem * file.stem
            + PLACE_BONUS * candidate.place
        ) * file.factor
        if score <= 0:
            continue
        reasons = _reasons(question, candidate, file, own_words, own_vector, names)
        scored.append((Ranked(candidate.chunk_id, round(score, 4), reasons), place.path))
    return _spread(scored)


def _file_signals(
    question: Question,
    candidates: Candidates,
    alive: Sequence[Candidate],
    places: Mapping[int, Place],
    vector_range: tuple[float, float],
) -> dict[str, _File]:
    words: dict[str, list[float]] = defaultdict(list)
    vectors: dict[str, list[float]] = defaultdict(list)
    for candidate in alive:
        path = places[candidate.chunk_id].path
        words[path].append(candidate.words or 0.0)
        vectors[path].append(_scaled(candidate.vector, *vector_range))
    sums = {path: _mass(values) for path, values in words.items()}
    masses = {path: _mass(values) for path, values in vectors.items()}
    totals = {path: sum(values) for path, values in words.items()}
    top = max(sums.values(), default=0.0) or 1.0
    top_total = max(totals.values(), default=0.0) or 1.0
    top_vector = max(masses.values(), default=0.0) or 1.0
    files = {}
    for path, value in sums.items():
        factor, demotion = _demotion(question, path)
        share, stem = _path_signals(question, path, candidates.rarity)
        files[path] = _File(
            words=value / top,
            matches=totals[path] / top_total,
            vector=masses[path] / top_vector,
            path=share,
            stem=stem,
            factor=factor,
            demotion=demotion,
        )
    return files


def _mass(values: Sequence[float]) -> float:
    """Add up the best matches of a file, each further one counting less."""
    best = sorted(values, reverse=True)[:8]
    return sum(value * 0.7**place for place, value in enumerate(best))


def _scaled(vector: float | None, low: float, high: float) -> float:
    if vector is None:
        return 0.0
    return (vector - low) / (high - low) if high > low else 1.0


def _name_signal(question: Question, candidate: Candidate, place: Place) -> float:
    """How well the chunk defines what the question names."""
    if not candidate.names or not question.names:
        return 0.0
    own = last_name(place.symbol)
    exact = whole_form(own) in {last_name(name) for name in candidate.names}
    if question.shape == "symbol":
        full = question.names[0] in candidate.names
        spelled = exact and own == last_name(question.text.removesuffix("()"))
        return (1.0 if full else 0.4) * (1.0 if spelled else 0.9 if exact else 0.8)
    return min(1.0, len(set(candidate.names)) / 2) * (1.0 if exact else 0.7)


def _path_signals(
    question: Question, path: str, rarity: Mapping[str, float]
) -> tuple[float, float]:
    """Return the share of the question's words in the path, and how well the stem fits."""
    if not question.words:
        return 0.0, 0.0
    pure = PurePosixPath(path)
    parts = {_root(w) for part in pure.parts for w in _name_words(part)}
    stem = [_root(w) for w in _name_words(pure.stem)]
    wanted = {_root(w): rarity.get(w, 1.0) for w in question.words}
    whole = sum(wanted.values()) or 1.0
    share = sum(weight for word, weight in wanted.items() if word in parts) / whole
    fits = sum(word in wanted for word in stem) / len(stem) if stem else 0.0
    return min(1.0, share * 2), fits


def _name_words(name: str) -> list[str]:
    found: list[str] = []
    for piece in re.findall(r"\w+", name):
        found.extend(forms_of(piece))
    return found


@lru_cache(maxsize=50_000)
def _root(word: str) -> str:
    """Return the stem of an English word, so that ``routes`` meets ``routing``."""
    return str(_STEMMER.stemWord(word))


def _demotion(question: Question, path: str) -> tuple[float, str]:
    asked = set(question.terms)
    if TESTS.search(path) and not asked & ASKS_TESTS:
        return DEMOTED, "test code counts less"
    if EXAMPLES.search(path) and not asked & ASKS_EXAMPLES:
        return DEMOTED, "example code counts less"
    if GENERATED.search(path):
        return DEMOTED, "generated or vendored code counts less"
    return 1.0, ""


def _asked_names(question: Question, candidate: Candidate) -> str:
    """Return the names the chunk defines as the user wrote them."""
    written = {whole_form(word): word for word in IDENTIFIER.findall(question.text)}
    return ", ".join(dict.fromkeys(written.get(n, question.text) for n in candidate.names))


def _reasons(
    question: Question, candidate: Candidate, file: _File, words: float, vector: float, names: float
) -> tuple[str, ...]:
    reasons = []
    if candidate.place:
        reasons.append("named by the stack trace")
    if names:
        reasons.append(f"defines {_asked_names(question, candidate)}")
    if words > 0.5:
        reasons.append("shares rare words with the question")
    elif words > 0:
        reasons.append("shares words with the question")
    if vector > 0.5 and (candidate.vector or 0.0) > CLOSE:
        reasons.append("close in meaning")
    if file.path > 0.3:
        reasons.append("the path holds words of the question")
    if file.demotion:
        reasons.append(file.demotion)
    return tuple(reasons or ["distantly related"])


def _spread(scored: Sequence[tuple[Ranked, str]]) -> list[Ranked]:
    """Let each further chunk of a file count less, best first."""
    seen: dict[str, int] = defaultdict(int)
    result = []
    for ranked, path in sorted(scored, key=lambda item: (-item[0].score, item[1])):
        factor = SAME_FILE ** seen[path]
        seen[path] += 1
        result.append(Ranked(ranked.chunk_id, round(ranked.score * factor, 4), ranked.reasons))
    return sorted(result, key=lambda r: -r.score)
