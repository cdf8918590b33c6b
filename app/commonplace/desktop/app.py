"""Starts the window. Nothing here imports a model library, so it is there at once."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import FrameType, TracebackType

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal
from PySide6.QtWidgets import QApplication

from commonplace.desktop.controller import Commands, Controller
from commonplace.desktop.crash import CrashReports, described
from commonplace.desktop.crash_dialog import show_report
from commonplace.desktop.icons import app_icon
from commonplace.desktop.instance import raise_window
from commonplace.desktop.languages import use_language
from commonplace.desktop.motion import set_motion
from commonplace.desktop.start_checks import StartChecks
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.window import MainWindow
from commonplace.errors import UserError
from commonplace.paths import StatePaths
from commonplace.settings import Settings, load

log = logging.getLogger(__name__)

LOG_BYTES = 1 << 20


def run(
    project: Path | None = None,
    *,
    paths: StatePaths | None = None,
    settings: Settings | None = None,
    commands: Commands | None = None,
) -> int:
    """Open the window on `project`, or on what was open last, and return the exit status.

    Where another window has `project`, that one comes to the front instead.
    `settings` overrides the settings file, `commands` the worker processes.
    """
    paths = paths or StatePaths.from_environment()
    if project is not None:
        project = project.expanduser().absolute()
        if raise_window(paths.project_cache(project.resolve())):
            return 0
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("Commonplace")
    app.setDesktopFileName("commonplace")
    app.setWindowIcon(app_icon())
    _log_to(paths.logs / "window.log")
    reports = CrashReports(paths.logs)
    reports.begin()
    window = make_window(app, paths, settings=settings, commands=commands)
    hooks = DefectHooks(paths.logs / "window.log", app, reports)
    hooks.reported.connect(window.report)
    hooks.install()
    interrupts = Interrupts(app)
    interrupts.arrived.connect(window.leave)
    app.aboutToQuit.connect(window.shut)
    window.show()
    QTimer.singleShot(0, window, lambda: _begin(window, project, reports))
    status = app.exec()
    window.controller.finish()
    interrupts.release()
    hooks.remove()
    reports.end()
    return int(status)


def make_window(
    app: QApplication,
    paths: StatePaths,
    *,
    settings: Settings | None = None,
    commands: Commands | None = None,
) -> MainWindow:
    """Return a window that is not shown yet and has started no worker."""
    complaint: UserError | None = None
    if settings is None:
        try:
            settings = load(paths.settings_file)
        except UserError as error:
            settings, complaint = Settings(), error
    use_language(app, settings.appearance_language)
    keeper = ThemeKeeper(app, settings.appearance_theme, settings.appearance_font_size)
    set_motion(app, settings.appearance_motion)
    window = MainWindow(Controller(paths, settings, commands), keeper)
    if complaint is not None:
        window.messages.show_message("settings", "error", complaint.message, complaint.remedy)
    return window


def collect_again() -> None:
    """Look for garbage again if the start held it off, but not in what the start made."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _begin(window: MainWindow, project: Path | None, reports: CrashReports) -> None:
    collect_again()
    StartChecks(window.controller.paths, window.messages, window)
    window.shell.begin_with(project, restore=window.controller.settings.window_restore)
    window.controller.load_model()
    report = reports.left_behind()
    if report:
        show = (window.tr("Show the Report…"), lambda: show_report(report, reports.forget, window))
        window.messages.show_message(
            "crash",
            "warning",
            window.tr("Commonplace met a problem the last time it ran."),
            window.tr("Where it happened is written down on this machine and sent nowhere."),
            [show],
        )


def _log_to(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8")
    except OSError:
        return  # a read-only cache must not keep the window from opening
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("commonplace")
    root.addHandler(handler)
    root.setLevel(logging.INFO)


class DefectHooks(QObject):
    """Sends every uncaught exception to the log and, in words, to the window."""

    reported = Signal(str, str)

    def __init__(
        self, file: Path, parent: QObject | None = None, reports: CrashReports | None = None
    ) -> None:
        super().__init__(parent)
        self._file = file
        self._reports = reports
        self._before: tuple[Callable[..., object], ...] = ()

    def install(self) -> None:
        """Take the place of Python's own hooks."""
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        sys.excepthook = self._caught
        threading.excepthook = lambda a: self._caught(
            a.exc_type, a.exc_value or a.exc_type(), a.exc_traceback
        )
        sys.unraisablehook = lambda a: self._caught(
            a.exc_type, a.exc_value or a.exc_type(), a.exc_traceback
        )

    def remove(self) -> None:
        """Give Python's own hooks their place back."""
        if self._before:
            sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        self._before = ()

    def _caught(
        self, kind: type[BaseException], _error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        log.error("%s", described(kind, trace))  # not the text of the error: it may be private
        if self._reports is not None:
            self._reports.write(kind, trace)
        self.reported.emit(
            self.tr("Something went wrong inside Commonplace ({0}).").format(kind.__name__),
            self.tr("You can go on. The details are in {0}.").format(self._file),
        )


class Interrupts(QObject):
    """Turns Ctrl+C in the terminal into a signal, without waking up for nothing."""

    arrived = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handler = signal.signal(signal.SIGINT, self._seen)
        self._notifier: QSocketNotifier | None = None
        if sys.platform == "win32":  # nothing but a socket would do there, and we open none
            self._glance = QTimer(self)
            self._glance.start(250)  # lets Python see the signal
            return
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._notifier = QSocketNotifier(self._reader, QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def release(self) -> None:
        """Give Ctrl+C back."""
        signal.signal(signal.SIGINT, self._handler)
        if self._notifier is not None:
            signal.set_wakeup_fd(self._wakeup)
            self._notifier.setEnabled(False)
            os.close(self._reader)
            os.close(self._writer)

    def _read(self) -> None:
        if signal.SIGINT in os.read(self._reader, 64):
            self.arrived.emit()

    def _seen(self, _number: int, _frame: FrameType | None) -> None:
        if self._notifier is None:  # elsewhere the byte in the pipe does this
            self.arrived.emit()
