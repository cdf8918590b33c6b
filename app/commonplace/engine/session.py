"""A blocking engine for the command line and tests, in a child process.

It walks the ladder: when the child dies while loading, hangs, or finds that it
computes nonsense, it is started again on the next rung. A child that dies
while answering ends that answer with an error, and the next `load` begins one
rung lower.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from commonplace.chat.messages import Message
from commonplace.engine.ladder import Ladder
from commonplace.engine.types import (
    Completion,
    LoadOptions,
    ModelInfo,
    Sampling,
    messages_to_wire,
)
from commonplace.errors import CancelledError, EngineError, ProtocolError
from commonplace.paths import worker_command
from commonplace.wire.messages import Message as Params
from commonplace.wire.process import WorkerDiedError, WorkerProcess

log = logging.getLogger(__name__)

LOAD_SECONDS = 300.0
"""How long loading and the self-test may take before the child counts as hung."""


class EngineSession:
    """One engine process at a time, and the ladder it stands on."""

    def __init__(
        self,
        options: LoadOptions | None = None,
        log_file: Path | None = None,
        *,
        command: Sequence[str] | None = None,
        load_seconds: float = LOAD_SECONDS,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        """`on_progress` gets the fraction loaded, 0 to 1, in the calling thread."""
        self._options = options or LoadOptions()
        self._log_file = log_file
        self._command = list(command) if command is not None else worker_command("engine")
        self._load_seconds = load_seconds
        self._on_progress = on_progress
        self._process: WorkerProcess | None = None
        self._ladder = Ladder(self._options)
        self._path: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the child; safe to repeat."""
        process, self._process = self._process, None
        if process is not None:
            process.stop()

    def load(self, path: Path, *, stop: Callable[[], bool] | None = None) -> ModelInfo:
        """Load the model at `path` on the highest rung that holds.

        Raises `ModelError` for a file that cannot be used, `EngineError` with
        all reasons when no rung holds, `CancelledError` once `stop` says yes.
        """
        if path != self._path:
            self._ladder = Ladder(self._options)
            self._path = path
        while True:
            try:
                return self._load_once(path, stop)
            except CancelledError:
                self.close()
                if stop is not None and stop():
                    raise
                reason = f"no answer within {self._load_seconds:g} s"
            except EngineError as error:  # its death is one of these
                self.close()
                reason = error.message
            log.warning("%s did not load %s: %s", path.name, self._ladder.current.name, reason)
            if self._ladder.step_down(reason) is None:
                tried = " ".join(f"[{text}]" for text in self._ladder.reasons)
                self._path = None  # the next attempt begins at the top
                raise EngineError(
                    f"{path.name} could not be run with any setting. {tried}",
                    f"Choose a smaller or another model.{self._where_to_look()}",
                )

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text as content."""
        counts = self._request("count", {"texts": list(texts)}).get("counts")
        if not isinstance(counts, list):
            raise ProtocolError("The engine did not count.")
        return counts

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the tokens of the whole prompt made from `messages`."""
        return int(
            self._request("count_messages", {"messages": messages_to_wire(messages)})["tokens"]
        )

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completion:
        """Answer; `on_text` gets the pieces, and `stop` is asked about every 50 ms.

        Raises `EngineError` when the prompt does not fit or the child died.
        """
        params = {"messages": messages_to_wire(messages), "sampling": sampling.to_wire()}

        def on_data(data: Params) -> None:
            if on_text is not None:
                on_text(str(data.get("text", "")))

        try:
            return Completion.from_wire(self._request("complete", params, on_data, stop))
        except CancelledError:
            if stop is not None and stop():  # before it had begun
                return Completion("", "cancelled", 0, 0, 0, 0.0, 0.0)
            raise

    def _load_once(self, path: Path, stop: Callable[[], bool] | None) -> ModelInfo:
        rung = self._ladder.current
        params = {"path": str(path), "options": rung.options.to_wire(), "rung": rung.name}
        if self._process is None:
            self._process = WorkerProcess(
                self._command, log_file=self._log_file, on_event=self._heard
            )
            self._process.start()
        result = self._process.request("load", params, deadline=self._load_seconds, stop=stop)
        return ModelInfo.from_wire(result)

    def _request(
        self,
        method: str,
        params: Params,
        on_data: Callable[[Params], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Params:
        if self._process is None:
            raise EngineError("No model is loaded.", "Load a model first.")
        try:
            return self._process.request(method, params, on_data=on_data, stop=stop)
        except WorkerDiedError as error:
            self.close()
            lower = self._ladder.step_down(error.message)
            then = f" It will run {lower.name}. {lower.sentence}" if lower is not None else ""
            raise EngineError(
                f"The model's process ended unexpectedly. {error.message}",
                f"Load the model again.{then}{self._where_to_look()}",
            ) from error

    def _heard(self, event: str, data: Params) -> None:
        if event != "loading":
            return
        self._ladder.offloads = bool(data.get("offloads", True))
        if self._on_progress is not None:
            self._on_progress(float(data.get("fraction", 0.0)))

    def _where_to_look(self) -> str:
        return "" if self._log_file is None else f" The log is {self._log_file}."
