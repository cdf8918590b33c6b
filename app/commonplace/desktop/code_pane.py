"""Files beside the answer: tabs, the text at the cited lines, or why it cannot be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from commonplace.desktop.background import Background
from commonplace.desktop.code_colours import CodeColours
from commonplace.desktop.code_tabs import CodeTabs, Place
from commonplace.desktop.code_view import CodeView
from commonplace.desktop.find_bar import FindBar
from commonplace.desktop.icons import tinted
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.labels import ElidedLabel, plain_label
from commonplace.desktop.languages import told_error
from commonplace.desktop.session import OpenFile
from commonplace.desktop.source_text import SourceText, locate, read_source
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip
from commonplace.errors import CommonplaceError

ANCHOR = 3
"""Lines at the top of the view that are looked for again when the file has changed."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as read: its text, the lines that are to be marked, the line to show at the top."""

    source: SourceText
    found: tuple[int, int] | None
    top: int


class CodePane(QWidget):
    """A `CodeView` with a tab for each open file, and with words where one cannot be shown.

    There is one view. A file is read again whenever its tab comes to the front,
    so what is on screen is what is on disk.
    """

    closed = Signal()
    """No file is open any more."""
    opened = Signal(str)
    """The path of the file that is on screen now."""
    file_closed = Signal(str)
    """The tab of this file was closed, and others are left."""
    editor_asked = Signal()
    """The user wants this file in an editor."""

    def __init__(
        self, keeper: ThemeKeeper, background: Background, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._keeper = keeper
        self._background = background
        self._root: Path | None = None
        self._path = ""
        self._ticket = 0
        self._shown: SourceText | None = None
        self._read_now: _Read | None = None
        self._keeps_place = False
        self._stands = False
        self.tabs = CodeTabs(keeper, self)
        self.title = ElidedLabel(self)
        self.title.setObjectName("muted")
        self.note = plain_label("", self, "muted")
        self.note.setContentsMargins(12, 0, 12, 8)
        self.editor_button = self._button(self.tr("Open in your editor"))
        self.find_button = self._button(self.tr("Find in the file"))
        self.close_button = self._button(self.tr("Close all files"))
        self.view = CodeView(keeper, self)
        self.find_bar = FindBar(self.view, keeper, background, self)
        self._colours = CodeColours(self.view, self)
        self._lay_out()
        self.close_button.clicked.connect(self.closed)
        self.editor_button.clicked.connect(self.editor_asked)
        self.find_button.clicked.connect(self.find_bar.begin)
        self.tabs.chosen.connect(self._turned)
        self.tabs.close_asked.connect(self.close_file)
        self.view.filled.connect(self._filled)
        keeper.changed.connect(self._restyle)
        self._restyle()

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        self.editor_button.setToolTip(keys.tip(self.tr("Open in your editor"), "open_in_editor"))
        self.find_button.setToolTip(keys.tip(self.tr("Find in the file"), "find"))

    @property
    def path(self) -> str:
        """The file on screen, relative to the project, or empty."""
        return self._path

    @property
    def line(self) -> int:
        """The line of the cursor, from 1."""
        return self.view.textCursor().blockNumber() + 1

    @property
    def open_files(self) -> tuple[OpenFile, ...]:
        """All open files, from left to right, with their first lines in sight."""
        self._remember()
        return tuple(OpenFile(path, self.tabs.place(path).top) for path in self.tabs.paths)

    def open_file(
        self, root: Path, path: str, start: int = 0, end: int = 0, text: str = ""
    ) -> None:
        """Show file `path`, with the lines ``start``-``end`` that held `text` marked."""
        if root != self._root:
            self.tabs.clear()
            self._path = ""
        self._remember()
        self._root = root
        self.tabs.open(path)
        if start:
            self.tabs.place(path).wanted = (start, end, text)
        self._begin(path, keep_place=not start)

    def restore(self, root: Path, files: Sequence[OpenFile]) -> None:
        """Bring back tabs of an earlier session, without reading the files yet."""
        if root != self._root:
            self.forget()
        self._root = root
        for file in files:
            self.tabs.restore(file.path, Place(top=file.line))

    def reload(self) -> None:
        """Read the file again: it may have changed."""
        if self._root is not None and self._path:
            self._remember()
            self._read(keep_place=True)

    def close_file(self, path: str = "") -> None:
        """Close the file `path`, or the one on screen."""
        path = path or self._path
        if self.tabs.paths in ([], [path]):
            self.closed.emit()
            return
        if path == self._path:
            self._path = ""  # its place is forgotten with it
        self.tabs.close_file(path)
        self.file_closed.emit(path)

    def forget(self) -> None:
        """Show nothing: another project was opened, or the files were closed."""
        self.tabs.clear()
        self._root, self._path = None, ""
        self._ticket += 1
        self._shown = self._read_now = None
        self.find_bar.hide()
        self._put("")
        self.note.hide()

    def shut(self) -> None:
        """End the thread that colours."""
        self._colours.shut()

    def _turned(self, path: str) -> None:
        self._remember()
        self._begin(path, keep_place=True)

    def _begin(self, path: str, *, keep_place: bool) -> None:
        if path != self._path:
            self._shown, self._stands = None, False
        self._path = path
        start, end, _ = self.tabs.place(path).wanted
        self.title.setText(one_line(path) + (f":{start}–{end}" if start else ""))
        self.title.setToolTip(tooltip(path))
        self._read(keep_place=keep_place)

    def _remember(self) -> None:
        """Keep where the reader is in the file that is on screen."""
        if self._path and self._stands:
            place = self.tabs.place(self._path)
            place.top = self.view.verticalScrollBar().value() + 1
            place.cursor = self.view.textCursor().position()

    def _read(self, *, keep_place: bool) -> None:
        self._ticket += 1
        self._keeps_place = keep_place
        ticket, root, path, before = self._ticket, self._root, self._path, self._shown
        assert root is not None
        place = self.tabs.place(path)
        (start, end, text), top = place.wanted, place.top

        def read() -> _Read:
            source = read_source(root, path)
            found = locate(source.text, text, start, end) if start else None
            moved = before is not None and before.text != source.text
            return _Read(source, found, _moved(before, source, top) if moved else top)

        def show(read: _Read) -> None:
            if ticket == self._ticket:
                self._show(read)

        def complain(error: CommonplaceError) -> None:
            if ticket == self._ticket:
                self._complain(error)

        self._background.run(read, show, complain)

    def _show(self, read: _Read) -> None:
        same = read.source == self._shown
        self._read_now, self._shown = read, read.source
        if same:
            self._filled()
        else:
            self._put(read.source.text, read.source.path)  # `_filled` goes on

    def _put(self, text: str, path: str = "") -> None:
        self._stands = False
        self._colours.begin(text, path)
        self.view.show_text(text)
        self.find_bar.set_text(text)

    def _filled(self) -> None:
        read = self._read_now
        if read is None or read.source.path != self._path:
            return
        self._stands = True
        place = self.tabs.place(self._path)
        if read.found is not None:
            self.view.mark_lines(*read.found)
        lost = bool(place.wanted[0]) and read.found is None
        self.note.setText(
            self.tr("The file has changed since this passage was found.") if lost else ""
        )
        self.note.setVisible(lost)
        if self._keeps_place:
            self._return_to(place.cursor, read.top)
        self._colours.go_on()
        self.opened.emit(read.source.path)

    def _return_to(self, cursor: int, top: int) -> None:
        here = QTextCursor(self.view.document())
        here.setPosition(min(cursor, self.view.document().characterCount() - 1))
        self.view.setTextCursor(here)
        bar, ticket = self.view.verticalScrollBar(), self._ticket

        def scroll() -> None:
            if ticket == self._ticket:
                bar.setValue(top - 1)

        bar.setValue(top - 1)
        QTimer.singleShot(0, self, scroll)  # after the view has laid itself out

    def _complain(self, error: CommonplaceError) -> None:
        self._shown = self._read_now = None
        self._put("")
        self.note.setText(told_error(error))
        self.note.show()

    def _button(self, title: str) -> QToolButton:
        button = QToolButton(self)
        button.setAccessibleName(title)
        button.setToolTip(title)
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(6, 6, 6, 0)
        row.addWidget(self.tabs, 1)
        row.addWidget(self.close_button)
        head = QHBoxLayout()
        head.setContentsMargins(12, 0, 6, 4)
        head.addWidget(self.title, 1)
        head.addWidget(self.find_button)
        head.addWidget(self.editor_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row)
        layout.addLayout(head)
        layout.addWidget(self.note)
        layout.addWidget(self.view, 1)
        layout.addWidget(self.find_bar)
        self.note.hide()

    def _restyle(self) -> None:
        theme = self._keeper.theme
        self.close_button.setIcon(tinted("close", theme, "muted"))
        self.find_button.setIcon(tinted("search", theme, "muted"))
        self.editor_button.setIcon(tinted("external", theme, "muted"))


def _moved(before: SourceText | None, after: SourceText, top: int) -> int:
    """Return the line where what stood at line `top` stands now, or `top`."""
    if before is None:
        return top
    lines = before.text.split("\n")[top - 1 : top - 1 + ANCHOR]
    found = locate(after.text, "\n".join(lines), top, top + len(lines) - 1) if any(lines) else None
    return top if found is None else found[0]
