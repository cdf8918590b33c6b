"""Several files open at once: tabs, their places, and what a session brings back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from commonplace.desktop.background import Background
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.code_tabs import MOST, CodeTabs, titles_of
from commonplace.desktop.session import OpenFile, Session


@pytest.fixture
def pane(qtbot, keeper, qapp):
    background = Background(qapp)
    pane = CodePane(keeper, background)
    pane.resize(500, 300)
    qtbot.addWidget(pane)
    pane.show()
    yield pane
    pane.shut()
    background.finish()
    background.deleteLater()


def show(qtbot, pane, root, path, *where):
    with qtbot.waitSignal(pane.opened):
        pane.open_file(root, path, *where)


def top(pane):
    return pane.view.firstVisibleBlock().blockNumber() + 1


def test_titles_tell_files_of_one_name_apart():
    paths = ["a/x.py", "b/x.py", "y.py", "x.py"]
    assert titles_of(paths) == ["a/x.py", "b/x.py", "y.py", "x.py"]
    assert titles_of(["deep/down/a/x.py", "y.py"]) == ["x.py", "y.py"]


def test_each_file_keeps_its_place(qtbot, pane, project):
    show(qtbot, pane, project, "src/config.py", 40, 42)
    qtbot.waitUntil(lambda: top(pane) > 20)
    was = top(pane)
    show(qtbot, pane, project, "README.md")
    assert pane.tabs.paths == ["src/config.py", "README.md"]
    assert "# Demo" in pane.view.toPlainText()
    with qtbot.waitSignal(pane.opened):
        pane.tabs.turn(1)  # around the end
    assert pane.path == "src/config.py"
    qtbot.waitUntil(lambda: top(pane) == was)
    assert pane.view.marked_lines == (40, 42)
    show(qtbot, pane, project, "README.md")
    assert pane.tabs.count() == 2  # no second tab for a file that has one


def test_closing(qtbot, pane, project):
    for path in ("src/config.py", "src/other.py", "README.md"):
        show(qtbot, pane, project, path)
    with qtbot.waitSignal(pane.opened):
        pane.close_file()
    assert pane.path == "src/other.py"
    index = pane.tabs.paths.index("src/config.py")
    middle = pane.tabs.tabRect(index).center()
    QTest.mouseClick(pane.tabs, Qt.MouseButton.MiddleButton, pos=middle)
    assert pane.tabs.paths == ["src/other.py"]
    assert pane.path == "src/other.py"
    with qtbot.waitSignal(pane.closed):
        pane.tabs.tabButton(0, pane.tabs.ButtonPosition.RightSide).click()


def test_the_row_is_bounded(qtbot, keeper):
    tabs = CodeTabs(keeper)
    qtbot.addWidget(tabs)
    for number in range(MOST):
        assert tabs.open(f"f{number}.py") == []
    tabs.open("f0.py")
    assert tabs.open("more.py") == ["f1.py"]  # f0 was looked at since
    assert tabs.count() == MOST
    assert tabs.path == "more.py"


def test_a_changed_file_is_read_again_where_the_reader_was(qtbot, pane, project):
    show(qtbot, pane, project, "src/config.py", 40, 42)
    qtbot.waitUntil(lambda: top(pane) > 20)
    line = pane.view.firstVisibleBlock().text()
    file = project / "src" / "config.py"
    file.write_text("# one\n# two\n# three\n" + file.read_text())
    with qtbot.waitSignal(pane.opened):
        pane.reload()
    qtbot.waitUntil(lambda: pane.view.firstVisibleBlock().text() == line)


def test_a_file_that_went_leaves_the_others(qtbot, pane, project):
    show(qtbot, pane, project, "README.md")
    show(qtbot, pane, project, "src/other.py")
    (project / "README.md").unlink()
    pane.tabs.turn(-1)
    qtbot.waitUntil(lambda: "no longer there" in pane.note.text())
    with qtbot.waitSignal(pane.opened):
        pane.close_file()
    assert pane.path == "src/other.py"


def test_the_session_brings_all_files_back(window, open_window, project, qtbot, paths):
    for path in ("src/config.py", "README.md", "src/other.py"):
        with qtbot.waitSignal(window.code.opened):
            window._open_file(path)
    window.actions_by_id["previous_file"].trigger()
    qtbot.waitUntil(lambda: "# Demo" in window.code.view.toPlainText())
    window.close()
    window.controller.finish()
    names = [file.path for file in Session(paths).open_files(project)]
    assert names == ["src/config.py", "README.md", "src/other.py"]
    other = open_window()
    other.shell.begin_with(None, restore=True)
    qtbot.waitUntil(lambda: "# Demo" in other.code.view.toPlainText(), timeout=15000)
    assert other.code.tabs.paths == names
    assert other.code.path == "README.md"
    other.actions_by_id["close_files"].trigger()
    assert not other.code.isVisible()
    assert other.code.tabs.count() == 0


def test_one_open_file_survives_the_ini_file(paths, project):
    session = Session(paths)
    assert session.open_files(project) == ()
    files = (OpenFile("a, b/c;d.py", 7),)
    session.keep_files(project, files)
    session.flush()
    assert Session(paths).open_files(project) == files
    session.keep_file(project, None)
    assert session.open_files(project) == ()


def test_tabs_by_keys(window, qtbot):
    for path in ("src/config.py", "README.md"):
        with qtbot.waitSignal(window.code.opened):
            window._open_file(path)
    view, control = window.code.view, Qt.KeyboardModifier.ControlModifier
    view.setFocus()
    qtbot.waitUntil(window.actions_by_id["next_file"].isEnabled)
    for key, modifiers, path in (
        (Qt.Key.Key_Tab, control, "src/config.py"),
        (Qt.Key.Key_Backtab, control | Qt.KeyboardModifier.ShiftModifier, "README.md"),
        (Qt.Key.Key_PageUp, control, "src/config.py"),
    ):
        with qtbot.waitSignal(window.code.opened):
            QTest.keyClick(view, key, modifiers)
        assert window.code.path == path
    with qtbot.waitSignal(window.code.opened):
        QTest.keyClick(view, Qt.Key.Key_W, control)
    assert window.code.path == "README.md"
    QTest.keyClick(view, Qt.Key.Key_W, control)
    assert not window.code.isVisible()
    assert not window.actions_by_id["find"].isEnabled()


def test_going_to_a_line_by_keys(window, qtbot):
    with qtbot.waitSignal(window.code.opened):
        window._open_file("src/config.py")
    window.code.view.setFocus()
    qtbot.waitUntil(window.actions_by_id["go_to_line"].isEnabled)
    QTest.keyClick(window.code.view, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    edit = window.shell.palette.edit
    qtbot.waitUntil(edit.isVisible)
    QTest.keyClicks(edit, "41")
    QTest.keyClick(edit, Qt.Key.Key_Return)
    assert window.code.line == 41
