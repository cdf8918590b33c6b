"""Two measurements held against each other: what the process that measures says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from PySide6.QtCore import QCoreApplication

from commonplace.desktop.evidence_figures import Bars
from commonplace.desktop.evidence_words import layer_name, source_name
from commonplace.desktop.numbers import number_words
from commonplace.desktop.visible import one_line
from commonplace.errors import ProtocolError
from commonplace.measure.results import Estimate, Outcome, decoded
from commonplace.wire.messages import Message

Figures = Literal["bits", "exact", "similarity", "mrr"]
RECALL = "recall, "
"""What a row about recall begins with; the source of its questions follows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of both; `difference` is new − old over `n` places or questions."""

    name: str
    figure: str
    difference: Estimate | None
    n: int
    outcome: Outcome


def rows_from(data: Message) -> list[Row]:
    """Return the rows of a reply; raises `ProtocolError` for what is none."""
    try:
        return [
            Row(
                str(row["name"]),
                str(row["figure"]),
                decoded(Estimate | None, row["difference"], "difference"),
                int(row["n"]),
                row["outcome"] if row["outcome"] in get_args(Outcome) else "missing",
            )
            for row in data["rows"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"This is no comparison: {error}.") from error


def sentences(rows: Sequence[Row]) -> list[tuple[Outcome, str]]:
    """Return what can be told of the difference, in words, what is sure first."""
    told = [row for row in rows if row.outcome in {"helps", "hurts"}]
    unsure = sum(row.outcome == "unsure" for row in rows)
    missing = sum(row.outcome == "missing" for row in rows)
    found: list[tuple[Outcome, str]] = [(row.outcome, _sentence(row)) for row in told]
    if unsure:
        text = _tr("No difference can be told in {0} of {1} figures.")
        found.append(("unsure", text.format(unsure, len(rows))))
    if missing:
        text = _tr("{0} of {1} figures cannot be compared: both measured nothing alike.")
        found.append(("missing", text.format(missing, len(rows))))
    return found


def table(rows: Sequence[Row]) -> Bars:
    """Return all rows as a figure that is a table alone."""
    cells = tuple(
        (
            _what(row),
            figure_name(row.figure),
            _signed(row.figure, row.difference.value) if row.difference else "–",
            _interval(row) if row.difference else "",
            number_words(row.n) if row.n else "",
            _judged(row.outcome),
        )
        for row in rows
    )
    header = (
        _tr("What"), _tr("Figure"), _tr("Difference"), _tr("95 % interval"), _tr("Both measured"),
        _tr("Against the other"),
    )  # fmt: skip
    return Bars(_tr("Against the other measurement"), "", (), 0.0, 1.0, False, header, cells)


def figure_name(figure: str) -> str:
    """Return what was compared, as the window writes it."""
    known = {
        "bits": _tr("bits per character"),
        "exact": _tr("next line exact"),
        "similarity": _tr("next line alike"),
        "mrr": _tr("MRR"),
    }
    return known.get(figure, one_line(figure))


def _sentence(row: Row) -> str:
    better = _tr("Better than the other in {0}, {1}: {2} ({3}).")
    worse = _tr("Worse than the other in {0}, {1}: {2} ({3}).")
    assert row.difference is not None, "what is told has a figure"
    return (better if row.outcome == "helps" else worse).format(
        _what(row),
        figure_name(row.figure),
        _signed(row.figure, row.difference.value),
        _interval(row),
    )


def _what(row: Row) -> str:
    if row.name.startswith(RECALL):
        return source_name(row.name.removeprefix(RECALL))
    return layer_name(row.name)


def _judged(outcome: Outcome) -> str:
    return {
        "helps": _tr("better"),
        "hurts": _tr("worse"),
        "unsure": _tr("cannot be told"),
        "missing": _tr("not measured"),
    }[outcome]


def _interval(row: Row) -> str:
    assert row.difference is not None
    low, high = row.difference.low, row.difference.high
    return _tr("{0} to {1}").format(_signed(row.figure, low), _signed(row.figure, high))


def _signed(figure: str, value: float) -> str:
    share = figure in {"exact", "similarity"}
    text = f"{value * 100:+.0f} %" if share else number_words(value, "+.3f")
    return text.replace("-", "−")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Evidence", text)
