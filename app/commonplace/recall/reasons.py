"""Reasons: what spoke for a passage, in words for the person who asked."""

from __future__ import annotations

from collections.abc import Mapping

from commonplace.index.words import IDENTIFIER, SEPARATORS, name_forms, whole_form
from commonplace.recall.shapes import Question, Shape
from commonplace.recall.signals import Spoken
from commonplace.words import said

READ_AS: Mapping[Shape, tuple[str, ...]] = {
    "symbol": (said("read as a name"),),
    "path": (said("read as a path"),),
    "trace": (said("read as a stack trace"),),
    "error": (said("read as an error message"),),
    "report": (said("read as a report"),),
}
"""Which weights applied, where they are not those of a plain question."""
CLOSE = 0.25
"""Cosine from which a passage is called close in meaning."""


def reasons_of(question: Question, spoken: Spoken) -> tuple[str, ...]:
    """Return why a passage was chosen, the strongest reason first."""
    candidate, signals = spoken.candidate, spoken.signals
    reasons = []
    if candidate.place:
        traced = question.shape == "trace"
        reasons.append(said("named by the stack trace") if traced else said("named by line"))
    if candidate.said:
        reasons.append(said("holds the words of the error message"))
    if signals.names:
        reasons.append(said(f"defines {_defined(question, spoken)}"))
    if signals.words > 0.5:
        reasons.append(said("shares rare words with the question"))
    elif signals.words > 0:
        reasons.append(said("shares words with the question"))
    if signals.vector > 0.5 and (candidate.vector or 0.0) > CLOSE:
        reasons.append(said("close in meaning"))
    if signals.path > 0.3:
        reasons.append(said("the path holds words of the question"))
    if signals.used > 0.5:
        reasons.append(said("other results use it"))
    if signals.recent > 0.5:
        reasons.append(said("its file was changed of late"))
    if spoken.demotion.reason:
        reasons.append(spoken.demotion.reason)
    return (*(reasons or [said("distantly related")]), *READ_AS.get(question.shape, ()))


def _defined(question: Question, spoken: Spoken) -> str:
    """Return the names the chunk defines, as the code or else the user wrote them."""
    names = spoken.candidate.names
    whole = [n for n in names if not any(o != n and o.endswith(f".{n}") for o in names)]
    parts = SEPARATORS.split(spoken.place.symbol)
    tails = [".".join(parts[start:]) for start in range(len(parts))]
    spelled = {form: tail for tail in tails for form in name_forms(tail)[:1]}
    asked = {whole_form(word): word for word in IDENTIFIER.findall(question.text)}
    return ", ".join(dict.fromkeys(spelled.get(n) or asked.get(n, n) for n in whole))
