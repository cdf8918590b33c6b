"""The calls by which files are changed, one method each.

Where the system can (POSIX), every name is looked up in a folder that is held
open, so nobody can exchange a folder on the way for a link between the check
and the write. Elsewhere paths are used, and looked at just before. Tests put a
`System` in place that fails or dies after any of these calls.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CAN_HOLD_FOLDERS = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
READING = os.O_RDONLY | NO_LINKS | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
FOLDER = os.O_RDONLY | NO_LINKS | getattr(os, "O_DIRECTORY", 0)
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_LINKS


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder: held open by `descriptor`, or -1 where only its path is known."""

    path: Path
    descriptor: int = -1

    def place(self, name: str) -> str:
        """Return what a call is given for `name` in this folder."""
        return name if self.descriptor >= 0 else os.fspath(self.path / name)

    @property
    def held(self) -> int | None:
        """The descriptor for ``dir_fd``."""
        return self.descriptor if self.descriptor >= 0 else None


class System:
    """Changes files. Each method is one call, and tells `done` when it is over."""

    def done(self, call: str) -> None:
        """Do nothing: tests put themselves here, after each call."""

    def write_new(self, folder: Folder, name: str, data: bytes, mode: int = 0o600) -> None:
        """Write a file that must not exist, and flush it to the disk."""
        with self._open_new(folder, name, mode) as descriptor:
            self._fill(descriptor, data)

    def write_like(
        self, folder: Folder, name: str, data: bytes, mode: int, like: int | None
    ) -> None:
        """Write a new file with `mode`, and owner and attributes of the open file `like`."""
        with self._open_new(folder, name, 0o600) as descriptor:
            self._fill(descriptor, data)
            if like is not None:
                _copy_owner(like, descriptor)
                _copy_attributes(like, descriptor)
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)  # after the owner: a change of owner clears bits
                self.done("fchmod")
            os.fsync(descriptor)
            self.done("fsync")

    def replace(self, folder: Folder, source: str, target: str) -> None:
        """Give `source` the name `target`, in place of what had it."""
        os.replace(
            folder.place(source),
            folder.place(target),
            src_dir_fd=folder.held,
            dst_dir_fd=folder.held,
        )
        self.done("replace")

    def publish(self, folder: Folder, source: str, target: str) -> None:
        """Give `source` the name `target`; raises `FileExistsError` if somebody has it."""
        try:
            os.link(
                folder.place(source),
                folder.place(target),
                src_dir_fd=folder.held,
                dst_dir_fd=folder.held,
                follow_symlinks=False,
            )
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):  # a file system without hard links
            if self.exists(folder, target):
                raise FileExistsError(target) from None
            self.replace(folder, source, target)
            return
        self.done("link")
        self.unlink(folder, source)

    def unlink(self, folder: Folder, name: str) -> None:
        """Remove a name."""
        os.unlink(folder.place(name), dir_fd=folder.held)
        self.done("unlink")

    def make_folder(self, folder: Folder, name: str, mode: int = 0o777) -> None:
        """Make a folder."""
        os.mkdir(folder.place(name), mode, dir_fd=folder.held)
        self.done("mkdir")

    def remove_folder(self, folder: Folder, name: str) -> None:
        """Remove an empty folder."""
        os.rmdir(folder.place(name), dir_fd=folder.held)
        self.done("rmdir")

    def flush(self, folder: Folder) -> None:
        """Make the names of `folder` last through a power cut, where that can be done."""
        with contextlib.suppress(OSError):
            if folder.descriptor >= 0:
                os.fsync(folder.descriptor)
            else:
                descriptor = os.open(folder.path, FOLDER)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        self.done("flush")

    def exists(self, folder: Folder, name: str) -> bool:
        """Return whether anything has this name, be it a link that leads nowhere."""
        try:
            self.status(folder, name)
        except FileNotFoundError:
            return False
        return True

    def status(self, folder: Folder, name: str) -> os.stat_result:
        """Return what the disk says about `name`, itself and not what it may lead to."""
        return os.stat(folder.place(name), dir_fd=folder.held, follow_symlinks=False)

    def names(self, folder: Folder) -> list[str]:
        """Return the names in `folder`."""
        where = folder.descriptor if folder.descriptor >= 0 else os.fspath(folder.path)
        return os.listdir(where)  # noqa: PTH208 - a Path cannot list an open folder

    def open(self, folder: Folder, name: str) -> int:
        """Open `name` for reading, following no link and waiting for no pipe."""
        return os.open(folder.place(name), READING, dir_fd=folder.held)

    def write(self, descriptor: int, data: bytes) -> int:
        """Write some of `data` and return how much."""
        count = os.write(descriptor, data)
        self.done("write")
        return count

    @contextlib.contextmanager
    def _open_new(self, folder: Folder, name: str, mode: int) -> Iterator[int]:
        descriptor = os.open(folder.place(name), NEW, mode, dir_fd=folder.held)
        try:
            self.done("open")
            yield descriptor
        finally:
            os.close(descriptor)

    def _fill(self, descriptor: int, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self.write(descriptor, bytes(view)) :]
        os.fsync(descriptor)
        self.done("fsync")


def is_link(path: Path) -> bool:
    """Return whether `path` is a symbolic link, or on Windows anything that leads elsewhere."""
    try:
        info = path.lstat()
    except OSError:
        return False
    if sys.platform == "win32" and info.st_file_attributes & stat.FILE_ATTRIBUTE_REPARSE_POINT:
        return True
    return stat.S_ISLNK(info.st_mode)


def _copy_owner(like: int, descriptor: int) -> None:
    """Give the new file the owner and group of the old, as far as we may."""
    if not hasattr(os, "fchown"):
        return
    old, new = os.fstat(like), os.fstat(descriptor)
    if old.st_gid != new.st_gid:
        with contextlib.suppress(OSError):
            os.fchown(descriptor, -1, old.st_gid)
    if old.st_uid != new.st_uid:
        with contextlib.suppress(OSError):
            os.fchown(descriptor, old.st_uid, -1)


def _copy_attributes(like: int, descriptor: int) -> None:
    """Copy extended attributes, access lists among them, as far as we may."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(like):
            with contextlib.suppress(OSError):
                os.setxattr(descriptor, name, os.getxattr(like, name))
