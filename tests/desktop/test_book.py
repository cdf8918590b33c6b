"""The book in the window, with the real memory process and by keyboard."""

from __future__ import annotations

from contextlib import suppress

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QDialog, QMessageBox

from commonplace.desktop.book_quick import QuickNote
from commonplace.desktop.controller import Commands
from commonplace.settings import Settings

CODE = '''"""Where limits are kept."""


def zanzibar_limit():
    """Return how many there may be."""
    return 42


def other():
    return zanzibar_limit() + 1
'''


class Book:
    """The book of a window as a user sees it."""

    def __init__(self, window, project, qtbot):
        self.window, self.root, self.qtbot = window, project, qtbot
        self.page = window.book.desk.page
        self.list, self.pane = self.page.list, self.page.pane
        self.notes = project / ".commonplace" / "notes"

    def wait(self, condition, timeout=15000):
        self.qtbot.waitUntil(condition, timeout=timeout)

    def keys(self, text="", key=None, modifiers=Qt.KeyboardModifier.NoModifier, widget=None):
        target = widget or self.window.focusWidget()
        if text:
            self.qtbot.keyClicks(target, text)
        if key is not None:
            self.qtbot.keyClick(target, key, modifiers)

    def do(self, action):
        assert self.window.actions_by_id[action].isEnabled(), action
        self.window.actions_by_id[action].trigger()

    def titles(self):
        return [row.note.title for row in self.list.model.rows]

    def open(self):
        if not self.window.book.in_front:
            self.do("book")
            self.wait(lambda: self.list.model.rowCount() > 0 or self.list.empty.isVisible())

    def said(self, words):
        self.wait(lambda: words in self.window.shell.toasts.text)

    def press_undo(self):
        assert self.window.shell.toasts.button.text() == "Undo"
        self.window.shell.toasts.button.click()

    def show(self, kind):
        with self.qtbot.waitSignal(self.list.shown, timeout=15000):
            self.list.show_kind(kind)

    def shown(self, title):
        self.wait(lambda: self.pane.note is not None and self.pane.note.title == title)
        return self.pane.note

    def choose(self, title):
        self.wait(lambda: title in self.titles())
        index = self.list.model.index(self.titles().index(title))
        self.list.list.setCurrentIndex(index)
        self.list.list.setFocus()
        return self.shown(title)


@pytest.fixture
def book(open_window, qtbot, project, monkeypatch, tmp_path):
    monkeypatch.setenv("COMMONPLACE_HOME", str(tmp_path / "home"))
    (project / "src" / "limits.py").write_text(CODE)
    window = open_window(Settings(recall_embedder="none"), Commands.real())
    window.open_project(project)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=30000)
    return Book(window, project, qtbot)


def write(book, name, title, text="Some words.\n", **fields):
    lines = [f"{key}: {value}" for key, value in {"title": title, **fields}.items()]
    book.notes.mkdir(parents=True, exist_ok=True)
    (book.notes / f"{name}.md").write_text("---\n" + "\n".join(lines) + "\n---\n" + text)


def quick(book):
    book.wait(lambda: book.window.findChildren(QuickNote) != [])
    return book.window.findChildren(QuickNote)[-1]


def test_a_note_lives_its_life_by_keyboard(book, qtbot):
    window = book.window
    window._open_file("src/limits.py", 6, 6, "    return 42")
    book.wait(lambda: "zanzibar" in window.code.view.toPlainText())
    window.code.view.setFocus()
    book.do("remember")
    dialog = quick(book)
    book.wait(lambda: dialog.anchor.text() == "src/limits.py::zanzibar_limit")
    book.keys("Why forty-two", widget=dialog.title)
    book.keys("Because the ferry holds no more.", widget=dialog.text)
    book.keys(key=Qt.Key.Key_Return, modifiers=Qt.KeyboardModifier.ControlModifier, widget=dialog)
    book.said("Kept “Why forty-two”.")
    [file] = book.notes.glob("*.md")
    assert "status: kept" in file.read_text()
    book.wait(lambda: set(window.code.view.marks) == {4})

    # The note opens from the line that it speaks of.
    window.code.view.setTextCursor(QTextCursor(window.code.view.document().findBlockByNumber(4)))
    book.do("note_here")
    note = book.shown("Why forty-two")
    assert note.status == "kept"
    assert note.state == "fresh"

    # Another program edits it: that is followed.
    file.write_text(file.read_text().replace("holds no more", "is full then"))
    book.wait(lambda: "is full then" in book.pane.text)

    # The code changes: the note is stale, and says how.
    limits = book.root / "src" / "limits.py"
    limits.write_text(CODE.replace("return 42", "return 43"))
    window.controller.reconcile()
    book.wait(lambda: book.pane.note.state == "changed", 20000)
    shown = book.pane.difference.toPlainText()
    assert "-     return 42" in shown
    assert "+     return 43" in shown
    book.show("stale")
    book.wait(lambda: book.titles() == ["Why forty-two"])

    # Archive, undo, discard, undo.
    book.choose("Why forty-two")
    book.keys("a")
    book.said("Archived")
    book.wait(lambda: "status: archived" in file.read_text())
    book.press_undo()
    book.said("Took back")
    assert "status: kept" in file.read_text()
    book.show("")
    book.choose("Why forty-two")
    book.keys("d")
    book.said("Discarded")
    book.wait(lambda: not file.exists())
    book.press_undo()
    book.said("is back")
    assert "is full then" in file.read_text()

    # Forgetting says what goes, and is asked about.
    book.choose("Why forty-two")
    book.keys("f")
    box = window.findChildren(QMessageBox)[-1]
    assert str(file.name) in box.informativeText()
    assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
    [yes] = [b for b in box.buttons() if b.text() == "Forget"]
    yes.click()
    book.said("Forgot")
    assert not file.exists()
    book.wait(lambda: book.titles() == [])
    assert book.list.empty.isVisible()
    assert "Ctrl+Shift+D" in book.list.empty.text()


def test_a_draft_waits_for_one_key(book, qtbot):
    book.window.book.capture.remember_text("The model says: limits are zanzibar. And more.")
    book.said("waits in the inbox")
    book.do("book_inbox")
    note = book.choose("The model says: limits are zanzibar.")
    assert (note.status, note.origin, note.shelf) == ("inbox", "draft", "private")
    book.keys("k")
    book.said("Kept")
    book.wait(lambda: book.titles() == [])
    book.press_undo()
    book.said("Took back")
    book.choose("The model says: limits are zanzibar.")
    book.keys("d")
    book.said("Discarded")
    book.wait(lambda: book.titles() == [])


def test_own_words_are_kept_at_once(book, settled):
    book.window.ask("Remember that Zanzibar has only forty-two berths.")
    settled(book.window, 30000)
    book.window.book.capture.remember_text("Zanzibar has only forty-two berths")
    book.said("Kept “Zanzibar has only forty-two berths”.")
    book.open()
    assert book.choose("Zanzibar has only forty-two berths").status == "kept"


def test_an_edit_is_saved_and_an_unseen_version_is_not_overwritten(book):
    write(book, "one", "One", "First words.\n")
    book.open()
    book.choose("One")
    book.keys("e")
    book.wait(book.pane.editor.hasFocus)
    book.pane.editor.moveCursor(QTextCursor.MoveOperation.End)
    book.keys("Typed by hand.")
    assert book.pane.dirty
    book.wait(lambda: "Typed by hand." in book.pane.preview.toPlainText())
    book.pane.save()
    book.said("Saved “One”.")
    file = book.notes / "one.md"
    assert file.read_text().endswith("First words.\nTyped by hand.")
    book.wait(lambda: not book.pane.dirty)

    book.keys(" Mine.")
    file.write_text(file.read_text().replace("First words.", "Their words."))
    book.wait(lambda: book.pane.theirs is not None)
    assert not book.pane.save_button.isEnabled()
    # The file may have been looked at in the middle of being written.
    book.wait(lambda: "Their words." in book.pane.difference.toPlainText())
    assert "Mine." not in file.read_text()
    book.pane.mine_button.click()
    book.wait(lambda: "Mine." in file.read_text())
    book.wait(lambda: not book.pane.dirty)
    assert "Their words." not in file.read_text()
    book.press_undo()
    book.wait(lambda: "Their words." in file.read_text())


def test_what_was_typed_outlives_the_window(book, open_window, qtbot):
    write(book, "one", "One", "First words.\n")
    book.open()
    book.choose("One")
    book.pane.edit()
    book.keys("Half a tho")
    book.window.close()
    book.window.controller.finish()
    window = open_window(Settings(recall_embedder="none"), Commands.real())
    window.open_project(book.root)
    qtbot.waitUntil(lambda: window.controller.memory.root is not None, timeout=30000)
    again = Book(window, book.root, qtbot)
    again.open()
    again.choose("One")
    again.wait(lambda: again.pane.dirty)
    assert again.pane.text.startswith("Half a tho")
    assert (book.notes / "one.md").read_text().endswith("First words.\n")


def test_leaving_a_note_saves_it(book):
    write(book, "one", "One")
    write(book, "two", "Two")
    book.open()
    book.choose("One")
    book.pane.edit()
    book.keys("Before. ")
    book.choose("Two")
    book.said("Saved “One”.")
    assert "Before. Some words." in (book.notes / "one.md").read_text()


def test_a_broken_header_is_shown_with_its_line(book):
    book.notes.mkdir(parents=True)
    (book.notes / "bad.md").write_text("---\ntitle: Broken\ntags: [a, b\n---\nText.\n")
    book.open()
    book.wait(lambda: book.list.model.rowCount() == 1)
    book.wait(lambda: book.pane.note is not None)
    note = book.pane.note
    assert note.broken
    assert "line " in book.pane.warning.text()
    assert book.pane.text.startswith("---\n")  # the whole file, so that it can be mended
    assert book.pane.editor.extraSelections()
    assert "1" in book.list.remark.text()
    book.pane.line_button.click()
    mended = book.pane.text.replace("[a, b", "[a, b]")
    book.pane.editor.selectAll()
    book.pane.editor.insertPlainText(mended)
    book.pane.save()
    book.wait(lambda: book.pane.note is not None and not book.pane.note.broken)
    assert book.pane.note.tags == ("a", "b")


def test_filter_title_text_tags_and_anchors(book):
    write(book, "one", "Ferries", tags="[harbour]")
    write(book, "two", "Quotas", "About a lighthouse.\n")
    write(book, "three", "Limits", anchors="[src/limits.py::zanzibar_limit]")
    book.open()
    book.wait(lambda: len(book.titles()) == 3)
    for words, title in (
        ("ferr", "Ferries"),
        ("harbour", "Ferries"),
        ("lighth", "Quotas"),
        ("zanzibar", "Limits"),
    ):
        book.list.filter.setText(words)
        book.wait(lambda title=title: book.titles() == [title])
    book.list.filter.setText("nosuchword")
    book.wait(book.list.empty.isVisible)


def test_pin_tags_and_title(book):
    write(book, "one", "One")
    book.open()
    book.choose("One")
    book.keys("p")
    book.said("Pinned “One”.")
    book.wait(lambda: book.pane.note.pinned)
    book.pane.tags.setText("red, blue")
    book.pane.tags.editingFinished.emit()
    book.wait(lambda: book.pane.note.tags == ("red", "blue"))
    book.pane.title.setText("Another")
    book.pane.title.editingFinished.emit()
    book.wait(lambda: book.pane.note.title == "Another")
    book.said("Saved “Another”.")  # it would take the place of what is said next
    book.pane.anchors.setText("src/limits.py::nothing_like_it")
    book.pane.anchors.editingFinished.emit()
    book.said("There is no src/limits.py::nothing_like_it")
    assert "title: Another" in (book.notes / "one.md").read_text()


def test_escape_leads_back_step_by_step(book):
    write(book, "one", "One")
    book.window.composer.edit.setFocus()
    book.open()
    book.choose("One")
    book.keys("e")
    book.wait(book.pane.editor.hasFocus)
    book.keys(key=Qt.Key.Key_Escape)
    assert book.list.list.hasFocus()
    book.keys(key=Qt.Key.Key_Escape)
    assert not book.window.book.in_front
    assert book.window.composer.edit.hasFocus()


def test_a_quick_note_that_is_refused_stays(book):
    book.do("quick_note")
    dialog = quick(book)
    assert not dialog.keep.isEnabled()
    book.keys("A title", widget=dialog.title)
    book.keys("A text", widget=dialog.text)
    book.keys("src/nowhere.py", widget=dialog.anchor)
    dialog.keep.click()
    book.wait(dialog.problem.isVisible)
    assert "src/nowhere.py" in dialog.problem.text()
    assert dialog.text.toPlainText() == "A text"
    dialog.anchor.clear()
    dialog.private.setChecked(True)
    with book.qtbot.waitSignal(dialog.finished, timeout=10000) as done:
        dialog.keep.click()
    assert done.args == [QDialog.DialogCode.Accepted.value]
    assert not book.notes.exists()  # a private note lies elsewhere


def test_a_preview_loads_nothing(book):
    write(
        book,
        "one",
        "One",
        "![x](http://localhost:1/y.png) <img src='http://localhost:1/x.png'> **b**\n",
    )
    book.open()
    book.choose("One")
    book.wait(lambda: "(image: http://localhost:1/y.png)" in book.pane.preview.toPlainText())
    assert "<img src" in book.pane.preview.toPlainText()


def test_thousands_of_notes_come_a_page_at_a_time(book):
    for number in range(1200):
        write(book, f"n{number:04}", f"Note {number:04}")
    book.open()
    book.wait(lambda: book.list.model.rowCount() >= 500, 30000)
    first = book.list.model.rowCount()
    assert first < 1200
    while book.list.model.rowCount() < 1200:
        before = book.list.model.rowCount()
        book.list.list.scrollToBottom()
        book.wait(lambda before=before: book.list.model.rowCount() > before)
    assert len(set(book.titles())) == 1200


def test_what_happens_in_the_chat_reaches_the_inbox(book, settled):
    window = book.window
    window.ask("where is the limit of zanzibar kept?")
    settled(window, 30000)
    window.transcript.acted.emit("star", 0, 0)
    book.said("Starred")
    window.ask("no, that is wrong: the limit is kept in the harbour office")
    settled(window, 30000)
    book.do("book_inbox")
    wanted = {
        "where is the limit of zanzibar kept?",
        "no, that is wrong: the limit is kept in the harbour office",
    }
    book.wait(lambda: wanted <= set(book.titles()), 30000)


def test_an_answer_names_the_note_it_rests_on(book, settled):
    write(
        book, "berths", "Berths of Zanzibar",
        "Zanzibar has forty-two berths because the old harbour wall was never moved.\n",
    )  # fmt: skip
    book.open()
    book.wait(lambda: book.titles() == ["Berths of Zanzibar"])
    book.do("book")
    book.window.ask("why does zanzibar have forty-two berths?")
    settled(book.window, 30000)
    sources = book.window.conversation.exchanges[-1].sources
    [noted] = [source for source in sources if source.passage.note]
    row = book.window.sources.model.index(noted.number - 1)
    words = row.data(Qt.ItemDataRole.AccessibleTextRole)
    assert "your note “Berths of Zanzibar”" in words
    book.window.open_source(noted)
    assert book.shown("Berths of Zanzibar").text.startswith("Zanzibar has")


def test_a_stale_note_is_confirmed_or_suggested_for_the_archive(book):
    gone = {"created": "2019-01-01T00:00:00Z", "anchors": "[{at: src/gone.py, fingerprint: 1-a-b}]"}
    write(book, "old", "Old", **gone)
    write(book, "new", "New", anchors="[src/limits.py::zanzibar_limit]")
    book.open()
    book.choose("New")
    book.wait(lambda: book.pane.note.state == "fresh", 20000)
    limits = book.root / "src" / "limits.py"
    limits.write_text(CODE.replace("return 42", "return 43"))
    book.window.controller.reconcile()
    book.wait(lambda: book.pane.note.state == "changed", 20000)
    book.list.list.setFocus()
    book.keys("t")
    book.said("“New” is noted as still true.")
    book.wait(lambda: book.pane.note.state == "fresh")
    book.show("suggested")
    book.wait(lambda: book.titles() == ["Old"])
    assert "the code it speaks of is gone" in book.list.current.reasons
    book.keys("a", widget=book.list.list)
    book.said("Archived “Old”.")
    book.wait(lambda: book.titles() == [])


def test_a_key_does_what_the_note_on_screen_offers(book, monkeypatch):
    write(book, "new", "New", anchors="[src/limits.py::zanzibar_limit]")
    book.open()
    book.choose("New")
    book.wait(lambda: book.pane.note.state == "fresh")
    offered = book.list.keys.text()
    monkeypatch.setattr(book.list, "refresh", lambda: None)  # the list is slow to come
    limits = book.root / "src" / "limits.py"
    limits.write_text(CODE.replace("return 42", "return 43"))
    book.window.controller.reconcile()

    def seen():
        book.list.tell_current()  # the note beside it is read again
        return book.pane.note.state == "changed"

    book.wait(seen)
    assert book.list.current.note.stale
    assert book.list.keys.text() != offered
    book.keys("t", widget=book.list.list)
    book.said("“New” is noted as still true.")


def test_theirs_can_be_taken_and_mine_brought_back(book):
    write(book, "one", "One", "First words.\n")
    book.open()
    book.choose("One")
    book.pane.edit()
    book.keys("Mine. ")
    write(book, "one", "One", "Their words.\n")
    book.wait(lambda: "Their words." in book.pane.difference.toPlainText())
    book.pane.theirs_button.click()
    book.wait(lambda: book.pane.text == "Their words.\n")
    book.said("Took the version on disk.")
    book.press_undo()
    book.wait(lambda: book.pane.dirty and book.pane.text.startswith("Mine. "))
    assert book.pane.theirs is not None
    assert (book.notes / "one.md").read_text().endswith("Their words.\n")


def test_a_deleted_conversation_leaves_nothing_for_drafts(book, settled, tmp_path):
    window = book.window
    window.ask("where is the quagga limit kept?")
    settled(window, 30000)

    def left():
        found = []
        for file in (tmp_path / "home").rglob("book.db*"):
            with suppress(FileNotFoundError):  # a log comes and goes
                found.append(b"quagga" in file.read_bytes())
        return any(found)

    book.wait(left)
    window.chat_list.removed.emit(window.conversation.name)
    book.wait(lambda: not left())
