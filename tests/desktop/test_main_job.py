"""The main job as somebody does it who never saw the program: by keyboard, from end to end."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from test_edits import opened

from commonplace.desktop.book_quick import QuickNote
from commonplace.desktop.controller import Commands
from commonplace.desktop.edit_history import EditHistory
from commonplace.paths import worker_command
from commonplace.settings import Settings

PATIENCE = 15_000
CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
FAKE_ENGINE = [sys.executable, "-m", "commonplace.engine.fake_worker"]
BLOCK = "FILE src/config.py⏎<<<<<<< SEARCH⏎# line 2⏎=======⏎# line two⏎>>>>>>> REPLACE"
EDIT = f"/edit line 2 @src/config.py !say {BLOCK}"


@pytest.fixture
def window(open_window, project, model, paths, qtbot):
    """A window with the real memory, and the fake engine, which says what it is told."""
    window = open_window(
        Settings(recall_embedder="none", answer_max_tokens=64),
        Commands(worker_command("memory"), FAKE_ENGINE),
    )
    window.open_project(project)
    window.controller.load_model()
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "ready", timeout=PATIENCE)
    return window


@pytest.fixture
def keys(window, qtbot):
    """Return a function that presses keys wherever the focus is."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)

    def press(what, modifiers=Qt.KeyboardModifier.NoModifier):
        target = QApplication.focusWidget() or window
        if isinstance(what, str):
            QTest.keyClicks(target, what)
        else:
            QTest.keyClick(target, what, modifiers)

    return press


def test_ask_note_edit_undo_and_find_yesterday(window, keys, settled, project, paths, qtbot):
    file = project / "src/config.py"
    before = file.read_bytes()

    # Ask, and open the first source.
    keys(Qt.Key.Key_L, CONTROL)
    keys("where are the settings?")
    keys(Qt.Key.Key_Return)
    settled(window)
    keys(Qt.Key.Key_J, CONTROL)
    qtbot.waitUntil(window.sources.list.hasFocus, timeout=PATIENCE)
    keys(Qt.Key.Key_Down)
    with qtbot.waitSignal(window.code.opened, timeout=PATIENCE):
        keys(Qt.Key.Key_Return)

    # Keep a note.
    keys(Qt.Key.Key_D, CONTROL | SHIFT)
    qtbot.waitUntil(lambda: bool(shown(window, QuickNote)), timeout=PATIENCE)
    [note] = shown(window, QuickNote)
    note.activateWindow()
    qtbot.waitUntil(lambda: note.isActiveWindow() and note.title.hasFocus(), timeout=PATIENCE)
    keys("Settings are read at start")
    keys(Qt.Key.Key_Tab)
    keys("Never later.")
    keys(Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: "Kept" in window.shell.toasts.text, timeout=PATIENCE)

    # Ask for a change, review it, apply it.
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    keys(Qt.Key.Key_L, CONTROL)
    window.composer.edit.insertPlainText(EDIT)  # pasted: no key has the sign for a line
    keys(Qt.Key.Key_Return)
    settled(window)
    qtbot.waitUntil(window.actions_by_id["review"].isEnabled, timeout=PATIENCE)
    keys(Qt.Key.Key_E, CONTROL)
    review = opened(window, qtbot)
    qtbot.waitUntil(review.isActiveWindow, timeout=PATIENCE)
    keys(Qt.Key.Key_Return, CONTROL)
    qtbot.waitUntil(lambda: file.read_bytes() != before, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "Changed" in window.shell.toasts.text, timeout=PATIENCE)

    # Take it back from the list of past changes.
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    keys(Qt.Key.Key_E, CONTROL | ALT)
    [history] = shown(window, EditHistory)
    qtbot.waitUntil(
        lambda: history.list.count() == 1 and history.isActiveWindow(), timeout=PATIENCE
    )
    keys(Qt.Key.Key_U, ALT)
    qtbot.waitUntil(lambda: file.read_bytes() == before, timeout=PATIENCE)
    qtbot.waitUntil(lambda: "undone" in history.about.text(), timeout=PATIENCE)
    keys(Qt.Key.Key_Escape)

    # A new conversation; then the one before is found by its words.
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    keys(Qt.Key.Key_N, CONTROL)
    qtbot.waitUntil(lambda: not window.conversation.exchanges, timeout=PATIENCE)
    keys(Qt.Key.Key_H, CONTROL)
    qtbot.waitUntil(window.chat_list.search.hasFocus, timeout=PATIENCE)
    keys("where settings")
    listed = window.chat_list.model
    qtbot.waitUntil(
        lambda: any(row.found for row in listed._rows if row.chat is not None), timeout=PATIENCE
    )
    keys(Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(window.conversation.exchanges) == 2, timeout=PATIENCE)
    qtbot.waitUntil(
        lambda: "where are the settings?" in window.transcript.shown_text(), timeout=PATIENCE
    )


def shown(window, kind):
    """Return the dialogs of a kind that are on screen."""
    return [dialog for dialog in window.findChildren(kind) if dialog.isVisible()]
