"""Finds the edits that an answer proposes. No file is looked at here.

Understood are search-and-replace blocks, unified diffs, and code fences that
name their file. Code that only follows a sentence about a file is a quotation,
unless the sentence says that the file is to be made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from commonplace.edits.blocks import (
    is_search,
    means_new_file,
    path_in_info,
    path_in_line,
    read_block,
)
from commonplace.edits.patches import NO_FILE, begins_patch, read_patches
from commonplace.edits.proposed import Edit, Patch, Unreadable, Whole
from commonplace.errors import EditError

FENCE = re.compile(r"^([ \t]{0,12})(`{3,}|~{3,})[ \t]*([^`]*)$")
DIFF_WORDS = frozenset({"diff", "patch", "udiff"})
CUT_OFF = "the code block does not end, so the answer may have been cut off"
MAX_READ = 4_000_000


def read_answer(text: str) -> list[Edit]:
    """Return the edits proposed in `text`, in order, with those that cannot be read."""
    return _Reader(text[:MAX_READ].replace("\r\n", "\n").split("\n")).edits()


def read_patch(data: bytes) -> list[Edit]:
    """Return the edits of a file: a unified diff, or text as a model writes it.

    Raises `EditError` if it holds none.
    """
    if b"\0" in data:
        raise EditError("This file is not text.", "Choose a unified diff.")
    lines = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape").split("\n")
    edits: list[Edit] = []
    at, is_patch = 0, False
    while at < len(lines):
        if FENCE.match(lines[at]) or is_search(lines[at]):
            break
        if begins_patch(lines, at):
            found, at = read_patches(lines, at)
            edits += found
            is_patch = True
        else:
            at += 1
    if not is_patch:
        edits = read_answer("\n".join(lines))
    if not edits:
        raise EditError(
            "There is no change in this file.",
            "It has to be a unified diff (git diff), or blocks with SEARCH and REPLACE.",
        )
    return edits


def proposes(text: str) -> int:
    """Return how many files `text` means to change; cheap for text without edits."""
    if "```" not in text and "~~~" not in text and "SEARCH" not in text and "+++ " not in text:
        return 0
    edits = read_answer(text)
    return len({edit.path or getattr(edit, "old_path", "") for edit in edits})


class _Reader:
    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._found: list[Edit] = []
        self._path = ""
        self._above = ""

    def edits(self) -> list[Edit]:
        lines, at = self._lines, 0
        while at < len(lines):
            fence = FENCE.match(lines[at])
            if fence:
                at = self._fence(fence, at)
            elif is_search(lines[at]):
                self._path = path_in_line(self._above) or self._path
                edit, at = read_block(lines, at, self._path)
                self._found.append(edit)
                self._above = ""
            elif begins_patch(lines, at):
                found, at = read_patches(lines, at)
                self._found += found
            else:
                if lines[at].strip():
                    self._above = lines[at]
                at += 1
        return self._found

    def _fence(self, fence: re.Match[str], at: int) -> int:
        """Read a code fence; return the line after it."""
        indent, sign, info = fence[1], fence[2], fence[3].strip()
        end = at + 1
        while end < len(self._lines):
            close = FENCE.match(self._lines[end])
            if close and close[2].startswith(sign) and not close[3].strip():
                break
            end += 1
        closed = end < len(self._lines)
        body = [line.removeprefix(indent) for line in self._lines[at + 1 : end]]
        self._block(info, body, closed=closed)
        self._above = ""
        return end + 1

    def _block(self, info: str, body: Sequence[str], *, closed: bool) -> None:
        named = path_in_info(info)
        hint = named or path_in_line(self._above)
        language = (info.split() or [""])[0].partition(":")[0].lower()
        text = "\n".join(body)
        if any(map(is_search, body)):
            self._searches(body, hint)
        elif language in DIFF_WORDS or any(
            begins_patch(body, n) and any(line.startswith("@@") for line in body)
            for n in range(len(body))
        ):
            found, _ = read_patches(body, 0, hint)
            if not found and any(line[:1] in {"+", "-"} for line in body):
                found = [Unreadable(hint, "it has no @@ lines that say where", text)]
            self._found += [_named(edit, hint) for edit in found]
        elif named:
            if closed:
                self._found.append(Whole(named, f"{text}\n" if body else "", text))
            else:
                self._found.append(Unreadable(named, CUT_OFF, text))
        elif hint and closed and means_new_file(self._above):
            self._found.append(Whole(hint, f"{text}\n" if body else "", text, fresh=True))

    def _searches(self, body: Sequence[str], hint: str) -> None:
        self._path = hint or self._path
        at, above = 0, ""
        while at < len(body):
            if is_search(body[at]):
                self._path = path_in_line(above) or self._path
                edit, at = read_block(body, at, self._path)
                self._found.append(edit)
                above = ""
            else:
                above = body[at] if body[at].strip() else above
                at += 1


def _named(edit: Edit, path: str) -> Edit:
    """Give a diff that names no file the one named above it."""
    if isinstance(edit, Unreadable) and edit.reason == NO_FILE and path:
        found, _ = read_patches(edit.text.split("\n"), 0, path)
        return found[0] if found else edit
    if isinstance(edit, Patch):
        return Patch(
            edit.old_path.removeprefix("./"),
            edit.path.removeprefix("./"),
            edit.hunks,
            edit.text,
            edit.note,
        )
    return edit
