"""The main window: files on the left, the conversation, its sources on the right."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.actions import WindowState, dress_actions, make_actions, update_actions
from commonplace.desktop.book_shell import BookShell
from commonplace.desktop.chat_desk import ChatDesk
from commonplace.desktop.chat_list import ChatList
from commonplace.desktop.code_desk import CodeDesk
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.composer import Composer
from commonplace.desktop.controller import Controller
from commonplace.desktop.conversation import Conversation
from commonplace.desktop.dialogs import confirm_link, show_about
from commonplace.desktop.edit_desk import EditDesk
from commonplace.desktop.engine_link import EngineState
from commonplace.desktop.hints import Hints
from commonplace.desktop.icons import app_icon
from commonplace.desktop.labels import ElidedLabel
from commonplace.desktop.memory_link import FileList
from commonplace.desktop.message_bar import Action, MessageBar
from commonplace.desktop.models_dialog import ModelsDialog
from commonplace.desktop.name_places import NameFinder
from commonplace.desktop.project_tree import ProjectTree
from commonplace.desktop.settings_dialog import SettingsDialog
from commonplace.desktop.shell import Shell
from commonplace.desktop.sources import Source, SourcesPanel
from commonplace.desktop.status import IndexStatus
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.transcript import Transcript
from commonplace.desktop.visible import one_line, tooltip
from commonplace.desktop.welcome import Welcome
from commonplace.desktop.window_memory import WindowMemory
from commonplace.errors import CommonplaceError, ProjectBusyError, UserError
from commonplace.index.codeplaces import CodePlace
from commonplace.settings import Settings, save

WIDE = (250, 640, 470)
LONGEST_NAME = 32


class MainWindow(QMainWindow):
    """Lays the views out and connects them; it decides nothing and stores nothing."""

    def __init__(
        self, controller: Controller, keeper: ThemeKeeper, memory: WindowMemory | None = None
    ) -> None:
        super().__init__()
        controller.setParent(self)
        keeper.setParent(self)
        self.controller = controller
        self._keeper = keeper
        self._done = False
        self._memory = memory or WindowMemory(controller.paths)
        self.setWindowIcon(app_icon())
        self.setWindowTitle("Commonplace")
        self.welcome = Welcome(self)
        self.messages = MessageBar(keeper, self)
        self.tree = ProjectTree(keeper, self)
        self.status = IndexStatus(self)
        self.transcript = Transcript(keeper, self)
        self.hints = Hints(self)
        self.composer = Composer(keeper, self)
        self.sources = SourcesPanel(keeper, self)
        self.code = CodePane(keeper, controller.background, self)
        self.stage = ElidedLabel(self, Qt.TextElideMode.ElideRight)
        self.stage.setObjectName("muted")
        self.model_button = QPushButton(self)
        self.model_button.setObjectName("quiet")
        self.conversation = Conversation(
            controller.runner,
            self.transcript,
            self.sources,
            controller.chats,
            lambda: controller.settings,
            self,
        )
        self.chat_list = ChatList(keeper, self)
        self._lay_out()
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
        self.desk.show_settings = self._show_settings
        self.shell = Shell(self, keeper, self._open_file)
        self.book = BookShell(self, keeper, self._open_file)
        self.actions_by_id = make_actions(
            self,
            self._handlers() | self.shell.handlers() | self.edits.handlers() | self.desk.handlers(),
        )
        self.code.view.menu_actions = [
            self.actions_by_id[id_]
            for id_ in (
                "definition",
                "usages",
                "ask_selection",
                "open_in_editor",
                "note_here",
                "remember",
            )
        ]
        self._dress()
        self._connect()
        self.shell.attach(self.actions_by_id)
        self.desk.attach(self.actions_by_id)
        self._restore()
        self._show_engine(controller.engine.state)
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

    def say(self, text: str, title: str = "", run: Callable[[], None] | None = None, /) -> None:
        """Tell of something that happened, with one thing that can be done about it."""
        self.shell.toasts.say(text, title, run)

    def report(self, headline: str, remedy: str) -> None:
        """Show a defect without interrupting."""
        self.messages.show_message("defect", "error", headline, remedy)

    def shut(self) -> None:
        """Stop everything that runs; the window is about to go. A second call does nothing."""
        if self._done:
            return
        self._done = True
        self.shell.shut()
        self.book.shut()
        self.chats.shut()
        self.desk.shut()
        self._memory.keep_bytes("geometry", self.saveGeometry())
        self._memory.keep_bytes("columns", self.columns.saveState())
        self._memory.keep_bytes("right", self.right.saveState())
        self._memory.flush()
        self.controller.shut()
        self.transcript.shut()
        self.code.shut()

    def closeEvent(self, event: QCloseEvent) -> None:
        """End the workers with the window."""
        self.shut()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Look for changed files when the user comes back to the window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.controller.came_back()

    def _lay_out(self) -> None:
        left = QWidget(self)
        left.setObjectName("pane")
        column = _column(left)
        self.side = QTabWidget(left)
        self.side.setObjectName("side")
        self.side.tabBar().setDrawBase(False)
        self.side.setUsesScrollButtons(False)  # a narrow window shortens their titles
        self.side.setElideMode(Qt.TextElideMode.ElideRight)
        self.side.addTab(self.tree, self.tr("Files"))
        self.side.addTab(self.chat_list, self.tr("Conversations"))
        column.addWidget(self.side, 1)
        column.addWidget(self.status)
        self.left = left
        self.right = QSplitter(Qt.Orientation.Vertical, self)
        self.right.addWidget(self.sources)
        self.right.addWidget(self.code)
        self.right.setChildrenCollapsible(False)
        self.right.setStretchFactor(1, 2)
        self.code.hide()
        self.columns = QSplitter(Qt.Orientation.Horizontal, self)
        for widget, least in ((left, 170), (self._chat(), 340), (self.right, 250)):
            widget.setMinimumWidth(least)
            self.columns.addWidget(widget)
        self.columns.setChildrenCollapsible(False)
        self.columns.setSizes(list(WIDE))
        self.columns.setStretchFactor(1, 3)
        self.columns.setStretchFactor(2, 2)
        self.work = self.columns
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.welcome)
        self.pages.addWidget(self.work)
        middle = QWidget(self)
        middle_column = _column(middle)
        middle_column.addWidget(self.messages)
        middle_column.addWidget(self.pages, 1)
        middle_column.setSpacing(8)
        self.setCentralWidget(middle)
        order: list[QWidget] = [
            *(self.side.tabBar(), self.tree.filter, self.tree.tree),
            *(self.chat_list.search, self.chat_list.new_button, self.chat_list.list),
            *(self.status.skipped, self.status.pause),
            *(self.transcript, self.composer.edit, self.composer.button, self.model_button),
            *(self.sources.list, self.code.tabs, self.code.close_button),
            *(self.code.find_button, self.code.editor_button, self.code.view),
        ]
        for before, after in pairwise(order):
            self.setTabOrder(before, after)

    def _chat(self) -> QWidget:
        chat = QWidget(self)
        chat.setObjectName("paper")
        chat.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        strip = QHBoxLayout()
        strip.setContentsMargins(4, 0, 4, 0)
        strip.addWidget(self.stage, 1)
        strip.addWidget(self.model_button)
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 4, 16, 8)
        foot.setSpacing(4)
        foot.addWidget(self.composer)
        foot.addLayout(strip)
        column = _column(chat)
        self.talk = QStackedWidget(chat)
        self.talk.addWidget(self.hints)
        self.talk.addWidget(self.transcript)
        column.addWidget(self.talk, 1)
        column.addLayout(foot)
        return chat

    def _connect(self) -> None:
        controller = self.controller
        self._keeper.changed.connect(self._dress)
        self.welcome.open_asked.connect(self._choose_folder)
        self.welcome.recent_chosen.connect(self.open_project)
        controller.problem.connect(self._show_problem)
        controller.solved.connect(self.messages.dismiss)
        controller.project_changed.connect(self._project_changed)
        controller.memory.status_changed.connect(self.status.show_status)
        controller.memory.files_changed.connect(self._files_changed)
        controller.memory.contents_changed.connect(self._contents_changed)
        controller.engine.state_changed.connect(self._show_engine)
        controller.engine.stepped_down.connect(self._stepped_down)
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
        self.model_button.clicked.connect(self._show_models)
        self.transcript.link_followed.connect(self._confirm_link)
        self.transcript.acted.connect(self.edits.act)

    def _handlers(self) -> dict[str, Callable[[], None]]:
        return {
            "open": self._choose_folder,
            "reconcile": self.controller.reconcile,
            "models": self._show_models,
            "settings": self._show_settings,
            "shortcuts": lambda: self._show_settings(at_shortcuts=True),
            "quit": self._quit,
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
            "theme_system": lambda: self.choose_theme("system"),
            "theme_light": lambda: self.choose_theme("light"),
            "theme_dark": lambda: self.choose_theme("dark"),
            "about": self._about,
            **self.book.handlers(),
        }

    def _restore(self) -> None:
        if not self.restoreGeometry(self._memory.bytes_of("geometry")):
            self.resize(1280, 820)
        self.columns.restoreState(self._memory.bytes_of("columns"))
        self.right.restoreState(self._memory.bytes_of("right"))

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
            if not self.code.isVisibleTo(self):
                self.code.show()
                self._share_right()
            self._update_actions()

    def _open_place(self, place: CodePlace) -> None:
        self._open_file(place.path, place.line, place.line, place.text)
        self.code.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _share_right(self) -> None:
        height = self.right.height()
        rows = max(self.sources.list.sizeHintForRow(0), 60) * 3 + 40
        above = min(rows, int(height * 0.42))
        self.right.setSizes([above, height - above])

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

    def _show_settings(self, *, at_shortcuts: bool = False) -> None:
        controller = self.controller
        dialog = SettingsDialog(
            controller.paths.settings_file,
            controller.settings,
            controller.models,
            self,
            shortcuts=self.shell.shortcuts,
        )
        dialog.saved.connect(self._apply)
        dialog.previewed.connect(self._keeper.wear)
        dialog.finished.connect(dialog.deleteLater)
        dialog.show_page(shortcuts=at_shortcuts)
        dialog.open()

    def _show_models(self) -> None:
        dialog = ModelsDialog(self.controller, self._keeper, self)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _apply(self, settings: Settings) -> None:
        self._keeper.wear(settings)
        self.controller.apply(settings)

    def choose_theme(self, name: str) -> None:
        """Switch to the theme ``system``, ``light`` or ``dark`` and remember it."""
        try:
            settings = save(self.controller.paths.settings_file, {"appearance.theme": name})
        except UserError as error:
            self._show_problem("settings", error)
            self._keeper.choose(name)
            return
        self._apply(settings)

    def _show_problem(self, key: str, error: CommonplaceError) -> None:
        models: Action = (self.tr("Choose a Model…"), self._show_models)
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

    def _show_engine(self, state: EngineState) -> None:
        if state.kind == "ready" and state.info is not None:
            text = _short(one_line(state.info.name))
            context = self.tr("sees {0} tokens at once").format(f"{state.info.context:,}")
            how = self.tr("{0} threads, {1} tokens read at once").format(
                state.info.threads, state.info.batch
            )
            about = (
                state.info.path,
                f"{state.info.backend}, {context}, {how}",
                state.info.fit,
                state.conceded,
                state.info.note,
            )
            tip = "\n".join(filter(None, about))
            self._show_concession(state)
        elif state.kind == "loading":
            text, tip = self.tr("Loading the model… {0}").format(f"{state.fraction:.0%}"), ""
        elif state.kind == "failed":
            text, tip = self.tr("The model does not run"), str(state.error or "")
        elif state.kind == "asleep":
            text = self.tr("The model sleeps")
            tip = self.tr("Its memory is free for other programs; the next question wakes it.")
        else:
            text, tip = self.tr("No model"), ""
        self.model_button.setText(text)
        self.model_button.setAccessibleName(self.tr("Model: {0}").format(text))
        self.model_button.setToolTip(tooltip(tip))

    def _stepped_down(self, sentence: str) -> None:
        self.messages.show_message(
            "stepped", "warning", self.tr("The model's process ended and starts again."), sentence
        )

    def _show_concession(self, state: EngineState) -> None:
        """Say on which rung the model runs, why, and offer the highest again."""
        if not state.conceded or state.info is None:
            self.messages.dismiss("stepped")
            return
        again: Action = (self.tr("Try Again at Full Speed"), self.controller.engine.at_full_speed)
        headline = self.tr("The model runs with a concession: {0}.").format(state.info.rung)
        why = self.tr("Before that: {0}").format("; ".join(state.reasons)) if state.reasons else ""
        self.messages.show_message(
            "stepped", "info", headline, f"{state.conceded} {why}".strip(), [again]
        )

    def _confirm_link(self, url: str) -> None:
        confirm_link(url, self)

    def _about(self) -> None:
        show_about(self)

    def _quit(self) -> None:
        self.close()

    def _set_title(self, root: Path) -> None:
        self.setWindowTitle(f"{one_line(root.name or str(root))} – Commonplace")
        self.tree.title.setToolTip("")


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    return layout


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
