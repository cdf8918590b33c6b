"""Fit the weights of sentences, and say what they are worth on unseen repositories.

Each file scores its best chunk's weighed signals; the fit makes the files that
answer likely among all that were found (a softmax over files), with a pull
towards equal weights, since 350 questions are few. Cross-validation splits by
repository, several times; only its score says anything about other projects.
The weights committed in `recall.ranking` are this fit on all repositories,
rounded and doubled. Scores are NDCG@10 of files, which is what signals order.

    python -m bench.recall.fit --repos DIR --table TSV --questions JSONL
"""

from __future__ import annotations

import argparse
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
from commonplace.recall.ranking import WEIGHTS
from commonplace.recall.signals import Signals, signals_of

Floats = npt.NDArray[np.float64]
FOLDS = 7
SHARPNESS = 12.0
"""Turns a difference of scores into odds."""
PULL = 0.1
EQUAL = 0.15
STEPS, RATE = 250, 0.03


@dataclass(frozen=True, slots=True)
class Case:
    """One question: the signals of its chunks and what they keep, by file, and the answers."""

    repo: str
    signals: Floats
    keeps: Floats
    files: npt.NDArray[np.int64]
    answers: tuple[frozenset[int], ...]

    def best(self, weights: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Return the score of each file, and the chunk it has it from."""
        scores = (self.signals @ weights) * self.keeps
        order = np.lexsort((-scores, self.files))
        first = np.flatnonzero(np.diff(self.files[order], prepend=-1))
        chunks = order[first]
        return scores[chunks], chunks

    def score(self, weights: Floats) -> float:
        """Return NDCG@10 of the files."""
        best, _ = self.best(weights)
        place = {int(f): rank for rank, f in enumerate(np.argsort(-best, kind="stable")[:10], 1)}
        ranks = [min((place[f] for f in hits if f in place), default=None) for hits in self.answers]
        return ndcg(ranks, len(self.answers))

    def slope(self, weights: Floats) -> Floats:
        """Return how the likelihood of the answers falls as each weight grows."""
        best, chunks = self.best(weights)
        odds = np.exp(SHARPNESS * (best - best.max()))
        wanted = np.zeros(len(best))
        wanted[list(frozenset().union(*self.answers))] = 1.0
        if not wanted.any():
            return np.zeros_like(weights)
        push = SHARPNESS * (odds / odds.sum() - wanted / wanted.sum()) * self.keeps[chunks]
        slope: Floats = push @ self.signals[chunks]
        return slope


def main() -> None:
    """Collect the signals, cross-validate, fit, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--state", type=Path, help="keep the indexes here, to use them again")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    cases: list[Case] = []
    with state_in(args.state) as state:
        for repository in repositories(args):
            with opened(repository.root, state, args.embedder) as project:
                cases += collect(project, repository.questions, repository.root)
    print(machine())
    names = sorted({case.repo for case in cases})
    print(f"{len(cases)} sentences about {len(names)} repositories")
    print(f"committed weights      {mean(cases, np.array(WEIGHTS['sentence']), names):.4f}")
    unseen = [validate(cases, names, seed) for seed in range(args.rounds)]
    print(f"cross-validated        {statistics.mean(unseen):.4f}  {[round(u, 4) for u in unseen]}")
    fitted = fit(cases, names)
    print(f"fitted on all of them  {mean(cases, fitted, names):.4f}")
    for name, value in zip(Signals._fields, fitted, strict=True):
        print(f"  {name:12} {value:.3f}")


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
        keeps=np.array([s.demotion.keeps for s in spoken]),
        files=np.array([number[s.place.path] for s in spoken]),
        answers=tuple(hits),
    )


def mean(cases: Sequence[Case], weights: Floats, repos: Collection[str]) -> float:
    """Return the mean over `repos` of the mean over their questions."""
    groups = grouped((c for c in cases if c.repo in repos), lambda case: case.repo)
    return statistics.mean(
        statistics.mean(case.score(weights) for case in group) for group in groups.values()
    )


def validate(cases: Sequence[Case], names: Sequence[str], seed: int) -> float:
    """Fit without each fold of repositories in turn; return the score on what was left out."""
    order = random.Random(seed).sample(names, len(names))
    total = 0.0
    for fold in range(FOLDS):
        unseen = set(order[fold::FOLDS])
        total += mean(cases, fit(cases, set(names) - unseen), unseen) * len(unseen)
    return total / len(names)


def fit(cases: Sequence[Case], repos: Collection[str]) -> Floats:
    """Return the weights that make the answers of `repos` likely, by Adam; none below 0."""
    groups = grouped((c for c in cases if c.repo in repos), lambda case: case.repo)
    shares = [(case, 1 / len(group) / len(groups)) for group in groups.values() for case in group]
    start = np.full(len(Signals._fields), EQUAL)
    weights, first, second = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, STEPS + 1):
        slope = 2 * PULL * (weights - start)
        for case, share in shares:
            slope += share * case.slope(weights)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        size = np.sqrt(second / (1 - 0.999**step)) + 1e-8
        weights = np.maximum(0.0, weights - RATE * first / (1 - 0.9**step) / size)
    return weights


if __name__ == "__main__":
    main()
