"""What was done survives a cut, results survive in files, and damage is told."""

import json

import pytest

from commonplace.errors import StorageError
from commonplace.measure import journal as journal_module
from commonplace.measure.journal import Journal
from commonplace.measure.results import Result
from commonplace.measure.store import ResultStore, file_stem

ABOUT = {"root": "/p", "seed": 1}


def result(**changes):
    values = {"date": "2026-11-21T15:40:00+00:00", "project": "p", "model": "M.gguf", "seed": 1}
    return Result(**{**values, **changes})


def done(path, about=ABOUT, **options):
    asked = []
    with Journal(path, about, **options) as journal:
        for key in ("a", "b", "c"):
            journal.once(key, lambda key=key: asked.append(key) or {"key": [key, 1.5]})
    return asked


def test_what_is_done_is_not_done_again(tmp_path):
    path = tmp_path / "folder" / "unfinished.jsonl"
    assert done(path) == ["a", "b", "c"]
    assert done(path) == []
    with Journal(path, ABOUT) as journal:
        assert journal.resumed == 3
        assert journal.once("a", pytest.fail) == {"key": ["a", 1.5]}


def test_work_comes_back_the_same_the_first_time_and_later(tmp_path):
    path = tmp_path / "j"
    with Journal(path, ABOUT) as journal:
        first = journal.once("a", lambda: {"pair": (1, 2)})
    with Journal(path, ABOUT) as journal:
        assert journal.once("a", pytest.fail) == first == {"pair": [1, 2]}


@pytest.mark.parametrize("about", [{"root": "/p", "seed": 2}, {"root": "/q", "seed": 1}, {}])
def test_a_journal_about_something_else_is_begun_anew(tmp_path, about):
    done(tmp_path / "j")
    assert done(tmp_path / "j", about) == ["a", "b", "c"]


def test_another_version_is_begun_anew(tmp_path, monkeypatch):
    done(tmp_path / "j")
    monkeypatch.setattr(journal_module, "VERSION", journal_module.VERSION + 1)
    assert done(tmp_path / "j") == ["a", "b", "c"]


def test_a_fresh_one_begins_anew(tmp_path):
    done(tmp_path / "j")
    assert done(tmp_path / "j", fresh=True) == ["a", "b", "c"]


def test_every_cut_leaves_whole_pieces(tmp_path):
    path = tmp_path / "j"
    done(path)
    whole = path.read_bytes()
    ends = [n + 1 for n, byte in enumerate(whole) if byte == 10]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        again = done(path)
        kept = max(0, sum(end <= length + 1 for end in ends) - 1)
        assert again == ["a", "b", "c"][kept:], length
        assert done(path) == []


def test_a_journal_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError) as caught:
        Journal(tmp_path / "file" / "j", ABOUT)
    assert caught.value.remedy


def test_a_finished_journal_is_gone(tmp_path):
    journal = Journal(tmp_path / "j", ABOUT)
    journal.finish()
    assert not (tmp_path / "j").exists()


def test_results_are_kept_by_date_and_model(tmp_path):
    store = ResultStore(tmp_path)
    assert store.all() == ([], [])
    older = store.put(result())
    same = store.put(result())
    newer = store.put(result(date="2026-11-22T15:40:00+00:00", model="Other model/Q4.gguf"))
    assert older.name == "20261121T154000-M.json"
    assert same.name == "20261121T154000-M-2.json"
    assert newer.name == "20261122T154000-Other-model-Q4.json"
    found, unreadable = store.all()
    assert [name for name, _ in found] == [newer.name, same.name, older.name]
    assert not unreadable
    assert store.get(older.name) == result()
    store.delete(older.name)
    store.delete(older.name)
    assert len(store.all()[0]) == 2


def test_a_damaged_result_does_not_hide_the_others(tmp_path):
    store = ResultStore(tmp_path)
    path = store.put(result())
    (tmp_path / "bad.json").write_text(path.read_text()[:40])
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    (tmp_path / "other.json").write_text(json.dumps({"version": 99}))
    (tmp_path / "folder.json").mkdir()
    found, unreadable = store.all()
    assert [name for name, _ in found] == [path.name]
    assert [item.file for item in unreadable] == [
        "bad.json", "bytes.json", "folder.json", "other.json",
    ]  # fmt: skip
    assert all(item.why for item in unreadable)


@pytest.mark.parametrize("file", ["../outside.json", "a/b.json", ""])
def test_a_name_does_not_lead_out_of_the_folder(tmp_path, file):
    (tmp_path / "outside.json").write_text(result().to_json())
    store = ResultStore(tmp_path / "evidence")
    with pytest.raises(StorageError):
        store.get(file)
    with pytest.raises(StorageError):
        store.delete(file)
    assert (tmp_path / "outside.json").exists()


@pytest.mark.parametrize(("date", "model"), [("", ""), ("..", "../.."), ("x" * 9, "\0/")])
def test_any_date_and_model_name_a_plain_file(date, model):
    stem = file_stem(result(date=date, model=model))
    assert stem
    assert "/" not in stem
    assert not stem.startswith(".")


def test_a_disk_that_fills_up_loses_nothing_that_was_done(tmp_path, monkeypatch):
    path = tmp_path / "j"
    with Journal(path, ABOUT) as journal:
        journal.once("a", lambda: 1)

        class Full:
            def write(self, _text):
                raise OSError(28, "No space left on device")

            def close(self):
                whole.close()

        whole = journal._file
        monkeypatch.setattr(journal, "_file", Full())
        with pytest.raises(StorageError) as caught:
            journal.once("b", lambda: 2)
        assert "No space left" in caught.value.message
        assert caught.value.remedy
    with Journal(path, ABOUT) as journal:
        assert journal.once("a", pytest.fail) == 1
        assert journal.once("b", lambda: 3) == 3
