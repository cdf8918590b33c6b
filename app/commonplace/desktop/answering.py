"""Carries one question to the memory and the model, step by step.

`chat.answer.answer_steps` says what it needs next; the replies come from two
worker processes by signal. Nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from commonplace.chat.answer import AnswerOptions, Steps, answer_steps
from commonplace.chat.choosing import Chosen
from commonplace.chat.prompt import Turn
from commonplace.chat.steps import Complete, Completed, Counts, CountTokens, Reply, Search, Step
from commonplace.desktop.engine_link import EngineLink, EngineState
from commonplace.desktop.memory_link import MemoryLink
from commonplace.engine.types import Completion, Sampling
from commonplace.errors import CancelledError, CommonplaceError, EngineError
from commonplace.recall.passages import Found
from commonplace.settings import Settings
from commonplace.wire.process import WorkerDiedError

Prepare = Callable[[str, Chosen, Callable[[str], None]], None]
"""Takes a question, what was chosen for it, and what to go on with: that is told the file
that the model is adapted to, or nothing."""

STOP_MS = 2000
"""How long a model may take to stop before its process is replaced."""


class AnswerRunner(QObject):
    """Answers one question at a time.

    After `ask`, exactly one of `answered`, `failed` and `stopped` is emitted.
    """

    stage_changed = Signal(str)
    """What is being waited for, in words."""
    found = Signal(object)
    """The `Found` of this question; it comes before the answer."""
    text_arrived = Signal(str)
    answered = Signal(object)
    failed = Signal(object)
    stopped = Signal()

    def __init__(
        self, memory: MemoryLink, engine: EngineLink, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._memory = memory
        self._engine = engine
        self._round = 0
        self._busy = False
        self._steps: Steps | None = None
        self._found: Found | None = None
        self._cancel: Callable[[], None] = _nothing
        self._question = ""
        self._settings = Settings()
        self._history: tuple[Turn, ...] = ()
        self._conversation = ""
        self._chosen = Chosen()
        self._edits = False
        self._text: list[str] = []
        self._writing = False
        self._preparing = False
        self.prepare: Prepare = _at_once
        """What happens to the model before it reads a question; it goes on when that is done."""
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(STOP_MS)
        self._patience.timeout.connect(self._replace_engine)
        engine.state_changed.connect(self._engine_changed)

    @property
    def busy(self) -> bool:
        """Whether a question is being answered."""
        return self._busy

    def ask(
        self,
        question: str,
        settings: Settings,
        history: Sequence[Turn] = (),
        conversation: str = "",
        chosen: Chosen = Chosen(),  # noqa: B008 - a value
        search: str = "",
        *,
        edits: bool = False,
    ) -> None:
        """Begin to answer; the passages are searched while a model still loads.

        What the model has read of a `conversation` with a name is kept. Of the
        passages, those that the user has `chosen` come first; they are looked for
        by the words of `search`, where these are not those of the question. With
        `edits` the answer is a change of files.
        """
        assert not self._busy
        self._round += 1
        self._busy = True
        self._question, self._settings, self._history = question, settings, tuple(history)
        self._found, self._steps, self._text = None, None, []
        self._writing = self._preparing = False
        self._conversation, self._chosen = conversation, chosen
        self._edits = edits
        self._engine.wake()
        if not question.strip():
            self._begin_steps()
            return
        self.stage_changed.emit(self.tr("Searching the project…"))
        call = self._memory.search(
            search or question,
            chosen.searched(settings.answer_passages),
            self._mine(self._searched),
            self._mine(self._fail),
        )
        self._cancel = partial(self._memory.cancel, call)

    def stop(self) -> None:
        """Stop; what the model has written stays."""
        if not self._busy:
            return
        self._cancel()
        if not self._writing:
            self._close()
            self.stopped.emit()
            return
        if not self._patience.isActive():
            self.stage_changed.emit(self.tr("Stopping…"))
            self._patience.start()

    def forget(self, conversation: str) -> None:
        """Delete what the model keeps of `conversation`."""
        self._engine.forget(conversation)

    def abandon(self) -> None:
        """Drop the question at once; no signal tells of it."""
        if self._busy:
            self._cancel()
            self._close()

    def _searched(self, found: Found) -> None:
        self._found = found = self._chosen.applied(found, self._settings.answer_passages)
        self._cancel = _nothing
        self.found.emit(found)
        self._engine_changed(self._engine.state)

    def _engine_changed(self, state: EngineState) -> None:
        if not self._busy or self._found is None or self._steps is not None or self._preparing:
            return
        if state.kind == "loading":
            percent = f" {state.fraction:.0%}" if state.fraction else ""
            self.stage_changed.emit(self.tr("Loading the model…") + percent)
        else:
            self._preparing = True
            self.prepare(self._question, self._chosen, self._mine(self._begin_steps))

    def _begin_steps(self, adapted: str = "") -> None:
        info, chosen = self._engine.state.info, self._settings
        options = AnswerOptions.chosen(chosen)
        if info is not None:
            named = self.tr("{0}, adapted to {1}").format(info.name, adapted)
            name = named if adapted else info.name
            options = options.for_model(name, info.context, info.parameters)
        options = replace(options, edits=self._edits)
        self._steps = answer_steps(self._question, options, self._history)
        self._advance(None)

    def _advance(self, reply: Reply | None) -> None:
        """Send `reply` and carry out the steps until one has to be waited for."""
        assert self._steps is not None
        try:
            step: Step = self._steps.send(reply)  # type: ignore[arg-type]
            while isinstance(step, Search):
                assert self._found is not None
                step = self._steps.send(self._found)
        except StopIteration as done:
            self._close()
            self.answered.emit(done.value)
        except CommonplaceError as error:
            self._fail(error)
        else:
            self._take(step)

    def _take(self, step: Step) -> None:
        if isinstance(step, CountTokens):
            self.stage_changed.emit(self.tr("Fitting the passages…"))
            call = self._engine.count(step.texts, self._mine(self._counted), self._mine(self._fail))
        else:
            assert isinstance(step, Complete)
            self.stage_changed.emit(self.tr("Reading passages…"))
            self._writing = True
            call = self._engine.complete(
                step.messages,
                Sampling(
                    step.max_tokens, step.temperature, grammar=step.grammar, copies=step.copies
                ),
                self._mine(self._wrote),
                self._mine(self._completed),
                self._mine(self._fail),
                self._conversation,
            )
        self._cancel = partial(self._engine.cancel, call)

    def _counted(self, counts: tuple[int, ...]) -> None:
        self._advance(Counts(counts))

    def _wrote(self, text: str) -> None:
        if self._patience.isActive():
            return  # stopped: the rest is not wanted
        if not self._text:
            self.stage_changed.emit(self.tr("Writing…"))
        self._text.append(text)
        self.text_arrived.emit(text)

    def _completed(self, completion: Completion) -> None:
        halted = self._patience.isActive()
        self._patience.stop()
        self._advance(
            Completed(
                "".join(self._text) if halted else completion.text,
                "cancelled" if halted else completion.finish,
                completion.prompt_tokens,
                completion.completion_tokens,
                completion.first_token_ms,
            )
        )

    def _replace_engine(self) -> None:
        self._halted()
        self._engine.kill()

    def _halted(self) -> None:
        self._patience.stop()
        self._advance(Completed("".join(self._text), "cancelled", 0, len(self._text), 0.0))

    def _fail(self, error: CommonplaceError) -> None:
        if self._patience.isActive() or (self._writing and isinstance(error, CancelledError)):
            self._halted()
            return
        if isinstance(error, WorkerDiedError):
            error = self._death()
        self._close()
        self.failed.emit(error)

    def _death(self) -> EngineError:
        if self._found is None:
            return EngineError(
                self.tr("The process that reads the project ended during the search."),
                self.tr("It starts again by itself; ask once more."),
            )
        return EngineError(
            self.tr("The model's process ended in the middle of the answer."),
            self.tr("It starts again with safer settings; ask once more."),
        )

    def _close(self) -> None:
        self._busy = False
        self._writing = False
        self._round += 1
        self._cancel = _nothing
        self._patience.stop()
        if self._steps is not None:
            self._steps.close()
        self._steps = None
        self.stage_changed.emit("")

    def _mine(self, method: Callable[[Any], None]) -> Callable[[Any], None]:
        """Wrap `method` so that replies to an earlier question do nothing."""
        current = self._round

        def deliver(value: Any) -> None:
            if self._round == current:
                method(value)

        return deliver


def _at_once(_question: str, _chosen: Chosen, then: Callable[[str], None]) -> None:
    then("")


def _nothing() -> None:
    """There is no call to cancel."""
