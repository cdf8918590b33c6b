"""Score an embedder by itself: chunks ranked by cosine alone, one result per file.

The same questions and the same NDCG@10 as `bench.questions`, without words,
names, paths or any other signal, so that embedders can be compared.

    python -m bench.vectors --embedder models/embedder/model --repos DIR
        --table dev_repos.tsv --questions dev_queries.jsonl
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.questions import DEPTH, grouped, ndcg, rank_of
from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder, SentenceEmbedder
from commonplace.index.static import StaticEmbedder, is_static
from commonplace.index.store import unpack
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.passages import Passage

CHUNKS = (
    "SELECT f.path, c.start_line, c.end_line, c.kind, c.symbol, c.text "
    "FROM chunks c JOIN files f ON f.id = c.file_id ORDER BY c.id"
)


def main() -> None:
    """Embed every repository, ask its questions, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--embedder", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="keep the indexes here, to use them again")
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    folder = args.embedder
    embedder = StaticEmbedder(folder) if is_static(folder) else SentenceEmbedder(folder, threads=1)
    questions = [json.loads(line) for line in args.questions.open(encoding="utf-8")]
    with args.table.open(encoding="utf-8") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        base = args.state or Path(temporary)
        state = StatePaths(base / "config", base / "data", base / "cache")
        for repo in table:
            if not args.only or repo["name"] in args.only.split(","):
                asked = [q for q in questions if q["repo"] == repo["name"]]
                root = args.repos / repo["name"] / repo["subfolder"]
                rows += run_repo(root, embedder, state, asked)
    report(rows)


def chunks_of(root: Path, state: StatePaths) -> list[Passage]:
    """Return every chunk of the project at `root`, as the index cuts it."""
    memory = Memory(root, state, embedder="none")
    memory.refresh()
    found = [
        Passage(path, start, end, unpack(text), 0.0, kind, symbol, ())
        for path, start, end, kind, symbol, text in memory.store.db.conn.execute(CHUNKS)
    ]
    memory.close()
    return found


def run_repo(
    root: Path, embedder: Embedder, state: StatePaths, questions: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Embed one repository and score its questions."""
    chunks = chunks_of(root, state)
    began = time.perf_counter()
    matrix = embedder.embed([embedded_text(chunk.symbol, chunk.text) for chunk in chunks])
    speed = len(chunks) / (time.perf_counter() - began)
    rows = []
    for question in questions:
        scores = matrix @ embedder.embed([question["query"]])[0]
        ranked = (chunks[row] for row in np.argsort(-scores, kind="stable"))
        targets = question["relevant"] + question["secondary"]
        passages = first_of_each_file(ranked)
        ranks = [rank_of(target, passages, root) for target in targets]
        score = ndcg([rank for rank in ranks if rank], len(targets))
        rows.append({**question, "ndcg": score, "speed": speed})
    return rows


def first_of_each_file(ranked: Iterable[Passage]) -> list[Passage]:
    """Return the best passages, one per file, in their order."""
    best: dict[str, Passage] = {}
    for passage in ranked:
        best.setdefault(passage.path, passage)
        if len(best) == DEPTH:
            break
    return list(best.values())


def report(rows: Sequence[dict[str, Any]]) -> None:
    """Print the scores by repository and by category, and the speed."""
    by_repo = grouped(rows, lambda row: row["repo"])
    means = {name: statistics.mean(r["ndcg"] for r in some) for name, some in by_repo.items()}
    for name, mean in means.items():
        print(f"{name:14}{mean:7.3f}{by_repo[name][0]['speed']:9.0f} chunks/s")
    print(f"{'mean':14}{statistics.mean(means.values()):7.3f}")
    for category, some in grouped(rows, lambda row: row["category"]).items():
        print(f"{category:14}{statistics.mean(r['ndcg'] for r in some):7.3f}  ({len(some)})")


if __name__ == "__main__":
    main()
