"""Which lines two texts have in common: patience diff, and difflib where it has no hold.

Lines that stand once on both sides are anchors; between them the same is done
again. That is fast for any size and keeps functions together. What is left,
short stretches of repeated lines, is compared letter for letter.

Patience diff: https://bramcohen.livejournal.com/73318.html
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections.abc import Sequence

Pair = tuple[int, int]

MAX_PRODUCT = 40_000
"""Old lines times new lines up to which repeated lines are compared one with another."""


def equal_lines(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Return which old lines stand among the new, as (old, new) from 0, in order."""
    found: list[Pair] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        a, b, c, d = waiting.pop()
        while a < b and c < d and old[a] == new[c]:
            found.append((a, c))
            a, c = a + 1, c + 1
        while a < b and c < d and old[b - 1] == new[d - 1]:
            b, d = b - 1, d - 1
            found.append((b, d))
        if a == b or c == d:
            continue
        anchors = _anchors(old, new, (a, b, c, d))
        if anchors:
            found += anchors
            for x, y in [*anchors, (b, d)]:
                waiting.append((a, x, c, y))
                a, c = x + 1, y + 1
        elif (b - a) * (d - c) <= MAX_PRODUCT:
            matcher = difflib.SequenceMatcher(None, old[a:b], new[c:d], autojunk=False)
            found += [
                (a + i + n, c + j + n)
                for i, j, size in matcher.get_matching_blocks()
                for n in range(size)
            ]
    return sorted(found)


def _anchors(old: Sequence[str], new: Sequence[str], part: tuple[int, int, int, int]) -> list[Pair]:
    """Return the longest rising sequence of lines that stand once on both sides."""
    a, b, c, d = part
    ours, theirs = _once(old, a, b), _once(new, c, d)
    pairs = [(at, theirs[line]) for line, at in ours.items() if line in theirs]
    tails: list[int] = []  # the smallest end of a rising sequence of each length
    ends: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(tails, place)
        before.append(ends[length - 1] if length else -1)
        if length == len(tails):
            tails.append(place)
            ends.append(number)
        else:
            tails[length] = place
            ends[length] = number
    rising: list[Pair] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        rising.append(pairs[number])
        number = before[number]
    return rising[::-1]


def _once(lines: Sequence[str], start: int, end: int) -> dict[str, int]:
    """Return the lines that stand once between `start` and `end`, in order, and where."""
    places: dict[str, int] = {}
    for at in range(start, end):
        places[lines[at]] = -1 if lines[at] in places else at
    return {line: at for line, at in places.items() if at >= 0}
