"""Find in a file: the search itself against a slow one, and the line below the view."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from commonplace.desktop import find_text
from commonplace.desktop.find_text import Match, Needle, find_all, first_from, pieces_of

LINES = st.lists(st.text("aAb_ é😀", max_size=12), max_size=12)


@given(LINES, st.text("aAbé😀", min_size=1, max_size=2), st.booleans(), st.integers(1, 30))
def test_positions_are_qts(lines, wanted, case, piece):
    text = "\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(find_text.pieces_of, "__defaults__", (piece,))
        found = find_all(text, Needle(wanted, case=case))
    wide = text.encode("utf-16-le")
    cut = [wide[2 * m.start : 2 * (m.start + m.length)].decode("utf-16-le") for m in found]
    same = (lambda one: one == wanted) if case else (lambda one: one.lower() == wanted.lower())
    assert all(same(one) for one in cut)
    whole = text if case else text.lower()
    assert len(found) == whole.count(wanted if case else wanted.lower())


@given(st.text("ab\n", max_size=60), st.integers(1, 9))
def test_pieces_are_whole_lines(text, size):
    pieces = list(pieces_of(text, size))
    assert "".join(pieces) == text
    assert all(piece.endswith("\n") for piece in pieces[:-1])


def test_whole_words_and_signs_that_mean_something():
    text = "load(reload) load_all a.b load"
    assert [m.start for m in find_all(text, Needle("load", whole=True))] == [0, 26]
    assert find_all(text, Needle("a.b")) == [Match(22, 3)]
    assert find_all(text, Needle("")) == []
    assert find_all(text, Needle("load"), stop=lambda: True) == []


def test_far_too_many_matches_end_the_search(monkeypatch):
    monkeypatch.setattr(find_text, "MOST", 5)
    assert len(find_all("a\n" * 100, Needle("a"))) == 5


def test_the_next_match_goes_around():
    matches = [Match(3, 1), Match(9, 1)]
    assert [first_from(matches, p) for p in (0, 3, 4, 10)] == [0, 0, 1, 0]
    assert first_from([], 0) == -1


@pytest.fixture
def bar(window, qtbot):
    with qtbot.waitSignal(window.code.opened):
        window._open_file("src/config.py")
    window.code.view.setFocus()
    qtbot.waitUntil(window.actions_by_id["find"].isEnabled)
    return window.code.find_bar


def line(bar):
    return bar._view.textCursor().blockNumber() + 1


def test_finding_as_one_types(window, bar, qtbot):
    QTest.keyClick(window.code.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(bar.isVisible)
    assert bar.edit.hasFocus()
    QTest.keyClicks(bar.edit, "settings")
    qtbot.waitUntil(lambda: bar.count.text() == "1 of 2")
    assert line(bar) == 40
    marked = [s.cursor.selectedText() for s in window.code.view.extraSelections()]
    assert marked == ["settings", "settings"]
    QTest.keyClick(bar.edit, Qt.Key.Key_Return)
    assert (bar.count.text(), line(bar)) == ("2 of 2", 41)
    QTest.keyClick(bar.edit, Qt.Key.Key_Return)
    assert bar.count.text() == "1 of 2"  # around the end
    QTest.keyClick(bar.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert bar.count.text() == "2 of 2"
    QTest.keyClick(bar.edit, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert window.code.view.hasFocus()
    assert window.code.view.textCursor().selectedText() == "settings"
    assert not window.code.view.extraSelections()
    QTest.keyClick(window.code.view, Qt.Key.Key_F3)
    qtbot.waitUntil(lambda: bar.count.text() == "1 of 2")


def test_escape_ends_the_search_and_not_the_answer(window, bar, qtbot, settled):
    window.ask("!slow settings !long hello")
    window.actions_by_id["find"].trigger()
    qtbot.waitUntil(bar.edit.hasFocus)
    QTest.keyClick(bar.edit, Qt.Key.Key_Escape)
    assert not bar.isVisible()
    assert window.conversation.busy
    window.conversation.stop()
    settled(window)


def test_case_whole_words_and_nothing(bar, qtbot):
    bar.begin()
    bar.edit.setText("READ")
    qtbot.waitUntil(lambda: bar.count.text() == "1 of 2")
    bar.case.click()
    qtbot.waitUntil(lambda: bar.count.text() == "nothing found")
    assert not bar.next.isEnabled()
    bar.case.click()
    bar.whole.click()
    qtbot.waitUntil(lambda: bar.count.text() == "1 of 1")
    bar.edit.clear()
    qtbot.waitUntil(lambda: bar.count.text() == "")


def test_the_search_follows_to_another_file(window, bar, qtbot):
    bar.begin()
    bar.edit.setText("settings")
    qtbot.waitUntil(lambda: bar.count.text() == "1 of 2")
    with qtbot.waitSignal(window.code.opened):
        window._open_file("src/other.py")
    qtbot.waitUntil(lambda: bar.count.text() == "1 found")
    bar.step(1)
    assert bar.count.text() == "1 of 1"


def test_a_selection_is_what_to_look_for(window, bar, qtbot):
    cursor = window.code.view.document().find("load_settings")
    window.code.view.setTextCursor(cursor)
    bar.begin()
    assert bar.edit.text() == "load_settings"
    qtbot.waitUntil(lambda: bar.count.text() == "1 of 1")
