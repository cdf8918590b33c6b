"""The past of a project, as its own git history tells it: what changed when, and what was said.

Read through the `git` program where it is installed, from the objects alone.
A folder may come from anywhere, so nothing that its git configuration names is
run (no hooks, monitors, pagers, filters, signature checks), nothing is fetched
and nothing is written. What cannot be read is no history.
"""

from __future__ import annotations

import heapq
import os
import shutil
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from commonplace.workspace.files import never

MAX_COMMITS = 2000
MAX_BYTES = 16 << 20
MAX_SECONDS = 20.0
BLOCK = 1 << 16
HALF_LIFE = 14 * 86_400.0
"""Seconds before the newest commit after which a change counts half."""
MANY_FILES = 30
"""A commit of more files says nothing of any: a move, a format, a licence."""
MAX_PATHS = 5000
LEAST = 1e-3
KEPT_VARIABLES = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
"""What the user's environment may say to git; the rest could point elsewhere."""
FIELD, RECORD = "\x1f", "\x1e"
SAFE = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.quotePath": "false",
    "log.showSignature": "false",
    "diff.orderFile": os.devnull,
    "diff.submodule": "short",
    "protocol.allow": "never",
    "safe.bareRepository": "explicit",
}
"""Configuration that outranks the folder's own."""
ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit that is no merge: `time` in seconds since 1970, paths relative to the project."""

    id: str
    time: int
    text: str
    paths: tuple[str, ...]


def read_commits(
    root: Path,
    *,
    start: str = "HEAD",
    git_dir: Path | None = None,
    limit: int = MAX_COMMITS,
    stop: Callable[[], bool] = never,
) -> list[Commit]:
    """Return up to `limit` commits from `start` on that touch the folder `root`, newest first.

    Without git, or in a folder without a history that git trusts, there are none.
    A history that takes too long is cut short. `git_dir` names a repository
    elsewhere, whose paths are then taken as they are.
    """
    program = shutil.which("git")
    if program is None:
        return []
    settings = [part for key, value in SAFE.items() for part in ("-c", f"{key}={value}")]
    place = ["-C", str(root)] if git_dir is None else [f"--git-dir={git_dir}"]
    pretty = RECORD + FIELD.join(("%H", "%ct", "%B", ""))
    wanted = [
        "log", "-z", f"--max-count={limit}", f"--format={pretty}", "--encoding=UTF-8",
        "--no-merges", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv",
        "--no-color", "--no-decorate", "--no-notes", "--no-show-signature", "--no-mailmap",
    ]  # fmt: skip
    below = ["--relative", start, "--", "."] if git_dir is None else [start, "--"]
    command = [program, "--no-pager", *place, *settings, *wanted, *below]
    return list(_commits(_output(command, stop)))


def recent_changes(commits: Sequence[Commit]) -> dict[str, float]:
    """Return how often each path was changed of late, by path.

    Each change counts the less the longer it lies before the newest of `commits`.
    """
    newest = max((commit.time for commit in commits), default=0)
    counts: defaultdict[str, float] = defaultdict(float)
    for commit in commits:
        share = 0.5 ** ((newest - commit.time) / HALF_LIFE)
        if share >= LEAST and len(commit.paths) <= MANY_FILES:
            for path in commit.paths:
                counts[path] += share
    most = heapq.nlargest(MAX_PATHS, counts, key=counts.__getitem__)
    return {path: round(counts[path], 4) for path in most}


def _output(command: list[str], stop: Callable[[], bool]) -> str:
    """Return what a command prints until it ends, takes too long or prints too much."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in KEPT_VARIABLES
    }
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | ENVIRONMENT,
        )
    except OSError:
        return ""
    assert process.stdout is not None
    pipe = process.stdout.fileno()
    timer = threading.Timer(MAX_SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    blocks: list[bytes] = []
    try:
        size = 0
        while size < MAX_BYTES and not stop() and (block := os.read(pipe, BLOCK)):
            blocks.append(block)
            size += len(block)
    finally:
        timer.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    return b"".join(blocks).decode("utf-8", "replace")


def _commits(log: str) -> Iterator[Commit]:
    """Read the log; a record that is no whole one is passed over."""
    for record in log.split(RECORD)[1:]:
        fields = record.split(FIELD)
        if len(fields) != 4 or not fields[1].isdigit():
            continue
        paths = tuple(filter(None, (path.strip("\n") for path in fields[3].split("\0"))))
        yield Commit(fields[0], int(fields[1]), fields[2].strip(), paths)
