"""The development questions: known answers in checked-out repositories.

Questions are JSON lines with ``repo``, ``language``, ``query``, ``relevant``,
``secondary`` and ``category``; repositories are a table with ``name`` and
``subfolder``, and lie checked out below one folder. Scored as published by
semble: a target's rank is that of the first result whose path equals it, or
ends with ``/`` and it, either way, and which overlaps its lines where it has
some; NDCG@10 per question, mean over a repository, mean over repositories.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench.recall.scoring import DEPTH, Spot, ndcg, rank_of

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its answers."""

    repo: str
    language: str
    category: str
    text: str
    targets: tuple[Any, ...]

    def score(self, spots: Sequence[Spot], root: Path) -> float:
        """Return NDCG@10 of the results `spots`."""
        ranks = [rank_of(t, spots[:DEPTH], root.as_posix()) for t in self.targets]
        return ndcg(ranks, len(self.targets))


@dataclass(frozen=True, slots=True)
class Repository:
    """A checked-out repository, what others score on it, and its questions."""

    name: str
    root: Path
    published: dict[str, float]
    questions: tuple[Asked, ...]


def add_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Name the questions and where their repositories are."""
    parser.add_argument("--repos", type=Path, required=required, help="checkouts, by name")
    parser.add_argument("--table", type=Path, required=required, help="the repositories (TSV)")
    parser.add_argument("--questions", type=Path, required=required, help="the questions (JSONL)")
    parser.add_argument("--only", default="", help="repositories by name, with commas")


def repositories(args: argparse.Namespace) -> list[Repository]:
    """Read the repositories and questions that the command line names."""
    with args.questions.open(encoding="utf-8") as file:
        asked = grouped(map(_asked, map(json.loads, file)), lambda question: question.repo)
    with args.table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    wanted = set(filter(None, args.only.split(",")))
    return [
        Repository(
            name=row["name"],
            root=args.repos / row["name"] / row["subfolder"],
            published={
                "semble": float(row["semble_ndcg10"]),
                "CodeRankEmbed hybrid": float(row["coderankembed_hybrid_ndcg10"]),
            },
            questions=tuple(asked[row["name"]]),
        )
        for row in rows
        if not wanted or row["name"] in wanted
    ]


def _asked(line: dict[str, Any]) -> Asked:
    targets = (*line["relevant"], *line["secondary"])
    return Asked(line["repo"], line["language"], line["category"], line["query"], targets)


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Return the items by key, in order of appearance."""
    groups: dict[K, list[T]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


def mean_of_means(scores: Sequence[tuple[str, float]]) -> float:
    """Return the mean over groups of the mean within each group."""
    groups = grouped(scores, lambda pair: pair[0]).values()
    return statistics.mean(statistics.mean(score for _, score in group) for group in groups)
