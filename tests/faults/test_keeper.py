"""The thread behind a window survives whatever its work raises."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

import pytest

from commonplace.index.reading import FileReader
from commonplace.memory import background
from commonplace.memory.background import Keeper
from commonplace.memory.project import Memory
from commonplace.workspace.watch import Watcher, WatchState
from faults.programs import Patience
from faults.trees import grow, put, source
from faults.truth import assert_memory_is_disk


@pytest.fixture
def memory(root: Path, state):
    grow(root, 20, seed=61)
    with closing(Memory(root, state, embedder="hash")) as memory:
        yield memory


def kept(memory: Memory) -> closing[Keeper]:
    keeper = Keeper(memory, on_files=lambda: None, on_changed=lambda _: None)
    keeper.start()
    return closing(keeper)


def wait_for(memory: Memory, phase: str, note: str = "") -> None:
    waited = Patience()
    while memory.status.phase != phase or note not in memory.status.note:
        waited.once(memory.status)


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), RecursionError("deep")])
@pytest.mark.parametrize("step", ["refresh", "embed"])
def test_a_defect_is_told_and_the_thread_goes_on(step, error, memory, state, monkeypatch):
    monkeypatch.setattr(background, "RETRY_SECONDS", 0.05)

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(memory, step, broken)
    with kept(memory):
        wait_for(memory, "failed", "This is a defect")
        monkeypatch.delattr(memory, step)
        wait_for(memory, "ready")
        assert memory.status.note == ""
        assert_memory_is_disk(memory, state)


def test_what_happens_while_it_comes_to_rest_is_looked_at(memory, monkeypatch):
    looks, check = [], memory.check
    keeper = Keeper(memory, on_files=lambda: None, on_changed=lambda _: None)

    def late(stop):
        if len(looks) == 1:  # the notes have been looked at: now an answer is starred
            other = threading.Thread(target=keeper.tend)
            other.start()
            other.join()
        return check(stop)

    monkeypatch.setattr(memory, "tend_notes", looks.append)
    monkeypatch.setattr(memory, "check", late)
    keeper.start()
    with closing(keeper):
        waited = Patience()
        while len(looks) < 2:
            waited.once(looks)
        wait_for(memory, "ready")


def test_a_pause_right_after_the_last_file_still_leads_to_vectors(memory, state, monkeypatch):
    with kept(memory) as keeper:
        wait_for(memory, "ready")
        read_one = FileReader.read_one

        def pausing(reader, stat):
            keeper.pause()
            return read_one(reader, stat)

        monkeypatch.setattr(FileReader, "read_one", pausing)
        put(memory.root, "new.py", source("zqpause", ".py"))
        wait_for(memory, "paused")
        monkeypatch.undo()
        keeper.resume()
        wait_for(memory, "ready")
        waited = Patience()
        while memory.waiting or memory.status.phase != "ready":
            waited.once(memory.status)
        assert_memory_is_disk(memory, state)


def test_closing_while_the_watcher_is_about_to_start_leaves_none_behind(memory, monkeypatch):
    keeper = Keeper(memory, on_files=lambda: None, on_changed=lambda _: None)
    closer = threading.Thread(target=keeper.close)
    watchers, start = [], Watcher.start

    def late(watcher: Watcher, folders: frozenset[str]) -> None:
        watchers.append(watcher)
        closer.start()
        closer.join(0.2)  # time enough to stop a watcher that has not started
        start(watcher, folders)

    monkeypatch.setattr(Watcher, "start", late)
    keeper.start()
    waited = Patience()
    while not watchers:
        waited.once(memory.status)
    closer.join()
    assert watchers[0].state == WatchState("polling", 0, "stopped")
