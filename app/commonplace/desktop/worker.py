"""One worker process, seen from the window: never blocks, reports its death by signal."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

import commonplace
from commonplace.errors import CommonplaceError, ProtocolError
from commonplace.wire.calls import Call, Calls
from commonplace.wire.messages import Message
from commonplace.wire.process import WorkerDiedError

log = logging.getLogger(__name__)

EXPIRE_MS = 1000
LINGER_MS = 800
"""How long a worker may take to end by itself once its input is closed."""


class WorkerLink(QObject):
    """Starts a worker process and carries requests to it.

    `died` is emitted for an end that nobody asked for, after the calls under
    way have failed with a `WorkerDiedError`; `ended` for one that was asked for.
    """

    started = Signal()
    died = Signal(int, bool)
    """Exit status, and whether it was a crash."""
    ended = Signal()
    event_received = Signal(str, object)

    def __init__(
        self, command: Sequence[str], log_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._command = list(command)
        self._log_file = log_file
        self._process: QProcess | None = None
        self._calls = self._new_calls()
        self._stopping = False
        self._expiry = QTimer(self)
        self._expiry.setInterval(EXPIRE_MS)
        self._expiry.timeout.connect(self._expire)
        self._linger = QTimer(self)
        self._linger.setSingleShot(True)
        self._linger.setInterval(LINGER_MS)
        self._linger.timeout.connect(self.kill)

    @property
    def running(self) -> bool:
        """Whether there is a process, starting ones included."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The process id, or 0."""
        return 0 if self._process is None else int(self._process.processId())

    def start(self) -> None:
        """Start the process; requests may follow at once."""
        if self._process is not None:
            return
        self._stopping = False
        self._calls = self._new_calls()
        process = QProcess(self)
        process.setProgram(self._command[0])
        process.setArguments(self._command[1:])
        process.setProcessEnvironment(worker_environment())
        self._direct_log(process)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._erred)
        self._process = process
        process.start()
        self._expiry.start()

    def request(
        self,
        method: str,
        params: Message,
        *,
        on_result: Callable[[Message], None],
        on_error: Callable[[CommonplaceError], None],
        on_data: Callable[[Message], None] | None = None,
        deadline: float | None = None,
    ) -> Call | None:
        """Send a request; exactly one of `on_result` and `on_error` follows, later.

        Returns None when there is no process; `on_error` follows all the same.
        """
        if self._process is None or self._stopping:
            gone = WorkerDiedError("The worker process is not running.", "Try again in a moment.")
            QTimer.singleShot(0, self, lambda: on_error(gone))
            return None
        return self._calls.start(
            method,
            params,
            on_result=on_result,
            on_error=on_error,
            on_data=on_data,
            deadline=deadline,
        )

    def cancel(self, call: Call | None) -> None:
        """Ask the worker to stop `call`."""
        if call is not None and self._process is not None:
            self._calls.cancel(call)

    def stop(self) -> None:
        """Let the worker end: its input closes, and soon it is killed if it lingers."""
        if self._process is None:
            return
        self._stopping = True
        self._process.closeWriteChannel()
        self._linger.start()

    def kill(self) -> None:
        """End the worker at once."""
        if self._process is not None:
            self._process.kill()

    def finish(self, milliseconds: int) -> None:
        """Wait until the worker has ended, and kill it after `milliseconds`.

        This is the one method that blocks; it is for the end of the program.
        """
        process = self._process
        if process is None:
            return
        self.stop()
        if not process.waitForFinished(max(milliseconds, 1)):
            process.kill()
            process.waitForFinished(200)

    def _new_calls(self) -> Calls:
        return Calls(self._write, on_hello=self._greeted, on_event=self._on_event)

    def _direct_log(self, process: QProcess) -> None:
        if self._log_file is None:
            process.setStandardErrorFile(QProcess.nullDevice())
            return
        try:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            log.warning("No log for the worker: %s", error)
            process.setStandardErrorFile(QProcess.nullDevice())
            return
        # A project's own folder must never be the current one: Python would import from it.
        process.setWorkingDirectory(str(self._log_file.parent))
        process.setStandardErrorFile(str(self._log_file))

    def _write(self, data: bytes) -> None:
        if self._process is not None:
            self._process.write(data)

    def _read(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            self._calls.feed(bytes(process.readAllStandardOutput().data()))
        except ProtocolError:
            log.exception("The worker broke the protocol")
            process.kill()

    def _greeted(self, _hello: Message) -> None:
        self.started.emit()

    def _on_event(self, name: str, data: Message) -> None:
        self.event_received.emit(name, data)

    def _expire(self) -> None:
        self._calls.expire()

    def _erred(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            log.error("Cannot start %s: %s", self._command[0], self._process.errorString())
            self._gone(-1, crashed=True)

    def _finished(self, status: int, how: QProcess.ExitStatus) -> None:
        self._read()
        self._gone(status, crashed=how == QProcess.ExitStatus.CrashExit)

    def _gone(self, status: int, *, crashed: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.deleteLater()
        self._expiry.stop()
        self._linger.stop()
        how = "crashed" if crashed else f"ended with status {status}"
        self._calls.fail(WorkerDiedError(f"The worker process {how}.", "Try again.", status))
        if self._stopping:
            self.ended.emit()
        else:
            self.died.emit(status, crashed)


def worker_environment() -> QProcessEnvironment:
    """Return the environment of a process of ours: our own, and this very copy of the package."""
    environment = QProcessEnvironment.systemEnvironment()
    package = str(Path(commonplace.__file__).resolve().parents[1])
    inherited = environment.value("PYTHONPATH", "")
    environment.insert("PYTHONPATH", os.pathsep.join(filter(None, (package, inherited))))
    environment.insert("PYTHONSAFEPATH", "1")
    return environment
