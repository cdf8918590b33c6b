"""What would change in each file, cut into hunks that are accepted one by one.

The same lines are shown and written: a hunk holds them with their ends, and
the outcome is the untouched lines of the file and those of the accepted hunks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from commonplace.edits.comparing import equal_lines
from commonplace.edits.document import Document

JOINED = 2
"""Changes with at most so many equal lines between them are one hunk."""

Kind = Literal["modify", "create", "delete", "rename"]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Old lines ``[start, end)`` give way to new lines ``[new_start, new_end)``, from 0."""

    start: int
    end: int
    new_start: int
    new_end: int


@dataclass(frozen=True, slots=True)
class Write:
    """One file operation: from `before` to `after`, where None means that there is no file.

    `like` is the file whose mode a new file takes: the old name of a renamed one.
    """

    path: str
    before: bytes | None
    after: bytes | None
    like: str = ""


@dataclass(frozen=True)
class FileChange:
    """A proposed change of one file.

    It has `units`, each of which can be accepted: every hunk of a modified
    file; the whole of a new or a deleted one; the new name of a renamed one,
    followed by its hunks. `notes` say what a person should know, `asks_twice`
    why this file needs a second yes.
    """

    path: str
    old_path: str
    before: Document | None
    after: Document | None
    notes: tuple[str, ...] = ()
    asks_twice: str = ""

    @property
    def kind(self) -> Kind:
        """What happens to the file."""
        if self.before is None:
            return "create"
        if self.after is None:
            return "delete"
        return "modify" if self.path == self.old_path else "rename"

    @cached_property
    def hunks(self) -> tuple[Hunk, ...]:
        """The hunks from the old lines to the new."""
        old = self.before.lines if self.before is not None else ()
        new = self.after.lines if self.after is not None else ()
        return diff(old, new)

    @cached_property
    def counts(self) -> tuple[int, int]:
        """How many lines are added and removed."""
        old = self.before.lines if self.before is not None else ()
        new = self.after.lines if self.after is not None else ()
        equal = len(equal_lines(old, new))
        return len(new) - equal, len(old) - equal

    @property
    def units(self) -> int:
        """How many things can be accepted or rejected by themselves."""
        if self.kind == "modify":
            return len(self.hunks)
        return 1 + (len(self.hunks) if self.kind == "rename" else 0)

    def unit_of(self, hunk: int) -> int:
        """Return the unit that hunk number `hunk` belongs to."""
        return {"modify": hunk, "rename": hunk + 1}.get(self.kind, 0)

    def writes(self, accepted: Collection[int]) -> tuple[Write, ...]:
        """Return what is written when the units `accepted` are; nothing if none is.

        Raises `EditError` for text that the file's encoding cannot hold.
        """
        before = None if self.before is None else self.before.encoded()
        if self.before is None or self.after is None:
            after = None if self.after is None else self.after.encoded()
            return (Write(self.path, before, after),) if 0 in accepted else ()
        taken = [h for n, h in enumerate(self.hunks) if self.unit_of(n) in accepted]
        mixed = self.before.with_lines(merge(self.before.lines, self.after.lines, taken)).encoded()
        if self.kind == "rename" and 0 in accepted:
            return (
                Write(self.path, None, mixed, self.old_path),
                Write(self.old_path, before, None),
            )
        return (Write(self.old_path, before, mixed),) if mixed != before else ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A proposed edit that cannot be applied: the words of the answer, and the reason."""

    path: str
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an answer proposes: changes that can be accepted, and those that cannot."""

    files: tuple[FileChange, ...] = ()
    problems: tuple[Problem, ...] = ()

    def everything(self) -> dict[int, frozenset[int]]:
        """Return the choice that accepts all units of all files."""
        return {n: frozenset(range(file.units)) for n, file in enumerate(self.files)}

    def plan(self, accepted: Mapping[int, Collection[int]], title: str = "") -> EditPlan:
        """Return what is written when, by number of file, these units are accepted."""
        chosen = [
            (file, file.writes(accepted.get(number, ()))) for number, file in enumerate(self.files)
        ]
        return EditPlan(
            tuple(write for _, writes in chosen for write in writes),
            tuple(f"{f.path}: {f.asks_twice}" for f, writes in chosen if writes and f.asks_twice),
            title,
        )


@dataclass(frozen=True, slots=True)
class EditPlan:
    """Exactly what will be written, and which files of it need a second yes."""

    writes: tuple[Write, ...]
    asks_twice: tuple[str, ...] = ()
    title: str = ""


def diff(old: Sequence[str], new: Sequence[str]) -> tuple[Hunk, ...]:
    """Return the hunks that lead from `old` to `new`, in order, never touching."""
    found: list[Hunk] = []
    a = c = 0
    for x, y in [*equal_lines(old, new), (len(old), len(new))]:
        if x > a or y > c:
            if found and a - found[-1].end <= JOINED:
                found[-1] = replace(found[-1], end=x, new_end=y)
            else:
                found.append(Hunk(a, x, c, y))
        a, c = x + 1, y + 1
    return tuple(found)


def merge(old: Sequence[str], new: Sequence[str], taken: Collection[Hunk]) -> list[str]:
    """Return `old` with the hunks `taken`, which are some of ``diff(old, new)``."""
    lines: list[str] = []
    at = 0
    for hunk in sorted(taken, key=lambda hunk: (hunk.start, hunk.new_start)):
        lines += old[at : hunk.start]
        lines += new[hunk.new_start : hunk.new_end]
        at = hunk.end
    return [*lines, *old[at:]]
