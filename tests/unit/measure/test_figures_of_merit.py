"""Means, their intervals, and how near two lines are."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonplace.measure import intervals
from commonplace.measure.lines import edit_distance, edit_similarity, same_line

numbers = st.floats(-100, 100)
texts = st.text(alphabet="ab( ", max_size=12)


@given(st.lists(numbers, min_size=1, max_size=12), st.integers(0, 5))
def test_a_mean_lies_in_its_interval_which_lies_in_the_range(values, seed):
    estimate = intervals.mean(values, seed)
    assert estimate.value == pytest.approx(statistics.fmean(values), abs=1e-9)
    assert estimate.low <= estimate.value <= estimate.high
    assert min(values) - 1e-9 <= estimate.low
    assert estimate.high <= max(values) + 1e-9
    assert intervals.mean(values, seed) == estimate


def test_more_values_are_surer():
    few, many = ([0.0, 1.0] * n for n in (5, 500))
    one, other = intervals.mean(few, 1), intervals.mean(many, 1)
    assert other.high - other.low < (one.high - one.low) / 3


def test_an_interval_holds_about_as_often_as_it_says():
    import random

    drawn = random.Random(7)
    held = 0
    for seed in range(200):
        sample = [drawn.gauss(3.0, 2.0) for _ in range(40)]
        estimate = intervals.mean(sample, seed)
        held += estimate.low <= 3.0 <= estimate.high
    assert 176 <= held <= 199


def test_a_ratio_weighs_by_the_wholes():
    assert intervals.ratio([10.0, 1.0], [10, 100], 1).value == pytest.approx(11 / 110)
    assert intervals.perplexity([2.0, 2.0], [1, 1], 1).value == pytest.approx(math.e**2)
    assert math.isfinite(intervals.perplexity([1e6], [1], 1).value)


def test_a_paired_difference_is_surer_than_two_means():
    before = [float(n) for n in range(40)]
    after = [value + 0.5 for value in before]
    assert intervals.mean_difference(after, before, 1) == pytest.approx(
        intervals.mean_difference(after, before, 2)
    )
    estimate = intervals.mean_difference(after, before, 1)
    assert (estimate.low, estimate.value, estimate.high) == pytest.approx((0.5, 0.5, 0.5))


@pytest.mark.parametrize(("parts", "wholes"), [([], []), ([1.0], []), ([1.0], [0])])
def test_nothing_has_no_mean(parts, wholes):
    with pytest.raises(ValueError, match="nothing"):
        intervals.ratio(parts, wholes, 1)


@given(texts, texts)
def test_edit_distance_is_a_distance(one, other):
    distance = edit_distance(one, other)
    assert distance == edit_distance(other, one)
    assert (distance == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
    assert 0 <= edit_similarity(one, other) <= 1


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("", "abc", 3)],
)
def test_known_distances(one, other, distance):
    assert edit_distance(one, other) == distance


def test_spaces_at_the_ends_of_a_line_do_not_count():
    assert same_line("    return x", "\treturn x  ")
    assert not same_line("return  x", "return x")
    assert edit_similarity("  abc ", "abc") == 1.0
    assert edit_similarity("", "   ") == 1.0
