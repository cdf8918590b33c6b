"""A loaded model that answers: llama.cpp, a chat template and a self-test."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from commonplace.chat.messages import Message
from commonplace.engine.gguf import Header
from commonplace.engine.llama import Llama, can_offload
from commonplace.engine.loops import LoopGuard
from commonplace.engine.templates import FORGEABLE_NOTE, PLAIN, PLAIN_NOTE, detect_family, render
from commonplace.engine.textstream import TextStream
from commonplace.engine.types import Completion, Finish, LoadOptions, ModelInfo, Sampling
from commonplace.errors import EngineError, ModelError

TEST_TOKENS = 16
TEST_TEXT = "A commonplace book keeps, in its reader's own words, what is worth remembering. "
SMALL_MODEL = 1_000_000_000
"""Models below this many parameters fall into loops, which are broken up."""
SMALL_NOTE = (
    "With {:,.0f} million parameters this model writes short, simple answers and often errs: "
    "trust the passages. A coder model of 1.5 billion or more reads them far better."
)


class LlamaModel:
    """The `Model` of llama.cpp; see `commonplace.engine.types.Model`."""

    def __init__(
        self,
        header: Header,
        options: LoadOptions,
        *,
        rung: str = "as asked",
        memory_bytes: int = 0,
        on_progress: Callable[[float], None] = lambda _fraction: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load the model of `header`; raises as `Llama` does.

        `memory_bytes` is what it is expected to need, for its `info`.
        """
        context = min(options.context, header.context_length)
        self._header = header
        self._llama = Llama(
            header.path, options, context=context, on_progress=on_progress, stopped=stopped
        )
        self._family = detect_family(header.chat_template, header.architecture)
        self.info = ModelInfo(
            name=header.path.stem,
            path=str(header.path),
            architecture=header.architecture,
            family=self._family.name,
            parameters=header.parameters,
            context=self._llama.context,
            quantisation=header.quantisation,
            file_bytes=header.file_bytes,
            memory_bytes=memory_bytes,
            backend="GPU" if can_offload() and options.gpu_layers else "CPU",
            rung=rung,
            note=self._note(options),
        )

    def close(self) -> None:
        """Free the model's memory; safe to repeat."""
        self._llama.close()

    def self_test(self) -> None:
        """Evaluate sixteen tokens and draw one; raises `EngineError` for nonsense.

        A faulty processor path dies in its first batch of several tokens: it
        does so here, before anyone was told that the engine is healthy.
        """
        tokens = (self._llama.tokens(TEST_TEXT) * TEST_TOKENS)[:TEST_TOKENS]
        if not tokens:
            raise ModelError("The model has an empty vocabulary.", "Choose another model.")
        self._llama.rewind([])
        self._llama.evaluate(tokens, lambda: False)
        if not self._llama.makes_sense():
            raise EngineError(
                "The model computes nonsense with this setting.", "Choose another model file."
            )
        with self._llama.drawing(Sampling(temperature=0.0), break_loops=False) as draw:
            draw()
        self._llama.rewind([])

    def count(self, text: str) -> int:
        """Return the tokens of `text` as content."""
        return len(self._llama.tokens(text))

    def count_messages(self, messages: Sequence[Message]) -> int:
        """Return the tokens of the whole prompt made from `messages`."""
        return len(self._prompt(messages))

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None],
        stopped: Callable[[], bool],
    ) -> Completion:
        """Answer; raises `EngineError` if the prompt and the answer do not fit."""
        started = time.monotonic()
        prompt = self._prompt(messages)
        self._check_room(len(prompt), sampling.max_tokens)
        reused = self._llama.rewind(prompt)
        stream = TextStream(self._family.stops)
        written: list[str] = []
        first = 0.0
        drawn = 0

        def emit(text: str) -> None:
            if text:
                written.append(text)
                on_text(text)

        finish: Finish = "length"
        pending = prompt[reused:]
        small = not sampling.repeat_penalty and self.info.parameters < SMALL_MODEL
        guard = LoopGuard() if small else None
        with self._llama.drawing(sampling, break_loops=small) as draw:
            while drawn < sampling.max_tokens:
                if stopped() or not self._llama.evaluate(pending, stopped):
                    finish = "cancelled"
                    break
                token = draw()
                first = first or _since(started)
                drawn += 1
                ended = self._llama.ends(token)
                if not ended:
                    emit(stream.feed(self._llama.bytes_of(token)))
                if ended or stream.stopped:
                    finish = "stop"
                    break
                if guard is not None and guard.circles(token):
                    finish = "repeated"
                    break
                pending = [token]
        emit(stream.flush())
        text = "".join(written)
        return Completion(text, finish, len(prompt), reused, drawn, first, _since(started))

    def _prompt(self, messages: Sequence[Message]) -> list[int]:
        tokens = self._llama.beginning()
        for text, special in render(self._family, messages):
            tokens += self._llama.tokens(text, special=special)
        return tokens

    def _check_room(self, prompt: int, answer: int) -> None:
        room = self._llama.context
        if prompt + answer > room:
            raise EngineError(
                f"The question takes {prompt:,} tokens and the answer may take {answer:,}; "
                f"together that is more than the {room:,} this model sees at once.",
                "Ask with fewer or shorter passages, allow a shorter answer, "
                "or raise model.context if the model and the memory allow it.",
            )

    def _note(self, options: LoadOptions) -> str:
        notes = []
        if self._family is PLAIN:
            notes.append(PLAIN_NOTE)
        elif any(len(self._llama.tokens(m, special=True)) != 1 for m in self._family.marks):
            notes.append(FORGEABLE_NOTE)
        if self._llama.context < options.context:
            notes.append(f"This model sees {self._llama.context:,} tokens at once and no more.")
        if self._header.parameters < SMALL_MODEL:
            notes.append(SMALL_NOTE.format(self._header.parameters / 1e6))
        return " ".join(notes)


def _since(started: float) -> float:
    return round((time.monotonic() - started) * 1000, 1)
