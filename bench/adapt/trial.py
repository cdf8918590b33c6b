"""One file: adapt to it, and measure more than the gate does.

Beside the gate's figures: the held-out part without the long prompt (only the lines just
before each block), the time of each phase and of the swap, and for an accepted adapter the
regression check again with other seeds and with text of other projects.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from commonplace.adapt import gate
from commonplace.adapt.adaptation import Adaptation
from commonplace.adapt.corpus import Text, opened
from commonplace.adapt.hygiene import text_of
from commonplace.adapt.material import Order
from commonplace.adapt.measuring import Asking, Question
from commonplace.adapt.regression import Item, regression_set
from commonplace.adapt.store import AdapterStore
from commonplace.engine.identity import model_id
from commonplace.engine.session import EngineSession
from commonplace.engine.types import AdapterState, ModelInfo
from commonplace.errors import AdapterError
from commonplace.paths import StatePaths
from commonplace.recall.demotions import is_aside
from commonplace.workspace.project import Workspace

OTHER_SEEDS = (101, 202, 303)


Known = dict[tuple[str, str], tuple[float, ...]]
"""What the base model said, by context and text: the same whichever file is adapted to."""


class Watching(Asking):
    """Asks as the gate does, and the held-out part once more without the long prompt."""

    def __init__(self, engine: EngineSession, model: ModelInfo) -> None:
        super().__init__(engine, model)
        self._held: list[Question] = []
        self._bare_adapted: list[tuple[float, ...]] = []
        self.seconds = 0.0
        self.swaps: list[float] = []

    def scores(
        self, questions: Sequence[Question], stop: Callable[[], bool]
    ) -> list[tuple[float, ...]]:
        """Return what the gate asks for, and note what is held out."""
        if questions and questions[0].part == "heldout":
            self._held = list(questions)
        return super().scores(questions, stop)

    @contextmanager
    def adapted(self, path: Path, sha256: str, base: str) -> Iterator[AdapterState]:
        """Note how long the swap took; what is asked beside the gate does not count as its time."""
        with super().adapted(path, sha256, base) as state:
            self.swaps.append(state.ms)
            yield state
            if not self._bare_adapted:
                began = time.monotonic()
                self._bare_adapted = self._bare()
                self.seconds += time.monotonic() - began

    def bare_gain(self) -> float | None:
        """Return the relative change of perplexity without the long prompt, if it was measured."""
        if not self._bare_adapted:
            return None
        base, adapted = (
            [
                v
                for nats, question in zip(side, self._held, strict=True)
                for v, counts in zip(nats, question.counts, strict=True)
                if counts
            ]
            for side in (self._bare(), self._bare_adapted)
        )
        return math.expm1((math.fsum(adapted) - math.fsum(base)) / max(len(base), 1))

    def _bare(self) -> list[tuple[float, ...]]:
        bare = [replace(q, prefix="", context=q.context or "\n") for q in self._held]
        return super().scores(bare, lambda: False)


def tried(
    order: Order, state: StatePaths, engine: EngineSession, elsewhere: list[Path], base: Known
) -> dict[str, Any]:
    """Adapt to one file and return all figures as plain values; `base` is added to."""
    info = engine.load(order.model)
    asking = Watching(engine, info)
    phases: dict[str, float] = {}
    used: dict[str, float] = {}
    last: list[Any] = ["", time.monotonic(), _processor_seconds()]

    def heard(data: dict[str, Any]) -> None:
        now, spent = time.monotonic(), _processor_seconds()
        if last[0]:
            phases[last[0]] = phases.get(last[0], 0.0) + now - last[1]
            used[last[0]] = used.get(last[0], 0.0) + spent - last[2]
        last[:] = [data["phase"], now, spent]

    began = time.monotonic()
    result: dict[str, Any] = {"repository": order.root.name, "file": order.file, "seed": order.seed}
    result["lines"] = (
        (order.root / order.file).read_text(encoding="utf-8", errors="replace").count("\n")
    )
    try:
        outcome = Adaptation(order, state, asking, heard, lambda: False).run()
    except AdapterError as error:
        return {**result, "refused": error.message}
    heard({"phase": ""})
    seconds = round(time.monotonic() - began - asking.seconds, 1)
    phases, used = ({k: round(v, 1) for k, v in kind.items()} for kind in (phases, used))
    result |= {
        **outcome.to_wire(),
        "seconds": seconds,
        "phases": phases,
        "processor": used,
        "swap_ms": asking.swaps,
        "bare_gain": asking.bare_gain(),
        "again": [],
    }
    if outcome.id is not None:
        store = AdapterStore.of(state, order.root)
        result["again"] = measured_again(order, state, asking, store, elsewhere, base)
        store.discard_all()
    return result


def _processor_seconds() -> float:
    """Return the processor time of this process and its children: other programs do not count."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def measured_again(
    order: Order,
    state: StatePaths,
    asking: Asking,
    store: AdapterStore,
    elsewhere: list[Path],
    known: Known,
) -> list[dict[str, Any]]:
    """Repeat the regression check of an accepted adapter with other seeds and other text."""
    record = store.records()[0]
    store.verify(record)
    sets: dict[str, list[Item]] = {}
    with opened(order.root, state, lambda: False) as corpus:
        for seed in OTHER_SEEDS:
            sets[f"seed {seed}"] = regression_set(corpus.others({order.file}, seed), seed)
    foreign = regression_set(_foreign(elsewhere), OTHER_SEEDS[0])
    sets["other projects"] = [item for item in foreign if item.part == "project"]
    items = list(dict.fromkeys(item for some in sets.values() for item in some))
    _ask(asking, [item for item in items if (item.context, item.text) not in known], known)
    adapted: Known = {}
    with asking.adapted(Path(record.path), record.sha256, model_id(order.model)):
        _ask(asking, items, adapted)
    found = []
    for name, some in sets.items():
        keys = [(item.context, item.text) for item in some]
        pairs = [
            gate.Pair(item.part, known[key], adapted[key])
            for item, key in zip(some, keys, strict=True)
        ]
        figure = gate.regression_figure(pairs, order.seed)
        change = figure.adapted / figure.base - 1
        found.append(
            {
                "set": name,
                "change": change,
                "high": figure.ci[1],
                "passed": figure.passed,
                "parts": dict(figure.parts),
            }
        )
    return found


def _ask(asking: Asking, items: Sequence[Item], into: Known) -> None:
    questions = [Question(item.part, "", item.context, item.text) for item in items]
    for item, nats in zip(items, asking.scores(questions, lambda: False), strict=True):
        into[item.context, item.text] = tuple(nats)


def _foreign(folders: list[Path]) -> Iterator[Text]:
    """Yield one file of each of `folders` in turn."""
    for folder in folders:
        workspace = Workspace(folder)
        for path in sorted(workspace.scan().files):
            text, reason = text_of(path, workspace.read(path))
            if not reason and not is_aside(path) and 2000 <= len(text) <= 50_000:
                yield Text(path, text, "another project")
                break
