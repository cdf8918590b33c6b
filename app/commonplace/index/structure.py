"""How the files of a project hang together: definitions, usages, imports.

Everything here reads, in a bounded number of rows, from any connection. A
usage is an identifier outside comments and strings; the words of the index
find the chunks, their packed references say which of them hold it in code, and
their text says on which lines.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from commonplace.errors import QuestionError
from commonplace.index.codeplaces import CodePlace, NamePlaces
from commonplace.index.references import number_of, numbers, without_strings
from commonplace.index.rows import last_name, unpack
from commonplace.index.words import name_forms, whole_form

PLACES = 200
"""Definitions or usages that are returned when nobody says how many."""
MOST_CHUNKS = 2000
"""Chunks with a word that are looked at for usages."""
MOST_NAMESAKES = 8
"""Definitions of one name up to which a reference to it says something."""
MOST_CHARS = 2000
"""Characters of a line that are returned."""
WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class ImportPlace:
    """One import of a file: its line, what it names, and the project's files it leads to."""

    line: int
    target: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Importers:
    """Which files import a file: the first of them by path, and how many there are."""

    paths: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Relations:
    """How some chunks, and their files, hang together.

    `references` are (from chunk, to chunk, weight): the first holds a name the
    second defines; the weight is one over the number of chunks that define it,
    added up over names. `imports` are (from path, to path) among the chunks'
    files, and `importers` how many files of the whole project import each.
    """

    references: tuple[tuple[int, int, float], ...]
    imports: tuple[tuple[str, str], ...]
    importers: dict[str, int]


def imports_of(conn: sqlite3.Connection, path: str, limit: int = PLACES) -> list[ImportPlace]:
    """Return what the file at `path` imports, in order."""
    rows = conn.execute(
        "SELECT i.line, i.target, i.id FROM imports i JOIN files f ON f.id = i.file_id "
        "WHERE f.path = ? ORDER BY i.line, i.id LIMIT ?",
        [path, limit],
    ).fetchall()
    query = (
        "SELECT f.path FROM links l JOIN files f ON f.id = l.to_file "
        "WHERE l.import_id = ? ORDER BY f.path"
    )
    return [
        ImportPlace(line, target, tuple(to for (to,) in conn.execute(query, [number])))
        for line, target, number in rows
    ]


def importers_of(conn: sqlite3.Connection, path: str, limit: int = PLACES) -> Importers:
    """Return the files that import the file at `path`."""
    inside = (
        "FROM links l JOIN files t ON t.id = l.to_file JOIN files f ON f.id = l.from_file "
        "WHERE t.path = ?"
    )
    count = conn.execute(f"SELECT count(DISTINCT f.id) {inside}", [path]).fetchone()[0]
    rows = conn.execute(
        f"SELECT DISTINCT f.path {inside} ORDER BY f.path LIMIT ?",
        [path, limit],
    )
    return Importers(tuple(row[0] for row in rows), count)


def definitions_of(conn: sqlite3.Connection, name: str, limit: int = PLACES) -> list[CodePlace]:
    """Return where `name` (``send`` or ``Session.send``) is defined, by path and line.

    Definitions spelled otherwise (``Send``, ``s_end``) are returned only if none
    is spelled so.
    """
    forms = name_forms(name)[:1]
    rows = conn.execute(
        "SELECT f.path, f.language, c.start_line, c.kind, c.defines, c.text, c.comments "
        "FROM names n JOIN chunks c ON c.id = n.chunk_id JOIN files f ON f.id = c.file_id "
        "WHERE n.name IN (SELECT value FROM json_each(?)) ORDER BY f.path, c.start_line LIMIT ?",
        [json.dumps(forms), limit],
    )
    exact: list[CodePlace] = []
    loose: list[CodePlace] = []
    for path, language, start, kind, defines, text, comments in rows:
        code = _code(unpack(text), unpack(comments), language)
        for full in _lines(defines):
            if forms[0] not in name_forms(full):
                continue
            same = last_name(full) == last_name(name)
            place = _defining_line(path, start, kind, full, code, unpack(text))
            (exact if same else loose).append(place)
    return _distinct(exact or loose)[:limit]


def usages_of(conn: sqlite3.Connection, name: str, limit: int = PLACES) -> list[CodePlace]:
    """Return the lines of code that hold `name`, its definitions among them, by path and line."""
    found: list[CodePlace] = []
    word = _identifier(name)
    pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
    holders = _holders(conn, word, MOST_CHUNKS)
    rows = conn.execute(
        "SELECT f.path, f.language, c.start_line, c.kind, c.symbol, c.text, c.comments "
        "FROM chunks c JOIN files f ON f.id = c.file_id "
        "WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY f.path, c.start_line",
        [json.dumps([number for number, _ in holders])],
    )
    for path, language, start, kind, symbol, data, comments in rows:
        text = unpack(data)
        lines = text.split("\n")
        for offset, line in enumerate(_code(text, unpack(comments), language)):
            if pattern.search(line):
                shown = lines[offset][:MOST_CHARS]
                found.append(CodePlace(path, start + offset, shown, kind, symbol))
                if len(found) == limit:
                    return found
    return found


def places_of(conn: sqlite3.Connection, name: str, limit: int = PLACES) -> NamePlaces:
    """Return where `name` is defined, and where else it is used.

    Raises `QuestionError` for what is no name.
    """
    if not WORD.search(last_name(name)):
        raise QuestionError(f"{name!r} is no name of code.", "Give a name, as in Session.send.")
    definitions = definitions_of(conn, name, limit)
    at = {(place.path, place.line) for place in definitions}
    usages = usages_of(conn, name, limit + len(at) + 1)
    rest = [place for place in usages if (place.path, place.line) not in at]
    return NamePlaces(name, tuple(definitions), tuple(rest[:limit]), len(rest) > limit)


def relations(
    conn: sqlite3.Connection, chunk_ids: Sequence[int], *, imports: bool = True
) -> Relations:
    """Return how the chunks with `chunk_ids` and their files hang together.

    Meant for the candidates of one question: a millisecond or two for 200 of
    them. Without `imports` only their references are looked up.
    """
    rows = conn.execute(
        "SELECT c.id, c.file_id, c.defines, c.refers FROM chunks c "
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        [json.dumps(list(chunk_ids))],
    ).fetchall()
    references = tuple(_references_among(conn, rows))
    links, importers = _imports_among(conn, {row[1] for row in rows}) if imports else ([], {})
    return Relations(references, tuple(links), importers)


def _references_among(
    conn: sqlite3.Connection, rows: Sequence[tuple[int, int, str, bytes]]
) -> Iterator[tuple[int, int, float]]:
    definers: dict[str, set[int]] = defaultdict(set)
    for chunk_id, _, defines, _ in rows:
        for full in _lines(defines):
            definers[last_name(full)].add(chunk_id)
    names = {number_of(name): name for name in definers if len(name) > 2}
    known = np.array(sorted(names), dtype=np.uint32)
    held = np.frombuffer(b"".join(row[3] for row in rows), dtype=np.uint32)
    hits = np.flatnonzero(np.isin(held, known))
    ends = np.cumsum([len(row[3]) // 4 for row in rows])
    owners = np.searchsorted(ends, hits, side="right").tolist()
    found = ((rows[row][0], names[n]) for row, n in zip(owners, held[hits].tolist(), strict=True))
    # A chunk holds the names it defines itself; what no other defines leads nowhere.
    pairs = [(chunk_id, name) for chunk_id, name in found if definers[name] != {chunk_id}]
    shares = _shares(conn, {name for _, name in pairs})
    weights: dict[tuple[int, int], float] = defaultdict(float)
    for chunk_id, name in pairs:
        for to in definers[name] if shares[name] else ():
            if to != chunk_id:
                weights[chunk_id, to] += shares[name]
    return ((start, to, weight) for (start, to), weight in weights.items())


def _shares(conn: sqlite3.Connection, names: Collection[str]) -> dict[str, float]:
    """Return for each name one over the number of chunks that define it, or 0 if they are many."""
    forms = {name: whole_form(name) for name in names}
    counts: dict[str, int] = dict(
        conn.execute(
            "SELECT name, count(*) FROM names "
            "WHERE name IN (SELECT value FROM json_each(?)) GROUP BY name",
            [json.dumps(list(set(forms.values())))],
        ).fetchall()
    )
    defined = {name: counts.get(form, 0) for name, form in forms.items()}
    return {n: 1.0 / count if 0 < count <= MOST_NAMESAKES else 0.0 for n, count in defined.items()}


def _imports_among(
    conn: sqlite3.Connection, files: set[int]
) -> tuple[list[tuple[str, str]], dict[str, int]]:
    wanted = json.dumps(list(files))
    rows = conn.execute(
        "SELECT f.id, f.path, (SELECT count(DISTINCT from_file) FROM links WHERE to_file = f.id) "
        "FROM files f WHERE f.id IN (SELECT value FROM json_each(?))",
        [wanted],
    ).fetchall()
    paths = {number: path for number, path, _ in rows}
    links = conn.execute(
        "SELECT DISTINCT from_file, to_file FROM links "
        "WHERE from_file IN (SELECT value FROM json_each(?))",
        [wanted],
    )
    among = [(paths[start], paths[to]) for start, to in links if start in paths and to in paths]
    return among, {path: count for _, path, count in rows}


def _holders(conn: sqlite3.Connection, name: str, limit: int) -> list[tuple[int, bytes]]:
    """Return the chunks whose code holds the identifier `name`."""
    word = _identifier(name)
    escaped = word.replace('"', '""')
    rows = conn.execute(
        "SELECT c.id, c.refers FROM words w JOIN chunks c ON c.id = w.rowid "
        "WHERE words MATCH ? LIMIT ?",
        [f'body : "{escaped}"', limit],
    )
    number = number_of(word)
    return [(chunk_id, refers) for chunk_id, refers in rows if number in numbers(refers)]


def _defining_line(
    path: str, start: int, kind: str, full: str, code: Sequence[str], text: str
) -> CodePlace:
    """Return the line that names `full`: the first of the chunk's code that holds its last part."""
    pattern = re.compile(rf"(?<!\w){re.escape(_identifier(full))}(?!\w)")
    lines = text.split("\n")
    found = [offset for offset, line in enumerate(code) if pattern.search(line)]
    whole = [offset for offset, line in enumerate(lines) if pattern.search(line)]
    offset = (found or whole or [0])[0]
    return CodePlace(path, start + offset, lines[offset][:MOST_CHARS], kind, full)


def _code(text: str, comments: str, language: str) -> list[str]:
    """Return the lines of a chunk with what stands in comments and strings cut out."""
    position = 0
    for note in filter(None, map(str.strip, comments.split("\n"))):
        at = text.find(note, position)
        if at >= 0:
            text = f"{text[:at]}{' ' * len(note)}{text[at + len(note) :]}"
            position = at + len(note)
    code = without_strings(text.encode("utf-8", "replace"), language)
    return code.decode("utf-8", "replace").split("\n")


def _identifier(name: str) -> str:
    """Return the identifier a dotted name ends with, as ``send`` of ``Session.send!``."""
    words = WORD.findall(last_name(name))
    return words[-1] if words else name


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []


def _distinct(places: Sequence[CodePlace]) -> list[CodePlace]:
    return list({(place.path, place.line): place for place in places}.values())
