"""Puts the adapter of a question's file into the model before it is answered, and takes it out.

At most one adapter is in place, and only while its file is open, is what it was trained on,
and the model is the one it was trained for. Before each question the adapter's file is read
again and its checksum compared; the engine does so once more when it takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from commonplace.adapt.records import Record
from commonplace.adapt.routing import file_asked_about, usable_adapter
from commonplace.adapt.store import AdapterStore
from commonplace.chat.choosing import Chosen
from commonplace.desktop.controller import Controller
from commonplace.desktop.engine_link import EngineState
from commonplace.engine.options import ELSEWHERE
from commonplace.errors import CommonplaceError
from commonplace.wire.process import WorkerDiedError

Then = Callable[[], None]


class AdaptRouter(QObject):
    """Knows which adapter is in place; asked by the runner before each question."""

    changed = Signal()
    """Another adapter is in place, or none: `placed` says which."""
    dropped = Signal(str)
    """The adapter of this file is used no more, because the file changed."""
    refused = Signal(object)
    """An adapter could not be used, and the model answered without: a `CommonplaceError`."""

    def __init__(
        self, controller: Controller, open_files: Callable[[], Sequence[str]], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._controller = controller
        self._open_files = open_files
        self._ticket = 0
        self._sent: tuple[str, float] | None = None
        """The checksum and scale that the engine was told last; None for no adapter."""
        self._waiting = False
        self.placed: Record | None = None
        """The adapter that the model computes with just now."""
        self.left_out: set[str] = set()
        """Files whose adapters the user does not want in this window."""
        controller.runner.prepare = self.prepare
        controller.engine.state_changed.connect(self._engine_changed)
        controller.project_changed.connect(lambda _root: self.drop())
        controller.memory.contents_changed.connect(self._contents_changed)

    @property
    def store(self) -> AdapterStore | None:
        """Where the project's adapters are kept."""
        root = self.root
        return None if root is None else AdapterStore.of(self._controller.paths, root)

    @property
    def root(self) -> Path | None:
        """The project, resolved."""
        return self._controller.memory.root

    @property
    def model(self) -> Path | None:
        """The file of the model that answers, if it is on this machine."""
        state = self._controller.engine.state
        if state.info is None or self._controller.settings.model_endpoint:
            return None
        path = Path(state.info.path)
        return None if path == ELSEWHERE else path

    def prepare(self, question: str, chosen: Chosen, then: Callable[[str], None]) -> None:
        """Put in place what `question` is answered with, and go on with `then`, always.

        It is told the file whose adapter is in place, or nothing.
        """
        file = ""
        if self._controller.settings.adapt_enabled:
            file = file_asked_about(question, chosen, tuple(self._open_files()))
        file = "" if file in self.left_out else file

        def go_on() -> None:
            then(self.placed.file if self.placed is not None else "")

        self._find(file, lambda record: self._place(record, go_on), go_on)

    def use(self, file: str, *, use: bool) -> None:
        """Use the adapter of `file` in this window, or leave it alone."""
        (self.left_out.discard if use else self.left_out.add)(file)
        if not use and self.placed is not None and self.placed.file == file:
            self.drop()

    def find(self, file: str, found: Callable[[Record | None], None]) -> None:
        """Look whether there is an adapter for `file`; trouble with it is told by `refused`."""
        self._find(file, found, lambda: found(None))

    def drop(self) -> None:
        """Take away what is in place, or on its way there."""
        self._ticket += 1
        if self._sent is not None:
            self._sent, self._waiting = None, False
            self._controller.engine.adapt(None, 1.0, _nothing, _ignore)
        self._now(None)

    def follow_files(self) -> None:
        """Drop an adapter whose file was closed."""
        if self.placed is not None and self.placed.file not in self._open_files():
            self.drop()

    def follow_settings(self) -> None:
        """Drop the adapter if there shall be none, and use another scale from now on."""
        settings = self._controller.settings
        if not settings.adapt_enabled:
            self.drop()
        elif self.placed is not None and self._sent != (self.placed.sha256, settings.adapt_scale):
            self._place(self.placed, _nothing)

    def _find(self, file: str, found: Callable[[Record | None], None], otherwise: Then) -> None:
        """Look for the adapter of `file` off the thread; `otherwise` follows an error."""
        root, model = self.root, self.model
        if not file or root is None or model is None:
            found(None)
            return

        def look() -> Record | None:
            store = AdapterStore.of(self._controller.paths, root)
            return usable_adapter(store, root, file, model)

        def failed(error: CommonplaceError) -> None:
            self.drop()
            self.refused.emit(error)
            otherwise()

        self._controller.background.run(look, found, failed)

    def _place(self, record: Record | None, then: Then) -> None:
        scale = self._controller.settings.adapt_scale
        wanted = None if record is None else (record.sha256, scale)
        if wanted == self._sent and not self._waiting:
            then()
            return
        self._ticket += 1
        ticket = self._ticket
        self._sent, self._waiting = wanted, True

        def settle(now: Record | None) -> None:
            if ticket == self._ticket:  # else something newer is on its way
                self._waiting = False
                self._sent = None if now is None else wanted
                self._now(now)
            then()

        def failed(error: CommonplaceError) -> None:
            if not isinstance(error, WorkerDiedError):  # that is told by who answers
                self.refused.emit(error)
            settle(None)

        self._controller.engine.adapt(record, scale, lambda: settle(record), failed)

    def _now(self, record: Record | None) -> None:
        if record != self.placed:
            self.placed = record
            self.changed.emit()

    def _engine_changed(self, state: EngineState) -> None:
        if state.kind != "ready":  # another process will have none
            self._ticket += 1
            self._sent, self._waiting = None, False
            self._now(None)

    def _contents_changed(self, paths: tuple[str, ...]) -> None:
        placed = self.placed
        if placed is None or (paths and placed.file not in paths):
            return

        def looked(record: Record | None) -> None:
            if self.placed is placed and (record is None or record.id != placed.id):
                self.drop()
                self.dropped.emit(placed.file)

        self.find(placed.file, looked)


def _nothing() -> None:
    """There is nothing to go on with."""


def _ignore(_error: CommonplaceError) -> None:
    """Leave it: a model that is gone has no adapter either."""
