"""What each layer of memory adds to the model: held-out places, scored layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import log
from pathlib import Path
from typing import Any, Protocol

from commonplace.engine.types import ModelInfo, Score
from commonplace.errors import EngineError
from commonplace.measure import intervals
from commonplace.measure.contexts import Context
from commonplace.measure.lines import edit_similarity, same_line
from commonplace.measure.places import HeldOut
from commonplace.measure.results import Estimate, Layer, Place, Scored, decoded

NEXT_LINE_TOKENS = 48
MOST_FAILURES = 3
"""Places in a row that the engine may fail at before the measurement gives up."""

Stop = Callable[[], bool]


class Scorer(Protocol):
    """The part of an engine's session that is used here."""

    def load(self, path: Path, *, stop: Stop | None = None) -> ModelInfo:
        """Load the model at `path`."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text."""

    def score(self, context: str, text: str, stop: Stop | None = None) -> Score:
        """Return how likely `text` is behind `context`."""

    def continue_text(
        self, context: str, max_tokens: int, stop_at: Sequence[str] = (), stop: Stop | None = None
    ) -> str:
        """Write on from `context`."""


def score_place(engine: Scorer, place: HeldOut, contexts: Sequence[Context], stop: Stop) -> Place:
    """Return what the model foresees at `place` in each of `contexts`, which build on each other.

    Where a layer changes nothing, the figures of the one before stand for it.
    """
    scores: list[Scored] = []
    for context in contexts:
        if scores and not context.changed:
            before = scores[-1]
            scores.append(
                Scored(
                    context.layer,
                    before.nll,
                    before.tokens,
                    before.exact,
                    before.similarity,
                    changed=False,
                )
            )
            continue
        scores.append(scored(engine, context.layer, context.text, place, stop))
    withheld = sum(context.withheld for context in contexts)
    return Place(place.path, place.line, len(place.target), tuple(scores), withheld)


def scored(engine: Scorer, layer: str, context: str, place: HeldOut, stop: Stop) -> Scored:
    """Return how likely the held-out lines are behind `context`, and how near the next line is."""
    score = engine.score(context, place.target, stop)
    written = next_line(engine, context, stop)
    return Scored(
        layer,
        round(sum(score.nll), 4),
        len(score.tokens),
        same_line(written, place.first),
        round(edit_similarity(written, place.first), 4),
    )


def next_line(engine: Scorer, context: str, stop: Stop) -> str:
    """Return the next line with something on it that the model would write, greedily."""
    line = engine.continue_text(context, NEXT_LINE_TOKENS, ("\n",), stop)
    if not line.strip():
        line = engine.continue_text(f"{context}{line}\n", NEXT_LINE_TOKENS, ("\n",), stop)
    return line


class Failures:
    """Lets the engine fail at a place now and then, and not at one after the other."""

    def __init__(self, engine: Scorer, model: Path, stop: Stop) -> None:
        self._engine = engine
        self._model = model
        self._stop = stop
        self._row = 0

    def tried(self, work: Callable[[], Place]) -> dict[str, Any] | None:
        """Return the place as plain data; None where the engine failed, which is up again then."""
        try:
            place = work()
        except EngineError:
            self._row += 1
            if self._row >= MOST_FAILURES:
                raise
            self._engine.load(self._model, stop=self._stop)
            return None
        self._row = 0
        return asdict(place)


def place_from(data: object) -> Place:
    """Rebuild a place from a journal's data."""
    place: Place = decoded(Place, data, "place")
    return place


def summarised(places: Sequence[Place], seed: int) -> list[Layer]:
    """Return a row for each layer that every place has, each compared with the one before."""
    if not places:
        return []
    names = [s.layer for s in places[0].scores if all(_at(p, s.layer) is not None for p in places)]
    columns = [[score for place in places if (score := _at(place, name))] for name in names]
    characters = [place.characters for place in places]
    rows = []
    for number, (name, own) in enumerate(zip(names, columns, strict=True)):
        before = columns[number - 1] if number else None
        rows.append(row_of(name, own, characters, before, seed))
    return rows


def row_of(
    name: str,
    own: Sequence[Scored],
    characters: Sequence[int],
    before: Sequence[Scored] | None,
    seed: int,
) -> Layer:
    """Return the row of one layer over the places where `own` was scored."""
    nll, tokens = [s.nll for s in own], [s.tokens for s in own]
    gains: tuple[Estimate | None, ...] = (None, None, None)
    if before is not None:
        gains = (
            intervals.ratio(
                [b.nll - o.nll for b, o in zip(before, own, strict=True)], tokens, seed
            ),
            intervals.mean_difference([o.exact for o in own], [b.exact for b in before], seed),
            intervals.mean_difference(
                [o.similarity for o in own], [b.similarity for b in before], seed
            ),
        )
    gain, exact_gain, similarity_gain = gains
    return Layer(
        name,
        n=len(own),
        tokens=sum(tokens),
        changed=sum(s.changed for s in own),
        perplexity=intervals.perplexity(nll, tokens, seed),
        bits=intervals.ratio([value / log(2) for value in nll], characters, seed),
        exact=intervals.mean([float(s.exact) for s in own], seed),
        similarity=intervals.mean([s.similarity for s in own], seed),
        gain=gain,
        exact_gain=exact_gain,
        similarity_gain=similarity_gain,
    )


def _at(place: Place, layer: str) -> Scored | None:
    return next((score for score in place.scores if score.layer == layer), None)
