"""Front matter: read leniently, changed without touching anything else."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from commonplace.book import header as headers
from commonplace.book.reading import read_note

NOTE = """---
title: A   # why
# about the status
status: kept
tags:
- a
# inner
- b
# after
x-unknown: {k: [1,2]}
---
Body
"""


def note_of(text):
    return read_note(text.encode("utf-8", "surrogatepass"), "shared", "a.md")


def test_a_change_replaces_its_own_lines_only():
    changed = headers.changed(NOTE, {"status": "archived"})
    assert changed == NOTE.replace("status: kept", "status: archived")
    tagged = headers.changed(NOTE, {"tags": ["z", "q: r"]})
    assert 'tags: [z, "q: r"]\n# after\nx-unknown: {k: [1,2]}\n' in tagged
    assert tagged.startswith("---\ntitle: A   # why\n# about the status\nstatus: kept\n")


def test_a_comment_behind_a_value_stays():
    assert "title: B  # why\n" in headers.changed(NOTE, {"title": "B"})


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_and_byte_order_mark_stay(newline):
    data = b"\xef\xbb\xbf" + NOTE.replace("\n", newline).encode()
    text = headers.text_of(data)
    out = headers.bytes_of(headers.changed(text, {"pinned": True, "status": "inbox"}), data)
    expected = NOTE.replace("status: kept", "status: inbox").replace("]}\n", "]}\npinned: true\n")
    assert out == b"\xef\xbb\xbf" + expected.replace("\n", newline).encode()


def test_bytes_that_are_no_text_survive():
    data = b"---\nstatus: kept\n---\nbad \xff\xfe byte\n"
    out = headers.bytes_of(headers.changed(headers.text_of(data), {"status": "inbox"}), data)
    assert out == data.replace(b"kept", b"inbox")


def test_a_note_without_a_header_gets_one():
    assert headers.changed("Body\n", {"id": "x"}) == "---\nid: x\n---\nBody\n"
    assert note_of("# The title\n\nBody\n").title == "The title"


@given(st.text(max_size=80))
def test_any_title_comes_back(title):
    text = headers.changed(NOTE, {"title": title})
    values = headers.read(headers.split(text)).values
    expected = title.encode("utf-8", "replace").decode() if not title.isprintable() else title
    assert values["x-unknown"] == {"k": [1, 2]}
    assert values["status"] == "kept"
    if title.isprintable():
        assert values["title"] == expected


@given(st.text(alphabet="ab:#-[]{}'\"&*!|>%@` \n\t\r,?0", max_size=200))
def test_no_header_is_ever_an_error(text):
    note = note_of(f"---\n{text}\n---\nbody\n")
    assert note.title
    if note.broken:
        assert note.problems
        assert not note.recallable


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("---\ntitle: x\nstatus: [\n---\nx", 4),
        ("---\ntitle: x\n", 1),
        ("---\n- a\n---\nb", 2),
        ("---\na: !!python/object:os.system x\n---\n", 2),
        ("---\na: " + "[" * 60_000 + "\n---\n", 2),
        ("---\n" + "- " * 5_000 + "\n---\n", 2),
    ],
)
def test_a_broken_header_is_told_with_its_line_and_not_recalled(text, line):
    note = note_of(text)
    assert note.broken
    assert not note.recallable
    assert note.problems[0].line == line


def test_values_of_the_wrong_type_are_told_and_the_rest_is_used():
    note = note_of(
        "---\ntitle: {a: b}\nstatus: 5\npinned: maybe\ntags: 3\ncreated: [1]\n"
        'anchors: [3, "../x", "a.py:9-3", "a.py::f"]\nauthor: Jo\n---\n# Real\n'
    )
    assert [problem.line for problem in note.problems] == [2, 3, 4, 6, 5, 7, 7, 7]
    assert (note.title, note.author, note.status) == ("Real", "Jo", "inbox")
    assert [anchor.target for anchor in note.anchors] == ["a.py::f"]
    assert not note.recallable


def test_a_date_that_is_none_stops_nothing():
    assert note_of("---\ncreated: 2026-13-45\ntitle: T\n---\nb").title == "T"


def test_a_merge_conflict_is_shown_with_its_line():
    note = note_of("---\ntitle: T\n---\na\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n")
    assert note.problems[0].line == 5
    assert "merge conflict" in note.problems[0].message
    assert not note.recallable


def test_aliases_do_not_grow():
    bomb = "a: &a [x,x,x,x]\n" + "".join(f"b{n}: &b{n} [{'*a,' * 9}*a]\n" for n in range(20))
    assert note_of(f"---\n{bomb}---\nbody").title == "body"


@given(st.text(max_size=40))
def test_scalars_are_yaml(text):
    parsed = yaml.safe_load(f"k: {headers.scalar(text)}")
    assert isinstance(parsed, dict)
