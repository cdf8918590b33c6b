"""Asks before anything is sent to somebody else's engine, and takes that back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from commonplace.desktop.controller import Controller
from commonplace.desktop.endpoint_dialog import Consent, EndpointDialog
from commonplace.desktop.languages import told
from commonplace.desktop.message_bar import Action, MessageBar
from commonplace.engine.keys import keep_key
from commonplace.errors import CommonplaceError, UserError
from commonplace.network.grants import Grant, Purpose
from commonplace.settings import Settings, save

KEY = "endpoint"
Apply = Callable[[Settings], None]


class EndpointDesk(QObject):
    """Shows the question, and puts in force what the user answered."""

    def __init__(self, controller: Controller, messages: MessageBar, apply: Apply, window: QWidget):
        super().__init__(window)
        self._controller = controller
        self._messages = messages
        self._apply = apply
        self._window = window
        controller.consent_wanted.connect(self._ask_for)
        controller.solved.connect(self._solved)

    def handlers(self) -> dict[str, Callable[[], None]]:
        """Return what the action of this desk does."""
        return {"endpoint": self.show}

    def show(self) -> None:
        """Ask, with the address of the settings already there."""
        settings = self._controller.settings
        dialog = EndpointDialog(
            settings.model_endpoint,
            settings.model_endpoint_model,
            in_use=bool(settings.model_endpoint),
            parent=self._window,
        )
        dialog.allowed.connect(lambda consent: self._allowed(dialog, consent))
        dialog.revoked.connect(self.revoke)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def revoke(self) -> None:
        """Answer on this machine again, and let nothing be sent to a server any more."""
        self._controller.granted_once = None
        kept = [
            text
            for text in self._controller.settings.network_allowed
            if not text.startswith(f"{Purpose.ENDPOINT} ")
        ]
        self._change({"model.endpoint": "", "network.allowed": kept})

    def _ask_for(self, grant: Grant) -> None:
        """Say, without interrupting, that nothing is sent before the user decides."""
        decide: Action = (self.tr("Decide…"), self.show)
        back: Action = (self.tr("Answer on This Machine"), self.revoke)
        self._messages.show_message(
            KEY,
            "warning",
            self.tr("The settings let {0} answer, which you have not allowed.").format(
                grant.origin
            ),
            self.tr("Nothing was sent. Until you decide, the passages themselves are the answer."),
            [decide, back],
        )

    def _solved(self, key: str) -> None:
        if key == KEY:
            self._messages.dismiss(KEY)

    def _allowed(self, dialog: EndpointDialog, consent: Consent) -> None:
        """Keep the key first, where one was typed, since without it nothing is answered."""

        def go_on(_done: object) -> None:
            grants = list(self._controller.settings.network_allowed)
            if consent.always and str(consent.grant) not in grants:
                grants.append(str(consent.grant))
            self._controller.granted_once = None if consent.always else consent.grant
            changes = {
                "model.endpoint": consent.address,
                "model.endpoint_model": consent.model,
                "network.allowed": grants,
            }
            if self._change(changes, dialog):
                dialog.accept()

        if not consent.key:
            go_on(None)
            return
        self._controller.background.run(
            lambda: keep_key(consent.address, consent.key), go_on, dialog.show_error
        )

    def _change(self, changes: dict[str, Any], dialog: EndpointDialog | None = None) -> bool:
        try:
            settings = save(self._controller.paths.settings_file, changes)
        except UserError as error:
            if dialog is not None:
                dialog.show_error(error)
            else:
                self._complain(error)
            return False
        before = self._controller.settings
        self._apply(settings)
        if settings == before:
            self._controller.load_model()  # it was allowed for this once: no setting says so
        return True

    def _complain(self, error: CommonplaceError) -> None:
        self._messages.show_message(KEY, "error", told(error.message), told(error.remedy))
