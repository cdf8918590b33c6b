"""What the figures say, in plain sentences; a layer that does not help is said not to help.

A difference counts where its 95 % interval keeps clear of zero, and is otherwise said
to be unknown: too few places, or nothing there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import expm1

from commonplace.measure.results import (
    Estimate,
    Freshness,
    Layer,
    Outcome,
    Recall,
    Verdict,
)

LAYER_NAMES = {
    "open file": "The text above in the open file",
    "recall": "Recall from other files",
    "book": "The book of notes",
    "adapter": "The adapter",
}
SOURCE_NAMES = {
    "documentation": "questions from documentation",
    "notes": "questions from kept notes",
    "history": "questions from commits",
}
SYSTEM_NAMES = {"vectors": "plain vectors", "words": "plain BM25", "grep": "grep"}
LEAST = 8
"""Below so many nothing is said to help or to hurt."""
FEW = 20
"""Below so many a sentence says that there were few."""
FRESH = 2.0
"""Seconds within which half of the saved files are found where the index is called fresh."""


def outcome_of(gain: Estimate | None, n: int = LEAST) -> Outcome:
    """Return what an interval of a gain over `n` questions or places says."""
    if gain is None:
        return "missing"
    if n < LEAST:  # the bootstrap promises too much of a handful
        return "unsure"
    if gain.low > 0:
        return "helps"
    return "hurts" if gain.high < 0 else "unsure"


def verdicts(
    layers: Sequence[Layer], recall: Sequence[Recall], freshness: Freshness
) -> list[Verdict]:
    """Return a sentence for each layer, for recall beside each alternative, and for freshness."""
    return [
        *_about_layers(layers),
        *_about_recall(recall),
        *_about_freshness(freshness),
    ]


def _about_layers(layers: Sequence[Layer]) -> Iterator[Verdict]:
    before: Layer | None = None
    for layer in layers:
        if layer.name in LAYER_NAMES:
            yield _about_layer(layer, before)
        if layer.n:
            before = layer


def _about_layer(layer: Layer, before: Layer | None) -> Verdict:
    name = LAYER_NAMES[layer.name]
    if layer.gain is None or before is None:
        return Verdict(layer.name, "missing", f"{name} was not measured. {layer.reason}".strip())
    if not layer.changed:
        sentence = (
            f"{name} had nothing to say at any of the {layer.n} places, so it changed nothing."
        )
        return Verdict(layer.name, "unsure", sentence)
    outcome = outcome_of(layer.gain, layer.n)
    figures = _lowered(layer.gain)
    where = (
        f"at {layer.n} places"
        if layer.changed == layer.n
        else (f"at {layer.n} places, having something to say at {layer.changed}")
    )
    if outcome == "helps":
        sentence = f"{name} helps the model here: {figures}, {where}."
    elif outcome == "hurts":
        sentence = f"{name} does not help the model here, it hurts: {figures}, {where}."
    else:
        sentence = f"{name} does not measurably help the model here: {figures}, {where}."
    parts = (sentence, _next_lines(layer), layer.reason)
    return Verdict(layer.name, outcome, " ".join(filter(None, parts)))


def _lowered(gain: Estimate) -> str:
    """Say a gain in nats a token as a change of perplexity, with its interval."""
    return (
        f"perplexity changes by {_percent(gain.value)} "
        f"({_percent(gain.high)} to {_percent(gain.low)})"
    )


def _percent(gain: float) -> str:
    return f"{expm1(-gain) * 100:+.1f} %"


def _next_lines(layer: Layer) -> str:
    outcome = outcome_of(layer.exact_gain, layer.n)
    if outcome in {"unsure", "missing"} or layer.exact_gain is None:
        return ""
    more = "More" if outcome == "helps" else "Fewer"
    share = abs(layer.exact_gain.value) * 100
    return f"{more} next lines are written exactly ({share:.0f} in 100)."


def _about_recall(recall: Sequence[Recall]) -> Iterator[Verdict]:
    for row in recall:
        if row.gain is None:
            continue
        outcome = outcome_of(row.gain, row.n)
        other, source = SYSTEM_NAMES.get(row.system, row.system), SOURCE_NAMES.get(row.source, "")
        does = {
            "helps": f"Recall finds better than {other}",
            "hurts": f"Recall finds worse than {other}",
        }.get(outcome, f"Recall does not measurably find better than {other}")
        gain = row.gain
        figures = f"MRR {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
        few = ", which are few" if row.n < FEW else ""
        sentence = f"{does} on {row.n} {source}{few}: {figures}."
        yield Verdict(f"recall beside {row.system}, {row.source}", outcome, sentence)


def _about_freshness(freshness: Freshness) -> Iterator[Verdict]:
    touches = freshness.touches
    if not touches:
        reason = freshness.reason or "Nothing was saved."
        yield Verdict("freshness", "missing", f"How fresh the index is was not measured. {reason}")
        return
    lost = sum(not touch.found for touch in touches)
    if lost:
        sentence = f"{lost} of {len(touches)} saved files were not found in time."
        yield Verdict("freshness", "hurts", sentence)
        return
    outcome: Outcome = "helps" if freshness.median <= FRESH else "unsure"
    sentence = (
        f"A saved file is found after {freshness.median:.2f} s "
        f"(median of {len(touches)}; the slowest {freshness.worst:.2f} s)."
    )
    yield Verdict("freshness", outcome, sentence)
