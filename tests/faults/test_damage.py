"""A damaged index is noticed, rebuilt and told; it is never trusted."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from commonplace.errors import DamagedIndexError
from commonplace.index import database
from commonplace.index import store as store_module
from commonplace.memory.project import Memory
from commonplace.memory.shared import SharedMemory
from commonplace.paths import StatePaths
from faults.programs import assert_told, run, run_json, write_settings
from faults.trees import grow
from faults.truth import assert_memory_is_disk, index_file

PAGE = 4096


@pytest.fixture
def project(root: Path, state: StatePaths) -> Path:
    grow(root, 60, seed=11, age=True)
    with closing(Memory(root, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
    return root


def truncated_to(share: float) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def overwritten(data: bytes, at: int = 0) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(data)

    return damage


def replaced(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


def statement(sql: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute(sql)

    return damage


DAMAGES = {
    "empty": replaced(b""),
    "not a database": replaced(b"#!/bin/sh\nexit 1\n" * 999),
    "half of it": truncated_to(0.5),
    "a tenth short": truncated_to(0.9),
    "one page": truncated_to(0.001),
    "another header": overwritten(b"SQLite format 4\0"),
    "schema zeroed": overwritten(bytes(PAGE - 100), 100),
    "a table gone": statement("DROP TABLE names"),
    "meta gone": statement("DROP TABLE meta"),
    "no version": statement("DELETE FROM meta"),
    "an older version": statement("UPDATE meta SET value = '0.0' WHERE key = 'schema'"),
    "a newer version": statement("UPDATE meta SET value = '99.9' WHERE key = 'schema'"),
    "another application": statement("DROP TABLE words"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_index_is_rebuilt_and_told(name, project, state):
    DAMAGES[name](index_file(project, state))
    with closing(Memory(project, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
        assert "is being rebuilt" in memory.status.note
        assert_memory_is_disk(memory, state)
    with closing(Memory(project, state, embedder="hash")) as memory:
        assert memory.status.note == ""


@pytest.mark.parametrize("seed", range(24))
def test_a_damaged_page_never_ends_the_program_nor_stays(seed, project, state):
    """Noticed at the start, while it is used, or harmless: the end is the truth."""
    path = index_file(project, state)
    choose = random.Random(seed)
    page = choose.randrange(path.stat().st_size // PAGE)
    if seed % 2:
        overwritten(bytes(PAGE), page * PAGE)(path)
    else:
        data = bytearray(path.read_bytes())
        for _ in range(64):
            data[page * PAGE + choose.randrange(PAGE)] ^= 1 << choose.randrange(8)
        path.write_bytes(data)
    with closing(Memory(project, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
        with contextlib.suppress(DamagedIndexError):
            for number in range(60):
                memory.search(f"add_zq11n{number}_0", 5)
        for number in range(60):  # now everything is written once more
            for found in project.rglob(f"file{number}.*"):
                found.write_text(found.read_text() + "\nmore\n")
        memory.refresh()
        memory.embed()
        noticed = memory.status.note
        if noticed:
            assert_memory_is_disk(memory, state)
    with closing(Memory(project, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
        if noticed or memory.status.note:
            assert_memory_is_disk(memory, state)


def test_a_damaged_text_is_an_error_with_a_remedy_and_then_mended(project, state):
    statement("UPDATE chunks SET text = x'00'")(index_file(project, state))
    with closing(Memory(project, state, embedder="hash")) as memory:
        memory.refresh()
        with pytest.raises(DamagedIndexError, match="Try again"):
            memory.search("add_zq11n1_0", 5)
        memory.refresh()
        memory.embed()
        assert "rebuilt" in memory.status.note
        assert memory.search("add_zq11n1_0", 5).passages
        assert_memory_is_disk(memory, state)


def test_the_command_line_tells_of_damage_in_one_line_and_mends_it(project, state):
    write_settings(state)
    statement("UPDATE chunks SET text = x'00'")(index_file(project, state))
    assert_told(run("search", project, "add_zq11n1_0"), "is damaged", "Try again")
    assert run_json("search", project, "add_zq11n1_0")["results"]


def test_a_shared_index_that_is_damaged_is_an_error_with_a_remedy(project, state):
    statement("UPDATE chunks SET text = x'00'")(index_file(project, state))
    with (
        closing(SharedMemory(project, state, embedder="hash")) as shared,
        pytest.raises(DamagedIndexError),
    ):
        shared.search("add_zq11n1_0", 5)


def test_vectors_of_a_wrong_length_or_without_numbers_are_made_again(project, state):
    statement("UPDATE vectors SET vector = x'0011'")(index_file(project, state))
    with closing(Memory(project, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
        assert_memory_is_disk(memory, state)


def test_a_large_index_is_used_first_and_checked_behind_it(project, state, monkeypatch):
    """Its pages are looked at once nothing else is to do; until then it answers."""
    with closing(Memory(project, state, embedder="hash")) as memory:
        memory.refresh()
        memory.embed()
    monkeypatch.setattr(database, "CHECKED_FIRST", 0)
    monkeypatch.setattr(store_module, "CHECK_STEPS", 1)
    path = index_file(project, state)
    with closing(sqlite3.connect(path)) as conn:
        root = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'names'").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(root - 1) * PAGE + 8 : root * PAGE] = bytes(PAGE - 8)
    path.write_bytes(data)
    with closing(Memory(project, state, embedder="hash")) as memory:
        assert not memory.check(lambda: True)
        assert not memory.status.note
        assert memory.check()
        assert "damaged" in memory.status.note
        memory.refresh()
        memory.embed()
        assert_memory_is_disk(memory, state)
        assert memory.check()
