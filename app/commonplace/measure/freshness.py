"""How fresh the index is: files are saved in a scratch copy, and looked for until they are found.

The copy is kept up to date as a window's is: a watcher's hints, then a look at the disk.
The user's own files are never touched.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from commonplace.errors import CancelledError
from commonplace.measure.places import is_written_code
from commonplace.measure.results import Freshness, Touch
from commonplace.measure.sampling import drawn, shuffled
from commonplace.measure.snapshot import Snapshot
from commonplace.memory.background import Keeper
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths

MOST_FILES = 1500
"""Files copied: of a larger project a sample, which is said."""
ACTIONS = ("edited", "new", "renamed", "deleted")
POLL, PAUSE, GIVEN = 0.02, 0.15, 20.0
"""Seconds between two looks, between two saves, and after which a save counts as not found."""
READY_SECONDS = 600.0
FOUND_AMONG = 5

Stop = Callable[[], bool]


def freshness(
    snapshot: Snapshot,
    scratch: Path,
    state: StatePaths,
    embedder: str,
    touches: int,
    seed: int,
    stop: Stop,
    on_touch: Callable[[int], None],
) -> Freshness:
    """Save `touches` files in a copy below `scratch`, one after the other.

    `on_touch` is told how many are done. Raises `CancelledError`.
    """
    root = scratch / "copy"
    paths = copied(snapshot, root, seed)
    code = [p for p in paths if is_written_code(p, (root / p).read_text("utf-8", "replace"))]
    targets = shuffled(code or paths, seed)
    with _kept(root, state, embedder, stop) as memory:
        began = time.monotonic()
        found: list[Touch] = []
        for number in range(touches):
            action = ACTIONS[number % len(ACTIONS)]
            saved = _Save(root, targets[number % len(targets)], f"zzsaved{seed}x{number}")
            at = time.monotonic()
            found.append(_touch(memory, saved, action, at - began, stop))
            on_touch(number + 1)
            _pause(PAUSE, stop)
    waited = [touch.waited for touch in found]
    return Freshness(tuple(found), round(statistics.median(waited), 3), round(max(waited), 3))


def copied(snapshot: Snapshot, root: Path, seed: int) -> list[str]:
    """Copy the project's searchable files, or a sample of them, to `root`; return their paths."""
    root.mkdir(parents=True)
    paths = drawn(snapshot.files(), MOST_FILES, seed)
    written = []
    for path in paths:
        try:
            data = snapshot.workspace.read(path)
        except OSError:  # gone meanwhile
            continue
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        written.append(path)
    return written


class _Save:
    """One thing that happens to a file of the copy, and the word by which it is found."""

    def __init__(self, root: Path, path: str, word: str) -> None:
        self._root = root
        self.word = word
        self.path = path

    def do(self, action: str) -> None:
        own = self._root / self.path
        if action == "new":
            own = own.with_name(f"{self.word}{own.suffix}")
            own.write_text(f"{self.word} = 1\n", encoding="utf-8")
        elif action == "renamed":
            own = own.rename(own.with_name(f"{self.word}{own.suffix}"))
        elif action == "deleted":
            own.unlink()
        else:
            with own.open("a", encoding="utf-8") as file:
                file.write(f"\n{self.word} = 1\n")
        self.path = own.relative_to(self._root).as_posix()


def _touch(memory: Memory, saved: _Save, action: str, at: float, stop: Stop) -> Touch:
    """Save, and look until it is found, or is no longer found where it was deleted."""
    if not (memory.root / saved.path).is_file():  # renamed or deleted by an earlier touch
        action = "new"
    if action == "deleted":
        _prepare(memory, saved, stop)
    saved.do(action)
    began = time.monotonic()
    while True:
        waited = time.monotonic() - began
        seen = _finds(memory, saved)
        if seen != (action == "deleted"):
            return Touch(round(at, 3), action, round(waited, 3))
        if waited > GIVEN:
            return Touch(round(at, 3), action, round(waited, 3), found=False)
        _pause(POLL, stop)


def _prepare(memory: Memory, saved: _Save, stop: Stop) -> None:
    """Put the word into the file that will be deleted, and wait until it is found."""
    saved.do("edited")
    end = time.monotonic() + GIVEN
    while not _finds(memory, saved) and time.monotonic() < end:
        _pause(POLL, stop)


def _finds(memory: Memory, saved: _Save) -> bool:
    found = memory.search(saved.word, FOUND_AMONG, wait=False)
    return any(passage.path == saved.path for passage in found.passages)


@contextmanager
def _kept(root: Path, state: StatePaths, embedder: str, stop: Stop) -> Iterator[Memory]:
    """Index `root` and keep it up to date as a window does, until the block ends."""
    memory = Memory(root, state, embedder=embedder, adapter="off")
    try:
        keeper = Keeper(memory, on_files=_nothing, on_changed=_ignored)
        keeper.start()
        try:
            end = time.monotonic() + READY_SECONDS
            while memory.status.phase != "ready" and time.monotonic() < end:
                _pause(POLL, stop)
            yield memory
        finally:
            keeper.close()
    finally:
        memory.close()


def _pause(seconds: float, stop: Stop) -> None:
    if stop():
        raise CancelledError("Stopped.")
    time.sleep(seconds)


def _nothing() -> None:
    """Nobody looks at the list of files."""


def _ignored(_paths: Sequence[str]) -> None:
    """Nobody looks at the files that changed."""
