from commonplace.index.rows import Place
from commonplace.recall.candidates import Candidate, Candidates
from commonplace.recall.ranking import WEIGHTS, rank
from commonplace.recall.reasons import reasons_of
from commonplace.recall.shapes import read_question


def ranked(question, *chunks):
    """Rank (path, symbol, words, vector) tuples; returns paths in order."""
    candidates, places = Candidates(), {}
    asked = read_question(question)
    for number, (path, symbol, words, vector) in enumerate(chunks):
        names = (symbol.lower(),) if symbol.lower() in asked.names else ()
        candidates.by_id[number] = Candidate(number, words, names, vector)
        places[number] = Place(path, "function", symbol)
    return [places[r.chunk_id].path for r in rank(asked, candidates, places)]


def test_nothing_ranks_to_nothing():
    assert ranked("anything") == []


def test_chunks_that_went_are_left_out():
    candidates = Candidates({1: Candidate(1, 2.0)})
    assert rank(read_question("x"), candidates, {}) == []


def test_the_definition_beats_a_mention_of_the_symbol():
    assert ranked("Request", ("a.py", "other", 9.0, None), ("b.py", "Request", 5.0, None)) == [
        "b.py",
        "a.py",
    ]


def test_the_file_named_like_the_question_beats_its_neighbours():
    found = ranked(
        "routing tree", ("lib/util.go", "", 5.0, None), ("lib/routing/tree.go", "", 5.0, None)
    )
    assert found[0] == "lib/routing/tree.go"


def test_tests_examples_and_generated_code_come_later():
    question = "parse header"
    for late in ("tests/parse.py", "src/parse_test.go", "examples/parse.py", "vendor/x/parse.js"):
        assert ranked(question, (late, "", 5.0, None), ("src/parse.py", "", 5.0, None))[-1] == late


def test_one_file_does_not_fill_the_list():
    found = ranked(
        "draw", *[("a.py", "", 5.0 - n / 10, None) for n in range(9)], ("b.py", "", 4.0, None)
    )
    assert "b.py" in found[:3]


def test_meaning_counts_where_words_are_missing():
    found = ranked("draw progress", ("a.py", "", None, 0.2), ("b.py", "", None, 0.9))
    assert found[0] == "b.py"


def test_the_passage_of_a_file_that_comes_first_is_the_one_that_answers():
    # The second chunk is nearer in meaning, the first only holds more words of the file's.
    found = ranked("draw progress", ("a.py", "x", 5.0, 0.1), ("a.py", "y", 4.5, 0.9))
    assert found == ["a.py", "a.py"]
    candidates = Candidates({1: Candidate(1, 5.0, (), 0.1), 2: Candidate(2, 4.5, (), 0.9)})
    places = {1: Place("a.py", "function", "x"), 2: Place("a.py", "function", "y")}
    assert [r.chunk_id for r in rank(read_question("draw progress"), candidates, places)] == [2, 1]


def test_what_other_results_use_comes_first():
    candidates = Candidates({1: Candidate(1, 5.0), 2: Candidate(2, 5.0)}, users={"b.py": 3.0})
    places = {1: Place("a.py", "function", "x"), 2: Place("b.py", "function", "y")}
    question = read_question("draw progress")
    first = rank(question, candidates, places)[0]
    assert first.chunk_id == 2
    assert "other results use it" in reasons_of(question, first.spoken)


def test_with_a_weight_a_wish_for_a_change_puts_files_changed_of_late_first():
    weights = WEIGHTS["sentence"]._replace(recent=0.3)
    places = {1: Place("old.py", "function", "a"), 2: Place("new.py", "function", "b")}
    for text, first in (("Fix the parser of headers", 2), ("how are headers parsed", 1)):
        question = read_question(text)
        candidates = Candidates(recent={"new.py": 2.0} if question.change else {})
        candidates.at(1).words, candidates.at(2).words = 1.0, 0.9
        assert rank(question, candidates, places, weights)[0].chunk_id == first
