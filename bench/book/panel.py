"""Opening the book in the window with ten thousand notes, through the real memory process.

Times are those of a clock on the wall, from the action to the painted list.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bench.book.scale import copy_library, ms, write_notes
from bench.recall.tables import Table

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from commonplace.desktop.window import MainWindow

FILES = 300
PATIENCE = 180.0
OPENINGS = 9


def tables(notes: int) -> Iterator[Table]:
    """Write the notes, open a window on them, and measure."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        copied = copy_library(root, FILES)
        count = write_notes(root, copied, notes)
        os.environ["COMMONPLACE_HOME"] = str(Path(folder) / "home")
        rows = measured(root)
        yield Table(f"the book in the window, {count:,} notes", ["", "time", "aim"], rows)


def measured(root: Path) -> list[list[str]]:
    """Return the rows of the table."""
    from PySide6.QtWidgets import QApplication

    from commonplace.desktop.app import make_window
    from commonplace.paths import StatePaths
    from commonplace.settings import Settings

    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    paths = StatePaths.from_environment()
    window = make_window(app, paths, settings=Settings(recall_embedder="none"))
    window.resize(1280, 820)
    window.show()
    window.open_project(root)
    page = window.book.desk.page
    pump(app, lambda: window.status.status.phase == "ready")
    pump(app, lambda: page.list.model.rowCount() > 0)  # the list is read ahead
    first = reopened(app, window)
    again = sorted(reopened(app, window) for _ in range(OPENINGS))
    fresh = sorted(refreshed(app, window) for _ in range(OPENINGS))
    typed = sorted(filtered(app, window, words) for words in ("retr", "cache lim", "quota"))
    window.close()
    window.controller.finish()
    middle = OPENINGS // 2
    return [
        ["opening the page for the first time", ms(first), "200 ms"],
        [f"opening it again, slowest of {OPENINGS}", ms(again[-1]), "200 ms"],
        [f"until it shows a change of this moment, p50 of {OPENINGS}", ms(fresh[middle]), ""],
        ["filtering, after the pause in typing, slowest of 3", ms(typed[-1]), ""],
    ]


def opened(app: QApplication, window: MainWindow) -> float:
    """Return seconds from the action to the painted list, asked for anew."""
    page = window.book.desk.page
    shown: list[int] = []
    page.list.shown.connect(lambda: shown.append(1))
    began = time.perf_counter()
    window.actions_by_id["book"].trigger()
    pump(app, lambda: bool(shown))
    page.repaint()
    return time.perf_counter() - began


def reopened(app: QApplication, window: MainWindow) -> float:
    """Return seconds from the action to the painted list, as it was read ahead."""
    window.book.leave()
    app.processEvents()
    began = time.perf_counter()
    window.actions_by_id["book"].trigger()
    app.processEvents()
    window.book.desk.page.repaint()
    return time.perf_counter() - began


def refreshed(app: QApplication, window: MainWindow) -> float:
    """Return seconds from the action to the painted list when the book changed meanwhile."""
    window.book.leave()
    app.processEvents()
    window.book.link.changed.emit()
    return opened(app, window)


def filtered(app: QApplication, window: MainWindow, words: str) -> float:
    """Return seconds from the request for `words` to the painted list."""
    view = window.book.desk.page.list
    shown: list[int] = []
    view.filter.setText(words)
    view.shown.connect(lambda: shown.append(1))
    began = time.perf_counter()
    view.refresh()
    pump(app, lambda: bool(shown))
    view.repaint()
    return time.perf_counter() - began


def pump(app: QApplication, done: Callable[[], bool]) -> None:
    """Run the event loop until `done`."""
    from PySide6.QtCore import QEventLoop

    end = time.monotonic() + PATIENCE
    while not done():
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        time.sleep(0.0005)
        if time.monotonic() > end:
            raise TimeoutError
