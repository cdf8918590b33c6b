"""Draws the pieces of a streaming answer, colours its code, and redraws its tail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextCursor, QTextDocument

from commonplace.desktop.drawing import Drawer, Mark
from commonplace.desktop.highlight import Highlighter, Span
from commonplace.desktop.markdown import parse
from commonplace.desktop.splitter import (
    FenceClosed,
    FenceLines,
    FenceOpened,
    Piece,
    Splitter,
)
from commonplace.desktop.theme import ThemeKeeper

SPANS_AT_ONCE = 300
KEPT_SPANS = 64
TAIL_CODE = 2000


@dataclass(slots=True)
class CodeBlock:
    """A code block on screen: as it was written, as it is drawn, and where."""

    language: str
    cursor: QTextCursor
    start: int = -1
    raw: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    alive: bool = True


class StreamDrawer(QObject):
    """Turns pieces into drawing; keeps the code blocks for copying and colouring."""

    def __init__(
        self,
        document: QTextDocument,
        highlighter: Highlighter,
        keeper: ThemeKeeper,
        enqueue: Callable[[Callable[[], None]], None],
        wake: Callable[[], None],
    ) -> None:
        super().__init__(document)
        self._document = document
        self._highlighter = highlighter
        self._enqueue = enqueue
        self._wake = wake
        self._drawer = Drawer(document, keeper.theme, keeper.font_size)
        self._codes: list[CodeBlock] = []
        self._open: CodeBlock | None = None
        self._body: Mark = self._drawer.mark()
        self._body_codes = 0
        self._tail: Mark | None = None
        self._tail_code = -1
        self._known: dict[tuple[str, str], list[Span]] = {}
        self._edit: QTextCursor | None = None
        self.sources = 0
        self.starts: dict[int, int] = {}
        """Where each entry begins in the document."""
        highlighter.lexed.connect(self._coloured)
        self._listening = True

    def begin_edit(self) -> None:
        """Gather the changes of one tick, so that the layout is made once."""
        self._edit = QTextCursor(self._document)
        self._edit.beginEditBlock()

    def end_edit(self) -> None:
        """Let the document lay itself out."""
        if self._edit is not None:
            self._edit.endEditBlock()
        self._edit = None

    def begin_entry(self, number: int, question: str) -> None:
        """Draw a question; the answer that follows belongs to entry `number`."""
        self._open = None
        self.starts[number] = self._drawer.mark().position
        self._drawer.entry = number
        self._drawer.question(question)
        self._body = self._drawer.mark()
        self._body_codes = len(self._codes)

    def restart_body(self) -> None:
        """Take the answer drawn so far away, to draw it with its marks."""
        for block in self._codes[self._body_codes :]:
            block.alive = False
        self._open = None
        self._drawer.rewind(self._body)

    def draw(self, piece: Piece) -> None:
        """Draw one finished piece."""
        if isinstance(piece, FenceOpened):
            marks = [run for block in parse(piece.marks) for run in block.runs]
            cursor = self._drawer.open_code(piece.language, len(self._codes), marks)
            self._open = CodeBlock(piece.language, cursor)
            self._codes.append(self._open)
        elif isinstance(piece, FenceLines):
            self._code_line(piece)
        elif isinstance(piece, FenceClosed):
            if self._open is not None:
                self._colour(self._open)
            self._open = None
        else:
            self._drawer.blocks(parse(piece.text, self.sources))

    def note(self, text: str, role: str, link: tuple[str, str] | None) -> None:
        """Draw a line of ours."""
        self._open = None
        self._drawer.note(text, role, link)

    def links(self, links: Sequence[tuple[str, str]]) -> None:
        """Draw a row of links of ours."""
        self._open = None
        self._drawer.links(links)

    def draw_tail(self, splitter: Splitter) -> None:
        """Draw what is not finished; `drop_tail` takes it away again."""
        tail = splitter.tail
        if not tail:
            return
        if splitter.in_fence:
            if self._open is not None:
                self._tail_code = self._open.cursor.position()
                self._drawer.code_line(self._open.cursor, tail[:TAIL_CODE])
        else:
            self._tail = self._drawer.mark()
            self._drawer.blocks(parse(tail, self.sources))

    def drop_tail(self) -> None:
        """Take the tail away."""
        if self._tail is not None:
            self._drawer.rewind(self._tail)
            self._tail = None
        if self._tail_code >= 0 and self._open is not None:
            self._open.cursor.setPosition(self._tail_code, QTextCursor.MoveMode.KeepAnchor)
            self._open.cursor.removeSelectedText()
        self._tail_code = -1

    def code_text(self, number: int) -> str:
        """Return the code of block `number` exactly as the model wrote it."""
        return "".join(self._codes[number].raw) if number < len(self._codes) else ""

    def shut(self) -> None:
        """Listen no longer: another drawer takes over, or the window goes.

        A window that goes may still be handed a conversation, so this may come twice.
        """
        if self._listening:
            self._listening = False
            self._highlighter.lexed.disconnect(self._coloured)
        for block in self._codes:
            block.alive = False

    def _code_line(self, piece: FenceLines) -> None:
        block = self._open
        if block is None:
            return
        start = self._drawer.code_line(block.cursor, piece.text)
        block.start = start if block.start < 0 else block.start
        block.raw.append(piece.text + ("" if piece.continues else "\n"))
        block.drawn.append(block.cursor.block().text())

    def _colour(self, block: CodeBlock) -> None:
        if not block.language or block.start < 0:
            return
        text = "\n".join(block.drawn)
        known = self._known.get((block.language, text))
        if known is not None:
            self._apply(block, known)
        else:
            self._highlighter.request(block, text, language=block.language)

    def _coloured(self, ticket: object, spans: list[Span]) -> None:
        if not isinstance(ticket, CodeBlock):
            return
        if len(self._known) >= KEPT_SPANS:
            self._known.pop(next(iter(self._known)))
        self._known[(ticket.language, "\n".join(ticket.drawn))] = spans
        self._apply(ticket, spans)
        self._wake()

    def _apply(self, block: CodeBlock, spans: Sequence[Span]) -> None:
        for first in range(0, len(spans), SPANS_AT_ONCE):
            self._enqueue(partial(self._paint, block, spans[first : first + SPANS_AT_ONCE]))

    def _paint(self, block: CodeBlock, spans: Sequence[Span]) -> None:
        if block.alive:
            self._drawer.colour_code(block.start, spans)
