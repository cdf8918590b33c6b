"""Documented functions as questions: what a person wrote about a function.

The sentence becomes the question and is blanked in the copy that is indexed,
so that what has to be found is the code.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.index.definitions import Definition, outline
from commonplace.index.languages import Language, language_of
from commonplace.index.rows import last_name
from commonplace.index.text import NotTextError, decode
from commonplace.recall.demotions import is_aside
from commonplace.recall.documented import QUOTES, first_sentence

MIN_LINES = 4
SEED = 1


@dataclass(frozen=True, slots=True)
class Documented:
    """A question, the lines that answer it (from 1), and the bytes to blank."""

    text: str
    path: str
    start_line: int
    end_line: int
    blank: tuple[tuple[int, int], ...]


def documented(root: Path, paths: Sequence[str], count: int) -> list[Documented]:
    """Return up to `count` documented functions of the project, chosen by a fixed seed."""
    found = [item for path in paths if not is_aside(path) for item in _in_file(root, path)]
    unique = {item.text.lower(): item for item in found}
    chosen = list(unique.values())
    random.Random(SEED).shuffle(chosen)
    return chosen[:count]


def blank(root: Path, questions: Sequence[Documented]) -> None:
    """Put spaces in the place of the questions' text; lines stay where they are."""
    by_path: dict[str, list[tuple[int, int]]] = {}
    for question in questions:
        by_path.setdefault(question.path, []).extend(question.blank)
    for path, ranges in by_path.items():
        source = bytearray(_source(root / path))
        for start, end in ranges:
            source[start:end] = bytes(b if b == 10 else 32 for b in source[start:end])
        (root / path).write_bytes(bytes(source))


def _source(path: Path) -> bytes:
    return decode(path.read_bytes()).encode()


def _in_file(root: Path, path: str) -> Iterator[Documented]:
    try:
        source = _source(root / path)
    except (OSError, NotTextError):
        return
    language = language_of(path, source.decode())
    tree = outline(source, language)
    if tree is None or language.prose:
        return
    starts = [0]
    for line in source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    for definition in _functions(tree.definitions):
        first, last = starts[definition.start], starts[min(definition.end, len(starts) - 1)]
        inside = [c for c in tree.comments if first <= c[0] < last]
        ranges = _doc(source, inside, first, language)
        if not ranges:
            continue
        text = _sentence(source, ranges, last_name(definition.name))
        held = source[first:last].count(b"\n") - sum(
            source[a:b].count(b"\n") + 1 for a, b in ranges
        )
        if text and held >= MIN_LINES:
            yield Documented(text, path, definition.start + 1, definition.end, tuple(ranges))


def _functions(definitions: Sequence[Definition]) -> Iterator[Definition]:
    for definition in definitions:
        if definition.kind in {"function", "method"}:
            yield definition
        yield from _functions(definition.children)


def _doc(
    source: bytes, comments: Sequence[tuple[int, int]], first: int, language: Language
) -> list[tuple[int, int]]:
    """Return the byte ranges of what documents the definition that begins at `first`."""
    if language.name == "python":
        strings = [c for c in comments if QUOTES.match(source[c[0] : c[1]].decode())]
        if strings and source[first : strings[0][0]].rstrip().endswith(b":"):
            return strings[:1]
        return []
    run: list[tuple[int, int]] = []
    position = first
    for start, end in comments:
        if source[position:start].strip():
            break
        run.append((start, end))
        position = end
    return run


def _sentence(source: bytes, ranges: Sequence[tuple[int, int]], name: str) -> str:
    """Return the first sentence of a documentation comment, or nothing useful."""
    raw = "\n".join(source[start:end].decode("utf-8", "replace") for start, end in ranges)
    return first_sentence(raw, name)
