"""Definitions by the beginning or a part of their name, for somebody who is typing it."""

from __future__ import annotations

import json
import re
import sqlite3

from commonplace.index.codeplaces import CodePlace
from commonplace.index.rows import last_name, unpack
from commonplace.index.words import whole_form

SYMBOLS = 60
"""Definitions that are returned when nobody says how many."""
MOST_ROWS = 2000
"""Rows of names that are looked at for one answer."""
MOST_CHARS = 300
"""Characters of a line that are returned."""


def symbols_matching(conn: sqlite3.Connection, typed: str, limit: int = SYMBOLS) -> list[CodePlace]:
    """Return definitions whose name is, begins with or holds `typed`, best first.

    ``send_all``, ``sendAll`` and ``sendall`` find each other. Nothing typed
    finds nothing.
    """
    wanted = whole_form(re.sub(r"\s+", "", typed))
    if not wanted:
        return []
    chunks = _chunks(
        conn,
        "SELECT chunk_id FROM names WHERE name >= ? AND name < ? LIMIT ?",
        [wanted, f"{wanted}\U0010ffff", MOST_ROWS],
    )
    if len(chunks) < limit:
        chunks |= _chunks(
            conn,
            "SELECT chunk_id FROM names WHERE instr(name, ?) > 0 LIMIT ?",
            [wanted, MOST_ROWS],
        )
    rows = conn.execute(
        "SELECT f.path, c.start_line, c.kind, c.defines, c.text "
        "FROM chunks c JOIN files f ON f.id = c.file_id "
        "WHERE c.id IN (SELECT value FROM json_each(?))",
        [json.dumps(sorted(chunks))],
    )
    found = [
        (_rank(wanted, full), path, start, kind, full, text)
        for path, start, kind, defines, text in rows
        for full in filter(None, defines.split("\n"))
        if wanted in whole_form(full)
    ]
    found.sort(key=lambda item: (item[0], item[1], item[2]))
    places: dict[tuple[str, int, str], CodePlace] = {}
    for _, path, start, kind, full, text in found:
        place = _place(path, start, kind, full, unpack(text))
        places.setdefault((place.path, place.line, place.symbol), place)
        if len(places) == limit:
            break
    return list(places.values())


def _chunks(conn: sqlite3.Connection, query: str, values: list[object]) -> set[int]:
    return {row[0] for row in conn.execute(query, values)}


def _rank(wanted: str, full: str) -> tuple[int, int]:
    """Order: the name itself, then its beginning, then any part of it; short names first."""
    last = whole_form(last_name(full))
    if last == wanted:
        return 0, len(full)
    return (1 if last.startswith(wanted) else 2 if wanted in last else 3), len(full)


def _place(path: str, start: int, kind: str, full: str, text: str) -> CodePlace:
    pattern = re.compile(rf"(?<!\w){re.escape(last_name(full))}(?!\w)")
    lines = text.split("\n")
    offset = next((n for n, line in enumerate(lines) if pattern.search(line)), 0)
    return CodePlace(path, start + offset, lines[offset][:MOST_CHARS], kind, full)
