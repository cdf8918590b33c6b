"""The conversation: carries questions to the runner and what comes back to the views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from commonplace.chat.answer import Answer
from commonplace.chat.prompt import Turn
from commonplace.desktop.answering import AnswerRunner
from commonplace.desktop.sources import Source, SourcesPanel
from commonplace.desktop.transcript import Transcript
from commonplace.errors import CommonplaceError, DefectError
from commonplace.recall.passages import Found
from commonplace.settings import Settings


@dataclass(slots=True)
class Exchange:
    """One question with what it found and, once there is one, its answer."""

    question: str
    sources: tuple[Source, ...] = ()
    answer: Answer | None = None


class Conversation(QObject):
    """One conversation about one project."""

    busy_changed = Signal(bool)
    source_wanted = Signal(object)
    """A `Source` that the user wants to read in its file."""

    def __init__(
        self,
        runner: AnswerRunner,
        transcript: Transcript,
        panel: SourcesPanel,
        settings: Callable[[], Settings],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._runner = runner
        self._transcript = transcript
        self._panel = panel
        self._settings = settings
        self._exchanges: list[Exchange] = []
        runner.found.connect(self._found)
        runner.text_arrived.connect(transcript.append)
        runner.answered.connect(self._answered)
        runner.failed.connect(self._failed)
        runner.stopped.connect(self._stopped)
        transcript.source_chosen.connect(self._choose)
        transcript.retry_asked.connect(self.retry)
        panel.chosen.connect(self.source_wanted)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The questions and answers so far, oldest first."""
        return tuple(self._exchanges)

    @property
    def busy(self) -> bool:
        """Whether a question is being answered."""
        return self._runner.busy

    def ask(self, question: str) -> None:
        """Ask `question`, with the turns before it as context."""
        if self.busy:
            return
        history = [
            Turn(exchange.question, exchange.answer.text)
            for exchange in self._exchanges
            if exchange.answer is not None and exchange.answer.model
        ]
        self._exchanges.append(Exchange(question))
        self._panel.show_sources(())
        self._transcript.begin(question)
        self._runner.ask(question, self._settings(), history)
        self.busy_changed.emit(True)

    def retry(self) -> None:
        """Ask the last question again, in place of its last answer."""
        if self._exchanges and not self.busy:
            question = self._exchanges.pop().question
            self._transcript.drop_last()
            self.ask(question)

    def stop(self) -> None:
        """Stop the answer; what is there stays."""
        self._runner.stop()

    def clear(self) -> None:
        """Begin anew, whatever is under way."""
        self._runner.abandon()
        self._exchanges.clear()
        self.busy_changed.emit(False)
        self._transcript.clear_entries()
        self._panel.show_sources(())

    def _found(self, found: Found) -> None:
        sources = tuple(Source(n, p) for n, p in enumerate(found.passages, start=1))
        self._exchanges[-1].sources = sources
        self._transcript.set_sources(len(sources))
        self._panel.show_sources(sources)

    def _answered(self, answer: Answer) -> None:
        exchange = self._exchanges[-1]
        exchange.answer = answer
        read = len(answer.prompt.passages) if answer.prompt is not None else 0
        by = {citation.n: citation.by for citation in answer.citations}
        exchange.sources = tuple(
            Source(n, p, by.get(n, "" if n <= read else "unread") if answer.model else "")
            for n, p in enumerate(answer.passages, start=1)
        )
        self._panel.show_sources(exchange.sources)
        self._transcript.finish(answer)
        for text, role in self._remarks(answer):
            self._transcript.note(text, role)
        if answer.finish == "cancelled":
            again = (self.tr("Ask again"), "retry")
            self._transcript.note(self.tr("Stopped before the end."), link=again)
        self._transcript.note(self._figures(answer))
        self.busy_changed.emit(False)

    def _failed(self, error: CommonplaceError) -> None:
        self._transcript.close_entry()
        self._transcript.note(error.message, "error")
        remedy = error.remedy
        if isinstance(error, DefectError) and not remedy:
            remedy = self.tr("This is a defect in Commonplace; the log has the details.")
        self._transcript.note(remedy, link=(self.tr("Ask again"), "retry"))
        self.busy_changed.emit(False)

    def _stopped(self) -> None:
        self._transcript.close_entry()
        self._transcript.note(self.tr("Stopped."), link=(self.tr("Ask again"), "retry"))
        self.busy_changed.emit(False)

    def _remarks(self, answer: Answer) -> list[tuple[str, str]]:
        """Return what the reader should know about `answer`, each with its colour."""
        remarks: list[tuple[str, str]] = []
        kinds = {sentence.by for sentence in answer.sentences}
        if answer.note:
            remarks.append((answer.note, "warning"))
        if answer.prompt is not None:
            unread = len(answer.passages) - len(answer.prompt.passages)
            if unread:
                text = self.tr("{0} of {1} passages did not fit and were not read by the model.")
                remarks.append((text.format(unread, len(answer.passages)), "muted"))
            turns = [text for text in answer.prompt.dropped if not text.startswith("Passage ")]
            remarks += [(text, "muted") for text in turns]
        legend = []
        if "attribution" in kinds:
            legend.append(self.tr("≈ found by comparing words"))
        if None in kinds:
            legend.append(self.tr("° the model's own words: no passage supports them"))
        if legend:
            remarks.append(("   ".join(legend), "muted"))
        return remarks

    def _figures(self, answer: Answer) -> str:
        times = answer.timings
        if not answer.model:
            return self.tr("{0} passages in {1} ms").format(
                len(answer.passages), f"{times.recall_ms:,.0f}"
            )
        return self.tr("{0} · {1} s · {2} tokens read, {3} written").format(
            answer.model,
            f"{times.total_ms / 1000:.1f}",
            f"{times.prompt_tokens:,}",
            f"{times.completion_tokens:,}",
        )

    def _choose(self, entry: int, number: int) -> None:
        if entry >= len(self._exchanges):
            return
        self._panel.show_sources(self._exchanges[entry].sources)
        source = self._panel.select(number)
        if source is not None:
            self.source_wanted.emit(source)
