"""The blocks of a prompt as a list: trust, tokens as a bar, and the reasons of passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from commonplace.chat.answer import Answer
from commonplace.chat.prompt import Block
from commonplace.desktop.languages import told
from commonplace.desktop.numbers import number_words
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line
from commonplace.recall.passages import Passage

Index = QModelIndex | QPersistentModelIndex
PAD, GAP, BAR = 10, 3, 4
TRUST_COLOURS = {
    "ours": "muted",
    "person": "accent",
    "note": "ok",
    "rules": "ok",
    "docs": "info",
    "code": "warning",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One block of the prompt; a passage that was not read has the number 0 tokens.

    `choice` is what the user decided about its passage: ``first``, ``without`` or
    nothing.
    """

    block: Block
    passage: Passage | None = None
    read: bool = True
    choice: str = ""


def parts_of(answer: Answer) -> list[Part]:
    """Return the blocks of an answer's prompt in order, then the passages left out."""
    prompt = answer.prompt
    if prompt is None:
        return [Part(Block(p.place, p.tier, p.text, 0), p, read=False) for p in answer.passages]
    by_place = {passage.place: passage for passage in prompt.passages}
    words = {"ours", "person"}  # a turn may be called like a passage, but is none
    parts = [
        Part(block, None if block.trust in words else by_place.get(block.title))
        for block in prompt.blocks
    ]
    unread = answer.passages[len(prompt.passages) :]
    return [*parts, *(Part(Block(p.place, p.tier, p.text, 0), p, read=False) for p in unread)]


def trust_words(trust: str) -> str:
    """Return in words whose text a block is, and how far it is trusted."""
    words = {
        "ours": _tr("our instructions"),
        "person": _tr("your words"),
        "note": _tr("a note people kept"),
        "rules": _tr("rules of the project"),
        "docs": _tr("documentation: data"),
        "code": _tr("code: data"),
    }
    return words.get(trust, trust)


class PartsModel(QAbstractListModel):
    """The parts of one prompt."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[Part] = []

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts, in order."""
        return tuple(self._parts)

    def show(self, parts: Sequence[Part]) -> None:
        """Replace the list."""
        self.beginResetModel()
        self._parts = list(parts)
        self.endResetModel()

    def put(self, row: int, part: Part) -> None:
        """Change one part."""
        self._parts[row] = part
        index = self.index(row)
        self.dataChanged.emit(index, index)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of parts."""
        return 0 if parent.isValid() else len(self._parts)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a list, or a screen reader, says of a part."""
        if not index.isValid() or index.row() >= len(self._parts):
            return None
        part = self._parts[index.row()]
        match role:
            case Qt.ItemDataRole.UserRole:
                return part
            case Qt.ItemDataRole.DisplayRole:
                return title_words(part)
            case Qt.ItemDataRole.AccessibleTextRole:
                about = (title_words(part), trust_words(part.block.trust), state_words(part))
                return one_line(", ".join(filter(None, about)))
        return None


def title_words(part: Part) -> str:
    """Return what a part is called: a place as it is, all else in the window's language."""
    return one_line(told(part.block.title))


def state_words(part: Part) -> str:
    """Return how many tokens a part took, or why it took none, and what was decided."""
    if part.choice == "without":
        return _tr("to be left out")
    tokens = _tr("{0} tokens").format(number_words(part.block.tokens))
    read = tokens if part.read else _tr("not read")
    return f"{read} · {_tr('to be first')}" if part.choice == "first" else read


class PartDelegate(QStyledItemDelegate):
    """Paints a part in two lines and a bar that is as long as its share of the tokens."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper
        self.most = 1

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Leave room for two lines and the bar."""
        del index
        height = QFontMetrics(option.font).height()
        return QSize(200, 2 * height + 2 * GAP + BAR + 2 * PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint title and tokens, then whose words it is, then the bar."""
        part: Part = index.data(Qt.ItemDataRole.UserRole)
        theme, box, state = self._keeper.theme, option.rect, option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected:
            painter.fillRect(box, theme.colour("selection"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, theme.colour("alternate"))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.colour("accent"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        inner = box.adjusted(PAD, PAD, -PAD, -PAD)
        strong = theme.colour("on_selection" if selected else "text")
        weak = theme.colour("on_selection" if selected else "muted")
        bold = QFont(option.font)
        bold.setWeight(QFont.Weight.DemiBold)
        bold.setStrikeOut(part.choice == "without")
        height = QFontMetrics(option.font).height()
        self._pair(painter, inner, (bold, strong, title_words(part)), (weak, state_words(part)))
        below = QRect(inner.left(), inner.top() + height + GAP, inner.width(), height)
        why = " · ".join(map(told, part.passage.reasons)) if part.passage is not None else ""
        about = " · ".join(filter(None, (trust_words(part.block.trust), why)))
        self._line(painter, below, (option.font, weak, about))
        bar = QRect(inner.left(), inner.bottom() - BAR + 1, inner.width(), BAR)
        painter.fillRect(bar, theme.colour("border"))
        bar.setWidth(round(inner.width() * part.block.tokens / max(self.most, 1)))
        painter.fillRect(bar, theme.colour(TRUST_COLOURS.get(part.block.trust, "muted")))
        painter.restore()

    def _pair(self, painter: QPainter, box: QRect, left: Any, right: Any) -> None:
        font, colour, text = left
        plain = QFont(font)
        plain.setWeight(QFont.Weight.Normal)
        plain.setStrikeOut(False)
        width = QFontMetrics(plain).horizontalAdvance(right[1])
        height = QFontMetrics(font).height()
        painter.setFont(plain)
        painter.setPen(right[0])
        align = int(Qt.AlignmentFlag.AlignRight)
        painter.drawText(QRect(box.left(), box.top(), box.width(), height), align, right[1])
        self._line(painter, box.adjusted(0, 0, -width - 12, 0), (font, colour, text))

    def _line(self, painter: QPainter, box: QRect, about: Any) -> None:
        font, colour, text = about
        painter.setFont(font)
        painter.setPen(colour)
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(one_line(text), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(QRect(box.left(), box.top(), box.width(), metrics.height()), 0, shown)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ContextBlocks", text)
