"""A project's own words: pairs from the index, the map, and the trial that keeps or drops it."""

import sqlite3

import numpy as np
import pytest

from commonplace.errors import CancelledError
from commonplace.index.embedder import HashEmbedder
from commonplace.memory.project import Memory
from commonplace.recall.adapter import RIDGE, Figures, adapted, fit
from commonplace.recall.documented import documented_chunks, first_sentence, without_lines
from commonplace.recall.trial import blanked, compared, fit_adapter, fold_of

PYTHON = (
    "def send_request(self, request):\n"
    '    """Deliver the prepared message through its adapter.\n\n    More follows.\n    """\n'
    "    adapter = self.get_adapter(request.url)\n"
    "    response = adapter.send(request)\n"
    "    # remember who answered\n"
    "    return response\n"
)
GO = (
    "package a\n\n// Trim cuts the blanks at both ends of a line.\n"
    "func Trim(line string) string {\n"
    "\tstart := first(line)\n\tend := last(line)\n\treturn line[start:end]\n}\n"
)
FILES = {"a.py": PYTHON, "trim.go": GO, "tests/test_a.py": PYTHON}


@pytest.fixture
def conn(make_project, state):
    memory = Memory(make_project(FILES), state, embedder="hash")
    memory.refresh()
    memory.embed()
    reader = memory.store.reader()
    yield reader
    reader.close()
    memory.close()


def test_documented_functions_are_pairs_without_their_sentence(conn):
    python, go = documented_chunks(conn)
    assert (python.path, go.path) == ("a.py", "trim.go")
    assert python.text == "Deliver the prepared message through its adapter."
    assert go.text == "cuts the blanks at both ends of a line."  # its name would give it away
    assert "Deliver" not in python.code
    assert "remember who answered" in python.code
    assert "blanks" not in go.code
    assert "blanks" not in go.other_comments


@pytest.mark.parametrize(
    "raw", ["# Licensed under the same terms.", "# Two words", "# TODO: take this away again"]
)
def test_not_every_comment_is_a_sentence_about_code(raw):
    assert first_sentence(raw, "name") == ""


def test_lines_are_taken_out_once_and_in_order():
    assert without_lines("a\nb\na\nc", ["b", "a"]) == "a\n\n\nc"


def words_for(conn, term):
    query = "SELECT rowid FROM words WHERE words MATCH ?"
    return [row[0] for row in conn.execute(query, [term])]


def test_a_copy_holds_no_sentence_and_the_index_stays_as_it_is(conn):
    pairs = list(documented_chunks(conn))
    before = words_for(conn, "deliver")
    with blanked(conn, pairs) as copy:
        assert pairs[0].chunk_id not in words_for(copy, "deliver")
        assert pairs[0].chunk_id in words_for(copy, "response")
    assert pairs[0].chunk_id in before
    assert words_for(conn, "deliver") == before
    with pytest.raises(sqlite3.ProgrammingError):
        copy.execute("SELECT 1")


def rotated(count, size=16):
    """Return unit vectors and where a fixed turn puts them."""
    random = np.random.default_rng(0)
    asked = random.normal(size=(count, size)).astype(np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    turn, _ = np.linalg.qr(random.normal(size=(size, size)))
    return asked, (asked @ turn).astype(np.float32)


def test_a_map_learns_a_turn_from_many_pairs_and_stays_near_nothing_with_few():
    asked, code = rotated(4000)
    found = adapted(asked[0], fit(asked, code))
    assert found @ code[0] > 0.95
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    few = fit(asked[:2], code[:2])
    assert np.abs(few - np.eye(16)).max() < 2 / RIDGE


def test_what_is_sure_to_gain_is_kept_and_nothing_else():
    before = np.full(60, 4.0)
    better = compared(60, before, np.full(60, 1.0))
    assert better.kept
    assert (better.base, better.adapted, better.ci) == (0.0, 1.0, (0.75, 0.75))
    assert not compared(60, before, before).kept
    mixed = np.where(np.arange(60) % 2, 1.0, np.inf)
    assert not compared(60, np.full(60, 2.0), mixed).kept
    assert not compared(60, np.full(60, 1.0), before).kept


def test_figures_are_a_sentence():
    won = Figures(kept=True, pairs=90, base=0.61, adapted=0.67, gain=0.03, ci=(0.01, 0.05))
    assert won.reason.endswith("held-out hits among the first three 61 % → 67 %.")
    assert won.to_wire()["heldout"] == {
        "base": 0.61,
        "adapted": 0.67,
        "gain": 0.03,
        "ci": [0.01, 0.05],
    }


def test_few_pairs_are_no_ground_to_adapt_on(conn):
    adapter = fit_adapter(conn, HashEmbedder(), lambda: False)
    assert adapter.matrix is None
    assert adapter.figures.pairs == 2
    assert "only 2" in adapter.figures.reason


NOUNS = (
    "anchor basket candle dragon engine forest garden hammer island jacket kettle ladder".split()
)


@pytest.fixture
def many(make_project, state):
    """A project in which each documented word has a fixed other word in the code."""
    files = {}
    for one in range(len(NOUNS)):
        body = ""
        for other in range(0, len(NOUNS), 2):
            first, second = NOUNS[one], NOUNS[(one + other + 1) % len(NOUNS)]
            body += (
                f"def f{one}_{other}(x):\n"
                f'    """Speaks to the {first} about one {second} today."""\n'
                f"    q{first} = x\n    q{second} = x\n    z = x\n    return z\n\n\n"
            )
        files[f"m{one}.py"] = body
    memory = Memory(make_project(files), state, embedder="hash")
    memory.refresh()
    memory.embed()
    reader = memory.store.reader()
    yield reader
    reader.close()
    memory.close()


def test_a_trial_says_the_same_each_time_and_can_be_stopped(many):
    embedder = HashEmbedder()
    first = fit_adapter(many, embedder, lambda: False)
    assert first.figures == fit_adapter(many, embedder, lambda: False).figures
    assert first.figures.pairs >= 40
    assert first.figures.base < 1
    assert (first.matrix is not None) == first.figures.kept
    with pytest.raises(CancelledError):
        fit_adapter(many, embedder, lambda: True)


def test_a_file_is_always_held_out_with_the_same_others():
    assert [fold_of("a/b.py")] * 3 == [fold_of("a/b.py") for _ in range(3)]
    assert {fold_of(f"{n}.py") for n in range(50)} == set(range(5))
