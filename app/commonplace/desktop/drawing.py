"""Draws Markdown blocks and code into a text document, in the colours of a theme.

Everything is inserted as plain text with formats: no HTML is ever parsed, so
nothing in an answer can load, link or run anything. Drawing happens only at the
end of the document, so positions before it stay what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import (
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextLength,
    QTextOption,
)

from commonplace.desktop.highlight import Span
from commonplace.desktop.markdown import Run, TextBlock
from commonplace.desktop.theme import Theme, code_font
from commonplace.desktop.visible import tooltip, visible

SCHEME = "commonplace"
"""The only link scheme that acts inside the window."""

LINE_HEIGHT = 132.0
HEADINGS = {1: 1.35, 2: 1.2, 3: 1.08}


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to return to: everything drawn after it can be taken away again."""

    position: int
    fresh: bool


class Drawer:
    """Appends to `document`. `fresh` says that its last block is empty and unused."""

    def __init__(self, document: QTextDocument, theme: Theme, font_size: int) -> None:
        self._document = document
        self._theme = theme
        self._size = font_size
        self._mono = code_font(font_size)
        self._fresh = True
        self.entry = 0
        self._plain = self._format("text")

    def mark(self) -> Mark:
        """Return the end of the document as it is now."""
        return Mark(self._end().position(), self._fresh)

    def rewind(self, mark: Mark) -> None:
        """Take away everything drawn since `mark`."""
        cursor = self._end()
        cursor.setPosition(mark.position, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        self._fresh = mark.fresh

    def blocks(self, blocks: Sequence[TextBlock]) -> None:
        """Draw finished Markdown."""
        for block in blocks:
            if block.kind == "rule":
                self._rule()
                continue
            cursor = self._begin(self._block_format(block))
            if block.kind == "item":
                cursor.insertText(f"{block.marker}\t", self._format("muted"))
            for run in block.runs:
                self._run(cursor, run, block)

    def question(self, text: str) -> None:
        """Draw the user's words, set off from the answer."""
        frame = QTextFrameFormat()
        frame.setBackground(self._theme.colour("question"))
        frame.setPadding(10)
        frame.setTopMargin(20)
        frame.setBottomMargin(12)
        cursor = self._frame(frame)
        style = self._format("text")
        style.setFontWeight(QFont.Weight.Medium)
        block = QTextBlockFormat()
        block.setLineHeight(125.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        for number, line in enumerate(visible(text).split("\n")):
            if number:
                cursor.insertBlock(block, style)
            else:
                cursor.setBlockFormat(block)
            cursor.insertText(line, style)

    def note(self, text: str, role: str = "muted", link: tuple[str, str] | None = None) -> None:
        """Draw a small line of ours, with an optional (title, target) link behind it."""
        block = QTextBlockFormat()
        block.setTopMargin(6)
        cursor = self._begin(block)
        style = self._format(role, scale=0.9)
        cursor.insertText(visible(text), style)
        if link is not None:
            cursor.insertText("   ", style)
            self._link(cursor, link[0], link[1], scale=0.95)

    def links(self, links: Sequence[tuple[str, str]]) -> None:
        """Draw a row of (title, target) links; a title without a target is plain."""
        block = QTextBlockFormat()
        block.setTopMargin(4)
        cursor = self._begin(block)
        plain = self._format("muted", scale=0.9)
        for number, (title, target) in enumerate(links):
            cursor.insertText("   " if number else "", plain)
            whole = title.replace(" ", "\u00a0")  # a title does not break into two lines
            style = self._anchor(target) if target else plain
            style.setFontPointSize(self._size * 0.9)
            style.setFontUnderline(False)  # a calm row: colour and place tell that it acts
            cursor.insertText(whole, style)

    def open_code(self, language: str, number: int, marks: Sequence[Run] = ()) -> QTextCursor:
        """Draw the head of a code block and return a cursor for its lines."""
        frame = QTextFrameFormat()
        frame.setBackground(self._theme.colour("code_ground"))
        frame.setBorder(1)
        frame.setBorderBrush(self._theme.colour("border"))
        frame.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        frame.setPadding(8)
        frame.setTopMargin(10)
        frame.setBottomMargin(12)
        cursor = self._frame(frame)
        head = QTextBlockFormat()
        head.setBottomMargin(4)
        cursor.setBlockFormat(head)
        small = self._format("muted", scale=0.85)
        cursor.insertText(f"{visible(language) or self._tr('code')}   ", small)
        self._link(cursor, self._tr("Copy"), f"copy/{number}", scale=0.85)
        for run in marks:
            cursor.insertText("  ", small)
            self._run(cursor, run, TextBlock("paragraph"))
        return cursor

    def code_line(self, cursor: QTextCursor, line: str) -> int:
        """Draw one line of code at `cursor`, a new block; return where its text starts."""
        block = QTextBlockFormat()
        block.setLineHeight(118.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        style = self._code_format("")
        cursor.insertBlock(block, style)
        start = cursor.position()
        cursor.insertText(visible(line).replace("\t", "    "), style)
        return start

    def colour_code(self, start: int, spans: Sequence[Span]) -> None:
        """Colour the code that begins at position `start`."""
        cursor = QTextCursor(self._document)
        cursor.beginEditBlock()
        for span in spans:
            cursor.setPosition(start + span.start)
            cursor.setPosition(start + span.start + span.length, QTextCursor.MoveMode.KeepAnchor)
            cursor.setCharFormat(self._code_format(span.category))
        cursor.endEditBlock()

    def _frame(self, frame: QTextFrameFormat) -> QTextCursor:
        cursor = self._end()
        frame.setWidth(QTextLength(QTextLength.Type.PercentageLength, 100))
        inside = cursor.insertFrame(frame)
        self._fresh = True
        return inside.firstCursorPosition()

    def _begin(self, block: QTextBlockFormat) -> QTextCursor:
        cursor = self._end()
        if self._fresh:
            cursor.setBlockFormat(block)
            cursor.setBlockCharFormat(self._plain)
        else:
            cursor.insertBlock(block, self._plain)
        self._fresh = False
        return cursor

    def _end(self) -> QTextCursor:
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        return cursor

    def _rule(self) -> None:
        block = QTextBlockFormat()
        block.setProperty(
            QTextFormat.Property.BlockTrailingHorizontalRulerWidth,
            QTextLength(QTextLength.Type.PercentageLength, 100),
        )
        self._begin(block)

    def _block_format(self, block: TextBlock) -> QTextBlockFormat:
        shape = QTextBlockFormat()
        shape.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        shape.setTopMargin({"heading": 14, "item": 3, "row": 2}.get(block.kind, 8))
        left = 14.0 * block.quoted
        if block.kind == "item":
            left += 22.0 * block.level
            shape.setTextIndent(-18)
            shape.setTabPositions([QTextOption.Tab(left, QTextOption.TabType.LeftTab)])
        shape.setLeftMargin(left)
        if block.kind == "heading":
            shape.setHeadingLevel(block.level)
        return shape

    def _run(self, cursor: QTextCursor, run: Run, block: TextBlock) -> None:
        if run.cite:
            self._cite(cursor, run)
            return
        if run.by == "own":
            style = self._format("muted")
            style.setToolTip(self._tr("The model's own words: no passage supports this."))
            cursor.insertText(run.text, style)
            return
        if run.link:
            self._external(cursor, run)
            return
        role = "muted" if block.quoted else "text"
        fixed = run.code or block.kind == "row"
        style = self._code_format("") if fixed else self._format(role)
        if run.code:
            style.setBackground(self._theme.colour("code_ground"))
        if block.kind == "heading":
            style.setFontPointSize(self._size * HEADINGS.get(block.level, 1.0))
        if run.bold or block.kind == "heading":
            style.setFontWeight(QFont.Weight.DemiBold)
        style.setFontItalic(run.italic)
        style.setFontStrikeOut(run.struck)
        cursor.insertText(visible(run.text).replace("\n", "\u2028"), style)

    def _cite(self, cursor: QTextCursor, run: Run) -> None:
        """Draw a passage's number: underlined if the model names it, else with ≈."""
        style = self._anchor(f"source/{self.entry}/{run.cite}")
        if run.by == "model":
            style.setToolTip(self._tr("Passage {0}, named by the model").format(run.cite))
            style.setFontWeight(QFont.Weight.DemiBold)
            cursor.insertText(run.text, style)
            return
        style.setToolTip(
            self._tr("Passage {0}, found by comparing words; the model did not name it").format(
                run.cite
            )
        )
        style.setFontUnderline(False)
        style.setFontItalic(True)
        cursor.insertText(f" ≈{run.text}", style)

    def _external(self, cursor: QTextCursor, run: Run) -> None:
        style = self._format("link")
        style.setAnchor(True)
        style.setAnchorHref(run.link)
        style.setFontUnderline(True)
        style.setToolTip(tooltip(run.link))
        cursor.insertText(visible(run.text), style)

    def _link(self, cursor: QTextCursor, title: str, target: str, scale: float) -> None:
        style = self._anchor(target)
        style.setFontPointSize(self._size * scale)
        cursor.insertText(title, style)

    def _anchor(self, target: str) -> QTextCharFormat:
        style = self._format("link")
        style.setAnchor(True)
        style.setAnchorHref(f"{SCHEME}:{target}")
        style.setFontUnderline(True)
        return style

    def _format(self, role: str, scale: float = 1.0) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setForeground(self._theme.colour(role))
        style.setFontPointSize(self._size * scale)
        return style

    def _code_format(self, category: str) -> QTextCharFormat:
        style = QTextCharFormat()
        style.setFont(self._mono)
        style.setFontPointSize(self._size * 0.95)
        style.setForeground(self._theme.code_colour(category))
        return style

    def _tr(self, text: str) -> str:
        return QCoreApplication.translate("Drawer", text)
