"""What a question can name: files, notes, the selection; and commands around its words."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest


def type_into(window, text):
    window.composer.edit.setFocus()
    QTest.keyClicks(window.composer.edit, text)


def test_a_mentioned_file_is_read_first(window, asked, qtbot, settled):
    qtbot.waitUntil(lambda: bool(window.composer.completion._places))
    window.activateWindow()
    type_into(window, "what is @oth")
    assert window.composer.completion.offered == ["@src/other.py "]
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Tab)
    type_into(window, "for? !say Nothing.")
    assert window.composer.draft == "what is @src/other.py for? !say Nothing."
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(window.conversation.exchanges))
    settled(window)
    first = window.conversation.exchanges[0].answer.passages[0]
    assert (first.path, first.reasons[0]) == ("src/other.py", "attached by you")
    assert first.text.startswith("def unrelated")


def test_commands_are_completed_and_put_around_the_words(window, qtbot, settled):
    window.activateWindow()
    type_into(window, "/ex")
    assert window.composer.completion.offered == ["/explain "]
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
    assert window.composer.draft == "/explain "
    type_into(window, "the settings")
    assert window.composer.completion.offered == []
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
    settled(window)
    exchange = window.conversation.exchanges[0]
    assert exchange.question == "/explain the settings"
    assert "for somebody who has not seen it before" in exchange.answer.prompt.blocks[-1].text
    assert exchange.answer.passages


def test_staged_changes_that_are_not_there_are_told_and_the_words_come_back(window, qtbot):
    window.composer.set_draft("/commit please")
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "attachment" in window.messages.texts)
    assert window.composer.draft == "/commit please"
    assert window.conversation.exchanges == ()


def test_the_selection_can_be_asked_about(window, asked, qtbot, settled):
    window._open_file("src/other.py")
    qtbot.waitUntil(lambda: "unrelated" in window.code.view.toPlainText())
    cursor = window.code.view.textCursor()
    cursor.movePosition(cursor.MoveOperation.NextBlock)
    cursor.movePosition(cursor.MoveOperation.EndOfBlock, cursor.MoveMode.KeepAnchor)
    window.code.view.setTextCursor(cursor)
    window.ask("/explain @selection !say Yes.")
    qtbot.waitUntil(lambda: bool(window.conversation.exchanges))
    settled(window)
    first = window.conversation.exchanges[0].answer.passages[0]
    assert (first.path, first.start_line, first.end_line) == ("src/other.py", 2, 2)
    assert first.text.strip() == "return 'settings elsewhere'"
    asked_for = []
    window.chats.find_usages = asked_for.append
    window.ask("/usages load_settings")
    assert asked_for == ["load_settings"]
    assert len(window.conversation.exchanges) == 1


def test_a_mentioned_note_is_read_first(window, qtbot, settled):
    qtbot.waitUntil(lambda: bool(window.composer.completion._notes))
    window.activateWindow()
    type_into(window, "why @lazi")
    assert window.composer.completion.offered == ['@"note:Read settings lazily" ']
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(window.conversation.exchanges))
    settled(window)
    first = window.conversation.exchanges[0].answer.passages[0]
    assert (first.note, first.tier, first.start_line) == ("n1", "note", 5)
    assert first.text == "Settings are read on first use."
