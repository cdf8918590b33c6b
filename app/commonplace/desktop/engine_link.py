"""The local model, seen from the window: loads it, and steps down when it dies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from commonplace.adapt.records import Record
from commonplace.chat.messages import Message as ChatMessage
from commonplace.desktop.worker import WorkerLink
from commonplace.engine.ladder import Ladder, cause_of
from commonplace.engine.states import forget
from commonplace.engine.types import (
    Completion,
    LoadOptions,
    ModelInfo,
    Sampling,
    messages_to_wire,
)
from commonplace.engine.verdicts import Verdicts, climb
from commonplace.errors import CommonplaceError, EngineError
from commonplace.wire.calls import Call
from commonplace.wire.messages import Message
from commonplace.wire.process import WorkerDiedError

COUNT_SECONDS = 60.0
MINUTE_MS = 60_000

Kind = Literal["absent", "loading", "ready", "failed", "asleep"]


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the model is doing. `fraction` counts while it loads, from 0 to 1.

    ``asleep`` has freed its memory and wakes for the next question. `conceded`
    says in words what it does without, and `reasons` why.
    """

    kind: Kind = "absent"
    fraction: float = 0.0
    info: ModelInfo | None = None
    error: CommonplaceError | None = None
    conceded: str = ""
    reasons: tuple[str, ...] = ()


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
        self._options = LoadOptions()
        self._ladder = Ladder(self._options)
        self._fell = False
        self.idle_minutes = 0
        """Minutes without a call after which the model's memory is freed; 0 for never."""
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.timeout.connect(self._doze)
        self._busy = 0

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
        self._options = options
        self._ladder = Ladder(options)
        verdicts = Verdicts(options.cache)
        climb(self._ladder, verdicts.get(path, options))
        self._fell = False
        self._restart()

    def at_full_speed(self) -> None:
        """Load the model with all that was asked, whatever did not hold before."""
        if self._path is not None:
            Verdicts(self._options.cache).forget(self._path, self._options)
            self.load(self._path, self._options)

    def wake(self) -> None:
        """Load a model that sleeps; nothing else does."""
        if self._state.kind == "asleep":
            self._restart()

    def forget(self, conversation: str) -> None:
        """Delete what is kept of `conversation`, which is deleted itself."""
        if self._options.cache:
            forget(Path(self._options.cache) / "states", conversation)
        if self._state.kind == "ready":  # it must not keep it again
            self._send("forget", {"conversation": conversation})

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
        conversation: str = "",
    ) -> Call | None:
        """Let the model answer; the text streams to `on_text`.

        What it has read of a `conversation` with a name is kept on disk.
        """
        self._idle.stop()
        self._busy += 1

        def answered(data: Message) -> None:
            self._rest()
            if conversation:
                self._send("keep", {})
            on_result(Completion.from_wire(data))

        def failed(error: CommonplaceError) -> None:
            self._rest()
            on_error(error)

        return self._link.request(
            "complete",
            {
                "messages": messages_to_wire(messages),
                "sampling": sampling.to_wire(),
                "conversation": conversation,
            },
            on_data=lambda data: on_text(str(data.get("text", ""))),
            on_result=answered,
            on_error=failed,
        )

    def adapt(
        self,
        record: Record | None,
        scale: float,
        on_result: Callable[[], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> None:
        """Put an adapter into the model, or take it away; what it is asked next sees it.

        After an error the model goes on without one. A model that is loaded again has none.
        """
        params: Message = {"path": None}
        if record is not None:
            params = {
                "path": record.path,
                "sha256": record.sha256,
                "scale": scale,
                "base": record.model_identity,
            }
        self._link.request(
            "adapter", params, on_result=lambda _data: on_result(), on_error=on_error
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
        if self._fell and self._path is not None:
            Verdicts(self._options.cache).put(self._path, self._options, self._ladder)
        rung = self._ladder.current
        info = ModelInfo.from_wire(data)
        reasons = tuple(self._ladder.reasons)
        self._set(EngineState("ready", 1.0, info, conceded=rung.sentence, reasons=reasons))
        self._rest(0)

    def _refused(self, error: CommonplaceError) -> None:
        if isinstance(error, WorkerDiedError):
            return  # `_died` tells
        if isinstance(error, EngineError) and self._path is not None:
            self._step_down(error)
        else:
            self._set(EngineState("failed", error=error))

    def _send(self, method: str, params: Message) -> None:
        """Ask for something whose outcome changes nothing here."""
        self._link.request(method, params, on_result=_ignore, on_error=_ignore)

    def _rest(self, ended: int = 1) -> None:
        """Count the idle minutes from now on, unless there is work."""
        self._busy = max(0, self._busy - ended)
        if not self._busy and self.idle_minutes:
            self._idle.start(self.idle_minutes * MINUTE_MS)

    def _doze(self) -> None:
        if self._state.kind == "ready":
            self._set(EngineState("asleep", info=self._state.info))
            self._link.stop()

    def _on_event(self, name: str, data: Message) -> None:
        if name == "loading" and self._state.kind == "loading":
            self._ladder.offloads = bool(data.get("offloads", self._ladder.offloads))
            self._ladder.on_card = int(data.get("layers", 0))
            self._set(EngineState("loading", float(data.get("fraction", 0.0))))

    def _ended(self) -> None:
        if self._state.kind != "asleep":
            self._start()

    def _died(self, status: int, crashed: bool) -> None:
        if self._path is None:
            self._set(EngineState())
            return
        if self._state.kind == "failed":
            return
        self._busy = 0
        reason = "it crashed" if crashed else f"it ended with status {status}"
        self._step_down(WorkerDiedError(reason, status=-status if crashed else status))

    def _step_down(self, error: CommonplaceError) -> None:
        """Load the model again on the next rung; what fails while loading is remembered."""
        self._fell = self._fell or self._state.kind == "loading"
        rung = self._ladder.step_down(error.message, cause_of(error))
        if rung is None:
            self._set(EngineState("failed", error=self._hopeless()))
            return
        self.stepped_down.emit(rung.sentence)
        self._restart()

    def _hopeless(self) -> EngineError:
        tried = "; ".join(self._ladder.reasons)
        return EngineError(
            self.tr("The model's process ends with every setting ({0}).").format(tried),
            self.tr("Choose another model in the settings."),
        )

    def _set(self, state: EngineState) -> None:
        self._state = state
        self.state_changed.emit(state)


def _ignore(_outcome: object) -> None:
    """Take no notice."""
