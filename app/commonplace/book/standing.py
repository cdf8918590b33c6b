"""What stands in every prompt: the project's rule files and the pinned notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from commonplace.book.book import Book
from commonplace.book.catalogue_reading import read_file
from commonplace.book.documents import rules_first
from commonplace.index.text import NotTextError, decode

MAX_RULES = 6
MAX_PINNED = 12
MAX_CHARS = 8_000
"""Characters kept of each; the prompt has a budget of its own in tokens."""


@dataclass(frozen=True, slots=True)
class Stands:
    """One such text; `note` is empty for a rule file."""

    title: str
    path: str
    text: str
    note: str
    stale: bool


def standing(book: Book, paths: list[str], read: Callable[[str], bytes]) -> list[Stands]:
    """Return the rules among `paths`, then the pinned notes, always in the same order."""
    found = []
    for path in rules_first(paths)[:MAX_RULES]:
        try:
            text = decode(read(path)).strip()
        except (OSError, NotTextError):
            continue
        if text:
            found.append(Stands(path, path, text[:MAX_CHARS], "", False))
    return found + _pinned(book)


def _pinned(book: Book) -> list[Stands]:
    rows = book.catalogue.listed("WHERE pinned AND recallable")
    found = []
    for _, note in rows[:MAX_PINNED]:
        text = read_file(book.shelves[note.shelf], note.path).text.strip()
        if text:
            path = book.shown_path(note.shelf, note.path)
            found.append(Stands(note.title, path, text[:MAX_CHARS], note.id, note.stale))
    return found
