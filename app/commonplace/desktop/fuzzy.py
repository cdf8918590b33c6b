"""Finding a path or a title by some of its letters, in the order in which they come.

A list of tens of thousands of paths is looked through in steps, so that a
window goes on answering the keyboard in between.
"""

from __future__ import annotations

import heapq
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

STEP = 100
"""Texts looked at between two looks at the clock."""
BUDGET = 0.002
"""Seconds of work between two breaths."""
SEPARATORS = "/\\_-. :"


@dataclass(frozen=True, slots=True)
class Match:
    """A text that matches: its number in the list, its score, and the letters that were hit."""

    number: int
    score: float
    places: tuple[int, ...]


def pattern_of(typed: str) -> re.Pattern[str]:
    """Return a pattern for texts that hold the letters of `typed` in order.

    Every step passes over all but the letter it looks for, so that matching is
    linear in the text, whatever is typed.
    """
    letters = [c for c in typed.lower() if not c.isspace()]
    return re.compile("".join(f"[^{re.escape(c)}]*{re.escape(c)}" for c in letters), re.DOTALL)


def search(typed: str, lowered: Sequence[str], limit: int) -> Iterator[list[Match] | None]:
    """Look through `lowered` (texts in lower case), yielding None for each breath.

    The last thing yielded is the best matches, best first. Nothing typed
    matches everything, in its order.
    """
    wanted = "".join(typed.lower().split())
    if not wanted:
        yield [Match(number, 0.0, ()) for number in range(min(limit, len(lowered)))]
        return
    fits = pattern_of(wanted).match
    best: list[tuple[float, int, Match]] = []
    until = time.perf_counter() + BUDGET
    for begin in range(0, len(lowered), STEP):
        for number in range(begin, min(begin + STEP, len(lowered))):
            text = lowered[number]
            if not fits(text):
                continue
            match = match_of(wanted, text, number)
            entry = (match.score, -number, match)
            if len(best) < limit:
                heapq.heappush(best, entry)
            elif entry > best[0]:
                heapq.heapreplace(best, entry)
        if time.perf_counter() > until:
            yield None
            until = time.perf_counter() + BUDGET
    yield [match for _, _, match in sorted(best, reverse=True)]


def match_of(wanted: str, text: str, number: int = 0) -> Match:
    """Score `text`, which holds the letters of `wanted` in order.

    Whole words and beginnings of words score more than scattered letters, the
    last part of a path more than its folders, and short texts more than long.
    """
    base = text.rfind("/") + 1
    places = _places(wanted, text, base)
    score = 0.0
    before = -2
    for place in places:
        if place == before + 1:
            score += 3.0
        if place == 0 or text[place - 1] in SEPARATORS:
            score += 2.0
        if place >= base:
            score += 1.0
        before = place
    if text.startswith(wanted, base):
        score += 6.0
    if text == wanted or text[base:] == wanted:
        score += 6.0
    return Match(number, score - len(text) / 200, places)


def _places(wanted: str, text: str, base: int) -> tuple[int, ...]:
    """Return where the letters are: together if possible, else as far to the right as they go."""
    at = text.find(wanted, base)
    if at < 0:
        at = text.rfind(wanted)
    if at >= 0:
        return tuple(range(at, at + len(wanted)))
    starts = _at_words(wanted, text, base)
    if starts:
        return starts
    found: list[int] = []
    end = len(text)
    for letter in reversed(wanted):
        end = text.rfind(letter, 0, end)
        found.append(end)
    return tuple(reversed(found))


def _at_words(wanted: str, text: str, base: int) -> tuple[int, ...]:
    """Return where words begin whose first letters spell `wanted`: ``cv`` for ``code_view``."""
    starts = [n for n in range(base, len(text)) if n == base or text[n - 1] in SEPARATORS]
    found: list[int] = []
    for start in starts:
        if len(found) < len(wanted) and text[start] == wanted[len(found)]:
            found.append(start)
    return tuple(found) if len(found) == len(wanted) else ()
