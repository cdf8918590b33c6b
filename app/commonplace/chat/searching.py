"""How words typed into a search become a query, and what is shown of a match."""

from __future__ import annotations

import re
from collections.abc import Sequence

from commonplace.index.words import compound_forms

WORD = re.compile(r"\w+", re.UNICODE)
MAX_WORDS = 12
SLICE = 16_384
"""Characters; less than a millisecond of work."""
BEFORE, SHOWN = 16, 160
"""Characters shown before a match, and altogether."""


def words_in(text: str) -> list[str]:
    """Return the words of a search, without punctuation."""
    return [word for part in WORD.findall(text) for word in part.split("_") if word][:MAX_WORDS]


def match_of(words: Sequence[str]) -> str:
    """Return the FTS5 query for messages with all `words`; the last may be a beginning."""
    *whole, last = (f'"{word}"' for word in words)  # a word has no quotes
    return " ".join([*whole, f"{last}*"])


def parts_of(text: str) -> str:
    """Return the parts of compound names in `text`, so that ``load`` finds ``loadSettings``.

    A long text is read in slices: no other thread runs during one.
    """
    slices = (text[at : at + SLICE] for at in range(0, len(text), SLICE))
    return " ".join(filter(None, map(compound_forms, slices)))


def snippet(text: str, words: Sequence[str]) -> str:
    """Return a line of `text` around the first of `words` in it."""
    lowered = text.lower()
    places = [at for word in words if (at := lowered.find(word.lower())) >= 0]
    start = max(min(places, default=0) - BEFORE, 0)
    if start and (space := text.find(" ", start, start + BEFORE)) >= 0:
        start = space + 1
    end = start + SHOWN
    line = " ".join(text[start:end].split())
    return f"{'…' if start else ''}{line}{'…' if end < len(text) else ''}"
