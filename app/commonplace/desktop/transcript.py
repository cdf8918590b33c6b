"""The conversation: questions, and answers that stream in.

All drawing goes through one queue of small steps that a timer works off within
a budget of milliseconds, so a flood of tokens, a two-megabyte line or a switch
of theme never holds up the window. The text that is not finished yet, the tail,
is drawn last and taken away before the next step.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from PySide6.QtCore import QSize, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QImage,
    QResizeEvent,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from commonplace.chat.answer import Answer
from commonplace.chat.citations import Sentence
from commonplace.desktop.drawing import SCHEME
from commonplace.desktop.highlight import Highlighter
from commonplace.desktop.marks import annotate, without_marks
from commonplace.desktop.splitter import Splitter
from commonplace.desktop.streaming import StreamDrawer
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import visible

TICK_MS = 40
BUDGET_SECONDS = 0.012
MAX_SHOWN = 400_000
"""Characters of one answer that are drawn; the rest can be copied."""
MAX_QUESTION_SHOWN = 4000
MAX_MARKED = 30_000
"""Characters; longer answers are not drawn again to mark their sentences."""
NARROW, WIDEST = 16, 860
"""Pixels: the least margin beside the text, and the widest column of text."""
NEAR = 24
"""Pixels from the end within which the view follows what streams in."""


Links = Sequence[Sequence[tuple[str, str]]]


@dataclass(slots=True)
class Entry:
    """One question and what came of it."""

    question: str
    text: str = ""
    sources: int = 0
    sentences: tuple[Sentence, ...] = ()
    streamed: bool = False
    finished: bool = False
    notes: list[tuple[str, str, tuple[str, str] | None]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


class Transcript(QTextBrowser):
    """Shows the conversation. It holds texts, but decides nothing about them."""

    source_chosen = Signal(int, int)
    """The entry and the number of the passage whose link was followed."""
    retry_asked = Signal()
    acted = Signal(str, int, int)
    """A link of `offer` was followed: its verb and its numbers, 0 where there is none."""
    menu_asked = Signal(object)
    """A context menu is about to be shown: the `QMenu`, to which more can be added."""
    link_followed = Signal(str)
    """An http or https address in an answer was clicked; nothing is opened yet."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transcript")
        self.setAccessibleName(self.tr("Conversation"))
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._keeper = keeper
        self._highlighter = Highlighter(self)
        self._entries: list[Entry] = []
        self._queue: deque[Callable[[], None]] = deque()
        self._splitter = Splitter()
        self._drawer = self._new_drawer()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self.anchorClicked.connect(self._follow)
        keeper.changed.connect(self.redraw)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What has been asked and answered, oldest first."""
        return tuple(self._entries)

    @property
    def busy(self) -> bool:
        """Whether something is still to be drawn."""
        return bool(self._queue)

    def begin(self, question: str) -> int:
        """Add a question; its answer follows through `append`. Returns its number."""
        entry = Entry(question)
        self._entries.append(entry)
        self._draw_question(len(self._entries) - 1)
        self._queue.append(self._to_end)
        self._timer.start()
        return len(self._entries) - 1

    def set_sources(self, count: int) -> None:
        """Say how many passages the last question found, so that ``[n]`` can link."""
        self._entries[-1].sources = count
        self._drawer.sources = count

    def append(self, text: str) -> None:
        """Add `text` to the last answer."""
        entry = self._entries[-1]
        room = MAX_SHOWN - len(entry.text)
        entry.text += text
        entry.streamed = True
        self._feed(without_marks(text[: max(room, 0)]))
        self._timer.start()

    def finish(self, answer: Answer) -> None:
        """End the last answer and mark what its sentences rest on."""
        entry = self._entries[-1]
        entry.text, entry.sentences = answer.text, answer.sentences
        entry.sources = len(answer.passages)
        self._end(entry)

    def note(self, text: str, role: str = "muted", link: tuple[str, str] | None = None) -> None:
        """Add a line of ours below the last answer, with a (title, target) link."""
        self._entries[-1].notes.append((text, role, link))
        self._queue.append(partial(self._draw_note, text, role, link))
        self._timer.start()

    def offer(self, number: int, links: Sequence[tuple[str, str]]) -> None:
        """Draw what can be done with entry `number` as a row of (title, target) links.

        Every entry gets its row once, in order.
        """
        self._entries[number].links = list(links)
        self._queue.append(partial(self._draw_links, links))
        self._timer.start()

    def close_entry(self) -> None:
        """End the last answer as it is: it was stopped or went wrong."""
        entry = self._entries[-1]
        if not entry.finished:
            self._end(entry)

    def drop_from(self, number: int) -> None:
        """Take entry `number` and all after it away, to ask again."""
        del self._entries[number:]
        self.redraw()

    def show_entries(self, entries: Sequence[Entry], links: Links = ()) -> None:
        """Show another conversation, with the row of links of each entry."""
        self._entries = list(entries)
        for entry, row in zip(self._entries, links, strict=False):
            entry.links = list(row)
        self.redraw()
        self._queue.append(self._to_end)

    def show_entry(self, number: int) -> None:
        """Bring the question of entry `number` to the top, once it is drawn."""
        self._queue.append(lambda: QTimer.singleShot(0, self, lambda: self._scroll_to(number)))
        self._timer.start()

    def redraw(self) -> None:
        """Draw everything anew, for instance in another theme."""
        self._queue.clear()
        self._drawer.shut()
        self._drawer.deleteLater()
        self.document().clear()
        self._drawer = self._new_drawer()
        for number, entry in enumerate(self._entries):
            self._draw_question(number)
            self._queue.append(partial(setattr, self._drawer, "sources", entry.sources))
            if entry.finished:
                self._feed(self._marked(entry))
                self._flush()
            else:
                self._feed(without_marks(entry.text[:MAX_SHOWN]))
            for note in entry.notes:
                self._queue.append(partial(self._draw_note, *note))
            if entry.links:
                self._queue.append(partial(self._draw_links, entry.links))
        self._timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the lines short enough to read, in the middle of a wide window."""
        side = max(NARROW, (self.width() - WIDEST) // 2)
        bar = self.verticalScrollBar()
        taken = bar.width() if bar.isVisible() else 0
        self.setViewportMargins(side, 0, max(side - taken, 0), 0)
        super().resizeEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer Qt's own commands, and what others add to them."""
        menu = self.createStandardContextMenu(event.pos())
        self.menu_asked.emit(menu)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def selected_text(self) -> str:
        """Return what is selected, as plain text."""
        cursor: QTextCursor = self.textCursor()
        return cursor.selectedText().replace("\u2029", "\n").replace("\u2028", "\n")

    def sizeHint(self) -> QSize:
        """Prefer a column wide enough to read in."""
        return QSize(640, 480)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load nothing: answers are text, and text of others must not reach out."""
        del name
        if kind == QTextDocument.ResourceType.ImageResource.value:
            # For a missing image Qt would try the name as a path itself.
            return QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
        return None

    def shut(self) -> None:
        """Stop timers and threads before the window goes."""
        self._timer.stop()
        self._queue.clear()
        self._drawer.shut()
        self._highlighter.finish()

    def _new_drawer(self) -> StreamDrawer:
        self._splitter = Splitter()
        return StreamDrawer(
            self.document(), self._highlighter, self._keeper, self._queue.append, self._wake
        )

    def _wake(self) -> None:
        self._timer.start()

    def _draw_question(self, number: int) -> None:
        self._splitter = Splitter()
        question = self._entries[number].question
        if len(question) > MAX_QUESTION_SHOWN:
            question = f"{question[:MAX_QUESTION_SHOWN]} …"
        self._queue.append(lambda: self._drawer.begin_entry(number, question))

    def _feed(self, text: str) -> None:
        for piece in self._splitter.feed(text):
            self._queue.append(partial(self._drawer.draw, piece))

    def _flush(self) -> None:
        for piece in self._splitter.finish():
            self._queue.append(partial(self._drawer.draw, piece))

    def _end(self, entry: Entry) -> None:
        entry.finished = True
        self._flush()
        marked = bool(entry.sentences) and len(entry.text) <= MAX_MARKED
        if marked or not entry.streamed:
            self._queue.append(self._drawer.restart_body)
            self._splitter = Splitter()
            self._queue.append(partial(setattr, self._drawer, "sources", entry.sources))
            self._feed(self._marked(entry))
            self._flush()
        if len(entry.text) > MAX_SHOWN:
            self.note(self.tr("The answer goes on; it is too long to show in full."))
        self._timer.start()

    def _marked(self, entry: Entry) -> str:
        if entry.sentences and len(entry.text) <= MAX_MARKED:
            return annotate(entry.text, entry.sentences)
        return without_marks(entry.text[:MAX_SHOWN])

    def _draw_note(self, text: str, role: str, link: tuple[str, str] | None) -> None:
        self._drawer.note(text, role, link)

    def _draw_links(self, links: Sequence[tuple[str, str]]) -> None:
        self._drawer.links(links)

    def _tick(self) -> None:
        bar = self.verticalScrollBar()
        before, follow = bar.value(), bar.value() >= bar.maximum() - NEAR
        until = time.perf_counter() + BUDGET_SECONDS
        self._drawer.begin_edit()
        self._drawer.drop_tail()
        while self._queue and time.perf_counter() < until:
            self._queue.popleft()()
        if not self._queue:
            self._drawer.draw_tail(self._splitter)
        self._drawer.end_edit()
        bar.setValue(bar.maximum() if follow else before)
        if self._queue:
            self._timer.setInterval(0)
        else:
            self._timer.stop()
            self._timer.setInterval(TICK_MS)

    def _to_end(self) -> None:
        QTimer.singleShot(0, self, self._scroll_to_end)

    def _scroll_to_end(self) -> None:
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _scroll_to(self, number: int) -> None:
        start = self._drawer.starts.get(number)
        if start is None:
            return
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(start + 1, self.document().characterCount() - 1))
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + self.cursorRect(cursor).top() - NARROW)

    def _follow(self, url: QUrl) -> None:
        if url.scheme() in {"http", "https"}:
            self.link_followed.emit(url.toString())
        if url.scheme() != SCHEME:
            return
        verb, *rest = url.path().split("/")
        numbers = [int(part) for part in rest if part.isdecimal()]
        if verb == "source" and len(numbers) == 2:
            self.source_chosen.emit(*numbers)
        elif verb == "copy" and len(numbers) == 1:
            QGuiApplication.clipboard().setText(self._drawer.code_text(numbers[0]))
        elif verb == "retry":
            self.retry_asked.emit()
        elif verb:
            first, second = (*numbers, 0, 0)[:2]
            self.acted.emit(verb, first, second)

    def shown_text(self) -> str:
        """Return what is on screen as plain text."""
        return visible(self.toPlainText())
