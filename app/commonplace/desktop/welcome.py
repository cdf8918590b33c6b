"""What the window shows before a project is open: what to do, in three lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from commonplace.desktop.icons import app_icon
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.labels import ElidedLabel, plain_label
from commonplace.desktop.visible import one_line

WIDTH = 620
"""Pixels beyond which a line of text is tiring to read."""
OFFERED = 6


class Welcome(QWidget):
    """The empty state."""

    open_asked = Signal()
    recent_chosen = Signal(object)
    """The `Path` of a project to open again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("paper")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        icon = QLabel(self)
        icon.setPixmap(app_icon().pixmap(QSize(64, 64)))
        title = plain_label(self.tr("Ask your codebase"), self)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.9)
        title.setFont(font)
        lead = plain_label(
            self.tr(
                "Commonplace reads a folder on this computer and answers questions about it "
                "with a model that runs here too. Nothing leaves this machine unless you allow it."
            ),
            self,
        )
        self.open_button = QPushButton(self.tr("Open Folder…"), self)
        self.open_button.setObjectName("primary")
        self.open_button.setDefault(True)
        self.open_button.clicked.connect(self.open_asked)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open_button)
        self._keys = plain_label("", self, "muted")
        buttons.addSpacing(10)
        buttons.addWidget(self._keys, 1)
        self.recent = QWidget(self)
        self._recent = QVBoxLayout(self.recent)
        self._recent.setContentsMargins(0, 18, 0, 0)
        self._recent.setSpacing(2)
        self.recent_buttons: list[QPushButton] = []
        self.recent.hide()
        middle = QWidget(self)
        middle.setMaximumWidth(WIDTH)
        column = QVBoxLayout(middle)
        column.setSpacing(12)
        column.addStretch(2)
        for widget in (icon, title, lead):
            column.addWidget(widget)
        for number, text in enumerate(self._steps(), start=1):
            column.addWidget(plain_label(f"{number}.  {text}", self, "muted"))
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addWidget(self.recent)
        column.addStretch(3)
        row = QHBoxLayout(self)
        row.addStretch(1)
        row.addWidget(middle, 6)
        row.addStretch(1)

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        self.open_button.setToolTip(keys.tip(self.tr("Open a folder"), "open"))
        self._keys.setText(self.tr("{0} lists all commands").format(keys.of("palette")))

    def show_recent(self, projects: Sequence[Path]) -> None:
        """Offer to open these projects again, the first of them foremost."""
        while self._recent.count():
            item = self._recent.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.recent_buttons = []
        self._recent.addWidget(plain_label(self.tr("Recent projects"), self, "muted"))
        for path in projects[:OFFERED]:
            self._recent.addWidget(self._project(path))
        self.recent.setVisible(bool(projects))

    def _project(self, path: Path) -> QWidget:
        row = QWidget(self.recent)
        name = one_line(path.name or str(path))
        button = QPushButton(name, row)
        button.setObjectName("quiet")
        button.setAccessibleName(self.tr("Open {0}").format(one_line(str(path))))
        button.clicked.connect(lambda: self.recent_chosen.emit(path))
        where = ElidedLabel(row)
        where.setObjectName("muted")
        where.setText(one_line(str(path.parent)))
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(14)
        line.addWidget(button)
        line.addWidget(where, 1)
        self.recent_buttons.append(button)
        return row

    def _steps(self) -> tuple[str, ...]:
        return (
            self.tr("Open a folder. It is read, never changed."),
            self.tr("Ask in plain words; search works while the folder is still being read."),
            self.tr("Follow the numbers in the answer to the lines they rest on."),
        )
