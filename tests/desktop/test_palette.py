"""The palette by keyboard alone: files, lines, commands and definitions."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from commonplace.desktop.actions import ACTIONS
from commonplace.desktop.shortcuts import shown


@pytest.fixture
def typed(window, qtbot):
    """Return a function that opens the palette by an action and types into it."""
    window.activateWindow()
    window.composer.edit.setFocus()

    def act(action, text):
        window.actions_by_id[action].trigger()
        palette = window.shell.palette
        assert palette.isVisible()
        assert palette.edit.hasFocus()
        QTest.keyClicks(palette.edit, text)
        return palette

    return act


def line_at_cursor(window):
    return window.code.view.textCursor().blockNumber() + 1


def test_a_file_opens_by_a_few_letters(window, typed, qtbot):
    palette = typed("go_to_file", "srconf")
    qtbot.waitUntil(lambda: [e.title for e in palette.entries][:1] == ["config.py"])
    assert palette.entries[0].place == "src"
    with qtbot.waitSignal(window.code.opened) as opened:
        QTest.keyClick(palette.edit, Qt.Key.Key_Return)
    assert opened.args == ["src/config.py"]
    assert not palette.isVisible()
    assert window.code.view.hasFocus()
    window.actions_by_id["go_to_file"].trigger()
    assert palette.entries[0].title == "config.py"  # what was open comes first


def test_a_file_opens_at_a_line(window, typed, qtbot):
    palette = typed("go_to_file", "config.py:40")
    qtbot.waitUntil(lambda: len(palette.entries) == 1)
    with qtbot.waitSignal(window.code.opened):
        QTest.keyClick(palette.edit, Qt.Key.Key_Return)
    assert window.code.view.marked_lines == (40, 40)
    palette = typed("go_to_line", "7")
    QTest.keyClick(palette.edit, Qt.Key.Key_Return)
    assert line_at_cursor(window) == 7
    typed("go_to_line", "99999")
    QTest.keyClick(palette.edit, Qt.Key.Key_Return)
    assert line_at_cursor(window) == window.code.view.blockCount()


def test_a_command_runs_and_impossible_ones_are_not_offered(window, typed):
    palette = typed("palette", "dark theme")
    assert [entry.title for entry in palette.entries] == ["Dark Theme"]
    QTest.keyClick(palette.edit, Qt.Key.Key_Return)
    assert window._keeper.theme.name == "dark"
    window.actions_by_id["theme_light"].trigger()
    typed("palette", "stop")
    assert "Stop" not in [entry.title for entry in palette.entries]
    palette.edit.setText(">")
    offered = [entry.title for entry in palette.entries]
    possible = [spec for spec in ACTIONS if window.actions_by_id[spec.id].isEnabled()]
    assert len(offered) == len(possible) - 1  # all but the palette itself
    by_title = {entry.title: entry.keys for entry in palette.entries}
    assert by_title["Open Folder"] == shown(["Ctrl+O"])


def test_a_definition_is_gone_to(window, typed, qtbot):
    palette = typed("go_to_symbol", "load_s")
    qtbot.waitUntil(lambda: [e.title for e in palette.entries] == ["load_settings"])
    with qtbot.waitSignal(window.code.opened):
        QTest.keyClick(palette.edit, Qt.Key.Key_Return)
    assert window.code.view.marked_lines == (40, 40)
    typed("go_to_symbol", "nothing_like_it")
    qtbot.waitUntil(lambda: "defines a name" in palette.note.text())
    assert not palette.list.isVisible()


def test_escape_and_leaving_close_it_and_give_the_focus_back(window, typed, qtbot):
    palette = typed("go_to_file", "x")
    QTest.keyClick(palette.edit, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert window.composer.edit.hasFocus()
    typed("go_to_file", "x")
    window.tree.filter.setFocus()
    qtbot.waitUntil(lambda: not palette.isVisible())
    assert window.tree.filter.hasFocus()


def test_arrows_move_through_the_list(window, typed, qtbot):
    palette = typed("palette", "")
    first = palette.list.current
    QTest.keyClick(palette.edit, Qt.Key.Key_Down)
    assert palette.list.current is not first
    QTest.keyClick(palette.edit, Qt.Key.Key_Up)
    QTest.keyClick(palette.edit, Qt.Key.Key_Up)
    assert palette.list.current is palette.entries[-1]
    QTest.keyClick(palette.edit, Qt.Key.Key_PageUp)
    QTest.keyClick(palette.edit, Qt.Key.Key_PageDown)
    assert palette.list.current is palette.entries[-1]


def test_odd_names_are_shown_as_what_they_are(open_window, qtbot, project, model):
    odd = "\u202egnp.py"
    (project / odd).write_text("x = 1\n")
    window = open_window()
    window.open_project(project)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready")
    qtbot.waitUntil(lambda: odd in window.controller.files.files)
    window.actions_by_id["go_to_file"].trigger()
    palette = window.shell.palette
    QTest.keyClicks(palette.edit, "gnp")
    qtbot.waitUntil(lambda: [e.title for e in palette.entries] == ["⟨U+202E⟩gnp.py"])
    with qtbot.waitSignal(window.code.opened) as opened:
        QTest.keyClick(palette.edit, Qt.Key.Key_Return)
    assert opened.args == [odd]


def test_the_list_is_a_sound_model(window, typed, qtmodeltester):
    palette = typed("palette", "")
    qtmodeltester.check(palette.list.model())
