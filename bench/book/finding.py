"""Whether notes come up when they answer, and stay away when they do not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.book.sections import Case, Section, about_work, by_heading, cloze, sections
from bench.machine import percentile
from bench.recall.development import Asked, Repository, mean_of_means
from bench.recall.scoring import DEPTH, Spot, interval
from bench.recall.tables import Table, score
from commonplace.book import header
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths

FOREIGN = 100
"""Notes about something else that are put beside each project's code."""
OF_EACH = 25


def found_table(repos: Sequence[Repository], checkouts: Path, state: StatePaths) -> Iterator[Table]:
    """Ask every repository with documents for its own notes; yields a table for each kind."""
    kinds: list[tuple[str, Callable[[Section], Case | None]]] = [
        ("a sentence taken out of the note", cloze),
        ("the heading of a note that does not carry it", by_heading),
    ]
    for name, make in kinds:
        rows = []
        ranks: list[int | None] = []
        times: list[float] = []
        for repo in repos:
            cases = [case for s in sections(checkouts / repo.name) if (case := make(s)) is not None]
            if len(cases) < 5:
                continue
            some = list(_ask_cases(repo, cases, state, times))
            ranks += some
            rows.append([f"{repo.name} ({len(some)})", *shares(some)])
        rows.append([f"all ({len(ranks)})", *shares(ranks)])
        note = (
            f"A search took p50 {percentile(times, 0.5):.1f}, p95 {percentile(times, 0.95):.1f} ms."
        )
        title = f"Questions whose answer stands in a kept note; the question is {name}"
        yield Table(title, ["", "first", "in three", "in ten"], rows, [note])


def loss_tables(repos: Sequence[Repository], checkouts: Path, state: StatePaths) -> Iterator[Table]:
    """Ask the development questions with and without notes of other projects."""
    every = {repo.name: sections(checkouts / repo.name, None) for repo in repos}
    without = {
        repo.name: [q.score(_spots(m, q), repo.root)
                    for m in _opened(repo, [], state) for q in repo.questions]
        for repo in repos
    }  # fmt: skip
    kinds: list[tuple[str, Callable[[Section], bool]]] = [
        ("how other teams work", about_work),
        ("other projects, some of the same field", lambda _: True),
    ]
    for name, wanted in kinds:
        yield _loss(f"notes about {name}", wanted, every, without, repos, state)


def _loss(
    name: str,
    wanted: Callable[[Section], bool],
    every: dict[str, list[Section]],
    without: dict[str, list[float]],
    repos: Sequence[Repository],
    state: StatePaths,
) -> Table:
    rows = []
    plain: list[tuple[str, float]] = []
    noted: list[tuple[str, float]] = []
    for repo in repos:
        some = [list(filter(wanted, found)) for other, found in every.items() if other != repo.name]
        others = [section for found in some for section in found[:OF_EACH]][:FOREIGN]
        cases = [Case(s.heading, s.text, "") for s in others]
        scores, intruded, first = [], 0, 0
        for memory in _opened(repo, cases, state):
            for question in repo.questions:
                found = memory.search(question.text, DEPTH).passages
                intruded += any(p.note for p in found[:DEPTH])
                first += bool(found and found[0].note)
                spots = [Spot(p.path, p.start_line, p.end_line) for p in found]
                scores.append(question.score(spots, repo.root))
        before = without[repo.name]
        means = [sum(values) / len(values) for values in (before, scores)]
        rows.append([f"{repo.name} ({len(scores)})", *map(score, means), str(first), str(intruded)])
        plain += [(repo.name, value) for value in before]
        noted += [(repo.name, value) for value in scores]
    totals = [mean_of_means(plain), mean_of_means(noted)]
    _, low, high = interval([s for _, s in noted], [s for _, s in plain])
    rows.append(["mean", *map(score, totals), "", ""])
    note = f"The loss is {totals[0] - totals[1]:.4f} NDCG@10; 95 % of its interval per question: "
    note += f"{-high:+.4f} … {-low:+.4f}."
    header_row = ["", "no notes", "notes", "a note first", "a note anywhere"]
    return Table(f"Development questions beside {FOREIGN} {name}", header_row, rows, [note])


def shares(ranks: Sequence[int | None]) -> list[str]:
    """Return how many were found first, in the first three and in the first ten."""
    count = max(len(ranks), 1)
    return [f"{sum(r is not None and r <= k for r in ranks) / count:.1%}" for k in (1, 3, 10)]


def _ask_cases(
    repo: Repository,
    cases: Sequence[Case],
    state: StatePaths,
    times: list[float],
) -> Iterator[int | None]:
    for memory in _opened(repo, cases, state):
        for number, case in enumerate(cases):
            began = time.perf_counter()
            found = memory.search(case.question, DEPTH)
            times.append((time.perf_counter() - began) * 1000)
            wanted = f"bench{number:04}"
            yield next((n for n, p in enumerate(found.passages, start=1) if p.note == wanted), None)


def _spots(memory: Memory, question: Asked) -> list[Spot]:
    found = memory.search(question.text, DEPTH)
    return [Spot(p.path, p.start_line, p.end_line) for p in found.passages]


def _opened(repo: Repository, cases: Sequence[Case], state: StatePaths) -> Iterator[Memory]:
    """Yield the repository's memory with exactly these notes, in the user's own folder."""
    with _memory(repo.root, state) as memory:
        folder = memory.book.shelves["private"].folder
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for number, case in enumerate(cases):
            fields = {"id": f"bench{number:04}", "title": case.title, "status": "kept"}
            text = header.new_text(fields, case.text)
            (folder / f"{number:04}.md").write_text(text, encoding="utf-8", errors="replace")
        memory.refresh()
        memory.embed()
        yield memory


@contextmanager
def _memory(root: Path, state: StatePaths) -> Iterator[Memory]:
    memory = Memory(root, state, embedder="built-in")
    try:
        memory.refresh()
        memory.embed()
        yield memory
    finally:
        memory.close()
