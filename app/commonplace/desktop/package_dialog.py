"""What a package of a model holds, and its licence to be read before it is installed."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.labels import plain_label
from commonplace.desktop.library_link import LibraryLink
from commonplace.desktop.model_words import model_size
from commonplace.desktop.theme import code_font
from commonplace.desktop.visible import one_line, visible
from commonplace.wire.messages import Message


def ask_to_install(library: LibraryLink, path: Path, parent: QWidget, manifest: Message) -> None:
    """Show the licence of the package at `path`, and install it if the user accepts."""
    dialog = PackageDialog(path, manifest, parent)
    name, agreed = one_line(str(manifest["name"])), str(manifest["digest"])
    dialog.accepted.connect(lambda: library.install(path, name, agreed))
    dialog.open()


class PackageDialog(QDialog):
    """Shows one package: name, size, source, and the whole text of the licence."""

    def __init__(self, path: Path, manifest: Message, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Install this model?"))
        self.resize(660, 540)
        name, licence = one_line(str(manifest["name"])), one_line(str(manifest["licence"]))
        size = model_size(int(manifest["size"]))
        headline = plain_label(self.tr("Install {0}, {1}?").format(name, size), self, "headline")
        facts = [self.tr("Licence: {0}").format(licence)]
        if manifest["source"]:
            facts.append(self.tr("Source: {0}").format(one_line(str(manifest["source"]))))
        facts.append(self.tr("Package: {0}").format(one_line(path.name)))
        about = plain_label("\n".join(facts), self, "muted")
        self.text = QPlainTextEdit(visible(str(manifest["licence_text"])), self)
        self.text.setAccessibleName(self.tr("The licence"))
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(code_font(9))
        checks = plain_label(
            self.tr("Its checksum and its header are checked before it can be chosen."),
            self,
            "muted",
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.accept_button = buttons.addButton(
            self.tr("&Accept and Install"), QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.cancel_button = buttons.button(QDialogButtonBox.StandardButton.Cancel)
        self.accept_button.setAutoDefault(False)
        self.cancel_button.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(headline)
        layout.addWidget(about)
        layout.addWidget(self.text, 1)
        layout.addWidget(checks)
        layout.addWidget(buttons)
