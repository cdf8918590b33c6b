"""Documented code: what people wrote about a function, and the function without those words.

Such pairs are how a project itself says which of its words mean which of its
code. They come from the index alone: nothing is read or parsed for them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from commonplace.index.rows import last_name, unpack
from commonplace.recall.demotions import is_aside

MIN_LINES = 4
"""Lines of code that a documented function has at least."""
WORDS = range(4, 41)
MAX_READ = 60_000
"""Chunks looked at: some seconds, and more pairs than are needed."""
KINDS = ("function", "method", "class", "struct", "interface", "trait", "type", "module")
MARKS = re.compile(
    r"^\s*(?:/\*\*?|///?!?|//!|\*+/?|#+|--+\|?|;+|%+|\"\"\"|''')\s?|\s*(?:\*/|-\})\s*$"
)
QUOTES = re.compile(r"^[rRuUbB]{0,2}(?:\"{3}|'{3}|\"|')|(?:\"{3}|'{3}|\"|')$")
TAGS = re.compile(r"</?\w+[^>]*>|\{@\w+\s+([^}]*)\}|:\w+:`~?([^`]*)`|`+")
DIRECTIVE = re.compile(
    r"^\s*(?:@|[=-]{2}|\\|:\w+|\.\. |TODO|FIXME|XXX|noqa|nolint|go:|eslint|pylint)"
)
NO_QUESTION = re.compile(
    r"copyright|licen[cs]e|deprecated|inherit|\bsee\b|auto.?generated|_literal:|https?:",
    re.IGNORECASE,
)
SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Documented:
    """A sentence about a chunk, and the chunk with and without the lines that hold it."""

    text: str
    path: str
    chunk_id: int
    symbol: str
    whole: str
    comments: str
    code: str
    other_comments: str


def documented_chunks(conn: sqlite3.Connection) -> Iterator[Documented]:
    """Yield the documented definitions of the index, from some `MAX_READ` chunks at most.

    They come in the order of paths; tests and examples are left out.
    """
    total = conn.execute("SELECT count(*) FROM chunks").fetchone()[0]
    rows = conn.execute(
        "SELECT c.id, f.path, c.symbol, c.text, c.comments FROM chunks c "
        "JOIN files f ON f.id = c.file_id WHERE c.id % ? = 0 "
        "AND c.kind IN (SELECT value FROM json_each(?)) ORDER BY f.path, c.start_line",
        [1 + total // MAX_READ, json.dumps(KINDS)],
    )
    for chunk_id, path, symbol, packed, packed_comments in rows:
        if is_aside(path):
            continue
        text, comments = unpack(packed), unpack(packed_comments)
        if not _documents(text, comments):
            continue
        sentence = first_sentence(comments, last_name(symbol))
        lines = _holding(sentence, comments)
        code, others = without_lines(text, lines), without_lines(comments, lines)
        if sentence and sum(bool(line.strip()) for line in code.split("\n")) >= MIN_LINES:
            yield Documented(sentence, path, chunk_id, symbol, text, comments, code, others)


def _documents(text: str, comments: str) -> bool:
    """Whether the first comment stands before the code, or is a docstring."""
    first = comments.partition("\n")[0].strip()
    return bool(first) and (text.lstrip().startswith(first) or bool(QUOTES.match(first)))


def _holding(sentence: str, comments: str) -> Sequence[str]:
    """Return the first lines of `comments`, so many that `sentence` is in them."""
    lines, words = comments.split("\n"), 0
    for number, line in enumerate(lines, 1):
        words += len(MARKS.sub("", line).split())
        if words >= len(sentence.split()) + 1:  # its first word may have been taken off
            return lines[:number]
    return lines


def without_lines(text: str, lines: Sequence[str]) -> str:
    """Return `text` with the first occurrence of each of `lines` taken out, in their order."""
    kept: list[str] = []
    rest = text
    for line in filter(None, map(str.strip, lines)):
        before, found, after = rest.partition(line)
        if found:
            kept.append(before)
            rest = after
    return "".join([*kept, rest])


def first_sentence(raw: str, name: str) -> str:
    """Return the first sentence of a documentation comment, or "" if it is no use as a question.

    `name` is what the comment is about: as a first word it would give the answer away.
    """
    raw = QUOTES.sub("", raw.strip())
    paragraph: list[str] = []
    for line in raw.split("\n"):
        clean = TAGS.sub(lambda m: m[1] or m[2] or "", MARKS.sub("", line)).strip()
        if DIRECTIVE.match(clean) or (not clean and paragraph):
            break
        if clean:
            paragraph.append(clean)
    text = " ".join(paragraph)
    match = SENTENCE.match(text)
    words = (match[1] if match else text).split()
    if words and words[0].rstrip("():,").lower() == name.lower():
        words = words[1:]
    text = " ".join(words)
    plain = sum(char.isascii() and (char.isalpha() or char.isspace()) for char in text)
    useful = len(words) in WORDS and plain > 0.8 * len(text) and not NO_QUESTION.search(text)
    return text if useful else ""
