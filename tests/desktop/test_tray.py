"""The icon in the tray: only if wanted and possible; then closing hides, and Quit quits."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from commonplace.desktop import window as window_module
from commonplace.desktop.tray import Tray
from commonplace.settings import Settings, save

# The offscreen platform, which has no tray, says so when an icon is made all the same.
no_tray = pytest.mark.qt_log_ignore(
    "systemTrayWindowChanged", "support raise", "propagateSizeHints", extend=True
)


@pytest.fixture
def quits(monkeypatch):
    """The calls that would end the program."""
    calls = []
    monkeypatch.setattr(window_module, "end_program", lambda: calls.append("quit"))
    return calls


@pytest.fixture
def possible(monkeypatch):
    monkeypatch.setattr(Tray, "possible", staticmethod(lambda: True))


def icon_of(window) -> QSystemTrayIcon:
    [icon] = window.findChildren(QSystemTrayIcon)
    return icon


def test_off_by_default_so_closing_closes(window):
    assert not window.shell.tray.shown
    window.close()
    assert window._done
    assert QApplication.quitOnLastWindowClosed()


def test_without_a_tray_of_the_desktop_closing_closes(open_window, monkeypatch):
    monkeypatch.setattr(Tray, "possible", staticmethod(lambda: False))
    window = open_window(Settings(window_tray=True))
    assert not window.shell.tray.shown
    window.close()
    assert window._done


@no_tray
def test_closing_hides_the_icon_leads_back_and_quit_ends(
    open_window, project, possible, quits, qtbot
):
    window = open_window(Settings(window_tray=True))
    window.open_project(project)
    qtbot.waitUntil(lambda: window.status.status.phase == "ready", timeout=15_000)
    window.close()
    assert not window.isVisible()
    assert not window._done
    assert window.controller.memory.root is not None  # the project stays open
    assert not QApplication.quitOnLastWindowClosed()
    icon_of(window).activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    assert window.isVisible()
    window.close()
    menu = icon_of(window).contextMenu()
    next(action for action in menu.actions() if action.text() == "Quit").trigger()
    assert window._done
    assert quits == ["quit"]
    assert QApplication.quitOnLastWindowClosed()


@no_tray
def test_the_setting_holds_at_once_and_brings_a_hidden_window_back(window, possible, paths, quits):
    apply = window.settings_desk.apply
    apply(save(paths.settings_file, {"window.tray": True}))
    assert window.shell.tray.shown
    window.close()
    assert not window.isVisible()
    apply(save(paths.settings_file, {"window.tray": False}))
    assert window.isVisible()
    assert not window.findChildren(QSystemTrayIcon) or not icon_of(window).isVisible()
    window.actions_by_id["quit"].trigger()
    assert window._done
