"""What works on this machine, and how to mend what does not."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from commonplace.build import this_build
from commonplace.engine.devices import backend_words, better_build
from commonplace.engine.library import choose_model, folders_of
from commonplace.engine.options import ELSEWHERE, load_options
from commonplace.engine.session import EngineSession
from commonplace.errors import CommonplaceError
from commonplace.index.embedder import open_embedder
from commonplace.paths import StatePaths, worker_command
from commonplace.processor import features, refusal, remark
from commonplace.settings import load
from commonplace.storage.places import file_system, first_refused, is_remote
from commonplace.workspace.project import Workspace
from commonplace.workspace.watch import Watcher

FREE_MB = 1024
QT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `remedy` is empty when all is well."""

    name: str
    good: bool
    found: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        return asdict(self)


def examine(state: StatePaths) -> list[Check]:
    """Look at everything the program needs, in the order a user meets it."""
    checks: list[Callable[[], Check]] = [
        _python,
        _processor,
        _qt,
        lambda: _folders(state),
        lambda: _settings(state),
        lambda: _embedder(state),
        _watches,
        lambda: _engine(state),
        lambda: _model(state),
    ]
    return [check() for check in checks]


def _python() -> Check:
    build = ", ".join(this_build().lines())
    found = f"{build}; Python {platform.python_version()} on {platform.platform()}"
    return Check("program", good=True, found=" ".join(found.split()))


def _qt() -> Check:
    """Load Qt's widgets in a child: a missing system library ends it, not us."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    try:
        done = subprocess.run(
            worker_command("probe"),
            capture_output=True,
            text=True,
            timeout=QT_SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Check("window", good=False, found=f"Qt did not start ({error})")
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return Check(
            "window",
            good=False,
            found=f"Qt does not start: {reason}",
            remedy="Install Qt's system libraries: docs/install.md names them, and in a checkout "
            "'make run' installs them as root.",
        )
    return Check("window", good=True, found=done.stdout.strip())


def _processor() -> Check:
    found = features()
    words = f"{platform.machine()}, {os.cpu_count() or 1} threads"
    problem = refusal(found)
    if problem:
        return Check("processor", good=False, found=words, remedy=problem)
    return Check("processor", good=True, found=words, remedy=remark(found))


def _folders(state: StatePaths) -> Check:
    folders = (state.config, state.data, state.cache)
    remedy = "Mend its permissions, or set COMMONPLACE_HOME to another folder."
    problem = first_refused(folders)
    if problem is not None:
        folder, reason = problem
        found = f"{folder} cannot be written: {reason}"
        return Check("state folders", good=False, found=found, remedy=remedy)
    for folder in folders:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            found = f"{folder} cannot be written: {error.strerror}"
            return Check("state folders", good=False, found=found, remedy=remedy)
    free = shutil.disk_usage(state.cache).free >> 20
    found = f"{state.config}, {state.data}, {state.cache}; {free:,} MiB free"
    remedy = "" if free >= FREE_MB else "Free some space: a large project needs up to 1 GiB."
    if is_remote(state.data) or is_remote(state.cache):
        found += f"; on a network disk ({file_system(state.data)}, {file_system(state.cache)})"
        remedy = (
            f"{remedy} Databases there work without a write-ahead log, which is slower. Do not "
            "use them from two machines at once; COMMONPLACE_HOME names a folder on a local disk."
        ).strip()
    return Check("state folders", good=free >= FREE_MB, found=found, remedy=remedy)


def _settings(state: StatePaths) -> Check:
    try:
        load(state.settings_file)
    except CommonplaceError as error:
        return Check("settings", good=False, found=error.message, remedy=error.remedy)
    exists = state.settings_file.exists()
    return Check("settings", good=True, found=str(state.settings_file) if exists else "defaults")


def _embedder(state: StatePaths) -> Check:
    try:
        embedder = open_embedder(load(state.settings_file).recall_embedder, state.model_folders())
    except CommonplaceError as error:
        return Check("embedder", good=False, found=error.message, remedy=error.remedy)
    if embedder is None:
        return Check("embedder", good=True, found="switched off; recall uses words only")
    return Check("embedder", good=True, found=f"{embedder.id}, {embedder.dimensions} dimensions")


def _watches() -> Check:
    """Watch a folder of our own and see what the system grants."""
    with tempfile.TemporaryDirectory() as name:
        watcher = Watcher(Workspace(Path(name)), lambda _: None)
        watcher.start([""])
        state = watcher.state
        watcher.stop()
    good = state.mode == "events"
    found = "changes are noticed as they happen" if good else "changes are looked for by polling"
    return Check("watching", good=good, found=found, remedy=state.note)


def _model(state: StatePaths) -> Check:
    """Load the model in the engine, which tests itself with a real prompt."""
    try:
        settings = load(state.settings_file)
        path: Path | None = ELSEWHERE
        if not settings.model_endpoint:
            path = choose_model(settings.model_path, folders_of(settings, state))
        if path is None:
            return Check(
                "model",
                good=False,
                found="there is none, so passages are the answers",
                remedy="Run 'make models' for a small one, or set model.path to a GGUF file.",
            )
        options = load_options(load(state.settings_file), state)
        with EngineSession(options, state.logs / "engine.log") as engine:
            info = engine.load(path)
            verdict = engine.verdict(path)
    except CommonplaceError as error:
        return Check("model", good=False, found=error.message, remedy=error.remedy)
    found = (
        f"{info.name} ({info.architecture}, {info.parameters / 1e6:,.0f}M, {info.quantisation}) "
        f"answers; offload: {info.backend}, {info.threads} threads, "
        f"{info.batch} tokens read at once"
    )
    found = f"{found}. {info.fit} {info.note}".strip()
    if verdict is None:
        return Check("model", good=True, found=found)
    conceded = ", ".join(verdict.conceded)
    reasons = "; ".join(verdict.reasons)
    return Check(
        "model",
        good=True,
        found=f"{found} It runs with a concession: {conceded} ({reasons})",
        remedy="'commonplace engine retry' tries it at full speed again.",
    )


def _engine(state: StatePaths) -> Check:
    """Ask the engine what it was built for, and look for more in the machine."""
    try:
        with EngineSession(log_file=state.logs / "engine.log") as engine:
            devices, features = engine.build()
    except CommonplaceError as error:
        return Check("engine", good=False, found=error.message, remedy=error.remedy)
    found = f"this build computes on: {backend_words(devices)}"
    found += f" ({features})" if features else ""
    return Check("engine", good=True, found=found, remedy=better_build(devices))
