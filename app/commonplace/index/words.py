"""Words of code: identifiers whole and split, lower-cased.

SQLite's tokenizer does not split ``camelCase``, so words are prepared here,
for the index and for questions alike.
"""

from __future__ import annotations

import re
from functools import lru_cache

IDENTIFIER = re.compile(r"[^\W\d]\w*|\d+(?:\.\d+)*", re.UNICODE)
PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+", re.UNICODE)
MAX_WORD = 64


@lru_cache(maxsize=200_000)
def split_identifier(name: str) -> tuple[str, ...]:
    """Return the lower-cased parts of an identifier.

    >>> split_identifier("parseHTTPHeader_v2")
    ('parse', 'http', 'header', 'v', '2')
    """
    return tuple(part.lower() for part in PARTS.findall(name))


@lru_cache(maxsize=200_000)
def forms_of(name: str) -> tuple[str, ...]:
    """Return an identifier's whole form, then its parts where they differ."""
    whole = name.lower().strip("_")[:MAX_WORD]
    parts = split_identifier(name)
    if len(parts) <= 1:
        return (whole,) if whole else parts
    return (whole, *parts)


def words_of(text: str) -> list[str]:
    """Return every word of `text`, identifiers whole and split, in order."""
    found: list[str] = []
    for name in IDENTIFIER.findall(text):
        found.extend(forms_of(name))
    return found
