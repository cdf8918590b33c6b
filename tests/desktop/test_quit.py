"""Quitting while everything is at work: soon, whole, and with nothing left running."""

from __future__ import annotations

import sys

import psutil
import pytest
from PySide6.QtTest import QTest

from commonplace.desktop.controller import Commands
from commonplace.paths import worker_command
from commonplace.settings import Settings
from desktop.conftest import FAKE_ENGINE


@pytest.mark.skipif(sys.platform == "win32", reason="process trees as POSIX has them")
def test_quit_while_indexing_and_answering(open_window, tmp_path, qtbot, model, paths):
    root = tmp_path / "large"
    for number in range(600):
        file = root / f"part{number % 20}" / f"m{number}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"def f{number}():\n    return {number}\n" * 30)
    window = open_window(
        Settings(answer_max_tokens=8192, recall_embedder="none"),
        Commands(worker_command("memory"), FAKE_ENGINE),
    )
    window.open_project(root)
    window.controller.load_model()
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "ready", timeout=20000)
    qtbot.waitUntil(lambda: window.controller.memory.root is not None, timeout=20000)
    window.ask("!long what is f1")
    qtbot.waitUntil(lambda: window.conversation.busy)
    QTest.keyClicks(window.composer.edit, "not sent yet")
    children = psutil.Process().children(recursive=True)
    assert len(children) >= 2
    window.actions_by_id["quit"].trigger()
    assert not window.isVisible()
    window.controller.finish()
    _, left = psutil.wait_procs(children, timeout=60)
    assert not left
    other = open_window(
        Settings(recall_embedder="none"), Commands(worker_command("memory"), FAKE_ENGINE)
    )
    other.open_project(root)
    qtbot.waitUntil(lambda: other.composer.draft == "not sent yet", timeout=20000)
    qtbot.waitUntil(lambda: other.status.status.phase == "ready", timeout=60000)
    assert other.status.status.files == 600
