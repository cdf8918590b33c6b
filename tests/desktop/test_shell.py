"""What surrounds the work: sessions, recent projects, other windows, the index panel, toasts."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from commonplace.desktop import instance, windows
from commonplace.desktop.index_panel import IndexPanel
from commonplace.desktop.motion import may_move, set_motion
from commonplace.desktop.session import MOST, OpenFile, Session
from commonplace.desktop.toast import SHOWN_MS, Toasts
from commonplace.errors import NoteError, ProjectBusyError

APP = Path(__file__).resolve().parents[2] / "app"


@pytest.fixture
def panel(window, qtbot):
    window.actions_by_id["index"].trigger()
    panel = window.findChild(IndexPanel)
    qtbot.waitUntil(lambda: "KiB" in panel.figures[4].value.text())
    return panel


def test_the_panel_says_how_much_how_fresh_and_what_is_left_out(panel):
    assert [f.value.text() for f in panel.figures[:4]] == ["3", "9", "9", "1"]
    assert panel.figures[5].value.text() == "just now"
    assert "python 3" in panel.about.text()
    assert panel.skipped.reason_model.stringList() == ["All reasons (1)", "not text (1)"]
    panel.skipped.reasons.setCurrentIndex(panel.skipped.reason_model.index(1))
    assert panel.skipped.model.stringList() == ["logo.png"]


def test_rebuilding_is_asked_about_first(panel, window, qtbot):
    seen = []
    window.controller.memory.status_changed.connect(lambda status: seen.append(status.phase))
    for button, wanted in (
        (QMessageBox.ButtonRole.RejectRole, []),
        (QMessageBox.ButtonRole.DestructiveRole, ["reading", "ready"]),
    ):
        panel.rebuild.click()
        box = panel.findChildren(QMessageBox)[-1]
        assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
        [choice] = [b for b in box.buttons() if box.buttonRole(b) == button]
        choice.click()
        qtbot.waitUntil(lambda wanted=wanted: seen == wanted)


def test_the_panel_pauses_and_goes_on(panel, window, qtbot):
    window.actions_by_id["pause"].trigger()
    qtbot.waitUntil(lambda: panel.status.phase.text() == "Indexing is paused")
    panel.status.pause.click()
    qtbot.waitUntil(lambda: panel.status.phase.text() == "Up to date")
    assert window.status.status.phase == "ready"


def test_notes_of_the_memory_are_shown(panel, window):
    status = window.status.status
    panel.show_status(type(status)("ready", 0, 0, 3, 3, 0, 0, "", "The embedder is not there."))
    assert panel.status.note.text() == "The embedder is not there."
    assert not panel.status.note.isHidden()


def test_nothing_left_out_is_said_as_well(panel):
    panel.skipped.show_skipped(())
    assert panel.skipped.pages.currentWidget() is panel.skipped.empty


def test_the_session_keeps_what_was_open(window, open_window, project, qtbot, paths):
    window._open_file("src/config.py")
    qtbot.waitUntil(lambda: window.code.view.blockCount() > 50)
    window.code.view.verticalScrollBar().setValue(30)
    window.close()
    window.controller.finish()
    assert Session(paths).open_file(project) == OpenFile("src/config.py", 31)
    other = open_window()
    other.shell.begin_with(None, restore=True)
    qtbot.waitUntil(lambda: other.code.path == "src/config.py", timeout=15000)
    qtbot.waitUntil(lambda: other.code.view.verticalScrollBar().value() == 30)
    other.actions_by_id["close_file"].trigger()
    qtbot.waitUntil(lambda: not other.code.isVisible())


def test_a_closed_file_stays_closed(window, open_window, project, qtbot, paths):
    window._open_file("README.md")
    qtbot.waitUntil(lambda: Session(paths).open_file(project) is not None)
    window.code.close_button.click()
    assert Session(paths).open_file(project) is None


def test_nothing_is_restored_where_it_is_not_wanted_or_gone(open_window, project, qtbot, paths):
    window = open_window()
    window.shell.begin_with(None, restore=True)
    window.shell.session.add(project)
    window.shell.begin_with(None, restore=False)
    assert window.controller.project is None
    window.shell.session.add(project.with_name("gone"))
    window.shell.begin_with(None, restore=True)
    window.controller.background.drain(5000)
    qtbot.wait(20)
    assert window.controller.project is None


def test_recent_projects_are_few_latest_first_and_forgotten(paths, tmp_path):
    session = Session(paths)
    roots = [tmp_path / str(n) for n in range(MOST + 3)]
    for root in roots:
        session.add(root)
    session.add(roots[5])
    assert session.recent[0] == roots[5]
    assert len(session.recent) == MOST == len(set(session.recent))
    session.drop(roots[5])
    assert roots[5] not in session.recent
    session.keep_file(roots[6], OpenFile("a", 3))
    session.clear()
    assert session.recent == ()
    assert session.open_file(roots[6]) is None


def test_recent_projects_stand_in_the_menu_and_on_the_page(open_window, project, qtbot, model):
    window = open_window()
    window.shell.session.add(project)
    window.shell.session.add(project / "a&b")
    menu = window.shell._recent
    menu.aboutToShow.emit()
    texts = [a.text() for a in menu.actions() if a.text()]
    assert texts == [str(project / "a&&b"), str(project), "&Forget These"]
    menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: window.status.status.phase == "ready")
    menu.aboutToShow.emit()
    assert str(project) not in [a.text() for a in menu.actions()]
    menu.actions()[-1].trigger()
    assert window.shell.session.recent == (project,)
    menu.aboutToShow.emit()
    assert [a.isEnabled() for a in menu.actions()] == [False]


OTHER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from commonplace.desktop import instance
cache = Path(sys.argv[2])
if sys.argv[3] == "raise":
    print(instance.raise_window(cache), flush=True)
else:
    instance.claim(cache)
    print("claimed", flush=True)
    if sys.argv[3] == "answer":
        while not instance.take_requests(cache / instance.FOLDER):
            time.sleep(0.01)
        print("asked", flush=True)
    sys.stdin.read()
    if sys.argv[3] == "answer":
        instance.release(cache)
"""


def other(cache, what):
    return subprocess.Popen(
        [sys.executable, "-c", OTHER, str(APP), str(cache), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_another_process_is_led_to_the_window(window, project, qtbot, paths, monkeypatch):
    came = []
    monkeypatch.setattr(windows, "come_to_front", came.append)
    with other(paths.project_cache(project), "raise") as process:
        qtbot.waitUntil(lambda: came == [window], timeout=10000)
        assert process.communicate()[0].strip() == "True"
    window.close()
    with other(paths.project_cache(project), "raise") as process:
        assert process.communicate()[0].strip() == "False"


def test_this_window_leads_to_another(open_window, tmp_path, qtbot, paths, model):
    busy = tmp_path / "busy"
    busy.mkdir()
    window = open_window()
    with other(paths.project_cache(busy), "answer") as process:
        assert process.stdout.readline() == "claimed\n"
        window.open_project(busy)
        qtbot.waitUntil(lambda: "another window" in window.shell.toasts.text, timeout=10000)
        assert process.stdout.readline() == "asked\n"
        assert "project" not in window.messages.texts
        process.stdin.close()
        process.wait()
    assert not instance.has_window(paths.project_cache(busy))


def test_a_window_made_for_that_project_goes_again(open_window, tmp_path, qtbot, paths):
    busy = tmp_path / "busy"
    busy.mkdir()
    window = open_window()
    with other(paths.project_cache(busy), "answer") as process:
        assert process.stdout.readline() == "claimed\n"
        window.shell.begin_with(busy, restore=True)
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=10000)
        process.stdin.close()


def test_a_process_that_died_or_hangs_leads_nowhere(paths, project):
    cache = paths.project_cache(project)
    with other(cache, "hang") as process:
        assert process.stdout.readline() == "claimed\n"
        assert instance.has_window(cache)
        began = time.monotonic()
        assert not instance.raise_window(cache, patience=0.2)
        assert time.monotonic() - began < 10
        assert not list((cache / instance.FOLDER).glob(f"*{instance.REQUEST}"))
        process.kill()
        process.wait()
    assert not instance.has_window(cache)
    (cache / instance.FOLDER / instance.OWNER).write_text("nonsense")
    assert not instance.has_window(cache)


def test_a_busy_project_without_a_window_is_told_as_before(open_window, tmp_path, qtbot):
    busy = tmp_path / "busy"
    busy.mkdir()
    window = open_window()
    errors = []
    window.controller.problem.connect(lambda _key, error: errors.append(error))
    window.open_project(busy)
    qtbot.waitUntil(lambda: bool(errors), timeout=10000)
    assert isinstance(errors[0], ProjectBusyError)
    window.controller.background.drain(5000)
    QApplication.processEvents()
    assert "project" in window.messages.texts


def test_a_new_window_is_a_process_of_its_own(monkeypatch, tmp_path, qtbot):
    said = tmp_path / "said"
    script = f"import sys, pathlib; pathlib.Path({str(said)!r}).write_text(' '.join(sys.argv[1:]))"
    monkeypatch.setattr(windows, "window_command", lambda: [sys.executable, "-c", script])
    assert windows.new_window(Path("/some/project"))
    qtbot.waitUntil(lambda: said.exists() and said.read_text() == "/some/project", timeout=10000)


def test_toasts_come_go_and_do_not_take_the_focus(window, qtbot, app):
    toasts: Toasts = window.shell.toasts
    window.composer.edit.setFocus()
    done = []
    set_motion(app, "reduced")
    toasts.say("Deleted it.", "Undo", lambda: done.append(1), 50)
    assert toasts.text == "Deleted it."
    assert not toasts.button.isHidden()
    qtbot.waitUntil(lambda: toasts.text == "")
    toasts.say("Deleted it.", "Undo", lambda: done.append(1))
    QTest.mouseClick(toasts.button, Qt.MouseButton.LeftButton)
    assert done == [1]
    assert toasts.text == ""
    set_motion(app, "full")
    toasts.say("\u202eShort", ms=10)
    assert toasts.text == "⟨U+202E⟩Short"
    assert toasts.button.isHidden()
    QApplication.sendEvent(window, QEvent(QEvent.Type.LayoutRequest))
    qtbot.waitUntil(lambda: toasts.text == "")
    window.resize(500, 500)
    toasts.say("word " * 200)
    assert toasts.width() < 500
    assert len(toasts.text) <= 300
    toasts.dismiss()


def test_a_refusal_keeps_its_time_and_what_succeeds_is_told_after_it(window, qtbot):
    toasts: Toasts = window.shell.toasts
    done = []
    refusal = NoteError("The note is locked.", "Close the other program.")
    toasts.say("Kept it.", "Undo", lambda: done.append("undone"))
    window.say(refusal, "Settings", lambda: done.append("settings"))
    assert toasts.text == "The note is locked. Close the other program.", "it comes at once"
    window.say("Kept one.")
    window.say("Kept another.", "Undo", lambda: done.append("undone"))
    assert toasts.text.startswith("The note is locked.")
    assert toasts.button.text() == "Settings"
    assert toasts._timer.interval() <= SHOWN_MS, "what waits does not wait long"
    toasts._timer.start(10)  # its time is over
    qtbot.waitUntil(lambda: toasts.text == "Kept another.", timeout=15000)
    QTest.mouseClick(toasts.button, Qt.MouseButton.LeftButton)
    assert (done, toasts.text) == (["undone"], "")

    window.say(refusal, "Settings", lambda: done.append("settings"))
    window.say("Kept it.")
    QTest.mouseClick(toasts.button, Qt.MouseButton.LeftButton)
    assert (done[-1], toasts.text) == ("settings", "Kept it."), "answered, it makes room"
    window.say(refusal)
    window.say("Kept it.")
    window.say(NoteError("The disk is full.", "Make room."))
    assert toasts.text == "The disk is full. Make room.", "a newer refusal comes at once"
    toasts.dismiss()
    assert toasts.text == ""
    window.say("Kept it.")
    assert toasts.text == "Kept it."
    toasts.dismiss()


def test_reduced_motion_also_keeps_cursors_still(app):
    before = app.cursorFlashTime()
    set_motion(app, "reduced")
    assert not may_move()
    assert app.cursorFlashTime() == 0
    set_motion(app, "full")
    assert may_move()
    assert app.cursorFlashTime() == before
    set_motion(app, "system")
