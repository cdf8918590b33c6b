"""A small window for a note that comes to mind: title, text, what it speaks of, for whom."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told_error
from commonplace.desktop.visible import visible
from commonplace.errors import CommonplaceError


@dataclass(frozen=True, slots=True)
class NewNote:
    """What was typed into the window."""

    title: str
    text: str
    anchors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    private: bool = False


class QuickNote(QDialog):
    """Takes a note; it closes when the note is there, and what is typed stays until then."""

    written = Signal(object)
    """A `NewNote` is to be written."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("New Note"))
        self.resize(560, 380)
        self.title = QLineEdit(self)
        self.title.setPlaceholderText(self.tr("What is worth remembering, in a line"))
        self.text = QPlainTextEdit(self)
        self.text.setPlaceholderText(self.tr("Why it is so, in your own words (Markdown)"))
        self.text.setTabChangesFocus(True)
        self.anchor = QLineEdit(self)
        self.anchor.setPlaceholderText(self.tr("FILE, FILE::SYMBOL or FILE:10-20; may stay empty"))
        self.tags = QLineEdit(self)
        self.tags.setPlaceholderText(self.tr("words, separated by commas"))
        self.private = QCheckBox(self.tr("&Private: only on this computer, not shared"), self)
        self.problem = plain_label("", self, "invalid")
        self.problem.hide()
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for name, widget in (
            (self.tr("&Title"), self.title),
            (self.tr("Te&xt"), self.text),
            (self.tr("&Speaks of"), self.anchor),
            (self.tr("Ta&gs"), self.tags),
        ):
            label = plain_label(name, self, wrap=False)
            label.setBuddy(widget)
            form.addRow(label, widget)
            widget.setAccessibleName(name.replace("&", ""))
        form.addRow("", self.private)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.keep = QPushButton(self.tr("Keep"), self)
        self.keep.setObjectName("primary")
        self.keep.setToolTip(self.tr("Keep this note (Ctrl+Enter)"))
        self.keep.setDefault(True)
        self.buttons.addButton(self.keep, QDialogButtonBox.ButtonRole.AcceptRole)
        layout = QVBoxLayout(self)
        layout.addLayout(form, 1)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        self.buttons.accepted.connect(self._write)
        self.buttons.rejected.connect(self.reject)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self, self._write)
        self.title.textChanged.connect(self._changed)
        self.text.textChanged.connect(self._changed)
        self._proposed = ""
        self._changed()

    def propose_anchor(self, anchor: str) -> None:
        """Put what the note may speak of into its field, unless something was typed there."""
        if self.anchor.text() == self._proposed:
            self._proposed = anchor
            self.anchor.setText(anchor)

    def show_problem(self, error: CommonplaceError) -> None:
        """Say why the note could not be written; everything typed is still there."""
        self.problem.setText(visible(told_error(error)))
        self.problem.show()
        self._changed()

    def _write(self) -> None:
        if not self.keep.isEnabled():
            return
        anchor = self.anchor.text().strip()
        tags = tuple(t.strip() for t in self.tags.text().split(",") if t.strip())
        self.keep.setEnabled(False)  # until it is written, or refused
        self.written.emit(
            NewNote(
                self.title.text(),
                self.text.toPlainText(),
                (anchor,) if anchor else (),
                tags,
                self.private.isChecked(),
            )
        )

    def _changed(self) -> None:
        words = self.title.text().strip() and self.text.toPlainText().strip()
        self.keep.setEnabled(bool(words))
