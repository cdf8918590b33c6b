"""A file beside the answer: its name, its text at the cited lines, or why it cannot be shown."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from commonplace.desktop.background import Background
from commonplace.desktop.code_view import CodeView
from commonplace.desktop.highlight import Highlighter, Span
from commonplace.desktop.icons import tinted
from commonplace.desktop.labels import ElidedLabel
from commonplace.desktop.source_text import SourceText, locate, read_source
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip
from commonplace.errors import CommonplaceError


class CodePane(QWidget):
    """A `CodeView` with the file's name above, and with words where it cannot be shown."""

    closed = Signal()
    opened = Signal(str)
    """The path of the file that is on screen now."""

    def __init__(
        self, keeper: ThemeKeeper, background: Background, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._keeper = keeper
        self._background = background
        self._highlighter = Highlighter(self)
        self._root: Path | None = None
        self._path = ""
        self._ticket = 0
        self._shown: SourceText | None = None
        self._place = -1
        self._wanted: tuple[int, int, str] = (0, 0, "")
        self.title = ElidedLabel(self)
        self.title.setObjectName("codeTitle")
        self.note = QLabel(self)
        self.note.setObjectName("muted")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.note.setContentsMargins(12, 0, 12, 8)
        self.close_button = QToolButton(self)
        self.close_button.setAccessibleName(self.tr("Close the file"))
        self.close_button.setToolTip(self.tr("Close the file (Ctrl+W)"))
        self.view = CodeView(keeper, self)
        self._lay_out()
        self.close_button.clicked.connect(self.closed)
        self.view.filled.connect(self._filled)
        self._highlighter.lexed.connect(self._lexed)
        keeper.changed.connect(self._restyle)
        self._restyle()

    @property
    def path(self) -> str:
        """The file on screen, relative to the project, or empty."""
        return self._path

    def open_file(
        self, root: Path, path: str, start: int = 0, end: int = 0, text: str = ""
    ) -> None:
        """Show file `path`, with the lines ``start``-``end`` that held `text` marked."""
        self._root, self._path = root, path
        self._wanted = (start, end, text)
        folder, _, name = one_line(path).rpartition("/")
        lines = f":{start}–{end}" if start else ""
        self.title.setText(f"{name}{lines}" + (f"   {folder}" if folder else ""))
        self.title.setToolTip(tooltip(path))
        self._read(keep_place=False)

    def reload(self) -> None:
        """Read the file again: it may have changed."""
        if self._root is not None and self._path:
            self._read(keep_place=True)

    def forget(self) -> None:
        """Show nothing: another project was opened, or the file was closed."""
        self._root, self._path = None, ""
        self._ticket += 1
        self._shown = None
        self.view.show_text("")
        self.note.hide()

    def shut(self) -> None:
        """End the thread that colours."""
        self._highlighter.finish()

    def _read(self, *, keep_place: bool) -> None:
        self._ticket += 1
        ticket, root, path = self._ticket, self._root, self._path
        assert root is not None

        def show(source: SourceText) -> None:
            if ticket == self._ticket:
                self._show(source, keep_place=keep_place)

        def complain(error: CommonplaceError) -> None:
            if ticket == self._ticket:
                self._complain(error)

        self._background.run(lambda: read_source(root, path), show, complain)

    def _show(self, source: SourceText, *, keep_place: bool) -> None:
        place = self.view.verticalScrollBar().value() if keep_place else -1
        same = keep_place and source == self._shown
        self._shown = source
        self._place = place
        if same:
            self._filled()
            return
        self._highlighter.request(self._ticket, source.text, path=source.path)
        self.view.show_text(source.text)  # `_filled` goes on

    def _filled(self) -> None:
        source, place = self._shown, self._place
        if source is None:
            return
        start, end, text = self._wanted
        found = locate(source.text, text, start, end) if start else None
        if found is not None:
            self.view.mark_lines(*found)
        lost = bool(start) and found is None
        self.note.setText(
            self.tr("The file has changed since this passage was found.") if lost else ""
        )
        self.note.setVisible(lost)
        if place >= 0:
            QTimer.singleShot(0, self, lambda: self.view.verticalScrollBar().setValue(place))
        self.opened.emit(source.path)

    def _complain(self, error: CommonplaceError) -> None:
        self._shown = None
        self.view.show_text("")
        self.note.setText(str(error))
        self.note.show()

    def _lexed(self, ticket: object, spans: list[Span]) -> None:
        if ticket == self._ticket:
            self.view.set_spans(spans)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(12, 6, 6, 6)
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(self.note)
        layout.addWidget(self.view, 1)
        self.note.hide()

    def _restyle(self) -> None:
        self.close_button.setIcon(tinted("close", self._keeper.theme, "muted"))
