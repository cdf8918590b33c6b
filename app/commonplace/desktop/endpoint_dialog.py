"""Somebody else's engine: its address, what would be sent there, and the user's yes or no."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told, told_error
from commonplace.desktop.visible import visible
from commonplace.errors import CommonplaceError, UserError
from commonplace.network.grants import Grant, Origin, Purpose


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user allowed: the address, the model there, a key if one was typed, for how long."""

    address: str
    model: str
    key: str
    always: bool

    @property
    def grant(self) -> Grant:
        """What this allows; the address was checked."""
        return Grant(Purpose.ENDPOINT, Origin.of(self.address))


class EndpointDialog(QDialog):
    """Asks once for each address; nothing is contacted while it is open."""

    allowed = Signal(object)
    """A `Consent`."""
    revoked = Signal()
    """Answers are to come from this machine again, and nothing may be sent elsewhere."""

    def __init__(
        self, address: str, model: str, *, in_use: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Answers from Another Machine"))
        self.setMinimumWidth(380)
        self.resize(600, 340)
        lead = plain_label("", self)
        lead.setText(
            self.tr(
                "A server that speaks as OpenAI's does (llama.cpp, vLLM, Ollama) can answer in "
                "place of the model on this machine. Nothing is contacted before you allow it."
            )
        )
        self.address = QLineEdit(address, self)
        self.address.setPlaceholderText("http://localhost:8080/v1")
        self.model = QLineEdit(model, self)
        self.model.setPlaceholderText(self.tr("The first it offers"))
        self.key = QLineEdit(self)
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText(self.tr("Only if it asks for one; empty leaves it as it is"))
        self.sent = plain_label("", self)
        self.sent.setMinimumHeight(4 * self.fontMetrics().lineSpacing())  # it stays in its place
        self.sent.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.error = plain_label("", self, "invalid")
        self.error.hide()
        self.no_button = _button(self.tr("&No"), self)
        self.once_button = _button(self.tr("Allow &Once"), self)
        self.once_button.setToolTip(
            self.tr("Until this window is closed; then you are asked again")
        )
        self.always_button = _button(self.tr("&Always Allow"), self)
        self.always_button.setToolTip(
            self.tr("Kept in the settings under “Network”, where it can be taken back")
        )
        self.revoke_button = _button(self.tr("Answer on &This Machine"), self)
        self.revoke_button.setToolTip(self.tr("Takes back what was allowed to servers"))
        self.revoke_button.setVisible(in_use)
        self._lay_out(lead)
        self._connect()
        self._look()

    def show_error(self, error: CommonplaceError) -> None:
        """Say what did not work; the question stays."""
        self.error.setText(visible(told_error(error)))
        self.error.show()
        self._enable(on=True)

    def _look(self) -> None:
        """Say what would be sent to the address that is typed, or what is wrong with it."""
        self.error.hide()
        address = self.address.text().strip()
        if not address:
            self.sent.setText(self.tr("Type its address to see what would be sent there."))
            self._enable(on=False)
            return
        try:
            grant = Grant(Purpose.ENDPOINT, Origin.of(address))
        except UserError as error:
            self.sent.setText(visible(told_error(error)))
            self._enable(on=False)
            return
        self.sent.setText(visible(told(grant.question())))
        self._enable(on=True)

    def _enable(self, *, on: bool) -> None:
        self.once_button.setEnabled(on)
        self.always_button.setEnabled(on)

    def _allow(self, *, always: bool) -> None:
        self._enable(on=False)
        self.allowed.emit(
            Consent(
                self.address.text().strip().rstrip("/"),
                self.model.text().strip(),
                self.key.text().strip(),
                always,
            )
        )

    def _revoke(self) -> None:
        self.revoked.emit()
        self.accept()

    def _connect(self) -> None:
        self.address.textChanged.connect(self._look)
        self.no_button.clicked.connect(self.reject)
        self.once_button.clicked.connect(lambda: self._allow(always=False))
        self.always_button.clicked.connect(lambda: self._allow(always=True))
        self.revoke_button.clicked.connect(self._revoke)

    def _lay_out(self, lead: QLabel) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setSpacing(8)
        for title, field in (
            (self.tr("A&ddress"), self.address),
            (self.tr("&Model"), self.model),
            (self.tr("&Key"), self.key),
        ):
            field.setAccessibleName(title.replace("&", ""))
            field.setMinimumHeight(30)
            form.addRow(title, field)
        self.no_button.setDefault(True)
        foot = QHBoxLayout()
        foot.addWidget(self.revoke_button)
        foot.addStretch()
        for button in (self.no_button, self.once_button, self.always_button):
            foot.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(lead)
        layout.addLayout(form)
        layout.addWidget(self.sent)
        layout.addWidget(self.error)
        layout.addStretch()
        layout.addLayout(foot)


def _button(title: str, parent: QWidget) -> QPushButton:
    button = QPushButton(title, parent)
    button.setAutoDefault(False)
    return button
