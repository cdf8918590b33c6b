"""Held-out places: lines of the project's own files that the model is asked to foresee.

Drawn by a seed from code that people wrote: no prose, no tests or examples, nothing
generated, vendored or ignored. A place has lines above it and a few lines to foresee.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from commonplace.index.languages import PLAIN, language_of
from commonplace.measure.sampling import shuffled
from commonplace.recall.demotions import is_aside

ABOVE = 8
"""Lines that stand above a place at least: a file's head is licence and imports."""
TARGET_LINES, TARGET_CHARACTERS, LEAST_LINES = 6, 400, 3
APART = 24
"""Lines between two places of one file, so that none is in the other's nearest context."""
LEAST_LETTERS = 8
MAX_LINE = 200
"""A longer line is data, or was written by a machine."""
GENERATED = re.compile(r"generated|do not (?:edit|modify)", re.IGNORECASE)
HEAD_LINES = 10
LETTER = re.compile(r"[A-Za-z]")
# Formats without statements: what comes next in them says little about a model of code.
DATA = frozenset({"json", "yaml", "toml", "ini", "xml", "csv", "html", "css", "scss", "svg"})


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A place: `line` is the first held-out line, from 1; `above` and `target` end with lines."""

    path: str
    line: int
    above: str
    target: str

    @property
    def first(self) -> str:
        """The line that has to be written next."""
        return self.target.partition("\n")[0]


def drawn_places(texts: Iterable[tuple[str, str]], count: int, seed: int) -> list[HeldOut]:
    """Return up to `count` places of the files in `texts` (path, text), drawn by `seed`.

    Files are drawn first, so that a long one does not give them all; then further
    places of the same files.
    """
    by_file = [
        shuffled(found, seed + number)
        for number, (path, text) in enumerate(texts)
        if (found := list(places_of(path, text)))
    ]
    chosen: list[HeldOut] = []
    waiting = shuffled(by_file, seed)
    while waiting and len(chosen) < count:
        rest: list[list[HeldOut]] = []
        for own in waiting:
            place, *others = own
            chosen.append(place)
            apart = [o for o in others if abs(o.line - place.line) >= APART]
            if apart:
                rest.append(apart)
        waiting = rest
    return chosen[:count]


def places_of(path: str, text: str) -> Iterator[HeldOut]:
    """Yield the places that a file offers; none where no person wrote code in it."""
    if not is_written_code(path, text):
        return
    lines = text.removesuffix("\n").split("\n")
    for number in range(ABOVE, len(lines)):
        if len(LETTER.findall(lines[number])) < LEAST_LETTERS:
            continue
        target = held_out(lines, number)
        if target:
            yield HeldOut(path, number + 1, "\n".join(lines[:number]) + "\n", target)


def held_out(lines: Sequence[str], number: int) -> str:
    """Return the lines to foresee from `number` (from 0) on, or nothing where there are too few."""
    some: list[str] = []
    for line in lines[number : number + TARGET_LINES]:
        if sum(map(len, some)) + len(line) > TARGET_CHARACTERS:
            break
        some.append(line)
    enough = sum(bool(line.strip()) for line in some) >= LEAST_LINES
    return "".join(f"{line}\n" for line in some) if enough else ""


def is_written_code(path: str, text: str) -> bool:
    """Whether a file is code that people wrote and that is what the project is about."""
    language = language_of(path, text)
    if language.prose or language.name == PLAIN.name or language.name in DATA or is_aside(path):
        return False
    lines = text.split("\n")
    if any(len(line) > MAX_LINE * 4 for line in lines):
        return False
    return not any(GENERATED.search(line) for line in lines[:HEAD_LINES])
