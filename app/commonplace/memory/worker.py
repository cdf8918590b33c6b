"""The memory process of a window: one project, served over the wire.

Methods: ``open``, ``search``, ``places``, ``symbols``, ``status``, ``details``, ``files``,
``reconcile``, ``pause``, ``resume`` and ``rebuild``, and those about notes
(`memory.notes`). Events: ``status``, ``files`` (the set changed), ``changed``
(paths whose content changed) and ``notes``.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from commonplace.errors import DamagedIndexError, ProjectError
from commonplace.index.structure import PLACES
from commonplace.index.symbols import SYMBOLS
from commonplace.memory.background import Keeper
from commonplace.memory.gate import Gate
from commonplace.memory.notes import NotesService
from commonplace.memory.project import Memory
from commonplace.memory.status import Status
from commonplace.paths import StatePaths
from commonplace.wire.messages import Message
from commonplace.wire.worker import Handler, Notify, Task, run_worker

THREADS = 3
IN_ORDER = frozenset({"note_event", "note_events_forget", "note_forget"})
"""What is to be forgotten is forgotten after what was told before, whatever else goes on."""
STATUS_SECONDS = 0.1
CHANGED_LIMIT = 500
DEFAULT_LIMIT = 10
EMBED_THREADS = 1
"""Embedding goes on behind the user's back; it may take one processor, not all."""


class MemoryService:
    """Answers the requests of one window."""

    def __init__(self, notify: Notify, state: StatePaths | None = None) -> None:
        self._notify = notify
        self._state = state or StatePaths.from_environment()
        self._memory: Memory | None = None
        self._keeper: Keeper | None = None
        self._gate = Gate()
        self._throttle = StatusThrottle(notify)

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods this process has."""
        using: Mapping[str, Handler] = {
            "search": self.search,
            "places": self.places,
            "symbols": self.symbols,
            "status": self.status,
            "details": self.details,
            "files": self.files,
            "reconcile": self.reconcile,
            "pause": self.pause,
            "resume": self.resume,
            "rebuild": self.rebuild,
            **NotesService(self._opened).handlers(),
        }
        return {"open": self.open} | {m: self._sharing(handler) for m, handler in using.items()}

    def _sharing(self, handler: Handler) -> Handler:
        """Return `handler` so that the project stays open while it runs."""

        def run(params: Message, task: Task) -> Message:
            with self._gate.shared():
                return handler(params, task)

        return run

    def open(self, params: Message, _: Task) -> Message:
        """Open ``path`` and start to index it; another project is closed first."""
        with self._gate.alone():
            self.close()
            memory = Memory(
                Path(str(params["path"])),
                self._state,
                embedder=str(params.get("embedder", "built-in")),
                adapter=str(params.get("adapter", "auto")),
                depth=str(params.get("depth", "off")),
                embed_threads=EMBED_THREADS,
                on_status=self._throttle.status,
            )
            self._memory = memory
            self._keeper = Keeper(
                memory,
                on_files=lambda: self._notify("files", {}),
                on_changed=lambda paths: self._notify("changed", {"paths": paths[:CHANGED_LIMIT]}),
                on_notes=lambda: self._notify("notes", {}),
            )
            self._keeper.start()
            return {"root": str(memory.root), "status": memory.status.to_wire()}

    def close(self) -> None:
        """Close the open project, if any."""
        if self._keeper is not None:
            self._keeper.close()
        if self._memory is not None:
            self._memory.close()
        self._keeper = self._memory = None

    def search(self, params: Message, _: Task) -> Message:
        """Return the passages for ``question``."""
        memory, keeper = self._opened()
        limit = int(params.get("limit", DEFAULT_LIMIT))
        question = str(params["question"])
        try:
            return memory.search(question, limit, wait=False, on_stale=keeper.stale).to_wire()
        except DamagedIndexError:
            keeper.reconcile()
            raise

    def places(self, params: Message, _: Task) -> Message:
        """Return where ``name`` is defined and used, at most ``limit`` lines of each."""
        memory, keeper = self._opened()
        try:
            return memory.places(str(params["name"]), int(params.get("limit", PLACES))).to_wire()
        except DamagedIndexError:
            keeper.reconcile()
            raise

    def symbols(self, params: Message, _: Task) -> Message:
        """Return the definitions whose name holds ``typed``, at most ``limit``."""
        memory, _keeper = self._opened()
        found = memory.symbols(str(params["typed"]), int(params.get("limit", SYMBOLS)))
        return {"symbols": [dataclasses.asdict(place) for place in found]}

    def details(self, _params: Message, _: Task) -> Message:
        """Return figures of the index: its size, its age, counts by reason and language."""
        return self._opened()[0].details().to_wire()

    def status(self, _params: Message, _: Task) -> Message:
        """Return the present status."""
        return self._opened()[0].status.to_wire()

    def files(self, _params: Message, _: Task) -> Message:
        """Return the paths indexed, and what was skipped and why."""
        memory, _keeper = self._opened()
        skipped: list[dict[str, Any]] = [
            {"path": item.path, "reason": item.reason} for item in memory.skipped()
        ]
        return {"files": memory.files(), "skipped": skipped}

    def reconcile(self, _params: Message, _: Task) -> Message:
        """Compare the whole folder with the index soon."""
        self._opened()[1].reconcile()
        return {}

    def pause(self, _params: Message, _: Task) -> Message:
        """Stop indexing until ``resume``."""
        self._opened()[1].pause()
        return {}

    def resume(self, _params: Message, _: Task) -> Message:
        """Go on indexing."""
        self._opened()[1].resume()
        return {}

    def rebuild(self, _params: Message, _: Task) -> Message:
        """Throw the index away and read everything anew."""
        self._opened()[1].rebuild()
        return {}

    def _opened(self) -> tuple[Memory, Keeper]:
        if self._memory is None or self._keeper is None:
            raise ProjectError("No project is open.", "Open a folder first.")
        return self._memory, self._keeper


class StatusThrottle:
    """Passes on at most ten pictures a second, and always a change of phase."""

    def __init__(self, notify: Notify) -> None:
        self._notify = notify
        self._last: Status | None = None
        self._sent = 0.0

    def status(self, status: Status) -> None:
        """Tell the window, unless it was told the like just now."""
        now = time.monotonic()
        last = self._last
        news = last is None or (last.phase, last.note) != (status.phase, status.note)
        if news or now - self._sent >= STATUS_SECONDS:
            self._last, self._sent = status, now
            self._notify("status", status.to_wire())


def main() -> None:
    """Run the memory process; does not return."""
    run_worker(
        "memory",
        lambda notify: MemoryService(notify).handlers(),
        threads=THREADS,
        ordered=IN_ORDER,
    )
