"""Colours for code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.desktop.highlight import Highlighter, Span, between, lex, utf16_spans
from commonplace.desktop.visible import one_line, tooltip, visible
from commonplace.index.languages import LANGUAGES

CODE = '\n\nclass Foo:\n    """class Bar"""\n    x = "é"  # note\n'


def words(text, spans, category):
    return [text[s.start : s.start + s.length] for s in spans if s.category == category]


def test_positions_match_the_text():
    spans = lex(CODE, path="a/foo.py")
    assert words(CODE, spans, "type") == ["Foo"]
    assert words(CODE, spans, "comment") == ['"""class Bar"""', "# note"]
    assert words(CODE, spans, "keyword") == ["class"]


def test_unknown_languages_are_plain():
    assert lex("x = 1", language="no-such-language") == []
    assert lex("x = 1", path="file.nothing-known") == []
    assert lex("x" * 600_000, language="python") == []


def test_between_cuts_at_the_edges():
    spans = [Span(0, 10, "string"), Span(12, 3, "number")]
    assert between(spans, 4, 14) == [Span(0, 6, "string"), Span(8, 2, "number")]
    assert between(spans, 10, 12) == []


@given(st.text(alphabet="a😀\n", max_size=30), st.data())
def test_utf16_positions(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    (span,) = utf16_spans(text, [Span(start, end - start, "string")])
    encoded = text.encode("utf-16-le")
    cut = encoded[2 * span.start : 2 * (span.start + span.length)]
    assert cut.decode("utf-16-le") == text[start:end]


def test_lexes_in_a_thread(qtbot, qapp):
    highlighter = Highlighter(qapp)
    with qtbot.waitSignal(highlighter.lexed) as blocker:
        highlighter.request(7, "def f(): pass", language="python")
    assert blocker.args[0] == 7
    assert Span(0, 3, "keyword") in blocker.args[1]
    highlighter.finish()
    highlighter.deleteLater()


def test_hidden_characters_show():
    assert visible("a\u202eb\u200bc\r\n\td\x00") == "a⟨U+202E⟩b⟨U+200B⟩c\n\td⟨U+0000⟩"
    assert one_line("a\nb\u2066") == "a b⟨U+2066⟩"
    assert "<img" not in tooltip("<img src=x>")
    assert tooltip("") == ""


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for language in LANGUAGES
        if language.name not in {"text", "plain"}
        for name in (*(f"x{suffix}" for suffix in language.suffixes), *language.filenames)
    ),
)
def test_every_language_of_recall_has_colours(name):
    line = '# "a" // 12 <b> = `c` {"d": 1} <!-- e -->\n'
    text = f"<?php\n:name: *b*\n.. note:: x\n{line * 3}"
    assert lex(text, path=name)


def test_a_script_without_suffix_says_what_it_is():
    assert lex("#!/usr/bin/env python3\nimport os\n", path="bin/tool")
