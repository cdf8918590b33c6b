"""The main window: connects the views with the workers and with the desks around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFileDialog

from commonplace.desktop.about_dialog import show_about
from commonplace.desktop.actions import WindowState, dress_actions, make_actions, update_actions
from commonplace.desktop.adapt_desk import AdaptDesk
from commonplace.desktop.book_shell import BookShell
from commonplace.desktop.chat_desk import ChatDesk
from commonplace.desktop.code_desk import CodeDesk
from commonplace.desktop.controller import Controller
from commonplace.desktop.conversation import Conversation
from commonplace.desktop.dialogs import confirm_link
from commonplace.desktop.edit_desk import EditDesk
from commonplace.desktop.endpoint_desk import EndpointDesk
from commonplace.desktop.engine_status import EngineStatus
from commonplace.desktop.evidence_desk import EvidenceDesk
from commonplace.desktop.memory_link import FileList
from commonplace.desktop.message_bar import Action
from commonplace.desktop.name_places import NameFinder
from commonplace.desktop.settings_desk import SettingsDesk
from commonplace.desktop.shell import Shell
from commonplace.desktop.sources import Source
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.tray import end_program
from commonplace.desktop.visible import one_line
from commonplace.desktop.window_frame import WindowFrame
from commonplace.desktop.window_memory import WindowMemory
from commonplace.errors import CommonplaceError, ProjectBusyError
from commonplace.index.codeplaces import CodePlace

CODE_MENU = (
    "definition", "usages", "ask_selection", "open_in_editor", "note_here", "remember", "adapt",
)  # fmt: skip
"""The actions offered in the menu of the code view."""


class MainWindow(WindowFrame):
    """Connects views, workers and desks; it decides nothing and stores nothing.

    A desk is an object that owns one thing people do (chats, edits, the book …). Its
    `handlers` say what its actions do; a new desk is made below and named in `_handlers`.
    """

    def __init__(
        self, controller: Controller, keeper: ThemeKeeper, memory: WindowMemory | None = None
    ) -> None:
        super().__init__(controller, keeper, memory)
        controller.setParent(self)
        keeper.setParent(self)
        self.controller = controller
        self._keeper = keeper
        self._done = self._leaving = False
        self.conversation = Conversation(
            controller.runner,
            self.transcript,
            self.sources,
            controller.chats,
            lambda: controller.settings,
            self,
        )
        self.chats = ChatDesk(
            controller,
            (self.chat_list, self.conversation, self.transcript, self.composer, self.sources),
            keeper,
            self.say,
            self,
        )
        self.edits = EditDesk(controller, self.conversation, self.messages, keeper, self.say, self)
        self.finder = NameFinder(controller.memory, self)
        self.chats.find_usages = self.finder.find_usages
        self.desk = CodeDesk(
            controller,
            (self.code, self.conversation, self.transcript, self.composer, self.sources),
            keeper,
            self.say,
            self._open_file,
            self,
        )
        self.chats.selection = self.desk.selection
        self.settings_desk = SettingsDesk(self, keeper)
        self.desk.show_settings = self.settings_desk.show_settings
        self.endpoint = EndpointDesk(controller, self.messages, self.settings_desk.apply, self)
        self.shell = Shell(self, keeper, self._open_file)
        self.evidence = EvidenceDesk(controller, keeper, self.say, self)
        self.adapt = AdaptDesk(controller, (self.code, self.adapt_button), keeper, self.say, self)
        self.book = BookShell(self, keeper, self._open_file)
        self.engine_status = EngineStatus(controller.engine, self.model_button, self.messages, self)
        self.actions_by_id = make_actions(self, self._handlers())
        self.code.view.menu_actions = [self.actions_by_id[id_] for id_ in CODE_MENU]
        self._dress()
        self._connect()
        self.shell.attach(self.actions_by_id)
        self.desk.attach(self.actions_by_id)
        self.restore_shape()
        self.engine_status.show_engine(controller.engine.state)
        self._update_actions()

    def open_project(self, path: Path) -> None:
        """Open the folder `path`; what comes of it is shown in the window."""
        self.chats.open(path)
        self._close_file()
        self.tree.set_project(path.name or str(path))
        self._set_title(path)
        self.pages.setCurrentWidget(self.work)
        self.status.show()
        self.controller.open_project(path)
        self._update_actions()

    def ask(self, question: str) -> None:
        """Ask `question` as if it had been typed."""
        if self.controller.project is not None:
            self.composer.set_last(question)
            self.chats.ask(question)

    def open_source(self, source: Source) -> None:
        """Show the lines of a passage in their file."""
        passage = source.passage
        if passage.note:
            self.book.desk.open(passage.note)
            return
        self._open_file(passage.path, passage.start_line, passage.end_line, passage.text)

    def say(
        self,
        said: str | CommonplaceError,
        title: str = "",
        run: Callable[[], None] | None = None,
        /,
    ) -> None:
        """Tell of something that happened or was refused, with one thing to do about it."""
        self.shell.toasts.say(said, title, run)

    def report(self, headline: str, remedy: str) -> None:
        """Show a defect without interrupting."""
        self.messages.show_message("defect", "error", headline, remedy)

    def leave(self) -> None:
        """Close for good, also where closing would only hide the window."""
        self._leaving = True
        self.close()
        if not self.isVisible():
            self.shut()
            end_program()

    def shut(self) -> None:
        """Stop everything that runs; the window is about to go. A second call does nothing."""
        if self._done:
            return
        self._done = True
        self.shell.shut()
        self.book.shut()
        self.chats.shut()
        self.desk.shut()
        self.keep_shape()
        self.controller.shut()
        self.transcript.shut()
        self.code.shut()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the workers with the window, unless an icon in the tray leads back to it."""
        if not self._leaving and self.shell.tray.takes_closing():
            event.ignore()
            return
        self.shut()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Look for changed files when the user comes back to the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.controller.came_back()

    def _connect(self) -> None:
        controller = self.controller
        self._keeper.changed.connect(self._dress)
        self.welcome.open_asked.connect(self._choose_folder)
        self.welcome.recent_chosen.connect(self.open_project)
        controller.problem.connect(self.show_problem)
        controller.solved.connect(self.messages.dismiss)
        controller.project_changed.connect(self._project_changed)
        controller.memory.status_changed.connect(self.status.show_status)
        controller.memory.files_changed.connect(self._files_changed)
        controller.memory.contents_changed.connect(self._contents_changed)
        controller.runner.stage_changed.connect(self.stage.setText)
        self.conversation.busy_changed.connect(self._busy_changed)
        self.conversation.changed.connect(self._update_actions)
        self.conversation.source_wanted.connect(self.open_source)
        self.composer.asked.connect(self.ask)
        self.hints.chosen.connect(self._suggest)
        self.composer.stop_asked.connect(self.conversation.stop)
        self.tree.file_chosen.connect(self._open_file)
        self.status.skipped_asked.connect(self.actions_by_id["skipped"].trigger)
        self.status.pause_asked.connect(self.pause)
        self.code.closed.connect(self._close_file)
        self.code.opened.connect(lambda _path: self._update_actions())
        self.finder.chosen.connect(self._open_place)
        self.finder.missed.connect(self.say)
        self.model_button.clicked.connect(self.settings_desk.show_models)
        self.transcript.link_followed.connect(self._confirm_link)
        self.transcript.acted.connect(self.edits.act)

    def _handlers(self) -> dict[str, Callable[[], None]]:
        """Return what every action does: those of the window, then those of each desk."""
        found: dict[str, Callable[[], None]] = {
            "open": self._choose_folder,
            "reconcile": self.controller.reconcile,
            "quit": self.leave,
            "focus_question": lambda: self.composer.edit.setFocus(
                Qt.FocusReason.ShortcutFocusReason
            ),
            "stop": self.conversation.stop,
            "retry": self.chats.retry,
            "clear": self._clear,
            "conversations": self._focus_chats,
            "edit_question": self.chats.edit_last,
            "context": self.chats.show_last_context,
            "remember": self.chats.remember_selection,
            "export": self.chats.export,
            "filter": self._focus_filter,
            "sources": lambda: self.sources.list.setFocus(Qt.FocusReason.ShortcutFocusReason),
            "definition": lambda: self.finder.go_to_definition(self.code.view.name_at_cursor()),
            "usages": lambda: self.finder.find_usages(self.code.view.name_at_cursor()),
            "project_pane": lambda: self.left.setVisible(not self.left.isVisible()),
            "about": self._about,
        }
        desks = (
            self.shell, self.edits, self.desk, self.settings_desk, self.endpoint, self.book,
            self.evidence, self.adapt,
        )  # fmt: skip
        for desk in desks:
            found |= desk.handlers()
        return found

    def _update_actions(self) -> None:
        state = WindowState(
            project=self.controller.project is not None,
            answering=self.conversation.busy,
            asked=bool(self.conversation.exchanges),
            file_open=self.code.isVisibleTo(self),
            proposed=self.edits.can_review(),
        )
        update_actions(self.actions_by_id, state)
        self.talk.setCurrentWidget(self.transcript if state.asked else self.hints)

    def _project_changed(self, root: Path | None) -> None:
        if root is not None:
            self._set_title(root)
            self.pages.setCurrentWidget(self.work)
            self.status.show()
            self.composer.edit.setFocus()
        elif not self.conversation.exchanges:
            self.status.hide()
            self.pages.setCurrentWidget(self.welcome)
            self.setWindowTitle("Commonplace")
        else:
            self.status.show_problem(self.tr("The project is not open."))
        self._update_actions()

    def _files_changed(self, files: FileList) -> None:
        self.tree.set_files(files.files)

    def _contents_changed(self, paths: tuple[str, ...]) -> None:
        if not paths or self.code.path in paths:
            self.code.reload()

    def _busy_changed(self, busy: bool) -> None:
        self.composer.set_busy(busy)
        self._update_actions()

    def _open_file(self, path: str, start: int = 0, end: int = 0, text: str = "") -> None:
        root = self.controller.memory.root or self.controller.project
        if root is not None:
            self.code.open_file(root, path, start, end, text)
            self.show_code()
            self._update_actions()

    def _open_place(self, place: CodePlace) -> None:
        self._open_file(place.path, place.line, place.line, place.text)
        self.code.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _close_file(self) -> None:
        self.code.hide()
        self.code.forget()
        self._update_actions()

    def _clear(self) -> None:
        self.chats.new()
        self._update_actions()
        self.composer.edit.setFocus()

    def _focus_chats(self) -> None:
        self.left.show()
        self.side.setCurrentWidget(self.chat_list)
        self.chat_list.focus_search()

    def pause(self, pause: bool) -> None:
        """Stop indexing, or go on."""
        if pause:
            self.controller.memory.pause()
        else:
            self.controller.memory.resume()

    def _focus_filter(self) -> None:
        self.left.show()
        self.side.setCurrentWidget(self.tree)
        self.tree.focus_filter()

    def _dress(self) -> None:
        dress_actions(self.actions_by_id, self._keeper.theme)
        self.actions_by_id[f"theme_{self._keeper.setting}"].setChecked(True)

    def _suggest(self, question: str) -> None:
        self.composer.set_draft(question)
        self.composer.edit.setFocus()

    def _choose_folder(self) -> None:
        start = next(iter(self.shell.session.recent), Path.home())
        name = QFileDialog.getExistingDirectory(self, self.tr("Open a folder"), str(start))
        if name:
            self.open_project(Path(name))

    def choose_theme(self, name: str) -> None:
        """Switch to the theme ``system``, ``light`` or ``dark`` and remember it."""
        self.settings_desk.choose_theme(name)

    def show_problem(self, key: str, error: CommonplaceError) -> None:
        """Show a problem under its key, with what can be done about it."""
        models: Action = (self.tr("Choose a Model…"), self.settings_desk.show_models)
        again: Action = (self.tr("Try Again"), self.controller.reconcile)
        other: Action = (self.tr("Open Another Folder…"), self._choose_folder)
        actions = {"no_model": [models], "model": [models], "project": [again, other]}
        level = "info" if key in {"no_model", "memory"} else "error"
        if isinstance(error, ProjectBusyError):
            level = "warning"
        self.messages.show_message(
            key,
            level,  # type: ignore[arg-type]
            error.message,
            error.remedy,
            actions.get(key, []),
        )

    def _confirm_link(self, url: str) -> None:
        confirm_link(url, self)

    def _about(self) -> None:
        show_about(self.controller.paths, self)

    def _set_title(self, root: Path) -> None:
        self.setWindowTitle(f"{one_line(root.name or str(root))} – Commonplace")
        self.tree.title.setToolTip("")
