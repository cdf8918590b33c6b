"""What ``commonplace ask`` makes of ``/`` commands and ``@`` mentions: as the window does."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from commonplace.book.book import Book
from commonplace.book.note import Listed
from commonplace.chat.choosing import Chosen
from commonplace.chat.commands import (
    COMMANDS,
    NOTE,
    command_of,
    mentions_of,
    wants_edits,
    words_for_model,
    words_for_recall,
)
from commonplace.desktop.gathering import gather, needs_gathering
from commonplace.errors import QuestionError
from commonplace.recall.passages import Passage

LIKELY = 0.7
"""How alike a mistyped command and the real one have to be."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A question as it was typed, and what follows from it.

    `model` is what the model is asked, `recall` what is searched for, `chosen` what
    it brings along. With `edits` the answer is a change of files.
    """

    question: str
    model: str
    recall: str
    chosen: Chosen
    edits: bool


def read_typed(question: str, root: Path, files: Callable[[], list[str]], book: Book) -> Typed:
    """Read `question` about the project at `root`; mentioned files are read.

    Raises `QuestionError` for a command that has nothing to be about or is likely
    mistyped, and for staged changes that are not there; `ProjectError` for a
    mentioned file that cannot be shown.
    """
    _check(question)
    chosen = Chosen()
    if needs_gathering(question):
        notes = {m: p for m in mentions_of(question) if (p := _note(book, m)) is not None}
        chosen = gather(root, question, frozenset(files()), None, notes)
    return Typed(
        question,
        words_for_model(question),
        words_for_recall(question),
        chosen,
        wants_edits(question),
    )


def usages_asked(question: str) -> str:
    """Return the name that ``/usages NAME`` asks about, empty for any other question.

    Raises `QuestionError` without a name.
    """
    command, words = command_of(question)
    if command is None or command.template:
        return ""
    if not words:
        raise QuestionError(
            f"/{command.name} needs a name.", f"Write it as '/{command.name} NAME'."
        )
    return words


def _check(question: str) -> None:
    command, words = command_of(question)
    if command is not None and not words and not command.staged:
        raise QuestionError(
            f"/{command.name} has nothing to be about.",
            f"Write it as '/{command.name} WORDS', or mention a file with @PATH.",
        )
    first = question.strip().partition(" ")[0]
    if command is None and re.fullmatch(r"/\w+", first):
        close = difflib.get_close_matches(first[1:], [c.name for c in COMMANDS], 1, LIKELY)
        if close:
            raise QuestionError(
                f"There is no command {first}; /{close[0]} is one.",
                "Correct it, or put a word before it to have it taken for words.",
            )


def _note(book: Book, mentioned: str) -> Passage | None:
    """Return the kept note that ``note:Title`` mentions."""
    if not mentioned.startswith(NOTE):
        return None
    title = mentioned.removeprefix(NOTE)
    for listed in book.notes(status="kept"):
        if " ".join(listed.title.replace('"', "'").split()) == title:
            return _passage(book, listed)
    return None


def _passage(book: Book, listed: Listed) -> Passage:
    note = book.note(listed.id)
    text = note.text.strip("\n")
    return Passage(
        path=book.shown_path(listed.shelf, listed.path),
        start_line=note.body_line,
        end_line=note.body_line + text.count("\n"),
        text=text,
        score=0.0,
        kind="note",
        symbol=note.title,
        reasons=("attached by you",),
        tier="note",
        note=listed.id,
        state=listed.state,
    )
