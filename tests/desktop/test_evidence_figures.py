"""The figures of a measurement: their numbers and words, how they are painted, and compared."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtGui import QColor

from commonplace.desktop.evidence_charts import Chart, nice_ticks
from commonplace.desktop.evidence_comparison import Row, rows_from, sentences, table
from commonplace.desktop.evidence_figures import Bar, Bars, Group, Plot, Series, figures
from commonplace.desktop.evidence_words import duration, name_of, summary_of
from commonplace.errors import ProtocolError
from commonplace.measure.results import Estimate, Freshness, Layer, Result


def titles(found):
    return [figure.title for figure in found]


def test_every_figure_is_a_table_too(example):
    found = figures(example)
    assert titles(found) == [
        "What each layer adds to the model",
        "Surprise of the model (perplexity)",
        "Next line written exactly",
        "Next line, how alike",
        "Recall beside grep, words and vectors",
        "How fresh the index is",
        "How fast it is",
        "How the adapter learned",
    ]
    for figure in found:
        assert figure.rows
        assert all(len(row) == len(figure.header) for row in figure.rows)


def test_bars_have_the_figures_and_intervals_of_the_result(example):
    exact = figures(example)[2]
    assert isinstance(exact, Bars)
    bars = exact.groups[0].bars
    layer = example.layers[1]
    assert bars[1].label == "+ the open file"
    assert (bars[1].value, bars[1].low, bars[1].high) == (
        layer.exact.value, layer.exact.low, layer.exact.high,
    )  # fmt: skip
    assert exact.rows[1] == ("+ the open file", "28 %", "15 % to 42 %", "40", "")


def test_a_layer_that_was_left_out_says_why(example):
    gain = figures(example)[0]
    last = gain.groups[0].bars[-1]
    assert last.value is None
    assert last.text.startswith("No adapter is kept")
    assert gain.rows[-1][-1].startswith("No adapter is kept")


def test_recall_has_a_group_for_each_source(example):
    recall = figures(example)[4]
    assert len(recall.groups) == 2
    assert recall.groups[0].title == "Questions from documentation (40 questions)"
    assert [bar.label for bar in recall.groups[0].bars] == [
        "Recall", "Vectors alone", "Words alone", "grep",
    ]  # fmt: skip


def test_two_results_stand_side_by_side(example, earlier):
    exact = figures(example, earlier)[2]
    bars = exact.groups[0].bars
    assert [bar.second for bar in bars[:4]] == [False, True, False, True]
    assert [bar.label for bar in bars[:2]] == ["The model alone", ""]
    assert bars[1].value == 0.05
    assert exact.header[1] == "Measured"
    assert "older" in exact.rows[1][1]


def test_a_result_without_anything_has_no_figures():
    empty = Result(date="2026-11-21T00:00:00+00:00", project="p", model="", seed=1)
    assert figures(empty) == []
    assert "without a model" in name_of(empty)
    assert summary_of(empty)


def test_layers_and_systems_of_a_later_version_keep_their_names(example):
    later = replace(example, layers=(replace(example.layers[0], name="telepathy"),))
    assert figures(later)[0].groups[0].bars[0].label == "telepathy"


@pytest.mark.parametrize(
    ("seconds", "words"), [(12, "12 s"), (89, "89 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(("least", "most"), [(0, 1), (-0.3, 0.7), (0, 0.002), (0, 48213), (3, 3)])
def test_ticks_are_round_and_hold_everything(least, most):
    ticks = nice_ticks(least, most)
    assert 2 <= len(ticks) <= 9
    assert ticks[0] <= least
    assert ticks[-1] >= most
    steps = {round(b - a, 9) for a, b in pairwise(ticks)}
    assert len(steps) == 1


def painted(chart, width, colour):
    """Return how many pixels of the chart have the colour, about."""
    chart.resize(width, chart.sizeHint().height())
    image = chart.grab().toImage()
    wanted = QColor(colour)
    count = 0
    for x in range(image.width()):
        for y in range(image.height()):
            found = image.pixelColor(x, y)
            count += (
                abs(found.red() - wanted.red())
                + abs(found.green() - wanted.green())
                + abs(found.blue() - wanted.blue())
            ) < 60
    return count


def bars_of(*bars, least=0.0, most=1.0, share=True):
    return Bars("T", "A", (Group("", bars),), least, most, share, ("a",), (("b",),))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_longer_bar_has_more_colour(theme, keeper, qtbot):
    keeper.choose(theme)
    counts = []
    for value in (0.1, 0.5, 0.9):
        chart = Chart(bars_of(Bar("x", "t", value, value, value)), keeper)
        qtbot.addWidget(chart)
        ground, fill = keeper.theme.colour("window"), keeper.theme.colour("accent")
        part = 150 / 255
        mixed = QColor(
            *(round(f * part + g * (1 - part)) for f, g in zip(fill.toTuple()[:3],
              ground.toTuple()[:3], strict=True))
        )  # fmt: skip
        chart.setStyleSheet(f"background: {ground.name()}")
        counts.append(painted(chart, 600, mixed))
    assert counts[0] > 20
    assert counts[0] < counts[1] < counts[2]


def test_a_wide_interval_is_drawn_wide(keeper, qtbot):
    counts = []
    for low, high in ((0.49, 0.51), (0.1, 0.9)):
        chart = Chart(bars_of(Bar("", "", 0.5, low, high)), keeper)
        qtbot.addWidget(chart)
        counts.append(painted(chart, 600, keeper.theme.colours["text"]))
    assert counts[1] > counts[0] + 50


@pytest.mark.parametrize(
    "figure",
    [
        bars_of(Bar("a long name of a layer " * 5, "a reason " * 30)),
        bars_of(Bar("a", "0", 0.0, 0.0, 0.0), least=0.0, most=0.0, share=False),
        bars_of(Bar("a", "-1", -1.0, -2.0, 0.5), least=-2.0, most=0.5, share=False),
        Plot("T", "A", (Series("s", ((0.0, 0.0),), "accent"),), "x", "y", True, ("a",), (("b",),)),
        Plot(
            "T", "A", (Series("s", ((5.0, 2.0),), "accent", line=True),), "x", "y", False,
            ("a",), (("b",),),
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("width", [60, 240, 900])
def test_odd_figures_are_painted_without_complaint(figure, width, keeper, qtbot):
    chart = Chart(figure, keeper)
    qtbot.addWidget(chart)
    chart.resize(width, chart.sizeHint().height())
    assert not chart.grab().isNull()


def test_what_was_missed_looks_otherwise(example, keeper, qtbot):
    fresh = figures(example)[5]
    assert [s.missed for s in fresh.series] == [False, True]
    chart = Chart(fresh, keeper)
    qtbot.addWidget(chart)
    assert painted(chart, 600, keeper.theme.colours["error"]) > 3


def test_screen_readers_find_every_figure(example, keeper, qtbot):
    for figure in figures(example):
        chart = Chart(figure, keeper)
        qtbot.addWidget(chart)
        assert chart.accessibleName() == figure.title
        for row in figure.rows:
            assert row[0] in chart.accessibleDescription()
    assert "Found by: grep" in Chart(figures(example)[4], keeper).accessibleDescription()


def test_the_layers_of_a_reason_alone_are_no_figure():
    left_out = Result(
        date="2026-11-21T00:00:00+00:00", project="p", model="m", seed=1,
        layers=(Layer("base", reason="no model"),), freshness=Freshness(reason="not watched"),
    )  # fmt: skip
    assert figures(left_out) == []


def row(name, figure, value, outcome):
    spread = Estimate(value, value - 0.01, value + 0.01)
    return Row(name, figure, spread if outcome != "missing" else None, 12, outcome)


def test_what_is_sure_about_a_difference_is_said_first():
    rows = [
        row("base", "bits", -0.25, "helps"),
        row("recall", "exact", -0.1, "hurts"),
        row("book", "exact", 0.001, "unsure"),
        row("recall, history", "mrr", 0.0, "missing"),
    ]
    assert sentences(rows) == [
        (
            "helps",
            "Better than the other in The model alone, bits per character: "
            "−0.250 (−0.260 to −0.240).",
        ),
        ("hurts", "Worse than the other in + recall, next line exact: −10 % (−11 % to −9 %)."),
        ("unsure", "No difference can be told in 1 of 4 figures."),
        ("missing", "1 of 4 figures cannot be compared: both measured nothing alike."),
    ]
    assert table(rows).rows[3] == ("Questions from commits", "MRR", "–", "", "12", "not measured")


@pytest.mark.parametrize("data", [{}, {"rows": [{}]}, {"rows": 3}, {"rows": [{"name": "x"}]}])
def test_a_reply_that_is_no_comparison_is_a_defect(data):
    with pytest.raises(ProtocolError):
        rows_from(data)
