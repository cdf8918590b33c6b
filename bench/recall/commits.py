"""Commits as questions: what a change says, and the files it touched."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.recall.repository import Commit
from commonplace.measure.history import MAX_FILES, question_of

SEED = 1


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
    if len(commit.changed) + commit.added > MAX_FILES:
        return None
    asked = question_of(f"{commit.subject}\n{commit.body}", commit.changed)
    return None if asked is None else Change(commit.parent, *asked)
