"""The passages an answer rests on, each with its place, its reasons and who named it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from commonplace.desktop.book_words import cited_words
from commonplace.desktop.kinds import kind_words
from commonplace.desktop.labels import plain_label
from commonplace.desktop.languages import told
from commonplace.desktop.numbers import number_words
from commonplace.desktop.theme import ThemeKeeper
from commonplace.desktop.visible import one_line, tooltip
from commonplace.recall.passages import Passage

Index = QModelIndex | QPersistentModelIndex
PAD = 10
GAP = 3


@dataclass(frozen=True, slots=True)
class Source:
    """A passage with its number; `by` is ``model``, ``attribution``, ``unread`` or empty.

    ``unread`` says that it did not fit into the prompt. `since` is what became of
    its file since the answer: ``changed``, ``gone`` or empty.
    """

    number: int
    passage: Passage
    by: str = ""
    since: str = ""


class SourcesModel(QAbstractListModel):
    """The sources of one answer, in order."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sources: tuple[Source, ...] = ()

    def show(self, sources: Sequence[Source]) -> None:
        """Replace the list."""
        self.beginResetModel()
        self._sources = tuple(sources)
        self.endResetModel()

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources, in order."""
        return self._sources

    def source(self, row: int) -> Source:
        """Return the source in `row`."""
        return self._sources[row]

    def row_of(self, number: int) -> int:
        """Return the row of source `number`, or -1."""
        return next((r for r, s in enumerate(self._sources) if s.number == number), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Return the number of sources."""
        return 0 if parent.isValid() else len(self._sources)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a list, or a screen reader, says of a source."""
        if not index.isValid() or index.row() >= len(self._sources):
            return None
        source = self._sources[index.row()]
        passage = source.passage
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return one_line(passage.place)
            case Qt.ItemDataRole.UserRole:
                return source
            case Qt.ItemDataRole.ToolTipRole:
                lines = [passage.place, symbol_of(passage), *map(told, passage.reasons)]
                lines += [structure_of(passage, self), *passage.importers]
                return tooltip("\n".join(filter(None, lines)))
            case Qt.ItemDataRole.AccessibleTextRole:
                parts = [f"[{source.number}] {passage.place}", symbol_of(passage)]
                parts.append(since_of(source.since, self) or mark_of(source.by, self))
                parts += [*map(told, passage.reasons), structure_of(passage, self)]
                return one_line(", ".join(filter(None, parts)))
        return None


def symbol_of(passage: Passage) -> str:
    """Return what the passage is, as in ``function load``; nothing for a mere block."""
    if passage.note:
        return cited_words(passage.symbol, passage.state)
    if not passage.symbol and passage.kind == "block":
        return ""
    return f"{kind_words(passage.kind)} {passage.symbol}".strip()


def structure_of(passage: Passage, owner: QAbstractListModel | QStyledItemDelegate) -> str:
    """Return how many files import the passage's file, and what else its lines define."""
    parts = []
    if passage.imported_by == 1:
        parts.append(owner.tr("imported by 1 file"))
    elif passage.imported_by:
        parts.append(owner.tr("imported by {0} files").format(number_words(passage.imported_by)))
    if others := [name for name in passage.defines if name != passage.symbol]:
        parts.append(owner.tr("defines {0}").format(one_line(", ".join(others))))
    return " · ".join(parts)


def mark_of(by: str, owner: QAbstractListModel | QStyledItemDelegate) -> str:
    """Return in words who says that the answer rests on a passage."""
    if by == "model":
        return owner.tr("cited")
    if by == "unread":
        return owner.tr("not read")
    return owner.tr("≈ matched") if by == "attribution" else ""


def since_of(since: str, owner: QAbstractListModel | QStyledItemDelegate) -> str:
    """Return in words what became of a passage's file since the answer."""
    if since == "changed":
        return owner.tr("changed since this answer")
    return owner.tr("gone since this answer") if since == "gone" else ""


class SourceDelegate(QStyledItemDelegate):
    """Paints a source in three lines, or in four where its structure is known."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keeper = keeper

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Leave room for three lines or four."""
        source = index.data(Qt.ItemDataRole.UserRole)
        lines = 4 if source is not None and structure_of(source.passage, self) else 3
        height = QFontMetrics(option.font).height()
        return QSize(160, lines * height + (lines - 1) * GAP + 2 * PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint number, place and mark; folder and symbol; the reasons; the structure."""
        source = index.data(Qt.ItemDataRole.UserRole)
        state = option.state
        box: QRect = option.rect
        theme = self._keeper.theme
        painter.save()
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(box, theme.colour("selection"))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box, theme.colour("alternate"))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.colour("accent"))
            painter.drawRect(box.adjusted(0, 0, -1, -1))
        painter.setPen(theme.colour("border"))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        strong = theme.colour("on_selection" if selected else "text")
        weak = theme.colour("on_selection" if selected else "muted")
        self._lines(painter, box.adjusted(PAD, PAD, -PAD, -PAD), source, (strong, weak))
        painter.restore()

    def _lines(self, painter: QPainter, box: QRect, source: Source, colours: Any) -> None:
        passage, plain = source.passage, painter.font()
        strong, weak = colours
        bold = QFont(plain)
        bold.setWeight(QFont.Weight.DemiBold)
        height = QFontMetrics(plain).height()
        folder, _, name = passage.path.rpartition("/")
        since = since_of(source.since, self)
        mark = since or mark_of(source.by, self)
        room = box.width() - (QFontMetrics(plain).horizontalAdvance(mark) + 12 if mark else 0)
        lines = f":{passage.start_line}–{passage.end_line}"
        head = f"[{source.number}]  "
        metrics = QFontMetrics(bold)
        space = room - metrics.horizontalAdvance(head + lines)
        name = metrics.elidedText(one_line(name), Qt.TextElideMode.ElideMiddle, space)
        what = " · ".join(filter(None, (symbol_of(passage), folder)))
        rows = (
            (bold, strong, f"{head}{name}{lines}", room),
            (plain, strong, what or self.tr("top folder"), box.width()),
            (plain, weak, " · ".join(map(told, passage.reasons)), box.width()),
            (plain, weak, structure_of(passage, self), box.width()),
        )
        top = box.top()
        for font, colour, text, width in rows:
            painter.setFont(font)
            painter.setPen(colour)
            shown = QFontMetrics(font).elidedText(
                one_line(text), Qt.TextElideMode.ElideRight, width
            )
            painter.drawText(QRect(box.left(), top, width, height), 0, shown)
            top += height + GAP
        if mark:
            painter.setFont(plain)
            role = "warning" if since else "ok" if source.by == "model" else "muted"
            painter.setPen(self._keeper.theme.colour(role))
            right = Qt.AlignmentFlag.AlignRight
            painter.drawText(QRect(box.left(), box.top(), box.width(), height), right, mark)


class SourcesPanel(QWidget):
    """The list beside the answer."""

    chosen = Signal(object)
    """A `Source` was clicked or Enter was pressed on it."""

    def __init__(self, keeper: ThemeKeeper, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane")
        self._keeper = keeper
        self.title = plain_label(self.tr("Sources"), self, "paneTitle", wrap=False)
        self.hint = plain_label(
            self.tr("The passages an answer rests on appear here. Click one to read it in place."),
            self,
            "muted",
        )
        self.hint.setContentsMargins(12, 4, 12, 12)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.title.setContentsMargins(12, 10, 12, 6)
        self.model = SourcesModel(self)
        self.list = QListView(self)
        self.list.setAccessibleName(self.tr("Sources of the answer"))
        self.list.setModel(self.model)
        self.list.setItemDelegate(SourceDelegate(keeper, self.list))
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.title)
        layout.addWidget(self.hint, 1)
        layout.addWidget(self.list, 1)
        self.list.hide()
        self.list.clicked.connect(self._choose)
        self.list.activated.connect(self._choose)

    def show_sources(self, sources: Sequence[Source]) -> None:
        """Show the sources of one answer."""
        self.model.show(sources)
        self.title.setText(
            self.tr("Sources · {0}").format(len(sources)) if sources else self.tr("Sources")
        )
        self.list.setVisible(bool(sources))
        self.hint.setVisible(not sources)

    @property
    def sources(self) -> tuple[Source, ...]:
        """What is on screen."""
        return self.model.sources

    def update_sources(self, sources: Sequence[Source]) -> None:
        """Show what became of the same sources; the selection stays."""
        row = self.list.currentIndex().row()
        self.model.show(sources)
        if row >= 0:
            self.list.setCurrentIndex(self.model.index(row))

    def select(self, number: int) -> Source | None:
        """Select source `number` and return it."""
        row = self.model.row_of(number)
        if row < 0:
            return None
        index = self.model.index(row)
        self.list.setCurrentIndex(index)
        self.list.scrollTo(index)
        return self.model.source(row)

    def _choose(self, index: QModelIndex) -> None:
        self.chosen.emit(self.model.source(index.row()))
