"""A project folder: the door to everything this room knows about files."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path

from commonplace.errors import ProjectError
from commonplace.workspace.files import FileStat, Snapshot, is_utf8, never, reason_to_skip
from commonplace.workspace.ignore import RULE_FILES, IgnoreRules
from commonplace.workspace.notes import PARENT, is_notes, matters_to_notes
from commonplace.workspace.reading import parts_of, read_below
from commonplace.workspace.scan import Walk, find_scope


class Workspace:
    """The files of one project folder, seen through its ignore rules.

    Nothing is remembered between calls except parsed ignore files, and
    nothing is ever written. `root` is absolute and resolved.
    """

    def __init__(self, root: Path) -> None:
        """Open the folder; raise `ProjectError` if it is missing, a file or unreadable."""
        self.root = _resolved(root)
        self._root = os.fspath(self.root)
        self._rules = IgnoreRules(self.root)
        self.last_scan_seconds = 0.0

    def scan(self, stop: Callable[[], bool] = never) -> Snapshot:
        """Walk the whole folder.

        Raises `CancelledError` if `stop` says so, and `ProjectError` if the
        folder is gone, also when it goes while being walked.
        """
        return self.scan_under([""], stop)

    def scan_under(self, folders: Collection[str], stop: Callable[[], bool] = never) -> Snapshot:
        """Walk only these folders and all below them, under the same rules.

        What the snapshot does not hold below `folders` is not in the project
        (any more). Raises as `scan` does.
        """
        began = time.monotonic()
        before = _identity(self.root)
        self._rules.refresh()
        walk = Walk(self._root, self._rules, stop)
        for folder in _outermost(folders):
            if not folder:
                walk.visit("", None)
                continue
            parts_of(folder)
            if folder == PARENT or is_notes(folder):
                walk.watch_notes()
            if is_notes(folder):
                continue
            above, _, name = folder.rpartition("/")
            scope = find_scope(self._root, self._rules, above)
            if scope is not None and not scope.ignores(name, True) and self._is_folder(folder):
                walk.visit(folder, scope)
        snapshot = walk.snapshot()
        if _identity(self.root) != before:
            raise _lost(self.root)
        if "" in folders:
            self.last_scan_seconds = time.monotonic() - began
        return snapshot

    def stat(self, path: str) -> FileStat | None:
        """Return the state of one file, or None if it is gone, ignored or skipped."""
        try:
            parts = parts_of(path)
        except PermissionError:
            return None
        scope = find_scope(self._root, self._rules, "/".join(parts[:-1]))
        if scope is None or scope.ignores(parts[-1], False) or not is_utf8(path):
            return None
        if is_notes(path):
            return None
        try:
            info = os.lstat(f"{self._root}/{path}")
        except OSError:
            return None
        return None if reason_to_skip(parts[-1], info) else FileStat.of(path, info)

    def matters(self, folder: str, name: str, is_dir: bool) -> bool:
        """Return whether a change of this entry, there or gone, can change the project.

        `folder` counted at the last scan. A file that carries rules matters
        even when it ignores itself.
        """
        if name in RULE_FILES or matters_to_notes(folder, name):
            return True
        scope = find_scope(self._root, self._rules, folder)
        return scope is not None and not scope.ignores(name, is_dir)

    def read(self, path: str) -> bytes:
        """Return the bytes of a regular file, opened read-only.

        No link is followed and no pipe waited for. Raises
        `FileNotFoundError`, or another `OSError` for a path that leaves the
        root, is no regular file, or has grown beyond the size limit.
        """
        return read_below(self.root, path)

    def _is_folder(self, folder: str) -> bool:
        return find_scope(self._root, self._rules, folder) is not None


def _resolved(root: Path) -> Path:
    try:
        resolved = Path(os.path.realpath(root, strict=True))
        with os.scandir(resolved):
            return resolved
    except FileNotFoundError as error:
        raise ProjectError(
            f"The folder {root} does not exist.", "Choose a folder that exists."
        ) from error
    except NotADirectoryError as error:
        raise ProjectError(
            f"{root} is not a folder.", "Choose the folder that holds the file."
        ) from error
    except PermissionError as error:
        raise ProjectError(
            f"The folder {root} may not be read.", "Change its permissions, or choose another."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(
            f"The folder {root} cannot be opened: {reason}.", "Choose another folder."
        ) from error


def _identity(root: Path) -> tuple[int, int]:
    """Return what tells the folder from another one put in its place."""
    try:
        with os.scandir(root):
            info = root.stat()
    except OSError as error:
        raise _lost(root, error) from error
    return info.st_dev, info.st_ino


def _lost(root: Path, error: OSError | None = None) -> ProjectError:
    if error is not None and error.errno not in {errno.ENOENT, errno.ENOTDIR}:
        what = f"The folder {root} cannot be read any more: {error.strerror}."
    else:
        what = f"The folder {root} is gone."
    return ProjectError(what, "Put it back, or open another folder.")


def _outermost(folders: Collection[str]) -> list[str]:
    """Return the folders that lie in none of the others."""
    if "" in folders:
        return [""]
    found: list[str] = []
    for folder in sorted(set(folders), key=lambda path: path.split("/")):
        if not found or not folder.startswith(f"{found[-1]}/"):
            found.append(folder)
    return found
