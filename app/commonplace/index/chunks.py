"""From a file to chunks: definitions where a grammar knows them, lines elsewhere.

A chunk is what recall can return: short enough to show and to read, whole
enough to mean something. Every non-blank line of a file is in exactly one
chunk.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from commonplace.index.definitions import Definition, outline
from commonplace.index.imports import (
    Declared,
    Import,
    find_declared,
    find_imports,
    imports_anything,
)
from commonplace.index.languages import NOTEBOOK, Language, language_of
from commonplace.index.modules import GO_MODULE
from commonplace.index.notebooks import notebook_chunks
from commonplace.index.references import (
    NOT_CODE,
    references_in,
    without_comments,
    without_strings,
)
from commonplace.index.text import is_notebook

CHUNKER_VERSION = "5"
"""Changes whenever the same file would give other chunks: the index is rebuilt."""

MAX_LINES = 60
SMALL_CONTAINER = 14
TINY = 4
MERGED_LINES = 24
MAX_CHARS = 6000
"""A window also ends here, so that long lines do not make a giant."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of a file. Lines count from 1 and are inclusive.

    `symbol` is the dotted name the lines define or lie in, `defines` every name
    defined by them, and `comments` the words people wrote about the code.
    `references` are the packed numbers of the identifiers in the code (see
    `references`), `imports` and `declares` what the lines import and say they are.
    """

    start_line: int
    end_line: int
    kind: str
    symbol: str
    defines: tuple[str, ...]
    text: str
    comments: str
    references: bytes = b""
    imports: tuple[Import, ...] = ()
    declares: tuple[str, ...] = ()

    @property
    def key(self) -> bytes:
        """Content address of what is embedded."""
        text = embedded_text(self.symbol, self.text)
        return hashlib.blake2b(text.encode(), digest_size=16).digest()


def embedded_text(symbol: str, text: str) -> str:
    """Return what is embedded for a chunk: free of its path, so that a rename re-uses it."""
    return f"{symbol.replace('.', ' ')}\n{text}" if symbol else text


@dataclass(slots=True)
class _Span:
    start: int
    end: int
    kind: str
    symbol: str
    defines: tuple[str, ...] = ()


def chunk_file(path: str, text: str, *, parse: bool = True) -> tuple[Language, list[Chunk]]:
    """Cut the file at `path` with content `text` into chunks.

    Without `parse` it is cut by lines alone, whatever its language. Raises
    `NotTextError` for a notebook whose cells cannot be found.
    """
    language = language_of(path, text)
    if language.name == NOTEBOOK and is_notebook(text):
        return language, notebook_chunks(
            text, lambda name, cell: chunk_file(name, cell, parse=parse)[1]
        )
    source = text.encode()
    lines = text.split("\n")
    tree = outline(source, language) if parse else None
    count = len(lines) - (1 if lines and lines[-1] == "" else 0)
    spans = _spans(tree.definitions if tree else [], 0, count, "", language)
    notes = tree.comments if tree else []
    comments = _comment_lines(source, notes)
    starts = [c[0] for c in comments]
    code = code_of(path, language, source, notes)
    return language, [
        _chunk(span, lines, comments, starts, code)
        for span in _sized(_merged(spans), lines)
        if any(line.strip() for line in lines[span.start : span.end])
    ]


@dataclass(frozen=True, slots=True)
class Code:
    """The lines of a file without comments and strings, and what they import."""

    lines: Sequence[bytes]
    imports: Sequence[Import]
    declared: Sequence[Declared]


def code_of(
    path: str, language: Language, source: bytes, comments: Sequence[tuple[int, int]]
) -> Code:
    """Return the code of a file whose comments are known, as byte ranges of `source`."""
    if path.rpartition("/")[2] == GO_MODULE:
        return Code((), (), find_declared(GO_MODULE, source.decode("utf-8", "replace")))
    code = without_comments(source, comments)
    lines: Sequence[bytes] = ()
    if language.name not in NOT_CODE:
        lines = without_strings(code, language.name).split(b"\n")
    text = code.decode("utf-8", "replace") if imports_anything(language.name) else ""
    return Code(lines, find_imports(language.name, text), find_declared(language.name, text))


def _spans(
    definitions: Sequence[Definition], start: int, end: int, scope: str, language: Language
) -> list[_Span]:
    """Cover the lines from `start` to `end` by definitions and the gaps between them."""
    gap = "section" if language.prose else "block"
    spans: list[_Span] = []
    position = start
    for definition in sorted(definitions, key=lambda d: d.start):
        first = max(definition.start, position)
        last = min(definition.end, end)
        if last <= first:
            # Shares its line with the one before; its name still has to be found.
            if spans:
                spans[-1].defines = (*spans[-1].defines, definition.name)
            continue
        if first > position:
            spans.append(_Span(position, first, gap, scope))
        spans += _definition_spans(definition, first, last, language)
        position = last
    if position < end:
        spans.append(_Span(position, end, gap, scope))
    return spans


def _definition_spans(
    definition: Definition, start: int, end: int, language: Language
) -> list[_Span]:
    names = (definition.name,)
    children = [c for c in definition.children if c.start < end and c.end > start]
    if not children or end - start <= SMALL_CONTAINER:
        inner = tuple(_names(children))
        return [_Span(start, end, definition.kind, definition.name, names + inner)]
    first = max(min(child.start for child in children), start)
    inner_spans = _spans(children, first, end, definition.name, language)
    if first - start > TINY:
        return [_Span(start, first, definition.kind, definition.name, names), *inner_spans]
    # A head of a line or two says nothing alone; it goes with what follows.
    inner_spans[0].start = start
    inner_spans[0].defines = (*names, *inner_spans[0].defines)
    return inner_spans


def _names(definitions: Sequence[Definition]) -> Iterator[str]:
    for definition in definitions:
        yield definition.name
        yield from _names(definition.children)


def _merged(spans: Sequence[_Span]) -> Iterator[_Span]:
    """Join runs of tiny neighbours: one-line macros, constants, closing braces."""
    run: _Span | None = None
    for span in spans:
        tiny = span.end - span.start <= TINY
        alike = run is not None and (span.kind == run.kind or "block" in {span.kind, run.kind})
        if run is not None and tiny and alike and span.end - run.start <= MERGED_LINES:
            run.end = span.end
            run.defines += span.defines
            if not run.symbol or run.kind == "block":
                run.kind, run.symbol = span.kind, span.symbol or run.symbol
            continue
        if run is not None:
            yield run
            run = None
        if tiny:
            run = _Span(span.start, span.end, span.kind, span.symbol, span.defines)
        else:
            yield span
    if run is not None:
        yield run


def _sized(spans: Iterator[_Span], lines: Sequence[str]) -> Iterator[_Span]:
    """Cut spans that are too long into windows, at blank lines where possible."""
    for span in spans:
        start = span.start
        defines = span.defines
        while start < span.end:
            stop = _window_end(lines, start, span.end)
            yield _Span(start, stop, span.kind, span.symbol, defines)
            defines = ()
            start = stop


def _window_end(lines: Sequence[str], start: int, end: int) -> int:
    size = 0
    for position in range(start, end):
        size += len(lines[position]) + 1
        if position > start and size > MAX_CHARS:
            return position
        if position - start >= MAX_LINES:
            break
    else:
        return end
    if end - start <= MAX_LINES + MAX_LINES // 4:
        return end
    for stop in range(start + MAX_LINES, start + MAX_LINES // 2, -1):
        if not lines[stop - 1].strip():
            return stop
    return start + MAX_LINES


def _comment_lines(source: bytes, ranges: Sequence[tuple[int, int]]) -> list[tuple[int, str]]:
    """Return (line, text) of every comment, lines counted from 0."""
    found: list[tuple[int, str]] = []
    position = line = 0
    for start, end in ranges:
        line += source.count(b"\n", position, start)
        position = start
        found.append((line, source[start:end].decode("utf-8", "replace")))
    return found


def _chunk(
    span: _Span,
    lines: Sequence[str],
    comments: Sequence[tuple[int, str]],
    starts: Sequence[int],
    code: Code,
) -> Chunk:
    start, end = span.start, span.end
    while start < end - 1 and not lines[start].strip():
        start += 1
    while end - 1 > start and not lines[end - 1].strip():
        end -= 1
    low, high = bisect.bisect_left(starts, start), bisect.bisect_left(starts, end)
    return Chunk(
        start_line=start + 1,
        end_line=end,
        kind=span.kind,
        symbol=span.symbol,
        defines=tuple(dict.fromkeys(span.defines)),
        text="\n".join(lines[start:end]),
        comments="\n".join(text for _, text in comments[low:high]),
        references=references_in(b"\n".join(code.lines[start:end])),
        imports=tuple(item for item in code.imports if start < item.line <= end),
        declares=tuple(item.name for item in code.declared if start < item.line <= end),
    )
