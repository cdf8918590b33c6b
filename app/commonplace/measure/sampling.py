"""Drawing by a seed: the same things in the same order give the same sample."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def shuffled(items: Sequence[Item], seed: int) -> list[Item]:
    """Return `items` in an order that the seed chooses."""
    return random.Random(seed).sample(list(items), len(items))  # noqa: S311 - no secret


def drawn(items: Sequence[Item], count: int, seed: int) -> list[Item]:
    """Return up to `count` of `items`, in their own order."""
    numbers = sorted(shuffled(range(len(items)), seed)[:count])
    return [items[number] for number in numbers]
