"""Where lines stand in a file, exactly or but for white space, and how they are rewritten."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from commonplace.edits.comparing import equal_lines
from commonplace.edits.document import Document, body_of, end_of

UNDECODED = re.compile("[\udc80-\udcff]+")
UNKNOWN = re.compile("\ufffd+")
TRAILING = "white space at line ends was ignored to find the place"
INDENTED = "the place was found with another indentation, which the new lines follow"


@dataclass(frozen=True, slots=True)
class Place:
    """`count` lines from `line` (from 0) on.

    An `exact` one equals what was sought, line ends included. Otherwise the
    new lines get the file's line ends, and `add` instead of `drop` before them.
    """

    line: int
    count: int
    exact: bool = True
    note: str = ""
    add: str = ""
    drop: str = ""


def find_places(document: Document, wanted: Sequence[str]) -> list[Place]:
    """Return where `wanted` stands, by the strictest measure that finds it at all."""
    if not wanted:
        return []
    exact = [Place(at, len(wanted)) for at in _positions(document.lines, wanted)]
    if exact:
        return exact
    for key, note in ((_body, ""), (_trimmed, TRAILING)):
        at = _positions([key(line) for line in document.lines], [key(line) for line in wanted])
        if at:
            return [Place(line, len(wanted), exact=False, note=note) for line in at]
    at = _positions([line.strip() for line in document.lines], [line.strip() for line in wanted])
    if not any(line.strip() for line in wanted):
        return []
    found = [_indented(document.lines[line : line + len(wanted)], wanted, line) for line in at]
    return [place for place in found if place is not None]


def rewritten(
    document: Document, place: Place, old: Sequence[str], new: Sequence[str]
) -> list[str]:
    """Return the lines of `document` with `new` in place of `old`, which stands at `place`.

    Lines that `old` and `new` share stay as the file has them.
    """
    lines = document.lines
    before, after = lines[: place.line], lines[place.line + place.count :]
    here = lines[place.line : place.line + place.count]
    if place.exact:
        return [*before, *new, *after]
    middle = _adopted(document, place, here, old, new)
    whole = [*before, *middle, *after]
    if after or not middle:
        return whole
    # At the end of the file: every line ends but the last, which does as the last did before.
    usual = document.usual_end
    closed = [line if end_of(line) else line + usual for line in whole]
    unended = bool(lines) and not end_of(lines[-1])
    return [*closed[:-1], body_of(closed[-1])] if unended else closed


def _adopted(
    document: Document, place: Place, here: Sequence[str], old: Sequence[str], new: Sequence[str]
) -> list[str]:
    """Return the new lines with the ends and the indentation of those around them."""
    usual = document.usual_end
    earlier = document.lines[place.line - 1] if place.line else ""
    same = equal_lines([body_of(line) for line in old], [body_of(line) for line in new])
    made: list[str] = []
    a = c = 0
    for b, d in [*same, (len(old), len(new))]:
        for number in range(c, d):
            near = here[min(a + number - c, b - 1)] if b > a else (here[a - 1] if a else earlier)
            text = body_of(new[number])
            if text.strip():
                text = place.add + text.removeprefix(place.drop)
            made.append(text + (end_of(near) or usual))
        made += here[b : b + 1]
        a, c = b + 1, d + 1
    return made


def _indented(here: Sequence[str], wanted: Sequence[str], line: int) -> Place | None:
    """Return the place if all lines differ by the same leading white space."""
    shifts: set[tuple[str, str]] = set()
    for ours, theirs in zip(here, wanted, strict=True):
        if not ours.strip():
            continue
        mine, other = _lead(ours), _lead(theirs)
        if mine.endswith(other):
            shifts.add((mine[: len(mine) - len(other)], ""))
        elif other.endswith(mine):
            shifts.add(("", other[: len(other) - len(mine)]))
        else:
            return None
    if len(shifts) != 1:
        return None
    add, drop = shifts.pop()
    return Place(line, len(wanted), exact=False, note=INDENTED, add=add, drop=drop)


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _positions(lines: Sequence[str], wanted: Sequence[str]) -> list[int]:
    first, count = wanted[0], len(wanted)
    wanted = list(wanted)
    return [
        at
        for at in range(len(lines) - count + 1)
        if lines[at] == first and list(lines[at : at + count]) == wanted
    ]


def _body(line: str) -> str:
    """Return what two lines are compared by, whatever their ends.

    Bytes that are no UTF-8 are shown to a model as one sign, so it writes that.
    """
    body = body_of(line)
    if body.isascii():
        return body
    return UNKNOWN.sub("\ufffd", UNDECODED.sub("\ufffd", body))


def _trimmed(line: str) -> str:
    return _body(line).rstrip()
