"""Colours for code: pygments lexes a whole text in a thread, views look spans up."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

MAX_LEXED = 512 * 1024
"""Characters; longer texts stay plain, because lexing them would take seconds."""


class Span(NamedTuple):
    """`length` characters from `start` have the colour `category`."""

    start: int
    length: int
    category: str


CATEGORIES = {
    "Comment.Preproc": "meta",
    "Comment": "comment",
    "Keyword.Constant": "constant",
    "Keyword.Type": "type",
    "Keyword": "keyword",
    "Operator.Word": "keyword",
    "Operator": "operator",
    "Literal.String.Doc": "comment",
    "Literal.String": "string",
    "Literal.Number": "number",
    "Name.Function": "function",
    "Name.Class": "type",
    "Name.Namespace": "type",
    "Name.Exception": "type",
    "Name.Builtin": "constant",
    "Name.Constant": "constant",
    "Name.Decorator": "meta",
    "Name.Attribute": "function",
    "Name.Tag": "keyword",
    "Generic.Heading": "keyword",
    "Generic.Subheading": "function",
    "Generic.Inserted": "added",
    "Generic.Deleted": "removed",
}
"""From pygments' token types to the colours of a theme; the closest ancestor counts."""


OWN = {".sc": "scala", ".jsonc": "json5", ".ipynb": "json"}
"""Suffixes that pygments does not know, or knows as something else than recall does."""


def lex(text: str, *, language: str = "", path: str = "") -> list[Span]:
    """Return the coloured spans of `text`, in order.

    The language is a name such as ``python``, or is guessed from the file name,
    or from what the file says of itself. Unknown languages have no spans.
    """
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    if len(text) > MAX_LEXED:
        return []
    try:
        lexer = _lexer(text, language, path)
    except ClassNotFound:
        return []
    # Positions must match the text, so the lexer must not trim or add lines.
    lexer.stripnl = lexer.ensurenl = False
    spans: list[Span] = []
    known: dict[object, str] = {}
    for start, kind, value in lexer.get_tokens_unprocessed(text):
        category = known.get(kind)
        if category is None:
            category = known[kind] = _category(str(kind))
        if category and value:
            spans.append(Span(start, len(value), category))
    return spans


def _lexer(text: str, language: str, path: str) -> Any:
    from pygments.lexers import (  # type: ignore[import-untyped]
        get_lexer_by_name,
        get_lexer_for_filename,
    )
    from pygments.util import ClassNotFound

    from commonplace.index.languages import language_of

    if language:
        return get_lexer_by_name(language)
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in OWN:
        return get_lexer_by_name(OWN[suffix])
    try:
        return get_lexer_for_filename(path)
    except ClassNotFound:
        return get_lexer_by_name(language_of(path, text).name)


def _category(kind: str) -> str:
    name = kind.removeprefix("Token.")
    while name:
        if name in CATEGORIES:
            return CATEGORIES[name]
        name = name.rpartition(".")[0]
    return ""


def between(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the parts of `spans` inside ``[start, end)``, counted from `start`."""
    first = bisect_left(spans, (start, 0, ""))
    if first and spans[first - 1].start + spans[first - 1].length > start:
        first -= 1
    found: list[Span] = []
    for span in spans[first:]:
        if span.start >= end:
            break
        low, high = max(span.start, start), min(span.start + span.length, end)
        if high > low:
            found.append(Span(low - start, high - low, span.category))
    return found


def utf16_spans(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return `spans` counted as Qt counts, where characters beyond U+FFFF take two."""
    if text.isascii() or max(text, default="") <= "\uffff":
        return list(spans)
    extra = [i for i, c in enumerate(text) if c > "\uffff"]

    def moved(position: int) -> int:
        return position + bisect_left(extra, position)

    return [
        Span(moved(s.start), moved(s.start + s.length) - moved(s.start), s.category) for s in spans
    ]


class Highlighter(QObject):
    """Lexes texts in a thread of its own and hands the spans back by signal."""

    lexed = Signal(object, object)
    """The ticket given to `request`, and the list of spans (counted as Qt counts)."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)

    def request(self, ticket: object, text: str, *, language: str = "", path: str = "") -> None:
        """Lex `text`; `lexed` is emitted with `ticket` when it is done."""
        self._pool.start(_LexJob(self, ticket, text, language, path))

    def finish(self) -> None:
        """Forget what waits and let the running text end."""
        self._pool.clear()
        self._pool.waitForDone(1000)


class _LexJob(QRunnable):
    def __init__(
        self, owner: Highlighter, ticket: object, text: str, language: str, path: str
    ) -> None:
        super().__init__()
        self._owner = owner
        self._ticket = ticket
        self._text = text
        self._language = language
        self._path = path

    def run(self) -> None:
        spans = lex(self._text, language=self._language, path=self._path)
        self._owner.lexed.emit(self._ticket, utf16_spans(self._text, spans))
