"""What the window says about models, in words."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from commonplace.desktop.languages import told
from commonplace.desktop.library_link import Transfer
from commonplace.desktop.numbers import number_words, rewritten
from commonplace.engine.catalogue import CatalogueModel
from commonplace.engine.entries import Fit, LibraryEntry, fit_of
from commonplace.engine.gguf import size_in_words


def fit_words(fit: Fit) -> str:
    """Say in a few words whether a model fits this machine."""
    return {
        "fits": _tr("Fits this machine"),
        "smaller": _tr("Fits with a smaller context"),
        "tight": _tr("Fits once other programs are closed"),
        "large": _tr("Too large for this machine"),
        "unknown": "",
    }[fit]


def fit_colour(fit: Fit) -> str:
    """Return the theme's colour for `fit`; the words say the same."""
    return {"fits": "ok", "smaller": "ok", "tight": "warning", "large": "error"}.get(fit, "muted")


def entry_line(entry: LibraryEntry) -> str:
    """Say what an installed model is, in one line."""
    parts = [
        entry.owner,
        model_size(entry.size),
        parameters_words(entry.parameters),
        entry.quantisation,
        entry.licence,
    ]
    return " · ".join(filter(None, parts))


def entry_facts(entry: LibraryEntry) -> list[tuple[str, str]]:
    """Return all that is known of an installed model, with names."""
    if entry.problem:
        return [(_tr("Cannot be chosen"), f"{told(entry.problem)} {told(entry.remedy)}".strip())]
    needs = _tr("{0} at the context of the settings").format(model_size(entry.memory))
    chat = _tr("Yes") if entry.chat else _tr("No: it was not taught to answer questions")
    facts = [
        (fit_words(entry.fit) or _tr("Memory"), entry.fit_sentence),
        (_tr("Memory needed"), needs),
        (_tr("Answers questions"), chat),
        (_tr("Fills in the middle of code"), _tr("Yes") if entry.fim else _tr("No")),
        (_tr("Context"), _tr("up to {0} tokens").format(number_words(entry.context))),
        (_tr("Licence"), entry.licence or _tr("The file does not say; ask where it came from.")),
        (_tr("Architecture"), f"{entry.architecture}, {entry.quantisation}"),
    ]
    if entry.parts > 1:
        facts.append((_tr("Files"), _tr("{0} parts").format(entry.parts)))
    facts.append((_tr("Where"), entry.path))
    return facts


def catalogue_line(model: CatalogueModel) -> str:
    """Say what a model of the catalogue is, in one line."""
    size = model_size(model.size) if model.size else _tr("size unknown")
    allows = {
        "yes": _tr("commercial use allowed"),
        "no": _tr("NOT for commercial use"),
        "conditions": _tr("commercial use with conditions"),
    }[model.commercial]
    return f"{size} · {model.licence} · {allows}"


def catalogue_needs(model: CatalogueModel, card_bytes: int = 0) -> str:
    """Say whether a model of the catalogue would fit this machine."""
    if not model.memory:
        return _tr("Memory needed: said once it is there")
    needs = _tr("needs about {0}").format(model_size(model.memory))
    return f"{fit_words(fit_of(model.memory, card_bytes))}: {needs}"


def catalogue_facts(model: CatalogueModel, card_bytes: int = 0) -> list[tuple[str, str]]:
    """Return all that is known of a model of the catalogue, with names."""
    active = (
        _tr(", {0} of them for each token").format(parameters_words(model.active))
        if model.active
        else ""
    )
    context = (
        _tr("up to {0} tokens").format(number_words(model.context))
        if model.context
        else _tr("the file says")
    )
    facts = [
        (_tr("Good for"), model.note),
        (_tr("Licence"), model.licence_line),
        (_tr("Memory"), catalogue_needs(model, card_bytes)),
        (_tr("Parameters"), f"{parameters_words(model.parameters)}{active}, {model.quantisation}"),
        (_tr("Context"), context),
        (_tr("Answers questions"), _tr("Yes") if model.chat else _tr("No")),
        (_tr("Fills in the middle of code"), _tr("Yes") if model.fim else _tr("No")),
    ]
    facts += [
        (_tr("Published score"), f"{s.benchmark} {s.value:g} % ({s.source})") for s in model.scores
    ]
    if model.repository:
        facts.append((_tr("File"), f"{model.repository}/{model.file}"))
        facts.append((_tr("Check"), model.checks_line))
    return facts


def transfer_words(transfer: Transfer) -> str:
    """Say where a transfer is."""
    phase = {
        "connecting": _tr("Connecting…"),
        "waiting": _tr("The connection was lost; trying again…"),
        "verifying": _tr("Checking the checksum…"),
    }.get(transfer.phase, "")
    so_far = model_size(transfer.done)
    if transfer.total:
        so_far = _tr("{0} of {1}").format(so_far, model_size(transfer.total))
    text = phase or so_far
    if transfer.phase == "downloading" and transfer.speed > 0:
        text += _tr(", {0} a second").format(model_size(int(transfer.speed)))
        left = int((transfer.total - transfer.done) / transfer.speed)
        if left > 0:
            text += _tr(", {0} left").format(time_words(left))
    return text


def time_words(seconds: int) -> str:
    """Return a number of seconds for people: ``"40 s"``, ``"3 min"``, ``"2 h 5 min"``."""
    if seconds < 60:
        return _tr("{0} s").format(seconds)
    if seconds < 3600:
        return _tr("{0} min").format(round(seconds / 60))
    return _tr("{0} h {1} min").format(seconds // 3600, seconds % 3600 // 60)


def model_size(count: int) -> str:
    """Return the bytes of a model, on the disk or in memory, for people: ``"4.7 GB"``."""
    return rewritten(size_in_words(count))


def parameters_words(count: int) -> str:
    """Return a number of parameters for people: ``"135M"``, ``"7.6B"``."""
    if not count:
        return ""
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.0f}M"
    return f"{count / 1_000_000_000:.3g}B"


def _tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)
