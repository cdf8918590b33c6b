"""Keeps a memory up to date behind a window.

One thread owns the writing side of `Memory`: it reconciles what the watcher
hints at, then embeds in small steps between which new changes are seen, and
learns from the project when nothing else is left to do.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import PurePosixPath

from commonplace.errors import CancelledError, CommonplaceError, from_wire, to_wire
from commonplace.index.database import storage_error
from commonplace.memory.project import Memory
from commonplace.workspace.watch import Watcher

log = logging.getLogger(__name__)

EMBED_STEP = 64
"""Chunks embedded before looking for changes again: about a second on a laptop."""
RETRY_SECONDS = 5.0

NICENESS = 10
FIRST_FILES, SELDOM_FILES = 1.0, 8.0
"""Seconds of reading after which files read so far are told of: soon at first, then seldom."""

EVERYTHING: frozenset[str] = frozenset({""})


class Keeper:
    """Runs the writing side of a `Memory` in a thread of its own.

    `on_files` is called when the set of files changed, `on_changed` with the
    paths whose content did; both from the keeper's thread. `on_notes` is called
    when notes or what became of their anchors changed, from any thread.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        on_files: Callable[[], None],
        on_changed: Callable[[list[str]], None],
        on_notes: Callable[[], None] = lambda: None,
    ) -> None:
        self._memory = memory
        self._on_notes = on_notes
        memory.book.on_change = self._notes_changed
        self._on_files = on_files
        self._on_changed = on_changed
        self._wake = threading.Condition()
        self._pending: set[str] = {""}
        self._closing = False
        self._paused = False
        self._rebuilding = False
        self._embedding = True
        self._tending = False
        self._watcher = Watcher(memory.workspace, self._noticed)
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin: reconcile everything, then watch, then embed."""
        self._thread.start()

    def close(self) -> None:
        """Stop at the next safe point and wait for it."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
        self._watcher.stop()  # only now: the thread may have been about to start it

    def reconcile(self) -> None:
        """Compare the whole folder with the index soon."""
        self._noticed(None)

    def stale(self, path: str) -> None:
        """Look at the folder of `path` soon: recall found that it changed."""
        folder = str(PurePosixPath(path).parent)
        self._noticed(frozenset({"" if folder == "." else folder}))

    def tend(self) -> None:
        """Look at the notes soon: something happened that may be worth a draft."""
        with self._wake:
            self._embedding = True
            self._wake.notify_all()

    def pause(self) -> None:
        """Stop reading and embedding; what is indexed can be searched."""
        with self._wake:
            self._paused = True
            self._wake.notify_all()

    def resume(self) -> None:
        """Go on, starting with a look at everything."""
        with self._wake:
            self._paused = False
            self._pending.add("")
            self._wake.notify_all()

    def rebuild(self) -> None:
        """Throw the index away soon and read everything anew; a pause ends by that."""
        with self._wake:
            self._rebuilding = True
            self._paused = False
            self._pending.add("")
            self._wake.notify_all()

    def _notes_changed(self) -> None:
        self._on_notes()
        ours = self._tending and threading.current_thread() is self._thread
        if not ours:  # new notes want vectors, and a look at the code they speak of
            self.tend()

    def _noticed(self, folders: frozenset[str] | None) -> None:
        with self._wake:
            self._pending |= EVERYTHING if folders is None else folders
            self._wake.notify_all()

    def _stopped(self) -> bool:
        return self._closing or self._paused or self._rebuilding

    def _wanted(self) -> bool:
        """Whether something more urgent waits."""
        return self._stopped() or bool(self._pending)

    def _run(self) -> None:
        _give_way()
        while True:
            with self._wake:
                while not (self._closing or self._has_work()):
                    self._rest()
                if self._closing:
                    return
                folders, self._pending = self._pending, set()
                rebuild, self._rebuilding = self._rebuilding, False
                # What is asked for from here on, while this is done, is work for the next turn.
                self._embedding = bool(folders) and self._embedding
            try:
                if rebuild:
                    self._memory.rebuild()
                    self._on_files()
                if folders:
                    self._reconcile(folders)
                else:
                    self._embed_and_tend()
            except CancelledError:
                self._give_back(folders)
            except (CommonplaceError, sqlite3.Error) as error:
                self._fail(error, folders)
            except Exception as error:  # a defect must not end the thread: it is told
                log.exception("The keeper met a defect")
                self._fail(from_wire(to_wire(error)), folders)

    def _embed_and_tend(self) -> None:
        """Embed a step; when nothing is left, look at the notes, then at the index, then learn."""
        more = self._memory.embed(self._stopped, EMBED_STEP)
        if not more:
            self._tending = True
            try:
                self._memory.tend_notes(self._stopped)
            finally:
                self._tending = False
            more = not self._memory.check(self._wanted)
        if more:
            self._embedding = True
        elif not self._embedding:
            self._rested()
            self._memory.learn(self._wanted)

    def _has_work(self) -> bool:
        return not self._paused and bool(self._pending or self._embedding)

    def _rest(self) -> None:
        """Say that nothing is left to do, and wait."""
        self._rested()
        self._wake.wait()

    def _rested(self) -> None:
        """Say that all is done which anyone would wait for."""
        phase = "paused" if self._paused else "ready"
        if self._memory.status.phase != phase:
            self._memory.report(phase=phase, done=0, total=0)

    def _reconcile(self, folders: set[str]) -> None:
        outcome = self._memory.refresh(folders, self._telling(self._stopped))
        if self._watcher.state.note == "not started":
            self._watcher.start(self._memory.folders)
        else:
            self._watcher.update(self._memory.folders)
        state = self._watcher.state
        if state.mode != self._memory.status.watching:
            self._memory.report(watching=state.mode)
        self._memory.note("watching", state.note)
        self._memory.note("failure", "")
        if outcome.appeared:
            self._on_files()
        if outcome.changed:
            self._on_changed(list(outcome.changed))
            self._embedding = True

    def _telling(self, stop: Callable[[], bool]) -> Callable[[], bool]:
        """Return `stop`, which while files are read also tells now and then that there are more.

        It is asked all the time; a large project would else look empty until all of it is read.
        """
        pause, due = FIRST_FILES, time.monotonic() + FIRST_FILES

        def stopped() -> bool:
            nonlocal pause, due
            now = time.monotonic()
            if now > due and self._memory.status.phase == "reading":
                pause = min(pause * 2, SELDOM_FILES)
                due = now + pause
                self._on_files()
            return stop()

        return stopped

    def _give_back(self, folders: set[str]) -> None:
        """Keep the work that was interrupted for later; some of it may be done."""
        self._embedding = True
        with self._wake:
            self._pending |= folders

    def _fail(self, error: CommonplaceError | sqlite3.Error, folders: set[str]) -> None:
        """Show the failure, and try again after a while or at the next change."""
        if isinstance(error, sqlite3.Error):
            error = storage_error(error, self._memory.folder)
        log.warning("Indexing stopped: %s", type(error).__name__)
        self._embedding = True  # what was read before still wants vectors
        self._memory.note("failure", str(error))
        self._memory.report(phase="failed")
        with self._wake:
            if not self._closing:
                self._wake.wait(RETRY_SECONDS)
            self._pending |= folders or EVERYTHING


def _give_way() -> None:
    """Let answers and searches go before indexing; where threads have priorities.

    On Linux a thread's niceness is its own, and threads started by it inherit it.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
