"""The rows of a list of notes, fetched a page at a time, and how a row is painted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from commonplace.desktop.book_link import NoteView, Row
from commonplace.desktop.book_words import about, state_words
from commonplace.desktop.languages import told
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip

Index = QModelIndex | QPersistentModelIndex
PAD_X, PAD_Y, GAP = 8, 6, 2


class NoteModel(QAbstractListModel):
    """Rows as far as they were fetched; `fetch` is called when the view comes near their end."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []
        self._total = 0
        self._fetching = False
        self.fetch: Callable[[], None] = lambda: None

    @property
    def rows(self) -> Sequence[Row]:
        """The rows that were fetched."""
        return self._rows

    def show(self, rows: Sequence[Row], total: int) -> None:
        """Replace the list; `total` rows can be fetched in all."""
        self.beginResetModel()
        self._rows, self._total, self._fetching = list(rows), total, False
        self.endResetModel()

    def append(self, rows: Sequence[Row], total: int) -> None:
        """Add what was fetched."""
        self._fetching = False
        self._total = total if rows else len(self._rows)
        if rows:
            first = len(self._rows)
            self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
            self._rows += rows
            self.endInsertRows()

    def update(self, note: NoteView) -> bool:
        """Let the row of a note follow what is known of it now; say whether it differed."""
        index = self.find(note.id)
        if not index.isValid():
            return False
        before = self._rows[index.row()]
        now = replace(before, note=note.row(before.note))
        self._rows[index.row()] = now
        if now != before:
            self.dataChanged.emit(index, index)
        return now != before

    def row(self, index: Index) -> Row | None:
        """Return the row at `index`, or None."""
        return self._rows[index.row()] if index.isValid() else None

    def find(self, note: str) -> QModelIndex:
        """Return where a note stands, or an invalid index."""
        for number, row in enumerate(self._rows):
            if row.note.id == note:
                return self.index(number)
        return QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of rows fetched."""
        return 0 if parent.isValid() else len(self._rows)

    def canFetchMore(self, parent: Index) -> bool:
        """Say whether there are more rows than were fetched."""
        return not parent.isValid() and not self._fetching and len(self._rows) < self._total

    def fetchMore(self, parent: Index) -> None:
        """Ask for the next page."""
        if self.canFetchMore(parent):
            self._fetching = True
            self.fetch()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a list, or a screen reader, says of a note."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.UserRole:
                return row
            case Qt.ItemDataRole.DisplayRole:
                return one_line(row.note.title)
            case Qt.ItemDataRole.ToolTipRole:
                return tooltip("\n".join([row.note.title, row.note.path, *map(told, row.reasons)]))
            case Qt.ItemDataRole.AccessibleTextRole:
                state, _ = state_words(row.note)
                parts = (row.note.title, state, about(row.note), *map(told, row.reasons))
                return one_line(", ".join(filter(None, parts)))
        return None


class NoteDelegate(QStyledItemDelegate):
    """Paints a note in two lines: title and state, then what is known about it."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Leave room for two lines; all rows are alike, so a long list costs nothing."""
        del index
        return QSize(80, 2 * QFontMetrics(option.font).height() + GAP + 2 * PAD_Y)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint one row."""
        row: Row | None = index.data(Qt.ItemDataRole.UserRole)
        if row is None:
            return
        theme, box, state = self._keeper.theme, option.rect, option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setFont(option.font)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if selected:
            painter.setBrush(theme.colour("selection"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setBrush(theme.colour("alternate"))
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(theme.colour("accent") if focused else Qt.PenStyle.NoPen)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 5, 5)
        self._lines(painter, box.adjusted(PAD_X, PAD_Y, -PAD_X, -PAD_Y), row, selected=selected)
        painter.restore()

    def _lines(self, painter: QPainter, box: QRect, row: Row, *, selected: bool) -> None:
        theme, plain = self._keeper.theme, painter.font()
        metrics = QFontMetrics(plain)
        mark, role = state_words(row.note)
        room = box.width()
        if mark:
            painter.setPen(theme.colour("on_selection" if selected else role))
            line = QRect(box.left(), box.top(), box.width(), metrics.height())
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, mark)
            room -= metrics.horizontalAdvance(mark) + 10
        title = QFont(plain)
        title.setWeight(QFont.Weight.DemiBold if row.note.pinned else QFont.Weight.Normal)
        below = " · ".join(map(told, row.reasons)) or about(row.note)
        for font, colour, text, top, width in (
            (title, "text", row.note.title, box.top(), room),
            (plain, "muted", below, box.top() + metrics.height() + GAP, box.width()),
        ):
            painter.setFont(font)
            painter.setPen(theme.colour("on_selection" if selected else colour))
            shown = QFontMetrics(font).elidedText(
                one_line(text), Qt.TextElideMode.ElideRight, width
            )
            painter.drawText(QRect(box.left(), top, width, metrics.height()), 0, shown)
