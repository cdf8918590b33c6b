"""A blocking parent on plain pipes, for the command line and for tests."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from commonplace.errors import CommonplaceError, EngineError
from commonplace.wire.calls import Calls
from commonplace.wire.messages import Message

START_SECONDS = 60.0
POLL_SECONDS = 0.05
LOG_BYTES = 1 << 20


class WorkerDiedError(EngineError):
    """The worker process ended while it was needed; `status` is its exit status.

    A negative status is the number of the signal that ended it.
    """

    def __init__(self, message: str, remedy: str = "", status: int = 0) -> None:
        super().__init__(message, remedy)
        self.status = status


class WorkerProcess:
    """Starts a worker and asks it one thing at a time.

    All dispatch happens in the thread that calls `request`; the only helper
    thread moves bytes from the pipe to a queue.
    """

    def __init__(
        self,
        command: list[str],
        *,
        log_file: Path | None = None,
        on_event: Callable[[str, Message], None] | None = None,
    ) -> None:
        self._command = command
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None
        self._chunks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._greeting: Message | None = None
        self._calls = Calls(self._write, on_hello=self._greeted, on_event=on_event)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The worker's process id, once it has greeted."""
        return None if self._greeting is None else int(self._greeting["pid"])

    def start(self) -> None:
        """Start the worker and wait for its greeting; raises `WorkerDiedError`."""
        with contextlib.ExitStack() as stack:
            log = self._open_log()
            if log is not None:
                stack.enter_context(log)
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL if log is None else log,
            )
        threading.Thread(target=self._read, name="worker-pipe", daemon=True).start()
        try:
            self._pump(lambda: self._greeting is not None, START_SECONDS)
        except CommonplaceError:
            self.stop()
            raise

    def _open_log(self) -> BinaryIO | None:
        """Open the log to go on in, or anew once it is long; none where none can be written."""
        if self._log_file is None:
            return None
        try:
            self._log_file.parent.mkdir(parents=True, exist_ok=True)
            long = self._log_file.exists() and self._log_file.stat().st_size > LOG_BYTES
            return self._log_file.open("wb" if long else "ab")
        except OSError:
            return None

    def stop(self) -> None:
        """End the worker: close its input, and kill it if it lingers."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._process = None

    def request(
        self,
        method: str,
        params: Message,
        *,
        deadline: float | None = None,
        on_data: Callable[[Message], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Message:
        """Ask the worker and wait for the result.

        `stop` is asked about every 50 ms; once it says yes the call is
        cancelled. Raises what the worker raised, or `WorkerDiedError`.
        """
        outcome: list[Message | CommonplaceError] = []
        call = self._calls.start(
            method,
            params,
            on_result=outcome.append,
            on_error=outcome.append,
            on_data=on_data,
            deadline=deadline,
        )

        cancelled = False

        def done() -> bool:
            nonlocal cancelled
            if not cancelled and stop is not None and stop():
                cancelled = True
                self._calls.cancel(call)
            return bool(outcome)

        self._pump(done, None)
        result = outcome[0]
        if isinstance(result, CommonplaceError):
            raise result
        return result

    def _pump(self, done: Callable[[], bool], timeout: float | None) -> None:
        waited = 0.0
        while not done():
            try:
                data = self._chunks.get(timeout=POLL_SECONDS)
            except queue.Empty:
                waited += POLL_SECONDS
                self._calls.expire()
                if timeout is not None and waited > timeout:
                    self._calls.fail(WorkerDiedError("The worker did not start."))
                    raise WorkerDiedError("The worker did not start.") from None
                continue
            if not data:
                self._fail()
                if done():
                    return
                raise self._death()
            self._calls.feed(data)

    def _fail(self) -> None:
        self._chunks.put(b"")  # so that a later request sees the death as well
        self._calls.fail(self._death())

    def _death(self) -> WorkerDiedError:
        status = 0 if self._process is None else self._process.wait()
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return WorkerDiedError(f"The worker process ended {how}.", status=status)

    def _greeted(self, message: Message) -> None:
        self._greeting = message

    def _write(self, data: bytes) -> None:
        process = self._process
        if process is None or process.stdin is None:
            raise WorkerDiedError("The worker is not running.")
        with contextlib.suppress(BrokenPipeError):  # its death is seen on the other pipe
            process.stdin.write(data)
            process.stdin.flush()

    def _read(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        descriptor = process.stdout
        while True:
            try:
                data = descriptor.read1(1 << 16)  # type: ignore[attr-defined]
            except ValueError:  # closed by `stop`
                data = b""
            self._chunks.put(data)
            if not data:
                return
