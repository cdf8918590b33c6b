"""The files of a proposal as a list: what changes in each, and how much of it is accepted."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from commonplace.desktop.icons import tinted
from commonplace.desktop.languages import told
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip
from commonplace.edits.changes import FileChange, Problem, Proposal

PLACE = Qt.ItemDataRole.UserRole
LONGEST_NAME = 60


class ReviewFiles(QListWidget):
    """One item for each file, with a box for all of it, then one for each problem."""

    accepted_all = Signal(int, bool)
    """The box of a file was pressed: accept, or reject, all of it."""
    chosen = Signal(int)
    """The item at this place is current: a file, or after the last file a problem."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("boxed")
        self.setAccessibleName(self.tr("Files to change"))
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._keeper = keeper
        self._proposal = Proposal()
        self._filling = False
        self.currentRowChanged.connect(self.chosen)
        self.itemChanged.connect(self._checked)
        keeper.changed.connect(self._restyle)

    def show_proposal(self, proposal: Proposal, accepted: Mapping[int, frozenset[int]]) -> None:
        """List what `proposal` holds."""
        self._filling = True
        self._proposal = proposal
        self.clear()
        for change in proposal.files:
            item = QListWidgetItem()
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setToolTip(tooltip(change.path))
            item.setSizeHint(self._size())
            self.addItem(item)
        for problem in proposal.problems:
            item = QListWidgetItem(self._problem_words(problem))
            item.setToolTip(tooltip(told(problem.reason)))
            item.setSizeHint(self._size())
            self.addItem(item)
        self._restyle()
        self._filling = False
        self.show_accepted(accepted)
        self.setCurrentRow(0)

    def show_accepted(self, accepted: Mapping[int, frozenset[int]]) -> None:
        """Say how much of each file is accepted."""
        self._filling = True
        for number, change in enumerate(self._proposal.files):
            taken = len(accepted.get(number, ()))
            item = self.item(number)
            item.setText(self._words(change, taken))
            state = Qt.CheckState.PartiallyChecked
            if taken in {0, change.units}:
                state = Qt.CheckState.Checked if taken else Qt.CheckState.Unchecked
            item.setCheckState(state)
        self._filling = False

    def sizeHint(self) -> QSize:
        """Prefer a narrow column."""
        return QSize(230, 300)

    def _checked(self, item: QListWidgetItem) -> None:
        if not self._filling:
            accept = item.checkState() == Qt.CheckState.Checked
            self.accepted_all.emit(self.row(item), accept)

    def _words(self, change: FileChange, taken: int) -> str:
        added, removed = change.counts
        if change.kind == "create":
            how = self.tr("new file")
        elif change.kind == "delete":
            how = self.tr("deleted")
        else:
            how = self.tr("{0} of {1} accepted").format(taken, change.units)
        name = _short(change.path)
        return f"{name}\n+{added} −{removed} · {how}"

    def _problem_words(self, problem: Problem) -> str:
        name = _short(problem.path) or self.tr("A change")
        return f"{name}\n{self.tr('cannot be applied')}"

    def _size(self) -> QSize:
        return QSize(0, 2 * self.fontMetrics().lineSpacing() + 12)

    def _restyle(self) -> None:
        filling, self._filling = self._filling, True
        icon = tinted("warning", self._keeper.theme, "warning")
        for number in range(len(self._proposal.files), self.count()):
            self.item(number).setIcon(icon)
        self._filling = filling


def _short(path: str) -> str:
    path = one_line(path)
    return path if len(path) <= LONGEST_NAME else f"…{path[1 - LONGEST_NAME :]}"
