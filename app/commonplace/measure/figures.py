"""A result as charts: which bars there are, what they are called, and which colour they have."""

from __future__ import annotations

from collections.abc import Iterator

from commonplace.measure.charts import Bar, Tone, bars, curve, saves
from commonplace.measure.results import Estimate, Layer, Recall, Result
from commonplace.measure.verdicts import outcome_of

SHOWN = {"recall": "recall", "vectors": "plain vectors", "words": "plain BM25", "grep": "grep"}
SOURCES = {
    "documentation": "Questions from documentation",
    "notes": "Questions from kept notes",
    "history": "Questions from commits",
}


def with_interval(value: Estimate, form: str) -> str:
    """Return a value with its interval, as it stands beside a bar."""
    return f"{value.value:{form}}  ({value.low:{form}} … {value.high:{form}})"


def charts(result: Result) -> dict[str, str]:
    """Return every chart that `result` has figures for, by a name fit for a file."""
    found: dict[str, str] = {}
    measured = [layer for layer in result.layers if layer.n]
    if measured:
        found["perplexity"] = bars("Perplexity by layer; lower is better", list(_losses(measured)))
    gains = [layer for layer in measured if layer.gain is not None]
    if gains:
        title = "What each layer adds, in nats per token; right of zero it helps"
        found["gains"] = bars(title, list(_gains(gains)))
    if measured:
        title = "Next lines that are written near to the real one (edit similarity)"
        found["similarity"] = bars(title, list(_similarities(measured)))
    for source in dict.fromkeys(row.source for row in result.recall):
        rows = [row for row in result.recall if row.source == source]
        title = f"{SOURCES.get(source, source)} (n {rows[0].n}): mean reciprocal rank"
        found[f"recall-{source}"] = bars(title, list(_ranks(rows)))
    if result.freshness.touches:
        found["freshness"] = saves(
            "Seconds from saving a file to finding what was saved", result.freshness.touches
        )
    if len(result.curve) > 1:
        found["adapter"] = curve("The adapter's training: loss by step", result.curve)
    return found


def _losses(layers: list[Layer]) -> Iterator[Bar]:
    for layer in layers:
        if layer.perplexity is not None:
            shown = with_interval(layer.perplexity, ".2f")
            yield Bar(_added(layer), layer.perplexity, shown)


def _gains(layers: list[Layer]) -> Iterator[Bar]:
    for layer in layers:
        if layer.gain is not None:
            yield Bar(_added(layer), layer.gain, with_interval(layer.gain, "+.3f"), _tone(layer))


def _similarities(layers: list[Layer]) -> Iterator[Bar]:
    for layer in layers:
        if layer.similarity is not None:
            yield Bar(_added(layer), layer.similarity, with_interval(layer.similarity, ".2f"))


def _ranks(rows: list[Recall]) -> Iterator[Bar]:
    for row in rows:
        tone: Tone = "good" if row.system == "recall" else "plain"
        shown = with_interval(row.mrr, ".2f")
        yield Bar(SHOWN.get(row.system, row.system), row.mrr, shown, tone)


def _added(layer: Layer) -> str:
    return layer.name if layer.name == "base" else f"+ {layer.name}"


def _tone(layer: Layer) -> Tone:
    outcome = outcome_of(layer.gain, layer.n)
    return {"helps": "good", "hurts": "bad"}.get(outcome, "plain")  # type: ignore[return-value]
