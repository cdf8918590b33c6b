"""Where a folder lies, and whether it can be written: asked before anything is lost there."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import psutil  # type: ignore[import-untyped,unused-ignore]

_REMOTE = frozenset(
    "9p acfs afpfs afs beegfs ceph cifs coda davfs fuse.ceph fuse.davfs2 fuse.gcsfuse "
    "fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs gfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 "
    "nfsd ocfs2 orangefs panfs prl_fs pvfs2 remote smb2 smb3 smbfs vboxsf vmhgfs webdav".split()
)
"""Kinds of file systems whose files several machines may use at the same time."""


def is_remote(path: Path) -> bool:
    """Return whether `path`, which need not exist, lies on a network disk."""
    return file_system(path).lower() in _REMOTE


FREE = 32 << 20
"""Bytes below which a disk counts as full: settings and a conversation still fit."""


def refused(folder: Path) -> str:
    """Return why nothing can be written to `folder`, which need not exist yet, or nothing.

    Writes nothing itself.
    """
    here = folder
    while not here.exists() and here != here.parent:
        here = here.parent
    if not here.is_dir():
        return os.strerror(errno.ENOTDIR)
    if not os.access(here, os.W_OK | os.X_OK):
        read_only = hasattr(os, "statvfs") and os.statvfs(here).f_flag & os.ST_RDONLY
        return os.strerror(errno.EROFS if read_only else errno.EACCES)
    free = shutil.disk_usage(here).free
    return os.strerror(errno.ENOSPC) if free < FREE else ""


def first_refused(folders: Sequence[Path]) -> tuple[Path, str] | None:
    """Return the first of `folders` that cannot be written, with the reason."""
    for folder in folders:
        try:
            reason = refused(folder)
        except OSError as error:  # a network disk that is gone, for instance
            reason = error.strerror or str(error)
        if reason:
            return folder, reason
    return None


def file_system(path: Path) -> str:
    """Return the kind of the file system that holds `path`, or "" if nobody can tell."""
    place = os.path.realpath(path)
    best, kind = "", ""
    for mount, found in _mounts():
        inside = place == mount or place.startswith(mount.rstrip(os.sep) + os.sep)
        if inside and len(mount) >= len(best):  # of two at one place the later one is seen
            best, kind = mount, found
    return kind


@lru_cache(1)
def _mounts() -> tuple[tuple[str, str], ...]:
    """Return where file systems are mounted, and their kinds; asked once in a process."""
    try:
        found = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError):
        return ()
    # Windows tells a network drive by an option and says nothing of its kind.
    return tuple(
        (part.mountpoint, "remote" if "remote" in part.opts.split(",") else part.fstype)
        for part in found
    )
