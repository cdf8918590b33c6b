"""A very large folder: opening it, opening it again, and switching its branch.

The folder is copied, so that the switch can change the copy. Times are those a
window would see from the memory process, which gives one processor to
embedding; the processor seconds beside them hardly depend on what else the
machine does. The switch edits up to a thousand files and counts how many texts
are embedded that were known before.

    python -m bench.recall.scale PATH [PATH …] [--embedder NAME]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from unittest import mock

import psutil

from bench.project import QUESTIONS, Session, peak
from bench.recall.tables import Table, add_markdown, seconds, show
from commonplace.index.embedder import Embedder, Vectors, open_embedder
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths

SWITCHED = 1000
LEFT_OUT = (".git", "site-packages", "node_modules")
Figures = dict[str, str]


def main() -> None:
    """Measure the folders named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--embedder", default="none")
    add_markdown(parser)
    args = parser.parse_args()
    show(tables(args.paths, args.embedder), markdown=args.markdown)


def tables(paths: Sequence[Path], embedder: str) -> Iterator[Table]:
    """Measure each folder and yield one table for all."""
    columns = [measure(path.resolve(), embedder) for path in paths]
    rows = [[label, *(column[label] for column in columns)] for label in columns[0]]
    header = ["", *(path.name for path in paths)]
    yield Table(f"Opening a large folder (embedder: {embedder})", header, rows)


def measure(path: Path, embedder: str) -> Figures:
    """Open a copy of `path` cold, again, and after a switch of branch."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copytree(path, copy, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
        home = Path(folder) / "home"
        home.mkdir()
        with mock.patch.dict(os.environ, {"COMMONPLACE_HOME": str(home)}):
            figures = told(cold(home, copy, embedder))
            figures |= told(reopened(home, copy, embedder))
            figures |= told(switched(copy, StatePaths.from_environment(), embedder))
    return figures


def told(figures: Figures) -> Figures:
    """Say at once what is known: the whole may take half an hour."""
    print(*(f"{label}: {value}" for label, value in figures.items()), sep="\n", file=sys.stderr)
    return figures


def cold(home: Path, path: Path, embedder: str) -> Figures:
    """Open with an empty state folder."""
    with Session(home) as session, Together(session.worker.pid) as together:
        worker = psutil.Process(session.worker.pid)
        began = time.perf_counter()
        session.ask("open", path=str(path), embedder=embedder)
        session.until(lambda: session.finds(QUESTIONS[1]) or session.phase() == "ready")
        first = time.perf_counter() - began
        session.until(lambda: session.phase() in {"embedding", "ready"}, 0.1)
        words, words_cpu = time.perf_counter() - began, processor(worker)
        words_peak, words_load = together.peak(), os.getloadavg()[1]
        session.until(lambda: session.phase() == "ready", 0.5)
        vectors, vectors_cpu = time.perf_counter() - began, processor(worker)
        status = session.ask("status")
        figures = {
            "files": f"{status['files']:,}",
            "chunks": f"{status['chunks']:,}",
            "first keyword result": seconds(first),
            "all words": seconds(words),
            "all words, processor": seconds(words_cpu),
            "load meanwhile": f"{words_load:.1f}",
            "peak memory, words": words_peak,
        }
        if embedder != "none":
            figures["all vectors"] = seconds(vectors)
            figures["all vectors, processor"] = seconds(vectors_cpu)
            figures["peak memory, vectors"] = together.peak()
        figures |= session.latency()
    size = sum(f.stat().st_size for f in home.rglob("*") if f.is_file())
    return figures | {"state on disk": f"{size / 2**20:,.0f} MiB"}


def reopened(home: Path, path: Path, embedder: str) -> Figures:
    """Open again, nothing having changed."""
    with Session(home) as session:
        worker = psutil.Process(session.worker.pid)
        began = time.perf_counter()
        session.ask("open", path=str(path), embedder=embedder)
        session.until(lambda: session.finds(QUESTIONS[1]) or session.phase() == "ready")
        first = time.perf_counter() - began
        session.until(lambda: session.phase() == "ready", 0.05)
        return {
            "reopened, first result": seconds(first),
            "reopened, all checked": seconds(time.perf_counter() - began),
            "reopened, processor": seconds(processor(worker)),
            "reopened, peak memory": peak(worker.pid),
        }


@dataclass(slots=True, eq=False)
class Counting:
    """An embedder that remembers how many texts it was given."""

    inner: Embedder
    texts: int = 0

    @property
    def id(self) -> str:
        """The inner embedder's."""
        return self.inner.id

    @property
    def dimensions(self) -> int:
        """The inner embedder's."""
        return self.inner.dimensions

    @property
    def ready(self) -> bool:
        """The inner embedder's."""
        return self.inner.ready

    @property
    def instant(self) -> bool:
        """The inner embedder's."""
        return self.inner.instant

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Count, and let the inner embedder work."""
        self.texts += len(texts)
        return self.inner.embed(texts)


def switched(path: Path, state: StatePaths, embedder: str) -> Figures:
    """Edit files as a branch would, and see what is read and embedded again."""
    counting: list[Counting] = []

    def opened(name: str, *args: object, **kwargs: object) -> Counting | None:
        inner = open_embedder(name, *args, **kwargs)  # type: ignore[arg-type]
        if inner is None:
            return None
        counting.append(Counting(inner))
        return counting[-1]

    with mock.patch("commonplace.memory.readers.open_embedder", opened):
        memory = Memory(path, state, embedder=embedder)
        edited = edit(path, memory.files())
        before = keys_of(memory, edited)
        began, cpu = time.perf_counter(), processor(psutil.Process())
        memory.refresh()
        memory.embed()
        took, used = time.perf_counter() - began, processor(psutil.Process()) - cpu
        after = keys_of(memory, edited)
        memory.close()
    new = len(after - before)
    figures = {
        "switch, files edited": f"{len(edited):,}",
        "switch, texts in them / new": f"{len(after):,} / {new:,}",
        "switch, until up to date": seconds(took),
        "switch, processor": seconds(used),
    }
    if counting:
        again = max(0, counting[0].texts - new) / max(1, len(after) - new)
        figures["switch, unchanged text embedded again"] = f"{again:.1%}"
    return figures


def edit(root: Path, paths: Sequence[str]) -> list[str]:
    """Put a line into up to `SWITCHED` files, evenly chosen, in their middle."""
    step = max(1, len(paths) // SWITCHED)
    chosen = list(paths[::step][:SWITCHED])
    for number, path in enumerate(chosen):
        lines = (root / path).read_bytes().split(b"\n")
        lines.insert(len(lines) // 2, b"switched branch %d" % number)
        (root / path).write_bytes(b"\n".join(lines))
    return chosen


def keys_of(memory: Memory, paths: Sequence[str]) -> set[bytes]:
    """Return the content addresses of the chunks of some files."""
    query = "SELECT c.key FROM chunks c JOIN files f ON f.id = c.file_id WHERE f.path = ?"
    execute = memory.store.db.conn.execute
    return {row[0] for path in paths for row in execute(query, [path])}


class Together:
    """Watches how much memory a process and its children hold at once, shared pages twice."""

    def __init__(self, pid: int | None) -> None:
        self._process = psutil.Process(pid)
        self._peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def peak(self) -> str:
        """Return the most there was so far."""
        return f"{self._peak / 2**20:.0f} MiB"

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            with contextlib.suppress(psutil.Error):
                family = [self._process, *self._process.children(recursive=True)]
                self._peak = max(self._peak, sum(p.memory_info().rss for p in family))


def processor(process: psutil.Process) -> float:
    """Return the processor seconds that a process and its ended children have used."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


if __name__ == "__main__":
    main()
