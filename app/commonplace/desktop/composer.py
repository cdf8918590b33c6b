"""Where the question is typed: Enter sends, Shift+Enter starts a line, Up recalls."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.completion import Completion
from commonplace.desktop.icons import tinted
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.labels import plain_label
from commonplace.desktop.theme import ThemeKeeper

MAX_LINES = 8
MAX_QUESTION = 100_000
"""Characters; what is pasted beyond is cut, because no model reads more."""


class QuestionEdit(QPlainTextEdit):
    """A text field that grows with its text."""

    submitted = Signal()
    recall_asked = Signal()
    escaped = Signal()
    focus_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabChangesFocus(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Question"))
        self.textChanged.connect(self._grow)
        self._grow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Send on Enter and recall the last question on Up in an empty field."""
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.submitted.emit()
        elif event.key() == Qt.Key.Key_Up and not self.toPlainText():
            self.recall_asked.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste plain text, and no more of it than can be asked."""
        room = max(MAX_QUESTION - self.document().characterCount(), 0)
        self.textCursor().insertText(source.text()[:room])

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the frame around to show the focus."""
        super().focusInEvent(event)
        self.focus_changed.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell the frame around to hide the focus."""
        super().focusOutEvent(event)
        self.focus_changed.emit(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap anew, and grow or shrink with it."""
        super().resizeEvent(event)
        self._grow()

    def changeEvent(self, event: QEvent) -> None:
        """Keep the height right when the size of text changes."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._grow()

    def _grow(self) -> None:
        self._invite()
        lines = 0
        block = self.document().firstBlock()
        while block.isValid() and lines < MAX_LINES:
            lines += max(block.layout().lineCount(), 1)
            block = block.next()
        margins = int(2 * self.document().documentMargin())
        self.setFixedHeight(
            self.fontMetrics().lineSpacing() * min(max(lines, 1), MAX_LINES) + margins + 4
        )

    def _invite(self) -> None:
        """Say what the field is for in as many words as fit on its one line."""
        room = self.viewport().width() - 2 * int(self.document().documentMargin())
        words = (self.tr("Ask about this project…"), self.tr("Ask…"))
        metrics = self.fontMetrics()
        fits = (text for text in words if metrics.horizontalAdvance(text) <= room)
        self.setPlaceholderText(next(fits, words[-1]))


class EditBanner(QWidget):
    """Says that an earlier question is being edited, and lets it be."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        label = plain_label(
            self.tr("Asking an earlier question anew; its old answer stays."), self, "muted"
        )
        self.button = QPushButton(self.tr("Cancel (Esc)"), self)
        self.button.setObjectName("quiet")
        self.button.clicked.connect(self.cancelled)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 10, 0)
        layout.addWidget(label, 1)
        layout.addWidget(self.button)
        self.hide()


class Composer(QFrame):
    """The question field with its one button, which sends or stops."""

    asked = Signal(str)
    stop_asked = Signal()
    edit_cancelled = Signal()
    """An earlier question was being edited, and stays as it is."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("composer")
        self._keeper = keeper
        self._busy = False
        self._last = ""
        self._before: str | None = None
        self._stop_tip = ""
        self.edit = QuestionEdit(self)
        self.button = QToolButton(self)
        self.button.setIconSize(QSize(18, 18))
        self.completion = Completion(self.edit)
        self.banner = EditBanner(self)
        self._lay_out()
        self.banner.cancelled.connect(self._cancel_edit)
        self.edit.escaped.connect(self._cancel_edit)
        self.edit.submitted.connect(self._submit)
        self.edit.recall_asked.connect(self._recall)
        self.edit.focus_changed.connect(self._show_focus)
        self.edit.textChanged.connect(self._update)
        self.button.clicked.connect(self._press)
        keeper.changed.connect(self._update)
        self._update()

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        self._stop_tip = keys.tip(self.tr("Stop"), "stop")
        self._update()

    @property
    def draft(self) -> str:
        """The text that has not been sent."""
        return self.edit.toPlainText()

    def set_draft(self, text: str) -> None:
        """Put `text` into the field, with the cursor behind it."""
        self.edit.setPlainText(text)
        cursor = self.edit.textCursor()
        cursor.movePosition(cursor.MoveOperation.End)
        self.edit.setTextCursor(cursor)

    def begin_edit(self, question: str) -> None:
        """Put an earlier `question` into the field; the draft waits until that is over."""
        if self._before is None:
            self._before = self.draft
        self.banner.show()
        self.set_draft(question)
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def end_edit(self) -> None:
        """Bring the draft back: the earlier question was asked anew, or something else was."""
        before, self._before = self._before, None
        self.banner.hide()
        if before is not None:
            self.set_draft(before)

    def set_last(self, question: str) -> None:
        """Remember what Up brings back."""
        self._last = question

    def set_busy(self, busy: bool) -> None:
        """Turn the button into *stop* while an answer is on its way."""
        self._busy = busy
        self._update()

    def _submit(self) -> None:
        question = self.draft.strip()
        if question and not self._busy:
            self._last = question
            self.edit.clear()
            self.asked.emit(question[:MAX_QUESTION])

    def _cancel_edit(self) -> None:
        if self._before is not None:
            self.edit_cancelled.emit()
            self.end_edit()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 6, 4)
        row.addWidget(self.edit)
        corner = QVBoxLayout()
        corner.addStretch()
        corner.addWidget(self.button)
        row.addLayout(corner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.banner)
        layout.addLayout(row)

    def _press(self) -> None:
        if self._busy:
            self.stop_asked.emit()
        else:
            self._submit()

    def _recall(self) -> None:
        if self._last:
            self.set_draft(self._last)

    def _show_focus(self, focused: bool) -> None:
        self.setProperty("focused", focused)
        self.style().unpolish(self)
        self.style().polish(self)

    def _update(self) -> None:
        name, title = ("stop", self.tr("Stop")) if self._busy else ("send", self.tr("Ask"))
        hint = (self._stop_tip or title) if self._busy else self.tr("Ask (Enter)")
        enabled = self._busy or bool(self.draft.strip())
        self.button.setIcon(tinted(name, self._keeper.theme, "accent" if enabled else "muted"))
        self.button.setAccessibleName(title)
        self.button.setToolTip(hint)
        self.button.setEnabled(enabled)
