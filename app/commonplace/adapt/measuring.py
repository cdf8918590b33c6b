"""How well some texts are foretold: by llama.cpp, as they will be, and by torch, to compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from commonplace.adapt.training import Trainee
from commonplace.engine.types import AdapterState, ModelInfo, Score, Tokens
from commonplace.errors import EngineError


@dataclass(frozen=True, slots=True)
class Question:
    """A text to be foretold behind `prefix` and `context`, which together are not empty.

    Neighbouring questions share the prefix, which is then read once. `counts` says for each
    token whether it counts at the gate; empty means that all do.
    """

    part: str
    prefix: str
    context: str
    text: str
    counts: tuple[bool, ...] = ()


class Scoring(Protocol):
    """What is needed of the engine: `EngineSession`, or a fake."""

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return each text as the loaded model splits it."""

    def score(self, context: str, text: str, stop: Callable[[], bool] | None = None) -> Score:
        """Return how likely `text` is behind `context`."""

    def use_threads(self, count: int) -> None:
        """Compute with `count` threads from now on."""

    def adapter(
        self, path: Path | None, sha256: str = "", scale: float = 1.0, base: str = ""
    ) -> AdapterState:
        """Put an adapter in place, or take it away."""


class Asking:
    """The engine's side: an engine with a model loaded, which sees `room` tokens at once."""

    def __init__(self, engine: Scoring, model: ModelInfo) -> None:
        self._engine = engine
        self._threads = model.threads
        self.room = model.context

    def tokens(self, texts: Sequence[str]) -> list[Tokens]:
        """Return each text as the model splits it."""
        return self._engine.tokens(texts) if texts else []

    def scores(
        self, questions: Sequence[Question], stop: Callable[[], bool]
    ) -> list[tuple[float, ...]]:
        """Return the surprise in nats at each token of each question's text."""
        return [
            self._engine.score(question.prefix + question.context, question.text, stop).nll
            for question in questions
        ]

    @contextmanager
    def sharing(self) -> Iterator[None]:
        """Let the engine leave half of its processors to other work, and then take them back."""
        self._engine.use_threads(max(1, self._threads // 2))
        try:
            yield
        finally:
            with suppress(EngineError):  # one that died meanwhile was told of already
                self._engine.use_threads(max(1, self._threads))

    @contextmanager
    def adapted(self, path: Path, sha256: str, base: str) -> Iterator[AdapterState]:
        """Let the model compute with the adapter at `path`; afterwards it does not."""
        try:
            yield self._engine.adapter(path, sha256, 1.0, base)
        finally:
            with suppress(EngineError):
                self._engine.adapter(None)


class TorchSide:
    """The same questions to torch, by the very tokens of the engine."""

    def __init__(self, trainee: Trainee, asking: Asking) -> None:
        self._trainee = trainee
        self._asking = asking

    def mean(self, questions: Sequence[Question]) -> float:
        """Return the mean surprise in nats a token over all texts together."""
        before = self._asking.tokens([q.prefix + q.context for q in questions])
        asked = self._asking.tokens([q.text for q in questions])
        contexts = [(*tokens.beginning, *tokens.ids) for tokens in before]
        shared = _shared(contexts)
        items = [
            (context[shared:], tokens.ids) for context, tokens in zip(contexts, asked, strict=True)
        ]
        prefix = contexts[0][:shared] if contexts else ()
        values = [v for nats in self._trainee.nll_behind(prefix, items) for v in nats]
        return math.fsum(values) / len(values) if values else math.nan


def _shared(texts: Sequence[Sequence[int]]) -> int:
    """Return how many tokens all of `texts` begin with alike."""
    if not texts:
        return 0
    shortest = min(map(len, texts))
    first = texts[0]
    for position in range(shortest):
        if any(text[position] != first[position] for text in texts):
            return position
    return shortest
