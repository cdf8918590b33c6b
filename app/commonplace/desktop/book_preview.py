"""A note as it reads, and the difference between two texts; nothing loads and no link acts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QTextBrowser, QWidget

from commonplace.desktop.drawing import SCHEME, Drawer
from commonplace.desktop.markdown import parse
from commonplace.desktop.theme import ThemeKeeper, code_font
from commonplace.desktop.visible import visible

MAX_PREVIEW = 40_000
"""Characters that are drawn: some screens, and read in a few hundredths of a second."""
MAX_LINES = 600
CONTEXT = 3


class NotePreview(QTextBrowser):
    """Draws Markdown in the colours of the theme, as answers are drawn."""

    link_followed = Signal(str)
    """An http or https address was clicked; nothing is opened yet."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preview")
        self.setAccessibleName(self.tr("Preview"))
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(12)
        self._keeper = keeper
        self._text = ""
        self._codes: list[str] = []
        self.anchorClicked.connect(self._follow)
        keeper.changed.connect(self._draw)

    def show_text(self, text: str) -> None:
        """Draw `text`, or its beginning where it is long; the place is kept."""
        if text == self._text:
            return
        self._text = text
        place = self.verticalScrollBar().value()
        self._draw()
        self.verticalScrollBar().setValue(place)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load nothing: a note may come from others, and text must not reach out."""
        del name
        if kind == QTextDocument.ResourceType.ImageResource.value:
            # For a missing image Qt would try the name as a path itself.
            return QImage(1, 1, QImage.Format.Format_ARGB32_Premultiplied)
        return None

    def _draw(self) -> None:
        self.document().clear()
        self._codes = []
        drawer = Drawer(self.document(), self._keeper.theme, self._keeper.font_size)
        for block in parse(self._text[:MAX_PREVIEW]):
            if block.kind != "code":
                drawer.blocks([block])
                continue
            text = block.runs[0].text if block.runs else ""
            cursor = drawer.open_code("", len(self._codes))
            self._codes.append(text)
            for line in text.split("\n"):
                drawer.code_line(cursor, line)
        if len(self._text) > MAX_PREVIEW:
            drawer.note(self.tr("The preview ends here; the note goes on."))
        self.moveCursor(QTextCursor.MoveOperation.Start)

    def _follow(self, url: QUrl) -> None:
        verb, _, number = url.path().partition("/")
        if url.scheme() in {"http", "https"}:
            self.link_followed.emit(url.toString())
        elif url.scheme() == SCHEME and verb == "copy" and int(number) < len(self._codes):
            QGuiApplication.clipboard().setText(self._codes[int(number)])


class Difference(QTextBrowser):
    """Shows what changed between two texts, line by line."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preview")
        self.setAccessibleName(self.tr("What changed"))
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setLineWrapMode(QTextBrowser.LineWrapMode.NoWrap)
        self.document().setDocumentMargin(10)
        self._keeper = keeper
        self._parts: list[tuple[str, str, str]] = []
        keeper.changed.connect(self._draw)

    def show_parts(self, parts: list[tuple[str, str, str]]) -> None:
        """Show a heading, the text before and the text after, for each part."""
        if parts != self._parts:
            self._parts = parts
            self._draw()

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load nothing."""
        del kind, name

    def _draw(self) -> None:
        self.document().clear()
        theme = self._keeper.theme
        cursor = QTextCursor(self.document())
        mono = code_font(self._keeper.font_size)
        shape = QTextBlockFormat()
        first = True
        for heading, before, after in self._parts:
            rows = [("head", heading), *difference(before, after)]
            for mark, line in rows:
                style = QTextCharFormat()
                if mark == "head":
                    style.setForeground(theme.colour("muted"))
                else:
                    style.setFont(mono)
                    category = {"-": "removed", "+": "added"}.get(mark)
                    style.setForeground(
                        theme.code_colour(category) if category else theme.colour("text")
                    )
                if first:
                    first = False
                else:
                    cursor.insertBlock(shape, style)
                text = visible(line).replace("\t", "    ")
                cursor.insertText(text if mark == "head" else f"{mark} {text}", style)
        self.moveCursor(QTextCursor.MoveOperation.Start)


def difference(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield the lines of a difference with their marks: ``-``, ``+``, blank or ``…``.

    At most `MAX_LINES` lines of each text are compared, so that it stays quick.
    """
    if not before and not after:
        return
    old, new = before.splitlines()[:MAX_LINES], after.splitlines()[:MAX_LINES]
    for line in difflib.unified_diff(old, new, lineterm="", n=CONTEXT):
        if line.startswith(("---", "+++")) and not line[3:].strip():
            continue
        yield ("…", "") if line.startswith("@@") else (line[:1], line[1:])
    if max(before.count("\n"), after.count("\n")) >= MAX_LINES:
        yield "…", ""
