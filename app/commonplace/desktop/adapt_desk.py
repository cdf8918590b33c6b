"""What happens between the open file, the process that trains, and the adapters that are kept."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QPushButton, QWidget

from commonplace.adapt.plan import PACKAGES
from commonplace.adapt.records import Record
from commonplace.adapt.store import AdapterStore
from commonplace.desktop.adapt_dialog import AdaptDialog
from commonplace.desktop.adapt_link import Outcome, Progress, Wanted
from commonplace.desktop.adapt_router import AdaptRouter
from commonplace.desktop.adapt_words import running_line, short_name
from commonplace.desktop.chat_desk import Say
from commonplace.desktop.code_pane import CodePane
from commonplace.desktop.controller import Controller
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip
from commonplace.errors import AdapterError, CommonplaceError, UserError
from commonplace.settings import save


def missing_packages() -> list[str]:
    """Return the packages for training that are not installed; loads none of them."""
    return [name for name in PACKAGES if find_spec(name) is None]


class AdaptDesk(QObject):
    """Estimates, trains, shows, uses and discards adapters for one window."""

    def __init__(
        self,
        controller: Controller,
        views: tuple[CodePane, QPushButton],
        keeper: ThemeKeeper,
        say: Say,
        window: QWidget,
    ) -> None:
        """Take the code view, and the button at the foot that says what is adapted."""
        super().__init__(window)
        self._controller = controller
        self._code, self.button = views
        self._keeper = keeper
        self._say = say
        self._window = window
        self._link = controller.adapt
        self._file = ""
        self.missing = missing_packages
        self.dialog: AdaptDialog | None = None
        """None until it is first opened."""
        self.router = AdaptRouter(controller, lambda: self._code.tabs.paths, self)
        self.router.changed.connect(self._show_button)
        self.router.dropped.connect(self._dropped)
        self.router.refused.connect(self._refused)
        self._link.progressed.connect(self._progressed)
        self._link.finished.connect(self._finished)
        self._link.stopped.connect(self._stopped)
        self._link.failed.connect(self._failed)
        self._code.opened.connect(lambda _path: self.router.follow_files())
        self._code.file_closed.connect(lambda _path: self.router.follow_files())
        self._code.closed.connect(self.router.drop)
        controller.settings_changed.connect(self.router.follow_settings)
        controller.project_changed.connect(self._project_changed)
        self.button.clicked.connect(self._open_shown)
        self._show_button()

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the actions of this desk do."""
        return {"adapt": self.open, "discard_adapters": self.discard_all}

    def open(self) -> None:
        """Open the window of adapting for the file on screen."""
        self._show(self._code.path)

    def discard_all(self) -> None:
        """Delete all adapters of the project, at once and for good."""
        store = self._store()
        if store is None:
            return
        self.router.drop()

        def done(count: int) -> None:
            if self.dialog is not None and self.dialog.pages.currentWidget() is self.dialog.outcome:
                self._estimate(neighbours=False)
            self._count()
            text = self.tr("Discarded {0} adapters, for good. The model is as it was.")
            if count == 1:
                text = self.tr("Discarded the adapter, for good. The model is as it was.")
            self._say(text.format(count) if count else self.tr("There are no adapters to discard."))

        self._controller.background.run(store.discard_all, done, self._failed)

    def _show(self, file: str) -> None:
        if not file and not self._link.running:
            return
        dialog = self.dialog
        if dialog is None:
            dialog = self.dialog = self._made()
        self._file = file or self._file
        self._choose_page(dialog)
        self._count()
        _bring(dialog)

    def _choose_page(self, dialog: AdaptDialog) -> None:
        missing = self.missing()
        if self._link.wanted is not None:
            dialog.show_running(self._link.wanted.file, self._link.last)
        elif not self._controller.settings.adapt_enabled:
            dialog.show_off()
        elif missing:
            dialog.show_missing(missing)
        else:
            dialog.estimate.neighbours.setChecked(False)
            dialog.show_estimating(self._file)
            self.router.find(self._file, self._found)

    def _found(self, record: Record | None) -> None:
        if record is None or self.dialog is None:
            self._estimate(neighbours=False)
        else:
            self._show_record(record)

    def _show_record(self, record: Record) -> None:
        assert self.dialog is not None
        reason = self.tr("Made on {0} for {1}. It is used for questions about {2} alone.")
        outcome = Outcome(
            True,
            reason.format(record.created[:10], one_line(record.model), one_line(record.file)),
            record.seconds,
            record.gate,
            record.trained_on,
            record,
        )
        self._show_outcome(self.dialog, outcome)

    def _show_outcome(self, dialog: AdaptDialog, outcome: Outcome) -> None:
        scale = self._controller.settings.adapt_scale
        dialog.show_outcome(outcome, scale, used=self._file not in self.router.left_out)

    def _estimate(self, *, neighbours: bool) -> None:
        dialog = self.dialog
        if dialog is None or not self._file:
            return
        dialog.show_estimating(self._file)
        wanted = self._wanted(neighbours=neighbours)
        if wanted is None:
            dialog.show_refusal(
                AdapterError(
                    self.tr("There is no model on this machine that could be adapted."),
                    self.tr("Choose a model first, and wait until it is loaded."),
                )
            )
            return
        self._link.estimate(wanted, dialog.show_estimate, dialog.show_refusal)

    def _wanted(self, *, neighbours: bool) -> Wanted | None:
        root, model = self.router.root, self.router.model
        if root is None or model is None:
            return None
        return Wanted(root, self._file, str(model), neighbours)

    def _adapt(self, neighbours: bool) -> None:
        wanted = self._wanted(neighbours=neighbours)
        if wanted is None or self.dialog is None:
            return
        self._link.adapt(wanted)
        self.dialog.show_running(wanted.file, self._link.last)
        self._show_button()

    def _progressed(self, progress: Progress) -> None:
        if self.dialog is not None:
            self.dialog.running.show_progress(progress)
        self._show_button()

    def _finished(self, outcome: Outcome) -> None:
        self._show_button()
        dialog = self.dialog
        if dialog is not None:
            self._show_outcome(dialog, outcome)
            self._count()
        if dialog is None or not dialog.isVisible():
            text = (
                self.tr("Adapted to {0}.")
                if outcome.accepted
                else self.tr("The adapter for {0} did not pass the tests and was thrown away.")
            )
            self._say(text.format(short_name(self._file)), self.tr("Show"), self._show_dialog)

    def _stopped(self) -> None:
        self._show_button()
        if self.dialog is not None:
            self._estimate(neighbours=self.dialog.estimate.neighbours.isChecked())
            self.dialog.say(self.tr("Stopped. Nothing was kept, and the model is as it was."))

    def _failed(self, error: CommonplaceError) -> None:
        self._show_button()
        dialog = self.dialog
        if dialog is not None and dialog.pages.currentWidget() is dialog.running:
            self._estimate(neighbours=dialog.estimate.neighbours.isChecked())
        if dialog is not None:
            dialog.show_error(error)
        if dialog is None or not dialog.isVisible():
            self._say(error, self.tr("Show"), self._show_dialog)

    def _show_dialog(self) -> None:
        """Bring back the window of adapting as it was left."""
        if self.dialog is None:
            self._show(self._file)
        else:
            _bring(self.dialog)

    def _discard(self) -> None:
        """Delete the adapter of the file that is shown, at once and for good."""
        store, file = self._store(), self._file
        if store is None:
            return
        if self.router.placed is not None and self.router.placed.file == file:
            self.router.drop()

        def discard() -> int:
            found = [record.id for record in store.records() if record.file == file]
            return sum(store.discard(number) for number in found)

        def done(_count: int) -> None:
            self._estimate(neighbours=False)
            self._count()
            self._say(self.tr("Discarded the adapter, for good. The model is as it was."))

        self._controller.background.run(discard, done, self._failed)

    def _count(self) -> None:
        """Find out whether there is anything to discard."""
        store, dialog = self._store(), self.dialog
        if store is not None and dialog is not None:
            self._controller.background.run(
                lambda: bool(store.records()), dialog.show_any, lambda _error: None
            )

    def _enable(self) -> None:
        self._save("adapt.enabled", True)
        if self.dialog is not None:
            self._choose_page(self.dialog)

    def _scale(self, scale: float) -> None:
        if scale != self._controller.settings.adapt_scale:
            self._save("adapt.scale", scale)

    def _save(self, key: str, value: object) -> None:
        controller = self._controller
        try:
            controller.apply(save(controller.paths.settings_file, {key: value}))
        except UserError as error:
            if self.dialog is not None:
                self.dialog.show_error(error)

    def _store(self) -> AdapterStore | None:
        try:
            return self.router.store
        except CommonplaceError as error:
            self._failed(error)
            return None

    def _project_changed(self, _root: Path | None) -> None:
        if self._link.wanted is not None and self._link.wanted.root != self.router.root:
            self._link.cancel()
        if self.dialog is not None and not self._link.running:
            self.dialog.reject()

    def _dropped(self, file: str) -> None:
        text = self.tr("{0} has changed, so its adapter is no longer used.")
        self._say(text.format(short_name(file)))

    def _refused(self, error: CommonplaceError) -> None:
        self._say(error, self.tr("Discard All"), self.discard_all)

    def _open_shown(self) -> None:
        placed = self.router.placed
        self._show(placed.file if placed is not None and not self._link.running else self._file)

    def _show_button(self) -> None:
        """Say at the foot of the window what is in place, or how far training is."""
        placed, wanted = self.router.placed, self._link.wanted
        text = tip = ""
        if wanted is not None:
            text = running_line(wanted.file, self._link.last)
            tip = self.tr("Show the training of {0}").format(one_line(wanted.file))
        elif placed is not None:
            text = self.tr("Adapted to {0}").format(short_name(placed.file))
            tip = self.tr("An adapter is in use: the last question was about {0}.").format(
                one_line(placed.file)
            )
        self.button.setText(text)
        self.button.setAccessibleName(text or self.tr("Adapter in use"))
        self.button.setToolTip(tooltip(tip))
        self.button.setVisible(bool(text))

    def _made(self) -> AdaptDialog:
        dialog = AdaptDialog(self._keeper, self._window)
        dialog.enable_asked.connect(self._enable)
        dialog.estimate_asked.connect(lambda near: self._estimate(neighbours=near))
        dialog.adapt_asked.connect(self._adapt)
        dialog.stop_asked.connect(self._link.cancel)
        dialog.again_asked.connect(lambda: self._estimate(neighbours=False))
        dialog.discard_asked.connect(self._discard)
        dialog.discard_all_asked.connect(self.discard_all)
        dialog.scale_chosen.connect(self._scale)
        dialog.use_chosen.connect(lambda use: self.router.use(self._file, use=use))
        return dialog


def _bring(dialog: AdaptDialog) -> None:
    """Show `dialog`, in front of the others if it is there already."""
    if dialog.isVisible():
        dialog.raise_()
    dialog.show()
    dialog.activateWindow()
