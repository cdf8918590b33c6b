"""Questions that a project's own past asked: what people wrote, and what they meant.

Documentation → function: the first sentence of a function's documentation,
which is blanked in the copy that is indexed; found are its lines. Commit →
files: the message of a commit, asked of its parent's tree; found is a file
that it changed. Only the parent's tree is given, and for its past only the commits
up to the parent, so nothing later can be seen.
Error message → lines: a message as the program prints it; found is the line
that holds it. Each is scored beside BM25 from the same index, with 95 %
intervals of the paired difference.

    python -m bench.recall.history --repo GIT_DIR [--repo …] [--count 60] [--embedder NAME]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.recall.asking import Columns, Heard, Project, opened, state_in
from bench.recall.commits import changes
from bench.recall.docstrings import blank, documented
from bench.recall.messages import messages
from bench.recall.repository import Repository
from bench.recall.scoring import DEPTH, Spot, interval, one_per_file, rank_of, reciprocal
from bench.recall.tables import Table, add_markdown, score, show
from bench.recall.variants import (
    BM25,
    LATELY,
    RANKED_WORDS,
    REPEATS,
    Variant,
    by_vectors,
    ranked,
)
from commonplace.measure.trees import Tree
from commonplace.memory.commits import read_commits, recent_changes
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.search import NOTHING_LEARNED, Learned

HEADER = ["", "hit@1", "hit@5", "hit@10", "MRR", "MRR − BM25", "95 % interval"]


@dataclass(slots=True)
class Ranks:
    """The rank of the first hit of every question, by variant."""

    by_variant: dict[str, list[int | None]]

    def add(self, variant: str, rank: int | None) -> None:
        """Note one question's rank."""
        self.by_variant.setdefault(variant, []).append(rank)


def main() -> None:
    """Measure the repositories named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repo", type=Path, action="append", required=True, help="git folder")
    parser.add_argument("--count", type=int, default=60, help="questions of each kind")
    parser.add_argument("--embedder", default="none")
    add_markdown(parser)
    args = parser.parse_args()
    show(tables(args.repo, args.count, args.embedder), markdown=args.markdown)


def tables(repos: Sequence[Path], count: int, embedder: str) -> Iterator[Table]:
    """Measure both kinds of question on each repository; one table for each kind."""
    documentation: list[tuple[str, Ranks]] = []
    printed: list[tuple[str, Ranks]] = []
    commits: list[tuple[str, Ranks]] = []
    notes = []
    for path in repos:
        repository, name = Repository(path), name_of(path)
        documentation.append((name, ask_documentation(repository, count, embedder)))
        printed.append((name, ask_messages(repository, count, embedder)))
        began = time.perf_counter()
        commits.append((name, ask_commits(repository, count, embedder)))
        notes.append(f"{name} {time.perf_counter() - began:.0f} s")
    title = f"{{}} (embedder: {Path(embedder).name})"
    yield compared(title.format("Documentation → lines of its function"), documentation)
    yield compared(title.format("Error message → the line that holds it"), printed)
    note = f"Moving the index from parent to parent and asking took: {', '.join(notes)}."
    yield compared(title.format("Commit message → a file it changed"), commits, note)


def name_of(git_dir: Path) -> str:
    """Return what people call the repository at `git_dir`."""
    path = git_dir.resolve()
    name = path.parent.name if path.name in {"repo", ".git", "repo.git"} else path.name
    return name.removesuffix(".git").rpartition("+")[2]


def variants_with(embedder: str) -> list[Variant]:
    """Return what is compared."""
    if embedder == "none":
        return [BM25, RANKED_WORDS]
    alone, recall = Variant("vectors alone", by_vectors), Variant("recall", ranked)
    return [BM25, alone, RANKED_WORDS, recall]


def ask_documentation(repository: Repository, count: int, embedder: str) -> Ranks:
    """Ask for functions by what their documentation says."""
    ranks = Ranks({})
    variants = [*variants_with(embedder), *(() if embedder == "none" else REPEATS)]
    with tempfile.TemporaryDirectory() as folder, state_in(None) as state:
        tree = Tree(repository, Path(folder))
        tree.move_to("HEAD")
        questions = documented(Path(folder), readable(Path(folder), state), count)
        blank(Path(folder), questions)
        with opened(Path(folder), state, embedder) as project:
            for question in questions:
                target = {
                    "path": question.path,
                    "start_line": question.start_line,
                    "end_line": question.end_line,
                }
                for variant, spots in answers(project, question.text, variants):
                    ranks.add(variant, rank_of(target, spots[:DEPTH], folder))
    return ranks


def ask_messages(repository: Repository, count: int, embedder: str) -> Ranks:
    """Ask for lines by the error messages that they hold."""
    ranks = Ranks({})
    with tempfile.TemporaryDirectory() as folder, state_in(None) as state:
        Tree(repository, Path(folder)).move_to("HEAD")
        with opened(Path(folder), state, embedder) as project:
            for message in messages(Path(folder), project.memory.files(), count):
                line = message.line
                target = {"path": message.path, "start_line": line, "end_line": line}
                variants = variants_with(embedder)
                for variant, spots in answers(project, message.text, variants):
                    ranks.add(variant, rank_of(target, spots[:DEPTH], folder))
    return ranks


def ask_commits(repository: Repository, count: int, embedder: str) -> Ranks:
    """Ask for files by what commits say, each of its parent's tree."""
    ranks = Ranks({})
    with tempfile.TemporaryDirectory() as folder, state_in(None) as state:
        tree = Tree(repository, Path(folder))
        for change in changes(repository.commits(), count):
            tree.move_to(change.parent)
            targets = [path for path in change.targets if path in tree.files]
            past = read_commits(Path(folder), git_dir=repository.git_dir, start=change.parent)
            learned = Learned(recent=recent_changes(past))
            with opened(Path(folder), state, embedder) as project:
                found = [
                    *answers(project, change.text, variants_with(embedder)),
                    *answers(project, change.text, [LATELY], learned),
                ]
                for variant, spots in found:
                    ranks.add(variant, first_hit(targets, one_per_file(spots)[:DEPTH]))
    return ranks


def readable(root: Path, state: StatePaths) -> list[str]:
    """Return the paths that the product indexes."""
    memory = Memory(root, state, embedder="none")
    try:
        memory.refresh()
        return memory.files()
    finally:
        memory.close()


def answers(
    project: Project,
    text: str,
    variants: Sequence[Variant],
    learned: Learned = NOTHING_LEARNED,
) -> Iterator[tuple[str, list[Spot]]]:
    """Yield the results of one question, by variant."""
    heard: dict[Columns, Heard] = {}
    for variant in variants:
        if variant.columns not in heard:
            heard[variant.columns] = project.hear(text, variant.columns, learned)
        yield variant.name, project.located(variant.order(heard[variant.columns]))


def first_hit(paths: Sequence[str], spots: Sequence[Spot]) -> int | None:
    """Return the rank of the first result in one of `paths`."""
    return next((rank for rank, spot in enumerate(spots, 1) if spot.path in paths), None)


def compared(title: str, results: Sequence[tuple[str, Ranks]], note: str = "") -> Table:
    """Return one table: each repository, then all of them together."""
    together = Ranks({})
    for _, ranks in results:
        for variant, some in ranks.by_variant.items():
            together.by_variant.setdefault(variant, []).extend(some)
    groups = [*results, ("all", together)] if len(results) > 1 else results
    rows = [row for name, ranks in groups for row in rows_of(name, ranks)]
    return Table(title, HEADER, rows, (note,) if note else ())


def rows_of(name: str, ranks: Ranks) -> Iterator[list[str]]:
    """Yield a row for each variant."""
    base = [reciprocal(rank) for rank in ranks.by_variant.get(BM25.name, [])]
    for variant, some in ranks.by_variant.items():
        values = [reciprocal(rank) for rank in some]
        hits = [sum(r is not None and r <= k for r in some) / len(some) for k in (1, 5, 10)]
        mean, low, high = interval(values, base)
        same = variant == BM25.name
        yield [
            f"{name} ({len(some)}): {variant}",
            *map(score, [*hits, sum(values) / len(values)]),
            "" if same else f"{mean:+.3f}",
            "" if same else f"{low:+.3f} … {high:+.3f}",
        ]


if __name__ == "__main__":
    main()
