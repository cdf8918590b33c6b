"""A watched project folder: which files it has, and what changed.

`Workspace` walks the folder under git's ignore rules and our own;
`Watcher` says in which folders something may have changed. Events are a
hint and the scan is the truth: the kernel drops events when its queue
overflows, so whoever listens reconciles by scanning.
"""

from commonplace.workspace.files import MAX_FILE_BYTES, FileStat, Skipped, Snapshot
from commonplace.workspace.project import Workspace
from commonplace.workspace.watch import Watcher, WatchState

__all__ = [
    "MAX_FILE_BYTES",
    "FileStat",
    "Skipped",
    "Snapshot",
    "WatchState",
    "Watcher",
    "Workspace",
]
