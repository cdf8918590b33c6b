"""What a run found: as tables, as JSON that is kept, and against an earlier run."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.recall.tables import Table
from bench.tasks.task import Task, tasks
from bench.tasks.trying import LAYERS, Attempt, Layer

MARKS = {
    "passed": "pass", "failed": "fail", "too slow": "slow", "not placed": "unplaced",
    "no edit": "no edit", "error": "error", "left out": "–",
}  # fmt: skip
VERSION = 1
Z = 1.959964
"""Standard deviations of a normal distribution around 95 % of it."""

Attempts = Mapping[str, Mapping[Layer, Attempt]]
"""What became of each task, by its name, on each layer."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the tasks; `identity` is the engine's for the model, `commit` ours."""

    date: str
    model: str
    identity: str
    commit: str
    seed: int
    seconds: float
    network: bool
    attempts: Attempts

    def to_json(self) -> str:
        """Return the run as JSON text."""
        data = {"version": VERSION, **dataclasses.asdict(self)}
        return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Run:
        """Rebuild a run; raises `ValueError` for anything that is none."""
        data = json.loads(text)
        try:
            if data.pop("version") != VERSION:
                raise ValueError("this run was kept by another version")
            data["attempts"] = {
                name: {layer: _attempt(item) for layer, item in layers.items()}
                for name, layers in data["attempts"].items()
            }
            return cls(**data)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"this is no run of the tasks: {error}") from error

    def keep(self, folder: Path) -> Path:
        """Write the run into `folder` under its date and model; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.date.replace(':', '')}-{self.model}.json"
        path.write_text(self.to_json(), encoding="utf-8")
        return path


def _attempt(data: dict[str, Any]) -> Attempt:
    return Attempt(**{**data, "read": tuple(data["read"])})


def interval(passed: int, n: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share; it holds for small numbers too."""
    if not n:
        return 0.0, 1.0
    share = passed / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def by_task(run: Run, layers: Sequence[Layer]) -> Table:
    """Return what became of each task on each of `layers`."""
    known = {task.name: task for task in tasks()}
    rows = [
        [
            name,
            *(_about(known.get(name))),
            *(MARKS[found[layer].outcome] if layer in found else "" for layer in layers),
        ]
        for name, found in run.attempts.items()
    ]
    notes = [_left_out(run, layer) for layer in layers]
    header = ["task", "ease", "needs", *map(title, layers)]
    return Table(f"{run.model}, seed {run.seed}", header, rows, [n for n in notes if n])


def title(layer: Layer) -> str:
    """Return a layer as a column is headed."""
    return layer if layer == "base" else f"+ {layer}"


def rates(run: Run, layers: Sequence[Layer]) -> Table:
    """Return the pass rate of each layer, and what it gained and lost against the one before."""
    rows = []
    before: Layer | None = None
    for layer in layers:
        tried = tried_on(run, layer)
        if not tried:
            rows.append([title(layer), "0", "–", "–", "–", "–", "–"])
            continue
        passed = sum(a.passed for a in tried.values())
        low, high = interval(passed, len(tried))
        gained, lost = turns(tried_on(run, before), tried) if before else ([], [])
        read = sum(a.fact for a in tried.values())
        rows.append(
            [
                title(layer), str(len(tried)), str(passed), f"{passed / len(tried):.0%}",
                f"{low:.0%}–{high:.0%}", f"+{len(gained)} −{len(lost)}" if before else "–",
                f"{read} of {len(tried)}",
            ]
        )  # fmt: skip
        before = layer
    header = ["layer", "tasks", "passed", "rate", "95 %", "against the one above", "fact read"]
    return Table("Pass rates, with Wilson intervals", header, rows)


def groups(run: Run, layers: Sequence[Layer]) -> Table:
    """Return the passed tasks by what they need, by ease and by language."""
    known = {task.name: task for task in tasks()}
    kinds = {n: {f"needs {t.needs}", f"ease {t.ease}", t.language} for n, t in known.items()}
    rows = []
    for name in sorted(set().union(*kinds.values()), key=lambda k: (not k.startswith("needs"), k)):
        names = {n for n, belongs in kinds.items() if name in belongs}
        cells = []
        for layer in layers:
            tried = [a for n, a in tried_on(run, layer).items() if n in names]
            cells.append(f"{sum(a.passed for a in tried)} of {len(tried)}" if tried else "–")
        rows.append([name, *cells])
    return Table("Passed, by kind of task", ["", *map(title, layers)], rows)


def against(run: Run, earlier: Run) -> Table:
    """Return task by task what passed in the `earlier` run alone, and what in this one."""
    rows = []
    for layer in LAYERS:
        gained, lost = turns(tried_on(earlier, layer), tried_on(run, layer))
        rows += [[name, title(layer), "pass", "–"] for name in lost]
        rows += [[name, title(layer), "–", "pass"] for name in gained]
    header = ["task", "layer", f"{earlier.date[:16]} {earlier.model}", "now"]
    notes = [] if rows else ["Nothing turned."]
    same = (earlier.model, earlier.seed) == (run.model, run.seed)
    if not same:
        notes.append(f"The earlier run had seed {earlier.seed}, this one has {run.seed}.")
    return Table("Against an earlier run", header, rows, notes)


def turns(before: Mapping[str, Attempt], now: Mapping[str, Attempt]) -> tuple[list[str], list[str]]:
    """Return the tasks that pass `now` alone, and those that passed `before` alone."""
    both = [name for name in now if name in before]
    gained = [name for name in both if now[name].passed and not before[name].passed]
    lost = [name for name in both if before[name].passed and not now[name].passed]
    return gained, lost


def tried_on(run: Run, layer: Layer) -> dict[str, Attempt]:
    """Return the attempts of `layer` that took place."""
    found = {name: layers[layer] for name, layers in run.attempts.items() if layer in layers}
    return {name: a for name, a in found.items() if a.outcome != "left out"}


def show(run: Run, layers: Sequence[Layer]) -> Iterator[Table]:
    """Return all tables of one run."""
    yield by_task(run, layers)
    yield rates(run, layers)
    yield groups(run, layers)


def _about(task: Task | None) -> tuple[str, str]:
    return ("?", "?") if task is None else (str(task.ease), task.needs)


def _left_out(run: Run, layer: Layer) -> str:
    """Say how many tasks were left out on `layer`, with the reason of the first."""
    found = [layers[layer] for layers in run.attempts.values() if layer in layers]
    reasons = [a.output for a in found if a.outcome == "left out"]
    return f"{title(layer)}: {len(reasons)} left out; the first: {reasons[0]}." if reasons else ""
