"""What a project taught beyond its index: its own map of questions, and what changed of late.

Both are caches beside the index: read when a project is opened, made anew behind
the user's back, and dropped when they are damaged or of another embedder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from commonplace.errors import StorageError
from commonplace.index.embedder import Embedder
from commonplace.memory.commits import read_commits, recent_changes
from commonplace.recall.adapter import Adapter, Figures
from commonplace.recall.ranking import USES_PAST
from commonplace.recall.search import Learned
from commonplace.recall.trial import fit_adapter
from commonplace.storage.files import write_atomically
from commonplace.words import said

log = logging.getLogger(__name__)

ADAPTER_FILE, RECENT_FILE = "adapter.bin", "recent.json"
VERSION = 1
"""Changes whenever a fit would come out otherwise."""
REFIT_LEAST, REFIT_SHARE = 200, 0.2
"""New passages after which a map is fitted anew: so many, and this share of all."""
HISTORY_SECONDS = 300.0
MAX_FILE = 64 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """An adapter, and the highest chunk id of the index that it was fitted to."""

    adapter: Adapter
    fitted_to: int


class Learning:
    """Keeps what one project taught; `learned` is what a search may use of it.

    `embedder` is None where there is nothing to adapt, or the user wants none.
    """

    def __init__(self, root: Path, folder: Path, embedder: Embedder | None) -> None:
        self._root = root
        self._folder = folder
        self._embedder = embedder if embedder is not None and embedder.instant else None
        self._kept: Kept | None = None
        self._history_read: float | None = None
        if self._embedder is not None:
            self._kept = load_adapter(folder, self._embedder)
        self.learned = Learned(self._matrix(), load_recent(folder) if USES_PAST else {})

    @property
    def figures(self) -> dict[str, Any]:
        """What fitting found, as plain JSON data; empty before the first fit."""
        return {} if self._kept is None else self._kept.adapter.figures.to_wire()

    def learn(self, conn: sqlite3.Connection, stop: Callable[[], bool], *, adapt: bool) -> None:
        """Read the history, if ranking uses it, and, with `adapt`, fit the map, each in its time.

        `adapt` is for an index whose vectors are complete. Raises `CancelledError`.
        """
        now = time.monotonic()
        due = self._history_read is None or now - self._history_read > HISTORY_SECONDS
        if USES_PAST and due:
            self._history_read = now
            recent = recent_changes(read_commits(self._root, stop=stop))
            if recent != self.learned.recent:
                self.learned = Learned(self.learned.matrix, recent)
                self._write(RECENT_FILE, json.dumps(recent).encode())
        if adapt and self._embedder is not None:
            last = conn.execute("SELECT coalesce(max(id), 0) FROM chunks").fetchone()[0]
            total = conn.execute("SELECT count(*) FROM chunks").fetchone()[0]
            if self._kept is None or is_due(self._kept.fitted_to, last, total):
                self._fit(conn, self._embedder, last, stop)

    def _fit(
        self, conn: sqlite3.Connection, embedder: Embedder, last: int, stop: Callable[[], bool]
    ) -> None:
        try:
            adapter = fit_adapter(conn, embedder, stop)
        except sqlite3.Error as error:  # no room for a copy, say: recall goes on without
            log.warning("No adapter could be fitted: %s", error)
            problem = said("there was no room to try it")
            adapter = Adapter(embedder.id, None, Figures(kept=False, pairs=0, problem=problem))
        self._kept = Kept(adapter, last)
        self.learned = Learned(self._matrix(), self.learned.recent)
        self._write(ADAPTER_FILE, packed(self._kept))

    def _matrix(self) -> Any:
        return None if self._kept is None else self._kept.adapter.matrix

    def _write(self, name: str, data: bytes) -> None:
        try:
            write_atomically(self._folder / name, data)
        except StorageError as error:  # it is made anew another time
            log.warning("%s", error)


def is_due(fitted_to: int, last: int, total: int) -> bool:
    """Whether so much was indexed since a fit that another is worth its while.

    Chunk ids only grow, so they count what was indexed; in a new index they begin again.
    """
    return last < fitted_to or last - fitted_to > max(REFIT_LEAST, REFIT_SHARE * total)


def packed(kept: Kept) -> bytes:
    """Return an adapter as bytes: a line of JSON, then the map as float32."""
    adapter, figures = kept.adapter, kept.adapter.figures
    body = b"" if adapter.matrix is None else adapter.matrix.astype("<f4").tobytes()
    head: dict[str, Any] = {
        "version": VERSION,
        "embedder": adapter.embedder,
        "fitted_to": kept.fitted_to,
        "kept": figures.kept,
        "pairs": figures.pairs,
        "base": figures.base,
        "adapted": figures.adapted,
        "gain": figures.gain,
        "ci": list(figures.ci),
        "problem": figures.problem,
    }
    head["sha256"] = _checksum(head, body)
    return json.dumps(head).encode() + b"\n" + body


def unpacked(data: bytes, embedder: Embedder) -> Kept:
    """Return what `packed` made; raises `ValueError` if it is damaged or another embedder's."""
    line, _, body = data.partition(b"\n")
    try:
        head = dict(json.loads(line))
        checksum = head.pop("sha256")
        if (head["version"], head["embedder"]) != (VERSION, embedder.id):
            raise ValueError("of another version or embedder")
        if checksum != _checksum(head, body):
            raise ValueError("its checksum is another")
        low, high = head["ci"]
        figures = Figures(
            kept=head["kept"],
            pairs=head["pairs"],
            base=head["base"],
            adapted=head["adapted"],
            gain=head["gain"],
            ci=(low, high),
            problem=head["problem"],
        )
        matrix = None
        if figures.kept:
            size = embedder.dimensions
            matrix = np.frombuffer(body, dtype="<f4").reshape(size, size).astype(np.float32)
        return Kept(Adapter(embedder.id, matrix, figures), head["fitted_to"])
    except (LookupError, TypeError) as error:
        raise ValueError(f"not an adapter: {error}") from error


def load_adapter(folder: Path, embedder: Embedder) -> Kept | None:
    """Return the adapter kept in `folder`, or None if there is none for `embedder`."""
    try:
        return unpacked(_read(folder / ADAPTER_FILE), embedder)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.info("The adapter is not used: %s", error)
        return None


def load_recent(folder: Path) -> Mapping[str, float]:
    """Return what was known of the project's past, by path; nothing where it is damaged."""
    try:
        found = json.loads(_read(folder / RECENT_FILE))
        recent = {str(path): float(count) for path, count in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return recent if all(0 <= count < math.inf for count in recent.values()) else {}


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE)


def _checksum(head: Mapping[str, Any], body: bytes) -> str:
    return hashlib.sha256(json.dumps(head, sort_keys=True).encode() + b"\n" + body).hexdigest()
