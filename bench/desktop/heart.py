"""The heartbeat of an event loop: a timer of ten milliseconds, and how late it came."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QEventLoop, Qt, QTimer

TICK_MS = 10


class Heart:
    """Collects the gaps of the event loop, in milliseconds, while it runs."""

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self._watch = QElapsedTimer()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)

    def run_until(self, done: Callable[[], bool], poll_ms: int = 100) -> float:
        """Run the event loop until `done`, asked every `poll_ms`; returns the seconds it took."""
        loop, poll = QEventLoop(), QTimer()
        poll.timeout.connect(lambda: loop.quit() if done() else None)
        began = time.monotonic()
        self._watch.start()
        self._timer.start()
        poll.start(poll_ms)
        loop.exec()
        poll.stop()
        self._timer.stop()
        return time.monotonic() - began

    def _tick(self) -> None:
        self.gaps.append(max(0.0, self._watch.nsecsElapsed() / 1e6 - TICK_MS))
        self._watch.restart()
