"""A git directory read without touching it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.measure.trees import REGULAR

FIELD, RECORD = "\x1f", "\x1e"


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit with one parent. `changed` were there before it: edited or removed."""

    id: str
    parent: str
    subject: str
    body: str
    changed: tuple[str, ...]
    added: int


class Repository:
    """A bare repository, or the ``.git`` of a checkout."""

    def __init__(self, git_dir: Path) -> None:
        inner = git_dir / ".git"
        self.git_dir = inner if inner.is_dir() else git_dir

    def git(self, *arguments: str, text: bytes = b"") -> bytes:
        """Run git; raises `CalledProcessError`."""
        command = ["git", f"--git-dir={self.git_dir}", "-c", "core.quotePath=false", *arguments]
        return subprocess.run(command, input=text, capture_output=True, check=True).stdout

    def commits(self) -> Iterator[Commit]:
        """Yield the commits with exactly one parent, oldest first."""
        pretty = RECORD + FIELD.join(("%H", "%P", "%s", "%b", ""))
        wanted = ("--no-merges", "--name-status", "--no-renames", "--reverse", "--topo-order")
        log = self.git("log", *wanted, f"--format={pretty}").decode("utf-8", "replace")
        for record in log.split(RECORD)[1:]:
            commit, parents, subject, body, names = record.split(FIELD, 4)
            if not parents or " " in parents:
                continue
            pairs = [line.split("\t", 1) for line in names.splitlines() if "\t" in line]
            changed = tuple(path for status, path in pairs if status in {"M", "D"})
            yield Commit(commit, parents, subject, body, changed, len(pairs) - len(changed))

    def files(self, commit: str) -> dict[str, str]:
        """Return the regular files of a commit: path → blob."""
        found: dict[str, str] = {}
        for entry in self.git("ls-tree", "-r", "-z", commit).decode("utf-8", "replace").split("\0"):
            head, _, path = entry.partition("\t")
            if path and head.split()[0] in REGULAR:
                found[path] = head.split()[2]
        return found

    def blobs(self, ids: Sequence[str]) -> Iterator[bytes | None]:
        """Yield the content of blobs in order; None where a partial copy lacks one."""
        found = self.git("cat-file", "--batch", text="".join(f"{i}\n" for i in ids).encode())
        position = 0
        for _ in ids:
            end = found.index(b"\n", position)
            head = found[position:end].split()
            position = end + 1
            if head[1] != b"blob":
                yield None
                continue
            size = int(head[2])
            yield found[position : position + size]
            position += size + 1
