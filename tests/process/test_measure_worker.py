"""The measuring process: a whole measurement, stopped, killed, gone on with, kept and exported."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commonplace.errors import (
    CancelledError,
    ModelError,
    ProjectBusyError,
    ProjectError,
    StorageError,
)
from commonplace.measure.results import Result
from commonplace.measure.run import JOURNAL
from commonplace.measure.store import ResultStore
from commonplace.memory.project import Memory
from commonplace.wire.process import WorkerDiedError, WorkerProcess

FAKE = [sys.executable, str(Path(__file__).with_name("fake_measure.py"))]
SMALL = [*FAKE, "small"]
FUNCTION = '''
def read_{name}(source, offset):
    """Read the {name} from a source, beginning at the offset.

    Nothing is kept of what was read before.
    """
    source.seek_{name}(offset)
    values = []
    while source.has_{name}():
        values.append(source.next_{name}(len(values)))
    if not values:
        raise ValueError("there is no {name} at the offset")
    return values

'''
NAMES = ("header", "footer", "table", "picture", "margin", "colour", "shape", "number", "title")
NOTE = """---
id: aaaaaaaa
status: kept
anchors:
- header.py
---
# Why the offset comes first

Whoever reads a header seeks before asking for values, since the source remembers nothing.
"""
SLOWEST = 120.0


@pytest.fixture
def project(make_project):
    files = {f"{name}.py": FUNCTION.format(name=name) * 2 for name in NAMES}
    return make_project({**files, ".commonplace/notes/why.md": NOTE})


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "fake.gguf"
    path.write_bytes(b"no model")
    return path


@pytest.fixture
def worker():
    with WorkerProcess(SMALL) as process:
        yield process


def ask(worker, project, model=None, **params):
    stages = []
    wanted = {"root": str(project), "quick": True, "model": str(model or ""), **params}
    done = worker.request("measure", wanted, deadline=SLOWEST, on_data=stages.append)
    return done, stages


def commit(project):
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "Begin"]):
        git(project, *words)
    path = project / "title.py"
    path.write_text(path.read_text() + "\nLEAST_TITLE = 1\n")
    git(project, "commit", "-qam", "Give the title a least number of values")


def git(project, *words):
    who = ("-c", "user.name=A", "-c", "user.email=a@b")
    subprocess.run(["git", "-C", str(project), *who, *words], check=True, capture_output=True)


def content(project):
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(project.rglob("*"))
        if path.is_file()
    }


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_measurement_from_start_to_end(project, model, state, tmp_path):
    commit(project)
    with WorkerProcess(FAKE) as worker:
        whole_measurement(worker, project, model, state, tmp_path)


def whole_measurement(worker, project, model, state, tmp_path):
    before = content(project)
    done, stages = ask(worker, project, model)
    assert content(project) == before  # nothing of the user's was touched
    result = ResultStore.of(project.resolve(), state).get(done["file"])
    assert [layer.name for layer in result.layers] == [
        "base", "open file", "recall", "book", "adapter",
    ]  # fmt: skip
    measured = result.layers[:-1]
    assert {layer.n for layer in measured} == {len(NAMES)}
    assert all(layer.perplexity is not None for layer in measured)
    assert measured[-1].changed > 0
    rows = {(row.source, row.system): row for row in result.recall}
    assert {source for source, _ in rows} == {"documentation", "notes", "history"}
    assert rows["documentation", "recall"].n == len(NAMES)
    assert rows["notes", "recall"].n == rows["history", "recall"].n == 1
    assert rows["history", "recall"].hit10.value == 1.0
    assert all(touch.found for touch in result.freshness.touches)
    assert [touch.action for touch in result.freshness.touches[:4]] == [
        "edited", "new", "renamed", "deleted",
    ]  # fmt: skip
    assert {speed.unit for speed in result.speed} == {"ms", "tokens/s"}
    assert result.commit
    assert (result.notes, result.files, result.seed) == (1, len(NAMES), 1)
    fractions = [stage["fraction"] for stage in stages]
    assert fractions == sorted(fractions)
    assert {"documentation", "history", "layers", "freshness"} <= {s["phase"] for s in stages}
    cache = state.project_cache(project.resolve())
    assert not (cache / "measure").exists()

    listed = worker.request("list", {"root": str(project)}, deadline=30)
    assert [row["file"] for row in listed["results"]] == [done["file"]]
    assert not listed["unfinished"]
    html, tables = tmp_path / "out" / "report.html", tmp_path / "out" / "csv"
    params = {"root": str(project), "file": done["file"], "html": str(html), "csv": str(tables)}
    worker.request("export", params, deadline=30)
    assert "What memory is worth in project" in html.read_text(encoding="utf-8")
    assert (tables / "layers.csv").is_file()
    names = {"root": str(project), "old": done["file"], "new": done["file"]}
    compared = worker.request("compare", names, deadline=30)
    assert compared["same_memory"]
    assert all(row["difference"]["value"] == 0 for row in compared["rows"] if row["n"])
    worker.request("delete", {"root": str(project), "file": done["file"]}, deadline=30)
    assert worker.request("list", {"root": str(project)}, deadline=30)["results"] == []


def cut_off(worker, project, model, enough, how):
    """Measure until `enough` places were scored, then end it by `how`."""
    seen = []

    def hear(data):
        if data["phase"] == "layers":
            seen.append(data["done"])
            if data["done"] == enough:
                how()

    wanted = {"root": str(project), "quick": True, "model": str(model)}
    stop = lambda: bool(seen) and how is cancel and max(seen) >= enough  # noqa: E731
    worker.request("measure", wanted, deadline=SLOWEST, on_data=hear, stop=stop)


def cancel():
    """Stand for a request that is cancelled, see `cut_off`."""


def test_stopped_and_killed_it_goes_on_where_it_was(project, model, state):
    store = ResultStore.of(project.resolve(), state)
    journal = store.folder / JOURNAL
    with WorkerProcess(SMALL) as worker:
        with pytest.raises(CancelledError):
            cut_off(worker, project, model, 2, cancel)
        listed = worker.request("list", {"root": str(project)}, deadline=30)
        assert listed["unfinished"]
        assert listed["results"] == []
    first = journal.read_text().count("\n")
    assert first > 2
    with WorkerProcess(SMALL) as worker:
        kill = lambda: os.kill(worker.pid, signal.SIGKILL)  # noqa: E731
        with pytest.raises(WorkerDiedError):
            cut_off(worker, project, model, 6, kill)
    second = journal.read_text().count("\n")
    assert second > first
    with WorkerProcess(SMALL) as worker:
        done, _ = ask(worker, project, model)
        whole = Result.from_json((store.folder / done["file"]).read_text())
        assert any("went on" in sentence for sentence in whole.left_out)
        assert not journal.exists()
        again, _ = ask(worker, project, model)
    fresh = Result.from_json((store.folder / again["file"]).read_text())
    assert not any("went on" in sentence for sentence in fresh.left_out)
    # Cut off twice or in one go: the figures are the same.
    assert (whole.layers, whole.recall, whole.places) == (fresh.layers, fresh.recall, fresh.places)


def test_without_a_model_recall_is_measured_all_the_same(worker, project, state, monkeypatch):
    (state.settings_file.parent).mkdir(parents=True, exist_ok=True)
    state.settings_file.write_text('[model]\nendpoint = "http://127.0.0.1:1/v1"\n')
    result = ask(worker, project)[0]["result"]
    assert result["recall"]
    assert result["layers"] == []
    assert any("no likelihoods" in sentence for sentence in result["left_out"])
    assert any("no git history" in sentence for sentence in result["left_out"])


def test_a_model_that_cannot_run_leaves_the_rest(worker, project, tmp_path):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"")
    result = ask(worker, project, damaged)[0]["result"]
    assert result["recall"]
    assert result["layers"] == []
    assert any("not a GGUF file" in sentence for sentence in result["left_out"])


def test_bad_input_is_refused_with_a_remedy(worker, tmp_path, project, model, state):
    empty = tmp_path / "empty"
    empty.mkdir()
    cases = [
        (ProjectError, tmp_path / "nowhere", model),
        (ProjectError, empty, model),
        (ModelError, project, tmp_path / "nothing.gguf"),
    ]
    for kind, root, named in cases:
        with pytest.raises(kind) as caught:
            ask(worker, root, named)
        assert caught.value.remedy
    with pytest.raises(StorageError):
        worker.request("result", {"root": str(project), "file": "../x"}, deadline=30)


def test_a_project_without_documentation_or_code_says_so(worker, make_project, model):
    root = make_project({"readme.md": "# Nothing\n\nOnly prose is written here.\n"})
    result = ask(worker, root, model)[0]["result"]
    assert result["recall"] == []
    assert result["layers"] == []
    said = " ".join(result["left_out"])
    assert "Documentation asks no questions" in said
    assert "no code here" in said


def test_a_project_open_in_a_window_is_measured_as_it_is_there(worker, project, model, state):
    memory = Memory(project, state)
    try:
        with pytest.raises(ProjectBusyError):
            Memory(project, state)
        memory.refresh()
        memory.embed()
        result = ask(worker, project, model)[0]["result"]
    finally:
        memory.close()
    assert any("open in a window" in sentence for sentence in result["left_out"])
    assert result["recall"]
