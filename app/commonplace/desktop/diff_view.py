"""A change on screen, one line below or beside the other, accepted hunk by hunk.

Only the rows in sight are painted, and of a long line only what is in sight, so
a large change costs no more than a small one.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QListView, QScrollBar, QVBoxLayout, QWidget

from commonplace.desktop.diff_model import DiffModel
from commonplace.desktop.diff_painter import RowPainter
from commonplace.desktop.theme import ThemeKeeper


class DiffList(QListView):
    """The list of rows; keys and clicks accept, reject and open."""

    toggled = Signal(int)
    """The hunk whose box was pressed."""
    gap_opened = Signal(int)
    """The row that stands for unchanged lines and was pressed."""
    moved = Signal(int)
    """By how many letters to move sideways."""

    def model_of(self) -> DiffModel:
        """Return the model, which is ours."""
        model = self.model()
        assert isinstance(model, DiffModel)
        return model

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press the box of a hunk, or a row of hidden lines."""
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.isValid() and event.button() == Qt.MouseButton.LeftButton:
            row = self.model_of().rows[index.row()]
            if row.kind in {"hunk", "gap"}:
                self._press(index.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space and Enter press; the arrows to the side move the lines."""
        key = event.key()
        if key in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter} and (
            event.modifiers() == Qt.KeyboardModifier.NoModifier
        ):
            if self.currentIndex().isValid():
                self._press(self.currentIndex().row())
        elif key in {Qt.Key.Key_Left, Qt.Key.Key_Right}:
            self.moved.emit(-8 if key == Qt.Key.Key_Left else 8)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Move sideways with a sideways wheel, or with Shift."""
        sideways = event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            sideways = sideways or event.angleDelta().y()
        if sideways:
            self.moved.emit(-sideways // 30)
        else:
            super().wheelEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Search nothing: letters are not typed into a diff."""

    def _press(self, number: int) -> None:
        row = self.model_of().rows[number]
        if row.kind == "gap":
            self.gap_opened.emit(number)
        elif row.hunk >= 0:
            self.toggled.emit(row.hunk)


class DiffView(QWidget):
    """Shows the change of one file and says which hunk was pressed."""

    toggled = Signal(int)
    """The hunk to accept or to reject."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self.model = DiffModel(self)
        self.list = DiffList(self)
        self.list.setObjectName("diff")
        self.list.setAccessibleName(self.tr("Changes of the file"))
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._painter = RowPainter(self.model, keeper, self.list)
        self.list.setItemDelegate(self._painter)
        self.bar = QScrollBar(Qt.Orientation.Horizontal, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.bar)
        self.list.toggled.connect(self.toggled)
        self.list.gap_opened.connect(self._open_gap)
        self.list.moved.connect(lambda by: self.bar.setValue(self.bar.value() + by))
        self.bar.valueChanged.connect(self._move)
        self.model.modelReset.connect(self._measure)
        self.list.verticalScrollBar().rangeChanged.connect(self._measure)
        keeper.changed.connect(self._restyle)

    def step(self, forward: bool) -> None:
        """Go to the head of the next hunk, or of the one before."""
        heads = [n for n, row in enumerate(self.model.rows) if row.kind == "hunk"]
        here = self.list.currentIndex().row()
        if forward:
            wanted = next((n for n in heads if n > here), heads[0] if heads else -1)
        else:
            wanted = next((n for n in reversed(heads) if n < here), heads[-1] if heads else -1)
        self.show_row(wanted)

    def show_row(self, number: int) -> None:
        """Make row `number` current and bring it into view, with what is above it."""
        if 0 <= number < self.model.rowCount():
            index = self.model.index(number)
            self.list.setCurrentIndex(index)
            hint = QListView.ScrollHint
            above = self.model.index(max(number - 3, 0))
            self.list.scrollTo(above, hint.PositionAtTop)

    def _open_gap(self, number: int) -> None:
        place = self.list.verticalScrollBar().value()
        self.model.open_gap(number)
        self.list.setCurrentIndex(self.model.index(min(number, self.model.rowCount() - 1)))
        self.list.verticalScrollBar().setValue(place)

    def _move(self, value: int) -> None:
        self._painter.offset = value
        self.list.viewport().update()

    def _measure(self) -> None:
        gutters = self._painter.gutter() * (1 if self.model.beside else 2)
        width = self.list.viewport().width() // (2 if self.model.beside else 1) - gutters
        seen = max(width // self._painter.letter - 4, 1)
        self.bar.setPageStep(seen)
        self.bar.setRange(0, max(self.model.longest - seen, 0))
        self.bar.setVisible(self.bar.maximum() > 0)

    def _restyle(self) -> None:
        self._painter.dress()
        self.list.doItemsLayout()
        self._measure()
