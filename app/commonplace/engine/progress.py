"""How far a model on its way is, and how fast it comes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

SPEED_SECONDS = 3.0

Phase = Literal["connecting", "downloading", "copying", "waiting", "verifying"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a download is; `done` and `total` in bytes, `speed` in bytes a second.

    `total` is 0 until the server has said it.
    """

    phase: Phase
    done: int = 0
    total: int = 0
    speed: float = 0.0


class Speed:
    """Bytes a second over the last seconds."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def add(self, done: int) -> None:
        """Note that `done` bytes are there now."""
        now = time.monotonic()
        if self._seen and now - self._seen[-1][0] < 0.1:
            return
        self._seen.append((now, done))
        while now - self._seen[0][0] > SPEED_SECONDS:
            del self._seen[0]

    @property
    def value(self) -> float:
        """The speed now; 0 until it is known."""
        if len(self._seen) < 2:
            return 0.0
        (t0, d0), (t1, d1) = self._seen[0], self._seen[-1]
        now = time.monotonic()
        end = now if now - t1 > 1.0 else t1  # a second of silence makes it slower
        return max(0.0, (d1 - d0) / (end - t0)) if end > t0 else 0.0
