"""Depth: what reads the best passages again, how often, and what it leaves alone."""

import pytest

from commonplace.errors import ModelError
from commonplace.index.embedder import HashEmbedder
from commonplace.memory.project import Memory
from commonplace.recall import depth as module
from commonplace.recall.depth import BATCH, READ, Depth
from commonplace.recall.search import ranked_for
from commonplace.recall.shapes import read_question

QUESTION = "the speech of animals"


class Counting(HashEmbedder):
    """Remembers how many texts it read, and can fail."""

    read = 0
    broken = False

    def embed(self, texts):
        if self.broken:
            raise ModelError("It cannot be loaded.", "Mend it.")
        self.read += len(texts)
        return super().embed(texts)


@pytest.fixture
def conn(make_project, state):
    lines = {
        f"f{n:02}.py": f"def animal_{n}():\n    speech = {n}\n    return speech\n"
        for n in range(30)
    }
    lines["z.py"] = "def the_speech_of_animals(): return 'the speech of animals'\n"
    memory = Memory(make_project(lines), state, embedder="none")
    memory.refresh()
    yield memory.store.reader()
    memory.close()


def ranked(conn):
    return ranked_for(read_question(QUESTION), conn, None, None)


def test_the_first_are_read_once_and_the_rest_stays(conn):
    embedder = Counting()
    depth, before = Depth(embedder), ranked(conn)
    assert len(before) > READ
    first = depth.rerank(conn, QUESTION, before)
    assert embedder.read == READ + 1
    assert {r.chunk_id for r in first} == {r.chunk_id for r in before}
    assert first[READ:] == before[READ:]
    assert depth.rerank(conn, QUESTION, before) == first
    assert embedder.read == READ + 2  # the question alone


def test_the_nearest_gains(conn):
    before = ranked(conn)
    found = Depth(HashEmbedder()).rerank(conn, QUESTION, before[1:READ] + before[:1])
    assert found[0].spoken.place.path == "z.py"


def test_out_of_time_the_others_keep_their_places(conn, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", -1.0)
    embedder, before = Counting(), ranked(conn)
    assert Depth(embedder).rerank(conn, QUESTION, before) == before
    assert embedder.read < BATCH


def test_a_model_that_fails_changes_nothing(conn):
    embedder, before = Counting(), ranked(conn)
    embedder.broken = True
    assert Depth(embedder).rerank(conn, QUESTION, before) == before


def test_a_memory_reads_again_with_the_model_that_is_set(make_project, state):
    root = make_project({"a.py": "def a(): return speech\n"})
    memory = Memory(root, state, embedder="none", depth="hash")
    memory.refresh()
    assert memory.search("speech", 3).passages
    memory.close()
    memory = Memory(root, state, embedder="none", depth=str(root))
    assert "embedding model" in memory.status.note
    memory.close()
