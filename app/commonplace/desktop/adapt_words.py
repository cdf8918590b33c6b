"""What the window says of adapting: phases, answers of the gate, and its figures as charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from commonplace.adapt.records import Figure, Gate, Source
from commonplace.desktop.adapt_link import Estimate, Outcome, Progress
from commonplace.desktop.evidence_figures import Bar, Bars, Group, Plot, Series
from commonplace.desktop.evidence_words import duration
from commonplace.desktop.languages import told
from commonplace.desktop.model_words import model_size
from commonplace.desktop.numbers import number_words
from commonplace.desktop.visible import one_line

MOST_POINTS = 400
"""Points of a loss curve that are painted; of more, every second is left out."""
APART = 0.02
"""Nats a token by which torch and llama.cpp may differ."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of the gate, with its answer and its figures in words."""

    question: str
    answer: str
    figures: str


def phase_words(phase: str) -> str:
    """Return what the trainer does, for people."""
    known = {
        "reading": _tr("Reading the file"),
        "asking": _tr("Asking the model as it is"),
        "loading": _tr("Loading the model for training"),
        "training": _tr("Learning"),
        "exporting": _tr("Writing the adapter"),
        "judging": _tr("Asking the model with the adapter"),
        "comparing": _tr("Comparing torch with llama.cpp"),
    }
    return known.get(phase) or one_line(phase) or _tr("Getting ready…")


def short_name(path: str) -> str:
    """Return the name of a file without its folders."""
    return one_line(path.rpartition("/")[2])


def source_line(source: Source) -> str:
    """Return one line about a file that is learned from."""
    text = _tr("{0} – {1}, about {2} tokens")
    return text.format(one_line(source.path), told(source.why), number_words(source.tokens))


def estimate_line(estimate: Estimate) -> str:
    """Return what adapting would take."""
    text = _tr("It takes about {0} and {1} of memory on this machine, the tests included.")
    line = text.format(duration(estimate.seconds), model_size(estimate.memory_bytes))
    return f"{line} {told(estimate.note.strip())}".strip()


def running_line(file: str, progress: Progress) -> str:
    """Return how far training is, in as few words as a status bar has room for."""
    text = _tr("Adapting to {0}… {1}")
    return text.format(short_name(file), f"{progress.fraction * 100:.0f} %")


def answers(gate: Gate) -> list[Answer]:
    """Return the three questions of the gate, answered."""
    held, other, parity = gate.heldout, gate.regression, gate.parity
    return [
        Answer(
            _tr("Does it foretell the part of the file that it has not seen better, with the best "
                "prompt in both cases?"),
            _answer(held),
            _perplexities(held),
        ),
        Answer(
            _tr("Is it no worse on other files, other code and prose?"),
            _answer(other),
            _perplexities(other),
        ),
        Answer(
            _tr("Does llama.cpp, which will use it, agree with torch, which trained it?"),
            _answer(parity),
            _apart(parity),
        ),
    ]  # fmt: skip


def changes_figure(gate: Gate) -> Bars | None:
    """Return by how much perplexity changes, as bars; None where nothing was measured."""
    named = ((_tr("This file"), gate.heldout), (_tr("Other text"), gate.regression))
    bars = [_bar(name, figure) for name, figure in named if measured(figure)]
    if not bars:
        return None
    ends = [end for bar in bars for end in (bar.low, bar.high, bar.value or 0.0)]
    return Bars(
        _tr("Change of perplexity with the adapter"),
        _tr("In per cent, with the interval of 95 %. Left of zero is better."),
        (Group("", tuple(bars)),),
        min(-1.0, *ends),
        max(1.0, *ends),
        share=False,
        header=(_tr("Text"), _tr("Change")),
        rows=tuple((bar.label, bar.text) for bar in bars),
    )


def loss_figure(points: Sequence[Progress]) -> Plot | None:
    """Return the loss while it learns, as curves; None before there is any."""
    learned = tuple((float(p.step), p.loss) for p in points if p.loss is not None)
    while len(learned) > MOST_POINTS:
        learned = learned[::2]
    held = tuple((float(p.step), p.heldout) for p in points if p.heldout is not None)
    if not learned:
        return None
    series = [Series(_tr("Learning from"), learned, "muted", line=True)]
    if held:
        series.append(Series(_tr("Set aside"), held, "accent", line=True))
    return Plot(
        _tr("Loss"),
        _tr("How hard the text is to foretell. Lower is better; where the part that was set "
            "aside rises again, the epoch before is kept."),
        tuple(series),
        across=_tr("Step"),
        up=_tr("Nats a token"),
        from_zero=False,
        header=(_tr("Step"), _tr("Set aside")),
        rows=tuple((f"{step:.0f}", number_words(loss, ".3f")) for step, loss in held),
    )  # fmt: skip


def verdict_line(outcome: Outcome) -> str:
    """Return what came of it, for a headline."""
    if outcome.record is not None:
        return _tr("There is an adapter for this file")
    return _tr("The adapter is kept") if outcome.accepted else _tr("The adapter was thrown away")


def measured(figure: Figure) -> bool:
    """Whether a question of the gate was asked at all."""
    return math.isfinite(figure.base) and math.isfinite(figure.adapted)


def _answer(figure: Figure) -> str:
    if not measured(figure):
        return _tr("Not asked")
    return _tr("Yes") if figure.passed else _tr("No")


def _perplexities(figure: Figure) -> str:
    if not measured(figure):
        return ""
    text = _tr("Perplexity {0} without it, {1} with it: {2}, between {3} and {4}; {5} tokens.")
    change = figure.adapted / figure.base - 1
    return text.format(
        number_words(figure.base, ".2f"), number_words(figure.adapted, ".2f"), percent(change),
        percent(figure.ci[0]), percent(figure.ci[1]), number_words(figure.tokens),
    )  # fmt: skip


def _apart(figure: Figure) -> str:
    if not measured(figure):
        return ""
    text = _tr("They differ by {0} nats a token without it and {1} with it; {2} is allowed.")
    base, adapted = (number_words(abs(apart), ".3f") for apart in (figure.base, figure.adapted))
    return text.format(base, adapted, number_words(APART, "g"))


def percent(share: float) -> str:
    """Return a relative change as a percentage with its sign."""
    return number_words(share * 100, "+.1f").replace("-", "−") + " %"


def _bar(name: str, figure: Figure) -> Bar:
    change = (figure.adapted / figure.base - 1) * 100
    low, high = (bound * 100 if math.isfinite(bound) else change for bound in figure.ci)
    return Bar(name, percent(change / 100), change, low, high)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Adapt", text)
