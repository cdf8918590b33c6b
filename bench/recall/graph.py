"""hnswlib against exact search, on vectors of real code.

The chunks of the projects named are embedded and repeated with a little noise
until there are enough rows. Questions are held-out chunks, or the development
questions if they are named. The product's own table is asked both ways, for as
many neighbours as recall asks; below it the same graph is asked alone, so that
the choice of `ef` can be seen: recall@10 is the share of the ten exact
neighbours that it returns.

    python -m bench.recall.graph PATH [PATH …] [--embedder NAME] [--questions FILE]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hnswlib
import numpy as np

from bench.machine import percentile
from bench.recall.asking import state_in
from bench.recall.tables import Table, add_markdown, score, seconds, show
from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder, HashEmbedder, Vectors, open_embedder
from commonplace.index.rows import unpack
from commonplace.index.vectors import (
    GRAPH_BUILD,
    GRAPH_FILE,
    GRAPH_LINKS,
    GRAPH_SEARCH,
    GRAPH_THRESHOLD,
    VectorTable,
    pack_vectors,
    unpack_vectors,
)
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.search import VECTOR_LIMIT

SIZES = (20_000, 50_000, 100_000, 200_000)
BREADTHS = (50, 100, 200, 400)
QUERIES = 200
NEIGHBOURS = 10
NOISE = 0.35
"""Length of the noise added to repeated unit vectors: their cosine is about 0.94."""
BATCH = 512


@dataclass(frozen=True, slots=True)
class Timed:
    """What a search returned for every question, and the milliseconds of each."""

    ids: list[list[int]]
    ms: list[float]

    def cell(self) -> str:
        """Return p50 / p95."""
        return f"{percentile(self.ms, 0.5):.2f} / {percentile(self.ms, 0.95):.2f}"


def main() -> None:
    """Measure on the projects named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--questions", type=Path, help="JSON lines with a query")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    add_markdown(parser)
    args = parser.parse_args()
    found = tables(args.paths, args.embedder, args.questions, args.sizes)
    show(found, markdown=args.markdown)


def tables(
    paths: Sequence[Path], embedder: str, questions: Path | None, sizes: Sequence[int] = SIZES
) -> Iterator[Table]:
    """Measure each size; yield one table."""
    vectors, queries = real_vectors(paths, embedder, questions)
    rows, wins = [], []
    for size in sizes:
        row, won = measure(repeated(vectors, size), queries)
        rows.append(row)
        wins += [size] if won else []
    where = f"from {wins[0]:,} rows on" if wins else "at none of these sizes"
    title = (
        f"Exact search and the graph: {vectors.shape[1]} dimensions, {len(vectors):,} real rows "
        f"(embedder: {Path(embedder).name}), {len(queries)} questions"
    )
    header = [
        "rows",
        "exact p50 / p95 ms",
        "graph p50 / p95 ms",
        "recall@10",
        "recall@100",
        "build",
    ]
    header += [f"ef {ef}: ms, recall@10" for ef in BREADTHS]
    speed = (
        f"The graph's median is below exact search's {where}; the product uses it above "
        f"{GRAPH_THRESHOLD:,} rows."
    )
    settings = (
        f"The product asks for {VECTOR_LIMIT} neighbours with M {GRAPH_LINKS}, "
        f"ef_construction {GRAPH_BUILD}, ef at least {GRAPH_SEARCH}; single ef columns ask "
        f"the graph alone for {NEIGHBOURS}."
    )
    yield Table(title, header, rows, (speed, settings))


def real_vectors(
    paths: Sequence[Path], embedder: str, questions: Path | None
) -> tuple[Vectors, Vectors]:
    """Return the vectors of all chunks, and of the questions to be asked."""
    with state_in(None) as state:
        model = chosen(embedder, state)
        texts = list(dict.fromkeys(text for path in paths for text in texts_of(path, state)))
    vectors = np.concatenate(
        [model.embed(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
    )
    vectors = unpack_vectors(pack_vectors(vectors), model.dimensions)  # as the store keeps them
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 0.5]
    if questions is not None:
        lines = questions.read_text(encoding="utf-8").splitlines()[:QUERIES]
        return vectors, model.embed([json.loads(line)["query"] for line in lines])
    order = np.random.default_rng(1).permutation(len(vectors))
    held = min(QUERIES, len(vectors) // 2)
    return vectors[order[held:]], vectors[order[:held]]


def chosen(embedder: str, state: StatePaths) -> Embedder:
    """Return the embedder named; the fake one with as many dimensions as ours."""
    if embedder in {"hash", "none"}:
        return HashEmbedder(256)
    model = open_embedder(embedder, state.model_folders())
    assert model is not None
    return model


def texts_of(path: Path, state: StatePaths) -> list[str]:
    """Return what the product would embed for a project."""
    memory = Memory(path, state, embedder="none")
    try:
        memory.refresh()
        rows = memory.store.db.conn.execute("SELECT symbol, text FROM chunks ORDER BY id")
        return [embedded_text(symbol, unpack(text)) for symbol, text in rows]
    finally:
        memory.close()


def repeated(vectors: Vectors, size: int) -> Vectors:
    """Return `size` unit vectors: the real ones, then copies with noise."""
    random = np.random.default_rng(2)
    parts, left = [vectors[:size]], size - len(vectors)
    while left > 0:
        some = vectors[:left]
        noise = random.standard_normal(some.shape, dtype=np.float32)
        some = some + noise * (NOISE / np.sqrt(vectors.shape[1]))
        parts.append(some / np.linalg.norm(some, axis=1, keepdims=True))
        left -= len(some)
    return np.concatenate(parts).astype(np.float32)


def measure(vectors: Vectors, queries: Vectors) -> tuple[list[str], bool]:
    """Return the row of one size, and whether the graph's median won."""
    table = VectorTable(vectors.shape[1], threshold=0)
    table.add(range(len(vectors)), vectors)

    def product(query: Vectors) -> list[int]:
        return [neighbour.chunk_id for neighbour in table.search(query, VECTOR_LIMIT)]

    exact = timed(product, queries)
    began = time.perf_counter()
    table.build_graph()
    built = time.perf_counter() - began
    graph = timed(product, queries)
    cells = [exact.cell(), graph.cell()]
    cells += [score(recall(exact, graph, count)) for count in (NEIGHBOURS, VECTOR_LIMIT)]
    cells.append(seconds(built))
    with tempfile.TemporaryDirectory() as folder:
        table.save_graph(Path(folder), "bench")
        alone = hnswlib.Index(space="ip", dim=vectors.shape[1])
        alone.load_index(str(Path(folder) / GRAPH_FILE))
    cells += [breadth(alone, ef, exact, queries) for ef in BREADTHS]
    won = percentile(graph.ms, 0.5) < percentile(exact.ms, 0.5)
    return [f"{len(vectors):,}", *cells], won


def breadth(graph: Any, ef: int, exact: Timed, queries: Vectors) -> str:
    """Return median and recall of the graph alone at one `ef`."""
    graph.set_ef(ef)

    def ask(query: Vectors) -> list[int]:
        labels, _ = graph.knn_query(query, k=NEIGHBOURS, num_threads=1)
        return [int(label) for label in labels[0]]

    found = timed(ask, queries)
    return f"{percentile(found.ms, 0.5):.2f}, {score(recall(exact, found, NEIGHBOURS))}"


def timed(ask: Callable[[Vectors], list[int]], queries: Vectors) -> Timed:
    """Ask every question once, after a few to warm up."""
    for query in queries[:5]:
        ask(query)
    ids, ms = [], []
    for query in queries:
        began = time.perf_counter()
        ids.append(ask(query))
        ms.append((time.perf_counter() - began) * 1000)
    return Timed(ids, ms)


def recall(exact: Timed, found: Timed, count: int) -> float:
    """Return the share of the first `count` exact neighbours among the first found."""
    pairs = zip(exact.ids, found.ids, strict=True)
    return float(np.mean([len({*e[:count]} & {*f[:count]}) / len(e[:count]) for e, f in pairs]))


if __name__ == "__main__":
    main()
