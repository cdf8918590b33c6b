from __future__ import annotations

from pathlib import Path


def tree(root: Path) -> dict[str, bytes]:
    """Return every file below `root` with its bytes, and folders with None."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else b"<folder>"
        for path in root.rglob("*")
    }
