"""What a window is put through: each scene runs in a process of its own and reports figures."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog

from bench.desktop.code import large_file
from bench.desktop.heart import Heart
from commonplace.desktop.app import collect_again, make_window
from commonplace.desktop.controller import Commands
from commonplace.paths import StatePaths, worker_command
from commonplace.settings import Settings

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from commonplace.desktop.window import MainWindow

Report = dict[str, Any]
HEAVY = ("torch", "llama_cpp", "sentence_transformers", "numpy")
ANSWERS = 60
CHAT_CHARS = 200_000
SCROLLS = 400
TYPED = "where is the configuration read, and what happens if it is not there? "
HOUR_QUESTIONS, HOUR_FILES = 40, 120
LONG = "!long how is the configuration read"


def play(scene: str, path: Path, files: int, embedder: str) -> Report:
    """Be a window, play one scene on the project at `path`, and return what was measured."""
    app = QApplication(sys.argv[:1])
    paths = StatePaths.from_environment()
    fake = [sys.executable, "-m", "commonplace.engine.fake_worker"]
    settings = Settings(recall_embedder=embedder, answer_max_tokens=8192, model_context=131072)
    model = paths.data / "models" / "fake-instruct.gguf"
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_bytes(b"the fake does not read it")
    window = make_window(
        app, paths, settings=settings, commands=Commands(worker_command("memory"), fake)
    )
    window.show()
    while not window.windowHandle().isExposed():
        app.processEvents()
    app.processEvents()
    collect_again()
    visible = (time.time() - float(os.environ["COMMONPLACE_BENCH_STARTED"])) * 1000
    computing = time.process_time() * 1000
    heavy = [name for name in HEAVY if name in sys.modules]
    report: Report = {"visible_ms": visible, "computing_ms": computing, "heavy": heavy}
    if scene != "start":
        report |= SCENES[scene](window, path, files)
    report["rss_mb"] = psutil.Process().memory_info().rss / 2**20
    window.close()
    window.controller.finish()
    return report


def indexing(window: MainWindow, path: Path, files: int) -> Report:
    """Index from nothing, opening a file now and then."""
    heart = Heart()
    opened = 0

    def done() -> bool:
        nonlocal opened
        known = window.controller.files.files
        if known and opened % 20 == 0:
            window._open_file(known[opened % len(known)])  # noqa: SLF001
        opened += 1
        return window.status.status.phase == "ready" and window.status.status.files >= files

    window.open_project(path)
    seconds = heart.run_until(done)
    return {"gaps_ms": heart.gaps, "seconds": seconds}


def streaming(window: MainWindow, path: Path, _files: int) -> Report:
    """Stream long answers, one after another."""
    _be_ready(window, path)
    heart = Heart()
    left = ANSWERS

    def done() -> bool:
        nonlocal left
        if window.conversation.busy or window.transcript.busy:
            return False
        if not left:
            return True
        left -= 1
        window.ask(LONG)
        return False

    seconds = heart.run_until(done)
    return {"gaps_ms": heart.gaps, "seconds": seconds}


def scrolling(window: MainWindow, path: Path, _files: int) -> Report:
    """Scroll through a conversation of 200,000 characters while another answer arrives."""
    _be_ready(window, path)
    _fill(window)
    heart = Heart()
    bar = window.transcript.verticalScrollBar()
    left = SCROLLS
    began = False

    def done() -> bool:
        nonlocal left, began
        if not began:
            window.ask(LONG)
            began = True
        left -= 1
        share = abs((left * 7) % 200 - 100) / 100
        bar.setValue(int(bar.maximum() * share))
        return left <= 0 and not window.conversation.busy and not window.transcript.busy

    seconds = heart.run_until(done, poll_ms=30)
    chars = window.transcript.document().characterCount()
    return {"gaps_ms": heart.gaps, "seconds": seconds, "chars": chars}


def typing(window: MainWindow, path: Path, files: int) -> Report:
    """Type into the question, into the palette over all files, and into the filter of the tree.

    A key's latency is the time from its event until what it changed is painted, or
    the longest turn of the loop that follows from it, if that is longer.
    """
    _be_ready(window, path)
    _wait(lambda: len(window.controller.files.files) >= files)
    _fill(window)
    report: Report = {"question_ms": _type(window.composer.edit, TYPED * 3)}
    window.actions_by_id["go_to_file"].trigger()
    report["palette_ms"] = _type(
        window.shell.palette.edit, "modul00012 package00", clear=True, pause=0.1
    )
    window.shell.palette.dismiss()
    window.actions_by_id["filter"].trigger()
    report["filter_ms"] = _type(window.tree.filter, "module_0001", clear=True, pause=0.25)
    return report


def hour(window: MainWindow, path: Path, _files: int) -> Report:
    """Do what an hour brings: questions, files, themes, dialogs; without the waiting."""
    _be_ready(window, path)
    known = window.controller.files.files
    for number in range(HOUR_QUESTIONS):
        window.ask(f"!long question {number}: how is part {number} read")
        _wait(lambda: not window.conversation.busy and not window.transcript.busy)
        if number % 10 == 9:
            window.actions_by_id["clear"].trigger()
        for step in range(HOUR_FILES // HOUR_QUESTIONS):
            window._open_file(known[(number * 31 + step * 7) % len(known)])  # noqa: SLF001
            _turn(0.05)
        if number % 8 == 0:
            window.choose_theme("dark" if number % 16 else "light")
        for name in ("palette", "settings", "index", "models"):
            window.actions_by_id[name].trigger()
            _turn(0.03)
            window.shell.palette.dismiss()
            for dialog in window.findChildren(QDialog):
                dialog.close()
    return {"questions": HOUR_QUESTIONS, "opened": HOUR_FILES}


SCENES: dict[str, Callable[[MainWindow, Path, int], Report]] = {
    "indexing": indexing,
    "streaming": streaming,
    "scrolling": scrolling,
    "typing": typing,
    "code": large_file,
    "hour": hour,
}


def _be_ready(window: MainWindow, path: Path) -> None:
    window.open_project(path)
    window.controller.load_model()
    _wait(lambda: window.status.status.phase == "ready" and window.status.status.files > 0)
    _wait(lambda: window.controller.engine.state.kind == "ready")


def _fill(window: MainWindow) -> None:
    while window.transcript.document().characterCount() < CHAT_CHARS:
        window.ask(LONG)
        _wait(lambda: not window.conversation.busy and not window.transcript.busy)


def _type(
    field: QWidget, text: str, *, clear: bool = False, pause: float = 0.03
) -> list[tuple[float, float]]:
    """Type `text` letter by letter with pauses of seconds.

    Returns for each key milliseconds of the clock, and of this thread's processor.
    """
    field.setFocus()
    if clear:
        field.clear()  # type: ignore[attr-defined]
    _turn(0.1)
    return list(_keys(field, text, pause))


def _keys(field: QWidget, text: str, pause: float) -> Iterator[tuple[float, float]]:
    app = QApplication.instance()
    assert app is not None
    for letter in text:
        began, spent = time.perf_counter(), time.thread_time()
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            app.postEvent(field, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, letter))
        app.processEvents()
        field.repaint()
        clock, processor = time.perf_counter() - began, time.thread_time() - spent
        after = _turn(pause)
        yield max(clock * 1000, after[0]), max(processor * 1000, after[1])


def _wait(done: Callable[[], bool], patience: float = 900.0) -> None:
    until = time.monotonic() + patience
    while not done():
        QApplication.processEvents()
        time.sleep(0.005)
        if time.monotonic() > until:
            raise TimeoutError


def _turn(seconds: float) -> tuple[float, float]:
    """Let the window work for so long.

    Returns the longest turn of its loop in milliseconds of the clock and of the processor.
    """
    clock = processor = 0.0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began, spent = time.perf_counter(), time.thread_time()
        QApplication.processEvents()
        clock = max(clock, (time.perf_counter() - began) * 1000)
        processor = max(processor, (time.thread_time() - spent) * 1000)
        time.sleep(0.002)
    return clock, processor
