"""From the conversation and the code into the book: what is remembered, and what happened.

The user's own words become a kept note at once; what a model phrased becomes a
draft that waits in the inbox. Both are private until somebody shares them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextCursor

from commonplace.chat.answer import Answer
from commonplace.desktop.book_desk import BookDesk
from commonplace.desktop.book_link import BookLink
from commonplace.desktop.book_quick import NewNote
from commonplace.desktop.chat_desk import ChatDesk, Say
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.conversation import Conversation, Exchange
from commonplace.errors import CommonplaceError, NoteError
from commonplace.recall.passages import Passage

TITLE = 80
CITED = 3
SENTENCE = re.compile(r"(?<=[.!?])\s")
DEFINED = frozenset({"function", "method", "class", "type", "interface", "struct", "enum"})
"""Kinds of passages whose symbol a note can be tied to."""


class BookCapture(QObject):
    """Makes notes of what is selected, and tells the book what happened in the chat."""

    def __init__(
        self,
        link: BookLink,
        desk: BookDesk,
        views: tuple[Conversation, CodePane, ChatDesk],
        say: Say,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._desk = desk
        self._conversation, self._code, self._chats = views
        self._say = say
        self._busy = False
        self._chats.remember.connect(self.remember_text)
        self._conversation.busy_changed.connect(self._busy_changed)

    def remember(self) -> None:
        """Remember what is selected: code with words to come, or words of the chat."""
        view = self._code.view
        if self._code.path and (view.hasFocus() or not self._conversation.exchanges):
            self.note_about_code()
        else:
            self._chats.remember_selection()

    def note_about_code(self) -> None:
        """Ask for a note about the open file, tied to what is selected or at the cursor."""
        cursor = self._code.view.textCursor()
        lines = selected_lines(cursor) if self._code.path else (0, 0)
        self._desk.quick_note(self._code.path, lines, selected=cursor.hasSelection())

    def remember_text(self, text: str) -> None:
        """Remember some words of the chat; whose words they are decides what becomes of them."""
        exchanges = self._conversation.exchanges
        own = is_own(text, exchanges)
        exchange = next((e for e in reversed(exchanges) if holds(e, text)), None)
        anchors = () if exchange is None else anchors_of(cited(exchange.answer))
        note = NewNote(title_of(text), text.strip(), anchors, (), private=True)

        def again(error: CommonplaceError) -> None:
            # An answer may cite what cannot be tied to; its words are remembered all the same.
            if anchors and isinstance(error, NoteError):
                plain = NewNote(note.title, note.text, (), (), private=True)
                self._desk.add(plain, draft=not own)
            else:
                self._say(error)

        self._desk.add(note, draft=not own, refused=again)

    def star(self, number: int) -> None:
        """Star an answer: a draft that quotes the question is proposed."""
        exchanges = self._conversation.exchanges
        if number < len(exchanges):
            self._tell("starred", exchanges[number])
            self._say(self.tr("Starred. A draft will wait in the inbox of the book."))

    def forget_conversation(self, conversation: str) -> None:
        """Forget what a conversation left: it was deleted, and nothing of it is to remain."""
        self._link.tell("note_events_forget", {"conversation": conversation})

    def _busy_changed(self, busy: bool) -> None:
        exchanges = self._conversation.exchanges
        began, ended = busy and not self._busy, self._busy and not busy
        self._busy = busy
        if not exchanges:
            return
        if began and len(exchanges) > 1 and exchanges[-2].answered:
            # The book reads it only if it begins like a correction.
            self._tell("corrected", exchanges[-2], exchanges[-1].question)
        last = exchanges[-1]
        if ended and last.answer is not None:
            self._tell("asked", last)
            notes = [passage.note for passage in cited(last.answer) if passage.note]
            if notes:
                self._link.tell("note_used", {"notes": notes, "answer": self._name(last)})

    def _tell(self, kind: str, exchange: Exchange, said: str = "") -> None:
        places = [passage.place for passage in cited(exchange.answer) if not passage.note]
        self._link.tell(
            "note_event",
            {
                "kind": kind,
                "question": exchange.question,
                "said": said,
                "answer": self._name(exchange),
                "cited": places,
            },
        )

    def _name(self, exchange: Exchange) -> str:
        return f"{self._conversation.name}/{exchange.answered}"


def cited(answer: Answer | None) -> list[Passage]:
    """Return the passages that an answer rests on, in order."""
    if answer is None:
        return []
    numbers = sorted({citation.n for citation in answer.citations})
    return [answer.passages[n - 1] for n in numbers if 0 < n <= len(answer.passages)]


def anchors_of(passages: Sequence[Passage]) -> tuple[str, ...]:
    """Return definitions among the passages as anchors, a few at most."""
    found = [
        f"{passage.path}::{passage.symbol}"
        for passage in passages
        if passage.symbol and passage.kind in DEFINED and not passage.note
    ]
    return tuple(dict.fromkeys(found))[:CITED]


def is_own(text: str, exchanges: Sequence[Exchange]) -> bool:
    """Say whether the user typed these words: all of them stand in one question."""
    wanted = _plain(text)
    return bool(wanted) and any(wanted in _plain(exchange.question) for exchange in exchanges)


def holds(exchange: Exchange, text: str) -> bool:
    """Say whether words were selected in the answer of an exchange."""
    answer = exchange.answer.text if exchange.answer is not None else exchange.text
    first = _plain(text)[:40]
    return bool(first) and first in _plain(answer)


def title_of(text: str) -> str:
    """Return the first sentence of some words, as a title."""
    lines = [line.strip(" \t").lstrip("#*-> \t") for line in text.strip().split("\n")]
    line = " ".join(next((line for line in lines if line), "").split())
    line = SENTENCE.split(line)[0]
    return line if len(line) <= TITLE else f"{line[: TITLE - 1].rsplit(' ', 1)[0]}…"


def selected_lines(cursor: QTextCursor) -> tuple[int, int]:
    """Return the lines of a selection, or that of the cursor, from 1."""
    document = cursor.document()
    first = document.findBlock(cursor.selectionStart()).blockNumber() + 1
    end = max(cursor.selectionEnd() - (1 if cursor.hasSelection() else 0), 0)
    return first, max(document.findBlock(end).blockNumber() + 1, first)


def _plain(text: str) -> str:
    """Return words alone: drawn Markdown and citation marks do not count."""
    return " ".join(re.findall(r"\w+", re.sub(r"\s?≈?\[\d+\]", " ", text).lower()))
