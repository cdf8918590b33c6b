"""What the program knows of the project: how much, how fresh, what is left out and why."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QDateTime, QStringListModel, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QMessageBox,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.dialogs import ask
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.memory_link import MemoryLink, Skipped
from commonplace.desktop.numbers import date_words, disk_size, number_words
from commonplace.desktop.status import IndexStatus
from commonplace.desktop.visible import one_line
from commonplace.memory.figures import Details
from commonplace.memory.status import Status

REFRESH_MS = 700
"""Between two requests for figures while the memory is at work."""


class Figure(QWidget):
    """A number with its name below."""

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._name = name
        self.value = plain_label("–", self, "figure")
        self.value.setWordWrap(False)
        font = self.value.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        self.value.setFont(font)
        label = plain_label(name, self, "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.value)
        layout.addWidget(label)

    def show_value(self, text: str) -> None:
        """Show `text` as the number."""
        self.value.setText(text)
        self.setAccessibleName(f"{self._name}: {text}")


class SkippedFiles(QWidget):
    """The files that are left out: reasons with counts, and the files of one or of all."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._skipped: Sequence[Skipped] = ()
        self._reasons: list[str] = []
        self.reasons = _list(self.tr("Reasons, with the number of files"), self)
        self.reason_model = QStringListModel(self)
        self.reasons.setModel(self.reason_model)
        self.reasons.setMaximumWidth(250)
        self.filter = QLineEdit(self)
        self.filter.setAccessibleName(self.tr("Filter skipped files"))
        self.filter.setPlaceholderText(self.tr("Filter by path or reason"))
        self.filter.setClearButtonEnabled(True)
        self.model = QStringListModel(self)
        self.list = _list(self.tr("Skipped files"), self)
        self.list.setModel(self.model)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.empty = plain_label(
            self.tr(
                "Nothing is left out. Files that .gitignore or .commonplaceignore name are not "
                "counted here: they are no part of the project."
            ),
            self,
            "muted",
        )
        right = QVBoxLayout()
        right.setSpacing(8)
        right.addWidget(self.filter)
        right.addWidget(self.list, 1)
        both = QWidget(self)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.reasons, 2)
        row.addLayout(right, 3)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(both)
        self.pages.addWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.filter.textChanged.connect(self._narrow)
        self.reasons.selectionModel().currentChanged.connect(lambda *_: self._narrow())

    def show_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Show these files; the reason that was chosen stays chosen."""
        row = max(self.reasons.currentIndex().row(), 0)
        before = self._reasons[row] if row < len(self._reasons) else ""
        self._skipped = skipped
        counts = Counter(item.reason for item in skipped).most_common()
        self._reasons = ["", *(reason for reason, _ in counts)]
        lines = [self.tr("All reasons ({0})").format(number_words(len(skipped)))]
        lines += [f"{one_line(told(reason))} ({number_words(count)})" for reason, count in counts]
        self.reason_model.setStringList(lines)
        at = self._reasons.index(before) if before in self._reasons else 0
        self.reasons.setCurrentIndex(self.reason_model.index(at))
        self.pages.setCurrentIndex(0 if skipped else 1)
        self._narrow()

    def _narrow(self) -> None:
        row = max(self.reasons.currentIndex().row(), 0)
        reason = self._reasons[row] if row < len(self._reasons) else ""
        words = self.filter.text().lower().split()
        chosen = [item for item in self._skipped if not reason or item.reason == reason]
        lines = [i.path if reason else f"{i.path} – {told(i.reason)}" for i in chosen]
        self.model.setStringList(
            [one_line(line) for line in lines if all(word in line.lower() for word in words)]
        )


class IndexPanel(QDialog):
    """A window of its own beside the work: it may stay open while the index grows."""

    reconcile_asked = Signal()
    pause_asked = Signal(bool)

    def __init__(self, memory: MemoryLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Index"))
        self.resize(720, 620)
        self._memory = memory
        self._counted = (0, 0)
        self.status = IndexStatus(self, (0, 0, 0, 0), brief=True)
        names = (
            self.tr("files"),
            self.tr("passages"),
            self.tr("vectors"),
            self.tr("skipped"),
            self.tr("on disk"),
            self.tr("newest file read"),
        )
        self.figures = [Figure(name, self) for name in names]
        self.about = plain_label("", self, "muted")
        self.about.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.about.setAccessibleName(self.tr("About this index"))
        self.skipped = SkippedFiles(self)
        self.check = QPushButton(self.tr("Check for Changes"), self)
        self.rebuild = QPushButton(self.tr("Rebuild…"), self)
        self.rebuild.setToolTip(self.tr("Throw the index away and read everything anew"))
        self._lay_out()
        self._refresh = QTimer(self)
        self._refresh.setSingleShot(True)
        self._refresh.setInterval(REFRESH_MS)
        self._refresh.timeout.connect(self._ask)
        self.check.clicked.connect(self.reconcile_asked)
        self.rebuild.clicked.connect(self._confirm)
        self.status.pause_asked.connect(self.pause_asked)
        memory.status_changed.connect(self.show_status)
        memory.files_changed.connect(lambda files: self.skipped.show_skipped(files.skipped))

    def begin(self, status: Status, skipped: Sequence[Skipped], *, at_skipped: bool) -> None:
        """Show the state of things, and let the panel be seen."""
        self.show_status(status)
        self.skipped.show_skipped(skipped)
        self._ask()
        if self.isVisible():
            self.raise_()
            self.activateWindow()
        self.show()
        first: QWidget = self.skipped.filter if at_skipped and skipped else self.check
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_status(self, status: Status) -> None:
        """Show `status`, and ask for figures now and then."""
        self.status.show_status(status)
        self._count(status, self._counted)
        if self.isVisible() and not self._refresh.isActive():
            self._refresh.start()

    def show_details(self, details: Details) -> None:
        """Show the figures that a `Status` does not carry."""
        self._counted = (details.files, details.chunks)
        self._count(self.status.status, self._counted)
        size = disk_size(details.disk)
        self.figures[4].show_value(size)
        self.figures[5].show_value(self._ago(details.newest))
        languages = ", ".join(f"{name} {number_words(count)}" for name, count in details.languages)
        lines = [
            self.tr("Languages: {0}").format(languages) if languages else "",
            self.tr("Vectors from: {0}").format(one_line(details.embedder) or self.tr("nowhere")),
            one_line(told(str(self.status.status.adapter.get("reason", "")))),
            self.tr("Kept in: {0}").format(one_line(details.folder)),
        ]
        self.about.setText("\n".join(filter(None, lines)))

    def _count(self, status: Status, counted: tuple[int, int]) -> None:
        """Show the counts; while files are read those of the index itself are ahead."""
        reading = status.phase == "reading"
        files = counted[0] if reading else status.files
        chunks = counted[1] if reading else status.chunks
        counts = (files, chunks, status.vectors, status.skipped)
        for figure, count in zip(self.figures, counts, strict=False):
            figure.show_value(number_words(count))

    def _ask(self) -> None:
        self._memory.details(self.show_details)

    def _ago(self, then: float) -> str:
        if not then:
            return self.tr("never")
        minutes = (time.time() - then) / 60
        if minutes < 1:
            return self.tr("just now")
        if minutes < 60:
            return self.tr("{0} min ago").format(int(minutes))
        if minutes < 24 * 60:
            return self.tr("{0} h ago").format(int(minutes / 60))
        return date_words(QDateTime.fromSecsSinceEpoch(int(then)).date())

    def _confirm(self) -> None:
        ask(
            self,
            self.tr("Rebuild the index?"),
            self.tr("Throw the index of this project away and read every file anew?"),
            self.tr(
                "Your files, notes and conversations stay as they are. Until it is done, "
                "answers may miss something."
            ),
            (self.tr("Rebuild"), QMessageBox.ButtonRole.DestructiveRole),
            self._memory.rebuild,
        )

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(10)
        for number, figure in enumerate(self.figures):
            grid.addWidget(figure, number // 3, number % 3)
        title = plain_label(self.tr("Left out"), self, "paneTitle")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        foot = QHBoxLayout()
        foot.addWidget(self.check)
        foot.addWidget(self.rebuild)
        foot.addStretch()
        foot.addWidget(buttons)
        for button in (self.check, self.rebuild, *buttons.buttons()):
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)  # Enter in the filter must not press one
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(self.status)
        layout.addLayout(grid)
        layout.addWidget(self.about)
        layout.addWidget(title)
        layout.addWidget(self.skipped, 1)
        layout.addLayout(foot)


def _list(name: str, parent: QWidget) -> QListView:
    view = QListView(parent)
    view.setObjectName("boxed")
    view.setAccessibleName(name)
    view.setUniformItemSizes(True)
    view.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
    return view
