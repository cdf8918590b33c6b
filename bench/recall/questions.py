"""Score recall on questions with known answers, and take its ranking apart.

The ladder begins at BM25 over bodies and adds what recall knows, one signal
after another, up to the vectors of each embedder named; then the same ranking
with one signal left out at a time. Every step calls the product's own search
and ranking. Scores are NDCG@10, for chunk results as they are ranked and for
the best result of each file.

With ``--learned`` the ladder goes on, for the first embedder: a model that reads
the best passages again (``--depth``, slow), and the project's own adapter.

    python -m bench.recall.questions --repos DIR --table dev_repos.tsv
        --questions dev_queries.jsonl [--embedder NAME …] [--learned] [--depth minilm]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import percentile
from bench.recall import development, ripgrep
from bench.recall.asking import Columns, Heard, Project, opened, state_in
from bench.recall.development import Asked, Repository, mean_of_means
from bench.recall.scoring import DEPTH, Spot, one_per_file
from bench.recall.tables import Table, add_markdown, score, show
from bench.recall.variants import (
    ADAPTED,
    BM25,
    LEFT_OUT,
    RANKED_WORDS,
    WORD_LADDER,
    Variant,
    with_vectors,
)
from commonplace.index.embedder import open_embedder
from commonplace.paths import StatePaths
from commonplace.recall.depth import READ, Depth
from commonplace.recall.search import NOTHING_LEARNED, Learned

CATEGORIES = ("semantic", "architecture", "symbol")
RIPGREP = "ripgrep, files by words held"
OUT = "out: "
TOLERANCE = 0.0005


@dataclass(frozen=True, slots=True)
class Row:
    """What one order scored on one question."""

    variant: str
    asked: Asked
    chunks: float
    files: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """All scores, and the product's own time for each question in milliseconds."""

    rows: Sequence[Row]
    times: dict[str, list[float]]
    repos: Sequence[Repository]
    embedders: Sequence[str]


@dataclass(frozen=True, slots=True)
class More:
    """Steps above the product as it comes: what reads again, and the project's own adapter."""

    depth: str = "none"
    adapter: bool = False


def main() -> None:
    """Index every repository, ask its questions, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    development.add_arguments(parser)
    parser.add_argument("--embedder", action="append", default=[], help="may be repeated")
    parser.add_argument("--state", type=Path, help="keep the indexes here, to use them again")
    parser.add_argument("--learned", action="store_true", help="fit each project's adapter too")
    parser.add_argument("--depth", default="none", help="a model that reads the best again")
    add_markdown(parser)
    args = parser.parse_args()
    repos = development.repositories(args)
    more = More(args.depth, adapter=args.learned)
    show(tables(repos, args.embedder, args.state, more), markdown=args.markdown)


def tables(
    repos: Sequence[Repository],
    embedders: Sequence[str],
    folder: Path | None,
    more: More | None = None,
) -> Iterator[Table]:
    """Ask everything, then yield the tables."""
    outcome = ask(repos, [name for name in embedders if name != "none"], folder, more or More())
    yield ladder(outcome)
    if outcome.embedders:
        yield left_out(outcome)
        yield check(outcome)
    yield by_language(outcome)
    yield by_repository(outcome)


def ask(
    repos: Sequence[Repository], embedders: Sequence[str], folder: Path | None, more: More
) -> Outcome:
    """Ask every question of every repository in every variant."""
    rows: list[Row] = []
    times: dict[str, list[float]] = {name: [] for name in ("none", *embedders)}
    with state_in(folder) as state:
        for repo in repos:
            rows += searched(repo)
            for name, spent in times.items():
                rows += asked_with(repo, state, name, spent)
            if embedders and (more.adapter or more.depth != "none"):
                rows += asked_for_more(repo, state, embedders[0], more)
    return Outcome(rows, times, repos, embedders)


def asked_with(
    repo: Repository, state: StatePaths, embedder: str, times: list[float]
) -> Iterator[Row]:
    """Ask one repository with one embedder; the product's times go to `times`."""
    label = Path(embedder).name
    if embedder == "none":
        variants: Sequence[Variant] = WORD_LADDER
    else:
        variants = with_vectors(label)
    with opened(repo.root, state, embedder) as project:
        for asked in repo.questions:
            found = project.memory.search(asked.text, DEPTH)
            times.append(found.ms)
            yield from scored(project, repo, asked, variants)
            if embedder != "none":
                spots = [Spot(p.path, p.start_line, p.end_line) for p in found.passages]
                files = asked.score(one_per_file(spots), repo.root)
                yield Row(product(label), asked, asked.score(spots, repo.root), files)
            if embedder != "none":
                dropped = [Variant(f"{OUT}{label}: {v.name}", v.order) for v in LEFT_OUT]
                yield from scored(project, repo, asked, dropped)


def product(label: str) -> str:
    """Return the name of what `commonplace search` prints."""
    return f"as it is shown, copies folded ({label})"


def asked_for_more(repo: Repository, state: StatePaths, embedder: str, more: More) -> Iterator[Row]:
    """Ask one repository with what `more` names."""
    reader = open_embedder(more.depth, state.model_folders())
    depth = None if reader is None else Depth(reader)
    with opened(repo.root, state, embedder) as project:
        if depth is not None:
            name = f"+ {Path(more.depth).name} over the top {READ}"
            deep = Variant(name, lambda heard: project.deepened(heard, depth))
            for asked in repo.questions:
                yield from scored(project, repo, asked, [deep])
        if more.adapter:
            learned = Learned(project.adapter().matrix)
            for asked in repo.questions:
                yield from scored(project, repo, asked, [ADAPTED], learned)


def scored(
    project: Project,
    repo: Repository,
    asked: Asked,
    variants: Sequence[Variant],
    learned: Learned = NOTHING_LEARNED,
) -> Iterator[Row]:
    """Score one question in each of the variants."""
    heard: dict[Columns, Heard] = {}
    for variant in variants:
        if variant.columns not in heard:
            heard[variant.columns] = project.hear(asked.text, variant.columns, learned)
        spots = project.located(variant.order(heard[variant.columns]))
        files = asked.score(one_per_file(spots), repo.root)
        yield Row(variant.name, asked, asked.score(spots, repo.root), files)


def searched(repo: Repository) -> Iterator[Row]:
    """Score ripgrep on the questions of one repository."""
    if not ripgrep.installed():
        return
    for asked in repo.questions:
        spots = [Spot(path, 1, 1 << 30) for path in ripgrep.files_for(asked.text, repo.root)]
        value = asked.score(spots, repo.root)
        yield Row(RIPGREP, asked, value, value)


def ladder(outcome: Outcome) -> Table:
    """Return the main table: what each signal adds."""
    names = [name for name in names_of(outcome) if not name.startswith(OUT)]
    # Vectors alone stand beside ripgrep: they are no step of the ladder.
    names.sort(key=lambda name: not (name == RIPGREP or name.startswith("vectors alone")))
    speeds = [
        f"{Path(name).name}: p50 {percentile(ms, 0.5):.1f}, p95 {percentile(ms, 0.95):.1f} ms"
        for name, ms in outcome.times.items()
    ]
    notes = [f"The product's search, by embedder: {'; '.join(speeds)}."]
    if not ripgrep.installed():
        notes.append(ripgrep.MISSING)
    title = f"What each signal adds (NDCG@10, {count(outcome)} questions)"
    header = ["", "chunks", "one per file", *CATEGORIES]
    return Table(title, header, [scores_row(outcome, name) for name in names], notes)


def left_out(outcome: Outcome) -> Table:
    """Return what is lost when one signal is missing."""
    names = [name for name in names_of(outcome) if name.startswith(OUT)]
    header = ["", "chunks", "one per file", *CATEGORIES]
    rows = [[row[0].removeprefix(OUT), *row[1:]] for row in map(scores_of(outcome), names)]
    return Table("One signal left out, or repeats of a file changed (NDCG@10)", header, rows)


def check(outcome: Outcome) -> Table:
    """Return whether the hybrid ever scores below its best member, by category."""
    rows = []
    for embedder in outcome.embedders:
        label = Path(embedder).name
        vectors, hybrid = (variant.name for variant in with_vectors(label))
        for category in ("", *CATEGORIES):
            ours = mean(outcome, hybrid, category)
            members = {name: mean(outcome, name, category) for name in (BM25.name, vectors)}
            words = mean(outcome, RANKED_WORDS.name, category)
            best = max(members.values())
            rows.append(
                [
                    f"{label}: {category or 'all'}",
                    *map(score, (ours, *members.values(), words)),
                    "yes" if ours >= best - TOLERANCE else "NO",
                    "yes" if ours >= words - TOLERANCE else "NO",
                ]
            )
    title = "Is the hybrid ever below its best member? (chunks, NDCG@10)"
    header = ["", "hybrid", "BM25", "vectors", "no vectors", "≥ members", "≥ no vectors"]
    return Table(title, header, rows)


def by_language(outcome: Outcome) -> Table:
    """Return the main variants by language."""
    names = main_variants(outcome)
    languages = list(dict.fromkeys(row.asked.language for row in outcome.rows))
    rows = []
    for language in languages:
        cells = [mean(outcome, name, language=language) for name in names]
        questions = sum(
            row.asked.language == language for row in outcome.rows if row.variant == names[0]
        )
        rows.append([f"{language} ({questions})", *map(score, cells)])
    return Table("By language (chunks, NDCG@10)", ["", *names], rows)


def by_repository(outcome: Outcome) -> Table:
    """Return the main variants by repository, beside what others published."""
    names = main_variants(outcome)
    published = list(outcome.repos[0].published)
    rows = []
    for repo in outcome.repos:
        ours = [mean(outcome, name, repo=repo.name) for name in names]
        rows.append([repo.name, *map(score, [*ours, *repo.published.values()])])
    totals = [mean(outcome, name) for name in names]
    totals += [
        statistics.mean(repo.published[name] for repo in outcome.repos) for name in published
    ]
    rows.append(["mean", *map(score, totals)])
    return Table("By repository (chunks, NDCG@10)", ["", *names, *published], rows)


def main_variants(outcome: Outcome) -> list[str]:
    """Return the variants worth a column: BM25, without vectors, and each hybrid."""
    hybrids = [with_vectors(Path(name).name)[1].name for name in outcome.embedders]
    return [BM25.name, RANKED_WORDS.name, *hybrids]


def names_of(outcome: Outcome) -> list[str]:
    """Return the variants in order of appearance."""
    return list(dict.fromkeys(row.variant for row in outcome.rows))


def count(outcome: Outcome) -> int:
    """Return how many questions were asked."""
    return sum(len(repo.questions) for repo in outcome.repos)


def scores_of(outcome: Outcome) -> Callable[[str], list[str]]:
    """Return what makes the row of a variant."""
    return lambda name: scores_row(outcome, name)


def scores_row(outcome: Outcome, name: str) -> list[str]:
    """Return one row: means over repositories, then categories of questions."""
    cells = [mean(outcome, name), mean(outcome, name, files=True)]
    cells += [mean(outcome, name, category) for category in CATEGORIES]
    return [name, *map(score, cells)]


def mean(
    outcome: Outcome,
    variant: str,
    category: str = "",
    *,
    language: str = "",
    repo: str = "",
    files: bool = False,
) -> float:
    """Return the mean over repositories; over questions when a category is named."""
    scores = [
        (row.asked.repo, row.files if files else row.chunks)
        for row in outcome.rows
        if row.variant == variant
        and category in {"", row.asked.category}
        and language in {"", row.asked.language}
        and repo in {"", row.asked.repo}
    ]
    if not scores:
        return 0.0
    if category:
        return statistics.mean(value for _, value in scores)
    return mean_of_means(scores)


if __name__ == "__main__":
    main()
