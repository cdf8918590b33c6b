"""Thousands of changes at once end in equality, and what is known is not embedded again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from commonplace.errors import CancelledError
from commonplace.index.embedder import HashEmbedder, Vectors
from commonplace.index.reading import FileReader
from commonplace.memory import readers as readers_module
from commonplace.memory.project import Memory
from faults.programs import MemoryWorker
from faults.trees import grow, put, source
from faults.truth import assert_index_is_disk, assert_memory_is_disk


class Counting(HashEmbedder):
    """Counts the texts it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return super().embed(texts)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(readers_module, "open_embedder", lambda *_, **__: counting)
    return counting


@pytest.fixture
def memory(root: Path, state, embedder) -> Iterator[Memory]:
    with closing(Memory(root, state)) as memory:
        yield memory


def bring_up_to_date(memory: Memory) -> int:
    """Return how many files were read."""
    changed = memory.refresh().changed
    memory.embed()
    return len(changed)


def git(root: Path, *args: str) -> None:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "gc.auto=0")
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


def test_a_renamed_folder_of_1000_files_embeds_nothing_again(root, state, memory, embedder):
    grow(root / "old", 1000, seed=41)
    bring_up_to_date(memory)
    embedder.texts = 0
    (root / "old").rename(root / "new")
    assert bring_up_to_date(memory) == 2000
    assert embedder.texts == 0
    assert_memory_is_disk(memory, state)


def test_a_branch_switch_embeds_only_what_is_new(root, state, memory, embedder):
    if shutil.which("git") is None:
        pytest.skip("needs git")
    git(root, "init", "-q", "-b", "main")
    grow(root, 300, seed=42)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "main")
    git(root, "checkout", "-q", "-b", "feature")
    for number, path in enumerate(sorted(root.rglob("file*"))):
        if number % 3 == 0:
            path.write_text(source(f"zqfeature{number}", path.suffix, 4))
        elif number % 3 == 1:
            path.unlink()
    grow(root / "added", 100, seed=43)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "feature")
    bring_up_to_date(memory)
    git(root, "checkout", "-q", "main")
    bring_up_to_date(memory)
    assert_memory_is_disk(memory, state)
    embedder.texts = 0
    for branch in ("feature", "main", "feature"):
        git(root, "checkout", "-q", branch)
        assert bring_up_to_date(memory) > 100
        assert_memory_is_disk(memory, state)
    assert embedder.texts == 0


def test_an_edit_embeds_only_the_chunks_it_touches(root, memory, embedder):
    put(root, "long.py", "".join(source(f"zqpart{n}", ".py", 8) for n in range(60)))
    bring_up_to_date(memory)
    everything, embedder.texts = embedder.texts, 0
    text = (root / "long.py").read_text()
    (root / "long.py").write_text("# a new first line\n" + text.replace("+ 3", "+ 33", 1))
    bring_up_to_date(memory)
    assert 0 < embedder.texts < everything * 0.05


def test_a_restart_embeds_nothing_again(root, state, embedder):
    grow(root, 100, seed=44)
    for _ in range(3):
        with closing(Memory(root, state)) as memory:
            bring_up_to_date(memory)
            query = "SELECT count(DISTINCT key) FROM chunks"
            different = memory.store.db.conn.execute(query).fetchone()[0]
    assert embedder.texts == different


def test_a_stop_right_after_the_last_file_loses_no_vector(root, state, memory, monkeypatch):
    """The moved file is stored, then the stop comes: its known vectors must still be used."""
    put(root, "one.py", source("zqone", ".py"))
    bring_up_to_date(memory)
    (root / "one.py").rename(root / "two.py")
    read: list[str] = []
    read_one = FileReader.read_one

    def noting(reader, stat):
        read.append(stat.path)
        return read_one(reader, stat)

    monkeypatch.setattr(FileReader, "read_one", noting)
    with pytest.raises(CancelledError):
        memory.refresh(stop=lambda: bool(read))
    assert read == ["two.py"]
    bring_up_to_date(memory)
    bring_up_to_date(memory)
    assert_memory_is_disk(memory, state)


def test_5000_files_copied_in_under_the_eyes_of_the_window(root, state, tmp_path):
    pile = tmp_path / "pile"
    for number in range(5000):
        put(pile, f"d{number % 40}/s{number % 7}/f{number}.py", f"def f{number}():\n    pass\n")
    put(root, "first.py", source("zqfirst", ".py"))
    with MemoryWorker() as worker:
        worker.open(root)
        worker.wait(lambda s: s.get("phase") == "ready")
        shutil.copytree(pile, root / "pile")
        worker.wait(lambda s: s["files"] == 5001)
        worker.wait_until_equal(root, lambda: assert_index_is_disk(root, state))
        (root / "pile" / "d1").rename(root / "renamed")
        shutil.rmtree(root / "pile" / "d2")
        put(root, ".commonplaceignore", "d3/\n")
        worker.wait(lambda s: s["files"] == 5001 - 2 * 125 + 1)
        worker.wait_until_equal(root, lambda: assert_index_is_disk(root, state))
        shutil.rmtree(root / "pile")
        worker.wait_until_equal(root, lambda: assert_index_is_disk(root, state))
