"""Messages that do not interrupt: what happened, the remedy, and what can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.icons import tinted
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import visible

Level = Literal["info", "warning", "error"]
Action = tuple[str, Callable[[], None]]
MOST = 3
LONGEST = 600


class MessageFrame(QFrame):
    """One message."""

    def __init__(
        self,
        keeper: ThemeKeeper,
        level: Level,
        texts: tuple[str, str],
        actions: Sequence[Action],
        dismiss: Callable[[], None],
    ) -> None:
        super().__init__()
        headline, remedy = texts
        self.setObjectName("message")
        self.setProperty("level", level)
        self.setAccessibleName(f"{headline} {remedy}")
        self._keeper = keeper
        self._level = level
        self._icon = QLabel(self)
        self._close = QToolButton(self)
        self._close.setAccessibleName(self.tr("Dismiss"))
        self._close.setToolTip(self.tr("Dismiss"))
        self._close.clicked.connect(dismiss)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._words(headline, "headline"))
        if remedy:
            words.addWidget(self._words(remedy, "remedy"))
        if actions:
            words.addLayout(self._buttons(actions))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(10)
        layout.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        layout.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        keeper.changed.connect(self._restyle)
        self._restyle()

    def _words(self, text: str, name: str) -> QLabel:
        return plain_label(visible(text)[:LONGEST], self, name, selectable=True)

    def _buttons(self, actions: Sequence[Action]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 4, 0, 0)
        for title, run in actions:
            button = QPushButton(title, self)
            button.clicked.connect(lambda _checked=False, run=run: run())
            row.addWidget(button)
        row.addStretch()
        return row

    def _restyle(self) -> None:
        theme = self._keeper.theme
        size = QSize(18, 18)
        self._icon.setPixmap(tinted(self._level, theme, self._level).pixmap(size))
        self._close.setIcon(tinted("close", theme, self._level))


class MessageBar(QWidget):
    """The few messages that stand above the conversation, newest last.

    A message has a key; another one with the same key takes its place.
    """

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self._frames: dict[str, MessageFrame] = {}
        self._texts: dict[str, str] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(12, 10, 12, 0)
        self._layout.setSpacing(8)
        self.hide()

    @property
    def texts(self) -> dict[str, str]:
        """What stands there now, by key."""
        return dict(self._texts)

    def show_message(
        self,
        key: str,
        level: Level,
        headline: str,
        remedy: str = "",
        actions: Sequence[Action] = (),
    ) -> None:
        """Show a message in place of the one with the same `key`."""
        headline, remedy = told(headline), told(remedy)
        self.dismiss(key)
        while len(self._frames) >= MOST:
            self.dismiss(next(iter(self._frames)))
        frame = MessageFrame(
            self._keeper, level, (headline, remedy), actions, lambda: self.dismiss(key)
        )
        self._frames[key] = frame
        self._texts[key] = f"{headline} {remedy}".strip()
        self._layout.addWidget(frame)
        self.show()

    def dismiss(self, key: str) -> None:
        """Take the message `key` away, if it is there."""
        frame = self._frames.pop(key, None)
        self._texts.pop(key, None)
        if frame is not None:
            self._layout.removeWidget(frame)
            frame.hide()
            frame.deleteLater()
        self.setVisible(bool(self._frames))
