"""A project's own words: a small linear map of the question's vector.

An embedder knows what words mean in general. What they mean here is said by the
project itself: each documented function is a sentence and the code it is about.
The map is a ridge regression from the sentences' vectors to those of the code,
pulled towards leaving them as they are; it takes milliseconds to fit. Whether it
is worth keeping is another question (`trial`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from commonplace.index.embedder import Vectors
from commonplace.words import said

RIDGE = 10.0
"""How strongly the map is pulled towards leaving vectors as they are."""
MIN_PAIRS = 40
"""Fewer documented functions say too little."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a trial found on sentences that the map was not fitted to.

    `base` is the share of them whose code recall finds among the first three
    passages, `adapted` that share with the map. `gain` is the mean gain in
    reciprocal rank and `ci` its 95 % interval, by paired bootstrap. `problem`
    says why there was no trial.
    """

    kept: bool
    pairs: int
    base: float = 0.0
    adapted: float = 0.0
    gain: float = 0.0
    ci: tuple[float, float] = (0.0, 0.0)
    problem: str = ""

    @property
    def reason(self) -> str:
        """The outcome as a sentence for the user."""
        if self.problem:
            return said(f"Not adapted: {self.problem}.")
        base, adapted = _share(self.base), _share(self.adapted)
        hits = said(f"held-out hits among the first three {base} → {adapted}")
        if self.kept:
            return said(f"Adapted to this project's words: {hits}.")
        return said(f"Not adapted: no sure gain on held-out pairs ({hits}).")

    def to_wire(self) -> dict[str, Any]:
        """Return the figures as plain JSON data."""
        held_out = {"base": self.base, "adapted": self.adapted, "gain": self.gain}
        return {
            "kept": self.kept,
            "pairs": self.pairs,
            "heldout": {**held_out, "ci": list(self.ci)},
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Adapter:
    """The map of one project for one embedder; `matrix` is None where it was not kept."""

    embedder: str
    matrix: Vectors | None
    figures: Figures


def fit(asked: Vectors, code: Vectors) -> Vectors:
    """Return the map: ridge regression towards the identity.

    `asked` and `code` are of shape (pairs, dimensions), the map is square.
    """
    pull = RIDGE * np.eye(asked.shape[1])
    wide, target = asked.astype(np.float64), code.astype(np.float64)
    matrix = np.linalg.solve(wide.T @ wide + pull, wide.T @ target + pull)
    return np.ascontiguousarray(matrix, dtype=np.float32)


def adapted(query: Vectors, matrix: Vectors) -> Vectors:
    """Return where the map puts a unit vector, as a unit vector."""
    mapped: Vectors = query @ matrix
    size = np.float32(np.linalg.norm(mapped))
    return mapped / size if size > 0 else query


def _share(value: float) -> str:
    return f"{value * 100:.0f} %"
