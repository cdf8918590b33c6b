"""What counts as a proposed edit, and what is a quotation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.edits.grammar import edits_grammar, passage_edits_grammar
from commonplace.edits.proposed import Patch, Replace, Unreadable, Whole
from commonplace.edits.reading import proposes, read_answer, read_patch
from commonplace.engine.grammars import check_grammar
from commonplace.errors import EditError

BLOCK = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"


@pytest.mark.parametrize(
    "text",
    [
        f"FILE src/a.py\n{BLOCK}",
        f"```\nFILE src/a.py\n{BLOCK}```",
        f"```python src/a.py\n{BLOCK}```",
        f"```python\nsrc/a.py\n{BLOCK}```",
        f"src/a.py\n```python\n{BLOCK}```",
        f"**`src/a.py`**\n\n```python\n{BLOCK}```",
        f"### src/a.py\n```python\n{BLOCK}```",
        f"File: src/a.py\n```\n{BLOCK}```",
        f"In `src/a.py`, change this:\n\n```python\n{BLOCK}```",
        f"./src/a.py\n{BLOCK}",
        f"FILE src/a.py\n{BLOCK}".replace("\n", "\r\n"),
    ],
)
def test_a_block_finds_its_file(text):
    [edit] = read_answer(text)
    assert isinstance(edit, Replace)
    assert (edit.path, edit.old, edit.new) == ("src/a.py", "old\n", "new\n")
    assert proposes(text) == 1


def test_blocks_after_one_another_are_in_the_same_file():
    edits = read_answer(f"FILE a.py\n{BLOCK}{BLOCK}\nFILE b.py\n{BLOCK}")
    assert [edit.path for edit in edits] == ["a.py", "a.py", "b.py"]


@pytest.mark.parametrize(
    "text",
    [
        "```python\nprint(1)\n```",
        "In `src/a.py`:\n```python\nprint(1)\n```",
        "`src/a.py` line 4:\n\n```python\nprint(1)\n```",
        "Run `make test`:\n```sh\nmake test\n```",
        "```text/html\n<p>\n```",
        "```python 3.11\nprint(1)\n```",
        "<<<<<<< HEAD\na\n=======\nb\n>>>>>>> main",
        "plain words, --- and +++ among them",
    ],
)
def test_quotations_are_no_edits(text):
    assert read_answer(text) == []
    assert proposes(text) == 0


@pytest.mark.parametrize(
    "info",
    ["python src/a.py", "src/a.py", "python:src/a.py", 'py title="src/a.py"', "py path=src/a.py"],
)
def test_a_fence_may_name_its_file(info):
    [edit] = read_answer(f"```{info}\nx = 1\n```")
    assert isinstance(edit, Whole)
    assert (edit.path, edit.content, edit.fresh) == ("src/a.py", "x = 1\n", False)


def test_a_sentence_may_ask_for_a_new_file():
    [edit] = read_answer("Create `src/new.py`:\n\n```python\nx = 1\n```")
    assert isinstance(edit, Whole)
    assert edit.fresh


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE", "which file"),
        ("FILE a.py\n<<<<<<< SEARCH\na\n=======\nb", "does not end"),
        ("FILE a.py\n<<<<<<< SEARCH\na\nb\n>>>>>>> REPLACE", "no line"),
        ("FILE a.py\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE", "several"),
        ("```python a.py\nx = 1", "does not end"),
        ("```diff\n-a\n+b\n```", "@@"),
        ("```diff\n@@ -1 +1 @@\n-a\n+b\n```", "which file"),
        ("diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ", "binary"),
        ("diff --git a/x b/y\ncopy from x\ncopy to y", "copies"),
    ],
)
def test_what_cannot_be_read_says_why(text, reason):
    [edit] = read_answer(text)
    assert isinstance(edit, Unreadable)
    assert reason in edit.reason


def test_a_diff_without_a_head_takes_the_file_above_it():
    [edit] = read_answer("`src/a.py`:\n```diff\n@@ -1 +1 @@\n-a\n+b\n```")
    assert isinstance(edit, Patch)
    assert (edit.path, edit.hunks[0].old, edit.hunks[0].new) == ("src/a.py", "a\n", "b\n")


def test_git_patches_are_read_whole():
    text = (
        "From 1 Mon Sep 17 00:00:00 2001\nSubject: x\n\n---\n a | 2 +-\n\n"
        "diff --git a/new.txt b/new.txt\nnew file mode 100755\nindex 000..111\n"
        "--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,2 @@\n+one\n+two\n\\ No newline at end of file\n"
        "diff --git a/gone.txt b/gone.txt\ndeleted file mode 100644\n"
        "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        "diff --git a/old name b/new name\nsimilarity index 100%\n"
        "rename from old name\nrename to new name\n"
        'diff --git "a/\\303\\244.sql" "b/\\303\\244.sql"\n'
        '--- "a/\\303\\244.sql"\n+++ "b/\\303\\244.sql"\n@@ -1,2 +1,2 @@\n keep\n'
        "--- note\n+++ note\n"
        "-- \n2.39\n"
    )
    new, gone, renamed, odd = read_patch(text.encode())
    assert all(isinstance(edit, Patch) for edit in (new, gone, renamed, odd))
    assert (new.old_path, new.path, new.hunks[0].new) == ("", "new.txt", "one\ntwo")
    assert "run" in new.note
    assert (gone.old_path, gone.path) == ("gone.txt", "")
    assert (renamed.old_path, renamed.path, renamed.hunks) == ("old name", "new name", ())
    assert (odd.path, odd.hunks[0].old) == ("ä.sql", "keep\n-- note\n")
    assert odd.hunks[0].new == "keep\n++ note\n"


def test_wrong_counts_are_forgiven_and_told():
    [edit] = read_answer("```diff\n--- a/x\n+++ b/x\n@@ -1,9 +1,2 @@\n a\n-b\n+c\n\n```")
    assert isinstance(edit, Patch)
    assert (edit.hunks[0].old, edit.hunks[0].new) == ("a\nb\n", "a\nc\n")
    assert "counts" in edit.hunks[0].note


@pytest.mark.parametrize("data", [b"", b"words", b"\x00\x01", b"```python\nx\n```"])
def test_a_file_without_a_change_is_refused(data):
    with pytest.raises(EditError):
        read_patch(data)


@given(st.text(alphabet="`~<>=+-@ \n\\aFILESEARCH/.", max_size=300))
def test_nothing_in_an_answer_breaks_the_reader(text):
    assert proposes(text) <= len(read_answer(text))


LINES = st.lists(
    st.text(alphabet="abc <>=+-`~#\t{}()ä", max_size=12).filter(
        lambda line: line[:2] not in {"<<", ">>", "==", "``"}
    ),
    min_size=1,
    max_size=6,
)


@given(st.lists(st.tuples(st.sampled_from(["a.py", "src/b c.py"]), LINES, LINES), min_size=1))
def test_what_the_grammar_lets_a_model_write_is_read_back(wanted):
    """The form of `edits_grammar`: no line begins with two of the signs of the marks."""
    assert "FILE" in edits_grammar(["a.py"])
    body = "".join(
        f"FILE {path}\n<<<<<<< SEARCH\n{_text(old)}=======\n{_text(new)}>>>>>>> REPLACE\n"
        for path, old, new in wanted
    )
    edits = read_answer(f"```\n{body}```\n")
    if any(line.strip(" ")[:3] == "```" for _, a, b in wanted for line in a + b):
        return  # an indented fence, of which a reader of Markdown thinks the same
    assert [(e.path, e.old, e.new) for e in edits if isinstance(e, Replace)] == [
        (path, _text(old), _text(new)) for path, old, new in wanted
    ]


def _text(lines):
    return "".join(f"{line}\n" for line in lines)


@given(st.lists(st.tuples(st.sampled_from(["a.py", 'b "c".py']), st.text(max_size=80)), max_size=4))
def test_any_passages_make_a_sound_grammar(passages):
    grammar = passage_edits_grammar(passages)
    if grammar:
        check_grammar(grammar)


def test_only_lines_of_the_passage_can_be_sought():
    text = "def f():\n    x = 1\n\n    x = 1\n== end\nlast"
    grammar = passage_edits_grammar([("a.py", text), ("b.py", "\n\n")])
    assert "(p0-0 | p0-5)" in grammar  # lines that stand once, and look like no mark
    assert 'p0-3 ::= "    x = 1\\n"\n' in grammar  # the run ends before the mark
    assert "b.py" not in grammar
    assert passage_edits_grammar([("b.py", "\n\n")]) == ""
