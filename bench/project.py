"""From opening a project to answers: the memory process, seen from a window.

Each project is opened with an empty state folder. Times count from the
request to open it: until the first keyword result, until every word, until
every vector. Then recall's latency, and the time from saving a file to finding
what was saved.

    python -m bench.project PATH [PATH …] [--embedder NAME] [--no-vectors]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import psutil

from bench.machine import machine, percentile, table
from commonplace.paths import worker_command
from commonplace.wire.process import WorkerProcess

QUESTIONS = (
    "how is the configuration read",
    "parse arguments",
    "where are errors raised and handled",
    "open a connection with a timeout",
    "Request",
    "write the result to a file",
    "main",
    "cache invalidation",
)
SAVES = 10
LIMIT_SECONDS = 1800.0


def main() -> None:
    """Measure the projects named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--embedder", default="built-in")
    parser.add_argument("--no-vectors", action="store_true", help="do not wait for the vectors")
    args = parser.parse_args()
    print(machine())
    run(args.paths, args.embedder, vectors=not args.no_vectors)


def run(paths: Sequence[Path], embedder: str, *, vectors: bool) -> None:
    """Measure each project and print one table."""
    columns = [measure(path, embedder, vectors=vectors) for path in paths]
    labels = list(columns[0])
    rows = [["", *(str(path.name) for path in paths)]]
    rows += [[label, *(column[label] for column in columns)] for label in labels]
    table(f"Opening a project (embedder: {embedder})", rows)


def measure(path: Path, embedder: str, *, vectors: bool) -> dict[str, str]:
    """Open a copy of nothing but the state: the project itself is only read."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["COMMONPLACE_HOME"] = home
        with Session(Path(home)) as session:
            figures = session.opening(path, embedder, vectors=vectors)
            figures |= session.latency()
            memory = psutil.Process(session.worker.pid).memory_info()
            figures["memory at the end"] = f"{memory.rss / 2**20:.0f} MiB"
            figures["peak memory"] = peak(session.worker.pid)
        size = sum(f.stat().st_size for f in Path(home).rglob("*") if f.is_file())
        figures["state on disk"] = f"{size / 2**20:.0f} MiB"
        with Session(Path(home)) as session:
            figures |= session.saving(path, embedder)
    return figures


class Session:
    """A memory process and the window's side of it."""

    def __init__(self, home: Path) -> None:
        self.worker = WorkerProcess(worker_command("memory"), log_file=home / "memory.log")

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.stop()

    def ask(self, method: str, **params: object) -> dict[str, object]:
        """Ask the memory and wait."""
        return self.worker.request(method, params, deadline=60.0)

    def until(self, condition: Callable[[], bool], pause: float = 0.01) -> float:
        """Poll until `condition` holds; returns the seconds it took."""
        began = time.perf_counter()
        while not condition():
            if time.perf_counter() - began > LIMIT_SECONDS:
                raise TimeoutError
            time.sleep(pause)
        return time.perf_counter() - began

    def finds(self, question: str, path: str = "") -> bool:
        """Whether a search finds anything (in `path`, if one is named)."""
        passages = self.ask("search", question=question, limit=5)["passages"]
        assert isinstance(passages, list)
        return any(not path or passage["path"] == path for passage in passages)

    def phase(self) -> str:
        """Return what the memory is doing."""
        return str(self.ask("status")["phase"])

    def opening(self, path: Path, embedder: str, *, vectors: bool) -> dict[str, str]:
        """Return the times from opening to each stage."""
        began = time.perf_counter()
        self.ask("open", path=str(path), embedder=embedder)
        self.until(lambda: self.finds(QUESTIONS[1]))
        first = time.perf_counter() - began
        self.until(lambda: self.phase() in {"embedding", "ready"})
        words = time.perf_counter() - began
        everything = "not waited for"
        if vectors:
            self.until(lambda: self.phase() == "ready", 0.25)
            everything = f"{time.perf_counter() - began:.2f} s"
        status = self.ask("status")
        return {
            "files": f"{status['files']:,}",
            "chunks": f"{status['chunks']:,}",
            "first keyword result": f"{first:.2f} s",
            "all words": f"{words:.2f} s",
            "all vectors": everything,
        }

    def latency(self) -> dict[str, str]:
        """Return recall's own time and the round trip."""
        for question in QUESTIONS:
            self.ask("search", question=question, limit=10)
        own, trip = [], []
        for question in QUESTIONS * 5:
            began = time.perf_counter()
            found = self.ask("search", question=question, limit=10)
            trip.append((time.perf_counter() - began) * 1000)
            own.append(float(str(found["ms"])))
        return {
            "recall p50 / p95": f"{percentile(own, 0.5):.1f} / {percentile(own, 0.95):.1f} ms",
            "with the round trip p50": f"{percentile(trip, 0.5):.1f} ms",
        }

    def saving(self, path: Path, embedder: str) -> dict[str, str]:
        """Return the time from saving a file in a copy to finding what was saved."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            shutil.copytree(path, copy, ignore=shutil.ignore_patterns(".git", "site-packages"))
            self.ask("open", path=str(copy), embedder=embedder)
            self.until(lambda: self.phase() == "ready", 0.1)
            times = []
            for number in range(SAVES):
                word = f"savedword{number}"
                target = copy / "bench_saved.py"
                target.write_text(f"def {word}():\n    return {number}\n", encoding="utf-8")
                times.append(self.until(lambda word=word: self.finds(word, "bench_saved.py")))
        return {
            "save → found, median / worst": f"{statistics.median(times):.2f} / {max(times):.2f} s"
        }


def peak(pid: int | None) -> str:
    """Return the peak memory of a process, where the system tells it."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    kib = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))
    return f"{kib / 1024:.0f} MiB"


if __name__ == "__main__":
    main()
