"""The process that measures, seen from the window: one measurement at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from commonplace.desktop.worker import WorkerLink
from commonplace.errors import CancelledError, CommonplaceError
from commonplace.wire.calls import Call
from commonplace.wire.messages import Message
from commonplace.wire.process import WorkerDiedError


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
    """Asks the measuring process, which lives for one measurement."""

    progressed = Signal(object)
    """A `Progress`."""
    finished = Signal()
    stopped = Signal()
    """The user stopped it, or the process died; what was measured is kept."""
    failed = Signal(object)
    """A `CommonplaceError`."""

    def __init__(
        self, command: Sequence[str], log_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = WorkerLink(command, log_file, self)
        self._link.ended.connect(self._ended)
        self._call: Call | None = None
        self._next: Wanted | None = None
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
        if self._link.running:  # the last process is still ending
            self._next = wanted
        else:
            self._begin(wanted)

    def cancel(self) -> None:
        """Stop; what was measured until now is kept."""
        self._next = None
        if self._call is not None:
            self._link.cancel(self._call)
        elif self.wanted is not None:
            self.wanted = None
            self.stopped.emit()

    def shut(self) -> None:
        """End; the measurement can be gone on with next time."""
        self._shut = True
        self._link.stop()

    def finish(self, milliseconds: int) -> None:
        """Wait for the worker's end at the end of the program."""
        self._shut = True
        self._link.finish(milliseconds)

    def _begin(self, wanted: Wanted) -> None:
        self._link.start()
        self._call = self._link.request(
            "measure",
            wanted.params(),
            on_result=lambda _: self._done(None),
            on_error=self._done,
            on_data=self._data,
        )

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
        self._link.stop()  # it holds a model: its memory is given back
        if self._shut:
            return
        if error is None:
            self.finished.emit()
        elif isinstance(error, CancelledError):
            self.stopped.emit()
        else:
            self.failed.emit(_said(self, error))

    def _ended(self) -> None:
        wanted, self._next = self._next, None
        if wanted is not None and not self._shut:
            self._begin(wanted)


def _said(owner: QObject, error: CommonplaceError) -> CommonplaceError:
    if not isinstance(error, WorkerDiedError):
        return error
    return CommonplaceError(
        owner.tr("The process that measures ended unexpectedly."),
        owner.tr("What it measured until then is kept: measure again to go on from there."),
    )
