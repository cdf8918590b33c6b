"""Brings the index up to date with the disk.

`changes_since` compares what a scan found with what the index knows; `read`
reads and chunks what changed; `embed_some` gives the next chunks their
vectors. Each commits often, so that work can stop at any moment, goes on where
it stopped, and can be searched meanwhile. Only one thread may call these.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from commonplace.errors import CancelledError
from commonplace.index.chunks import chunk_file
from commonplace.index.embedder import Embedder
from commonplace.index.rows import FileContent, FileRecord, content_hash
from commonplace.index.store import Store
from commonplace.index.text import NotTextError, decode
from commonplace.index.trials import Trials
from commonplace.index.vectors import VectorTable, load_table, pack_vectors, unpack_vectors
from commonplace.workspace.files import FileStat, Snapshot, never
from commonplace.workspace.project import Workspace

RACY_NS = 2_000_000_000
"""A file changed within this time of being read is read again: clocks are coarse."""
COMMIT_SECONDS = 0.25
EMBED_BATCH = 64
LATE = frozenset(
    {"test", "tests", "testing", "spec", "fixtures", "examples", "vendor", "third_party"}
)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the disk and the index."""

    read: tuple[FileStat, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.read or self.removed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a `read` did: paths whose content changed, appeared or went."""

    changed: tuple[str, ...]
    appeared: bool


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A file that says what it said before, under a new stat."""

    stat: FileStat
    read_ns: int


class Indexer:
    """The one writer of a project's index."""

    def __init__(self, workspace: Workspace, store: Store, embedder: Embedder | None) -> None:
        self._workspace = workspace
        self._store = store
        self._embedder = embedder
        self._embedded_to = 0
        self._adopted_to = store.last_chunk_id()
        self._trials = Trials(workspace, store)
        dimensions = 1 if embedder is None else embedder.dimensions
        if embedder is not None:
            store.drop_odd_vectors(embedder.id, 2 * dimensions)
        self.vectors = (
            VectorTable(dimensions)
            if embedder is None
            else load_table(store.db.conn, embedder.id, dimensions)
        )
        if embedder is not None and self.vectors.wants_graph:
            self.vectors.load_graph(store.path.parent, embedder.id)

    def changes_since(self, snapshot: Snapshot, folders: Collection[str] | None = None) -> Changes:
        """Compare `snapshot` with the index; `folders` bounds a partial scan."""
        known = self._store.files()
        if folders is not None and "" not in folders:
            known = {path: r for path, r in known.items() if _below(path, folders)}
        read = [s for path, s in snapshot.files.items() if not _same(known.get(path), s)]
        removed = [path for path in known if path not in snapshot.files]
        return Changes(tuple(sorted(read, key=_importance)), tuple(removed))

    def read(
        self,
        changes: Changes,
        *,
        stop: Callable[[], bool] = never,
        progress: Progress | None = None,
    ) -> Outcome:
        """Read and chunk what changed. Raises `CancelledError` after a commit."""
        known = self._store.files()
        changed = list(changes.removed)
        self._remove(changes.removed)
        appeared = any(stat.path not in known for stat in changes.read)
        total, done = len(changes.read), 0
        pending = iter(changes.read)
        try:
            while batch := self._batch(pending, known, stop):
                done += self._write(batch, known, changed)
                if progress is not None:
                    progress(done, total)
                if stop():
                    raise CancelledError("Stopped.")
        finally:
            self._trials.end()
            if changes:
                self._adopt_vectors()
        return Outcome(tuple(changed), appeared or bool(changes.removed))

    def embed_some(self, limit: int = EMBED_BATCH) -> int:
        """Embed the next chunks without a vector; returns how many, 0 when done."""
        embedder = self._embedder
        if embedder is None:
            return 0
        waiting = self._store.missing_vectors(embedder.id, self._embedded_to, limit)
        if not waiting:
            self._finish_vectors(embedder)
            return 0
        texts = {item.key: item.text for item in waiting}
        blobs = dict(zip(texts, pack_vectors(embedder.embed(list(texts.values()))), strict=True))
        with self._store.writing():
            self._store.put_vectors(embedder.id, blobs)
        # Equal texts elsewhere share these vectors and will not be met again.
        owners = self._store.chunk_ids(blobs)
        self._add([(chunk_id, blobs[key]) for chunk_id, key in owners], embedder)
        self._embedded_to = waiting[-1].id
        return len(waiting)

    def _batch(
        self, pending: Iterator[FileStat], known: dict[str, FileRecord], stop: Callable[[], bool]
    ) -> list[FileContent | Unchanged]:
        """Read and chunk files for a short while, outside any transaction."""
        began = time.monotonic()
        batch: list[FileContent | Unchanged] = []
        for stat in pending:
            batch.append(self._read_one(stat, known.get(stat.path)))
            if time.monotonic() - began > COMMIT_SECONDS or stop():
                break
        return batch

    def _read_one(self, stat: FileStat, record: FileRecord | None) -> FileContent | Unchanged:
        """Return the file's content, or its stat alone if it is what we know."""
        read_ns = time.time_ns()  # before the read: a later edit must not look older
        try:
            data = self._workspace.read(stat.path)
        except OSError as error:
            reason = f"cannot be read: {error.strerror or error}"
            if record is not None and record.reason == reason:
                return Unchanged(stat, 0)
            return FileContent(stat, 0, b"", "", reason, ())
        digest = content_hash(data)
        if record is not None and record.hash == digest:
            return Unchanged(stat, read_ns)
        try:
            self._trials.begin(stat.path)
            parse = digest not in self._trials.failed
            language, chunks = chunk_file(stat.path, decode(data), parse=parse)
        except NotTextError as reason:
            return FileContent(stat, read_ns, digest, "", str(reason), ())
        return FileContent(stat, read_ns, digest, language.name, "", chunks)

    def _remove(self, paths: Sequence[str]) -> None:
        with self._store.writing():
            gone = [chunk for path in paths for chunk in self._store.remove(path)]
        self.vectors.remove(gone)

    def _write(
        self,
        batch: Sequence[FileContent | Unchanged],
        known: dict[str, FileRecord],
        changed: list[str],
    ) -> int:
        """Commit a batch at once; returns how many files it was."""
        with self._store.writing():
            gone = [i for item in batch for i in self._put(item, known, changed)]
        self.vectors.remove(gone)
        return len(batch)

    def _put(
        self, item: FileContent | Unchanged, known: dict[str, FileRecord], changed: list[str]
    ) -> Sequence[int]:
        if isinstance(item, Unchanged):
            self._store.touch(known[item.stat.path], item.stat, item.read_ns)
            return ()
        changed.append(item.stat.path)
        return self._store.put(item)

    def _adopt_vectors(self) -> None:
        """Give new chunks the vectors that their content already has."""
        embedder = self._embedder
        if embedder is None:
            return
        self._add(self._store.known_vectors(embedder.id, self._adopted_to), embedder)
        self._adopted_to = self._store.last_chunk_id()

    def _add(self, rows: Sequence[tuple[int, bytes]], embedder: Embedder) -> None:
        size = 2 * embedder.dimensions
        new = [(i, blob) for i, blob in rows if len(blob) == size and i not in self.vectors]
        if new:
            matrix = unpack_vectors([blob for _, blob in new], embedder.dimensions)
            self.vectors.add([i for i, _ in new], matrix)

    def _finish_vectors(self, embedder: Embedder) -> None:
        self._store.prune_vectors()
        if self.vectors.wants_graph:
            self.vectors.build_graph()
            self.vectors.save_graph(self._store.path.parent, embedder.id)


def _same(record: FileRecord | None, stat: FileStat) -> bool:
    if record is None or record.stat != stat:
        return False
    return stat.mtime_ns < record.read_ns - RACY_NS


def _below(path: str, folders: Collection[str]) -> bool:
    parts = path.split("/")
    return any("/".join(parts[:n]) in folders for n in range(1, len(parts)))


def _importance(stat: FileStat) -> tuple[int, int, str]:
    """Order files so that what people ask about first can be found first."""
    parts = stat.path.lower().split("/")
    return (int(not LATE.isdisjoint(parts)), len(parts), stat.path)
