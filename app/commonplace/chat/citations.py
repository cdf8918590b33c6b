"""From an answer back to the passages it rests on.

A model may mark its claims with ``[n]``; small ones forget. So each sentence
without a marker is compared with the passages, and the one that shares its
rarest words supports it. `by` says which of the two it was.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from commonplace.index.words import words_of
from commonplace.recall.passages import Passage

By = Literal["model", "attribution"]

MARKER = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)|\n+")
MIN_SHARED = 2
MIN_SUPPORT = 0.34
"""Share of a sentence's weight of words that a passage must hold to support it."""
MIN_NEAREST = 0.12
"""The same for the one sentence that is nearest, when none reaches that."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that the answer rests on; ``n`` is its number in the prompt.

    A note is cited by its `title`, which is empty for code.
    """

    n: int
    path: str
    start_line: int
    end_line: int
    by: By
    title: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer and the passages that support it.

    `start` and `end` are offsets into the answer; `by` is None for a sentence
    that no passage supports: the model's own words.
    """

    start: int
    end: int
    numbers: tuple[int, ...]
    by: By | None


def sentences_of(answer: str, passages: Sequence[Passage]) -> tuple[Sentence, ...]:
    """Cut `answer` into sentences and say what each rests on.

    Code blocks are one sentence each. Markers that name no passage count as
    absent.
    """
    support = _Support(passages)
    found: list[Sentence] = []
    nearest: tuple[float, int, int] = (MIN_NEAREST, -1, 0)  # support, sentence, passage
    for start, end in _spans(answer):
        text = answer[start:end]
        marked = tuple(n for n in _marked(text) if 1 <= n <= len(passages))
        if marked:
            found.append(Sentence(start, end, marked, "model"))
            continue
        share, number = support.best(MARKER.sub(" ", text))
        if share > MIN_SUPPORT:
            found.append(Sentence(start, end, (number,), "attribution"))
            continue
        nearest = max(nearest, (share, len(found), number))
        found.append(Sentence(start, end, (), None))
    _, index, number = nearest
    if index >= 0 and all(sentence.by is None for sentence in found):
        # An answer that strays from its passages still came from one of them.
        found[index] = replace(found[index], numbers=(number,), by="attribution")
    return tuple(found)


def citations_of(
    sentences: Sequence[Sentence], passages: Sequence[Passage]
) -> tuple[Citation, ...]:
    """List each cited passage once, in order; the model's own marker wins."""
    by_number: dict[int, By] = {}
    for sentence in sentences:
        for number in sentence.numbers:
            if sentence.by is not None and by_number.get(number) != "model":
                by_number[number] = sentence.by
    return tuple(
        Citation(n, p.path, p.start_line, p.end_line, by_number[n], p.symbol if p.note else "")
        for n, p in enumerate(passages, start=1)
        if n in by_number
    )


def _marked(text: str) -> list[int]:
    groups = MARKER.findall(text)
    return list(dict.fromkeys(int(n) for group in groups for n in group.split(",")))


def _spans(answer: str) -> list[tuple[int, int]]:
    """Return the offsets of sentences and of whole fenced blocks."""
    spans: list[tuple[int, int]] = []
    position = 0
    for block in re.finditer(r"^```.*?(?:^```[ \t]*$|\Z)", answer, re.DOTALL | re.MULTILINE):
        spans += _prose(answer, position, block.start())
        spans.append((block.start(), block.end()))
        position = block.end()
    return spans + _prose(answer, position, len(answer))


def _prose(answer: str, start: int, end: int) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for match in [*SENTENCE_END.finditer(answer, start, end), None]:
        stop = end if match is None else match.start()
        if answer[start:stop].strip():
            spans.append((start, stop))
        if match is not None:
            start = match.end()
    return spans


class _Support:
    """Weighs words by how few of the passages hold them."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._words = [frozenset(words_of(f"{p.path} {p.symbol} {p.text}")) for p in passages]
        counts = Counter(word for words in self._words for word in words)
        total = len(passages)
        self._weight = {w: math.log(1 + total / n) for w, n in counts.items()}
        self._unknown = math.log(1 + total)

    def best(self, sentence: str) -> tuple[float, int]:
        """Return how well the best passage supports `sentence`, 0 to 1, and its number."""
        words = {w for w in words_of(sentence) if len(w) > 2}
        whole = sum(self._weight.get(w, self._unknown) for w in words)
        best, best_share = 0, 0.0
        for number, held in enumerate(self._words, start=1):
            shared = words & held
            share = sum(self._weight[w] for w in shared) / whole if whole else 0.0
            if len(shared) >= MIN_SHARED and share > best_share:
                best, best_share = number, share
        return best_share, best
