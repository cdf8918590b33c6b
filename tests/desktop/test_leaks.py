"""A project opened and closed fifty times leaves nothing behind."""

from __future__ import annotations

import gc
import os
import threading
import time

import psutil
import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

TIMES = 50
PATIENCE = 20
WARM = 5
"""Rounds before counting: fonts, caches and pools fill once."""


def figures():
    gc.collect()
    objects = [o for o in gc.get_objects() if isinstance(o, QObject) and shiboken6.isValid(o)]
    process = psutil.Process()
    handles = process.num_fds() if os.name == "posix" else process.num_handles()
    children = sum(len(o.children()) for o in objects)
    return {
        "objects": len(objects),
        "children": children,
        "widgets": len(QApplication.allWidgets()),
        "handles": handles,
        "threads": threading.active_count(),
        "processes": len(process.children()),
    }


def grown_since(before):
    """Return what there is more of; the list of conversations grows by what was asked."""
    pairs = {name: (before[name], count) for name, count in figures().items()}
    return {name: pair for name, pair in pairs.items() if pair[1] - pair[0] > 4}


@pytest.mark.slow
def test_fifty_projects_leave_nothing_behind(open_window, project, model, settled, qtbot, tmp_path):
    others = []
    for name in ("one", "two"):
        root = tmp_path / name
        root.mkdir()
        (root / "settings.py").write_text("def settings(): return 1\n" * 40)
        others.append(root)
    window = open_window()
    window.controller.load_model()
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "ready", timeout=15000)
    before = {}
    for number in range(TIMES):
        root = others[number % 2]
        window.open_project(root)
        qtbot.waitUntil(lambda root=root: window.controller.memory.root == root, timeout=15000)
        qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=15000)
        window._open_file("settings.py")
        qtbot.waitUntil(lambda: window.code.view.blockCount() > 30, timeout=5000)
        if number % 10 == 0:
            visit_everything(window, qtbot, settled)
        if number == WARM * 2:
            before = figures()
    until = time.monotonic() + PATIENCE
    while (grown := grown_since(before)) and time.monotonic() < until:
        qtbot.wait(100)  # what was left last may still be going
    assert not grown


def visit_everything(window, qtbot, settled):
    window.ask("settings !say They are in settings [1].")
    settled(window)
    window.actions_by_id["palette"].trigger()
    window.shell.palette.dismiss()
    for name in ("index", "settings", "models", "about", "context"):
        window.actions_by_id[name].trigger()
        QApplication.processEvents()
        for dialog in QApplication.topLevelWidgets():
            if dialog is not window and dialog.isVisible():
                dialog.close()
        qtbot.wait(20)  # what was closed is deleted in a later turn of the loop
    window.shell.toasts.say("Deleted it.", "Undo", lambda: None)
    window.shell.toasts.dismiss()
