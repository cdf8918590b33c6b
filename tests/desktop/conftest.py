"""What the desktop tests share: a project, fakes for the workers, and a watch for leaks."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import psutil
import pytest
import shiboken6
from PySide6.QtCore import QProcess, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from commonplace.desktop.app import make_window
from commonplace.desktop.controller import Commands
from commonplace.desktop.languages import use_language
from commonplace.desktop.theme import ThemeKeeper
from commonplace.measure.results import Estimate, Result
from commonplace.paths import StatePaths
from commonplace.settings import Settings

HERE = Path(__file__).resolve().parent
FAKE_MEMORY = [sys.executable, str(HERE / "fake_memory.py")]
PATIENCE = 60.0
"""Seconds until a condition that never comes fails a test. A machine may be very busy."""
EXAMPLE = HERE.parent / "unit" / "measure" / "example.json"
FAKE_ENGINE = [sys.executable, "-m", "commonplace.engine.fake_worker"]


FAKE_MEASURE = [sys.executable, str(HERE / "fake_measure.py")]
FAKE_ADAPT = [sys.executable, str(HERE / "fake_adapt.py")]


def fake_commands(paths):
    """Return the commands of the fakes, for state folders at `paths`."""
    data = str(paths.data)
    return Commands(
        FAKE_MEMORY, FAKE_ENGINE, measure=[*FAKE_MEASURE, data], adapt=[*FAKE_ADAPT, data]
    )


class Paths(StatePaths):
    """State below one folder, with no model of this machine in sight."""

    def model_folders(self):
        return (self.data / "models",)


class PatientBot(QtBot):
    """Waits at least `PATIENCE` for what does not come; what comes is seen at once."""

    def waitUntil(self, callback, *, timeout=0):  # noqa: N802 - as the class above calls it
        super().waitUntil(callback, timeout=_patient(timeout))

    def waitSignal(self, signal, *, timeout=0, **more):  # noqa: N802 - as the class above calls it
        return super().waitSignal(signal, timeout=_patient(timeout), **more)

    def waitSignals(self, signals, *, timeout=0, **more):  # noqa: N802 - as the class above calls it
        return super().waitSignals(signals, timeout=_patient(timeout), **more)

    def waitExposed(self, widget, *, timeout=0):  # noqa: N802 - as the class above calls it
        return super().waitExposed(widget, timeout=_patient(timeout))


def _patient(milliseconds):
    return max(milliseconds, round(PATIENCE * 1000))


@pytest.fixture
def qtbot(qapp, request):
    return PatientBot(request)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            # The offscreen platform says so for every window; it means nothing here.
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints", extend=True))


def _leaks():
    found = []
    for thing in gc.get_objects():
        kind = type(thing)
        if kind in (QTimer, QProcess) and shiboken6.isValid(thing):
            if kind is QTimer and thing.isActive():
                found.append(f"a running timer of {thing.parent()!r}")
            if kind is QProcess and thing.state() != QProcess.ProcessState.NotRunning:
                found.append(f"a running process {thing.program()} {thing.arguments()}")
    found += [f"thread {t.name}" for t in threading.enumerate() if t.name.startswith("worker")]
    found += [
        f"process {p.pid} {p.cmdline()[-2:]}"
        for p in psutil.Process().children()
        if p.status() != psutil.STATUS_ZOMBIE
    ]
    return found


@pytest.fixture(autouse=True)
def no_leaks(qapp):
    """Fail a test that leaves a timer, a process or a thread behind."""
    yield
    until = time.monotonic() + PATIENCE
    while (leaks := _leaks()) and time.monotonic() < until:
        qapp.processEvents()
        gc.collect()
    assert not leaks, f"left behind: {leaks}"


@pytest.fixture
def paths(tmp_path):
    state = Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache")
    (state.data / "models").mkdir(parents=True)
    return state


@pytest.fixture
def model(paths):
    """A file that the fake engine takes for a model."""
    file = paths.data / "models" / "tiny-instruct.gguf"
    file.write_text("not read by the fake")
    return file


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "demo"
    (root / "src").mkdir(parents=True)
    lines = [f"# line {n}" for n in range(1, 81)]
    lines[39] = "def load_settings(path):"
    lines[40] = '    """Read the settings from the file at path."""'
    lines[41] = "    return parse(path.read_text())"
    (root / "src" / "config.py").write_text("\n".join(lines) + "\n")
    (root / "src" / "other.py").write_text("def unrelated():\n    return 'settings elsewhere'\n")
    (root / "README.md").write_text("# Demo\n\nThe settings are read at start.\n")
    return root


@pytest.fixture
def speak(qapp):
    """Let the window speak a language, by its code; English again afterwards."""
    yield lambda code: use_language(qapp, code)
    use_language(qapp, "en")


@pytest.fixture
def keeper(qapp):
    keeper = ThemeKeeper(qapp, "light")
    yield keeper
    keeper.deleteLater()


@pytest.fixture
def open_window(qapp, qtbot, paths):
    """Return a function that makes a shown window with fake workers."""
    made = []

    def make(settings=None, commands=None):
        window = make_window(
            qapp,
            paths,
            settings=settings or Settings(answer_max_tokens=64),
            commands=commands or fake_commands(paths),
        )
        made.append(window)
        window.show()
        return window

    yield make
    for window in made:
        window.close()
        window.controller.finish()
        shiboken6.delete(window)


@pytest.fixture
def window(open_window, qtbot, project, model):
    """A window with the project open and the fake model loaded."""
    window = open_window()
    window.open_project(project)
    window.controller.load_model()
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=15000)
    qtbot.waitUntil(lambda: window.controller.engine.state.kind == "ready", timeout=15000)
    qtbot.waitUntil(lambda: window.tree.model.rowCount() > 0, timeout=5000)
    return window


@pytest.fixture
def settled(qtbot):
    """Return a function that waits until the answer is complete and drawn."""

    def wait(window, timeout=15000):
        qtbot.waitUntil(
            lambda: not window.conversation.busy and not window.transcript.busy, timeout=timeout
        )

    return wait


@pytest.fixture
def app(qapp) -> QApplication:
    return qapp


@pytest.fixture
def asked(window, settled):
    """Return a function that asks and waits for the answer."""

    def ask(question, in_window=None):
        shown = in_window or window
        shown.ask(question)
        settled(shown)

    return ask


@pytest.fixture
def example():
    """A measurement with everything in it."""
    return Result.from_json(EXAMPLE.read_text())


@pytest.fixture
def earlier(example):
    """The same project with another model, a day before."""
    layers = tuple(
        replace(layer, exact=layer.exact and Estimate(0.05, 0.0, 0.1)) for layer in example.layers
    )
    return replace(
        example, date="2026-11-20T08:00:00+00:00", model="older.gguf", layers=layers, memory="x"
    )
