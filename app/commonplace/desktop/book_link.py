"""The book of the open project, seen from the window: requests in, values out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from commonplace.book.note import AnchorCheck, Listed
from commonplace.desktop.memory_link import MemoryLink
from commonplace.errors import CommonplaceError
from commonplace.wire.messages import Message

PAGE = 500
"""Rows asked for at once: more than a screen, and quick to read."""

OnError = Callable[[CommonplaceError], None]


@dataclass(frozen=True, slots=True)
class Row:
    """A note in the list; `reasons` say why it could be archived."""

    note: Listed
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """A part of a list, how long it is in whole, and how many notes of each kind there are.

    `unread` are files in the folders of notes that are none, each with the reason.
    """

    rows: tuple[Row, ...]
    total: int
    counts: dict[str, int]
    unread: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A change that can be taken back."""

    id: int
    action: str
    title: str
    note: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """Everything about one note, as the window shows it."""

    id: str
    title: str
    text: str
    raw: str
    hash: str
    path: str
    shelf: str
    status: str
    origin: str
    pinned: bool
    author: str
    created: str
    tags: tuple[str, ...]
    anchors: tuple[str, ...]
    evidence: str
    problems: tuple[str, ...]
    broken: bool
    body_line: int
    checks: tuple[AnchorCheck, ...]
    state: str
    uses: int
    changes: tuple[Change, ...]

    @property
    def stale(self) -> bool:
        """Whether the code it speaks of changed or went."""
        return self.state in {"changed", "gone"}

    def row(self, before: Listed) -> Listed:
        """Return the row of this note as it is now; `before` is the row as it was read."""
        known = {field.name for field in fields(self)} & {field.name for field in fields(Listed)}
        return replace(before, **{name: getattr(self, name) for name in known})

    @classmethod
    def from_wire(cls, data: Message) -> NoteView:
        """Rebuild a note from plain JSON data."""
        given = {name: data[name] for name in (field.name for field in fields(cls))}
        for name in ("tags", "anchors", "problems"):
            given[name] = tuple(given[name])
        given["checks"] = tuple(AnchorCheck(**check) for check in given["checks"])
        given["changes"] = tuple(change_of(change) for change in given["changes"])
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Mark:
    """A note anchored in the open file, with the lines it speaks of now."""

    note: Listed
    check: AnchorCheck


class BookLink(QObject):
    """Asks the memory process about notes."""

    changed = Signal()
    """Something about the notes changed: lists and marks are to be asked for again."""

    def __init__(self, memory: MemoryLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._memory = memory
        memory.notes_changed.connect(self.changed)

    def rows(
        self,
        words: str,
        kind: str,
        part: tuple[int, int],
        on_result: Callable[[Rows], None],
        on_error: OnError,
    ) -> None:
        """List the notes that hold `words` of one `kind`: a status, ``stale`` or all (empty).

        `part` is the first row and the number of rows.
        """
        params: Message = {"words": words, "offset": part[0], "limit": part[1]}
        if kind == "stale":
            params["stale"] = True
        elif kind:
            params["status"] = kind

        def read(data: Message) -> None:
            rows = tuple(Row(listed_of(note)) for note in data["notes"])
            unread = tuple((item["path"], item["reason"]) for item in data["unread"])
            on_result(Rows(rows, int(data["total"]), data["counts"], unread))

        self._memory.request("notes", params, read, on_error)

    def suggestions(self, on_result: Callable[[tuple[Row, ...]], None], on_error: OnError) -> None:
        """List the notes that could be archived, with reasons."""

        def read(data: Message) -> None:
            found = data["suggestions"]
            on_result(tuple(Row(listed_of(i["note"]), tuple(i["reasons"])) for i in found))

        self._memory.request("note_suggestions", {}, read, on_error)

    def note(self, note: str, on_result: Callable[[NoteView], None], on_error: OnError) -> None:
        """Return everything about one note."""
        self.change("note", {"note": note}, on_result, on_error)

    def change(
        self,
        method: str,
        params: Message,
        on_result: Callable[[NoteView], None],
        on_error: OnError,
    ) -> None:
        """Ask for a change that returns the note as it is then."""

        def read(data: Message) -> None:
            on_result(NoteView.from_wire(data))

        self._memory.request(method, params, read, on_error)

    def remove(
        self, method: str, note: str, on_result: Callable[[], None], on_error: OnError
    ) -> None:
        """Discard or forget a note."""
        self._memory.request(method, {"note": note}, lambda _data: on_result(), on_error)

    def changes(
        self, note: str, on_result: Callable[[tuple[Change, ...]], None], on_error: OnError
    ) -> None:
        """Return the latest changes, of one `note` or of all (empty), the last first."""

        def read(data: Message) -> None:
            on_result(tuple(change_of(change) for change in data["changes"]))

        params = {"note": note, "limit": 20}
        self._memory.request("note_changes", params, read, on_error)

    def undo(self, change: int, on_result: Callable[[Change], None], on_error: OnError) -> None:
        """Take a change back; 0 means the last one."""

        def read(data: Message) -> None:
            on_result(change_of(data))

        self._memory.request("note_undo", {"change": change}, read, on_error)

    def marks(self, path: str, on_result: Callable[[tuple[Mark, ...]], None]) -> None:
        """Return the notes anchored in a file; nothing follows where that goes wrong."""

        def read(data: Message) -> None:
            on_result(
                tuple(
                    Mark(listed_of(item["note"]), AnchorCheck(**item["check"]))
                    for item in data["marks"]
                )
            )

        self._memory.request("note_marks", {"path": path}, read, _ignored)

    def anchor(
        self, path: str, lines: tuple[int, int], selected: bool, on_result: Callable[[str], None]
    ) -> None:
        """Return what a note about `lines` of a file speaks of; the file if nobody can tell."""
        params = {"path": path, "start": lines[0], "end": lines[1], "lines": selected}
        self._memory.request(
            "note_anchor",
            params,
            lambda data: on_result(str(data["anchor"])),
            lambda _error: on_result(path),
        )

    def tell(self, method: str, params: Message) -> None:
        """Tell of something that happened; nothing follows."""
        if self._memory.root is not None:
            self._memory.request(method, params, lambda _data: None, _ignored)


def listed_of(data: Message) -> Listed:
    """Rebuild a row from plain JSON data."""
    given: dict[str, Any] = {field.name: data[field.name] for field in fields(Listed)}
    for name in ("tags", "anchors", "problems"):
        given[name] = tuple(given[name])
    return Listed(**given)


def change_of(data: Message) -> Change:
    """Rebuild a change from plain JSON data."""
    return Change(int(data["id"]), str(data["action"]), str(data["title"]), str(data["note"]))


def ids_of(rows: Sequence[Row]) -> list[str]:
    """Return the ids of some rows."""
    return [row.note.id for row in rows]


def _ignored(_error: CommonplaceError) -> None:
    """Do nothing about a hint that did not arrive: the memory's death is told elsewhere."""
