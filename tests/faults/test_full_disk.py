"""The machine refuses to write: a clear message, nothing broken, and on it goes."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commonplace.errors import StorageError
from commonplace.index import store as store_module
from commonplace.memory.background import Keeper
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from faults.programs import COMMAND, PATIENCE, Patience, assert_told, run, write_settings
from faults.trees import grow, put, source
from faults.truth import assert_index_is_disk, assert_memory_is_disk, index_file, listing

WRITES = ("INSERT", "DELETE", "UPDATE", "CREATE", "COMMIT")


class Budget:
    """How many more writes succeed; None is any number."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.refused = 0
        self.message = "database or disk is full"

    def spend(self, sql: str) -> None:
        if self.left is None or not sql.lstrip().startswith(WRITES):
            return
        if self.left == 0:
            self.refused += 1
            raise sqlite3.OperationalError(self.message)
        self.left -= 1


@pytest.fixture
def budget(monkeypatch: pytest.MonkeyPatch) -> Budget:
    """Let every connection of the store refuse to write once the budget is spent."""
    budget = Budget()

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
            budget.spend(sql)
            return super().execute(sql, *args)

        def executemany(self, sql: str, *args: Any) -> sqlite3.Cursor:
            budget.spend(sql)
            return super().executemany(sql, *args)

    connect = sqlite3.connect

    def refusing(*args: Any, **options: Any) -> sqlite3.Connection:
        return connect(*args, **{"factory": Connection, **options})

    monkeypatch.setattr(store_module.sqlite3, "connect", refusing)
    return budget


def change(root: Path, turn: int) -> None:
    """Edit, add, rename and delete: every kind of write happens."""
    put(root, "edited.py", source(f"zqedit{turn}", ".py"))
    put(root, f"new{turn}.md", source(f"zqnew{turn}", ".md"))
    old = root / f"new{turn - 1}.md"
    if old.exists():
        old.rename(root / f"moved{turn}.md")
    (root / f"moved{turn - 1}.md").unlink(missing_ok=True)


@pytest.mark.parametrize("message", ["database or disk is full", "disk I/O error"])
def test_whichever_write_fails_the_index_is_whole_and_the_next_run_finishes(
    message, root, state, budget
):
    budget.message = message
    grow(root, 6, seed=3)
    with closing(Memory(root, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
    writes = 0
    while True:
        change(root, writes + 1)
        budget.left, budget.refused = writes, 0
        with (
            contextlib.suppress(StorageError),
            closing(Memory(root, state, embedder="hash")) as memory,
        ):
            memory.refresh()
            memory.embed()
            budget.left = None
            assert_memory_is_disk(memory, state)
        budget.left = None
        with closing(sqlite3.connect(index_file(root, state))) as conn:
            assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert conn.execute("SELECT count(*) FROM files").fetchone()[0] >= 6
        if not budget.refused:
            break
        writes += 1
    assert writes > 20


def test_a_memory_that_stays_open_goes_on_where_it_stopped(root, state, budget):
    """The same object, failure after failure: memory and disk never disagree."""
    grow(root, 6, seed=4)
    with closing(Memory(root, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
        for writes in range(200):
            change(root, writes + 1)
            budget.left, budget.refused = writes % 60, 0
            with contextlib.suppress(StorageError):
                memory.refresh()
                memory.embed()
            budget.left = None
            if writes % 3 == 0:  # otherwise the next change comes on top
                memory.refresh()
                memory.embed()
                assert_memory_is_disk(memory, state)


def test_a_full_disk_at_the_start_does_not_cost_the_index(root, state, budget):
    grow(root, 10, seed=5)
    with closing(Memory(root, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
    before = index_file(root, state).stat().st_ino
    budget.left = 0
    put(root, "new.py", source("zqnew", ".py"))
    with pytest.raises(StorageError, match="is full"), closing(Memory(root, state)) as memory:
        memory.refresh()
    budget.left = None
    assert index_file(root, state).stat().st_ino == before
    with closing(Memory(root, state, embedder="hash")) as memory:
        assert memory.waiting == 0
        assert memory.status.note == ""


def test_the_keeper_tells_of_a_full_disk_and_goes_on_by_itself(root, state, budget, monkeypatch):
    monkeypatch.setattr("commonplace.memory.background.RETRY_SECONDS", 0.05)
    grow(root, 10, seed=6)
    memory = Memory(root, state, embedder="hash")
    keeper = Keeper(memory, on_files=lambda: None, on_changed=lambda _: None)
    budget.left = 3
    keeper.start()
    try:
        waited = Patience()
        while "is full" not in memory.status.note:
            waited.once(memory.status)
        budget.left = None
        while memory.status.phase != "ready" or memory.waiting:
            waited.once(memory.status)
        assert memory.status.note == ""
        assert_memory_is_disk(memory, state)
    finally:
        keeper.close()
        memory.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB for the state, where the machine lets us mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_up_is_told_in_one_line_and_work_goes_on_later(root, small_disk):
    state = StatePaths(*(small_disk / name for name in ("config", "data", "cache")))
    home = {"COMMONPLACE_HOME": str(small_disk)}
    write_settings(state, "hash")
    grow(root, 120, seed=7, age=True)
    for part in range(3):
        text = "".join(source(f"zq{part}big{n}", ".py", 2) for n in range(7_000))
        put(root, f"big{part}.py", text)
    for _ in range(2):
        assert_told(run("index", root, **home), "is full", "Free some space")
    for part in range(3):
        (root / f"big{part}.py").unlink()
    done = run("index", root, **home)
    assert done.returncode == 0, done.stderr
    assert_index_is_disk(root, state)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 12))


def test_a_disk_full_from_the_start_is_told_in_one_line(root, small_disk):
    state = StatePaths(*(small_disk / name for name in ("config", "data", "cache")))
    write_settings(state)
    grow(root, 5, seed=8)
    fill(small_disk / "filler")
    for command in ("index", "search", "ask"):
        words = () if command == "index" else ("what is this",)
        done = run(command, root, *words, COMMONPLACE_HOME=str(small_disk))
        assert_told(done, "is full", "Free some space")


NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *COMMAND]


@functools.cache
def nobody_reaches_us() -> bool:
    done = subprocess.run(
        [*NOBODY, "--version"], capture_output=True, timeout=PATIENCE, check=False
    )
    return done.returncode == 0


def as_nobody(*args: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command without the rights of root, which may write anywhere."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv, to give rights up")
    if not nobody_reaches_us():
        pytest.skip("another user cannot reach this checkout")
    return subprocess.run(
        [*NOBODY, *map(str, args)],
        capture_output=True,
        text=True,
        env={**os.environ, "COMMONPLACE_HOME": str(home), "HOME": "/nonexistent"},
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """Make a folder that another user reaches.

    It is none of pytest's: another run of it, as it begins, shuts those to all others.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize("command", ["index", "search", "ask"])
@pytest.mark.parametrize("started", [False, True])
def test_a_read_only_state_folder_is_told_in_one_line(command, started, open_to_all):
    home, root = open_to_all / "state", open_to_all / "project"
    root.mkdir()
    state = StatePaths(*(home / name for name in ("config", "data", "cache")))
    write_settings(state)
    grow(root, 5, seed=9)
    if started:
        assert run("index", root, COMMONPLACE_HOME=str(home)).returncode == 0
    before = listing(home)
    words = () if command == "index" else ("what is this",)
    done = as_nobody(command, root, *words, home=home)
    assert_told(done, "cannot be written", "COMMONPLACE_HOME")
    assert listing(home) == before


def test_a_state_folder_that_is_a_file_is_told_in_one_line(root, tmp_path):
    grow(root, 2, seed=10)
    put(tmp_path, "file", "not a folder")
    home = str(tmp_path / "file")
    assert_told(run("index", root, COMMONPLACE_HOME=home), "Not a directory", "Mend")
