"""What a measurement found, as figures: each a chart to paint and the same as a table.

Nothing here paints. A figure of bars has groups of bars with intervals; a plot has
series of points. `header` and `rows` are the table for who reads rather than looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from PySide6.QtCore import QCoreApplication

from commonplace.desktop.evidence_words import (
    layer_name,
    name_of,
    share_words,
    source_name,
    system_name,
)
from commonplace.desktop.languages import told
from commonplace.desktop.numbers import number_words
from commonplace.desktop.visible import one_line
from commonplace.measure.results import Estimate, Layer, Recall, Result

Header = tuple[str, ...]
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar from zero to `value`, its interval, and `text` beside it.

    Without a `value` the text stands alone. `second` marks the measurement that
    the first is compared with.
    """

    label: str
    text: str
    value: float | None = None
    low: float = 0.0
    high: float = 0.0
    second: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Bars below one title, which is empty where there is one group only."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Bars:
    """A figure of bars over an axis from `least` to `most`; `about` says how to read it."""

    title: str
    about: str
    groups: tuple[Group, ...]
    least: float
    most: float
    share: bool
    header: Header
    rows: Rows


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a plot: a line through them, or a stem below each.

    `missed` are points of something that did not come about. `role` is the
    theme's colour.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    role: str
    line: bool = False
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure with two axes, named `across` and `up`."""

    title: str
    about: str
    series: tuple[Series, ...]
    across: str
    up: str
    from_zero: bool
    header: Header
    rows: Rows


Figure = Bars | Plot
Pick = Callable[[Layer], Estimate | None]


def figures(result: Result, other: Result | None = None) -> list[Figure]:
    """Return the figures of `result`, beside those of an `other` it is compared with."""
    both = [result] if other is None else [result, other]
    found: list[Figure | None] = [
        _layers(
            both,
            _tr("What each layer adds to the model"),
            _tr(
                "Nats per token won against the line above, on lines of this project that "
                "were held out. To the right of zero the layer helps; where the interval "
                "touches zero, that is not certain."
            ),
            lambda layer: layer.gain,
            _signed,
        ),
        _layers(
            both,
            _tr("Surprise of the model (perplexity)"),
            _tr("How many tokens the model wavers between, on average. Lower is better."),
            lambda layer: layer.perplexity,
            _plain,
        ),
        _layers(
            both,
            _tr("Next line written exactly"),
            _tr("The share of held-out lines that the model writes letter by letter."),
            lambda layer: layer.exact,
            share_words,
            share=True,
        ),
        _layers(
            both,
            _tr("Next line, how alike"),
            _tr("How alike the model's line is to the real one, by edits. 100 % is the same."),
            lambda layer: layer.similarity,
            share_words,
            share=True,
        ),
        _recall(both),
        _freshness(result),
        _speed(both),
        _curve(result),
    ]
    return [figure for figure in found if figure is not None]


def described(figure: Figure) -> str:
    """Return `figure` in one text, for screen readers."""
    lines = [", ".join(f"{h}: {c}" for h, c in _filled(figure.header, row)) for row in figure.rows]
    return "\n".join([figure.about, *lines])


def _filled(header: Header, row: Sequence[str]) -> Iterator[tuple[str, str]]:
    return ((h, c) for h, c in zip(header, row, strict=True) if c)


def _layers(
    both: Sequence[Result],
    title: str,
    about: str,
    pick: Pick,
    write: Callable[[float], str],
    *,
    share: bool = False,
) -> Bars | None:
    names = list(dict.fromkeys(layer.name for result in both for layer in result.layers))
    bars: list[Bar] = []
    rows: list[tuple[str, ...]] = []
    for name in names:
        label = layer_name(name)
        for number, result in enumerate(both):
            layer = next((item for item in result.layers if item.name == name), None)
            estimate = pick(layer) if layer is not None else None
            if layer is None or (estimate is None and not layer.reason):
                continue  # the first layer has nothing to be compared with
            bar = _bar(label, estimate, write, second=number > 0, reason=one_line(layer.reason))
            if bar.value is not None or label or bar.text != bars[-1].text:  # a reason once
                bars.append(bar)
            label = ""
            rows.append(
                (
                    layer_name(name),
                    *_which(both, number),
                    write(estimate.value) if estimate else "–",
                    _interval(estimate, write),
                    number_words(layer.n) if layer.n else "",
                    one_line(told(layer.reason)),
                )
            )
    if not any(bar.value is not None for bar in bars):
        return None
    header = (
        _tr("Layer"), *([_tr("Measured")] if len(both) > 1 else []), _tr("Value"),
        _tr("95 % interval"), _tr("Places"), _tr("Remark"),
    )  # fmt: skip
    least, most = (0.0, 1.0) if share else _range(bars)
    return Bars(title, about, (Group("", tuple(bars)),), least, most, share, header, tuple(rows))


def _recall(both: Sequence[Result]) -> Bars | None:
    groups: list[Group] = []
    rows: list[tuple[str, ...]] = []
    lines = [(number, line) for number, result in enumerate(both) for line in result.recall]
    sources = list(dict.fromkeys(line.source for _, line in lines))
    for source in sources:
        found = [(n, line) for n, line in lines if line.source == source]
        order = list(dict.fromkeys(line.system for _, line in found))
        found.sort(key=lambda item: (order.index(item[1].system), item[0]))
        bars: list[Bar] = []
        for _, of_system in groupby(found, key=lambda item: item[1].system):
            for place, (number, line) in enumerate(of_system):
                label = "" if place else system_name(line.system)
                bars.append(_bar(label, line.hit5, share_words, second=number > 0))
                rows.append(_recall_row(both, number, line))
        asked = max(line.n for _, line in found)
        title = _tr("{0} ({1} questions)").format(source_name(source), number_words(asked))
        groups.append(Group(title, tuple(bars)))
    if not groups:
        return None
    header = (
        _tr("Questions from"), _tr("Found by"), *([_tr("Measured")] if len(both) > 1 else []),
        _tr("Questions"), _tr("First"), _tr("Among 5"), _tr("95 % interval"), _tr("Among 10"),
        _tr("MRR"), _tr("Recall leads by (MRR)"),
    )  # fmt: skip
    return Bars(
        _tr("Recall beside grep, words and vectors"),
        _tr("The share of questions with a right file among the first five."),
        tuple(groups),
        0.0,
        1.0,
        True,
        header,
        tuple(rows),
    )


def _recall_row(both: Sequence[Result], number: int, line: Recall) -> tuple[str, ...]:
    gain = line.gain
    lead = f"{_signed(gain.value)} ({_interval(gain, _signed)})" if gain else ""
    return (
        source_name(line.source), system_name(line.system), *_which(both, number),
        number_words(line.n), share_words(line.hit1.value), share_words(line.hit5.value),
        _interval(line.hit5, share_words), share_words(line.hit10.value),
        number_words(line.mrr.value, ".3f"), lead,
    )  # fmt: skip


def _freshness(result: Result) -> Plot | None:
    touches = result.freshness.touches
    if not touches:
        return None
    found = tuple((t.at, t.waited) for t in touches if t.found)
    missed = tuple((t.at, t.waited) for t in touches if not t.found)
    series = [Series(_tr("found"), found, "accent")]
    if missed:
        series.append(Series(_tr("not found in time"), missed, "error", missed=True))
    rows = tuple(
        (
            number_words(t.at, ".1f"), one_line(told(t.action)), number_words(t.waited, ".2f"),
            _tr("yes") if t.found else _tr("no"),
        )
        for t in touches
    )  # fmt: skip
    about = _tr(
        "How long a saved file took until it could be found: {0} s at the median, {1} s at worst."
    )
    return Plot(
        _tr("How fresh the index is"),
        about.format(
            number_words(result.freshness.median, ".2f"),
            number_words(result.freshness.worst, ".2f"),
        ),
        tuple(series),
        _tr("seconds since the watch began"),
        _tr("seconds until found"),
        True,
        (_tr("After (s)"), _tr("What was done"), _tr("Waited (s)"), _tr("Found")),
        rows,
    )


def _speed(both: Sequence[Result]) -> Bars | None:
    """Return speeds as a table alone: their units differ, so bars would say nothing."""
    rows = tuple(
        (
            one_line(told(s.name)), *_which(both, number), _measured(s.p50, s.unit),
            _measured(s.p95, s.unit), number_words(s.n),
        )
        for number, result in enumerate(both)
        for s in result.speed
    )  # fmt: skip
    if not rows:
        return None
    header = (
        _tr("What"), *([_tr("Measured")] if len(both) > 1 else []), _tr("Median"),
        _tr("95th percentile"), _tr("Runs"),
    )  # fmt: skip
    return Bars(_tr("How fast it is"), "", (), 0.0, 1.0, False, header, rows)


def _curve(result: Result) -> Plot | None:
    if not result.curve:
        return None
    loss = tuple((float(p.step), p.loss) for p in result.curve)
    heldout = tuple((float(p.step), p.heldout) for p in result.curve if p.heldout is not None)
    series = [Series(_tr("on what it learns from"), loss, "muted", line=True)]
    if heldout:
        series.append(Series(_tr("on what was held out"), heldout, "accent", line=True))
    rows = tuple(
        (
            str(p.step),
            number_words(p.loss, ".3f"),
            "" if p.heldout is None else number_words(p.heldout, ".3f"),
        )
        for p in result.curve
    )
    return Plot(
        _tr("How the adapter learned"),
        _tr("Loss in nats per token. What counts is the line of what was held out."),
        tuple(series),
        _tr("step"),
        _tr("nats per token"),
        False,
        (_tr("Step"), _tr("Loss"), _tr("Held out")),
        rows,
    )


def _bar(
    label: str,
    estimate: Estimate | None,
    write: Callable[[float], str],
    *,
    second: bool,
    reason: str = "",
) -> Bar:
    if estimate is None:
        return Bar(label, told(reason), second=second)
    text = f"{write(estimate.value)}  ({_interval(estimate, write)})"
    return Bar(label, text, estimate.value, estimate.low, estimate.high, second)


def _which(both: Sequence[Result], number: int) -> tuple[str, ...]:
    return (name_of(both[number]),) if len(both) > 1 else ()


def _interval(estimate: Estimate | None, write: Callable[[float], str]) -> str:
    if estimate is None:
        return ""
    return _tr("{0} to {1}").format(write(estimate.low), write(estimate.high))


def _range(bars: Sequence[Bar]) -> tuple[float, float]:
    """Return an axis that holds zero and every interval."""
    shown = [bar for bar in bars if bar.value is not None]
    least = min(0.0, *(bar.low for bar in shown))
    most = max(0.0, *(bar.high for bar in shown))
    return least, most if most > least else least + 1.0


def _measured(value: float, unit: str) -> str:
    return f"{number_words(value, ',.4g')} {one_line(unit)}"


def _plain(value: float) -> str:
    return number_words(value, ".2f") if value < 100 else number_words(value, ",.0f")


def _signed(value: float) -> str:
    return number_words(value, "+.3f").replace("-", "−")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Evidence", text)
