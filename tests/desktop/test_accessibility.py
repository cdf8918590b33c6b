"""Everything that can be used has a name, and can be reached without a mouse."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)

from commonplace.desktop.actions import ACTIONS, WindowState
from commonplace.desktop.settings_dialog import SettingsDialog
from commonplace.settings import Settings

USABLE = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
)


def unnamed(root):
    found = []
    for widget in root.findChildren(object):
        if not isinstance(widget, USABLE):
            continue
        if isinstance(widget.parent(), QComboBox | QAbstractSpinBox | QLineEdit):
            continue  # parts of a named whole
        if widget.objectName().startswith("qt_") or "Container" in type(widget.parent()).__name__:
            continue
        interface = QAccessible.queryAccessibleInterface(widget)
        if interface is None or not interface.text(QAccessible.Text.Name).strip():
            found.append(f"{type(widget).__name__} {widget.objectName()} in {widget.parent()}")
    return found


def rich_labels(root):
    return [
        label.text()
        for label in root.findChildren(QLabel)
        if label.textFormat() != Qt.TextFormat.PlainText
        and label.text()
        and not label.objectName().startswith("qt_")
    ]


def test_the_window_has_names(window, settled):
    window.ask("settings !say hello [1]")
    settled(window)
    window._open_file("README.md")
    window.messages.show_message("x", "error", "Wrong", "Mend it", [("Mend", lambda: None)])
    assert not unnamed(window)
    assert not rich_labels(window)


def test_the_dialogs_have_names(qtbot, tmp_path):
    settings = SettingsDialog(tmp_path / "s.toml", Settings(), [tmp_path / "m.gguf"])
    for dialog in (settings,):
        qtbot.addWidget(dialog)
        assert not unnamed(dialog)
        assert not rich_labels(dialog)


def test_tab_reaches_everything(window, settled, qtbot):
    window.ask("settings !say hello")
    settled(window)
    window._open_file("README.md")
    qtbot.waitUntil(lambda: window.code.view.toPlainText() != "")
    window.composer.edit.setFocus()
    window.composer.set_draft("x")
    reached = set()
    for _ in range(40):
        reached.add(window.focusWidget())
        window.focusNextPrevChild(True)
    wanted = {
        window.composer.edit,
        window.sources.list,
        window.code.view,
        window.tree.filter,
        window.tree.tree,
        window.transcript,
        window.model_button,
    }
    assert wanted <= reached


def test_shortcuts_are_unique_and_complete():
    keys = [key for spec in ACTIONS for key in spec.shortcuts]
    assert len(keys) == len(set(keys))
    wanted = {"Ctrl+O", "Ctrl+L", "Ctrl+.", "Esc", "Ctrl+R", "Ctrl+P", "Ctrl+,", "Ctrl+Q", "F5"}
    assert wanted <= set(keys)
    assert all(not QKeySequence(key).isEmpty() for key in keys)


@pytest.mark.parametrize("spec", ACTIONS, ids=lambda spec: spec.id)
def test_every_action_can_be_asked_about_any_state(spec):
    for project in (False, True):
        for answering in (False, True):
            assert spec.enabled(WindowState(project, answering, True, True)) in {True, False}


def test_menus_have_every_action(window):
    shown = [a for m in window.menuBar().actions() for a in m.menu().actions()]
    assert len([a for a in shown if a.text() and a.menu() is None]) == len(ACTIONS)
