"""Score recall on questions with known files: NDCG@10, as published by semble.

Questions are JSON lines with ``repo``, ``language``, ``query``, ``relevant``,
``secondary`` and ``category``; repositories are a table with ``name`` and
``subfolder``, and lie checked out below one folder. A target's rank is that of
the first result whose path equals it, or ends with ``/`` and it, either way,
and which overlaps its lines where it has some. Chunk results are scored as
they are ranked.

    python -m bench.questions --repos DIR --table dev_repos.tsv --questions dev_queries.jsonl
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.passages import Passage

DEPTH = 10


def main() -> None:
    """Index every repository, ask its questions, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--state", type=Path, help="keep the indexes here, to use them again")
    parser.add_argument("--one-per-file", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--worst", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        base = args.state or Path(folder)
        state = StatePaths(base / "config", base / "data", base / "cache")
        questions = [json.loads(line) for line in args.questions.open(encoding="utf-8")]
        with args.table.open(encoding="utf-8") as file:
            table = list(csv.DictReader(file, delimiter="\t"))
        rows = []
        for repo in table:
            if args.only and repo["name"] not in args.only.split(","):
                continue
            asked = [q for q in questions if q["repo"] == repo["name"]]
            rows += run_repo(repo, args, state, asked)
    report(rows, table, args.worst)


def run_repo(
    repo: Mapping[str, str],
    args: argparse.Namespace,
    state: StatePaths,
    questions: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Index one repository and score its questions."""
    root = args.repos / repo["name"] / repo["subfolder"]
    began = time.perf_counter()
    memory = Memory(root, state, embedder=args.embedder)
    memory.refresh()
    memory.embed()
    memory.report(phase="ready")
    seconds = time.perf_counter() - began
    rows = []
    for question in questions:
        found = memory.search(question["query"], 50 if args.one_per_file else DEPTH)
        passages = one_per_file(found.passages) if args.one_per_file else list(found.passages)
        targets = question["relevant"] + question["secondary"]
        ranks = [rank_of(target, passages[:DEPTH], root) for target in targets]
        rows.append(
            {
                **question,
                "ndcg": ndcg([rank for rank in ranks if rank], len(targets)),
                "ms": found.ms,
                "index_s": seconds,
                "got": [p.path for p in passages[:3]],
            }
        )
    memory.close()
    mean = statistics.mean(row["ndcg"] for row in rows)
    print(f"{repo['name']:12} {mean:.3f}  {seconds:7.2f} s", file=sys.stderr)
    return rows


def one_per_file(passages: Sequence[Passage]) -> list[Passage]:
    """Keep the best passage of each file."""
    return list({passage.path: passage for passage in reversed(passages)}.values())[::-1]


def rank_of(target: Any, passages: Sequence[Passage], root: Path) -> int | None:
    """Return the rank, from 1, of the first passage that hits `target`."""
    path, span = (target, None) if isinstance(target, str) else (target["path"], target)
    for rank, passage in enumerate(passages, start=1):
        full = f"{root.as_posix()}/{passage.path}"
        same = (
            passage.path == path or full.endswith(f"/{path}") or path.endswith(f"/{passage.path}")
        )
        if same and (span is None or overlaps(span, passage)):
            return rank
    return None


def overlaps(span: Mapping[str, Any], passage: Passage) -> bool:
    """Whether the passage shares a line with the target's lines."""
    start, end = span.get("start_line"), span.get("end_line")
    if start is None or end is None:
        return True
    return passage.start_line <= int(end) and passage.end_line >= int(start)


def ndcg(ranks: Sequence[int], relevant: int) -> float:
    """Return NDCG@10 for targets found at `ranks` out of `relevant` targets."""
    gain = sum(1 / math.log2(rank + 1) for rank in set(ranks))
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(relevant, DEPTH) + 1))
    return gain / best if best else 0.0


def report(rows: Sequence[dict[str, Any]], table: Sequence[Mapping[str, str]], worst: int) -> None:
    """Print the scores by repository and by category."""
    published = {row["name"]: row for row in table}
    by_repo = grouped(rows, lambda row: row["repo"])
    print(f"\n{'repository':14}{'NDCG@10':>9}{'semble':>9}{'CodeRank':>10}{'index s':>9}")
    for name, some in by_repo.items():
        ours = statistics.mean(row["ndcg"] for row in some)
        other = published[name]
        print(
            f"{name:14}{ours:9.3f}{float(other['semble_ndcg10']):9.3f}"
            f"{float(other['coderankembed_hybrid_ndcg10']):10.3f}{some[0]['index_s']:9.2f}"
        )
    means = [statistics.mean(r["ndcg"] for r in some) for some in by_repo.values()]
    semble = [float(published[name]["semble_ndcg10"]) for name in by_repo]
    other = [float(published[name]["coderankembed_hybrid_ndcg10"]) for name in by_repo]
    print(
        f"{'mean':14}{statistics.mean(means):9.3f}{statistics.mean(semble):9.3f}"
        f"{statistics.mean(other):10.3f}"
    )
    for category, some in grouped(rows, lambda row: row["category"]).items():
        print(f"{category:14}{statistics.mean(r['ndcg'] for r in some):9.3f}  ({len(some)})")
    times = sorted(row["ms"] for row in rows)
    print(
        f"query ms       p50 {times[len(times) // 2]:.1f}, p95 {times[int(len(times) * 0.95)]:.1f}"
    )
    for row in sorted(rows, key=lambda row: row["ndcg"])[:worst]:
        print(f"{row['ndcg']:.2f} {row['repo']:10} {row['query']!r} {row['relevant']} {row['got']}")


def grouped(
    rows: Sequence[dict[str, Any]], key: Callable[[dict[str, Any]], str]
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows by key, in order of appearance."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


if __name__ == "__main__":
    main()
