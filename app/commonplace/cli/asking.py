"""Searching and asking with blocking calls."""

from __future__ import annotations

import contextlib
import math
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import click

from commonplace.book.book import Book
from commonplace.chat.answer import Answer, AnswerOptions, answer_steps
from commonplace.chat.prompt import Turn
from commonplace.chat.steps import Complete, Completed, Counts, CountTokens, Reply, Search, Step
from commonplace.cli.progress import Progress
from commonplace.cli.typed import Typed
from commonplace.engine.library import choose_model, folders_of
from commonplace.engine.options import ELSEWHERE, load_options
from commonplace.engine.session import EngineSession
from commonplace.engine.types import Engine, Sampling
from commonplace.errors import CancelledError, ProjectBusyError, StorageError
from commonplace.memory.project import Memory
from commonplace.memory.shared import SharedMemory
from commonplace.paths import StatePaths
from commonplace.recall.passages import Found, Passage
from commonplace.settings import Settings

CHECK_SECONDS = 5.0
"""How long one question waits for notes to be checked against the code."""
EMBED_SECONDS = 30.0
"""How long one question waits for vectors; ``commonplace index`` waits for all."""
UNEMBEDDED = "{} chunks have no vectors yet; 'commonplace index' adds them."

SearchFunction = Callable[[str, int], Found]


class Searcher(Protocol):
    """Something that answers searches about one project."""

    book: Book

    def files(self) -> list[str]:
        """Return the paths that can be searched, sorted."""

    def search(self, question: str, limit: int) -> Found:
        """Return the passages that match `question` best."""

    def search_notes(self, question: str, limit: int) -> list[Passage]:
        """Return the kept notes that have to do with `question`, best first."""


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
        memory = Memory(
            path,
            state,
            embedder=settings.recall_embedder,
            adapter=settings.recall_adapter,
            depth=settings.recall_depth,
            on_status=progress.show,
        )
    except ProjectBusyError:
        shared = SharedMemory(
            path, state, embedder=settings.recall_embedder, adapter=settings.recall_adapter
        )
        try:
            yield shared
        finally:
            shared.close()
        return
    try:
        memory.refresh()
        _embed(memory, math.inf if many else EMBED_SECONDS)
        _check_notes(memory)
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


def _check_notes(memory: Memory) -> None:
    """Look whether notes are still true, for a while; trouble with them is told elsewhere."""
    end = time.monotonic() + CHECK_SECONDS
    with contextlib.suppress(CancelledError, StorageError):
        memory.tend_notes(lambda: time.monotonic() > end)


def count_uses(searcher: Searcher, answer: Answer) -> None:
    """Count that the notes an answer cites have helped; without a record nothing is lost."""
    cited = {(citation.path, citation.start_line) for citation in answer.citations}
    helped = [p.note for p in answer.passages if p.note and (p.path, p.start_line) in cited]
    if helped and answer.model:
        with contextlib.suppress(StorageError):
            searcher.book.records.used(helped, secrets.token_hex(8))


def ask_model(
    typed: Typed,
    search: SearchFunction,
    settings: Settings,
    state: StatePaths,
    model: Path | None,
    on_text: Callable[[str], None],
    prepare: Callable[[EngineSession, Path], None] = lambda _engine, _path: None,
) -> Answer:
    """Answer what was `typed`; the text streams to `on_text` while the model writes.

    `prepare` gets the engine with the model at a path, before it is asked. Without a
    model the passages are the answer. Raises `ModelError`, `EngineError` and
    `QuestionError`.
    """
    named = str(model) if model is not None else settings.model_path
    elsewhere = model is None and bool(settings.model_endpoint)
    path = ELSEWHERE if elsewhere else choose_model(named, folders_of(settings, state))
    options = replace(AnswerOptions.chosen(settings), edits=typed.edits)
    chosen = typed.chosen

    def recall(_question: str, limit: int) -> Found:
        return chosen.applied(search(typed.recall, chosen.searched(limit)), limit)

    if path is None:
        return drive(typed.model, options, recall, None, on_text)
    with EngineSession(load_options(settings, state), state.logs / "engine.log") as engine:
        info = engine.load(path)
        options = options.for_model(info.name, info.context, info.parameters)
        if path != ELSEWHERE:
            prepare(engine, path)
        return drive(typed.model, options, recall, engine, on_text)


def drive(
    question: str,
    options: AnswerOptions,
    search: SearchFunction,
    engine: Engine | None,
    on_text: Callable[[str], None],
    history: Sequence[Turn] = (),
) -> Answer:
    """Answer the steps of an answer one after the other."""
    steps = answer_steps(question, options, history)
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
    sampling = Sampling(step.max_tokens, step.temperature, grammar=step.grammar, copies=step.copies)
    done = engine.complete(step.messages, sampling, on_text)
    return Completed(
        text=done.text,
        finish=done.finish,
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        first_token_ms=done.first_token_ms,
    )
