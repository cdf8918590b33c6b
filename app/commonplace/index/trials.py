"""Files that crash a native parser, found out and parsed no more.

A grammar is C code, and some input makes it crash the whole process. So the
path of the file in hand is kept in a small file: a process that starts and
finds one there knows which file its predecessor died with. That may have been
chance, a kill for instance; so the file is tried once in a process of its own,
and if that dies too, its content is cut by lines from then on.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys

from commonplace.index.chunks import chunk_file
from commonplace.index.rows import content_hash
from commonplace.index.store import Store
from commonplace.index.text import NotTextError, decode
from commonplace.paths import worker_command
from commonplace.workspace.project import Workspace

FILE_NAME = "parsing"
FAILED = "unparsable"
TRIAL_SECONDS = 60.0


class Trials:
    """Knows the file in hand, and the contents that crashed a parser.

    `failed` holds content hashes.
    """

    def __init__(self, workspace: Workspace, store: Store) -> None:
        self._path = store.path.with_name(FILE_NAME)
        self.failed = {bytes.fromhex(item) for item in json.loads(store.meta(FAILED) or "[]")}
        suspect = self._left_behind()
        if suspect:
            self._try(suspect, workspace, store)
        self._held = -1

    def begin(self, path: str) -> None:
        """Note that `path` is being parsed. Not flushed: a crash of ours leaves it intact."""
        if self._held < 0:
            self._held = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        data = os.fsencode(path)
        os.pwrite(self._held, data + b"\0", 0)

    def end(self) -> None:
        """Note that nothing is being parsed."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        self._path.unlink(missing_ok=True)

    def _left_behind(self) -> str:
        try:
            return os.fsdecode(self._path.read_bytes().partition(b"\0")[0])
        except OSError:
            return ""

    def _try(self, path: str, workspace: Workspace, store: Store) -> None:
        try:
            data = workspace.read(path)
        except OSError:
            return
        if not survives(path, data):
            self.failed.add(content_hash(data))
            with store.writing():
                store.put_meta(FAILED, json.dumps(sorted(item.hex() for item in self.failed)))


def survives(path: str, data: bytes) -> bool:
    """Chunk a file in a process of its own; returns whether that ended well."""
    try:
        done = subprocess.run(
            worker_command("trial"),
            input=os.fsencode(path) + b"\0" + data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TRIAL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    """Chunk the file on standard input; the exit status says whether it went well."""
    path, _, data = sys.stdin.buffer.read().partition(b"\0")
    with contextlib.suppress(NotTextError):
        chunk_file(os.fsdecode(path), decode(data))
    sys.exit(0)
