"""Notes beside the code they speak of: marks in the margin of the open file."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from commonplace.desktop.book_link import BookLink, Mark
from commonplace.desktop.book_words import state_words
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.code_view import LineMark
from commonplace.desktop.visible import one_line

LATER_MS = 200


class BookMarks(QObject):
    """Keeps the marks of the file on screen up to date."""

    chosen = Signal(str)
    """The id of a note whose mark was pressed."""

    def __init__(self, link: BookLink, code: CodePane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self._code = code
        self._marks: tuple[Mark, ...] = ()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(LATER_MS)
        self._later.timeout.connect(self.refresh)
        code.opened.connect(lambda _path: self.refresh())
        code.closed.connect(self._show_none)
        code.view.mark_pressed.connect(self._press)
        link.changed.connect(self._later.start)

    def refresh(self) -> None:
        """Ask which notes speak of the file on screen."""
        path = self._code.path
        if not path:
            self._show_none()
            return

        def show(marks: tuple[Mark, ...]) -> None:
            if self._code.path == path:
                self._show(marks)

        self._link.marks(path, show)

    def note_at(self, line: int) -> str:
        """Return the note of the smallest range around `line`, from 1; or nothing."""
        around = [m for m in self._marks if m.check.start_line <= line <= m.check.end_line]
        if not around:
            return ""
        return min(around, key=lambda m: m.check.end_line - m.check.start_line).note.id

    def shut(self) -> None:
        """Ask no more."""
        self._later.stop()

    def _show(self, marks: tuple[Mark, ...]) -> None:
        self._marks = tuple(mark for mark in marks if mark.check.start_line)
        shown: dict[int, LineMark] = {}
        for mark in self._marks:
            line = mark.check.start_line
            before = shown.get(line)
            state, _ = state_words(mark.note)
            words = one_line(mark.note.title) + (f" ({state})" if state else "")
            shown[line] = LineMark(
                f"{before.tip}\n{words}" if before else words,
                mark.check.stale or bool(before and before.stale),
            )
        self._code.view.set_marks(shown)

    def _show_none(self) -> None:
        self._show(())

    def _press(self, line: int) -> None:
        at = [mark for mark in self._marks if mark.check.start_line == line]
        if at:
            self.chosen.emit(at[0].note.id)
