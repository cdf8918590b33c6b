"""The models of this machine, seen from the window: listed, fetched, brought and removed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal

from commonplace.desktop.worker import WorkerLink
from commonplace.engine.catalogue import CatalogueModel
from commonplace.engine.entries import LibraryEntry
from commonplace.errors import CancelledError, CommonplaceError
from commonplace.wire.calls import Call
from commonplace.wire.messages import Message

Kind = Literal["download", "import", "install"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """A model on its way; `done` and `total` are bytes, `speed` bytes a second.

    `key` is the id of the catalogue, or the path of the file that is imported.
    """

    key: str
    title: str
    kind: Kind
    phase: str = "connecting"
    done: int = 0
    total: int = 0
    speed: float = 0.0
    call: Call | None = field(default=None, compare=False, repr=False)


class LibraryLink(QObject):
    """Asks the library process, which is started when it is first needed."""

    listed = Signal()
    """`entries` and `unfinished` are new."""
    transfers_changed = Signal()
    arrived = Signal(str, str)
    """A model came: its title and its path."""
    removed = Signal(str)
    """A model was deleted: its path."""
    stopped = Signal(str)
    """A transfer was stopped by the user: its title."""
    failed = Signal(object)
    """A `CommonplaceError`."""

    def __init__(
        self, command: Sequence[str], log_file: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._link = WorkerLink(command, log_file, self)
        self._link.ended.connect(self._ended)
        self._transfers: dict[str, Transfer] = {}
        self._resting = False
        self._waiting: list[Callable[[], object]] = []
        self._shut = False
        self.entries: tuple[LibraryEntry, ...] | None = None
        """None until the first list has come."""
        self.unfinished: Mapping[str, int] = {}
        self.card_bytes = 0
        """Memory that is free on graphics cards, in bytes."""

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """What is on its way."""
        return tuple(self._transfers.values())

    @property
    def pid(self) -> int:
        """The worker's process id, or 0."""
        return self._link.pid

    def transfer(self, key: str) -> Transfer | None:
        """Return the transfer `key` while it is under way."""
        return self._transfers.get(key)

    def refresh(self) -> None:
        """Look at the folders again; `listed` follows."""
        self._request("list", {}, self._listed)

    def download(self, model: CatalogueModel) -> None:
        """Download `model`, or go on with it."""
        self._begin(Transfer(model.id, model.name, "download"), {"model": model.id})

    def bring(self, path: Path, *, link: bool = False, title: str = "") -> None:
        """Copy, or link, the file at `path` into our folder."""
        params = {"path": str(path), "how": "link" if link else "copy", "title": title}
        self._begin(Transfer(str(path), title or path.name, "import"), params)

    def inspect(self, path: Path, then: Callable[[Message], None]) -> None:
        """Ask what the package at `path` holds, and give its manifest to `then`."""
        self._request("inspect", {"path": str(path)}, then)

    def install(self, path: Path, title: str, agreed: str) -> None:
        """Install the model of a package whose manifest, with its licence, was `agreed` to."""
        params = {"path": str(path), "agreed": agreed}
        self._begin(Transfer(str(path), title, "install"), params)

    def cancel(self, key: str) -> None:
        """Stop a transfer; what arrived of a download is kept."""
        found = self._transfers.get(key)
        if found is not None:
            self._link.cancel(found.call)

    def remove(self, path: str) -> None:
        """Delete a model of ours for good; `removed` follows."""
        self._request("remove", {"path": path}, lambda _: self.removed.emit(path))

    def discard(self, file: str) -> None:
        """Throw away what arrived of an unfinished download."""
        self._request("discard", {"file": file}, lambda _: self.refresh())

    def rest(self) -> None:
        """Let the process end if nothing is under way; the next request starts it again."""
        if not self._transfers and self._link.running and not self._resting:
            self._resting = True
            self._link.stop()

    def shut(self) -> None:
        """End; downloads can be gone on with next time."""
        self._shut = True
        self._link.stop()

    def finish(self, milliseconds: int) -> None:
        """Wait for the worker's end at the end of the program."""
        self._shut = True
        self._link.finish(milliseconds)

    def _begin(self, transfer: Transfer, params: Message) -> None:
        key = transfer.key
        if key in self._transfers:
            return
        self._transfers[key] = transfer

        def started(call: Call | None) -> None:
            self._transfers[key] = replace(self._transfers[key], call=call)

        self._request(
            transfer.kind,
            params,
            lambda data: self._came(key, str(data.get("path", ""))),
            lambda data: self._progressed(key, data),
            lambda error: self._broke(key, error),
            started,
        )
        self.transfers_changed.emit()

    def _request(
        self,
        method: str,
        params: Message,
        on_result: Callable[[Message], None],
        on_data: Callable[[Message], None] | None = None,
        on_error: Callable[[CommonplaceError], None] | None = None,
        on_start: Callable[[Call | None], None] | None = None,
    ) -> None:
        def ask() -> None:
            self._link.start()
            call = self._link.request(
                method,
                params,
                on_result=on_result,
                on_error=on_error or self._refused,
                on_data=on_data,
            )
            if on_start is not None:
                on_start(call)

        if self._resting:  # the process is ending: another one answers
            self._waiting.append(ask)
        elif not self._shut:
            ask()

    def _refused(self, error: CommonplaceError) -> None:
        if not self._shut:
            self.failed.emit(error)

    def _listed(self, data: Message) -> None:
        self.entries = tuple(LibraryEntry.from_wire(item) for item in data["models"])
        self.unfinished = dict(data["unfinished"])
        self.card_bytes = int(data["card_bytes"])
        self.listed.emit()

    def _progressed(self, key: str, data: Message) -> None:
        before = self._transfers.get(key)
        if before is not None:
            self._transfers[key] = replace(
                before,
                phase=str(data["phase"]),
                done=int(data["done"]),
                total=int(data["total"]),
                speed=float(data["speed"]),
            )
            self.transfers_changed.emit()

    def _came(self, key: str, path: str) -> None:
        transfer = self._transfers.pop(key)
        self.transfers_changed.emit()
        self.arrived.emit(transfer.title, path)
        self.refresh()

    def _broke(self, key: str, error: CommonplaceError) -> None:
        transfer = self._transfers.pop(key, None)
        if self._shut or transfer is None:
            return
        self.transfers_changed.emit()
        if isinstance(error, CancelledError):
            self.stopped.emit(transfer.title)
        else:
            self.failed.emit(error)
        self.refresh()

    def _ended(self) -> None:
        self._resting = False
        waiting, self._waiting = self._waiting, []
        for ask in waiting if not self._shut else ():
            ask()
