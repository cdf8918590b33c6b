"""What is on its way: one row for each model, with how far it is and a way to stop it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from commonplace.desktop.labels import ElidedLabel, plain_label
from commonplace.desktop.library_link import Transfer
from commonplace.desktop.model_words import transfer_words
from commonplace.desktop.visible import one_line

STEPS = 1000


class TransferRow(QWidget):
    """One transfer."""

    cancelled = Signal(str)

    def __init__(self, transfer: Transfer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._key = transfer.key
        name = plain_label(one_line(transfer.title), self, "headline", wrap=False)
        self.words = ElidedLabel(self, Qt.TextElideMode.ElideRight)
        self.words.setObjectName("muted")
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of {0}").format(one_line(transfer.title)))
        self.button = QPushButton(self.tr("Stop"), self)
        self.button.setAccessibleName(self.tr("Stop {0}").format(one_line(transfer.title)))
        self.button.clicked.connect(lambda: self.cancelled.emit(self._key))
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(name)
        head.addWidget(self.words, 1)
        head.addWidget(self.button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.bar)
        self.show_transfer(transfer)

    def show_transfer(self, transfer: Transfer) -> None:
        """Show where it is."""
        self.words.setText(transfer_words(transfer))
        if transfer.total:
            self.bar.setRange(0, STEPS)
            self.bar.setValue(int(transfer.done / transfer.total * STEPS))
        else:
            self.bar.setRange(0, 0)


class Transfers(QWidget):
    """All transfers; takes no room when there are none."""

    cancelled = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, TransferRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.hide()

    def show_transfers(self, transfers: Sequence[Transfer]) -> None:
        """Show these, in place of those before."""
        keys = {transfer.key for transfer in transfers}
        for key in [key for key in self.rows if key not in keys]:
            row = self.rows.pop(key)
            self._layout.removeWidget(row)
            row.hide()
            row.deleteLater()
        for transfer in transfers:
            if transfer.key in self.rows:
                self.rows[transfer.key].show_transfer(transfer)
            else:
                row = TransferRow(transfer, self)
                row.cancelled.connect(self.cancelled)
                self.rows[transfer.key] = row
                self._layout.addWidget(row)
        self.setVisible(bool(transfers))
