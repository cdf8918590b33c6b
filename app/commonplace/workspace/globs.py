"""Shell patterns as git reads them, turned into regular expressions.

The translation follows git's ``wildmatch``. Two choices differ from a naive
translation. Every ``*`` but the last becomes an atomic group, because a
hostile pattern such as ``*a*a*a*a*b`` would otherwise take exponential time.
And ``**`` is special only between slashes, as git documents it. A ``?``
stands for one character, where git counts bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

_POSIX_CLASSES = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r"\ \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e",
    "space": r"\ \t\n\r\f\v",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


class Kind(Enum):
    """What a token of a pattern stands for."""

    LITERAL = auto()
    ONE = auto()  # one character, given as a regular expression
    STAR = auto()
    SLASH = auto()


class Token(NamedTuple):
    """One token: its kind, and the text or regular expression it carries."""

    kind: Kind
    text: str


class BadPatternError(ValueError):
    """The pattern can match nothing: an open bracket or a lone backslash."""


@dataclass(frozen=True, slots=True)
class NameGlob:
    """A pattern for one name: exactly one of the three is set."""

    literal: str | None = None
    suffix: str | None = None
    regex: str | None = None


def split_pattern(pattern: str) -> list[list[Token]]:
    """Return the tokens of `pattern` in one list per part between slashes.

    Raises `BadPatternError` for a pattern that git lets match nothing.
    """
    parts: list[list[Token]] = [[]]
    at = 0
    while at < len(pattern):
        token, at = _next_token(pattern, at)
        if token.kind is Kind.SLASH:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def is_double_star(part: list[Token]) -> bool:
    """Return whether a part is ``**``, which stands for any number of folders."""
    return len(part) >= 2 and all(token.kind is Kind.STAR for token in part)


def name_glob(part: list[Token], *, ignore_case: bool = False) -> NameGlob:
    """Return the matcher of one name, in the cheapest form that is exact."""
    kinds = [token.kind for token in part]
    text = "".join(token.text for token in part if token.kind is Kind.LITERAL)
    if not ignore_case:
        if all(kind is Kind.LITERAL for kind in kinds):
            return NameGlob(literal=text)
        if kinds[0] is Kind.STAR and Kind.ONE not in kinds and len(text) == _last_run(kinds):
            return NameGlob(suffix=text)
    return NameGlob(regex=_part_regex(part))


def folder_regex(parts: list[list[Token]]) -> str:
    """Return a regular expression for a folder path, to be matched in full.

    The path ends in a slash, or is empty for the folder the pattern is
    relative to. Between two ``**`` the leftmost match is as good as any
    other, so those blocks are atomic as well.
    """
    blocks: list[str] = [""]
    for part in parts:
        if is_double_star(part):
            blocks.append("")
        else:
            blocks[-1] += _part_regex(part) + "/"
    if len(blocks) == 1:
        return blocks[0]
    middle = "".join(f"(?>(?:[^/]+/)*?{block})" for block in blocks[1:-1] if block)
    return f"{blocks[0]}{middle}(?:[^/]+/)*{blocks[-1]}"


def _last_run(kinds: list[Kind]) -> int:
    """Return how many literals end the part."""
    run = 0
    for kind in reversed(kinds):
        if kind is not Kind.LITERAL:
            break
        run += 1
    return run


def _part_regex(part: list[Token]) -> str:
    runs: list[str] = [""]
    for token in part:
        if token.kind is Kind.STAR:
            runs.append("")
        elif token.kind is Kind.LITERAL:
            runs[-1] += re.escape(token.text)
        else:
            runs[-1] += token.text
    if len(runs) == 1:
        return runs[0]
    middle = "".join(f"(?>[^/]*?{run})" for run in runs[1:-1] if run)
    return f"{runs[0]}{middle}[^/]*{runs[-1]}"


def _next_token(pattern: str, at: int) -> tuple[Token, int]:
    char = pattern[at]
    if char == "/":
        return Token(Kind.SLASH, char), at + 1
    if char == "*":
        return Token(Kind.STAR, char), at + 1
    if char == "?":
        return Token(Kind.ONE, "[^/]"), at + 1
    if char == "[":
        regex, after = _bracket(pattern, at + 1)
        return Token(Kind.ONE, regex), after
    if char == "\\":
        escaped = _char(pattern, at + 1)
        kind = Kind.SLASH if escaped == "/" else Kind.LITERAL
        return Token(kind, escaped), at + 2
    return Token(Kind.LITERAL, char), at + 1


def _bracket(pattern: str, at: int) -> tuple[str, int]:
    """Return the regular expression of a bracket whose inside starts at `at`."""
    negated = _char(pattern, at) in "!^"
    at += negated
    items: list[str] = []
    previous = ""  # the character a range may start from
    first = True
    while first or _char(pattern, at) != "]":
        first = False
        char = _char(pattern, at)
        if char == "-" and previous and _char(pattern, at + 1) != "]":
            high, at = _literal(pattern, at + 1)
            if previous <= high:
                items.append(f"{re.escape(previous)}-{re.escape(high)}")
            previous = ""
        elif char == "[" and pattern.startswith("[:", at):
            item, previous, at = _posix_class(pattern, at)
            items.append(item)
        else:
            previous, at = _literal(pattern, at)
            items.append(re.escape(previous))
    return _character_set(items, negated=negated), at + 1


def _posix_class(pattern: str, at: int) -> tuple[str, str, int]:
    """Return (set, start of a range or "", position after) for ``[:name:]``."""
    end = pattern.find("]", at + 2)
    if end < 0:
        raise BadPatternError(pattern)
    if end - 1 < at + 2 or pattern[end - 1] != ":":
        return re.escape("["), "[", at + 1
    name = pattern[at + 2 : end - 1]
    if name not in _POSIX_CLASSES:
        raise BadPatternError(pattern)
    return _POSIX_CLASSES[name], "", end + 1


def _character_set(items: list[str], *, negated: bool) -> str:
    if negated:
        return f"[^/{''.join(items)}]"
    return f"(?!/)[{''.join(items)}]" if items else "(?!)"


def _literal(pattern: str, at: int) -> tuple[str, int]:
    if _char(pattern, at) == "\\":
        return _char(pattern, at + 1), at + 2
    return pattern[at], at + 1


def _char(pattern: str, at: int) -> str:
    if at >= len(pattern):
        raise BadPatternError(pattern)
    return pattern[at]
