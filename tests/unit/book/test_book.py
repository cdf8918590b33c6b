"""The life of a note: captured, kept, checked, archived, undone, forgotten."""

import os

import pytest

from commonplace.book.book import Book
from commonplace.book.drafts import Event
from commonplace.book.matching import Asked
from commonplace.errors import NoteChangedError, NoteError, StorageError


def titles(book, **asked):
    return [note.title for note in book.notes(**asked)]


def test_a_note_is_a_file_that_anybody_can_read(book, root, code):
    note = book.add("How load works", "It strips.", code, anchors=["app.py::Loader.load"])
    file = root / ".commonplace" / "notes" / "how-load-works.md"
    text = file.read_text()
    assert f"id: {note.id}\n" in text
    assert "  - at: app.py::Loader.load\n    fingerprint: 1-" in text
    assert text.endswith("---\nIt strips.\n")
    assert book.notes()[0].id == note.id


def test_private_notes_lie_in_the_data_folder(book, root, code, state):
    note = book.add("Mine", "secret", code, shelf="private")
    assert not (root / ".commonplace").exists()
    assert book.open(note.id).path.startswith(str(state.data))


def test_drafts_wait_until_a_person_keeps_them(book, code):
    draft = book.add("A draft about latency", "Latency budget is ten.", code, draft=True)
    asked = Asked(["latency", "budget"])
    assert book.match(asked) == []
    book.keep(draft.id)
    assert [listed.id for _, listed in book.match(asked)] == [draft.id]
    book.archive(draft.id)
    assert book.match(asked) == []


def test_a_kept_status_alone_does_not_make_a_draft_recalled(book, notes, code):
    (notes / "x.md").write_text("---\norigin: draft\nstatus: kept\ntitle: Latency\n---\nlatency\n")
    book.sync()
    assert titles(book) == ["Latency"]
    assert book.match(Asked(["latency"])) == []


def test_outside_edits_are_followed(book, notes):
    file = notes / "a.md"
    file.write_text("# One\n\nalpha\n")
    book.sync()
    assert titles(book, words="alph") == ["One"]
    file.write_text("# Two\n\nbeta\n")
    book.sync()
    assert titles(book, words="alpha") == []
    assert titles(book, words="TWO bet") == ["Two"]
    file.unlink()
    assert book.sync().removed
    assert titles(book) == []


def test_a_version_not_seen_is_never_overwritten(book, root, code):
    note = book.add("Note", "mine", code)
    file = root / ".commonplace" / "notes" / "note.md"
    theirs = file.read_text() + "theirs\n"
    file.write_text(theirs)
    with pytest.raises(NoteChangedError):
        book.edit(note.id, "ours", seen=note.hash)
    assert file.read_text() == theirs
    book.edit(note.id, "ours")
    assert "theirs" not in file.read_text()
    book.undo()
    assert file.read_text() == theirs


def test_every_change_can_be_undone(book, root, code):
    note = book.add("Note", "one", code)
    file = root / ".commonplace" / "notes" / "note.md"
    seen = [file.read_text()]
    for change in (
        lambda: book.edit(note.id, "two"),
        lambda: book.pin(note.id),
        lambda: book.archive(note.id),
        lambda: book.tag(note.id, ["a", "b"]),
        lambda: book.rename(note.id, "Other"),
        lambda: book.anchor(note.id, ["app.py"], code),
    ):
        change()
        seen.append(file.read_text())
    assert len(set(seen)) == len(seen)
    book.discard(note.id)
    assert not file.exists()
    for before in reversed(seen):
        book.undo()
        assert file.read_text() == before
    book.undo()
    assert not file.exists()
    with pytest.raises(NoteError):
        book.undo()


def test_what_changed_since_cannot_be_undone_over(book, root, code):
    note = book.add("Note", "one", code)
    book.edit(note.id, "two")
    file = root / ".commonplace" / "notes" / "note.md"
    file.write_text("theirs\n")
    with pytest.raises(NoteChangedError):
        book.undo()
    assert file.read_text() == "theirs\n"


def test_unknown_keys_and_mode_stay(book, notes):
    file = notes / "a.md"
    file.write_text("---\ntitle: T\nteam: core   # ours\nstatus: kept\n---\nb\n")
    file.chmod(0o640)
    book.sync()
    book.archive(book.notes()[0].id)
    assert "team: core   # ours\nstatus: archived\n" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640


def test_links_are_not_followed(book, notes, tmp_path):
    outside = tmp_path / "outside.md"
    outside.write_text("secret\n")
    (notes / "link.md").symlink_to(outside)
    book.sync()
    assert titles(book) == []
    assert "link" in book.unread()[0][1].reason


def test_a_linked_folder_is_neither_read_nor_written(root, state, code, tmp_path):
    outside = tmp_path / "outside"
    (outside / "notes").mkdir(parents=True)
    (root / ".commonplace").symlink_to(outside, target_is_directory=True)
    book = Book(root, state, None)
    with pytest.raises(NoteError):
        book.add("Note", "text", code)
    assert list((outside / "notes").iterdir()) == []
    book.close()


def test_hard_links_are_not_cut(book, notes, tmp_path):
    file = notes / "a.md"
    file.write_text("# T\n\nx\n")
    os.link(file, tmp_path / "other")
    book.sync()
    with pytest.raises(NoteError, match="hard link"):
        book.pin(book.notes()[0].id)
    assert file.stat().st_nlink == 2


@pytest.mark.parametrize("title", ["CON", "a/b\\c:d", "..", "日本語のノート", "x" * 300, "?*<>|"])
def test_any_title_makes_a_safe_file_name(book, root, code, title):
    note = book.add(title, "text", code)
    (file,) = (root / ".commonplace" / "notes").iterdir()
    assert len(file.name.encode()) <= 130
    assert not set(file.name) & set('<>:"/\\|?*')
    assert file.stem.lower() not in {"con", ".", ".."}
    assert book.note(note.id).title


def test_two_notes_of_one_title_are_two_files(book, root, code):
    ids = {book.add("Same", f"text {n}", code).id for n in range(3)}
    assert len(ids) == 3
    assert len(list((root / ".commonplace" / "notes").iterdir())) == 3


def test_anchors_are_followed_through_changes(book, root, code):
    note = book.add("N", "text", code, anchors=["app.py::Loader.load"])

    def state():
        book.check(code)
        return book.open(note.id).checks[0]

    source = (root / "app.py").read_text()
    assert state().state == "fresh"
    (root / "app.py").write_text("# moved down\n\n" + source.replace("rows = self", "rows =  self"))
    assert state().state == "fresh"
    (root / "app.py").write_text(source.replace("if row", "if not row"))
    changed = state()
    assert (changed.state, changed.what) == ("changed", "its body changed")
    assert "if row" in changed.before
    assert "if not row" in changed.after
    assert book.notes()[0].stale
    (root / "app.py").write_text(source.replace("def load(self, path)", "def load(self, where)"))
    assert "signature" in state().what
    (root / "app.py").write_text(source.replace("def load", "def load_rows"))
    renamed = state()
    assert (renamed.state, renamed.symbol) == ("moved", "Loader.load_rows")
    (root / "other.py").write_text(source)
    (root / "app.py").unlink()
    assert (state().state, state().path) == ("moved", "other.py")
    (root / "other.py").unlink()
    assert state().state == "gone"


def test_a_confirmed_note_is_fresh_again(book, root, code):
    note = book.add("N", "text", code, anchors=["app.py::dump"])
    (root / "app.py").write_text("def dump(rows):\n    return rows\n")
    book.check(code)
    assert book.notes()[0].stale
    book.confirm(note.id, code)
    book.check(code)
    assert book.notes()[0].state == "fresh"


def test_lines_are_found_where_they_went(book, root, code):
    book.add("N", "text", code, anchors=["app.py:8-9"])
    source = (root / "app.py").read_text()
    (root / "app.py").write_text("import os\n\n\n" + source)
    book.check(code)
    (mark,) = book.marks("app.py")
    assert (mark[1].state, mark[1].start_line, mark[1].end_line) == ("fresh", 11, 12)


def test_an_anchor_without_a_fingerprint_is_fresh_from_now_on(book, root, notes, code):
    (notes / "a.md").write_text("---\nanchors: [app.py::dump]\n---\n# By hand\n")
    book.sync()
    book.check(code)
    assert book.notes()[0].state == "fresh"
    (root / "app.py").write_text("def dump():\n    pass\n")
    book.check(code)
    assert book.notes()[0].state == "changed"
    assert "fingerprint" not in (notes / "a.md").read_text()


@pytest.mark.parametrize("target", ["nowhere.py", "app.py::nothing", "../x.py", "app.py:90-99"])
def test_an_anchor_to_nothing_is_refused(book, code, target):
    with pytest.raises(NoteError) as error:
        book.add("N", "text", code, anchors=[target])
    assert error.value.remedy


def test_what_happened_becomes_drafts_once(book):
    book.remember(
        Event("corrected", 1e9, "how long is the token valid?", "a1",
              "No, the token is valid for one hour only.", ("app.py:1-3",))
    )  # fmt: skip
    (draft,) = book.propose()
    assert (draft.status, draft.origin, draft.shelf) == ("inbox", "draft", "private")
    assert "> No, the token is valid for one hour only." in draft.text
    assert "`app.py:1-3`" in draft.text
    assert book.propose() == []
    book.discard(draft.id)
    assert book.propose() == []


def test_uses_are_counted_once_for_each_answer(book, code):
    note = book.add("N", "text", code)
    for answer in ("a", "b", "b"):
        book.records.used([note.id], answer)
    assert book.notes()[0].uses == 2


def test_a_forgotten_note_leaves_nothing(book, root, code, tmp_path, home):
    marker = "xylophonequartz"
    note = book.add(f"About {marker}", f"The {marker} rule.", code, tags=[marker])
    book.edit(note.id, f"The {marker} rule, edited.")
    book.records.used([note.id], "a")
    book.remember(Event("starred", 1e9, f"About {marker}", "a"))
    book.forget(note.id)
    assert titles(book) == []
    for base in (root, home, tmp_path):
        for file in base.rglob("*"):
            if file.is_file():
                assert marker.encode() not in file.read_bytes(), file


def test_another_process_works_in_memory_on_the_same_files(book, root, state, code):
    other = Book(root, state, None)
    note = other.add("From outside", "text", code)
    book.sync()
    assert book.note(note.id).title == "From outside"
    other.close()


def test_a_damaged_record_is_set_aside_and_told(root, state, code):
    folder = state.project_data(root)
    folder.mkdir(parents=True)
    (folder / "book.db").write_bytes(b"not a database" * 500)
    book = Book(root, state, None)
    book.add("N", "text", code)
    assert "set aside" in book.records.note
    assert list(folder.glob("book.db.damaged-*"))
    book.close()


def test_a_newer_record_is_refused(root, state, code):
    import sqlite3

    folder = state.project_data(root)
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "book.db") as conn:
        conn.execute("PRAGMA user_version = 99")
    conn.close()
    book = Book(root, state, None)
    with pytest.raises(StorageError, match="newer"):
        book.add("N", "text", code)
    book.close()
