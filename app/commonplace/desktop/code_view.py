"""A file, read-only, opened at the cited lines."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QFontMetricsF,
    QMouseEvent,
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
    QMenu,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

from commonplace.desktop.find_text import Match
from commonplace.desktop.highlight import Span, between
from commonplace.desktop.theme import ThemeKeeper, code_font
from commonplace.desktop.visible import tooltip

IDENTIFIER = re.compile(r"[^\W\d]\w*")
AT_ONCE = 100_000
"""Characters put into the view between two looks at the event loop."""


@dataclass(frozen=True, slots=True)
class LineMark:
    """A mark in the margin: what it stands for, and whether that is out of date."""

    tip: str
    stale: bool = False


class LineNumbers(QWidget):
    """The column of line numbers beside a `CodeView`, with marks that can be pressed."""

    def __init__(self, view: CodeView) -> None:
        super().__init__(view)
        self._view = view
        self.setMouseTracking(True)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press the mark of a line."""
        line = self._view.marked_line_at(event.position().toPoint())
        if line and event.button() == Qt.MouseButton.LeftButton:
            self._view.mark_pressed.emit(line)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what the mark under the pointer stands for."""
        line = self._view.marked_line_at(event.position().toPoint())
        mark = self._view.marks.get(line)
        self.setToolTip(tooltip(mark.tip) if mark is not None else "")
        self.setCursor(
            Qt.CursorShape.PointingHandCursor if mark is not None else Qt.CursorShape.ArrowCursor
        )

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
    mark_pressed = Signal(int)
    """The line, counted from 1, whose mark in the margin was pressed."""

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
        self._text, self._filled_to = "", 0
        self._filler = QTimer(self)
        self._filler.setInterval(0)
        self._filler.timeout.connect(self._fill)
        self._spans: list[Span] = []
        self._coloured: set[int] = set()
        self._range = (0, 0)
        self._matches: Sequence[Match] = ()
        self._match = -1
        self.marks: Mapping[int, LineMark] = {}
        self.menu_actions: list[QAction] = []
        self._numbers = LineNumbers(self)
        self.blockCountChanged.connect(self._make_room)
        self.updateRequest.connect(self._scrolled)
        self.verticalScrollBar().valueChanged.connect(self._colour_visible)
        self.verticalScrollBar().valueChanged.connect(self._redraw_matches)
        keeper.changed.connect(self._restyle)
        self._restyle()

    @property
    def marked_lines(self) -> tuple[int, int]:
        """The first and last marked line, counted from 1; zeros if there are none."""
        return self._range

    def name_at_cursor(self) -> str:
        """Return the identifier under the cursor or beside it, or nothing."""
        cursor = self.textCursor()
        text, column = cursor.block().text(), cursor.positionInBlock()
        for match in IDENTIFIER.finditer(text):
            if match.start() <= column <= match.end():
                return match[0]
        return ""

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be done with the name that was clicked."""
        if not self.textCursor().hasSelection():
            self.setTextCursor(self.cursorForPosition(event.pos()))
        menu = self.context_menu()
        menu.exec(event.globalPos())
        menu.deleteLater()

    def context_menu(self) -> QMenu:
        """Return the usual menu with `menu_actions` before it."""
        menu = self.createStandardContextMenu()
        first = menu.actions()[0] if menu.actions() else None
        if first is not None and self.menu_actions:
            first = menu.insertSeparator(first)
        for action in self.menu_actions:
            menu.insertAction(first, action)  # type: ignore[arg-type]
        return menu

    def show_text(self, text: str) -> None:
        """Show `text` without colours, which follow through `set_spans`."""
        self._spans = []
        self._coloured.clear()
        self._range = (0, 0)
        self._matches, self._match = (), -1
        self.marks = {}
        self.setExtraSelections([])
        self._filler.stop()
        self.setPlainText(text[:AT_ONCE])
        self._text, self._filled_to = text, AT_ONCE
        self._fill()

    def _fill(self) -> None:
        """Add the rest of a long text piece by piece, so that the window stays responsive."""
        if self._filled_to >= len(self._text):
            self._filler.stop()
            self._text = ""
            self.filled.emit()
            return
        if self._filler.isActive():
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText(self._text[self._filled_to : self._filled_to + AT_ONCE])
            self._filled_to += AT_ONCE
        self._filler.start()

    def set_spans(self, spans: list[Span]) -> None:
        """Colour the text."""
        self._spans = spans
        self._coloured.clear()
        self._colour_visible()

    def set_matches(self, matches: Sequence[Match], current: int) -> None:
        """Highlight what was found; match `current`, counted from 0, stands out."""
        self._matches, self._match = matches, current
        self._draw_range()

    def lines_in_sight(self) -> tuple[int, int]:
        """Return the numbers of the first and the last line in sight, from 0."""
        blocks = self._visible_blocks()
        return (blocks[0][0].blockNumber(), blocks[-1][0].blockNumber()) if blocks else (0, 0)

    def mark_lines(self, start: int, end: int) -> None:
        """Mark the lines ``start``-``end`` and bring them into view."""
        self._range = (start, end)
        self._draw_range()
        block = self.document().findBlockByNumber(start - 1)
        if block.isValid():
            self.setTextCursor(QTextCursor(block))
            QTimer.singleShot(0, self, self._reveal)

    def set_marks(self, marks: Mapping[int, LineMark]) -> None:
        """Show marks in the margin beside these lines, counted from 1."""
        self.marks = marks
        self._numbers.update()

    def marked_line_at(self, point: QPoint) -> int:
        """Return the line with a mark at a point of the column of numbers, or 0."""
        for block, top, height in self._visible_blocks() if self.marks else ():
            if top <= point.y() < top + height:
                number = block.blockNumber() + 1
                return number if number in self.marks else 0
        return 0

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
            if number in self.marks:
                self._paint_mark(painter, QRect(0, int(top), column.width(), int(height)), number)
        painter.end()

    def _paint_mark(self, painter: QPainter, box: QRect, number: int) -> None:
        """Paint a small page: filled, or hollow where the note is out of date."""
        mark, theme = self.marks[number], self._keeper.theme
        side = max(min(box.height() - 6, 10), 6)
        page = QRect(4, box.top() + (box.height() - side) // 2, side - 2, side)
        colour = theme.colour("warning" if mark.stale else "accent")
        painter.setPen(colour)
        painter.setBrush(Qt.BrushStyle.NoBrush if mark.stale else colour)
        painter.drawRect(page)

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
        self.setExtraSelections([*selections, *self._match_selections()])
        self._numbers.update()

    def _match_selections(self) -> list[QTextEdit.ExtraSelection]:
        """Return highlights for the matches in sight; there may be thousands elsewhere."""
        blocks = self._visible_blocks() if self._matches else []
        if not blocks:
            return []
        start, last = blocks[0][0].position(), blocks[-1][0]
        end = last.position() + last.length()
        theme = self._keeper.theme
        made = []
        for number in range(bisect_left(self._matches, (start, 0)), len(self._matches)):
            match = self._matches[number]
            if match.start >= end:
                break
            here = number == self._match
            shown = QTextEdit.ExtraSelection()
            shown.cursor = QTextCursor(self.document())
            shown.cursor.setPosition(match.start)
            shown.cursor.setPosition(match.start + match.length, QTextCursor.MoveMode.KeepAnchor)
            shown.format.setBackground(theme.colour("accent" if here else "selection"))
            shown.format.setForeground(theme.colour("on_accent" if here else "on_selection"))
            made.append(shown)
        return made

    def _redraw_matches(self) -> None:
        if self._matches:
            self._draw_range()

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
