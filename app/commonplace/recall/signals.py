"""Signals: what speaks for each candidate, each between 0 and 1.

Some are of the chunk itself (its words, its nearness in meaning, what it
defines), some of its file (how much of it matches, what its path says).
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import NamedTuple

import snowballstemmer

from commonplace.index.rows import Place, last_name
from commonplace.index.words import IDENTIFIER, forms_of, whole_form
from commonplace.recall.candidates import Candidate, Candidates
from commonplace.recall.demotions import Demotion, Demotions
from commonplace.recall.shapes import Question

SUMMED = 8
DECAY = 0.7
"""A file's best chunks are added up, each further one counting this much less."""


class _Stemmer(threading.local):
    """One for each thread: a stemmer keeps the word it is at, and searches run side by side."""

    def __init__(self) -> None:
        self.stem = snowballstemmer.stemmer("english").stemWord


_STEMMER = _Stemmer()


class Signals(NamedTuple):
    """What speaks for one chunk.

    Of the chunk: `words` is its BM25, `vector` its nearness in meaning, `names`
    how well it defines what the question names, `said` how much of an error
    message it holds word by word. Of its file: `file_words` and
    `file_vector` add up the best chunks, `matches` adds up all of them (central
    files match in many places), `path` is the share of the question's words in
    the path, `stem` the share of the file name's words in the question,
    `called` how near the file's name is in meaning, `used` how many other
    candidates use what the file defines, `recent` how much it was changed of
    late, where the question is about a change.
    """

    words: float
    file_words: float
    matches: float
    vector: float
    file_vector: float
    names: float
    path: float
    stem: float
    called: float
    used: float
    said: float
    recent: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """A candidate, its place, its signals, and how much less it counts."""

    candidate: Candidate
    place: Place
    signals: Signals
    demotion: Demotion


def signals_of(
    question: Question, candidates: Candidates, places: Mapping[int, Place]
) -> list[Spoken]:
    """Return the signals of every candidate that still has a place."""
    alive = [c for c in candidates.by_id.values() if c.chunk_id in places]
    if not alive:
        return []
    words = _Scale([c.words for c in alive], low=0.0)
    vectors = _Scale([c.vector for c in alive])
    files = _files(alive, places, words, vectors)
    of_file = _file_signals(question, candidates, files)
    demotions = Demotions(question, files)
    demoted = {path: demotions.of(path) for path in files}
    found = []
    for candidate in alive:
        place = places[candidate.chunk_id]
        file_words, matches, file_vector = files[place.path]
        path, stem, called, used, recent = of_file[place.path]
        signals = Signals(
            words=words.share(candidate.words),
            file_words=file_words,
            matches=matches,
            vector=vectors.share(candidate.vector),
            file_vector=file_vector,
            names=_name_signal(question, candidate, place),
            path=path,
            stem=stem,
            called=called,
            used=used,
            said=candidate.said,
            recent=recent,
        )
        found.append(Spoken(candidate, place, signals, demoted[place.path]))
    return found


def _file_signals(
    question: Question, candidates: Candidates, paths: Iterable[str]
) -> dict[str, tuple[float, float, float, float, float]]:
    """Return (path, stem, called, used, recent) of each file."""
    users = {path: math.log1p(candidates.users.get(path, 0.0)) for path in paths}
    wanted = {root_of(word): candidates.rarity.get(word, 1.0) for word in question.words}
    called = _Scale([candidates.nearness.get(path) for path in users])
    used = _Scale([*users.values(), 0.0])
    changed = {path: math.log1p(candidates.recent.get(path, 0.0)) for path in users}
    recent = _Scale([*changed.values(), 0.0])
    return {
        path: (
            *_path_signals(wanted, path),
            called.share(candidates.nearness.get(path)),
            used.share(users[path]) if users[path] else 0.0,
            recent.share(changed[path]) if changed[path] else 0.0,
        )
        for path in users
    }


class _Scale:
    """Brings scores to the range 0 to 1; a missing score is 0."""

    def __init__(self, values: Sequence[float | None], low: float | None = None) -> None:
        known = [value for value in values if value is not None]
        self._low = min(known, default=0.0) if low is None else low
        self._span = max(known, default=0.0) - self._low

    def share(self, value: float | None) -> float:
        """Return where `value` lies between the lowest and the highest."""
        if value is None:
            return 0.0
        return (value - self._low) / self._span if self._span > 0 else 1.0


def _files(
    alive: Sequence[Candidate], places: Mapping[int, Place], words: _Scale, vectors: _Scale
) -> dict[str, tuple[float, float, float]]:
    """Return (file_words, matches, file_vector) of each file."""
    by_path: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in alive:
        by_path[places[candidate.chunk_id].path].append(candidate)
    sums = {}
    for path, chunks in by_path.items():
        shares = [words.share(c.words) for c in chunks]
        nearness = [vectors.share(c.vector) for c in chunks]
        sums[path] = (_mass(shares), sum(shares), _mass(nearness))
    tops = [max(column) or 1.0 for column in zip(*sums.values(), strict=True)]
    return {
        path: (values[0] / tops[0], values[1] / tops[1], values[2] / tops[2])
        for path, values in sums.items()
    }


def _mass(values: Sequence[float]) -> float:
    best = sorted(values, reverse=True)[:SUMMED]
    return sum(value * DECAY**rank for rank, value in enumerate(best))


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


def _path_signals(wanted: Mapping[str, float], path: str) -> tuple[float, float]:
    """Return the share of the question's words in the path, and how well the stem fits.

    `wanted` are the stems of the question's words, and how rare each is.
    """
    if not wanted:
        return 0.0, 0.0
    parts, stem = _path_words(path)
    held = sum(wanted[word] for word in parts & wanted.keys())
    fits = sum(word in wanted for word in stem) / len(stem) if stem else 0.0
    return min(1.0, 2 * held / (sum(wanted.values()) or 1.0)), fits


@lru_cache(maxsize=20_000)
def _path_words(path: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the stems of all words of a path, and those of its file name alone."""
    pure = PurePosixPath(path)
    parts = frozenset(root_of(word) for part in pure.parts for word in _words(part))
    return parts, tuple(root_of(word) for word in _words(pure.stem))


def _words(name: str) -> list[str]:
    return [form for piece in IDENTIFIER.findall(name) for form in forms_of(piece)]


@lru_cache(maxsize=50_000)
def root_of(word: str) -> str:
    """Return the stem of an English word, so that ``routes`` meets ``routing``."""
    return str(_STEMMER.stem(word))
