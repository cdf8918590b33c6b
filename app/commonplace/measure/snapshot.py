"""A project's memory at one moment, copied.

The measurement asks the copy, whatever is saved meanwhile; the user's files are only read.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from commonplace.book.book import Book
from commonplace.errors import CancelledError, ProjectBusyError, ProjectError
from commonplace.index.database import FILE_NAME, is_begun, open_reader, storage_error
from commonplace.index.embedder import Embedder
from commonplace.index.rows import content_hash
from commonplace.index.text import NotTextError, decode
from commonplace.index.vectors import VectorTable, load_table
from commonplace.memory.joining import Sources
from commonplace.memory.project import NOTHING, Memory
from commonplace.memory.readers import embedder_or_note
from commonplace.memory.status import Status
from commonplace.paths import StatePaths
from commonplace.settings import Settings
from commonplace.workspace.project import Workspace

Stop = Callable[[], bool]
OPEN_ELSEWHERE = "The project is open in a window, so its index was measured as that window has it."


@dataclass(slots=True)
class Snapshot:
    """What is measured. `notes` are sentences for the report."""

    workspace: Workspace
    conn: sqlite3.Connection
    book: Book
    embedder: Embedder | None
    vectors: VectorTable | None
    notes: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.workspace.root

    def files(self) -> list[str]:
        """Return the paths that can be searched, sorted."""
        query = "SELECT path FROM files WHERE reason = '' ORDER BY path"
        return [row[0] for row in self.conn.execute(query)]

    def chunks(self) -> int:
        """Return how many passages there are."""
        return int(self.conn.execute("SELECT count(*) FROM chunks").fetchone()[0])

    def text(self, path: str) -> str | None:
        """Return what a file says; None where it is no longer what was indexed."""
        row = self.conn.execute("SELECT hash FROM files WHERE path = ?", [path]).fetchone()
        try:
            data = self.workspace.read(path)
            return decode(data) if row is not None and content_hash(data) == row[0] else None
        except (OSError, NotTextError):
            return None

    def kept_notes(self) -> int:
        """Return how many notes a search may find."""
        rows = self.book.catalogue.rows("SELECT count(*) FROM notes WHERE recallable")
        return int(rows[0][0])

    def memory(self) -> str:
        """Return what tells these files and notes from any others, in 32 characters."""
        digest = hashlib.sha256()
        query = "SELECT path, hash FROM files WHERE reason = '' ORDER BY path"
        for path, content in self.conn.execute(query):
            digest.update(path.encode("utf-8", "surrogateescape") + b"\0" + content)
        rows = self.book.catalogue.rows("SELECT id, hash FROM notes WHERE recallable ORDER BY id")
        for row in rows:
            digest.update(f"{row[0]} {row[1]}".encode())
        return digest.hexdigest()[:32]

    def sources(self) -> Sources:
        """Return where notes are looked for."""
        return Sources(self.book, self.conn, self.workspace.read, self.embedder, self.vectors)


@contextmanager
def snapshot(
    root: Path,
    state: StatePaths,
    settings: Settings,
    stop: Stop,
    on_status: Callable[[Status], None],
) -> Iterator[Snapshot]:
    """Bring the index up to date, copy it and give the copy, which is gone afterwards.

    A project that another process has open is measured as that one has indexed it.
    Raises `ProjectError` for a folder that cannot be opened or holds nothing to search.
    """
    notes: list[str] = []
    folder = state.project_cache(Workspace(root).root)
    try:
        _index(root, state, settings, stop, on_status)
    except ProjectBusyError:
        if not is_begun(folder):
            raise
        notes.append(OPEN_ELSEWHERE)
    workspace = Workspace(root)
    with contextlib.ExitStack() as stack:
        conn = stack.enter_context(closing(sqlite3.connect("", check_same_thread=False)))
        try:
            with closing(open_reader(folder / FILE_NAME)) as reader:
                reader.backup(conn)
            embedder, note = embedder_or_note(settings.recall_embedder, state, None)
            vectors = None
            if embedder is not None:
                vectors = load_table(conn, embedder.id, embedder.dimensions)
        except sqlite3.Error as error:
            raise storage_error(error, folder) from error
        book = Book(workspace.root, state, folder, writable=False)
        stack.callback(book.close)
        if embedder is not None:
            book.catalogue.use(embedder)
        taken = Snapshot(workspace, conn, book, embedder, vectors, [*notes, *filter(None, [note])])
        if not taken.files():
            raise ProjectError(NOTHING, "Choose a folder with files that can be searched.")
        yield taken


def _index(
    root: Path,
    state: StatePaths,
    settings: Settings,
    stop: Stop,
    on_status: Callable[[Status], None],
) -> None:
    memory = Memory(
        root,
        state,
        embedder=settings.recall_embedder,
        adapter="off",
        on_status=on_status,
    )
    try:
        memory.refresh(None, stop)
        memory.embed(stop)
    finally:
        memory.close()
    if stop():
        raise CancelledError("Stopped.")
