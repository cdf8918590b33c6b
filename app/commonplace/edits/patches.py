"""Unified diffs, as git and diff write them and as models try to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from commonplace.edits.proposed import Edit, Patch, PatchHunk, Unreadable

HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
NOTHING = "/dev/null"
ESCAPE = re.compile(r'\\([0-7]{1,3}|[abtnvfr"\\])')
ESCAPES = dict(zip('abtnvfr"\\', '\a\b\t\n\v\f\r"\\', strict=True))
MISCOUNTED = "its line counts are wrong, so it was read to its end"
BINARY = "it is a binary patch, and only text can be reviewed"
COPY = "it copies a file, which is not supported"
NO_HUNKS = "it shows no lines to change"
NO_FILE = "it does not say which file it changes"
SIGNATURE = "-- "


def begins_patch(lines: Sequence[str], at: int) -> bool:
    """Return whether a unified diff begins at line `at`."""
    if lines[at].startswith("diff --git "):
        return True
    return lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ ")


@dataclass(slots=True)
class _Head:
    old: str = ""
    new: str = ""
    moved_from: str = ""
    moved_to: str = ""
    made: bool = False
    deleted: bool = False
    problem: str = ""
    notes: list[str] = field(default_factory=list)
    hunks: list[PatchHunk] = field(default_factory=list)


def read_patches(lines: Sequence[str], at: int = 0, path: str = "") -> tuple[list[Edit], int]:
    """Read the diffs from line `at` on; return them and the line after the last one.

    `path` is the file meant by hunks that have no file above them.
    """
    edits: list[Edit] = []
    end = at
    while at < len(lines):
        if begins_patch(lines, at):
            head, end = _read_head(lines, at)
            if end < len(lines) and _is_hunk(lines[end]):
                end = _read_hunks(lines, end, head)
            edits.append(_edit(head, "\n".join(lines[at:end])))
        elif _is_hunk(lines[at]):
            head = _Head(path, path)
            end = _read_hunks(lines, at, head)
            edits.append(_edit(head, "\n".join(lines[at:end])))
        elif edits and lines[at].strip():
            break
        else:
            end = at + 1
        at = end
    return edits, end


def _is_hunk(line: str) -> bool:
    return line.startswith("@@")


def _read_head(lines: Sequence[str], at: int) -> tuple[_Head, int]:
    head = _Head()
    first = at
    while at < len(lines):
        line = lines[at].rstrip("\r")
        word, _, rest = line.partition(" ")
        if line.startswith("diff --git "):
            if at != first:
                break
            head.old, head.new = _both(line.removeprefix("diff --git "))
        elif word == "---" and begins_patch(lines, at):
            old, new = _name(rest), _name(lines[at + 1].rstrip("\r").removeprefix("+++ "))
            head.old, head.new = _stripped(old, new)
            at += 1
            if at + 1 >= len(lines) or not _is_hunk(lines[at + 1]):
                return head, at + 1
        elif line.startswith(("rename from ", "rename to ", "copy from ", "copy to ")):
            _move(head, line)
        elif line.startswith(("new file mode ", "deleted file mode ", "old mode ")):
            _mode(head, line)
        elif line.startswith(("GIT binary patch", "Binary files ")):
            head.problem = BINARY
            at = _next_file(lines, at)
            break
        elif not line.startswith(("new mode ", "similarity ", "dissimilarity ", "index ")):
            break
        at += 1
    return head, at


def _mode(head: _Head, line: str) -> None:
    if line.startswith("deleted"):
        head.deleted = True
    elif line.startswith("old"):
        head.notes.append("its mode stays as it is")
    else:
        head.made = True
        if line.endswith("755"):
            head.notes.append("the mark that it can be run is not set")


def _move(head: _Head, line: str) -> None:
    how, way, name = line.split(" ", 2)
    if how == "copy":
        head.problem = COPY
    elif way == "from":
        head.moved_from = _name(name)
    else:
        head.moved_to = _name(name)


def _read_hunks(lines: Sequence[str], at: int, head: _Head) -> int:
    while at < len(lines) and _is_hunk(lines[at]):
        found = HUNK.match(lines[at])
        end, counted = at + 1, False
        if found:
            end, counted = _counted(lines, at + 1, int(found[2] or 1), int(found[4] or 1))
        if not counted:
            end = _lenient(lines, at + 1)
        start = int(found[1]) if found else 0
        if found and found[2] == "0":
            start += 1  # an empty range names the line before it
        old, new = _sides(lines[at + 1 : end])
        note = "" if counted or not found else MISCOUNTED
        head.hunks.append(PatchHunk(start, old, new, "\n".join(lines[at:end]), note))
        at = end
        while at < len(lines) and not lines[at].strip() and at + 1 < len(lines):
            if not _is_hunk(lines[at + 1]):
                break
            at += 1
    return at


def _counted(lines: Sequence[str], at: int, old: int, new: int) -> tuple[int, bool]:
    """Read exactly as many lines as the head of a hunk says; False if that does not come out."""
    while (old > 0 or new > 0) and at < len(lines):
        sign = lines[at][:1]
        if sign not in {" ", "-", "+", "\\", "", "\r", "\t"}:
            return at, False
        if sign != "\\":
            old -= sign != "+"
            new -= sign != "-"
        at += 1
    if at < len(lines) and lines[at].startswith("\\"):
        at += 1
    after = lines[at] if at < len(lines) else ""
    goes_on = after[:1] in {"+", "-", " "} and after.strip() != "" and after != SIGNATURE
    return at, old == 0 and new == 0 and (not goes_on or begins_patch(lines, at))


def _lenient(lines: Sequence[str], at: int) -> int:
    end = at
    while end < len(lines) and not _is_hunk(lines[end]) and not begins_patch(lines, end):
        end += 1
    while end > at and not lines[end - 1].strip():
        end -= 1
    return end


def _sides(body: Sequence[str]) -> tuple[str, str]:
    old: list[str] = []
    new: list[str] = []
    last: tuple[list[str], ...] = ()
    for line in body:
        sign, rest = line[:1], line[1:]
        if sign == "\\":
            for side in last:
                side[-1] = side[-1].removesuffix("\n")
            continue
        if sign not in {" ", "-", "+"}:
            rest = line  # a blank line, or one whose leading space was lost
        last = {"-": (old,), "+": (new,)}.get(sign, (old, new))
        for side in last:
            side.append(f"{rest}\n")
    return "".join(old), "".join(new)


def _edit(head: _Head, text: str) -> Edit:
    old, new = head.moved_from or head.old, head.moved_to or head.new
    if head.made:
        old = ""
    if head.deleted:
        new = ""
    if head.problem:
        return Unreadable(new or old, head.problem, text)
    if not old and not new:
        return Unreadable("", NO_FILE, text)
    if not head.hunks and old == new:
        return Unreadable(new, NO_HUNKS, text)
    return Patch(old, new, tuple(head.hunks), text, "; ".join(head.notes))


def _next_file(lines: Sequence[str], at: int) -> int:
    at += 1
    while at < len(lines) and not begins_patch(lines, at):
        at += 1
    return at


def _both(rest: str) -> tuple[str, str]:
    """Return the two names of a ``diff --git`` line, which matter only without others."""
    if rest.startswith('"'):
        names = re.findall(r'"(?:\\.|[^"\\])*"|\S+', rest)
        return _stripped(_name(names[0]), _name(names[-1]))
    half = len(rest) // 2
    first, second = rest[:half], rest[half + 1 :]
    if _stripped(first, second)[0] == _stripped(first, second)[1]:
        return _stripped(first, second)
    old, _, new = rest.partition(" b/")
    return _stripped(old, f"b/{new}" if new else old)


def _name(text: str) -> str:
    text = text.partition("\t")[0].strip(" ")
    if not (text.startswith('"') and text.endswith('"') and len(text) > 1):
        return text
    raw = ESCAPE.sub(
        lambda m: chr(int(m[1], 8) & 255) if m[1][0].isdigit() else ESCAPES[m[1]], text[1:-1]
    )
    # Octal escapes are the bytes of UTF-8; other characters stand for themselves.
    data = b"".join(bytes([ord(c)]) if ord(c) < 256 else c.encode() for c in raw)
    return data.decode("utf-8", "surrogateescape")


def _stripped(old: str, new: str) -> tuple[str, str]:
    """Take git's ``a/`` and ``b/`` away, where both sides have them."""
    ours = old.startswith("a/") or old == NOTHING
    theirs = new.startswith("b/") or new == NOTHING
    if ours and theirs:
        old, new = old.removeprefix("a/"), new.removeprefix("b/")
    return "" if old == NOTHING else old, "" if new == NOTHING else new
