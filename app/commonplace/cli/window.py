"""Opens the window with nothing that only the other commands need, so that it is there sooner."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from commonplace.errors import CommonplaceError
from commonplace.paths import opened_folder


def is_asked(args: Sequence[str]) -> bool:
    """Return whether `args` are the command ``window`` and nothing that needs looking up."""
    return not args or (args[0] == "window" and len(args) <= 2 and not args[-1].startswith("-"))


def run(args: Sequence[str]) -> int:
    """Open the window as `args` ask, and return the exit status."""
    try:
        return open_window(Path(args[1]) if args[1:] else None)
    except CommonplaceError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def open_window(path: Path | None) -> int:
    """Open the window on `path`, or on what was open last, and return the exit status."""
    gc.disable()  # what is made for the window stays, and looking through it takes time
    from commonplace.desktop.app import run as run_window

    return run_window(opened_folder(path) if path else None)
