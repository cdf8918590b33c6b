"""A list of models beside what is known of the one selected, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.labels import plain_label
from commonplace.desktop.model_list import ModelList, ModelRow
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import visible


class ModelPage(QWidget):
    """A list and its details; `empty` is what stands there when the list is empty."""

    selected = Signal(str)
    """The key of the row that is now selected, or empty."""
    activated = Signal()
    """Enter, or a double click, on a row."""
    delete_pressed = Signal()

    def __init__(
        self,
        keeper: ThemeKeeper,
        name: str,
        buttons: Sequence[QPushButton],
        empty: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.list = ModelList(keeper, name, self)
        self.empty = plain_label(empty, name="muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.empty.setContentsMargins(16, 16, 16, 16)
        self.title = plain_label("", name="codeTitle")
        self._facts: tuple[tuple[str, str], ...] = ()
        self._labels: list[QLabel] = []
        self._column = QVBoxLayout()
        self._column.setSpacing(0)
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.empty)
        split = QSplitter(Qt.Orientation.Horizontal, self)
        split.addWidget(self.list)
        split.addWidget(self._details(buttons))
        split.setChildrenCollapsible(False)
        split.setSizes([420, 400])
        self.stack.addWidget(split)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stack)
        selection = self.list.selectionModel()
        selection.currentChanged.connect(lambda *_: self.selected.emit(self.list.key))
        self.list.activated.connect(lambda _: self.activated.emit())

    def show_rows(self, rows: Sequence[ModelRow]) -> None:
        """Show `rows`, or what to do while there are none."""
        self.list.show_rows(rows)
        self.stack.setCurrentIndex(1 if rows else 0)
        self.selected.emit(self.list.key)

    def show_facts(self, title: str, facts: Sequence[tuple[str, str]]) -> None:
        """Show what is known of the model that is selected."""
        self.title.setText(visible(title))
        shown = tuple((name, value) for name, value in facts if value)
        if shown == self._facts:  # while something is on its way this is asked often
            return
        self._facts = shown
        for label in self._labels:
            self._column.removeWidget(label)
            label.hide()
            label.deleteLater()
        self._labels = []
        for name, value in shown:
            words = plain_label(visible(value))
            words.setAccessibleName(f"{name}: {visible(value)}")
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.setContentsMargins(0, 1, 0, 9)
            for label in (plain_label(name, name="muted"), words):
                self._labels.append(label)
                self._column.addWidget(label)

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What is said of the model that is selected."""
        return self._facts

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let the delete key mean what it says."""
        if event.key() == Qt.Key.Key_Delete:
            self.delete_pressed.emit()
        else:
            super().keyPressEvent(event)

    def _details(self, buttons: Sequence[QPushButton]) -> QWidget:
        inner = QWidget()
        inner.setObjectName("pane")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 8, 0)
        column.addLayout(self._column)
        column.addStretch()
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # arrow keys scroll it
        area.setAccessibleName(self.tr("About the selected model"))
        area.setWidget(inner)
        row = QHBoxLayout()
        row.setSpacing(8)
        for button in buttons:
            row.addWidget(button)
        row.addStretch()
        details = QWidget(self)
        details.setObjectName("pane")
        layout = QVBoxLayout(details)
        layout.setContentsMargins(14, 10, 4, 4)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(area, 1)
        layout.addLayout(row)
        return details
