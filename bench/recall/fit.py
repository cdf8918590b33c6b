"""Fit the weights of sentences, and say what they are worth on unseen repositories.

Coordinates are changed at random and kept when NDCG@10 of the training
repositories grows. Cross-validation splits by repository, several times; only
its score says anything about other projects. The weights committed in
`recall.ranking` are this fit on all repositories, rounded. Scores are of files
(one result per file), which is what signals can order.

    python -m bench.recall.fit --repos DIR --table TSV --questions JSONL
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.machine import machine
from bench.recall.asking import Heard, Project, opened, state_in
from bench.recall.development import Asked, add_arguments, grouped, repositories
from bench.recall.scoring import Spot, ndcg, rank_of
from commonplace.recall.ranking import DEMOTED, WEIGHTS
from commonplace.recall.signals import Signals, signals_of

Floats = npt.NDArray[np.float64]
FOLDS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """One question: a row of signals and a demotion flag per chunk, and the answers."""

    repo: str
    signals: Floats
    demoted: npt.NDArray[np.bool_]
    files: npt.NDArray[np.int64]
    ranks_of: tuple[frozenset[int], ...]

    def score(self, weights: Floats) -> float:
        """Return NDCG@10 of the files, by their best chunk."""
        scores = self.signals @ weights[:-1] * np.where(self.demoted, weights[-1], 1.0)
        order = list(dict.fromkeys(self.files[np.argsort(-scores, kind="stable")].tolist()))[:10]
        place = {file: rank for rank, file in enumerate(order, start=1)}
        ranks = [
            min((place[f] for f in hits if f in place), default=None) for hits in self.ranks_of
        ]
        return ndcg(ranks, len(self.ranks_of))


def main() -> None:
    """Collect the signals, cross-validate, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--state", type=Path, help="keep the indexes here, to use them again")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    cases: list[Case] = []
    with state_in(args.state) as state:
        for repository in repositories(args):
            with opened(repository.root, state, args.embedder) as project:
                cases += collect(project, repository.questions, repository.root)
    print(machine())
    start = np.array([*WEIGHTS["sentence"], DEMOTED])
    names = sorted({case.repo for case in cases})
    print(f"{len(cases)} sentences about {len(names)} repositories")
    print(f"committed weights      {mean(cases, start, names):.4f}")
    unseen = [validate(cases, start, names, args.steps, seed) for seed in range(args.rounds)]
    print(f"cross-validated        {statistics.mean(unseen):.4f}  {[round(u, 4) for u in unseen]}")
    fitted = climb(cases, start, names, args.steps, 0)
    print(f"fitted on all of them  {mean(cases, fitted, names):.4f}")
    for name, value in zip((*Signals._fields, "demoted"), fitted, strict=True):
        print(f"  {name:12} {value:.2f}")


def collect(project: Project, questions: Sequence[Asked], root: Path) -> list[Case]:
    """Return the signals of every question that reads like a sentence."""
    cases = []
    for asked in questions:
        heard = project.hear(asked.text)
        if heard.question.shape == "sentence":
            cases.append(case_of(asked, heard, root))
    return cases


def case_of(asked: Asked, heard: Heard, root: Path) -> Case:
    """Turn what ranking was given into arrays."""
    spoken = signals_of(heard.question, heard.candidates, heard.places)
    paths = sorted({s.place.path for s in spoken})
    number = {path: index for index, path in enumerate(paths)}
    targets = [t if isinstance(t, str) else t["path"] for t in asked.targets]
    hits = [
        frozenset(number[path] for path in paths if rank_of(t, [Spot(path, 1, 1)], root.as_posix()))
        for t in targets
    ]
    return Case(
        repo=asked.repo,
        signals=np.array([s.signals for s in spoken]),
        demoted=np.array([bool(s.demotion) for s in spoken]),
        files=np.array([number[s.place.path] for s in spoken]),
        ranks_of=tuple(hits),
    )


def mean(cases: Sequence[Case], weights: Floats, repos: Collection[str]) -> float:
    """Return the mean over `repos` of the mean over their questions."""
    groups = grouped((c for c in cases if c.repo in repos), lambda case: case.repo)
    return statistics.mean(
        statistics.mean(case.score(weights) for case in group) for group in groups.values()
    )


def validate(
    cases: Sequence[Case], start: Floats, names: Sequence[str], steps: int, seed: int
) -> float:
    """Fit without each fold of repositories in turn; return the score on what was left out."""
    order = random.Random(seed).sample(names, len(names))
    total = 0.0
    for fold in range(FOLDS):
        unseen = set(order[fold::FOLDS])
        fitted = climb(cases, start, set(names) - unseen, steps, seed * FOLDS + fold)
        total += mean(cases, fitted, unseen) * len(unseen)
    return total / len(names)


def climb(
    cases: Sequence[Case], start: Floats, repos: Collection[str], steps: int, seed: int
) -> Floats:
    """Change a few weights at random, `steps` times, and keep what helps."""
    chance = random.Random(seed)
    best, best_score = start, mean(cases, start, repos)
    for _ in range(steps):
        tried = best.copy()
        for index in chance.sample(range(len(tried)), chance.choice([1, 1, 2, 3])):
            tried[index] *= math.exp(chance.gauss(0, 0.4))
            if chance.random() < 0.3:
                tried[index] = max(0.0, tried[index] + chance.gauss(0, 0.15))
        tried[-1] = min(1.0, max(0.2, tried[-1]))
        score = mean(cases, tried, repos)
        if score > best_score + 1e-6:
            best, best_score = tried, score
    return best


if __name__ == "__main__":
    main()
