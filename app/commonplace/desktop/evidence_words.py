"""What the window calls the parts of a measurement, in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDateTime, Qt

from commonplace.desktop.evidence_link import Progress
from commonplace.desktop.languages import told
from commonplace.desktop.numbers import date_words, number_words
from commonplace.desktop.visible import one_line
from commonplace.measure.results import Result


def name_of(result: Result) -> str:
    """Return a measurement as it stands in lists: its date, its model, and if it was quick."""
    model = one_line(result.model.removesuffix(".gguf")) or _tr("without a model")
    quick = f" · {_tr('quick')}" if result.quick else ""
    return f"{date_of(result)} · {model}{quick}"


def date_of(result: Result) -> str:
    """Return when `result` was measured, in local time."""
    date = QDateTime.fromString(result.date, Qt.DateFormat.ISODate)
    if not date.isValid():
        return one_line(result.date)
    return date_words(date.toLocalTime())


def summary_of(result: Result) -> str:
    """Return in one line what was measured, how much of it and from which seed."""
    parts = [
        _tr("{0} files, {1} passages, {2} notes").format(
            number_words(result.files), number_words(result.chunks), number_words(result.notes)
        ),
        _tr("seed {0}").format(result.seed),
        _tr("took {0}").format(duration(result.seconds)),
        _tr("commit {0}").format(one_line(result.commit[:10])) if result.commit else "",
        one_line(result.machine),
    ]
    return " · ".join(filter(None, parts))


def phase_words(progress: Progress) -> str:
    """Return what a measurement is doing, with how much of it is done."""
    known = {
        "indexing": _tr("Reading a copy of the project"),
        "documentation": _tr("Asking what the documentation answers"),
        "notes": _tr("Asking what the notes answer"),
        "history": _tr("Asking what past commits changed"),
        "layers": _tr("Letting the model write lines that were held out"),
        "adapter": _tr("Training an adapter, and measuring with it"),
        "freshness": _tr("Timing how soon a saved file is found"),
        "speed": _tr("Timing recall and the model"),
    }
    words = known.get(progress.phase, one_line(progress.phase)) or _tr("Getting ready…")
    if not progress.total:
        return words
    return _tr("{0}: {1} of {2}").format(
        words, number_words(progress.done), number_words(progress.total)
    )


def layer_name(name: str) -> str:
    """Return the name of a layer as the window writes it."""
    known = {
        "base": _tr("The model alone"),
        "open file": _tr("+ the open file"),
        "recall": _tr("+ recall"),
        "book": _tr("+ the book"),
        "adapter": _tr("+ the adapter"),
    }
    return known.get(name, one_line(told(name)))


def duration(seconds: float) -> str:
    """Return a duration in words, as fine as makes sense."""
    if seconds < 90:
        return _tr("{0} s").format(round(seconds))
    if seconds < 90 * 60:
        return _tr("{0} min").format(round(seconds / 60))
    return _tr("{0} h").format(number_words(seconds / 3600, ".1f"))


def share_words(value: float) -> str:
    """Return a share between 0 and 1 as a percentage."""
    return f"{value * 100:.0f} %"


def source_name(source: str) -> str:
    """Return where questions came from, as the window writes it."""
    known = {
        "documentation": _tr("Questions from documentation"),
        "notes": _tr("Questions from notes"),
        "history": _tr("Questions from commits"),
    }
    return known.get(source, one_line(source))


def system_name(system: str) -> str:
    """Return what looked for the answers, as the window writes it."""
    known = {
        "recall": _tr("Recall"),
        "vectors": _tr("Vectors alone"),
        "words": _tr("Words alone"),
        "grep": _tr("grep"),
    }
    return known.get(system, one_line(system))


def _tr(text: str) -> str:
    return QCoreApplication.translate("Evidence", text)
