"""Cuts Markdown that streams in into finished pieces and a tail.

Only what is new is parsed and drawn, so the cost of a token does not grow with
the answer. A piece is a paragraph or a list, or a line of a code fence; no
piece is longer than `MAX_PIECE`, whatever arrives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_PIECE = 4000
"""Characters; a longer paragraph or line is cut, so that no layout takes long."""

FENCE = re.compile(r"^( {0,12})(`{3,}|~{3,})[ \t]*([^`]*)$")
MAYBE_FENCE = re.compile(r"^ {0,12}(`|~)\1*[^`~]*$")
LIST_ITEM = re.compile(r"^ *(?:[-*+]|\d{1,9}[.)])(?: |$)")

SUPPORTED, SUPPORTED_END, OWN_WORDS = "\ue000", "\ue001", "\ue002"
"""Marks put into an answer by us: ``E000 n E001`` and ``E002``; see `annotate`."""
OURS = re.compile(f"{SUPPORTED}(\\d+){SUPPORTED_END}|({OWN_WORDS})")


@dataclass(frozen=True, slots=True)
class Prose:
    """Finished Markdown without code fences."""

    text: str


@dataclass(frozen=True, slots=True)
class FenceOpened:
    """A code fence begins; `language` is the first word of its info string."""

    language: str
    marks: str = ""


@dataclass(frozen=True, slots=True)
class FenceLines:
    """One line of code without its end; `continues` if the line was cut for its length."""

    text: str
    continues: bool = False


@dataclass(frozen=True, slots=True)
class FenceClosed:
    """The code fence ends."""


Piece = Prose | FenceOpened | FenceLines | FenceClosed


@dataclass(slots=True)
class Splitter:
    """Cuts a stream of Markdown into finished pieces and a tail."""

    _partial: str = ""
    _pending: list[str] = field(default_factory=list)
    _size: int = 0
    _blank: bool = False
    _fence: str = ""
    _indent: int = 0

    @property
    def in_fence(self) -> bool:
        """Whether the tail is code."""
        return bool(self._fence)

    @property
    def tail(self) -> str:
        """What is not finished yet, without a line that may become a fence."""
        if self._fence:
            return "" if MAYBE_FENCE.match(self._partial) else self._partial
        lines = [*self._pending]
        if not MAYBE_FENCE.match(self._partial):
            lines.append(self._partial)
        return "\n".join(lines)

    def feed(self, text: str) -> list[Piece]:
        """Add `text` and return the pieces that it finishes."""
        pieces: list[Piece] = []
        *lines, self._partial = (self._partial + text).split("\n")
        for line in lines:
            self._take(line.rstrip("\r"), pieces)
        while len(self._partial) > MAX_PIECE:
            cut = _cut(self._partial)
            self._take_part(self._partial[:cut], pieces)
            self._partial = self._partial[cut:]
        return pieces

    def finish(self) -> list[Piece]:
        """Return the rest: the stream has ended."""
        pieces: list[Piece] = []
        if self._partial:
            self._take(self._partial, pieces)
        self._partial = ""
        self._commit(pieces)
        if self._fence:
            self._fence = ""
            pieces.append(FenceClosed())
        return pieces

    def _take(self, line: str, pieces: list[Piece]) -> None:
        while len(line) > MAX_PIECE:
            cut = _cut(line)
            self._take_part(line[:cut], pieces)
            line = line[cut:]
        self._take_short(line, pieces)

    def _take_part(self, part: str, pieces: list[Piece]) -> None:
        if self._fence:
            pieces.append(FenceLines(part, continues=True))
        else:
            self._pending.append(part)
            self._commit(pieces)

    def _take_short(self, line: str, pieces: list[Piece]) -> None:
        fence = FENCE.match(line)
        if self._fence:
            closes = fence and fence[2].startswith(self._fence) and not fence[3].strip()
            if closes:
                self._fence = ""
                pieces.append(FenceClosed())
            else:
                lead = len(line) - len(line.lstrip(" "))
                pieces.append(FenceLines(line[min(lead, self._indent) :]))
        elif fence:
            self._commit(pieces)
            self._fence, self._indent = fence[2], len(fence[1])
            info, marks = OURS.sub("", fence[3]), "".join(m[0] for m in OURS.finditer(fence[3]))
            pieces.append(FenceOpened((info.split() or [""])[0], marks))
        elif not line.strip():
            self._blank = bool(self._pending)
            self._pending += [""] if self._pending else []
        else:
            continues = line.startswith(" ") and self._pending and LIST_ITEM.match(self._pending[0])
            if (self._blank and not continues) or self._size > MAX_PIECE:
                self._commit(pieces)
            self._blank = False
            self._pending.append(line)
            self._size += len(line)

    def _commit(self, pieces: list[Piece]) -> None:
        if self._pending:
            pieces.append(Prose("\n".join(self._pending)))
        self._pending, self._size, self._blank = [], 0, False


def _cut(line: str) -> int:
    space = line.rfind(" ", MAX_PIECE // 2, MAX_PIECE)
    return MAX_PIECE if space < 0 else space + 1
