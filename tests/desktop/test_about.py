"""What the window says about itself."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices, QGuiApplication

from commonplace.build import Build
from commonplace.desktop.about_dialog import AboutDialog

BUILD = Build("1.2.3", "abc123", "2026-11-21", "0f" * 32)


def made(qtbot, paths, build=BUILD):
    dialog = AboutDialog(paths, build)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: dialog.chosen.count() > 0, timeout=15000)
    return dialog


def test_it_tells_the_build_and_copies_it(qtbot, paths):
    dialog = made(qtbot, paths)
    said = dialog.text()
    assert all(part in said for part in ("1.2.3", "abc123", "2026-11-21", "0f" * 32, "PySide6"))
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text() == said
    dialog.close()


def test_it_opens_the_folder_with_the_data(qtbot, paths, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    dialog = made(qtbot, paths)
    _config, data, cache = dialog.folder_buttons
    assert data.isEnabled()
    assert not cache.isEnabled(), "there is no such folder yet"
    data.click()
    assert opened == [str(paths.data)]
    dialog.close()


def test_it_shows_the_licences(qtbot, paths):
    dialog = made(qtbot, paths)
    qtbot.waitUntil(lambda: "MIT License" in dialog.licence_text.toPlainText(), timeout=15000)
    other = next(
        i for i in range(dialog.chosen.count()) if dialog.chosen.itemText(i).startswith("click: ")
    )
    dialog.chosen.setCurrentIndex(other)
    qtbot.waitUntil(lambda: "Pallets" in dialog.licence_text.toPlainText(), timeout=15000)
    dialog.close()


def test_the_window_opens_it(qtbot, open_window):
    window = open_window()
    window.actions_by_id["about"].trigger()
    [dialog] = window.findChildren(AboutDialog)
    assert dialog.isVisible()
    dialog.close()
