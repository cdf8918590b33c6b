"""Everything that can be done, declared once; menus and shortcuts are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from commonplace.desktop.icons import tinted
from commonplace.desktop.theme import Theme


@dataclass(frozen=True, slots=True)
class WindowState:
    """What decides which actions are possible."""

    project: bool = False
    answering: bool = False
    asked: bool = False
    file_open: bool = False


def _always(_state: WindowState) -> bool:
    return True


def _project(state: WindowState) -> bool:
    return state.project


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action: its id, its place in the menus, its keys and when it is possible."""

    id: str
    menu: str
    title: str
    shortcuts: tuple[str, ...] = ()
    enabled: Callable[[WindowState], bool] = _always
    icon: str = ""
    separate: bool = False
    group: str = ""
    """Of the actions of one group, one is chosen and bears a mark."""


MENUS = ("&File", "&Question", "&View", "&Help")

ACTIONS = (
    ActionSpec("open", "&File", "&Open Folder…", ("Ctrl+O",), icon="folder"),
    ActionSpec("reconcile", "&File", "Check for &Changes", ("F5",), _project, "retry"),
    ActionSpec("skipped", "&File", "S&kipped Files…", (), _project),
    ActionSpec("settings", "&File", "&Settings…", ("Ctrl+,",), icon="settings", separate=True),
    ActionSpec("quit", "&File", "&Quit", ("Ctrl+Q",), icon="quit", separate=True),
    ActionSpec("focus_question", "&Question", "&Ask", ("Ctrl+L",), _project, "focus"),
    ActionSpec("stop", "&Question", "&Stop", ("Esc", "Ctrl+."), lambda s: s.answering, "stop"),
    ActionSpec(
        "retry",
        "&Question",
        "Ask &Again",
        ("Ctrl+R",),
        lambda s: s.project and s.asked and not s.answering,
        "retry",
    ),
    ActionSpec(
        "clear",
        "&Question",
        "Start a &New Conversation",
        ("Ctrl+N",),
        lambda s: s.asked and not s.answering,
        separate=True,
    ),
    ActionSpec("filter", "&View", "&Find a File", ("Ctrl+P",), _project, "search"),
    ActionSpec("sources", "&View", "Go to &Sources", ("Ctrl+J",), lambda s: s.asked),
    ActionSpec("close_file", "&View", "&Close the File", ("Ctrl+W",), lambda s: s.file_open),
    ActionSpec("project_pane", "&View", "&Project Pane", ("Ctrl+B",), icon="panel", separate=True),
    ActionSpec("theme_system", "&View", "Theme of the &Desktop", separate=True, group="theme"),
    ActionSpec("theme_light", "&View", "&Light Theme", group="theme"),
    ActionSpec("theme_dark", "&View", "&Dark Theme", group="theme"),
    ActionSpec("about", "&Help", "&About Commonplace", icon="info"),
)


def make_actions(
    window: QMainWindow, handlers: Mapping[str, Callable[[], None]]
) -> dict[str, QAction]:
    """Fill the menu bar of `window` and return the actions by id.

    `handlers` has one function for every id of `ACTIONS`.
    """
    menus: dict[str, QMenu] = {}
    for title in MENUS:
        menus[title] = window.menuBar().addMenu(_translated(title))
    made: dict[str, QAction] = {}
    groups: dict[str, QActionGroup] = {}
    for spec in ACTIONS:
        if spec.separate:
            menus[spec.menu].addSeparator()
        action = QAction(_translated(spec.title), window)
        action.setObjectName(f"action_{spec.id}")
        action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
        if spec.group:
            action.setCheckable(True)
            groups.setdefault(spec.group, QActionGroup(window)).addAction(action)
        run = handlers[spec.id]
        action.triggered.connect(lambda _checked=False, run=run: run())
        menus[spec.menu].addAction(action)
        made[spec.id] = action
    return made


def dress_actions(actions: Mapping[str, QAction], theme: Theme) -> None:
    """Give the actions their icons in the colours of `theme`."""
    for spec in ACTIONS:
        if spec.icon:
            actions[spec.id].setIcon(tinted(spec.icon, theme))


def update_actions(actions: Mapping[str, QAction], state: WindowState) -> None:
    """Enable what is possible in `state`."""
    for spec in ACTIONS:
        actions[spec.id].setEnabled(spec.enabled(state))


def _translated(title: str) -> str:
    return QCoreApplication.translate("Actions", title)
