"""What two texts have in common."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from commonplace.edits.changes import diff, merge
from commonplace.edits.comparing import equal_lines

LINES = st.lists(st.sampled_from(["a", "b", "c", "d", "", "x1", "x2", "x3"]), max_size=30)


@given(LINES, LINES)
def test_pairs_rise_and_are_equal(old, new):
    pairs = equal_lines(old, new)
    assert all(old[x] == new[y] for x, y in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))
    if old == new:
        assert len(pairs) == len(old)


@given(LINES, LINES)
def test_hunks_never_touch_and_lead_to_the_new_lines(old, new):
    hunks = diff(old, new)
    assert merge(old, new, hunks) == new
    assert merge(old, new, ()) == old
    assert all(a.end < b.start for a, b in pairwise(hunks))
    assert bool(hunks) == (old != new)


def test_a_moved_function_stays_whole():
    one, two = ["def f():", "  1", "  return", ""], ["def g():", "  2", "  return", ""]
    assert len(equal_lines(one + two, two + one)) == 4


def test_size_and_repetition_cost_little():
    """Sixty thousand lines with twelve thousand changes; then nothing but one repeated line."""
    old = [f"line {n}" for n in range(60_000)]
    new = [f"{line}!" if n % 5 == 0 else line for n, line in enumerate(old)]
    assert len(equal_lines(old, new)) == 48_000
    assert equal_lines(["x"] * 50_000 + ["a"], ["b"] + ["x"] * 49_000) == []
    assert len(equal_lines(["}"] * 150 + ["a"], ["b"] + ["}"] * 150)) == 150
