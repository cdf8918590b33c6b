"""Words of code: identifiers whole and split, lower-cased.

SQLite's tokenizer cuts ``snake_case`` at the underscore and folds case, but
it neither splits ``camelCase`` nor keeps ``snake_case`` whole. So compound
identifiers get their missing forms here, for the index and for questions
alike. The whole form drops underscores: ``max_retries``, ``maxRetries`` and
``MaxRetries`` are one word.
"""

from __future__ import annotations

import re
from functools import lru_cache

IDENTIFIER = re.compile(r"[^\W_]\w*|_+\w+", re.UNICODE)
COMPOUND = re.compile(r"\b(?:[^\W_]+_\w+|[A-Z]?[a-z0-9]+[A-Z]\w*|[A-Z]{2,}[a-z]\w*)")
PARTS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+", re.UNICODE)
SEPARATORS = re.compile(r"::|->|[.:#]")
MAX_WORD = 64


@lru_cache(maxsize=100_000)
def split_identifier(name: str) -> tuple[str, ...]:
    """Return the lower-cased parts of an identifier.

    >>> split_identifier("parseHTTPHeader_v2")
    ('parse', 'http', 'header', 'v', '2')
    """
    return tuple(part.lower() for part in PARTS.findall(name))


def whole_form(name: str) -> str:
    """Return the one form that all spellings of an identifier share."""
    return name.replace("_", "").lower()[:MAX_WORD]


def name_forms(dotted: str) -> list[str]:
    """Return the forms under which a definition is found: its full name and its tails.

    >>> name_forms("Rack::Response.finish")
    ['rack.response.finish', 'response.finish', 'finish']
    """
    parts = [whole_form(part) for part in SEPARATORS.split(dotted)]
    return [".".join(parts[start:]) for start in range(len(parts)) if parts[start]]


@lru_cache(maxsize=100_000)
def forms_of(name: str) -> tuple[str, ...]:
    """Return an identifier's whole form, then its parts where they differ."""
    whole = whole_form(name)
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


@lru_cache(maxsize=100_000)
def _missing_forms(name: str) -> str:
    if "_" in name:
        camel = [p for piece in name.split("_") for p in _camel_parts(piece)]
        return " ".join([whole_form(name), *camel])
    return " ".join(split_identifier(name))


def _camel_parts(piece: str) -> tuple[str, ...]:
    parts = split_identifier(piece)
    return parts if len(parts) > 1 else ()


def compound_forms(text: str) -> str:
    """Return the forms of compound identifiers that SQLite's tokenizer misses."""
    return " ".join(map(_missing_forms, COMPOUND.findall(text)))
