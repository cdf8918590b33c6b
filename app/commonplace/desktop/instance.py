"""One window per project: whoever opens a project twice is led to the window that has it.

A window that has a project open leaves its process id in the project's cache
folder and watches that folder. Another process puts a request beside it; the
window takes it away, which is the reply, and comes to the front.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

FOLDER = "window"
OWNER = "owner"
REQUEST = ".raise"
PATIENCE = 5.0
"""Seconds until a window that does not reply, as the machine is busy perhaps, is left alone."""
LOOK_SECONDS = 0.02


def has_window(cache: Path) -> bool:
    """Return whether another living process has the project of the folder `cache` in a window."""
    try:
        words = (cache / FOLDER / OWNER).read_text(encoding="ascii").split()
        pid, started = int(words[0]), float(words[1])
    except (OSError, ValueError, IndexError):
        return False
    return pid != os.getpid() and abs(_started(pid) - started) < 1


def raise_window(cache: Path, patience: float = PATIENCE) -> bool:
    """Ask the window that has the project to come to the front, and wait for its reply.

    Returns False when there is none, or none that answers within `patience`
    seconds. Blocks; not for the thread of a window.
    """
    if not has_window(cache):
        return False
    request = cache / FOLDER / f"{os.getpid()}-{time.monotonic_ns()}{REQUEST}"
    try:
        request.touch()
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if not request.exists():
                return True
            time.sleep(LOOK_SECONDS)
    except OSError:
        return False
    finally:
        with contextlib.suppress(OSError):
            request.unlink()
    return False


def claim(cache: Path) -> Path | None:
    """Leave word that this process has the project; returns the folder to watch, if any."""
    folder = cache / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        pid = os.getpid()
        (folder / OWNER).write_text(f"{pid} {_started(pid)}", encoding="ascii")
    except OSError:
        return None  # a cache that cannot be written: nobody is led here, nothing else is lost
    return folder


def release(cache: Path) -> None:
    """Take that word back, if it is this process's own."""
    owner = cache / FOLDER / OWNER
    with contextlib.suppress(OSError, ValueError, IndexError):
        if owner.read_text(encoding="ascii").split()[0] == str(os.getpid()):
            owner.unlink()


def take_requests(folder: Path) -> bool:
    """Take all requests out of `folder`, and return whether there were any."""
    found = False
    with contextlib.suppress(OSError):
        for request in list(folder.glob(f"*{REQUEST}")):
            with contextlib.suppress(FileNotFoundError):
                request.unlink()
                found = True
    return found


def _started(pid: int) -> float:
    """Return when process `pid` began, in seconds since 1970, or 0 if there is none."""
    import psutil  # type: ignore[import-untyped,unused-ignore]  # only for a project that some window has

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0
