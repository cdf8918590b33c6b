"""The conversation on screen: streaming, marks, copying, and hostile answers."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QGuiApplication, QTextCursor, QTextDocument

from commonplace.chat.answer import Answer, Timings
from commonplace.chat.citations import citations_of, sentences_of
from commonplace.desktop.transcript import Entry, Transcript
from commonplace.recall.passages import Passage

PASSAGES = (
    Passage("a.py", 1, 2, "def load_settings reads settings file disk", 1.0, "function", "f", ()),
    Passage("b.py", 1, 2, "nothing alike", 1.0, "function", "g", ()),
)
PARAGRAPH = (
    "The `Loader` reads *settings* [1] and **merges** them; see [2].\n\n- one\n- two `code`\n\n"
    "```python\ndef bar(x: int) -> str:\n    return f'{x}'  # comment\n```\n\n"
)


@pytest.fixture
def transcript(qtbot, keeper):
    view = Transcript(keeper)
    view.resize(640, 600)
    view.show()
    qtbot.addWidget(view)
    yield view
    view.shut()


@pytest.fixture
def drawn(qtbot, transcript):
    def wait(timeout=20000):
        qtbot.waitUntil(
            lambda: not transcript.busy and not transcript._timer.isActive(), timeout=timeout
        )

    return wait


def answer_of(text):
    sentences = sentences_of(text, PASSAGES)
    return Answer(
        text, citations_of(sentences, PASSAGES), sentences, PASSAGES, None, "m", "stop", "",
        Timings(1, 1, 1, 1, 1),
    )  # fmt: skip


def links(view):
    found = []
    block = view.document().begin()
    while block.isValid():
        fragments = block.begin()
        while not fragments.atEnd():
            style = fragments.fragment().charFormat()
            if style.isAnchor():
                found.append((fragments.fragment().text().strip(), style.anchorHref()))
            fragments += 1
        block = block.next()
    return found


def test_streams_and_marks(transcript, drawn):
    transcript.begin("How?")
    transcript.set_sources(2)
    text = "It reads settings from the file on disk. Elephants never forget friends. So [2].\n"
    for at in range(0, len(text), 7):
        transcript.append(text[at : at + 7])
    drawn()
    assert "Elephants never forget friends." in transcript.toPlainText()
    assert ("[2]", "commonplace:source/0/2") in links(transcript)
    transcript.finish(answer_of(text.strip()))
    drawn()
    shown = transcript.toPlainText()
    assert "on disk. ≈[1]" in shown
    assert "forget friends.°" in shown
    assert shown.count("Elephants") == 1
    assert ("≈[1]", "commonplace:source/0/1") in links(transcript)


def test_a_link_opens_its_source(transcript, drawn, qtbot):
    transcript.begin("How?")
    transcript.set_sources(2)
    transcript.append("See [2].")
    drawn()
    with qtbot.waitSignal(transcript.source_chosen) as blocker:
        transcript.anchorClicked.emit(QUrl("commonplace:source/0/2"))
    assert blocker.args == [0, 2]


def test_code_is_coloured_and_copied(transcript, drawn, qtbot, keeper):
    code = "def f():\n\treturn '😀'\n"
    transcript.begin("Code?")
    transcript.append(f"Here:\n\n```python\n{code}```\n\nDone.")
    drawn()

    def colour_at(word):
        cursor = transcript.document().find(word)
        return cursor.charFormat().foreground().color()

    keyword = keeper.theme.code_colour("keyword")
    qtbot.waitUntil(lambda: colour_at("def") == keyword)
    assert colour_at("return") == keyword
    assert colour_at("'😀'") == keeper.theme.code_colour("string")
    transcript.anchorClicked.emit(QUrl("commonplace:copy/0"))
    assert QGuiApplication.clipboard().text() == code


def test_streamed_and_redrawn_text_are_the_same(transcript, drawn, keeper):
    transcript.begin("Q")
    transcript.set_sources(2)
    for at in range(0, len(PARAGRAPH * 3), 5):
        transcript.append((PARAGRAPH * 3)[at : at + 5])
        if at % 50 == 0:
            transcript._tick()
    drawn()
    streamed = transcript.toPlainText()
    keeper.choose("dark")
    drawn()
    assert transcript.toPlainText() == streamed
    keeper.choose("light")
    drawn()


def test_follows_the_end_only_if_the_reader_is_there(transcript, drawn, qtbot):
    transcript.begin("Q")
    transcript.append(PARAGRAPH * 20)
    drawn()
    bar = transcript.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.value() == bar.maximum() > 0)
    bar.setValue(100)
    transcript.append(PARAGRAPH * 5)
    drawn()
    assert bar.value() == 100


def beats_while(app, work, done, timeout=240):
    """Do `work`, and count how often the event loop came round until it was done."""
    beats = 0

    def beat():
        nonlocal beats
        beats += 1

    timer = QTimer()
    timer.timeout.connect(beat)
    timer.start(5)
    work()
    until = time.monotonic() + timeout
    while not done() and time.monotonic() < until:
        app.processEvents()
    timer.stop()
    return beats


@pytest.mark.parametrize(
    "text",
    [
        "x" * 2_000_000,
        "word " * 400_000,
        "```\n" + "y" * 2_000_000,
        PARAGRAPH * 1200,
        "[" * 500_000,
    ],
    ids=["one line", "no newline", "open fence", "much", "brackets"],
)
def test_a_flood_does_not_freeze(app, transcript, text):
    transcript.begin("Q")
    transcript.set_sources(2)
    beats = beats_while(
        app,
        lambda: transcript.append(text),
        lambda: not transcript.busy and not transcript._timer.isActive(),
    )
    assert not transcript.busy
    assert beats > 2  # it drew in pieces; the benchmark has the figures
    assert len(transcript.toPlainText()) < 600_000


HOSTILE = (
    "<img src='file:///etc/passwd'><iframe src='http://127.0.0.1:9/'></iframe>\n\n"
    "![x](http://127.0.0.1:9/pixel.png) ![y](data:image/png;base64,AAAA) ![z](a.png)\n\n"
    "[js](javascript:alert(1)) [f](file:///etc/passwd) [c](commonplace:copy/0)\n\n"
    "[q](//host/share)\n\n"
    "<script>alert(1)</script> <a href='commonplace:source/0/1'>x</a>\n\n"
    "bidi \u202e evil \u2066 zero\u200bwidth \x1b[31m\n\n"
    "# " + "#" * 100 + "\n" + ">" * 500 + "\n" + "- " * 300 + "\n" + "|a" * 300 + "\n|-\n"
    "[web](https://example.org/?<img src=x>) \ue000" + "1\ue001 \ue002\n"
)


def test_a_hostile_answer_loads_and_links_nothing(transcript, drawn, monkeypatch):
    loaded = []
    original = QTextDocument.loadResource

    def watched(self, kind, name):
        loaded.append(name)
        return original(self, kind, name)

    monkeypatch.setattr(QTextDocument, "loadResource", watched)
    transcript.begin(HOSTILE)
    transcript.append(HOSTILE)
    transcript.finish(answer_of(HOSTILE))
    drawn()
    targets = {target for _, target in links(transcript)}
    allowed = ("https://example.org/", "http://127.0.0.1:9/")
    ours = {"commonplace:source/0/1"}
    assert all(target in ours or target.startswith(allowed) for target in targets)
    assert not loaded
    assert "\ufffc" not in transcript.toPlainText()  # no image stands anywhere
    assert "⟨U+202E⟩" in transcript.toPlainText()
    assert "<script>alert(1)</script>" in transcript.toPlainText()
    assert transcript.loadResource(1, QUrl("file:///etc/passwd")) is None


def test_links_go_nowhere_by_themselves(transcript, qtbot):
    followed = []
    transcript.link_followed.connect(followed.append)
    for target in ("file:///etc/passwd", "javascript:x", "//host/x", "commonplace:copy/99"):
        transcript.anchorClicked.emit(QUrl(target))
    assert not followed
    with qtbot.waitSignal(transcript.link_followed):
        transcript.anchorClicked.emit(QUrl("https://example.org"))


def test_drop_and_clear(transcript, drawn):
    transcript.begin("First")
    transcript.append("one")
    transcript.close_entry()
    transcript.begin("Second")
    transcript.append("two")
    transcript.drop_from(len(transcript.entries) - 1)
    drawn()
    assert "Second" not in transcript.toPlainText()
    assert "one" in transcript.toPlainText()
    transcript.show_entries([])
    drawn()
    assert transcript.toPlainText().strip() == ""


def test_selection_copies_plain_words(transcript, drawn):
    transcript.begin("Q")
    transcript.append("plain **bold** `code`")
    drawn()
    cursor = QTextCursor(transcript.document())
    cursor.select(QTextCursor.SelectionType.Document)
    transcript.setTextCursor(cursor)
    transcript.copy()
    assert "plain bold code" in QGuiApplication.clipboard().text()


def test_a_conversation_that_arrives_as_the_window_goes_does_no_harm(transcript, drawn):
    transcript.begin("Q")
    transcript.append("```python\nx = 1\n```\n")
    drawn()
    transcript.shut()
    transcript.show_entries([Entry("Late?", "Yes.", finished=True)])
    transcript.shut()
