"""``commonplace ask`` uses the adapter of the file that is asked about, and says so."""

import json
from pathlib import Path

import pytest

from commonplace.adapt.records import Gate, Record, text_hash
from commonplace.adapt.store import ADAPTER_FILE, AdapterStore, file_sha256
from commonplace.cli import asking, commands
from commonplace.engine.fake import FakeEngine
from commonplace.engine.identity import model_id
from commonplace.settings import save

TEXT = "".join(f"def step_{n}(value):\n    return value * {n}\n" for n in range(20))
QUESTION = "What does @src/app.py do? !adapter"


@pytest.fixture
def model(monkeypatch, tmp_path):
    model = tmp_path / "fake.gguf"
    model.write_bytes(b"GGUF")
    monkeypatch.setattr(asking, "EngineSession", lambda *_: FakeEngine())
    return model


@pytest.fixture
def project(make_project, state):
    save(state.settings_file, {"recall.embedder": "hash", "adapt.enabled": True})
    return make_project({"src/app.py": TEXT, "src/other.py": "x = 1\n"})


@pytest.fixture
def record(project, state, model):
    """An adapter for src/app.py as it is."""
    store = AdapterStore.of(state, project.resolve())
    with store.training(), store.staging() as staged:
        (staged / ADAPTER_FILE).write_bytes(b"weights")
        digest = file_sha256(staged / ADAPTER_FILE)
        made = Record(
            "0123456789abcdef", "src/app.py", text_hash(TEXT), "fake", model_id(model),
            "2026-11-21T12:00:00+00:00", (), Gate(), digest, 7, 8, 1, 1.0,
        )  # fmt: skip
        return store.keep(made, staged)


def ask(capsys, project, model, question):
    assert commands.run(["ask", str(project), question, "--model", str(model), "--json"]) == 0
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


def test_it_is_used_for_its_file_and_told(project, record, model, state, capsys):
    answer, told = ask(capsys, project, model, QUESTION)
    assert answer["answer"] == f"adapter {record.sha256[:8]} 1"
    assert answer["adapter"] == "src/app.py"
    assert "adapted to src/app.py" in told
    answer, told = ask(capsys, project, model, "What is in @src/other.py? !adapter")
    assert answer["answer"] == "no adapter"
    assert "adapter" not in answer
    assert "adapted" not in told
    save(state.settings_file, {"adapt.enabled": False})
    assert ask(capsys, project, model, QUESTION)[0]["answer"] == "no adapter"


def test_a_changed_file_or_a_tampered_adapter_leaves_the_model_as_it_is(
    project, record, model, capsys
):
    Path(record.path).write_bytes(b"x" * 7)
    answer, told = ask(capsys, project, model, QUESTION)
    assert answer["answer"] == "no adapter"
    assert "not the file that passed" in told
    Path(record.path).write_bytes(b"weights")
    (project / "src/app.py").write_text(TEXT + "y = 2\n")
    assert ask(capsys, project, model, QUESTION)[0]["answer"] == "no adapter"
