"""The store: what goes in comes out, and what leaves leaves nothing."""

import sqlite3

import numpy as np
import pytest

from commonplace.errors import StorageError
from commonplace.index import store as store_module
from commonplace.index.database import open_reader, storage_error
from commonplace.index.entries import file_entries
from commonplace.index.rows import FileContent, FileEntries, content_hash, read_chunks
from commonplace.index.store import Store
from commonplace.index.vectors import pack_vectors
from commonplace.workspace.files import FileStat


def content(path, text, reason=""):
    data = text.encode()
    entries = FileEntries("", reason, ()) if reason else file_entries(path, data)
    return FileContent(FileStat(path, len(data), 1, 1, 1), 5, content_hash(data), entries)


def matches(store, word):
    rows = store.db.conn.execute("SELECT rowid FROM words WHERE words MATCH ?", [f'"{word}"'])
    return [row[0] for row in rows]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "cache")
    yield store
    store.close()


def test_a_file_goes_in_and_comes_out(store):
    text = "def find_me():\n    return 'needle'\n"
    with store.writing():
        store.put(content("pkg/a.py", text))
    (chunk_id,) = matches(store, "needle")
    row = read_chunks(store.reader(), [chunk_id])[chunk_id]
    assert (row.path, row.text, row.symbol) == ("pkg/a.py", text.rstrip(), "find_me")
    assert matches(store, "findme") == [chunk_id]
    assert matches(store, "pkg") == [chunk_id]


def test_a_file_that_goes_leaves_no_word_name_or_chunk(store):
    with store.writing():
        store.put(content("a.py", "def alpha_one(): pass  # remark\n"))
        store.put(content("b.py", "def beta(): pass\n"))
    with store.writing():
        gone = store.remove("a.py")
    assert len(gone) == 1
    for word in ("alpha", "alphaone", "remark", "py a"):
        assert not set(matches(store, word)) & set(gone)
    assert (
        store.db.conn.execute("SELECT count(*) FROM names WHERE name LIKE 'alpha%'").fetchone()[0]
        == 0
    )
    store.db.conn.execute("INSERT INTO words (words) VALUES ('integrity-check')")


def test_a_changed_file_replaces_its_words(store):
    with store.writing():
        store.put(content("a.py", "old_word = 1\n"))
        store.put(content("a.py", "new_word = 1\n"))
    assert matches(store, "oldword") == []
    assert len(matches(store, "newword")) == 1
    assert store.counts().files == 1


def test_an_interrupted_write_leaves_nothing(store):
    def interrupted():
        with store.writing():
            store.put(content("a.py", "x = 1\n"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert store.counts().chunks == 0


def test_skipped_files_are_known_with_their_reason(store):
    with store.writing():
        store.put(content("a.bin", "x", reason="binary"))
    assert [(s.path, s.reason) for s in store.skipped()] == [("a.bin", "binary")]
    assert store.counts().skipped == 1


def test_vectors_are_found_again_by_content(store):
    with store.writing():
        store.put(content("a.py", "def same(): pass\n"))
    (waiting,) = store.missing_vectors("e", 0, 10)
    with store.writing():
        store.put_vectors("e", {waiting.key: pack_vectors(np.ones((1, 4), np.float32))[0]})
        store.remove("a.py")
        store.put(content("renamed.py", "def same(): pass\n"))
    assert store.missing_vectors("e", 0, 10) == []
    assert len(store.known_vectors("e", 0)) == 1
    assert len(store.missing_vectors("another", 0, 10)) == 1


def test_vectors_of_texts_that_went_are_dropped_when_they_are_many(store, monkeypatch):
    monkeypatch.setattr(store_module, "KEPT_VECTORS", 2)
    with store.writing():
        store.put(content("a.py", "def same(): pass\n"))
    (waiting,) = store.missing_vectors("e", 0, 10)
    blob = pack_vectors(np.ones((1, 4), np.float32))[0]
    with store.writing():
        store.put_vectors("e", {waiting.key: blob, b"1": blob, b"2": blob})
    assert store.prune_vectors() == 0
    with store.writing():
        store.put_vectors("e", {bytes([n]): blob for n in range(5)})
    assert store.prune_vectors() == 7
    assert len(store.known_vectors("e", 0)) == 1


def test_chunk_ids_are_never_used_twice(store):
    with store.writing():
        store.put(content("a.py", "x = 1\n"))
    first = store.last_chunk_id()
    with store.writing():
        store.remove("a.py")
        store.put(content("a.py", "x = 2\n"))
    assert store.last_chunk_id() > first


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100])
def test_a_damaged_database_is_rebuilt_and_told(tmp_path, damage):
    store = Store(tmp_path)
    with store.writing():
        store.put(content("a.py", "x = 1\n"))
    store.close()
    (tmp_path / "index.db").write_bytes(damage)
    again = Store(tmp_path)
    assert "rebuilt" in again.rebuilt
    assert again.counts().files == 0
    again.close()


def test_another_version_is_rebuilt_and_told(tmp_path):
    store = Store(tmp_path)
    store.put_meta("schema", "0.0")
    store.close()
    again = Store(tmp_path)
    assert "another version" in again.rebuilt
    again.close()


def test_readers_cannot_write(store):
    conn = open_reader(store.path)
    with pytest.raises(sqlite3.OperationalError):
        conn.execute("DELETE FROM files")
    conn.close()


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (sqlite3.OperationalError("database or disk is full"), "Free some space"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "permissions"),
        (sqlite3.DatabaseError("file is not a database"), "Delete that folder"),
        (OSError(28, "No space left on device"), "Free some space"),
    ],
)
def test_what_the_machine_refuses_has_a_remedy(tmp_path, error, says):
    assert says in storage_error(error, tmp_path).remedy


def test_a_state_folder_that_is_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        Store(tmp_path / "file")
