"""A few parser processes, for when more files wait than one process should read.

Parsing and cutting hold Python's lock, so in the memory process they would
keep searches waiting and use one processor. Each process here serves one
thread, which reads a file, hands it over and waits; results come back in the
order the files were named in, so the index is the same as without.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Self, TypeVar

from commonplace.errors import CancelledError
from commonplace.index.entries import from_frame
from commonplace.index.parsing import read_frame, write_frame
from commonplace.index.rows import FileEntries
from commonplace.paths import worker_command
from commonplace.workspace.files import FileStat

T = TypeVar("T")

MOST = 4
TRIES = 2
FILES_AHEAD, BYTES_AHEAD = 256, 8 << 20
"""How far reading runs ahead of writing."""
PATIENCE, START_PATIENCE = 60.0, 60.0
"""Seconds after which a parser that says nothing, or does not start, is taken for lost."""
POLL_SECONDS, CLOSE_SECONDS = 0.1, 0.01


class ParserLostError(Exception):
    """The parser process ended, or was ended, before it answered."""


class Parser:
    """One parser process, started anew by the first file after it was lost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = math.inf

    def parse(self, path: str, data: bytes) -> FileEntries:
        """Return the entries of a file.

        Raises `ParserLostError` if the process ends meanwhile, and `OSError`
        if none can be started.
        """
        try:
            process = self._process or self._start()
            self._deadline = time.monotonic() + PATIENCE
            return self._answer(process, path, data)
        finally:
            self._deadline = math.inf

    def _answer(self, process: subprocess.Popen[bytes], path: str, data: bytes) -> FileEntries:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            write_frame(process.stdin, json.dumps(path).encode(), data)
            return from_frame(*read_frame(process.stdout))
        except (EOFError, OSError, ValueError) as error:
            self.stop()
            raise ParserLostError from error

    def kill(self) -> None:
        """End the process, from any thread; `parse` sees that it is lost."""
        process = self._process
        if process is not None:
            process.kill()

    @property
    def late(self) -> bool:
        """Whether it has said nothing for longer than it may."""
        return time.monotonic() > self._deadline

    def stop(self) -> None:
        """End the process, and wait for its end."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()  # it holds nothing that could be lost
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        self._deadline = time.monotonic() + START_PATIENCE
        process = self._process = subprocess.Popen(
            worker_command("parser"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0),
        )
        assert process.stdout is not None
        try:
            read_frame(process.stdout)
        except EOFError:
            self.stop()
            raise OSError(f"the parser process ended with status {process.returncode}") from None
        return process


class Parsers:
    """As many parsers as the machine has processors to give, each with its thread."""

    def __init__(self, count: int = 0) -> None:
        """Make `count` parsers; 0 leaves the choice to the machine. None is started yet."""
        count = count or min(MOST, os.cpu_count() or 1)
        self._parsers = [Parser() for _ in range(count)]
        self._idle: queue.SimpleQueue[Parser] = queue.SimpleQueue()
        for parser in self._parsers:
            self._idle.put(parser)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="parser")
        self._closing = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        while self._idle.qsize() < len(self._parsers):  # some may only now be starting
            for parser in self._parsers:
                parser.kill()
            time.sleep(CLOSE_SECONDS)
        self._threads.shutdown()
        for parser in self._parsers:
            parser.stop()

    def parse(self, path: str, data: bytes) -> FileEntries | None:
        """Return the entries of a file, or None if it cost two parsers their life.

        One may have been chance. For the threads of `in_order`. Raises
        `OSError` if no parser can be started, and `CancelledError` when closed.
        """
        parser = self._idle.get()
        try:
            for _ in range(TRIES):
                with contextlib.suppress(ParserLostError):
                    return parser.parse(path, data)
                if self._closing:  # its end was our doing
                    raise CancelledError("Stopped.")
            return None
        finally:
            self._idle.put(parser)

    def in_order(
        self, stats: Iterable[FileStat], work: Callable[[FileStat], T], stop: Callable[[], bool]
    ) -> Iterator[T]:
        """Do `work` for each file in the parsers' threads; ends early if `stop` says so.

        Results come in the order of `stats`. Raises what `work` raises.
        """
        coming = iter(stats)
        waiting: deque[tuple[int, Future[T]]] = deque()
        ahead = 0
        while True:
            while len(waiting) < FILES_AHEAD and ahead < BYTES_AHEAD:
                stat = next(coming, None)
                if stat is None:
                    break
                waiting.append((stat.size, self._threads.submit(work, stat)))
                ahead += stat.size
            if not waiting or not self._settled(waiting[0][1], stop):
                return
            size, future = waiting.popleft()
            ahead -= size
            yield future.result()

    def _settled(self, future: Future[T], stop: Callable[[], bool]) -> bool:
        """Wait for `future`; returns whether it is done, and not because of `stop`."""
        while not future.done():
            if stop():
                return False
            wait([future], POLL_SECONDS)
            for parser in self._parsers:
                if parser.late:
                    parser.kill()
        return True
