"""Past changes of files: what, when, which files, how they differ, and the way back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.background import Background
from commonplace.desktop.chat_days import when
from commonplace.desktop.diff_view import DiffView
from commonplace.desktop.folding import FOLDED, FoldingSplitter
from commonplace.desktop.labels import plain_label
from commonplace.desktop.message_bar import Action, MessageBar
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip
from commonplace.edits.changes import FileChange, Proposal
from commonplace.edits.journal import Record
from commonplace.edits.room import Edits, Step
from commonplace.errors import CommonplaceError, EditChangedError

KEY = "history"
NAME = Qt.ItemDataRole.UserRole
LONGEST = 70


class EditHistory(QDialog):
    """Lists the changes of one project; each can be looked at, taken back and done again."""

    turned = Signal(object)
    """A `Step`: a change was taken back or done again."""
    difference_asked = Signal(str, str)
    """The id and title of a change that cannot be taken back without looking."""

    def __init__(
        self, room: Edits, background: Background, keeper: ThemeKeeper, parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Past Changes"))
        self.resize(1040, 640)
        self._room = room
        self._background = background
        self._records: dict[str, Record] = {}
        self._changes: tuple[FileChange, ...] = ()
        self.messages = MessageBar(keeper, self)
        self.list = QListWidget(self)
        self.list.setObjectName("boxed")
        self.list.setAccessibleName(self.tr("Changes, the newest first"))
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.title = plain_label("", self, "headline")
        self.about = plain_label("", self, "muted")
        self.files = QComboBox(self)
        self.files.setAccessibleName(self.tr("Files of the change"))
        self.files.view().setAccessibleName(self.tr("Files of the change"))
        self.files.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.files.setMinimumContentsLength(20)
        self.diff = DiffView(keeper, self)
        self.diff.model.made = True
        self.beside = _button(self.tr("&Side by Side"), self)
        self.beside.setCheckable(True)
        self.empty = plain_label("", self, "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.turn_button = _button(self.tr("&Undo This Change"), self)
        self.turn_button.setObjectName("primary")
        self.close_button = _button(self.tr("Close"), self)
        self._lay_out()
        self._connect()
        self.look()

    @property
    def record(self) -> Record | None:
        """The change that is chosen."""
        item = self.list.currentItem()
        return None if item is None else self._records.get(item.data(NAME))

    def look(self) -> None:
        """Read the journal again; the chosen change stays chosen."""
        self._background.run(self._room.history, self._show_records, self._complain)

    def turn(self) -> None:
        """Take the chosen change back, or do it again."""
        record = self.record
        if record is None or not self.turn_button.isEnabled():
            return
        self.turn_button.setEnabled(False)
        self.messages.dismiss(KEY)
        run = self._room.undo if record.applied else self._room.redo
        self._background.run(
            lambda: run(record.id), self._turned, lambda error: self._refused(record, error)
        )

    def _turned(self, step: Step) -> None:
        self.turned.emit(step)
        self.look()

    def _refused(self, record: Record, error: CommonplaceError) -> None:
        """Say why it cannot be taken back; what it would mean now can be reviewed."""
        self._enable()
        actions: list[Action] = []
        if isinstance(error, EditChangedError):
            ask: Callable[[], None] = lambda: self.difference_asked.emit(  # noqa: E731
                record.id, one_line(record.title)
            )
            actions = [(self.tr("Show the Difference"), ask)]
        self.messages.show_message(KEY, "warning", error.message, error.remedy, actions)

    def _complain(self, error: CommonplaceError) -> None:
        self.messages.show_message(KEY, "error", error.message, error.remedy)

    def _show_records(self, records: Sequence[Record]) -> None:
        chosen = self.record.id if self.record is not None else ""
        self._records = {record.id: record for record in records}
        self.list.blockSignals(True)
        self.list.clear()
        now, row = time.time(), 0
        for number, record in enumerate(records):
            item = QListWidgetItem(f"{_short(record.title)}\n{record_words(record, now)}")
            item.setData(NAME, record.id)
            item.setToolTip(tooltip(record.title))
            item.setSizeHint(QSize(0, 2 * self.fontMetrics().lineSpacing() + 12))
            self.list.addItem(item)
            row = number if record.id == chosen else row
        self.list.setCurrentRow(row)
        self.list.blockSignals(False)
        self._choose()

    def _choose(self) -> None:
        record = self.record
        for part in (self.title, self.about, self.files, self.beside, self.diff):
            part.setVisible(record is not None)
        self.empty.setVisible(record is None)
        self._enable()
        if record is None:
            self.empty.setText(
                self.tr(
                    "Nothing was changed yet. Ask with /edit, review what is proposed, and what "
                    "you accept is listed here, to be taken back at any time."
                )
            )
            return
        self.title.setText(one_line(record.title))
        self.about.setText(record_words(record, time.time()))
        name = record.id

        def show(proposal: Proposal) -> None:
            if self.record is not None and self.record.id == name:
                self._show_changes(proposal.files)

        def refused(error: CommonplaceError) -> None:
            if self.record is not None and self.record.id == name:
                self._show_changes(())
                self._complain(error)

        self.messages.dismiss(KEY)
        self._background.run(lambda: self._room.shown(name), show, refused)

    def _show_changes(self, changes: tuple[FileChange, ...]) -> None:
        self._changes = changes
        self.files.blockSignals(True)
        self.files.clear()
        for change in changes:
            added, removed = change.counts
            self.files.addItem(f"{one_line(change.path)}   +{added} −{removed}")
        self.files.blockSignals(False)
        self._show_file(0)

    def _show_file(self, number: int) -> None:
        change = self._changes[number] if 0 <= number < len(self._changes) else None
        self.diff.model.show(change, range(change.units) if change is not None else ())

    def _enable(self) -> None:
        record = self.record
        self.turn_button.setEnabled(record is not None and record.phase == "settled")
        undone = record is not None and not record.applied
        self.turn_button.setText(
            self.tr("&Do It Again") if undone else self.tr("&Undo This Change")
        )

    def _connect(self) -> None:
        self.list.currentRowChanged.connect(lambda _row: self._choose())
        self.files.currentIndexChanged.connect(self._show_file)
        self.beside.toggled.connect(self.diff.model.set_beside)
        self.turn_button.clicked.connect(self.turn)
        self.close_button.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.files, 1)
        head.addWidget(self.beside)
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addWidget(self.about)
        column.addLayout(head)
        column.addWidget(self.diff, 1)
        column.addWidget(self.empty, 1)
        split = FoldingSplitter(FOLDED, self)
        split.setObjectName("bare")
        split.setChildrenCollapsible(False)
        split.setHandleWidth(12)
        split.addWidget(self.list)
        split.addWidget(right)
        split.setSizes([320, 700])
        split.setStretchFactor(1, 1)
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(self.close_button)
        foot.addWidget(self.turn_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.messages)
        layout.addWidget(split, 1)
        layout.addLayout(foot)


def record_words(record: Record, now: float) -> str:
    """Return when a change was made, how many files it has, and whether it holds."""
    count = len(record.files)
    parts = [
        when(record.when, now),
        _tr("1 file") if count == 1 else _tr("{0} files").format(count),
    ]
    if record.phase != "settled":
        parts.append(_tr("interrupted"))
    elif not record.applied:
        parts.append(_tr("undone"))
    return " · ".join(parts)


def _short(title: str) -> str:
    title = one_line(title)
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"


def _button(title: str, parent: QWidget) -> QPushButton:
    button = QPushButton(title, parent)
    button.setAutoDefault(False)
    return button


def _tr(text: str) -> str:
    return QCoreApplication.translate("EditHistory", text)
