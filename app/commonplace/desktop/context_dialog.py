"""The context inspector: the exact prompt of an answer, and another try with other passages."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListView,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from commonplace.chat.answer import Answer
from commonplace.chat.choosing import Chosen, overlaps, pinned
from commonplace.desktop.context_blocks import (
    Part,
    PartDelegate,
    PartsModel,
    parts_of,
    title_words,
    trust_words,
)
from commonplace.desktop.folding import FOLDED, FoldingSplitter
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.numbers import number_words
from commonplace.desktop.theme import ThemeKeeper, code_font
from commonplace.desktop.visible import one_line, visible

MOST_SHOWN = 200_000
"""Characters of one block that are shown; no model reads more of one."""


class ContextDialog(QDialog):
    """What the model read, block by block, with what can be decided about passages."""

    asked_again = Signal(object)
    """A `Chosen`: ask the same question with these passages."""

    def __init__(
        self,
        question: str,
        answer: Answer,
        chosen: Chosen,
        keeper: ThemeKeeper,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("What the Model Read"))
        self.resize(920, 620)
        self._keeper = keeper
        self._answer = answer
        self._before = chosen
        self.headline = plain_label(one_line(question)[:300], self, "headline")
        self.summary = plain_label(self._summary(), self, "muted")
        self.model = PartsModel(self)
        self.delegate = PartDelegate(keeper, self)
        self.list = QListView(self)
        self.title = plain_label("", self, "headline")
        self.about = plain_label("", self, "muted")
        self.text = QPlainTextEdit(self)
        self.first = QPushButton(self.tr("Put &First"), self)
        self.without = QPushButton(self.tr("&Leave Out"), self)
        self.buttons = QDialogButtonBox(self)
        self.again = QPushButton(self.tr("&Ask Again with These"), self)
        self._dress()
        self._lay_out()
        self._fill()
        self.first.clicked.connect(lambda: self._decide("first"))
        self.without.clicked.connect(lambda: self._decide("without"))
        self.again.clicked.connect(self._ask_again)
        self.buttons.rejected.connect(self.reject)
        self.list.selectionModel().currentChanged.connect(self._show)
        self.list.setCurrentIndex(self.model.index(0))
        self._show(self.list.currentIndex())

    @property
    def chosen(self) -> Chosen:
        """What was decided about the passages."""
        parts = [part for part in self.model.parts if part.passage is not None]
        reason = self.tr("put first by you")
        first = [pinned(p.passage, reason) for p in parts if p.choice == "first" and p.passage]
        out = [p.passage for p in parts if p.choice == "without" and p.passage]
        # What was left out before is not in this prompt, and stays out.
        out += [p for p in self._before.without if not any(overlaps(p, q) for q in (*first, *out))]
        return Chosen(tuple(first), tuple(out), self._before.folders)

    def _fill(self) -> None:
        parts = parts_of(self._answer)
        self.delegate.most = max((part.block.tokens for part in parts), default=1)
        self.model.show([replace(p, choice=self._choice(p)) for p in parts])

    def _choice(self, part: Part) -> str:
        kept = part.passage
        if kept is not None and any(overlaps(kept, p) for p in self._before.first):
            return "first"
        return ""

    def _show(self, index: QModelIndex, _before: object = None) -> None:
        part = index.data(Qt.ItemDataRole.UserRole) if index.isValid() else None
        if part is None:
            return
        self.title.setText(title_words(part))
        reasons = "; ".join(map(told, part.passage.reasons)) if part.passage is not None else ""
        why = self.tr("chosen because: {0}").format(one_line(reasons)) if reasons else ""
        read = "" if part.read else self.tr("found, but not read by the model")
        about = (trust_words(part.block.trust), read, why)
        self.about.setText(" · ".join(filter(None, about)))
        self.text.setPlainText(visible(part.block.text[:MOST_SHOWN]))
        self._update()

    def _decide(self, choice: str) -> None:
        row = self.list.currentIndex().row()
        part = self.model.parts[row]
        self.model.put(row, replace(part, choice="" if part.choice == choice else choice))
        self._update()

    def _update(self) -> None:
        row = self.list.currentIndex().row()
        part = self.model.parts[row] if row >= 0 else None
        usable = part is not None and part.passage is not None
        for button, choice in ((self.first, "first"), (self.without, "without")):
            button.setEnabled(usable)
            button.setChecked(part is not None and part.choice == choice)
        self.again.setEnabled(self.chosen != self._before)

    def _ask_again(self) -> None:
        self.asked_again.emit(self.chosen)
        self.accept()

    def _summary(self) -> str:
        answer, prompt = self._answer, self._answer.prompt
        if prompt is None:
            return self.tr("No model read anything: the passages themselves were the answer.")
        lines = [
            self.tr("{0} tokens in {1} blocks, in the order in which {2} read them.").format(
                number_words(prompt.tokens), len(prompt.blocks), one_line(answer.model)
            ),
            *(one_line(told(text)) for text in prompt.dropped),
        ]
        return " ".join(lines)

    def _dress(self) -> None:
        self.list.setAccessibleName(self.tr("Blocks of the prompt"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(self.delegate)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.text.setAccessibleName(self.tr("Text of the block"))
        self.text.setObjectName("code")
        self.text.setReadOnly(True)
        self.text.setFont(code_font(self._keeper.font_size))
        self.text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        for button, tip in (
            (self.first, self.tr("Let the model read this passage before all others")),
            (self.without, self.tr("Do not let the model read this passage")),
        ):
            button.setCheckable(True)
            button.setToolTip(tip)
        self.again.setObjectName("primary")
        self.again.setAutoDefault(False)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Close)
        self.buttons.addButton(self.again, QDialogButtonBox.ButtonRole.ActionRole)

    def _lay_out(self) -> None:
        side = QWidget(self)
        column = QVBoxLayout(side)
        column.setContentsMargins(12, 0, 0, 0)
        choices = QHBoxLayout()
        choices.addWidget(self.first)
        choices.addWidget(self.without)
        choices.addStretch()
        for widget in (self.title, self.about):
            column.addWidget(widget)
        column.addWidget(self.text, 1)
        column.addLayout(choices)
        middle = FoldingSplitter(FOLDED, self)
        middle.addWidget(self.list)
        middle.addWidget(side)
        middle.setChildrenCollapsible(False)
        middle.setSizes([380, 540])
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addWidget(self.headline)
        layout.addWidget(self.summary)
        layout.addWidget(middle, 1)
        layout.addWidget(self.buttons)
