"""What a person may ask of the memory of a project: how much, how fresh, what is left out."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from commonplace.memory.figures import Details
from commonplace.workspace.files import Skipped

LANGUAGES = 8


def details_of(
    conn: sqlite3.Connection, folder: Path, embedder: str, skipped: Iterable[Skipped]
) -> Details:
    """Return the figures of the index in `folder`. May run in any thread."""
    read_ns = conn.execute("SELECT max(read_ns) FROM files").fetchone()[0] or 0
    languages = conn.execute(
        "SELECT language, count(*) AS files FROM files WHERE reason = '' AND language != '' "
        "GROUP BY language ORDER BY files DESC, language LIMIT ?",
        [LANGUAGES],
    )
    count = conn.execute
    return Details(
        files=count("SELECT count(*) FROM files WHERE reason = ''").fetchone()[0],
        chunks=count("SELECT count(*) FROM chunks").fetchone()[0],
        folder=str(folder),
        disk=size_on_disk(folder),
        newest=read_ns / 1e9,
        embedder=embedder,
        reasons=tuple(Counter(item.reason for item in skipped).most_common()),
        languages=tuple(languages.fetchall()),
    )


def size_on_disk(folder: Path) -> int:
    """Return the bytes that the files in `folder` take, those that vanish meanwhile aside."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size if path.is_file() else 0
        except OSError:
            continue
    return total
