"""Choose how much files changed of late count, and say what it is worth on unseen projects.

Commit messages that read like a change are asked of their parents' trees, with a
past that ends at the parent. Half-lives and weights are chosen without each
project in turn; only the score on that project says anything about others.

    python -m bench.recall.recent --repo GIT_DIR … [--count 60] [--embedder NAME]
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from bench.recall.asking import opened, state_in
from bench.recall.commits import changes
from bench.recall.history import name_of
from bench.recall.repository import Repository
from bench.recall.scoring import interval, reciprocal
from bench.recall.tables import Table, add_markdown, score, show
from commonplace.measure.trees import Tree
from commonplace.memory import commits as past_module
from commonplace.memory.commits import read_commits, recent_changes
from commonplace.recall.ranking import WEIGHTS, score_of
from commonplace.recall.signals import signals_of

DAYS = (14, 30, 90)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)
Choice = tuple[int, float]
NONE: Choice = (DAYS[0], 0.0)
CHOICES: tuple[Choice, ...] = tuple(itertools.product(DAYS, SHARES))


@dataclass(frozen=True, slots=True)
class Asked:
    """One message: each chunk's path and score without the signal, the past, and what was changed.

    `past` has how often files were changed of late, by days of half-life.
    """

    chunks: Sequence[tuple[str, float, float]]
    past: Mapping[int, Mapping[str, float]]
    targets: Sequence[str]

    def value(self, choice: Choice) -> float:
        """Return the reciprocal rank of the first changed file."""
        days, weight = choice
        logs = {path: math.log1p(count) for path, count in self.past[days].items()}
        top = max((logs.get(path, 0.0) for path, _, _ in self.chunks), default=0.0) or 1.0
        best: dict[str, float] = {}
        for path, before, keeps in self.chunks:
            value = before + weight * keeps * logs.get(path, 0.0) / top
            best[path] = max(value, best.get(path, 0.0))
        order = sorted(best, key=lambda path: -best[path])
        return reciprocal(next((n for n, p in enumerate(order, 1) if p in self.targets), None))


def main() -> None:
    """Ask each repository that is named, choose without it, and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repo", type=Path, action="append", required=True, help="git folder")
    parser.add_argument("--count", type=int, default=60, help="messages of each")
    parser.add_argument("--embedder", default="built-in")
    add_markdown(parser)
    args = parser.parse_args()
    show(tables(args.repo, args.count, args.embedder), markdown=args.markdown)


def tables(repos: Sequence[Path], count: int, embedder: str) -> Iterator[Table]:
    """Ask, then choose for each repository by the others."""
    asked = {name_of(repo): list(ask(Repository(repo), count, embedder)) for repo in repos}
    values = {
        name: {choice: [item.value(choice) for item in some] for choice in CHOICES}
        for name, some in asked.items()
    }
    rows, ours, theirs = [], [], []
    for name, own in values.items():
        others = [value for other, value in values.items() if other != name]
        days, weight = chosen = max(CHOICES, key=lambda c: _mean(others, c))
        without, with_past = (statistics.mean(own[choice]) for choice in (NONE, chosen))
        rows.append([f"{name} ({len(own[NONE])})", f"{days} days, {weight}", score(without),
                     score(with_past), f"{with_past - without:+.3f}"])  # fmt: skip
        ours += own[chosen]
        theirs += own[NONE]
    best = max(CHOICES, key=lambda choice: _mean(list(values.values()), choice))
    gain = "{:+.4f} ({:+.4f} … {:+.4f})".format(*interval(ours, theirs))
    notes = [f"All {len(ours)}: {gain}. Best on all of them: {best[0]} days, {best[1]}."]
    header = ["MRR of the first changed file", "chosen by the others", "without", "with", "gain"]
    yield Table("What changed of late", header, rows, notes)


def ask(repository: Repository, count: int, embedder: str) -> Iterator[Asked]:
    """Yield the messages that read like a change, each asked of its parent's tree."""
    with tempfile.TemporaryDirectory() as folder, state_in(None) as state:
        tree = Tree(repository, Path(folder))
        for change in changes(repository.commits(), count):
            tree.move_to(change.parent)
            with opened(Path(folder), state, embedder) as project:
                heard = project.hear(change.text)
            if not heard.question.change:
                continue
            commits = read_commits(Path(folder), git_dir=repository.git_dir, start=change.parent)
            past = {}
            for days in DAYS:
                with mock.patch.object(past_module, "HALF_LIFE", days * 86_400.0):
                    past[days] = recent_changes(commits)
            weights = WEIGHTS[heard.question.shape]._replace(recent=0.0)
            spoken = signals_of(heard.question, heard.candidates, heard.places)
            chunks = [(s.place.path, score_of(s, weights), s.demotion.keeps) for s in spoken]
            yield Asked(chunks, past, change.targets)


def _mean(values: Sequence[Mapping[Choice, Sequence[float]]], choice: Choice) -> float:
    return float(np.mean([np.mean(some[choice]) for some in values])) if values else 0.0


if __name__ == "__main__":
    main()
