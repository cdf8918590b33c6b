"""A change as rows to look at: hunks with the lines around them, one below or beside the other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from commonplace.edits.changes import FileChange, Hunk
from commonplace.edits.comparing import equal_lines
from commonplace.edits.document import end_of

CONTEXT = 3
MIN_GAP = 2
"""Fewer hidden lines than this are shown instead of a row that says so."""
ENDS = {"\n": "⟨LF⟩", "\r\n": "⟨CR LF⟩", "\r": "⟨CR⟩"}
NO_END = "⟨no line end⟩"

Kind = Literal["hunk", "same", "old", "new", "both", "gap"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row. Lines are numbered from 1; 0 where a side has none.

    ``hunk`` heads hunk number `hunk`; ``same`` stands on both sides; ``old``
    and ``new`` on one; ``both`` has an old line beside a new one; ``gap``
    stands for `hidden` unchanged lines.
    """

    kind: Kind
    hunk: int = -1
    old: int = 0
    new: int = 0
    old_text: str = ""
    new_text: str = ""
    hidden: int = 0

    @property
    def text(self) -> str:
        """The line, of the only or the new side."""
        return self.old_text if self.kind == "old" else self.new_text


def rows(change: FileChange, *, beside: bool = False, opened: Collection[int] = ()) -> list[Row]:
    """Return the rows of `change`; `opened` names gaps, by their first old line, shown in full."""
    old = change.before.lines if change.before is not None else ()
    new = change.after.lines if change.after is not None else ()
    found: list[Row] = []
    at = shift = 0
    for number, hunk in enumerate(change.hunks):
        found += _unchanged(old, at, hunk.start, shift, opened, first=at == 0)
        found.append(Row("hunk", number, hunk.start + 1, hunk.new_start + 1))
        changed = list(_changed(number, hunk, old, new))
        found += _beside(changed) if beside else changed
        at = hunk.end
        shift = hunk.new_end - hunk.end
    if change.hunks:
        found += _unchanged(old, at, len(old), shift, opened, first=False, last=True)
    return found


def end_mark(line: str, usual: str) -> str:
    """Return what makes an unusual line end visible, empty for the usual one."""
    end = end_of(line)
    if end == usual:
        return ""
    return ENDS.get(end, NO_END)


def usual_end(change: FileChange) -> str:
    """Return the line end most lines of the file have, before or else after."""
    document = change.before if change.before and change.before.lines else change.after
    return document.usual_end if document is not None else "\n"


def _unchanged(
    old: Sequence[str],
    start: int,
    end: int,
    shift: int,
    opened: Collection[int],
    *,
    first: bool,
    last: bool = False,
) -> Iterator[Row]:
    """Yield the lines between two hunks, the middle of a long stretch hidden."""
    head = start if first and start == 0 else min(start + CONTEXT, end)
    tail = end if last else max(end - CONTEXT, head)
    if tail - head < MIN_GAP or start in opened:
        head, tail = end, end
    for n in range(start, head):
        yield Row("same", -1, n + 1, n + 1 + shift, old[n], old[n])
    if tail > head:
        yield Row("gap", -1, start + 1, start + 1 + shift, hidden=tail - head)
    for n in range(tail, end):
        yield Row("same", -1, n + 1, n + 1 + shift, old[n], old[n])


def _changed(number: int, hunk: Hunk, old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    before, after = old[hunk.start : hunk.end], new[hunk.new_start : hunk.new_end]
    a = b = 0
    for x, y in [*equal_lines(before, after), (len(before), len(after))]:
        for n in range(a, x):
            yield Row("old", number, hunk.start + n + 1, 0, before[n], "")
        for n in range(b, y):
            yield Row("new", number, 0, hunk.new_start + n + 1, "", after[n])
        if x < len(before):
            yield Row(
                "same", number, hunk.start + x + 1, hunk.new_start + y + 1, before[x], after[y]
            )
        a, b = x + 1, y + 1


def _beside(changed: Sequence[Row]) -> Iterator[Row]:
    """Put each run of old lines beside the new lines that follow it."""
    olds: list[Row] = []
    news: list[Row] = []

    def pairs() -> Iterator[Row]:
        for n in range(max(len(olds), len(news))):
            one = olds[n] if n < len(olds) else None
            two = news[n] if n < len(news) else None
            if one is not None and two is not None:
                yield Row("both", one.hunk, one.old, two.new, one.old_text, two.new_text)
            else:
                alone = one or two
                assert alone is not None
                yield alone
        olds.clear()
        news.clear()

    for row in changed:
        if row.kind == "same":
            yield from pairs()
            yield row
        else:
            (olds if row.kind == "old" else news).append(row)
    yield from pairs()
