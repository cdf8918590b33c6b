"""The stages that need a model: the layers, an adapter where one is wanted, and speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from commonplace.errors import EngineError, ModelError
from commonplace.measure import asking, layers, speed
from commonplace.measure.adapter_stage import Adapting, measure_adapter
from commonplace.measure.contexts import ADAPTER, BOOK, FULL, QUICK, Contexts, Room
from commonplace.measure.places import HeldOut, drawn_places
from commonplace.measure.results import Layer, Place, Speed, decoded
from commonplace.measure.work import Work

SAMPLE_CHARACTERS = 3000
"""Of the project's own code, by which the model's speed is taken: some hundred tokens."""
NOT_ASKED = (
    "Kept adapters have learned from the very lines that would be held out, so one is trained "
    "for this alone, and only when asked for (--adapt)."
)


class Engine(Adapting, speed.Judge, Protocol):
    """The part of an engine's session that is used here."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...


def measure_model(work: Work, model: Path, open_engine: Callable[[], Engine]) -> None:
    """Score the layers at held-out places and take the model's speed.

    Without a running model the result says why there are no figures, or fewer.
    """
    work.check("layers")
    notes = work.taken.kept_notes()
    try:
        with open_engine() as engine:
            info = engine.load(model, stop=work.stop)
            _layers(work, engine, model, info.context, notes=bool(notes))
            _speed(work, engine)
    except (ModelError, EngineError) as error:
        without_model(work, str(error))
    _summarise(work, notes=bool(notes))


def without_model(work: Work, why: str) -> None:
    """Say that the layers were not measured, and why."""
    work.leave_out(f"What the layers add to a model was not measured. {why}")


def _layers(work: Work, engine: Engine, model: Path, context: int, *, notes: bool) -> None:
    count = work.wanted.places or work.wanted.size.places
    places = drawn_places(work.taken.files(), work.taken.text, count, work.wanted.seed)
    if not places:
        without_model(work, "There is no code here of which lines could be held out.")
        return
    try:
        room = room_of(work).within(context)
    except ValueError:
        without_model(work, f"The model sees only {context} tokens at once.")
        return
    contexts = Contexts(work.taken, engine.count, room)
    _score_places(work, engine, model, contexts, places, notes=notes)
    if work.wanted.adapt:
        measure_adapter(work, engine, model, contexts, book=notes)


def _score_places(
    work: Work,
    engine: Engine,
    model: Path,
    contexts: Contexts,
    places: Sequence[HeldOut],
    *,
    notes: bool,
) -> None:
    failures = layers.Failures(engine, model, work.stop)

    def scorer(place: HeldOut) -> Callable[[], dict[str, Any] | None]:
        return lambda: failures.tried(
            lambda: layers.score_place(engine, place, contexts.of(place, book=notes), work.stop)
        )

    failed = 0
    for number, place in enumerate(places):
        work.check("layers", number, len(places))
        found = work.journal.once(f"place {place.path}:{place.line}", scorer(place))
        if found is None:
            failed += 1
        else:
            work.found.places.append(layers.place_from(found))
    if failed:
        work.leave_out(f"The model failed at {failed} of {len(places)} places.")


def room_of(work: Work) -> Room:
    """Return the tokens that each layer may take."""
    return QUICK if work.wanted.quick else FULL


def _summarise(work: Work, *, notes: bool) -> None:
    """Make the rows of the layers, also of the places that were scored before a failure."""
    places: list[Place] = work.found.places
    if not places:
        return
    rows = layers.summarised(places, work.wanted.seed)
    if not notes:
        rows.append(Layer(BOOK, reason="No note is kept in this project."))
    if not work.wanted.adapt:
        rows.append(Layer(ADAPTER, reason=NOT_ASKED))
    work.found.layers = [*rows, *work.found.layers]
    withheld = sum(place.withheld for place in places)
    if withheld:
        work.leave_out(
            f"{withheld} passages or notes held the held-out lines, or lines just like them, and "
            "were not shown to the model."
        )


def _speed(work: Work, engine: Engine) -> None:
    work.check("speed")
    text = ""
    for _, part in asking.texts_of(work.taken):
        text += part
        if len(text) >= SAMPLE_CHARACTERS:
            break
    sample = text[:SAMPLE_CHARACTERS]
    try:
        timed = work.journal.once(
            "speed model",
            lambda: [asdict(s) for s in speed.model_speeds(engine, sample, work.stop)],
        )
    except ModelError as error:
        work.leave_out(f"The model's speed was not measured. {error}")
        return
    work.found.speed += [decoded(Speed, item, "speed") for item in timed]
