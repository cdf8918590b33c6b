"""Learning the table: pull words towards the code they are about.

A text is the sum of its tokens' rows, made a unit vector. In a batch, each
query must find its own code among all others (and each code its query). A batch
comes from one source, or from few, because telling a project's functions apart
is what recall has to do.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import nn

log = logging.getLogger("embedder")
Ids = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """What can be chosen about the learning."""

    dimensions: int = 256
    epochs: int = 3
    batch: int = 512
    group: int = 512
    rate: float = 0.003
    scale: float = 30.0
    query_tokens: int = 64
    code_tokens: int = 192
    smoothing: float = 1e-3
    seed: int = 20


@dataclass(frozen=True, slots=True)
class Examples:
    """Pairs as token numbers, with the source of each."""

    queries: list[Ids]
    codes: list[Ids]
    sources: list[str]


def encode(tokenizer: Tokenizer, texts: Sequence[str], limit: int) -> list[Ids]:
    """Return the token numbers of each text, at most `limit`."""
    found: list[Ids] = []
    for start in range(0, len(texts), 4096):
        batch = tokenizer.encode_batch(list(texts[start : start + 4096]), add_special_tokens=False)
        found += [np.array(encoding.ids[:limit], dtype=np.int32) for encoding in batch]
    return found


def common_weights(examples: Examples, size: int, smoothing: float) -> npt.NDArray[np.float32]:
    """Return how much each token says: near 1 where rare, near 0 where common."""
    counts = np.zeros(size, dtype=np.float64)
    for texts in (examples.queries, examples.codes):
        counts += np.bincount(np.concatenate(texts), minlength=size)
    share = counts / counts.sum()
    return (smoothing / (smoothing + share)).astype(np.float32)


def learn(
    examples: Examples, start: npt.NDArray[np.float32], recipe: Recipe
) -> npt.NDArray[np.float32]:
    """Return the learned table; `start` is the table to begin with."""
    torch.manual_seed(recipe.seed)
    table = nn.EmbeddingBag.from_pretrained(torch.from_numpy(start), freeze=False, mode="sum")
    optimiser = torch.optim.Adam(table.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    steps = recipe.epochs * (len(examples.queries) // recipe.batch)
    began, done, losses = time.perf_counter(), 0, []
    for epoch in range(recipe.epochs):
        for rows in batches(examples.sources, recipe, epoch):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate * _pace(done, steps)
            loss = _loss(table, examples, rows, recipe.scale)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
            done += 1
        seconds = time.perf_counter() - began
        log.info("epoch %d: loss %.3f, %.0f s", epoch + 1, np.mean(losses[-200:]), seconds)
    result: npt.NDArray[np.float32] = table.weight.detach().numpy()
    return result


def batches(sources: Sequence[str], recipe: Recipe, epoch: int) -> Iterator[list[int]]:
    """Yield the rows of each batch: groups of one source, put together at random."""
    chance = random.Random(recipe.seed * 1000 + epoch)  # noqa: S311 - an order, not a secret
    by_source: dict[str, list[int]] = defaultdict(list)
    for row, source in enumerate(sources):
        by_source[source].append(row)
    groups: list[list[int]] = []
    for rows in by_source.values():
        chance.shuffle(rows)
        groups += [rows[n : n + recipe.group] for n in range(0, len(rows), recipe.group)]
    chance.shuffle(groups)
    batch: list[int] = []
    for group in groups:
        batch += group
        if len(batch) >= recipe.batch:
            yield batch[: recipe.batch]
            batch = batch[recipe.batch :]


def _loss(
    table: nn.EmbeddingBag, examples: Examples, rows: list[int], scale: float
) -> torch.Tensor:
    queries = _embedded(table, [examples.queries[row] for row in rows])
    codes = _embedded(table, [examples.codes[row] for row in rows])
    scores = scale * queries @ codes.T
    own = torch.arange(len(rows))
    return (
        nn.functional.cross_entropy(scores, own) + nn.functional.cross_entropy(scores.T, own)
    ) / 2


def _embedded(table: nn.EmbeddingBag, texts: list[Ids]) -> torch.Tensor:
    lengths = np.cumsum([0] + [len(ids) for ids in texts[:-1]])
    ids = torch.from_numpy(np.concatenate(texts).astype(np.int64))
    return nn.functional.normalize(table(ids, torch.from_numpy(lengths)), dim=-1)


def _pace(step: int, steps: int) -> float:
    """Return the share of the rate at a step: up for a twentieth, then down a cosine."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm))))
