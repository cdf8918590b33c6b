"""The list of the palette: a title with the letters that were hit, a place, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from commonplace.desktop.theme import ThemeKeeper

ROWS = 10
PAD = 10
GAP = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: `hit` are the letters of `title` that were typed, `run` what choosing it does."""

    title: str
    place: str
    keys: str
    hit: tuple[int, ...]
    run: Callable[[], None]


class EntryModel(QAbstractListModel):
    """The rows that are shown."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: Sequence[Entry] = ()

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.entries)

    def data(
        self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title, or all of a row as a screen reader says it."""
        if not index.isValid():
            return None
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(filter(None, (entry.title, entry.place, entry.keys)))
        return None


class EntryDelegate(QStyledItemDelegate):
    """Paints a row on one line."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._keeper = keeper

    def sizeHint(
        self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """Return the height of one line."""
        return QSize(100, option.fontMetrics.height() + 10)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Paint title, place and keys; the place gives way where room is short."""
        model = index.model()
        assert isinstance(model, EntryModel)
        entry = model.entries[index.row()]
        theme = self._keeper.theme
        box: QRect = option.rect
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if chosen:
            painter.fillRect(box, theme.colour("selection"))
        text = theme.colour("on_selection" if chosen else "text")
        quiet = theme.colour("on_selection" if chosen else "muted")
        inner = box.adjusted(PAD, 0, -PAD, 0)
        font: QFont = option.font
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(quiet)
        if entry.keys:
            painter.drawText(
                inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, entry.keys
            )
            inner.setRight(inner.right() - metrics.horizontalAdvance(entry.keys) - GAP)
        painter.setPen(text)
        used = self._title(painter, inner, entry, font, chosen=chosen)
        rest = inner.adjusted(used + GAP, 0, 0, 0)
        if rest.width() > 40:
            painter.setPen(quiet)
            place = metrics.elidedText(entry.place, Qt.TextElideMode.ElideMiddle, rest.width())
            painter.drawText(
                rest, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, place
            )
        painter.restore()

    def _title(
        self, painter: QPainter, box: QRect, entry: Entry, font: QFont, *, chosen: bool
    ) -> int:
        """Paint the title with its hit letters set off, and return its width."""
        title = QFontMetrics(font).elidedText(entry.title, Qt.TextElideMode.ElideRight, box.width())
        layout = QTextLayout(title, font)
        mark = QTextCharFormat()
        mark.setFontWeight(QFont.Weight.Bold)
        if not chosen:
            mark.setForeground(self._keeper.theme.colour("link"))
        ranges = []
        for place in entry.hit:
            if place < len(title):
                part = QTextLayout.FormatRange()
                part.start, part.length, part.format = place, 1, mark
                ranges.append(part)
        layout.setFormats(ranges)
        layout.beginLayout()
        line = layout.createLine()
        line.setLineWidth(1e6)
        layout.endLayout()
        layout.draw(painter, QPointF(box.left(), box.top() + (box.height() - line.height()) / 2))
        return int(line.naturalTextWidth()) + 1


class PaletteList(QListView):
    """Rows of which one is always current; the focus stays with the field above."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self._model = EntryModel(self)
        self.setModel(self._model)
        self.setItemDelegate(EntryDelegate(keeper, self))
        self.setUniformItemSizes(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)

    @property
    def entries(self) -> Sequence[Entry]:
        """The rows, from the top."""
        return self._model.entries

    @property
    def current(self) -> Entry | None:
        """The row that Enter would choose."""
        row = self.currentIndex().row()
        return self.entries[row] if 0 <= row < len(self.entries) else None

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show these rows, the first of them current."""
        self._model.set_entries(entries)
        self.setCurrentIndex(self._model.index(0))
        height = self.sizeHintForRow(0) if entries else 0
        self.setFixedHeight(max(height, 1) * min(len(entries), ROWS) + 2)

    def move_by(self, rows: int) -> None:
        """Make another row current; from the end it goes on at the beginning."""
        count = len(self.entries)
        if count:
            row = self.currentIndex().row() + rows
            row = row % count if abs(rows) == 1 else max(0, min(row, count - 1))
            self.setCurrentIndex(self._model.index(row))
