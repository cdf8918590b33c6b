"""What the memory is doing, in words and as a bar."""

from __future__ import annotations

import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.numbers import number_words
from commonplace.memory.status import Status

ESTIMATE_AFTER = 2.0
"""Seconds of work before its rate says anything about the rest."""


class Estimate:
    """Guesses how long a phase will still take from how fast it went so far."""

    def __init__(self) -> None:
        self._phase = ""
        self._since = 0.0
        self._first = 0

    def seconds_left(self, status: Status, now: float) -> float | None:
        """Return the seconds left in this phase, or None while nobody can know."""
        if status.phase != self._phase or status.done < self._first:
            self._phase, self._since, self._first = status.phase, now, status.done
        done, spent = status.done - self._first, now - self._since
        if spent < ESTIMATE_AFTER or done <= 0 or status.total <= status.done:
            return None
        return (status.total - status.done) * spent / done


class IndexStatus(QWidget):
    """The foot of the project pane: phase, progress, counts and what was skipped.

    A `brief` one leaves the counts to what stands around it.
    """

    skipped_asked = Signal()
    pause_asked = Signal(bool)
    """True to pause, False to go on."""

    def __init__(
        self,
        parent: QWidget | None = None,
        margins: tuple[int, int, int, int] = (12, 8, 12, 10),
        *,
        brief: bool = False,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._brief = brief
        self._status = Status()
        self._estimate = Estimate()
        self.phase = plain_label("", self, "headline")
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of indexing"))
        self.detail = plain_label("", self, "muted")
        self.note = plain_label("", self, "muted")
        self.skipped = QPushButton(self)
        self.skipped.setObjectName("quiet")
        self.skipped.setToolTip(self.tr("Show the files that are not searched, and why"))
        self.pause = QPushButton(self)
        self.pause.setObjectName("quiet")
        self.skipped.clicked.connect(self.skipped_asked)
        self.pause.clicked.connect(self._toggle)
        self._lay_out(margins)
        self.show_status(Status())

    @property
    def status(self) -> Status:
        """The status on screen."""
        return self._status

    def show_status(self, status: Status) -> None:
        """Show `status`."""
        self._status = status
        working = status.phase in {"reading", "embedding"} and status.total > 0
        left = self._estimate.seconds_left(status, time.monotonic()) if working else None
        self.phase.setText(self._phase_words(status))
        self.bar.setVisible(status.phase in {"opening", "scanning"} or working)
        self.bar.setRange(0, status.total if working else 0)
        self.bar.setValue(status.done if working else -1)
        self.detail.setText(self._detail_words(status, left))
        self.note.setText(told(status.note))
        self.note.setVisible(bool(status.note))
        self.skipped.setText(self.tr("{0} skipped").format(number_words(status.skipped)))
        self.skipped.setVisible(status.skipped > 0 and not self._brief)
        paused = status.phase == "paused"
        self.pause.setText(self.tr("Resume") if paused else self.tr("Pause"))
        self.pause.setVisible(paused or working)

    def show_problem(self, text: str) -> None:
        """Say that there is no memory, in place of a status."""
        self.show_status(Status(phase="failed", note=text))

    def _phase_words(self, status: Status) -> str:
        match status.phase:
            case "opening":
                return self.tr("Opening the project…")
            case "scanning":
                return self.tr("Looking for files…")
            case "reading":
                return self.tr("Reading files")
            case "embedding":
                return self.tr("Learning what the code means")
            case "ready":
                return self.tr("Up to date")
            case "paused":
                return self.tr("Indexing is paused")
            case "failed":
                return self.tr("Not indexing")

    def _detail_words(self, status: Status, left: float | None) -> str:
        if status.phase in {"reading", "embedding"} and status.total:
            text = self.tr("{0} of {1}").format(
                number_words(status.done), number_words(status.total)
            )
            if left is not None:
                text += " · " + self._duration(left)
            if status.phase == "embedding":
                text += "\n" + self.tr("Search by words already works.")
            return text
        if status.phase in {"opening", "scanning", "failed"}:
            return ""
        counts = (
            ""
            if self._brief
            else self.tr("{0} files, {1} passages").format(
                number_words(status.files), number_words(status.chunks)
            )
        )
        watching = {
            "events": self.tr("Watching for changes"),
            "polling": self.tr("Looking for changes every few seconds"),
        }.get(status.watching, "")
        return "\n".join(filter(None, (counts, watching)))

    def _duration(self, seconds: float) -> str:
        if seconds < 60:
            return self.tr("about {0} s left").format(max(round(seconds), 1))
        return self.tr("about {0} min left").format(round(seconds / 60))

    def _toggle(self) -> None:
        self.pause_asked.emit(self._status.phase != "paused")

    def _lay_out(self, margins: tuple[int, int, int, int]) -> None:
        links = QHBoxLayout()
        links.setSpacing(4)
        links.addWidget(self.skipped)
        links.addWidget(self.pause)
        links.addStretch()
        links.setContentsMargins(0, 0, 0, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(*margins)
        layout.setSpacing(5)
        for widget in (self.phase, self.bar, self.detail, self.note):
            layout.addWidget(widget)
        layout.addLayout(links)
