"""Short work off the window's thread: reading a file, listing models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from commonplace.errors import CommonplaceError, to_wire


class Background(QObject):
    """A small pool of threads; results come back in the window's thread.

    With one thread, work is done in the order in which it was given. A result
    whose receiver has asked for something newer since is dropped by the
    receiver: each `run` hands back its own callbacks.
    """

    _finished = Signal(object, object)

    def __init__(self, parent: QObject | None = None, threads: int = 2) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(threads)
        self._finished.connect(self._deliver)

    def run(
        self,
        work: Callable[[], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> None:
        """Run `work` in a thread; exactly one of the callbacks follows."""
        self._pool.start(_Job(self, work, on_result, on_error))

    def finish(self) -> None:
        """Forget what waits, and let what runs end."""
        self._pool.clear()
        self._pool.waitForDone(1000)

    def drain(self, milliseconds: int) -> None:
        """Let all that was given be done, for so long at most."""
        self._pool.waitForDone(milliseconds)

    def deliver_later(self, callback: Callable[[Any], None], value: object) -> None:
        """Call `callback` in the window's thread. Safe from any thread."""
        try:
            self._finished.emit(callback, value)
        except RuntimeError:  # our owner, a dialog say, is gone: nobody waits for it any more
            if shiboken6.isValid(self):
                raise

    def _deliver(self, callback: Callable[[Any], None], value: object) -> None:
        callback(value)


class _Job(QRunnable):
    def __init__(
        self,
        owner: Background,
        work: Callable[[], Any],
        on_result: Callable[[Any], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> None:
        super().__init__()
        self._owner = owner
        self._work = work
        self._on_result = on_result
        self._on_error = on_error

    def run(self) -> None:
        try:
            result = self._work()
        except CommonplaceError as error:
            self._owner.deliver_later(self._on_error, error)
        except OSError as error:
            described = to_wire(error)
            wrapped = CommonplaceError(described["message"], described["remedy"])
            self._owner.deliver_later(self._on_error, wrapped)
        else:
            self._owner.deliver_later(self._on_result, result)
