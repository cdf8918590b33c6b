"""The book over the wire: what the memory process answers about notes.

Methods, each with ``note`` as an id where it is about one:

==================  ==========================================================
``notes``           rows for a list: ``words``, ``status``, ``stale``, ``limit``,
                    ``offset`` → ``notes``, ``total``, ``counts``, ``unread``
``note``            one note: text, raw file, hash, problems, checks, uses, changes
``note_add``        ``title``, ``text``, ``anchors``, ``tags``, ``private``, ``draft``
``note_edit``       ``text`` or ``raw``; ``hash`` of the version that was edited
``note_set``        ``title``, ``tags``, ``anchors``, ``pinned``: those given
``note_keep``, ``note_archive``, ``note_discard``, ``note_forget``
``note_confirm``    the note is still true: anchors as the code is now
``note_undo``       the last change, or ``change``
``note_changes``    the journal, the last first
``note_marks``      notes anchored in ``path``
``note_anchor``     what a note about the lines ``start``-``end`` of ``path`` speaks of
``note_suggestions``  notes that could be archived, with reasons
``note_used``       ``notes`` helped the answer ``answer``
``note_event``      something happened (`book.drafts.Event`)
``note_events_forget``  all events, or those of one ``conversation``
``note_check``      check every anchor now; streams ``done`` and ``total``
==================  ==========================================================

The event ``notes`` says that something about notes changed.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, get_args

from commonplace.book.drafts import Event, looks_like_correction
from commonplace.book.note import Anchor, AnchorCheck, Listed, Note, Status
from commonplace.book.records import Change
from commonplace.errors import NoteError
from commonplace.index.fingerprints import Source
from commonplace.memory.background import Keeper
from commonplace.memory.project import Memory
from commonplace.wire.messages import Message
from commonplace.wire.worker import Handler, Task

DEFAULT_LIMIT = 500

Opened = Callable[[], tuple[Memory, Keeper]]


class NotesService:
    """Answers what a window asks about notes."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    def handlers(self) -> Mapping[str, Handler]:
        """Return the methods about notes."""
        return {
            "notes": self.notes,
            "note": self.note,
            "note_add": self.add,
            "note_edit": self.edit,
            "note_set": self.set,
            "note_keep": lambda p, _: self._changed(lambda m: m.book.keep(_id(p))),
            "note_archive": lambda p, _: self._changed(lambda m: m.book.archive(_id(p))),
            "note_confirm": lambda p, _: self._changed(lambda m: m.book.confirm(_id(p), m.code())),
            "note_discard": self.discard,
            "note_forget": self.forget,
            "note_undo": self.undo,
            "note_changes": self.changes,
            "note_marks": self.marks,
            "note_anchor": self.anchor,
            "note_suggestions": self.suggestions,
            "note_used": self.used,
            "note_event": self.event,
            "note_events_forget": self.forget_events,
            "note_check": self.check,
        }

    def notes(self, params: Message, _: Task) -> Message:
        """Return rows for a list; the files are looked at first."""
        memory, _keeper = self._opened()
        memory.book.sync()
        wanted = params.get("status")
        status = wanted if wanted in get_args(Status) else None
        rows = memory.book.notes(str(params.get("words", "")))
        counts: dict[str, int] = dict.fromkeys(get_args(Status), 0)
        for row in rows:
            counts[row.status] += 1
        counts["stale"] = sum(row.stale and row.status != "archived" for row in rows)
        counts["broken"] = sum(row.broken for row in rows)
        if status is not None:
            rows = [row for row in rows if row.status == status]
        if params.get("stale"):
            rows = [row for row in rows if row.stale and row.status != "archived"]
        start, limit = int(params.get("offset", 0)), int(params.get("limit", DEFAULT_LIMIT))
        return {
            "notes": [row_of(memory, row) for row in rows[start : start + limit]],
            "total": len(rows),
            "counts": counts,
            "unread": [
                {"path": memory.book.shown_path(shelf, item.file), "reason": item.reason}
                for shelf, item in memory.book.unread()
            ],
        }

    def note(self, params: Message, _: Task) -> Message:
        """Return everything about one note."""
        return note_of(self._opened()[0], _id(params))

    def add(self, params: Message, _: Task) -> Message:
        """Write a new note: the user's own words are kept, a draft waits in the inbox."""
        memory, _keeper = self._opened()
        note = memory.book.add(
            str(params.get("title", "")),
            str(params.get("text", "")),
            memory.code(),
            shelf="private" if params.get("private") else "shared",
            draft=bool(params.get("draft")),
            anchors=_words(params, "anchors"),
            tags=_words(params, "tags"),
        )
        return note_of(memory, note.id)

    def edit(self, params: Message, _: Task) -> Message:
        """Replace a note's text, or its whole file, if it is the version that was seen."""
        seen = str(params.get("hash", ""))
        if "raw" in params:
            raw = str(params["raw"])
            return self._changed(lambda m: m.book.edit_raw(_id(params), raw, seen))
        text = str(params.get("text", ""))
        return self._changed(lambda m: m.book.edit(_id(params), text, seen))

    def set(self, params: Message, _: Task) -> Message:
        """Change the fields that are given."""
        memory, _keeper = self._opened()
        note = _id(params)
        if "title" in params:
            memory.book.rename(note, str(params["title"]))
        if "tags" in params:
            memory.book.tag(note, _words(params, "tags"))
        if "anchors" in params:
            memory.book.anchor(note, _words(params, "anchors"), memory.code())
        if "pinned" in params:
            memory.book.pin(note, pinned=bool(params["pinned"]))
        return note_of(memory, note)

    def discard(self, params: Message, _: Task) -> Message:
        """Delete a note; ``note_undo`` brings it back."""
        self._opened()[0].book.discard(_id(params))
        return {}

    def forget(self, params: Message, _: Task) -> Message:
        """Remove a note from everywhere; there is no way back."""
        note = self._opened()[0].book.forget(_id(params))
        return {"id": note.id, "title": note.title}

    def undo(self, params: Message, _: Task) -> Message:
        """Take a change back."""
        change = self._opened()[0].book.undo(int(params.get("change", 0)))
        return change_of(change)

    def changes(self, params: Message, _: Task) -> Message:
        """Return the latest changes that can be undone."""
        note = str(params.get("note", ""))
        found = self._opened()[0].book.records.changes(int(params.get("limit", 50)), note)
        return {"changes": [change_of(change) for change in found]}

    def marks(self, params: Message, _: Task) -> Message:
        """Return the notes anchored in a file, with the lines they speak of now."""
        memory, _keeper = self._opened()
        found = memory.book.marks(str(params.get("path", "")))
        return {
            "marks": [
                {"note": row_of(memory, note), "check": check.to_wire()} for note, check in found
            ]
        }

    def anchor(self, params: Message, _: Task) -> Message:
        """Return the smallest definition around some lines as an anchor, or else the lines.

        Lines count from 1; without any (0) it is the file.
        """
        path, start = str(params.get("path", "")), int(params.get("start", 0))
        end = max(int(params.get("end", 0)), start)
        text = self._opened()[0].code().read(path) if path and start > 0 else None
        around = [
            symbol
            for symbol in (Source(path, text).symbols if text is not None else ())
            if symbol.start_line <= start and end <= symbol.end_line
        ]
        if around:
            inner = min(around, key=lambda symbol: symbol.end_line - symbol.start_line)
            return {"anchor": Anchor(path, inner.name).target}
        lines = text is not None and params.get("lines")
        return {"anchor": (Anchor(path, "", start, end) if lines else Anchor(path)).target}

    def suggestions(self, _params: Message, _: Task) -> Message:
        """Return the notes that could be archived, and why."""
        memory, _keeper = self._opened()
        return {
            "suggestions": [
                {"note": row_of(memory, item.note), "reasons": list(item.reasons)}
                for item in memory.book.suggest()
            ]
        }

    def used(self, params: Message, _: Task) -> Message:
        """Count that notes helped an answer, once for each."""
        notes = _words(params, "notes")
        self._opened()[0].book.records.used(notes, str(params.get("answer", "")))
        return {}

    def event(self, params: Message, _: Task) -> Message:
        """Note what happened in a conversation; drafts follow when nothing else is to do.

        What was ``said`` after an answer counts only if it reads like a correction.
        """
        memory, keeper = self._opened()
        try:
            event = Event.from_wire({"at": time.time(), **params})
        except (TypeError, ValueError) as error:
            raise NoteError(f"That event cannot be used: {error}.", "This is a defect.") from error
        correction = event.kind != "corrected" or params.get("certain")
        if correction or looks_like_correction(event.said):
            memory.book.remember(event)
            keeper.tend()
            return {"remembered": True}
        return {"remembered": False}

    def forget_events(self, params: Message, _: Task) -> Message:
        """Forget what conversations, or one, left; drafts that were written stay."""
        records = self._opened()[0].book.records
        conversation = str(params.get("conversation", ""))
        if conversation:
            records.forget_events_of(conversation)
        else:
            records.forget_events()
        records.scrub()
        return {}

    def check(self, _params: Message, task: Task) -> Message:
        """Check the anchors of all notes now."""
        memory, _keeper = self._opened()
        memory.book.sync()
        count = memory.book.check(
            memory.code(),
            None,
            lambda: task.stopped,
            lambda done, total: task.send({"done": done, "total": total}),
        )
        if count:
            memory.book.on_change()
        return {"checked": count}

    def _changed(self, change: Callable[[Memory], Note]) -> Message:
        memory, _keeper = self._opened()
        return note_of(memory, change(memory).id)


def row_of(memory: Memory, row: Listed) -> dict[str, Any]:
    """Return a row with the path that people see."""
    return {**row.to_wire(), "path": memory.book.shown_path(row.shelf, row.path)}


def note_of(memory: Memory, note: str) -> dict[str, Any]:
    """Return everything about one note as plain JSON data."""
    opened = memory.book.open(note)
    found = opened.note
    return {
        "id": found.id,
        "title": found.title,
        "text": found.text,
        "raw": opened.raw,
        "hash": found.hash,
        "path": opened.path,
        "shelf": found.shelf,
        "status": found.status,
        "origin": found.origin,
        "pinned": found.pinned,
        "author": found.author,
        "created": found.created,
        "tags": list(found.tags),
        "anchors": [anchor.target for anchor in found.anchors],
        "evidence": found.evidence,
        "problems": [str(problem) for problem in found.problems],
        "broken": found.broken,
        "body_line": found.body_line,
        "checks": [check.to_wire() for check in opened.checks],
        "state": worst(opened.checks),
        "uses": opened.uses.count,
        "last_use": opened.uses.last,
        "changes": [change_of(change) for change in opened.changes],
    }


def worst(checks: tuple[AnchorCheck, ...]) -> str:
    """Return the state of the worst anchor, or nothing without any."""
    order = ("gone", "changed", "unchecked", "moved", "fresh")
    return min((check.state for check in checks), key=order.index, default="")


def change_of(change: Change) -> dict[str, Any]:
    """Return a change without the bytes it replaced."""
    data = dataclasses.asdict(change)
    del data["before"]
    return data


def _id(params: Message) -> str:
    note = params.get("note")
    if not isinstance(note, str) or not note:
        raise NoteError("No note was named.", "This is a defect.")
    return note


def _words(params: Message, key: str) -> list[str]:
    value = params.get(key) or []
    return [str(item) for item in value] if isinstance(value, list) else []
