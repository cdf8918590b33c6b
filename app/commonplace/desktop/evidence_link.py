"""The process that measures, seen from the window: one measurement at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from commonplace.desktop.worker import WorkerLink
from commonplace.errors import CancelledError, CommonplaceError
from commonplace.wire.calls import Call
from commonplace.wire.messages import Message
from commonplace.wire.process import WorkerDiedError

OnResult = Callable[[Message], None]
OnError = Callable[[CommonplaceError], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A measurement that was asked for; an empty `model` takes the one of the settings."""

    root: Path
    model: str
    quick: bool
    seed: int
    adapt: bool = False

    def params(self) -> Message:
        """Return it as the worker takes it."""
        return {
            "root": str(self.root), "model": self.model, "quick": self.quick, "seed": self.seed,
            "adapt": self.adapt,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a measurement is: `done` of `total` pieces of `phase`, `fraction` of it all.

    `seconds_left` is None until it can be told.
    """

    phase: str = ""
    done: int = 0
    total: int = 0
    fraction: float = 0.0
    seconds_left: float | None = None


class EvidenceLink(QObject):
    """Asks the measuring process, which lives while there is something to do."""

    progressed = Signal(object)
    """A `Progress`."""
    finished = Signal()
    stopped = Signal()
    """The user stopped it; what was measured is kept."""
    failed = Signal(object)
    """A `CommonplaceError`."""

    def __init__(
        self, command: Sequence[str], log_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = WorkerLink(command, log_file, self)
        self._link.ended.connect(self._ended)
        self._call: Call | None = None
        self._open = 0
        self._ending = False
        self._waiting: list[Callable[[], None]] = []
        self._shut = False
        self.wanted: Wanted | None = None
        """What is being measured, or None."""

    @property
    def pid(self) -> int:
        """The worker's process id, or 0."""
        return self._link.pid

    @property
    def running(self) -> bool:
        """Whether something is being measured."""
        return self.wanted is not None

    def measure(self, wanted: Wanted) -> None:
        """Measure; `progressed` and one of the other signals follow."""
        if self.wanted is not None or self._shut:
            return
        self.wanted = wanted

        def begin() -> None:
            if self.wanted is wanted:
                self._call = self._ask(
                    "measure", wanted.params(), lambda _: self._done(None), self._done, self._data
                )

        self._when_free(begin)

    def cancel(self) -> None:
        """Stop; what was measured until now is kept."""
        if self._call is not None:
            self._link.cancel(self._call)
        elif self.wanted is not None:
            self.wanted = None
            self.stopped.emit()

    def compare(
        self, root: Path, old: str, new: str, on_result: OnResult, on_error: OnError
    ) -> None:
        """Hold the result in the file `new` against that in `old`."""
        params = {"root": str(root), "old": old, "new": new}
        self._when_free(lambda: self._ask("compare", params, on_result, on_error))

    def export(self, root: Path, params: Message, on_result: OnResult, on_error: OnError) -> None:
        """Write a report or tables; for `params` see `measure.worker`."""
        wanted = {"root": str(root), **params}
        self._when_free(lambda: self._ask("export", wanted, on_result, on_error))

    def shut(self) -> None:
        """End; the measurement can be gone on with next time."""
        self._shut = True
        self._link.stop()

    def finish(self, milliseconds: int) -> None:
        """Wait for the worker's end at the end of the program."""
        self._shut = True
        self._link.finish(milliseconds)

    def _when_free(self, ask: Callable[[], Any]) -> None:
        if self._ending:  # the process is ending: another one answers
            self._waiting.append(ask)
        elif not self._shut:
            ask()

    def _ask(
        self,
        method: str,
        params: Message,
        on_result: OnResult,
        on_error: OnError,
        on_data: OnResult | None = None,
    ) -> Call | None:
        self._open += 1
        self._link.start()
        return self._link.request(
            method,
            params,
            on_result=partial(self._answered, on_result),
            on_error=partial(self._answered, on_error),
            on_data=on_data,
        )

    def _answered(self, deliver: Callable[[Any], None], value: Any) -> None:
        self._open -= 1
        if not self._open:  # it may hold a model: its memory is given back
            self._link.stop()
            self._ending = self._link.running
        if not self._shut:
            deliver(value)

    def _ended(self) -> None:
        self._ending = False
        waiting, self._waiting = self._waiting, []
        for ask in waiting:
            self._when_free(ask)

    def _data(self, data: Message) -> None:
        left = data.get("seconds_left")
        self.progressed.emit(
            Progress(
                str(data.get("phase", "")),
                int(data.get("done", 0)),
                int(data.get("total", 0)),
                min(1.0, max(0.0, float(data.get("fraction", 0.0)))),
                None if left is None else max(0.0, float(left)),
            )
        )

    def _done(self, error: CommonplaceError | None) -> None:
        self._call = None
        self.wanted = None
        if error is None:
            self.finished.emit()
        elif isinstance(error, CancelledError):
            self.stopped.emit()
        else:
            self.failed.emit(_said(self, error))


def _said(owner: QObject, error: CommonplaceError) -> CommonplaceError:
    if not isinstance(error, WorkerDiedError):
        return error
    return CommonplaceError(
        owner.tr("The process that measures ended unexpectedly."),
        owner.tr("What it measured until then is kept: measure again to go on from there."),
    )
