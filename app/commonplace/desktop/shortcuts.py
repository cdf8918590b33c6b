"""The keys of every action: those of the table, or others that the user chose.

Only what differs from the table is written, below ``[shortcuts]`` in the
settings file: ``palette = ["Ctrl+K"]``. An empty list takes an action's keys
away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QKeySequence

from commonplace.desktop.actions import ACTIONS, ActionSpec
from commonplace.errors import UserError
from commonplace.settings import load_lists, save_lists

TABLE = "shortcuts"


class Shortcuts(QObject):
    """Knows which keys belong to which action, and who else has them."""

    changed = Signal()

    def __init__(self, file: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._file = file
        self._specs = {spec.id: spec for spec in ACTIONS}
        self._chosen: dict[str, tuple[str, ...]] = {}
        try:
            self._chosen = self._known(load_lists(file, TABLE))
        except UserError:
            return  # the window complains about the file; the table's keys stay in force

    def keys(self, action: str) -> tuple[str, ...]:
        """Return the keys of `action` that are in force, in Qt's portable spelling."""
        return self._chosen.get(action, self._specs[action].shortcuts)

    def changed_keys(self, action: str) -> bool:
        """Return whether the user chose other keys than the table's."""
        return action in self._chosen

    def owner(self, keys: str, besides: str = "") -> ActionSpec | None:
        """Return the action other than `besides` that has `keys`, if any."""
        wanted = QKeySequence(keys)
        for spec in ACTIONS:
            if spec.id != besides and any(wanted == QKeySequence(k) for k in self.keys(spec.id)):
                return spec
        return None

    def choose(self, action: str, keys: Sequence[str]) -> None:
        """Give `action` these keys and take them from whoever had them.

        Raises `UserError` when the settings file cannot be written.
        """
        wanted = tuple(dict.fromkeys(portable(k) for k in keys if portable(k)))
        changes = {action: wanted}
        for key in wanted:
            other = self.owner(key, besides=action)
            if other is not None:
                rest = [k for k in changes.get(other.id, self.keys(other.id)) if k != portable(key)]
                changes[other.id] = tuple(rest)
        self._keep(changes)

    def reset(self, action: str) -> None:
        """Give `action` the table's keys again, and take them from whoever got them."""
        self.choose(action, self._specs[action].shortcuts)

    def reset_all(self) -> None:
        """Give every action the table's keys again."""
        self._keep({spec.id: spec.shortcuts for spec in ACTIONS})

    def apply(self, actions: Mapping[str, QAction]) -> None:
        """Give the keys in force to `actions`."""
        for action in actions:
            actions[action].setShortcuts([QKeySequence(key) for key in self.keys(action)])

    def _keep(self, changes: Mapping[str, tuple[str, ...]]) -> None:
        same = {a for a, keys in changes.items() if keys == self._specs[a].shortcuts}
        written = {a: None if a in same else keys for a, keys in changes.items()}
        gone = {a for a in same if a not in self._chosen}
        save_lists(self._file, TABLE, {a: k for a, k in written.items() if a not in gone})
        self._chosen = {a: k for a, k in {**self._chosen, **changes}.items() if a not in same}
        self.changed.emit()

    def _known(self, chosen: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Return what of the file names actions and keys of this version."""
        return {
            action: tuple(filter(None, map(portable, keys)))
            for action, keys in chosen.items()
            if action in self._specs
        }


def portable(keys: str) -> str:
    """Return `keys` in Qt's portable spelling, or nothing for what is no key."""
    sequence = QKeySequence.fromString(keys, QKeySequence.SequenceFormat.PortableText)
    text = sequence.toString(QKeySequence.SequenceFormat.PortableText)
    return "" if sequence.isEmpty() or "Unknown" in text else text


def shown(keys: Sequence[str]) -> str:
    """Return `keys` as this desktop writes them."""
    native = QKeySequence.SequenceFormat.NativeText
    return ", ".join(QKeySequence(key).toString(native) for key in keys)
