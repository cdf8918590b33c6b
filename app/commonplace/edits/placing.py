"""Puts proposed edits into the files as they are, or says why that cannot be done.

Old lines must stand in the file exactly and once. White space may differ where
that leaves one place only, and is then said; nothing is ever placed by likeness.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from commonplace.edits.changes import FileChange, Problem, Proposal
from commonplace.edits.comparing import equal_lines
from commonplace.edits.document import Document, split_lines
from commonplace.edits.guard import asks_twice, checked_parts
from commonplace.edits.matching import Place, find_places, rewritten
from commonplace.edits.proposed import Edit, Patch, PatchHunk, Replace, Unreadable, Whole
from commonplace.errors import EditError

Read = Callable[[str], bytes | None]

LEFT_OUT = re.compile(
    r"\s*(?:#|//|--|/\*+|<!--|;+|%+|\*|\{/\*)\s*(?:\.{3}|…)"
    r"|\s*(?:\.{3}|…)\s*\(?(?:existing|rest|remaining|unchanged|other|same|previous)\b",
    re.IGNORECASE,
)
MARK = "\ufeff"
FEW_LINES = 10
"""A file of at most so many lines may be rewritten by any block that names it."""


class _Unplaced(Exception):  # noqa: N818 - a reason on its way to becoming a `Problem`
    pass


@dataclass(slots=True)
class _Work:
    """A file while edits are placed: as it is, as it will be, and under which name."""

    old_path: str
    before: Document | None
    now: Document | None
    notes: list[str] = field(default_factory=list)

    def text(self, path: str) -> Document:
        if self.now is None:
            raise _Unplaced(f"there is no file {path} in the project")
        return self.now

    def say(self, note: str) -> None:
        if note and note not in self.notes:
            self.notes.append(note)


def place(edits: Iterable[Edit], read: Read, *, raw: bool = False) -> Proposal:
    """Return what `edits` would make of the files that `read` returns.

    `read` is given a checked path and returns None where there is no file.
    Edits follow one another: a later one sees what an earlier one left. `raw`
    ones come from a file's bytes, so their letters need no encoding.
    """
    return _Placer(read, raw=raw).place(edits)


class _Placer:
    def __init__(self, read: Read, *, raw: bool) -> None:
        self._read = read
        self._raw = raw
        self._works: dict[str, _Work] = {}
        self._problems: list[Problem] = []

    def place(self, edits: Iterable[Edit]) -> Proposal:
        for edit in edits:
            try:
                self._take(edit)
            except _Unplaced as reason:
                self._problems.append(Problem(edit.path, str(reason), edit.text))
            except EditError as error:
                self._problems.append(Problem(edit.path, str(error), edit.text))
        files = [self._change(path, work) for path, work in self._works.items()]
        return Proposal(tuple(f for f in files if f is not None), tuple(self._problems))

    def _take(self, edit: Edit) -> None:
        match edit:
            case Unreadable():
                raise _Unplaced(edit.reason)
            case Replace():
                self._replace(edit)
            case Whole():
                self._whole(edit)
            case Patch():
                self._patch(edit)

    def _change(self, path: str, work: _Work) -> FileChange | None:
        if work.before == work.now and path == work.old_path:
            return None
        change = FileChange(
            path,
            work.old_path,
            work.before,
            work.now,
            tuple(work.notes),
            asks_twice(path) or asks_twice(work.old_path),
        )
        try:
            change.writes(range(change.units))
        except EditError as error:
            self._problems.append(Problem(path, str(error)))
            return None
        return change

    def _work(self, path: str) -> _Work:
        checked_parts(path)
        if path not in self._works:
            if any(work.old_path == path != name for name, work in self._works.items()):
                raise _Unplaced("it was given another name by an edit before this one")
            data = self._read(path)
            document = None if data is None else Document.of(data)
            self._works[path] = _Work(path, document, document)
        return self._works[path]

    def _create(self, path: str, text: str) -> None:
        work = self._work(path)
        if work.now is not None:
            raise _Unplaced("there is a file of this name already")
        work.now = Document(split_lines(text))

    def _replace(self, edit: Replace) -> None:
        if not edit.old:
            if self._work(edit.path).now is not None:
                raise _Unplaced("it does not say which lines to replace")
            self._create(edit.path, edit.new)
            return
        work = self._work(edit.path)
        document = work.text(edit.path)
        found = self._only_place(document, edit.old, edit.new)
        self._put(work, found, edit.old, edit.new)

    def _only_place(self, document: Document, old: str, new: str, at: int = -1) -> Place:
        """Return the one place of `old`; that at line `at` (from 0) wins over others."""
        places = find_places(document, split_lines(old))
        stated = [place for place in places if place.line == at]
        if stated or len(places) == 1:
            return (stated or places)[0]
        if places:
            lines = ", ".join(str(place.line + 1) for place in places[:5])
            raise _Unplaced(f"the old lines stand there {len(places)} times (lines {lines})")
        if new and len(find_places(document, split_lines(new))) == 1:
            raise _Unplaced("the old lines are not there, but the new ones are: it looks done")
        raise _Unplaced("the old lines do not stand in the file like this")

    def _put(self, work: _Work, found: Place, old: str, new: str) -> None:
        assert work.now is not None
        fresh = split_lines(new)
        lines = rewritten(work.now, found, split_lines(old), fresh)
        if work.now.foreign and not self._raw:
            known = set(work.now.lines)
            added = [line for line in lines if line not in known]
            if any(not _fits_anywhere(line) for line in added):
                raise _Unplaced(
                    "the file is not UTF-8, and the new text has letters beyond ASCII that could "
                    "not be written in its encoding"
                )
        work.now = work.now.with_lines(lines)
        work.say(found.note)

    def _whole(self, edit: Whole) -> None:
        work = self._work(edit.path)
        if work.now is None:
            self._create(edit.path, edit.content)
            return
        if edit.fresh:
            return  # a quotation after all
        new = split_lines(edit.content)
        old = work.now.lines
        left_out = [line for line in new if LEFT_OUT.match(line) and line not in old]
        if left_out:
            raise _Unplaced("it leaves parts of the file out, so it cannot take the file's place")
        if len(new) < len(old) and find_places(work.now, new):
            return  # lines of the file itself: a quotation
        kept = _kept(old, new)
        if len(old) > FEW_LINES and kept < len(old) // 2 and len(new) < len(old) * 2 // 3:
            raise _Unplaced(
                f"it shows {len(new)} lines of a file of {len(old)} and would delete the rest"
            )
        everything = Place(0, len(old), exact=False)
        self._put(work, everything, "".join(old), edit.content)

    def _patch(self, edit: Patch) -> None:
        if not edit.old_path:
            if any(hunk.old for hunk in edit.hunks) or len(edit.hunks) > 1:
                raise _Unplaced("it makes a new file and yet removes lines")
            self._create(edit.path, "".join(hunk.new for hunk in edit.hunks))
            self._works[edit.path].say(edit.note)
            return
        if edit.path and edit.path != edit.old_path:
            self._rename(edit.old_path, edit.path)
        path = edit.path or edit.old_path
        work = self._work(path)
        work.text(path)
        start = work.now
        self._hunks(work, path, edit.hunks, strict=not edit.path)
        work.say(edit.note)
        if not edit.path:
            if work.now is not None and work.now.lines:
                work.now = start
                raise _Unplaced("the file holds more than the lines that would be deleted")
            if work.before is None:
                del self._works[path]
            else:
                work.now = None

    def _rename(self, old: str, new: str) -> None:
        work = self._work(old)
        work.text(old)
        target = self._work(new)
        if target.now is not None or target.before is not None:
            raise _Unplaced(f"there is a file {new} already")
        del self._works[new]
        self._works[new] = self._works.pop(old)

    def _hunks(self, work: _Work, path: str, hunks: Sequence[PatchHunk], *, strict: bool) -> None:
        """Place hunks in order; one that cannot be placed is told and the rest goes on.

        If `strict` it ends the whole: a file is deleted only by a patch that knows it.
        """
        moved = grown = 0
        start = work.now
        for hunk in hunks:
            try:
                stated = hunk.start - 1 + grown + moved
                found = self._hunk(work, work.text(path), hunk, stated)
            except _Unplaced as reason:
                if strict:
                    work.now = start
                    raise
                self._problems.append(Problem(path, str(reason), hunk.text))
                continue
            if hunk.start and found.line != hunk.start - 1 + grown:
                moved = found.line - (hunk.start - 1 + grown)
                work.say(f"a hunk for line {hunk.start} was found at line {found.line + 1}")
            grown += len(split_lines(hunk.new)) - len(split_lines(hunk.old))
            work.say(hunk.note)

    def _hunk(self, work: _Work, document: Document, hunk: PatchHunk, stated: int) -> Place:
        if document.mark and hunk.old.startswith(MARK) and hunk.new.startswith(MARK):
            # Ours stands before the lines, a patch has it in the first.
            hunk = replace(hunk, old=hunk.old[1:], new=hunk.new[1:])
        elif hunk.old.startswith(MARK) != hunk.new.startswith(MARK):
            raise _Unplaced("it adds or takes away a byte order mark, which cannot be reviewed")
        if hunk.old:
            found = self._only_place(document, hunk.old, hunk.new, stated)
        elif document.lines:
            raise _Unplaced("it shows no lines around the new ones to place them by")
        else:
            found = Place(0, 0)
        self._put(work, found, hunk.old, hunk.new)
        return found


def _fits_anywhere(line: str) -> bool:
    """Whether a line is ASCII, but for bytes that stand for themselves."""
    return all(c < "\x80" or "\udc80" <= c <= "\udcff" for c in line)


def _kept(old: Sequence[str], new: Sequence[str]) -> int:
    return len(equal_lines([line.rstrip() for line in old], [line.rstrip() for line in new]))
