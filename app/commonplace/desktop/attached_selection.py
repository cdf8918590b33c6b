"""What is selected in the code view, held for a question: a small card above the field."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from commonplace.chat.commands import SELECTION, mention, mentions_of
from commonplace.desktop.composer import Composer
from commonplace.desktop.icons import tinted
from commonplace.desktop.labels import ElidedLabel
from commonplace.desktop.passage_tip import excerpt
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip
from commonplace.recall.passages import Passage


class AttachedSelection(QFrame):
    """Holds a selection as long as the question being typed mentions it."""

    dropped = Signal()

    def __init__(self, composer: Composer, keeper: ThemeKeeper, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("attached")
        self._composer = composer
        self._keeper = keeper
        self._passage: Passage | None = None
        self.label = ElidedLabel(self)
        self.label.setObjectName("muted")
        self.button = QToolButton(self)
        self.button.setAccessibleName(self.tr("Ask without the selection"))
        self.button.setToolTip(self.tr("Ask without the selection"))
        self.button.setIconSize(QSize(12, 12))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 0)
        layout.addWidget(self.label, 1)
        layout.addWidget(self.button)
        self.button.clicked.connect(self._let_go)
        composer.edit.textChanged.connect(self._typed)
        keeper.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    @property
    def passage(self) -> Passage | None:
        """What is held."""
        return self._passage

    def hold(self, passage: Passage) -> None:
        """Hold `passage`, mention it in the field, and let the user type."""
        self._passage = passage
        lines = f"{passage.start_line}–{passage.end_line}"
        if passage.start_line == passage.end_line:
            lines = str(passage.start_line)
        place = one_line(f"{passage.path}:{lines}")
        self.label.setText(self.tr("Selection: {0}").format(place))
        self.label.setToolTip(tooltip(excerpt(passage.text)))
        self.show()
        edit = self._composer.edit
        if SELECTION not in mentions_of(self._composer.draft):
            draft = self._composer.draft
            gap = "" if not draft or draft[-1].isspace() else " "
            self._composer.set_draft(f"{draft}{gap}{mention(SELECTION)} ")
        edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _typed(self) -> None:
        if self._passage is not None:
            # Later, because sending empties the field before the question is asked.
            QTimer.singleShot(0, self, self._check)

    def _check(self) -> None:
        if self._passage is not None and SELECTION not in mentions_of(self._composer.draft):
            self._passage = None
            self.hide()
            self.dropped.emit()

    def _let_go(self) -> None:
        draft = self._composer.draft.replace(f"{mention(SELECTION)} ", "")
        self._composer.set_draft(draft.replace(mention(SELECTION), ""))
        self._composer.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _restyle(self) -> None:
        self.button.setIcon(tinted("close", self._keeper.theme, "muted"))
