"""What the chat shows before the first question: what can be asked."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from commonplace.desktop.key_names import KeyNames
from commonplace.desktop.labels import plain_label


class Hints(QWidget):
    """A few questions to begin with; choosing one puts it into the question field."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(28, 24, 28, 24)
        layout.setSpacing(6)
        layout.addStretch(2)
        title = plain_label(self.tr("Ask about this project"), self, wrap=False)
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        title.setFont(font)
        lead = plain_label(
            self.tr(
                "In plain words, by the name of a function, or with an error message pasted in. "
                "The answer names the lines it rests on. "
                "Type / for commands, and @ to have a file or folder read first."
            ),
            self,
            "muted",
        )
        layout.addWidget(title)
        layout.addWidget(lead)
        layout.addSpacing(10)
        for text in self._examples():
            button = QPushButton(text, self)
            button.setObjectName("quiet")
            button.clicked.connect(lambda _checked=False, text=text: self.chosen.emit(text))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self._keys = plain_label("", self, "muted")
        layout.addSpacing(10)
        layout.addWidget(self._keys)
        layout.addStretch(3)

    def name_keys(self, keys: KeyNames) -> None:
        """Name the keys that are in force now."""
        text = self.tr("{0} goes to a file, {1} keeps what is selected, {2} lists all commands.")
        named = (keys.of(action) for action in ("go_to_file", "remember", "palette"))
        self._keys.setText(text.format(*named))

    def _examples(self) -> tuple[str, ...]:
        return (
            self.tr("Where does this program start?"),
            self.tr("How are errors handled?"),
            self.tr("What do the tests cover?"),
        )
