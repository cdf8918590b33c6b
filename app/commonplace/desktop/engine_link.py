"""The local model, seen from the window: loads it, and steps down when it dies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from commonplace.chat.messages import Message as ChatMessage
from commonplace.desktop.worker import WorkerLink
from commonplace.engine.ladder import Ladder
from commonplace.engine.types import (
    Completion,
    LoadOptions,
    ModelInfo,
    Sampling,
    messages_to_wire,
)
from commonplace.errors import CommonplaceError, EngineError
from commonplace.wire.calls import Call
from commonplace.wire.messages import Message
from commonplace.wire.process import WorkerDiedError

COUNT_SECONDS = 60.0

Kind = Literal["absent", "loading", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the model is doing. `fraction` counts while it loads, from 0 to 1."""

    kind: Kind = "absent"
    fraction: float = 0.0
    info: ModelInfo | None = None
    error: CommonplaceError | None = None


class EngineLink(QObject):
    """Runs one model in a worker process and keeps it running."""

    state_changed = Signal(object)
    """An `EngineState`."""
    stepped_down = Signal(str)
    """The model died and is loaded again; says what was conceded."""

    def __init__(
        self, command: Sequence[str], log_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = WorkerLink(command, log_file, self)
        self._link.event_received.connect(self._on_event)
        self._link.died.connect(self._died)
        self._link.ended.connect(self._ended)
        self._state = EngineState()
        self._path: Path | None = None
        self._ladder = Ladder(LoadOptions())

    @property
    def state(self) -> EngineState:
        """What the model is doing."""
        return self._state

    @property
    def pid(self) -> int:
        """The worker's process id, or 0."""
        return self._link.pid

    def load(self, path: Path, options: LoadOptions) -> None:
        """Load the model at `path`, in place of the one before."""
        self._path = path
        self._ladder = Ladder(options)
        self._restart()

    def unload(self) -> None:
        """Do without a model."""
        self._path = None
        self._link.stop()
        self._set(EngineState())

    def again(self) -> None:
        """Load the same model once more, after it failed or would not stop."""
        if self._path is not None:
            self._restart()

    def kill(self) -> None:
        """End a model that does not react, and load it again as it was."""
        if self._path is not None:
            self._restart()
            self._link.kill()

    def count(
        self,
        texts: Sequence[str],
        on_result: Callable[[tuple[int, ...]], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> Call | None:
        """Count the model's tokens in each text."""
        return self._link.request(
            "count",
            {"texts": list(texts)},
            on_result=lambda data: on_result(tuple(data["counts"])),
            on_error=on_error,
            deadline=COUNT_SECONDS,
        )

    def complete(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        on_text: Callable[[str], None],
        on_result: Callable[[Completion], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> Call | None:
        """Let the model answer; the text streams to `on_text`."""
        return self._link.request(
            "complete",
            {"messages": messages_to_wire(messages), "sampling": sampling.to_wire()},
            on_data=lambda data: on_text(str(data.get("text", ""))),
            on_result=lambda data: on_result(Completion.from_wire(data)),
            on_error=on_error,
        )

    def cancel(self, call: Call | None) -> None:
        """Stop a call; what was written so far still arrives."""
        self._link.cancel(call)

    def shut(self) -> None:
        """Let the worker end."""
        self._path = None
        self._link.stop()

    def finish(self, milliseconds: int) -> None:
        """Wait for the worker's end at the end of the program."""
        self._path = None
        self._link.finish(milliseconds)

    def _restart(self) -> None:
        self._set(EngineState("loading"))
        if self._link.running:
            self._link.stop()  # `_ended` goes on
        else:
            self._start()

    def _start(self) -> None:
        if self._path is None:
            return
        rung = self._ladder.current
        self._link.start()
        self._link.request(
            "load",
            {"path": str(self._path), "options": rung.options.to_wire(), "rung": rung.name},
            on_result=self._loaded,
            on_error=self._refused,
        )

    def _loaded(self, data: Message) -> None:
        self._set(EngineState("ready", 1.0, ModelInfo.from_wire(data)))

    def _refused(self, error: CommonplaceError) -> None:
        if not isinstance(error, WorkerDiedError):  # otherwise `_died` tells
            self._set(EngineState("failed", error=error))

    def _on_event(self, name: str, data: Message) -> None:
        if name == "loading" and self._state.kind == "loading":
            self._ladder.offloads = bool(data.get("offloads", self._ladder.offloads))
            self._set(EngineState("loading", float(data.get("fraction", 0.0))))

    def _ended(self) -> None:
        self._start()

    def _died(self, status: int, crashed: bool) -> None:
        if self._path is None:
            self._set(EngineState())
            return
        if self._state.kind == "failed":
            return
        reason = "it crashed" if crashed else f"it ended with status {status}"
        rung = self._ladder.step_down(reason)
        if rung is None:
            self._set(EngineState("failed", error=self._hopeless()))
            return
        self.stepped_down.emit(rung.sentence)
        self._set(EngineState("loading"))
        self._start()

    def _hopeless(self) -> EngineError:
        tried = "; ".join(self._ladder.reasons)
        return EngineError(
            self.tr("The model's process ends with every setting ({0}).").format(tried),
            self.tr("Choose another model in the settings."),
        )

    def _set(self, state: EngineState) -> None:
        self._state = state
        self.state_changed.emit(state)
