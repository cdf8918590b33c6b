"""Reports of crashes: written on this machine, shown at the next start, sent nowhere.

A report says where in the program it happened and on what kind of system: no
text of errors, no values, no source, and no folder of this machine.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import platform
import re
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO

import commonplace

FOLDER = "crashes"
SUFFIX = ".txt"
MOST_FRAMES = 40
LONGEST = 20_000
KEPT = 10
PATH = re.compile(r'"?(?:[A-Za-z]:)?[\\/][^"\n]*?([^\\/"\n]+[\\/][^\\/"\n]+)"')


class CrashReports:
    """The reports of this process and of those before it."""

    def __init__(self, logs: Path) -> None:
        self._folder = logs / FOLDER
        self._file: IO[str] | None = None
        self._path = self._folder / f"{os.getpid()}{SUFFIX}"
        self._lock = threading.Lock()
        self._wrote = False

    def begin(self) -> None:
        """Have Python write down where it stood when the process is killed by a fault."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("w", encoding="utf-8")
        except OSError:
            return  # without a folder there is no report; nothing else suffers
        faulthandler.enable(self._file, all_threads=True)

    def end(self) -> None:
        """Stop; a report with nothing in it goes."""
        if self._file is None:
            return
        faulthandler.disable()
        with contextlib.suppress(OSError):
            self._file.close()
            if not self._wrote:
                self._path.unlink()
        self._file = None

    def write(self, kind: type[BaseException], trace: TracebackType | None) -> None:
        """Write down an error that nobody caught: its kind and where it happened."""
        with self._lock:
            if self._file is None:
                return
            with contextlib.suppress(OSError, ValueError):
                if self._file.tell() < LONGEST:
                    self._file.write(described(kind, trace))
                    self._file.flush()
                    self._wrote = True

    def left_behind(self) -> str:
        """Return the report of the newest process that ended badly, or nothing; cleaned."""
        for path in sorted(self._others(), key=_age):
            text = cleaned(_read(path))
            if text.strip():
                return f"{system()}\n\n{text}"[:LONGEST]
            with contextlib.suppress(OSError):
                path.unlink()  # it was killed from outside, which is no crash
        return ""

    def forget(self) -> None:
        """Throw the reports of ended processes away."""
        for path in self._others():
            with contextlib.suppress(OSError):
                path.unlink()

    def _others(self) -> list[Path]:
        """Return the reports of processes that are gone."""
        try:
            found = sorted(self._folder.glob(f"*{SUFFIX}"), key=_age)
        except OSError:
            return []
        for path in found[KEPT:]:
            with contextlib.suppress(OSError):
                path.unlink()
        return [p for p in found[:KEPT] if p != self._path and not _alive(p)]


def described(kind: type[BaseException], trace: TracebackType | None) -> str:
    """Return kind and places of an error, without its text."""
    frames = traceback.extract_tb(trace, limit=MOST_FRAMES)
    lines = [f"  {_place(frame.filename)}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([f"{kind.__module__}.{kind.__qualname__}", *lines, ""])


def cleaned(text: str) -> str:
    """Return a report of the fault handler with file names for whole paths."""
    return PATH.sub(lambda match: match[1].replace("\\", "/"), text)


def system() -> str:
    """Return the versions that a report needs, and nothing that names the user."""
    import PySide6

    return (
        f"Commonplace {commonplace.__version__}, Python {platform.python_version()}, "
        f"PySide6 {PySide6.__version__}, {platform.system()} {platform.machine()}"
        f"{', frozen' if getattr(sys, 'frozen', False) else ''}"
    )


def _place(file: str) -> str:
    return "/".join(Path(file).parts[-2:])


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(LONGEST)
    except OSError:
        return ""


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _alive(path: Path) -> bool:
    """Return whether the process that writes `path` still runs; its number may be used anew."""
    import psutil  # type: ignore[import-untyped,unused-ignore]  # where nothing is left it is not needed

    try:
        started = psutil.Process(int(path.stem)).create_time()
        return bool(started <= path.stat().st_mtime + 1)
    except (OSError, ValueError, psutil.Error):
        return False
