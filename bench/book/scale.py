"""Ten thousand notes: searching, checking against a large project, opening a panel.

Times are the processor's, of all threads: what a user waits for on a machine
that does nothing else, and the same on one that is busy.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.machine import percentile
from bench.recall.tables import Table
from commonplace.book import header
from commonplace.book.checking import Checker
from commonplace.book.note import Anchor
from commonplace.index.fingerprints import Source
from commonplace.memory.notes import NotesService
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths

WORD = re.compile(r"[a-z]{3,}")
NOTES = 10_000
FILES = 2_000
SEARCHES = 200
VERBS = "explains keeps limits prefers avoids replaces guards retries counts orders".split()
TOPICS = (
    "latency schema release cache retry invoice tenant quota backup locale audit cursor".split()
)


def tables(notes: int = NOTES, files: int = FILES) -> Iterator[Table]:
    """Write the notes, then measure what a user waits for."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        root = base / "project"
        copied = copy_library(root, files)
        state = StatePaths(base / "config", base / "data", base / "cache")
        count = write_notes(root, copied, notes)
        memory = Memory(root, state, embedder="built-in")
        try:
            yield Table(
                f"{count:,} notes beside {len(copied):,} files of Python, "
                f"{copied_bytes(root, copied)}",
                ["", "processor time", "aim"],
                list(measured(memory)),
            )  # fmt: skip
        finally:
            memory.close()


def measured(memory: Memory) -> Iterator[list[str]]:
    """Yield the rows of the table."""
    began = time.process_time()
    memory.book.sync()
    yield ["reading all notes for the first time", f"{time.process_time() - began:.2f} s", ""]
    memory.refresh()
    memory.embed()
    began = time.process_time()
    memory.book.sync()
    yield ["looking whether any note changed", ms(time.process_time() - began), ""]
    code = memory.code()
    began = time.process_time()
    checked = memory.book.check(code)
    yield [
        f"full check, nothing known ({checked:,} anchors)",
        f"{time.process_time() - began:.2f} s",
        "5 s",
    ]
    began = time.process_time()
    memory.book.check(memory.code())
    yield ["check when nothing changed", ms(time.process_time() - began), ""]
    times, code_times = search_times(memory)
    p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
    yield ["search of the notes alone, p50", ms(p50), ""]
    yield ["search of the notes alone, p95", ms(p95), "20 ms"]
    yield ["search of code and notes, p95", ms(percentile(code_times, 0.95)), ""]
    service = NotesService(lambda: (memory, None))  # type: ignore[arg-type, return-value]
    panel = []
    for words in ("", "", "", "retr", "cache lim"):
        began = time.process_time()
        service.notes({"words": words}, None)  # type: ignore[arg-type]
        panel.append(time.process_time() - began)
    yield ["opening the panel (500 rows, all counts), slowest of 3", ms(max(panel[:3])), "200 ms"]
    yield ["filtering while typing, slower of 2", ms(max(panel[3:])), ""]


def search_times(memory: Memory) -> tuple[list[float], list[float]]:
    """Return seconds per search: of notes alone, and of everything."""
    choose = random.Random(2)
    alone, together = [], []
    for number in range(SEARCHES):
        question = f"why does {choose.choice(TOPICS)} of module {choose.randrange(FILES)} "
        question += f"{choose.choice(VERBS)} the {choose.choice(TOPICS)} {number}"
        began = time.process_time()
        memory.search_notes(question, 10)
        alone.append(time.process_time() - began)
        if number < SEARCHES // 4:
            began = time.process_time()
            memory.search(question, 10)
            together.append(time.process_time() - began)
    return alone, together


def copy_library(root: Path, files: int) -> list[str]:
    """Copy Python files of this interpreter, its libraries included; returns their paths."""
    library = Path(sysconfig.get_path("stdlib"))
    copied: list[str] = []
    for path in sorted(library.rglob("*.py"), key=lambda p: ("-packages" in str(p), str(p))):
        name = path.relative_to(library).as_posix().replace("site-packages", "packages")
        if path.stat().st_size < 200 or path.is_symlink():
            continue
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (1_600_000_000, 1_600_000_000))
        copied.append(name)
        if len(copied) == files:
            break
    return copied


def copied_bytes(root: Path, paths: list[str]) -> str:
    """Return the size of some files, to be read."""
    return f"{sum((root / path).stat().st_size for path in paths) / 1e6:.0f} MB"


def write_notes(root: Path, paths: list[str], count: int) -> int:
    """Write notes that speak of definitions all over the project; returns how many."""
    choose = random.Random(1)
    folder = root / ".commonplace" / "notes"
    folder.mkdir(parents=True)
    written = 0
    each = -(-count // len(paths))
    words_of_project = vocabulary(root, paths)
    for number, path in enumerate(paths):
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        source = Source(path, text)
        symbols = choose.sample(source.symbols, min(each, len(source.symbols)))
        anchors = [Anchor(path, s.name) for s in symbols]
        anchors += [Anchor(path)] * (each - len(anchors))
        for anchor in anchors[: count - written]:
            topic, verb = choose.choice(TOPICS), choose.choice(VERBS)
            spot = Checker(_One(path, text)).spot(anchor)
            words = " ".join(choose.choice(words_of_project) for _ in range(60))
            fields = {
                "id": f"s{written:06}",
                "title": f"{topic} of module {number} {verb} {anchor.symbol}",
                "status": "kept",
                "anchors": [{"at": anchor.target, "fingerprint": spot.fingerprint if spot else ""}],
            }
            body = f"The {topic} {verb} the {choose.choice(TOPICS)} here: {words}."
            (folder / f"{written:06}.md").write_text(
                header.new_text(fields, body), encoding="utf-8"
            )
            written += 1
    return written


def vocabulary(root: Path, paths: list[str]) -> list[str]:
    """Return the words of some files as often as they occur: notes are written in them."""
    found: list[str] = []
    for path in paths[::5]:
        found += WORD.findall((root / path).read_text(encoding="utf-8", errors="replace"))
    return found


class _One:
    """A project of one file."""

    def __init__(self, path: str, text: str) -> None:
        self._path, self._text = path, text

    def read(self, path: str) -> str | None:
        """Return the text of the one file."""
        return self._text if path == self._path else None

    def version(self, _path: str) -> str:
        """Return nothing."""
        return ""

    def files(self) -> list[str]:
        """Return the one path."""
        return [self._path]

    def named(self, _name: str) -> list[str]:
        """Return nothing."""
        return []

    def generation(self) -> str:
        """Return nothing."""
        return ""


def ms(seconds: float) -> str:
    """Write a short time."""
    return f"{seconds * 1000:.1f} ms"
