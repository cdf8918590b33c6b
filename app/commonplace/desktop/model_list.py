"""A list of models: three lines each, with a word at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line

Index = QModelIndex | QPersistentModelIndex
PAD = 10
GAP = 3


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One row: `status` is drawn in the theme's colour `colour`, `mark` at the right."""

    key: str
    title: str
    line: str
    status: str
    colour: str = "muted"
    mark: str = ""


class ModelRows(QAbstractListModel):
    """The rows, in order."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ModelRow, ...] = ()

    @property
    def rows(self) -> tuple[ModelRow, ...]:
        """What is shown."""
        return self._rows

    def show(self, rows: Sequence[ModelRow]) -> None:
        """Show `rows`; where only words changed, the selection stays."""
        rows = tuple(rows)
        if [row.key for row in rows] == [row.key for row in self._rows]:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what the list, or a screen reader, says of a row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return one_line(row.title)
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return one_line(", ".join(filter(None, (row.title, row.mark, row.status, row.line))))
        return None


class ModelList(QListView):
    """The list itself, with what is selected in it."""

    def __init__(self, keeper: ThemeKeeper, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = ModelRows(self)
        self.setModel(self.rows)
        self.setItemDelegate(_Delegate(keeper, self))
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def key(self) -> str:
        """The key of the row that is selected, or the empty string."""
        row = self.currentIndex().data(Qt.ItemDataRole.UserRole)
        return row.key if isinstance(row, ModelRow) else ""

    def show_rows(self, rows: Sequence[ModelRow]) -> None:
        """Show `rows` and keep the selection, or select the first."""
        key = self.key
        self.rows.show(rows)
        self.select(key if any(row.key == key for row in rows) else "")

    def select(self, key: str) -> None:
        """Select the row `key`, or the first one."""
        keys = [row.key for row in self.rows.rows]
        if not keys:
            return
        index = self.rows.index(keys.index(key) if key in keys else 0)
        if index != self.currentIndex():
            self.setCurrentIndex(index)


class _Delegate(QStyledItemDelegate):
    def __init__(self, keeper: ThemeKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._keeper = keeper

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Leave room for three lines."""
        del index
        return QSize(160, 3 * QFontMetrics(option.font).height() + 2 * GAP + 2 * PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint title and mark; then what it is; then whether it fits."""
        row: ModelRow = index.data(Qt.ItemDataRole.UserRole)
        theme, box = self._keeper.theme, option.rect
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected:
            painter.fillRect(box, theme.colour("selection"))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, theme.colour("alternate"))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.colour("accent"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.setPen(theme.colour("border"))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        colours = ("text", "muted", row.colour)
        self._lines(
            painter,
            box.adjusted(PAD, PAD, -PAD, -PAD),
            row,
            tuple("on_selection" if selected else name for name in colours),
        )
        painter.restore()

    def _lines(
        self, painter: QPainter, box: QRect, row: ModelRow, colours: tuple[str, ...]
    ) -> None:
        theme, plain = self._keeper.theme, painter.font()
        bold = QFont(plain)
        bold.setWeight(QFont.Weight.DemiBold)
        height = QFontMetrics(plain).height()
        mark = QFontMetrics(plain).horizontalAdvance(row.mark) + 12 if row.mark else 0
        top = box.top()
        for number, (font, text) in enumerate(
            ((bold, row.title), (plain, row.line), (plain, row.status))
        ):
            width = box.width() - (mark if number == 0 else 0)
            painter.setFont(font)
            painter.setPen(theme.colour(colours[number]))
            shown = QFontMetrics(font).elidedText(
                one_line(text), Qt.TextElideMode.ElideRight, width
            )
            painter.drawText(QRect(box.left(), top, width, height), 0, shown)
            top += height + GAP
        if row.mark:
            painter.setFont(plain)
            painter.setPen(theme.colour(colours[1]))
            where = QRect(box.left(), box.top(), box.width(), height)
            painter.drawText(where, Qt.AlignmentFlag.AlignRight, row.mark)
