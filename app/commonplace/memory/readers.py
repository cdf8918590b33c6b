"""What a memory reads with: connections per thread, and the embedder that is set."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from commonplace.errors import ModelError
from commonplace.index.database import open_reader
from commonplace.index.embedder import Embedder, open_embedder
from commonplace.paths import StatePaths
from commonplace.recall.depth import Depth


class Readers:
    """One reading connection per thread, and a new one after each `renew`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._age = 0
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._guard = threading.Lock()

    def get(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        conn: sqlite3.Connection | None = getattr(self._local, "conn", None)
        if conn is None or self._local.age != self._age:
            self._local.age = self._age
            conn = self._local.conn = open_reader(self._path)
            with self._guard:
                self._all.append(conn)
        return conn

    def renew(self) -> None:
        """Let every thread open the file anew: another one lies there now."""
        self._age += 1

    def close(self) -> None:
        """Close the connections of all threads; nobody may be reading."""
        with self._guard:
            while self._all:
                self._all.pop().close()


def depth_or_note(name: str, state: StatePaths, threads: int | None) -> tuple[Depth | None, str]:
    """Return what reads the best passages again, if the user set any, or what is wrong with it."""
    embedder, note = embedder_or_note("none" if name == "off" else name, state, threads)
    return (None if embedder is None else Depth(embedder)), note


def embedder_or_note(
    name: str, state: StatePaths, threads: int | None
) -> tuple[Embedder | None, str]:
    """Return the embedder that is set, or None and what the user should know."""
    try:
        return open_embedder(name, state.model_folders(), threads=threads), ""
    except ModelError as error:
        return None, str(error)
