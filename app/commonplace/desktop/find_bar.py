"""The line below a file in which one looks for words: as typed, with a count."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QToolButton, QWidget

from commonplace.desktop.background import Background
from commonplace.desktop.code_view import CodeView
from commonplace.desktop.find_text import MOST, Match, Needle, find_all, first_from
from commonplace.desktop.icons import tinted
from commonplace.desktop.labels import plain_label
from commonplace.desktop.numbers import number_words
from commonplace.desktop.theme import ThemeKeeper
from commonplace.errors import CommonplaceError

PAUSE_MS = 60
"""Keys that follow each other faster are looked up together."""


ROOMY = 340
"""Pixels from which there is room for everything."""


class FindBar(QFrame):
    """Looks for what is typed in the text of a `CodeView`, and steps through the matches.

    Looking happens in a thread, in short pieces; what is no longer wanted ends early.
    """

    found = Signal(int)
    """So many matches are marked in the view."""

    def __init__(
        self, view: CodeView, keeper: ThemeKeeper, background: Background, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("findBar")
        self._view = view
        self._keeper = keeper
        self._background = background
        self._text = ""
        self._matches: list[Match] = []
        self._current = -1
        self._origin = 0
        self._ticket = 0
        self.edit = QLineEdit(self)
        self.edit.setAccessibleName(self.tr("Find in the file"))
        self.edit.setPlaceholderText(self.tr("Find in the file"))
        self.edit.setClearButtonEnabled(False)
        self.count = plain_label("", self, "muted", wrap=False)
        self.edit.setMinimumWidth(80)
        self.case = self._toggle("Aa", self.tr("Match upper and lower case"))
        self.whole = self._toggle("“w”", self.tr("Whole words only"))
        self.previous = self._button(self.tr("Previous match (Shift+Enter)"))
        self.next = self._button(self.tr("Next match (Enter)"))
        self.shut_button = self._button(self.tr("Close (Esc)"))
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._look)
        self.edit.textChanged.connect(lambda _text: self._timer.start())
        self.case.toggled.connect(lambda _on: self._look())
        self.whole.toggled.connect(lambda _on: self._look())
        self.previous.clicked.connect(lambda: self.step(-1))
        self.next.clicked.connect(lambda: self.step(1))
        self.shut_button.clicked.connect(self.end)
        self.edit.installEventFilter(self)
        keeper.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    @property
    def needle(self) -> Needle:
        """What is looked for."""
        return Needle(self.edit.text(), self.case.isChecked(), self.whole.isChecked())

    @property
    def matches(self) -> list[Match]:
        """What was found, in order."""
        return self._matches

    @property
    def current(self) -> int:
        """Which of the matches is selected, from 0; -1 for none."""
        return self._current

    def begin(self) -> None:
        """Show the line, with what is selected in the view as what to look for."""
        cursor = self._view.textCursor()
        chosen = cursor.selectedText()
        self._origin = cursor.selectionStart()
        self.show()
        if chosen and "\u2029" not in chosen:
            self.edit.setText(chosen)
        self.edit.selectAll()
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._look()

    def end(self) -> None:
        """Hide the line and go back to the text, with the match selected."""
        self.hide()
        self._timer.stop()
        self._ticket += 1
        if self._current >= 0:
            match = self._matches[self._current]
            cursor = self._view.textCursor()
            cursor.setPosition(match.start)
            cursor.setPosition(match.start + match.length, QTextCursor.MoveMode.KeepAnchor)
            self._view.setTextCursor(cursor)
        self._show([], -1)
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_text(self, text: str) -> None:
        """Another text is in the view: look again there, without moving."""
        self._text = text
        self._ticket += 1
        self._matches, self._current = [], -1
        if not self.isHidden():
            self._look(go=False)

    def step(self, by: int) -> None:
        """Go to the next match, or the one before; begin if there is nothing to look for."""
        if not self.edit.text():
            self.begin()
        elif self._timer.isActive() or self.isHidden():
            self.show()
            self._origin = self._view.textCursor().selectionEnd()
            self._look()
        elif self._matches:
            here = self._view.textCursor().position()
            if self._current >= 0 and self._matches[self._current].start == here:
                number = self._current + by
            else:  # the cursor was moved meanwhile: go on from there
                number = first_from(self._matches, here) - (by < 0)
            self._go(number % len(self._matches))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Do without the arrows where it is narrow: Enter and F3 step as well."""
        super().resizeEvent(event)
        for button in (self.previous, self.next):
            button.setVisible(self.width() >= ROOMY)

    def minimumSizeHint(self) -> QSize:
        """Need no more than what stays where it is narrow."""
        return QSize(0, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Enter steps, Escape ends: here, and not in the window around."""
        if isinstance(event, QKeyEvent):
            key, shift = event.key(), event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            if event.type() == QEvent.Type.ShortcutOverride and key == Qt.Key.Key_Escape:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                if key == Qt.Key.Key_Escape:
                    self.end()
                    return True
                if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
                    self.step(-1 if shift else 1)
                    return True
        return super().eventFilter(watched, event)

    def _look(self, *, go: bool = True) -> None:
        self._timer.stop()
        self._ticket += 1
        ticket, text, needle = self._ticket, self._text, self.needle

        def show(matches: list[Match]) -> None:
            if ticket == self._ticket:
                self._show(matches, first_from(matches, self._origin) if go else -1)

        def fail(_error: CommonplaceError) -> None:
            return

        if not needle.text:
            self._show([], -1)
            return
        self._background.run(
            lambda: find_all(text, needle, lambda: ticket != self._ticket), show, fail
        )

    def _show(self, matches: list[Match], current: int) -> None:
        self._matches = matches
        self._current = -1
        self._view.set_matches(matches, -1)
        if current >= 0:
            self._go(current)
        else:
            self._say()
        self.found.emit(len(matches))

    def _go(self, number: int) -> None:
        self._current = number
        match = self._matches[number]
        self._view.set_matches(self._matches, number)
        cursor = self._view.textCursor()
        cursor.setPosition(match.start)  # not selected yet: a selection would hide its colour
        self._view.setTextCursor(cursor)
        box = self._view.cursorRect()
        if not self._view.viewport().rect().contains(box.center()):
            self._view.centerCursor()
        self._say()

    def _say(self) -> None:
        total = number_words(len(self._matches)) + ("+" if len(self._matches) == MOST else "")
        if not self.edit.text():
            said = ""
        elif not self._matches:
            said = self.tr("nothing found")
        elif self._current < 0:
            said = self.tr("{0} found").format(total)
        else:
            said = self.tr("{0} of {1}").format(number_words(self._current + 1), total)
        self.count.setText(said)
        self.count.setAccessibleName(said or self.tr("Count of matches"))
        for button in (self.previous, self.next):
            button.setEnabled(bool(self._matches))

    def _toggle(self, text: str, title: str) -> QToolButton:
        button = self._button(title)
        button.setText(text)
        button.setCheckable(True)
        return button

    def _button(self, title: str) -> QToolButton:
        button = QToolButton(self)
        button.setAccessibleName(title)
        button.setToolTip(title)
        return button

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.edit, 1)
        for widget in (
            *(self.count, self.case, self.whole, self.previous, self.next, self.shut_button),
        ):
            layout.addWidget(widget)

    def _restyle(self) -> None:
        theme = self._keeper.theme
        for button, name in (
            (self.previous, "up"),
            (self.next, "down"),
            (self.shut_button, "close"),
        ):
            button.setIcon(tinted(name, theme, "muted" if name == "close" else "text"))
