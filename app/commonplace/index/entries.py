"""From the bytes of a file to what is stored of it.

All that costs time is done here, and nothing that touches a database, so that
a process of its own can do it. `to_frame` and `from_frame` carry the result
between the two: a head in JSON, and the bytes it speaks of.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence

from commonplace.index.chunks import Chunk, chunk_file
from commonplace.index.modules import keys_wanted, offers_of
from commonplace.index.rows import (
    ChunkEntry,
    FileEntries,
    ImportEntry,
    OfferEntry,
    pack,
    word_columns,
)
from commonplace.index.secrets import refuse_secrets
from commonplace.index.text import NotTextError, decode
from commonplace.index.words import name_forms


def file_entries(path: str, data: bytes, *, parse: bool = True) -> FileEntries:
    """Return what is stored of a file at `path` that holds `data`.

    Without `parse` it is cut by lines alone, whatever its language.
    """
    try:
        text = decode(data)
        refuse_secrets(path, text)
        language, chunks = chunk_file(path, text, parse=parse)
    except NotTextError as reason:
        return FileEntries("", str(reason), ())
    return FileEntries(
        language.name,
        "",
        tuple(chunk_entry(path, chunk) for chunk in chunks),
        tuple(_imports(path, language.name, chunks)),
        tuple(_offers(path, language.name, chunks)),
    )


def chunk_entry(path: str, chunk: Chunk) -> ChunkEntry:
    """Return what is stored of one chunk of the file at `path`."""
    return ChunkEntry(
        start_line=chunk.start_line,
        end_line=chunk.end_line,
        kind=chunk.kind,
        symbol=chunk.symbol,
        text=pack(chunk.text),
        comments=pack(chunk.comments),
        key=chunk.key,
        words=word_columns(path, chunk.symbol, chunk.text, chunk.comments),
        names=tuple(sorted({form for full in chunk.defines for form in name_forms(full)})),
        defines="\n".join(chunk.defines),
        references=chunk.references,
    )


def _imports(path: str, language: str, chunks: Sequence[Chunk]) -> Iterator[ImportEntry]:
    for item in itertools.chain.from_iterable(chunk.imports for chunk in chunks):
        keys = keys_wanted(path, language, item.target, item.hops)
        yield ImportEntry(item.line, item.target, item.hops, tuple(sorted(keys)))


def _offers(path: str, language: str, chunks: Sequence[Chunk]) -> Iterator[OfferEntry]:
    declared = [name for chunk in chunks for name in chunk.declares]
    defines = [name for chunk in chunks for name in chunk.defines]
    for offer in sorted(offers_of(path, language, declared, defines)):
        yield OfferEntry(offer.key, offer.name, offer.declared)


def to_frame(entries: FileEntries) -> tuple[bytes, bytes]:
    """Return the head and the body that `from_frame` reads."""
    blobs: list[bytes] = []
    rows = []
    for chunk in entries.chunks:
        own = (chunk.text, chunk.comments, chunk.key, chunk.references)
        blobs += own
        sizes = [len(blob) for blob in own]
        lines = (chunk.start_line, chunk.end_line)
        words = (chunk.words, chunk.names, chunk.defines)
        rows.append((*lines, chunk.kind, chunk.symbol, *words, sizes))
    imports = [(item.line, item.target, item.hops, item.keys) for item in entries.imports]
    offers = [(item.key, item.name, item.declared) for item in entries.offers]
    parts = (entries.language, entries.reason, rows, imports, offers)
    head = json.dumps(parts, separators=(",", ":"))
    return head.encode(), b"".join(blobs)


def from_frame(head: bytes, body: bytes) -> FileEntries:
    """Return the entries that `to_frame` wrote."""
    language, reason, rows, imports, offers = json.loads(head)
    chunks: list[ChunkEntry] = []
    position = 0
    for start, end, kind, symbol, words, names, defines, sizes in rows:
        _, comments, key, references, last = itertools.accumulate(sizes, initial=position)
        blobs = (body[position:comments], body[comments:key], body[key:references])
        chunks.append(
            ChunkEntry(
                start,
                end,
                kind,
                symbol,
                *blobs,
                tuple(words),
                tuple(names),
                defines,
                body[references:last],
            )
        )
        position = last
    return FileEntries(
        language,
        reason,
        tuple(chunks),
        tuple(ImportEntry(line, target, hops, tuple(keys)) for line, target, hops, keys in imports),
        tuple(OfferEntry(*offer) for offer in offers),
    )
