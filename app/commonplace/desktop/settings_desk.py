"""The dialogs of settings and models, and what follows from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from commonplace.desktop.models_dialog import ModelsDialog
from commonplace.desktop.settings_dialog import SettingsDialog
from commonplace.errors import UserError
from commonplace.settings import Settings, save

if TYPE_CHECKING:
    from commonplace.desktop.theme import ThemeKeeper
    from commonplace.desktop.window import MainWindow


class SettingsDesk(QObject):
    """Shows them and puts in force what was changed; it knows the window by what is public."""

    def __init__(self, window: MainWindow, keeper: ThemeKeeper) -> None:
        super().__init__(window)
        self._window = window
        self._keeper = keeper

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the actions of settings and models do."""
        return {
            "models": self.show_models,
            "settings": self.show_settings,
            "shortcuts": lambda: self.show_settings(at_shortcuts=True),
            "theme_system": lambda: self.choose_theme("system"),
            "theme_light": lambda: self.choose_theme("light"),
            "theme_dark": lambda: self.choose_theme("dark"),
        }

    def show_settings(self, *, at_shortcuts: bool = False) -> None:
        """Show the settings, or the page of shortcuts among them."""
        window, controller = self._window, self._window.controller
        dialog = SettingsDialog(
            controller.paths.settings_file,
            controller.settings,
            controller.models,
            window,
            shortcuts=window.shell.shortcuts,
        )
        dialog.saved.connect(self.apply)
        dialog.previewed.connect(self._keeper.wear)
        dialog.finished.connect(dialog.deleteLater)
        dialog.show_page(shortcuts=at_shortcuts)
        dialog.open()

    def show_models(self) -> None:
        """Show the page of models."""
        dialog = ModelsDialog(self._window.controller, self._keeper, self._window)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def apply(self, settings: Settings) -> None:
        """Put changed settings in force."""
        self._keeper.wear(settings)
        self._window.controller.apply(settings)
        self._window.shell.tray.apply(wanted=settings.window_tray)

    def choose_theme(self, name: str) -> None:
        """Switch to the theme ``system``, ``light`` or ``dark`` and remember it."""
        controller = self._window.controller
        try:
            settings = save(controller.paths.settings_file, {"appearance.theme": name})
        except UserError as error:
            self._window.show_problem("settings", error)
            self._keeper.choose(name)
            return
        self.apply(settings)
