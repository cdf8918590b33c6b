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
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.actions import WindowState, dress_actions, make_actions, update_actions
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.composer import Composer
from commonplace.desktop.controller import Controller
from commonplace.desktop.conversation import Conversation
from commonplace.desktop.dialogs import confirm_link, show_about
from commonplace.desktop.engine_link import EngineState
from commonplace.desktop.hints import Hints
from commonplace.desktop.icons import app_icon
from commonplace.desktop.labels import ElidedLabel
from commonplace.desktop.memory_link import FileList
from commonplace.desktop.message_bar import Action, MessageBar
from commonplace.desktop.project_tree import ProjectTree
from commonplace.desktop.settings_dialog import SettingsDialog
from commonplace.desktop.skipped_dialog import SkippedDialog
from commonplace.desktop.sources import Source, SourcesPanel
from commonplace.desktop.status import IndexStatus
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.transcript import Transcript
from commonplace.desktop.visible import one_line, tooltip
from commonplace.desktop.welcome import Welcome
from commonplace.desktop.window_memory import WindowMemory
from commonplace.errors import CommonplaceError, ProjectBusyError, UserError
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
            controller.runner, self.transcript, self.sources, lambda: controller.settings, self
        )
        self._lay_out()
        self.actions_by_id = make_actions(self, self._handlers())
        self._dress()
        self._connect()
        self._restore()
        self._show_engine(controller.engine.state)
        self._update_actions()

    def open_project(self, path: Path) -> None:
        """Open the folder `path`; what comes of it is shown in the window."""
        self._keep_draft()
        self.conversation.clear()
        self._close_file()
        self.tree.set_project(path.name or str(path))
        self._set_title(path)
        self.pages.setCurrentWidget(self.work)
        self.status.show()
        self.controller.open_project(path)
        self.composer.set_draft(self._memory.draft(path))
        self._update_actions()

    def ask(self, question: str) -> None:
        """Ask `question` as if it had been typed."""
        if self.controller.project is not None:
            self.composer.set_last(question)
            self.conversation.ask(question)

    def open_source(self, source: Source) -> None:
        """Show the lines of a passage in their file."""
        passage = source.passage
        self._open_file(passage.path, passage.start_line, passage.end_line, passage.text)

    def report(self, headline: str, remedy: str) -> None:
        """Show a defect without interrupting."""
        self.messages.show_message("defect", "error", headline, remedy)

    def shut(self) -> None:
        """Stop everything that runs; the window is about to go. A second call does nothing."""
        if self._done:
            return
        self._done = True
        self._keep_draft()
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
        column.addWidget(self.tree, 1)
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
            *(self.tree.filter, self.tree.tree, self.status.skipped, self.status.pause),
            *(self.transcript, self.composer.edit, self.composer.button, self.model_button),
            *(self.sources.list, self.code.close_button, self.code.view),
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
        self.welcome.reopen_asked.connect(self._reopen)
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
        self.conversation.source_wanted.connect(self.open_source)
        self.composer.asked.connect(self.ask)
        self.hints.chosen.connect(self._suggest)
        self.composer.stop_asked.connect(self.conversation.stop)
        self.tree.file_chosen.connect(self._open_file)
        self.status.skipped_asked.connect(self._show_skipped)
        self.status.pause_asked.connect(self._pause)
        self.code.closed.connect(self._close_file)
        self.code.opened.connect(lambda _path: self._update_actions())
        self.model_button.clicked.connect(self._show_settings)
        self.transcript.link_followed.connect(self._confirm_link)

    def _handlers(self) -> dict[str, Callable[[], None]]:
        return {
            "open": self._choose_folder,
            "reconcile": self.controller.reconcile,
            "skipped": self._show_skipped,
            "settings": self._show_settings,
            "quit": self._quit,
            "focus_question": lambda: self.composer.edit.setFocus(
                Qt.FocusReason.ShortcutFocusReason
            ),
            "stop": self.conversation.stop,
            "retry": self.conversation.retry,
            "clear": self._clear,
            "filter": self._focus_filter,
            "sources": lambda: self.sources.list.setFocus(Qt.FocusReason.ShortcutFocusReason),
            "close_file": self._close_file,
            "project_pane": lambda: self.left.setVisible(not self.left.isVisible()),
            "theme_system": lambda: self.choose_theme("system"),
            "theme_light": lambda: self.choose_theme("light"),
            "theme_dark": lambda: self.choose_theme("dark"),
            "about": self._about,
        }

    def _restore(self) -> None:
        if not self.restoreGeometry(self._memory.bytes_of("geometry")):
            self.resize(1280, 820)
        self.columns.restoreState(self._memory.bytes_of("columns"))
        self.right.restoreState(self._memory.bytes_of("right"))
        last = self._memory.last_project
        self.welcome.offer("" if last is None else last.name)

    def _update_actions(self) -> None:
        state = WindowState(
            project=self.controller.project is not None,
            answering=self.conversation.busy,
            asked=bool(self.conversation.exchanges),
            file_open=self.code.isVisibleTo(self),
        )
        update_actions(self.actions_by_id, state)
        self.talk.setCurrentWidget(self.transcript if state.asked else self.hints)

    def _project_changed(self, root: Path | None) -> None:
        if root is not None:
            self._memory.keep_project(root)
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
        self.conversation.clear()
        self._update_actions()

    def _pause(self, pause: bool) -> None:
        if pause:
            self.controller.memory.pause()
        else:
            self.controller.memory.resume()

    def _focus_filter(self) -> None:
        self.left.show()
        self.tree.focus_filter()

    def _dress(self) -> None:
        dress_actions(self.actions_by_id, self._keeper.theme)
        self.actions_by_id[f"theme_{self._keeper.setting}"].setChecked(True)

    def _suggest(self, question: str) -> None:
        self.composer.set_draft(question)
        self.composer.edit.setFocus()

    def _choose_folder(self) -> None:
        start = self.controller.project or self._memory.last_project or Path.home()
        name = QFileDialog.getExistingDirectory(self, self.tr("Open a folder"), str(start))
        if name:
            self.open_project(Path(name))

    def _reopen(self) -> None:
        last = self._memory.last_project
        if last is not None:
            self.open_project(last)

    def _show_skipped(self) -> None:
        SkippedDialog(self.controller.files.skipped, self).open()

    def _show_settings(self) -> None:
        controller = self.controller
        dialog = SettingsDialog(
            controller.paths.settings_file, controller.settings, controller.models, self
        )
        dialog.saved.connect(self._apply)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _apply(self, settings: Settings) -> None:
        self._keeper.choose(settings.appearance_theme, settings.appearance_font_size)
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
        settings: Action = (self.tr("Choose a Model…"), self._show_settings)
        again: Action = (self.tr("Try Again"), self.controller.reconcile)
        other: Action = (self.tr("Open Another Folder…"), self._choose_folder)
        actions = {"no_model": [settings], "model": [settings], "project": [again, other]}
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
            about = (state.info.path, f"{state.info.backend}, {context}", state.info.note)
            tip = "\n".join(filter(None, about))
        elif state.kind == "loading":
            text, tip = self.tr("Loading the model… {0}").format(f"{state.fraction:.0%}"), ""
        elif state.kind == "failed":
            text, tip = self.tr("The model does not run"), str(state.error or "")
        else:
            text, tip = self.tr("No model"), ""
        self.model_button.setText(text)
        self.model_button.setAccessibleName(self.tr("Model: {0}").format(text))
        self.model_button.setToolTip(tooltip(tip))

    def _stepped_down(self, sentence: str) -> None:
        self.messages.show_message(
            "stepped", "warning", self.tr("The model's process ended and starts again."), sentence
        )

    def _confirm_link(self, url: str) -> None:
        confirm_link(url, self)

    def _about(self) -> None:
        show_about(self)

    def _quit(self) -> None:
        self.close()

    def _keep_draft(self) -> None:
        root = self.controller.project
        if root is not None:
            self._memory.keep_draft(root, self.composer.draft)

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
