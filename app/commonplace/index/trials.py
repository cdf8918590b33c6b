"""Files that crash a native parser, found out and parsed no more.

A grammar is C code, and some input makes it crash the whole process. Where many
files wait, that is a parser process, which is replaced. The memory process
itself parses a handful of files: it keeps the path of the one in hand in a small
file, so that a process that starts and finds one there knows which file its
predecessor died with. That may have been chance, a kill for instance; so the
file is tried once in a parser process. What costs a second process its life is
cut by lines from then on.
"""

from __future__ import annotations

import json
import os
import threading

from commonplace.index.parsers import PATIENCE, Parser, ParserLostError
from commonplace.index.rows import content_hash
from commonplace.index.store import Store
from commonplace.workspace.project import Workspace

FILE_NAME = "parsing"
FAILED = "unparsable"


class Trials:
    """Knows the file in hand, and the contents that crashed a parser.

    `failed` holds content hashes.
    """

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._path = store.path.with_name(FILE_NAME)
        self._store = store
        self.failed = {bytes.fromhex(item) for item in json.loads(store.meta(FAILED) or "[]")}
        self._saved = len(self.failed)
        suspect = self._left_behind()
        if suspect:
            self._try(suspect, workspace)
        self._held = -1

    def begin(self, path: str) -> None:
        """Note that `path` is being parsed. Not flushed: a crash of ours leaves it intact."""
        if self._held < 0:
            self._held = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        data = os.fsencode(path)
        os.pwrite(self._held, data + b"\0", 0)

    def end(self) -> None:
        """Note that nothing is being parsed, and keep what failed meanwhile."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        self._path.unlink(missing_ok=True)
        if len(self.failed) > self._saved:
            self._save()

    def _left_behind(self) -> str:
        try:
            return os.fsdecode(self._path.read_bytes().partition(b"\0")[0])
        except OSError:
            return ""

    def _try(self, path: str, workspace: Workspace) -> None:
        try:
            data = workspace.read(path)
        except OSError:
            return
        if not survives(path, data):
            self.failed.add(content_hash(data))
            self._save()

    def _save(self) -> None:
        with self._store.writing():
            self._store.put_meta(FAILED, json.dumps(sorted(item.hex() for item in self.failed)))
        self._saved = len(self.failed)


def survives(path: str, data: bytes) -> bool:
    """Parse a file in a process of its own; returns whether that ended well."""
    parser = Parser()
    timer = threading.Timer(PATIENCE, parser.kill)
    timer.start()
    try:
        parser.parse(path, data)
    except (ParserLostError, OSError):  # a file that cannot be tried is not trusted either
        return False
    finally:
        timer.cancel()
        timer.join()
        parser.stop()
    return True
