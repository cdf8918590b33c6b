"""The memory of one project: workspace, index and recall behind one object.

`Memory` does its work in the calling thread: the command line uses it as it
is, `background.Keeper` runs it behind a window. One process at a time may
write a project's index; a second one may still search what is there.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from commonplace.book.book import Book
from commonplace.book.code import IndexedCode
from commonplace.errors import (
    CancelledError,
    DamagedIndexError,
    ModelError,
    ProjectBusyError,
    StorageError,
)
from commonplace.index.codeplaces import CodePlace, NamePlaces
from commonplace.index.database import is_damage, storage_error
from commonplace.index.embedder import Embedder
from commonplace.index.indexer import EMBED_BATCH, Changes, Indexer, Outcome
from commonplace.index.store import Store
from commonplace.index.structure import places_of
from commonplace.index.symbols import symbols_matching
from commonplace.memory.details import details_of
from commonplace.memory.figures import Details
from commonplace.memory.joining import Sources, notes_for, with_notes
from commonplace.memory.learning import Learning
from commonplace.memory.readers import Readers, depth_or_note, embedder_or_note
from commonplace.memory.status import Status
from commonplace.paths import StatePaths
from commonplace.recall.passages import Found, Passage
from commonplace.recall.search import search
from commonplace.words import said
from commonplace.workspace.files import Skipped, Snapshot, never
from commonplace.workspace.project import Workspace

log = logging.getLogger(__name__)

LOCK_FILE = "writer.lock"
NOTHING = (
    "Nothing here can be searched: the folder is empty, or its ignore rules "
    "(.gitignore, .commonplaceignore) leave everything out."
)
BUILDING = said("The index is still being built, so something may be missing.")

StatusListener = Callable[[Status], None]


def _quiet(_: Status) -> None:
    """Listen to nothing."""


class Memory:
    """The memory of the project at `root`, writable by this process alone.

    Raises `ProjectError` for a folder that cannot be opened, `ProjectBusyError`
    when another process has it open, and `StorageError` when the state folder
    cannot be written.
    """

    def __init__(
        self,
        root: Path,
        state: StatePaths,
        *,
        embedder: str = "built-in",
        adapter: str = "auto",
        depth: str = "off",
        embed_threads: int | None = None,
        on_status: StatusListener = _quiet,
    ) -> None:
        self.workspace = Workspace(root)
        self.root = self.workspace.root
        self.folder = state.project_cache(self.root)
        self._on_status = on_status
        self.status = Status()
        self._unread: tuple[Skipped, ...] = ()
        self.folders: frozenset[str] = frozenset()
        self._damaged = False
        self._embedder, note = embedder_or_note(embedder, state, embed_threads)
        self._depth, too = depth_or_note(depth, state, embed_threads)
        self._lock = lock_project(self.folder, self.root)
        try:
            self.store = Store(self.folder)
            self._indexer = self._new_indexer()
            self._readers = Readers(self.store.path)
            self.book = Book(self.root, state, self.folder)
            if self._embedder is not None:
                self.book.catalogue.use(self._embedder)
            adapted = self._embedder if adapter == "auto" else None
            self._learning = Learning(self.root, self.folder, adapted)
            self._notes = {"index": self.store.rebuilt, "embedder": note, "depth": too}
            self._announce()
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Give the project up; everything committed stays."""
        self._readers.close()
        self.book.close()
        try:
            if self._damaged:
                self.store.rebuild()
            self.store.close()
        finally:
            self._lock.release()

    def refresh(
        self, folders: Collection[str] | None = None, stop: Callable[[], bool] = never
    ) -> Outcome:
        """Scan the disk and read what changed; `folders` bounds the scan.

        Raises `CancelledError`, `ProjectError` and `StorageError`; what was
        read until then stays. An index that turns out to be damaged is
        rebuilt.
        """
        if self._damaged:
            self._rebuild()
            folders = None
        try:
            return self._refresh(folders, stop)
        except DamagedIndexError:
            self._rebuild()
            return self._refresh(None, stop)

    def _refresh(self, folders: Collection[str] | None, stop: Callable[[], bool]) -> Outcome:
        if folders is None or "" in folders:
            self.report(phase="scanning", done=0, total=0)
            snapshot = self.workspace.scan(stop)
            self.folders, self._unread = snapshot.folders, snapshot.skipped
        else:
            snapshot = self.workspace.scan_under(folders, stop)
            self._merge(snapshot, folders)
        with self._storage():
            changes = self._indexer.changes_since(snapshot, folders)
            outcome = self._read(changes, stop)
            self._announce()
        self._sync_notes(stop)
        return outcome

    def embed(self, stop: Callable[[], bool] = never, limit: int | None = None) -> bool:
        """Embed what waits, all of it or about `limit` chunks.

        Returns whether something may be left. A model that cannot be loaded
        is noted in the status, and recall goes on with words.
        """
        done = 0
        try:
            while self.book.catalogue.embed_some(EMBED_BATCH):  # a few, and wanted first
                if stop():
                    raise CancelledError("Stopped.")
            while limit is None or done < limit:
                if stop():
                    raise CancelledError("Stopped.")
                with self._storage():
                    count = self._indexer.embed_some(EMBED_BATCH)
                if not count:
                    return False
                done += count
                vectors, chunks = len(self._indexer.vectors), self.status.chunks
                self.report(phase="embedding", done=vectors, total=chunks, vectors=vectors)
        except ModelError as error:
            self.note("embedder", str(error))
            return False
        except DamagedIndexError:
            self._damaged = True
            self.refresh(None, stop)
        return True

    def learn(self, stop: Callable[[], bool] = never) -> None:
        """Read the project's past and fit its adapter, where it is time to; for idle moments.

        Raises `CancelledError` and `StorageError`; what was learned before stays in use.
        """
        self._warm()
        with self._storage():
            self._learning.learn(self._readers.get(), stop, adapt=not self.waiting)
        if self.status.adapter != self._learning.figures:
            self.report(adapter=self._learning.figures)

    def _warm(self) -> None:
        """Load what reads passages again; a model that cannot be loaded is told and left alone."""
        if self._depth is not None and not self._depth.ready:
            try:
                self._depth.warm()
            except ModelError as error:
                self._depth = None
                self.note("depth", str(error))

    def code(self) -> IndexedCode:
        """Return the project's code as the book sees it, for the calling thread."""
        return IndexedCode(self._readers.get(), self.workspace.read)

    def tend_notes(self, stop: Callable[[], bool] = never) -> None:
        """Check what notes speak of, and propose drafts; only what is new is looked at.

        Raises `CancelledError`; what was done until then stays.
        """
        with self._storage():
            checked = self.book.check(self.code(), None, stop)
        drafts = self.book.propose()
        if checked or drafts:
            self.book.on_change()

    def _sync_notes(self, stop: Callable[[], bool]) -> None:
        """Follow the notes' files; trouble with them is told and stops nothing else."""
        try:
            self.book.sync(stop)
            self.note("notes", self.book.records.note)
        except StorageError as error:
            self.note("notes", str(error))

    def check(self, stop: Callable[[], bool] = never) -> bool:
        """Look at every page of a large index, once; one that is damaged is built anew.

        Returns whether that is done; it ends early if `stop` says so.
        """
        if self.store.checked:
            return True
        self.report(phase="ready", done=0, total=0)
        try:
            with self._storage():
                self.store.check(stop)
        except DamagedIndexError:
            self._damaged = True
            self.refresh(None, stop)
        return self.store.checked

    @property
    def waiting(self) -> int:
        """How many chunks have no vector yet."""
        if self._embedder is None:
            return 0
        return max(0, self.status.chunks - len(self._indexer.vectors))

    def search(
        self,
        question: str,
        limit: int,
        *,
        wait: bool = True,
        on_stale: Callable[[str], None] | None = None,
    ) -> Found:
        """Return the passages that match `question` best. May run in any thread.

        `wait` says whether to wait for the embedder to load; a window does
        not, and its first answers rest on words.
        """
        if wait:
            self._warm()
        embedder = self._embedder
        if embedder is not None and not (wait or embedder.ready):
            embedder = None
        with self._storage():
            found = search(
                question,
                limit,
                self._readers.get(),
                self.workspace.read,
                embedder=embedder,
                vectors=self._indexer.vectors,
                learned=self._learning.learned,
                depth=self._depth,
                on_stale=on_stale,
            )
            found = with_notes(found, limit, self._sources(embedder))
        busy = self.status.phase in {"opening", "scanning", "reading"}
        return replace(found, note=BUILDING) if busy else found

    def search_notes(self, question: str, limit: int) -> list[Passage]:
        """Return the kept notes that have to do with `question`, best first."""
        with self._storage():
            return notes_for(question, limit, self._sources(self._embedder))

    def places(self, name: str, limit: int) -> NamePlaces:
        """Return where `name` is defined and used. May run in any thread."""
        with self._storage():
            return places_of(self._readers.get(), name, limit)

    def symbols(self, typed: str, limit: int) -> list[CodePlace]:
        """Return the definitions whose name holds what was `typed`. May run in any thread."""
        with self._storage():
            return symbols_matching(self._readers.get(), typed, limit)

    def details(self) -> Details:
        """Return figures of the index. May run in any thread."""
        embedder = "" if self._embedder is None else self._embedder.id
        with self._storage():
            return details_of(self._readers.get(), self.folder, embedder, self.skipped())

    def _sources(self, embedder: Embedder | None) -> Sources:
        conn, vectors = self._readers.get(), self._indexer.vectors
        return Sources(self.book, conn, self.workspace.read, embedder, vectors)

    def files(self) -> list[str]:
        """Return the paths that can be searched, sorted. May run in any thread."""
        query = "SELECT path FROM files WHERE reason = '' ORDER BY path"
        with self._storage():
            return [row[0] for row in self._readers.get().execute(query)]

    def skipped(self) -> list[Skipped]:
        """Return what is left out, with reasons, by path. May run in any thread."""
        query = "SELECT path, reason FROM files WHERE reason != ''"
        with self._storage():
            unindexed = [Skipped(*row) for row in self._readers.get().execute(query)]
        return sorted([*self._unread, *unindexed], key=lambda s: s.path)

    def note(self, about: str, text: str) -> None:
        """Tell the user `text` about one thing; an empty text takes it back."""
        if self._notes.get(about, "") != text:
            self._notes[about] = text
            self.report()

    def report(self, **changes: object) -> None:
        """Change the status and tell the listener."""
        note = " ".join(filter(None, self._notes.values()))
        self.status = replace(self.status, note=note, **changes)  # type: ignore[arg-type]
        self._on_status(self.status)

    @contextmanager
    def _storage(self) -> Iterator[None]:
        """Say what SQLite refuses as a `StorageError`; damage is mended by the next refresh."""
        try:
            yield
        except sqlite3.Error as error:
            self._damaged = self._damaged or is_damage(error)
            raise storage_error(error, self.folder) from error

    def _new_indexer(self) -> Indexer:
        try:
            return Indexer(self.workspace, self.store, self._embedder)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise storage_error(error, self.folder) from error
        self.store.rebuild()
        return Indexer(self.workspace, self.store, self._embedder)

    def rebuild(self) -> None:
        """Throw the index away because somebody asked for it; the next refresh reads everything.

        Notes are no part of it and stay as they are.
        """
        self._begin_again()
        self.folders = frozenset()  # nothing was looked at yet, so nothing is known to be empty
        self.note("index", "")
        self._announce()

    def _rebuild(self) -> None:
        log.warning("The index is damaged and is rebuilt")
        self._begin_again()
        self.note("index", self.store.rebuilt)

    def _begin_again(self) -> None:
        """Begin again with an empty index."""
        self.store.rebuild()
        self._damaged = False
        self._indexer = self._new_indexer()
        self._readers.renew()

    def _read(self, changes: Changes, stop: Callable[[], bool]) -> Outcome:
        total = len(changes.read)

        def progress(done: int, _: int) -> None:
            self.report(phase="reading", done=done, total=total)

        if changes:
            progress(0, total)
        return self._indexer.read(changes, stop=stop, progress=progress)

    def _merge(self, snapshot: Snapshot, folders: Collection[str]) -> None:
        """Take over what a partial scan says of its folders."""

        def outside(path: str) -> bool:
            return not any(path == f or path.startswith(f + "/") for f in folders)

        self.folders = frozenset(filter(outside, self.folders)) | snapshot.folders
        kept = [s for s in self._unread if outside(s.path)]
        self._unread = (*kept, *snapshot.skipped)

    def _announce(self) -> None:
        counts = self.store.counts()
        known = counts.files or not self.folders  # before the first scan nobody can tell
        self._notes["empty"] = "" if known else NOTHING
        self.report(
            files=counts.files,
            chunks=counts.chunks,
            vectors=len(self._indexer.vectors),
            adapter=self._learning.figures,
            skipped=counts.skipped + len(self._unread),
        )


def lock_project(folder: Path, root: Path) -> FileLock:
    """Take the project for this process alone; raises `ProjectBusyError` and `StorageError`."""
    # Not of one thread: a window's requests open and close it in whichever is free.
    lock = FileLock(folder / LOCK_FILE, timeout=0, thread_local=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise ProjectBusyError(
            f"{root} is already open in another window or command.",
            "Use that one, or close it and try again.",
        ) from error
    except OSError as error:
        raise storage_error(error, folder) from error
    return lock
