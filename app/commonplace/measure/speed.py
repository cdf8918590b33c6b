"""How fast it all is, as measured beside everything else that runs on the machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from commonplace.engine.types import Judgement
from commonplace.errors import CancelledError
from commonplace.measure.results import Speed
from commonplace.measure.snapshot import Snapshot
from commonplace.recall.search import search

LIMIT = 10
WARM_UP = 3

Stop = Callable[[], bool]


class Judge(Protocol):
    """The part of an engine's session that is used here."""

    def judge(self, text: str) -> Judgement:
        """Measure how fast the loaded model is."""


def asking(snapshot: Snapshot, questions: Sequence[str], stop: Stop) -> Speed:
    """Time whole searches: reading the question, ranking, and checking against the disk."""
    took: list[float] = []
    for number, text in enumerate([*questions[:WARM_UP], *questions]):
        if stop():
            raise CancelledError("Stopped.")
        began = time.perf_counter()
        search(
            text,
            LIMIT,
            snapshot.conn,
            snapshot.workspace.read,
            embedder=snapshot.embedder,
            vectors=snapshot.vectors,
        )
        if number >= min(WARM_UP, len(questions)):
            took.append((time.perf_counter() - began) * 1000)
    return of("recall, from question to passages", "ms", took)


def model_speeds(engine: Judge, text: str, stop: Stop) -> list[Speed]:
    """Time the model on `text`: tokens read and written in a second.

    Raises `ModelError` for too little text.
    """
    if stop():
        raise CancelledError("Stopped.")
    judged = engine.judge(text)
    return [
        of("tokens read by the model", "tokens/s", [judged.read_speed]),
        of("tokens written by the model", "tokens/s", [judged.write_speed]),
    ]


def of(name: str, unit: str, values: Sequence[float]) -> Speed:
    """Return the median of `values`, and the value that 95 % of them do not exceed."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return Speed(name, unit, len(ordered), round(middle, 2), round(worst, 2))
