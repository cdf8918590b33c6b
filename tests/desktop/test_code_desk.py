"""From the code view to the question: a held selection, drops, and passages under the mouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from commonplace.desktop.dropping import mentions_for
from commonplace.desktop.passage_tip import MOST_LINES, excerpt
from commonplace.desktop.sources import Source
from commonplace.recall.passages import Passage


def open_at(window, qtbot, path, *where):
    with qtbot.waitSignal(window.code.opened):
        window._open_file(path, *where)
    qtbot.waitUntil(window.actions_by_id["ask_selection"].isEnabled)


def test_a_selection_is_held_for_the_question(window, qtbot, settled):
    open_at(window, qtbot, "src/config.py")
    window.code.view.setTextCursor(window.code.view.document().find("load_settings"))
    window.actions_by_id["ask_selection"].trigger()
    attached = window.desk.attached
    assert attached.isVisible()
    assert "src/config.py:40" in attached.label.text()
    assert window.composer.draft == "@selection "
    assert window.composer.edit.hasFocus()
    with qtbot.waitSignal(window.code.opened):
        window._open_file("README.md")  # what is on screen changes; what is held does not
    QTest.keyClicks(window.composer.edit, "explain")
    QTest.keyClick(window.composer.edit, Qt.Key.Key_Escape)  # the completion, if it is there
    window.composer._submit()
    qtbot.waitUntil(lambda: bool(window.conversation.exchanges))
    settled(window)
    first = window.conversation.exchanges[-1].chosen.first
    assert [(p.path, p.start_line, p.text) for p in first] == [
        ("src/config.py", 40, "load_settings")
    ]
    qtbot.waitUntil(lambda: not attached.isVisible())
    assert window.desk.selection() is None


def test_the_held_selection_can_be_let_go(window, qtbot):
    open_at(window, qtbot, "src/config.py", 40, 41)
    window.composer.set_draft("why")
    window.desk.ask_selection()  # nothing is selected: the marked lines
    assert window.desk.selection().text.startswith("def load_settings(path):\n")
    assert window.composer.draft == "why @selection "
    window.desk.attached.button.click()
    qtbot.waitUntil(window.desk.attached.isHidden)
    assert window.composer.draft.strip() == "why"
    assert window.desk.attached.passage is None


def test_what_is_dropped_is_mentioned(tmp_path):
    root = tmp_path / "demo"
    (root / "src dir").mkdir(parents=True)
    (root / "a.py").write_text("")
    (tmp_path / "out.py").write_text("")
    (root / "link.py").symlink_to(tmp_path / "out.py")
    dropped = [root / "a.py", root / "src dir", root, tmp_path / "out.py", root / "link.py"]
    mentions, outside = mentions_for(root, [*dropped, root / "none"])
    assert mentions == ["@a.py", '@"src dir/"']
    assert outside == [root, tmp_path / "out.py", root / "link.py", root / "none"]


def drop(window, *urls):
    data = QMimeData()
    data.setUrls(list(urls))
    port = window.composer.edit.viewport()
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(QPoint(5, 5), action, data, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(port, enter)
    event = QDropEvent(QPointF(5, 5), action, data, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(port, event)
    return enter.isAccepted()


def test_files_dropped_on_the_question(window, project, qtbot):
    window.composer.set_draft("explain")
    inside, outside = project / "src" / "config.py", project.parent
    assert drop(window, QUrl.fromLocalFile(str(inside)), QUrl.fromLocalFile(str(outside)))
    qtbot.waitUntil(lambda: window.composer.draft == "explain @src/config.py ")
    qtbot.waitUntil(lambda: "not attached" in window.shell.toasts.text)
    drop(window, QUrl("file://elsewhere/share/x.py"), QUrl("https://example.org/"))
    window.controller.background.drain(5000)
    assert "@" not in window.composer.draft.replace("@src/config.py", "")


def hover(widget, at):
    event = QHelpEvent(QEvent.Type.ToolTip, at, widget.mapToGlobal(at))
    QApplication.sendEvent(widget, event)


def test_hovering_shows_the_passage(window, qtbot, settled):
    window.ask("settings !say it is so [1].")
    settled(window)
    tip, sources = window.desk.tip, window.sources.list
    hover(sources.viewport(), sources.visualRect(window.sources.model.index(0)).center())
    assert tip.isVisible()
    passage = window.sources.sources[0].passage
    assert passage.path in tip.place.text()
    assert tip.text.text().split("\n")[0] in passage.text
    tip.dismiss()
    transcript = window.transcript
    document = transcript.document()
    place = document.find("[1]", document.find("[1]"))  # the first is in the question
    place.setPosition(place.selectionStart() + 1)
    hover(transcript.viewport(), transcript.cursorRect(place).center())
    assert tip.isVisible()
    assert passage.path in tip.place.text()
    QTest.mousePress(transcript.viewport(), Qt.MouseButton.RightButton, pos=QPoint(2, 2))
    assert not tip.isVisible()
    hover(transcript.viewport(), QPoint(2, 2))
    assert not tip.isVisible()


@pytest.mark.parametrize(
    "text",
    [
        "<img src='file:///etc/hostname'>",
        "<script>x</script>",
        "a\u202eb",
        "\x1b[31mred",
        "x" * 9999,
    ],
)
def test_a_passage_is_shown_as_plain_text(window, text):
    tip = window.desk.tip
    place = "<b>.py\u202e"
    tip.show_source(
        Source(1, Passage(place, 1, 2, text, 1.0, "block", "<i>", ("<u>",))), window, QPoint(9, 9)
    )
    assert all(label.textFormat() == Qt.TextFormat.PlainText for label in tip.findChildren(QLabel))
    shown = tip.place.text() + tip.about.text() + tip.text.text()
    assert not set(shown) & set("\u202e\x1b")
    assert tip.width() < 1200
    tip.dismiss()


def test_excerpts_are_short():
    text = "\n".join(f"\tline {n}" for n in range(100))
    lines = excerpt(text).split("\n")
    assert lines[0] == "    line 0"
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == "…"


def test_the_menu_of_the_code_view_asks_and_opens(window, qtbot):
    open_at(window, qtbot, "src/config.py")
    menu = window.code.view.context_menu()
    titles = [action.text().replace("&", "") for action in menu.actions()]
    assert {"Ask about This", "Open in Your Editor"} <= set(titles)
    menu.deleteLater()


def test_the_chosen_source_opens_in_the_editor(window, settled, monkeypatch):
    window.ask("settings !say hello [1]")
    settled(window)
    asked = []
    monkeypatch.setattr(window.desk, "open_at", lambda path, line: asked.append((path, line)))
    window.sources.select(2)
    window.sources.list.setFocus()
    window.actions_by_id["open_in_editor"].trigger()
    passage = window.sources.sources[1].passage
    assert asked == [(passage.path, passage.start_line)]
    assert Path(asked[0][0]).suffix
