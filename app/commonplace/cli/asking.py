"""Searching and asking with blocking calls."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import click

from commonplace.chat.answer import Answer, AnswerOptions, answer_steps
from commonplace.chat.steps import Complete, Completed, Counts, CountTokens, Reply, Search, Step
from commonplace.cli.progress import Progress
from commonplace.engine.library import choose_model
from commonplace.engine.session import EngineSession
from commonplace.engine.types import Engine, LoadOptions, Sampling
from commonplace.errors import CancelledError, ProjectBusyError
from commonplace.memory.project import Memory
from commonplace.memory.shared import SharedMemory
from commonplace.paths import StatePaths
from commonplace.recall.passages import Found
from commonplace.settings import Settings

EMBED_SECONDS = 30.0
"""How long one question waits for vectors; ``commonplace index`` waits for all."""
UNEMBEDDED = "{} chunks have no vectors yet; 'commonplace index' adds them."

SearchFunction = Callable[[str, int], Found]


class Searcher(Protocol):
    """Something that answers searches about one project."""

    def search(self, question: str, limit: int) -> Found:
        """Return the passages that match `question` best."""


@contextmanager
def opened(
    path: Path, state: StatePaths, settings: Settings, *, many: bool = False
) -> Iterator[Searcher]:
    """Open the project at `path`, bring its index up to date, and close it.

    When another process has it open, its index is searched as it is. `many`
    questions are worth waiting for all vectors, a single one is not.
    """
    progress = Progress()
    try:
        memory = Memory(path, state, embedder=settings.recall_embedder, on_status=progress.show)
    except ProjectBusyError:
        shared = SharedMemory(path, state, embedder=settings.recall_embedder)
        try:
            yield shared
        finally:
            shared.close()
        return
    try:
        memory.refresh()
        _embed(memory, math.inf if many else EMBED_SECONDS)
        progress.clear()
        if memory.waiting and not memory.status.note:
            click.echo(UNEMBEDDED.format(f"{memory.waiting:,}"), err=True)
        memory.report(phase="ready")
        yield memory
    finally:
        progress.clear()
        memory.close()


def _embed(memory: Memory, seconds: float) -> None:
    """Embed what waits, for so long at most; the next question goes on from there."""
    end = time.monotonic() + seconds
    with contextlib.suppress(CancelledError):
        memory.embed(stop=lambda: time.monotonic() > end)


def ask_model(
    question: str,
    search: SearchFunction,
    settings: Settings,
    state: StatePaths,
    model: Path | None,
    on_text: Callable[[str], None],
) -> Answer:
    """Answer `question`; the text streams to `on_text` while the model writes.

    Without a model the passages are the answer. Raises `ModelError`,
    `EngineError` and `QuestionError`.
    """
    named = str(model) if model is not None else settings.model_path
    path = choose_model(named, state.model_folders())
    options = AnswerOptions.chosen(settings)
    if path is None:
        return drive(question, options, search, None, on_text)
    load = LoadOptions(
        context=settings.model_context,
        gpu_layers=settings.model_gpu_layers,
        threads=settings.model_threads,
    )
    with EngineSession(load, state.logs / "engine.log") as engine:
        info = engine.load(path)
        options = options.for_model(info.name, info.context, info.parameters)
        return drive(question, options, search, engine, on_text)


def drive(
    question: str,
    options: AnswerOptions,
    search: SearchFunction,
    engine: Engine | None,
    on_text: Callable[[str], None],
) -> Answer:
    """Answer the steps of an answer one after the other."""
    steps = answer_steps(question, options)
    try:
        step = next(steps)
        while True:
            step = steps.send(_reply(step, search, engine, on_text))
    except StopIteration as finished:
        answer: Answer = finished.value
        return answer


def _reply(
    step: Step,
    search: SearchFunction,
    engine: Engine | None,
    on_text: Callable[[str], None],
) -> Reply:
    if isinstance(step, Search):
        return search(step.question, step.limit)
    assert engine is not None, "without a model there is only the search"
    if isinstance(step, CountTokens):
        return Counts(tuple(engine.count(step.texts)))
    assert isinstance(step, Complete)
    sampling = Sampling(max_tokens=step.max_tokens, temperature=step.temperature)
    done = engine.complete(step.messages, sampling, on_text)
    return Completed(
        text=done.text,
        finish=done.finish,
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        first_token_ms=done.first_token_ms,
    )
