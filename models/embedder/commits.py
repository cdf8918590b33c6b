"""Pairs from history: the subject of a commit, and a function it changed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mining import CODE, COPIES, git_environment
from pairs import MAX_CODE, NOISE, Pair, clean, telling

from commonplace.index.languages import language_of

COMMITS = 700
SECONDS = 40
MAX_HUNKS = 2
PREFIX = re.compile(r"^\s*(?:\[[^\]]*\]|\w+(?:\([^)]*\))?!?:|[\w/.-]+:)\s+")
REFERENCE = re.compile(r"\(?#\d+\)?|\bGH-\d+|\b[0-9a-f]{8,40}\b")
CHORES = re.compile(
    r"\b(merge|bump|release|version|changelog|typos?|format|lint|upgrade|update dep\w*|revert|"
    r"readme|prepare|wip|cleanup|ci|v\d+\.\d+)\b",
    re.IGNORECASE,
)


def commit_pairs(repo: Path, revision: str) -> Iterator[Pair]:
    """Yield pairs from the newest commits that changed few files."""
    command = [
        "git", "-C", str(repo), "log", "-p", "-W", "--no-merges", "--no-renames", "--no-color",
        "--diff-filter=M", f"-n{COMMITS}", "--format=%x00%s", revision,
    ]  # fmt: skip
    done = subprocess.run(
        ["timeout", str(SECONDS), *command],  # noqa: S607 - coreutils
        capture_output=True,
        check=False,
        env=git_environment(),
    )
    for record in done.stdout.decode("utf-8", "ignore").split("\0")[1:]:
        subject, _, patch = record.partition("\n")
        query = clean(REFERENCE.sub(" ", PREFIX.sub("", subject)))
        if telling(query) and not CHORES.search(query) and not NOISE.search(query):
            for code in _changed(patch):
                yield Pair("commit", query, code)


def _changed(patch: str) -> list[str]:
    """Return the code after the change, one text per hunk, of a small commit."""
    files = patch.split("\ndiff --git ")
    if len(files) > 6:
        return []
    found = []
    for file in files:
        head, *hunks = file.split("\n@@ ")
        path = head.partition(" b/")[2].partition("\n")[0]
        if language_of(path).name not in CODE or COPIES.search(path):
            continue
        for hunk in hunks[:MAX_HUNKS]:
            lines = hunk.split("\n")[1:]
            if 4 <= len(lines) <= 120 and any(line.startswith("+") for line in lines):
                found.append(_focus([line for line in lines if line[:1] in {"+", " "}]))
    return found[:3]


def _focus(lines: list[str]) -> str:
    """Return the lines around the first change, as long as a chunk is."""
    first = next((i for i, line in enumerate(lines) if line.startswith("+")), 0)
    start = 0 if first < 30 else first - 12
    return "\n".join(line[1:] for line in lines[start : start + 45])[:MAX_CODE]
