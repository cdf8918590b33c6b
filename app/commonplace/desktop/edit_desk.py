"""What happens between an answer that proposes changes, the person, and the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from commonplace.desktop.background import Background
from commonplace.desktop.controller import Controller
from commonplace.desktop.conversation import Conversation
from commonplace.desktop.edit_history import EditHistory
from commonplace.desktop.message_bar import MessageBar
from commonplace.desktop.review_dialog import ReviewDialog
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line
from commonplace.edits.changes import EditPlan, Proposal
from commonplace.edits.reading import proposes
from commonplace.edits.room import Edits, Step
from commonplace.errors import CommonplaceError, EditChangedError

MAX_PATCH = 16 * 1024 * 1024
TITLE = 80
KEY = "edits"

Say = Callable[..., None]


class EditDesk(QObject):
    """Reviews, applies and takes back changes for one window, off its thread."""

    def __init__(
        self,
        controller: Controller,
        conversation: Conversation,
        messages: MessageBar,
        keeper: ThemeKeeper,
        say: Say,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._controller = controller
        self._conversation = conversation
        self._messages = messages
        self._keeper = keeper
        self._say = say
        self._window = window
        self._edits: Edits | None = None
        controller.project_changed.connect(self._project_changed)

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the actions of this desk do."""
        return {
            "review": self.review_last,
            "undo_change": self.undo,
            "redo_change": self.redo,
            "past_changes": self.show_history,
            "apply_patch": self._choose_patch,
        }

    def can_review(self) -> bool:
        """Return whether the last answer proposes changes."""
        exchanges = self._conversation.exchanges
        return (
            bool(exchanges) and not self._conversation.busy and self._proposes(len(exchanges) - 1)
        )

    def act(self, verb: str, number: int, _second: int) -> None:
        """Follow the link below an answer."""
        if verb == "review":
            self.review(number)

    def review_last(self) -> None:
        """Review what the last answer proposes."""
        self.review(len(self._conversation.exchanges) - 1)

    def review(self, number: int) -> None:
        """Review what the answer of exchange `number` proposes."""
        exchanges = self._conversation.exchanges
        if not 0 <= number < len(exchanges):
            return
        self.review_text(self._text(number), one_line(exchanges[number].question)[:TITLE])

    def review_text(self, text: str, title: str) -> None:
        """Review what `text` proposes; the change will be called `title`."""
        self._review(lambda edits: edits.propose(text), title)

    def review_file(self, path: Path) -> None:
        """Review the changes in a patch file."""

        def propose(edits: Edits) -> Proposal:
            with path.open("rb") as file:
                return edits.propose_patch(file.read(MAX_PATCH))

        self._review(propose, path.name)

    def undo(self) -> None:
        """Take the last change back."""
        self._turn(back=True)

    def redo(self) -> None:
        """Do the change again that was undone last."""
        self._turn(back=False)

    def show_history(self) -> None:
        """Show the changes that were made, to look at them and to take them back."""
        edits = self._edits
        if edits is None:
            return
        dialog = EditHistory(edits, self._background, self._keeper, self._window)
        dialog.turned.connect(self._turned)
        dialog.difference_asked.connect(
            lambda name, title: self._review(lambda room: room.difference(name), title)
        )
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        dialog.list.setFocus()

    def _turned(self, step: Step) -> None:
        """Follow a change that was taken back, or done again."""
        self._messages.dismiss(KEY)
        self._controller.memory.reconcile()
        title = one_line(step.record.title)
        if step.record.applied:
            self._say(self.tr("Done again: {0}").format(title), self.tr("Undo"), self.undo)
        else:
            self._say(self.tr("Undone: {0}").format(title), self.tr("Redo"), self.redo)

    def _project_changed(self, root: Path | None) -> None:
        self._messages.dismiss(KEY)
        self._edits = None
        if root is None:
            return
        edits = self._edits = Edits(root, self._controller.paths)
        self._background.run(edits.recover, self._recovered, self._complain)

    @property
    def _background(self) -> Background:
        return self._controller.background

    def _text(self, number: int) -> str:
        exchange = self._conversation.exchanges[number]
        return exchange.answer.text if exchange.answer is not None else exchange.text

    def _proposes(self, number: int) -> bool:
        return proposes(self._text(number)) > 0

    def _review(self, propose: Callable[[Edits], Proposal], title: str) -> None:
        edits = self._edits
        if edits is None:
            return

        def show(proposal: Proposal) -> None:
            if edits is not self._edits:
                return
            if not proposal.files and not proposal.problems:
                self._say(self.tr("The files are like this already."))
                return
            self._open(edits, propose, proposal, title)

        self._background.run(lambda: propose(edits), show, self._complain)

    def _open(
        self, edits: Edits, propose: Callable[[Edits], Proposal], proposal: Proposal, title: str
    ) -> None:
        dialog = ReviewDialog(proposal, title, self._keeper, self._window)

        def apply(plan: EditPlan, confirmed: bool) -> None:
            self._background.run(
                lambda: edits.apply(plan, confirmed=confirmed),
                lambda step: self._applied(dialog, step),
                dialog.show_error,
            )

        def renew() -> None:
            self._background.run(lambda: propose(edits), dialog.show_proposal, dialog.show_error)

        dialog.apply_asked.connect(apply)
        dialog.renew_asked.connect(renew)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
        dialog.diff.list.setFocus()

    def _applied(self, dialog: ReviewDialog, step: Step) -> None:
        dialog.accept()
        self._messages.dismiss(KEY)
        self._controller.memory.reconcile()
        count = len(step.record.files)
        text = self.tr("Changed {0}.") if count == 1 else self.tr("Changed {0} and {1} more.")
        self._say(
            text.format(one_line(step.record.files[0].path), count - 1), self.tr("Undo"), self.undo
        )

    def _turn(self, *, back: bool) -> None:
        edits = self._edits
        if edits is None:
            return

        def failed(error: CommonplaceError) -> None:
            if isinstance(error, EditChangedError):
                self._offer_difference(edits, error, back=back)
            else:
                self._complain(error)

        self._background.run(edits.undo if back else edits.redo, self._turned, failed)

    def _offer_difference(self, edits: Edits, error: CommonplaceError, *, back: bool) -> None:
        """Where undoing is refused, show what it would mean, and let that be reviewed."""

        def look() -> None:
            record = edits.last(applied=back)
            if record is not None:
                name, title = record.id, one_line(record.title)
                self._review(lambda room: room.difference(name), title)

        action = (self.tr("Show the Difference"), look)
        self._messages.show_message(KEY, "warning", error.message, error.remedy, [action])

    def _recovered(self, sentences: tuple[str, ...]) -> None:
        if sentences:
            self._messages.show_message(
                KEY, "info", self.tr("A change was interrupted."), " ".join(sentences)
            )

    def _complain(self, error: CommonplaceError) -> None:
        self._messages.show_message(KEY, "error", error.message, error.remedy)

    def _choose_patch(self) -> None:
        start = str(self._controller.project or Path.home())
        name, _ = QFileDialog.getOpenFileName(
            self._window,
            self.tr("Review a patch"),
            start,
            self.tr("Patches (*.patch *.diff);;All files (*)"),
        )
        if name:
            self.review_file(Path(name))
