"""How long the development repositories take to be indexed, vectors included.

Each is opened cold, with an empty state folder, in a process that has opened
another one before: parsers and the embedder are loaded, as in a running program.

    python -m bench.recall.opening --repos DIR --table TSV --questions JSONL
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.recall.development import Repository, add_arguments, repositories
from bench.recall.tables import Table, add_markdown, show
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths


def main() -> None:
    """Open every repository and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add_arguments(parser)
    parser.add_argument("--embedder", default="built-in")
    add_markdown(parser)
    args = parser.parse_args()
    show(tables(repositories(args), args.embedder), markdown=args.markdown)


def tables(repos: Sequence[Repository], embedder: str) -> Iterator[Table]:
    """Open the first repository once to warm up, then all of them."""
    opened(repos[0].root, embedder)
    found = {repo.name: opened(repo.root, embedder) for repo in repos}
    rows = [
        [name, f"{files:,}", f"{chunks:,}", f"{seconds:.2f} s"]
        for name, (files, chunks, seconds) in found.items()
    ]
    middle = statistics.median(seconds for _, _, seconds in found.values())
    rows.append(["median", "", "", f"{middle:.2f} s"])
    yield Table(
        "Opening the development repositories", ["", "files", "chunks", "all vectors"], rows
    )


def opened(root: Path, embedder: str) -> tuple[int, int, float]:
    """Index `root` from nothing; return its files, its chunks and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        began = time.perf_counter()
        memory = Memory(
            root, StatePaths(base / "config", base / "data", base / "cache"), embedder=embedder
        )
        try:
            memory.refresh()
            memory.embed()
            return memory.status.files, memory.status.chunks, time.perf_counter() - began
        finally:
            memory.close()


if __name__ == "__main__":
    main()
