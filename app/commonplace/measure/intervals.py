"""How sure a mean is: 95 % intervals by the bootstrap, paired where two things are compared.

What is drawn again is the unit that was sampled: a question, or a held-out place with
all of its tokens. Tokens of one place depend on each other, so drawing single tokens
would promise more than is known. The same seed gives the same interval.

numpy is loaded at the first interval: a window that shows results draws none.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

from commonplace.measure.results import Estimate

RESAMPLES = 4000
SHARES = (2.5, 97.5)
HIGHEST = 700.0
"""Nats beyond which e to them is no number any more."""


def mean(values: Sequence[float], seed: int) -> Estimate:
    """Return the mean of `values` and its interval; raises `ValueError` without any."""
    return ratio(values, [1.0] * len(values), seed)


def mean_difference(after: Sequence[float], before: Sequence[float], seed: int) -> Estimate:
    """Return the mean of the paired differences `after` − `before`."""
    return mean([a - b for a, b in zip(after, before, strict=True)], seed)


def ratio(parts: Sequence[float], wholes: Sequence[float], seed: int) -> Estimate:
    """Return the sum of `parts` over the sum of `wholes`, drawn in pairs.

    With losses and numbers of tokens this is the loss of a token over all places.
    """
    import numpy as np

    upper, lower = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    if not len(upper) or len(upper) != len(lower) or lower.sum() <= 0:
        raise ValueError("there is nothing to take a mean of")
    picks = np.random.default_rng(seed).integers(0, len(upper), (RESAMPLES, len(upper)))
    drawn = upper[picks].sum(axis=1) / lower[picks].sum(axis=1)
    low, high = (float(edge) for edge in np.percentile(drawn, SHARES))
    value = float(upper.sum() / lower.sum())
    # A mean of equal values differs from theirs by rounding alone.
    return Estimate(value, min(low, value), max(high, value))


def perplexity(nll: Sequence[float], tokens: Sequence[int], seed: int) -> Estimate:
    """Return e to the loss of a token, from the summed losses (nats) of places."""
    loss = ratio(nll, tokens, seed)
    return Estimate(*(exp(min(part, HIGHEST)) for part in (loss.value, loss.low, loss.high)))
