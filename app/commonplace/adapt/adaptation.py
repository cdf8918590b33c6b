"""One adaptation from the first look at the file to an adapter that is kept, or is not.

The steps: read the file and cut it; ask the base model (llama.cpp, in its own process) how
well it foretells the held-out part behind the best prompt, and the regression set; meanwhile
train; export; ask the same with the adapter; compare torch with llama.cpp; judge. Whatever
goes wrong at any of them, the model is as it was and nothing is kept.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commonplace.adapt import gate, plan
from commonplace.adapt.corpus import Corpus, opened
from commonplace.adapt.export import write_adapter
from commonplace.adapt.material import Material, Order, prepared
from commonplace.adapt.measuring import Asking, Question, TorchSide
from commonplace.adapt.records import Gate, Record, Source, sources_to_wire
from commonplace.adapt.store import ADAPTER_FILE, AdapterStore, file_sha256
from commonplace.adapt.training import Recipe, Step, Trained, Trainee
from commonplace.adapt.weights import load_model
from commonplace.engine.gguf import Header
from commonplace.engine.identity import model_id
from commonplace.errors import AdapterError, CancelledError
from commonplace.paths import StatePaths

log = logging.getLogger(__name__)

TRAINING = (0.1, 0.58)
"""The shares of all the work after which training begins and ends."""
COMPARED = 3
"""Every so many of the regression texts torch reads too: some 700 tokens, with and without."""

Report = Callable[[dict[str, Any]], None]
Scores = list[tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `reason` is one sentence for people, `id` names an adapter that is kept."""

    accepted: bool
    reason: str
    seconds: float
    gate: Gate = field(default_factory=Gate)
    trained_on: tuple[Source, ...] = ()
    id: str | None = None

    def to_wire(self) -> dict[str, Any]:
        """Return the outcome for JSON."""
        return {
            "accepted": self.accepted,
            "reason": self.reason,
            "seconds": round(self.seconds, 1),
            "gate": self.gate.to_wire(),
            "trained_on": sources_to_wire(self.trained_on),
            "id": self.id,
        }


class Adaptation:
    """One run. `asking` is the engine's side; `report` hears how far it is."""

    def __init__(
        self,
        order: Order,
        state: StatePaths,
        asking: Asking,
        report: Report,
        stop: Callable[[], bool],
        recipe: Recipe | None = None,
    ) -> None:
        self._order = order
        self._state = state
        self._asking = asking
        self._report = report
        self._stop = stop
        self._recipe = recipe or Recipe()
        self._began = time.monotonic()
        self._material: Material | None = None
        self._asked: Future[tuple[Scores, Scores]] | None = None

    def run(self) -> Outcome:
        """Adapt; raises `AdapterError` for what cannot be begun, `CancelledError`, and others.

        An adapter that does not pass is no error but an outcome.
        """
        plan.check_installed()
        header = plan.checked_model(self._order.model)
        plan.check_memory(header, self._recipe)
        identity = model_id(self._order.model)
        with opened(self._order.root, self._state, self._stop) as corpus:
            store = AdapterStore.of(self._state, corpus.memory.workspace.root)
            with store.training():
                self._tell("reading", 0.0)
                material = self._material = prepared(
                    self._order, self._asking, corpus, self._recipe
                )
                return self._adapted(corpus, store, header, identity, material)

    def _adapted(
        self, corpus: Corpus, store: AdapterStore, header: Header, identity: str, material: Material
    ) -> Outcome:
        asking, order = self._asking, self._order
        self._tell("loading", 0.02)
        with self._asking_the_base(material) as asked:
            base = load_model(order.model, self._check)
            trainee = Trainee(base, self._recipe, order.seed, self._check)
            self._tell("training", TRAINING[0])
            trained = trainee.train(material.lesson, order.seed, self._telling(trainee))
            if trained.best:
                self._tell("asking", TRAINING[1])
                base_held, base_other = asked.result()
        if not trained.best:
            return self._no(
                "Training did not make the part of the file that was set aside for it any easier "
                "to foretell, so there is nothing to keep."
            )
        trainee.round_to_half()
        trainee.take_free_cores()
        with store.staging() as staged:
            self._tell("exporting", 0.6)
            path = staged / ADAPTER_FILE
            write_adapter(
                path,
                trainee.halves(),
                trainee.config,
                architecture=header.architecture,
                alpha=self._recipe.alpha,
                base=identity,
            )
            digest = file_sha256(path)
            self._tell("judging", 0.62)
            with asking.adapted(path, digest, identity):
                held = asking.scores(material.heldout, self._stop)
                other = asking.scores(material.regression, self._stop)
            self._tell("comparing", 0.86)
            verdict = gate.judge(
                _pairs(material.heldout, base_held, held),
                _pairs(material.regression, base_other, other),
                self._parity(trainee, material, base_other, held, other),
                order.seed,
            )
            changed = self._changed(corpus, material, identity)
            if not verdict.accepted or changed:
                return self._no(changed or verdict.reason, verdict.gate)
            record = self._recorded(material, identity, verdict, digest, path, trained)
            self._check()
            record = store.keep(record, staged)
        seconds = time.monotonic() - self._began
        return Outcome(
            True, verdict.reason + material.note, seconds, verdict.gate, material.sources, record.id
        )

    @contextmanager
    def _asking_the_base(self, material: Material) -> Iterator[Future[tuple[Scores, Scores]]]:
        """Ask the base all questions, beside what is done meanwhile; what is left is given up.

        The engine is another process, and neither it nor torch gains much by a second processor
        when the matrices are small: each with half of them gets more done than one after the
        other with all.
        """
        left = threading.Event()

        def stop() -> bool:
            return left.is_set() or self._stop()

        def ask() -> tuple[Scores, Scores]:
            with self._asking.sharing():
                held = self._asking.scores(material.heldout, stop)
                return held, self._asking.scores(material.regression, stop)

        with ThreadPoolExecutor(1, thread_name_prefix="asking") as asker:
            self._asked = asker.submit(ask)
            try:
                yield self._asked
            finally:
                left.set()
                self._asked = None

    def _parity(
        self,
        trainee: Trainee,
        material: Material,
        base_other: Sequence[Sequence[float]],
        held: Sequence[Sequence[float]],
        other: Sequence[Sequence[float]],
    ) -> list[gate.Apart]:
        """Compare both sides' means: all of the held-out part, and some of each other part."""
        side = TorchSide(trainee, self._asking)
        some = material.regression[::COMPARED]
        apart = [
            gate.Apart("heldout", side.mean(material.heldout), *_mean(held)),
            gate.Apart("regression", side.mean(some), *_mean(other[::COMPARED])),
        ]
        with trainee.without():
            base = side.mean(some)
        return [*apart, gate.Apart("regression base", base, *_mean(base_other[::COMPARED]))]

    def _changed(self, corpus: Corpus, material: Material, identity: str) -> str:
        """Return what changed while the adapter was trained, in a sentence; or nothing."""
        if model_id(self._order.model) != identity:
            return "The model's file was changed while the adapter was trained, so it is discarded."
        try:
            now = corpus.target(self._order.file)
        except AdapterError:
            return (
                "The file is gone or not to be learned from any more, so the adapter is discarded."
            )
        if now.hash != material.target.hash:
            return "The file was changed while the adapter was trained, so it is discarded."
        return ""

    def _recorded(
        self,
        material: Material,
        identity: str,
        verdict: gate.Verdict,
        digest: str,
        path: Path,
        trained: Trained,
    ) -> Record:
        log.info("Accepted: best epoch %d of %d", trained.best, len(trained.losses) - 1)
        return Record(
            id=secrets.token_hex(8),
            file=self._order.file,
            file_hash=material.target.hash,
            model=self._order.model.stem,
            model_identity=identity,
            created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            trained_on=material.sources,
            gate=verdict.gate,
            sha256=digest,
            size=path.stat().st_size,
            rank=self._recipe.rank,
            seed=self._order.seed,
            seconds=round(time.monotonic() - self._began, 1),
        )

    def _no(self, reason: str, figures: Gate | None = None) -> Outcome:
        material = self._material
        return Outcome(
            False,
            reason + ("" if material is None else material.note),
            time.monotonic() - self._began,
            figures or Gate(),
            () if material is None else material.sources,
        )

    def _telling(self, trainee: Trainee) -> Callable[[Step], None]:
        """Return what hears of each step; once the base is asked, training has all processors."""
        asked, alone = self._asked, False

        def heard(step: Step) -> None:
            nonlocal alone
            if not alone and asked is not None and asked.done():
                alone = True
                trainee.take_free_cores()
            share = step.step / max(step.steps, 1)
            self._tell(
                "training",
                TRAINING[0] + (TRAINING[1] - TRAINING[0]) * share,
                epoch=step.epoch,
                step=step.step,
                loss=round(step.loss, 4),
                heldout=None if step.heldout is None else round(step.heldout, 4),
            )

        return heard

    def _tell(self, phase: str, fraction: float, **more: Any) -> None:
        self._check()
        spent = time.monotonic() - self._began
        left = spent / fraction - spent if fraction > 0.1 else None
        told = {"epoch": None, "step": None, "loss": None, "heldout": None, **more}
        seconds = None if left is None else round(left, 1)
        self._report(
            {"phase": phase, "fraction": round(fraction, 3), **told, "seconds_left": seconds}
        )

    def _check(self) -> None:
        if self._stop():
            raise CancelledError("Stopped. Nothing was kept, and the model is as it was.")
        if self._asked is not None and self._asked.done():
            self._asked.result()  # an engine that died ends the training, too


def _pairs(
    questions: Sequence[Question],
    base: Sequence[Sequence[float]],
    adapted: Sequence[Sequence[float]],
) -> list[gate.Pair]:
    """Return what counts of both measurements; a question without marks counts as a whole."""
    pairs = []
    for question, before, after in zip(questions, base, adapted, strict=True):
        marks = question.counts or (True,) * len(before)
        one, two = (
            tuple(v for v, counts in zip(values, marks, strict=True) if counts)
            for values in (before, after)
        )
        pairs.append(gate.Pair(question.part, one, two))
    return pairs


def _mean(scores: Sequence[Sequence[float]]) -> tuple[float, int]:
    values = [value for score in scores for value in score]
    return sum(values) / max(len(values), 1), len(values)
