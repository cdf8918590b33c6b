"""What the catalogue answers: lists of notes, what holds a word, what became of anchors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from commonplace.book.catalogue_file import CatalogueFile
from commonplace.book.note import Anchor, AnchorCheck, Listed

FEW = 500
WORST = ("gone", "changed", "unchecked", "moved", "fresh")
COLUMNS = (
    "key, shelf, file, id, title, status, origin, pinned, author, created, tags, anchors, "
    "problems, broken, own_id"
)
SAME_ID = "another note carries the same id ({}); this one goes by its file name"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a note that can be found: lines of its file from 1, inclusive."""

    id: int
    note: int
    start_line: int
    end_line: int
    text: str


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """An anchor of a note in the catalogue, to be checked."""

    key: int
    note: str
    anchor: Anchor


class CatalogueAnswers(CatalogueFile):
    """A catalogue that is asked; nothing here changes it."""

    def listed(self, where: str = "", values: Sequence[object] = ()) -> list[tuple[int, Listed]]:
        """Return notes with their keys and states: pinned first, then by title."""
        order = "ORDER BY pinned DESC, title COLLATE NOCASE, shelf, file"
        rows = self.rows(f"SELECT {COLUMNS} FROM notes {where} {order}", values)  # noqa: S608
        states = self._states([row[0] for row in rows])
        return [(row[0], _listed(row, states.get(row[0], ""))) for row in rows]

    def matching(self, text: str) -> list[int]:
        """Return the keys of notes that hold every word of `text`, each perhaps unfinished."""
        words = text.split()
        if not words:
            return [row[0] for row in self.rows("SELECT key FROM notes")]
        found: set[int] | None = None
        for word in words:
            escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            like = f"%{escaped}%"
            some = {
                row[0]
                for row in self.rows(
                    "SELECT key FROM notes WHERE title LIKE ?1 ESCAPE '\\' "
                    "OR tags LIKE ?1 ESCAPE '\\' OR anchors LIKE ?1 ESCAPE '\\' "
                    "OR file LIKE ?1 ESCAPE '\\'",
                    [like],
                )
            }
            quoted = word.replace('"', '""')
            if any(c.isalnum() for c in word):
                some |= {
                    row[0]
                    for row in self.rows(
                        "SELECT DISTINCT p.note FROM words w JOIN pieces p ON p.id = w.rowid "
                        "WHERE words MATCH ?",
                        [f'"{quoted}"*'],
                    )
                }
            found = some if found is None else found & some
        return sorted(found or ())

    def find(self, note: str) -> tuple[str, str, int] | None:
        """Return (shelf, file, key) of a note by its id, or by a beginning that is its alone."""
        rows = self.rows("SELECT shelf, file, key FROM notes WHERE id = ?", [note])
        if not rows and len(note) >= 3:
            escaped = note.replace("%", "").replace("_", "")
            rows = self.rows(
                "SELECT shelf, file, key FROM notes WHERE id LIKE ? LIMIT 2", [f"{escaped}%"]
            )
        return tuple(rows[0]) if len(rows) == 1 else None

    def pieces(self, ids: Iterable[int]) -> dict[int, Piece]:
        """Return pieces by id, with their text."""
        rows = self.rows(
            "SELECT p.id, p.note, p.start_line, p.end_line, w.body FROM pieces p "
            "JOIN words w ON w.rowid = p.id WHERE p.id IN (SELECT value FROM json_each(?))",
            [json.dumps(list(ids))],
        )
        return {row[0]: Piece(*row) for row in rows}

    def anchors(self) -> list[AnchorRow]:
        """Return every anchor of every note that is not archived."""
        rows = self.rows(
            "SELECT key, id, anchors FROM notes WHERE anchors != '[]' AND status != 'archived'"
        )
        return [
            AnchorRow(key, note, Anchor.parse(target, mark))
            for key, note, anchors in rows
            for target, mark in json.loads(anchors)
        ]

    def checks(self) -> dict[tuple[int, str], tuple[str, str, str, AnchorCheck]]:
        """Return earlier checks: (note, target) → (mark, path, version, what was found)."""
        rows = self.rows("SELECT note, target, mark, path, version, found FROM checks")
        return {
            (row[0], row[1]): (row[2], row[3], row[4], AnchorCheck(**json.loads(row[5])))
            for row in rows
        }

    def checks_of(self, key: int) -> list[AnchorCheck]:
        """Return what became of one note's anchors."""
        rows = self.rows("SELECT found FROM checks WHERE note = ?", [key])
        return [AnchorCheck(**json.loads(row[0])) for row in rows]

    def _states(self, keys: list[int]) -> dict[int, str]:
        if len(keys) > FEW:
            rows = self.rows("SELECT note, state FROM checks")
        else:
            rows = self.rows(
                "SELECT note, state FROM checks WHERE note IN (SELECT value FROM json_each(?))",
                [json.dumps(keys)],
            )
        found: dict[int, str] = {}
        for key, state in rows:
            if key not in found or WORST.index(state) < WORST.index(found[key]):
                found[key] = state
        return found


def _items(text: str) -> list[Any]:
    found: list[Any] = [] if text == "[]" else json.loads(text)
    return found


def _listed(row: Any, state: str) -> Listed:
    _, shelf, file, note, title, status, origin, pinned, author, created, *rest = row
    tags, anchors, problems, broken, own_id = rest
    shown = _items(problems)
    if own_id != note:
        shown.append(SAME_ID.format(own_id))
    return Listed(
        id=note, title=title, shelf=shelf, path=file, status=status, origin=origin,
        pinned=bool(pinned), author=author, created=created, tags=tuple(_items(tags)),
        anchors=tuple(target for target, _ in _items(anchors)),
        problems=tuple(shown), broken=bool(broken), state=state,
    )  # fmt: skip
