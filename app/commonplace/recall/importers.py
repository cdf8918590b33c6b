"""Who imports the files of the passages that were found: shown, and no part of ranking."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Iterable

from commonplace.index.structure import importers_of
from commonplace.recall.passages import Passage

SHOWN = 3


def with_importers(conn: sqlite3.Connection, passages: Iterable[Passage]) -> list[Passage]:
    """Return `passages` with the number of files that import theirs, and the first few."""
    found = []
    for passage in passages:
        importers = importers_of(conn, passage.path, SHOWN)
        about = {"importers": importers.paths, "imported_by": importers.count}
        found.append(dataclasses.replace(passage, **about))  # type: ignore[arg-type]
    return found
