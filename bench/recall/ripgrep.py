"""The plain alternative: files ranked by how many of the question's words they hold."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from functools import lru_cache
from pathlib import Path

from commonplace.index.words import IDENTIFIER
from commonplace.recall.shapes import STOP_WORDS

MISSING = "ripgrep is not installed (Debian package ripgrep), so its row is missing."


def installed() -> bool:
    """Return whether ripgrep can be started."""
    return shutil.which("rg") is not None


def files_for(question: str, root: Path) -> list[str]:
    """Return the ten files that hold most words of `question`, then most often."""
    words = {w.lower() for w in IDENTIFIER.findall(question)}
    held, times = Counter[str](), Counter[str]()
    for word in sorted(words - STOP_WORDS or words):
        for path, count in _counts(word, root):
            held[path] += 1
            times[path] += count
    return sorted(held, key=lambda path: (-held[path], -times[path], path))[:10]


@lru_cache(maxsize=4096)
def _counts(word: str, root: Path) -> tuple[tuple[str, int], ...]:
    command = ["rg", "-c", "-i", "-w", "--no-messages", "--fixed-strings", "-e", word, "."]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    lines = (line.rpartition(":") for line in found.splitlines())
    return tuple((path.removeprefix("./"), int(count)) for path, _, count in lines)
