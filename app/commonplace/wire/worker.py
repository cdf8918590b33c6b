"""The loop inside a worker process: requests in, results out.

Concurrency is the subtle part. One thread reads standard input and never does
anything slow, so that a ``cancel`` is seen while a request runs. Requests run
on a small pool; the engine has one thread, the memory a few. Where a later request
must not overtake an earlier one, both belong to the methods that are served in order,
by one more thread. All writers share one lock, and a line is written whole.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from commonplace import __version__
from commonplace.errors import CancelledError, CommonplaceError, ProtocolError, to_wire
from commonplace.wire.messages import PROTOCOL, LineBuffer, Message, decode, encode

log = logging.getLogger(__name__)

READ_SIZE = 1 << 16


class Task:
    """One request while it runs: its deadline, its cancel flag, its stream."""

    def __init__(
        self, send: Callable[[Message], None], number: int, deadline: float | None
    ) -> None:
        self._send = send
        self._number = number
        self._cancelled = threading.Event()
        self._expires = None if deadline is None else time.monotonic() + deadline

    def cancel(self) -> None:
        """Ask the task to stop; it notices at its next `stopped` or `check`."""
        self._cancelled.set()

    @property
    def stopped(self) -> bool:
        """Whether the parent cancelled the task or its deadline has passed."""
        expired = self._expires is not None and time.monotonic() > self._expires
        return expired or self._cancelled.is_set()

    def check(self) -> None:
        """Raise `CancelledError` if the task is to stop."""
        if self._cancelled.is_set():
            raise CancelledError("Stopped.")
        if self.stopped:
            raise CancelledError("Took too long.", "Try again, or ask for less.")

    def send(self, data: Message) -> None:
        """Stream one piece of data to the parent, before the result."""
        self._send({"id": self._number, "data": data})


Handler = Callable[[Message, Task], Message]
Notify = Callable[[str, Message], None]


class Worker:
    """Serves `handlers` over a pair of byte streams until the input ends."""

    def __init__(
        self,
        role: str,
        reader: BinaryIO,
        writer: BinaryIO,
        *,
        threads: int = 1,
        ordered: Collection[str] = (),
    ) -> None:
        self._role = role
        self._reader = reader
        self._writer = writer
        self._write_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=role)
        self._ordered = frozenset(ordered)
        self._queue = ThreadPoolExecutor(1, thread_name_prefix=f"{role}-ordered")
        self._tasks: dict[int, Task] = {}
        self._tasks_lock = threading.Lock()

    def notify(self, event: str, data: Message) -> None:
        """Send an event that no request asked for."""
        self._send({"event": event, "data": data})

    def run(self, handlers: Mapping[str, Handler]) -> None:
        """Greet, then serve until standard input ends (the parent is gone)."""
        hello = {"hello": self._role, "protocol": PROTOCOL, "pid": os.getpid()}
        self._send({**hello, "version": __version__})
        lines = LineBuffer()
        try:
            while data := os.read(self._reader.fileno(), READ_SIZE):
                for line in lines.feed(data):
                    self._receive(line, handlers)
        except ProtocolError:  # a line without end: nothing after it can be trusted
            log.exception("The input is not of this protocol; ending.")
        with self._tasks_lock:
            for task in self._tasks.values():
                task.cancel()
        for pool in (self._pool, self._queue):
            pool.shutdown(wait=False, cancel_futures=True)

    def _receive(self, line: bytes, handlers: Mapping[str, Handler]) -> None:
        try:
            message = decode(line)
        except ProtocolError as error:
            log.error("%s", error)  # noqa: TRY400 - the traceback would say no more
            return
        if "cancel" in message:
            with self._tasks_lock:
                task = self._tasks.get(_number(message["cancel"]))
            if task is not None:
                task.cancel()
            return
        number = _number(message.get("id"))
        if number < 0:
            log.error("A request without a number: %s", sorted(message))
            return
        method, deadline = message.get("method"), message.get("deadline")
        params = message.get("params") or {}
        handler = handlers.get(str(method))
        if handler is None:
            self._refuse(number, f"The {self._role} has no method {method!r}.")
            return
        if not isinstance(params, dict) or not isinstance(deadline, int | float | None):
            self._refuse(number, f"The parameters or the deadline of {method} are malformed.")
            return
        task = Task(self._send, number, deadline)
        with self._tasks_lock:
            self._tasks[number] = task
        pool = self._queue if str(method) in self._ordered else self._pool
        pool.submit(self._serve, number, task, handler, params)

    def _refuse(self, number: int, why: str) -> None:
        self._send({"id": number, "error": to_wire(ProtocolError(why))})

    def _serve(self, number: int, task: Task, handler: Handler, params: Message) -> None:
        try:
            task.check()
            line = encode({"id": number, "result": handler(params, task)})
        except CommonplaceError as error:
            line = encode({"id": number, "error": to_wire(error)})
        except Exception as error:  # a defect must not end the worker: it is reported
            log.exception("Request %d failed", number)
            line = encode({"id": number, "error": to_wire(error)})
        finally:
            with self._tasks_lock:
                self._tasks.pop(number, None)
        self._write(line)

    def _send(self, message: Message) -> None:
        self._write(encode(message))

    def _write(self, line: bytes) -> None:
        try:
            with self._write_lock:
                self._writer.write(line)
                self._writer.flush()
        except (BrokenPipeError, ValueError):
            # The parent is gone; the reader sees the end of input and we end.
            log.info("The parent no longer listens.")


def _number(value: object) -> int:
    """Return `value` if it can be the number of a request, else -1."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else -1


def take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for the protocol and send all other prints to stderr.

    Native libraries print to file descriptors 1 and 2 as they like, so the
    protocol moves to a private descriptor before any of them is loaded.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
    )
    faulthandler.enable(file=sys.stderr)
    protocol_out = os.fdopen(os.dup(1), "wb")
    protocol_in = os.fdopen(os.dup(0), "rb", buffering=0)
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return protocol_in, protocol_out


def run_worker(
    role: str,
    make_handlers: Callable[[Notify], Mapping[str, Handler]],
    *,
    threads: int = 1,
    ordered: Collection[str] = (),
) -> None:
    """Run the whole life of a worker process; does not return.

    Methods named in `ordered` are served one after another, as they arrive; others on
    `threads` threads at once. `make_handlers` gets the function that sends events, and
    is called once the standard streams are safe. The process ends without waiting for
    threads: everything a worker must not lose is committed before it is acknowledged.
    """
    # Ctrl-C in a terminal reaches the whole group; the parent decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reader, writer = take_standard_streams()
    worker = Worker(role, reader, writer, threads=threads, ordered=ordered)
    worker.run(make_handlers(worker.notify))
    logging.shutdown()
    os._exit(0)
