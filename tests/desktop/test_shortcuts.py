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
