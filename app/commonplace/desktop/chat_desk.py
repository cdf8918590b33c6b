"""What happens between the list of conversations, the one on screen and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from commonplace.chat.choosing import Chosen
from commonplace.chat.commands import command_of, mentions_of, places_of
from commonplace.desktop.chat_keeper import Opened
from commonplace.desktop.chat_list import ChatList
from commonplace.desktop.composer import Composer
from commonplace.desktop.context_dialog import ContextDialog
from commonplace.desktop.controller import Controller
from commonplace.desktop.conversation import Conversation
from commonplace.desktop.gathering import gather, needs_gathering
from commonplace.desktop.memory_link import FileList
from commonplace.desktop.note_mentions import NoteMentions, Notes
from commonplace.desktop.since import since_answer
from commonplace.desktop.sources import Source, SourcesPanel
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.transcript import Transcript
from commonplace.desktop.visible import one_line
from commonplace.engine.options import states_folder
from commonplace.engine.states import forget
from commonplace.errors import CommonplaceError, ConversationError
from commonplace.recall.passages import Passage

DRAFT_MS = 400
"""What is typed is on disk so long after the last key."""
UNDO_MS = 20_000
"""How long a deleted conversation can be brought back; the toast is gone by then."""
TITLE = 60


class Say(Protocol):
    """Tells of something that happened or was refused, with one thing to do about it."""

    def __call__(
        self,
        said: str | CommonplaceError,
        title: str = "",
        run: Callable[[], None] | None = None,
        /,
    ) -> None:
        """Show `said`, and a button `title` that calls `run`."""


class ChatDesk(QObject):
    """Opens, keeps, renames, exports and deletes conversations for one window."""

    remember = Signal(str)
    """Somebody wants to remember this text: the book can make a note of it."""
    opened = Signal()
    """A conversation is on screen, or a new one."""

    def __init__(
        self,
        controller: Controller,
        views: tuple[ChatList, Conversation, Transcript, Composer, SourcesPanel],
        keeper: ThemeKeeper,
        say: Say,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._keeper = controller.chats
        self.list, self._conversation, self._transcript, self._composer, self._sources = views
        self._theme = keeper
        self._say = say
        self._window = window
        self._draft_of = ""
        self._editing = -1
        self._waiting = False
        self._wanted = 0
        self._draft_timer = self._timer(DRAFT_MS, self.keep_draft)
        self._purge_timer = self._timer(UNDO_MS, self._keeper.purge)
        self._ticket = 0
        self._notes = NoteMentions(controller.memory, self)
        self.selection: Callable[[], Passage | None] = lambda: None
        """Returns what ``@selection`` stands for."""
        self.find_usages: Callable[[str], None] = lambda _name: None
        """What ``/usages`` does with a name."""
        self._connect()

    def open(self, root: Path) -> None:
        """Take up the conversations of the project at `root`: the last one comes back."""
        self._leave()
        self.list.forget()
        self._conversation.clear()
        self._waiting = True
        self._keeper.open(root)
        self._keeper.read_last()

    def ask(self, question: str) -> None:
        """Ask what was typed, as a new question or in place of the one being edited."""
        number, self._waiting = self._editing, False
        self._end_edit()
        command, words = command_of(question)
        if command is not None and not command.template:
            if words:
                self.find_usages(words)
            return

        def go_on(chosen: Chosen) -> None:
            if number >= 0:
                self._conversation.edit(number, question, chosen)
                self.keep_draft()  # what was typed before the edit is back
            else:
                self._conversation.ask(question, chosen)
                self._keep_draft_now("")

        self._with_attachments(question, go_on)

    def retry(self) -> None:
        """Ask the last question again."""
        self.retry_at(len(self._conversation.exchanges) - 1)

    def retry_at(self, number: int) -> None:
        """Ask question `number` again; what it mentions is read again."""
        exchanges = self._conversation.exchanges
        if not 0 <= number < len(exchanges):
            return
        exchange = exchanges[number]
        if exchange.chosen != Chosen():
            self._conversation.retry_at(number)
        else:
            self._with_attachments(
                exchange.question, lambda chosen: self._retry(exchange.asked, chosen)
            )

    def new(self) -> None:
        """Begin a new conversation; what was typed stays with the one before."""
        self._leave()
        self._conversation.clear()
        self._waiting = True
        self._keeper.open_new()

    def show(self, conversation: str) -> None:
        """Open a conversation that was kept, where the search found its words."""
        self._wanted = self.list.model.message(conversation)
        if conversation == self._conversation.name and self._conversation.exchanges:
            self._conversation.show_message(self._wanted)
            return
        self._leave()
        self._waiting = True
        self._keeper.read(conversation)

    def shut(self) -> None:
        """Keep what is typed, and delete what was to be deleted; the window goes."""
        self._draft_timer.stop()
        self.keep_draft()
        if self._purge_timer.isActive():
            self._purge_timer.stop()
            self._keeper.purge()

    def keep_draft(self) -> None:
        """Keep what is typed; an edit of an earlier question is no draft."""
        if self._editing < 0 and self._controller.project is not None:
            self._keep_draft_now(self._composer.draft)

    def edit_question(self, number: int) -> None:
        """Put question `number` into the field, to be asked in another way."""
        exchanges = self._conversation.exchanges
        if self._conversation.busy or number >= len(exchanges):
            return
        self.keep_draft()
        self._draft_timer.stop()
        self._editing = number
        self._composer.begin_edit(exchanges[number].question)

    def edit_last(self) -> None:
        """Edit the last question."""
        self.edit_question(max(len(self._conversation.exchanges) - 1, 0))

    def show_context(self, number: int) -> None:
        """Show what the model read for answer `number`."""
        exchanges = self._conversation.exchanges
        if number >= len(exchanges) or exchanges[number].answer is None:
            return
        exchange = exchanges[number]
        assert exchange.answer is not None
        dialog = ContextDialog(
            exchange.question, exchange.answer, exchange.chosen, self._theme, self._window
        )
        asked = exchange.asked

        def again(chosen: Chosen) -> None:
            self._retry(asked, chosen)

        dialog.asked_again.connect(again)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def show_last_context(self) -> None:
        """Show what the model read for the last answer."""
        answered = [n for n, e in enumerate(self._conversation.exchanges) if e.answer is not None]
        if answered:
            self.show_context(answered[-1])

    def remember_selection(self) -> None:
        """Ask to remember what is selected, or else the last answer."""
        text = self._transcript.selected_text()
        if not text:
            answers = [e.answer for e in self._conversation.exchanges if e.answer is not None]
            text = answers[-1].text if answers else ""
        if text.strip():
            self.remember.emit(text)

    def delete(self, conversation: str) -> None:
        """Take a conversation away; it can be brought back for a while."""
        chat = self.list.chat(conversation)
        title = one_line(chat.title)[:TITLE] if chat is not None else ""
        on_screen = conversation == self._conversation.name
        if on_screen:
            self._leave()
            self._conversation.clear()
        self._keeper.remove(conversation)
        self._forget_state(conversation)
        if on_screen:
            self._waiting = True
            self._keeper.open_new()
        self._purge_timer.start()

        def undo() -> None:
            self._keeper.restore(conversation)
            if on_screen:
                self.show(conversation)

        self._say(self.tr("Deleted “{0}”.").format(title), self.tr("Undo"), undo)

    def export(self, conversation: str = "") -> None:
        """Ask where to, and write a conversation there: the one on screen unless named."""
        chat = self.list.chat(conversation or self._conversation.name)
        if chat is None:
            return
        name = "".join(c if c.isalnum() or c in " -_" else " " for c in chat.title)
        start = Path.home() / f"{' '.join(name.split())[:TITLE] or 'conversation'}.md"
        forms = self.tr("Markdown (*.md);;JSON with everything that is kept (*.json)")
        target, _form = QFileDialog.getSaveFileName(
            self._window, self.tr("Export the conversation"), str(start), forms
        )
        if target:
            self._keeper.export(chat.id, Path(target))

    def check_sources(self) -> None:
        """Look whether the files of the sources on screen are what the answer read."""
        root = self._controller.memory.root or self._controller.project
        sources = self._sources.sources
        if root is None or not sources or self._conversation.busy:
            return
        self._ticket += 1
        ticket = self._ticket

        def show(checked: tuple[Source, ...]) -> None:
            if ticket == self._ticket and self._sources.sources == sources != checked:
                self._sources.update_sources(checked)

        self._controller.background.run(
            lambda: since_answer(root, sources), show, lambda _error: None
        )

    def _with_attachments(self, question: str, go_on: Callable[[Chosen], None]) -> None:
        """Read what `question` mentions in the background, then go on with it."""
        root = self._controller.memory.root or self._controller.project
        if root is None or not needs_gathering(question):
            go_on(Chosen())
            return
        files, selection = frozenset(self._controller.files.files), self.selection()
        name = self._conversation.name

        def ready(chosen: Chosen) -> None:
            if self._conversation.name == name and not self._conversation.busy:
                go_on(chosen)

        def refused(error: CommonplaceError) -> None:
            if not self._composer.draft:
                self._composer.set_draft(question)
            self._controller.problem.emit("attachment", error)

        def read(notes: Notes) -> None:
            self._controller.background.run(
                lambda: gather(root, question, files, selection, notes), ready, refused
            )

        self._controller.solved.emit("attachment")
        self._notes.fetch(mentions_of(question), read)

    def _files_changed(self, files: FileList) -> None:
        self._controller.background.run(
            lambda: places_of(files.files),
            self._composer.completion.set_places,
            lambda _error: None,
        )

    def _opened(self, opened: Opened) -> None:
        if not self._waiting:
            return  # something was asked before this arrived: that goes on
        self._waiting = False
        self._draft_of = opened.id
        self._conversation.load(opened)
        self._conversation.show_message(self._wanted)
        self._wanted = 0
        if opened.draft and not self._composer.draft:
            self._composer.set_draft(opened.draft)
            self._draft_timer.stop()
        exchanges = self._conversation.exchanges
        if exchanges:
            self._composer.set_last(exchanges[-1].question)
        self.opened.emit()

    def _changed(self) -> None:
        """Follow the conversation: it got its first question, or another is on screen."""
        name = self._conversation.name if self._conversation.exchanges else ""
        if name and name != self._draft_of:
            self._keeper.set_draft(self._draft_of, "")  # it was sent
            self._keeper.set_last(name)
        self._draft_of = name
        self.list.set_open(name)

    def _leave(self) -> None:
        """Keep what is typed with the conversation that is left, and empty the field."""
        self._end_edit()
        self.keep_draft()
        self._composer.set_draft("")
        self._draft_timer.stop()

    def _keep_draft_now(self, text: str) -> None:
        self._draft_timer.stop()
        self._keeper.set_draft(self._draft_of, text)

    def _typed(self) -> None:
        if self._editing < 0:
            self._draft_timer.start()

    def _end_edit(self) -> None:
        if self._editing >= 0:
            self._editing = -1
            self._composer.end_edit()

    def _retry(self, asked: int, chosen: Chosen) -> None:
        for number, exchange in enumerate(self._conversation.exchanges):
            if exchange.asked == asked:
                self._conversation.retry_at(number, chosen)

    def _act(self, verb: str, number: int, other: int) -> None:
        exchanges = self._conversation.exchanges
        if number >= len(exchanges):
            return
        match verb:
            case "copy_answer":
                answer = exchanges[number].answer
                text = exchanges[number].text if answer is None else answer.text
                QGuiApplication.clipboard().setText(text)
            case "retry_at":
                self.retry_at(number)
            case "edit":
                self.edit_question(number)
            case "context":
                self.show_context(number)
            case "version":
                self._conversation.choose_version(number, other)

    def _menu(self, menu: QMenu) -> None:
        menu.addSeparator()
        action = menu.addAction(self.tr("Remember This"), self.remember_selection)
        action.setEnabled(bool(self._transcript.selected_text()))

    def _deleted(self, gone: list[str]) -> None:
        for conversation in gone:
            self._forget_state(conversation)

    def _lost(self, conversation: str) -> None:
        """Say that what is asked here is not kept, and keep nothing else of it either."""
        self._forget_state(conversation)
        error = ConversationError(
            self.tr("This conversation was deleted by another program; it is not kept any more."),
            self.tr("Start a new one to keep what you ask."),
        )
        self._controller.problem.emit("chats", error)

    def _forget_state(self, conversation: str) -> None:
        """Delete what a model has read of a conversation, loaded or not."""
        folder = states_folder(self._controller.paths)
        self._controller.runner.forget(conversation)
        self._controller.background.run(
            lambda: forget(folder, conversation), lambda _none: None, lambda _error: None
        )

    def _connect(self) -> None:
        keeper, panel, conversation = self._keeper, self.list, self._conversation
        keeper.listed.connect(panel.show_chats)
        keeper.found.connect(panel.show_hits)
        keeper.opened.connect(self._opened)
        keeper.deleted.connect(self._deleted)
        keeper.lost.connect(self._lost)
        keeper.exported.connect(lambda path: self._say(self.tr("Written to {0}").format(path)))
        keeper.failed.connect(lambda error: self._controller.problem.emit("chats", error))
        keeper.told.connect(self._say)
        panel.chosen.connect(self.show)
        panel.new_asked.connect(self.new)
        panel.searched.connect(keeper.find)
        panel.renamed.connect(keeper.rename)
        panel.pinned.connect(lambda name, on: keeper.pin(name, pinned=on))
        panel.removed.connect(self.delete)
        panel.export_asked.connect(self.export)
        conversation.changed.connect(self._changed)
        conversation.sources_shown.connect(lambda _number: self.check_sources())
        self._controller.memory.contents_changed.connect(lambda _paths: self.check_sources())
        self._controller.memory.files_changed.connect(self._files_changed)
        self._notes.listed.connect(self._composer.completion.set_notes)
        self._transcript.acted.connect(self._act)
        self._transcript.retry_asked.connect(self.retry)
        self._transcript.menu_asked.connect(self._menu)
        self._composer.edit.textChanged.connect(self._typed)
        self._composer.edit_cancelled.connect(self._edit_cancelled)

    def _edit_cancelled(self) -> None:
        self._editing = -1

    def _timer(self, milliseconds: int, run: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(run)
        return timer
