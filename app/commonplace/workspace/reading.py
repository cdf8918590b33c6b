"""Reading files that others may change, replace or booby-trap meanwhile.

Nothing here writes, follows a link, waits for a pipe or leaves the root.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from commonplace.workspace.files import MAX_FILE_BYTES

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_FOLDER_FLAGS = _FLAGS | getattr(os, "O_DIRECTORY", 0)
_CAN_OPEN_BELOW = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_MAX_SMALL_BYTES = 1024 * 1024


def parts_of(path: str) -> list[str]:
    """Return the parts of a relative path; raise `PermissionError` if it may leave the root."""
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise _refusal(path)
    if os.sep == "\\" and ("\\" in path or ":" in path):
        raise _refusal(path)
    return parts


def read_below(root: Path, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of the regular file `path` below `root`, of up to `limit` bytes.

    Raises `OSError`: not found, refused, not a regular file, too large.
    """
    parts = parts_of(path)
    if _CAN_OPEN_BELOW:
        return _content(_open_below(root, parts), path, limit)
    target = root.joinpath(*parts)
    if target.is_symlink() or not target.resolve().is_relative_to(root):
        raise _refusal(path)
    return _content(os.open(target, _FLAGS), path, limit)


def read_small(path: Path) -> bytes | None:
    """Return the content of a small regular file, or None if there is none to be had."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        return _content(os.open(path, _FLAGS), str(path), _MAX_SMALL_BYTES)
    except OSError:
        return None


def _open_below(root: Path, parts: list[str]) -> int:
    """Open the file folder by folder, so that no link on the way is followed."""
    here = os.open(root, _FOLDER_FLAGS & ~getattr(os, "O_NOFOLLOW", 0))
    try:
        for part in parts[:-1]:
            below = os.open(part, _FOLDER_FLAGS, dir_fd=here)
            os.close(here)
            here = below
        return os.open(parts[-1], _FLAGS, dir_fd=here)
    finally:
        os.close(here)


def _content(descriptor: int, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        # Read one byte more than allowed: the file may have grown since the scan.
        chunks: list[bytes] = []
        left = limit + 1
        while left > 0 and (chunk := os.read(descriptor, left)):
            chunks.append(chunk)
            left -= len(chunk)
    finally:
        os.close(descriptor)
    if left <= 0:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return b"".join(chunks)


def _refusal(path: str) -> PermissionError:
    return PermissionError(errno.EPERM, "outside the project folder", path)
