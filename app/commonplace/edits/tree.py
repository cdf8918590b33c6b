"""The files of one project, opened without ever leaving it.

A folder is opened part by part from the root, and no part may be a link; names
must be spelled as the disk spells them. Files with a second name (a hard link)
are refused: to replace one would cut it off from the other, and to write into
it would change a file that may lie anywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.edits.guard import checked_parts, plain
from commonplace.edits.system import CAN_HOLD_FOLDERS, FOLDER, Folder, System, is_link
from commonplace.errors import EditError
from commonplace.workspace.files import MAX_FILE_BYTES

GIT_ITSELF = {"HEAD", "objects", "refs"}
"""What a folder of git's own holds, whatever it is called."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A file as it was read: its content, and its permission bits."""

    data: bytes
    mode: int

    @property
    def digest(self) -> str:
        """The SHA-256 of the content."""
        return digest_of(self.data)


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of `data`, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class Tree:
    """The project at `root` (absolute, resolved). Nothing below `kept_out` is opened."""

    def __init__(
        self,
        root: Path,
        system: System | None = None,
        kept_out: Sequence[Path] = (),
        *,
        hold_folders: bool = CAN_HOLD_FOLDERS,
    ) -> None:
        self.root = root
        self.system = system or System()
        self._hold = hold_folders
        self._kept_out = frozenset(filter(None, map(_identity, kept_out)))
        self._identity = _identity(root)

    def state(self, path: str) -> FileState | None:
        """Return the file at `path`, or None if there is none.

        Raises `EditError` for a path that is refused, a file that is no regular
        one, has a second name, may not be read or is too large.
        """
        parts = checked_parts(path)
        try:
            with self.folder(parts[:-1]) as folder:
                self.check_spelling(folder, parts[-1], path)
                with self.opened(folder, parts[-1], path) as (_, state):
                    return state
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unusable(path, error.strerror or str(error)) from error

    @contextlib.contextmanager
    def folder(self, parts: Sequence[str]) -> Iterator[Folder]:
        """Open the folder that `parts` lead to; raises `FileNotFoundError`, `EditError`."""
        path = "/".join(parts)
        here = self._open_root()
        try:
            for depth, part in enumerate(parts):
                self._check_folder(here, "/".join(parts[:depth]))
                self.check_spelling(here, part, path)
                below = self._open_below(here, part, path)
                _close(here)
                here = below
            self._check_folder(here, path)
            yield here
        finally:
            _close(here)

    @contextlib.contextmanager
    def opened(self, folder: Folder, name: str, path: str) -> Iterator[tuple[int, FileState]]:
        """Open a file for reading and return its descriptor and state; raises as `state`."""
        if folder.descriptor < 0 and is_link(folder.path / name):
            raise unusable(path, "it is a link")
        try:
            descriptor = self.system.open(folder, name)
        except FileNotFoundError:
            raise
        except OSError as error:
            with contextlib.suppress(OSError):
                if stat.S_ISLNK(self.system.status(folder, name).st_mode):
                    raise unusable(path, "it is a link") from error
            raise unusable(path, error.strerror or str(error)) from error
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise unusable(path, "it is no regular file")
            if info.st_nlink > 1:
                raise unusable(
                    path, "it has a second name (a hard link), which a change would cut off"
                )
            if info.st_size > MAX_FILE_BYTES:
                raise unusable(path, "it is too large to review")
            yield descriptor, FileState(_content(descriptor, path), stat.S_IMODE(info.st_mode))
        finally:
            os.close(descriptor)

    def check_spelling(self, folder: Folder, name: str, path: str) -> None:
        """Refuse a name that the disk spells otherwise, in other case or accents."""
        key = plain(name)
        for other in self.system.names(folder):
            if other != name and plain(other) == key:
                raise unusable(path, f"the folder holds {other}, which is the same name to some")

    def missing_folders(self, parts: Sequence[str]) -> list[str]:
        """Return which folders on the way have to be made, outermost first."""
        for depth in range(len(parts), -1, -1):
            try:
                with self.folder(parts[:depth]):
                    return ["/".join(parts[: n + 1]) for n in range(depth, len(parts))]
            except FileNotFoundError:
                continue
        return []

    def _open_root(self) -> Folder:
        if _identity(self.root) != self._identity or self._identity is None:
            raise EditError(
                f"The folder {self.root} is gone, or another one stands in its place.",
                "Open the project again.",
            )
        if not self._hold:
            return Folder(self.root)
        descriptor = os.open(self.root, FOLDER)
        info = os.fstat(descriptor)
        if (info.st_dev, info.st_ino) != self._identity:
            os.close(descriptor)
            raise EditError(f"The folder {self.root} was exchanged.", "Open the project again.")
        return Folder(self.root, descriptor)

    def _open_below(self, folder: Folder, part: str, path: str) -> Folder:
        target = folder.path / part
        if not self._hold:
            info = target.lstat()
            if is_link(target) or not target.resolve().is_relative_to(self.root):
                raise unusable(path, f"{part} is a link, and links are not followed")
            if not stat.S_ISDIR(info.st_mode):
                raise unusable(path, f"{part} is no folder")
            return Folder(target)
        try:
            return Folder(target, os.open(part, FOLDER, dir_fd=folder.descriptor))
        except FileNotFoundError:
            raise
        except OSError as error:
            info = self.system.status(folder, part)
            if stat.S_ISLNK(info.st_mode):
                raise unusable(path, f"{part} is a link, and links are not followed") from error
            if not stat.S_ISDIR(info.st_mode):
                raise unusable(path, f"{part} is no folder") from error
            raise unusable(path, error.strerror or str(error)) from error

    def _check_folder(self, folder: Folder, path: str) -> None:
        held = folder.descriptor >= 0
        info = os.fstat(folder.descriptor) if held else folder.path.stat()
        if (info.st_dev, info.st_ino) in self._kept_out:
            raise unusable(path, "Commonplace keeps its own state there")
        if all(self.system.exists(folder, name) for name in GIT_ITSELF):
            raise unusable(path or ".", "this folder is git's own")


def unusable(path: str, why: str) -> EditError:
    """Return the error for a file that is not changed for the reason `why`."""
    return EditError(f"{path} cannot be changed: {why}.", "Make this change in an editor.")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_dev, info.st_ino


def _content(descriptor: int, path: str) -> bytes:
    # One byte more than allowed: the file may grow while it is read.
    chunks: list[bytes] = []
    left = MAX_FILE_BYTES + 1
    while left > 0 and (chunk := os.read(descriptor, left)):
        chunks.append(chunk)
        left -= len(chunk)
    if left <= 0:
        raise unusable(path, "it is too large to review")
    return b"".join(chunks)


def _close(folder: Folder) -> None:
    if folder.descriptor >= 0:
        os.close(folder.descriptor)
