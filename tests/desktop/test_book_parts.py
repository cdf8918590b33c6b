"""Parts of the book in the window that need no window."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from PySide6.QtGui import QTextCursor, QTextDocument

from commonplace.book.note import Listed
from commonplace.desktop.book_capture import anchors_of, is_own, selected_lines, title_of
from commonplace.desktop.book_link import NoteView, Row
from commonplace.desktop.book_list import deeds_of
from commonplace.desktop.book_model import NoteModel
from commonplace.desktop.book_pane import NotePane
from commonplace.desktop.book_preview import MAX_LINES, NotePreview, difference
from commonplace.desktop.book_unsaved import FILE, Unsaved, UnsavedTexts
from commonplace.desktop.conversation import Exchange
from commonplace.recall.passages import Passage


def listed(**fields):
    values = {
        "id": "a", "title": "T", "shelf": "shared", "path": "p.md", "status": "kept",
        "origin": "person", "pinned": False, "author": "", "created": "", "tags": (),
        "anchors": (), "problems": (), "broken": False,
    }  # fmt: skip
    return Listed(**values | fields)


def view(note, **fields):
    more = {"text": "", "raw": "", "hash": "", "evidence": "", "body_line": 1}
    known = {name: value for name, value in asdict(note).items() if name != "last_use"}
    return NoteView(**known | more | {"checks": (), "changes": ()} | fields)


def test_whose_words_they_are():
    said = [Exchange("We never log names, only *berths*.", text="Names are logged in log.py [1].")]
    assert is_own("we never log names", said)
    assert is_own("only berths", said)
    assert not is_own("Names are logged", said)
    assert not is_own("log names only berths twice", said)
    assert not is_own(" … ", said)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("One thing. Another.", "One thing."),
        ("\n\n## Heading\n\ntext", "Heading"),
        ("- `code` is here", "`code` is here"),
        ("word " * 40, "word " * 14 + "word…"),
        ("", ""),
    ],
)
def test_titles_are_the_first_sentence(text, title):
    assert title_of(text) == title


def test_only_definitions_are_anchors():
    found = [
        Passage("a.py", 1, 2, "", 1, "function", "f", ()),
        Passage("a.md", 1, 2, "", 1, "section", "Intro", ()),
        Passage("n.md", 1, 2, "", 1, "function", "T", (), note="x"),
        Passage("a.py", 1, 2, "", 1, "function", "f", ()),
    ]
    assert anchors_of(found) == ("a.py::f",)


def test_the_lines_of_a_selection(qapp):
    document = QTextDocument("one\ntwo\nthree\n")
    cursor = QTextCursor(document)
    assert selected_lines(cursor) == (1, 1)
    cursor.setPosition(4)
    cursor.setPosition(8, QTextCursor.MoveMode.KeepAnchor)  # "two" with its end
    assert selected_lines(cursor) == (2, 2)
    cursor.setPosition(9, QTextCursor.MoveMode.KeepAnchor)
    assert selected_lines(cursor) == (2, 3)


def test_what_can_be_done():
    assert deeds_of(listed(status="inbox"))[:3] == ["keep", "edit", "discard"]
    assert "confirm" in deeds_of(listed(state="changed"))
    assert "confirm" not in deeds_of(listed(state="moved"))
    assert "pin" not in deeds_of(listed(broken=True))
    assert all(deeds_of(listed(status=s))[-1] == "forget" for s in ("inbox", "kept", "archived"))


def test_a_list_asks_for_a_page_once(qapp):
    model, asked = NoteModel(), []
    model.fetch = lambda: asked.append(len(model.rows))
    model.show([Row(listed(id=str(n))) for n in range(3)], 5)
    root = model.index(-1)
    model.fetchMore(root)
    model.fetchMore(root)
    assert asked == [3]
    model.append([Row(listed(id="3")), Row(listed(id="4"))], 5)
    assert not model.canFetchMore(root)
    assert model.find("4").row() == 4
    model.show([Row(listed())], 9)
    model.fetchMore(root)
    model.append([], 9)  # the notes went meanwhile: nothing more is asked for
    assert not model.canFetchMore(root)


def test_a_row_follows_what_is_known_of_its_note(qapp):
    model, told = NoteModel(), []
    model.dataChanged.connect(lambda first, _last, _roles: told.append(first.row()))
    rows = [Row(listed(id="a", last_use=7.0), ("old",)), Row(listed(id="b"))]
    model.show(rows, 2)
    now = view(rows[0].note, state="changed", pinned=True)
    assert model.update(now)
    known = listed(id="a", last_use=7.0, state="changed", pinned=True)
    assert model.rows[0] == Row(known, ("old",))
    assert model.rows[1] == rows[1]
    assert told == [0]
    assert not model.update(now)
    assert not model.update(view(listed(id="elsewhere")))
    assert told == [0]


def test_what_was_typed_into_another_version_stays_a_conflict(keeper, qtbot):
    pane = NotePane(keeper)
    qtbot.addWidget(pane)
    theirs = view(listed(), hash="2", text="Theirs.")
    pane.show_note(theirs, Unsaved("a", "1", "Mine.", whole=False))
    for _ in range(2):  # it is read again whenever anything about the notes changes
        assert pane.theirs == theirs
        assert pane.dirty
        assert not pane.save_button.isEnabled()
        pane.show_note(theirs)
    pane.show_note(view(listed(), hash="1", text="Ours."))  # the version it was typed into
    assert pane.theirs is None
    assert pane.text == "Mine."
    assert pane.save_button.isEnabled()


def test_a_difference_names_what_came_and_went():
    found = list(difference("a\n-- b\nc\n", "a\nd\nc\n"))
    assert ("-", "-- b") in found
    assert ("+", "d") in found
    assert (" ", "a") in found
    assert not list(difference("", ""))
    long = "\n".join(str(n) for n in range(MAX_LINES * 3))
    assert len(list(difference(long, long + "\nx"))) <= 1


def test_unsaved_texts_come_back(tmp_path, qapp):
    texts = UnsavedTexts()
    texts.open(tmp_path)
    one = Unsaved("n", "h", "words \u2028 \udcff", whole=True)
    texts.keep(one)
    texts.flush()
    again = UnsavedTexts()
    again.open(tmp_path)
    assert again.get("n") == one
    again.drop("n")
    again.flush()
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("content", ["", "[", "{}", '[{"note": 1}]', "[1]", '[{"x": "y"}]'])
def test_a_damaged_file_of_unsaved_texts_holds_nothing(tmp_path, qapp, content):
    (tmp_path / FILE).write_text(content)
    texts = UnsavedTexts()
    texts.open(tmp_path)
    assert texts.get("n") is None
    texts.flush()


def test_a_long_preview_says_that_it_ends(keeper, qtbot):
    preview = NotePreview(keeper)
    qtbot.addWidget(preview)
    preview.show_text("word " * 100_000)
    assert preview.toPlainText().endswith("The preview ends here; the note goes on.")
    preview.show_text("```\ncode\n```\n\nafter")
    assert preview.toPlainText().split("\n")[-1] == "after"
