"""The session against the fake worker: every way an engine can die."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import commonplace
from commonplace.chat.messages import Message
from commonplace.engine.session import EngineSession
from commonplace.engine.types import LoadOptions, Sampling
from commonplace.errors import CancelledError, EngineError, ModelError, ProtocolError
from commonplace.wire.process import WorkerDiedError, WorkerProcess

FAKE = [sys.executable, "-m", "commonplace.engine.fake_worker"]
MODEL = Path("fake.gguf")
SAMPLING = Sampling(max_tokens=1000)


@pytest.fixture(autouse=True)
def importable_children(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(commonplace.__file__).parents[1]))


@pytest.fixture
def session(tmp_path):
    with EngineSession(LoadOptions(), tmp_path / "engine.log", command=FAKE) as session:
        yield session


def ask(text):
    return [Message("user", text)]


def test_it_loads_counts_and_answers(session):
    with pytest.raises(EngineError, match="No model"):
        session.count(["x"])
    info = session.load(MODEL)
    assert (info.rung, info.context) == ("as asked", 4096)
    assert session.count(["one two", "three"]) == [2, 1]
    assert session.count_messages(ask("one two")) == 4
    pieces: list[str] = []
    answer = session.complete(ask("!say to be or not"), SAMPLING, on_text=pieces.append)
    assert answer.text == "to be or not" == "".join(pieces)
    assert answer.finish == "stop"


def test_a_refused_model_leaves_the_process_alive(session):
    with pytest.raises(ModelError) as caught:
        session.load(Path("damaged.gguf"))
    assert caught.value.remedy
    pid = session.pid
    session.load(MODEL)
    assert session.pid == pid


def test_a_child_that_dies_while_loading_is_started_on_a_safer_rung(session):
    info = session.load(Path("crash-repack.gguf"))
    assert info.rung == "without repacking"


def test_when_no_rung_holds_all_reasons_are_told(session, tmp_path):
    with pytest.raises(EngineError, match="without repacking") as caught:
        session.load(Path("crash.gguf"))
    assert "processor only" not in caught.value.message  # the fake offloads nothing
    assert str(tmp_path / "engine.log") in caught.value.remedy
    assert session.load(MODEL).rung == "as asked"


def test_a_child_that_hangs_while_loading_counts_as_dead(tmp_path):
    options = LoadOptions(context=512, gpu_layers=0, repack=False)
    with (
        EngineSession(options, command=FAKE, load_seconds=0.2) as session,
        pytest.raises(EngineError, match=r"no answer within 0\.2 s"),
    ):
        session.load(Path("hang.gguf"))


def test_loading_can_be_stopped(session):
    with pytest.raises(CancelledError):
        session.load(Path("hang.gguf"), stop=lambda: True)
    assert session.load(MODEL).rung == "as asked"


@pytest.mark.parametrize("how", ["crash", "kill"])
def test_a_death_while_answering_is_told_and_mended(session, how):
    session.load(MODEL)
    first = session.pid

    def kill() -> bool:
        with contextlib.suppress(ProcessLookupError):  # it is asked more than once
            os.kill(first, signal.SIGKILL)
        return False

    question, stop = ("!crash", None) if how == "crash" else ("!stall", kill)
    with pytest.raises(EngineError, match="ended unexpectedly") as caught:
        session.complete(ask(question), SAMPLING, stop=stop)
    assert "Load the model again" in caught.value.remedy
    with pytest.raises(EngineError, match="No model"):
        session.complete(ask("?"), SAMPLING)
    info = session.load(MODEL)
    assert info.rung == {"crash": "without repacking", "kill": "small context"}[how]
    assert session.pid != first
    assert session.complete(ask("!say well"), SAMPLING).text == "well"


def test_an_answer_is_cancelled_with_what_was_written(session):
    session.load(MODEL)
    pieces: list[str] = []
    stalled = session.complete(ask("!stall"), SAMPLING, stop=lambda: True)
    assert (stalled.finish, stalled.text) == ("cancelled", "")
    answer = session.complete(ask("!long"), SAMPLING, on_text=pieces.append)
    assert answer.finish == "length"
    assert len(pieces) == SAMPLING.max_tokens


def test_an_unknown_method_and_malformed_parameters_are_defects(session):
    session.load(MODEL)
    process = session._process
    for method, params in [
        ("sing", {}),
        ("load", {}),
        ("load", {"path": "x", "options": {"context": "big"}}),
        ("count", {"texts": "abc"}),
        ("complete", {"messages": [{"role": "root", "content": ""}]}),
    ]:
        with pytest.raises(ProtocolError):
            process.request(method, params)
    assert process.request("status", {})["model"]["name"] == "fake"
    assert process.request("unload", {}) == {}
    assert process.request("status", {})["model"] is None


def test_a_stubborn_child_is_killed_at_the_end():
    session = EngineSession(LoadOptions(), command=FAKE)
    session.load(MODEL)
    pid = session.pid
    os.kill(pid, signal.SIGSTOP)
    session.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_worker_that_cannot_start_is_told():
    worker = WorkerProcess([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(WorkerDiedError, match="status 3"):
        worker.start()


def test_a_dead_parent_ends_its_child(tmp_path):
    """The parent starts a worker, says its number, and is killed without a word."""
    script = (
        "import sys, signal, os\n"
        "from pathlib import Path\n"
        "from commonplace.engine.session import EngineSession\n"
        "s = EngineSession(command=[sys.executable, '-m', 'commonplace.engine.fake_worker'])\n"
        "s.load(Path('fake.gguf'))\n"
        "print(s.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait(60)
    try:
        psutil.Process(child).wait(timeout=60)
    except psutil.NoSuchProcess:
        return


def test_what_held_is_remembered_until_the_user_tries_again(tmp_path):
    path = Path("crash-repack.gguf")
    options = LoadOptions(cache=str(tmp_path / "engine"))
    with EngineSession(options, command=FAKE) as session:
        assert session.verdict(path) is None
        assert session.load(path).rung == "without repacking"
    with EngineSession(options, command=FAKE) as session:
        verdict = session.verdict(path)
        assert verdict is not None
        assert verdict.conceded == ("without repacking",)
        assert "as asked" in verdict.reasons[0]
        assert session.load(path).rung == "without repacking"
        first = session.pid
        assert session.retry(path).rung == "without repacking"
        assert session.pid != first  # the highest rung was tried, and died
    with EngineSession(LoadOptions(context=512, cache=options.cache), command=FAKE) as session:
        assert session.verdict(path) is None  # asked for something else


def test_a_death_while_answering_is_not_held_against_the_model(tmp_path):
    options = LoadOptions(cache=str(tmp_path / "engine"))
    with EngineSession(options, command=FAKE) as session:
        session.load(MODEL)
        with pytest.raises(EngineError):
            session.complete(ask("!crash"), SAMPLING)
    with EngineSession(options, command=FAKE) as session:
        assert session.load(MODEL).rung == "as asked"


def test_the_build_says_what_it_can_compute_on():
    with EngineSession() as session:
        devices, features = session.build()
    assert any(device.kind == "cpu" for device in devices)
    assert all(device.name and device.description for device in devices)
    assert features
