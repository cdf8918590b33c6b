import pytest

from commonplace.index.embedder import HashEmbedder
from commonplace.index.rows import Place
from commonplace.memory.project import Memory
from commonplace.paths import StatePaths
from commonplace.recall.candidates import Candidate
from commonplace.recall.neighbourhood import name_nearness, users

FILES = {
    "store.py": "class Ledger:\n    def post(self, entry):\n        return entry\n",
    "shop.py": "from store import Ledger\n\n\ndef sell():\n    return Ledger().post(1)\n",
    "bank.py": "from store import Ledger\n\n\ndef save():\n    return Ledger().post(2)\n",
    "tests/test_store.py": "from store import Ledger\n\n\ndef test_post():\n    Ledger().post(3)\n",
}


@pytest.fixture
def conn(tmp_path):
    root = tmp_path / "project"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    memory = Memory(
        root, StatePaths(tmp_path / "a", tmp_path / "b", tmp_path / "c"), embedder="none"
    )
    memory.refresh()
    reader = memory.store.reader()
    yield reader
    reader.close()
    memory.close()


def test_a_file_counts_for_the_other_files_that_use_it(conn):
    rows = conn.execute("SELECT c.id, f.path FROM chunks c JOIN files f ON f.id = c.file_id")
    places = {number: Place(path, "function", "") for number, path in rows}
    candidates = [Candidate(number, words=1.0) for number in places]
    assert users(conn, candidates, places) == {"store.py": 2.0}


def test_nothing_found_uses_nothing(conn):
    assert users(conn, [], {}) == {}


def test_names_of_files_are_compared_with_the_question():
    embedder = HashEmbedder()
    query = embedder.embed(["request handler"])[0]
    near = name_nearness(embedder, query, ["lib/RequestHandler.java", "lib/Unrelated.java"])
    assert near["lib/RequestHandler.java"] > near["lib/Unrelated.java"]
    assert name_nearness(embedder, query, []) == {}
