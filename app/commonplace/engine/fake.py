"""The engine without a model: deterministic, instant, and able to misbehave.

Tokens are words. Scripted answers are given in turn; without any, the last
line of the question is echoed. The last user message may command it:

==================  ======================================================
in the message      what happens
==================  ======================================================
``!say TEXT``       the answer is TEXT, the rest of that line; ``⏎`` ends a line
``!long``           two thousand words, unless the limit is lower
``!stall``          nothing is written until the answer is cancelled
``!hang``           one word is written, and then cancelling does not help
``!crash``          the process dies after the first word
``!adapter``        the answer names the adapter in place and its scale
==================  ======================================================

So may the name of the model file: ``damaged`` is refused, ``crash`` dies while
loading, ``crash-repack`` only on rungs that repack, ``hang`` waits to be
stopped. The file itself is not opened and need not exist. That of an adapter is:
its checksum and its base are checked as with the real engine, and nothing else.

Scores are made up but stand to reason: a word costs 4 nats, 2 if it occurred
before, and with an adapter in place as many tenths less as its scale has.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from commonplace.chat.messages import Message
from commonplace.engine.adapters import Use, check_base, checked_scale, verified_bytes
from commonplace.engine.identity import model_id
from commonplace.engine.textstream import TextStream
from commonplace.engine.types import (
    AdapterState,
    Completion,
    Continuation,
    Finish,
    Judgement,
    LoadOptions,
    ModelInfo,
    Sampling,
    Score,
    Tokens,
)
from commonplace.errors import CancelledError, EngineError, ModelError

LONG_WORDS = 2000
_TOKEN = re.compile(r"\s*\S+|\s+")
_TICK = 0.005

Crash = Callable[[], NoReturn]


def crash_here() -> NoReturn:
    """Behave as a session does whose child died."""
    raise EngineError(
        "The model's process ended unexpectedly. The worker process ended by signal 9.",
        "Load the model again.",
    )


class FakeModel:
    """The `Model` of the fake; see `commonplace.engine.types.Model`."""

    def __init__(self, info: ModelInfo, answers: Sequence[str] = (), crash: Crash = crash_here):
        self.info = info
        self._answers = list(answers)
        self._crash = crash
        self._live: list[str] = []
        self.conversations: list[str] = []
        self.kept: list[str] = []
        self.use: Use | None = None

    def judge(self, text: str) -> Judgement:
        """Return a judgement that depends on nothing."""
        return Judgement(100.0, 10.0, float(bool(text)))

    def score(self, context: str, text: str, stopped: Callable[[], bool]) -> Score:
        """Make up likelihoods as the module's description says."""
        before, words = _TOKEN.findall(context), _TOKEN.findall(text)
        self._check_room(len(before) + len(words))
        if stopped():
            raise CancelledError("Scoring was stopped.")
        gain = 1 - 0.1 * self.use.scale if self.use else 1.0
        seen = {word.strip() for word in before}
        nll = []
        for word in words:
            nll.append((2.0 if word.strip() in seen else 4.0) * gain)
            seen.add(word.strip())
        return Score(tuple(zlib.crc32(word.encode()) & 0xFFFF for word in words), tuple(nll))

    def use_threads(self, count: int) -> None:
        """Say from now on that it computes with `count` threads."""
        self.info = replace(self.info, threads=count)

    def continue_text(
        self, context: str, max_tokens: int, stop: Sequence[str], stopped: Callable[[], bool]
    ) -> Continuation:
        """Repeat the last line of `context`, or give the next scripted answer."""
        lines = context.strip().splitlines() or ["nothing"]
        words = _TOKEN.findall(self._answers.pop(0) if self._answers else lines[-1])
        self._check_room(self.count(context) + max_tokens)
        stream = TextStream(stop)
        text = "".join(stream.feed(word.encode()) for word in words[:max_tokens])
        finish: Finish = "length" if len(words) > max_tokens and not stream.stopped else "stop"
        if stopped():
            finish = "cancelled"
        return Continuation(text + stream.flush(), min(len(words), max_tokens), finish)

    def adapter(self, path: Path | None, sha256: str, scale: float, base: str) -> AdapterState:
        """Note which adapter is in place; its file must be there and be the one named."""
        started = time.monotonic()
        self.use = None
        self._live.clear()
        if path is not None:
            checked_scale(scale)
            check_base(path.name, base, model_id(Path(self.info.path)))
            verified_bytes(path, sha256)
            self.use = Use(sha256, scale)
        return AdapterState(self.use is not None, (time.monotonic() - started) * 1000)

    def forget(self, conversation: str) -> None:
        """Forget that the conversation was ever kept."""
        self.kept = [name for name in self.kept if name != conversation]

    def keep(self) -> None:
        """Note that the conversation answered last was to be kept."""
        self.kept += self.conversations[-1:]

    def close(self) -> None:
        """Forget the conversation."""
        self._live.clear()

    def count(self, text: str) -> int:
        """Return the number of words."""
        return len(_TOKEN.findall(text))

    def tokens(self, text: str) -> Tokens:
        """Split `text` into words."""
        words = _TOKEN.findall(text)
        ids = tuple(zlib.crc32(word.encode()) & 0xFFFF for word in words)
        return Tokens(ids, tuple(len(word.encode()) for word in words))

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the number of words, and one turn mark for each message and the answer."""
        return len(_prompt(messages))

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
        conversation: str = "",
    ) -> Completion:
        """Answer as the module's description says."""
        started = time.monotonic()
        prompt = _prompt(messages)
        self._check_room(len(prompt) + sampling.max_tokens)
        reused = _shared(self._live, prompt)
        written: list[str] = []
        finish: Finish = "stop"
        for token in self._tokens(messages, stopped):
            if stopped():
                finish = "cancelled"
                break
            if len(written) == sampling.max_tokens:
                finish = "length"
                break
            written.append(token)
            on_text(token)
        if stopped():
            finish = "cancelled"
        self._live = prompt + written
        if conversation:
            self.conversations.append(conversation)
        elapsed = (time.monotonic() - started) * 1000
        return Completion(
            "".join(written), finish, len(prompt), reused, len(written), elapsed, elapsed
        )

    def _check_room(self, tokens: int) -> None:
        if tokens > self.info.context:
            raise EngineError(
                f"This takes {tokens} tokens with the answer; "
                f"this model sees {self.info.context} at once.",
                "Ask with fewer or shorter passages.",
            )

    def _tokens(self, messages: Sequence[Message], stopped: Callable[[], bool]) -> Iterator[str]:
        question = next((m.content for m in reversed(messages) if m.role == "user"), "")
        if "!crash" in question:
            yield "This"
            self._crash()
        if "!hang" in question:
            yield "Well "
        while "!hang" in question or ("!stall" in question and not stopped()):
            time.sleep(_TICK)
        if "!long" in question:
            yield from (f"word{number} " for number in range(LONG_WORDS))
        elif "!stall" not in question:
            yield from _TOKEN.findall(self._answer(question))

    def _answer(self, question: str) -> str:
        _, said, text = question.partition("!say ")
        if said:
            return text.partition("\n")[0].replace("⏎", "\n")
        if "!adapter" in question:
            return f"adapter {self.use.sha256[:8]} {self.use.scale:g}" if self.use else "no adapter"
        if self._answers:
            return self._answers.pop(0)
        lines = question.strip().splitlines() or ["nothing"]
        return f"You asked: {lines[-1]}"


def open_fake(
    path: Path,
    options: LoadOptions,
    rung: str,
    on_progress: Callable[[float, int], None],
    stopped: Callable[[], bool],
    *,
    answers: Sequence[str] = (),
    crash: Crash = crash_here,
) -> FakeModel:
    """Open a fake model as the name of `path` says; see the module's description."""
    name = path.name.lower()
    on_progress(0.0, -1)
    if "damaged" in name:
        raise ModelError(f"{path.name} is not a GGUF file.", "Choose another model.")
    if "crash" in name and (options.repack or "crash-repack" not in name):
        crash()
    while "hang" in name and not stopped():
        time.sleep(_TICK)
    if stopped():
        raise CancelledError("Loading was stopped.")
    on_progress(1.0, -1)
    info = ModelInfo(
        name=path.stem,
        path=str(path),
        architecture="fake",
        family="fake",
        parameters=1,
        context=options.context,
        quantisation="none",
        file_bytes=0,
        memory_bytes=0,
        backend="none",
        rung=rung,
        note="This is not a model: it repeats what it is asked.",
    )
    return FakeModel(info, answers, crash)


class FakeEngine:
    """`EngineSession` without a process, for tests of those who use an engine.

    `asked` has the messages of each completion, in order.
    """

    def __init__(self, answers: Sequence[str] = (), options: LoadOptions | None = None) -> None:
        self._answers = answers
        self._options = options or LoadOptions()
        self._model: FakeModel | None = None
        self.asked: list[list[Message]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def load(self, path: Path, *, stop: Callable[[], bool] | None = None) -> ModelInfo:
        """Open the fake that the name of `path` asks for."""
        self._model = open_fake(
            path,
            self._options,
            "as asked",
            lambda _fraction, _layers: None,
            stop or _never,
            answers=self._answers,
        )
        return self._model.info

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of words of each text."""
        model = self._loaded()
        return [model.count(text) for text in texts]

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Split each text into words."""
        model = self._loaded()
        return [model.tokens(text) for text in texts]

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the number of words and turn marks of the prompt."""
        return self._loaded().count_messages(messages)

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None] | None = None,
        stop: Callable[[], bool] | None = None,
        conversation: str = "",
    ) -> Completion:
        """Answer as the module's description says."""
        model = self._loaded()
        self.asked.append(list(messages))
        try:
            return model.complete(
                messages, sampling, on_text or _ignore, stop or _never, conversation
            )
        except EngineError as error:
            if "ended unexpectedly" in error.message:
                self._model = None
            raise

    def score(self, context: str, text: str, stop: Callable[[], bool] | None = None) -> Score:
        """Make up likelihoods as the module's description says."""
        return self._loaded().score(context, text, stop or _never)

    def continue_text(
        self,
        context: str,
        max_tokens: int,
        stop_at: Sequence[str] = (),
        stop: Callable[[], bool] | None = None,
    ) -> str:
        """Repeat the last line of `context`, or give the next scripted answer."""
        return self._loaded().continue_text(context, max_tokens, stop_at, stop or _never).text

    def adapter(
        self, path: Path | None, sha256: str = "", scale: float = 1.0, base: str = ""
    ) -> AdapterState:
        """Note which adapter is in place."""
        return self._loaded().adapter(path, sha256, scale, base)

    def close(self) -> None:
        """Forget the model."""
        self._model = None

    def _loaded(self) -> FakeModel:
        if self._model is None:
            raise EngineError("No model is loaded.", "Load a model first.")
        return self._model


def _never() -> bool:
    return False


def _ignore(_text: str) -> None:
    pass


def _prompt(messages: Sequence[Message]) -> list[str]:
    prompt = []
    for message in messages:
        prompt.append(f"<{message.role}>")
        prompt += _TOKEN.findall(message.content)
    return [*prompt, "<assistant>"]


def _shared(live: list[str], prompt: list[str]) -> int:
    count = 0
    for ours, theirs in zip(live, prompt[:-1], strict=False):
        if ours != theirs:
            break
        count += 1
    return count
