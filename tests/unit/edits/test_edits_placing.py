"""Where edits go, and the reasons for those that go nowhere."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonplace.edits.changes import Proposal, diff, merge
from commonplace.edits.document import Document, split_lines
from commonplace.edits.placing import place
from commonplace.edits.proposed import Replace, Whole
from commonplace.edits.reading import read_answer, read_patch
from commonplace.errors import EditError


def placed(files: dict[str, bytes], text: str) -> Proposal:
    return place(read_answer(text), files.get)


def outcome(files: dict[str, bytes], proposal: Proposal) -> dict[str, bytes]:
    after = dict(files)
    for write in proposal.plan(proposal.everything()).writes:
        assert after.get(write.path) == write.before
        if write.after is None:
            del after[write.path]
        else:
            after[write.path] = write.after
    return after


def block(old: str, new: str, path: str = "a.py") -> str:
    return f"FILE {path}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n"


@pytest.mark.parametrize(
    ("before", "old", "new", "after"),
    [
        (b"a\nb\nc\n", "b\n", "B\n", b"a\nB\nc\n"),
        (b"a\r\nb\r\nc\r\n", "b\n", "B\nb2\n", b"a\r\nB\r\nb2\r\nc\r\n"),
        (b"a\nb\r\nc\n", "b\n", "B\n", b"a\nB\r\nc\n"),
        (b"a\nb\r\nc\n", "a\nb\nc\n", "a\nb\nx\nc\n", b"a\nb\r\nx\r\nc\n"),
        (b"a\rb\rc", "b\n", "B\n", b"a\rB\rc"),
        (b"a\nb", "b\n", "B\nc\n", b"a\nB\nc"),
        (b"a\r\nb", "b\n", "B\nc\n", b"a\r\nB\r\nc"),
        (b"a\nb", "b\n", "", b"a\n"),
        (b"\xef\xbb\xbfa\nb\n", "a\n", "A\n", b"\xef\xbb\xbfA\nb\n"),
        ("a\nä\n".encode("utf-16"), "ä\n", "ö\n", "a\nö\n".encode("utf-16")),
        (b"a\n\xe9t\xe9\nb\n", "b\n", "c\n", b"a\n\xe9t\xe9\nc\n"),
        (b"a\n\xe9t\xe9\nb\n", "\ufffdt\ufffd\nb\n", "\ufffdt\ufffd\nc\n", b"a\n\xe9t\xe9\nc\n"),
        (b"a  \nb\t\nc\n", "a\nb\n", "a\nB\n", b"a  \nB\nc\n"),
        (b"    if x:\n        y\n", "if x:\n    y\n", "if x:\n    z\n", b"    if x:\n        z\n"),
        (b"\tif x:\n\t\ty\n", "if x:\n\ty\n", "if x:\n\tz\n", b"\tif x:\n\t\tz\n"),
        (b"x\n", "    x\n", "    y\n", b"y\n"),
    ],
)
def test_old_lines_give_way(before, old, new, after):
    proposal = placed({"a.py": before}, block(old, new))
    assert not proposal.problems
    assert outcome({"a.py": before}, proposal)["a.py"] == after


@pytest.mark.parametrize(
    ("before", "old", "new", "reason"),
    [
        (b"a\nb\na\n", "a\n", "A\n", "2 times (lines 1, 3)"),
        (b"a\n", "zzz\n", "A\n", "do not stand in the file"),
        (b"new\n", "old\n", "new\n", "looks done"),
        (b"a\n", "", "A\n", "which lines"),
        (b"a\x00b\n", "a\n", "A\n", "not text"),
        (b"\xe9\nb\n", "b\n", "é\n", "not UTF-8"),
        (b"  a\n    b\n", "a\nb\n", "A\nb\n", "do not stand"),
        (b"\n\n\nx\n", "\n", "\n\n", "3 times"),
    ],
)
def test_what_cannot_be_placed_says_why(before, old, new, reason):
    proposal = placed({"a.py": before}, block(old, new))
    assert not proposal.files
    assert reason in proposal.problems[0].reason


def test_no_file_no_edit():
    proposal = placed({}, block("a\n", "b\n"))
    assert "no file a.py" in proposal.problems[0].reason


def test_edits_see_what_those_before_them_left():
    proposal = placed({"a.py": b"one\ntwo\n"}, block("one\n", "1\n") + block("1\ntwo\n", "x\n"))
    assert outcome({}, Proposal()) == {}
    assert outcome({"a.py": b"one\ntwo\n"}, proposal) == {"a.py": b"x\n"}
    assert len(proposal.files) == 1


def test_one_that_fails_does_not_hold_up_the_others():
    proposal = placed({"a.py": b"one\ntwo\n"}, block("zzz\n", "1\n") + block("two\n", "2\n"))
    assert len(proposal.problems) == 1
    assert outcome({"a.py": b"one\ntwo\n"}, proposal) == {"a.py": b"one\n2\n"}


LONG = "".join(f"line {n}\n" for n in range(40)).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("line 1\n# ... existing code ...\nline 39\n", "leaves parts"),
        ("// ...\nx\n", "leaves parts"),
        ("x\ny\n", "2 lines of a file of 40"),
    ],
)
def test_an_excerpt_never_takes_a_files_place(content, reason):
    proposal = place([Whole("a.py", content, content)], {"a.py": LONG}.get)
    assert not proposal.files
    assert reason in proposal.problems[0].reason


def test_a_quotation_of_the_file_is_no_edit():
    assert place([Whole("a.py", "line 3\nline 4\n", "")], {"a.py": LONG}.get) == Proposal()
    assert place([Whole("a.py", "x\n", "", fresh=True)], {"a.py": LONG}.get) == Proposal()


def test_a_whole_file_keeps_its_line_ends_and_its_last_line():
    before = LONG.replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    text = LONG.decode().replace("line 7\n", "line seven\n")
    proposal = place([Whole("a.py", text, text)], {"a.py": before}.get)
    assert outcome({"a.py": before}, proposal)["a.py"] == before.replace(
        b"line 7\r", b"line seven\r"
    )


def patch(files: dict[str, bytes], data: bytes) -> Proposal:
    return place(read_patch(data), files.get)


def test_a_hunk_says_which_of_several_places_it_means():
    files = {"x": b"a\nb\nc\n" * 3}
    there = b"--- a/x\n+++ b/x\n@@ -4,3 +4,3 @@\n a\n-b\n+B\n c\n"
    assert outcome(files, patch(files, there))["x"] == b"a\nb\nc\na\nB\nc\na\nb\nc\n"
    nowhere = b"--- a/x\n+++ b/x\n@@ -5,3 +5,3 @@\n a\n-b\n+B\n c\n"
    assert "3 times" in patch(files, nowhere).problems[0].reason


def test_a_hunk_that_moved_is_found_and_told():
    files = {"x": b"new\n" * 5 + b"a\nb\nc\n"}
    proposal = patch(files, b"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n")
    assert outcome(files, proposal)["x"] == b"new\n" * 5 + b"a\nB\nc\n"
    assert proposal.files[0].notes == ("a hunk for line 1 was found at line 6",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"--- a/x\n+++ b/x\n@@ -1,0 +2,1 @@\n+y\n", "no lines around"),
        (b"--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+y\n", "already"),
        (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", "more than the lines"),
        (b"--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-zzz\n", "do not stand"),
        (b"diff --git a/x b/y\nrename from x\nrename to y\n", "already"),
        (b"diff --git a/q b/z\nrename from q\nrename to z\n", "no file"),
    ],
)
def test_patches_that_do_not_fit_say_why(data, reason):
    proposal = patch({"x": b"a\nb\n", "y": b"y\n"}, data)
    assert not proposal.files
    assert reason in proposal.problems[0].reason


def test_renames_deletions_and_empty_files():
    files = {"x": b"a\nb\n", "z": b"1\n", "empty": b""}
    data = (
        b"diff --git a/x b/y\nrename from x\nrename to y\n--- a/x\n+++ b/y\n"
        b"@@ -1,2 +1,2 @@\n a\n-b\n+B\n"
        b"diff --git a/z b/z\ndeleted file mode 100644\n--- a/z\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
        b"diff --git a/empty b/empty\ndeleted file mode 100644\nindex e69de29..0000000\n"
        b"diff --git a/fresh b/fresh\nnew file mode 100644\nindex 0000000..e69de29\n"
    )
    proposal = patch(files, data)
    assert not proposal.problems
    assert [file.kind for file in proposal.files] == ["rename", "delete", "delete", "create"]
    assert outcome(files, proposal) == {"y": b"a\nB\n", "fresh": b""}
    renamed = proposal.files[0]
    assert [w.path for w in renamed.writes({0})] == ["y", "x"]
    assert renamed.writes({1})[0].after == b"a\nB\n"
    assert renamed.writes({1})[0].path == "x"


# ---- random files and edits against an oracle of bytes

ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
BODY = st.sampled_from([b"", b"a", b"b", b"  a", b"x = 1", b"\xe9", "ä".encode(), b"}", b"\t"])
FILES = st.builds(
    lambda mark, lines, last: mark + b"".join(body + end for body, end in lines) + last,
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    st.lists(st.tuples(BODY, ENDS), max_size=12),
    BODY,
)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_come_back_as_they_were(data):
    try:
        document = Document.of(data)
    except EditError:
        assert b"\0" in data or data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    else:
        assert document.encoded() == data


@given(FILES, FILES, st.data())
def test_accepted_hunks_and_no_others_are_written(old, new, data):
    """The oracle knows no documents: it cuts both files into lines of bytes."""
    before, after = Document.of(old), Document.of(new).lines
    hunks = diff(before.lines, after)
    taken = data.draw(st.sets(st.sampled_from(hunks)) if hunks else st.just(set()))
    mark = b"\xef\xbb\xbf" if old.startswith(b"\xef\xbb\xbf") else b""
    old_lines = old.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    new_lines = new.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    expected, position = [], 0
    for hunk in hunks:
        expected += old_lines[position : hunk.start]
        chosen = hunk in taken
        expected += (
            new_lines[hunk.new_start : hunk.new_end] if chosen else old_lines[hunk.start : hunk.end]
        )
        position = hunk.end
    expected += old_lines[position:]
    written = before.with_lines(merge(before.lines, after, taken)).encoded()
    assert written == mark + b"".join(expected)
    if len(taken) == len(hunks):
        assert written == mark + b"".join(new_lines)
    if not taken:
        assert written == old


@given(FILES, st.integers(0, 11), st.integers(1, 3), st.lists(BODY, max_size=3))
def test_a_block_changes_its_lines_and_not_one_byte_else(data, start, count, bodies):
    document = Document.of(data)
    chosen = document.lines[start : start + count]
    old = "".join(line.rstrip("\r\n") + "\n" for line in chosen)
    new = "".join(f"{body.decode('utf-8', 'ignore')}|\n" for body in bodies)
    if not chosen:
        return
    proposal = place([Replace("a", old, new, "")], {"a": data}.get)
    if proposal.problems or not proposal.files:
        return
    after = outcome({"a": data}, proposal)["a"]
    head = document.mark + "".join(document.lines[:start]).encode("utf-8", "surrogateescape")
    tail = "".join(document.lines[start + count :]).encode("utf-8", "surrogateescape")
    # The place found may be another one of the same lines only if that is the only one.
    assert after.startswith(head) or after.endswith(tail)
    added, removed = proposal.files[0].counts
    assert added <= len(bodies) + 1
    assert removed <= count + 1


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@settings(max_examples=25, deadline=None)
@given(FILES, FILES)
def test_patches_lead_where_git_leads(old, new):
    """A patch that git made is placed to the byte, whatever its line ends."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        one, two = Path(folder, "a"), Path(folder, "b")
        one.mkdir(), two.mkdir()
        (one / "x").write_bytes(old)
        (two / "x").write_bytes(new)
        made = subprocess.run(
            [
                "git",
                "-c",
                "core.autocrlf=false",
                "diff",
                "--no-index",
                "--no-prefix",
                "--text",
                "a/x",
                "b/x",
            ],
            check=False,
            cwd=folder,
            capture_output=True,
        ).stdout
    if not made:
        assert old == new
        return
    proposal = place(read_patch(made), {"x": old}.get, raw=True)
    if old.startswith(b"\xef\xbb\xbf") != new.startswith(b"\xef\xbb\xbf"):
        assert "byte order mark" in proposal.problems[0].reason
        return
    assert not proposal.problems
    assert outcome({"x": old}, proposal) == {"x": new}


def test_lines_are_cut_where_bytes_are():
    assert split_lines("a\x0b\x0c\x1c\u2028\x85b\n") == ("a\x0b\x0c\x1c\u2028\x85b\n",)
