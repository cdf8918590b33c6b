"""What a source says, shown while the mouse rests on its number or on its card."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMargins, QObject, QPoint, Qt, QTimer, QUrl
from PySide6.QtGui import QCursor, QHelpEvent
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from commonplace.desktop.drawing import SCHEME
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.source_text import as_shown
from commonplace.desktop.sources import Source, SourcesPanel, mark_of, since_of, symbol_of
from commonplace.desktop.theme import ThemeKeeper, code_font
from commonplace.desktop.transcript import Transcript
from commonplace.desktop.visible import one_line

MOST_LINES = 16
MOST_COLUMNS = 96
MARGINS = QMargins(8, 8, 8, 8)
"""Pixels left free between a passage and the edge of the window."""
LOOK_MS = 150
"""How often it is looked whether the mouse has moved away."""

SourceOf = Callable[[int, int], Source | None]
"""From the number of an exchange and of a passage in it to the source."""


def excerpt(text: str) -> str:
    """Return the first lines of `text` for a small card, with nothing hidden in them."""
    lines = as_shown(text.strip("\n")).expandtabs(4).split("\n")
    shown = [
        line if len(line) <= MOST_COLUMNS else f"{line[: MOST_COLUMNS - 1]}…"
        for line in lines[:MOST_LINES]
    ]
    return "\n".join([*shown, "…"] if len(lines) > MOST_LINES else shown)


class PassageTip(QFrame):
    """A card over the window with a passage: its place, why it was chosen, its text.

    All of it is plain text: nothing in a passage can load, link or run anything.
    """

    def __init__(
        self,
        transcript: Transcript,
        panel: SourcesPanel,
        source_of: SourceOf,
        keeper: ThemeKeeper,
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setObjectName("passageTip")
        self.setAccessibleName(self.tr("Passage"))
        self._window = parent
        self._transcript = transcript
        self._panel = panel
        self._source_of = source_of
        self._keeper = keeper
        self.place = plain_label("", self, "headline", wrap=False)
        self.about = plain_label("", self, "muted")
        self.text = plain_label("", self, "passage", wrap=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(5)
        for label in (self.place, self.about, self.text):
            layout.addWidget(label)
        self.hide()
        self._home: QWidget = transcript.viewport()
        self._around = QPoint()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        for watched in (transcript.viewport(), panel.list.viewport()):
            watched.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show a passage in place of a tooltip; go when something happens."""
        kind = event.type()
        if kind == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            source = self._source_at(watched, event.pos())
            if source is not None and isinstance(watched, QWidget):
                self.show_source(source, watched, event.globalPos())
                return True
        elif kind in {QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.Leave}:
            self.dismiss()
        return super().eventFilter(watched, event)

    def show_source(self, source: Source, home: QWidget, at: QPoint) -> None:
        """Show `source` beside the point `at` of the screen, while the mouse stays near it."""
        passage = source.passage
        self.place.setText(one_line(f"[{source.number}]  {passage.place}"))
        delegate = self._panel.model
        mark = since_of(source.since, delegate) or mark_of(source.by, delegate)
        parts = (symbol_of(passage), mark, *map(told, passage.reasons))
        self.about.setText(one_line(" · ".join(filter(None, parts))))
        self.about.setMaximumWidth(620)
        self.text.setFont(code_font(max(self._keeper.font_size - 1, 7)))
        self.text.setText(excerpt(passage.text))
        self.adjustSize()
        around = self._window
        self.resize(self.size().boundedTo(around.rect().marginsRemoved(MARGINS).size()))
        self._home, self._around = home, at
        self.move(self._beside(around.mapFromGlobal(at)))
        self.show()
        self.raise_()
        self._timer.start()

    def dismiss(self) -> None:
        """Go away."""
        self._timer.stop()
        self.hide()

    def _source_at(self, watched: QObject, at: QPoint) -> Source | None:
        if watched is self._panel.list.viewport():
            index = self._panel.list.indexAt(at)
            return self._panel.model.source(index.row()) if index.isValid() else None
        url = QUrl(self._transcript.anchorAt(at))
        verb, *numbers = url.path().split("/")
        if url.scheme() != SCHEME or verb != "source" or len(numbers) != 2:
            return None
        return self._source_of(int(numbers[0]), int(numbers[1]))

    def _beside(self, at: QPoint) -> QPoint:
        """Return where to stand below the point `at` of the window, or above it if need be."""
        box = self._window.rect().marginsRemoved(MARGINS)
        x = min(at.x() + 12, box.right() - self.width())
        below = at.y() + 18
        y = below if below + self.height() <= box.bottom() else at.y() - self.height() - 12
        return QPoint(max(x, box.left()), max(y, box.top()))

    def _look(self) -> None:
        far = (QCursor.pos() - self._around).manhattanLength() > 3 * self.fontMetrics().height()
        if far or not self._home.isVisible() or not self.window().isVisible():
            self.dismiss()
