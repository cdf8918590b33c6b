"""The oracle: what an index must hold, computed from the disk alone.

`assert_index_is_disk` compares every table of an index with that; it re-reads
the project through a workspace of its own and builds the word index anew.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from commonplace.index.chunks import Chunk, chunk_file, embedded_text
from commonplace.index.database import FILE_NAME, SCHEMA
from commonplace.index.embedder import HashEmbedder
from commonplace.index.entries import file_entries
from commonplace.index.links import link_imports, put_links
from commonplace.index.rows import FileEntries, unpack, word_columns
from commonplace.index.text import NotTextError, decode
from commonplace.index.vectors import VectorTable
from commonplace.index.words import name_forms
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.workspace.project import Workspace

WORDS = (
    "CREATE VIRTUAL TABLE words USING fts5(path, symbol, body, parts, comments, "
    "content='', tokenize='porter unicode61')"
)


@dataclass(frozen=True)
class Row:
    """One chunk as it must be stored."""

    path: str
    start: int
    end: int
    kind: str
    symbol: str
    text: str
    comments: str
    key: bytes
    defines: str
    refers: bytes

    @classmethod
    def of(cls, path: str, chunk: Chunk) -> Row:
        return cls(
            path, chunk.start_line, chunk.end_line, chunk.kind, chunk.symbol,
            chunk.text, chunk.comments, chunk.key, "\n".join(chunk.defines), chunk.references,
        )  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What the disk says: chunks and their names per file, files without chunks, imports.

    `structure` is what `structure_of` says of an index made in one go.
    """

    chunks: dict[Row, frozenset[str]]
    reasons: dict[str, str]
    structure: dict[str, list[tuple[object, ...]]]


def truth_of(root: Path) -> Truth:
    """Read and chunk the whole project."""
    workspace = Workspace(root)
    chunks: dict[Row, frozenset[str]] = {}
    reasons: dict[str, str] = {}
    entries: dict[str, FileEntries] = {}
    for path in workspace.scan().files:
        try:
            data = workspace.read(path)
            found = chunk_file(path, decode(data))[1]
        except NotTextError as error:
            reasons[path] = str(error)
            continue
        except OSError as error:
            reasons[path] = f"cannot be read: {error.strerror or error}"
            continue
        reasons[path] = ""
        entries[path] = file_entries(path, data)
        for chunk in found:
            chunks[Row.of(path, chunk)] = _names(chunk)
    return Truth(chunks, reasons, _fresh_structure(workspace.root, entries))


def _fresh_structure(
    root: Path, entries: dict[str, FileEntries]
) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.executescript(SCHEMA)
        for number, (path, entry) in enumerate(sorted(entries.items())):
            conn.execute(
                "INSERT INTO files VALUES (?, ?, 0, 0, 0, 0, 0, '', ?, '')",
                [number, path, entry.language],
            )
            put_links(conn, number, path, entry)
        link_imports(conn, str(root), nullcontext)
        return structure_of(conn)


def structure_of(conn: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return the tables of imports with paths in the place of ids; an orphan has none."""
    queries = {
        "offers": "SELECT f.path, o.key, o.name, o.declared FROM offers o "
        "LEFT JOIN files f ON f.id = o.file_id",
        "imports": "SELECT f.path, i.line, i.target, i.hops, i.linked FROM imports i "
        "LEFT JOIN files f ON f.id = i.file_id",
        "keys": "SELECT f.path, i.line, i.target, k.key FROM import_keys k "
        "LEFT JOIN imports i ON i.id = k.import_id LEFT JOIN files f ON f.id = i.file_id",
        "links": "SELECT f.path, i.line, i.target, t.path, l.from_file = i.file_id FROM links l "
        "LEFT JOIN imports i ON i.id = l.import_id LEFT JOIN files f ON f.id = i.file_id "
        "LEFT JOIN files t ON t.id = l.to_file",
    }
    return {name: sorted(conn.execute(query), key=repr) for name, query in queries.items()}


def _names(chunk: Chunk) -> frozenset[str]:
    return frozenset(form for full in chunk.defines for form in name_forms(full))


def index_file(root: Path, state: StatePaths) -> Path:
    return state.project_cache(root.resolve()) / FILE_NAME


def assert_index_is_disk(root: Path, state: StatePaths) -> dict[int, Row]:
    """Assert that every table but the vectors says what the disk says."""
    with closing(sqlite3.connect(index_file(root, state))) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        conn.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        return _assert_tables(conn, truth_of(root))


def _assert_tables(conn: sqlite3.Connection, truth: Truth) -> dict[int, Row]:
    assert dict(conn.execute("SELECT path, reason FROM files")) == truth.reasons
    rows = stored_rows(conn)
    assert len(set(rows.values())) == len(rows), "a chunk is stored twice"
    assert set(rows.values()) == set(truth.chunks)
    names = {(name, rows[i]) for name, i in conn.execute("SELECT name, chunk_id FROM names")}
    assert names == {(name, row) for row, all_ in truth.chunks.items() for name in all_}
    assert structure_of(conn) == truth.structure
    assert _vocabulary(conn) == _expected_vocabulary(rows)
    return rows


def stored_rows(conn: sqlite3.Connection) -> dict[int, Row]:
    """Return every chunk stored, by id; a chunk without a file is an error."""
    assert conn.execute(
        "SELECT count(*) FROM chunks WHERE file_id NOT IN (SELECT id FROM files)"
    ).fetchone() == (0,)
    query = (
        "SELECT c.id, f.path, c.start_line, c.end_line, c.kind, c.symbol, c.text, c.comments, "
        "c.key, c.defines, c.refers FROM chunks c JOIN files f ON f.id = c.file_id"
    )
    return {
        i: Row(*head, unpack(text), unpack(comments), key, defines, refers)
        for i, *head, text, comments, key, defines, refers in conn.execute(query)
    }


def _expected_vocabulary(rows: dict[int, Row]) -> set[tuple[str, int, str, int]]:
    with closing(sqlite3.connect(":memory:")) as conn:
        conn.execute(WORDS)
        conn.executemany(
            "INSERT INTO words (rowid, path, symbol, body, parts, comments) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(i, *word_columns(r.path, r.symbol, r.text, r.comments)) for i, r in rows.items()],
        )
        return _vocabulary(conn)


def _vocabulary(conn: sqlite3.Connection) -> set[tuple[str, int, str, int]]:
    """Return every (term, chunk id, column, offset) that the word index holds."""
    conn.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, instance)")
    found = set(conn.execute("SELECT term, doc, col, offset FROM temp.vocabulary"))
    conn.execute("DROP TABLE temp.vocabulary")
    return found


def assert_memory_is_disk(memory: Memory, state: StatePaths) -> None:
    """Assert all that `assert_index_is_disk` does, and that the vectors are complete."""
    rows = assert_index_is_disk(memory.root, state)
    assert_vectors(memory._indexer.vectors, rows)


def assert_vectors(table: VectorTable, rows: dict[int, Row]) -> None:
    """Assert that `table` holds the hashed vector of each of `rows`, and nothing else."""
    assert set(np.flatnonzero(table._row_of >= 0).tolist()) == set(rows)
    live = table._ids[: table._used]
    assert sorted(live[live >= 0].tolist()) == sorted(rows)
    if not rows:
        return
    ids = list(rows)
    texts = [embedded_text(rows[i].symbol, rows[i].text) for i in ids]
    expected = HashEmbedder().embed(texts).astype(np.float16).astype(np.float32)
    np.testing.assert_array_equal(table._matrix[table._row_of[ids]], expected)


def paths_with(conn: sqlite3.Connection, word: str) -> list[str]:
    """Return the paths of all chunks that hold `word` as the word index sees it."""
    return [
        row[0]
        for row in conn.execute(
            "SELECT f.path FROM words w JOIN chunks c ON c.id = w.rowid "
            "JOIN files f ON f.id = c.file_id WHERE words MATCH ?",
            [f'body : "{word}"'],
        )
    ]


def listing(root: Path) -> dict[str, tuple[object, ...]]:
    """Return everything about a folder that a program could change, but for access times."""
    return {str(path): _picture(path) for path in (root, *root.rglob("*"))}


def _picture(path: Path) -> tuple[object, ...]:
    info = path.lstat()
    about = (
        info.st_mode, info.st_uid, info.st_gid, info.st_size, info.st_mtime_ns, info.st_ctime_ns,
        info.st_ino, info.st_nlink,
    )  # fmt: skip
    if path.is_symlink():
        return (*about, path.readlink())
    if not path.is_file() or info.st_size > 1 << 24:
        return about
    return (*about, hashlib.sha256(path.read_bytes()).digest())
