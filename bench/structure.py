"""What the structure of a project costs: in indexing, in reading, in a question.

Every folder is indexed several times in this process, with and without imports
and references, in turns; only the ratio of processor times is printed, since
it hardly depends on what else the machine does.

    python -m bench.structure [PATH …] [--rounds N]
"""

from __future__ import annotations

import argparse
import random
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from unittest import mock

from bench.machine import machine, percentile, table
from bench.project import QUESTIONS
from commonplace.index import chunks, entries, store
from commonplace.index.entries import file_entries
from commonplace.index.rows import FileContent, content_hash
from commonplace.index.store import Store
from commonplace.index.structure import importers_of, places_of, relations
from commonplace.recall.candidates import find
from commonplace.recall.shapes import read_question
from commonplace.workspace.files import FileStat, never
from commonplace.workspace.project import Workspace

ROUNDS = 3
SAMPLE = 40
Files = list[tuple[FileStat, bytes]]


def main() -> None:
    """Measure the folders named on the command line, or the standard library."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    paths = args.paths or [Path(sysconfig.get_path("stdlib"))]
    print(machine())
    columns = [measure(path.resolve(), args.rounds) for path in paths]
    rows = [["", *(path.name for path in paths)]]
    rows += [[label, *(column[label] for column in columns)] for label in columns[0]]
    table("The structure of a project", rows)


def measure(root: Path, rounds: int) -> dict[str, str]:
    """Return the figures of one folder."""
    workspace = Workspace(root)
    files = [(stat, workspace.read(path)) for path, stat in workspace.scan().files.items()]
    with_it, without = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            without.append(indexed(Path(folder) / f"without{number}", root, files, structure=False))
            with_it.append(indexed(Path(folder) / f"with{number}", root, files, structure=True))
        reads = [sum(parts) for parts in with_it]
        base = [sum(parts) for parts in without]
        figures = {
            "files": f"{len(files):,}",
            "cutting": ratio([p[0] for p in with_it], [p[0] for p in without]),
            "writing and linking": ratio(
                [p[1] + p[2] for p in with_it], [p[1] + p[2] for p in without]
            ),
            "indexing, all": ratio(reads, base),
            "index on disk": ratio(
                [size(Path(folder) / "with0")], [size(Path(folder) / "without0")]
            ),
        }
        with closing(Store(Path(folder) / "with0").reader()) as conn:
            figures |= asked(conn)
    return figures


def indexed(
    folder: Path, root: Path, files: Files, *, structure: bool
) -> tuple[float, float, float]:
    """Return the processor seconds of cutting, writing and linking."""
    with ExitStack() as stack:
        if not structure:
            stack.enter_context(without_structure())
        began = time.process_time()
        contents = [
            FileContent(stat, 0, content_hash(data), file_entries(stat.path, data))
            for stat, data in files
        ]
        cut = time.process_time()
        made = Store(folder)
        for start in range(0, len(contents), 100):
            with made.writing():
                for content in contents[start : start + 100]:
                    made.put(content)
        written = time.process_time()
        if structure:
            made.link_imports(str(root), never)
        linked = time.process_time()
        made.close()
    return cut - began, written - cut, linked - written


@contextmanager
def without_structure() -> Iterator[None]:
    """Take imports, references and their tables out of the product."""

    def nothing(*_: object, **__: object) -> tuple[()]:
        return ()

    empty = chunks.Code((), (), ())
    with (
        mock.patch.object(chunks, "code_of", return_value=empty),
        mock.patch.object(chunks, "references_in", return_value=b""),
        mock.patch.object(entries, "_imports", nothing),
        mock.patch.object(entries, "_offers", nothing),
        mock.patch.object(store, "put_links", nothing),
        mock.patch.object(store, "remove_links", nothing),
    ):
        yield


def asked(conn: object) -> dict[str, str]:
    """Return what the reading side takes, in milliseconds of processor time."""
    execute = conn.execute  # type: ignore[attr-defined]
    choose = random.Random(1)
    paths = [row[0] for row in execute("SELECT path FROM files")]
    names = [
        row[0].split("\n")[0].rpartition(".")[2]
        for row in execute(
            "SELECT c.defines FROM chunks c JOIN files f ON f.id = c.file_id "
            "WHERE c.defines != '' AND c.kind IN ('function', 'method', 'class')"
        )
    ]
    candidates = [list(find(conn, read_question(text)).by_id) for text in QUESTIONS]  # type: ignore[arg-type]
    return {
        "candidates of a question": f"{statistics.median(map(len, candidates)):.0f}",
        "relations of candidates": timed(lambda ids: relations(conn, ids), candidates * 5),  # type: ignore[arg-type]
        "… references alone": timed(
            lambda ids: relations(conn, ids, imports=False),  # type: ignore[arg-type]
            candidates * 5,
        ),
        "importers of a file": timed(
            lambda path: importers_of(conn, path, 3),  # type: ignore[arg-type]
            choose.choices(paths, k=SAMPLE),
        ),
        "places of a name": timed(
            lambda name: places_of(conn, name),  # type: ignore[arg-type]
            choose.choices([name for name in names if name.isidentifier()], k=SAMPLE),
        ),
    }


def timed(ask: Callable[[object], object], inputs: list) -> str:  # type: ignore[type-arg]
    """Return median and 95th percentile of one call, after a warm-up."""
    for item in inputs[:3]:
        ask(item)
    spent = []
    for item in inputs:
        began = time.thread_time()
        ask(item)
        spent.append((time.thread_time() - began) * 1000)
    return f"{percentile(spent, 0.5):.2f} / {percentile(spent, 0.95):.2f} ms"


def ratio(ours: list[float], base: list[float]) -> str:
    """Return by how much the smallest of `ours` is above the smallest of `base`."""
    return f"{min(ours) / min(base):.2f}"


def size(folder: Path) -> float:
    """Return the bytes of all files in `folder`."""
    return float(sum(file.stat().st_size for file in folder.iterdir()))


if __name__ == "__main__":
    main()
