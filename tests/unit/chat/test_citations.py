import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.chat.citations import citations_of, sentences_of
from commonplace.recall.passages import Passage

SESSION = Passage(
    "session.py", 1, 9, "class Session:\n    cookies = CookieJar()\n    adapters = []", 1.0,
    "class", "Session", (),
)  # fmt: skip
RETRY = Passage(
    "retry.py", 5, 20, "def backoff_delays(attempts):\n    yield base * 2 ** attempt", 0.5,
    "function", "backoff_delays", (),
)  # fmt: skip
BOTH = (SESSION, RETRY)


def cited(answer, passages=BOTH):
    return [(c.n, c.by) for c in citations_of(sentences_of(answer, passages), passages)]


def test_the_models_own_marker_counts():
    assert cited("It keeps cookies [1].") == [(1, "model")]
    assert cited("Both matter [1, 2].") == [(1, "model"), (2, "model")]


def test_a_sentence_without_marker_goes_to_the_passage_it_comes_from():
    assert cited("The delays double with each attempt in backoff_delays.") == [(2, "attribution")]


def test_a_sentence_that_nothing_supports_is_the_models_own():
    (sentence,) = sentences_of("Paris is a lovely city in spring.", BOTH)
    assert sentence.by is None
    assert cited("Paris is a lovely city in spring.") == []


@pytest.mark.parametrize("marker", ["[0]", "[3]", "[99]", "[x]", "[1"])
def test_a_marker_that_names_no_passage_is_no_citation(marker):
    assert cited(f"Something else entirely {marker}.") == []


def test_the_model_wins_over_attribution():
    text = "The cookies lie in a CookieJar of Session. They are kept there [1]."
    assert cited(text) == [(1, "model")]


def test_a_code_block_is_one_sentence():
    code = "```python\ndef backoff_delays(attempts):\n    yield base. Really. Yes\n```"
    answer = f"See:\n{code}\nDone now."
    kinds = [answer[s.start : s.end].split("\n", 1)[0] for s in sentences_of(answer, BOTH)]
    assert kinds == ["See:", "```python", "Done now."]


@given(st.text(max_size=300))
def test_sentences_are_in_order_and_inside_the_answer(answer):
    position = 0
    for sentence in sentences_of(answer, BOTH):
        assert position <= sentence.start < sentence.end <= len(answer)
        position = sentence.end
        assert all(1 <= n <= 2 for n in sentence.numbers)
