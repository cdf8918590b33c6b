"""The gate: three questions, and only three times yes lets an adapter be used.

1. *Held-out*: does the adapter, with the best prompt, foretell the held-out blocks better
   than the best prompt alone?
2. *Regression*: is it no worse than half a percent of perplexity on other text?
3. *Parity*: do torch, which trained it, and llama.cpp, which will use it, agree?

Everything is paired: each token's surprise with and without the adapter, same text, same
prompt. What is resampled are blocks (of the file, or the texts of the regression set) and
not single tokens: the tokens of one block succeed and fail together, and an interval that
takes them for independent is too narrow. Blocks are few, so the interval is widened as
Student's t is against the normal distribution.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from commonplace.adapt.records import Figure, Gate

DRAWS = 4000
CONFIDENCE = 0.95
MOST_WORSE = 0.005
"""Relative rise of the regression set's perplexity that is borne."""
MOST_WORSE_TEXT = 0.05
"""The same for a single text: a mean hides the one kind of text that is spoilt."""
MOST_APART = 0.02
"""Nats per token that torch and llama.cpp may differ in the mean."""
WORST = "worst text"
"""Stands among the parts for the single text that suffers most."""
TEXT_TOKENS = 30
"""Tokens from which a single text says something."""
FEWEST_BLOCKS = 4
FEWEST_TOKENS = 80

_T_975 = (
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23,
    2.20, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.10, 2.09, 2.09,
)  # fmt: skip
"""Student's t at 97.5 % for 1, 2, … degrees of freedom."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One text measured twice: nats of each of its tokens without and with the adapter."""

    part: str
    base: tuple[float, ...]
    adapted: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Apart:
    """Mean nats per token of the same texts, of torch and of llama.cpp."""

    name: str
    torch: float
    llama: float
    tokens: int

    @property
    def difference(self) -> float:
        """Torch's mean minus llama.cpp's."""
        return self.torch - self.llama


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the adapter may be used, why in one sentence, and the figures."""

    accepted: bool
    reason: str
    gate: Gate


def judge(
    heldout: Sequence[Pair], regression: Sequence[Pair], parity: Sequence[Apart], seed: int
) -> Verdict:
    """Answer the three questions; an empty sequence leaves its question unasked, thus no."""
    gate = Gate(
        heldout=heldout_figure(heldout, seed) if heldout else Figure(),
        regression=regression_figure(regression, seed) if regression else Figure(),
        parity=parity_figure(parity) if parity else Figure(),
    )
    reason = _why_not(gate, regression, parity)
    return Verdict(not reason, reason or _why(gate), gate)


def heldout_figure(pairs: Sequence[Pair], seed: int) -> Figure:
    """Answer the first question: yes if the whole interval lies below zero."""
    figure = _compared(pairs, seed)
    enough = figure.blocks >= FEWEST_BLOCKS and figure.tokens >= FEWEST_TOKENS
    return replace(figure, passed=enough and figure.ci[1] < 0.0)


def regression_figure(pairs: Sequence[Pair], seed: int) -> Figure:
    """Answer the second question: yes if no part, no text, nor the interval's end is too bad."""
    figure = _compared(pairs, seed)
    names = dict.fromkeys(pair.part for pair in pairs)
    parts = {name: _change([pair for pair in pairs if pair.part == name]) for name in names}
    worst = max((figure.ci[1], *parts.values()))
    text = max((_change([p]) for p in pairs if len(p.base) >= TEXT_TOKENS), default=0.0)
    passed = worst <= MOST_WORSE and text <= MOST_WORSE_TEXT
    return replace(figure, passed=passed, parts={**parts, WORST: text})


def parity_figure(parity: Sequence[Apart]) -> Figure:
    """Answer the third question: yes if all means agree. Its interval spans the differences."""
    apart = {item.name: item.difference for item in parity}
    base = [abs(d) for name, d in apart.items() if name.endswith("base")]
    adapted = [abs(d) for name, d in apart.items() if not name.endswith("base")]
    return Figure(
        base=max(base, default=math.nan),
        adapted=max(adapted, default=math.nan),
        ci=(min(apart.values()), max(apart.values())),
        passed=bool(base and adapted) and max(map(abs, apart.values())) <= MOST_APART,
        tokens=sum(item.tokens for item in parity),
        blocks=len(parity),
        parts=apart,
    )


def interval(
    base: Sequence[Sequence[float]], adapted: Sequence[Sequence[float]], seed: int
) -> tuple[float, float]:
    """Return the 95 % interval of the relative change of perplexity, by bootstrap over blocks.

    The blocks are drawn with replacement; both sums of a draw are over the same blocks. The
    percentiles are moved away from the mean by Student's t over the normal's quantile and by
    √(k/(k-1)) for k blocks. One block has no interval: it is as wide as can be.
    """
    sums = np.array([math.fsum(a) - math.fsum(b) for a, b in zip(adapted, base, strict=True)])
    counts = np.array([len(b) for b in base], dtype=float)
    blocks = len(sums)
    if blocks < 2 or not counts.sum():
        return -math.inf, math.inf
    draws = np.random.default_rng(seed).integers(0, blocks, size=(DRAWS, blocks))
    means = sums[draws].sum(axis=1) / np.maximum(counts[draws].sum(axis=1), 1.0)
    centre = float(sums.sum() / counts.sum())
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    wider = _t(blocks - 1) / 1.96 * math.sqrt(blocks / (blocks - 1))
    bounds = (centre + (float(bound) - centre) * wider for bound in (low, high))
    lower, upper = (math.expm1(bound) for bound in bounds)
    return lower, upper


def _compared(pairs: Sequence[Pair], seed: int) -> Figure:
    base = [value for pair in pairs for value in pair.base]
    adapted = [value for pair in pairs for value in pair.adapted]
    told = [pair for pair in pairs if pair.base]
    if not base:
        return Figure()
    return Figure(
        base=_perplexity(base),
        adapted=_perplexity(adapted),
        ci=interval([p.base for p in told], [p.adapted for p in told], seed),
        tokens=len(base),
        blocks=len(told),
    )


def _change(pairs: Sequence[Pair]) -> float:
    """Return the relative change of the perplexity of some texts together."""
    base = [value for pair in pairs for value in pair.base]
    adapted = [value for pair in pairs for value in pair.adapted]
    return math.expm1((math.fsum(adapted) - math.fsum(base)) / max(len(base), 1))


def _perplexity(nats: Sequence[float]) -> float:
    return math.exp(min(math.fsum(nats) / len(nats), 50.0))


def _t(freedom: int) -> float:
    return _T_975[freedom - 1] if freedom <= len(_T_975) else 1.96 + 2.5 / freedom


def _why_not(gate: Gate, regression: Sequence[Pair], parity: Sequence[Apart]) -> str:
    """Return the first question that is answered with no, in a sentence; or nothing."""
    held, other, agree = gate.heldout, gate.regression, gate.parity
    if parity and not agree.passed:
        worst = max(agree.parts.values(), key=abs)
        return (
            f"Torch and llama.cpp disagree by {abs(worst):.3f} nats a token, more than "
            f"{MOST_APART:g}: what was trained is not what would be used."
        )
    if held.blocks < FEWEST_BLOCKS or held.tokens < FEWEST_TOKENS:
        return (
            f"Only {held.tokens} tokens in {held.blocks} blocks of the file are left to judge by, "
            "too few to tell skill from luck."
        )
    change = held.adapted / held.base - 1
    if not held.passed:
        return (
            f"With the best prompt the adapter changes the perplexity of the held-out part by "
            f"{_percent(change)} ({_percent(held.ci[0])} to {_percent(held.ci[1])}): "
            "no proof that it helps."
        )
    if not regression or not other.passed:
        return _regressed(other)
    return "" if parity else "It was not measured whether torch and llama.cpp agree."


def _regressed(other: Figure) -> str:
    worst: Mapping[str, float] = {
        name: change
        for name, change in other.parts.items()
        if change > (MOST_WORSE_TEXT if name == WORST else MOST_WORSE)
    }
    if worst:
        named = ", ".join(f"{name} {_percent(change)}" for name, change in worst.items())
        return f"It makes other text harder to foretell, by more than is borne: {named}."
    return (
        f"On other text its perplexity may rise by up to {_percent(other.ci[1])}, more than the "
        f"{_percent(MOST_WORSE)} that is borne."
    )


def _why(gate: Gate) -> str:
    held, other = gate.heldout, gate.regression
    return (
        f"With the best prompt the held-out part became easier to foretell: perplexity "
        f"{_percent(held.adapted / held.base - 1)} ({_percent(held.ci[0])} to "
        f"{_percent(held.ci[1])}). Other text: {_percent(other.adapted / other.base - 1)}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %" if abs(share) < 0.9995 else f"{100 * share:+.0f} %"
