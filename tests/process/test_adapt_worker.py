"""The trainer process: from a file to an adapter that llama.cpp uses, or to none."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import adapting
import psutil
import pytest

from commonplace.adapt.store import AdapterStore, file_sha256
from commonplace.engine.identity import model_id
from commonplace.errors import CancelledError, CommonplaceError
from commonplace.paths import StatePaths, worker_command
from commonplace.wire.process import WorkerDiedError, WorkerProcess
from unit.adapt.tiny_model import write_model

SECONDS = 240.0
QUICK = 15.0
"""Seconds in which a cancelled run has to answer on a busy machine; alone it takes one."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return adapting.make_project(tmp_path / "project")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny.gguf")


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerProcess]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with WorkerProcess(worker_command("adapt")) as process:
        yield process


def params(project: Path, model: Path, **more: Any) -> dict[str, Any]:
    asked = {"root": str(project), "file": "stock.py", "model": str(model)}
    return {**asked, "neighbours": False, "seed": 1, **more}


def test_a_run_is_cancelled_and_the_next_kept_listed_and_discarded(
    project: Path, model: Path, worker: WorkerProcess, state: StatePaths
) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    estimate = worker.request("estimate", params(project, model, neighbours=True))
    assert estimate["refusal"] is None
    assert [file["path"] for file in estimate["files"]] == ["stock.py", "helpers.py"]
    assert estimate["seconds"] > 0
    assert estimate["memory_bytes"] > 1 << 20
    cancelled(worker, params(project, model))
    assert AdapterStore.of(state, project).records() == []
    heard: list[dict[str, Any]] = []
    outcome = worker.request("adapt", params(project, model), on_data=heard.append)
    phases = list(dict.fromkeys(data["phase"] for data in heard))
    assert phases == [
        "reading", "loading", "training", "asking", "exporting", "judging", "comparing"
    ]  # fmt: skip
    losses = [data["heldout"] for data in heard if data["heldout"] is not None]
    assert losses[-1] < losses[0]
    assert [d["fraction"] for d in heard] == sorted(d["fraction"] for d in heard)
    assert outcome["gate"]["parity"]["passed"], outcome
    assert outcome["accepted"], outcome["reason"]
    assert [source["path"] for source in outcome["trained_on"]] == ["stock.py"]
    assert outcome["gate"]["heldout"]["adapted"] < outcome["gate"]["heldout"]["base"]
    [record] = worker.request("list", {"root": str(project)})["adapters"]
    assert record["id"] == outcome["id"]
    assert record["model_identity"] == model_id(model)
    assert file_sha256(Path(record["path"])) == record["sha256"]
    assert not Path(record["path"]).is_relative_to(project)
    assert worker.request("discard", {"root": str(project), "id": record["id"]})["discarded"] == 1
    assert worker.request("list", {"root": str(project)})["adapters"] == []
    assert worker.request("discard_all", {"root": None})["discarded"] == 0
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert after == before
    assert AdapterStore.of(state, project).records() == []


def test_a_killed_trainer_leaves_nothing_and_no_engine(
    project: Path, model: Path, worker: WorkerProcess, state: StatePaths
) -> None:
    children: list[psutil.Process] = []

    def heard(data: dict[str, Any]) -> None:
        if data["phase"] == "asking" and not children:
            assert worker.pid is not None
            children.extend(psutil.Process(worker.pid).children())
            os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(WorkerDiedError):
        worker.request("adapt", params(project, model), on_data=heard)
    assert children
    wait_for(lambda: not any(child.is_running() for child in children))
    store = AdapterStore.of(state, project)
    assert store.records() == []
    with store.training():
        assert [path.name for path in store.folder.iterdir()] == [".lock"]


def test_what_cannot_be_begun_is_said_before_torch_is_loaded(
    project: Path, model: Path, worker: WorkerProcess, tmp_path: Path
) -> None:
    granite = write_model(tmp_path / "granite.gguf", "llama")
    granite.write_bytes(granite.read_bytes().replace(b"llama", b"smoll"))
    (project / ".gitignore").write_text("ignored.py\n")
    (project / "ignored.py").write_text("x = 1\n" * 500)
    (project / "short.py").write_text("x = 1\n")
    (project / "rows.py").write_text("append(1, 2, 3)\n" * 500)
    (project / "image.py").write_bytes(b"\0\1" * 4000)
    (project / "large.py").write_text("x = 1\n" * 900_000)
    (project / ".env").write_text("PASSWORD=1\n" * 300)
    refused = {
        "short.py": "too short",
        "rows.py": "repeat",
        "image.py": "binary",
        "large.py": "too large",
        ".env": "environment file",
        "ignored.py": "ignored",
        "missing.py": "not among",
        "../outside.py": "not among",
    }
    for file, said in refused.items():
        estimate = worker.request("estimate", params(project, model, file=file))
        assert said in estimate["refusal"]["message"], file
        assert estimate["refusal"]["remedy"], file
        with pytest.raises(CommonplaceError, match=said):
            worker.request("adapt", params(project, model, file=file))
    estimate = worker.request("estimate", params(project, granite))
    assert "smoll cannot be loaded for training" in estimate["refusal"]["message"]
    assert worker.pid is not None
    maps = Path(f"/proc/{worker.pid}/maps")
    if maps.exists():
        assert "libtorch" not in maps.read_text()


def cancelled(worker: WorkerProcess, asked: dict[str, Any]) -> None:
    """Begin, stop once the engine is asked, and see that all of it ends soon."""
    stopping = threading.Event()
    began: list[float] = []

    def heard(data: dict[str, Any]) -> None:
        if data["phase"] == "asking":
            began.append(time.monotonic())
            stopping.set()

    with pytest.raises(CancelledError):
        worker.request("adapt", asked, on_data=heard, stop=stopping.is_set)
    assert time.monotonic() - began[0] < QUICK
    assert worker.pid is not None
    wait_for(lambda: not psutil.Process(worker.pid).children())


def wait_for(done: Callable[[], bool]) -> None:
    """Wait until `done` says yes."""
    end = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)
