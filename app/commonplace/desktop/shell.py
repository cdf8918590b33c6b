"""What surrounds the work in a window: palette, shortcuts, toasts, the index panel, the session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QTextCursor
from PySide6.QtWidgets import QMenu

from commonplace.desktop.actions import ACTIONS, RECENT
from commonplace.desktop.index_panel import IndexPanel
from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.palette import COMMAND, LINE, SYMBOL, Command, Palette
from commonplace.desktop.session import Session
from commonplace.desktop.shortcuts import Shortcuts, shown
from commonplace.desktop.shortcuts_page import menu_of, title_of
from commonplace.desktop.toast import Toasts
from commonplace.desktop.tray import Tray
from commonplace.desktop.visible import one_line
from commonplace.desktop.windows import OneWindow, new_window
from commonplace.errors import CommonplaceError, ProjectBusyError
from commonplace.index.codeplaces import CodePlace

if TYPE_CHECKING:
    from commonplace.desktop.theme import ThemeKeeper
    from commonplace.desktop.window import MainWindow

OpenFileAt = Callable[[str, int, int, str], None]


class Shell(QObject):
    """Owns these and connects them with a window, which it knows only by what is public."""

    def __init__(self, window: MainWindow, keeper: ThemeKeeper, open_file: OpenFileAt) -> None:
        super().__init__(window)
        controller = window.controller
        self._window = window
        self._open_file = open_file
        self._actions: Mapping[str, QAction] = {}
        self._alone = False
        self.toasts = Toasts(window)
        self.shortcuts = Shortcuts(controller.paths.settings_file, self)
        self.session = Session(controller.paths)
        self.tray = Tray(window, window.leave)
        self.one = OneWindow(controller.paths, controller.background, window)
        self.palette = Palette(
            keeper, controller.memory, self._commands, lambda: controller.files.files, window
        )
        self._index: IndexPanel | None = None
        self._recent = QMenu(window)
        self._recent.aboutToShow.connect(self._fill_recent)

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the actions of the shell do."""
        return {
            "new_window": self._new_window,
            "index": self.show_index,
            "skipped": lambda: self.show_index(at_skipped=True),
            "pause": self._toggle_pause,
            "palette": lambda: self.palette.open_with(COMMAND),
            "go_to_file": lambda: self.palette.open_with(""),
            "go_to_symbol": lambda: self.palette.open_with(SYMBOL),
            "go_to_line": lambda: self.palette.open_with(LINE),
        }

    def attach(self, actions: Mapping[str, QAction]) -> None:
        """Connect everything, once the window and its actions are there."""
        self._actions = actions
        controller, window = self._window.controller, self._window
        self.shortcuts.changed.connect(self._apply_shortcuts)
        self._apply_shortcuts()
        views = (window.welcome, window.hints, window.composer, window.chat_list)
        self.key_names = KeyNames(self.shortcuts, (*views, window.code, window.book), self)
        self._recent.setTitle(self.tr("Open &Recent"))
        self._recent.menuAction().setObjectName(f"menu_{RECENT}")
        for action in window.menuBar().actions():
            menu = action.menu()
            if isinstance(menu, QMenu) and actions["open"] in menu.actions():
                menu.insertMenu(actions["new_window"], self._recent)
        self.palette.file_chosen.connect(self._go_to)
        self.palette.place_chosen.connect(self._go_to_place)
        self.palette.line_chosen.connect(self.go_to_line)
        controller.project_changed.connect(self._project_changed)
        controller.problem.connect(self._heed)
        window.code.opened.connect(self._file_opened)
        window.code.closed.connect(self._file_closed)
        window.welcome.show_recent(self.session.recent)
        self.tray.apply(wanted=controller.settings.window_tray)

    def begin_with(self, path: Path | None, *, restore: bool) -> None:
        """Open `path`, or what was open last, unless another window has it."""
        if path is not None:
            self._alone = True
            self._window.open_project(path)
            return
        if not restore or not self.session.recent:
            return
        last = self.session.recent[0]
        paths, background = self._window.controller.paths, self._window.controller.background

        def is_free() -> bool:
            from commonplace.desktop.instance import has_window

            return last.is_dir() and not has_window(paths.project_cache(last))

        def go_on(free: bool) -> None:
            if free and self._window.controller.project is None:
                self._window.open_project(last)

        background.run(is_free, go_on, lambda _error: None)

    def go_to_line(self, line: int) -> None:
        """Put the cursor of the code view on `line`, counted from 1, and show it."""
        view = self._window.code.view
        block = view.document().findBlockByNumber(min(line, view.blockCount()) - 1)
        if block.isValid():
            view.setTextCursor(QTextCursor(block))
            view.centerCursor()
        view.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_index(self, *, at_skipped: bool = False) -> None:
        """Show the index panel."""
        window, controller = self._window, self._window.controller
        if self._index is None:
            self._index = IndexPanel(controller.memory, window)
            self._index.reconcile_asked.connect(controller.reconcile)
            self._index.pause_asked.connect(window.pause)
        self._index.begin(window.status.status, controller.files.skipped, at_skipped=at_skipped)

    def shut(self) -> None:
        """Keep what is open; the window is about to go."""
        self._keep_place()
        self.session.flush()
        self.one.let_go()
        self.tray.dismiss()
        self.toasts.dismiss()
        self.palette.dismiss()
        if self._index is not None:
            self._index.close()

    def _commands(self) -> list[Command]:
        """Return what can be done now, in the order of the menus."""
        return [
            Command(
                title_of(spec),
                menu_of(spec),
                shown(self.shortcuts.keys(spec.id)[:1]),
                self._actions[spec.id].trigger,
            )
            for spec in ACTIONS
            if spec.id != "palette" and self._actions[spec.id].isEnabled()
        ]

    def _apply_shortcuts(self) -> None:
        self.shortcuts.apply(self._actions)

    def _go_to(self, path: str, line: int) -> None:
        self._open_file(path, line, line, "")
        self._window.code.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _go_to_place(self, place: CodePlace) -> None:
        self._open_file(place.path, place.line, place.line, place.text)
        self._window.code.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _file_opened(self, path: str) -> None:
        self.palette.visited(path)
        self._keep_place()

    def _file_closed(self) -> None:
        root = self._window.controller.project
        if root is not None:
            self.session.keep_file(root, None)

    def _keep_place(self) -> None:
        root, code = self._window.controller.project, self._window.code
        if root is not None and code.path and code.isVisibleTo(self._window):
            files = code.open_files
            shown = next((file for file in files if file.path == code.path), None)
            self.session.keep_file(root, shown)
            self.session.keep_files(root, files)

    def _project_changed(self, root: Path | None) -> None:
        if root is None:
            self.one.let_go()
            self._window.welcome.show_recent(self.session.recent)
            return
        self.palette.forget()
        self.session.add(root)
        self.one.hold(root)
        file = self.session.open_file(root)
        if file is not None and not self._window.code.path:
            self._window.code.restore(root, self.session.open_files(root) or (file,))
            self._open_file(file.path, 0, 0, "")

    def _heed(self, key: str, error: CommonplaceError) -> None:
        """Where another window has the project, bring it to the front."""
        path = self._window.controller.project
        if key == "project" and isinstance(error, ProjectBusyError) and path is not None:
            self.one.ask_other(path, partial(self._led, path))

    def _led(self, path: Path, came: bool) -> None:
        if not came:
            return
        if self._alone:  # this process was started for that project alone
            self._window.leave()
            return
        self._window.messages.dismiss("project")
        name = one_line(path.name)
        self.toasts.say(self.tr("{0} is open in another window, now in front.").format(name))

    def _new_window(self) -> None:
        if not new_window():
            self.toasts.say(self.tr("Another window could not be started."))

    def _toggle_pause(self) -> None:
        self._window.pause(self._window.status.status.phase != "paused")

    def _fill_recent(self) -> None:
        self._recent.clear()
        here = self._window.controller.project
        for path in self.session.recent:
            if path == here:
                continue
            text = one_line(str(path)).replace("&", "&&")
            action = self._recent.addAction(text)
            action.triggered.connect(partial(self._reopen, path))
        if self._recent.isEmpty():
            self._recent.addAction(self.tr("No other project was open yet")).setEnabled(False)
            return
        self._recent.addSeparator()
        self._recent.addAction(self.tr("&Forget These")).triggered.connect(self._forget_recent)

    def _reopen(self, path: Path, _checked: bool = False) -> None:
        self._window.open_project(path)

    def _forget_recent(self) -> None:
        here = self._window.controller.project
        self.session.clear()
        if here is not None:
            self.session.add(here)
        self._window.welcome.show_recent(())
