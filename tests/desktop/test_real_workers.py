"""The window with the real workers: a real index and, if it is there, the starter model."""

from __future__ import annotations

from pathlib import Path

import pytest

from commonplace.desktop.controller import Commands
from commonplace.engine.options import states_folder
from commonplace.settings import Settings

STARTER = sorted((Path(__file__).resolve().parents[2] / "models").glob("*.gguf"))


@pytest.fixture
def real(open_window, monkeypatch, tmp_path):
    monkeypatch.setenv("COMMONPLACE_HOME", str(tmp_path / "home"))

    def make(**settings):
        values = {"recall_embedder": "none", "answer_max_tokens": 24, **settings}
        return open_window(Settings(**values), Commands.real())

    return make


def test_an_edited_file_changes_the_answer(real, qtbot, project, settled):
    window = real()
    window.open_project(project)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=30000)
    qtbot.waitUntil(lambda: window.tree.model.find("src/config.py").isValid(), timeout=10000)
    window.ask("where is zanzibar_limit defined?")
    settled(window, 30000)
    assert "zanzibar_limit" not in "".join(
        source.passage.text for source in window.conversation.exchanges[-1].sources
    )
    (project / "src" / "limits.py").write_text("def zanzibar_limit():\n    return 42\n")
    window.controller.reconcile()
    qtbot.waitUntil(lambda: window.tree.model.find("src/limits.py").isValid(), timeout=15000)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=15000)
    window.conversation.retry()
    settled(window, 30000)
    first = window.conversation.exchanges[-1].sources[0]
    assert first.passage.path == "src/limits.py"
    with qtbot.waitSignal(window.code.opened):
        window.open_source(first)
    assert "return 42" in window.code.view.toPlainText()


def test_a_second_window_on_the_project_is_told(real, qtbot, project):
    one, other = real(), real()
    one.open_project(project)
    qtbot.waitUntil(lambda: one.controller.memory.root is not None, timeout=30000)
    other.open_project(project)
    qtbot.waitUntil(lambda: "project" in other.messages.texts, timeout=30000)
    assert other.welcome.isVisible()


@pytest.mark.models
@pytest.mark.skipif(not STARTER, reason="needs the starter models (make models)")
def test_the_starter_model_answers(real, qtbot, project, settled):
    window = real(model_path=str(STARTER[0]), model_context=2048)
    window.open_project(project)
    window.controller.load_model()
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=30000)
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "ready", timeout=60000)
    window.ask("Which function reads the settings?")
    settled(window, 60000)
    answer = window.conversation.exchanges[-1].answer
    assert answer is not None
    assert answer.timings.completion_tokens > 0
    assert answer.text in window.transcript.toPlainText().replace("°", "") or answer.sentences
    states = states_folder(window.controller.paths)
    qtbot.waitUntil(lambda: any(states.glob("*.state")), timeout=30000)
    window.chats.delete(window.conversation.name)
    qtbot.waitUntil(lambda: not any(states.glob("*.state")), timeout=10000)
