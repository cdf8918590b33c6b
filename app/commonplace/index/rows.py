"""What the index stores and gives back: rows as values, and the reading side."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from commonplace.index.words import SEPARATORS, compound_forms
from commonplace.workspace.files import FileStat


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the index knows of a file; `reason` says why it has no chunks."""

    id: int
    stat: FileStat
    read_ns: int
    hash: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class ChunkEntry:
    """One chunk as it is stored: `text` and `comments` packed, `words` as FTS5 reads them.

    `key` is the content address of what is embedded, `names` the forms under
    which the chunk's definitions are found, `defines` their names as written, one
    a line, and `references` the packed numbers of the identifiers in the code.
    """

    start_line: int
    end_line: int
    kind: str
    symbol: str
    text: bytes
    comments: bytes
    key: bytes
    words: tuple[str, ...]
    names: tuple[str, ...]
    defines: str = ""
    references: bytes = b""


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """One import as it is stored; `keys` are those of all files it may lead to."""

    line: int
    target: str
    hops: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferEntry:
    """One name under which a file can be imported, as it is stored."""

    key: str
    name: str
    declared: bool


@dataclass(frozen=True, slots=True)
class FileEntries:
    """What follows from a file's content: its chunks, or the reason why there are none.

    `imports` and `offers` are what it imports, and how it can be imported.
    """

    language: str
    reason: str
    chunks: tuple[ChunkEntry, ...]
    imports: tuple[ImportEntry, ...] = ()
    offers: tuple[OfferEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class FileContent:
    """What is stored for one file."""

    stat: FileStat
    read_ns: int
    hash: bytes
    entries: FileEntries


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """One chunk as recall sees it; `defines` are the dotted names it defines."""

    id: int
    path: str
    language: str
    start_line: int
    end_line: int
    kind: str
    symbol: str
    text: str
    defines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk is and what it is, without its text."""

    path: str
    kind: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Unembedded:
    """A chunk that waits for its vector; `text` is what will be embedded."""

    id: int
    key: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How much can be searched now."""

    files: int
    chunks: int
    skipped: int


def read_places(conn: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Place]:
    """Return where the chunks with `ids` are, without their text."""
    rows = conn.execute(
        "SELECT c.id, f.path, c.kind, c.symbol FROM chunks c JOIN files f ON f.id = c.file_id "
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(ids))],
    )
    return {row[0]: Place(*row[1:]) for row in rows}


def read_chunks(conn: sqlite3.Connection, ids: Sequence[int]) -> dict[int, ChunkRow]:
    """Return the chunks with `ids` that still exist."""
    found: dict[int, ChunkRow] = {}
    rows = conn.execute(
        "SELECT c.id, f.path, f.language, c.start_line, c.end_line, c.kind, c.symbol, c.text, "
        "c.defines "
        "FROM chunks c JOIN files f ON f.id = c.file_id "
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(ids))],
    )
    for number, path, language, start, end, kind, symbol, text, defines in rows:
        names = tuple(defines.split("\n")) if defines else ()
        found[number] = ChunkRow(
            number, path, language, start, end, kind, symbol, unpack(text), names
        )
    return found


@lru_cache(maxsize=100_000)
def last_name(dotted: str) -> str:
    """Return the last part of a dotted name."""
    return SEPARATORS.split(dotted)[-1]


def word_columns(
    path: str, symbol: str, text: str, comments: str
) -> tuple[str, str, str, str, str]:
    """Return the columns of ``words`` for one chunk; the same for insert and delete."""
    names = f"{symbol} {compound_forms(symbol)}"
    return (f"{path} {compound_forms(path)}", names, text, compound_forms(text), comments)


def pack(text: str) -> bytes:
    """Compress `text` for storage."""
    return zlib.compress(text.encode("utf-8", "surrogatepass"), 1)


def unpack(data: bytes) -> str:
    """Return the text that `pack` compressed; raises `sqlite3.DatabaseError` for any other."""
    try:
        return zlib.decompress(data).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError, TypeError) as error:
        raise sqlite3.DatabaseError(f"a stored text is damaged: {error}") from error


def content_hash(data: bytes) -> bytes:
    """Return the content address of a file's bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()
