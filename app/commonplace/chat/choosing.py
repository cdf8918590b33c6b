"""What a person decides about the passages of one question, over recall's own choice.

Passages that were pinned or attached come first, passages that were excluded
do not come at all. Each carries the reason for it, as every passage does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from commonplace.recall.passages import Found, Passage
from commonplace.words import said

FOLDER_SEARCH = 60
"""How many passages are looked at when only those of some folders come first."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """`first` come before all others, `without` not at all; `folders` end with ``/``.

    Passages of a folder come before those of other places, in recall's order.
    """

    first: tuple[Passage, ...] = ()
    without: tuple[Passage, ...] = ()
    folders: tuple[str, ...] = ()

    def searched(self, limit: int) -> int:
        """Return how many passages to search for, so that `limit` are left."""
        wanted = limit + len(self.without)
        return max(wanted, FOLDER_SEARCH) if self.folders else wanted

    def applied(self, found: Found, limit: int) -> Found:
        """Return `found` as this person wants it, with `limit` passages or all of `first`."""
        if self == Chosen():
            return found
        rest = [
            passage
            for passage in found.passages
            if not any(overlaps(passage, other) for other in (*self.without, *self.first))
        ]
        if self.folders:
            inside = [p for p in rest if p.path.startswith(self.folders)]
            reason = said("in a folder that you attached")
            rest = [replace(p, reasons=(reason, *p.reasons)) for p in inside] or rest
        room = max(limit - len(self.first), 0)
        return replace(found, passages=(*self.first, *rest[:room]))


def overlaps(one: Passage, other: Passage) -> bool:
    """Return whether two passages share a line of one file, or are the same note."""
    same_file = one.path == other.path and one.note == other.note
    return same_file and one.start_line <= other.end_line and other.start_line <= one.end_line


def pinned(passage: Passage, reason: str) -> Passage:
    """Return `passage` with `reason` before its own; a second time changes nothing."""
    if reason in passage.reasons:
        return passage
    return replace(passage, reasons=(reason, *passage.reasons))
