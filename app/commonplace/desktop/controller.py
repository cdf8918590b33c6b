"""What happens between the window and its workers: projects, models, settings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from commonplace.desktop.adapt_link import AdaptLink
from commonplace.desktop.answering import AnswerRunner
from commonplace.desktop.background import Background
from commonplace.desktop.chat_keeper import ChatKeeper
from commonplace.desktop.engine_link import EngineLink, EngineState
from commonplace.desktop.evidence_link import EvidenceLink
from commonplace.desktop.library_link import LibraryLink
from commonplace.desktop.memory_link import FileList, MemoryLink
from commonplace.engine.library import choose_model, find_models, folders_of
from commonplace.engine.options import ELSEWHERE, KEYS, load_options
from commonplace.errors import CommonplaceError, UserError
from commonplace.network.grants import Grant, Origin, Purpose, read_grants
from commonplace.paths import StatePaths, worker_command
from commonplace.settings import Settings

RECONCILE_SECONDS = 2.0
"""Coming back to the window asks for a comparison with the disk at most this often."""
FINISH_MS = 900


@dataclass(frozen=True)
class Commands:
    """The command lines of the workers; tests put fakes here."""

    memory: Sequence[str]
    engine: Sequence[str]
    library: Sequence[str] = field(default_factory=lambda: worker_command("library"))
    measure: Sequence[str] = field(default_factory=lambda: worker_command("measure"))
    adapt: Sequence[str] = field(default_factory=lambda: worker_command("adapt"))

    @classmethod
    def real(cls) -> Commands:
        """Return the commands of this very program."""
        return cls(worker_command("memory"), worker_command("engine"))


class Controller(QObject):
    """Owns the workers and the settings in force."""

    problem = Signal(str, object)
    """A key and a `CommonplaceError` for the message bar."""
    solved = Signal(str)
    """The problem with this key is over."""
    project_changed = Signal(object)
    """The root of the project that is now open, or None."""
    models_listed = Signal(object)
    settings_changed = Signal()
    """Others are in force."""
    consent_wanted = Signal(object)
    """The `Grant` without which nobody else's engine may answer; nothing was sent."""

    def __init__(
        self,
        paths: StatePaths,
        settings: Settings,
        commands: Commands | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.paths = paths
        self.settings = settings
        self.files = FileList((), ())
        commands = commands or Commands.real()
        self.background = Background(self)
        self.memory = MemoryLink(commands.memory, paths.logs / "memory.log", self)
        self.engine = EngineLink(commands.engine, paths.logs / "engine.log", self)
        self.library = LibraryLink(commands.library, paths.logs / "library.log", self)
        self.evidence = EvidenceLink(commands.measure, paths.logs / "measure.log", self)
        self.adapt = AdaptLink(commands.adapt, paths.logs / "adapt.log", self)
        self.runner = AnswerRunner(self.memory, self.engine, self)
        self.chats = ChatKeeper(paths, self)
        self._models: tuple[Path, ...] = ()
        self._asked_path: Path | None = None
        self._reconciled = 0.0
        self._shut = False
        self._without_model = False
        self.granted_once: Grant | None = None
        """What the user allowed until the window closes; see `network.grants`."""
        self.memory.opened.connect(self._opened)
        self.memory.failed.connect(self._project_failed)
        self.memory.restarted.connect(self._memory_restarted)
        self.memory.files_changed.connect(self._files_changed)
        self.engine.state_changed.connect(self._engine_changed)
        self.library.arrived.connect(self._model_arrived)

    @property
    def models(self) -> tuple[Path, ...]:
        """The models found so far."""
        return self._models

    @property
    def project(self) -> Path | None:
        """The project that is open or being opened."""
        return self._asked_path

    def open_project(self, path: Path) -> None:
        """Open the folder `path`; `project_changed` or `problem` follows."""
        self.runner.abandon()
        self.files = FileList((), ())
        self._asked_path = path
        self.solved.emit("project")
        self.solved.emit("memory")
        self.memory.open(
            path,
            self.settings.recall_embedder,
            adapter=self.settings.recall_adapter,
            depth=self.settings.recall_depth,
        )

    def load_model(self) -> None:
        """Find the model the settings name, or any, and load it."""
        self.solved.emit("endpoint")
        if self.settings.model_endpoint:
            self._load_elsewhere()
            return
        named, folders = self.settings.model_path, folders_of(self.settings, self.paths)
        self.background.run(lambda: choose_model(named, folders), self._chosen, self._model_missing)
        self.background.run(lambda: find_models(folders), self._listed, lambda _error: None)

    def apply(self, settings: Settings) -> None:
        """Put changed settings in force, restarting only what they touch."""
        before, self.settings = self.settings, settings
        changed = any(
            getattr(before, name) != getattr(settings, name) for name in ("model_path", *KEYS)
        )
        allowed = before.network_allowed == settings.network_allowed
        changed = changed or (bool(settings.model_endpoint) and not allowed)
        self.engine.idle_minutes = settings.model_idle_minutes
        if changed or self.engine.state.kind == "failed":
            self.load_model()
        searched = any(
            getattr(before, name) != getattr(settings, name)
            for name in ("recall_embedder", "recall_adapter", "recall_depth")
        )
        if searched and self._asked_path is not None:
            self.open_project(self._asked_path)
        self.settings_changed.emit()

    def came_back(self) -> None:
        """Look again at the disk: the user may have edited files, or fetched a model."""
        now = time.monotonic()
        if now - self._reconciled > RECONCILE_SECONDS:
            self._reconciled = now
            self.memory.reconcile()
            if self._without_model:
                self.load_model()

    def reconcile(self) -> None:
        """Compare with the disk because the user asked, opening a lost project again."""
        if self.memory.root is None and self._asked_path is not None:
            self.open_project(self._asked_path)
        else:
            self.memory.reconcile()

    def shut(self) -> None:
        """Begin to end: the workers' inputs close."""
        self._shut = True
        self.runner.abandon()
        self.memory.shut()
        self.engine.shut()
        self.library.shut()
        self.evidence.shut()
        self.adapt.shut()

    def finish(self) -> None:
        """Wait for the workers, a second at most; for the end of the program."""
        self.shut()
        until = time.monotonic() + FINISH_MS / 1000
        for link in (self.memory, self.engine, self.library, self.evidence, self.adapt):
            link.finish(int((until - time.monotonic()) * 1000))
        self.background.finish()
        self.chats.finish()

    def _opened(self, root: Path) -> None:
        self._asked_path = root
        self.solved.emit("project")
        self.project_changed.emit(root)

    def _project_failed(self, error: CommonplaceError) -> None:
        self.problem.emit("project", error)
        self.project_changed.emit(self.memory.root)

    def _memory_restarted(self) -> None:
        self.problem.emit(
            "memory",
            CommonplaceError(
                self.tr("The process that reads the project ended and was started again."),
                self.tr("Nothing is lost."),
            ),
        )

    def _files_changed(self, files: FileList) -> None:
        self.files = files

    def _load_elsewhere(self) -> None:
        """Let somebody else's engine answer if the user allowed it; else ask."""
        try:
            grant = Grant(Purpose.ENDPOINT, Origin.of(self.settings.model_endpoint))
            allowed = grant in read_grants(self.settings.network_allowed)
        except UserError as error:
            self._model_missing(error)
            return
        if allowed or grant == self.granted_once:
            self._chosen(ELSEWHERE)
        else:
            self.engine.unload()
            self.consent_wanted.emit(grant)

    def _chosen(self, path: Path | None) -> None:
        if self._shut:
            return
        if path is None:
            self.engine.unload()
            if not self._without_model:  # said once; it is no reproach
                self.problem.emit("no_model", no_model(self))
            self._without_model = True
            return
        self._without_model = False
        self.solved.emit("no_model")
        self.engine.idle_minutes = self.settings.model_idle_minutes
        once = "" if self.granted_once is None else str(self.granted_once)
        self.engine.load(path, replace(load_options(self.settings, self.paths), grant=once))

    def _listed(self, models: Sequence[object]) -> None:
        self._models = tuple(getattr(model, "path", Path()) for model in models)
        self.models_listed.emit(self._models)

    def _model_arrived(self, _title: str, _path: str) -> None:
        if self.engine.state.kind == "absent":  # the first model of a machine is put to use
            self.load_model()

    def _model_missing(self, error: CommonplaceError) -> None:
        self.engine.unload()
        self.problem.emit("no_model", error)

    def _engine_changed(self, state: EngineState) -> None:
        if state.kind == "failed" and state.error is not None:
            self.problem.emit("model", state.error)
        else:
            self.solved.emit("model")


def no_model(owner: QObject) -> CommonplaceError:
    """Return the calm words for a machine without a model."""
    return CommonplaceError(
        owner.tr("There is no model yet, so the passages themselves are the answer."),
        owner.tr("Choose one on the page of models, or run “make models” for the starter model."),
    )
