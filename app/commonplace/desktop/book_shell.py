"""The book in a window: its page, its marks in the margin, and what is remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from commonplace.desktop.book_capture import BookCapture
from commonplace.desktop.book_desk import BookDesk
from commonplace.desktop.book_link import BookLink
from commonplace.desktop.book_marks import BookMarks
from commonplace.desktop.dialogs import confirm_link
from commonplace.desktop.key_names import KeyNames

if TYPE_CHECKING:
    from commonplace.desktop.theme import ThemeKeeper
    from commonplace.desktop.window import MainWindow

OpenFileAt = Callable[[str, int, int, str], None]


class BookShell(QObject):
    """Connects the book with a window, which it knows only by what is public."""

    def __init__(self, window: MainWindow, keeper: ThemeKeeper, open_file: OpenFileAt) -> None:
        super().__init__(window)
        self._window = window
        self._open_file = open_file
        self._before: QWidget | None = None
        self._remember = ""
        controller = window.controller
        self.link = BookLink(controller.memory, self)
        self.desk = BookDesk(self.link, controller.paths, keeper, window.say, window)
        self.marks = BookMarks(self.link, window.code, self)
        views = (window.conversation, window.code, window.chats)
        self.capture = BookCapture(self.link, self.desk, views, window.say, self)
        window.pages.addWidget(self.desk.page)
        self.desk.opened.connect(self._show)
        self.desk.page.left.connect(self.leave)
        self.desk.page.list.new_asked.connect(self.capture.note_about_code)
        self.desk.page.pane.place_asked.connect(self._show_code)
        self.desk.page.pane.preview.link_followed.connect(lambda url: confirm_link(url, window))
        self.marks.chosen.connect(self.desk.open)
        controller.project_changed.connect(self._project_changed)
        window.transcript.acted.connect(self._act)
        window.chat_list.removed.connect(self.capture.forget_conversation)

    @property
    def in_front(self) -> bool:
        """Whether the page of the book is on screen."""
        return self._window.pages.currentWidget() is self.desk.page

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the actions of the book do."""
        return {
            "book": self.toggle,
            "book_inbox": lambda: self.desk.open(kind="inbox"),
            "quick_note": self.capture.note_about_code,
            "remember": self.capture.remember,
            "note_here": self.open_note_here,
            "undo_note": self.desk.undo,
        }

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        self._remember = keys.of("remember")
        self.desk.page.list.name_keys(keys)
        self.desk.page.pane.name_keys(keys)

    def toggle(self) -> None:
        """Open the book, or go back to what was there before."""
        if self.in_front:
            self.leave()
        else:
            self.desk.open()

    def leave(self) -> None:
        """Go back to the work."""
        self.desk.leave()
        if self.in_front:
            self._window.pages.setCurrentWidget(self._window.work)
            before = self._before
            target = before if before is not None and before.isVisible() else None
            (target or self._window.composer.edit).setFocus(Qt.FocusReason.OtherFocusReason)

    def open_note_here(self) -> None:
        """Open the note that speaks of the line of the cursor in the code."""
        note = self.marks.note_at(self._window.code.view.textCursor().blockNumber() + 1)
        if note:
            self.desk.open(note)
        else:
            text = self.tr("No note speaks of this line. {0} writes one.")
            self._window.say(text.format(self._remember))

    def shut(self) -> None:
        """Keep what was typed; the window is about to go."""
        self.marks.shut()
        self.desk.shut()

    def _show(self) -> None:
        if not self.in_front:
            self._before = self._window.focusWidget()
            self._window.pages.setCurrentWidget(self.desk.page)

    def _show_code(self, path: str, start: int, end: int) -> None:
        self.leave()
        self._open_file(path, start, end, "")
        self._window.code.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _project_changed(self, root: Path | None) -> None:
        self.desk.set_project(root)

    def _act(self, verb: str, number: int, _other: int) -> None:
        if verb == "star":
            self.capture.star(number)
