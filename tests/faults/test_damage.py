"""A damaged index is noticed, rebuilt and told; it is never trusted."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from commonplace.errors import DamagedIndexError
from commonplace.index.embedder import HashEmbedder
from commonplace.index.vectors import GRAPH_FILE, LABEL_FILE, VectorTable
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


class TestGraph:
    """hnswlib crashes on damaged files, so only a file its label vouches for is loaded."""

    EMBEDDER = "hash@64"

    def table(self) -> VectorTable:
        table = VectorTable(64, threshold=50)
        vectors = HashEmbedder().embed([f"word{n} and other{n % 7}" for n in range(300)])
        table.add(range(1, 301), vectors)
        return table

    @pytest.fixture
    def saved(self, tmp_path: Path) -> Path:
        table = self.table()
        table.build_graph()
        table.save_graph(tmp_path, self.EMBEDDER)
        assert self.table().load_graph(tmp_path, self.EMBEDDER)
        return tmp_path

    @pytest.mark.parametrize("seed", range(20))
    def test_a_damaged_graph_is_not_loaded(self, saved, seed):
        path = saved / GRAPH_FILE
        choose = random.Random(seed)
        if seed % 3 == 0:
            os.truncate(path, choose.randrange(path.stat().st_size))
        else:
            data = bytearray(path.read_bytes())
            data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
            path.write_bytes(data)
        self.assert_not_loaded(saved)

    @pytest.mark.parametrize(
        "label",
        [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}", b'{"embedder": "hash@64"}', b"[" * 100_000],
    )
    def test_a_damaged_label_vouches_for_nothing(self, saved, label):
        (saved / LABEL_FILE).write_bytes(label)
        self.assert_not_loaded(saved)

    @pytest.mark.parametrize(
        "change",
        [{"embedder": "other"}, {"dimensions": 63}, {"count": 299}, {"count": "300"}],
    )
    def test_a_label_of_something_else_is_not_believed(self, saved, change):
        label = json.loads((saved / LABEL_FILE).read_text())
        (saved / LABEL_FILE).write_text(json.dumps({**label, **change}))
        self.assert_not_loaded(saved)

    @pytest.mark.parametrize("name", [GRAPH_FILE, LABEL_FILE])
    def test_half_of_the_pair_is_not_loaded(self, saved, name):
        (saved / name).unlink()
        self.assert_not_loaded(saved)

    def test_a_graph_cut_short_by_a_full_disk_is_not_vouched_for(self, saved, monkeypatch):
        """hnswlib does not notice that its writes fail."""
        import hnswlib

        save = hnswlib.Index.save_index

        def cut_short(index: hnswlib.Index, path: str) -> None:
            save(index, path)
            os.truncate(path, 1000)

        monkeypatch.setattr(hnswlib.Index, "save_index", cut_short)
        (saved / LABEL_FILE).unlink()
        table = self.table()
        table.build_graph()
        table.save_graph(saved, self.EMBEDDER)
        self.assert_not_loaded(saved)
        assert not list(saved.glob("*.part"))

    def test_a_graph_that_cannot_be_written_is_done_without(self, saved):
        table = self.table()
        table.build_graph()
        shutil.rmtree(saved)
        table.save_graph(saved, self.EMBEDDER)
        assert table.search(HashEmbedder().embed(["word3"])[0], 1)[0].chunk_id == 4

    def assert_not_loaded(self, folder: Path) -> None:
        table = self.table()
        assert not table.load_graph(folder, self.EMBEDDER)
        found = table.search(HashEmbedder().embed(["word3"])[0], 1)
        assert [n.chunk_id for n in found] == [4]
        assert np.isclose(found[0].score, 0.5, atol=0.3)
