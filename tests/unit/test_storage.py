"""Stores of truth: older ones migrated with a copy, newer ones refused, kills survived."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from commonplace import settings
from commonplace.book import reading
from commonplace.book.book import Book
from commonplace.book.records import Records
from commonplace.chat.kept import Kept
from commonplace.chat.store import ConversationStore
from commonplace.desktop import book_unsaved
from commonplace.desktop.book_unsaved import Unsaved, UnsavedTexts
from commonplace.edits import journal
from commonplace.edits.changes import EditPlan, Write
from commonplace.edits.room import Edits
from commonplace.errors import NewerDataError, StorageError
from commonplace.storage import places
from commonplace.storage.database import COMPANIONS, open_truth, transaction
from commonplace.storage.documents import Form
from commonplace.storage.files import put_aside, set_aside
from commonplace.storage.versions import KEPT, backups

FIRST = ("CREATE TABLE kept (word TEXT NOT NULL)",)
SECOND = ("ALTER TABLE kept ADD COLUMN colour TEXT", "CREATE INDEX by_colour ON kept (colour)")
THIRD = ("UPDATE kept SET colour = 'red'",)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder` with its bytes, which a refusal must not change."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def older(path: Path, words=("one", "two")) -> None:
    conn, aside = open_truth(path, [FIRST])
    assert aside is None
    with closing(conn):
        conn.executemany("INSERT INTO kept VALUES (?)", [(word,) for word in words])


def words_in(path: Path) -> list[tuple]:
    with closing(sqlite3.connect(path)) as conn:
        return conn.execute("SELECT * FROM kept ORDER BY word").fetchall()


def test_an_older_database_is_copied_and_brought_up(tmp_path):
    path = tmp_path / "x.db"
    older(path)
    conn, _ = open_truth(path, [FIRST, SECOND, THIRD])
    with closing(conn):
        assert conn.execute("SELECT * FROM kept ORDER BY word").fetchall() == [
            ("one", "red"), ("two", "red"),
        ]  # fmt: skip
        assert conn.execute("PRAGMA user_version").fetchone() == (3,)
    (copy,) = backups(path)
    assert copy.name == "x.db.before-3"
    assert words_in(copy) == [("one",), ("two",)]
    assert open_truth(copy, [FIRST])[0].execute("PRAGMA user_version").fetchone() == (1,)


def test_the_copies_are_bounded(tmp_path):
    path = tmp_path / "x.db"
    older(path)
    steps = [FIRST]
    for number in range(6):
        steps = [*steps, (f"CREATE TABLE t{number} (x)",)]
        open_truth(path, steps)[0].close()
    assert [copy.name for copy in backups(path)] == [f"x.db.before-{n}" for n in (5, 6, 7)]
    assert len(backups(path)) == KEPT


def test_a_newer_database_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "x.db"
    older(path)
    open_truth(path, [FIRST, SECOND, THIRD])[0].close()
    before = tree(tmp_path)
    with pytest.raises(NewerDataError, match="newer version of Commonplace") as caught:
        open_truth(path, [FIRST])
    assert "left as it is" in caught.value.remedy
    assert tree(tmp_path) == before


KILLED = """
import os, sys
from pathlib import Path
from commonplace.storage import database
path, steps, kill_at = Path(sys.argv[1]), eval(sys.argv[2]), int(sys.argv[3])
connect, calls = database.sqlite3.connect, 0

class Counted(database.sqlite3.Connection):
    def execute(self, *args):
        global calls
        calls += 1
        if calls == kill_at:
            os._exit(9)
        return super().execute(*args)

    def backup(self, *args):
        self.execute("SELECT 1")
        super().backup(*args)
        self.execute("SELECT 1")

database.sqlite3.connect = lambda *a, **k: connect(*a, factory=Counted, **k)
conn, _ = database.open_truth(path, steps)
os._exit(0 if kill_at else 7)
"""


def killed(path: Path, steps, kill_at: int) -> int:
    """Open `path` in a process that ends without a word at its `kill_at`-th statement."""
    command = [sys.executable, "-c", KILLED, str(path), repr(steps), str(kill_at)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {0, 7, 9}, done.stderr
    return done.returncode


def test_a_newer_version_that_is_only_in_the_log_of_a_crash_is_refused(tmp_path):
    path = tmp_path / "x.db"
    older(path)
    assert killed(path, [FIRST, SECOND, THIRD], 0) == 7
    assert path.read_bytes()[60:64] == (1).to_bytes(4, "big"), "the file itself is still old"

    def kept():
        return {name: data for name, data in tree(tmp_path).items() if not name.endswith("-shm")}

    before = kept()
    assert before["x.db-wal"]
    with pytest.raises(NewerDataError):
        open_truth(path, [FIRST])
    assert kept() == before
    conn, _ = open_truth(path, [FIRST, SECOND, THIRD])
    with closing(conn):
        assert len(conn.execute("SELECT * FROM kept").fetchall()) == 2


def test_a_kill_at_any_moment_of_a_migration_leaves_the_old_or_the_new(tmp_path):
    moments = 0
    for moment in range(1, 60):
        path = tmp_path / f"{moment}" / "x.db"
        older(path)
        ended = killed(path, [FIRST, SECOND, THIRD], moment)
        with closing(sqlite3.connect(path)) as conn:
            version = conn.execute("PRAGMA user_version").fetchone()[0]
            rows = conn.execute("SELECT * FROM kept ORDER BY word").fetchall()
        assert (version, rows) in [
            (1, [("one",), ("two",)]),
            (3, [("one", "red"), ("two", "red")]),
        ]
        for copy in backups(path):
            assert words_in(copy) == [("one",), ("two",)], "a copy is whole or is not there"
        conn, aside = open_truth(path, [FIRST, SECOND, THIRD])
        assert aside is None
        with closing(conn):
            assert conn.execute("SELECT count(*) FROM kept WHERE colour = 'red'").fetchone() == (2,)
        assert len(backups(path)) == 1
        assert not list(path.parent.glob("*.new"))
        if ended == 0:
            moments = moment - 1
            break
    assert moments > 10


def test_a_migration_that_fails_changes_nothing(tmp_path):
    path = tmp_path / "x.db"
    older(path)
    with pytest.raises(sqlite3.OperationalError):
        open_truth(path, [FIRST, SECOND, ("NOT SQL",)])
    assert words_in(path) == [("one",), ("two",)]
    assert words_in(*backups(path)) == [("one",), ("two",)]


def test_another_process_that_migrates_first_does_not_spoil_the_copy(tmp_path, monkeypatch):
    from commonplace.storage import database

    path = tmp_path / "x.db"
    older(path)
    real = database._back_up

    def late(conn, where, version, newest):
        open_other = sqlite3.connect(path)
        with closing(open_other) as other:
            monkeypatch.setattr(database, "_back_up", real)
            database._migrate(other, path, version, [FIRST, SECOND])
        real(conn, where, version, newest)

    monkeypatch.setattr(database, "_back_up", late)
    open_truth(path, [FIRST, SECOND])[0].close()
    assert words_in(*backups(path)) == [("one",), ("two",)]


def test_a_damaged_database_is_set_aside_with_all_that_belongs_to_it(tmp_path):
    path = tmp_path / "x.db"
    path.write_bytes(b"no database, but a person's words" * 200)
    conn, aside = open_truth(path, [FIRST])
    conn.close()
    assert aside is not None
    assert aside.read_bytes().startswith(b"no database")
    path.with_name("x.db-wal").write_bytes(b"more")
    again = set_aside(path, COMPANIONS)
    assert again.with_name(f"{again.name}-wal").read_bytes() == b"more"
    assert put_aside(path) == [aside, again, again.with_name(f"{again.name}-wal")]


def test_on_a_network_disk_no_shared_memory_is_needed(tmp_path, monkeypatch):
    mounts = (("/", "ext4"), (str(tmp_path / "far"), "nfs4"), (str(tmp_path / "far/near"), "ext4"))
    monkeypatch.setattr(places, "_mounts", lambda: mounts)
    assert places.file_system(tmp_path / "far" / "not" / "there") == "nfs4"
    assert not places.is_remote(tmp_path / "farther")
    assert not places.is_remote(tmp_path / "far" / "near" / "x")
    for folder, mode in (("far", "delete"), ("here", "wal")):
        path = tmp_path / folder / "x.db"
        older(path)
        with closing(open_truth(path, [FIRST, SECOND])[0]) as conn:
            assert conn.execute("PRAGMA journal_mode").fetchone() == (mode,)
            conn.execute("INSERT INTO kept VALUES ('x', '')")
            assert path.with_name("x.db-wal").exists() == (mode == "wal")
    # What was written with a log, and then carried to such a disk, loses nothing.
    moved = tmp_path / "far" / "moved.db"
    killed(tmp_path / "here" / "x.db", [FIRST, SECOND, THIRD], 0)
    for suffix in ("", "-wal"):
        source = tmp_path / "here" / f"x.db{suffix}"
        moved.with_name(f"moved.db{suffix}").write_bytes(source.read_bytes())
    with closing(open_truth(moved, [FIRST, SECOND, THIRD])[0]) as conn:
        assert conn.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert conn.execute("SELECT count(*) FROM kept").fetchone() == (3,)


def test_this_machine_says_where_its_disks_are(tmp_path):
    assert places.file_system(tmp_path), "no file system is known for a folder that is there"


# --- what each store makes of it ---------------------------------------------------------


def test_conversations_of_both_ages(tmp_path, monkeypatch):
    from commonplace.chat.database import MIGRATIONS

    newer = (*MIGRATIONS, ("ALTER TABLE conversations ADD COLUMN colour TEXT",))
    with closing(ConversationStore(tmp_path)) as store:
        store.keep(Kept(1, "c", 0, "user", "kept across versions"))
    with closing(ConversationStore(tmp_path, newer)) as store:
        assert [m.text for m in store.messages("c")] == ["kept across versions"]
    assert backups(tmp_path / "conversations.db")
    before = tree(tmp_path)
    with pytest.raises(NewerDataError), closing(ConversationStore(tmp_path)) as store:
        store.chats()
    assert tree(tmp_path) == before


def test_the_record_of_the_book_of_both_ages(tmp_path):
    from commonplace.book.records import MIGRATIONS

    newer = (*MIGRATIONS, ("ALTER TABLE uses ADD COLUMN place TEXT",))
    with closing(Records(tmp_path)) as records:
        records.used(["note"], "answer")
    with closing(Records(tmp_path, newer)) as records:
        assert records.uses()["note"].count == 1
    assert backups(tmp_path / "book.db")
    before = tree(tmp_path)
    with pytest.raises(NewerDataError), closing(Records(tmp_path)) as records:
        records.uses()
    with pytest.raises(NewerDataError), closing(Records(tmp_path)) as records:
        records.used(["note"], "another")
    assert tree(tmp_path) == before
    with closing(Records(tmp_path, newer)) as records:
        records.forget("note", ["answer"])
    assert not backups(tmp_path / "book.db"), "they held what was forgotten"


def renamed(document):
    document["answer"]["max_tokens"] = document["answer"].pop("longest")


def test_settings_of_an_older_form_are_read_and_copied_before_they_are_saved(tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    path.write_text("# mine\n[answer]\nlongest = 64  # short\n[other]\nkey = 1\n")
    old = path.read_bytes()
    monkeypatch.setattr(settings, "FORM", Form([renamed]))
    assert settings.load(path).answer_max_tokens == 64
    assert path.read_bytes() == old, "reading writes nothing"
    settings.save(path, {"answer.passages": 3})
    (copy,) = backups(path)
    assert copy.read_bytes() == old
    text = path.read_text()
    assert "# mine" in text
    assert "key = 1" in text
    found = settings.load(path)
    assert (found.answer_max_tokens, found.answer_passages) == (64, 3)
    settings.save(path, {"answer.passages": 4})
    assert [c.read_bytes() for c in backups(path)] == [old], "once is enough"
    new = path.read_bytes()
    monkeypatch.setattr(settings, "FORM", Form())
    for refused in (
        lambda: settings.load(path),
        lambda: settings.save(path, {"answer.passages": 5}),
        lambda: settings.load_lists(path, "shortcuts"),
        lambda: settings.save_lists(path, "shortcuts", {"quit": ("Ctrl+Q",)}),
    ):
        with pytest.raises(NewerDataError):
            refused()
    assert path.read_bytes() == new


@pytest.mark.parametrize("form", ['"two"', "0", "-1", "true", "1.5", "[1]"])
def test_a_form_that_is_none_is_told(tmp_path, form):
    path = tmp_path / "settings.toml"
    path.write_text(f"format = {form}\n")
    with pytest.raises(settings.UserError, match="format is"):
        settings.load(path)


def test_a_copy_that_cannot_be_made_leaves_the_settings(tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    path.write_text("[answer]\nlongest = 64\n")
    monkeypatch.setattr(settings, "FORM", Form([renamed]))
    before = tree(tmp_path)

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="before it is changed"):
        settings.save(path, {"answer.passages": 3})
    assert tree(tmp_path) == before


def test_unsaved_texts_of_both_ages(tmp_path, monkeypatch, qapp):
    file = tmp_path / book_unsaved.FILE
    file.write_text('[{"note": "n", "hash": "h", "text": "words"}]')  # as the first program wrote
    old = file.read_bytes()

    def put(document):
        document["texts"] = [{**text, "whole": True} for text in document["texts"]]

    monkeypatch.setattr(book_unsaved, "FORM", Form([put]))
    texts = UnsavedTexts()
    texts.open(tmp_path)
    assert texts.get("n") == Unsaved("n", "h", "words", whole=True)
    texts.keep(Unsaved("m", "h", "more"))
    texts.flush()
    assert [copy.read_bytes() for copy in backups(file)] == [old]
    new = file.read_bytes()
    monkeypatch.setattr(book_unsaved, "FORM", Form())
    texts = UnsavedTexts()
    with pytest.raises(NewerDataError):
        texts.open(tmp_path)
    texts.keep(Unsaved("k", "h", "typed with the older one"))
    texts.flush()
    assert file.read_bytes() == new
    file.write_text("{damaged")
    texts.open(tmp_path)
    texts.keep(Unsaved("k", "h", "typed"))
    texts.flush()
    (aside,) = tmp_path.glob(f"{book_unsaved.FILE}.damaged-*")
    assert aside.read_text() == "{damaged"


def applied(edits: Edits, old: bytes | None, new: bytes):
    return edits.apply(EditPlan((Write("a.txt", old, new),), title="a change"))


def test_the_journal_of_edits_of_both_ages(tmp_path, state, monkeypatch):
    root = tmp_path / "project"
    root.mkdir()
    edits = Edits(root, state)
    record = applied(edits, None, b"one\n").record
    file = state.project_data(root) / "edits" / record.id / journal.RECORD
    old = file.read_bytes()

    def retitled(document):
        document["title"] = document["title"].upper()

    monkeypatch.setattr(journal, "FORM", Form([retitled]))
    assert [r.title for r in edits.history()] == ["A CHANGE"]
    edits.undo()
    assert not (root / "a.txt").exists()
    assert [copy.read_bytes() for copy in backups(file)] == [old]
    applied(edits, None, b"two\n")
    folder = state.project_data(root)
    before = {name: data for name, data in tree(folder).items() if not name.endswith("lock")}
    monkeypatch.setattr(journal, "FORM", Form())
    for refused in (edits.history, edits.recover, edits.undo, edits.redo,
                    lambda: applied(edits, b"two\n", b"three\n")):  # fmt: skip
        with pytest.raises(NewerDataError):
            refused()
    after = {name: data for name, data in tree(folder).items() if not name.endswith("lock")}
    assert after == before
    assert (root / "a.txt").read_bytes() == b"two\n"


def test_a_note_of_a_newer_form_is_shown_and_not_changed(tmp_path, state):
    root = tmp_path / "project"
    folder = root / ".commonplace" / "notes"
    folder.mkdir(parents=True)
    file = folder / "note.md"
    file.write_text(f"---\nid: x1\ntitle: T\n{reading.FORM_KEY}: 2\n---\nWords.\n")
    before = file.read_bytes()
    note = reading.read_note(before, "shared", "note.md")
    assert note.text == "Words.\n"
    assert note.broken
    assert not note.recallable
    assert "newer version" in str(note.problems[0])
    book = Book(root, state, None)
    for change in (
        lambda: book._editor.change_fields(note, "pin", {"pinned": True}),
        lambda: book._editor.change_text(note, "Other words."),
        lambda: book._editor.change_all(note, "Other words."),
    ):
        with pytest.raises(NewerDataError, match="newer version"):
            change()
    book.close()
    assert file.read_bytes() == before
    person = reading.read_note(b"---\nnote-format: mine\n---\nx\n", "shared", "n.md")
    assert not person.broken, "a person's own field of that name means nothing to us"


def test_the_command_line_says_it_in_one_line(tmp_path, state, capsys):
    from commonplace.cli import commands

    state.config.mkdir(parents=True)
    state.settings_file.write_text("format = 7\n")
    before = tree(state.config)
    assert commands.run(["index", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "newer version of Commonplace" in said
    assert "Traceback" not in said
    assert tree(state.config) == before


@pytest.mark.parametrize("failing", ["block", "commit"])
def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(failing: str) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.execute("PRAGMA foreign_keys = ON")
        conn.execute("CREATE TABLE chats (id INTEGER PRIMARY KEY)")
        conn.execute(
            "CREATE TABLE turns (chat INTEGER REFERENCES chats DEFERRABLE INITIALLY DEFERRED)"
        )
        with pytest.raises(sqlite3.Error), transaction(conn):  # noqa: PT012 - one of two fails
            conn.execute("INSERT INTO turns VALUES (7)")  # no such chat: known when committing
            if failing == "block":
                conn.execute("nonsense")
        assert not conn.in_transaction
        with transaction(conn) as same:
            same.execute("INSERT INTO chats VALUES (7)")
            same.execute("INSERT INTO turns VALUES (7)")
        assert conn.execute("SELECT chat FROM turns").fetchall() == [(7,)]
