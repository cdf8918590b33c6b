"""Several windows: another process for another project, and one window for each project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QProcess, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

from commonplace.desktop.background import Background
from commonplace.desktop.instance import claim, raise_window, release, take_requests
from commonplace.desktop.worker import worker_environment
from commonplace.paths import StatePaths, window_command


class OneWindow(QObject):
    """Comes to the front when another process asks for the project that is open here."""

    def __init__(self, paths: StatePaths, background: Background, window: QMainWindow) -> None:
        super().__init__(window)
        self._paths = paths
        self._background = background
        self._window = window
        self._cache: Path | None = None
        self._watcher = QFileSystemWatcher(self)
        self._watcher.directoryChanged.connect(self._look)

    def hold(self, root: Path) -> None:
        """Let others know that the project at `root` is open here."""
        self.let_go()
        self._cache = self._paths.project_cache(root)
        folder = claim(self._cache)
        if folder is not None:
            take_requests(folder)  # of processes that were killed while they waited
            self._watcher.addPath(str(folder))

    def let_go(self) -> None:
        """Take that back."""
        if self._watcher.directories():
            self._watcher.removePaths(self._watcher.directories())
        if self._cache is not None:
            release(self._cache)
        self._cache = None

    def ask_other(self, path: Path, then: Callable[[bool], None]) -> None:
        """Bring the window that has the project at `path` to the front; `then` hears if it came."""
        paths = self._paths
        self._background.run(
            lambda: raise_window(paths.project_cache(path.resolve())), then, lambda _: then(False)
        )

    def _look(self, folder: str) -> None:
        if take_requests(Path(folder)):
            come_to_front(self._window)


def come_to_front(window: QMainWindow) -> None:
    """Show `window` before the others; a desktop that forbids it lets it ask for attention."""
    window.setWindowState(
        (window.windowState() & ~Qt.WindowState.WindowMinimized) | Qt.WindowState.WindowActive
    )
    window.show()
    window.raise_()
    window.activateWindow()
    QTimer.singleShot(
        200, window, lambda: None if window.isActiveWindow() else QApplication.alert(window)
    )


def new_window(path: Path | None = None) -> bool:
    """Start another process with a window on `path`, or on the page of welcome."""
    program, *words = window_command()
    process = QProcess()
    process.setProgram(program)
    process.setArguments([*words, *([str(path)] if path is not None else [])])
    process.setProcessEnvironment(worker_environment())
    process.setStandardOutputFile(QProcess.nullDevice())
    process.setStandardErrorFile(QProcess.nullDevice())
    started = process.startDetached()
    return bool(started[0] if isinstance(started, tuple) else started)
