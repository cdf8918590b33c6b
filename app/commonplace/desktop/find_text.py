"""Finds words in a text of any length, in positions as Qt counts them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

MOST = 20_000
"""Matches that are looked for; more than that is a needle that says nothing."""
PIECE = 128 * 1024
"""Characters looked at in one go: other threads wait for no longer than that takes."""


@dataclass(frozen=True, slots=True)
class Needle:
    """What to look for: `text` as it stands; `case` and `whole` narrow it down."""

    text: str
    case: bool = False
    whole: bool = False

    def pattern(self) -> re.Pattern[str]:
        """Return the pattern that finds it."""
        escaped = re.escape(self.text)
        if self.whole:
            escaped = rf"(?<!\w){escaped}(?!\w)"
        return re.compile(escaped, 0 if self.case else re.IGNORECASE)


class Match(NamedTuple):
    """`length` characters from `start`, counted as Qt counts: in units of UTF-16."""

    start: int
    length: int


def pieces_of(text: str, size: int = PIECE) -> Iterator[str]:
    """Cut `text` after the first line end from every `size` characters on."""
    start = 0
    while start < len(text):
        end = text.find("\n", min(start + size, len(text)))
        end = len(text) if end < 0 else end + 1
        yield text[start:end]
        start = end


def find_all(text: str, needle: Needle, stop: Callable[[], bool] = lambda: False) -> list[Match]:
    """Return the matches of `needle` in `text`, in order, `MOST` at most.

    A needle has no line end in it. Returns early, with what is found, once `stop` says so.
    """
    found: list[Match] = []
    if not needle.text:
        return found
    pattern = needle.pattern()
    offset = 0
    for piece in pieces_of(text):
        if stop():
            break
        wide = _wide(piece)
        for match in pattern.finditer(piece):
            start, end = (p + bisect_left(wide, p) for p in match.span())
            found.append(Match(offset + start, end - start))
            if len(found) == MOST:
                return found
        offset += len(piece) + len(wide)
    return found


def _wide(piece: str) -> list[int]:
    """Return where the characters stand that take two units."""
    if piece.isascii() or len(piece.encode("utf-16-le")) == 2 * len(piece):
        return []
    return [position for position, c in enumerate(piece) if c > "\uffff"]


def first_from(matches: list[Match], position: int) -> int:
    """Return the first match at or after `position`, or the first of all; -1 if there is none."""
    if not matches:
        return -1
    return bisect_left(matches, (position, 0)) % len(matches)
