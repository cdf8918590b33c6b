"""The walk: from a folder to the files and folders that count."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable

from commonplace.errors import CancelledError
from commonplace.words import said
from commonplace.workspace.files import (
    FileStat,
    Skipped,
    Snapshot,
    explain,
    is_utf8,
    join,
    printable,
    reason_to_skip,
)
from commonplace.workspace.ignore import IgnoreRules, Scope
from commonplace.workspace.junk import INSIDE_MARKER
from commonplace.workspace.notes import is_notes, note_folders

_ENTRIES_BETWEEN_CHECKS = 1024


class Walk:
    """One walk below a root; `visit` a folder or several, then take the `snapshot`."""

    def __init__(self, root: str, rules: IgnoreRules, stop: Callable[[], bool]) -> None:
        self._root = root
        self._rules = rules
        self._stop = stop
        self._files: dict[str, FileStat] = {}
        self._skipped: list[Skipped] = []
        self._folders: set[str] = set()
        self._waiting: list[tuple[str, Scope | None]] = []

    def visit(self, folder: str, parent: Scope | None) -> None:
        """Walk `folder` and all below it; `parent` holds the rules around it.

        Raises `CancelledError` when asked to stop. A folder that is gone
        leaves no trace.
        """
        self._waiting.append((folder, parent))
        while self._waiting:
            self._visit_one(*self._waiting.pop())
        if not folder:
            self.watch_notes()

    def watch_notes(self) -> None:
        """Take the folders of notes as walked, whatever the rules say of them."""
        self._folders.update(note_folders(self._root))

    def snapshot(self) -> Snapshot:
        """Return what was found."""
        self._skipped.sort(key=lambda skipped: skipped.path)
        return Snapshot(self._files, tuple(self._skipped), frozenset(self._folders))

    def _visit_one(self, folder: str, parent: Scope | None) -> None:
        self._check()
        try:
            with os.scandir(f"{self._root}/{folder}") as listing:
                entries = list(listing)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            self._skipped.append(Skipped(folder, explain(error)))
            return
        names = {entry.name for entry in entries}
        if parent and INSIDE_MARKER in names and not parent.insists_on(folder.rpartition("/")[2]):
            return
        scope = self._rules.enter(parent, folder, names.__contains__)
        self._folders.add(folder)
        for number, entry in enumerate(entries, 1):
            if number % _ENTRIES_BETWEEN_CHECKS == 0:
                self._check()
            self._take(entry, folder, scope)

    def _take(self, entry: os.DirEntry[str], folder: str, scope: Scope) -> None:
        name = entry.name
        path = f"{folder}/{name}" if folder else name
        try:
            is_dir = entry.is_dir(follow_symlinks=False)
            if is_notes(path):
                return  # the book reads them
            if scope.ignores(name, is_dir):
                return
            if not is_utf8(name):
                self._skipped.append(Skipped(printable(path), "name is not valid UTF-8"))
            elif is_dir and not is_junction(entry):
                self._waiting.append((path, scope))
            elif is_dir or entry.is_symlink():
                self._skipped.append(Skipped(path, link_reason(self._root, path)))
            else:
                self._take_file(name, path, entry.stat(follow_symlinks=False))
        except FileNotFoundError:
            return
        except OSError as error:
            self._skipped.append(Skipped(path, explain(error)))

    def _take_file(self, name: str, path: str, info: os.stat_result) -> None:
        reason = reason_to_skip(name, info)
        if reason is None:
            self._files[path] = FileStat.of(path, info)
        else:
            self._skipped.append(Skipped(path, reason))

    def _check(self) -> None:
        if self._stop():
            raise CancelledError("The scan was stopped.")


def find_scope(root: str, rules: IgnoreRules, folder: str) -> Scope | None:
    """Return the rules inside `folder`, or None if a walk would not get there.

    `folder` is a valid relative path, or ``""`` for the root.
    """
    scope = rules.enter(None, "", _looker(root))
    at = ""
    for name in folder.split("/") if folder else ():
        at = join(at, name)
        has = _looker(f"{root}/{at}")
        if not _is_real_folder(f"{root}/{at}") or not is_utf8(name) or scope.ignores(name, True):
            return None
        if has(INSIDE_MARKER) and not scope.insists_on(name):
            return None
        scope = rules.enter(scope, at, has)
    return scope


def is_junction(entry: os.DirEntry[str]) -> bool:
    """Return whether a folder is a Windows junction, a link in all but name."""
    if sys.platform == "win32":
        attributes = entry.stat(follow_symlinks=False).st_file_attributes
        return bool(attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT)
    return False


def link_reason(root: str, path: str) -> str:
    """Return why a symbolic link is left out, by where it leads."""
    try:
        target = os.path.realpath(f"{root}/{path}", strict=True)
    except FileNotFoundError:
        return said("symbolic link to nothing")
    except OSError as error:
        return said(f"symbolic link that cannot be followed: {error.strerror}")
    if target != root and not target.startswith(root.rstrip(os.sep) + os.sep):
        return said("symbolic link out of the folder")
    if os.path.isdir(target):  # noqa: PTH112 - a plain string, as in the whole walk
        return said("symbolic link to a folder; its target is walked")
    return "symbolic link; its target is indexed"


def _looker(folder: str) -> Callable[[str], bool]:
    """Return the question whether `folder` holds an entry of a name."""
    return lambda name: os.path.lexists(f"{folder}/{name}")


def _is_real_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False
