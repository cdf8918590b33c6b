import pytest

from commonplace.engine.tuning import ahead_that_wins, fastest, thread_candidates
from commonplace.engine.writing import Foretelling, Writer


def test_the_clearly_faster_candidate_wins_and_a_tie_does_not():
    times = {2: 1.0, 4: 0.97, 1: 0.5}
    assert fastest([2, 4, 1], times.__getitem__) == (1, 0.5)
    assert fastest([2, 4], times.__getitem__) == (2, 1.0)


def test_a_slow_model_is_not_tried_for_ever():
    now, tried = [0.0], []

    def trial(candidate):
        tried.append(candidate)
        now[0] += 2.0
        return 2.0

    assert fastest([4, 2, 1, 3], trial, seconds=5.0, clock=lambda: now[0]) == (4, 2.0)
    assert tried == [4, 2]


def test_candidates_are_sensible_on_any_machine():
    assert thread_candidates(1, 1) == [1]
    assert thread_candidates(2, 2) == [2, 1]
    assert thread_candidates(8, 16) == [8, 16, 7, 4]


def test_tokens_are_foretold_only_where_that_wins():
    assert ahead_that_wins({1: 1.0, 4: 1.2, 8: 1.5}) == 7
    assert ahead_that_wins({1: 1.0, 4: 2.0, 8: 6.0}) == 3
    assert ahead_that_wins({1: 1.0, 4: 3.5, 8: 7.5}) == 0
    assert ahead_that_wins({1: 1.0}) == 0


def test_what_followed_before_is_foretold():
    known = Foretelling([1, 2, 3, 4, 5, 6, 1, 2])
    assert known.next(4) == []
    known.add(3)
    assert known.next(2) == [4, 5]
    assert known.next(99) == [4, 5, 6, 1, 2, 3]
    known.add(9)
    assert known.next(4) == []
    assert Foretelling([1, 2]).next(3) == []


class ScriptedLlama:
    """Draws what a script says, whatever was foretold."""

    def __init__(self, script):
        self.context = 1000
        self.live = []
        self.script = script
        self.batches = []

    def evaluate(self, tokens, stopped):
        self.batches.append(len(tokens))
        self.live += tokens
        self.base = len(self.live) - 1
        return not stopped()

    def evaluate_all(self, tokens):
        self.batches.append(len(tokens))
        self.base = len(self.live)
        self.live += tokens

    def cut(self, count):
        del self.live[len(self.live) - count :]
        return True

    def draw(self, index):
        return self.script[self.base + max(index, 0) + 1 - len(PROMPT)]


PROMPT = [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("ahead", [0, 1, 3, 7])
def test_an_answer_is_the_same_however_much_is_foretold(ahead):
    script = [1, 2, 3, 4, 5, 9, 6, 7, 8, 1, 2, 3, 4, 5, 9, 6, 0]
    llama = ScriptedLlama(script)
    writer = Writer(llama, llama.draw, PROMPT, list(PROMPT), ahead=ahead)
    said = [writer.next(lambda: False, len(script) - n) for n in range(len(script))]
    assert said == script
    writer.close()
    assert llama.live == (PROMPT + script)[: len(llama.live)]
    assert len(llama.live) >= len(PROMPT) + len(script) - 1
    if ahead > 1:
        assert len(llama.batches) < len(script)
    assert writer.next(lambda: True, 1) is None
