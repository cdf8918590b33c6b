"""The book for a short visit, such as a command, whoever else has the project open."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from commonplace.book.book import Book
from commonplace.book.code import IndexedCode
from commonplace.book.schema import open_reader as open_catalogue_reader
from commonplace.errors import ProjectBusyError
from commonplace.index.database import FILE_NAME, SCHEMA, is_begun, open_reader
from commonplace.memory.project import lock_project
from commonplace.paths import StatePaths
from commonplace.workspace.project import Workspace


@contextmanager
def visited(path: Path, state: StatePaths) -> Iterator[tuple[Book, IndexedCode]]:
    """Open the book of the project at `path`, follow its files, and close it.

    When another process has the project open, the catalogue lies in memory and
    that process notices what changed. Code that was never indexed is read from
    the disk all the same.
    """
    workspace = Workspace(path)
    folder = state.project_cache(workspace.root)
    with contextlib.ExitStack() as stack:
        try:
            lock = lock_project(folder, workspace.root)
            stack.callback(lock.release)
            book = Book(workspace.root, state, folder)
            stack.callback(book.close)
            book.sync()
        except ProjectBusyError:
            book = Book(workspace.root, state, None)
            stack.callback(book.close)
            book.sync()
            _borrow_checks(book, folder)
        if is_begun(folder):
            conn = open_reader(folder / FILE_NAME)
        else:
            conn = sqlite3.connect(":memory:")
            conn.executescript(SCHEMA)
        stack.enter_context(closing(conn))
        yield book, IndexedCode(conn, workspace.read)


def _borrow_checks(book: Book, folder: Path) -> None:
    """Take over what the process that has the project open found out about anchors."""
    conn = open_catalogue_reader(folder)
    if conn is None:
        return
    with closing(conn), contextlib.suppress(sqlite3.Error):
        rows = conn.execute(
            "SELECT n.shelf, n.file, c.target, c.mark, c.path, c.version, c.state, c.found "
            "FROM checks c JOIN notes n ON n.key = c.note"
        ).fetchall()
        with book.catalogue.writing() as own:
            own.executemany(
                "INSERT OR REPLACE INTO checks "
                "SELECT key, ?3, ?4, ?5, ?6, ?7, ?8 FROM notes WHERE shelf = ?1 AND file = ?2",
                rows,
            )
