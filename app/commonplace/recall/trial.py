"""The trial of an adapter: whether recall as a whole is better with it, on what it has not seen.

A map that wins among vectors alone may still lose where words, names and paths
have their say, so the whole of recall is tried: in a copy of the index each
sentence is blanked in its own chunk, in its words and its vector, and is then
asked, with and without a map that was fitted to the other files' sentences. A
map is kept if the 95 % interval of the gain in reciprocal rank lies above 0.

The same index gives the same outcome: nothing is drawn but resamples, with a
fixed seed.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from commonplace.errors import CancelledError
from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder, Vectors
from commonplace.index.rows import word_columns
from commonplace.index.vectors import load_table
from commonplace.recall.adapter import MIN_PAIRS, Adapter, Figures, fit
from commonplace.recall.documented import Documented, documented_chunks
from commonplace.recall.search import NOTHING_LEARNED, Learned, ranked_for
from commonplace.recall.shapes import read_question
from commonplace.words import said

FOLDS = 5
MAX_PAIRS = 2000
"""Pairs fitted to; more say little more."""
TRIED = 200
"""Sentences asked, each twice: some seconds."""
MAX_CHUNKS = 100_000
"""Chunks of an index of which a copy is made."""
RESAMPLES, SEED = 2000, 1
TOP = 3
EMBED_AT_ONCE = 64

Floats = npt.NDArray[np.float64]
Stop = Callable[[], bool]


def fit_adapter(conn: sqlite3.Connection, embedder: Embedder, stop: Stop) -> Adapter:
    """Fit a map to the documented functions of an index, and keep it only if it wins its trial.

    Raises `CancelledError` when `stop` says so.
    """
    pairs = chosen(documented_chunks(conn))
    chunks = conn.execute("SELECT count(*) FROM chunks").fetchone()[0]
    problem = ""
    if len(pairs) < MIN_PAIRS:
        problem = _too_few(len(pairs))
    elif chunks > MAX_CHUNKS:
        problem = said(f"more than {MAX_CHUNKS:,} passages to try it on")
    if problem:
        return Adapter(embedder.id, None, Figures(kept=False, pairs=len(pairs), problem=problem))
    asked = embedded(embedder, [pair.text for pair in pairs], stop)
    code = embedded(embedder, [embedded_text(p.symbol, p.code) for p in pairs], stop)
    figures = try_out(conn, embedder, pairs, asked, code, stop)
    return Adapter(embedder.id, fit(asked, code) if figures.kept else None, figures)


def _too_few(pairs: int) -> str:
    if pairs == 1:
        return said("only one documented function to learn from")
    return said(f"only {pairs} documented functions to learn from")


def try_out(
    conn: sqlite3.Connection,
    embedder: Embedder,
    pairs: Sequence[Documented],
    asked: Vectors,
    code: Vectors,
    stop: Stop,
) -> Figures:
    """Ask for the code of held-out sentences with and without a map; see the module."""
    folds = np.array([fold_of(pair.path) for pair in pairs])
    maps = {fold: Learned(fit(asked[folds != fold], code[folds != fold])) for fold in range(FOLDS)}
    before: list[float] = []
    after: list[float] = []
    with blanked(conn, pairs) as copy:
        table = load_table(copy, embedder.id, embedder.dimensions)
        ids = [pair.chunk_id for pair in pairs]
        table.remove(ids)
        table.add(ids, code)
        for pair, fold in zip(pairs[:TRIED], folds, strict=False):
            if stop():
                raise CancelledError("Stopped.")
            question = read_question(pair.text)
            for learned, ranks in ((NOTHING_LEARNED, before), (maps[int(fold)], after)):
                ranked = ranked_for(question, copy, embedder, table, learned)
                found = (n for n, r in enumerate(ranked, 1) if r.chunk_id == pair.chunk_id)
                ranks.append(next(found, np.inf))
    return compared(len(pairs), np.array(before), np.array(after))


def compared(pairs: int, before: Floats, after: Floats) -> Figures:
    """Return what ranks, from 1, without and with a map say of it."""
    base, with_map = (float(np.mean(ranks <= TOP)) for ranks in (before, after))
    gains = 1 / after - 1 / before
    picks = np.random.default_rng(SEED).integers(0, len(gains), (RESAMPLES, len(gains)))
    low, high = (float(value) for value in np.percentile(gains[picks].mean(axis=1), [2.5, 97.5]))
    return Figures(
        kept=low > 0 and with_map >= base,
        pairs=pairs,
        base=round(base, 4),
        adapted=round(with_map, 4),
        gain=round(float(gains.mean()), 4),
        ci=(round(low, 4), round(high, 4)),
    )


@contextmanager
def blanked(conn: sqlite3.Connection, pairs: Sequence[Documented]) -> Iterator[sqlite3.Connection]:
    """Give a copy of the index, gone afterwards, in which no chunk holds its own sentence."""
    copy = sqlite3.connect("")  # a file of SQLite's own, deleted when it is closed
    try:
        conn.backup(copy)
        for pair in pairs:
            whole = word_columns(pair.path, pair.symbol, pair.whole, pair.comments)
            without = word_columns(pair.path, pair.symbol, pair.code, pair.other_comments)
            # FTS5 keeps no content here, so it is told what it indexed.
            copy.execute(
                "INSERT INTO words (words, rowid, path, symbol, body, parts, comments) "
                "VALUES ('delete', ?, ?, ?, ?, ?, ?)",
                [pair.chunk_id, *whole],
            )
            copy.execute(
                "INSERT INTO words (rowid, path, symbol, body, parts, comments) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                [pair.chunk_id, *without],
            )
        yield copy
    finally:
        copy.close()


def chosen(documented: Iterable[Documented]) -> list[Documented]:
    """Return one pair for each sentence, at most `MAX_PAIRS`, in an order of their own."""
    unique: dict[bytes, Documented] = {}
    for item in documented:
        unique.setdefault(_digest(item.text.lower()), item)
    return [unique[key] for key in sorted(unique)[:MAX_PAIRS]]


def fold_of(path: str) -> int:
    """Return the part in which a file's sentences are held out: always the same for a path."""
    return _digest(path)[0] % FOLDS


def embedded(embedder: Embedder, texts: Sequence[str], stop: Stop) -> Vectors:
    """Embed many texts; raises `CancelledError` between some of them."""
    parts = []
    for start in range(0, len(texts), EMBED_AT_ONCE):
        if stop():
            raise CancelledError("Stopped.")
        parts.append(embedder.embed(texts[start : start + EMBED_AT_ONCE]))
    return np.concatenate(parts)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
