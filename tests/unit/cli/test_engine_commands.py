from commonplace.cli.engine import Form, winner
from commonplace.engine.types import Judgement


def form(kind, read, write, loss):
    return Form(kind, 1, Judgement(read, write, loss))


FIRST = form("Q4_1", 200, 50, 2.0)


def test_the_fastest_that_costs_nothing_wins():
    others = [form("Q8_0", 400, 60, 2.001), form("Q6_K", 300, 60, 2.0)]
    assert winner(FIRST, others).kind == "Q8_0"


def test_what_costs_accuracy_or_wins_little_does_not():
    assert winner(FIRST, [form("Q4_0", 500, 90, 2.2)]) is None
    assert winner(FIRST, [form("Q8_0", 210, 51, 2.0)]) is None
    assert winner(FIRST, []) is None
