"""Review of proposed changes: file by file, hunk by hunk, before anything is written.

The dialog writes nothing. It makes an `EditPlan` of what was accepted, which
holds exactly the bytes that were on screen, and hands it on.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.diff_view import DiffView
from commonplace.desktop.folding import FOLDED, FoldingSplitter
from commonplace.desktop.labels import ElidedLabel, plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.review_files import ReviewFiles
from commonplace.desktop.theme import ThemeKeeper, code_font
from commonplace.desktop.visible import one_line, visible
from commonplace.edits.changes import EditPlan, FileChange, Problem, Proposal
from commonplace.errors import CommonplaceError, EditChangedError

LONGEST_TEXT = 100_000


class ReviewDialog(QDialog):
    """Shows a `Proposal` and lets a person accept or reject each part of it."""

    apply_asked = Signal(object, bool)
    """An `EditPlan` to write, and whether its sensitive files were confirmed."""
    renew_asked = Signal()
    """The files changed meanwhile: the proposal is to be made anew."""

    def __init__(
        self, proposal: Proposal, title: str, keeper: ThemeKeeper, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Review Changes"))
        self.resize(1040, 700)
        self.title = title
        self._keeper = keeper
        self.proposal = proposal
        self.choice: dict[int, frozenset[int]] = {}
        self._make()
        self._lay_out()
        self._connect()
        self.show_proposal(proposal)

    def show_proposal(self, proposal: Proposal) -> None:
        """Show `proposal` with all of it accepted, except what asks twice."""
        self.proposal = proposal
        everything = proposal.everything()
        self.choice = {
            number: frozenset() if change.asks_twice else everything[number]
            for number, change in enumerate(proposal.files)
        }
        self._hide_message()
        self.files.show_proposal(proposal, self.choice)
        self._choose(0)
        self._count()

    def plan(self) -> EditPlan:
        """Return what would be written now; raises `EditError`."""
        return self.proposal.plan(self.choice, self.title)

    def toggle(self, hunk: int) -> None:
        """Accept or reject one hunk of the file on screen."""
        number = self.files.currentRow()
        unit = self.proposal.files[number].unit_of(hunk)
        self.choice[number] = self.choice[number] ^ {unit}
        self._changed()

    def accept_all(self, number: int, accept: bool) -> None:
        """Accept or reject all of file `number`."""
        if number < len(self.proposal.files):
            units = range(self.proposal.files[number].units)
            self.choice[number] = frozenset(units) if accept else frozenset()
            self._changed()

    def show_error(self, error: CommonplaceError) -> None:
        """Say why nothing was written; the review goes on."""
        self.apply_button.setEnabled(True)
        again = isinstance(error, EditChangedError)
        look = self.tr("Look Again") if again else ""
        message, remedy = told(error.message), told(error.remedy)
        self._say("error", message, remedy, look, self.renew_asked.emit)

    def _make(self) -> None:
        self.files = ReviewFiles(self._keeper, self)
        self.diff = DiffView(self._keeper, self)
        self.path = ElidedLabel(self)
        self.path.setObjectName("codeTitle")
        self.about = plain_label("", self, "muted")
        self.warning = plain_label("", self, "remark")
        self.warning.setProperty("level", "warning")
        self.empty = plain_label("", self, "muted")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.words = QPlainTextEdit(self)
        self.words.setObjectName("code")
        self.words.setReadOnly(True)
        self.words.document().setDocumentMargin(10)
        self.words.setAccessibleName(self.tr("The change as it was proposed"))
        self.beside = QPushButton(self.tr("Side by Side"), self)
        self.beside.setCheckable(True)
        self.beside.setToolTip(self.tr("Old and new beside one another, or below (Ctrl+B)"))
        self.previous = QPushButton(self.tr("Previous"), self)
        self.previous.setToolTip(self.tr("Go to the change before (Alt+Up)"))
        self.next = QPushButton(self.tr("Next"), self)
        self.next.setToolTip(self.tr("Go to the next change (Alt+Down)"))
        self.reject_button = QPushButton(self.tr("Reject File"), self)
        self.accept_button = QPushButton(self.tr("Accept File"), self)
        self.total = plain_label("", self, "muted")
        self.cancel_button = QPushButton(self.tr("Cancel"), self)
        self.apply_button = QPushButton(self.tr("Apply"), self)
        self.apply_button.setObjectName("primary")
        self.apply_button.setToolTip(self.tr("Write the accepted changes (Ctrl+Enter)"))
        self.message = QFrame(self)
        self.message.setObjectName("message")
        self.headline = plain_label("", self, "headline")
        self.remedy = plain_label("", self, "remedy")
        self.confirm = QPushButton(self)
        self.confirm.setAccessibleName(self.tr("What can be done about it"))
        self._run: Callable[[], None] | None = None

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        for button in (self.previous, self.next, self.beside):
            button.setAutoDefault(False)
            head.addWidget(button)
        head.addStretch()
        for button in (self.reject_button, self.accept_button):
            button.setAutoDefault(False)
            head.addWidget(button)
        self.pages = QStackedWidget(self)
        for page in (self.diff, self.words, self.empty):
            self.pages.addWidget(page)
        right = QWidget(self)
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.path)
        column.addWidget(self.about)
        column.addWidget(self.warning)
        column.addLayout(head)
        column.addWidget(self.pages, 1)
        split = FoldingSplitter(FOLDED, self)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(12)
        split.setObjectName("bare")
        split.addWidget(self.files)
        split.addWidget(right)
        split.setSizes([240, 800])
        split.setStretchFactor(1, 1)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.headline)
        words.addWidget(self.remedy)
        message = QHBoxLayout(self.message)
        message.setContentsMargins(12, 8, 12, 8)
        message.addLayout(words, 1)
        message.addWidget(self.confirm)
        foot = QHBoxLayout()
        foot.addWidget(self.total, 1)
        for button in (self.cancel_button, self.apply_button):
            button.setAutoDefault(False)
            foot.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(split, 1)
        layout.addWidget(self.message)
        layout.addLayout(foot)

    def _connect(self) -> None:
        self.files.chosen.connect(self._choose)
        self.files.accepted_all.connect(self.accept_all)
        self.diff.toggled.connect(self.toggle)
        self.beside.toggled.connect(self.diff.model.set_beside)
        self.previous.clicked.connect(lambda: self.diff.step(False))
        self.next.clicked.connect(lambda: self.diff.step(True))
        self.accept_button.clicked.connect(
            lambda: self.accept_all(self.files.currentRow(), accept=True)
        )
        self.reject_button.clicked.connect(
            lambda: self.accept_all(self.files.currentRow(), accept=False)
        )
        self.cancel_button.clicked.connect(self.reject)
        self.apply_button.clicked.connect(self._ask)
        self.confirm.clicked.connect(self._confirmed)
        self._keeper.changed.connect(self._restyle)
        for keys, run in (
            ("Alt+Down", self.next.click),
            ("Alt+Up", self.previous.click),
            ("Ctrl+B", self.beside.click),
            ("Ctrl+Return", self.apply_button.click),
            ("Ctrl+Enter", self.apply_button.click),
        ):
            QShortcut(QKeySequence(keys), self).activated.connect(run)
        self._restyle()

    def _choose(self, number: int) -> None:
        files, problems = self.proposal.files, self.proposal.problems
        change = files[number] if 0 <= number < len(files) else None
        for button in (
            self.accept_button,
            self.reject_button,
            self.previous,
            self.next,
            self.beside,
        ):
            button.setVisible(change is not None)
        if change is not None:
            self._show_change(number, change)
        elif 0 <= number - len(files) < len(problems):
            self._show_problem(problems[number - len(files)])
        else:
            self.empty.setText(self.tr("Nothing is left to change."))
            self.pages.setCurrentWidget(self.empty)

    def _show_change(self, number: int, change: FileChange) -> None:
        self.path.setText(one_line(change.path))
        kinds = {
            "create": self.tr("A new file."),
            "delete": self.tr("The file will be deleted."),
            "rename": self.tr("Renamed from {0}.").format(one_line(change.old_path)),
        }
        notes = [
            kinds.get(change.kind, ""),
            *(f"{visible(n[:1].upper() + n[1:])}." for n in change.notes),
        ]
        self._set(self.about, " ".join(filter(None, notes)))
        ask = self.tr("Look twice: {0}.").format(change.asks_twice) if change.asks_twice else ""
        self._set(self.warning, ask)
        self.diff.model.show(change, self.choice[number])
        if change.hunks:
            self.pages.setCurrentWidget(self.diff)
            self.diff.show_row(self.diff.model.row_of_hunk(0))
        else:
            self.empty.setText(self.tr("Its content stays as it is."))
            self.pages.setCurrentWidget(self.empty)

    def _show_problem(self, problem: Problem) -> None:
        self.path.setText(one_line(problem.path) or self.tr("A change without a file"))
        self._set(self.about, "")
        reason = self.tr("This cannot be applied: {0}.").format(
            visible(told(problem.reason)).rstrip(".")
        )
        self._set(self.warning, reason)
        self.words.setPlainText(visible(problem.text)[:LONGEST_TEXT])
        self.pages.setCurrentWidget(self.words)

    def _changed(self) -> None:
        self._hide_message()
        self.files.show_accepted(self.choice)
        number = self.files.currentRow()
        if 0 <= number < len(self.proposal.files):
            self.diff.model.accept(self.choice[number])
        self._count()

    def _count(self) -> None:
        units = sum(change.units for change in self.proposal.files)
        taken = sum(len(each) for each in self.choice.values())
        files = sum(1 for each in self.choice.values() if each)
        text = (
            self.tr("{0} of {1} changes accepted, in 1 file")
            if files == 1
            else self.tr("{0} of {1} changes accepted, in {2} files")
        ).format(taken, units, files)
        problems = len(self.proposal.problems)
        if problems:
            text += self.tr(" · {0} cannot be applied").format(problems)
        self.total.setText(text)
        self.apply_button.setEnabled(taken > 0)

    def _ask(self) -> None:
        try:
            plan = self.plan()
        except CommonplaceError as error:
            self.show_error(error)
            return
        if plan.asks_twice:
            self._say(
                "warning",
                self.tr("These files are run or obeyed without anybody starting them:"),
                "\n".join(plan.asks_twice),
                self.tr("Apply These Too"),
                lambda: self._send(plan, confirmed=True),
            )
            self.confirm.setFocus()
            return
        self._send(plan, confirmed=False)

    def _send(self, plan: EditPlan, *, confirmed: bool) -> None:
        self._hide_message()
        self.apply_button.setEnabled(False)
        self.apply_asked.emit(plan, confirmed)

    def _confirmed(self) -> None:
        if self._run is not None:
            self._run()

    def _say(
        self, level: str, headline: str, remedy: str, button: str, run: Callable[[], None]
    ) -> None:
        self.message.setProperty("level", level)
        for widget in (self.message, self.headline):
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self.headline.setText(visible(headline))
        self.remedy.setText(visible(remedy))
        self.message.setAccessibleName(f"{headline} {remedy}")
        self._run = run
        self.confirm.setText(button)
        self.confirm.setAccessibleName(button or self.tr("What can be done about it"))
        self.confirm.setVisible(bool(button))
        self.message.show()

    def _hide_message(self) -> None:
        self._run = None
        self.message.hide()

    def _restyle(self) -> None:
        self.words.setFont(code_font(self._keeper.font_size))

    def _set(self, label: QLabel, text: str) -> None:
        label.setText(text)
        label.setVisible(bool(text))
