"""Conversations in the window: kept, found again, gone on with, branched, deleted for real."""

from __future__ import annotations

import json
import time
from contextlib import closing, suppress

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu

from commonplace.chat.kept import Chat, path_to
from commonplace.chat.store import ConversationStore
from commonplace.desktop.chat_days import rows_of
from commonplace.desktop.chat_keeper import ChatKeeper
from commonplace.desktop.context_dialog import ContextDialog
from commonplace.engine.options import states_folder
from commonplace.engine.states import State, StateFolder

QUESTION = "Where are the settings loaded? !say They are read by load_settings [1]."


def text_of(window):
    return window.transcript.toPlainText()


def follow(window, target):
    window.transcript.anchorClicked.emit(QUrl(f"commonplace:{target}"))


def titles(window):
    rows = [window.chat_list.model.index(n) for n in range(window.chat_list.model.rowCount())]
    return [row.data() for row in rows if window.chat_list.model.chat(row) is not None]


def wait_for_titles(qtbot, window, *expected):
    qtbot.waitUntil(lambda: titles(window) == list(expected), timeout=10000)


def wait_for_exchanges(qtbot, window, count):
    qtbot.waitUntil(lambda: len(window.conversation.exchanges) == count, timeout=10000)
    qtbot.waitUntil(lambda: not window.transcript.busy, timeout=10000)


@pytest.fixture
def reopened(window, open_window, qtbot, project):
    """Return a function that closes the window and opens the project in another one."""
    windows = [window]

    def again():
        windows[-1].close()
        windows[-1].controller.finish()
        other = open_window()
        other.open_project(project)
        other.controller.load_model()
        qtbot.waitUntil(lambda: other.controller.engine.state.kind == "ready", timeout=15000)
        windows.append(other)
        return other

    return again


def test_yesterdays_conversation_comes_back_and_goes_on(
    window, reopened, asked, qtbot, settled, project, monkeypatch, paths
):
    asked(QUESTION)
    asked("and the other? !say It is elsewhere.")
    before = window.conversation.exchanges
    other = reopened()
    wait_for_exchanges(qtbot, other, 2)
    with closing(ConversationStore(paths.project_data(project.resolve()))) as store:
        day = time.localtime(store.chats()[0].updated)  # midnight may come at any moment
    yesterday = time.mktime((*day[:2], day.tm_mday + 1, 12, 0, 0, 0, 0, -1))
    monkeypatch.setattr("commonplace.desktop.chat_list.time.time", lambda: yesterday)
    other.controller.chats._list()
    qtbot.waitUntil(lambda: other.chat_list.model.index(0).data() == "Yesterday")
    assert "They are read by load_settings [1]." in text_of(other)
    assert other.conversation.exchanges[0].answer == before[0].answer
    assert other.sources.sources == other.conversation.exchanges[1].sources
    with qtbot.waitSignal(other.code.opened):
        follow(other, "source/0/1")
    asked("and then? !say That is all.", other)
    prompt = other.conversation.exchanges[2].answer.prompt
    turns = [m.content for m in prompt.messages[1:-1]]
    said = [before[0].answer, before[1].answer]
    assert turns[0] == said[0].prompt.messages[-1].content, "as the model read it then"
    assert turns[1] == said[0].text
    assert turns[3] == said[1].text
    third = reopened()
    wait_for_exchanges(qtbot, third, 3)


def test_sources_say_what_changed_since_the_answer(window, reopened, asked, qtbot, project):
    asked(QUESTION)
    paths = [s.passage.path for s in window.conversation.exchanges[0].sources]
    (project / "src" / "config.py").write_text("nothing of it is left\n")
    (project / "README.md").unlink()
    moved = (project / "src" / "other.py").read_text()
    (project / "src" / "other.py").write_text(f"# a line above\n{moved}")
    other = reopened()
    wait_for_exchanges(qtbot, other, 1)
    qtbot.waitUntil(lambda: any(s.since for s in other.sources.sources))
    since = {s.passage.path: s.since for s in other.sources.sources}
    assert since == {"src/config.py": "changed", "README.md": "gone", "src/other.py": ""}
    assert set(since) == set(paths)
    index = other.sources.model.index(paths.index("src/config.py"))
    assert "changed since" in index.data(Qt.ItemDataRole.AccessibleTextRole)


def test_a_draft_survives_a_crash(window, open_window, qtbot, project):
    window.composer.set_draft("half a thought")
    qtbot.waitUntil(lambda: not window.chats._draft_timer.isActive())
    window.controller.chats._work.drain(60_000)
    other = open_window()  # the first never had a chance to close
    other.open_project(project)
    qtbot.waitUntil(lambda: other.composer.draft == "half a thought", timeout=10000)


def test_each_conversation_has_its_draft(window, asked, qtbot):
    asked(QUESTION)
    first = window.conversation.name
    window.composer.set_draft("about the first")
    window.actions_by_id["clear"].trigger()
    wait_for_exchanges(qtbot, window, 0)
    assert window.composer.draft == ""
    QTest.keyClicks(window.composer.edit, "about a new one")
    window.chat_list.chosen.emit(first)
    wait_for_exchanges(qtbot, window, 1)
    assert window.composer.draft == "about the first"
    window.actions_by_id["clear"].trigger()
    qtbot.waitUntil(lambda: window.composer.draft == "about a new one")


def test_edit_makes_a_branch_and_the_old_one_stays(window, reopened, asked, qtbot, settled):
    asked("settings one !say First.")
    asked("settings two !say Second.")
    window.composer.set_draft("a draft")
    follow(window, "edit/0")
    assert window.composer.draft.startswith("settings one")
    assert window.composer.banner.isVisible()
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Escape)
    assert window.composer.draft == "a draft"
    follow(window, "edit/0")
    window.composer.set_draft("settings three !say Third.")
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
    settled(window)
    assert window.composer.draft == "a draft"
    assert [e.question for e in window.conversation.exchanges] == ["settings three !say Third."]
    assert "Earlier version" in text_of(window)
    follow(window, "version/0/0")
    wait_for_exchanges(qtbot, window, 2)
    assert "Second." in text_of(window)
    assert "Third." not in text_of(window)
    other = reopened()
    wait_for_exchanges(qtbot, other, 2)
    follow(other, "version/0/1")
    wait_for_exchanges(qtbot, other, 1)
    assert "Third." in text_of(other)


def test_a_retry_keeps_the_answer_before(window, asked, qtbot, settled):
    asked("settings !say Once.")
    window.actions_by_id["retry"].trigger()
    settled(window)
    assert "2 of 2" in text_of(window)
    assert window.conversation.versions(0)[0] != window.conversation.exchanges[0].answered
    messages = window.conversation._messages
    assert [m.role for m in messages] == ["user", "assistant", "assistant"]
    assert len(path_to(messages, messages[-1].id)) == 2
    follow(window, "copy_answer/0")
    assert QGuiApplication.clipboard().text() == "Once."


def test_search_rename_pin_and_keyboard(window, asked, qtbot):
    asked("about zebras and settings !say Striped.")
    window.actions_by_id["clear"].trigger()
    asked("about lions !say Loud.")
    wait_for_titles(
        qtbot, window, "about lions !say Loud.", "about zebras and settings !say Striped."
    )
    panel = window.chat_list
    window.actions_by_id["conversations"].trigger()
    assert panel.isVisible()
    QTest.keyClicks(panel.search, "strip")
    wait_for_titles(qtbot, window, "about zebras and settings !say Striped.")
    QTest.keyClick(panel.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "Striped." in text_of(window))
    assert panel.list.hasFocus()
    panel.search.clear()
    qtbot.waitUntil(lambda: len(titles(window)) == 2)
    QTest.keyClick(panel.list, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: panel.list.findChild(QLineEdit) is not None)
    editor = panel.list.findChild(QLineEdit)
    editor.setText("Zebras")
    panel.show_chats(panel._chats)  # a list that arrives meanwhile takes nothing away
    QTest.keyClick(editor, Qt.Key.Key_Return)
    wait_for_titles(qtbot, window, "about lions !say Loud.", "Zebras")
    menu = panel.menu_of(panel.chat(window.conversation.name))
    [pin] = [a for a in menu.actions() if a.text() == "&Pin"]
    pin.trigger()
    wait_for_titles(qtbot, window, "Zebras", "about lions !say Loud.")
    assert panel.model.index(0).data() == "Pinned"
    panel.search.setText("nothing like it")
    qtbot.waitUntil(panel.empty.isVisible)
    assert "No conversation" in panel.empty.text()


def secret_files(paths, secret):
    found = []
    for folder in (paths.config, paths.data, paths.cache):
        for file in folder.rglob("*"):
            with suppress(FileNotFoundError, IsADirectoryError):  # it may be gone by now
                if secret in file.read_bytes().lower():
                    found.append(file)
    return found


def test_deleting_can_be_undone_and_then_leaves_nothing(window, asked, qtbot, paths):
    secret = b"xyzzyplugh"
    asked("settings xyzzyplugh? !say It is xyzzyplugh [1].")
    name = window.conversation.name
    folder = states_folder(paths)
    assert StateFolder(folder, "a model", 1 << 20).save(name, State([7], secret))
    wait_for_titles(qtbot, window, "settings xyzzyplugh? !say It is xyzzyplugh [1].")
    panel = window.chat_list
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    wait_for_titles(qtbot, window)
    assert window.conversation.exchanges == ()
    assert "xyzzyplugh" not in text_of(window)
    assert "Deleted" in window.shell.toasts.text
    window.shell.toasts.button.click()
    wait_for_exchanges(qtbot, window, 1)
    wait_for_titles(qtbot, window, "settings xyzzyplugh? !say It is xyzzyplugh [1].")
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    wait_for_titles(qtbot, window)
    window.chats._purge_timer.stop()
    with qtbot.waitSignal(window.controller.chats.deleted, timeout=10000) as gone:
        window.controller.chats.purge()
    assert gone.args == [[name]]
    qtbot.waitUntil(lambda: not secret_files(paths, secret), timeout=5000)
    window.close()
    window.controller.finish()
    assert not secret_files(paths, secret)


def test_what_was_deleted_is_gone_at_the_latest_with_the_window(window, asked, qtbot, paths):
    asked("settings xyzzyplugh? !say Yes.")
    qtbot.waitUntil(lambda: bool(titles(window)))
    window.chats.delete(window.conversation.name)
    wait_for_titles(qtbot, window)
    window.close()
    window.controller.finish()
    assert not secret_files(paths, b"xyzzyplugh")


def test_the_context_of_an_answer_and_another_choice(window, asked, qtbot, settled):
    asked(QUESTION)
    window.actions_by_id["context"].trigger()
    dialog = window.findChild(ContextDialog)
    parts = dialog.model.parts
    prompt = window.conversation.exchanges[0].answer.prompt
    assert [p.block for p in parts if p.read] == list(prompt.blocks)
    assert f"{prompt.tokens} tokens" in dialog.summary.text()
    assert dialog.list.currentIndex().row() == 0
    assert not dialog.first.isEnabled(), "our own words are not a choice"
    rows = [n for n, part in enumerate(parts) if part.passage is not None]
    assert len(rows) == 3
    assert not dialog.again.isEnabled()
    dialog.list.setCurrentIndex(dialog.model.index(rows[0]))
    assert "chosen because" in dialog.about.text()
    assert dialog.text.toPlainText() == parts[rows[0]].block.text
    dialog.without.click()
    dialog.list.setCurrentIndex(dialog.model.index(rows[2]))
    dialog.first.click()
    gone, first = parts[rows[0]].passage, parts[rows[2]].passage
    assert "to be left out" in dialog.model.index(rows[0]).data(Qt.ItemDataRole.AccessibleTextRole)
    dialog.again.click()
    settled(window)
    answer = window.conversation.exchanges[0].answer
    assert answer.passages[0].path == first.path
    assert "put first by you" in answer.passages[0].reasons
    assert gone.path not in {p.path for p in answer.passages}
    assert len(window.conversation.versions(0)) == 2


def test_remember_this_hands_on_what_is_selected(window, asked, qtbot):
    asked("settings !say A wise word.")
    with qtbot.waitSignal(window.chats.remember) as blocker:
        window.actions_by_id["remember"].trigger()
    assert blocker.args == ["A wise word."]
    window.transcript.selectAll()
    menu = QMenu()
    window.transcript.menu_asked.emit(menu)
    [action] = [a for a in menu.actions() if a.text() == "Remember This"]
    with qtbot.waitSignal(window.chats.remember) as blocker:
        action.trigger()
    assert "settings" in blocker.args[0]


@pytest.mark.parametrize("suffix", ["md", "json"])
def test_export(window, asked, qtbot, tmp_path, monkeypatch, suffix):
    asked(QUESTION)
    target = tmp_path / f"out.{suffix}"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    qtbot.waitUntil(lambda: bool(titles(window)))
    with qtbot.waitSignal(window.controller.chats.exported):
        window.actions_by_id["export"].trigger()
    text = target.read_text()
    assert "load_settings" in text
    if suffix == "json":
        assert json.loads(text)["messages"][1]["prompt"]["blocks"]


def test_a_question_asked_while_the_last_conversation_is_read_goes_on(
    window, open_window, asked, project, qtbot, settled
):
    asked(QUESTION)
    window.close()
    window.controller.finish()
    other = open_window()
    other.open_project(project)
    other.ask("settings !say At once.")
    settled(other)
    assert [e.question for e in other.conversation.exchanges] == ["settings !say At once."]
    qtbot.waitUntil(lambda: len(titles(other)) == 2)


def test_a_stopped_question_and_an_odd_answer_come_back(window, reopened, asked, qtbot, settled):
    asked("settings !say \u202ereversed\u202c \x1b[31m \x07 `open")
    window.ask("settings !stall")
    qtbot.waitUntil(lambda: window.controller.runner._writing)
    window.conversation.stop()
    settled(window)
    other = reopened()
    wait_for_exchanges(qtbot, other, 2)
    assert "⟨U+202E⟩reversed" in text_of(other)
    assert other.conversation.exchanges[1].answer.finish == "cancelled"
    assert "Stopped before the end." in text_of(other)


def test_trouble_with_the_file_is_told_and_asking_goes_on(window, asked, qtbot, paths, settled):
    folder = next((paths.data / "projects").glob("demo-*"), None)
    if folder is None:
        folder = paths.project_data(window.controller.memory.root)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file where a folder should be")
    asked("settings !say Still here.")
    assert "Still here." in text_of(window)
    qtbot.waitUntil(lambda: "chats" in window.messages.texts)
    assert "cannot be used" in window.messages.texts["chats"]


def test_the_list_by_day():
    now = time.mktime((2026, 11, 20, 12, 0, 0, 0, 0, -1))
    day = 86_400
    chats = [
        Chat("p", "pinned", True, 0, now - 90 * day),
        Chat("a", "a", False, 0, now),
        Chat("b", "b", False, 0, now - day),
        Chat("c", "c", False, 0, now - 3 * day),
        Chat("d", "d", False, 0, now - 4 * day),
        Chat("e", "e", False, 0, now - 20 * day),
        Chat("f", "f", False, 0, now - 60 * day),
    ]
    shown = [row.chat.id if row.chat else row.heading for row in rows_of(chats, now)]
    assert shown == [
        *("Pinned", "p", "Today", "a", "Yesterday", "b", "This week", "c", "d"),
        *("This month", "e", "September 2026", "f"),
    ]
    many = [Chat(str(n), "x", False, 0, now - n) for n in range(2500)]
    assert rows_of(many, now)[-1].heading == "500 older: search"
    assert len(rows_of(many, now)) == 2002


def test_the_keeper_without_a_project_does_nothing(qtbot, paths):
    keeper = ChatKeeper(paths)
    keeper.find("x")
    keeper.purge()
    keeper.finish()


def test_a_conversation_deleted_elsewhere_is_not_kept_again(window, asked, qtbot, paths):
    asked("settings !say One.")
    name = window.conversation.name
    with closing(ConversationStore(paths.project_data(window.controller.memory.root))) as other:
        qtbot.waitUntil(lambda: len(other.messages(name)) == 2)  # it is written in a thread
        other.remove(name)
        other.purge()
    asked("settings xyzzyplugh !say Two.")
    qtbot.waitUntil(lambda: "deleted by" in window.messages.texts.get("chats", ""), timeout=10000)
    assert "Two." in text_of(window)
    window.actions_by_id["clear"].trigger()
    wait_for_exchanges(qtbot, window, 0)
    asked("settings !say Three.")
    wait_for_titles(qtbot, window, "settings !say Three.")
    assert not secret_files(paths, b"xyzzyplugh")


def test_what_was_found_is_brought_into_view_in_its_branch(window, asked, qtbot, settled):
    asked("about zebras and settings !say Striped.")
    for number in range(8):
        asked(f"settings {number} !say " + "Line. " * 300)
    window.chats.edit_question(0)
    window.ask("about lions and settings !say Loud.")
    settled(window)
    assert len(window.conversation.exchanges) == 1
    window.chat_list.search.setText("striped")
    qtbot.waitUntil(lambda: window.chat_list.model.message(window.conversation.name) > 0)
    window.chat_list.chosen.emit(window.conversation.name)
    wait_for_exchanges(qtbot, window, 9)
    bar = window.transcript.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() < 100)
    assert "Striped." in text_of(window)
