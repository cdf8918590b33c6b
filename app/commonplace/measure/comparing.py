"""Two results side by side: what a new model makes of the same memory.

Models cut text into tokens of their own, so likelihoods are compared in bits per
character. Where both foresaw the very same places, or were asked the very same
questions, the difference is paired and has an interval; elsewhere both stand beside
each other without one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from commonplace.measure import intervals
from commonplace.measure.results import Estimate, Outcome, Result
from commonplace.measure.verdicts import outcome_of


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure of both results.

    `difference` is new − old where it is paired over `n` places or questions, and
    `outcome` says whether the new one is better (helps), worse (hurts), or neither.
    """

    name: str
    figure: str
    old: Estimate | None
    new: Estimate | None
    difference: Estimate | None = None
    n: int = 0
    outcome: Outcome = "missing"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results and every figure that both have, or one of them."""

    old: Result
    new: Result
    rows: tuple[Compared, ...]

    @property
    def same_memory(self) -> bool:
        """Whether both were measured on the same files and notes."""
        return bool(self.old.memory) and self.old.memory == self.new.memory


def compared(old: Result, new: Result) -> Comparison:
    """Return `new` held against `old`."""
    return Comparison(old, new, (*_layers(old, new), *_recall(old, new)))


def chosen(results: Sequence[Result]) -> tuple[Result, Result] | None:
    """Return the older and the newest of `results` (newest first) that are worth comparing.

    The newest is held against the last one of another model, on the same memory if
    there is one; without another model against the one before.
    """
    if len(results) < 2:
        return None
    newest, *others = results
    elsewhere = [r for r in others if r.identity != newest.identity]
    same = [r for r in elsewhere if r.memory == newest.memory]
    return next(iter(same or elsewhere or others)), newest


def _layers(old: Result, new: Result) -> Iterator[Compared]:
    names = dict.fromkeys(layer.name for result in (old, new) for layer in result.layers if layer.n)
    for name in names:
        before = next((layer for layer in old.layers if layer.name == name), None)
        after = next((layer for layer in new.layers if layer.name == name), None)
        pairs = _places(old, new, name)
        for figure in ("bits", "exact", "similarity"):
            values = [
                None if layer is None else getattr(layer, figure) for layer in (before, after)
            ]
            yield _with_difference(name, figure, (values[0], values[1]), pairs, new.seed)


Pair = tuple[dict[str, float], dict[str, float]]


def _places(old: Result, new: Result, layer: str) -> list[Pair]:
    """Return the figures at each place that both results have, before and after."""
    here = {(p.path, p.line, p.characters): p for p in old.places}
    pairs: list[Pair] = []
    for place in new.places:
        other = here.get((place.path, place.line, place.characters))
        if other is None:
            continue
        found = [
            {
                "bits": score.nll / log(2),
                "exact": float(score.exact),
                "similarity": score.similarity,
                "characters": float(place.characters),
            }
            for one in (other, place)
            for score in one.scores
            if score.layer == layer
        ]
        if len(found) == 2:
            pairs.append((found[0], found[1]))
    return pairs


def _with_difference(
    name: str,
    figure: str,
    values: tuple[Estimate | None, Estimate | None],
    pairs: Sequence[Pair],
    seed: int,
) -> Compared:
    if not pairs or None in values:
        return Compared(name, figure, *values)
    differences = [after[figure] - before[figure] for before, after in pairs]
    weights = [after["characters"] if figure == "bits" else 1.0 for _, after in pairs]
    difference = intervals.ratio(differences, weights, seed)
    # Fewer bits are better; more of anything else is.
    gain = difference
    if figure == "bits":
        gain = Estimate(-difference.value, -difference.high, -difference.low)
    return Compared(name, figure, *values, difference, len(pairs), outcome_of(gain, len(pairs)))


def _recall(old: Result, new: Result) -> Iterator[Compared]:
    ours = {row.source: row for row in old.recall if row.system == "recall"}
    theirs = {row.source: row for row in new.recall if row.system == "recall"}
    for source in dict.fromkeys([*ours, *theirs]):
        before, after = ours.get(source), theirs.get(source)
        values = before.mrr if before else None, after.mrr if after else None
        name = f"recall, {source}"
        ranks = [_reciprocals(result, source) for result in (old, new)]
        both = [key for key in ranks[1] if key in ranks[0]]
        if not both:
            yield Compared(name, "mrr", *values)
            continue
        difference = intervals.mean_difference(
            [ranks[1][key] for key in both], [ranks[0][key] for key in both], new.seed
        )
        yield Compared(
            name, "mrr", *values, difference, len(both), outcome_of(difference, len(both))
        )


def _reciprocals(result: Result, source: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (item.text, item.answers): 1 / rank if rank else 0.0
        for item in result.asked
        if item.source == source
        for system, rank in zip(item.systems, item.ranks, strict=False)
        if system == "recall"
    }
