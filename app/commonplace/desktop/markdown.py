"""Markdown that streams in: cut into finished pieces, parsed into plain blocks.

Only what is new is parsed and drawn, so the cost of a token does not grow with
the answer. `Splitter` decides what is finished (a paragraph, a line of a code
fence) and what is still the tail; `parse` turns finished Markdown into blocks
of styled runs. HTML and images stay text, and links lead nowhere but to http
and https.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from commonplace.chat.citations import MARKER

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


@dataclass(frozen=True, slots=True)
class Run:
    """Some text in one style.

    `link` is an http or https address; `cite` the number of a passage, in
    which case `by` tells whether the model or the comparison names it; `by`
    is ``own`` for the sign that no passage supports a sentence.
    """

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    struck: bool = False
    link: str = ""
    cite: int = 0
    by: Literal["", "model", "attribution", "own"] = ""


Kind = Literal["paragraph", "heading", "item", "rule", "code", "row"]


@dataclass(frozen=True, slots=True)
class TextBlock:
    """One paragraph of the document. `level` is a heading's or an item's depth."""

    kind: Kind
    runs: tuple[Run, ...] = ()
    level: int = 0
    marker: str = ""
    quoted: int = 0


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return parser.disable(["code", "html_block", "html_inline", "reference"])


def parse(markdown: str, sources: int = 0) -> list[TextBlock]:
    """Return the blocks of finished Markdown; ``[n]`` up to `sources` cites."""
    return list(_Walk(sources).blocks(_parser().parse(markdown)))


class _Walk:
    """Flattens the parser's tokens: lists and quotes become levels."""

    def __init__(self, sources: int) -> None:
        self._sources = sources
        self._lists: list[int] = []  # the next number, or 0 for a bullet
        self._quoted = 0
        self._marker = ""
        self._cells: list[tuple[Run, ...]] = []
        self._cell = ""

    def blocks(self, tokens: Sequence[Token]) -> Iterator[TextBlock]:
        heading = 0
        for token in tokens:
            kind = token.type
            if kind == "heading_open":
                heading = int(token.tag[1:])
            elif kind == "heading_close":
                heading = 0
            elif kind == "inline":
                yield from self._inline(token, heading)
            elif kind in {"fence", "code_block"}:
                run = Run(token.content.rstrip("\n"), code=True)
                yield TextBlock("code", (run,), quoted=self._quoted)
            elif kind == "hr":
                yield TextBlock("rule", quoted=self._quoted)
            elif kind == "tr_close":
                yield TextBlock("row", _joined(self._cells), quoted=self._quoted)
                self._cells = []
            else:
                self._nest(token)

    def _nest(self, token: Token) -> None:
        match token.type:
            case "bullet_list_open":
                self._lists.append(0)
            case "ordered_list_open":
                self._lists.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
            case "list_item_open":
                number = self._lists[-1]
                self._marker = f"{number}." if number else "•"
                self._lists[-1] += 1 if number else 0
            case "th_open" | "td_open":
                self._cell = token.tag
            case "th_close" | "td_close":
                self._cell = ""
            case "blockquote_open":
                self._quoted += 1
            case "blockquote_close":
                self._quoted -= 1

    def _inline(self, token: Token, heading: int) -> Iterator[TextBlock]:
        runs = tuple(self._runs(token.children or []))
        if self._cell:
            bold = self._cell == "th"
            self._cells.append(tuple(replace(run, bold=bold or run.bold) for run in runs))
        elif heading:
            yield TextBlock("heading", runs, heading, quoted=self._quoted)
        elif self._lists:
            yield TextBlock("item", runs, len(self._lists), self._marker, self._quoted)
            self._marker = ""
        else:
            yield TextBlock("paragraph", runs, quoted=self._quoted)

    def _runs(self, tokens: Sequence[Token]) -> Iterator[Run]:
        style, target, plain = Run(""), "", []
        for token in tokens:
            match token.type:
                case "text":
                    plain.append(replace(style, text=token.content))
                case "code_inline":
                    plain.append(replace(style, text=token.content, code=True))
                case "softbreak":
                    plain.append(replace(style, text=" "))
                case "hardbreak":
                    plain.append(replace(style, text="\n"))
                case "image":
                    source = token.attrs.get("src", "")
                    plain.append(replace(style, text=f"{token.content} (image: {source})"))
                case "link_open":
                    target = str(token.attrs.get("href", ""))
                    safe = target.lower().startswith(("http://", "https://"))
                    style = replace(style, link=target if safe else "")
                case "link_close":
                    style = replace(style, link="")
                    if target and not (plain and plain[-1].text == target):
                        plain.append(replace(style, text=f" ({target})"))
                case _:
                    style = _toggled(style, token)
        for run in _merged(plain):
            yield from self._cited(run)

    def _cited(self, run: Run) -> Iterator[Run]:
        """Cut `run` at the marks we put in and at the model's own ``[n]``."""
        position = 0
        for match in OURS.finditer(run.text):
            yield from self._by_model(replace(run, text=run.text[position : match.start()]))
            if match[1]:
                yield Run(f"[{match[1]}]", cite=int(match[1]), by="attribution")
            else:
                yield Run("°", by="own")
            position = match.end()
        yield from self._by_model(replace(run, text=run.text[position:]))

    def _by_model(self, run: Run) -> Iterator[Run]:
        position = 0
        for match in () if run.code or run.link else MARKER.finditer(run.text):
            numbers = [int(n) for n in match[1].split(",")]
            if not all(1 <= n <= self._sources for n in numbers):
                continue
            if before := run.text[position : match.start()]:
                yield replace(run, text=before)
            for n in numbers:
                yield Run(f"[{n}]", cite=n, by="model")
            position = match.end()
        if run.text[position:]:
            yield replace(run, text=run.text[position:])


def _toggled(style: Run, token: Token) -> Run:
    on = token.nesting > 0
    match token.tag:
        case "strong":
            return replace(style, bold=on)
        case "em":
            return replace(style, italic=on)
        case "s":
            return replace(style, struck=on)
    return style


def _merged(runs: Sequence[Run]) -> list[Run]:
    merged: list[Run] = []
    for run in runs:
        if merged and replace(merged[-1], text="") == replace(run, text=""):
            merged[-1] = replace(run, text=merged[-1].text + run.text)
        else:
            merged.append(run)
    return merged


def _joined(cells: Sequence[tuple[Run, ...]]) -> tuple[Run, ...]:
    runs: list[Run] = []
    for position, cell in enumerate(cells):
        runs += [Run("   ")] * bool(position)
        runs += cell
    return tuple(runs)
