"""Pairs of words and code: what somebody wrote about code, and the code.

A pair is `query` (a question as a person might put it) and `code` (the text
the index would embed for the chunk that answers it). Kinds:

``doc``      first paragraph of a documentation comment → the definition
``detail``   the rest of that comment → the definition
``name``     words of a definition's name → its body, without the name
``file``     words of a file's path, or its opening comment → a chunk of it
``section``  heading of a document → the section
``example``  the paragraph before an example → the example
``test``     what a test is called → the test
``commit``   subject of a commit → a function it changed (see `commits`)
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from mining import SourceFile

from commonplace.index.chunks import Chunk, chunk_file, embedded_text
from commonplace.index.words import split_identifier

MAX_CODE = 1600
MAX_WORDS = 48
HASH = frozenset({"python", "ruby", "bash", "elixir", "php"})
DASH = frozenset({"lua", "haskell", "sql"})
PROSE = frozenset({"markdown", "rst"})
DOCSTRING = re.compile(r'[rRuU]?("""|\'\'\')(.*?)\1', re.DOTALL)
ELIXIR_DOC = re.compile(r'@(?:module)?doc\s+(?:~[sS])?"""(.*?)"""', re.DOTALL)
MARK = re.compile(r"^\s*(?:/\*+!?|\*+/|\*+|//[/!]*|#+|--+\[*\|?|\{-\|?|-\}|;+)\s?")
NOISE = re.compile(
    r"copyright|licen[sc]e|spdx|eslint|noqa|pylint|nolint|clippy|todo|fixme|xxx|generated|"
    r"checkstyle|prettier|rubocop|shellcheck|pragma|type: ignore|jshint|istanbul|region",
    re.IGNORECASE,
)
DETAILS = re.compile(
    r"^\s*(?:[@\\:](?:param|returns?|throws|see|since|raises|type|rtype|author|version|internal|"
    r"example|template|var|deprecated)\b|(?:Args|Arguments|Parameters|Returns?|Raises|Yields|"
    r"Examples?|Notes?|See Also|Attributes)\s*:?\s*$|#+\s|-{3,}|```|>>>|\.\. )",
    re.MULTILINE | re.IGNORECASE,
)
SHAPES = (
    (re.compile(r"\{@\w+\s+([^}]*)\}"), r"\1"),
    (re.compile(r":\w+:`~?([^`]*)`"), r"\1"),
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"<[^<>\n]{1,80}>"), " "),
    (re.compile(r"(?:https?|ftp)://\S+|\S+@\S+\.\w+|www\.\S+"), " "),
    (re.compile(r"[`*|]+"), " "),
)
FENCE = re.compile(r"((?:[^\n]+\n)+)\n?```[\w-]*\n(.*?)```", re.DOTALL)
TEST_CALL = re.compile(r"""\b(?:it|test|describe|context|scenario)\s*\(?\s*(["'])(.{12,100}?)\1""")
WORD = re.compile(r"[A-Za-z]{2,}")
CAPS = {"doc": 3500, "detail": 1200, "name": 1500, "file": 700, "section": 700,
        "example": 500, "test": 700, "commit": 900}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Words, and the code they are about."""

    kind: str
    query: str
    code: str

    def row(self, source: str, language: str) -> dict[str, str]:
        """Return the pair as a row of the cache."""
        return {**asdict(self), "source": source, "language": language}


def pairs_of(file: SourceFile) -> Iterator[Pair]:
    """Yield every pair that one file gives."""
    chance = random.Random(file.path)  # noqa: S311 - a sample, not a secret
    try:
        language, chunks = chunk_file(file.path, file.text)
    except RecursionError:
        return
    if language.name in PROSE:
        for chunk in chunks:
            yield from _prose_pairs(chunk)
        return
    testing = re.search(r"(^|[/_.-])(tests?|specs?)([/_.-]|$)", file.path, re.IGNORECASE)
    for chunk in chunks:
        if chunk.symbol:
            yield from _code_pairs(chunk, language.name, bool(testing), chance)
    if testing:
        yield from _called_tests(file.text)
    else:
        yield from _file_pairs(file.path, chunks, language.name, chance)


def clean(text: str) -> str:
    """Return documentation as plain words, markers and links taken off."""
    for pattern, by in SHAPES:
        text = pattern.sub(by, text)
    return " ".join(text.split()[:MAX_WORDS])


def telling(text: str, least: int = 3) -> bool:
    """Whether `text` reads like words about something."""
    words = WORD.findall(text)
    letters = sum(map(len, words))
    return len(words) >= least and letters > 0.6 * len(text.replace(" ", "")) and letters >= 12


def _code_pairs(
    chunk: Chunk, language: str, testing: bool, chance: random.Random
) -> Iterator[Pair]:
    doc, code = _documented(chunk.text, language)
    name = chunk.symbol.rpartition(".")[2]
    if doc and len(code.strip()) > 30:
        cut = DETAILS.search(doc)
        prose = doc[: cut.start()] if cut else doc
        first, _, rest = prose.strip().partition("\n\n")
        shown = chunk.text if chance.random() < 0.25 else code
        text = embedded_text(chunk.symbol, shown)[:MAX_CODE]
        query = clean(first)
        if telling(query) and not NOISE.search(query):
            yield Pair("test" if testing else "doc", query, text)
        details = clean(rest)
        if telling(details, 8) and not NOISE.search(details):
            yield Pair("detail", details, text)
    words = [part for part in split_identifier(name) if part.isalpha()]
    if 2 <= len(words) <= 9 and code.count("\n") >= 3:
        yield Pair("test" if testing else "name", " ".join(words), _nameless(code, name))


def _nameless(code: str, name: str) -> str:
    lines = [line for line in code.split("\n") if name not in line]
    return "\n".join(lines)[:MAX_CODE]


def _documented(text: str, language: str) -> tuple[str, str]:
    """Split a definition into its documentation and the rest."""
    if language == "python" and (found := DOCSTRING.search(text)):
        before = text[: found.start()]
        if before.rstrip().endswith(":") and before.count("\n") < 14:
            return _dedented(found[2]), before + text[found.end() :]
    if language == "elixir" and (found := ELIXIR_DOC.search(text)):
        return _dedented(found[1]), text[: found.start()] + text[found.end() :]
    lines = text.split("\n")
    end = _lead(lines, language)
    doc = "\n".join(MARK.sub("", line).replace("*/", "") for line in lines[:end])
    return doc.strip(), "\n".join(lines[end:])


def _dedented(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().split("\n"))


def _lead(lines: list[str], language: str) -> int:
    """Return how many lines at the start are comment."""
    marks = ("#",) if language in HASH else ("--", "{-") if language in DASH else ("//",)
    if language not in HASH | DASH or language == "php":
        marks += ("/*",)
    closing = {"/*": "*/", "{-": "-}", "--[[": "]]"}
    waiting = ""
    for number, line in enumerate(lines):
        bare = line.strip()
        if waiting:
            if waiting in bare:
                waiting = ""
            continue
        if not bare.startswith(marks) or bare.startswith("#["):
            return number
        for opening, end in closing.items():
            if bare.startswith(opening) and end not in bare[2:]:
                waiting = end
    return 0


def _called_tests(text: str) -> Iterator[Pair]:
    for found in TEST_CALL.finditer(text):
        query = clean(found[2])
        body = "\n".join(text[found.end() : found.end() + 900].split("\n")[:18])
        if telling(query) and body.count("\n") > 3:
            yield Pair("test", query, body)


def _file_pairs(
    path: str, chunks: list[Chunk], language: str, chance: random.Random
) -> Iterator[Pair]:
    full = [chunk for chunk in chunks if chunk.symbol and len(chunk.text) > 120]
    if not full:
        return
    pure = PurePosixPath(path)
    words = [*split_identifier(pure.parent.name), *split_identifier(pure.stem)]
    query = " ".join(dict.fromkeys(word for word in words if len(word) > 2))
    if " " in query:
        for chunk in chance.sample(full, min(2, len(full))):
            yield Pair("file", query, embedded_text(chunk.symbol, chunk.text)[:MAX_CODE])
    if language == "python" and (found := DOCSTRING.match(chunks[0].text.lstrip())):
        doc = found[2]
    else:
        lines = chunks[0].text.split("\n")
        doc = "\n".join(MARK.sub("", line) for line in lines[: _lead(lines, language)])
    query = clean(_dedented(doc).partition("\n\n")[0])
    if telling(query, 4) and not NOISE.search(query):
        chunk = chance.choice(full)
        yield Pair("file", query, embedded_text(chunk.symbol, chunk.text)[:MAX_CODE])


def _prose_pairs(chunk: Chunk) -> Iterator[Pair]:
    heading = clean(chunk.symbol.replace(".", " "))
    if telling(heading, 2) and len(chunk.text) > 200 and not NOISE.search(heading):
        body = chunk.text.partition("\n")[2]
        yield Pair("section", heading, clean_body(body)[:MAX_CODE])
    for before, code in FENCE.findall(chunk.text):
        query = clean(before.strip())
        if telling(query, 5) and code.count("\n") >= 2 and not NOISE.search(query):
            yield Pair("example", query, code[:MAX_CODE])


def clean_body(text: str) -> str:
    """Return prose without addresses."""
    return SHAPES[-2][0].sub(" ", text)
