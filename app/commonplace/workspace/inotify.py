"""Linux: one inotify instance with one watch per folder that counts.

watchdog's own observer starts a thread per watch; its `InotifyFD` below
serves any number of watches from one thread.

A watch belongs to a folder and not to its name. When a folder is moved, its
watches and those below it would go on reporting under the old names, so they
are dropped; the next `set_folders` adds them under the new names.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

from watchdog.observers.inotify_c import InotifyConstants, InotifyFD

from commonplace.workspace.sink import Sink

# Not IN_MODIFY: a log that is written all day would have its folder scanned
# all day. Files are looked at when their writer closes them.
_MASK = (
    InotifyConstants.IN_ATTRIB
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_CREATE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVED_FROM
    | InotifyConstants.IN_MOVED_TO
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
    | InotifyConstants.IN_DONT_FOLLOW
    | InotifyConstants.IN_EXCL_UNLINK
)
_NO_WATCH = -1


class InotifySource:
    """Watches on single folders. Also the callback of each of them."""

    def __init__(self, root: Path, sink: Sink) -> None:
        """Open the instance; raise `OSError` when the system has none left."""
        self._root = os.fsencode(root)
        self._sink = sink
        self._lock = threading.RLock()
        self._ids = itertools.count()
        # By folder: the watch, and the name under which watchdog knows our use of it.
        self._watch_of: dict[str, tuple[int, int]] = {}
        self._folder_of: dict[int, str] = {}
        # Folders that are another watched folder under a second name, by a
        # bind mount: tried once, or the two would take turns for ever.
        self._doubles: set[str] = set()
        self._inotify: Any = InotifyFD()
        self._inotify.start()

    @property
    def watched(self) -> int:
        """How many folders are watched."""
        return len(self._watch_of)

    def set_folders(self, folders: Collection[str]) -> frozenset[str]:
        """Watch exactly these folders and return the new ones.

        A folder that is gone meanwhile is left out: the folder it lay in
        reports that. Raises `OSError` when the watches run out.
        """
        wanted = frozenset(folders)
        with self._lock:
            # First remove, then add: a moved folder keeps its watch, which
            # must not be found under two names.
            self._drop([folder for folder in self._watch_of if folder not in wanted])
            self._doubles &= wanted
            new = {f for f in wanted if f not in self._watch_of and f not in self._doubles}
            waiting = sorted(new, reverse=True)
            while waiting:
                robbed = self._add(waiting.pop())
                if robbed in new:
                    self._doubles.add(robbed)
                elif robbed is not None:
                    new.add(robbed)
                    waiting.append(robbed)
            return frozenset(folder for folder in new if folder in self._watch_of)

    def close(self) -> None:
        """End the thread and close the instance, which removes all watches."""
        self._inotify.stop()
        self._inotify.join()
        with self._lock:
            self._watch_of.clear()
            self._folder_of.clear()

    def on_event(self, event: Any) -> None:
        """Pass on one event (called by watchdog)."""
        with self._lock:
            folder = self._folder_of.get(event.wd)
            if folder is None:
                return
            moved = event.is_move_self
            if moved:
                self._doubles.clear()
                self._drop([f for f in self._watch_of if _is_within(f, folder)])
        if not folder and (moved or event.is_delete_self):
            self._sink.root_lost()
        else:
            self._sink.changed(folder, os.fsdecode(event.name), event.is_directory)

    def on_watch_deleted(self, wd: int) -> None:
        """Forget a watch that the kernel removed with its folder (called by watchdog)."""
        with self._lock:
            folder = self._folder_of.pop(wd, None)
            if folder is not None:
                del self._watch_of[folder]
        if folder == "":
            self._sink.root_lost()

    def on_queue_overflow(self) -> None:
        """Pass on that events were lost (called by watchdog)."""
        self._sink.lost()

    def _add(self, folder: str) -> str | None:
        """Watch a folder; return the one that had its watch until now, if any.

        That happens when a folder was moved, its old name is taken again, and
        the events that say so still wait to be read.
        """
        path = os.path.join(self._root, os.fsencode(folder)) if folder else self._root  # noqa: PTH118
        number = next(self._ids)
        try:
            wd = self._inotify.add_callback(path, _MASK, self, number)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if wd == _NO_WATCH:  # no permission, which watchdog keeps to itself
            self._inotify.remove_callbacks([(wd, number)])
            return None
        robbed: str | None = self._folder_of.get(wd)
        if robbed is not None:
            self._drop([robbed])
        self._watch_of[folder] = (wd, number)
        self._folder_of[wd] = folder
        return robbed

    def _drop(self, folders: list[str]) -> None:
        watches = [self._watch_of.pop(folder) for folder in folders]
        for wd, _ in watches:
            del self._folder_of[wd]
        self._inotify.remove_callbacks(watches)


def _is_within(folder: str, outer: str) -> bool:
    return not outer or folder == outer or folder.startswith(f"{outer}/")
