"""A file, read-only, opened at the cited lines."""

from __future__ import annotations

from pathlib import Path

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
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QTextEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.background import Background
from commonplace.desktop.highlight import Highlighter, Span, between
from commonplace.desktop.icons import tinted
from commonplace.desktop.source_text import SourceText, locate, read_source
from commonplace.desktop.theme import ThemeKeeper, code_font
from commonplace.desktop.visible import one_line
from commonplace.errors import CommonplaceError


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

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("code")
        self.setAccessibleName(self.tr("Code"))
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._keeper = keeper
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
        self.setPlainText(text)

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
        return 20 + self.fontMetrics().horizontalAdvance("9") * digits

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
            box = QRect(0, int(top), column.width() - 10, int(height))
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


class CodePane(QWidget):
    """A `CodeView` with the file's name above, and with words where it cannot be shown."""

    closed = Signal()
    opened = Signal(str)
    """The path of the file that is on screen now."""

    def __init__(
        self, keeper: ThemeKeeper, background: Background, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._keeper = keeper
        self._background = background
        self._highlighter = Highlighter(self)
        self._root: Path | None = None
        self._path = ""
        self._ticket = 0
        self._wanted: tuple[int, int, str] = (0, 0, "")
        self.title = QLabel(self)
        self.title.setObjectName("codeTitle")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.note = QLabel(self)
        self.note.setObjectName("muted")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(12, 0, 12, 8)
        self.close_button = QToolButton(self)
        self.close_button.setAccessibleName(self.tr("Close the file"))
        self.close_button.setToolTip(self.tr("Close the file (Ctrl+W)"))
        self.view = CodeView(keeper, self)
        self._lay_out()
        self.close_button.clicked.connect(self.closed)
        self._highlighter.lexed.connect(self._lexed)
        keeper.changed.connect(self._restyle)
        self._restyle()

    @property
    def path(self) -> str:
        """The file on screen, relative to the project, or empty."""
        return self._path

    def open_file(
        self, root: Path, path: str, start: int = 0, end: int = 0, text: str = ""
    ) -> None:
        """Show file `path`, with the lines ``start``-``end`` that held `text` marked."""
        self._root, self._path = root, path
        self._wanted = (start, end, text)
        folder, _, name = one_line(path).rpartition("/")
        lines = f":{start}–{end}" if start else ""
        self.title.setText(f"{name}{lines}" + (f"   {folder}" if folder else ""))
        self.title.setToolTip("")
        self._read(keep_place=False)

    def reload(self) -> None:
        """Read the file again: it may have changed."""
        if self._root is not None and self._path:
            self._read(keep_place=True)

    def forget(self) -> None:
        """Show nothing: another project was opened, or the file was closed."""
        self._root, self._path = None, ""
        self._ticket += 1
        self.view.show_text("")
        self.note.hide()

    def shut(self) -> None:
        """End the thread that colours."""
        self._highlighter.finish()

    def _read(self, *, keep_place: bool) -> None:
        self._ticket += 1
        ticket, root, path = self._ticket, self._root, self._path
        assert root is not None

        def show(source: SourceText) -> None:
            if ticket == self._ticket:
                self._show(source, keep_place=keep_place)

        def complain(error: CommonplaceError) -> None:
            if ticket == self._ticket:
                self._complain(error)

        self._background.run(lambda: read_source(root, path), show, complain)

    def _show(self, source: SourceText, *, keep_place: bool) -> None:
        place = self.view.verticalScrollBar().value()
        if not (keep_place and self.view.toPlainText() == source.text):
            self.view.show_text(source.text)
            self._highlighter.request(self._ticket, source.text, path=source.path)
        start, end, text = self._wanted
        found = locate(source.text, text, start, end) if start else None
        if found is not None:
            self.view.mark_lines(*found)
        lost = bool(start) and found is None
        self.note.setText(
            self.tr("The file has changed since this passage was found.") if lost else ""
        )
        self.note.setVisible(lost)
        if keep_place:
            QTimer.singleShot(0, self, lambda: self.view.verticalScrollBar().setValue(place))
        self.opened.emit(source.path)

    def _complain(self, error: CommonplaceError) -> None:
        self.view.show_text("")
        self.note.setText(str(error))
        self.note.show()

    def _lexed(self, ticket: object, spans: list[Span]) -> None:
        if ticket == self._ticket:
            self.view.set_spans(spans)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(12, 6, 6, 6)
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button)
        self.title.setMinimumWidth(40)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.note)
        layout.addWidget(self.view, 1)
        self.note.hide()

    def _restyle(self) -> None:
        self.close_button.setIcon(tinted("close", self._keeper.theme, "muted"))
