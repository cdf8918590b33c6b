"""Apply, undo, redo, and what is kept about them."""

from __future__ import annotations

import json
import os
import stat
import sys

import pytest
from edit_trees import tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commonplace.edits import journal
from commonplace.edits.changes import EditPlan, Write
from commonplace.edits.room import Edits
from commonplace.errors import EditChangedError, EditError, StorageError
from commonplace.paths import StatePaths


def change(path: str, before: bytes | None, after: bytes | None) -> EditPlan:
    return EditPlan((Write(path, before, after),))


def test_undo_and_redo_walk_back_and_forth(both, root):
    (root / "a").write_bytes(b"0")
    for number in range(3):
        both.apply(change("a", str(number).encode(), str(number + 1).encode()))
    seen = []
    for _ in range(3):
        both.undo()
        seen.append((root / "a").read_bytes())
    with pytest.raises(EditError, match="no change to undo"):
        both.undo()
    for _ in range(3):
        both.redo()
        seen.append((root / "a").read_bytes())
    assert seen == [b"2", b"1", b"0", b"1", b"2", b"3"]
    with pytest.raises(EditError, match="no change to do again"):
        both.redo()


def test_undo_is_refused_where_somebody_went_on(both, root):
    (root / "a").write_bytes(b"one\n")
    record = both.apply(change("a", b"one\n", b"two\n")).record
    (root / "a").write_bytes(b"two\nmine\n")
    with pytest.raises(EditChangedError, match="changed since"):
        both.undo()
    assert (root / "a").read_bytes() == b"two\nmine\n"
    [file] = both.difference(record.id).files
    assert file.writes({0})[0].after == b"one\n"
    both.apply(both.difference(record.id).plan({0: {0}}))
    assert (root / "a").read_bytes() == b"one\n"


def test_undo_of_a_deletion_brings_folder_and_mode_back(both, root):
    (root / "sub").mkdir()
    (root / "sub/a").write_bytes(b"x")
    (root / "sub/a").chmod(0o751)
    both.apply(change("sub/a", b"x", None))
    (root / "sub").rmdir()
    both.undo()
    assert stat.S_IMODE((root / "sub/a").stat().st_mode) == 0o751
    both.redo()
    assert tree(root) == {"sub": b"<folder>"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o4755, 0o666])
def test_the_mode_stays(both, root, mode):
    (root / "a").write_bytes(b"1")
    (root / "a").chmod(mode)
    both.apply(change("a", b"1", b"2"))
    assert stat.S_IMODE((root / "a").stat().st_mode) == mode


def test_a_renamed_file_keeps_its_mode(both, root):
    (root / "a").write_bytes(b"1")
    (root / "a").chmod(0o755)
    both.apply(EditPlan((Write("b", None, b"1", "a"), Write("a", b"1", None))))
    assert stat.S_IMODE((root / "b").stat().st_mode) == 0o755


def test_a_new_file_follows_the_umask(both, root):
    before = os.umask(0o027)
    try:
        both.apply(change("a", None, b"1"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((root / "a").stat().st_mode) == 0o640


@pytest.mark.skipif(sys.platform != "linux", reason="attributes are set by Linux calls")
def test_extended_attributes_stay(both, root):
    (root / "a").write_bytes(b"1")
    try:
        os.setxattr(root / "a", "user.note", b"kept")
    except OSError:
        pytest.skip("this file system has no attributes")
    both.apply(change("a", b"1", b"2"))
    assert os.getxattr(root / "a", "user.note") == b"kept"


def test_the_journal_is_for_the_user_alone(edits, root, state):
    edits.apply(change("a", None, b"secret"))
    folder = state.project_data(root) / "edits"
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_journal_is_bounded(edits, root, state, monkeypatch):
    monkeypatch.setattr(journal, "MAX_CHANGES", 3)
    for number in range(6):
        edits.apply(change(f"f{number}", None, b"x"))
    assert [record.title for record in edits.history()] == ["f5", "f4", "f3"]
    monkeypatch.setattr(journal, "MAX_BYTES", 10)
    edits.apply(change("big", None, b"x" * 100))
    assert [record.title for record in edits.history()] == ["big"]
    folders = [p for p in (state.project_data(root) / "edits").iterdir() if p.is_dir()]
    assert len(folders) == 1


def test_a_damaged_journal_is_told_and_stops_nothing(edits, root, state):
    record = edits.apply(change("a", None, b"1")).record
    edits.apply(change("b", None, b"2"))
    folder = state.project_data(root) / "edits"
    [blob] = [p for p in (folder / record.id).iterdir() if p.name != "record.json"]
    edits.apply(change("a", b"1", b"3"))
    edits.undo()
    blob.write_bytes(b"damaged")
    edits.undo(record.id)  # undoing a new file needs no content
    with pytest.raises(EditError, match="damaged"):
        edits.redo(record.id)
    assert not (root / "a").exists()
    (folder / record.id / "record.json").write_text("{")
    assert [r.title for r in edits.history()] == ["a", "b"]
    assert edits.undo().record.title == "b"


@pytest.mark.parametrize(
    "data",
    ["", "[]", "null", '{"format": "9"}', '{"format": 1}', "\x00", '{"format": 1, "files": 3}'],
)
def test_records_of_any_kind_are_read_or_left_out(edits, state, root, data):
    edits.apply(change("a", None, b"1"))
    folder = state.project_data(root) / "edits" / "20260101-000000-abcdef"
    folder.mkdir()
    (folder / "record.json").write_text(data)
    assert len(edits.history()) == 1
    assert edits.recover() == ()
    edits.undo()


def test_ids_may_be_shortened_and_must_be_known(edits):
    record = edits.apply(change("a", None, b"1")).record
    assert edits.find(record.id[:-3]).id == record.id
    for name in ("", "nothing", record.id + "x"):
        with pytest.raises(EditError, match="no change"):
            edits.find(name)
    edits.undo(record.id)
    with pytest.raises(EditError, match="undone already"):
        edits.undo(record.id)


def test_a_full_disk_leaves_the_file(edits, root, state, monkeypatch):
    monkeypatch.setattr(journal.Journal, "advance", _full)
    with pytest.raises(StorageError):
        edits.apply(change("a", None, b"1"))
    assert tree(root) == {}


def _full(*_args, **_more):
    raise StorageError("The disk is full.", "Free some space.")


def test_another_process_waits_its_turn(edits, root, state, monkeypatch):
    from filelock import FileLock

    edits.apply(change("a", None, b"1"))
    monkeypatch.setattr(journal, "LOCK_SECONDS", 0.05)
    with (
        FileLock(state.project_data(root) / "edits" / "lock"),
        pytest.raises(EditError, match="Another window"),
    ):
        edits.undo()
    edits.undo()


def test_nothing_accepted_is_told(edits):
    with pytest.raises(EditError, match="No change"):
        edits.apply(EditPlan(()))


def test_a_plan_cannot_name_a_file_twice(edits, root):
    (root / "a").write_bytes(b"1")
    with pytest.raises(EditError, match="twice"):
        edits.apply(EditPlan((Write("a", b"1", b"2"), Write("a", b"1", b"3"))))


PATHS = st.sampled_from(["a", "b", "sub/c", "sub/deep/d"])
CONTENT = st.sampled_from([None, b"", b"1\n", b"2\r\n", b"3", b"\xef\xbb\xbf4\n", b"\xff\xfe5\n"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.one_of(
            st.dictionaries(PATHS, CONTENT, min_size=1),
            st.sampled_from(["undo", "redo"]),
            st.tuples(PATHS, CONTENT),
        ),
        max_size=8,
    )
)
def test_random_plans_undos_and_hands_keep_every_byte(tmp_path_factory, steps):
    """An oracle of bytes: after each step the files are what the steps accepted say."""
    home = tmp_path_factory.mktemp("room")
    root = home / "project"
    root.mkdir()
    edits = Edits(root, StatePaths(home / "config", home / "data", home / "cache"))
    oracle: dict[str, bytes] = {}
    for step in steps:
        if isinstance(step, tuple):  # somebody else changes a file
            path, data = step
            oracle.pop(path, None)
            (root / path).unlink(missing_ok=True)
            if data is not None:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(data)
                oracle[path] = data
        elif isinstance(step, dict):
            writes = tuple(
                Write(p, oracle.get(p), data) for p, data in step.items() if oracle.get(p) != data
            )
            if writes:
                edits.apply(EditPlan(writes))
                oracle = {p: d for p, d in {**oracle, **step}.items() if d is not None}
        else:
            record = edits.last(applied=step == "undo")
            if record is not None:
                shown = edits.shown(record.id)
                wanted = {f.path: f.before if step == "undo" else f.after for f in shown.files}
                before = {f.path: f.after if step == "undo" else f.before for f in shown.files}
                same = all(
                    oracle.get(p) == (None if d is None else d.encoded()) for p, d in before.items()
                )
                if same:
                    getattr(edits, step)()
                    for path, document in wanted.items():
                        oracle.pop(path, None)
                        if document is not None:
                            oracle[path] = document.encoded()
                else:
                    with pytest.raises(EditChangedError):
                        getattr(edits, step)()
        found = {p: d for p, d in tree(root).items() if d != b"<folder>"}
        assert found == oracle
    records = json.dumps([record.to_json() for record in edits.history()])
    assert "staging" not in records
