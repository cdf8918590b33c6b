"""Definitions and usages from the code view: by keys, by menu, in a list."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest


def open_at(window, qtbot, path, word):
    view = window.code.view
    window._open_file(path)
    qtbot.waitUntil(lambda: word in view.toPlainText())
    cursor = view.document().find(word)
    cursor.setPosition(cursor.selectionStart())
    view.setTextCursor(cursor)
    view.setFocus()
    qtbot.waitUntil(window.actions_by_id["definition"].isEnabled)
    return view


def write_use(project):
    (project / "src" / "use.py").write_text("import config\n\n\n    x = load_settings(1)\n")


def test_f12_goes_to_the_definition(window, qtbot, project):
    write_use(project)
    with qtbot.waitSignal(window.controller.memory.files_changed, timeout=10000):
        window.controller.reconcile()
    view = open_at(window, qtbot, "src/use.py", "load_settings")
    assert view.name_at_cursor() == "load_settings"
    QTest.keyClick(view, Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: view.marked_lines == (40, 40))
    assert window.code.path == "src/config.py"
    assert view.hasFocus()


def test_shift_f12_lists_all_places_and_enter_goes_there(window, qtbot, project):
    write_use(project)
    with qtbot.waitSignal(window.controller.memory.files_changed, timeout=10000):
        window.controller.reconcile()
    view = open_at(window, qtbot, "src/config.py", "load_settings")
    QTest.keyClick(view, Qt.Key.Key_F12, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: window.finder.dialog is not None)
    dialog = window.finder.dialog
    lines = dialog.model.stringList()
    assert lines[0].startswith("defined · src/config.py:40 · def load_settings")
    assert lines[1] == "src/use.py:4 · x = load_settings(1)"
    dialog.list.setCurrentIndex(dialog.model.index(1))
    QTest.keyClick(dialog.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: view.marked_lines == (4, 4))
    assert window.code.path == "src/use.py"
    assert not window.code.note.isVisible()


def test_what_leads_nowhere_is_said(window, qtbot):
    view = open_at(window, qtbot, "src/config.py", "line 1")
    window.actions_by_id["definition"].trigger()
    qtbot.waitUntil(lambda: bool(window.shell.toasts.text))
    assert "defines line" in window.shell.toasts.text
    view.setTextCursor(QTextCursor(view.document().findBlockByNumber(80)))
    assert view.name_at_cursor() == ""
    window.actions_by_id["usages"].trigger()
    qtbot.waitUntil(lambda: "no name" in window.shell.toasts.text)


def test_the_menu_of_the_code_view_offers_both(window, qtbot):
    view = open_at(window, qtbot, "src/config.py", "load_settings")
    menu = view.context_menu()
    titles = [action.text().replace("&", "") for action in menu.actions()]
    assert titles[:2] == ["Go to Definition", "Find Usages"]
    assert len(titles) > 3
    menu.deleteLater()
