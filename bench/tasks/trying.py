"""One task, layer by layer, through the program's own rooms.

The project is opened as `Memory`, the question is what a person types with the
file open (``/edit @file …``), the prompt is made by `chat`, the answer is read,
placed and written by `edits`; only then the test is run on the outcome.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from bench.tasks.sandbox import missing_tool, run_test
from bench.tasks.task import Task
from commonplace.chat.answer import Answer, AnswerOptions
from commonplace.chat.commands import words_for_model, words_for_recall
from commonplace.chat.messages import Message
from commonplace.chat.prompt import Turn
from commonplace.cli.asking import drive
from commonplace.desktop.gathering import gather
from commonplace.edits.room import Edits
from commonplace.engine.types import Completion, Engine, Sampling
from commonplace.errors import CommonplaceError
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.passages import Found, Passage

Layer = Literal["base", "recall", "book", "adapter", "repair"]
LAYERS: tuple[Layer, ...] = ("base", "recall", "book", "adapter", "repair")
"""Each has what those before it have; an adapter stays only where its gate took it."""
Outcome = Literal["passed", "failed", "too slow", "not placed", "no edit", "error", "left out"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one task on one layer.

    `output` is the end of what the test printed, or why there was no test.
    `read` names the passages of the prompt; `fact` says whether that with the
    task's decisive fact is among them.
    """

    outcome: Outcome
    output: str = ""
    answer: str = ""
    seconds: float = 0.0
    prompt_tokens: int = 0
    read: tuple[str, ...] = ()
    fact: bool = False

    @property
    def passed(self) -> bool:
        """Whether the test passes."""
        return self.outcome == "passed"


class Adapting(Protocol):
    """Gives the model an adapter for the open file, for as long as one question takes."""

    def placed(self, root: Path, file: str, state: StatePaths) -> AbstractContextManager[str]:
        """Put an adapter in place, made if need be; give the reason if there is none."""


Asked = tuple[tuple[Message, ...], Sampling]


class Seeded:
    """An engine that draws every answer with one seed, and each prompt's answer once.

    Asked the same again, a model may answer otherwise, for its sums depend on what it
    still has in memory. That is no merit of a layer that changes nothing in the prompt.
    """

    def __init__(self, engine: Engine, seed: int, known: dict[Asked, Completion]) -> None:
        self._engine = engine
        self._seed = seed
        self._known = known
        self.count = engine.count
        self.count_messages = engine.count_messages
        self.load = engine.load
        self.close = engine.close

    def complete(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        on_text: Callable[[str], None] | None = None,
        stop: Callable[[], bool] | None = None,
        conversation: str = "",
    ) -> Completion:
        """Answer with this engine's seed."""
        seeded = replace(sampling, seed=self._seed)
        key = (tuple(messages), seeded)
        if key not in self._known:
            found = self._engine.complete(messages, seeded, on_text, stop, conversation)
            self._known[key] = found
        return self._known[key]


class Trial:
    """The project of one task, open, with one engine."""

    def __init__(
        self,
        task: Task,
        memory: Memory,
        state: StatePaths,
        engine: Engine,
        options: AnswerOptions,
        seed: int = 1,
        adapting: Adapting | None = None,
    ) -> None:
        self._task = task
        self._memory = memory
        self._state = state
        self._edits = Edits(memory.root, state)
        self._engine = engine
        self._seed = seed
        self._known: dict[Asked, Completion] = {}
        self._options = replace(options, edits=True)
        self._adapting = adapting
        self._answers: dict[Layer, Answer] = {}
        self._done: dict[Layer, Attempt] = {}

    def run(self, layers: Sequence[Layer]) -> dict[Layer, Attempt]:
        """Try the task on each of `layers`, in their order."""
        for layer in LAYERS:
            if layer == "book":
                self._write_notes()
            if layer in layers:
                self._done[layer] = self._attempt(layer)
        return self._done

    def _attempt(self, layer: Layer) -> Attempt:
        try:
            match layer:
                case "adapter":
                    return self._adapted()
                case "repair":
                    return self._second_turn()
                case _:
                    return self._first_turn(layer)
        except CommonplaceError as error:
            return Attempt("error", str(error))

    def _first_turn(self, layer: Layer) -> Attempt:
        attempt, answer = self._ask(self._task.question, layer, ())
        self._answers[layer] = answer
        self._take_back()
        return attempt

    def _adapted(self) -> Attempt:
        if self._adapting is None:
            return Attempt("left out", "no adapter was asked for")
        with self._adapting.placed(self._memory.root, self._task.open, self._state) as reason:
            return Attempt("left out", reason) if reason else self._first_turn("adapter")

    def _second_turn(self) -> Attempt:
        """Go on from the best layer's first answer, as a person does who ran the test."""
        before: Layer = "adapter" if "adapter" in self._answers else "book"
        if before not in self._answers:
            self._done[before] = self._first_turn(before)
        first, earlier = self._done[before], self._answers[before]
        if first.passed:
            return replace(first, seconds=0.0)
        if first.outcome in {"no edit", "not placed"}:
            told = f"Your edit was not taken: {first.output}."
        else:
            told = f"The test ends with:\n{first.output}"
        turn = earlier.turn(words_for_model(self._task.question))
        question = f"/edit @{self._task.open} {told}\n{self._task.prompt}"
        try:
            self._write(earlier.text)  # the person tried it, so the change is in place
            if before == "book" or self._adapting is None:
                return self._ask(question, before, (turn,))[0]
            with self._adapting.placed(self._memory.root, self._task.open, self._state):
                return self._ask(question, before, (turn,))[0]
        finally:
            self._take_back()

    def _ask(self, question: str, layer: Layer, history: Sequence[Turn]) -> tuple[Attempt, Answer]:
        began = time.monotonic()
        files = self._memory.files()
        chosen = gather(self._memory.root, question, files, None, {})
        limit = self._options.passages

        # What was answered without an adapter is nothing that one with it would say.
        engine = Seeded(self._engine, self._seed, {} if layer == "adapter" else self._known)

        def search(_: str, __: int) -> Found:
            words = words_for_recall(question)
            if layer == "base":
                return chosen.applied(Found(words, "", 0.0, ()), limit)
            found = self._memory.search(words, chosen.searched(limit))
            return replace(chosen, folders=()).applied(found, limit)

        answer = drive(words_for_model(question), self._options, search, engine, _quiet, history)
        seconds = time.monotonic() - began
        outcome, output = self._tried(answer.text)
        attempt = Attempt(
            outcome,
            output,
            answer.text,
            round(seconds, 2),
            answer.timings.prompt_tokens,
            tuple(p.symbol if p.note else p.path for p in _read(answer)),
            self._holds_fact(answer),
        )
        return attempt, answer

    def _holds_fact(self, answer: Answer) -> bool:
        if self._task.needs == "book":
            return any(passage.note for passage in _read(answer))
        return any(passage.path == self._task.fact for passage in _read(answer))

    def _tried(self, answer: str) -> tuple[Outcome, str]:
        """Write what `answer` proposes and run the test."""
        refused = self._write(answer)
        if refused is not None:
            return refused
        tested = run_test(self._task, self._memory.root)
        return tested.outcome, tested.output

    def _write(self, answer: str) -> tuple[Outcome, str] | None:
        """Write what `answer` proposes; returns why not, where nothing was written."""
        proposal = self._edits.propose(answer)
        if proposal.problems:
            return "not placed", proposal.problems[0].reason
        if not proposal.files:
            return "no edit", "it changes nothing"
        self._edits.apply(proposal.plan(proposal.everything()), confirmed=True)
        self._memory.refresh()
        return None

    def _take_back(self) -> None:
        """Undo what was written, so that every layer begins with the same files."""
        while self._edits.last(applied=True) is not None:
            self._edits.undo()
        self._memory.refresh()

    def _write_notes(self) -> None:
        for title, text in self._task.notes.items():
            self._memory.book.add(title, text.strip(), self._memory.code())
        self._memory.refresh()
        self._memory.embed()


@contextmanager
def opened(task: Task, folder: Path, *, embedder: str = "built-in") -> Iterator[Memory]:
    """Write the project of `task` below `folder` and open it, read and embedded."""
    root = folder / task.name
    for name, text in task.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    memory = Memory(root, states(folder), embedder=embedder, adapter="off")
    try:
        memory.refresh()
        memory.embed()
        yield memory
    finally:
        memory.close()


def states(folder: Path) -> StatePaths:
    """Return state folders below `folder`: nothing of the user's is read or written."""
    base = folder / "state"
    return StatePaths(base / "config", base / "data", base / "cache")


def attempts(
    task: Task,
    layers: Sequence[Layer],
    folder: Path,
    engine: Engine,
    options: AnswerOptions,
    *,
    seed: int = 1,
    adapting: Adapting | None = None,
    embedder: str = "built-in",
) -> dict[Layer, Attempt]:
    """Try `task` on each of `layers` in a project of its own below `folder`."""
    if tool := missing_tool(task):
        return dict.fromkeys(layers, Attempt("left out", f"{tool} is not installed"))
    with opened(task, folder, embedder=embedder) as memory:
        return Trial(task, memory, states(folder), engine, options, seed, adapting).run(layers)


def _read(answer: Answer) -> tuple[Passage, ...]:
    """Return the passages that stood in the prompt."""
    return () if answer.prompt is None else answer.prompt.passages


def _quiet(_: str) -> None:
    pass
