"""What there is to learn from and to compare with: the project as adaptation sees it.

The open file is learned. On request so are its nearest neighbours: what it imports, what
imports it, and its siblings in the folder, if people wrote them. Other files are only
compared with: a few stand in the regression set, others tie the training to the base.
Chats, notes, retrieved passages and what is ignored are never looked at.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from commonplace.adapt.blocks import telling_lines
from commonplace.adapt.hygiene import text_of
from commonplace.adapt.records import text_hash
from commonplace.adapt.written import written_lines
from commonplace.errors import AdapterError, ProjectBusyError
from commonplace.index.database import FILE_NAME, open_reader
from commonplace.index.languages import language_of
from commonplace.index.structure import importers_of, imports_of
from commonplace.memory.project import Memory
from commonplace.memory.shared import SharedMemory
from commonplace.paths import StatePaths
from commonplace.recall.demotions import is_aside
from commonplace.recall.passages import Passage

NEIGHBOURS = 4
MAX_TEXT = 200_000
"""Characters of a file beyond which it is neither neighbour nor compared with."""


@dataclass(frozen=True, slots=True)
class Text:
    """A file that may be read here; `why` says how it came to be chosen."""

    path: str
    text: str
    why: str

    @property
    def hash(self) -> str:
        """What tells this text from another; see `records.text_hash`."""
        return text_hash(self.text)


@dataclass(slots=True)
class Corpus:
    """The opened project; everything is read anew from the disk."""

    memory: Memory | SharedMemory
    conn: sqlite3.Connection
    written: dict[str, frozenset[str]] = field(default_factory=dict)

    def target(self, path: str) -> Text:
        """Return the open file; raises `AdapterError` if it is not to be learned."""
        if self.memory.workspace.stat(path) is None:
            raise AdapterError(
                f"{path} is not among the project's files: it is gone, ignored, too large "
                "or no text.",
                "Open a file of the project that you write yourself.",
            )
        text, reason = self._read(path)
        if reason:
            raise AdapterError(
                f"{path} is nothing to learn from: {reason}.",
                "Choose a file that people wrote and that holds no secrets.",
            )
        return Text(path, text, "the open file")

    def neighbours(self, path: str) -> list[Text]:
        """Return the nearest files that people wrote: imports first, then siblings."""
        imported = [to for place in imports_of(self.conn, path) for to in place.paths]
        importing = importers_of(self.conn, path, 20).paths
        folder = str(PurePosixPath(path).parent)
        siblings = [p for p in self.paths() if str(PurePosixPath(p).parent) == folder]
        language = language_of(path, "").name
        why = {
            **dict.fromkeys(sorted(siblings), "a sibling in its folder"),
            **dict.fromkeys(importing, "it imports the open file"),
            **dict.fromkeys(imported, "the open file imports it"),
        }
        order = [*imported, *importing, *sorted(siblings)]
        found: list[Text] = []
        for name in dict.fromkeys(order):
            if name == path or is_aside(name) or language_of(name, "").name != language:
                continue
            text, reason = self._read(name)
            if not reason and 0 < len(text) <= MAX_TEXT and name not in self.written:
                found.append(Text(name, text, why[name]))
            if len(found) == NEIGHBOURS:
                break
        return found

    def others(self, without: set[str], seed: int) -> Iterator[Text]:
        """Yield other files that people wrote, in an order drawn by `seed`."""
        paths = [p for p in self.paths() if p not in without and not is_aside(p)]
        random.Random(seed).shuffle(paths)  # noqa: S311 - a draw, not a secret
        for path in paths:
            text, reason = self._read(path)
            if not reason and 400 <= len(text) <= MAX_TEXT:
                yield Text(path, text, "another file of the project")

    def paths(self) -> list[str]:
        """Return the paths that the index holds, sorted."""
        rows = self.conn.execute("SELECT path FROM files WHERE reason = '' ORDER BY path")
        return [row[0] for row in rows]

    def passages(self, question: str, without: str, limit: int) -> list[Passage]:
        """Return what recall finds for `question` in other files than `without`."""
        found = self.memory.search(question, limit * 3).passages
        return [p for p in found if p.path != without and not p.note][:limit]

    def model_written(self, path: str, text: str) -> bool:
        """Whether `text`, of the file at `path`, holds a line that an accepted edit brought."""
        lines = self.written.get(path, frozenset())
        return any(line in lines for line in telling_lines(text))

    def _read(self, path: str) -> tuple[str, str]:
        try:
            data = self.memory.workspace.read(path)
        except OSError as error:
            return "", f"it cannot be read: {error.strerror or error}"
        return text_of(path, data)


@contextmanager
def opened(root: Path, state: StatePaths, stop: Callable[[], bool]) -> Iterator[Corpus]:
    """Open the project at `root`; where another process has it open, as that one indexed it.

    Raises `ProjectError` and `StorageError`.
    """
    memory: Memory | SharedMemory
    try:
        memory = Memory(root, state, embedder="none")
    except ProjectBusyError:
        memory = SharedMemory(root, state, embedder="none")
    try:
        if isinstance(memory, Memory):
            memory.refresh(stop=stop)
        place = memory.workspace.root
        conn = open_reader(state.project_cache(place) / FILE_NAME)
        try:
            yield Corpus(memory, conn, written_lines(state, place))
        finally:
            conn.close()
    finally:
        memory.close()
