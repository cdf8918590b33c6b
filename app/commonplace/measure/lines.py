"""How near a written line is to the one that stands in the file."""

from __future__ import annotations

MAX_CHARACTERS = 400
"""Of a longer line only so much is compared: the time grows with the square."""


def same_line(written: str, wanted: str) -> bool:
    """Whether both say the same, spaces at both ends aside."""
    return written.strip() == wanted.strip()


def edit_similarity(written: str, wanted: str) -> float:
    """Return 1 − the Levenshtein distance over the longer length, 0 to 1; spaces at ends aside."""
    one, other = written.strip()[:MAX_CHARACTERS], wanted.strip()[:MAX_CHARACTERS]
    longest = max(len(one), len(other))
    return 1.0 if not longest else 1 - edit_distance(one, other) / longest


def edit_distance(one: str, other: str) -> int:
    """Return the least number of characters to insert, delete or replace.

    Levenshtein (1965), row by row (Wagner and Fischer, 1974).
    """
    row = list(range(len(other) + 1))
    for number, char in enumerate(one, 1):
        above, row[0] = row[0], number
        for column, against in enumerate(other, 1):
            best = min(row[column] + 1, row[column - 1] + 1, above + (char != against))
            above, row[column] = row[column], best
    return row[-1]
