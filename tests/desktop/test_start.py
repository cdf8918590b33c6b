"""Starting, stopping, and what the window process may load."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer

APP = Path(__file__).resolve().parents[2] / "app"
HEAVY = ("torch", "llama_cpp", "sentence_transformers", "numpy", "tree_sitter")

START = """
import gc, json, sys
gc.disable()
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from commonplace.desktop import app as desktop
from commonplace.desktop.controller import Commands
from commonplace.paths import StatePaths
qt = QApplication([])
def look():
    windows = [w for w in qt.topLevelWidgets() if w.isVisible()]
    print(json.dumps({"visible": len(windows), "collects": gc.isenabled(),
                      "modules": sorted({m.partition(".")[0] for m in sys.modules})}), flush=True)
    if "--wait" not in sys.argv:
        windows[0].close()
QTimer.singleShot(0, lambda: QTimer.singleShot(0, look))
base = Path(sys.argv[1])
commands = Commands([sys.executable, sys.argv[2]],
                    [sys.executable, "-m", "commonplace.engine.fake_worker"])
project = base if "--project" in sys.argv else None
sys.exit(desktop.run(project, paths=StatePaths(base / "c", base / "d", base / "k"),
                     commands=commands))
"""


def start(tmp_path, *options):
    memory = Path(__file__).parent / "fake_memory.py"
    return subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path), str(memory), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(APP), "QT_QPA_PLATFORM": "offscreen"},
        text=True,
    )


def test_starts_without_any_heavy_library(tmp_path):
    with start(tmp_path, "--project") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert said["visible"] == 1
    assert said["collects"], "garbage is looked for again"
    assert not set(HEAVY) & set(said["modules"])
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_ctrl_c_quits(tmp_path):
    with start(tmp_path, "--wait", "--project") as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert [line for line in err.splitlines() if "propagateSizeHints" not in line] == []


def test_damaged_settings_do_not_keep_the_window_closed(open_window, paths, qapp):
    from commonplace.desktop.app import make_window

    paths.settings_file.parent.mkdir(parents=True, exist_ok=True)
    paths.settings_file.write_text("this is not = = toml")
    window = make_window(qapp, paths)
    assert "cannot be read" in window.messages.texts["settings"]
    window.close()
    window.controller.finish()
    window.deleteLater()


def test_uncaught_errors_reach_the_window(qtbot, qapp, tmp_path):
    from commonplace.desktop.app import DefectHooks

    hooks = DefectHooks(tmp_path / "log", qapp)
    with qtbot.captureExceptions():
        hooks.install()
        with qtbot.waitSignal(hooks.reported) as blocker:
            QTimer.singleShot(0, lambda: 1 / 0)
        hooks.remove()
    assert "ZeroDivisionError" in blocker.args[0]
    hooks.deleteLater()


def test_void_calls_keep_none_alive(qtbot):
    """PySide6 6.12.0 on Python 3.11 drops a reference to None in every void call."""
    from PySide6.QtWidgets import QLabel

    label = QLabel()
    qtbot.addWidget(label)
    gc.collect()  # what other tests left must not go meanwhile
    before = sys.getrefcount(None)
    for _ in range(5000):
        label.setEnabled(True)
    assert abs(sys.getrefcount(None) - before) < 2500


def test_a_second_start_leads_to_the_first_window(tmp_path):
    with start(tmp_path, "--wait", "--project") as first:
        assert json.loads(first.stdout.readline())["visible"] == 1
        owners = tmp_path / "k" / "projects"
        until = time.monotonic() + 120
        while not list(owners.glob("*/window/owner")) and time.monotonic() < until:
            time.sleep(0.02)
        with start(tmp_path, "--wait", "--project") as second:
            out, err = second.communicate(timeout=120)
        assert (second.returncode, out) == (0, ""), err
        assert first.poll() is None
        first.terminate()
        first.communicate(timeout=120)


def test_a_home_that_cannot_be_written_is_told_at_once(open_window, qtbot, paths):
    from commonplace.desktop.start_checks import KEY, StartChecks

    window = open_window()
    paths.config.write_text("a file where a folder should be")
    StartChecks(paths, window.messages, window)
    qtbot.waitUntil(lambda: KEY in window.messages.texts, timeout=15000)
    assert "Not a directory" in window.messages.texts[KEY]
    assert "COMMONPLACE_HOME" in window.messages.texts[KEY]
