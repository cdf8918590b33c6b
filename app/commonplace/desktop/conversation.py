"""The conversation: carries questions to the runner and what comes back to the views."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from commonplace.chat.answer import Answer
from commonplace.chat.choosing import Chosen
from commonplace.chat.commands import wants_edits, words_for_model, words_for_recall
from commonplace.chat.kept import Kept, end_of, new_id, path_to, versions_of
from commonplace.desktop.answering import AnswerRunner
from commonplace.desktop.book_words import cited_words
from commonplace.desktop.chat_keeper import ChatKeeper, Opened
from commonplace.desktop.languages import told
from commonplace.desktop.numbers import number_words
from commonplace.desktop.sources import Source, SourcesPanel
from commonplace.desktop.transcript import Entry, Transcript
from commonplace.edits.reading import proposes
from commonplace.errors import CommonplaceError, DefectError
from commonplace.recall.passages import Found, Passage
from commonplace.settings import Settings


@dataclass(slots=True)
class Exchange:
    """One question with what it found and, once there is one, its answer.

    `asked` and `answered` are the numbers of the messages; `answered` is 0 while
    there is no answer. `text` is what was answered where the details are lost.
    """

    question: str
    sources: tuple[Source, ...] = ()
    answer: Answer | None = None
    asked: int = 0
    answered: int = 0
    parent: int = 0
    text: str = ""
    chosen: Chosen = field(default_factory=Chosen)


class Conversation(QObject):
    """One conversation about one project; what is said is kept at once."""

    busy_changed = Signal(bool)
    source_wanted = Signal(object)
    """A `Source` that the user wants to read in its file."""
    sources_shown = Signal(int)
    """The sources of this exchange are in the panel now."""
    changed = Signal()
    """Another conversation is on screen, or it got its first question."""

    def __init__(
        self,
        runner: AnswerRunner,
        transcript: Transcript,
        panel: SourcesPanel,
        keeper: ChatKeeper,
        settings: Callable[[], Settings],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._runner = runner
        self._transcript = transcript
        self._panel = panel
        self._keeper = keeper
        self._settings = settings
        self._exchanges: list[Exchange] = []
        self._messages: list[Kept] = []
        self._name = uuid.uuid4().hex
        runner.found.connect(self._found)
        runner.text_arrived.connect(transcript.append)
        runner.answered.connect(self._answered)
        runner.failed.connect(self._failed)
        runner.stopped.connect(self._stopped)
        transcript.source_chosen.connect(self._choose)
        panel.chosen.connect(self.source_wanted)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The questions and answers so far, oldest first."""
        return tuple(self._exchanges)

    @property
    def busy(self) -> bool:
        """Whether a question is being answered."""
        return self._runner.busy

    @property
    def name(self) -> str:
        """The id of the conversation on screen, also before its first question."""
        return self._name

    def ask(self, question: str, chosen: Chosen = Chosen()) -> None:  # noqa: B008 - a value
        """Ask `question`, with the turns before it as context."""
        if self.busy:
            return
        last = self._exchanges[-1] if self._exchanges else None
        parent = (last.answered or last.asked) if last is not None else 0
        message = Kept(new_id(parent), self._name, parent, "user", question)
        self._messages.append(message)
        self._keeper.keep(message)
        self._begin(Exchange(question, asked=message.id, parent=parent, chosen=chosen))
        if last is None:
            self.changed.emit()

    def retry(self) -> None:
        """Ask the last question again; its last answer stays as another version."""
        if self._exchanges:
            self.retry_at(len(self._exchanges) - 1)

    def retry_at(self, number: int, chosen: Chosen | None = None) -> None:
        """Ask question `number` again, with other passages if they are `chosen`."""
        if self.busy or number >= len(self._exchanges):
            return
        before = self._exchanges[number]
        self._cut(number)
        self._begin(
            Exchange(
                before.question,
                asked=before.asked,
                parent=before.parent,
                chosen=before.chosen if chosen is None else chosen,
            )
        )

    def edit(self, number: int, question: str, chosen: Chosen | None = None) -> None:
        """Ask `question` in place of question `number`: a branch; the old one stays."""
        if self.busy or number >= len(self._exchanges):
            return
        self._cut(number)
        self.ask(question, chosen or Chosen())

    def versions(self, number: int) -> list[int]:
        """Return the messages that stand for the versions of exchange `number`."""
        exchange = self._exchanges[number]
        wanted = exchange.answered or exchange.asked
        message = next((m for m in self._messages if m.id == wanted), None)
        return [wanted] if message is None else versions_of(self._messages, message)

    def version_of(self, number: int) -> int:
        """Return which of its versions exchange `number` shows, from 0."""
        exchange = self._exchanges[number]
        shown = self.versions(number)
        wanted = exchange.answered or exchange.asked
        return shown.index(wanted) if wanted in shown else 0

    def choose_version(self, number: int, version: int) -> None:
        """Show another version of exchange `number` and what followed it."""
        found = self.versions(number)
        if self.busy or not 0 <= version < len(found):
            return
        leaf = end_of(self._messages, found[version])
        self._keeper.read_from(self._name, leaf)
        self._show(leaf)

    def show_message(self, message: int) -> None:
        """Bring a message into view, and its branch if another one is on screen."""
        if self.busy or all(m.id != message for m in self._messages):
            return
        if not self._number_of(message):
            leaf = end_of(self._messages, message)
            self._keeper.read_from(self._name, leaf)
            self._show(leaf)
        number = self._number_of(message)
        if number:
            self._transcript.show_entry(number - 1)
            self.show_sources(number - 1)

    def _number_of(self, message: int) -> int:
        """Return which exchange on screen holds a message, from 1; 0 for none."""
        places = enumerate(self._exchanges, start=1)
        return next((n for n, e in places if message in {e.asked, e.answered}), 0)

    def stop(self) -> None:
        """Stop the answer; what is there stays."""
        self._runner.stop()

    def clear(self) -> None:
        """Begin anew, whatever is under way; what was said is kept."""
        self.load(Opened())

    def load(self, opened: Opened) -> None:
        """Show a conversation that was kept, or an empty one."""
        self._runner.abandon()
        self._name = opened.id or uuid.uuid4().hex
        self._messages = list(opened.messages)
        self._show(opened.leaf)
        self.busy_changed.emit(False)
        self.changed.emit()

    def show_sources(self, number: int) -> None:
        """Show the sources of exchange `number` beside it."""
        if number < len(self._exchanges):
            self._panel.show_sources(self._exchanges[number].sources)
            self.sources_shown.emit(number)

    def _begin(self, exchange: Exchange) -> None:
        history = [
            earlier.answer.turn(earlier.question)
            for earlier in self._exchanges
            if earlier.answer is not None and earlier.answer.model
        ]
        self._exchanges.append(exchange)
        self._panel.show_sources(())
        self._transcript.begin(exchange.question)
        self._runner.ask(
            words_for_model(exchange.question),
            self._settings(),
            history,
            self._name,
            exchange.chosen,
            words_for_recall(exchange.question),
            edits=wants_edits(exchange.question),
        )
        self.busy_changed.emit(True)

    def _cut(self, number: int) -> None:
        del self._exchanges[number:]
        self._transcript.drop_from(number)

    def _found(self, found: Found) -> None:
        sources = tuple(Source(n, p) for n, p in enumerate(found.passages, start=1))
        self._exchanges[-1].sources = sources
        self._transcript.set_sources(len(sources))
        self._panel.show_sources(sources)

    def _answered(self, answer: Answer) -> None:
        exchange = self._exchanges[-1]
        exchange.answer = answer
        exchange.sources = sources_of(answer)
        message = Kept(
            new_id(exchange.asked), self._name, exchange.asked, "assistant", answer.text,
            answer.model, answer.finish, answer,
        )  # fmt: skip
        exchange.answered = message.id
        self._messages.append(message)
        self._keeper.keep(message)
        self._transcript.finish(answer)
        for note in self._notes(answer):
            self._transcript.note(*note)
        self._offer()
        self.show_sources(len(self._exchanges) - 1)
        self.busy_changed.emit(False)

    def _failed(self, error: CommonplaceError) -> None:
        self._transcript.close_entry()
        self._transcript.note(told(error.message), "error")
        remedy = told(error.remedy)
        if isinstance(error, DefectError) and not remedy:
            remedy = self.tr("This is a defect in Commonplace; the log has the details.")
        self._transcript.note(remedy, link=(self.tr("Ask again"), "retry"))
        self._offer()
        self.busy_changed.emit(False)

    def _stopped(self) -> None:
        self._transcript.close_entry()
        self._transcript.note(self.tr("Stopped."), link=(self.tr("Ask again"), "retry"))
        self._offer()
        self.busy_changed.emit(False)

    def _show(self, leaf: int) -> None:
        """Show the branch that ends in message `leaf`."""
        self._exchanges = exchanges_of(path_to(self._messages, leaf))
        links = [self._links(number) for number in range(len(self._exchanges))]
        self._transcript.show_entries([self._entry(e) for e in self._exchanges], links)
        if self._exchanges:
            self.show_sources(len(self._exchanges) - 1)
        else:
            self._panel.show_sources(())

    def _entry(self, exchange: Exchange) -> Entry:
        answer = exchange.answer
        if answer is None:
            entry = Entry(exchange.question, exchange.text, finished=True)
            if not exchange.answered:
                again = (self.tr("Ask again"), "retry")
                entry.notes.append((self.tr("This question has no answer yet."), "muted", again))
            return entry
        entry = Entry(
            exchange.question, answer.text, len(exchange.sources), answer.sentences, finished=True
        )
        entry.notes = self._notes(answer)
        return entry

    def _offer(self) -> None:
        last = len(self._exchanges) - 1
        self._transcript.offer(last, self._links(last))

    def _links(self, number: int) -> list[tuple[str, str]]:
        """Return what can be done with exchange `number`, for the row below it."""
        exchange = self._exchanges[number]
        links: list[tuple[str, str]] = []
        text = exchange.text if exchange.answer is None else exchange.answer.text
        if proposes(text):
            links.append((self.tr("Review changes"), f"review/{number}"))
        found = self.versions(number)
        if len(found) > 1:
            shown = self.version_of(number)
            if shown > 0:
                links.append((self.tr("‹ Earlier version"), f"version/{number}/{shown - 1}"))
            where = self.tr("{0} of {1}").format(shown + 1, len(found))
            links.append((where, ""))
            if shown + 1 < len(found):
                links.append((self.tr("Later version ›"), f"version/{number}/{shown + 1}"))
        if exchange.answer is not None or exchange.text:
            links.append((self.tr("Copy"), f"copy_answer/{number}"))
            links.append((self.tr("Ask again"), f"retry_at/{number}"))
        links.append((self.tr("Edit question"), f"edit/{number}"))
        if exchange.answer is not None:
            links.append((self.tr("Context"), f"context/{number}"))
            links.append((self.tr("Star"), f"star/{number}"))
        return links

    def _notes(self, answer: Answer) -> list[tuple[str, str, tuple[str, str] | None]]:
        """Return the lines of ours below an answer: remarks, and what it took."""
        notes: list[tuple[str, str, tuple[str, str] | None]] = [
            (text, role, None) for text, role in self._remarks(answer)
        ]
        if answer.finish == "cancelled":
            again = (self.tr("Ask again"), "retry")
            notes.append((self.tr("Stopped before the end."), "muted", again))
        notes.append((self._figures(answer), "muted", None))
        return notes

    def _remarks(self, answer: Answer) -> list[tuple[str, str]]:
        """Return what the reader should know about `answer`, each with its colour."""
        remarks: list[tuple[str, str]] = []
        kinds = {sentence.by for sentence in answer.sentences}
        if answer.note:
            remarks.append((told(answer.note), "warning"))
        if notes := notes_cited(answer):
            named = [cited_words(note.symbol, note.state) for note in notes]
            role = "warning" if any(note.stale for note in notes) else "muted"
            remarks.append((self.tr("Rests on {0}.").format("; ".join(named)), role))
        if answer.prompt is not None:
            unread = len(answer.passages) - len(answer.prompt.passages)
            if unread:
                text = self.tr("{0} of {1} passages did not fit and were not read by the model.")
                remarks.append((text.format(unread, len(answer.passages)), "muted"))
            turns = [text for text in answer.prompt.dropped if not text.startswith("Passage ")]
            remarks += [(told(text), "muted") for text in turns]
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
                len(answer.passages), number_words(times.recall_ms, ",.0f")
            )
        return self.tr("{0} · {1} s · {2} tokens read, {3} written").format(
            answer.model,
            number_words(times.total_ms / 1000, ".1f"),
            number_words(times.prompt_tokens),
            number_words(times.completion_tokens),
        )

    def _choose(self, entry: int, number: int) -> None:
        if entry >= len(self._exchanges):
            return
        self.show_sources(entry)
        source = self._panel.select(number)
        if source is not None:
            self.source_wanted.emit(source)


def exchanges_of(path: list[Kept]) -> list[Exchange]:
    """Return a branch as questions with their answers."""
    found: list[Exchange] = []
    for message in path:
        if message.role == "user":
            found.append(Exchange(message.text, asked=message.id, parent=message.parent))
        elif found:
            last = found[-1]
            last.answered, last.text, last.answer = message.id, message.text, message.answer
            last.sources = () if message.answer is None else sources_of(message.answer)
    return found


def notes_cited(answer: Answer) -> list[Passage]:
    """Return the notes that `answer` rests on, in order, each once."""
    numbers = sorted({citation.n for citation in answer.citations})
    passages = [answer.passages[n - 1] for n in numbers if 0 < n <= len(answer.passages)]
    return list({passage.note: passage for passage in passages if passage.note}.values())


def sources_of(answer: Answer) -> tuple[Source, ...]:
    """Return the passages of `answer` with who says that it rests on them."""
    read = len(answer.prompt.passages) if answer.prompt is not None else 0
    by = {citation.n: citation.by for citation in answer.citations}
    return tuple(
        Source(n, p, by.get(n, "" if n <= read else "unread") if answer.model else "")
        for n, p in enumerate(answer.passages, start=1)
    )
