"""The watcher: says in which folders something may have changed.

It promises no more than a hint. Whoever listens looks at the disk again and
then tells the watcher, by `Watcher.update`, which folders there are now.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from commonplace.words import said
from commonplace.workspace.pending import Pending
from commonplace.workspace.project import Workspace
from commonplace.workspace.sources import Source, SourceFactory, open_source

_QUIET_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 0.5
_ROOT_CHECK_SECONDS = 2.0
_POLL_SECONDS = 2.0
# Polling may take a twentieth of the time, however slow the disk is.
_POLL_PER_SCAN_SECOND = 20.0

OnChange = Callable[[frozenset[str] | None], None]


@dataclass(frozen=True, slots=True)
class WatchState:
    """How changes are noticed; `note` says why polling, and the remedy."""

    mode: Literal["events", "polling"]
    folders: int
    note: str


class Watcher:
    """Watches the folders of a workspace.

    `on_change` is called from the watcher's own thread with the relative
    paths of the folders in which something changed, once it has been quiet
    for 100 ms and at most 500 ms after the first change; or with None when
    anything may have changed: after the start, a burst, lost events, a
    nudge, on the timer, and when polling. It must not raise, and it may call
    `update` and `nudge`.
    """

    def __init__(
        self,
        workspace: Workspace,
        on_change: OnChange,
        *,
        timer_seconds: float = 60.0,
        source_factory: SourceFactory = open_source,
    ) -> None:
        self._workspace = workspace
        self._on_change = on_change
        self._timer_seconds = timer_seconds
        self._source_factory = source_factory
        self._source_lock = threading.RLock()
        self._source: Source | None = None
        self._wake = threading.Condition()
        self._pending = Pending()
        self._root_gone = False
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._note = "not started"

    @property
    def state(self) -> WatchState:
        """How changes are noticed just now."""
        source = self._source
        if source is None:
            return WatchState("polling", 0, self._note)
        return WatchState("events", source.watched, "")

    def start(self, folders: Collection[str]) -> None:
        """Begin to watch the folders of a snapshot.

        What changed between that scan and now was missed, so the first
        report asks for a scan of everything.
        """
        if self._thread is not None:
            return
        self._stopping = False
        with self._source_lock:
            try:
                self._source = self._source_factory(self._workspace.root, self)
                self._source.set_folders(folders)
            except OSError as error:
                self._fall_back(error)
        self.lost()
        self._thread = threading.Thread(target=self._run, name="commonplace-watch", daemon=True)
        self._thread.start()

    def update(self, folders: Collection[str]) -> None:
        """Watch exactly these folders from now on: all that the project has.

        Folders that are new to the watcher are reported, since what happened
        in them before they were watched was missed.
        """
        with self._source_lock:
            if self._source is None:
                return
            try:
                new = self._source.set_folders(folders)
            except OSError as error:
                self._fall_back(error)
                self.lost()
                return
        for folder in new:
            self.changed(folder, "", True)

    def nudge(self) -> None:
        """Ask for a report on everything soon, for instance when a window got focus."""
        self.lost()

    def stop(self) -> None:
        """Stop watching; afterwards no thread and no descriptor is left."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        with self._source_lock:
            self._close_source()
            self._note = "stopped"

    def changed(self, folder: str, name: str, is_dir: bool) -> None:
        """Take note of a change (called by the source)."""
        with self._wake:
            self._wake_for_first()
            self._pending.add(folder, name, is_dir, time.monotonic())

    def lost(self) -> None:
        """Take note that anything may have changed (called by the source)."""
        with self._wake:
            self._wake_for_first()
            self._pending.add_everything(time.monotonic())

    def root_lost(self) -> None:
        """Take note that the root is gone, or another one (called by the source)."""
        self._root_gone = True
        self.lost()

    def _wake_for_first(self) -> None:
        """Wake the thread for the first of many changes; it looks after the rest itself."""
        if self._pending.first is None:
            self._wake.notify_all()

    def _run(self) -> None:
        last_full = last_check = time.monotonic()
        identity = self._root_identity()
        while True:
            pending = self._next_pending(last_full, last_check)
            if pending is None:
                return
            last_check = time.monotonic()
            now_there = self._root_identity()
            if now_there != identity or (self._root_gone and now_there is not None):
                identity = now_there
                self._rewatch_root(there=identity is not None)
                pending.add_everything(last_check)
            if pending.everything or last_check >= last_full + self._full_interval():
                self._on_change(None)
                last_full = time.monotonic()
            elif folders := pending.folders(self._workspace.matters):
                self._on_change(folders)

    def _next_pending(self, last_full: float, last_check: float) -> Pending | None:
        """Wait until something is due; return it, or None when stopped."""
        with self._wake:
            while not self._stopping:
                now = time.monotonic()
                due = min(last_full + self._full_interval(), last_check + _ROOT_CHECK_SECONDS)
                told = self._pending.due(_QUIET_SECONDS, _LONGEST_WAIT_SECONDS)
                if told is not None and told <= now:
                    taken, self._pending = self._pending, Pending()
                    return taken
                if due <= now:
                    return Pending()
                self._wake.wait((due if told is None else min(due, told)) - now)
        return None

    def _full_interval(self) -> float:
        if self._source is not None:
            return self._timer_seconds
        slow = _POLL_PER_SCAN_SECOND * self._workspace.last_scan_seconds
        return min(max(_POLL_SECONDS, slow), max(self._timer_seconds, _POLL_SECONDS))

    def _root_identity(self) -> tuple[int, int] | None:
        try:
            info = self._workspace.root.stat()
        except OSError:
            return None
        return info.st_dev, info.st_ino

    def _rewatch_root(self, *, there: bool) -> None:
        """Drop the watches of the folder that is gone; watch the one in its place."""
        with self._source_lock:
            if self._source is None:
                self._root_gone = False
                return
            try:
                self._source.set_folders(())
                # Dropping may itself be reported, hence only now.
                self._root_gone = not there
                if there:
                    self._source.set_folders({""})
            except OSError as error:
                self._fall_back(error)

    def _fall_back(self, error: OSError) -> None:
        self._close_source()
        self._note = said(f"{_reason(error)} Until then the folder is scanned every few seconds.")

    def _close_source(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()


def _reason(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return (
            "The system's inotify watches are used up. Allow more of them:"
            " sudo sysctl fs.inotify.max_user_watches=1048576."
        )
    if error.errno == errno.EMFILE:
        return (
            "The system's inotify instances or this program's open files are used up."
            " Allow more: sudo sysctl fs.inotify.max_user_instances=1024."
        )
    return f"The system reports no changes here: {error.strerror or error}. Restart to try again."
