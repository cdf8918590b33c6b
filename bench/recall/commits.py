"""Commits as questions: what a change says, and the files it touched."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.recall.repository import Commit

MAX_FILES = 10
MIN_WORDS = 4
SEED = 1
TRIVIAL = re.compile(
    r"^(?:merge|revert|bump|release|prepare|preparing|version|v?\d+\.\d|\[?(?:ci|pre-commit)\b"
    r"|.*\btypos?\b|update(?:d|s)? (?:the )?(?:changelog|version"
    r"|dependenc\w+|authors|readme|copyright)|start(?:ing)? (?:version )?\d|upgrade \w+ (?:to|from)"
    r"|fixup!|squash!|wip\b|apply black|run (?:black|gofmt|prettier)|lint\b|style:)",
    re.IGNORECASE,
)
BOOKKEEPING = re.compile(
    r"(?:^|/)(?:change(?:s|log)|history|news|releases?|authors|contributors|version)[^/]*$"
    r"|\.lock$|(?:^|/)(?:package-lock\.json|go\.sum)$",
    re.IGNORECASE,
)
TRAILER = re.compile(
    r"^[A-Za-z-]+(?:-by|-id|-hash):|^(?:fixes|closes|refs|see) #?\d+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Change:
    """A question from a commit; `targets` are files of the parent that it changed."""

    parent: str
    text: str
    targets: tuple[str, ...]


def changes(commits: Iterable[Commit], count: int) -> list[Change]:
    """Return up to `count` questions, evenly spread over the history, oldest first."""
    return evenly([change for commit in commits if (change := _change(commit))], count)


def evenly(items: Sequence[Change], count: int) -> list[Change]:
    """Return `count` of `items` at even distances from a start that the seed chooses."""
    if len(items) <= count:
        return list(items)
    step = len(items) / count
    start = random.Random(SEED).random() * step
    return [items[int(start + number * step)] for number in range(count)]


def _change(commit: Commit) -> Change | None:
    targets = tuple(path for path in commit.changed if not BOOKKEEPING.search(path))
    if not targets or len(commit.changed) + commit.added > MAX_FILES:
        return None
    if TRIVIAL.search(commit.subject) or len(commit.subject.split()) < MIN_WORDS:
        return None
    lines = commit.body.strip().partition("\n\n")[0].splitlines()
    body = " ".join(line for line in lines if not TRAILER.search(line))
    return Change(commit.parent, f"{commit.subject}\n{body}".strip(), targets)
