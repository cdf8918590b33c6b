"""The book of one project: the one door to its notes.

Reading goes through the catalogue, which follows the files; changes go to the
files, and the catalogue follows. A writable book belongs to the process that
holds the project; another process works on a catalogue in memory, and the
first one notices what it did to the files.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from commonplace.book.catalogue import Catalogue, Synced
from commonplace.book.catalogue_reading import read_file
from commonplace.book.checking import Checker
from commonplace.book.code import Code
from commonplace.book.drafts import Event, proposals
from commonplace.book.editing import Editor, anchor_rows
from commonplace.book.files import NoteFolder, Unread
from commonplace.book.forgetting import Suggestion, suggestions
from commonplace.book.header import text_of
from commonplace.book.matching import Asked, Match, match_notes, priority
from commonplace.book.note import (
    SHELVES,
    Anchor,
    AnchorCheck,
    Listed,
    Note,
    Shelf,
    Status,
)
from commonplace.book.records import Change, Records, Uses
from commonplace.book.upkeep import check_anchors
from commonplace.errors import DamagedIndexError, NoteError
from commonplace.paths import StatePaths
from commonplace.workspace.files import never
from commonplace.workspace.notes import NOTES_FOLDER

log = logging.getLogger(__name__)

PRIVATE_FOLDER = "notes"


@dataclass(frozen=True, slots=True)
class Opened:
    """A note as it is shown alone: its file, what became of its anchors, its uses."""

    note: Note
    path: str
    raw: str
    checks: tuple[AnchorCheck, ...]
    uses: Uses
    changes: tuple[Change, ...]


class Book:
    """The notes of the project at `root`.

    With `folder` the catalogue lies there and, if `writable`, is written by
    this process alone; without one it lies in memory. Raises `StorageError`.
    """

    def __init__(
        self, root: Path, state: StatePaths, folder: Path | None, *, writable: bool = True
    ) -> None:
        data = state.project_data(root)
        self.root = root
        self.shelves: dict[Shelf, NoteFolder] = {
            "shared": NoteFolder(root, NOTES_FOLDER, "shared"),
            "private": NoteFolder(data, PRIVATE_FOLDER, "private"),
        }
        self.records = Records(data)
        self.catalogue = Catalogue(folder, writable=writable)
        self.on_change: Callable[[], None] = _nothing
        self._syncing = threading.RLock()
        self._editor = Editor(self.shelves, self.records)

    def close(self) -> None:
        """Close what is open; files need no closing."""
        self.catalogue.close()
        self.records.close()

    def sync(self, stop: Callable[[], bool] = never) -> Synced:
        """Follow the files: read what is new or changed, drop what went.

        May be called in any thread; `on_change` is called when something was found.
        """
        shelves = list(self.shelves.values())
        with self._syncing:
            try:
                synced = self.catalogue.sync(shelves, stop)
            except DamagedIndexError:
                log.warning("The catalogue of notes is damaged and is rebuilt")
                self.catalogue.rebuild()
                synced = self.catalogue.sync(shelves, stop)
        if synced:
            self.on_change()
        return synced

    def notes(self, words: str = "", status: Status | None = None) -> list[Listed]:
        """Return the notes that hold all of `words`: pinned, helpful and recent ones first."""
        keys = set(self.catalogue.matching(words)) if words.strip() else None
        where, values = ("WHERE status = ?", [status]) if status else ("", [])
        uses = self.records.uses()
        found = []
        for key, note in self.catalogue.listed(where, values):
            if keys is not None and key not in keys:
                continue
            used = uses.get(note.id)
            if used is not None:
                note = replace(note, uses=used.count, last_use=used.last)  # noqa: PLW2901
            found.append(note)
        now = time.time()
        return sorted(found, key=lambda note: priority(note, now), reverse=True)

    def unread(self) -> list[tuple[Shelf, Unread]]:
        """Return the files in the folders that were no notes at the last look, and why."""
        left = self.catalogue.unread
        return [(name, item) for name in SHELVES for item in left.get(name, ())]

    def note(self, note: str) -> Note:
        """Return a note as its file says it now; raises `NoteError` if there is none."""
        shelf, file, _ = self._find(note)
        return self._read(shelf, file, note)

    def open(self, note: str) -> Opened:
        """Return everything about one note; raises `NoteError` if there is none."""
        shelf, file, key = self._find(note)
        found = self._read(shelf, file, note)
        try:
            raw = text_of(self.shelves[shelf].read(file)).encode("utf-8", "replace").decode()
        except OSError:
            raw = ""
        return Opened(
            note=found,
            path=self.shown_path(shelf, file),
            raw=raw,
            checks=tuple(self.catalogue.checks_of(key)),
            uses=self.records.uses().get(found.id, Uses()),
            changes=tuple(self.records.changes(20, found.id)),
        )

    def shown_path(self, shelf: Shelf, file: str) -> str:
        """Return a note's path: relative to the project, or absolute for a private one."""
        return (
            f"{NOTES_FOLDER}/{file}" if shelf == "shared" else str(self.shelves[shelf].path(file))
        )

    def add(
        self,
        title: str,
        text: str,
        code: Code,
        *,
        shelf: Shelf = "shared",
        draft: bool = False,
        anchors: Sequence[str] = (),
        tags: Sequence[str] = (),
    ) -> Note:
        """Write a new note with its anchors as the code is now; raises `NoteError`."""
        placed, texts = self._anchored(anchors, code)
        note = self._editor.add(title, text, shelf=shelf, draft=draft, anchors=placed, tags=tags)
        self._keep_snapshots(note.id, placed, texts)
        self.sync()
        return note

    def keep(self, note: str) -> Note:
        """Make a draft or an archived note one that is recalled: a person vouches for it."""
        return self._set(note, "keep", {"status": "kept", "origin": "person"})

    def archive(self, note: str) -> Note:
        """Take a note out of recall; its file stays."""
        return self._set(note, "archive", {"status": "archived"})

    def pin(self, note: str, *, pinned: bool = True) -> Note:
        """Let a note come before others and stand in every prompt, or no longer."""
        return self._set(note, "pin" if pinned else "unpin", {"pinned": pinned})

    def rename(self, note: str, title: str) -> Note:
        """Give a note another title; its file keeps its name."""
        title = " ".join(title.split())
        if not title:
            raise NoteError("A note needs a title.", "Write one.")
        return self._set(note, "edit", {"title": title})

    def tag(self, note: str, tags: Sequence[str]) -> Note:
        """Give a note these tags and no others."""
        return self._set(note, "edit", {"tags": list(tags) if tags else None})

    def anchor(self, note: str, anchors: Sequence[str], code: Code) -> Note:
        """Tie a note to these places as they are now, and to no others."""
        placed, texts = self._anchored(anchors, code)
        found = self._set(note, "anchor", {"anchors": anchor_rows(placed) if placed else None})
        self.records.drop_baselines(found.id)
        self._keep_snapshots(found.id, placed, texts)
        return found

    def confirm(self, note: str, code: Code) -> Note:
        """Say that a note is still true: its anchors are noted as they are now.

        Code that moved is followed, and anchors of code that is gone go.
        """
        shelf, file, key = self._find(note)
        found = self._read(shelf, file, note)
        now = {check.target: check for check in self.catalogue.checks_of(key)}
        targets = []
        for anchor in found.anchors:
            check = now.get(anchor.target)
            if check is None or not check.path:
                if check is None or check.state != "gone":
                    targets.append(anchor.target)
                continue
            moved = replace(anchor, path=check.path)
            if anchor.symbol:
                moved = replace(moved, symbol=check.symbol)
            elif anchor.start_line:
                moved = replace(moved, start_line=check.start_line, end_line=check.end_line)
            targets.append(moved.target)
        return self.anchor(note, targets, code)

    def edit(self, note: str, text: str, seen: str = "") -> Note:
        """Replace the text of the version with the hash `seen` (default: the one there now)."""
        found = self.note(note)
        changed = self._editor.change_text(replace(found, hash=seen or found.hash), text)
        self.sync()
        return changed

    def edit_raw(self, note: str, raw: str, seen: str = "") -> Note:
        """Replace the whole file, header included, of the version with the hash `seen`."""
        found = self.note(note)
        changed = self._editor.change_all(replace(found, hash=seen or found.hash), raw)
        self.sync()
        return changed

    def discard(self, note: str) -> None:
        """Delete a note, which `undo` brings back."""
        self._editor.discard(self.note(note))
        self.sync()

    def undo(self, number: int = 0) -> Change:
        """Take back a change, the last one by default; raises `NoteError` without any."""
        changes = [c for c in self.records.changes(500) if not number or c.id == number]
        if not changes:
            raise NoteError("There is no change to undo.", "Only changes made here can be undone.")
        self._editor.undo(changes[0])
        self.sync()
        return changes[0]

    def forget(self, note: str) -> Note:
        """Remove a note from everywhere: file, catalogue, vectors, uses, journal, evidence."""
        shelf, file, _ = self._find(note)
        found = self._read(shelf, file, note)
        self.shelves[shelf].remove(file, None)
        quotes = [line[2:].strip() for line in found.text.split("\n") if line.startswith("> ")]
        self.records.forget(found.id, [found.title, *quotes])
        self.sync()
        self.catalogue.scrub()
        return found

    def check(
        self,
        code: Code,
        paths: Collection[str] | None = None,
        stop: Callable[[], bool] = never,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Check the anchors whose code changed since they were last checked.

        `paths` bounds that to some files. Returns how many were checked;
        raises `CancelledError` after what was done is kept.
        """
        return check_anchors(self.catalogue, self.records, code, paths, stop, progress)

    def marks(self, path: str) -> list[tuple[Listed, AnchorCheck]]:
        """Return the notes anchored in a file of the project, and where they are now."""
        rows = self.catalogue.listed(
            "WHERE key IN (SELECT note FROM checks WHERE path = ?1 "
            "OR json_extract(found, '$.path') = ?1) AND status != 'archived'",
            [path],
        )
        return [
            (note, check)
            for key, note in rows
            for check in self.catalogue.checks_of(key)
            if check.path == path
        ]

    def match(self, asked: Asked, limit: int = 3) -> list[tuple[Match, Listed]]:
        """Return the kept notes that may answer, the surest first."""
        found = match_notes(self.catalogue, asked, limit)
        keys = ", ".join(str(match.key) for match in found)
        notes = dict(self.catalogue.listed(f"WHERE key IN ({keys})")) if found else {}
        return [(match, notes[match.key]) for match in found if match.key in notes]

    def remember(self, event: Event) -> None:
        """Note that something happened in a conversation."""
        self.records.add_event(event.at or time.time(), event.to_wire())

    def propose(self) -> list[Note]:
        """Write a draft for everything that happened and is worth one, each once."""
        known = self.records.proposed()
        events = [Event.from_wire(data) for data in self.records.events()]
        written = []
        for proposal in proposals(events):
            if proposal.key in known:
                continue
            note = self._editor.add(
                proposal.title, proposal.text, shelf="private", draft=True,
                anchors=_readable_anchors(proposal.anchors), evidence=proposal.why,
            )  # fmt: skip
            self.records.add_proposed(proposal.key, note.id)
            written.append(note)
        if written:
            self.sync()
        return written

    def suggest(self, now: float | None = None) -> list[Suggestion]:
        """Return the notes that could be archived, with reasons."""
        return suggestions(self.notes(), now)

    def _anchored(self, targets: Sequence[str], code: Code) -> tuple[list[Anchor], list[str]]:
        """Return anchors with the fingerprints of their code now, and its text."""
        checker = Checker(code)
        anchors, texts = [], []
        for target in targets:
            try:
                anchor = Anchor.parse(target)
            except ValueError as error:
                raise NoteError(f"{error}.", "Write FILE, FILE::SYMBOL or FILE:10-20.") from error
            spot = checker.spot(anchor)
            if spot is None:
                names = checker.names_like(anchor) if anchor.symbol else []
                hint = (
                    f"It defines {', '.join(names)} and others." if names else "Look at its name."
                )
                raise NoteError(f"There is no {anchor.target} in this project.", hint)
            if anchor.symbol:
                several = checker.ambiguous(anchor)
                if len(several) > 1:
                    raise NoteError(
                        f"{anchor.target} may mean {' or '.join(several[:5])}.", "Name one in full."
                    )
                anchor = replace(anchor, symbol=spot.symbol)
            anchors.append(replace(anchor, fingerprint=spot.fingerprint))
            texts.append(spot.text)
        return anchors, texts

    def _keep_snapshots(self, note: str, anchors: Sequence[Anchor], texts: Sequence[str]) -> None:
        if anchors:
            self.records.set_snapshots(
                (note, anchor.target, anchor.fingerprint, text)
                for anchor, text in zip(anchors, texts, strict=True)
            )

    def _set(self, note: str, action: str, changes: dict[str, object]) -> Note:
        found = self.note(note)
        changed = self._editor.change_fields(found, action, changes)  # type: ignore[arg-type]
        self.sync()
        return replace(changed, id=found.id)

    def _find(self, note: str) -> tuple[Shelf, str, int]:
        found = self.catalogue.find(note)
        if found is None:
            self.sync()
            found = self.catalogue.find(note)
        if found is None:
            raise NoteError(f"There is no note {note}.", "'commonplace notes list' names them all.")
        shelf: Shelf = "private" if found[0] == "private" else "shared"
        return shelf, found[1], found[2]

    def _read(self, shelf: Shelf, file: str, asked: str) -> Note:
        note = read_file(self.shelves[shelf], file)
        row = self.catalogue.rows(
            "SELECT id FROM notes WHERE shelf = ? AND file = ?", [shelf, file]
        )
        return replace(note, id=row[0][0] if row else asked)


def _nothing() -> None:
    """Take note of a change that nobody asked about."""


def _readable_anchors(targets: Sequence[str]) -> list[Anchor]:
    found = []
    for target in targets:
        try:
            found.append(Anchor.parse(target))
        except ValueError:
            continue
    return found
