"""One measurement from start to end: the stages, what is kept between them, the result.

Each piece of work goes through the journal, so that a measurement which was stopped, or
whose process died, goes on where it was: with the same project, notes, model, seed and
size. Nothing of the project is written to; scratch copies lie in the cache folder and go
with the measurement.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped,unused-ignore]
from filelock import FileLock, Timeout

from commonplace import __version__
from commonplace.engine.identity import model_id, processor_name
from commonplace.engine.library import choose_model, folders_of
from commonplace.engine.options import load_options
from commonplace.engine.session import EngineSession
from commonplace.errors import ModelError, ProjectBusyError, StorageError
from commonplace.index.database import storage_error
from commonplace.measure import asking, freshness
from commonplace.measure.journal import Journal
from commonplace.measure.model_stage import Engine, measure_model, without_model
from commonplace.measure.recall_stage import ask_all
from commonplace.measure.results import Freshness, Result, decoded
from commonplace.measure.snapshot import Snapshot, snapshot
from commonplace.measure.stages import Stage, Stages
from commonplace.measure.store import ResultStore
from commonplace.measure.trees import Git
from commonplace.measure.verdicts import verdicts
from commonplace.measure.work import Found, Stop, Wanted, Work, state_below
from commonplace.memory.status import Status
from commonplace.paths import StatePaths
from commonplace.settings import Settings
from commonplace.workspace.project import Workspace

JOURNAL = "unfinished.jsonl"
LOCK = "measure.lock"
SCRATCH = "measure"
ELSEWHERE = (
    "Answers come from another engine (model.endpoint), which gives no likelihoods. "
    "Name a model of this machine with --model."
)

OpenEngine = Callable[[Settings, StatePaths], Engine]


def open_engine(settings: Settings, state: StatePaths) -> Engine:
    """Return an engine of the measurement's own, on this machine; nothing is loaded yet."""
    options = replace(load_options(settings, state), endpoint="", endpoint_model="")
    return EngineSession(options, state.logs / "measure-engine.log")


def measure(
    wanted: Wanted,
    state: StatePaths,
    settings: Settings,
    *,
    stop: Stop,
    tell: Callable[[Stage], None],
    engine: OpenEngine = open_engine,
) -> tuple[Result, Path]:
    """Measure in the calling thread, keep the result and return it with its file.

    Raises `CancelledError`, after which the same measurement goes on where it was,
    `ProjectError`, `ModelError` for a model that was named and is not there, and
    `StorageError`.
    """
    began = time.monotonic()
    root = Workspace(wanted.root).root
    model, why = chosen_model(wanted, state, settings)
    store = ResultStore.of(root, state)
    stages = Stages(tell, adapter=wanted.adapt)

    def indexing(status: Status) -> None:
        stages.at("indexing", status.done, status.total)

    with (
        _alone(state, root) as scratch,
        snapshot(root, state, settings, stop, indexing) as taken,
    ):
        about = _about(wanted, taken, model)
        with Journal(store.folder / JOURNAL, about, fresh=wanted.fresh) as journal:
            found = Found(left_out=list(taken.notes))
            work = Work(wanted, state, settings, taken, journal, scratch, stages, stop, found)
            ask_all(work)
            if model is None:
                without_model(work, why)
            else:
                measure_model(work, model, lambda: engine(settings, state))
            _freshness(work)
            if journal.resumed:
                work.leave_out(
                    "It went on from a measurement that was cut off: "
                    f"{journal.resumed} pieces of work were done already."
                )
            seconds = round(time.monotonic() - began, 1)
            result = _result(work, about, model, seconds)
            path = store.put(result)
            journal.finish()
    return result, path


def chosen_model(wanted: Wanted, state: StatePaths, settings: Settings) -> tuple[Path | None, str]:
    """Return the model's file, or None and why there is none to measure."""
    if not wanted.model and settings.model_endpoint:
        return None, ELSEWHERE
    try:
        path = choose_model(wanted.model or settings.model_path, folders_of(settings, state))
    except ModelError as error:
        if wanted.model:
            raise
        return None, str(error)
    return path, "" if path is not None else "There is no model on this machine."


def _about(wanted: Wanted, taken: Snapshot, model: Path | None) -> dict[str, Any]:
    """Return what a measurement has to share with one that was cut off, to go on with it."""
    return {
        "root": str(taken.root),
        "memory": taken.memory(),
        "commit": Git(taken.root).head(),
        "embedder": "" if taken.embedder is None else taken.embedder.id,
        "model": "" if model is None else model_id(model),
        "quick": wanted.quick,
        "seed": wanted.seed,
        "places": wanted.places,
        "adapt": wanted.adapt,
    }


def _freshness(work: Work) -> None:
    touches = work.wanted.size.touches
    work.check("freshness", 0, touches)

    def save() -> dict[str, Any]:
        return asdict(
            freshness.freshness(
                work.taken,
                work.scratch / "saving",
                state_below(work.scratch / "saving-state"),
                work.settings.recall_embedder,
                touches,
                work.wanted.seed,
                work.stop,
                lambda done: work.stages.at("freshness", done, touches),
            )
        )

    found = work.journal.once("freshness", save)
    work.found.freshness = decoded(Freshness, found, "freshness")


def _result(work: Work, about: dict[str, Any], model: Path | None, seconds: float) -> Result:
    found, wanted, taken = work.found, work.wanted, work.taken
    recall = asking.summarised(found.asked, wanted.seed)
    return Result(
        date=dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds"),
        project=taken.root.name,
        model="" if model is None else model.name,
        seed=wanted.seed,
        program=__version__,
        identity=about["model"],
        memory=about["memory"],
        commit=about["commit"],
        quick=wanted.quick,
        machine=machine(),
        embedder=about["embedder"],
        files=len(taken.files()),
        chunks=taken.chunks(),
        notes=taken.kept_notes(),
        seconds=seconds,
        layers=tuple(found.layers),
        recall=tuple(recall),
        freshness=found.freshness,
        speed=tuple(found.speed),
        curve=tuple(found.curve),
        verdicts=tuple(verdicts(found.layers, recall, found.freshness)),
        left_out=tuple(found.left_out),
        asked=tuple(found.asked),
        places=(*found.places, *found.adapted),
    )


def machine() -> str:
    """Return processor, cores and memory in one line."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{processor_name()}, {os.cpu_count()} cores, {memory:.0f} GiB"


@contextmanager
def _alone(state: StatePaths, root: Path) -> Iterator[Path]:
    """Give a scratch folder while nobody else measures this project; it is gone afterwards.

    One that was left behind by a process that died goes first.
    """
    folder = state.project_cache(root)
    lock = FileLock(folder / LOCK, timeout=0, thread_local=False)
    scratch = folder / SCRATCH
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise ProjectBusyError(
            f"{root} is being measured already.", "Wait for it, or stop it, and try again."
        ) from error
    except OSError as error:
        raise _storage(error, folder) from error
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        yield scratch
    except sqlite3.Error as error:
        raise storage_error(error, scratch) from error
    except OSError as error:
        raise _storage(error, scratch) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(scratch, ignore_errors=True)
        lock.release()


def _storage(error: OSError, folder: Path) -> StorageError:
    return StorageError(
        f"The measurement cannot write to {folder}: {error.strerror or error}.",
        "Free some space or mend the folder's permissions. What was done until now is kept.",
    )
