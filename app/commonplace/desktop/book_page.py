"""The page of the book: the list of notes, and the one that is chosen beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.book_link import BookLink
from commonplace.desktop.book_list import BookList
from commonplace.desktop.book_pane import NotePane
from commonplace.desktop.folding import FOLDED, FoldingSplitter
from commonplace.desktop.labels import plain_label
from commonplace.desktop.theme import ThemeKeeper


class BookPage(QWidget):
    """Lays list and note out; Escape goes from the text to the list, and from there back."""

    left = Signal()
    """The user wants to go back to what was there before."""

    def __init__(self, link: BookLink, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = BookList(link, keeper, self)
        self.pane = NotePane(keeper, self)
        self.back = QPushButton(self.tr("Back to the conversation"), self)
        self.back.setObjectName("quiet")
        self.back.setToolTip(self.tr("Back to the conversation (Esc)"))
        title = plain_label(self.tr("Book"), self, "paneTitle", wrap=False)
        head = QHBoxLayout()
        head.setContentsMargins(12, 8, 12, 0)
        head.addWidget(title, 1)
        head.addWidget(self.back)
        side = QWidget(self)
        side.setObjectName("pane")
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.list, 1)
        side.setMinimumWidth(240)
        self.pane.setMinimumWidth(380)
        self.columns = FoldingSplitter(FOLDED, self)
        self.columns.addWidget(side)
        self.columns.addWidget(self.pane)
        self.columns.setChildrenCollapsible(False)
        self.columns.setSizes([360, 1000])
        self.columns.setStretchFactor(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.columns)
        self.back.clicked.connect(self.left)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go back a step on Escape."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif (focus := QApplication.focusWidget()) and self.pane.isAncestorOf(focus):
            self.list.list.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.left.emit()
