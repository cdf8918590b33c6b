"""Paints the rows of a change: numbers, signs, lines, and the letters that differ."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from commonplace.desktop.diff_model import DiffModel, Index
from commonplace.desktop.numbers import number_words
from commonplace.desktop.theme import ThemeKeeper, code_font
from commonplace.edits.rows import Row

BOX = 16
PADDING = 8
MARKED_LEAST = 0.35
"""Two lines with less than this share in common are not compared letter by letter."""
MARKED_LONGEST = 2000


class RowPainter(QStyledItemDelegate):
    """Paints one row: numbers, a sign, the line; or the head of a hunk with its box."""

    def __init__(self, model: DiffModel, keeper: ThemeKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = model
        self._keeper = keeper
        self.offset = 0
        self.dress()

    def dress(self) -> None:
        """Take over the font in force."""
        self._font = code_font(self._keeper.font_size)
        metrics = QFontMetrics(self._font)
        self.letter = max(metrics.horizontalAdvance("0"), 1)
        self._ascent = metrics.ascent()
        self._leading = max(metrics.lineSpacing() // 4, 2)
        self.height = metrics.lineSpacing() + self._leading

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return one line's height; the width is what the view has."""
        del option, index
        return QSize(0, self.height)

    def gutter(self) -> int:
        """Return the width of one column of line numbers, in pixels."""
        change = self._model.change
        counts = [
            len(document.lines)
            for document in (change.before, change.after)
            if document is not None
        ] if change is not None else []  # fmt: skip
        return self.letter * max(len(str(max(counts, default=0))), 3) + PADDING

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint the row."""
        row = self._model.rows[index.row()]
        box: QRect = option.rect
        painter.save()
        painter.setFont(self._font)
        if row.kind == "hunk":
            self._head(painter, box, row)
        elif row.kind == "gap":
            self._gap(painter, box, row)
        elif self._model.beside:
            self._halves(painter, box, index.row(), row)
        else:
            self._line(painter, box, index.row(), row)
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setClipping(False)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(self._keeper.theme.colour("accent"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.restore()

    def _head(self, painter: QPainter, box: QRect, row: Row) -> None:
        theme = self._keeper.theme
        accepted = self._model.is_accepted(row)
        painter.fillRect(box, theme.colour("button"))
        if not self._model.made:
            self._box(painter, box, accepted=accepted)
        font = QFont(QApplication.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(theme.colour("text"))
        before = PADDING if self._model.made else PADDING * 2 + BOX
        words = box.adjusted(before, 0, -PADDING, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, self._model.title(row))
        if self._model.made:
            return
        state = self.tr("accepted") if accepted else self.tr("rejected")
        font.setWeight(QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(theme.colour("ok" if accepted else "muted"))
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        painter.drawText(words, side, state)

    def _box(self, painter: QPainter, box: QRect, *, accepted: bool) -> None:
        """Paint what accepts and rejects a hunk."""
        theme = self._keeper.theme
        tick = QRect(box.left() + PADDING, box.center().y() - BOX // 2 + 1, BOX, BOX)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.colour("accent" if accepted else "muted"))
        painter.setBrush(theme.colour("accent" if accepted else "raised"))
        painter.drawRoundedRect(tick.adjusted(1, 1, -2, -2), 3, 3)
        if accepted:
            pen = painter.pen()
            pen.setColor(theme.colour("on_accent"))
            pen.setWidthF(1.8)
            painter.setPen(pen)
            x, y = tick.left(), tick.top()
            painter.drawPolyline(
                [QPoint(x + 4, y + 8), QPoint(x + 7, y + 11), QPoint(x + 12, y + 4)]
            )

    def _gap(self, painter: QPainter, box: QRect, row: Row) -> None:
        theme = self._keeper.theme
        painter.fillRect(box, theme.colour("alternate"))
        painter.setFont(QApplication.font())
        painter.setPen(theme.colour("muted"))
        text = self.tr("⋯  {0} unchanged lines").format(number_words(row.hidden))
        words = box.adjusted(PADDING * 2 + BOX, 0, 0, 0)
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter, text)

    def _line(self, painter: QPainter, box: QRect, number: int, row: Row) -> None:
        """Paint ``old new ± text``."""
        width = self.gutter()
        side = "old" if row.kind == "old" else "new"
        ground = self._ground(painter, box, row, side if row.kind != "same" else "same")
        self._number(painter, QRect(box.left(), box.top(), width, box.height()), row.old)
        self._number(painter, QRect(box.left() + width, box.top(), width, box.height()), row.new)
        start = box.left() + 2 * width + PADDING
        sign = {"old": "−", "new": "+"}.get(row.kind, "")
        rest = QRect(start, box.top(), box.right() - start + 1, box.height())
        self._text(painter, rest, number, (row.text, sign, side), marked=ground)

    def _halves(self, painter: QPainter, box: QRect, number: int, row: Row) -> None:
        """Paint the old side on the left and the new side on the right."""
        width, half = self.gutter(), box.width() // 2
        left = QRect(box.left(), box.top(), half, box.height())
        right = QRect(box.left() + half, box.top(), box.width() - half, box.height())
        changed = row.kind != "same"
        for place, side, line, at in (
            (left, "old", row.old_text, row.old),
            (right, "new", row.new_text, row.new),
        ):
            painter.setClipRect(place)
            if not at:
                painter.fillRect(place, self._keeper.theme.colour("alternate"))
                continue
            ground = self._ground(painter, place, row, side if changed else "same")
            self._number(painter, QRect(place.left(), place.top(), width, place.height()), at)
            start = place.left() + width + PADDING
            sign = {"old": "−", "new": "+"}[side] if changed else ""
            rest = QRect(start, place.top(), place.right() - start + 1, place.height())
            self._text(painter, rest, number, (line, sign, side), marked=ground)
        painter.setClipping(False)
        painter.setPen(self._keeper.theme.colour("border"))
        painter.drawLine(right.topLeft(), right.bottomLeft())

    def _ground(self, painter: QPainter, box: QRect, row: Row, side: str) -> bool:
        """Fill the ground of a line; returns whether it stands out."""
        if side == "same" or not self._model.is_accepted(row):
            painter.fillRect(box, self._keeper.theme.colour("code_ground"))
            return False
        role = "removed_ground" if side == "old" else "added_ground"
        painter.fillRect(box, self._keeper.theme.colour(role))
        return True

    def _number(self, painter: QPainter, box: QRect, number: int) -> None:
        if number:
            text = str(number)
            painter.setPen(self._keeper.theme.colour("muted"))
            left = box.right() - self.letter * len(text)
            painter.drawText(left, box.top() + self._leading // 2 + self._ascent, text)

    def _text(
        self,
        painter: QPainter,
        box: QRect,
        number: int,
        what: tuple[str, str, str],
        *,
        marked: bool,
    ) -> None:
        line, sign, side = what
        theme = self._keeper.theme
        rejected = bool(sign) and not marked
        painter.setPen(theme.colour("muted" if rejected else "text"))
        baseline = box.top() + self._leading // 2 + self._ascent
        if sign:
            painter.drawText(box.left(), baseline, sign)
        start = box.left() + 2 * self.letter
        text = self._model.shown(line)
        painter.setClipRect(
            QRect(start, box.top(), box.right() - start + 1, box.height()),
            Qt.ClipOperation.IntersectClip
            if painter.hasClipping()
            else Qt.ClipOperation.ReplaceClip,
        )
        if marked:
            self._marks(painter, QRect(start, box.top(), 0, box.height()), number, (text, side))
        count = box.width() // self.letter + 2
        painter.drawText(start, baseline, text[self.offset : self.offset + count])
        if not self._model.beside:
            painter.setClipping(False)

    def _marks(self, painter: QPainter, box: QRect, number: int, what: tuple[str, str]) -> None:
        """Paint a stronger ground behind the letters that differ from the other line's."""
        text, side = what
        row = self._model.rows[number]
        partner = self._model.partner(number)
        if row.kind == "both":
            partner = row.new_text if side == "old" else row.old_text
        if partner is None:
            return
        found = differing(text, self._model.shown(partner))
        if found is None:
            return
        metrics = QFontMetrics(self._font)
        first, last = (max(place - self.offset, 0) for place in found)
        seen = text[self.offset : self.offset + MARKED_LONGEST]
        left = metrics.horizontalAdvance(seen[:first])
        right = metrics.horizontalAdvance(seen[:last])
        role = "removed_mark" if side == "old" else "added_mark"
        place = QRect(box.left() + left, box.top(), right - left, box.height())
        painter.fillRect(place, self._keeper.theme.colour(role))


def differing(text: str, other: str) -> tuple[int, int] | None:
    """Return from where to where `text` differs from `other`, None if it does nearly all over."""
    if max(len(text), len(other)) > MARKED_LONGEST or text == other:
        return None
    shorter = min(len(text), len(other))
    head = next((n for n in range(shorter) if text[n] != other[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if text[-1 - n] != other[-1 - n]), rest)
    if head + tail < MARKED_LEAST * max(len(text.strip()), 1):
        return None
    return (head, len(text) - tail) if len(text) - tail > head else None
