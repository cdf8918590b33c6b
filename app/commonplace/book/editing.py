"""Changes to notes: each made from a version that was seen, each with a way back.

A change is written down first, with the bytes it replaces, and made then. After
a crash between the two, the journal holds a change that never was; undoing it
finds the file as it was and says so by doing nothing.
"""

from __future__ import annotations

import datetime as dt
import getpass
import os
import time
from collections.abc import Mapping, Sequence

from commonplace.book import header as headers
from commonplace.book.files import NoteFolder
from commonplace.book.header import HeaderError, Value
from commonplace.book.ids import new_id
from commonplace.book.note import Anchor, Note, Shelf
from commonplace.book.reading import is_newer, read_note
from commonplace.book.records import Change, Records
from commonplace.errors import NewerDataError, NoteChangedError, NoteError
from commonplace.index.rows import content_hash

MAX_TEXT = 8 * 1024 * 1024


class Editor:
    """Changes the files of some shelves, and keeps the journal of it."""

    def __init__(self, shelves: Mapping[Shelf, NoteFolder], records: Records) -> None:
        self._shelves = shelves
        self._records = records

    def add(
        self,
        title: str,
        text: str,
        *,
        shelf: Shelf = "shared",
        draft: bool = False,
        anchors: Sequence[Anchor] = (),
        tags: Sequence[str] = (),
        evidence: str = "",
    ) -> Note:
        """Write a new note: kept at once, or, as a `draft`, for the inbox.

        Raises `NoteError` for a note without words, and `StorageError`.
        """
        title = " ".join(title.split())
        if not title or not (text.strip() or draft):
            raise NoteError("A note needs a title and a text.", "Write what to remember.")
        if len(text) > MAX_TEXT:
            raise NoteError(
                f"The text is longer than {MAX_TEXT >> 20} MiB.", "Cut it into several notes."
            )
        fields: dict[str, Value] = {
            "id": new_id(),
            "title": title,
            "author": author(),
            "created": now_text(),
            "origin": "draft" if draft else "person",
            "status": "inbox" if draft else "kept",
        }
        if tags:
            fields["tags"] = list(tags)
        if anchors:
            fields["anchors"] = anchor_rows(anchors)
        if evidence:
            fields["evidence"] = evidence
        data = headers.new_text(fields, text).encode("utf-8", "replace")
        folder = self._shelves[shelf]
        # The name is only known once the file is there, so this is noted afterwards.
        file = folder.create(title, data)
        note = read_note(data, shelf, file)
        self._note_change("add", note, None, note.hash)
        return note

    def change_fields(self, note: Note, action: str, changes: Mapping[str, Value | None]) -> Note:
        """Change fields of the header of the version `note` was read from.

        A note without an id of its own gets the one it goes by. Raises
        `NoteChangedError`, `NoteError` for a header that must be mended by
        hand, and `StorageError`.
        """
        data = self._seen(note)
        text = headers.text_of(data)
        header = headers.read(headers.split(text))
        if "id" not in header.values and not header.broken:
            changes = {"id": note.id, **changes}
        try:
            return self._write(note, data, headers.changed(text, changes), action)
        except HeaderError as error:
            raise NoteError(
                f"The header of {note.file} cannot be changed: {error}.",
                "Mend it in an editor, or edit the whole text of the note.",
            ) from error

    def change_text(self, note: Note, text: str) -> Note:
        """Replace the body of the version `note` was read from; raises as `change_fields`."""
        data = self._seen(note)
        return self._write(note, data, headers.with_body(headers.text_of(data), text), "edit")

    def change_all(self, note: Note, raw: str) -> Note:
        """Replace the whole file, header included, as an editor does."""
        data = self._seen(note)
        newline = headers.split(headers.text_of(data)).newline
        return self._write(note, data, headers.LINE.sub(newline, raw), "edit")

    def discard(self, note: Note) -> None:
        """Delete a note's file; the journal keeps it, so that it can come back."""
        data = self._seen(note, readable=False)
        self._note_change("discard", note, data, "")
        self._shelves[note.shelf].remove(note.file, note.hash)

    def undo(self, change: Change) -> None:
        """Take a change back, if nothing was changed since.

        Raises `NoteChangedError` otherwise.
        """
        folder = self._shelves["private" if change.shelf == "private" else "shared"]
        present = folder.hash_of(change.file)
        before = "" if change.before is None else content_hash(change.before).hex()
        if present != before:
            if present != change.after:
                raise NoteChangedError(
                    f"{change.file} was changed since, so that cannot be undone.",
                    "Undo the later changes first, or edit the note.",
                )
            if change.before is None:
                folder.remove(change.file, present)
            elif present:
                folder.replace(change.file, change.before, present)
            else:
                folder.restore(change.file, change.before)
        self._records.drop_change(change.id)

    def _seen(self, note: Note, *, readable: bool = True) -> bytes:
        """Return the bytes of the version that `note` was read from."""
        try:
            data = self._shelves[note.shelf].read(note.file)
        except FileNotFoundError as error:
            raise NoteError(f"{note.file} is not there any more.", "Look again.") from error
        except OSError as error:
            if not readable:
                return b""
            raise NoteError(
                f"{note.file} cannot be read: {error.strerror}.", "Mend the file."
            ) from error
        if note.hash and content_hash(data).hex() != note.hash:
            raise NoteChangedError(
                f"{note.file} was changed by another program in the meantime.",
                "Look at the new version and make the change again; nothing was overwritten.",
            )
        if readable and is_newer(headers.read(headers.split(headers.text_of(data)))):
            raise NewerDataError(
                f"{note.file} was written by a newer version of Commonplace.",
                "Change it with that version, or in an editor; it is left as it is.",
            )
        return data

    def _write(self, note: Note, before: bytes, text: str, action: str) -> Note:
        data = headers.bytes_of(text, before)
        new = read_note(data, note.shelf, note.file)
        if data == before:
            return new
        change = self._note_change(action, note, before, new.hash)
        try:
            self._shelves[note.shelf].replace(note.file, data, content_hash(before).hex())
        except BaseException:
            self._records.drop_change(change)
            raise
        return new

    def _note_change(self, action: str, note: Note, before: bytes | None, after: str) -> int:
        change = Change(
            0, time.time(), action, note.id, note.title, note.shelf, note.file, before, after
        )
        return self._records.add_change(change)


def anchor_rows(anchors: Sequence[Anchor]) -> list[dict[str, str]]:
    """Return anchors as a header holds them."""
    rows = []
    for anchor in anchors:
        row = {"at": anchor.target}
        if anchor.fingerprint:
            row["fingerprint"] = anchor.fingerprint
        rows.append(row)
    return rows


def author() -> str:
    """Return the name notes are signed with: git's if it is set here, else the login."""
    for name in ("GIT_AUTHOR_NAME", "COMMONPLACE_AUTHOR"):
        if os.environ.get(name):
            return os.environ[name][:100]
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


def now_text() -> str:
    """Return the present time as headers hold it."""
    return dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
