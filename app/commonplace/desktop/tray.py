"""An icon in the desktop's tray, for those who want one: closing then hides the window.

Off unless the setting ``window.tray`` is on, and then only where the desktop has
a tray; elsewhere closing closes, so that nobody is left with a window they cannot reach.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMainWindow, QMenu, QSystemTrayIcon

from commonplace.desktop.icons import app_icon
from commonplace.desktop.windows import come_to_front


class Tray(QObject):
    """Shows and takes away the icon, and says whether closing means hiding."""

    def __init__(self, window: QMainWindow, leave: Callable[[], None]) -> None:
        """`leave` really closes the window."""
        super().__init__(window)
        self._window = window
        self._leave = leave
        self._icon: QSystemTrayIcon | None = None
        self._menu: QMenu | None = None

    @property
    def shown(self) -> bool:
        """Whether there is an icon that leads back to a hidden window."""
        return self._icon is not None

    def apply(self, *, wanted: bool) -> None:
        """Show the icon or take it away, as the settings say and the desktop allows."""
        if wanted and not self.shown and self.possible():
            self._show()
        elif not wanted and self.shown:
            self.dismiss()
            self._window.show()  # it may have been hidden, and nothing else leads back

    def takes_closing(self) -> bool:
        """Hide the window instead of closing it, if there is an icon; returns whether it did."""
        if not self.shown or _session_ends():
            return False
        QApplication.setQuitOnLastWindowClosed(False)
        self._window.hide()
        return True

    def dismiss(self) -> None:
        """Take the icon away; the window is about to go, or it is not wanted any more."""
        icon, self._icon = self._icon, None
        menu, self._menu = self._menu, None
        if icon is not None:
            icon.hide()
            icon.deleteLater()
        if menu is not None:
            menu.deleteLater()
        QApplication.setQuitOnLastWindowClosed(True)

    @staticmethod
    def possible() -> bool:
        """Whether this desktop has a tray."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def _show(self) -> None:
        menu = QMenu(self._window)
        menu.addAction(self.tr("Show the Window"), self._back)
        menu.addAction(self.tr("Hide the Window"), self._window.hide)
        menu.addSeparator()
        menu.addAction(self.tr("Quit"), self._leave)
        icon = QSystemTrayIcon(app_icon(), self)
        icon.setToolTip(self.tr("Commonplace"))
        icon.setContextMenu(menu)
        icon.activated.connect(self._pressed)
        icon.show()
        self._icon, self._menu = icon, menu

    def _pressed(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason != QSystemTrayIcon.ActivationReason.Context:
            self._back()

    def _back(self) -> None:
        come_to_front(self._window)


def end_program() -> None:
    """End the event loop: a window that was hidden does not end it by closing."""
    QApplication.quit()


def _session_ends() -> bool:
    """Whether the user is logging out, so that windows have to close."""
    app = QApplication.instance()
    return isinstance(app, QGuiApplication) and app.isSavingSession()
