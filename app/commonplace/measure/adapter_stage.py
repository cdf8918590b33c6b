"""The stage of the adapter: trained for one file without its end, and tried on that end.

An adapter that is kept for a file has learned from all of it, so nothing of that file is
left to foresee. So one is trained anew on a scratch copy of the project in which the file
ends early; what follows there is held out. The gate is the product's own: an adapter that
it does not accept is not measured either, as it would not be used.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from commonplace.adapt.store import AdapterStore
from commonplace.engine.identity import model_id
from commonplace.errors import CancelledError, UserError
from commonplace.measure import layers
from commonplace.measure.contexts import ADAPTER, Contexts
from commonplace.measure.freshness import copied
from commonplace.measure.places import HeldOut, lines_to_foresee, place_at
from commonplace.measure.results import Layer, Place, Point, Scored, decoded
from commonplace.measure.sampling import shuffled
from commonplace.measure.work import Work
from commonplace.paths import worker_command
from commonplace.wire.process import WorkerProcess

WITHOUT = "without the adapter"
LEARNED = 0.7
"""The share of the file that may be learned from."""
LINES = range(150, 1500)
LEAST_PLACES, STEP = 8, 8
"""Places that the rest of the file must offer, and the lines between two of them."""


class Adapting(layers.Scorer, Protocol):
    """An engine into which an adapter can be put."""

    def adapter(
        self, path: Path | None, sha256: str = "", scale: float = 1.0, base: str = ""
    ) -> object:
        """Put the adapter at `path` in place, or take it away."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to adapt to: the text that may be learned from, and the places held out."""

    path: str
    learned: str
    places: tuple[HeldOut, ...]


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of training; `path` is the adapter's file, None where none was accepted."""

    reason: str
    curve: tuple[Point, ...] = ()
    path: Path | None = None
    sha256: str = ""
    scale: float = 1.0


Train = Callable[[Work, Task, Path], Trained]


def measure_adapter(
    work: Work, engine: Adapting, model: Path, contexts: Contexts, *, book: bool
) -> None:
    """Train an adapter for one file of the project and say what it adds to the layers below."""
    found = work.journal.once(
        "adapter", lambda: measured(work, engine, model, contexts, book=book, train=trained)
    )
    places = [layers.place_from(place) for place in found["places"]]
    work.found.curve += [decoded(Point, point, "curve") for point in found["curve"]]
    if not places:
        work.found.layers.append(Layer(ADAPTER, reason=found["reason"]))
        return
    before, after = ([place.scores[number] for place in places] for number in (0, 1))
    characters = [place.characters for place in places]
    row = layers.row_of(ADAPTER, after, characters, before, work.wanted.seed)
    work.found.layers.append(replace(row, reason=found["reason"]))
    work.found.adapted += places


def measured(
    work: Work, engine: Adapting, model: Path, contexts: Contexts, *, book: bool, train: Train
) -> dict[str, Any]:
    """Return the reason, the curve and the places, with and without the adapter, as plain data."""
    work.check("adapter", 0, 100)
    task = chosen_task(work)
    if task is None:
        return _plain("No file here is long enough to learn from and to be tried on.")
    try:
        outcome = train(work, task, model)
    except CancelledError:
        raise
    except UserError as error:
        return _plain(f"It could not be trained for {task.path}. {error}")
    if outcome.path is None:
        return _plain(f"None was accepted for {task.path}: {outcome.reason}", outcome.curve)
    places = _scored(work, engine, model, contexts, task, outcome, book=book)
    shutil.rmtree(outcome.path.parent, ignore_errors=True)
    return _plain(f"It was trained for {task.path}.", outcome.curve, places)


def chosen_task(work: Work) -> Task | None:
    """Return the file that the seed chooses among those that are long enough."""
    count = work.wanted.size.adapted_places
    for path in shuffled(work.taken.files(), work.wanted.seed):
        text = work.taken.text(path) or ""
        lines = text.split("\n")
        if len(lines) not in LINES:
            continue
        cut = int(len(lines) * LEARNED)
        after: list[int] = []
        for line in lines_to_foresee(path, text):
            if line > cut and (not after or line - after[-1] >= STEP):
                after.append(line)
        if len(after) >= LEAST_PLACES:
            places = tuple(place_at(path, text, line) for line in after[:count])
            return Task(path, "\n".join(lines[:cut]) + "\n", places)
    return None


def trained(work: Work, task: Task, model: Path) -> Trained:
    """Train in a process of its own, in a copy of the project where the file ends early.

    Raises what training raises; nothing is left in the user's state.
    """
    root = (work.scratch / "adapting").resolve()
    copied(work.taken, root, work.wanted.seed)
    (root / task.path).write_text(task.learned, encoding="utf-8")
    curve: list[Point] = []

    def heard(data: dict[str, Any]) -> None:
        work.stages.at("adapter", round(float(data.get("fraction") or 0.0) * 100), 100)
        step, loss = data.get("step"), data.get("loss")
        if isinstance(step, int) and isinstance(loss, int | float):
            heldout = data.get("heldout")
            known = float(heldout) if isinstance(heldout, int | float) else None
            if not curve or curve[-1].step != step:
                curve.append(Point(step, float(loss), known))
            elif known is not None:
                curve[-1] = Point(step, float(loss), known)

    params = {
        "root": str(root),
        "file": task.path,
        "model": str(model),
        "neighbours": False,
        "seed": work.wanted.seed,
    }
    store = AdapterStore.of(work.state, root)
    try:
        log = work.state.logs / "measure-adapt.log"
        with WorkerProcess(worker_command("adapt"), log_file=log) as worker:
            outcome = worker.request("adapt", params, on_data=heard, stop=work.stop)
        reason = str(outcome.get("reason", ""))
        record = next((r for r in store.records() if r.id == outcome.get("id")), None)
        if not outcome.get("accepted") or record is None:
            return Trained(reason, tuple(curve))
        store.verify(record)
        kept = work.scratch / "adapter"
        kept.mkdir()
        path = Path(shutil.copy(record.path, kept))
        return Trained(reason, tuple(curve), path, record.sha256, record.scale)
    finally:
        for folder in (work.state.project_data(root), work.state.project_cache(root)):
            shutil.rmtree(folder, ignore_errors=True)


def _scored(
    work: Work,
    engine: Adapting,
    model: Path,
    contexts: Contexts,
    task: Task,
    outcome: Trained,
    *,
    book: bool,
) -> list[Place]:
    """Score the held-out places with all layers below, first without and then with the adapter."""
    read = [contexts.of(place, book=book)[-1].text for place in task.places]

    def all_of(name: str) -> list[Scored]:
        scores = []
        for place, context in zip(task.places, read, strict=True):
            work.check("adapter", 100, 100)
            scores.append(layers.scored(engine, name, context, place, work.stop))
        return scores

    before = all_of(WITHOUT)
    engine.adapter(outcome.path, outcome.sha256, outcome.scale, model_id(model))
    try:
        after = all_of(ADAPTER)
    finally:
        engine.adapter(None)
    return [
        Place(place.path, place.line, len(place.target), (one, other))
        for place, one, other in zip(task.places, before, after, strict=True)
    ]


def _plain(
    reason: str, curve: Sequence[Point] = (), places: Sequence[Place] = ()
) -> dict[str, Any]:
    return {
        "reason": reason,
        "curve": [asdict(point) for point in curve],
        "places": [asdict(place) for place in places],
    }
