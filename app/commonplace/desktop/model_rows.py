"""The rows of the two lists of models, and what stands there while there are none."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from commonplace.desktop.library_link import LibraryLink
from commonplace.desktop.model_list import ModelRow
from commonplace.desktop.model_words import (
    catalogue_line,
    catalogue_needs,
    entry_line,
    fit_colour,
    fit_words,
    model_size,
)
from commonplace.engine.catalogue import CatalogueModel
from commonplace.engine.entries import LibraryEntry, fit_of


def entry_row(entry: LibraryEntry, in_use: str) -> ModelRow:
    """Return the row of a model on this machine; `in_use` is the path of the one that answers."""
    mark = _tr("in use") if entry.path == in_use else ""
    if entry.problem:
        status, colour = _tr("Cannot be chosen: {0}").format(entry.problem), "error"
    else:
        needs = _tr("needs {0}").format(model_size(entry.memory))
        status, colour = f"{fit_words(entry.fit)}: {needs}", fit_colour(entry.fit)
        if not entry.chat:
            status = _tr("Completes code only. {0}").format(status)
    return ModelRow(entry.path, entry.title, entry_line(entry), status, colour, mark)


def known_row(model: CatalogueModel, library: LibraryLink, *, here: bool) -> ModelRow:
    """Return the row of a model of the catalogue; `here` says that it need not be fetched."""
    transfer = library.transfer(model.id)
    mark = ""
    if transfer is not None:
        mark = f"{transfer.done / transfer.total:.0%}" if transfer.total else "…"
    elif here:
        mark = _tr("on this machine")
    elif model.file in library.unfinished:
        mark = _tr("unfinished")
    cards = library.card_bytes
    colour, needs = fit_colour(fit_of(model.memory, cards)), catalogue_needs(model, cards)
    return ModelRow(model.id, model.name, catalogue_line(model), needs, colour, mark)


def empty_words() -> str:
    """Teach how to come by a model."""
    return _tr(
        "There is no model on this machine yet. There are three ways to get one:\n\n"
        "1.  Choose one in the catalogue, the second page. A 1.5B model suits a laptop with "
        "8 GB of memory, a 7B model one with 16 GB. The network stays closed until you agree.\n\n"
        "2.  Bring one along, on a stick for instance: drop a .gguf file here, or import it.\n\n"
        "3.  Let Commonplace use models that other programs keep here, or a folder of yours.\n\n"
        "Until then, the passages that are found are the answer."
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("Models", text)
