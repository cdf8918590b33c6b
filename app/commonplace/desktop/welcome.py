"""What the window shows before a project is open: what to do, in three lines."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from commonplace.desktop.icons import app_icon
from commonplace.desktop.visible import one_line

WIDTH = 620
"""Pixels beyond which a line of text is tiring to read."""


class Welcome(QWidget):
    """The empty state."""

    open_asked = Signal()
    reopen_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("paper")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        icon = QLabel(self)
        icon.setPixmap(app_icon().pixmap(QSize(64, 64)))
        title = self._label(self.tr("Ask your codebase"))
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.9)
        title.setFont(font)
        lead = self._label(
            self.tr(
                "Commonplace reads a folder on this computer and answers questions about it "
                "with a model that runs here too. Nothing leaves this machine."
            )
        )
        self.open_button = QPushButton(self.tr("Open Folder…"), self)
        self.open_button.setObjectName("primary")
        self.open_button.setDefault(True)
        self.reopen_button = QPushButton(self)
        self.reopen_button.hide()
        self.open_button.clicked.connect(self.open_asked)
        self.reopen_button.clicked.connect(self.reopen_asked)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open_button)
        buttons.addWidget(self.reopen_button)
        buttons.addStretch()
        middle = QWidget(self)
        middle.setMaximumWidth(WIDTH)
        column = QVBoxLayout(middle)
        column.setSpacing(12)
        column.addStretch(2)
        for widget in (icon, title, lead):
            column.addWidget(widget)
        for number, text in enumerate(self._steps(), start=1):
            column.addWidget(self._label(f"{number}.  {text}", muted=True))
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addStretch(3)
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addWidget(middle, 6)
        row.addStretch(1)

    def offer(self, name: str) -> None:
        """Offer to open the last project again; an empty name offers nothing."""
        self.reopen_button.setText(self.tr("Reopen {0}").format(one_line(name)))
        self.reopen_button.setVisible(bool(name))

    def _steps(self) -> tuple[str, ...]:
        return (
            self.tr("Open a folder. It is read, never changed."),
            self.tr("Ask in plain words; search works while the folder is still being read."),
            self.tr("Follow the numbers in the answer to the lines they rest on."),
        )

    def _label(self, text: str, *, muted: bool = False) -> QLabel:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        if muted:
            label.setObjectName("muted")
        return label
