"""Shows a report of a crash: all of it, to read, to copy, or to throw away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.labels import plain_label
from commonplace.desktop.theme import code_font
from commonplace.desktop.visible import visible


def show_report(report: str, forget: Callable[[], None], parent: QWidget) -> None:
    """Show `report`; `forget` throws it away."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(_tr("What happened"))
    dialog.resize(640, 460)
    about = plain_label(
        _tr(
            "This says where in the program it stopped, and nothing about your files, questions or "
            "folders. It lies on this machine alone. If you report the problem, copy it from here."
        ),
        dialog,
    )
    text = QPlainTextEdit(visible(report), dialog)
    text.setAccessibleName(_tr("The report"))
    text.setReadOnly(True)
    text.setTabChangesFocus(True)
    text.setFont(code_font(9))
    text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    copy = buttons.addButton(_tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
    away = buttons.addButton(_tr("Delete the Report"), QDialogButtonBox.ButtonRole.DestructiveRole)
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(text.toPlainText()))
    away.clicked.connect(forget)
    away.clicked.connect(dialog.accept)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(16, 16, 16, 16)
    layout.setSpacing(10)
    for widget in (about, text, buttons):
        layout.addWidget(widget)
    dialog.open()


def _tr(text: str) -> str:
    return QCoreApplication.translate("CrashDialog", text)
