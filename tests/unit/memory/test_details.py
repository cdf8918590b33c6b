"""What a person may ask of the memory: figures, names being typed, and a new beginning."""

import threading

import pytest

from commonplace.memory import background
from commonplace.memory.background import Keeper
from commonplace.memory.figures import Details
from commonplace.memory.project import Memory

FILES = {
    "a.py": "def send_all(): return 1\n\n\nclass Sender:\n    def send(self): return 2\n",
    "b/c.py": "def resend(): return 2\n",
    "d.bin": "x\0y",
    "e.bin": "x\0z",
}


@pytest.fixture
def memory(make_project, state):
    memory = Memory(make_project(FILES), state, embedder="hash")
    memory.refresh()
    memory.embed()
    yield memory
    memory.close()


def test_details_count_and_weigh(memory):
    details = memory.details()
    assert dict(details.reasons) == {"binary": 2}
    assert dict(details.languages) == {"python": 2}
    assert details.disk > 10_000
    assert details.newest > 1.6e9
    assert details.embedder.startswith("hash")
    assert Details.from_wire(details.to_wire() | {"of a newer worker": 1}) == details


def test_names_are_found_while_they_are_typed(memory):
    def names(typed):
        return [place.symbol for place in memory.symbols(typed, 10)]

    assert names("send") == ["Sender.send", "Sender", "send_all", "resend"]
    assert names("sendAll") == ["send_all"]
    assert names("Sender.s") == ["Sender.send"]
    assert names("") == names("  ") == names("%") == []
    [place] = memory.symbols("send_all", 10)
    assert (place.path, place.line) == ("a.py", 1)


def test_a_rebuilt_index_holds_the_same_and_complains_of_nothing(memory):
    before = memory.files()
    memory.rebuild()
    assert memory.files() == []
    assert memory.status.files == 0
    assert not memory.status.note
    memory.refresh()
    memory.embed()
    assert memory.files() == before
    assert memory.status.vectors == memory.status.chunks > 0


def test_a_keeper_rebuilds_even_while_it_is_paused(memory):
    phases, files, rebuilt = [], [], threading.Event()

    def on_status(status):
        phases.append((status.phase, status.files))
        if status.phase == "ready" and ("reading", 0) in phases:
            rebuilt.set()

    keeper = Keeper(memory, on_files=lambda: files.append(1), on_changed=lambda _: None)
    keeper.start()
    keeper.pause()
    memory._on_status = on_status
    keeper.rebuild()
    assert rebuilt.wait(20)
    keeper.close()
    assert memory.files() == ["a.py", "b/c.py"]
    assert files


def test_files_are_told_of_while_a_large_project_is_still_read(make_project, state, monkeypatch):
    monkeypatch.setattr(background, "FIRST_FILES", 0.0)
    monkeypatch.setattr(background, "SELDOM_FILES", 0.0)
    files = {f"part{n}.py": f"def part{n}(): return {n}\n" * 40 for n in range(150)}
    memory = Memory(make_project(files), state, embedder="none")
    done = threading.Event()
    phases = []

    def on_files():
        phases.append(memory.status.phase)

    def on_changed(paths):
        assert len(paths) == len(files)
        done.set()

    keeper = Keeper(memory, on_files=on_files, on_changed=on_changed)
    keeper.start()
    assert done.wait(30)
    keeper.close()
    memory.close()
    assert "reading" in phases
