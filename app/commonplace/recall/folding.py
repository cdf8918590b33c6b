"""Near-duplicates: passages that say the same are shown once, with where else they stand.

Copies cost a small model's prompt dearly and tell it nothing new. Two passages
are copies when nearly all runs of three words are the same, whatever their
layout; very short ones only when all of their words are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from commonplace.index.words import IDENTIFIER
from commonplace.recall.passages import Passage
from commonplace.words import said

RUN = 3
ALIKE = 0.9
"""Share of runs of words that two passages have in common from which they are copies."""
SHORT = 24
"""Words up to which a passage has to be the same throughout."""
NAMED = 3

Runs = frozenset[tuple[str, ...]]


class Folded:
    """Takes passages, best first, and folds copies of one into it."""

    def __init__(self) -> None:
        self._runs: list[Runs] = []
        self._passages: list[Passage] = []
        self._copies: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._passages)

    def add(self, passage: Passage) -> None:
        """Take a passage, or note it as a copy of one that is there."""
        runs = runs_of(passage.text)
        for number, other in enumerate(self._runs):
            if alike(runs, other):
                self._copies.setdefault(number, []).append(passage.place)
                return
        self._runs.append(runs)
        self._passages.append(passage)

    def passages(self) -> list[Passage]:
        """Return what was taken; each names its copies among the reasons."""
        return [
            replace(passage, reasons=(*passage.reasons, _also(self._copies[number])))
            if number in self._copies
            else passage
            for number, passage in enumerate(self._passages)
        ]


def runs_of(text: str) -> Runs:
    """Return the runs of words in `text`; all of its words as one run where there are few."""
    words = IDENTIFIER.findall(text)
    if len(words) <= SHORT:
        return frozenset({tuple(words)})
    return frozenset(zip(*(words[start:] for start in range(RUN)), strict=False))


def alike(one: Runs, other: Runs) -> bool:
    """Whether two passages say the same."""
    small, large = sorted((len(one), len(other)))
    if small < ALIKE * large:
        return False
    common = len(one & other)
    return common >= ALIKE * (small + large - common)


def _also(places: Sequence[str]) -> str:
    more = len(places) - NAMED
    named = ", ".join(places[:NAMED])
    if more > 0:
        return said(f"the same stands in {named} and {more} more")
    return said(f"the same stands in {named}")
