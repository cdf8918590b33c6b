"""Cutting and parsing streamed Markdown."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from commonplace.chat.citations import sentences_of
from commonplace.desktop.markdown import parse
from commonplace.desktop.marks import annotate, without_marks
from commonplace.desktop.splitter import (
    MAX_PIECE,
    FenceClosed,
    FenceLines,
    FenceOpened,
    Prose,
    Splitter,
)
from commonplace.recall.passages import Passage

TEXT = "One [1].\n\n- a\n- b\n\n  more b\n\n```python\nx = 1\n\ny = 2\n```\n\nLast"


def pieces_of(text, size=None):
    splitter = Splitter()
    size = size or len(text) or 1
    found = [p for at in range(0, len(text), size) for p in splitter.feed(text[at : at + size])]
    return found + splitter.finish()


def test_pieces():
    assert pieces_of(TEXT) == [
        Prose("One [1].\n"),
        Prose("- a\n- b\n\n  more b\n"),
        FenceOpened("python"),
        FenceLines("x = 1"),
        FenceLines(""),
        FenceLines("y = 2"),
        FenceClosed(),
        Prose("Last"),
    ]


@given(st.text(alphabet="ab `~\n-#*[1]>|", max_size=300), st.integers(1, 20))
def test_pieces_do_not_depend_on_how_the_text_arrives(text, size):
    assert pieces_of(text, size) == pieces_of(text)


@given(st.text(alphabet="ab `~\n-", max_size=200), st.integers(1, 9))
def test_nothing_is_lost(text, size):
    shown = "".join(p.text for p in pieces_of(text, size) if isinstance(p, Prose | FenceLines))
    fences = {"`", "~", "a", "b", "-", " ", "\n"}
    assert [c for c in shown if c not in fences] == [c for c in text if c not in fences]
    assert shown.count("a") <= text.count("a")


def test_tail_hides_a_fence_that_begins():
    splitter = Splitter()
    splitter.feed("Text\n\n``")
    assert splitter.tail == "Text\n"
    splitter.feed("`python\nx =")
    assert splitter.in_fence
    assert splitter.tail == "x ="


def test_a_long_line_is_cut():
    pieces = pieces_of("x" * 2_000_000)
    assert all(len(p.text) <= MAX_PIECE for p in pieces)
    assert "".join(p.text for p in pieces) == "x" * 2_000_000


def test_long_code_line_says_that_it_continues():
    pieces = [p for p in pieces_of("```\n" + "y" * 9000 + "\n```") if isinstance(p, FenceLines)]
    assert [p.continues for p in pieces] == [True, True, False]
    assert "".join(p.text for p in pieces) == "y" * 9000


def test_never_closed_fence_is_closed_at_the_end():
    assert pieces_of("```py\nx")[-1] == FenceClosed()


def test_blocks():
    blocks = parse(
        "# Head\n\n1. one\n2. two\n   - deep\n\n> said\n\n---\n\n| a | b |\n|--|--|\n| c | d |"
    )
    kinds = [(b.kind, b.level, b.marker, b.quoted) for b in blocks]
    assert kinds == [
        ("heading", 1, "", 0),
        ("item", 1, "1.", 0),
        ("item", 1, "2.", 0),
        ("item", 2, "•", 0),
        ("paragraph", 0, "", 1),
        ("rule", 0, "", 0),
        ("row", 0, "", 0),
        ("row", 0, "", 0),
    ]


def test_citations_become_links_only_where_a_passage_is():
    (block,) = parse("True [1], or `[1]`, or [9, 1] or [1, 2].", sources=2)
    cites = [run.cite for run in block.runs if run.cite]
    assert cites == [1, 1, 2]
    assert {run.by for run in block.runs if run.cite} == {"model"}


def test_html_stays_text_and_only_web_links_link():
    text = (
        "<img src='file:///etc/passwd'> <script>x</script> ![alt](https://x.org/y.png) "
        "[run](javascript:alert(1)) [file](file:///etc/passwd) [c](commonplace:source/0/1) "
        "[web](https://example.org)"
    )
    (block,) = parse(text)
    shown = "".join(run.text for run in block.runs)
    assert "<img src='file:///etc/passwd'>" in shown
    assert "alt (image: https://x.org/y.png)" in shown
    assert "[run](javascript:alert(1))" in shown
    assert [run.link for run in block.runs if run.link] == ["https://example.org"]
    assert "(https://example.org)" in shown


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_parse_takes_anything(text):
    parse(text, 3)


def passage(text):
    return Passage("a.py", 1, 2, text, 1.0, "function", "load", ())


def test_marks_follow_their_sentences():
    passages = [passage("def load_settings reads the settings file from disk")]
    text = "It reads the settings file from disk. Elephants never forget their friends. Yes [1]."
    marked = annotate(text, sentences_of(text, passages))
    runs = [run for block in parse(marked, 1) for run in block.runs]
    assert [(run.text, run.by) for run in runs if run.by] == [
        ("[1]", "attribution"),
        ("°", "own"),
        ("[1]", "model"),
    ]
    assert "".join(r.text for r in runs if not r.by).replace(" ", "") == text.replace(
        "[1]", ""
    ).replace(" ", "")


def test_marks_in_code_go_to_its_head():
    text = "```python\nprint('hello wide world')\n```"
    marked = annotate(text, sentences_of(text, [passage("nothing alike")]))
    opened, *_ = pieces_of(marked)
    assert isinstance(opened, FenceOpened)
    assert opened.language == "python"
    assert opened.marks
    assert [p.text for p in pieces_of(marked) if isinstance(p, FenceLines)] == [
        "print('hello wide world')"
    ]


@given(st.text(alphabet="ab .\n`|#[1]\ue000\ue001\ue002", max_size=200))
def test_the_model_cannot_forge_our_marks(text):
    clean = without_marks(text)
    assert len(clean) == len(text)
    assert not any(run.by in {"own", "attribution"} for b in parse(clean, 1) for run in b.runs)
    annotate(text, sentences_of(text, [passage("a b")]))


def test_columns_of_a_table_line_up():
    rows = parse("| name | x |\n|---|---|\n| a | long cell |\n| `bb` | c |")
    texts = ["".join(run.text for run in row.runs) for row in rows]
    assert texts == ["name   x", "a      long cell", "bb     c"]
    assert rows[0].runs[0].bold
