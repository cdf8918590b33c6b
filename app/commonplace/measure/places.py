"""Held-out places: lines of the project's own files that the model is asked to foresee.

Drawn by a seed from code that people wrote: no prose, no tests or examples, nothing
generated, vendored or ignored. A place has lines above it and a few lines to foresee.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
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


def drawn_places(
    paths: Iterable[str], read: Callable[[str], str | None], count: int, seed: int
) -> list[HeldOut]:
    """Return up to `count` places of the files at `paths`, drawn by `seed`.

    Files are drawn first, so that a long one does not give them all; then further
    places of the same files. `read` gives what a file says, or None where it is gone.
    """
    by_file: list[tuple[str, list[int]]] = []
    for number, path in enumerate(paths):
        text = read(path)
        if text is not None and (lines := lines_to_foresee(path, text)):
            by_file.append((path, shuffled(lines, seed + number)))
    chosen: list[tuple[str, int]] = []
    waiting = shuffled(by_file, seed)
    while waiting and len(chosen) < count:
        rest: list[tuple[str, list[int]]] = []
        for path, (line, *others) in waiting:
            chosen.append((path, line))
            apart = [other for other in others if abs(other - line) >= APART]
            if apart:
                rest.append((path, apart))
        waiting = rest
    found = ((path, line, read(path)) for path, line in chosen[:count])
    return [place_at(path, text, line) for path, line, text in found if text is not None]


def lines_to_foresee(path: str, text: str) -> list[int]:
    """Return the lines, from 1, that could be held out; none where no person wrote code."""
    if not is_written_code(path, text):
        return []
    lines = _lines(text)
    return [
        number + 1
        for number in range(ABOVE, len(lines))
        if len(LETTER.findall(lines[number])) >= LEAST_LETTERS and held_out(lines, number)
    ]


def place_at(path: str, text: str, line: int) -> HeldOut:
    """Return the place that begins at `line`, from 1."""
    lines = _lines(text)
    above = "".join(f"{one}\n" for one in lines[: line - 1])
    return HeldOut(path, line, above, held_out(lines, line - 1))


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


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
