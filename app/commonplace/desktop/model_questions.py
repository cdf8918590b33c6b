"""What the user is asked before a model is fetched, brought or deleted. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QPushButton, QWidget

from commonplace.desktop.model_words import model_size
from commonplace.desktop.visible import visible
from commonplace.engine.catalogue import CatalogueModel
from commonplace.network.grants import Grant

Then = Callable[[], None]


def ask_for_the_network(grant: Grant, parent: QWidget, then: Then) -> None:
    """Ask once whether the network may be used for `grant`."""
    box = _box(_tr("Open the network?"), parent)
    box.setText(_tr("The network is closed. Open it for this?"))
    box.setInformativeText(
        grant.question()
        + "\n\n"
        + _tr("This is asked once; the settings list it under “Network” and can take it back.")
    )
    _offer(box, [(_tr("Open"), then)])


def ask_about_licence(model: CatalogueModel, address: str, parent: QWidget, then: Then) -> None:
    """Show the licence of `model`, its size and how it is checked, before it is downloaded."""
    box = _box(_tr("Download this model?"), parent)
    size = model_size(model.size) if model.size else _tr("a size the server will say")
    box.setText(_tr("Download {0}, {1}?").format(model.name, size))
    lines = [model.licence_line, model.checks_line, _tr("From: {0}").format(address)]
    box.setInformativeText(visible("\n\n".join(lines)))
    if model.commercial != "yes":
        box.setIcon(QMessageBox.Icon.Warning)
    _offer(box, [(_tr("Accept and Download"), then)])


def ask_how_to_import(path: Path, parent: QWidget, copy: Then, link: Then) -> None:
    """Ask whether the file at `path` is copied or used where it is."""
    box = _box(_tr("Import this model?"), parent)
    box.setText(visible(_tr("Import {0}?").format(path.name)))
    box.setInformativeText(
        _tr(
            "A copy stays when the original goes, for instance with a memory stick. Using it "
            "where it is takes no space, and the original must stay in its place."
        )
    )
    _offer(box, [(_tr("Copy"), copy), (_tr("Use It Where It Is"), link)])


def ask_before_deleting(title: str, what: str, parent: QWidget, then: Then) -> None:
    """Ask before a model is deleted; `what` says where it goes."""
    box = _box(_tr("Delete this model?"), parent)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setText(visible(_tr("Delete {0}?").format(title)))
    box.setInformativeText(visible(what))
    _offer(box, [(_tr("Delete"), then)])


def _offer(box: QMessageBox, choices: list[tuple[str, Then]]) -> None:
    made: dict[QPushButton, Then] = {}
    for number, (title, then) in enumerate(choices):
        role = QMessageBox.ButtonRole.AcceptRole if not number else QMessageBox.ButtonRole.YesRole
        made[box.addButton(title, role)] = then
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(cancel)
    box.setEscapeButton(cancel)

    def decide(button: QAbstractButton) -> None:
        for offered, then in made.items():
            if offered is button:
                then()

    box.buttonClicked.connect(decide)
    box.open()


def _box(title: str, parent: QWidget) -> QMessageBox:
    box = QMessageBox(parent)
    box.setObjectName("modelQuestion")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(title)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box


def _tr(text: str) -> str:
    return QCoreApplication.translate("ModelQuestions", text)
