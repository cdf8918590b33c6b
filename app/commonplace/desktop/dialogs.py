"""Small questions and notices, none of which stops the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QMessageBox, QWidget

from commonplace.desktop.visible import visible


def confirm_link(url: str, parent: QWidget) -> None:
    """Show the whole address `url` and open it in the browser if the user says so."""
    box = _box(_tr("Open a web page?"), parent)
    box.setText(_tr("The answer links to a page on the web. Open it in your browser?"))
    box.setInformativeText(visible(url))
    box.setStandardButtons(QMessageBox.StandardButton.Open | QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(QMessageBox.StandardButton.Cancel)

    def decide(button: QAbstractButton) -> None:
        if box.standardButton(button) == QMessageBox.StandardButton.Open:
            QDesktopServices.openUrl(url)

    box.buttonClicked.connect(decide)
    box.open()


def ask(
    parent: QWidget,
    title: str,
    text: str,
    more: str,
    yes: tuple[str, QMessageBox.ButtonRole],
    run: Callable[[], None],
) -> QMessageBox:
    """Ask before something that cannot be taken back; *Cancel* is what Enter presses."""
    box = _box(title, parent)
    box.setText(text)
    box.setInformativeText(more)
    agree = box.addButton(*yes)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))

    def decide(button: QAbstractButton) -> None:
        if button is agree:
            run()

    box.buttonClicked.connect(decide)
    box.open()
    return box


def _box(title: str, parent: QWidget) -> QMessageBox:
    box = QMessageBox(parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setWindowTitle(title)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box


def _tr(text: str) -> str:
    return QCoreApplication.translate("Dialogs", text)
