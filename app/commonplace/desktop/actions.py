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
    proposed: bool = False


def _always(_state: WindowState) -> bool:
    return True


def _project(state: WindowState) -> bool:
    return state.project


def _file(state: WindowState) -> bool:
    return state.file_open


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


MENUS = ("&File", "&Edit", "&Question", "&Book", "&View", "&Help")

RECENT = "recent"
"""The submenu of recent projects, after the action that opens a folder."""

ACTIONS = (
    ActionSpec("open", "&File", "&Open Folder…", ("Ctrl+O",), icon="folder"),
    ActionSpec("new_window", "&File", "&New Window", ("Ctrl+Shift+N",)),
    ActionSpec("index", "&File", "&Index…", ("Ctrl+I",), _project, icon="index", separate=True),
    ActionSpec("evidence", "&File", "&Evidence…", ("Ctrl+Alt+V",), _project, "evidence"),
    ActionSpec("reconcile", "&File", "Check for &Changes", ("F5",), _project, "retry"),
    ActionSpec("pause", "&File", "&Pause or Resume Indexing", (), _project),
    ActionSpec("skipped", "&File", "S&kipped Files…", (), _project),
    ActionSpec("models", "&File", "&Models…", ("Ctrl+M",), icon="model", separate=True),
    ActionSpec("endpoint", "&File", "Answers from Another Mac&hine…", icon="external"),
    ActionSpec("settings", "&File", "&Settings…", ("Ctrl+,",), icon="settings"),
    ActionSpec("shortcuts", "&File", "&Keyboard Shortcuts…", ("Ctrl+Alt+K",), icon="keyboard"),
    ActionSpec("quit", "&File", "&Quit", ("Ctrl+Q",), icon="quit", separate=True),
    ActionSpec(
        "review", "&Edit", "&Review Proposed Changes…", ("Ctrl+E",), lambda s: s.proposed, "edit"
    ),
    ActionSpec("apply_patch", "&Edit", "Review a &Patch File…", (), _project),
    ActionSpec(
        "undo_change",
        "&Edit",
        "&Undo Last Change",
        ("Ctrl+Alt+Z",),
        _project,
        "undo",
        separate=True,
    ),
    ActionSpec("redo_change", "&Edit", "Re&do Change", ("Ctrl+Alt+Shift+Z",), _project, "redo"),
    ActionSpec("past_changes", "&Edit", "P&ast Changes…", ("Ctrl+Alt+E",), _project),
    ActionSpec("adapt", "&Edit", "Adapt to This &File…", (), _file, separate=True),
    ActionSpec("discard_adapters", "&Edit", "Discard A&ll Adapters", (), _project),
    ActionSpec("focus_question", "&Question", "&Ask", ("Ctrl+L",), _project, "focus"),
    ActionSpec("ask_selection", "&Question", "Ask a&bout This", ("Ctrl+Shift+A",), _file),
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
    ActionSpec("conversations", "&Question", "&Conversations", ("Ctrl+H",), _project, "chats"),
    ActionSpec(
        "edit_question",
        "&Question",
        "&Edit the Last Question",
        ("Ctrl+Shift+L",),
        lambda s: s.asked and not s.answering,
    ),
    ActionSpec(
        "context", "&Question", "What the &Model Read…", ("Ctrl+Shift+I",), lambda s: s.asked
    ),
    ActionSpec("export", "&Question", "E&xport the Conversation…", (), lambda s: s.asked),
    ActionSpec("book", "&Book", "&Open or Close the Book", ("Ctrl+Shift+B",), _project, "book"),
    ActionSpec("book_inbox", "&Book", "&Inbox of Drafts", ("Ctrl+Alt+B",), _project),
    ActionSpec(
        "quick_note", "&Book", "&New Note…", ("Ctrl+Shift+D",), _project, "new", separate=True
    ),
    ActionSpec(
        "remember",
        "&Book",
        "&Remember This",
        ("Ctrl+D",),
        lambda s: s.project and (s.asked or s.file_open),
    ),
    ActionSpec("note_here", "&Book", "Note on This &Line", ("Ctrl+Alt+L",), lambda s: s.file_open),
    ActionSpec("undo_note", "&Book", "&Undo Last Change of a Note", (), _project, separate=True),
    ActionSpec("palette", "&View", "Command &Palette…", ("Ctrl+Shift+P",), icon="command"),
    ActionSpec("go_to_file", "&View", "Go to &File…", ("Ctrl+P",), _project, "search"),
    ActionSpec("go_to_symbol", "&View", "Go to S&ymbol…", ("Ctrl+T",), _project),
    ActionSpec("go_to_line", "&View", "Go to Li&ne…", ("Ctrl+G",), lambda s: s.file_open),
    ActionSpec("filter", "&View", "Filter the F&iles", ("Ctrl+Shift+E",), _project, separate=True),
    ActionSpec("sources", "&View", "Go to &Sources", ("Ctrl+J",), lambda s: s.asked),
    ActionSpec("definition", "&View", "Go to &Definition", ("F12",), lambda s: s.file_open),
    ActionSpec("usages", "&View", "Find &Usages", ("Shift+F12",), lambda s: s.file_open),
    ActionSpec("find", "&View", "&Find in the File…", ("Ctrl+F",), _file, separate=True),
    ActionSpec("find_next", "&View", "Find &Next", ("F3",), _file),
    ActionSpec("find_previous", "&View", "Find Pre&vious", ("Shift+F3",), _file),
    ActionSpec("next_file", "&View", "Ne&xt File", ("Ctrl+Tab", "Ctrl+PgDown"), _file),
    ActionSpec("previous_file", "&View", "P&revious File", ("Ctrl+Shift+Tab", "Ctrl+PgUp"), _file),
    ActionSpec(
        "open_in_editor",
        "&View",
        "&Open in Your Editor",
        ("Ctrl+Shift+O",),
        lambda s: s.file_open or s.asked,
        "external",
    ),
    ActionSpec("close_file", "&View", "&Close the File", ("Ctrl+W",), _file),
    ActionSpec("close_files", "&View", "Close &All Files", ("Ctrl+Shift+W",), _file),
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
