"""Brings the index up to date with the disk.

`changes_since` compares what a scan found with what the index knows; `read`
reads and chunks what changed; `embed_some` gives the next chunks their
vectors. Each commits often, so that work can stop at any moment, goes on where
it stopped, and can be searched meanwhile. Only one thread may call these.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from commonplace.errors import CancelledError
from commonplace.index.embedder import Embedder
from commonplace.index.reading import Content, FileReader, Unchanged
from commonplace.index.rows import FileRecord
from commonplace.index.store import Store
from commonplace.index.trials import Trials
from commonplace.index.vectors import VectorTable, add_packed, load_some, pack_vectors
from commonplace.workspace.files import FileStat, Snapshot, never
from commonplace.workspace.project import Workspace

RACY_NS = 2_000_000_000
"""A file changed within this time of being read is read again: clocks are coarse."""
COMMIT_SECONDS = 0.25
EMBED_BATCH = 64
LOADED_FIRST = 50_000
"""Vectors taken up before the first question; the rest comes behind it."""
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
        self.vectors = VectorTable(dimensions)
        self._loaded_to: bytes | None = None
        if embedder is not None:
            self._loaded_to = b""
            while self._loaded_to is not None and len(self.vectors) < LOADED_FIRST:
                self._load(embedder)

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
        reader = FileReader(self._workspace, self._trials, known)
        try:
            with contextlib.closing(reader.read_all(changes.read, stop)) as contents:
                while batch := self._batch(contents, stop):
                    done += self._write(batch, known, changed)
                    if progress is not None:
                        progress(done, total)
                    if stop():
                        break
            if total and stop():
                raise CancelledError("Stopped.")
        finally:
            self._trials.end()
            if changes:
                self._adopt_vectors()
        self._store.link_imports(str(self._workspace.root), stop)
        return Outcome(tuple(changed), appeared or bool(changes.removed))

    def embed_some(self, limit: int = EMBED_BATCH) -> int:
        """Embed the next chunks without a vector; returns how many, 0 when done."""
        embedder = self._embedder
        if embedder is None:
            return 0
        if self._loaded_to is not None:
            return self._load(embedder)
        waiting = self._store.missing_vectors(embedder.id, self._embedded_to, limit)
        if not waiting:
            self._embedded_to = self._store.last_chunk_id()
            self._store.prune_vectors()
            return 0
        texts = {item.key: item.text for item in waiting}
        blobs = dict(zip(texts, pack_vectors(embedder.embed(list(texts.values()))), strict=True))
        with self._store.writing():
            self._store.put_vectors(embedder.id, blobs)
        # Equal texts elsewhere share these vectors and will not be met again.
        owners = self._store.chunk_ids(blobs)
        add_packed(self.vectors, [(chunk_id, blobs[key]) for chunk_id, key in owners])
        self._embedded_to = waiting[-1].id
        return len(waiting)

    def _batch(self, contents: Iterator[Content], stop: Callable[[], bool]) -> list[Content]:
        """Take what is read in a short while, outside any transaction."""
        began = time.monotonic()
        batch: list[Content] = []
        for content in contents:
            batch.append(content)
            if time.monotonic() - began > COMMIT_SECONDS or stop():
                break
        return batch

    def _remove(self, paths: Sequence[str]) -> None:
        with self._store.writing():
            gone = [chunk for path in paths for chunk in self._store.remove(path)]
        self.vectors.remove(gone)

    def _write(
        self,
        batch: Sequence[Content],
        known: dict[str, FileRecord],
        changed: list[str],
    ) -> int:
        """Commit a batch at once; returns how many files it was."""
        with self._store.writing():
            gone = [i for item in batch for i in self._put(item, known, changed)]
        self.vectors.remove(gone)
        return len(batch)

    def _put(
        self, item: Content, known: dict[str, FileRecord], changed: list[str]
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
        add_packed(self.vectors, self._store.known_vectors(embedder.id, self._adopted_to))
        self._adopted_to = self._store.last_chunk_id()

    def _load(self, embedder: Embedder) -> int:
        """Take up the next vectors of before; returns how many, at least 1."""
        before, after = len(self.vectors), self._loaded_to
        assert after is not None
        last = load_some(self.vectors, self._store.db.conn, embedder.id, after)
        if last is not None:
            self._store.drop_odd_vectors(embedder.id, 2 * embedder.dimensions, after, last)
        elif len(self.vectors) == self._store.counts().chunks:
            self._embedded_to = self._store.last_chunk_id()  # nobody needs to look for more
        self._loaded_to = last
        return max(1, len(self.vectors) - before)


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
