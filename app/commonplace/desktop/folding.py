"""Columns that lie below one another where the window is too narrow for them side by side."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QWidget

FOLDED = 640
"""Pixels below which the two columns of a dialog do not fit side by side."""


class FoldingSplitter(QSplitter):
    """Side by side from `width` pixels on, else one below the other.

    `gives_way` is the column that goes away while they are folded; where it was
    hidden already, it stays so. What the user shows or hides meanwhile holds.
    """

    turned = Signal(bool)
    """They lie below one another now, or side by side again."""

    def __init__(self, width: int, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._width = width
        self._kept = QByteArray()
        self._sizes: list[int] = []
        self._hid = False
        self.gives_way: QWidget | None = None

    @property
    def folded(self) -> bool:
        """Whether the columns lie below one another."""
        return self.orientation() == Qt.Orientation.Vertical

    def state(self) -> QByteArray:
        """Return what `take_up` restores: the columns as they are side by side."""
        return self._kept if self.folded and not self._kept.isEmpty() else self.saveState()

    def take_up(self, state: QByteArray) -> None:
        """Restore what `state` returned some other time."""
        self.restoreState(state)
        if self.folded:  # written by a program that knew no better
            self.setOrientation(Qt.Orientation.Horizontal)
        self._fit(self.width())

    def minimumSizeHint(self) -> QSize:
        """Need the width of the widest column alone, since they can lie below one another."""
        needed = super().minimumSizeHint()
        columns = (self.widget(n) for n in range(self.count()))
        stay = (c for c in columns if c is not None and c is not self.gives_way)
        least = max((c.minimumWidth() or c.minimumSizeHint().width() for c in stay), default=0)
        return QSize(min(needed.width(), least), min(needed.height(), 2 * least))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fold or unfold."""
        if not self.folded and self._has_room(event.oldSize().width()):
            self._kept, self._sizes = self.saveState(), self.sizes()
        super().resizeEvent(event)
        self._fit(event.size().width())

    def showEvent(self, event: QShowEvent) -> None:
        """Fold, if there is no room from the beginning."""
        super().showEvent(event)
        self._fit(self.width())

    def _has_room(self, width: int) -> bool:
        return width >= self._width

    def _fit(self, width: int) -> None:
        # Before it is shown the width is not the window's yet.
        fold = self.isVisible() and not self._has_room(width)
        if fold == self.folded:
            return
        column = self.gives_way
        if fold:
            self._hid = column is not None and not column.isHidden()
            if column is not None:
                column.hide()
            self.setOrientation(Qt.Orientation.Vertical)
            self._share()
            self.turned.emit(True)
            return
        self.setOrientation(Qt.Orientation.Horizontal)
        if column is not None and self._hid:
            column.show()
        if self._sizes:
            self.setSizes(self._sizes)
        self.turned.emit(False)

    def _share(self) -> None:
        """Give a list above what is chosen in it a third of the height."""
        if self.count() == 2:
            height = self.height()
            self.setSizes([height // 3, height - height // 3])
