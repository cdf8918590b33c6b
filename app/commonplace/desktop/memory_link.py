"""The memory of the open project, seen from the window."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from commonplace.desktop.worker import WorkerLink
from commonplace.errors import CommonplaceError, StorageError
from commonplace.index.codeplaces import CodePlace, NamePlaces
from commonplace.memory.figures import Details
from commonplace.memory.status import Status
from commonplace.recall.passages import Found
from commonplace.wire.calls import Call
from commonplace.wire.messages import Message

SEARCH_SECONDS = 30.0
FILES_DEBOUNCE_MS = 300
STABLE_SECONDS = 300.0
"""After this long without a crash, the next one is again mended silently."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that is not searched, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileList:
    """All files that are searched, and those that are not."""

    files: tuple[str, ...]
    skipped: tuple[Skipped, ...]


class MemoryLink(QObject):
    """Opens one project in a worker process, and opens it again if the worker dies."""

    opened = Signal(object)
    """The root of the project, a `Path`."""
    failed = Signal(object)
    """A `CommonplaceError`: the project is not open, or no longer."""
    restarted = Signal()
    status_changed = Signal(object)
    files_changed = Signal(object)
    contents_changed = Signal(object)
    """Paths of files whose contents may have changed; empty means any."""
    notes_changed = Signal()
    """Something about the notes of the project changed."""

    def __init__(
        self, command: Sequence[str], log_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = WorkerLink(command, log_file, self)
        self._link.event_received.connect(self._on_event)
        self._link.died.connect(self._died)
        self._link.ended.connect(self._ended)
        self._wanted: tuple[Path, dict[str, str]] | None = None
        self._root: Path | None = None
        self._crashed_at = -STABLE_SECONDS
        self._ask_files = QTimer(self)
        self._ask_files.setSingleShot(True)
        self._ask_files.setInterval(FILES_DEBOUNCE_MS)
        self._ask_files.timeout.connect(self._request_files)

    @property
    def root(self) -> Path | None:
        """The root of the open project."""
        return self._root

    @property
    def pid(self) -> int:
        """The worker's process id, or 0."""
        return self._link.pid

    def open(self, path: Path, embedder: str, **recall: str) -> None:
        """Open the project at `path`, in place of the one before.

        `recall` are the other settings of recall, such as ``adapter`` and ``depth``.
        """
        self._wanted = (path, {"embedder": embedder, **recall})
        self._root = None
        self._crashed_at = -STABLE_SECONDS
        if self._link.running:
            self._link.stop()  # the new worker starts once the old one has let go
        else:
            self._start()

    def search(
        self,
        question: str,
        limit: int,
        on_result: Callable[[Found], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> Call | None:
        """Find passages; exactly one of the callbacks follows."""
        return self._link.request(
            "search",
            {"question": question, "limit": limit},
            on_result=lambda data: on_result(Found.from_wire(data)),
            on_error=on_error,
            deadline=SEARCH_SECONDS,
        )

    def places(
        self,
        name: str,
        on_result: Callable[[NamePlaces], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> Call | None:
        """Find where `name` is defined and used; exactly one of the callbacks follows."""
        return self._link.request(
            "places",
            {"name": name},
            on_result=lambda data: on_result(NamePlaces.from_wire(data)),
            on_error=on_error,
            deadline=SEARCH_SECONDS,
        )

    def symbols(
        self,
        typed: str,
        on_result: Callable[[tuple[CodePlace, ...]], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> Call | None:
        """Find definitions whose name holds what was `typed`; one of the callbacks follows."""
        return self._link.request(
            "symbols",
            {"typed": typed},
            on_result=lambda data: on_result(tuple(CodePlace(**p) for p in data["symbols"])),
            on_error=on_error,
            deadline=SEARCH_SECONDS,
        )

    def details(self, on_result: Callable[[Details], None]) -> None:
        """Ask for figures of the index; nothing follows where there is none."""
        if self._root is not None:
            self._link.request(
                "details",
                {},
                on_result=lambda data: on_result(Details.from_wire(data)),
                on_error=self._ignored,
                deadline=SEARCH_SECONDS,
            )

    def request(
        self,
        method: str,
        params: Message,
        on_result: Callable[[Message], None],
        on_error: Callable[[CommonplaceError], None],
    ) -> Call | None:
        """Ask what the memory answers about notes; exactly one of the callbacks follows."""
        return self._link.request(
            method, params, on_result=on_result, on_error=on_error, deadline=SEARCH_SECONDS
        )

    def cancel(self, call: Call | None) -> None:
        """Stop a search."""
        self._link.cancel(call)

    def reconcile(self) -> None:
        """Compare the index with the disk: the user came back, or asked for it."""
        self._tell("reconcile")

    def pause(self) -> None:
        """Stop indexing until `resume`."""
        self._tell("pause")

    def resume(self) -> None:
        """Go on indexing."""
        self._tell("resume")

    def rebuild(self) -> None:
        """Throw the index away and read everything anew."""
        self._tell("rebuild")

    def shut(self) -> None:
        """Close the project and let the worker end."""
        self._wanted = None
        self._root = None
        self._ask_files.stop()
        self._link.stop()

    def finish(self, milliseconds: int) -> None:
        """Wait for the worker's end at the end of the program."""
        self._wanted = None
        self._link.finish(milliseconds)

    def _start(self) -> None:
        if self._wanted is None:
            return
        path, recall = self._wanted
        self._link.start()
        self._link.request(
            "open",
            {"path": str(path), **recall},
            on_result=partial(self._on_opened, self._wanted),
            on_error=partial(self._on_refused, self._wanted),
        )

    def _on_opened(self, asked: tuple[Path, dict[str, str]], data: Message) -> None:
        if asked is not self._wanted:
            return  # another folder was opened in the meantime
        self._root = Path(data["root"])
        self.opened.emit(self._root)
        self.status_changed.emit(Status.from_wire(data["status"]))
        self._request_files()

    def _on_refused(self, asked: tuple[Path, dict[str, str]], error: CommonplaceError) -> None:
        if self._link.running and asked is self._wanted:  # otherwise `_died` tells
            self._wanted = None
            self._link.stop()
            self.failed.emit(error)

    def _on_event(self, name: str, data: Message) -> None:
        if name == "status":
            self.status_changed.emit(Status.from_wire(data))
        elif name == "files":
            if not self._ask_files.isActive():
                self._ask_files.start()
        elif name == "changed":
            self.contents_changed.emit(tuple(data.get("paths", ())))
        elif name == "notes":
            self.notes_changed.emit()

    def _request_files(self) -> None:
        if self._root is None:
            return
        self._link.request(
            "files", {}, on_result=self._on_files, on_error=self._ignored, deadline=SEARCH_SECONDS
        )

    def _on_files(self, data: Message) -> None:
        skipped = tuple(Skipped(item["path"], item["reason"]) for item in data["skipped"])
        self.files_changed.emit(FileList(tuple(data["files"]), skipped))

    def _tell(self, method: str) -> None:
        if self._root is not None:
            self._link.request(method, {}, on_result=lambda _: None, on_error=self._ignored)

    def _ignored(self, _error: CommonplaceError) -> None:
        """Do nothing about a hint that did not arrive: `_died` tells of the worker's death."""

    def _ended(self) -> None:
        self._start()

    def _died(self, _status: int, _crashed: bool) -> None:
        self._root = None
        now = time.monotonic()
        if self._wanted is not None and now - self._crashed_at > STABLE_SECONDS:
            self._crashed_at = now
            self.restarted.emit()
            self._start()
            return
        self._wanted = None
        self.failed.emit(
            StorageError(
                "The process that reads the project ended twice.",
                "Open the folder again; the log in the cache folder says more.",
            )
        )
