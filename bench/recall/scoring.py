"""Scores of one ranked list, and how sure a difference of two means is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

DEPTH = 10
RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a chunk is: a path relative to the project, lines from 1, inclusive."""

    path: str
    start_line: int
    end_line: int


def one_per_file(spots: Sequence[Spot]) -> list[Spot]:
    """Keep the best result of each file."""
    best: dict[str, Spot] = {}
    for spot in spots:
        best.setdefault(spot.path, spot)
    return list(best.values())


def rank_of(target: Any, spots: Sequence[Spot], root: str) -> int | None:
    """Return the rank, from 1, of the first result that hits `target`.

    A target is a path, or a mapping with ``path`` and perhaps ``start_line``
    and ``end_line``. Paths are equal when one ends with the other; `root` is
    what stands before the results' paths.
    """
    path, span = (target, None) if isinstance(target, str) else (target["path"], target)
    for rank, spot in enumerate(spots, start=1):
        same = f"{root}/{spot.path}".endswith(f"/{path}") or path.endswith(f"/{spot.path}")
        if same and (span is None or overlaps(span, spot)):
            return rank
    return None


def overlaps(span: Mapping[str, Any], spot: Spot) -> bool:
    """Whether the result shares a line with the target's lines."""
    start, end = span.get("start_line"), span.get("end_line")
    if start is None or end is None:
        return True
    return spot.start_line <= int(end) and spot.end_line >= int(start)


def ndcg(ranks: Sequence[int | None], relevant: int) -> float:
    """Return NDCG@10 for targets found at `ranks` out of `relevant` targets."""
    gain = sum(1 / math.log2(rank + 1) for rank in {r for r in ranks if r and r <= DEPTH})
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(relevant, DEPTH) + 1))
    return gain / best if best else 0.0


def reciprocal(rank: int | None) -> float:
    """Return the reciprocal rank, 0 where nothing among the first ten hit."""
    return 1 / rank if rank and rank <= DEPTH else 0.0


def interval(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean of the paired differences and its 95 % bootstrap interval."""
    differences = np.asarray(ours) - np.asarray(theirs)
    random = np.random.default_rng(1)
    picks = random.integers(0, len(differences), (RESAMPLES, len(differences)))
    means = differences[picks].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)
