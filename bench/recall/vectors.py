"""Score an embedder by itself: chunks ranked by cosine alone.

The same questions and the same NDCG@10 as `bench.recall.questions`, without
words, names, paths or any other signal, so that embedders can be compared
before one of them becomes the product's.

    python -m bench.recall.vectors --embedder NAME_OR_FOLDER [--embedder …] --repos DIR
        --table dev_repos.tsv --questions dev_queries.jsonl
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.recall.asking import Project, opened, state_in
from bench.recall.development import (
    Asked,
    Repository,
    add_arguments,
    grouped,
    mean_of_means,
    repositories,
)
from bench.recall.scoring import one_per_file
from bench.recall.tables import Table, add_markdown, score, show
from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder, open_embedder
from commonplace.index.rows import read_chunks
from commonplace.paths import StatePaths

BATCH = 512


@dataclass(frozen=True, slots=True)
class Row:
    """What cosine alone scored on one question."""

    asked: Asked
    chunks: float
    files: float


def main() -> None:
    """Embed every repository, ask its questions, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--embedder", action="append", required=True, help="may be repeated")
    parser.add_argument("--state", type=Path, help="keep the indexes here, to use them again")
    add_markdown(parser)
    args = parser.parse_args()
    show(tables(repositories(args), args.embedder, args.state), markdown=args.markdown)


def tables(
    repos: Sequence[Repository], embedders: Sequence[str], folder: Path | None
) -> Iterator[Table]:
    """Score each embedder; yield a table by category and one by repository."""
    results: dict[str, list[Row]] = {}
    speeds: dict[str, float] = {}
    with state_in(folder) as state:
        for name in embedders:
            model = open_embedder(name, state.model_folders())
            assert model is not None, "name an embedder"
            results[name], speeds[name] = embedded(repos, model, state)
    yield by_category(results, speeds)
    yield by_repository(results)


def embedded(
    repos: Sequence[Repository], model: Embedder, state: StatePaths
) -> tuple[list[Row], float]:
    """Return the scores of one embedder, and how many chunks it embeds in a second."""
    rows: list[Row] = []
    chunks, spent = 0, 0.0
    model.embed(["warm up"])
    for repo in repos:
        with opened(repo.root, state, "none") as project:
            texts = texts_of(project)
            began = time.perf_counter()
            parts = [
                model.embed(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)
            ]
            spent += time.perf_counter() - began
            chunks += len(texts)
            matrix = np.concatenate(parts)
            ids = np.fromiter(project.spots, np.int64)
            for asked in repo.questions:
                order = np.argsort(-(matrix @ model.embed([asked.text])[0]), kind="stable")
                spots = project.located(ids[order].tolist())
                files = asked.score(one_per_file(spots), repo.root)
                rows.append(Row(asked, asked.score(spots, repo.root), files))
    return rows, chunks / spent


def texts_of(project: Project) -> list[str]:
    """Return what the product embeds for each chunk, in the order of `project.spots`."""
    with closing(project.memory.store.reader()) as conn:
        rows = read_chunks(conn, list(project.spots))
    return [embedded_text(rows[i].symbol, rows[i].text) for i in project.spots]


def by_category(results: dict[str, list[Row]], speeds: dict[str, float]) -> Table:
    """Return a row per embedder: means over repositories, then categories."""
    first = next(iter(results.values()))
    categories = list(dict.fromkeys(row.asked.category for row in first))
    lines = []
    for name, rows in results.items():
        groups = grouped(rows, lambda row: row.asked.category)
        cells = [
            mean_of_means([(row.asked.repo, row.chunks) for row in rows]),
            mean_of_means([(row.asked.repo, row.files) for row in rows]),
            *(statistics.mean(row.files for row in groups[category]) for category in categories),
        ]
        lines.append([Path(name).name, *map(score, cells), f"{speeds[name]:,.0f}"])
    header = ["", "chunks", "one per file", *categories, "chunks/s"]
    return Table("Vectors alone (NDCG@10; categories: one per file)", header, lines)


def by_repository(results: dict[str, list[Row]]) -> Table:
    """Return a column per embedder."""
    groups = {name: grouped(rows, lambda row: row.asked.repo) for name, rows in results.items()}
    repos = list(next(iter(groups.values())))
    lines = [
        [
            repo,
            *(score(statistics.mean(row.files for row in some[repo])) for some in groups.values()),
        ]
        for repo in repos
    ]
    header = ["", *(Path(name).name for name in results)]
    return Table("Vectors alone by repository (one per file, NDCG@10)", header, lines)


if __name__ == "__main__":
    main()
