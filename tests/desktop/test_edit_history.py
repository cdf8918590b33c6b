"""The list of past changes: seen, compared, taken back, and refused where a file moved on."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from test_edits import TWO, opened

from commonplace.desktop.edit_history import EditHistory, record_words
from commonplace.edits.journal import FileRecord, Record
from commonplace.edits.room import Edits

PATIENCE = 15_000


@pytest.fixture
def changed(window, project, paths, qtbot):
    """Two changes made through the room the window uses, the second of two files."""
    room = Edits(project.resolve(), paths)
    one = b"--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-# Demo\n+# The demo\n"
    two = (
        b"--- a/src/other.py\n+++ b/src/other.py\n@@ -1 +1 @@\n-def unrelated():\n+def related():\n"
        b"--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1 @@\n+fresh\n"
    )
    for name, patch in (("first", one), ("second", two)):
        proposal = room.propose_patch(patch)
        room.apply(proposal.plan(proposal.everything(), name))
    return room


def history(window, qtbot, rows=2) -> EditHistory:
    window.actions_by_id["past_changes"].trigger()
    [dialog] = window.findChildren(EditHistory)
    qtbot.waitUntil(lambda: dialog.list.count() == rows, timeout=PATIENCE)
    return dialog


def test_it_lists_what_when_and_which_files_and_shows_the_difference(window, changed, qtbot):
    dialog = history(window, qtbot)
    assert dialog.list.item(0).text().startswith("second\n")
    assert "2 files" in dialog.about.text()
    qtbot.waitUntil(lambda: dialog.files.count() == 2, timeout=PATIENCE)
    assert dialog.files.itemText(0) == "src/other.py   +1 −1"
    said = [dialog.diff.model.index(n).data() for n in range(dialog.diff.model.rowCount())]
    assert said[0] == "Change 1 of 1, line 1"  # nothing is left to accept
    assert "line 1 removed: def unrelated():" in said
    dialog.files.setCurrentIndex(1)
    assert "line 1 added: fresh" in [
        dialog.diff.model.index(n).data() for n in range(dialog.diff.model.rowCount())
    ]
    dialog.reject()


def test_an_older_change_is_taken_back_and_done_again_by_keyboard(window, changed, project, qtbot):
    before = (project / "README.md").read_bytes()
    dialog = history(window, qtbot)
    qtbot.keyClick(dialog.list, Qt.Key.Key_Down)
    assert dialog.title.text() == "first"
    qtbot.keyClick(dialog, Qt.Key.Key_U, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: dialog.turn_button.text() == "&Do It Again", timeout=PATIENCE)
    assert (project / "README.md").read_text().startswith("# Demo\n")
    assert (project / "new.txt").exists()  # the newer change stays
    assert dialog.title.text() == "first"
    assert "undone" in dialog.about.text()
    assert "Undone: first" in window.shell.toasts.text
    qtbot.waitUntil(dialog.turn_button.isEnabled, timeout=PATIENCE)
    dialog.turn_button.click()
    qtbot.waitUntil(lambda: (project / "README.md").read_bytes() == before, timeout=PATIENCE)
    qtbot.waitUntil(lambda: dialog.turn_button.text() == "&Undo This Change", timeout=PATIENCE)
    dialog.reject()


def test_undo_is_refused_with_the_reason_if_a_file_moved_on(window, changed, project, qtbot):
    (project / "src/other.py").write_text("somebody else wrote this\n")
    dialog = history(window, qtbot)
    dialog.turn_button.click()
    qtbot.waitUntil(lambda: "history" in dialog.messages.texts, timeout=PATIENCE)
    assert "src/other.py was changed since" in dialog.messages.texts["history"]
    assert (project / "src/other.py").read_text() == "somebody else wrote this\n"
    assert (project / "new.txt").exists()  # all or nothing
    [frame] = dialog.messages._frames.values()
    [button] = [b for b in frame.findChildren(type(dialog.turn_button)) if "Difference" in b.text()]
    button.click()
    review = opened(window, qtbot)
    assert {change.path for change in review.proposal.files} == {"src/other.py", "new.txt"}
    review.reject()
    dialog.reject()


def test_without_changes_it_says_how_to_make_one(window, qtbot):
    window.actions_by_id["past_changes"].trigger()
    [dialog] = window.findChildren(EditHistory)
    qtbot.waitUntil(lambda: "/edit" in dialog.empty.text(), timeout=PATIENCE)
    assert not dialog.turn_button.isEnabled()
    assert not dialog.diff.isVisible()
    dialog.reject()


def test_a_damaged_journal_is_told_and_nothing_is_written(window, changed, project, qtbot):
    newest = changed.history()[0]
    for file in (changed._journal.folder / newest.id).iterdir():
        if file.name != "record.json":
            file.write_bytes(b"not what it was")
    dialog = history(window, qtbot)
    qtbot.waitUntil(lambda: "damaged" in dialog.messages.texts.get("history", ""), timeout=PATIENCE)
    dialog.turn_button.click()
    qtbot.waitUntil(dialog.turn_button.isEnabled, timeout=PATIENCE)
    assert (project / "src/other.py").read_text().startswith("def related():")
    dialog.reject()


def test_a_change_made_in_the_window_is_in_the_list(window, settled, qtbot):
    window.ask(TWO)
    settled(window)
    window.actions_by_id["review"].trigger()
    review = opened(window, qtbot)
    review.apply_button.click()
    qtbot.waitUntil(lambda: "src/config.py" in window.shell.toasts.text, timeout=PATIENCE)
    dialog = history(window, qtbot, rows=1)
    assert dialog.title.text().startswith("change the settings")
    dialog.reject()


def test_words_of_a_change():
    file = FileRecord("a", "", "x", -1)
    record = Record("20260101-000000-abcdef", 0.0, "t", (file, file), applied=False)
    assert record_words(record, 1.0).endswith("2 files · undone")
    assert "interrupted" in record_words(Record("i", 0.0, "t", (file,), phase="staging"), 1.0)
