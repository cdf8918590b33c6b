"""Short notices that come and go by themselves: what happened, and one thing to do about it.

A toast never takes the focus and never waits for an answer. What a user must
not miss, or has to mend, belongs into the `MessageBar` instead. A refusal keeps its
time: what succeeds meanwhile, perhaps begun before it, is told after it.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPropertyAnimation, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QEnterEvent
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsOpacityEffect,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told, told_error
from commonplace.desktop.motion import FADE_MS, may_move
from commonplace.desktop.visible import visible
from commonplace.errors import CommonplaceError

SHOWN_MS = 5000
WITH_ACTION_MS = 12000
"""Something can be done about it, so it stays long enough to reach it by keyboard."""
LONGEST = 300
WIDTH = 460
MARGIN = 20


class Toasts(QFrame):
    """The one place in a window where toasts appear; a newer one takes the older one's place.

    Where the older one is a refusal, only another refusal does; all else waits for its end.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setObjectName("toast")
        self.label = plain_label("", self)
        self.button = QPushButton(self)
        self.button.setObjectName("quiet")
        self.button.setAccessibleName(self.tr("What can be done about it"))
        self._layout = layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 10, 16, 10)
        layout.setSpacing(14)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.button)
        self._run: Callable[[], None] | None = None
        self._refusing = False
        self._waiting: tuple[str, str, Callable[[], None] | None, int] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._fade)
        self._effect = QGraphicsOpacityEffect(self)
        self.setGraphicsEffect(self._effect)
        self._animation = QPropertyAnimation(self._effect, b"opacity", self)
        self._animation.setDuration(FADE_MS)
        self._animation.finished.connect(self._faded)
        self.button.clicked.connect(self._act)
        window.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """What is on screen, or nothing."""
        return self.label.text() if self.isVisibleTo(self._window) else ""

    def say(
        self,
        said: str | CommonplaceError,
        title: str = "",
        run: Callable[[], None] | None = None,
        ms: int = 0,
    ) -> None:
        """Show `said`, and a button `title` that calls `run` where one is given.

        An error is a refusal. A text that comes while one is shown waits, for some seconds
        at most; of several that wait the newest is shown.
        """
        if isinstance(said, CommonplaceError):
            self._refusing, text = True, told_error(said)
        elif self._refusing:
            self._waiting = (said, title, run, ms)
            if self._timer.isActive():
                self._timer.start(min(self._timer.remainingTime(), SHOWN_MS))
            return
        else:
            text = told(said)
        self.label.setText(visible(text)[:LONGEST])
        self.setAccessibleName(self.label.text())
        self._run = run
        self.button.setText(title)
        if title:
            self.button.setAccessibleName(title)
        self.button.setVisible(bool(title) and run is not None)
        self._animation.stop()
        self._effect.setOpacity(1.0)
        self._effect.setEnabled(False)  # drawn through no buffer while nothing moves
        self._place()
        self.show()
        self.raise_()
        self._timer.start(ms or (WITH_ACTION_MS if run is not None else SHOWN_MS))
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def dismiss(self) -> None:
        """Take the toast away at once, and what waits behind it."""
        self._waiting = None
        self._end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the place when the window changes its size."""
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self._place()
        return super().eventFilter(watched, event)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay while the pointer rests on it."""
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Go some time after the pointer has."""
        super().leaveEvent(event)
        self._timer.start(SHOWN_MS)

    def _place(self) -> None:
        window = self._window
        width = min(WIDTH, window.width() - 2 * MARGIN)
        self.setFixedWidth(width)
        self._layout.activate()
        height = max(self._layout.totalHeightForWidth(width), self.sizeHint().height())
        self.resize(width, height)
        self.move((window.width() - width) // 2, window.height() - height - 4 * MARGIN)

    def _act(self) -> None:
        run = self._run
        self._end()
        if run is not None:
            run()

    def _end(self) -> None:
        self._timer.stop()
        self._animation.stop()
        self._faded()

    def _fade(self) -> None:
        if self.button.hasFocus():
            self._timer.start(SHOWN_MS)  # somebody is about to press it
        elif may_move():
            self._effect.setEnabled(True)
            self._animation.setStartValue(1.0)
            self._animation.setEndValue(0.0)
            self._animation.start()
        else:
            self._faded()

    def _faded(self) -> None:
        self._run, self._refusing = None, False
        self.hide()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.say(*waiting)
