"""The parts of a note's page and how they lie: its fields above, its text and reading below."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.book_preview import Difference, NotePreview
from commonplace.desktop.book_words import deed_title
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.labels import plain_label
from commonplace.desktop.theme import ThemeKeeper, code_font

DEEDS = ("keep", "confirm", "edit", "pin", "archive", "discard", "forget")
"""What can be done with a note, in the order of the buttons."""


class NoteFrame(QWidget):
    """Makes the parts and lays them out; what they show is not its business."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("paper")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._keeper = keeper
        self.title = QLineEdit(self)
        self.title.setAccessibleName(self.tr("Title"))
        self.tags = QLineEdit(self)
        self.tags.setAccessibleName(self.tr("Tags"))
        self.tags.setPlaceholderText(self.tr("words, separated by commas"))
        self.anchors = QLineEdit(self)
        self.anchors.setAccessibleName(self.tr("Anchors"))
        self.anchors.setPlaceholderText(self.tr("FILE, FILE::SYMBOL or FILE:10-20"))
        self.about = plain_label("", self, "muted")
        self.warning = plain_label("", self, "muted")
        self.warning.setProperty("level", "warning")
        self.place_button = _quiet(self.tr("Show the Code"), self)
        self.line_button = _quiet(self.tr("Go to the Line"), self)
        self.mine_button = QPushButton(self.tr("Keep Mine"), self)
        self.theirs_button = QPushButton(self.tr("Take Theirs"), self)
        self.whole_box = QCheckBox(self.tr("&Whole file"), self)
        self.whole_box.setToolTip(self.tr("Edit the header, too"))
        self.save_button = QPushButton(self.tr("Save"), self)
        self.save_button.setObjectName("primary")
        self.save_button.setToolTip(self.tr("Save (Ctrl+S)"))
        self.save_button.setShortcut(QKeySequence(QKeySequence.StandardKey.Save))
        self.editor = QPlainTextEdit(self)
        self.editor.setAccessibleName(self.tr("Text of the note"))
        self.editor.setObjectName("noteText")
        self.editor.document().setDocumentMargin(12)
        self.editor.setTabChangesFocus(True)
        self.preview = NotePreview(keeper, self)
        self.difference = Difference(keeper, self)
        self.deeds = {verb: QPushButton(deed_title(verb), self) for verb in DEEDS}
        self._lay_out()

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        text = self.tr("Choose a note, or write one with {0}.")
        self.hint.setText(text.format(keys.of("quick_note")))

    def _lay_out(self) -> None:
        self.hint = plain_label("", self, "muted")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.head = self._head()
        reading = QSplitter(Qt.Orientation.Vertical, self)
        reading.addWidget(self.preview)
        reading.addWidget(self.difference)
        reading.setChildrenCollapsible(False)
        reading.setStretchFactor(0, 3)
        reading.setStretchFactor(1, 2)
        self.body = QSplitter(Qt.Orientation.Horizontal, self)
        self.body.addWidget(self.editor)
        self.body.addWidget(reading)
        self.body.setChildrenCollapsible(False)
        self.body.setSizes([500, 500])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 8)
        layout.setSpacing(0)
        layout.addWidget(self.head)
        layout.addWidget(self.body, 1)
        layout.addWidget(self.hint, 1)
        self.difference.hide()

    def _head(self) -> QWidget:
        head = QWidget(self)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in self.deeds.values():
            buttons.addWidget(button)
        buttons.addStretch()
        buttons.addWidget(self.place_button)
        buttons.addSpacing(8)
        buttons.addWidget(self.whole_box)
        buttons.addWidget(self.save_button)
        fields = QGridLayout()
        fields.setHorizontalSpacing(8)
        fields.setVerticalSpacing(4)
        names = ((self.tr("Ta&gs"), self.tags), (self.tr("Anc&hors"), self.anchors))
        for column, (name, field) in enumerate(names):
            label = plain_label("", self, "muted")
            label.setWordWrap(False)
            label.setText(name)
            label.setBuddy(field)
            fields.addWidget(label, 0, 2 * column)
            fields.addWidget(field, 0, 2 * column + 1)
        fields.setColumnStretch(1, 2)
        fields.setColumnStretch(3, 3)
        asked = QHBoxLayout()
        asked.setSpacing(14)
        asked.addWidget(self.warning, 1)
        for extra in (self.line_button, self.mine_button, self.theirs_button):
            asked.addWidget(extra, 0, Qt.AlignmentFlag.AlignTop)
        top = QVBoxLayout(head)
        top.setContentsMargins(14, 10, 14, 6)
        top.setSpacing(6)
        top.addWidget(self.title)
        top.addWidget(self.about)
        top.addLayout(fields)
        top.addLayout(buttons)
        top.addLayout(asked)
        return head

    def restyle(self) -> None:
        """Take up the fonts of the theme."""
        self.editor.setFont(code_font(self._keeper.font_size))
        font = self.title.font()
        font.setPointSizeF(self._keeper.font_size * 1.15)
        font.setWeight(font.Weight.DemiBold)
        self.title.setFont(font)


def _quiet(title: str, parent: QWidget) -> QPushButton:
    button = QPushButton(title, parent)
    button.setObjectName("quiet")
    return button
