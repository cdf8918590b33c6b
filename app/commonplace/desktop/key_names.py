"""Keys as sentences and tooltips name them: those in force, also after they were changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from PySide6.QtCore import QObject

from commonplace.desktop.actions import ACTIONS
from commonplace.desktop.shortcuts import Shortcuts, shown
from commonplace.desktop.shortcuts_page import title_of


class NamesKeys(Protocol):
    """A view in which keys are named."""

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""


class KeyNames(QObject):
    """Knows the keys of the actions, and tells the views when they change."""

    def __init__(
        self, shortcuts: Shortcuts, views: Sequence[NamesKeys], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._shortcuts = shortcuts
        self._views = views
        self._titles = {spec.id: spec for spec in ACTIONS}
        shortcuts.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Let every view name the keys again."""
        for view in self._views:
            view.name_keys(self)

    def of(self, action: str) -> str:
        """Return the keys of `action`, or its title in quotes if it has none."""
        keys = self._keys(action)
        return keys or self.tr("“{0}”").format(title_of(self._titles[action]))

    def tip(self, text: str, action: str) -> str:
        """Return the tooltip `text` with the keys of `action` behind it, if it has any."""
        keys = self._keys(action)
        return f"{text} ({keys})" if keys else text

    def _keys(self, action: str) -> str:
        return shown(self._shortcuts.keys(action)[:1])
