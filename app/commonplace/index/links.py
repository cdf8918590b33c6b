"""Which project file each import leads to, kept right through edits, renames and deletions.

When a file comes or goes, the imports that want one of its keys are opened
again in the same transaction; `link_imports` then resolves what is open. What
an import leads to is a function of the tables alone, so the links are those of
a fresh index as soon as nothing is open.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager

from commonplace.index.modules import ANCHORS, FAMILIES, GO_MODULE, Wanted, key_of, wanted_by
from commonplace.index.rows import FileEntries
from commonplace.workspace.files import never

LINKS_PER_COMMIT = 2000
MOST_FILES = 20
"""A package that more files share says nothing of any one of them."""
MOST_NAMESAKES = 500
"""Files with one key that are looked at for one import."""
TAIL = 4
"""Folders above the project that may be part of the names of its modules."""
SOURCE_FOLDERS = frozenset({"", "src", "lib", "lua", "include", "inc", "app", "python", "source"})


def any_linked(conn: sqlite3.Connection) -> bool:
    """Return whether any import has been resolved; until then none has to be opened again."""
    return conn.execute("SELECT 1 FROM imports WHERE linked = 1 LIMIT 1").fetchone() is not None


def put_links(
    conn: sqlite3.Connection, file_id: int, path: str, entries: FileEntries, *, reopen: bool = True
) -> None:
    """Store what a new file imports and offers, and open the imports it may concern.

    Without `reopen` nothing is opened: no import is linked yet.
    """
    if reopen:
        _reopen(conn, path, {offer.key for offer in entries.offers})
    conn.executemany(
        "INSERT INTO offers (key, name, file_id, declared) VALUES (?, ?, ?, ?)",
        [(offer.key, offer.name, file_id, offer.declared) for offer in entries.offers],
    )
    first = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM imports").fetchone()[0]
    numbered = list(enumerate(entries.imports, first))
    conn.executemany(
        "INSERT INTO imports (id, file_id, line, target, hops) VALUES (?, ?, ?, ?, ?)",
        [(i, file_id, item.line, item.target, item.hops) for i, item in numbered],
    )
    conn.executemany(
        "INSERT INTO import_keys (key, import_id) VALUES (?, ?)",
        [(key, i) for i, item in numbered for key in item.keys],
    )


def remove_links(conn: sqlite3.Connection, file_id: int, path: str) -> None:
    """Forget what a file imports and offers, and open the imports that led to it."""
    keys = {row[0] for row in conn.execute("SELECT key FROM offers WHERE file_id = ?", [file_id])}
    _reopen(conn, path, keys)
    conn.execute(
        "DELETE FROM import_keys WHERE import_id IN (SELECT id FROM imports WHERE file_id = ?)",
        [file_id],
    )
    for table, column in (
        ("imports", "file_id"), ("offers", "file_id"), ("links", "from_file"), ("links", "to_file"),
    ):  # fmt: skip
        conn.execute(f"DELETE FROM {table} WHERE {column} = ?", [file_id])  # noqa: S608 - constants


def link_imports(
    conn: sqlite3.Connection,
    root: str,
    writing: Callable[[], AbstractContextManager[None]],
    stop: Callable[[], bool] = never,
) -> None:
    """Resolve the imports that are open, in steps; each step is one transaction.

    `root` is the project's folder, whose name may be part of module names.
    """
    while not stop():
        resolver = Resolver(conn, root)
        rows = conn.execute(
            "SELECT i.id, i.file_id, f.path, f.language, i.target, i.hops FROM imports i "
            "JOIN files f ON f.id = i.file_id WHERE i.linked = 0 LIMIT ?",
            [LINKS_PER_COMMIT],
        ).fetchall()
        if not rows:
            return
        found = [
            (row[0], row[1], to)
            for row in rows
            for to in resolver.files_of(*row[2:])
            if to != row[1]
        ]
        ids = [(row[0],) for row in rows]
        with writing():
            conn.executemany("DELETE FROM links WHERE import_id = ?", ids)
            conn.executemany(
                "INSERT INTO links (import_id, from_file, to_file) VALUES (?, ?, ?)", found
            )
            conn.executemany("UPDATE imports SET linked = 1 WHERE id = ?", ids)


def _reopen(conn: sqlite3.Connection, path: str, keys: Iterable[str]) -> None:
    conn.execute(
        "UPDATE imports SET linked = 0 WHERE linked = 1 AND id IN (SELECT import_id "
        "FROM import_keys WHERE key IN (SELECT value FROM json_each(?)))",
        [json.dumps(list(keys))],
    )
    language = ANCHORS.get(path.rpartition("/")[2])
    if language is not None:
        conn.execute(
            "UPDATE imports SET linked = 0 WHERE linked = 1 AND file_id IN "
            "(SELECT id FROM files WHERE language = ?)",
            [language],
        )


class Resolver:
    """Finds the files that imports lead to, as long as no file comes or goes."""

    def __init__(self, conn: sqlite3.Connection, root: str) -> None:
        self._conn = conn
        self._known: dict[str, list[tuple[int, str, str, str]]] = {}
        self._tail = "/".join(root.replace("\\", "/").strip("/").split("/")[-TAIL:])

    def files_of(self, path: str, language: str, target: str, hops: int) -> list[int]:
        """Return the ids of the files that an import in the file at `path` leads to."""
        for wanted in wanted_by(path, language, target, hops):
            found = self._matches(wanted, path, language)
            if found:
                return found
        return []

    def _matches(self, wanted: Wanted, path: str, language: str) -> list[int]:
        if wanted.how == "go":
            return self._go(wanted.name)
        if wanted.how == "declared":
            return self._declared(wanted.name, language)
        family = FAMILIES.get(language, language)
        found = []
        for file_id, name, at, its in self._named(wanted):
            if wanted.literal:
                fits = at == wanted.literal or (
                    wanted.how != "exact" and f"/{self._full(at)}".endswith(f"/{wanted.literal}")
                )
            else:
                fits = FAMILIES.get(its, its) == family
            if fits and (wanted.how == "exact" or self._rooted(wanted, name, language)):
                found.append((its != language, -_shared(path, at), len(at), at, file_id))
        return [min(found)[-1]] if found else []

    def _named(self, wanted: Wanted) -> Iterator[tuple[int, str, str, str]]:
        query = (
            "SELECT o.file_id, o.name, f.path, f.language FROM offers o "
            "JOIN files f ON f.id = o.file_id WHERE o.key = ? AND o.declared = 0"
        )
        key = key_of(wanted.name)
        if wanted.how == "exact":
            yield from self._conn.execute(f"{query} AND o.name = ?", [key, wanted.name])
            return
        if key not in self._known:  # most are asked for again and again: ``os``, ``typing``
            rows = self._conn.execute(f"{query} ORDER BY o.name LIMIT ?", [key, MOST_NAMESAKES])
            self._known[key] = rows.fetchall()
        ending = f"/{wanted.name}"
        yield from (row for row in self._known[key] if f"/{self._full(row[1])}".endswith(ending))

    def _rooted(self, wanted: Wanted, name: str, language: str) -> bool:
        """Whether what stands before the module's name can be a folder of sources."""
        inside = name[: -len(wanted.name)].rstrip("/") if len(name) > len(wanted.name) else ""
        if not inside:
            return True  # it begins at the project's own folder, or above
        if language == "python":
            return not self._is_package(inside)
        if wanted.how == "rooted" or ("/" not in wanted.name and not wanted.literal):
            return inside.rpartition("/")[2] in SOURCE_FOLDERS
        return True

    def _is_package(self, folder: str) -> bool:
        query = "SELECT 1 FROM files WHERE path = ?"
        return self._conn.execute(query, [f"{folder}/__init__.py"]).fetchone() is not None

    def _declared(self, name: str, language: str) -> list[int]:
        rows = self._conn.execute(
            "SELECT o.file_id, f.language FROM offers o JOIN files f ON f.id = o.file_id "
            "WHERE o.key = ? AND o.name = ? AND o.declared = 1 ORDER BY f.path",
            [key_of(name), name],
        )
        family = FAMILIES.get(language, language)
        found = [file_id for file_id, its in rows if FAMILIES.get(its, its) == family]
        return found if len(found) <= MOST_FILES else []

    def _go(self, target: str) -> list[int]:
        folder = self._go_folder(target)
        if folder is None:
            return []
        rows = self._conn.execute(
            "SELECT o.file_id FROM offers o JOIN files f ON f.id = o.file_id WHERE o.key = ? "
            "AND o.name = ? AND f.language = 'go' ORDER BY f.path LIMIT ?",
            [key_of(folder), folder, MOST_FILES + 1],
        )
        found = [row[0] for row in rows]
        return found if len(found) <= MOST_FILES else []

    def _go_folder(self, target: str) -> str | None:
        """Return the folder of a Go package, by the module that go.mod declares."""
        rows = self._conn.execute(
            "SELECT o.name, f.path FROM offers o JOIN files f ON f.id = o.file_id "
            "WHERE o.declared = 1 AND f.path LIKE ?",
            [f"%{GO_MODULE}"],
        ).fetchall()
        best: tuple[int, str] | None = None
        for module, path in rows:
            if target == module or target.startswith(f"{module}/"):
                rest = target[len(module) :].strip("/")
                folder = path.rpartition("/")[0]
                best = max(best or (-1, ""), (len(module), f"{folder}/{rest}".strip("/")))
        if best is not None:
            return best[1]
        if rows or "." not in target.partition("/")[0]:
            return None  # another module's, or the standard library's
        return self._go_tail(target)

    def _go_tail(self, target: str) -> str | None:
        """Return the folder when go.mod lies above the project: as much as the paths share."""
        parts = target.split("/")
        tail = self._tail.split("/")
        for size in range(len(parts), 0, -1):
            for own in range(1, min(size, len(tail)) + 1):
                if parts[-size:][:own] == tail[-own:]:
                    return "/".join(parts[-size:][own:])
        return None

    def _full(self, name: str) -> str:
        return f"{self._tail}/{name}".rstrip("/")


def _shared(one: str, other: str) -> int:
    """Return how many leading folders two paths share."""
    count = 0
    for a, b in zip(one.split("/")[:-1], other.split("/")[:-1], strict=False):
        if a != b:
            break
        count += 1
    return count
