"""Which number of threads and which batch are fastest here, found by trying.

Time and not theory decides: more threads than free cores are slower, and so are
batches that leave a processor's cache. A trial takes a second or two, happens
once per model, build and machine, and is remembered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

SECONDS = 3.0
"""All trials of one kind together; what was not tried by then is not chosen."""
KEPT = 0.7
"""Share of the foretold tokens that are right where code is copied, cautiously."""
WINS = 1.2
CLEARLY = 0.95
"""A later candidate must take less than this share of the best time so far."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What was found: threads, tokens read at once, and speeds in tokens a second.

    `ahead` tokens of an answer that copies are foretold, 0 where that is no gain.
    """

    threads: int
    batch: int
    read_speed: float
    write_speed: float
    ahead: int


def ahead_that_wins(seconds: Mapping[int, float]) -> int:
    """Return how many tokens to foretell, from the seconds of batches by their size.

    A batch is the token drawn and those foretold. Where code is copied about
    `KEPT` of them are right; what is left must beat writing one by one.
    """
    one = seconds[1]
    gains = {
        size - 1: (1 + KEPT * (size - 1)) * one / spent
        for size, spent in seconds.items()
        if size > 1
    }
    best = max(gains, key=lambda ahead: gains[ahead], default=0)
    return best if best and gains[best] > WINS else 0


def thread_candidates(cores: int, logical: int) -> list[int]:
    """Return the numbers of threads worth trying, the likeliest first."""
    tried = [cores, logical, cores - 1, cores // 2]
    return list(dict.fromkeys(n for n in tried if n >= 1))


def fastest(
    candidates: Sequence[int],
    trial: Callable[[int], float],
    *,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[int, float]:
    """Return the candidate whose `trial` took least, and its seconds.

    The first is always tried, and wins unless another is clearly faster.
    """
    began = clock()
    best, least = candidates[0], trial(candidates[0])
    for candidate in candidates[1:]:
        if clock() - began + least > seconds:
            break
        spent = trial(candidate)
        if spent < least * CLEARLY:
            best, least = candidate, spent
    return best, least
