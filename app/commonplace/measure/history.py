"""What a project's own past asked: what a commit says, and the files it changed.

The question is the commit's message; the answers are files that it changed and that
were there before. It is asked of the parent's files, laid out in a scratch folder
without any history, so nothing later than the parent can be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from commonplace.measure.sampling import drawn
from commonplace.memory.commits import Commit

MAX_FILES = 10
MIN_WORDS = 4
TRIVIAL = re.compile(
    r"^(?:merge|revert|bump|release|prepare|preparing|version|v?\d+\.\d|\[?(?:ci|pre-commit)\b"
    r"|.*\btypos?\b|update(?:d|s)? (?:the )?(?:changelog|version"
    r"|dependenc\w+|authors|readme|copyright)|start(?:ing)? (?:version )?\d|upgrade \w+ (?:to|from)"
    r"|fixup!|squash!|wip\b|apply black|run (?:black|gofmt|prettier)|lint\b|style:)",
    re.IGNORECASE,
)
"""Messages that do not say what was changed."""
BOOKKEEPING = re.compile(
    r"(?:^|/)(?:change(?:s|log)|history|news|releases?|authors|contributors|version)[^/]*$"
    r"|\.lock$|(?:^|/)(?:package-lock\.json|go\.sum)$",
    re.IGNORECASE,
)
"""Files that a commit changes whatever it is about."""
TRAILER = re.compile(
    r"^[A-Za-z-]+(?:-by|-id|-hash):|^(?:fixes|closes|refs|see) #?\d+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Change:
    """A question from the commit `id`, and the files it changed."""

    id: str
    text: str
    paths: tuple[str, ...]


def question_of(message: str, paths: Iterable[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return what a commit's message asks and which files may answer; None if it is no question."""
    changed = tuple(paths)
    targets = tuple(path for path in changed if not BOOKKEEPING.search(path))
    subject, _, body = message.strip().partition("\n")
    if not targets or len(changed) > MAX_FILES:
        return None
    if TRIVIAL.search(subject) or len(subject.split()) < MIN_WORDS:
        return None
    lines = body.strip().partition("\n\n")[0].splitlines()
    rest = " ".join(line for line in lines if not TRAILER.search(line))
    return f"{subject}\n{rest}".strip(), targets


def changes(commits: Iterable[Commit], count: int, seed: int) -> list[Change]:
    """Return up to `count` questions drawn by `seed`, newest first."""
    found = [
        Change(commit.id, *asked)
        for commit in commits
        if (asked := question_of(commit.text, commit.paths)) is not None
    ]
    return drawn(found, count, seed)
