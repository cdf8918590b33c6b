"""How far a measurement is: its stages, their usual share of the time, and what is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

STAGES = {
    "indexing": 4,
    "documentation": 4,
    "notes": 2,
    "history": 18,
    "layers": 56,
    "adapter": 0,
    "speed": 8,
    "freshness": 8,
}
"""Each with its share in percent."""
WITH_ADAPTER = 120
"""The share of the adapter where one is trained, beside the others."""
TELLING = 3.0
"""Seconds before which what is left cannot be told."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a measurement is: `done` of `total` pieces of `phase`, and the `fraction` of all."""

    phase: str
    done: int
    total: int
    fraction: float
    seconds_left: float | None

    def to_wire(self) -> dict[str, Any]:
        """Return the stage as plain JSON data."""
        return asdict(self)


class Stages:
    """Tells `tell` how far the work is; a stage that is left out is passed over at once."""

    def __init__(self, tell: Callable[[Stage], None], *, adapter: bool) -> None:
        self._tell = tell
        self._shares = {**STAGES, "adapter": WITH_ADAPTER if adapter else 0}
        self._began = time.monotonic()
        self._fraction = 0.0

    def at(self, phase: str, done: int = 0, total: int = 0) -> None:
        """Say that `done` of `total` pieces of `phase` are done."""
        names = list(self._shares)
        whole = sum(self._shares.values())
        before = sum(self._shares[name] for name in names[: names.index(phase)])
        own = self._shares[phase] * (done / total if total else 0.0)
        # Indexing counts files and then passages; nobody wants to see it go back.
        fraction = self._fraction = max(self._fraction, (before + own) / whole)
        took = time.monotonic() - self._began
        left = took / fraction * (1 - fraction) if fraction and took > TELLING else None
        seconds = None if left is None else round(left, 1)
        self._tell(Stage(phase, done, total, round(fraction, 4), seconds))
