"""The process that trains, seen from the window: one estimate or one training at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from commonplace.adapt.records import Gate, Record, Source
from commonplace.desktop.worker import WorkerLink
from commonplace.errors import AdapterError, CancelledError, CommonplaceError, ProtocolError
from commonplace.wire.calls import Call
from commonplace.wire.messages import Message
from commonplace.wire.process import WorkerDiedError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to adapt: `file` is relative to `root`, `model` the path of the loaded model."""

    root: Path
    file: str
    model: str
    neighbours: bool = False
    seed: int = 1

    def params(self) -> Message:
        """Return it as the worker takes it."""
        return {
            "root": str(self.root), "file": self.file, "model": self.model,
            "neighbours": self.neighbours, "seed": self.seed,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """What adapting would take, and what it would learn from; or why it will not be done."""

    seconds: float = 0.0
    memory_bytes: int = 0
    tokens: int = 0
    files: tuple[Source, ...] = ()
    refusal: CommonplaceError | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far training is; `loss` and `heldout` are in nats a token, where they are new."""

    phase: str = ""
    fraction: float = 0.0
    epoch: int = 0
    step: int = 0
    loss: float | None = None
    heldout: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `reason` is a sentence for people."""

    accepted: bool
    reason: str
    seconds: float = 0.0
    gate: Gate = field(default_factory=Gate)
    trained_on: tuple[Source, ...] = ()
    record: Record | None = None
    """The adapter that is kept, if this is shown from what was kept."""


class AdaptLink(QObject):
    """Asks the training process, which lives for one request: it gives back its memory."""

    progressed = Signal(object)
    """A `Progress`."""
    finished = Signal(object)
    """An `Outcome`."""
    stopped = Signal()
    """The user stopped it."""
    failed = Signal(object)
    """A `CommonplaceError`."""

    def __init__(
        self, command: Sequence[str], log_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = WorkerLink(command, log_file, self)
        self._link.ended.connect(self._ended)
        self._estimates = WorkerLink(command, log_file, self)
        self._estimates.ended.connect(self._estimates_ended)
        self._call: Call | None = None
        self._next: Wanted | None = None
        self._next_estimate: Callable[[], None] | None = None
        self._ticket = 0
        self._shut = False
        self.wanted: Wanted | None = None
        """What is being trained, or None."""
        self.last = Progress()

    @property
    def pid(self) -> int:
        """The training process's id, or 0."""
        return self._link.pid

    @property
    def running(self) -> bool:
        """Whether something is being trained."""
        return self.wanted is not None

    def estimate(
        self,
        wanted: Wanted,
        on_result: Callable[[Estimate], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> None:
        """Ask what adapting would take; a newer question makes an older one void."""
        self._ticket += 1
        ticket = self._ticket

        def told(data: Message) -> None:
            self._estimates.stop()
            if ticket == self._ticket:
                on_result(estimate_of(data))

        def refused(error: CommonplaceError) -> None:
            self._estimates.stop()
            if ticket == self._ticket and not self._shut:
                on_error(said_of(self, error))

        def ask() -> None:
            self._estimates.start()
            self._estimates.request("estimate", wanted.params(), on_result=told, on_error=refused)

        if self._estimates.running:  # another question was asked: its process makes room
            self._next_estimate = ask
            self._estimates.stop()
        elif not self._shut:
            ask()

    def adapt(self, wanted: Wanted) -> None:
        """Train; `progressed` and one of the other signals follow."""
        if self.wanted is not None or self._shut:
            return
        self.wanted = wanted
        self.last = Progress()
        if self._link.running:  # the last process is still ending
            self._next = wanted
        else:
            self._begin(wanted)

    def cancel(self) -> None:
        """Stop training; nothing of it is kept."""
        self._next = None
        if self._call is not None:
            self._link.cancel(self._call)
        elif self.wanted is not None:
            self.wanted = None
            self.stopped.emit()

    def shut(self) -> None:
        """End; what was being trained is lost, and nothing else."""
        self._shut = True
        self._link.stop()
        self._estimates.stop()

    def finish(self, milliseconds: int) -> None:
        """Wait for the processes' end at the end of the program."""
        self._shut = True
        self._link.finish(milliseconds)
        self._estimates.finish(milliseconds)

    def _begin(self, wanted: Wanted) -> None:
        self._link.start()
        self._call = self._link.request(
            "adapt",
            wanted.params(),
            on_result=lambda data: self._done(outcome_of(data)),
            on_error=self._done,
            on_data=self._data,
        )

    def _data(self, data: Message) -> None:
        self.last = progress_of(data)
        self.progressed.emit(self.last)

    def _done(self, outcome: Outcome | CommonplaceError) -> None:
        self._call = None
        self.wanted = None
        self._link.stop()
        if self._shut:
            return
        if isinstance(outcome, Outcome):
            self.finished.emit(outcome)
        elif isinstance(outcome, CancelledError):
            self.stopped.emit()
        else:
            self.failed.emit(said_of(self, outcome))

    def _ended(self) -> None:
        wanted, self._next = self._next, None
        if wanted is not None and not self._shut:
            self._begin(wanted)

    def _estimates_ended(self) -> None:
        ask, self._next_estimate = self._next_estimate, None
        if ask is not None and not self._shut:
            ask()


def said_of(owner: QObject, error: CommonplaceError) -> CommonplaceError:
    """Return `error` in words that say what it means for the model."""
    if not isinstance(error, WorkerDiedError):
        return error
    return AdapterError(
        owner.tr("The process that trains ended unexpectedly. Nothing was kept."),
        owner.tr(
            "The model is as it was. If it happens again, close other programs: "
            "training needs much memory."
        ),
    )


def estimate_of(data: Mapping[str, Any]) -> Estimate:
    """Return the worker's estimate; raises `ProtocolError`."""
    refused = data.get("refusal")
    refusal = None
    if isinstance(refused, Mapping):
        refusal = AdapterError(str(refused.get("message", "")), str(refused.get("remedy", "")))
    return Estimate(
        float(data.get("seconds") or 0.0),
        int(data.get("memory_bytes") or 0),
        int(data.get("tokens") or 0),
        _sources(data.get("files")),
        refusal,
        str(data.get("note") or ""),
    )


def progress_of(data: Mapping[str, Any]) -> Progress:
    """Return what the worker says of how far it is."""
    return Progress(
        str(data.get("phase", "")),
        min(1.0, max(0.0, float(data.get("fraction") or 0.0))),
        int(data.get("epoch") or 0),
        int(data.get("step") or 0),
        _number(data.get("loss")),
        _number(data.get("heldout")),
        _number(data.get("seconds_left")),
    )


def outcome_of(data: Mapping[str, Any]) -> Outcome:
    """Return what came of training; raises `ProtocolError` or `BadRecordError`."""
    return Outcome(
        data.get("accepted") is True,
        str(data.get("reason", "")),
        float(data.get("seconds") or 0.0),
        Gate.from_wire(data.get("gate")),
        _sources(data.get("trained_on")),
    )


def _sources(data: object) -> tuple[Source, ...]:
    if not isinstance(data, list) or not all(isinstance(item, Mapping) for item in data):
        raise ProtocolError("The files of an adapter are no list.")
    return tuple(
        Source(str(item.get("path", "")), str(item.get("why", "")), int(item.get("tokens") or 0))
        for item in data
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
