"""The window of adapting: one page at a time, and below it what can be done."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.adapt_link import Estimate, Outcome, Progress
from commonplace.desktop.adapt_pages import EstimatePage, OutcomePage, RunningPage, WordsPage
from commonplace.desktop.message_bar import MessageBar
from commonplace.desktop.theme import ThemeKeeper
from commonplace.errors import CommonplaceError

KEY = "adapt"
INSTALL = "pip install 'commonplace[adapt]'"


class AdaptDialog(QDialog):
    """Stays open beside the work, or is closed: what runs goes on."""

    enable_asked = Signal()
    estimate_asked = Signal(bool)
    """Whether the file's neighbours are learned from too."""
    adapt_asked = Signal(bool)
    stop_asked = Signal()
    again_asked = Signal()
    discard_asked = Signal()
    discard_all_asked = Signal()
    scale_chosen = Signal(float)
    use_chosen = Signal(bool)

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Adapt to a File"))
        self.resize(640, 560)
        self.messages = MessageBar(keeper, self)
        self.pages = QStackedWidget(self)
        self.off = self._off_page()
        self.missing = self._missing_page()
        self.estimate = EstimatePage(self)
        self.running = RunningPage(keeper, self)
        self.outcome = OutcomePage(keeper, self)
        for page in (self.off, self.missing, self.estimate, self.running, self.outcome):
            self.pages.addWidget(page)
        self.adapt = QPushButton(self.tr("&Adapt"), self)
        self.adapt.setObjectName("primary")
        self.stop = QPushButton(self.tr("&Stop"), self)
        self.again = QPushButton(self.tr("Adapt A&gain…"), self)
        self.discard = QPushButton(self.tr("&Discard"), self)
        self.discard_all = QPushButton(self.tr("Discard A&ll"), self)
        self.discard_all.setToolTip(
            self.tr("Delete the adapters of all files of this project, for good")
        )
        self.close_button = QPushButton(self.tr("Close"), self)
        self._any = False
        self._lay_out()
        self._connect()
        self.show_off()

    def show_off(self) -> None:
        """Say what this is, and that it is off."""
        self._turn(self.off)

    def show_missing(self, missing: Sequence[str]) -> None:
        """Say which packages it needs that are not there."""
        text = self.tr("Not installed: {0}. Install them with:")
        self.missing.more.setText(f"{text.format(', '.join(missing))}\n{INSTALL}")
        self._turn(self.missing)

    def show_estimating(self, file: str) -> None:
        """Say that the estimate for `file` is being made."""
        self.estimate.begin(file)
        self._turn(self.estimate)

    def show_estimate(self, estimate: Estimate) -> None:
        """Show what adapting would take, or why it will not be done."""
        self.estimate.show_estimate(estimate)
        self.adapt.setEnabled(estimate.refusal is None)

    def show_refusal(self, error: CommonplaceError) -> None:
        """Say that the estimate could not be made, and why."""
        self.estimate.show_refusal(error.message, error.remedy)

    def show_running(self, file: str, progress: Progress) -> None:
        """Show the training for `file`, which begins or goes on."""
        self.running.begin(file)
        self.running.show_progress(progress)
        self._turn(self.running)

    def show_outcome(self, outcome: Outcome, scale: float, *, used: bool) -> None:
        """Show what came of it, or an adapter that is there, and whether it is `used`."""
        self.outcome.show_outcome(outcome, scale, used=used)
        self._turn(self.outcome)
        self.discard.setVisible(outcome.accepted)

    def show_any(self, there: bool) -> None:
        """Offer to discard all adapters if there are some."""
        self._any = there
        self.discard_all.setVisible(there)

    def show_error(self, error: CommonplaceError) -> None:
        """Say what went wrong."""
        self.messages.show_message(KEY, "error", error.message, error.remedy)

    def say(self, text: str) -> None:
        """Say something that is no trouble."""
        self.messages.show_message(KEY, "info", text, "")

    def _turn(self, page: QWidget) -> None:
        had_focus = self.focusWidget()
        self.messages.dismiss(KEY)
        self.pages.setCurrentWidget(page)
        self.adapt.setVisible(page is self.estimate)
        self.adapt.setEnabled(False)  # until there is an estimate
        self.stop.setVisible(page is self.running)
        self.again.setVisible(page is self.outcome)
        self.discard.setVisible(False)
        if had_focus is not None and not had_focus.isVisibleTo(self):
            self.close_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _connect(self) -> None:
        if self.off.button is not None:
            self.off.button.clicked.connect(self.enable_asked)
        self.estimate.neighbours_asked.connect(self.estimate_asked)
        self.adapt.clicked.connect(
            lambda: self.adapt_asked.emit(self.estimate.neighbours.isChecked())
        )
        self.stop.clicked.connect(self.stop_asked)
        self.again.clicked.connect(self.again_asked)
        self.discard.clicked.connect(self.discard_asked)
        self.discard_all.clicked.connect(self.discard_all_asked)
        self.outcome.scale_chosen.connect(self.scale_chosen)
        self.outcome.use_chosen.connect(self.use_chosen)
        self.close_button.clicked.connect(self.reject)

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setSpacing(8)
        for button in (self.adapt, self.stop, self.again, self.discard, self.discard_all):
            foot.addWidget(button)
        foot.addStretch()
        foot.addWidget(self.close_button)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        self.discard_all.hide()
        line = QFrame(self)
        line.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 16)
        layout.setSpacing(10)
        layout.addWidget(self.messages)
        layout.addWidget(self.pages, 1)
        layout.addLayout(foot)

    def _off_page(self) -> WordsPage:
        texts = (
            self.tr(
                "Commonplace can adapt the model to the file that is open: a small file of "
                "changed weights, an adapter (LoRA), is trained on this machine on that file."
            ),
            self.tr(
                "It is off, because it seldom gives more than asking with the file attached "
                "does. It is kept only where three tests say that it helps, it is used only for "
                "questions about its file, and it can be deleted with one click."
            ),
            self.tr(
                "It never learns from conversations, from generated or ignored files, or from "
                "anything that the model wrote. Training takes a minute or more and much memory."
            ),
        )
        title = self.tr("Adapting to a file is off")
        return WordsPage(title, texts, self.tr("&Turn On"), self)

    def _missing_page(self) -> WordsPage:
        texts = (
            self.tr(
                "Adapting trains the model for a moment, and training needs packages that are "
                "not part of the program. Everything else works without them."
            ),
        )
        return WordsPage(self.tr("Packages for training are missing"), texts, "", self)
