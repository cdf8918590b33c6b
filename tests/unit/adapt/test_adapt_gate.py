"""The gate: three questions, and only three times yes."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonplace.adapt.gate import (
    Apart,
    Pair,
    heldout_figure,
    interval,
    judge,
    parity_figure,
    regression_figure,
)


def pairs(
    shift: float, *, part: str = "heldout", blocks: int = 8, noise: float = 0.2
) -> list[Pair]:
    """Return blocks of 30 tokens whose surprise moves by `shift` nats, with noise by block."""
    draw = random.Random(f"{part} {shift}")
    made = []
    for _ in range(blocks):
        moved = shift + draw.gauss(0, noise * abs(shift) + 1e-4)
        base = [draw.uniform(0.1, 5.0) for _ in range(30)]
        made.append(Pair(part, tuple(base), tuple(max(b + moved, 0.0) for b in base)))
    return made


def other(shift: float) -> list[Pair]:
    return [p for part in ("project", "code", "prose", "tasks") for p in pairs(shift, part=part)]


AGREE = [
    Apart("heldout", 1.501, 1.5, 300),
    Apart("regression", 2.0, 2.005, 900),
    Apart("regression base", 2.0, 2.0, 900),
]


def test_an_adapter_that_helps_and_harms_nothing_is_accepted() -> None:
    verdict = judge(pairs(-0.1), other(0.0), AGREE, 1)
    assert verdict.accepted
    assert verdict.gate.heldout.passed
    assert verdict.gate.regression.passed
    assert verdict.gate.parity.passed
    assert verdict.gate.heldout.adapted == pytest.approx(
        verdict.gate.heldout.base * math.exp(-0.1), rel=0.03
    )
    assert "easier" in verdict.reason


@pytest.mark.parametrize(
    ("held", "rest", "parity", "said"),
    [
        (pairs(0.05), other(0.0), AGREE, "no proof that it helps"),
        (pairs(-0.0005, noise=40.0), other(0.0), AGREE, "no proof that it helps"),
        (pairs(-0.1), other(0.02), AGREE, "harder to foretell"),
        (pairs(-0.1), other(-0.02) + pairs(0.03, part="prose"), AGREE, "prose"),
        (pairs(-0.1), other(0.0), [Apart("heldout", 1.6, 1.5, 300), *AGREE[1:]], "disagree"),
        (pairs(-0.1), other(0.0), [*AGREE[:2], Apart("regression base", 2.1, 2.0, 9)], "disagree"),
        (pairs(-0.1, blocks=3), other(0.0), AGREE, "too few"),
        (pairs(-0.1), [], AGREE, "other text"),
        (pairs(-0.1), other(0.0), [], "not measured"),
    ],
)
def test_one_no_is_enough(
    held: list[Pair], rest: list[Pair], parity: list[Apart], said: str
) -> None:
    verdict = judge(held, rest, parity, 1)
    assert not verdict.accepted
    assert said in verdict.reason


def test_a_part_that_suffers_is_not_hidden_by_others_that_gain() -> None:
    gaining = [pair for pair in other(-0.05) if pair.part != "tasks"]
    figure = regression_figure(gaining + pairs(0.06, part="tasks"), 1)
    assert figure.adapted < figure.base
    assert figure.parts["tasks"] > 0
    assert not figure.passed


def test_a_single_text_that_is_spoilt_is_not_hidden_by_its_part() -> None:
    spoilt = Pair("code", (1.0,) * 40, (1.08,) * 40)
    figure = regression_figure([*other(-0.03), spoilt], 1)
    assert figure.parts["code"] < 0
    assert figure.ci[1] < 0.005
    assert not figure.passed
    verdict = judge(pairs(-0.1), [*other(-0.03), spoilt], AGREE, 1)
    assert "worst text" in verdict.reason


def test_an_uncertain_regression_is_not_passed() -> None:
    unsure = [Pair("code", (1.0,) * 20, (1.0 + d,) * 20) for d in (-0.05, 0.05, -0.04, 0.04)]
    figure = regression_figure(unsure, 1)
    assert abs(figure.adapted / figure.base - 1) < 0.001
    assert not figure.passed


def test_few_blocks_make_a_wider_interval_than_many() -> None:
    draw = random.Random(5)
    base = [[1.0] * 20 for _ in range(40)]
    adapted = [[1.0 + draw.gauss(-0.05, 0.05)] * 20 for _ in base]
    few = interval(base[:5], adapted[:5], 1)
    many = interval(base, adapted, 1)
    assert few[1] - few[0] > 2 * (many[1] - many[0])


def test_the_interval_holds_what_it_promises() -> None:
    """Of 200 draws with no effect, about one in forty may seem to help; not many more."""
    draw = random.Random(7)
    seeming = 0
    for seed in range(200):
        base = [[1.0] * 25 for _ in range(6)]
        adapted = [[1.0 + effect] * 25 for effect in (draw.gauss(0, 0.05) for _ in base)]
        seeming += interval(base, adapted, seed)[1] < 0
    assert seeming <= 10


def test_one_block_proves_nothing() -> None:
    assert not heldout_figure([Pair("heldout", (2.0,) * 500, (1.0,) * 500)], 1).passed


def test_parity_is_of_both_figures_and_of_the_base() -> None:
    assert parity_figure(AGREE).passed
    assert not parity_figure(AGREE[:2]).passed
    figure = parity_figure([Apart("heldout", 1.0, 1.03, 9), *AGREE[1:]])
    assert not figure.passed
    assert figure.parts["heldout"] == pytest.approx(-0.03)


@settings(max_examples=20)
@given(st.lists(st.floats(0, 20), min_size=2, max_size=30), st.integers(0, 9))
def test_no_change_is_no_change(nats: list[float], seed: int) -> None:
    low, high = interval([nats, nats], [nats, nats], seed)
    assert low == pytest.approx(0.0, abs=1e-9)
    assert high == pytest.approx(0.0, abs=1e-9)
    assert not heldout_figure([Pair("heldout", tuple(nats), tuple(nats))] * 5, seed).passed


def test_the_same_seed_gives_the_same_verdict() -> None:
    assert judge(pairs(-0.1), other(0.0), AGREE, 3) == judge(pairs(-0.1), other(0.0), AGREE, 3)
