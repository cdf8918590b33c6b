"""Projects and machines as they also are: read-only, on a disk that goes, without GL."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_edits import TWO, opened

APP = Path(__file__).parents[2] / "app"
PATIENCE = 15_000

GL = """
import json, os, sys
from PySide6.QtWidgets import QApplication
from commonplace.desktop.app import make_window
from commonplace.paths import StatePaths
app = QApplication([])
window = make_window(app, StatePaths.from_environment())
window.show()
app.processEvents()
window.grab()
maps = open("/proc/self/maps").read() if os.path.exists("/proc/self/maps") else ""
modules = [name for name in sys.modules if "OpenGL" in name or "QtQuick" in name]
# Qt links the loader of GL; what must not be there is a driver that it loaded.
drivers = [word for word in ("_dri.so", "swrast", "libgallium", "libEGL_") if word in maps]
print(json.dumps([modules, drivers, window.isVisible()]))
window.close()
window.controller.finish()
"""


@pytest.fixture
def refused(monkeypatch):
    """Let every attempt to write into a project fail, as a read-only file system does."""
    from commonplace.edits.system import System

    def fail(*_args, **_kwargs):
        raise OSError(30, "Read-only file system")

    return lambda: [monkeypatch.setattr(System, name, fail) for name in ("write_new", "replace")]


def test_a_read_only_project_is_read_and_an_edit_is_refused(
    window, settled, project, refused, qtbot
):
    before = (project / "src/config.py").read_bytes()
    window.ask(TWO)
    settled(window)
    window.actions_by_id["review"].trigger()
    review = opened(window, qtbot)
    refused()
    review.apply_button.click()
    qtbot.waitUntil(review.message.isVisible, timeout=PATIENCE)
    assert "Read-only file system" in review.headline.text()
    assert review.apply_button.isEnabled()  # another place may be writable the next time
    assert (project / "src/config.py").read_bytes() == before
    review.reject()
    window.ask("where are the settings?")
    settled(window)
    assert "src/config.py" in window.transcript.shown_text() or window.sources.sources


def test_a_disk_that_goes_is_told_and_nothing_of_ours_is_lost(window, settled, project, qtbot):
    window.ask("where are the settings?")
    settled(window)
    window._open_file("src/config.py")
    qtbot.waitUntil(lambda: "load_settings" in window.code.view.toPlainText(), timeout=PATIENCE)
    away = project.with_name("away")
    shutil.move(project, away)
    window.code.reload()
    qtbot.waitUntil(lambda: window.code.note.text() != "", timeout=PATIENCE)
    window.composer.set_draft("not sent yet")
    window.chats.keep_draft()
    window.ask("and now?")
    settled(window)
    assert len(window.conversation.exchanges) == 2
    shutil.move(away, project)
    window.code.reload()
    qtbot.waitUntil(lambda: "load_settings" in window.code.view.toPlainText(), timeout=PATIENCE)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at what is mapped")
def test_the_window_needs_no_gl(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(APP),
        "QT_QPA_PLATFORM": "offscreen",
        "COMMONPLACE_HOME": str(tmp_path),
        "LIBGL_DRIVERS_PATH": str(tmp_path),
        "QT_XCB_GL_INTEGRATION": "none",
    }
    done = subprocess.run(
        [sys.executable, "-c", GL],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[[], [], true]"
