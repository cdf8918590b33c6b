"""How well the table finds code in projects it has not seen.

For every documented definition of a held-out project, its first paragraph asks
and all definitions of that project answer: the mean reciprocal rank, over
projects. Choices about the recipe are made by this figure.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from learning import encode
from tokenizers import Tokenizer

HELD_OUT = frozenset(
    "tornadoweb/tornado fastify/fastify TanStack/query labstack/echo hyperium/hyper google/guice "
    "memcached/memcached google/leveldb serilog/serilog slimphp/Slim lostisland/faraday "
    "detekt/detekt onevcat/Kingfisher asdf-vm/asdf lewis6991/gitsigns.nvim elixir-tesla/tesla "
    "haskell/containers karlseguin/http.zig typelevel/fs2".split()
)
QUERIES = 400
Row = Mapping[str, str]


def embed(
    tokenizer: Tokenizer, table: npt.NDArray[np.float32], texts: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Return one unit vector per text."""
    vectors = np.zeros((len(texts), table.shape[1]), dtype=np.float32)
    for row, ids in enumerate(encode(tokenizer, texts, 100_000)):
        vectors[row] = table[ids].sum(axis=0)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: npt.NDArray[np.float32] = vectors / np.maximum(norms, 1e-9)
    return unit


def reciprocal_ranks(
    tokenizer: Tokenizer, table: npt.NDArray[np.float32], rows: Sequence[Row]
) -> dict[str, float]:
    """Return the mean reciprocal rank of each project in `rows`."""
    scores = {}
    for source in sorted({row["source"] for row in rows}):
        own = [r for r in rows if r["source"] == source and r["kind"] in {"doc", "name", "file"}]
        asked = [number for number, row in enumerate(own) if row["kind"] == "doc"][:QUERIES]
        if len(asked) < 10:
            continue
        codes = embed(tokenizer, table, [row["code"] for row in own])
        queries = embed(tokenizer, table, [own[number]["query"] for number in asked])
        similar = queries @ codes.T
        right = similar[np.arange(len(asked)), asked]
        ranks = (similar > right[:, None]).sum(axis=1) + 1
        scores[source] = float((1 / ranks).mean())
    return scores


def mean(scores: Mapping[str, float]) -> float:
    """Return the mean over projects."""
    return statistics.mean(scores.values())
