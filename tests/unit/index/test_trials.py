"""A file that crashes its parser must not keep a project from being indexed."""

import sys

import pytest

from commonplace.index import parsers, trials
from commonplace.index.trials import FILE_NAME, survives
from commonplace.memory.project import Memory

TEXT = "def alpha():\n    return 1\n"


@pytest.fixture
def project(make_project):
    return make_project({"a.py": TEXT, "b.py": "def beta(): pass\n"})


def symbols(memory):
    return [row[0] for row in memory.store.db.conn.execute("SELECT symbol FROM chunks ORDER BY id")]


def test_an_ordinary_file_survives():
    assert survives("a.py", TEXT.encode())
    assert survives("a.bin", b"\0\1")


def test_a_crash_is_seen(monkeypatch):
    crash = [sys.executable, "-c", "import os; os.abort()"]
    monkeypatch.setattr(parsers, "worker_command", lambda _: crash)
    assert not survives("a.py", b"")


def test_nothing_is_left_behind_when_all_went_well(project, state):
    memory = Memory(project, state, embedder="none")
    memory.refresh()
    assert not (memory.folder / FILE_NAME).exists()
    memory.close()


@pytest.mark.parametrize("crashes", [True, False])
def test_the_file_in_hand_at_a_crash_is_tried_apart(project, state, monkeypatch, crashes):
    memory = Memory(project, state, embedder="none")
    memory.close()
    (memory.folder / FILE_NAME).write_bytes(b"a.py\0left over")
    tried = []
    monkeypatch.setattr(trials, "survives", lambda path, _: tried.append(path) or not crashes)
    for _ in range(2):
        memory = Memory(project, state, embedder="none")
        memory.refresh()
        assert symbols(memory) == (["", "beta"] if crashes else ["alpha", "beta"])
        assert memory.search("alpha", 1).passages[0].path == "a.py"
        memory.close()
    assert tried == ["a.py"]


def test_changed_content_is_parsed_again(project, state, monkeypatch):
    memory = Memory(project, state, embedder="none")
    memory.close()
    (memory.folder / FILE_NAME).write_bytes(b"a.py\0")
    monkeypatch.setattr(trials, "survives", lambda *_: False)
    memory = Memory(project, state, embedder="none")
    (project / "a.py").write_text("def gamma(): pass\n")
    memory.refresh()
    assert "gamma" in symbols(memory)
    memory.close()
