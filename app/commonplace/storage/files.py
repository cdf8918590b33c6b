"""Files that are replaced as a whole: the old content or the new, never a mixture."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

from commonplace.errors import StorageError


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`: written beside it, flushed, renamed.

    Raises `StorageError` when the folder cannot be written.
    """
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise StorageError(
            f"Cannot write {path}: {error.strerror}.",
            "Free some space or mend the folder's permissions.",
        ) from error


def set_aside(path: Path, companions: tuple[str, ...] = ()) -> Path:
    """Move a damaged file away, with those whose names go on from its own; return where it is.

    Raises `OSError`. Nothing is lost: a tool, or a person, may still mend it.
    """
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns()}")
    for suffix in (*companions, ""):  # the file itself last: until then it is still there
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside


def put_aside(path: Path) -> list[Path]:
    """Return the damaged files that `set_aside` kept of `path`."""
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))
