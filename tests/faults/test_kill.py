"""Killed at any moment, the index is whole, and the next start finishes the work."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from faults.programs import (
    COMMAND,
    PATIENCE,
    MemoryWorker,
    Patience,
    assert_told,
    run,
    write_settings,
)
from faults.trees import grow, put, source
from faults.truth import assert_index_is_disk, assert_memory_is_disk, index_file, listing

KILLS = 30


def assert_whole(root: Path, state: StatePaths) -> None:
    """Assert what must hold without any repair: sound pages, and no row without its file."""
    path = index_file(root, state)
    if not path.exists():
        return
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if conn.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            return  # killed before the first commit
        conn.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        for table, column in (("chunks", "file_id NOT IN (SELECT id FROM files)"),
                              ("names", "chunk_id NOT IN (SELECT id FROM chunks)")):  # fmt: skip
            query = f"SELECT count(*) FROM {table} WHERE {column}"
            assert conn.execute(query).fetchone() == (0,)


def shake(root: Path, choose: random.Random, turn: int) -> None:
    """Edit, add, move and delete some files."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    for path in choose.sample(files, 12):
        what = choose.randrange(4)
        if what == 0:
            path.unlink()
        elif what == 1:
            path.rename(path.with_name(f"moved{turn}{path.name}"))
        else:
            path.write_text(source(f"zqturn{turn}", path.suffix, choose.randint(1, 6)))
    grow(root / f"part{turn % 3}", 25, seed=1000 + turn)


def test_killed_anywhere_while_indexing_and_editing(root, state):
    choose = random.Random(20)
    grow(root, 250, seed=20)
    for turn in range(KILLS):
        with MemoryWorker() as worker:
            worker.open(root)
            pid = worker.process.pid
            moment = time.monotonic() + choose.uniform(0, 0.25)
            shake(root, choose, turn)
            while time.monotonic() < moment:
                worker.ask("status")
            os.kill(pid, signal.SIGKILL)
        assert_whole(root, state)
        if turn % 6 == 5:
            with closing(Memory(root, state, embedder="hash")) as memory:
                assert memory.status.note == ""
                memory.refresh()
                memory.embed()
                assert_memory_is_disk(memory, state)


def test_killed_while_it_is_created_for_the_first_time(root, state):
    """The first moments are the ones in which tables are made."""
    grow(root, 40, seed=21)
    choose = random.Random(21)
    for _ in range(12):
        shutil.rmtree(state.cache, ignore_errors=True)
        with MemoryWorker() as worker:
            worker.process._write(
                b'{"id":1,"method":"open","params":{"path":"%s","embedder":"hash"}}\n'
                % os.fsencode(root)
            )
            moment = time.monotonic() + choose.uniform(0, 0.05)
            while time.monotonic() < moment:
                pass
            os.kill(worker.process.pid, signal.SIGKILL)
        with closing(Memory(root, state, embedder="hash")) as memory:
            memory.refresh()
            memory.embed()
            assert memory.status.note == ""
            assert_memory_is_disk(memory, state)


def interrupt_when_started(root: Path, state: StatePaths) -> subprocess.CompletedProcess[str]:
    """Start to index, and press Ctrl-C once something has been committed."""
    process = subprocess.Popen(
        [*COMMAND, "index", root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    waited = Patience()
    while not committed(index_file(root, state)):
        assert process.poll() is None, "it was done before it could be stopped"
        waited.once("nothing committed")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def committed(path: Path) -> int:
    """Return how many files are in the index by now."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as conn:
            return int(conn.execute("SELECT count(*) FROM files").fetchone()[0])
    except sqlite3.Error:
        return 0


def test_ctrl_c_stops_with_a_message_and_the_next_run_goes_on(root, state):
    write_settings(state, "hash")
    for number in range(900):
        put(root, f"file{number}.py", source(f"zqstop{number}", ".py", 50), age=True)
    before = listing(root)
    done = interrupt_when_started(root, state)
    assert done.returncode == 1
    assert done.stderr.split("\n")[-2] == "Stopped. What was done until now is kept."
    assert "Traceback" not in done.stderr
    assert_whole(root, state)
    with closing(sqlite3.connect(index_file(root, state))) as conn:
        kept = dict(conn.execute("SELECT path, read_ns FROM files"))
    assert 0 < len(kept) < 900
    assert run("index", root).returncode == 0
    assert_index_is_disk(root, state)
    with closing(sqlite3.connect(index_file(root, state))) as conn:
        now = dict(conn.execute("SELECT path, read_ns FROM files"))
    assert len(now) == 900
    assert {path: now[path] for path in kept} == kept, "what was done was read again"
    assert listing(root) == before


def test_ctrl_c_before_anything_happened_is_no_traceback(root, state):
    """While modules are imported, too."""
    write_settings(state)
    grow(root, 3, seed=22)
    for wait in (0.05, 0.15, 0.3):
        process = subprocess.Popen(
            [*COMMAND, "index", root], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        end = time.monotonic() + wait
        while time.monotonic() < end and process.poll() is None:
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
        # Before `main` begins the interrupt is Python's own to tell of.
        assert not re.search(r'__main__\.py", line \d+, in main', err), err


def test_a_folder_that_goes_while_it_is_open_is_told_and_taken_up_again(root, state):
    grow(root, 10, seed=23)
    away = root.with_name("away")
    with MemoryWorker() as worker:
        worker.open(root)
        worker.wait(lambda s: s.get("phase") == "ready")
        root.rename(away)
        worker.ask("reconcile")
        told = worker.wait(lambda s: s.get("phase") == "failed")["note"]
        assert "is gone" in told
        assert "Put it back" in told
        assert worker.ask("search", question="add_zq23n1_0")["passages"] == []
        away.rename(root)
        worker.ask("reconcile")
        worker.wait(lambda s: s.get("phase") == "ready" and not s["note"])
        assert worker.ask("search", question="add_zq23n1_0")["passages"]
    assert_index_is_disk(root, state)


def test_folders_that_cannot_be_opened_are_told_in_one_line(root, state):
    write_settings(state)
    put(root, "file.py", "x = 1\n")
    cases = {
        root / "missing": "does not exist",
        root / "file.py": "is not a folder",
        root / "file.py" / "below": "",
        Path("x" * 5000): "cannot be opened",
    }
    (root / "loop").symlink_to("loop")
    cases[root / "loop"] = "cannot be opened"
    for path, words in cases.items():
        for command in (["index"], ["search"], ["ask"]):
            done = run(*command, path, *(["what"] if command != ["index"] else []))
            assert_told(done, words)
    assert run("index", b"nul\xe9").returncode == 1


def test_an_empty_folder_is_a_project_without_answers(root, state):
    write_settings(state)
    assert run("index", root).returncode == 0
    done = run("search", root, "anything at all")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Nothing" in done.stdout
