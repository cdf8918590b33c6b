"""The page of keyboard shortcuts: every action, its keys, other keys, and who else has them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QKeySequenceEdit,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.actions import ACTIONS, ActionSpec
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told_error
from commonplace.desktop.shortcuts import Shortcuts, portable, shown
from commonplace.errors import UserError


class ShortcutsPage(QWidget):
    """Lists all actions; below, the chosen one's keys can be changed. Changes hold at once."""

    complained = Signal(str)

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shortcuts = shortcuts
        self.table = QTableWidget(len(ACTIONS), 3, self)
        self.table.setAccessibleName(self.tr("Actions and their keys"))
        self.table.setHorizontalHeaderLabels([self.tr("Action"), self.tr("Menu"), self.tr("Keys")])
        self.table.horizontalHeader().setAccessibleName(self.tr("Columns"))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setAccessibleName(self.tr("Rows"))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.about = plain_label("", self, "headline")
        self.keys = QKeySequenceEdit(self)
        self.keys.setClearButtonEnabled(True)
        self.keys.setMaximumSequenceLength(1)
        self._name_part(self.tr("New keys: press them"))
        self.assign = QPushButton(self.tr("Assign"), self)
        self.clear = QPushButton(self.tr("Remove"), self)
        self.reset = QPushButton(self.tr("Reset"), self)
        self.reset_all = QPushButton(self.tr("Reset All"), self)
        self.conflict = plain_label("", self, "muted")
        self._lay_out()
        self._fill()
        self.table.currentCellChanged.connect(lambda *_: self._choose())
        self.keys.keySequenceChanged.connect(lambda _keys: self._look())
        self.assign.clicked.connect(lambda: self._change([self._typed()]))
        self.clear.clicked.connect(lambda: self._change([]))
        self.reset.clicked.connect(lambda: self._try(lambda: shortcuts.reset(self.chosen.id)))
        self.reset_all.clicked.connect(lambda: self._try(shortcuts.reset_all))
        shortcuts.changed.connect(self._fill)
        self.table.setCurrentCell(0, 0)

    @property
    def chosen(self) -> ActionSpec:
        """The action whose keys are shown below the list."""
        return ACTIONS[max(self.table.currentRow(), 0)]

    def narrow(self, text: str) -> None:
        """Show only actions whose title, menu or keys hold all words of `text`."""
        words = text.lower().split()
        first = -1
        for row, spec in enumerate(ACTIONS):
            about = " ".join(
                (title_of(spec), menu_of(spec), shown(self._shortcuts.keys(spec.id)))
            ).lower()
            hit = all(word in about for word in words)
            self.table.setRowHidden(row, not hit)
            first = row if hit and first < 0 else first
        if first >= 0 and self.table.isRowHidden(self.table.currentRow()):
            self.table.setCurrentCell(first, 0)

    def _fill(self) -> None:
        for row, spec in enumerate(ACTIONS):
            keys = shown(self._shortcuts.keys(spec.id))
            changed = self._shortcuts.changed_keys(spec.id)
            if changed:
                keys = self.tr("{0} (changed)").format(keys or "–")
            for column, text in enumerate((title_of(spec), menu_of(spec), keys)):
                item = self.table.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    self.table.setItem(row, column, item)
                item.setText(text)
        self.table.resizeColumnToContents(1)
        self.table.resizeColumnToContents(2)
        self._choose()

    def _choose(self) -> None:
        spec = self.chosen
        keys = self._shortcuts.keys(spec.id)
        self.about.setText(f"{title_of(spec)}: {shown(keys) or self.tr('no keys')}")
        self.keys.clear()
        self.clear.setEnabled(bool(keys))
        self.reset.setEnabled(self._shortcuts.changed_keys(spec.id))
        self.reset_all.setEnabled(any(self._shortcuts.changed_keys(s.id) for s in ACTIONS))
        self._look()

    def _look(self) -> None:
        typed = self._typed()
        owner = self._shortcuts.owner(typed, besides=self.chosen.id) if typed else None
        self.assign.setEnabled(bool(typed))
        if owner is not None:
            text = self.tr("{0} has these keys now; assigning takes them from it.")
            self.conflict.setText(text.format(title_of(owner)))
        elif typed:
            self.conflict.setText(self.tr("These keys are free."))
        else:
            self.conflict.setText(
                self.tr("Press the new keys in the field, then assign them. They hold at once.")
            )
        self.conflict.setProperty("level", "warning" if owner is not None else "")
        self.conflict.style().polish(self.conflict)

    def _typed(self) -> str:
        return portable(self.keys.keySequence().toString(QKeySequence.SequenceFormat.PortableText))

    def _change(self, keys: Sequence[str]) -> None:
        self._try(lambda: self._shortcuts.choose(self.chosen.id, keys))

    def _try(self, change: object) -> None:
        assert callable(change)
        try:
            change()
        except UserError as error:
            self.complained.emit(told_error(error))

    def _name_part(self, name: str) -> None:
        self.keys.setAccessibleName(name)
        for part in self.keys.findChildren(QLineEdit):
            part.setAccessibleName(name)
            part.setPlaceholderText(self.tr("Press keys"))

    def _lay_out(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.keys, 1)
        for button in (self.assign, self.clear, self.reset):
            button.setAutoDefault(False)
            line.addWidget(button)
        self.reset_all.setAutoDefault(False)
        foot = QHBoxLayout()
        foot.addWidget(self.conflict, 1)
        foot.addWidget(self.reset_all)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.about)
        layout.addLayout(line)
        layout.addLayout(foot)


def title_of(spec: ActionSpec) -> str:
    """Return the title of an action without its mnemonic and dots."""
    text = QCoreApplication.translate("Actions", spec.title)
    return text.replace("&", "").rstrip("…")


def menu_of(spec: ActionSpec) -> str:
    """Return the title of the menu an action stands in."""
    return QCoreApplication.translate("Actions", spec.menu).replace("&", "")
