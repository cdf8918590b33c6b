"""Keeps a memory up to date behind a window.

One thread owns the writing side of `Memory`: it reconciles what the watcher
hints at, then embeds in small steps between which new changes are seen.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
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

EVERYTHING: frozenset[str] = frozenset({""})


class Keeper:
    """Runs the writing side of a `Memory` in a thread of its own.

    `on_files` is called when the set of files changed, `on_changed` with the
    paths whose content did; both from the keeper's thread.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        on_files: Callable[[], None],
        on_changed: Callable[[list[str]], None],
    ) -> None:
        self._memory = memory
        self._on_files = on_files
        self._on_changed = on_changed
        self._wake = threading.Condition()
        self._pending: set[str] = {""}
        self._closing = False
        self._paused = False
        self._embedding = True
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
        self._watcher.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def reconcile(self) -> None:
        """Compare the whole folder with the index soon."""
        self._noticed(None)

    def stale(self, path: str) -> None:
        """Look at the folder of `path` soon: recall found that it changed."""
        folder = str(PurePosixPath(path).parent)
        self._noticed(frozenset({"" if folder == "." else folder}))

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

    def _noticed(self, folders: frozenset[str] | None) -> None:
        with self._wake:
            self._pending |= EVERYTHING if folders is None else folders
            self._wake.notify_all()

    def _stopped(self) -> bool:
        return self._closing or self._paused

    def _run(self) -> None:
        _give_way()
        while True:
            with self._wake:
                while not (self._closing or self._has_work()):
                    self._rest()
                if self._closing:
                    return
                folders, self._pending = self._pending, set()
            try:
                if folders:
                    self._reconcile(folders)
                else:
                    self._embedding = self._memory.embed(self._stopped, EMBED_STEP)
            except CancelledError:
                self._give_back(folders)
            except (CommonplaceError, sqlite3.Error) as error:
                self._fail(error, folders)
            except Exception as error:  # a defect must not end the thread: it is told
                log.exception("The keeper met a defect")
                self._fail(from_wire(to_wire(error)), folders)

    def _has_work(self) -> bool:
        return not self._paused and bool(self._pending or self._embedding)

    def _rest(self) -> None:
        """Say that nothing is left to do, and wait."""
        phase = "paused" if self._paused else "ready"
        if self._memory.status.phase != phase:
            self._memory.report(phase=phase, done=0, total=0)
        self._wake.wait()

    def _reconcile(self, folders: set[str]) -> None:
        outcome = self._memory.refresh(folders, self._stopped)
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
