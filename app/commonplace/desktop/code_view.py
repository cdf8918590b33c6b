"""A file, read-only, opened at the cited lines."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextLayout,
)
from PySide6.QtWidgets import (
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from commonplace.desktop.highlight import Span, between
from commonplace.desktop.theme import ThemeKeeper, code_font

AT_ONCE = 200_000
"""Characters put into the view between two looks at the event loop."""


class LineNumbers(QWidget):
    """The column of line numbers beside a `CodeView`."""

    def __init__(self, view: CodeView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        """Be as wide as the last number needs."""
        return QSize(self._view.numbers_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the numbers of the lines in sight."""
        self._view.paint_numbers(self, event)


class CodeView(QPlainTextEdit):
    """Shows code with line numbers, colours and one marked range of lines.

    Colours are laid over the lines in sight only, so a long file costs no more
    than a short one.
    """

    filled = Signal()
    """All of the text that `show_text` was given stands there."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("code")
        self.setAccessibleName(self.tr("Code"))
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(0)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._keeper = keeper
        self._rest = ""
        self._filler = QTimer(self)
        self._filler.setInterval(0)
        self._filler.timeout.connect(self._fill)
        self._spans: list[Span] = []
        self._coloured: set[int] = set()
        self._range = (0, 0)
        self._numbers = LineNumbers(self)
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._scrolled)
        self.verticalScrollBar().valueChanged.connect(self._colour_visible)
        keeper.changed.connect(self._restyle)
        self._restyle()

    @property
    def marked_lines(self) -> tuple[int, int]:
        """The first and last marked line, counted from 1; zeros if there are none."""
        return self._range

    def show_text(self, text: str) -> None:
        """Show `text` without colours, which follow through `set_spans`."""
        self._spans = []
        self._coloured.clear()
        self._range = (0, 0)
        self.setExtraSelections([])
        self.setPlainText(text[:AT_ONCE])
        self._rest = text[AT_ONCE:]
        self._fill()

    def _fill(self) -> None:
        """Add the rest of a long text piece by piece, so that the window stays responsive."""
        if not self._rest:
            self._filler.stop()
            self.filled.emit()
            return
        if self._filler.isActive():
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(self._rest[:AT_ONCE])
            self._rest = self._rest[AT_ONCE:]
        self._filler.start()

    def set_spans(self, spans: list[Span]) -> None:
        """Colour the text."""
        self._spans = spans
        self._coloured.clear()
        self._colour_visible()

    def mark_lines(self, start: int, end: int) -> None:
        """Mark the lines ``start``-``end`` and bring them into view."""
        self._range = (start, end)
        self._draw_range()
        block = self.document().findBlockByNumber(start - 1)
        if block.isValid():
            self.setTextCursor(QTextCursor(block))
            QTimer.singleShot(0, self, self._reveal)

    def numbers_width(self) -> int:
        """Return the width of the column of numbers in pixels."""
        digits = max(len(str(self.blockCount())), 3)
        return 26 + self.fontMetrics().horizontalAdvance("9") * digits

    def paint_numbers(self, column: QWidget, event: QPaintEvent) -> None:
        """Paint the numbers of the lines in sight; the marked ones stand out."""
        theme = self._keeper.theme
        painter = QPainter(column)
        painter.setFont(self.font())
        painter.fillRect(event.rect(), theme.colour("code_ground"))
        first, last = self._range
        for block, top, height in self._visible_blocks():
            number = block.blockNumber() + 1
            inside = first <= number <= last
            if inside:
                painter.fillRect(
                    0, int(top), column.width(), int(height) + 1, theme.colour("cited_ground")
                )
            painter.setPen(theme.colour("text" if inside else "muted"))
            box = QRect(0, int(top), column.width() - 14, int(height))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, str(number))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the numbers beside the text."""
        super().resizeEvent(event)
        box = self.contentsRect()
        self._numbers.setGeometry(QRect(box.left(), box.top(), self.numbers_width(), box.height()))
        self._colour_visible()

    def _visible_blocks(self) -> list[tuple[QTextBlock, float, float]]:
        found = []
        block = self.firstVisibleBlock()
        top = self.blockBoundingGeometry(block).translated(self.contentOffset()).top()
        while block.isValid() and top <= self.viewport().height():
            height = self.blockBoundingRect(block).height()
            found.append((block, top, height))
            top += height
            block = block.next()
        return found

    def _colour_visible(self) -> None:
        if not self._spans:
            return
        for block, _, _ in self._visible_blocks():
            number = block.blockNumber()
            if number in self._coloured:
                continue
            self._coloured.add(number)
            start = block.position()
            block.layout().setFormats(
                [
                    self._range_of(span)
                    for span in between(self._spans, start, start + block.length() - 1)
                ]
            )
        self.viewport().update()

    def _range_of(self, span: Span) -> QTextLayout.FormatRange:
        shown = QTextLayout.FormatRange()
        shown.start, shown.length = span.start, span.length
        style = QTextCharFormat()
        style.setForeground(self._keeper.theme.code_colour(span.category))
        shown.format = style
        return shown

    def _draw_range(self) -> None:
        first, last = self._range
        selections = []
        if first:
            block = self.document().findBlockByNumber(first - 1)
            while block.isValid() and block.blockNumber() < last:
                line = QTextEdit.ExtraSelection()
                line.cursor = QTextCursor(block)
                style = QTextCharFormat()
                style.setBackground(self._keeper.theme.colour("cited_ground"))
                style.setProperty(QTextFormat.Property.FullWidthSelection, True)
                line.format = style
                selections.append(line)
                block = block.next()
        self.setExtraSelections(selections)
        self._numbers.update()

    def _reveal(self) -> None:
        """Put the first marked line in the upper third."""
        first, _ = self._range
        height = max(int(self.fontMetrics().lineSpacing()), 1)
        lines = self.viewport().height() // height
        self.verticalScrollBar().setValue(max(first - 1 - lines // 4, 0))
        self.horizontalScrollBar().setValue(0)

    def _make_room(self) -> None:
        self.setViewportMargins(self.numbers_width(), 0, 0, 0)

    def _scrolled(self, box: QRect, pixels: int) -> None:
        if pixels:
            self._numbers.scroll(0, pixels)
        else:
            self._numbers.update(0, box.y(), self._numbers.width(), box.height())

    def _restyle(self) -> None:
        font = code_font(self._keeper.font_size)
        self.setFont(font)
        self.setTabStopDistance(4 * QFontMetricsF(font).horizontalAdvance(" "))
        self._make_room()
        self._coloured.clear()
        self._colour_visible()
        self._draw_range()
