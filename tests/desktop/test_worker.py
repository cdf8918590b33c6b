"""A worker process seen from the window."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from commonplace.desktop.engine_link import EngineLink
from commonplace.desktop.memory_link import MemoryLink
from commonplace.desktop.worker import WorkerLink
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import ModelError, ProjectBusyError, ProjectError, StorageError
from commonplace.paths import worker_command
from commonplace.wire.process import WorkerDiedError
from desktop.conftest import FAKE_ENGINE, FAKE_MEMORY
from faults.model_mutants import CORPUS


@pytest.fixture
def make(qapp):
    made = []

    def start(kind, *args):
        link = kind(*args)
        made.append(link)
        return link

    yield start
    for link in made:
        link.finish(1000)
        link.deleteLater()


def outcome_of(link, method, params):
    found = []
    link.request(method, params, on_result=found.append, on_error=found.append, deadline=20)
    return found


def test_asks_and_stops(make, qtbot, tmp_path):
    link = make(WorkerLink, FAKE_MEMORY, tmp_path / "logs" / "w.log")
    with qtbot.waitSignal(link.started, timeout=10000):
        link.start()
    found = outcome_of(link, "no-such-method", {})
    qtbot.waitUntil(lambda: bool(found))
    assert "no method" in str(found[0])
    assert psutil.pid_exists(link.pid)
    with qtbot.waitSignal(link.ended, timeout=5000):
        link.stop()
    assert not link.running
    late = outcome_of(link, "status", {})
    qtbot.waitUntil(lambda: bool(late))
    assert isinstance(late[0], WorkerDiedError)
    assert (tmp_path / "logs" / "w.log").exists()


def test_death_fails_the_calls_and_is_told(make, qtbot, project):
    link = make(WorkerLink, FAKE_MEMORY)
    link.start()
    opened = outcome_of(link, "open", {"path": str(project), "embedder": ""})
    qtbot.waitUntil(lambda: bool(opened), timeout=10000)
    with qtbot.waitSignal(link.died, timeout=10000) as blocker:
        found = outcome_of(link, "search", {"question": "!memcrash", "limit": 1})
    assert blocker.args[1] is True
    assert isinstance(found[0], WorkerDiedError)


def test_a_program_that_is_not_there(make, qtbot):
    link = make(WorkerLink, ["/no/such/program"])
    with qtbot.waitSignal(link.died):
        link.start()


def test_a_worker_that_speaks_nonsense_is_ended(make, qtbot):
    link = make(WorkerLink, [sys.executable, "-c", "print('hello'); input()"])
    with qtbot.waitSignal(link.died, timeout=10000):
        link.start()


def test_a_worker_that_lingers_is_killed(make, qtbot):
    code = "import sys,time; sys.stdout.write(''); time.sleep(60)"
    link = make(WorkerLink, [sys.executable, "-c", code])
    link.start()
    with qtbot.waitSignal(link.ended, timeout=5000):
        link.stop()


def test_the_project_folder_is_not_imported_from(make, qtbot, tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('imported from the project')")
    monkeypatch.chdir(tmp_path)
    link = make(WorkerLink, FAKE_ENGINE)
    with qtbot.waitSignal(link.started, timeout=10000):
        link.start()


def test_memory_restarts_once_then_says_so(make, qtbot, project):
    memory = make(MemoryLink, FAKE_MEMORY)
    with qtbot.waitSignal(memory.opened, timeout=10000):
        memory.open(project, "none")
    ignore = [].append
    with qtbot.waitSignals([memory.restarted, memory.opened], timeout=10000):
        memory.search("!memcrash", 1, ignore, ignore)
    with qtbot.waitSignal(memory.failed, timeout=10000) as blocker:
        memory.search("!memcrash", 1, ignore, ignore)
    assert isinstance(blocker.args[0], StorageError)
    assert memory.root is None


@pytest.mark.parametrize(("name", "kind"), [("busy", ProjectBusyError), ("none", ProjectError)])
def test_memory_refuses(make, qtbot, tmp_path, name, kind):
    memory = make(MemoryLink, FAKE_MEMORY)
    with qtbot.waitSignal(memory.failed, timeout=10000) as blocker:
        memory.open(tmp_path / name, "none")
    assert type(blocker.args[0]) is kind
    assert blocker.args[0].remedy


def test_memory_opens_another_project(make, qtbot, project, tmp_path):
    memory = make(MemoryLink, FAKE_MEMORY)
    with qtbot.waitSignal(memory.opened, timeout=10000):
        memory.open(project, "none")
    other = tmp_path / "other"
    other.mkdir()
    (other / "only.txt").write_text("x")
    memory.open(project, "none")
    with qtbot.waitSignal(memory.opened, timeout=10000) as blocker:
        memory.open(other, "none")
    assert blocker.args == [other]
    with qtbot.waitSignal(memory.files_changed, timeout=10000) as files:
        pass
    assert files.args[0].files == ("only.txt",)


def ready(engine, qtbot):
    qtbot.waitUntil(lambda: engine.state.kind in {"ready", "failed"}, timeout=15000)
    return engine.state


def test_engine_loads_and_counts(make, qtbot):
    engine = make(EngineLink, FAKE_ENGINE)
    engine.load(Path("tiny.gguf"), LoadOptions())
    assert ready(engine, qtbot).info.name == "tiny"
    found = []
    engine.count(["one two", "three"], found.append, found.append)
    qtbot.waitUntil(lambda: bool(found))
    assert found == [(2, 1)]


def test_engine_steps_down_while_loading(make, qtbot):
    engine = make(EngineLink, FAKE_ENGINE)
    sentences = []
    engine.stepped_down.connect(sentences.append)
    engine.load(Path("crash-repack.gguf"), LoadOptions())
    assert ready(engine, qtbot).info.rung == "without repacking"
    assert len(sentences) == 1


def test_engine_gives_up_at_the_foot_of_the_ladder(make, qtbot):
    engine = make(EngineLink, FAKE_ENGINE)
    engine.load(Path("crash.gguf"), LoadOptions())
    state = ready(engine, qtbot)
    assert state.kind == "failed"
    assert "every setting" in state.error.message


def test_engine_refuses_a_damaged_model(make, qtbot):
    engine = make(EngineLink, FAKE_ENGINE)
    engine.load(Path("damaged.gguf"), LoadOptions())
    assert isinstance(ready(engine, qtbot).error, ModelError)
    engine.load(Path("good.gguf"), LoadOptions())
    assert ready(engine, qtbot).kind == "ready"
    engine.unload()
    assert engine.state.kind == "absent"


def test_engine_streams(make, qtbot):
    from commonplace.chat.messages import Message

    engine = make(EngineLink, FAKE_ENGINE)
    engine.load(Path("tiny.gguf"), LoadOptions())
    ready(engine, qtbot)
    text, found = [], []
    messages = [Message("user", "!say one two")]
    engine.complete(messages, Sampling(), text.append, found.append, found.append)
    qtbot.waitUntil(lambda: bool(found))
    assert "".join(text) == found[0].text == "one two"


def test_engine_remembers_its_rung_and_tries_again_when_asked(make, qtbot, tmp_path):
    options = LoadOptions(cache=str(tmp_path / "engine"))
    path = tmp_path / "crash-repack.gguf"
    engine = make(EngineLink, FAKE_ENGINE)
    engine.load(path, options)
    assert ready(engine, qtbot).info.rung == "without repacking"
    first = engine.pid
    sentences = []
    other = make(EngineLink, FAKE_ENGINE)
    other.stepped_down.connect(sentences.append)
    other.load(path, options)
    state = ready(other, qtbot)
    assert (state.info.rung, sentences) == ("without repacking", [])
    assert state.conceded
    assert "as asked" in state.reasons[0]
    path.touch()
    engine.at_full_speed()
    qtbot.waitUntil(lambda: engine.state.kind == "ready" and engine.pid not in {0, first})
    assert engine.state.info.rung == "without repacking"
    assert len(engine.state.reasons) == 1  # all was tried anew


def test_engine_frees_its_memory_when_idle_and_wakes(make, qtbot, monkeypatch):
    monkeypatch.setattr("commonplace.desktop.engine_link.MINUTE_MS", 50)
    engine = make(EngineLink, FAKE_ENGINE)
    engine.idle_minutes = 1
    engine.load(Path("tiny.gguf"), LoadOptions())
    qtbot.waitUntil(lambda: engine.state.kind == "asleep", timeout=15000)
    qtbot.waitUntil(lambda: engine.pid == 0, timeout=15000)
    engine.idle_minutes = 0
    engine.wake()
    assert ready(engine, qtbot).info.name == "tiny"
    engine.wake()  # nothing to do
    assert engine.state.kind == "ready"


BROKEN = ("zero bytes", "gigantic counts", "unknown architecture", "bits flipped, 3", "projector")


def test_the_window_lives_through_broken_models(make, qtbot, tmp_path):
    """With the real engine process: each is refused in words, and the next can be tried.

    The whole corpus runs in tests/faults, against one process.
    """
    engine = make(EngineLink, worker_command("engine"))
    for name in BROKEN:
        path = tmp_path / f"{name}.gguf"
        path.write_bytes(CORPUS[name])
        engine.load(path, LoadOptions(context=512, threads=1))
        state = ready(engine, qtbot)
        assert isinstance(state.error, ModelError), name
        assert state.error.remedy
