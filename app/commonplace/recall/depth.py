"""Depth: a larger embedder reads the best passages again and has a say in their order.

Off unless the user names a model: it costs tens of milliseconds a passage and
gains little where the built-in embedder, words and names agree already. What was
read once is remembered by its content, so edits of other code do not cost it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from commonplace.errors import ModelError
from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder, Vectors
from commonplace.index.rows import read_chunks
from commonplace.recall.ranking import Ranked

READ = 25
"""Passages read again."""
WEIGHT = 0.15
"""What the nearest of them gains over the farthest; good files score between 1 and 2."""
SECONDS = 1.0
"""After which no more passages are read; those that were not keep their places."""
BATCH = 5
REMEMBERED = 4096


class Depth:
    """Re-ranks with `embedder`; may be used by many threads, one at a time."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._embedder.ready

    def warm(self) -> None:
        """Load the model; raises `ModelError`."""
        self._embedder.embed(["ready"])

    def rerank(self, conn: sqlite3.Connection, text: str, ranked: Sequence[Ranked]) -> list[Ranked]:
        """Return `ranked` with its first `READ` in a new order; as it is if the model fails."""
        try:
            with self._lock:
                nearness = self._nearness(conn, text, [r.chunk_id for r in ranked[:READ]])
        except ModelError:
            return list(ranked)
        if not nearness:
            return list(ranked)
        low, high = min(nearness.values()), max(nearness.values())
        span = high - low or 1.0
        again = [
            replace(
                r, score=round(r.score + WEIGHT * (nearness.get(r.chunk_id, low) - low) / span, 4)
            )
            for r in ranked[:READ]
        ]
        return [*sorted(again, key=lambda r: -r.score), *ranked[READ:]]

    def _nearness(
        self, conn: sqlite3.Connection, text: str, ids: Sequence[int]
    ) -> dict[int, float]:
        """Return the cosines of those chunks that could be read in time."""
        rows = read_chunks(conn, ids)
        texts = {i: embedded_text(rows[i].symbol, rows[i].text) for i in ids if i in rows}
        keys = {i: hashlib.blake2b(t.encode("utf-8", "replace")).digest() for i, t in texts.items()}
        until = time.monotonic() + SECONDS
        query = self._embedder.embed([text])[0]
        new = [i for i in texts if keys[i] not in self._known]
        for start in range(0, len(new), BATCH):
            if time.monotonic() > until:
                break
            batch = new[start : start + BATCH]
            readable = [texts[i].encode("utf-8", "replace").decode() for i in batch]
            for i, vector in zip(batch, self._embedder.embed(readable), strict=True):
                self._known[keys[i]] = vector
        found = {
            i: float(self._known[key] @ query) for i, key in keys.items() if key in self._known
        }
        for i in found:
            self._known.move_to_end(keys[i])
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return found
