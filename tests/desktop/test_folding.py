"""A narrow window: the columns lie below one another, and come back as they were."""

from __future__ import annotations

from commonplace.desktop.window_memory import WindowMemory


def narrow(window, qtbot, width=520):
    window.resize(width, 640)
    qtbot.waitUntil(lambda: window.columns.folded == (width < 770), timeout=15_000)


def test_a_narrow_window_folds_and_unfolds_its_columns(window, qtbot):
    window.resize(1280, 820)
    qtbot.waitUntil(lambda: window.columns.width() > 1200, timeout=15_000)
    before = window.columns.sizes()
    narrow(window, qtbot)
    assert window.width() <= 560
    assert not window.left.isVisible()
    assert window.composer.isVisible()
    assert window.sources.isVisible()
    window._open_file("src/config.py")
    qtbot.waitUntil(window.code.isVisible, timeout=15_000)
    window.actions_by_id["project_pane"].trigger()
    assert window.left.isVisible()  # it is one key away
    window.actions_by_id["project_pane"].trigger()
    narrow(window, qtbot, 1280)
    assert window.left.isVisible()
    after = window.columns.sizes()
    assert all(abs(a - b) <= 2 for a, b in zip(after, before, strict=True))


def test_columns_closed_while_narrow_come_back_side_by_side(window, paths, qtbot):
    window.resize(1280, 820)
    qtbot.waitUntil(lambda: window.columns.width() > 1200, timeout=15_000)
    wide = window.columns.saveState()
    narrow(window, qtbot)
    window.keep_shape()
    assert WindowMemory(paths).bytes_of("columns") == wide


def test_what_was_hidden_stays_hidden(window, qtbot):
    window.actions_by_id["project_pane"].trigger()
    assert not window.left.isVisible()
    narrow(window, qtbot)
    narrow(window, qtbot, 1280)
    assert not window.left.isVisible()


def test_the_book_folds_too(window, qtbot):
    window.actions_by_id["book"].trigger()
    qtbot.waitUntil(lambda: window.book.in_front, timeout=15_000)
    columns = window.book.desk.page.columns
    window.resize(520, 640)
    qtbot.waitUntil(lambda: columns.folded, timeout=15_000)
    assert columns.width() <= window.width() <= 560
    window.resize(1280, 820)
    qtbot.waitUntil(lambda: not columns.folded, timeout=15_000)
