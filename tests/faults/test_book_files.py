"""What can happen to a folder of notes: each is shown, and nothing kept is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from commonplace.book.book import Book
from commonplace.book.code import IndexedCode
from commonplace.book.matching import Asked
from commonplace.errors import StorageError
from faults.programs import MemoryWorker, run, run_json, write_settings


class NoCode:
    def read(self, _path):
        return None

    def version(self, _path):
        return ""

    def files(self):
        return []

    def named(self, _name):
        return []

    def generation(self):
        return ""


@pytest.fixture
def notes(root):
    folder = root / ".commonplace" / "notes"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def book(root, state):
    found = Book(root, state, state.project_cache(root))
    yield found
    found.close()


def write(folder, name, text):
    (folder / name).write_text(text, encoding="utf-8")


def test_two_thousand_notes_in_one_paste(book, notes):
    for number in range(2000):
        write(
            notes,
            f"n{number}.md",
            f"---\nid: note{number}\ntitle: Note {number}\n---\nzq{number}\n",
        )
    book.sync()
    assert len(book.notes()) == 2000
    assert [n.title for n in book.notes("zq1234")] == ["Note 1234"]
    for number in range(0, 2000, 2):
        (notes / f"n{number}.md").unlink()
    book.sync()
    assert len(book.notes()) == 1000
    assert book.notes("zq1234") == []


def test_front_matter_of_the_wrong_type_is_shown_with_its_line(book, notes):
    write(notes, "a.md", "---\ntitle: [1]\nstatus: {}\n---\n# Real title\n")
    write(notes, "b.md", "---\ntitle: x\n  bad: [\n---\nbody\n")
    book.sync()
    shown = {note.path: note for note in book.notes()}
    assert shown["a.md"].title == "Real title"
    assert shown["a.md"].problems[0].startswith("line 2:")
    assert shown["b.md"].broken
    assert "line" in shown["b.md"].problems[0]


def test_a_note_of_five_megabytes_is_shown_and_its_beginning_found(book, notes):
    body = "first words quixotic\n" + "padding line of some words\n" * 200_000
    assert len(body) > 5_000_000
    write(notes, "big.md", f"---\ntitle: Big\n---\n{body}")
    book.sync()
    (note,) = book.notes()
    assert "long" in note.problems[0]
    assert book.notes("quixotic")
    assert book.note(note.id).text == body
    book.pin(note.id)
    assert (notes / "big.md").read_text().endswith(body)


def test_a_giant_is_shown_and_not_read(book, notes):
    with (notes / "giant.md").open("wb") as file:
        file.truncate(1 << 30)
    book.sync()
    (note,) = book.notes()
    assert note.broken
    assert note.problems


def test_notes_with_the_same_id_are_all_shown(book, notes):
    for name in "abc":
        write(
            notes, f"{name}.md", f"---\nid: twice\ntitle: {name}\nstatus: kept\n---\nword {name}\n"
        )
    book.sync()
    found = {note.title: note for note in book.notes()}
    assert set(found) == {"a", "b", "c"}
    assert len({note.id for note in found.values()}) == 3
    assert sum("same id" in "".join(note.problems) for note in found.values()) == 2
    for note in found.values():
        assert book.note(note.id).title == note.title
    (notes / "a.md").unlink()
    (notes / "b.md").unlink()
    book.sync()
    (left,) = book.notes()
    assert (left.id, left.problems) == ("twice", ())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_became_read_only(book, notes):
    write(notes, "a.md", "---\nid: aaaa\ntitle: A\n---\nbody\n")
    book.sync()
    notes.chmod(0o500)
    try:
        with pytest.raises(StorageError) as error:
            book.pin("aaaa")
        assert error.value.remedy
        assert book.notes()[0].title == "A"
    finally:
        notes.chmod(0o700)
    assert (notes / "a.md").read_text() == "---\nid: aaaa\ntitle: A\n---\nbody\n"


def test_a_folder_that_cannot_be_written_loses_nothing(book, notes, monkeypatch):
    """As above, for whoever may write everywhere: the system refuses each step in turn."""
    text = "---\nid: aaaa\ntitle: A\n---\nbody\n"
    write(notes, "a.md", text)
    book.sync()
    import pathlib
    import tempfile

    def refuse(*_args, **_kwargs):
        raise OSError(30, "Read-only file system")

    for target, name in ((tempfile, "mkstemp"), (os, "fsync"), (pathlib.Path, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, refuse)
            with pytest.raises(StorageError):
                book.pin("aaaa")
        assert (notes / "a.md").read_text() == text
        assert [p.name for p in notes.iterdir()] == ["a.md"]
        assert book.records.changes() == []
    book.pin("aaaa")
    assert "pinned: true" in (notes / "a.md").read_text()


def test_a_merge_conflict_is_shown_and_not_recalled(book, notes):
    write(notes, "a.md", "---\ntitle: Budget\nstatus: kept\n---\nlatency budget ten\n")
    book.sync()
    assert book.match(Asked(["latency", "budget"]))
    text = (
        "---\ntitle: Budget\n<<<<<<< HEAD\nstatus: kept\n=======\nstatus: archived\n"
        ">>>>>>> theirs\n---\nlatency budget ten\n"
    )
    write(notes, "a.md", text)
    book.sync()
    (note,) = book.notes()
    assert "merge conflict" in note.problems[0]
    assert note.problems[0].startswith("line 3:")
    assert book.match(Asked(["latency", "budget"])) == []
    assert (notes / "a.md").read_text() == text


def test_a_clock_that_goes_backwards(book, notes, monkeypatch):
    write(notes, "a.md", "# One\n\nalpha\n")
    book.sync()
    past = time.time() - 86_400 * 400
    monkeypatch.setattr(time, "time", lambda: past)
    monkeypatch.setattr(time, "time_ns", lambda: int(past * 1e9))
    note = book.add("Two", "beta", NoCode())
    book.records.used([note.id], "answer")
    write(notes, "a.md", "# Three\n\ngamma\n")
    os.utime(notes / "a.md", (past, past))
    book.sync()
    assert {n.title for n in book.notes()} == {"Two", "Three"}
    assert book.undo().action == "add"
    assert [n.title for n in book.notes()] == ["Three"]
    assert book.suggest() == []


KILLED = """
import sys
from pathlib import Path
from commonplace.book.book import Book
from commonplace.paths import StatePaths
from faults.test_book_files import NoCode
root = Path(sys.argv[1])
state = StatePaths.from_environment()
book = Book(root, state, state.project_cache(root))
n = 0
while True:
    note = book.add(f"Note {n}", f"body {n}", NoCode())
    print(note.id, flush=True)
    book.edit(note.id, f"body {n} edited")
    if n % 3 == 0:
        book.archive(note.id)
    n += 1
"""


def test_killed_between_write_and_index(root, state):
    acknowledged = []
    for pause in (0.3, 0.05, 0.11):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["app", "tests"])}
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(root)], stdout=subprocess.PIPE, text=True,
            env=environment,
        )  # fmt: skip
        acknowledged.append(child.stdout.readline().strip())
        time.sleep(pause)
        child.kill()
        acknowledged += child.stdout.read().split()
        child.wait()
        child.stdout.close()
    # A line that was cut off by the kill is no acknowledgement.
    acknowledged = [name for name in acknowledged if len(name) == 8]
    assert acknowledged
    book = Book(root, state, state.project_cache(root))
    book.sync()
    found = {note.id: note for note in book.notes()}
    assert set(acknowledged) <= set(found)
    files = {p.name for p in (root / ".commonplace" / "notes").iterdir() if p.suffix == ".md"}
    assert {note.path for note in found.values()} == files
    assert not any(note.broken for note in found.values())
    for note in found.values():
        assert book.note(note.id).text.startswith("body ")
    book.close()


def test_a_damaged_catalogue_is_rebuilt_from_the_notes(root, state, notes):
    write(notes, "a.md", "# One\n\nalpha\n")
    folder = state.project_cache(root)
    for damage in (b"no database", b""):
        book = Book(root, state, folder)
        book.sync()
        assert [n.title for n in book.notes("alpha")] == ["One"]
        book.close()
        (folder / "notes.db").write_bytes(damage * 1000)


def test_the_window_sees_what_the_command_line_writes(root, state):
    write_settings(state, "hash")
    (root / "app.py").write_text("def load():\n    return 1\n")
    (root / ".gitignore").write_text(".commonplace/\n")
    with MemoryWorker() as worker:
        worker.open(root)
        worker.wait(lambda s: s.get("phase") == "ready")
        added = run_json(
            "notes", "add", root, "--title", "Why load is one", "--text", "Because of quixotic.",
            "--anchor", "app.py::load",
        )  # fmt: skip
        listed = worker.ask("notes")["notes"]
        assert [note["id"] for note in listed] == [added["id"]]
        found = run_json("search", root, "why is load quixotic")["results"]
        assert any(r["kind"] == "note" and r.get("id") == added["id"] for r in found)
        assert sum("commonplace/notes" in r["path"] for r in found) == 1
        done = run("notes", "forget", root, added["id"])
        assert done.returncode == 0
        assert worker.ask("notes")["notes"] == []
    for base in (root, state.data, state.cache, state.config):
        for file in base.rglob("*"):
            if file.is_file():
                assert b"quixotic" not in file.read_bytes(), file


def test_an_index_that_is_not_there_is_no_reason_not_to_take_a_note(root, state):
    import sqlite3

    from commonplace.index.database import SCHEMA

    with sqlite3.connect(":memory:") as conn:
        conn.executescript(SCHEMA)
        assert IndexedCode(conn, lambda _p: b"x = 1\n").version("a.py") == ""
    conn.close()
    assert run_json("notes", "add", root, "--title", "T", "--text", "x")["status"] == "kept"
