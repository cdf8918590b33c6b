"""A project's past read from git's objects, one commit's files at a time, in a scratch folder.

As in `memory.commits`, nothing that a folder's git configuration names is run, nothing
is fetched, and nothing is written into the repository. Objects may have been made by
anybody: only regular files with paths that stay inside are laid out, never links.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from commonplace.memory.commits import ENVIRONMENT, KEPT_VARIABLES, SAFE

REGULAR = frozenset({"100644", "100755"})
MAX_BLOB = 2 << 20
SECONDS = 120.0


class Objects(Protocol):
    """Where the files of commits come from."""

    def files(self, commit: str) -> dict[str, str]:
        """Return the regular files of a commit: path → blob."""

    def blobs(self, ids: Sequence[str]) -> Iterator[bytes | None]:
        """Yield the content of blobs in order; None where one is not there."""


class Git:
    """The history of the folder `root`; `ok` says whether git knows one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._program = shutil.which("git")

    def head(self) -> str:
        """Return the commit that is checked out, or nothing."""
        found = self._run("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return "" if found is None else found.decode("ascii", "replace").strip()

    def parent(self, commit: str) -> str:
        """Return the first parent of a commit, or nothing."""
        found = self._run("rev-parse", "--verify", "--quiet", f"{commit}^1^{{commit}}")
        return "" if found is None else found.decode("ascii", "replace").strip()

    def files(self, commit: str) -> dict[str, str]:
        """Return the regular files of a commit below the folder, of `MAX_BLOB` bytes at most."""
        listed = self._run("ls-tree", "-r", "-z", "-l", commit) or b""
        found: dict[str, str] = {}
        for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
            head, _, path = entry.partition("\t")
            fields = head.split()
            if len(fields) != 4 or fields[0] not in REGULAR or not fields[3].isdigit():
                continue
            if int(fields[3]) <= MAX_BLOB and is_inside(path):
                found[path] = fields[2]
        return found

    def blobs(self, ids: Sequence[str]) -> Iterator[bytes | None]:
        """Yield the content of blobs in order; None where a partial copy lacks one."""
        wanted = "".join(f"{i}\n" for i in ids).encode()
        found = (self._run("cat-file", "--batch", text=wanted) or b"") if ids else b""
        position = 0
        for _ in ids:
            end = found.find(b"\n", position)
            head = found[position : max(end, position)].split()
            position = end + 1 if end >= 0 else len(found)
            if len(head) != 3 or head[1] != b"blob":
                yield None
                continue
            size = int(head[2])
            yield found[position : position + size]
            position += size + 1

    def _run(self, *arguments: str, text: bytes = b"") -> bytes | None:
        """Return what git prints; None where it is not there, refuses or takes too long."""
        if self._program is None:
            return None
        settings = [part for key, value in SAFE.items() for part in ("-c", f"{key}={value}")]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("GIT_") or name in KEPT_VARIABLES
        }
        try:
            done = subprocess.run(
                [self._program, "--no-pager", "-C", str(self._root), *settings, *arguments],
                input=text,
                capture_output=True,
                check=False,
                timeout=SECONDS,
                env=environment | ENVIRONMENT,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None


def is_inside(path: str) -> bool:
    """Whether a path from a tree leads into the folder it is laid out in, and not into git's own.

    Backslashes and colons are separators elsewhere, so they are not trusted either.
    """
    parts = path.split("/")
    return not any(
        part in {"", ".", ".."} or part.lower() == ".git" or "\\" in part or ":" in part
        for part in parts
    )


class Tree:
    """One commit's files in a folder, moved from commit to commit in place.

    Only what differs is written, so an index of the folder stays cheap to keep.
    """

    def __init__(self, objects: Objects, folder: Path) -> None:
        self._objects = objects
        self._folder = folder
        self.files: dict[str, str] = {}

    def move_to(self, commit: str) -> dict[str, bytes | None]:
        """Make the folder what it was at `commit`; return what changed, None for what went."""
        wanted = self._objects.files(commit)
        changed: dict[str, bytes | None] = {}
        for path in self.files.keys() - wanted.keys():
            self._remove(path)
            changed[path] = None
        new = {path: blob for path, blob in wanted.items() if self.files.get(path) != blob}
        for path, data in zip(new, self._objects.blobs(list(new.values())), strict=True):
            if data is None:
                del wanted[path]
                (self._folder / path).unlink(missing_ok=True)
            else:
                target = self._folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            changed[path] = data
        self.files = wanted
        return changed

    def _remove(self, path: str) -> None:
        target = self._folder / path
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder == self._folder or any(folder.iterdir()):
                return
            folder.rmdir()
