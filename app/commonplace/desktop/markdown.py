"""Markdown as plain blocks of styled runs, for drawing without any HTML.

HTML and images stay text, and links lead nowhere but to http and https.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

from commonplace.chat.citations import MARKER
from commonplace.desktop.splitter import OURS

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


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


WIDEST_CELL = 40
"""Characters to which a column of a table is padded."""

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
    from markdown_it import MarkdownIt  # sixty modules, which the window can open without

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
        self._rows: list[list[tuple[Run, ...]]] = []
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
            elif kind == "table_close":
                for row in _aligned(self._rows):
                    yield TextBlock("row", row, quoted=self._quoted)
                self._rows = []
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
            case "tr_open":
                self._rows.append([])
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
            self._rows[-1].append(tuple(replace(run, bold=bold or run.bold) for run in runs))
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


def _aligned(rows: Sequence[Sequence[tuple[Run, ...]]]) -> Iterator[tuple[Run, ...]]:
    """Pad the cells of a table with spaces, so that its columns line up in a fixed-width font."""
    columns = max((len(row) for row in rows), default=0)
    widths = [max((_width(r[n]) for r in rows if n < len(r)), default=0) for n in range(columns)]
    for row in rows:
        runs: list[Run] = []
        for cell, width in zip(row, widths, strict=False):
            runs += [*cell, Run(" " * (min(width, WIDEST_CELL) - _width(cell) + 3))]
        yield tuple(run for run in runs[:-1] if run.text)


def _width(cell: tuple[Run, ...]) -> int:
    return sum(len(run.text) for run in cell)
