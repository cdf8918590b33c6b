"""Reads what changed and cuts it: here for a few files, in parser processes for many."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

from commonplace.index.entries import file_entries
from commonplace.index.parsers import Parsers
from commonplace.index.rows import FileContent, FileEntries, FileRecord, content_hash
from commonplace.index.trials import Trials
from commonplace.words import said
from commonplace.workspace.files import FileStat
from commonplace.workspace.project import Workspace

log = logging.getLogger(__name__)

MANY_BYTES = 2 << 20
"""From here on parser processes are started: it takes them a fifth of a second."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A file that says what it said before, under a new stat."""

    stat: FileStat
    read_ns: int


Content = FileContent | Unchanged


class FileReader:
    """Reads files of a workspace; `known` is what the index knows of them, by path."""

    def __init__(
        self, workspace: Workspace, trials: Trials, known: Mapping[str, FileRecord]
    ) -> None:
        self._workspace = workspace
        self._trials = trials
        self._known = known

    def read_all(
        self, stats: Sequence[FileStat], stop: Callable[[], bool]
    ) -> Generator[Content, None, None]:
        """Yield the content of every file, in order; may end early if `stop` says so."""
        done = 0
        if sum(stat.size for stat in stats) >= MANY_BYTES:
            try:
                with Parsers() as parsers:
                    for content in parsers.in_order(stats, self._read_with(parsers), stop):
                        done += 1
                        yield content
            except OSError as error:
                log.warning("No parser process can be started: %s", error)
            else:
                return
        for stat in stats[done:]:
            yield self.read_one(stat)

    def read_one(self, stat: FileStat, parsers: Parsers | None = None) -> Content:
        """Return the file's content, or its stat alone if it is what we know.

        Raises `OSError` if `parsers` cannot be started.
        """
        record = self._known.get(stat.path)
        read_ns = time.time_ns()  # before the read: a later edit must not look older
        try:
            data = self._workspace.read(stat.path)
        except OSError as error:
            reason = said(f"cannot be read: {error.strerror or error}")
            if record is not None and record.reason == reason:
                return Unchanged(stat, 0)
            return FileContent(stat, 0, b"", FileEntries("", reason, ()))
        digest = content_hash(data)
        if record is not None and record.hash == digest:
            return Unchanged(stat, read_ns)
        return FileContent(stat, read_ns, digest, self._entries(stat.path, data, digest, parsers))

    def _read_with(self, parsers: Parsers) -> Callable[[FileStat], Content]:
        return lambda stat: self.read_one(stat, parsers)

    def _entries(
        self, path: str, data: bytes, digest: bytes, parsers: Parsers | None
    ) -> FileEntries:
        if digest in self._trials.failed:
            return file_entries(path, data, parse=False)
        if parsers is None:
            self._trials.begin(path)
            return file_entries(path, data)
        entries = parsers.parse(path, data)
        if entries is not None:
            return entries
        self._trials.failed.add(digest)
        return file_entries(path, data, parse=False)
