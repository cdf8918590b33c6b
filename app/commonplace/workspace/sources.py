"""Where change events come from, behind one small interface.

A source says "something about this name in this folder changed". It neither
filters nor waits; `Watcher` does both.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Protocol

from commonplace.workspace.files import join
from commonplace.workspace.sink import Sink


class Source(Protocol):
    """A running source of events."""

    @property
    def watched(self) -> int:
        """How many folders are watched."""

    def set_folders(self, folders: Collection[str]) -> frozenset[str]:
        """Watch exactly these folders; return those of which events may have been missed.

        Raises `OSError` when the system refuses more watches.
        """

    def close(self) -> None:
        """End the source's threads and release what it holds."""


SourceFactory = Callable[[Path, Sink], Source]


def open_source(root: Path, sink: Sink) -> Source:
    """Open the best source of this system; raise `OSError` if there is none."""
    if sys.platform != "linux":
        return TreeSource(root, sink)
    # Only Linux has the C functions that this module binds when imported.
    from commonplace.workspace.inotify import InotifySource

    return InotifySource(root, sink)


class TreeSource:
    """One recursive watch, for systems that offer it: macOS and Windows."""

    def __init__(self, root: Path, sink: Sink) -> None:
        self._root = os.fspath(root)
        self._sink = sink
        self._lock = threading.Lock()
        self._folders: frozenset[str] = frozenset()
        self._observer: Any = None

    @property
    def watched(self) -> int:
        """How many folders are watched."""
        return len(self._folders)

    def set_folders(self, folders: Collection[str]) -> frozenset[str]:
        """Report on these folders only; without any, release the watch."""
        with self._lock:
            self._folders = frozenset(folders)
        if not folders:
            self.close()
        elif self._observer is None:
            from watchdog.observers import Observer  # Linux does without it

            observer = Observer()
            observer.schedule(self, self._root, recursive=True)
            observer.start()
            self._observer = observer
            return self._folders
        return frozenset()

    def close(self) -> None:
        """End the watch and its threads."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join()

    def dispatch(self, event: Any) -> None:
        """Report what an event says about folders that count (called by watchdog)."""
        if event.event_type in {"opened", "closed_no_write"}:
            return
        if event.is_directory and event.event_type == "modified":
            return  # an echo of the event about what lies in that folder
        for path in {os.fsdecode(event.src_path), os.fsdecode(event.dest_path)} - {""}:
            self._report(path, is_dir=event.is_directory, gone=event.event_type == "deleted")

    def _report(self, path: str, *, is_dir: bool, gone: bool) -> None:
        if path == self._root:
            if gone:
                self._sink.root_lost()
            return
        if not path.startswith(self._root.rstrip(os.sep) + os.sep):
            return
        parts = path[len(self._root) :].strip(os.sep).replace(os.sep, "/").split("/")
        with self._lock:
            folders = self._folders
        # An event deep in a folder that is not walked is one about that
        # folder, as seen from the nearest folder that is.
        folder = ""
        for depth, name in enumerate(parts):
            last = depth == len(parts) - 1
            if last or join(folder, name) not in folders:
                self._sink.changed(folder, name, is_dir or not last)
                return
            folder = join(folder, name)
