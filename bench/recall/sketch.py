"""The sketch against exact search, on vectors of real code.

The chunks of the projects named are embedded; where they are too few they are
repeated with a little noise. Questions are held-out chunks, or the development
questions if they are named. The product's own table is asked both ways, for as
many neighbours as recall asks: recall@10 is the share of the ten exact
neighbours among the first ten found.

    python -m bench.recall.sketch PATH [PATH …] [--embedder NAME] [--questions FILE]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from bench.machine import percentile
from bench.recall.asking import state_in
from bench.recall.tables import Table, add_markdown, score, seconds, show
from commonplace.index import vectors as vectors_module
from commonplace.index.chunks import embedded_text
from commonplace.index.embedder import Embedder, HashEmbedder, Vectors, open_embedder
from commonplace.index.rows import unpack
from commonplace.index.vectors import (
    RESCORED,
    RESCORED_SHARE,
    SKETCH_THRESHOLD,
    VectorTable,
    pack_vectors,
    unpack_vectors,
)
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.search import VECTOR_LIMIT

SIZES = (50_000, 100_000, 200_000, 400_000)
RESCORINGS = (1000, 2000, 4000)
STEP = 4096
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
    rows = [measure(repeated(vectors, size), queries) for size in sizes]
    title = (
        f"Exact search and the sketch: {vectors.shape[1]} dimensions, {len(vectors):,} real rows "
        f"(embedder: {Path(embedder).name}), {len(queries)} questions"
    )
    header = [
        "rows",
        "exact p50 / p95 ms",
        "sketch p50 / p95 ms",
        "recall@10",
        "recall@100",
        "build, processor",
        "memory exact / sketch, MiB",
    ]
    header += [f"{rescored:,} scored exactly: recall@10 / @100" for rescored in RESCORINGS]
    settings = (
        f"The product asks for {VECTOR_LIMIT} neighbours and uses the sketch above "
        f"{SKETCH_THRESHOLD:,} rows; it scores {RESCORED:,} rows and {RESCORED_SHARE:.1%} of all "
        "exactly."
    )
    yield Table(title, header, rows, (settings,))


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


def measure(vectors: Vectors, queries: Vectors) -> list[str]:
    """Return the row of one size."""
    ids = range(1, len(vectors) + 1)
    exact_table = VectorTable(vectors.shape[1], threshold=len(vectors))
    exact_table.add(ids, vectors)
    exact = timed(asking(exact_table), queries)
    mib = [held(exact_table)]
    del exact_table
    table = VectorTable(vectors.shape[1], threshold=min(len(vectors) // 2, SKETCH_THRESHOLD))
    began = time.process_time()
    for start in range(0, len(vectors), STEP):
        table.add(ids[start : start + STEP], vectors[start : start + STEP])
    built = time.process_time() - began
    sketch = timed(asking(table), queries)
    mib.append(held(table))
    cells = [exact.cell(), sketch.cell()]
    cells += [score(recall(exact, sketch, count)) for count in (NEIGHBOURS, VECTOR_LIMIT)]
    cells += [seconds(built), " / ".join(mib)]
    for rescored in RESCORINGS:
        with mock.patch.multiple(vectors_module, RESCORED=rescored, RESCORED_SHARE=0.0):
            found = timed(asking(table), queries)
        both = (score(recall(exact, found, count)) for count in (NEIGHBOURS, VECTOR_LIMIT))
        cells.append(" / ".join(both))
    return [f"{len(vectors):,}", *cells]


def asking(table: VectorTable) -> Callable[[Vectors], list[int]]:
    """Return how the product asks `table`."""
    return lambda query: [n.chunk_id for n in table.search(query, VECTOR_LIMIT)]


def held(table: VectorTable) -> str:
    """Return the MiB of a table's arrays."""
    arrays = (value for value in vars(table).values() if isinstance(value, np.ndarray))
    return f"{sum(array.nbytes for array in arrays) / 2**20:.0f}"


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
