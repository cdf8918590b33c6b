"""The kept notes of the project, as far as questions mention them: ``@"note:Title"``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from commonplace.chat.commands import NOTE
from commonplace.desktop.memory_link import MemoryLink
from commonplace.recall.passages import Passage
from commonplace.wire.messages import Message

Notes = dict[str, Passage]
"""Mentions and the notes that they stand for."""


class NoteMentions(QObject):
    """Knows which notes can be mentioned, and fetches those that are."""

    listed = Signal(object)
    """The mentions of all kept notes, without the ``@``."""

    def __init__(self, memory: MemoryLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        self._ids: dict[str, str] = {}
        memory.opened.connect(self._look)
        memory.notes_changed.connect(self._look)

    def fetch(self, mentions: Sequence[str], on_done: Callable[[Notes], None]) -> None:
        """Fetch the notes among `mentions`; those that are gone are left out."""
        self._next([m for m in mentions if m in self._ids], {}, on_done)

    def _next(self, left: list[str], found: Notes, on_done: Callable[[Notes], None]) -> None:
        if not left:
            on_done(found)
            return
        mentioned, rest = left[0], left[1:]

        def got(data: Message) -> None:
            self._next(rest, {**found, mentioned: _passage(data)}, on_done)

        def missed(_error: object) -> None:
            self._next(rest, found, on_done)

        self._memory.request("note", {"note": self._ids[mentioned]}, got, missed)

    def _look(self, _root: Path | None = None) -> None:
        self._memory.request("notes", {"status": "kept"}, self._got, _ignore)

    def _got(self, data: Message) -> None:
        self._ids = {f"{NOTE}{_plain(row['title'])}": str(row["id"]) for row in data["notes"]}
        self.listed.emit(sorted(self._ids))


def _passage(data: Message) -> Passage:
    text, start = str(data["text"]).strip("\n"), int(data["body_line"])
    return Passage(
        str(data["path"]), start, start + text.count("\n"), text, 0.0, "note", str(data["title"]),
        ("attached by you",), "note", str(data["id"]), str(data["state"]),
    )  # fmt: skip


def _plain(title: str) -> str:
    """Return `title` as it can be mentioned: in quotes it may hold anything but quotes."""
    return " ".join(str(title).replace('"', "'").split())


def _ignore(_error: Any) -> None:
    """Without notes there is nothing to mention."""
