"""Keys can be changed, conflicts are said, and only what differs is written."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QKeySequence

from commonplace.desktop.actions import ACTIONS
from commonplace.desktop.settings_dialog import SettingsDialog
from commonplace.desktop.shortcuts import Shortcuts, portable
from commonplace.settings import Settings, load, save


@pytest.fixture
def file(tmp_path):
    return tmp_path / "settings.toml"


def test_nothing_is_written_until_something_differs(file, qapp):
    shortcuts = Shortcuts(file)
    assert shortcuts.keys("palette") == ("Ctrl+Shift+P",)
    shortcuts.choose("palette", ["ctrl+k"])
    assert file.read_text() == '[shortcuts]\npalette = ["Ctrl+K"]\n'
    assert Shortcuts(file).keys("palette") == ("Ctrl+K",)
    shortcuts.reset("palette")
    assert "palette" not in file.read_text()
    assert not shortcuts.changed_keys("palette")


def test_keys_belong_to_one_action_at_a_time(file, qapp):
    shortcuts = Shortcuts(file)
    assert shortcuts.owner("Ctrl+O").id == "open"
    assert shortcuts.owner("Ctrl+O", besides="open") is None
    shortcuts.choose("stop", ["Ctrl+O", "Esc"])
    assert shortcuts.keys("open") == ()
    assert shortcuts.owner("ctrl+o").id == "stop"
    shortcuts.reset("open")
    assert shortcuts.keys("open") == ("Ctrl+O",)
    assert shortcuts.keys("stop") == ("Esc",)
    shortcuts.reset_all()
    assert all(shortcuts.keys(spec.id) == spec.shortcuts for spec in ACTIONS)


def test_the_rest_of_the_file_stays_and_odd_entries_do_no_harm(file, qapp):
    file.write_text(
        "# mine\n[answer]\nmax_tokens = 64\n"
        '[shortcuts]\nof_the_future = ["Ctrl+1"]\nopen = "no list"\nstop = ["nonsense+++"]\n'
    )
    shortcuts = Shortcuts(file)
    assert shortcuts.keys("open") == ("Ctrl+O",)
    assert shortcuts.keys("stop") == ()
    shortcuts.choose("palette", ["Ctrl+K"])
    text = file.read_text()
    assert "# mine" in text
    assert "of_the_future" in text
    assert load(file).answer_max_tokens == 64
    save(file, {"answer.max_tokens": 32})
    assert Shortcuts(file).keys("palette") == ("Ctrl+K",)


def test_a_damaged_file_leaves_the_keys_of_the_table(file, qapp):
    file.write_text("= = =")
    assert Shortcuts(file).keys("open") == ("Ctrl+O",)


@pytest.mark.parametrize("keys", ["", "nonsense", "Ctrl+", "Ctrl+Nonsense"])
def test_what_is_no_key_is_none(keys, qapp):
    assert portable(keys) == ""


def test_the_page_assigns_and_says_who_had_the_keys(window, qtbot):
    window.actions_by_id["shortcuts"].trigger()
    dialog = window.findChild(SettingsDialog)
    page = dialog.shortcuts
    assert dialog.tabs.currentWidget() is page
    dialog.search.setText("command palette")
    assert page.chosen.id == "palette"
    page.keys.setKeySequence(QKeySequence("Ctrl+O"))
    assert "Open Folder" in page.conflict.text()
    page.assign.click()
    actions = window.actions_by_id
    assert actions["palette"].shortcut() == QKeySequence("Ctrl+O")
    assert actions["open"].shortcuts() == []
    page.reset_all.click()
    assert actions["open"].shortcut() == QKeySequence("Ctrl+O")
    page.clear.click()
    assert actions["palette"].shortcuts() == []
    page.reset.click()
    dialog.reject()


def test_a_page_that_cannot_write_says_so(tmp_path, qtbot):
    (tmp_path / "s.toml").mkdir()
    shortcuts = Shortcuts(tmp_path / "s.toml")
    dialog = SettingsDialog(tmp_path / "s.toml", Settings(), (), shortcuts=shortcuts)
    qtbot.addWidget(dialog)
    dialog.shortcuts.keys.setKeySequence(QKeySequence("Ctrl+K"))
    dialog.shortcuts.assign.click()
    assert "s.toml" in dialog._error.text()


def test_looks_are_seen_while_they_are_chosen(window, qtbot):
    window.actions_by_id["settings"].trigger()
    dialog = window.findChild(SettingsDialog)
    rows = {row.declaration.key: row for row in dialog.rows}
    theme, size = rows["appearance.theme"], rows["appearance.font_size"]
    theme.editor.setCurrentText("dark")
    size.editor.setValue(14)
    assert (window._keeper.theme.name, window._keeper.font_size) == ("dark", 14)
    assert not theme.reset.isHidden()
    theme.reset.click()
    assert theme.value == "system"
    assert theme.reset.isHidden()
    dialog.reject()
    assert (window._keeper.setting, window._keeper.font_size) == ("system", 10)


def test_searching_for_nothing_there_is_says_so(tmp_path, qtbot):
    dialog = SettingsDialog(tmp_path / "s.toml", Settings(), ())
    qtbot.addWidget(dialog)
    dialog.search.setText("xyzzy")
    assert not dialog._nothing.isHidden()
    dialog.search.setText("font")
    assert [r.declaration.key for r in dialog.rows if not r.isHidden()] == ["appearance.font_size"]


def test_sentences_and_tooltips_name_the_keys_in_force(window, qtbot, settled):
    choose = window.shell.shortcuts.choose
    tips = {
        "clear": window.chat_list.new_button,
        "quick_note": window.book.desk.page.list.new_button,
        "find": window.code.find_button,
        "open_in_editor": window.code.editor_button,
        "open": window.welcome.open_button,
    }
    for number, (action, button) in enumerate(tips.items(), start=2):
        choose(action, [f"Ctrl+Alt+F{number}"])
        assert f"(Ctrl+Alt+F{number})" in button.toolTip()
        choose(action, [])
        assert "(" not in button.toolTip()
    choose("quick_note", ["Ctrl+Alt+F9"])
    choose("remember", [])
    window.actions_by_id["book"].trigger()
    page = window.book.desk.page
    qtbot.waitUntil(lambda: "Ctrl+Alt+F9 writes" in page.list.empty.text(), timeout=15_000)
    assert "“Remember This” remembers" in page.list.empty.text()
    assert "Ctrl+Alt+F9" in page.pane.hint.text()
    choose("palette", ["Ctrl+Alt+F10"])
    assert "Ctrl+Alt+F10 lists all commands" in window.welcome._keys.text()
    assert "Ctrl+Alt+F10 lists all commands" in window.hints._keys.text()
    choose("stop", ["Ctrl+Alt+F11"])
    window.composer.set_busy(True)
    assert window.composer.button.toolTip() == "Stop (Ctrl+Alt+F11)"
    window.composer.set_busy(False)
    window._open_file("src/config.py")
    said = []
    window.book._window.say = lambda text, *_: said.append(text)
    qtbot.waitUntil(lambda: window.code.view.toPlainText() != "", timeout=15_000)
    window.book.open_note_here()
    assert said == ["No note speaks of this line. “Remember This” writes one."]


def test_no_keys_are_written_into_sentences():
    """Keys of actions come from the table; fixed ones belong to a dialog or a field."""
    from pathlib import Path

    import commonplace.desktop

    fixed = {"Ctrl+S", "Ctrl+Enter", "Ctrl+B"}
    table = {keys for spec in ACTIONS for keys in spec.shortcuts if "+" in keys} - fixed
    folder = Path(commonplace.desktop.__file__).parent
    for file in folder.glob("*.py"):
        if file.name != "actions.py":
            text = "\n".join(
                line.partition("#")[0] for line in file.read_text(encoding="utf-8").splitlines()
            )
            found = [keys for keys in table if f"{keys})" in text or f"{keys} " in text]
            assert not found, (file.name, found)


def test_the_invitation_to_ask_fits_its_field(window):
    edit = window.composer.edit
    for width in (600, 200, 90):
        edit.setFixedWidth(width)
        text = edit.placeholderText()
        assert edit.fontMetrics().horizontalAdvance(text) <= max(edit.viewport().width(), 60)
        assert text.startswith("Ask")
