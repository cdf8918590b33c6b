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
from commonplace.engine.devices import Device
from commonplace.engine.ladder import Cause, Ladder, cause_of
from commonplace.engine.types import (
    AdapterState,
    Completion,
    Continuation,
    Judgement,
    LoadOptions,
    ModelInfo,
    Sampling,
    Score,
    Tokens,
    messages_to_wire,
)
from commonplace.engine.verdicts import Verdict, Verdicts, climb
from commonplace.errors import CancelledError, EngineError, ProtocolError
from commonplace.paths import worker_command
from commonplace.wire.messages import Message as Params
from commonplace.wire.process import WorkerDiedError, WorkerProcess

log = logging.getLogger(__name__)

LOAD_SECONDS = 300.0
"""How long loading and the self-test may take before the child counts as hung."""
BUILD_SECONDS = 60.0


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
        self._verdicts = Verdicts(self._options.cache)
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
            climb(self._ladder, self._verdicts.get(path, self._options))
            self._path = path
        fell = False
        while True:
            cause: Cause = "memory"
            try:
                info = self._load_once(path, stop)
            except CancelledError:
                self.close()
                if stop is not None and stop():
                    raise
                reason = f"no answer within {self._load_seconds:g} s"
            except EngineError as error:  # its death is one of these
                self.close()
                reason, cause = error.message, cause_of(error)
            else:
                if fell:
                    self._verdicts.put(path, self._options, self._ladder)
                return info
            log.warning("%s did not load %s: %s", path.name, self._ladder.current.name, reason)
            fell = True
            if self._ladder.step_down(reason, cause) is None:
                tried = " ".join(f"[{text}]" for text in self._ladder.reasons)
                self._path = None  # the next attempt begins at the top
                raise EngineError(
                    f"{path.name} could not be run with any setting. {tried}",
                    f"Choose a smaller or another model.{self._where_to_look()}",
                )

    def retry(self, path: Path) -> ModelInfo:
        """Load the model at `path` with all that was asked, whatever held before."""
        self._verdicts.forget(path, self._options)
        self._path = None
        return self.load(path)

    def verdict(self, path: Path) -> Verdict | None:
        """Return what is remembered of the model at `path`."""
        return self._verdicts.get(path, self._options)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text as content."""
        counts = self._request("count", {"texts": list(texts)}).get("counts")
        if not isinstance(counts, list):
            raise ProtocolError("The engine did not count.")
        return counts

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return each text as the loaded model splits it."""
        split = self._request("tokens", {"texts": list(texts)}).get("texts")
        if not isinstance(split, list):
            raise ProtocolError("The engine did not split the texts.")
        return [Tokens.from_wire(item) for item in split]

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
        conversation: str = "",
    ) -> Completion:
        """Answer; `on_text` gets the pieces, and `stop` is asked about every 50 ms.

        The state of a `conversation` with a name is kept for the next time.

        Raises `EngineError` when the prompt does not fit or the child died.
        """
        params = {
            "messages": messages_to_wire(messages),
            "sampling": sampling.to_wire(),
            "conversation": conversation,
        }

        def on_data(data: Params) -> None:
            if on_text is not None:
                on_text(str(data.get("text", "")))

        try:
            return Completion.from_wire(self._request("complete", params, on_data, stop))
        except CancelledError:
            if stop is not None and stop():  # before it had begun
                return Completion("", "cancelled", 0, 0, 0, 0.0, 0.0)
            raise

    def keep(self) -> None:
        """Save the state of the conversation answered last."""
        self._request("keep", {})

    def build(self) -> tuple[tuple[Device, ...], str]:
        """Return what this build of llama.cpp can compute on, and its processor features."""
        data = self._running().request("build", {}, deadline=BUILD_SECONDS)
        devices = tuple(Device.from_wire(item) for item in data.get("devices", []))
        return devices, str(data.get("features", ""))

    def judge(self, text: str) -> Judgement:
        """Measure how fast the loaded model is, and how much `text` surprises it."""
        return Judgement.from_wire(self._request("judge", {"text": text}))

    def score(self, context: str, text: str, stop: Callable[[], bool] | None = None) -> Score:
        """Return how likely `text` is behind `context`; see `Model.score`."""
        params = {"context": context, "text": text}
        return Score.from_wire(self._request("score", params, stop=stop))

    def use_threads(self, count: int) -> None:
        """Compute with `count` threads from now on, until a model is loaded."""
        self._request("use_threads", {"count": count})

    def continue_text(
        self,
        context: str,
        max_tokens: int,
        stop_at: Sequence[str] = (),
        stop: Callable[[], bool] | None = None,
    ) -> str:
        """Write on from `context` until one of `stop_at`; see `Model.continue_text`.

        Raises `CancelledError` once `stop` says yes.
        """
        params = {"context": context, "max_tokens": max_tokens, "stop": list(stop_at)}
        written = Continuation.from_wire(self._request("continue", params, stop=stop))
        if written.finish == "cancelled":
            raise CancelledError("Writing on was stopped.")
        return written.text

    def adapter(
        self, path: Path | None, sha256: str = "", scale: float = 1.0, base: str = ""
    ) -> AdapterState:
        """Put the adapter at `path` in place, or take it away; see `Model.adapter`.

        A child that died and was started again has none.
        """
        named = None if path is None else str(path)
        params = {"path": named, "sha256": sha256, "scale": scale, "base": base}
        return AdapterState.from_wire(self._request("adapter", params))

    def requantise(self, path: Path, target: Path, kind: str) -> int:
        """Write the model at `path` as `kind` to `target`; return its bytes.

        Takes seconds to minutes. Raises `ModelError` or `StorageError`.
        """
        params = {"path": str(path), "target": str(target), "kind": kind}
        return int(self._running().request("requantise", params)["bytes"])

    def _running(self) -> WorkerProcess:
        if self._process is None:
            self._process = WorkerProcess(
                self._command, log_file=self._log_file, on_event=self._heard
            )
            self._process.start()
        return self._process

    def _load_once(self, path: Path, stop: Callable[[], bool] | None) -> ModelInfo:
        rung = self._ladder.current
        params = {"path": str(path), "options": rung.options.to_wire(), "rung": rung.name}
        result = self._running().request("load", params, deadline=self._load_seconds, stop=stop)
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
            lower = self._ladder.step_down(error.message, cause_of(error))
            then = f" It will run {lower.name}. {lower.sentence}" if lower is not None else ""
            raise EngineError(
                f"The model's process ended unexpectedly. {error.message}",
                f"Load the model again.{then}{self._where_to_look()}",
            ) from error

    def _heard(self, event: str, data: Params) -> None:
        if event != "loading":
            return
        self._ladder.offloads = bool(data.get("offloads", True))
        self._ladder.on_card = int(data.get("layers", 0))
        if self._on_progress is not None:
            self._on_progress(float(data.get("fraction", 0.0)))

    def _where_to_look(self) -> str:
        return "" if self._log_file is None else f" The log is {self._log_file}."
