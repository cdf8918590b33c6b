"""What adapting to a project's own words is worth: on its held-out pairs, and on known questions.

For each repository: its pairs (the first sentence of a function's documentation,
and the function without it); among vectors alone and in the whole of recall, the
share of held-out sentences whose code is among the first three, without and with
the map; whether the product keeps it; and NDCG@10 of the development questions
without it, with what the product keeps, and with the map in any case.

    python -m bench.recall.adapter --repos DIR --table TSV --questions JSONL
        [--embedder NAME] [--state DIR]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.recall import development
from bench.recall.asking import Project, opened, state_in
from bench.recall.development import Repository
from bench.recall.scoring import interval
from bench.recall.tables import Table, add_markdown, score, show
from bench.recall.variants import ranked
from commonplace.index.embedder import Embedder, Vectors, open_embedder
from commonplace.index.vectors import load_table
from commonplace.recall.adapter import MIN_PAIRS, Adapter, adapted, fit
from commonplace.recall.documented import documented_chunks
from commonplace.recall.search import NOTHING_LEARNED, Learned
from commonplace.recall.trial import FOLDS, TOP, chosen, embedded, fold_of
from commonplace.workspace.files import never

HEADER = [
    "", "pairs", "vectors alone", "with map", "recall", "with map", "MRR gain", "95 % interval",
    "kept", "time", "questions", "as kept", "map in any case",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One repository: the product's adapter, and every score that it is judged by.

    `alone` is (without, with) among vectors; `questions` the NDCG@10 of each
    question without a map, as the product keeps it, and with it in any case.
    """

    name: str
    adapter: Adapter
    seconds: float
    alone: tuple[float, float]
    questions: tuple[list[float], list[float], list[float]]


def main() -> None:
    """Measure every repository that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    development.add_arguments(parser)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--state", type=Path, help="keep the indexes here, to use them again")
    add_markdown(parser)
    args = parser.parse_args()
    repos = development.repositories(args)
    show(tables(repos, args.embedder, args.state), markdown=args.markdown)


def tables(repos: Sequence[Repository], embedder: str, folder: Path | None) -> Iterator[Table]:
    """Fit an adapter to each repository and judge it; one table."""
    rows = []
    with state_in(folder) as state:
        model = open_embedder(embedder, state.model_folders(), threads=1)
        if model is None:
            raise SystemExit("Adapting needs an embedder.")
        for repo in repos:
            with opened(repo.root, state, embedder) as project:
                rows.append(measured(repo, project, model))
    before, kept, forced = (
        [value for row in rows for value in row.questions[number]] for number in range(3)
    )
    notes = [
        f"All questions, {name}: {{:+.4f}} ({{:+.4f}} … {{:+.4f}}).".format(*interval(some, before))
        for name, some in (("as kept", kept), ("with the map in any case", forced))
    ]
    yield Table("A project's own words", HEADER, [cells(row) for row in rows], notes)


def measured(repo: Repository, project: Project, model: Embedder) -> Row:
    """Fit, judge and ask one repository."""
    began = time.perf_counter()
    adapter = project.adapter()
    spent = time.perf_counter() - began
    forced, alone = by_vectors_alone(project, model)
    before = asked(repo, project, None)
    return Row(
        repo.name,
        adapter,
        spent,
        alone,
        (before, asked(repo, project, adapter.matrix), asked(repo, project, forced)),
    )


def by_vectors_alone(
    project: Project, model: Embedder
) -> tuple[Vectors | None, tuple[float, float]]:
    """Return a map fitted to all pairs, and hits among vectors without and with maps of others."""
    conn = project.memory.store.reader()
    try:
        pairs = chosen(documented_chunks(conn))
        if len(pairs) < MIN_PAIRS:
            return None, (0.0, 0.0)
        code = embedded(model, [f"{p.symbol.replace('.', ' ')}\n{p.code}" for p in pairs], never)
        table = load_table(conn, model.id, model.dimensions)
    finally:
        conn.close()
    questions = embedded(model, [pair.text for pair in pairs], never)
    ids = [pair.chunk_id for pair in pairs]
    table.remove(ids)
    table.add(ids, code)
    folds = np.array([fold_of(pair.path) for pair in pairs])
    maps = [fit(questions[folds != fold], code[folds != fold]) for fold in range(FOLDS)]
    hits: tuple[list[bool], list[bool]] = ([], [])
    for own, query, fold in zip(ids, questions, folds, strict=True):
        for some, vector in zip(hits, (query, adapted(query, maps[fold])), strict=True):
            some.append(own in {near.chunk_id for near in table.search(vector, TOP)})
    return fit(questions, code), (statistics.mean(hits[0]), statistics.mean(hits[1]))


def asked(repo: Repository, project: Project, matrix: Vectors | None) -> list[float]:
    """Return NDCG@10 of each development question, with a map or without."""
    learned = NOTHING_LEARNED if matrix is None else Learned(matrix)
    return [
        question.score(
            project.located(ranked(project.hear(question.text, learned=learned))), repo.root
        )
        for question in repo.questions
    ]


def cells(row: Row) -> list[str]:
    """Return the row of one repository."""
    figures = row.adapter.figures
    questions = [score(statistics.mean(some)) for some in row.questions]
    if figures.problem:
        return [row.name, str(figures.pairs), *[""] * 6, "no", f"{row.seconds:.0f} s", *questions]
    low, high = figures.ci
    return [
        row.name,
        str(figures.pairs),
        *map(score, row.alone),
        *map(score, (figures.base, figures.adapted)),
        f"{figures.gain:+.3f}",
        f"{low:+.3f} … {high:+.3f}",
        "yes" if figures.kept else "no",
        f"{row.seconds:.0f} s",
        *questions,
    ]


if __name__ == "__main__":
    main()
