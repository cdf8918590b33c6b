"""Colours for the file in the code view: lexed whole, or around what is in sight if it is long."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from commonplace.desktop.code_view import CodeView
from commonplace.desktop.highlight import MAX_LEXED, Highlighter, Span

AROUND = 300
"""Lines before and after those in sight that are lexed with them, in a long file."""
MAX_AROUND = 128 * 1024
PAUSE_MS = 60


class CodeColours(QObject):
    """Lexes in a thread and hands the spans to the view."""

    def __init__(self, view: CodeView, parent: QObject) -> None:
        super().__init__(parent)
        self._view = view
        self._path = ""
        self._long = False
        self._ticket = 0
        self._lexed_lines = (0, -1)
        self._highlighter = Highlighter(self)
        self._highlighter.lexed.connect(self._lexed)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._lex_around)
        view.verticalScrollBar().valueChanged.connect(self._scrolled)

    def begin(self, text: str, path: str) -> None:
        """Colour `text` of the file `path`, which is about to stand in the view."""
        self._ticket += 1
        self._path = path
        self._long = len(text) > MAX_LEXED
        self._lexed_lines = (0, -1)
        self._timer.stop()
        if text and not self._long:
            self._highlighter.request((self._ticket, 0), text, path=path)

    def go_on(self) -> None:
        """All of the text stands in the view now."""
        self._scrolled()

    def shut(self) -> None:
        """End the thread."""
        self._timer.stop()
        self._highlighter.finish()

    def _scrolled(self) -> None:
        if self._long:
            self._timer.start()

    def _lex_around(self) -> None:
        """Lex what is in sight with lines around it, where that was not done yet.

        It may begin inside a long comment or string; an unindented line is the
        likeliest place where it does not.
        """
        first, last = self._view.lines_in_sight()
        done_first, done_last = self._lexed_lines
        if done_first <= first and last <= done_last:
            return
        block = self._view.document().findBlockByNumber(max(first - AROUND, 0))
        while block.blockNumber() < first and (not block.text() or block.text()[0].isspace()):
            block = block.next()
        start, begun = block.position(), block.blockNumber()
        lines, size, number = [], 0, begun
        while block.isValid() and number <= last + AROUND and size < MAX_AROUND:
            lines.append(block.text())
            size += len(lines[-1]) + 1
            number = block.blockNumber()
            block = block.next()
        self._lexed_lines = (min(begun, first), max(number, last))
        self._ticket += 1
        self._highlighter.request((self._ticket, start), "\n".join(lines), path=self._path)

    def _lexed(self, ticket: object, spans: list[Span]) -> None:
        assert isinstance(ticket, tuple)
        number, start = ticket
        if number == self._ticket:
            moved = [s._replace(start=s.start + start) for s in spans] if start else spans
            self._view.set_spans(moved)
