"""A small picture of many vectors, good enough to leave most of them out.

The vectors of code lie close to a space of far fewer dimensions. A sketch keeps
half of the dimensions, those in which they differ most, at one byte each, an
eighth of float32. Its scores are near enough to the true ones that a few
thousand of a million rows hold all that an exact search would find.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from commonplace.index.embedder import Vectors

Bytes = npt.NDArray[np.int8]
SAMPLE = 20_000
BLOCK = 8192
"""Rows converted at a time, so that they stay in the processor's cache."""


class Sketch:
    """Which directions are kept, and how finely; fitted to the vectors it is for."""

    def __init__(self, rows: npt.NDArray[np.floating]) -> None:
        """Fit to `rows` of shape (rows, dimensions), evenly sampled."""
        sample = rows[:: max(1, len(rows) // SAMPLE)].astype(np.float32)
        _, directions = np.linalg.eigh(sample.T @ sample)
        self._basis = np.ascontiguousarray(directions[:, : -self.kept(rows.shape[1]) - 1 : -1])
        reach = np.abs(sample @ self._basis).max(axis=0)
        self._step = (np.maximum(reach, 1e-6) / 127).astype(np.float32)

    @staticmethod
    def kept(dimensions: int) -> int:
        """Return how many of so many dimensions are kept."""
        return (dimensions + 1) // 2

    def of(self, vectors: npt.NDArray[np.floating]) -> Bytes:
        """Return the sketch of `vectors`, int8 of shape (vectors, kept)."""
        sketch = np.empty((len(vectors), self._basis.shape[1]), dtype=np.int8)
        for start in range(0, len(vectors), BLOCK):
            block = vectors[start : start + BLOCK].astype(np.float32) @ self._basis
            block = np.rint(block / self._step).clip(-127, 127)
            sketch[start : start + BLOCK] = block.astype(np.int8)
        return sketch

    def scores(self, sketch: Bytes, query: Vectors) -> npt.NDArray[np.float32]:
        """Return about the products of the vectors behind `sketch` with `query`."""
        weights = (query @ self._basis) * self._step
        scores = np.empty(len(sketch), dtype=np.float32)
        buffer = np.empty((BLOCK, sketch.shape[1]), dtype=np.float32)
        for start in range(0, len(sketch), BLOCK):
            block = buffer[: len(sketch) - start]
            block[...] = sketch[start : start + BLOCK]
            np.dot(block, weights, out=scores[start : start + BLOCK])
        return scores
