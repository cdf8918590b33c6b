"""The files that are not searched, each with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.memory_link import Skipped
from commonplace.desktop.visible import one_line


class SkippedDialog(QDialog):
    """Lists skipped files; typing narrows the list."""

    def __init__(self, skipped: Sequence[Skipped], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Files that are not searched"))
        self.resize(620, 420)
        self._lines = [one_line(f"{item.path} – {item.reason}") for item in skipped]
        about = QLabel(
            self.tr("These files were left out. Everything else in the folder is searched."), self
        )
        about.setTextFormat(Qt.TextFormat.PlainText)
        about.setWordWrap(True)
        self.filter = QLineEdit(self)
        self.filter.setAccessibleName(self.tr("Filter skipped files"))
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.model = QStringListModel(self._lines, self)
        self.list = QListView(self)
        self.list.setAccessibleName(self.tr("Skipped files"))
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        for widget in (about, self.filter, self.list, buttons):
            layout.addWidget(widget)
        self.filter.textChanged.connect(self._narrow)

    def _narrow(self, text: str) -> None:
        words = text.lower().split()
        self.model.setStringList(
            [line for line in self._lines if all(word in line.lower() for word in words)]
        )
