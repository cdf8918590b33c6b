"""What a project taught: kept beside the index, dropped when it is another's, made anew in time."""

import sqlite3

import numpy as np
import pytest

from commonplace.index.embedder import HashEmbedder
from commonplace.memory import learning
from commonplace.memory.commits import Commit
from commonplace.memory.learning import ADAPTER_FILE, RECENT_FILE, Kept, Learning, is_due, packed
from commonplace.memory.project import Memory
from commonplace.memory.shared import SharedMemory
from commonplace.recall import ranking
from commonplace.recall.adapter import Adapter, Figures

EMBEDDER = HashEmbedder()
WON = Figures(kept=True, pairs=90, base=0.61, adapted=0.67, gain=0.03, ci=(0.01, 0.05))
MATRIX = np.eye(64, dtype=np.float32) * 2


def kept(folder, embedder=EMBEDDER.id):
    (folder / ADAPTER_FILE).write_bytes(packed(Kept(Adapter(embedder, MATRIX, WON), 7)))


def test_an_adapter_comes_back_as_it_was(tmp_path):
    kept(tmp_path)
    found = Learning(tmp_path, tmp_path, EMBEDDER)
    assert np.array_equal(found.learned.matrix, MATRIX)
    assert found.figures == WON.to_wire()


def test_without_an_embedder_nothing_is_adapted(tmp_path):
    kept(tmp_path)
    found = Learning(tmp_path, tmp_path, None)
    assert (found.learned.matrix, found.figures) == (None, {})


@pytest.mark.parametrize("at", [0, 20, 400, -1])
def test_a_damaged_adapter_is_not_used(tmp_path, at):
    kept(tmp_path)
    data = bytearray((tmp_path / ADAPTER_FILE).read_bytes())
    data[at] ^= 1
    (tmp_path / ADAPTER_FILE).write_bytes(data)
    assert Learning(tmp_path, tmp_path, EMBEDDER).learned.matrix is None


@pytest.mark.parametrize("data", [b"", b"{}\n", b"[]\n", b"null\n", b'{"sha256": -2}\n', b"\xff"])
def test_what_is_no_adapter_is_not_used(tmp_path, data):
    (tmp_path / ADAPTER_FILE).write_bytes(data)
    (tmp_path / RECENT_FILE).write_bytes(data)
    found = Learning(tmp_path, tmp_path, EMBEDDER)
    assert (found.learned.matrix, found.learned.recent) == (None, {})


def test_the_adapter_of_another_embedder_is_not_used(tmp_path):
    kept(tmp_path, "other@1")
    assert Learning(tmp_path, tmp_path, EMBEDDER).learned.matrix is None


def test_a_map_is_due_after_many_changes_and_in_a_new_index():
    assert not is_due(1000, 1000, 900)
    assert not is_due(1000, 1150, 900)
    assert is_due(1000, 1250, 900)
    assert is_due(1000, 400, 400)
    assert not is_due(100_000, 101_000, 90_000)


def test_a_memory_learns_tells_and_leaves_it_to_others(make_project, state, monkeypatch):
    fits = []

    def fit(_conn, embedder, _stop):
        fits.append(embedder.id)
        return Adapter(embedder.id, MATRIX, WON)

    past = [Commit("1", 100, "Say more", ("b.py",))]
    monkeypatch.setattr(learning, "fit_adapter", fit)
    monkeypatch.setattr(learning, "USES_PAST", True)
    weights = ranking.WEIGHTS["sentence"]._replace(recent=0.3)
    monkeypatch.setitem(ranking.WEIGHTS, "sentence", weights)
    monkeypatch.setattr(learning, "read_commits", lambda _root, **_: past)
    root = make_project({"a.py": "def a(): return speech\n", "b.py": "def b(): return speech\n"})
    memory = Memory(root, state, embedder="hash")
    memory.refresh()
    memory.learn()
    assert fits == []  # not before vectors are complete
    memory.embed()
    memory.learn()
    memory.learn()
    assert fits == [EMBEDDER.id]
    assert memory.status.adapter == WON.to_wire()
    assert memory.search("Add speech", 5).passages[0].path == "b.py"
    shared = SharedMemory(root, state, embedder="hash")
    assert shared.search("Add speech", 5).passages[0].path == "b.py"
    shared.close()
    memory.close()
    off = Memory(root, state, embedder="hash", adapter="off")
    off.learn()
    assert off.status.adapter == {}
    off.close()
    again = Memory(root, state, embedder="hash")
    assert again.status.adapter == WON.to_wire()
    again.close()


def test_a_full_disk_stops_nothing(make_project, state, monkeypatch):
    monkeypatch.setattr(learning, "read_commits", lambda _root, **_: [])
    memory = Memory(make_project({"a.py": "def a(): pass\n"}), state, embedder="hash")
    memory.refresh()
    memory.embed()
    (memory.folder / ADAPTER_FILE).mkdir()
    memory.learn()
    assert "Not adapted" in memory.status.adapter["reason"]
    memory.close()


def test_a_past_that_no_weight_uses_is_not_read(tmp_path, monkeypatch):
    def read(_root, **_):
        raise AssertionError("nobody uses it")

    monkeypatch.setattr(learning, "USES_PAST", False)
    monkeypatch.setattr(learning, "read_commits", read)
    (tmp_path / RECENT_FILE).write_text('{"a.py": 1.0}')
    found = Learning(tmp_path, tmp_path, None)
    found.learn(sqlite3.connect(":memory:"), lambda: False, adapt=False)
    assert found.learned.recent == {}
